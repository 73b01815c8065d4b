//! Changes to the values of columns that are released as they are: small groups, rounding, ends, chance.
//!
//! They act on the rows of a release, after the search: what is counted is counted among the people who are in it. Quasi-identifiers
//! and the sensitive column are the search's, and no model speaks of what is done here.
//!
//! * [`Transforms`]: what is asked, as it is written;
//! * [`mdav`], [`optimal`]: groups of at least k records that are alike, whose values become their mean;
//! * [`tails`]: ends that few records reach become "or more" and "or less";
//! * [`Exchange`]: values exchanged by a matrix of chances (PRAM);
//! * [`sample`]: each record stays with a chance;
//! * [`apply`]: all of it on the rows of a release, and what is said about it.
//!
//! Formulas: section 5 of the definitions.

mod apply;
mod coding;
mod exchange;
mod groups;
mod sample;
mod spec;

pub use apply::{Bound, Matrix, Transformed, apply};
pub use coding::{Ends, rounded, tails};
pub use exchange::Exchange;
pub use groups::{mdav, mdav_sorted, optimal};
pub use sample::sample;
pub use spec::{FORMS, Kind, Transform, Transforms};

/// The process's cryptographic random numbers, for whoever has no others to hand in.
pub fn randomness() -> impl rand::CryptoRng {
    rand::rng()
}
