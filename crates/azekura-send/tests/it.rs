//! What `azekura-send` promises, on the real program.

#[path = "it/bench.rs"]
mod bench;
#[path = "it/crash.rs"]
mod crash;
#[path = "it/filtering.rs"]
mod filtering;
#[path = "it/memory.rs"]
mod memory;
#[path = "it/sending.rs"]
mod sending;
