//! What `azekura` promises, on the real program.

mod also_known;
mod clerks;
mod crash;
mod cumulative;
mod ended;
mod faults;
mod filtered;
mod flat;
mod held;
mod keys;
mod kit;
mod leaving;
mod losses;
mod masters;
mod more_keys;
mod older;
mod policy;
mod promises;
mod quality;
mod refusals;
mod said_no;
mod sources;
mod tables;
mod vault;
mod waiting;
