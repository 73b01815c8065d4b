//! Flat tables: CSV in, distinct rows with counts out.
//!
//! * [`Hierarchy`]: how the values of a column become coarser, from a file;
//! * [`Roles`]: what each column of a table is;
//! * [`open`]: a CSV file before its first row, its separator found;
//! * [`read`]: one streaming pass that keeps each distinct row once, as a packed key with a count;
//! * [`read_population`]: the population that a table is from, by the same columns;
//! * [`plain`]: when two cells say the same;
//! * [`Key`], [`Groups`], [`Grouper`]: packed rows, and grouping them after some fields became coarser;
//! * [`TableError`]: what can be wrong with files, columns and values.

mod error;
mod groups;
mod hierarchy;
mod key;
mod open;
mod population;
mod read;
mod roles;
mod spelling;

pub use error::{CODES, TableError};
pub use groups::{Grouper, Groups, Remap};
pub use hierarchy::{Hierarchy, Level};
pub use key::{Field, Key};
pub use open::{Opened, open};
pub use population::{PopulationTable, read_population};
pub use read::{Column, Input, read};
pub use roles::{Nulls, Role, Roles, find_hierarchies};
pub use spelling::plain;

/// The separator of a CSV: of `;`, tab, `|` and `,` the first that every line looked at has equally often outside quotes, else
/// the one that the first line has most of; `,` for none.
pub fn separator(bytes: &[u8]) -> u8 {
    const KNOWN: [u8; 4] = [b';', b'\t', b'|', b','];
    let count = |line: &[u8]| {
        let (mut counts, mut quoted) = ([0usize; 4], false);
        for byte in line {
            quoted ^= *byte == b'"';
            if let Some(at) = KNOWN.iter().position(|k| k == byte && !quoted) {
                counts[at] += 1;
            }
        }
        counts
    };
    // The last line may be cut off, so it is left out where there are others.
    let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()).take(200).collect();
    let whole = if lines.len() > 1 { &lines[..lines.len() - 1] } else { &lines[..] };
    let counts: Vec<[usize; 4]> = whole.iter().map(|l| count(l)).collect();
    let Some(first) = counts.first() else { return b',' };
    let even = (0..KNOWN.len()).find(|at| first[*at] > 0 && counts.iter().all(|c| c[*at] == first[*at]));
    even.or_else(|| (0..KNOWN.len()).rev().max_by_key(|at| first[*at]).filter(|at| first[*at] > 0)).map_or(b',', |at| KNOWN[at])
}
