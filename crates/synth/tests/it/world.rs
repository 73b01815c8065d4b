//! One generated world for all tests, and a reader of its own for what the tests look at.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use synth::{Options, Summary, generate};
use tempfile::TempDir;

pub struct World {
    pub directory: TempDir,
    pub summary: Summary,
}

/// 600 persons at three providers.
pub static WORLD: LazyLock<World> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("temporary directory");
    let options = Options { persons: 600, seed: 7, density: 0.35, ..Options::default() };
    let summary = generate(&options, directory.path(), |_| {}).expect("generates");
    World { directory, summary }
});

/// Every file below a directory with its path relative to it, sorted.
pub fn files(root: &Path) -> Vec<(String, PathBuf)> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push((path.strip_prefix(root).expect("below").to_str().expect("ascii").to_owned(), path));
            }
        }
    }
    found.sort();
    found
}

/// A CSV as maps by header.
pub fn csv(path: &Path) -> Vec<HashMap<String, String>> {
    let text = fs::read_to_string(path).expect("readable");
    let mut lines = text.lines().map(|line| {
        let (mut fields, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                c => fields.last_mut().expect("one").push(c),
            }
        }
        fields
    });
    let header = lines.next().expect("header");
    lines
        .map(|fields| {
            assert_eq!(fields.len(), header.len(), "{}", path.display());
            header.iter().cloned().zip(fields).collect()
        })
        .collect()
}

pub fn storage(provider: &str) -> PathBuf {
    WORLD.directory.path().join(provider).join("storage")
}

/// (provider, path) of a list of flawed files, with the flaws.
pub fn flawed(list: &str, column: &str) -> HashMap<(String, String), Vec<String>> {
    let mut all: HashMap<_, Vec<String>> = HashMap::new();
    for row in csv(&WORLD.directory.path().join(list)) {
        all.entry((row["provider"].clone(), row["path"].clone())).or_default().push(row[column].clone());
    }
    all
}

/// The text of a file, whatever its encoding is.
pub fn text(bytes: &[u8], flaws: &[String]) -> String {
    let has = |flaw: &str| flaws.iter().any(|f| f == flaw);
    let encoding = match () {
        () if has("cp932") => encoding_rs::SHIFT_JIS,
        () if has("euc_jp") => encoding_rs::EUC_JP,
        () if has("utf8_bom") => encoding_rs::UTF_8,
        () => encoding_rs::ISO_2022_JP,
    };
    let bytes = bytes.strip_suffix(b"\x1a").unwrap_or(bytes);
    if !has("missing_escape_at_segment_end") {
        return encoding.decode(bytes).0.replace("\r\n", "\r");
    }
    // What an end of line does in most decoders.
    let lines = bytes.split(|&b| b == b'\r').map(|line| encoding.decode(line.strip_prefix(b"\n").unwrap_or(line)).0.into_owned());
    lines.collect::<Vec<_>>().join("\r")
}
