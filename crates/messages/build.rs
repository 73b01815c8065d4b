//! Joins the Fluent files of each language (`texts/<language>/*.ftl`, one file an area) into one resource.

use std::path::Path;
use std::{env, fs};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    for language in ["en", "ja"] {
        let folder = Path::new(&root).join("texts").join(language);
        println!("cargo:rerun-if-changed={}", folder.display());
        let mut files: Vec<_> = fs::read_dir(&folder).expect("a folder of texts").map(|e| e.expect("an entry").path()).collect();
        files.sort();
        let mut all = String::new();
        for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "ftl")) {
            println!("cargo:rerun-if-changed={}", file.display());
            all.push_str(&fs::read_to_string(file).expect("UTF-8 text"));
            all.push('\n');
        }
        let target = Path::new(&env::var("OUT_DIR").expect("set by cargo")).join(format!("{language}.ftl"));
        fs::write(target, all).expect("the output directory is writable");
    }
}
