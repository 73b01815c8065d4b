//! What was told already, as hashes: so that a fact that every month repeats is told once, in bounded memory.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// A hash of 128 bits is its own hash.
#[derive(Default)]
pub struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }
    fn write_u128(&mut self, n: u128) {
        self.0 = n as u64;
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// For maps whose keys are hashes.
pub type ByItself = BuildHasherDefault<Itself>;

const K0: u64 = 0x9E37_79B9_7F4A_7C15;
const K1: u64 = 0xD6E8_FEB8_6659_FD93;

#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// A hash of bytes: no secret, the same everywhere and always.
#[inline]
pub fn hash64(seed: u64, bytes: &[u8]) -> u64 {
    let mut h = seed ^ K0 ^ (bytes.len() as u64).wrapping_mul(K1);
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        if let Ok(word) = <[u8; 8]>::try_from(word) {
            h = mix(h ^ u64::from_le_bytes(word), K1 | 1).wrapping_add(K0);
        }
    }
    let mut last = [0; 8];
    let rest = words.remainder();
    last[..rest.len()].copy_from_slice(rest);
    mix(h ^ u64::from_le_bytes(last), K0 | 1) ^ (h >> 29)
}

/// A hash of 128 bits over parts, which cannot run into each other.
#[inline]
pub fn key(parts: &[&[u8]]) -> u128 {
    let (mut a, mut b) = (K1, K0);
    for part in parts {
        a = hash64(a, part);
        b = hash64(b.rotate_left(17) ^ 0x5555, part);
    }
    u128::from(a) << 64 | u128::from(b)
}

/// The set. When it is full it forgets everything: facts may then be told twice, which is what a README has to say.
#[derive(Default)]
pub struct Seen {
    keys: HashSet<u128, ByItself>,
}

/// Entries before it forgets: about 300 MB.
const MOST: usize = 8_000_000;

impl Seen {
    /// Whether this is the first time.
    pub fn first(&mut self, key: u128) -> bool {
        if self.keys.len() >= MOST {
            self.keys.clear();
        }
        self.keys.insert(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(key(&[b"ab", b"c"]), key(&[b"a", b"bc"]));
        assert_ne!(key(&[b"", b"a"]), key(&[b"a", b""]));
        assert_ne!(key(&[b"\0"]), key(&[b""]));
        assert_eq!(key(&[b"0123456789"]), key(&[b"0123456789"]));
    }

    #[test]
    fn a_million_keys_do_not_collide() {
        let mut seen = Seen::default();
        for n in 0..1_000_000u32 {
            assert!(seen.first(key(&[&n.to_le_bytes(), b"x"])));
        }
        assert!(!seen.first(key(&[&7u32.to_le_bytes(), b"x"])));
    }
}
