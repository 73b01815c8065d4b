//! Record linkage (名寄せ): which records of which providers are one person.
//!
//! [`link`] takes the identity vault ([`People`]), what clerks have decided ([`Fact`]) and [`Options`], and says for every
//! record which person it is ([`Links`]), by which rule each pair was joined and how sure that rule is. A person here is a
//! view that every run may change, never a fact.
//!
//! The way of a record, which is the order of the parts:
//!
//! * `people`, `csv_file`: rows become records; several rows of a record are its history (old names, homes, cards);
//! * `text`, `variants`, `dates`, `contact`: each value is normalised for comparison (nothing normalised is ever shown);
//! * `stand_in`: test patients, placeholders, newborns under the mother's name and unnamed rows are kept out;
//! * `keys`: what a record can be found by; a telephone, home or card that too many persons carry is no evidence;
//! * `blocks`: candidate pairs, from several keys, with a cap on monster blocks that is reported;
//! * `compare`, `rules`: a pair becomes agreements, agreements become a rule with its confidence, or nothing;
//! * `clusters`: pairs become persons, strongest first; a pair that would join what contradicts itself is cut;
//! * `link`: all of it.
//!
//! Invariants: no input or output besides what is passed in, no query engine. The result depends on the set of rows and
//! facts alone, not on their order. No name, birth date, number or address stands in an error, in `Debug` or in a result.

mod blocks;
mod clusters;
mod compare;
mod contact;
mod csv_file;
mod dates;
mod error;
mod keys;
mod link;
mod names;
mod people;
#[cfg(test)]
mod reference;
mod rules;
mod stand_in;
mod text;
mod variants;

pub use csv_file::CsvPeople;
pub use error::LinkageError;
pub use link::{Fact, Link, Links, Options, Stats, link};
pub use people::People;
pub use rules::Rule;
pub use stand_in::Unlinkable;

/// Name and version of the rules, recorded with every run. Any change that can change a result changes the version.
pub const RULE: &str = "azekura-rules/1";

/// Codes of this crate in the catalogue of messages.
pub const CODES: &[&str] = &[
    "linkage-column-missing",
    "linkage-column-type",
    "linkage-record-without-id",
    "linkage-facts-contradict",
    "linkage-csv-unreadable",
    "linkage-csv-id-twice",
    "linkage-unlinked-test-patient",
    "linkage-unlinked-placeholder",
    "linkage-unlinked-newborn",
    "linkage-unlinked-unnamed",
    "linkage-rule-exact",
    "linkage-rule-card",
    "linkage-rule-variant",
    "linkage-rule-typo",
    "linkage-rule-name-change",
    "linkage-rule-birth-date",
    "linkage-rule-sex",
    "linkage-rule-rare-name",
    "linkage-rule-fact",
];
