//! What `azekura-open` promises, on the real program.

#[path = "it/bench.rs"]
mod bench;
#[path = "it/opening.rs"]
mod opening;
