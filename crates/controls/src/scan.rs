// Included by the build script too: the standard library only.

/// A line that names a control.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Control.
    pub(crate) id: String,
    /// Line, from 1.
    pub(crate) line: usize,
    /// Name of the test below it with the inline modules around; none when there is no test.
    pub(crate) test: Option<String>,
}

/// The comment by which a test names the controls that it proves, directly above its attributes.
const MARK: &str = "// control:";

/// Every control that is named in a source file.
pub(crate) fn scan(source: &str) -> Vec<Found> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(ids) = line.trim_start().strip_prefix(MARK) else { continue };
        let test = test_below(&lines, at);
        for id in ids.split([',', ' ']).filter(|id| !id.is_empty()) {
            found.push(Found { id: id.to_owned(), line: at + 1, test: test.clone() });
        }
    }
    found
}

fn test_below(lines: &[&str], mark: usize) -> Option<String> {
    let mut is_test = false;
    for line in &lines[mark + 1..] {
        let text = line.trim_start();
        if text.starts_with("//") {
            continue;
        }
        if let Some(attribute) = text.strip_prefix("#[") {
            is_test |= attribute.starts_with("test]") || attribute.contains("::test]") || attribute.contains("::test(");
            continue;
        }
        let name = text.strip_prefix("async ").unwrap_or(text).strip_prefix("fn ")?.split(['(', '<']).next()?;
        return is_test.then(|| format!("{}{name}", modules_around(&lines[..mark], line.len() - text.len())));
    }
    None
}

/// Inline modules that are open above a line of this indentation.
fn modules_around(above: &[&str], indentation: usize) -> String {
    let (mut path, mut inner) = (Vec::new(), indentation);
    for line in above.iter().rev() {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        if depth >= inner || text.is_empty() {
            continue;
        }
        let name = text.strip_prefix("pub ").unwrap_or(text).strip_prefix("mod ").and_then(|m| m.strip_suffix('{'));
        if let Some(name) = name {
            path.push(format!("{}::", name.trim()));
            inner = depth;
        }
    }
    path.reverse();
    path.concat()
}

/// Module path of a source file below its crate, closed by `::` unless it is the root: `src/a/b.rs` is `a::b::`,
/// `tests/it/c.rs` is `it::c::`.
pub(crate) fn module(below: &str) -> String {
    let path = below.strip_suffix(".rs").unwrap_or(below);
    let path = path.strip_prefix("src/").or_else(|| path.strip_prefix("tests/")).unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if matches!(path, "lib" | "main") { String::new() } else { format!("{}::", path.replace('/', "::")) }
}
