//! What `azekura` promises, on the real program.

mod clerks;
mod crash;
mod faults;
mod kit;
mod losses;
mod promises;
mod refusals;
