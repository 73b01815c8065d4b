//! Puts the sample storages into the program, so that the demo runs wherever the program lies.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The storages of `samples/ssmix2` that hold standardized storage, each with its root.
const STORAGES: [&str; 3] = ["guideline-samples", "synthetic-twins", "handmade/std"];

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../samples/ssmix2");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut tar = tar::Builder::new(Vec::new());
    for storage in STORAGES {
        let storage = root.join(storage);
        let mut files = Vec::new();
        collect(&storage, &mut files);
        files.sort();
        for file in files {
            let inside = file.strip_prefix(&storage).expect("below its root");
            // Beside the patients' directories stand licences: those are no part of a storage.
            if inside.components().count() < 4 {
                continue;
            }
            let content = fs::read(&file).expect("a readable sample");
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, inside, content.as_slice()).expect("written to memory");
        }
    }
    write("samples.tar", tar);
    others();
}

/// Samples of the other kinds by the hospital that sends them: `PROVIDER/KIND/…`.
const OTHERS: [(&str, &str, &str); 4] = [
    ("1319999991", "dpc", "dpc/clean"),
    ("1319999991", "receipt", "receipt/clean"),
    ("1319999991", "checkup", "checkup/clean"),
    ("1311234567", "fhir", "fhir-jp/handmade/bulk"),
];

fn others() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../samples");
    let mut tar = tar::Builder::new(Vec::new());
    for (provider, kind, directory) in OTHERS {
        let directory = root.join(directory);
        println!("cargo:rerun-if-changed={}", directory.display());
        let mut files = Vec::new();
        collect(&directory, &mut files);
        files.sort();
        for file in files {
            let inside = Path::new(provider).join(kind).join(file.strip_prefix(&directory).expect("below its directory"));
            let content = fs::read(&file).expect("a readable sample");
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, inside, content.as_slice()).expect("written to memory");
        }
    }
    write("others.tar", tar);
}

fn write(name: &str, tar: tar::Builder<Vec<u8>>) {
    let bytes = tar.into_inner().expect("written to memory");
    let target = Path::new(&env::var("OUT_DIR").expect("set by cargo")).join(name);
    fs::write(target, bytes).expect("the output directory is writable");
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a readable directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
