//! Written forms of one character (異体字), from the MJ shrink map (`data/README.md` has source and licence).

use std::sync::LazyLock;

use crate::hash::FastMap;

/// Classes of characters of the first plane by code, and the others.
struct Classes {
    plane: Vec<u32>,
    others: FastMap<u32, u32>,
}

static CLASSES: LazyLock<Classes> = LazyLock::new(|| {
    let mut classes = Classes { plane: (0..0x1_0000).collect(), others: FastMap::default() };
    for line in include_str!("../data/variants.txt").lines().filter(|l| !l.starts_with('#')) {
        let Some(first) = line.chars().next() else { continue };
        for c in line.chars() {
            match classes.plane.get_mut(c as usize) {
                Some(place) => *place = first as u32,
                None => drop(classes.others.insert(c as u32, first as u32)),
            }
        }
    }
    classes
});

/// The representative of a character's class; the character itself when no other form of it is known.
pub(crate) fn class(c: char) -> char {
    let classes = &*CLASSES;
    let known = classes.plane.get(c as usize).or_else(|| classes.others.get(&(c as u32)));
    known.and_then(|&k| char::from_u32(k)).unwrap_or(c)
}
