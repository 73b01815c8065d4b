//! Finds which test proves which control in the sources of the workspace, and writes it down for the library.

use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/scan.rs"]
mod scan;

fn main() -> std::io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let crates = here.parent().map(Path::to_path_buf).unwrap_or_default();
    let (mut proofs, mut loose) = (Vec::new(), Vec::new());
    for member in directories(&crates)? {
        let name = member.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        for part in ["src", "tests"] {
            let root = member.join(part);
            if !root.is_dir() {
                continue;
            }
            for file in sources(&root)? {
                let below = file.strip_prefix(&member).unwrap_or(&file).to_string_lossy().replace('\\', "/");
                for found in scan::scan(&fs::read_to_string(&file)?) {
                    match found.test {
                        Some(test) => proofs.push((found.id, format!("{name}::{}{test}", scan::module(&below)))),
                        None => loose.push(format!("crates/{name}/{below}:{} ({})", found.line, found.id)),
                    }
                }
            }
        }
    }
    proofs.sort();
    loose.sort();
    let text =
        format!("pub(crate) static PROOFS: &[(&str, &str)] = &{proofs:?};\npub(crate) static LOOSE: &[&str] = &{loose:?};\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed={}", crates.display());
    fs::write(out.join("proofs.rs"), text)
}

fn directories(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut all: Vec<PathBuf> = fs::read_dir(root)?.filter_map(|e| e.ok().map(|e| e.path())).filter(|p| p.is_dir()).collect();
    all.sort();
    Ok(all)
}

fn sources(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
