//! Concepts that the operator loads: `CONCEPT.csv` and `CONCEPT_RELATIONSHIP.csv` of Athena, and a `source_to_concept_map`.
//!
//! Athena's files have millions of rows; they are streamed, and only what can be asked for is kept. A target is returned only when it is
//! a standard concept that is valid; of several targets none is chosen.

mod kept;
mod read;

use std::collections::{HashMap, HashSet};

pub use read::Kept;

/// Which of Athena's concepts are kept.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    sources: HashSet<String>,
    targets: HashSet<String>,
}

impl Filter {
    /// `sources` are the vocabularies whose codes are asked for (`ICD10`, `LOINC`, our own ids): their concepts are kept with code. Of
    /// `targets` (`SNOMED`, `RxNorm`, …) standard concepts are kept by their id alone, which needs some ten bytes for each.
    pub fn new<'a>(sources: impl IntoIterator<Item = &'a str>, targets: impl IntoIterator<Item = &'a str>) -> Filter {
        let set = |names: &mut dyn Iterator<Item = &'a str>| names.map(str::to_owned).collect();
        Filter { sources: set(&mut sources.into_iter()), targets: set(&mut targets.into_iter()) }
    }

    fn is_source(&self, vocabulary: &str) -> bool {
        self.sources.contains(vocabulary)
    }

    fn is_target(&self, vocabulary: &str) -> bool {
        self.targets.contains(vocabulary)
    }
}

/// Where targets come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The operator's `source_to_concept_map`.
    SourceToConceptMap,
    /// `Maps to` of Athena.
    MapsTo,
}

/// Standard concepts of a code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets<'v> {
    /// Concept id and domain, by id, each once.
    pub concepts: Vec<(i32, &'v str)>,
    /// Where they come from. With a source and without concepts the operator's map says that there are none (target 0).
    pub origin: Option<Origin>,
    /// Targets that were left out, by id, each once: not loaded, not standard, or not valid.
    pub left_out: Vec<i32>,
}

#[derive(Debug, Clone, Copy)]
struct Concept {
    /// Number of its domain's name.
    domain: u32,
    /// Standard and valid.
    standard: bool,
}

/// A row of `source_to_concept_map`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mapping {
    source: i32,
    target: i32,
    from: i32,
    to: i32,
}

/// Vocabularies as loaded.
#[derive(Debug, Default)]
pub struct Vocabulary {
    domains: Vec<Box<str>>,
    concepts: HashMap<i32, Concept>,
    /// Concept by vocabulary and code.
    codes: HashMap<Box<str>, HashMap<Box<str>, i32>>,
    /// Concepts that are asked for by code.
    sources: HashSet<i32>,
    maps_to: HashMap<i32, Vec<i32>>,
    /// By vocabulary and code.
    maps: HashMap<Box<str>, HashMap<Box<str>, Vec<Mapping>>>,
}

impl Vocabulary {
    /// Nothing.
    pub fn new() -> Vocabulary {
        Vocabulary::default()
    }

    /// The concept of a code, whether standard or not, and its domain. A code of Athena's ICD10 has its dot.
    pub fn source(&self, vocabulary_id: &str, code: &str) -> Option<(i32, &str)> {
        let id = *self.codes.get(vocabulary_id)?.get(code)?;
        Some((id, self.domain(id)?))
    }

    /// The source concept that the operator's map gives a code on a day; none where its rows give several or 0.
    pub fn mapped_source(&self, vocabulary_id: &str, code: &str, day: i32) -> Option<i32> {
        let mut ids = self.mappings(vocabulary_id, code, day).map(|m| m.source).filter(|id| *id > 0);
        let first = ids.next()?;
        ids.all(|id| id == first).then_some(first)
    }

    /// All standard concepts of a code on a day (days since 1970-01-01).
    ///
    /// The operator's map goes first: its rows that are valid on the day, both days of theirs included. Where one of them says 0 and none
    /// says anything else, there is no concept. Where it has no row for the day, or none of its targets is a valid standard concept,
    /// Athena's `Maps to` follows. Athena's days say when the vocabulary got a row, not when a code was in use; of its rows those count
    /// that are not withdrawn.
    pub fn standard(&self, vocabulary_id: &str, code: &str, day: i32) -> Targets<'_> {
        let mut targets = Targets::default();
        let mut none = false;
        for mapping in self.mappings(vocabulary_id, code, day) {
            if mapping.target == 0 {
                none = true;
            } else {
                self.push(mapping.target, &mut targets);
            }
        }
        if !targets.concepts.is_empty() || (none && targets.left_out.is_empty()) {
            targets.origin = Some(Origin::SourceToConceptMap);
        } else {
            let id = self.codes.get(vocabulary_id).and_then(|codes| codes.get(code));
            for target in id.and_then(|id| self.maps_to.get(id)).into_iter().flatten() {
                self.push(*target, &mut targets);
            }
            if !targets.concepts.is_empty() {
                targets.origin = Some(Origin::MapsTo);
            }
        }
        targets.concepts.sort_unstable();
        targets.concepts.dedup();
        targets.left_out.sort_unstable();
        targets.left_out.dedup();
        targets
    }

    /// Rows of the operator's map that lead to no standard concept that is loaded: they say nothing, and their codes have none.
    pub fn without_target(&self) -> usize {
        let rows = self.maps.values().flat_map(HashMap::values).flatten();
        rows.filter(|m| m.target != 0 && !self.concepts.get(&m.target).is_some_and(|c| c.standard)).count()
    }

    /// The vocabularies that the operator's map names, by name.
    pub fn mapped(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.maps.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    fn mappings(&self, vocabulary_id: &str, code: &str, day: i32) -> impl Iterator<Item = &Mapping> {
        let mappings = self.maps.get(vocabulary_id).and_then(|codes| codes.get(code));
        mappings.into_iter().flatten().filter(move |m| m.from <= day && day <= m.to)
    }

    fn push<'v>(&'v self, target: i32, targets: &mut Targets<'v>) {
        match self.concepts.get(&target).filter(|c| c.standard) {
            Some(concept) => targets.concepts.push((target, &self.domains[concept.domain as usize])),
            None => targets.left_out.push(target),
        }
    }

    fn domain(&self, id: i32) -> Option<&str> {
        self.concepts.get(&id).map(|concept| &*self.domains[concept.domain as usize])
    }
}
