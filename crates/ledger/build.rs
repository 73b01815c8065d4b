//! A new migration rebuilds the crate, which carries the migrations in itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
