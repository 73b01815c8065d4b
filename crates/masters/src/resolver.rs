//! What a source value means: its system, its name, its ICD-10, its concepts.

use omop::Table;

use crate::edition::Icd10;
use crate::editions::{Key, Masters, Resolved, Validity, agreed, icd10_with_dot};
use crate::jlac10::{Exactness, one_name};
use crate::kind::Kind;
use crate::system::System;
use crate::vocabulary::{Filter, Origin, Targets, Vocabulary};

/// Masters and vocabularies together.
#[derive(Debug, Default)]
pub struct Resolver {
    /// The masters.
    pub masters: Masters,
    /// The vocabularies.
    pub vocabulary: Vocabulary,
}

/// What is known of a code on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concepts<'r, 'v> {
    /// Its system.
    pub system: System,
    /// The code.
    pub code: &'v str,
    /// Codes of modifiers of a disease, joined by `+`.
    pub modifiers: &'v str,
    /// ICD-10 with its dot, as the lake's `icd10` columns have it: the code itself, or of a disease its cause by the master.
    pub icd10: Option<String>,
    /// Standard concepts and their domains, by id. Empty where nothing says which; several where several are said.
    pub standard: Vec<(i32, &'r str)>,
    /// What says so.
    pub origin: Option<Origin>,
    /// Whether they are those of the ICD-10 of the disease, not of its own code.
    pub by_icd10: bool,
    /// Targets that were left out, by id, since they are not loaded, not standard, or not valid.
    pub left_out: Vec<i32>,
    /// The concept of the code itself in its own vocabulary, if there is one.
    pub source_concept_id: Option<i32>,
    /// Name by the master; none where several rows fit and differ in it.
    pub name: Option<&'r str>,
    /// Whether the code may be used on the day; the worst of its rows. None where no master has the code.
    pub validity: Option<Validity>,
}

/// Vocabularies whose codes are asked for beside those of [`System`].
pub(crate) const UNITS: &str = "UCUM";
/// Vocabularies with standard concepts of the domains that our tables have.
const TARGETS: [&str; 9] =
    ["SNOMED", "RxNorm", "RxNorm Extension", "LOINC", "UCUM", "CVX", "OMOP Extension", "Cancer Modifier", "ICD10PCS"];

