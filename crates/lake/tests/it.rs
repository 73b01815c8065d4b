//! What the lake promises, with a real ledger, a real keyring and real files.

#[path = "it/compact.rs"]
mod compact;
#[path = "it/crash.rs"]
mod crash;
#[path = "it/erase.rs"]
mod erase;
#[path = "it/files.rs"]
mod files;
#[path = "it/house.rs"]
mod house;
#[path = "it/sql.rs"]
mod sql;
#[path = "it/visible.rs"]
mod visible;
