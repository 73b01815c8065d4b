//! Lists the layouts of DPC files below `data/dpc`: a new fiscal year is a new file there, no code.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    let directory = Path::new(&root).join("data/dpc");
    println!("cargo:rerun-if-changed={}", directory.display());
    let mut files: Vec<_> = fs::read_dir(&directory).expect("layouts").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    let mut out = String::from("/// Layout files, compiled in.\npub const FILES: &[(&str, &str)] = &[\n");
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "toml")) {
        println!("cargo:rerun-if-changed={}", file.display());
        let name = file.file_name().expect("a name").to_string_lossy();
        writeln!(out, "    ({name:?}, include_str!({:?})),", file.display().to_string()).expect("a string takes it");
    }
    out.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").expect("set by cargo")).join("dpc_layouts.rs"), out).expect("writable");
}