impl Resolver {
    /// The vocabularies whose codes are asked for.
    pub fn vocabularies() -> std::collections::BTreeSet<&'static str> {
        System::ALL.into_iter().map(System::vocabulary_id).chain([UNITS]).collect()
    }

    /// What of Athena's files a resolver can use.
    pub fn filter() -> Filter {
        Filter::new(Resolver::vocabularies(), TARGETS)
    }

    /// What a source value of a table's column means on a day (days since 1970-01-01). None where it is no code of a known system.
    ///
    /// Standard concepts come from the operator's map of the code's own vocabulary, else from its `Maps to`; for diseases then in the
    /// same way from the ICD-10 of their cause. Nothing else is tried: a code without them has none.
    pub fn resolve<'r, 'v>(&'r self, table: Table, column: &str, value: &'v str, day: i32) -> Option<Concepts<'r, 'v>> {
        let coded = System::of(table, column, value)?;
        let (system, code) = (coded.system, coded.code);
        let found = self.rows(system, code, day);
        let own = self.own(system, code, &found.rows, day);
        let mut targets = own.targets;
        let icd10 = match system {
            System::Icd10 => icd10_with_dot(code),
            _ => agreed(&found.rows).and_then(Icd10::dotted_cause),
        };
        let mut by_icd10 = false;
        if targets.origin.is_none()
            && !own.disputed
            && system.is_disease()
            && let Some(icd10) = &icd10
        {
            let fallback = self.vocabulary.standard(System::Icd10.vocabulary_id(), icd10, day);
            by_icd10 = fallback.origin.is_some();
            targets = Targets { left_out: both(targets.left_out, &fallback.left_out), ..fallback };
        }
        Some(Concepts {
            system,
            code,
            modifiers: coded.modifiers,
            icd10,
            standard: targets.concepts,
            origin: targets.origin,
            by_icd10,
            left_out: targets.left_out,
            source_concept_id: own.source,
            name: found.name,
            validity: worst(&found.rows),
        })
    }

    /// First and last day on which the masters let a source value of a table's column be used: of all rows that it can be, in the first and in the
    /// last edition that has it; open where any of them says nothing. None where it is in no master.
    pub fn in_use(&self, table: Table, column: &str, value: &str) -> Option<(Option<i32>, Option<i32>)> {
        let coded = System::of(table, column, value)?;
        let rows = [i32::MIN, i32::MAX].into_iter().flat_map(|day| self.all_rows(coded.system, coded.code, day));
        let ends = rows.map(|found| (found.row.listed, found.row.abolished));
        ends.reduce(|(from, to), (first, last)| (from.zip(first).map(|(a, b)| a.min(b)), to.zip(last).map(|(a, b)| a.max(b))))
    }

    /// Rows of the masters for a code; where some of several are in force on the day, those.
    fn rows<'r>(&'r self, system: System, code: &str, day: i32) -> Found<'r> {
        let mut rows = self.all_rows(system, code, day);
        if rows.iter().any(|r| r.validity == Validity::InForce) {
            rows.retain(|r| r.validity == Validity::InForce);
        }
        Found { name: one_name(&rows), rows }
    }

    fn all_rows<'r>(&'r self, system: System, code: &str, day: i32) -> Vec<Resolved<'r>> {
        let masters = &self.masters;
        let by_code = |kind: Kind| masters.resolve(kind, code, day).into_iter().collect::<Vec<_>>();
        match system {
            System::Disease => by_code(Kind::Disease),
            System::DiseaseManagement => masters.resolve_by(Kind::Disease, Key::Management, code, day),
            System::DiseaseExchange => masters.resolve_by(Kind::Disease, Key::Exchange, code, day),
            System::Drug => by_code(Kind::Drug),
            System::Act => by_code(Kind::Act),
            System::Section => masters.resolve_by(Kind::Act, Key::Section, code, day),
            System::Device => by_code(Kind::Device),
            System::Comment => by_code(Kind::Comment),
            System::Yj | System::Hot7 | System::Hot9 | System::Hot13 => masters.hot(system, code, day),
            System::Jlac10 | System::Checkup => match masters.tests(code, day) {
                // A test of another method or material is another test: it gives neither name nor validity.
                Some(tests) if tests.exactness <= Exactness::WithoutResult => tests.rows,
                _ => Vec::new(),
            },
            System::Icd10 | System::Loinc | System::Snomed => Vec::new(),
        }
    }

    /// Concepts of a code in its own vocabulary.
    fn own<'r>(&'r self, system: System, code: &str, rows: &[Resolved<'_>], day: i32) -> Own<'r> {
        let id = system.vocabulary_id();
        match system {
            System::Icd10 => match icd10_with_dot(code) {
                Some(dotted) => self.first(&[(id, &dotted)], day),
                None => Own::default(),
            },
            // A disease by another key of its row: what all rows with that key say.
            System::DiseaseManagement | System::DiseaseExchange => {
                let mut each = rows.iter().map(|found| self.first(&[(id, &found.row.code)], day));
                let Some(first) = each.next() else { return Own::default() };
                each.fold(first, Own::and)
            }
            // HOT9 is HOT13 without the package, HOT7 is HOT9 without the company: what holds for the shorter holds for the longer.
            System::Hot13 => self.first(&[(id, code), (id, &code[..9]), (id, &code[..7])], day),
            System::Hot9 => self.first(&[(id, code), (id, &code[..7])], day),
            // Checkup items and tests are of one code space; 15 characters leave the result open.
            System::Jlac10 | System::Checkup => {
                let ids = if system == System::Jlac10 { ["JLAC10", "JP_CHECKUP"] } else { ["JP_CHECKUP", "JLAC10"] };
                self.first(&[(ids[0], code), (ids[1], code), (ids[0], &code[..15]), (ids[1], &code[..15])], day)
            }
            _ => self.first(&[(id, code)], day),
        }
    }

    /// Of the first of these codes of which anything is said.
    fn first<'r>(&'r self, codes: &[(&str, &str)], day: i32) -> Own<'r> {
        let mut own = Own::default();
        for (vocabulary, code) in codes {
            let source = self.vocabulary.mapped_source(vocabulary, code, day);
            let source = source.or_else(|| self.vocabulary.source(vocabulary, code).map(|(id, _)| id));
            own.source = own.source.or(source.filter(|_| *code == codes[0].1));
            let targets = self.vocabulary.standard(vocabulary, code, day);
            let left_out = both(std::mem::take(&mut own.targets.left_out), &targets.left_out);
            own.targets = Targets { left_out, ..targets };
            if own.targets.origin.is_some() {
                break;
            }
        }
        own
    }
}

/// Rows of a code, and the name that they agree on.
struct Found<'r> {
    rows: Vec<Resolved<'r>>,
    name: Option<&'r str>,
}

#[derive(Default)]
struct Own<'r> {
    targets: Targets<'r>,
    source: Option<i32>,
    /// Rows with one key say different things.
    disputed: bool,
}

impl Own<'_> {
    /// What both say.
    fn and(self, other: Self) -> Self {
        let same =
            !self.disputed && self.targets.concepts == other.targets.concepts && self.targets.origin == other.targets.origin;
        let left_out = both(self.targets.left_out, &other.targets.left_out);
        let targets = if same { Targets { left_out, ..self.targets } } else { Targets { left_out, ..Targets::default() } };
        let source = self.source.filter(|id| other.source == Some(*id));
        Own { targets, source, disputed: self.disputed || !same }
    }
}

impl Icd10 {
    /// The cause with its dot, where it has the form of ICD-10.
    pub fn dotted_cause(&self) -> Option<String> {
        self.cause.as_deref().and_then(icd10_with_dot)
    }
}

/// Ids of both lists, each once.
fn both(mut one: Vec<i32>, other: &[i32]) -> Vec<i32> {
    one.extend(other);
    one.sort_unstable();
    one.dedup();
    one
}

/// The validity of several rows: in force only where all are.
fn worst(rows: &[Resolved<'_>]) -> Option<Validity> {
    let rank = |validity: &Validity| match validity {
        Validity::InForce => 0,
        Validity::LaterEdition => 1,
        Validity::NotYet => 2,
        Validity::NoLonger => 3,
    };
    rows.iter().map(|r| r.validity).max_by_key(rank)
}
