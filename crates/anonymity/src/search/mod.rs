//! The search for the node that loses least and meets every model.
//!
//! A node gives every quasi-identifier a level of its hierarchy. The search first climbs to a good node, then proves that none
//! is better, or finds the better one: it goes down the lattice so that everything above a node is known before it, and
//! leaves out what a bound excludes: the score without suppression, the records that a node above shows must be suppressed,
//! and what they cost. Classes of a node are made from those of a finer node that shares its first columns.
//!
//! * [`Attribute`], [`Problem`]: the question, packed;
//! * [`evaluate`]: classes of a node → suppressed, score, bound for what is below;
//! * [`climb`]: a good node, quickly;
//! * [`sweep`]: the proof, in waves of parts that know nothing of each other, so that any number of threads does the same;
//! * [`wander`], [`blocks`]: a better node, and a bound, for lattices that nothing can go through.

mod attribute;
mod blocks;
mod climb;
mod evaluate;
mod lattice;
mod problem;
mod run;
mod sweep;
mod wander;

pub use attribute::Attribute;
pub use evaluate::{Check, Evaluator};
pub use lattice::Lattice;
pub use problem::{Parts, Problem};
pub use run::{EXACT_COLUMNS, EXACT_NODES, Effort, Found, Limits, search};
