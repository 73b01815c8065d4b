//! What `azekura` promises, on the real program.

mod faults;
mod kit;
mod promises;
