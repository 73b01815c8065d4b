//! The requirements of law and guidelines, and which test proves that one of them is kept.
//!
//! `catalog.toml` has one entry a requirement ([`catalogue`]). A test that proves one says so in a line directly above it,
//! `control: ID` as a comment; the build script finds these lines in every crate of the workspace ([`proofs`]). What has a
//! proof is kept, what has none is open ([`status`]). A test of this crate holds that every id named is in the catalogue and
//! stands above a test.
//!
//! Invariant: knows nothing of how anything is done.

mod catalogue;
#[cfg(test)]
mod scan;

pub use catalogue::{Control, Kind, Level, Source, catalogue};

include!(concat!(env!("OUT_DIR"), "/proofs.rs"));

/// Control and path of a test that proves it, in the order of ids: `("CRY-03", "seal::keyring::tests::…")`.
pub fn proofs() -> &'static [(&'static str, &'static str)] {
    PROOFS
}

/// Places in the sources that name a control and are not above a test. None, or a test of this crate fails.
pub fn loose_ends() -> &'static [&'static str] {
    LOOSE
}

/// A control and what is known of it.
#[derive(Clone, serde::Serialize)]
pub struct Status {
    /// Which one.
    pub control: &'static Control,
    /// Tests that prove it; none for an open one.
    pub tests: Vec<&'static str>,
}

impl Status {
    /// Whether a test proves it.
    pub fn kept(&self) -> bool {
        !self.tests.is_empty()
    }
}

/// Every control in the order of the catalogue with the tests that prove it.
pub fn status() -> Vec<Status> {
    let tests = |id: &str| PROOFS.iter().filter(|(named, _)| *named == id).map(|(_, test)| *test).collect();
    catalogue().iter().map(|control| Status { control, tests: tests(&control.id) }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_control_that_a_test_names_is_in_the_catalogue_and_stands_above_a_test() {
        let known: HashSet<&str> = catalogue().iter().map(|c| c.id.as_str()).collect();
        let unknown: Vec<_> = proofs().iter().filter(|(id, _)| !known.contains(id)).collect();
        assert!(unknown.is_empty(), "not in the catalogue: {unknown:?}");
        assert!(loose_ends().is_empty(), "not above a test: {:?}", loose_ends());
    }

    #[test]
    fn a_control_is_kept_when_a_test_proves_it_and_open_otherwise() {
        let all = status();
        assert_eq!(all.len(), catalogue().len());
        for one in &all {
            assert_eq!(one.kept(), proofs().iter().any(|(id, _)| *id == one.control.id));
        }
        let kept: HashSet<_> = proofs().iter().map(|(id, _)| *id).collect();
        assert_eq!(all.iter().filter(|s| s.kept()).count(), kept.len());
    }

    // The marks below are put together, or the build script would find them.
    fn source(text: &str) -> String {
        text.replace("MARK", "// control:")
    }

    #[test]
    fn a_mark_belongs_to_the_test_right_below_it() {
        let text = source(
            "mod tests {\n    MARK CRY-03, CUS-06\n    /// Why.\n    #[test]\n    fn one() {}\n}\nMARK INT-01\n#[tokio::test]\nasync fn two() {}\n",
        );
        let found: Vec<_> = scan::scan(&text).into_iter().map(|f| (f.id, f.line, f.test)).collect();
        let of = |id: &str, line, test: &str| (id.to_owned(), line, Some(test.to_owned()));
        assert_eq!(found, [of("CRY-03", 2, "tests::one"), of("CUS-06", 2, "tests::one"), of("INT-01", 7, "two")]);
    }

    #[test]
    fn a_mark_above_anything_else_is_a_loose_end() {
        for text in [
            "MARK A-01\nfn helper() {}\n",
            "MARK A-01\n\n#[test]\nfn far() {}\n",
            "MARK A-01\n",
            "MARK A-01\n#[ignore]\nfn no() {}\n",
        ] {
            let found = scan::scan(&source(text));
            assert!(found.len() == 1 && found[0].test.is_none(), "{text}");
        }
    }

    #[test]
    fn files_are_modules() {
        for (file, module) in [
            ("src/lib.rs", ""),
            ("src/a/b.rs", "a::b::"),
            ("src/a/mod.rs", "a::"),
            ("tests/it/c.rs", "it::c::"),
            ("tests/it.rs", "it::"),
        ] {
            assert_eq!(scan::module(file), module);
        }
    }
}
