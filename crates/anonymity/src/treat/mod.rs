//! The treatments, one a file. Each takes a column of the persons who stay and gives the column that leaves, with a count
//! of what it changed.

pub mod births;
pub mod codes;
pub mod dates;
pub mod drop;
pub mod edges;
pub mod ids;
pub mod numbers;
pub mod results;
pub mod texts;
pub mod units;
pub mod window;

/// What rare, local and worded codes become.
pub const OTHER: &str = "その他";
