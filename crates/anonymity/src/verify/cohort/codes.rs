//! Codes, and what stands beside them on a row.

use super::{CohortVerified, Flat, OTHER, Rule, few};
use crate::profile::{Profile, Treatment};

/// Systems whose codes may leave under any policy (documented beside the profiles): the naive list of the second count.
const PUBLIC: &str = "JLAC10 JC10 JLAC11 JC11 LOINC LN J-FAGY HOT7 HOT9 HOT13 YJ GENERAL ATC MDCDX1 MDCDX2 ICD10 I10 I10P ICD9 I9C SCT \
                      RECEIPT JJ1017 LENDO CHECKUP DPC MR9P UCUM EF E D";

fn public(system: &str) -> bool {
    let numbered = |start: &str| {
        system.strip_prefix(start).is_some_and(|n| (3..=4).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let item = (3..=5).contains(&system.len()) && system.bytes().all(|b| b.is_ascii_digit()) && !system.starts_with("99");
    PUBLIC.split_whitespace().any(|p| p == system) || ["HL7", "JHSD", "JHSR", "JHSE", "JSHR"].into_iter().any(numbered) || item
}

/// Whether a cell of a column of codes is words or a code of an institution's own table.
fn is_word(cell: &str, local: bool, systems: &[String]) -> bool {
    if cell == OTHER {
        return false;
    }
    if !cell.is_ascii() || cell.contains('@') {
        return true;
    }
    let parts: Vec<&str> = cell.split(['+', ' ']).filter(|p| !p.is_empty()).collect();
    local
        && parts.iter().any(|part| match part.split_once(':') {
            Some((system, bare)) => !systems.iter().any(|s| s == system) && (!public(system) || bare.contains(':')),
            None => parts.len() > 1 && !part.bytes().any(|b| b.is_ascii_digit()),
        })
}

/// Whether a cell shows nothing: empty, and of a concept, none.
fn empty(cell: &str) -> bool {
    cell.is_empty() || cell == "0"
}

/// Holds what is promised of a column of codes, or of one that goes with a code.
pub(super) fn check(
    profile: &Profile,
    table: &Flat,
    (name, column): (&str, &str),
    treatment: &Treatment,
    cells: &[&str],
    out: &mut CohortVerified,
) {
    let place = format!("{name}.{column}");
    let least = profile.privacy.as_ref().map_or(0, |p| p.rare_persons as usize);
    let persons = table.persons();
    let concept = column.ends_with("_concept_id");
    let quasi = profile.privacy.iter().flat_map(|p| &p.quasi_identifiers).any(|q| *q == place);
    let alone = || cells.iter().zip(&persons).filter(|(cell, _)| !empty(cell) && **cell != OTHER);
    let beside = |code: &str| -> Vec<(String, &str, &str)> {
        let Some(codes) = table.column(code) else { return Vec::new() };
        let rows = codes.into_iter().zip(cells).zip(&persons);
        rows.filter(|((_, cell), _)| !empty(cell)).map(|((code, cell), person)| (code.to_owned(), *cell, *person)).collect()
    };
    match treatment {
        Treatment::Code { rare, local, systems, .. } => {
            if !concept {
                out.hold(&place, Rule::Words, cells.iter().filter(|cell| is_word(cell, *local, systems)).count());
            }
            if *rare && profile.privacy.is_some() {
                out.hold(&place, Rule::Rare, few(alone().map(|(cell, person)| (*cell, (*person).to_owned())), least));
            }
        }
        Treatment::Follow { code } | Treatment::Value { code } => {
            let rows = beside(code);
            let hidden = rows.iter().filter(|(code, _, _)| code == OTHER || code.is_empty()).count();
            out.hold(&place, Rule::Follows, hidden);
            if concept && column != "operator_concept_id" {
                let pairs = rows.into_iter().map(|(code, cell, person)| ((code, cell), person.to_owned()));
                out.hold(&place, Rule::Rare, few(pairs, least));
            }
        }
        Treatment::Unit if profile.kind.is_anonymized() => {
            let leader = profile.tables[name].columns.values().find_map(|t| match t {
                Treatment::Follow { code } | Treatment::Value { code } => Some(code),
                _ => None,
            });
            if let Some(code) = leader {
                let pairs = beside(code).into_iter().map(|(code, cell, person)| ((code, cell), person.to_owned()));
                out.hold(&place, Rule::Rare, few(pairs, least));
            }
        }
        Treatment::Class { .. } => {}
        _ if concept && !quasi && profile.kind.is_anonymized() => {
            out.hold(&place, Rule::Rare, few(alone().map(|(cell, person)| (*cell, (*person).to_owned())), least));
        }
        _ => {}
    }
}
