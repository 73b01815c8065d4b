//! ISO 2022 as Japanese HL7 uses it: ASCII, JIS X 0201 (Roman and kana), JIS X 0208, JIS C 6226 and JIS X 0212 by
//! escape sequences, each run returning to the base set before a delimiter.

use super::sets::{EMPTY, JIS_X_0208, JIS_X_0212, Set};
use super::{DelimiterBytes, Notes, eight_bit};

const ESC: u8 = 0x1B;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// ASCII, and JIS X 0201 Roman too: 0x5C and 0x7E stay what they are as delimiters, not ¥ and ‾.
    Base,
    Kana,
    Jis78,
    Jis83,
    Jis0212,
}

/// The state that an escape sequence at the front of `bytes` (after ESC) designates, and its length without ESC.
fn designation(bytes: &[u8]) -> Option<(State, usize)> {
    Some(match bytes {
        [b'(', b'B' | b'J' | b'H', ..] => (State::Base, 2),
        [b'(', b'I', ..] => (State::Kana, 2),
        [b'$', b'@', ..] => (State::Jis78, 2),
        [b'$', b'B', ..] => (State::Jis83, 2),
        [b'$', b'(', b'D', ..] => (State::Jis0212, 3),
        [b'$', b'(', b'@', ..] => (State::Jis78, 3),
        [b'$', b'(', b'B', ..] => (State::Jis83, 3),
        _ => return None,
    })
}

/// Decodes into `out`.
pub fn decode(bytes: &[u8], delimiters: DelimiterBytes, out: &mut String) -> Notes {
    out.reserve(bytes.len() + bytes.len() / 2);
    let mut notes = Notes::default();
    let mut state = State::Base;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let run = match state {
            State::Base => &rest[..memchr::memchr(ESC, rest).unwrap_or(rest.len())],
            _ => &rest[..rest.iter().position(|b| *b < 0x20).unwrap_or(rest.len())],
        };
        let stop = rest.get(run.len()).copied();
        let next = match stop {
            Some(ESC) => designation(&rest[run.len() + 1..]),
            _ => None,
        };
        match state {
            State::Base => base(run, out, &mut notes),
            State::Kana => kana(run, next.map(|n| n.0), delimiters, out, &mut notes),
            _ => double(run, state, next.map(|n| n.0), delimiters, out, &mut notes),
        }
        at += run.len();
        match (stop, next) {
            (None, _) => break,
            (Some(_), Some((new, length))) => {
                state = new;
                notes.old_sets += u32::from(new == State::Jis78);
                at += 1 + length;
            }
            (Some(ESC), None) => {
                notes.undecodable += 1;
                out.push(EMPTY);
                at += 1;
                state = State::Base;
            }
            // A control character ends every run: segments begin and end in the base set.
            (Some(_), None) => state = State::Base,
        }
    }
    notes
}

fn base(run: &[u8], out: &mut String, notes: &mut Notes) {
    if let (true, Ok(text)) = (run.is_ascii(), std::str::from_utf8(run)) {
        out.push_str(text);
        return;
    }
    notes.eight_bit_in_iso2022 = true;
    match std::str::from_utf8(run) {
        Ok(text) => out.push_str(text),
        Err(_) => {
            let mut part = String::new();
            let (_, found) = eight_bit::decode(run, &mut part);
            notes.undecodable += found.undecodable;
            notes.gaiji += found.gaiji;
            out.push_str(&part);
        }
    }
}

/// A run of pairs. `next` is what follows by designation; `None` is a control character or the end.
///
/// A run that does not return to the base set by itself has lost its escape sequence on the way: then everything from
/// the first delimiter on that stands where a pair begins is ASCII again. Where several readings are possible the one
/// that keeps field and component boundaries is taken, because a shifted field is worse than a lost kanji.
fn double(run: &[u8], state: State, next: Option<State>, delimiters: DelimiterBytes, out: &mut String, notes: &mut Notes) {
    let set: &Set = if state == State::Jis0212 { &JIS_X_0212 } else { &JIS_X_0208 };
    let doubtful = match next {
        Some(new) => run.len() % 2 == 1 || new == state,
        None => true,
    };
    let whole = if doubtful { missing_return(run, set, delimiters) } else { None };
    let kanji = &run[..whole.unwrap_or(run.len())];
    for pair in kanji.chunks(2) {
        let character = match *pair {
            [row, cell] => set.get(row, cell),
            _ => EMPTY,
        };
        notes.undecodable += u32::from(character == EMPTY);
        out.push(character);
    }
    if let Some(cut) = whole {
        notes.returns_repaired += 1;
        base(&run[cut..], out, notes);
    } else if next.is_none() && !run.is_empty() {
        notes.returns_repaired += 1;
    }
}

/// Where in a doubtful run ASCII begins again: the first field, component or repetition delimiter at the place of a
/// first byte, else the first subcomponent delimiter or byte that begins no pair of the set.
fn missing_return(run: &[u8], set: &Set, delimiters: DelimiterBytes) -> Option<usize> {
    let [field, component, repetition, escape, subcomponent] = delimiters;
    let firsts = || run.iter().copied().enumerate().step_by(2);
    let strong = firsts().find(|(_, b)| [field, component, repetition].contains(b));
    let weak = || {
        firsts().find(|(i, b)| {
            [subcomponent, escape].contains(b) || run.get(i + 1).is_none_or(|second| set.get(*b, *second) == EMPTY)
        })
    };
    // An odd last byte that is no delimiter is a broken pair, not ASCII.
    strong.or_else(weak).map(|(i, _)| i).filter(|i| i + 1 < run.len() || delimiters.contains(&run[*i]))
}

/// A run of half-width kana, one byte each in 0x21..=0x5F. What lies above is ASCII after a missing return; 0x5E is a
/// voiced mark where it can be one, else a component delimiter.
fn kana(run: &[u8], next: Option<State>, delimiters: DelimiterBytes, out: &mut String, notes: &mut Notes) {
    let [field, component, repetition, ..] = delimiters;
    let doubtful = next != Some(State::Base) || run.iter().any(|b| *b >= 0x60);
    let mut cut = None;
    if doubtful {
        let mut previous = 0u8;
        cut = run.iter().position(|b| {
            let voiced_mark = *b == 0x5E && matches!(previous, 0x33 | 0x36..=0x44 | 0x4A..=0x4E);
            previous = *b;
            *b == field || *b == repetition || *b >= 0x60 || (*b == component && !voiced_mark)
        });
    }
    for b in &run[..cut.unwrap_or(run.len())] {
        let character = match b {
            0x21..=0x5F => char::from_u32(0xFF40 + u32::from(*b)).map_or(EMPTY, |c| c),
            _ => EMPTY,
        };
        // 0x20 in the kana state is a blank in practice.
        let character = if *b == 0x20 { ' ' } else { character };
        notes.undecodable += u32::from(character == EMPTY);
        out.push(character);
    }
    if let Some(cut) = cut {
        notes.returns_repaired += 1;
        base(&run[cut..], out, notes);
    } else if next.is_none() && !run.is_empty() {
        notes.returns_repaired += 1;
    }
}
