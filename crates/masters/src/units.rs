//! Units as laboratories write them → codes of UCUM (Schadow, McDonald: The Unified Code for Units of Measure, 2.1).
//!
//! Only what UCUM itself says is one unit is made one: the litre has two signs (`l` and `L`, "Units from ISO 1000"), the international unit
//! two codes (`[iU]` and `[IU]`) and the print symbol `IU` ("Chemical and biochemical units"), micro the print symbol `μ` ("Prefix
//! symbols"), and without regard to case `u` is the enzyme unit `U` (the atomic mass unit is `AMU` there). `U` and `[IU]` are two units,
//! and `M` is never taken for `m`.

/// Signs of prefixes that stand before litres and units of activity. `M` is none: written by a machine without small letters it is milli.
const PREFIXES: [&str; 11] = ["", "k", "h", "da", "d", "c", "m", "u", "n", "p", "f"];

/// Under which codes UCUM may have a unit that is written so: as it is written first.
pub(crate) fn codes(written: &str) -> Vec<String> {
    let mut all = vec![written.to_owned()];
    let mut push = |code: String| {
        if !all.contains(&code) {
            all.push(code);
        }
    };
    let mut plain = String::with_capacity(written.len());
    written.trim().chars().for_each(|c| narrow(c, &mut plain));
    let code = by_parts(&plain);
    push(plain);
    // Both are the same unit; a vocabulary may have either.
    for one in [code.clone(), code.replace("[iU]", "[IU]"), code.replace("[IU]", "[iU]")] {
        push(one);
    }
    all
}

/// A character without its width, and signs that stand for letters as those letters. Not by the tables of Unicode: there `10³` is 103.
fn narrow(c: char, to: &mut String) {
    match c {
        '\u{FF01}'..='\u{FF5E}' => to.push(char::from_u32(c as u32 - 0xFEE0).unwrap_or(c)),
        'ℓ' => to.push('l'),
        'µ' | 'μ' => to.push('u'),
        '㎍' => to.push_str("ug"),
        '㎎' => to.push_str("mg"),
        '㎏' => to.push_str("kg"),
        '㎕' => to.push_str("ul"),
        '㎖' => to.push_str("ml"),
        '㎗' => to.push_str("dl"),
        '㎘' => to.push_str("kl"),
        c => to.push(c),
    }
}

/// The code of a unit that is written part by part.
fn by_parts(plain: &str) -> String {
    let parts = plain.split_inclusive(['/', '.']).map(|part| part.split_at(part.trim_end_matches(['/', '.']).len()));
    let parts: Vec<(&str, &str)> = parts.collect();
    // What a `u` is, the litre behind it tells: nobody counts atomic masses in a volume.
    let in_volume = matches!(parts[..], [(_, "/"), (volume, "")] if litre(volume).is_some());
    let code = |(at, (text, mark)): (usize, &(&str, &str))| {
        let enzyme = || (at == 0 && in_volume).then(|| enzyme_unit(text)).flatten();
        let code = litre(text).or_else(|| international_unit(text)).or_else(enzyme).unwrap_or_else(|| (*text).to_owned());
        code + mark
    };
    parts.iter().enumerate().map(code).collect()
}

/// Litres under their sign `L`, which Athena mostly has.
fn litre(part: &str) -> Option<String> {
    prefixed(part, |unit| matches!(unit, "l" | "L")).map(|prefix| format!("{prefix}L"))
}

fn international_unit(part: &str) -> Option<String> {
    prefixed(part, |unit| unit.eq_ignore_ascii_case("IU")).map(|prefix| format!("{prefix}[IU]"))
}

fn enzyme_unit(part: &str) -> Option<String> {
    prefixed(part, |unit| unit == "u").map(|prefix| format!("{prefix}U"))
}

/// The prefix of a part whose rest is a unit.
fn prefixed(part: &str, unit: impl Fn(&str) -> bool) -> Option<&'static str> {
    PREFIXES.into_iter().find(|prefix| part.strip_prefix(prefix).is_some_and(&unit))
}

#[cfg(test)]
mod tests {
    use super::codes;

    #[test]
    fn a_unit_is_looked_for_as_it_is_written_first_and_then_by_what_ucum_says_is_the_same() {
        let has = |written: &str, code: &str| codes(written).iter().any(|c| c == code);
        for (written, code) in [
            ("u/l", "U/L"),
            ("U/ℓ", "U/L"),
            ("Ｕ／Ｌ", "U/L"),
            ("IU/L", "[IU]/L"),
            ("ＩＵ／Ｌ", "[iU]/L"),
            ("iu/l", "[IU]/L"),
            ("[iU]/L", "[IU]/L"),
            ("mIU/ml", "m[IU]/mL"),
            ("μIU/㎖", "u[IU]/mL"),
            ("µU/mL", "uU/mL"),
            ("kIU/L", "k[IU]/L"),
            ("IU", "[IU]"),
            ("㎎／㎗", "mg/dL"),
        ] {
            assert_eq!(codes(written)[0], written);
            assert!(has(written, code), "{written}: {:?}", codes(written));
        }
        for (written, code) in [
            ("u/l", "[IU]/L"),
            ("U/L", "[IU]/L"),
            ("IU/L", "U/L"),
            ("MIU/ML", "m[IU]/mL"),
            ("MIU/ML", "M[IU]/ML"),
            ("MG/DL", "mg/dL"),
            ("u", "U"),
            ("g/u", "g/U"),
            ("10³/μL", "103/uL"),
        ] {
            assert!(!has(written, code), "{written} is no {code}");
        }
        assert!(codes("").iter().all(String::is_empty));
    }
}
