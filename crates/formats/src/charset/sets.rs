//! The double-byte sets as tables of 94 × 94 cells.

use std::sync::LazyLock;

use encoding_rs::EUC_JP;

/// What an empty cell holds.
pub const EMPTY: char = '\u{FFFD}';

/// One double-byte set.
pub struct Set(Box<[char]>);

impl Set {
    /// Takes every cell from the EUC-JP decoder: both bytes with 0x80 added, after `prefix`.
    fn new(prefix: &[u8]) -> Self {
        let mut cells = Vec::with_capacity(94 * 94);
        for row in 0xA1..=0xFEu8 {
            for cell in 0xA1..=0xFEu8 {
                let mut bytes = [0u8; 3];
                let length = prefix.len() + 2;
                bytes[..prefix.len()].copy_from_slice(prefix);
                bytes[prefix.len()] = row;
                bytes[prefix.len() + 1] = cell;
                let decoded = EUC_JP.decode_without_bom_handling_and_without_replacement(&bytes[..length]);
                let mut characters = decoded.as_deref().unwrap_or_default().chars();
                let character = match (characters.next(), characters.next()) {
                    (Some(one), None) => unify(one),
                    _ => EMPTY,
                };
                cells.push(character);
            }
        }
        Self(cells.into_boxed_slice())
    }

    /// The character of a cell, by its two bytes in 0x21..=0x7E; [`EMPTY`] for all others.
    #[inline]
    pub fn get(&self, row: u8, cell: u8) -> char {
        let (row, cell) = (row.wrapping_sub(0x21), cell.wrapping_sub(0x21));
        if row >= 94 || cell >= 94 {
            return EMPTY;
        }
        self.0.get(usize::from(row) * 94 + usize::from(cell)).copied().unwrap_or(EMPTY)
    }
}

/// JIS X 0208 with NEC row 13 and the rows that Windows systems add.
pub static JIS_X_0208: LazyLock<Set> = LazyLock::new(|| Set::new(&[]));
/// JIS X 0212.
pub static JIS_X_0212: LazyLock<Set> = LazyLock::new(|| Set::new(&[0x8F]));

/// The two characters that the WHATWG tables and the Unicode consortium's map differently, made the latter's.
#[inline]
pub const fn unify(character: char) -> char {
    match character {
        '\u{FF0D}' => '\u{2212}',
        '\u{FF5E}' => '\u{301C}',
        other => other,
    }
}
