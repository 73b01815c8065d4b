//! Looks for very many byte strings at once: the first seven bytes of each stand in a bit filter and a table, and what
//! passes both is compared.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Shortest string that is looked for: random bytes hold shorter ones by chance.
pub const SHORTEST: usize = 7;
const FILTER_BITS: u32 = 24;
const FILTER_WORDS: usize = 1 << (FILTER_BITS - 6);
const BUFFER: usize = 1 << 20;

/// Byte strings, ready to be looked for.
pub struct Scanner {
    /// Sorted by their first seven bytes.
    patterns: Vec<(u64, Box<[u8]>)>,
    by_window: HashMap<u64, (u32, u32)>,
    filter: Vec<u64>,
    longest: usize,
}

fn window(bytes: &[u8]) -> u64 {
    let mut eight = [0u8; 8];
    let n = bytes.len().min(SHORTEST);
    eight[..n].copy_from_slice(&bytes[..n]);
    u64::from_le_bytes(eight)
}

#[inline(always)]
fn slot(window: u64) -> (usize, u64) {
    let hash = window.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - FILTER_BITS);
    ((hash >> 6) as usize & (FILTER_WORDS - 1), 1 << (hash & 63))
}

impl Scanner {
    /// Takes strings of at least [`SHORTEST`] bytes; shorter ones are left out, equal ones are one.
    pub fn new(strings: impl IntoIterator<Item = Vec<u8>>) -> Scanner {
        let long = strings.into_iter().filter(|s| s.len() >= SHORTEST);
        let mut patterns: Vec<(u64, Box<[u8]>)> = long.map(|s| (window(&s), s.into_boxed_slice())).collect();
        patterns.sort_unstable();
        patterns.dedup();
        let mut by_window = HashMap::new();
        let mut filter = vec![0u64; FILTER_WORDS];
        let mut from = 0;
        while let Some((first, _)) = patterns.get(from) {
            let len = patterns[from..].iter().take_while(|(w, _)| w == first).count();
            by_window.insert(*first, (from as u32, (from + len) as u32));
            let (word, bit) = slot(*first);
            filter[word] |= bit;
            from += len;
        }
        let longest = patterns.iter().map(|(_, p)| p.len()).max().unwrap_or(SHORTEST);
        Scanner { patterns, by_window, filter, longest }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// The number of a string; `None` when it is not looked for.
    pub fn number(&self, string: &[u8]) -> Option<u32> {
        if string.len() < SHORTEST {
            return None;
        }
        let (from, to) = *self.by_window.get(&window(string))?;
        (from..to).find(|at| self.patterns.get(*at as usize).is_some_and(|(_, p)| &**p == string))
    }

    /// Tells the number of each string that stands somewhere in these bytes.
    pub fn scan(&self, bytes: &[u8], hit: &mut impl FnMut(u32)) {
        // The seven bytes that end here, rolled on byte by byte.
        let mut window = 0u64;
        let filter = self.filter.as_slice();
        for (at, byte) in bytes.iter().enumerate() {
            window = (window >> 8) | (u64::from(*byte) << 48);
            let (word, bit) = slot(window);
            if filter[word] & bit != 0 && at + 1 >= SHORTEST {
                self.compare(window, &bytes[at + 1 - SHORTEST..], hit);
            }
        }
    }

    fn compare(&self, window: u64, rest: &[u8], hit: &mut impl FnMut(u32)) {
        let Some((from, to)) = self.by_window.get(&window) else { return };
        for at in *from..*to {
            if self.patterns.get(at as usize).is_some_and(|(_, pattern)| rest.starts_with(pattern)) {
                hit(at);
            }
        }
    }

    /// Scans a file. Gives its bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn scan_file(&self, path: &Path, hit: &mut impl FnMut(u32)) -> std::io::Result<u64> {
        let mut file = File::open(path)?;
        let mut buffer = Vec::with_capacity(BUFFER + self.longest);
        let mut total = 0;
        loop {
            let read = (&mut file).take(BUFFER as u64).read_to_end(&mut buffer)?;
            total += read as u64;
            self.scan(&buffer, hit);
            if read == 0 {
                return Ok(total);
            }
            // What stands across two reads is found in the next. What it finds twice counts once for whoever collects numbers.
            let keep = buffer.len().saturating_sub(self.longest - 1);
            buffer.drain(..keep);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(scanner: &Scanner, bytes: &[u8]) -> Vec<u32> {
        let mut all = Vec::new();
        scanner.scan(bytes, &mut |n| all.push(n));
        all.sort_unstable();
        all.dedup();
        all
    }

    #[test]
    fn a_string_is_found_wherever_it_stands_and_nothing_else_is() {
        let strings = [
            b"19840407".to_vec(),
            b"1984-04-07".to_vec(),
            "菊池哲也".as_bytes().to_vec(),
            b"0003431".to_vec(),
            b"short".to_vec(),
        ];
        let scanner = Scanner::new(strings.clone());
        assert_eq!(scanner.len(), 4, "what is too short is left out");
        for string in &strings[..4] {
            let number = scanner.number(string).expect("looked for");
            for before in 0..20 {
                let mut bytes = vec![b'x'; before];
                bytes.extend_from_slice(string);
                assert_eq!(found(&scanner, &bytes), [number], "at the end, {before} bytes in");
                bytes.push(b'9');
                assert_eq!(found(&scanner, &bytes), [number]);
            }
        }
        assert!(found(&scanner, b"1984040").is_empty() && found(&scanner, b"").is_empty());
    }

    #[test]
    fn a_string_across_two_reads_of_a_file_is_found() {
        let dir = tempfile::tempdir().expect("a directory");
        let scanner = Scanner::new([b"0003431425".to_vec()]);
        for before in [BUFFER - 10, BUFFER - 5, BUFFER - 1, BUFFER, 2 * BUFFER - 3] {
            let mut bytes = vec![0u8; before];
            bytes.extend_from_slice(b"0003431425");
            let path = dir.path().join("file");
            std::fs::write(&path, &bytes).expect("written");
            let mut hits = 0;
            let size = scanner.scan_file(&path, &mut |_| hits += 1).expect("read");
            assert_eq!(size, bytes.len() as u64);
            assert!(hits >= 1, "{before}");
        }
    }
}
