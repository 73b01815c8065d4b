//! A fast hash that gives the same value on every machine and in every version: keys of blocks, places and symbols are stored.
//!
//! Not for secrets. Whoever could choose values so that they collide could only slow a run down, or let two strings count as one.

use std::hash::{BuildHasherDefault, Hasher};

const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
const SECOND: u64 = 0xd6e8_feb8_6659_fd93;
const THIRD: u64 = 0xa076_1d64_78bd_642f;

/// Two words become one.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let wide = u128::from(a ^ FIRST) * u128::from(b ^ SECOND);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// A text becomes a word.
pub(crate) fn bytes(text: &[u8]) -> u64 {
    let mut state = text.len() as u64;
    let mut chunks = text.chunks_exact(8);
    for chunk in &mut chunks {
        state = mix(state, u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut last = [0u8; 8];
        last[..rest.len()].copy_from_slice(rest);
        state = mix(state, u64::from_le_bytes(last));
    }
    mix(state, text.len() as u64)
}

/// [`bytes`] of a text that comes in pieces and whose length is known before.
pub(crate) struct Whole {
    len: u64,
    state: u64,
    /// The last bytes that were no whole word yet.
    open: Vec<u8>,
}

impl Whole {
    pub fn new(len: u64) -> Self {
        Self { len, state: len, open: Vec::with_capacity(8) }
    }

    pub fn add(&mut self, mut piece: &[u8]) {
        if !self.open.is_empty() {
            let missing = (8 - self.open.len()).min(piece.len());
            self.open.extend_from_slice(&piece[..missing]);
            piece = &piece[missing..];
            if self.open.len() < 8 {
                return;
            }
            self.state = mix(self.state, u64::from_le_bytes(self.open.as_slice().try_into().unwrap_or_default()));
            self.open.clear();
        }
        let mut chunks = piece.chunks_exact(8);
        for chunk in &mut chunks {
            self.state = mix(self.state, u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
        }
        self.open.extend_from_slice(chunks.remainder());
    }

    pub fn sum(&self) -> u64 {
        let mut state = self.state;
        if !self.open.is_empty() {
            let mut last = [0u8; 8];
            last[..self.open.len()].copy_from_slice(&self.open);
            state = mix(state, u64::from_le_bytes(last));
        }
        mix(state, self.len)
    }
}

/// A text becomes 128 bits, by two ways that have nothing in common: no two texts of a run are taken for one.
pub(crate) fn wide(text: &[u8]) -> u128 {
    let (mut one, mut other) = (text.len() as u64, !(text.len() as u64));
    let mut add = |word: u64| {
        one = mix(one, word);
        other = mix(other.rotate_left(23), word ^ THIRD);
    };
    let mut chunks = text.chunks_exact(8);
    for chunk in &mut chunks {
        add(u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut last = [0u8; 8];
        last[..rest.len()].copy_from_slice(rest);
        add(u64::from_le_bytes(last));
    }
    u128::from(mix(one, text.len() as u64)) << 64 | u128::from(mix(other, FIRST))
}

/// The same for tables in memory.
#[derive(Default, Clone, Copy)]
pub(crate) struct Fast(u64);

impl Hasher for Fast {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, text: &[u8]) {
        self.0 = mix(self.0, bytes(text));
    }
    fn write_u8(&mut self, n: u8) {
        self.0 = mix(self.0, u64::from(n));
    }
    fn write_u32(&mut self, n: u32) {
        self.0 = mix(self.0, u64::from(n));
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = mix(self.0, n);
    }
    fn write_u128(&mut self, n: u128) {
        self.0 = (n >> 64) as u64;
    }
    fn write_usize(&mut self, n: usize) {
        self.0 = mix(self.0, n as u64);
    }
}

pub(crate) type FastMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Fast>>;
pub(crate) type FastSet<K> = std::collections::HashSet<K, BuildHasherDefault<Fast>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_text_counts() {
        let text = b"0123456789abcdef-tail".to_vec();
        let mut seen = std::collections::BTreeSet::from([bytes(&text)]);
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] ^= 1;
            assert!(seen.insert(bytes(&other)), "byte {at}");
        }
        for size in 1..text.len() {
            let mut whole = Whole::new(text.len() as u64);
            text.chunks(size).for_each(|piece| whole.add(piece));
            assert_eq!(whole.sum(), bytes(&text), "pieces of {size}");
        }
        let mut halves = std::collections::BTreeSet::new();
        for text in (0..10_000).map(|n| format!("{n}")).chain((0..40).map(|n| "\0".repeat(n))) {
            let wide = wide(text.as_bytes());
            assert!(halves.insert(wide as u64) && halves.insert((wide >> 64) as u64), "{text:?}");
        }
        assert_ne!(bytes(b"a"), bytes(b"a\0"));
    }
}
