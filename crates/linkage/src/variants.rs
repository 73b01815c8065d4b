//! Written forms of one character (異体字), from the MJ shrink map (`data/README.md` has source and licence).

use std::collections::HashMap;
use std::sync::LazyLock;

static CLASSES: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let lines = include_str!("../data/variants.txt").lines().filter(|l| !l.starts_with('#'));
    let members = lines.filter_map(|l| l.chars().next().map(|first| (first, l)));
    members.flat_map(|(first, line)| line.chars().map(move |c| (c, first))).collect()
});

/// The representative of a character's class; the character itself when no other form of it is known.
pub(crate) fn class(c: char) -> char {
    CLASSES.get(&c).copied().unwrap_or(c)
}
