//! What a file is: by its name, else by its first line.

use super::layouts::Kind;
use crate::written::Scribe;

/// Kind of a file by its name (`FF1_139999991_2406.txt`), else by its first line. `None` when it is none.
pub fn kind_of(path: &str, beginning: &[u8]) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or("").to_ascii_uppercase();
    let word = name.split(['_', '.', '-']).next().unwrap_or("");
    let named = match word {
        "FF1" | "FF1N" => Some(Kind::FF1),
        "FF3" => Some(Kind::FF3),
        "FF4" | "FF4N" => Some(Kind::FF4),
        "EFN" => Some(Kind::EFn),
        "EFG" => Some(Kind::EFg),
        "DN" | "D" => Some(Kind::D),
        "EN" | "E" => Some(Kind::E),
        "FN" | "F" => Some(Kind::F),
        "HN" | "H" => Some(Kind::H),
        "K" | "KN" => Some(Kind::K),
        _ => None,
    };
    if named.is_some() {
        return named;
    }
    let line = beginning.split(|b| *b == b'\n').find(|l| !l.trim_ascii().is_empty())?;
    let fields: Vec<&[u8]> = line.split(|b| *b == b'\t').collect();
    let mut scribe = Scribe::of(beginning);
    let header = is_header(fields.first().copied().unwrap_or_default(), &mut scribe);
    let code = fields.first().is_some_and(|f| f.len() == 9 && f.iter().all(u8::is_ascii_digit));
    if !header && !code {
        return None;
    }
    let text = |n: usize, scribe: &mut Scribe| fields.get(n).map(|f| scribe.text(f).into_owned()).unwrap_or_default();
    Some(match fields.len() {
        30 => Kind::D,
        31 | 32 if header && text(2, &mut scribe).contains("生年") => Kind::EFg,
        31 | 32 if !header && fields.get(29).is_some_and(|f| f.trim_ascii() == b"2") => Kind::EFg,
        31 | 32 => Kind::EFn,
        25 => Kind::E,
        18 => Kind::F,
        20 => Kind::H,
        17 => Kind::FF1,
        5 => Kind::FF4,
        _ if header && line_has(&mut scribe, &fields, "カナ氏名") => Kind::K,
        _ => return None,
    })
}

fn line_has(scribe: &mut Scribe, fields: &[&[u8]], word: &str) -> bool {
    fields.iter().any(|f| scribe.text(f).contains(word))
}

pub(super) fn is_header(first: &[u8], scribe: &mut Scribe) -> bool {
    let first = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first);
    !first.is_ascii() && scribe.text(first).starts_with("施設")
}

/// Word for places of findings and for keys.
pub fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::EFn => "EFn",
        Kind::EFg => "EFg",
        Kind::D => "D",
        Kind::E => "E",
        Kind::F => "F",
        Kind::H => "H",
        Kind::FF1 => "FF1",
        Kind::FF3 => "FF3",
        Kind::FF4 => "FF4",
        Kind::K => "K",
    }
}
