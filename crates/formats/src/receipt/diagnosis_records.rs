//! Records of diagnoses of a claim: SY, HS and SB.

use messages::{Message as Text, Severity};

use super::acts;
use super::claim::Claim;
use super::diagnoses::{Diagnoses, Diagnosis, is_suspected, with_modifiers};
use crate::columns::Row;
use crate::days::day;
use crate::rows::Book;
use crate::written::Scribe;

/// SY and HS: places of code, start, outcome, modifiers, name, main mark, comment.
pub(super) fn diagnosis(
    claim: &mut Claim,
    row: Row<'_>,
    at: (&str, u64),
    places: [usize; 7],
    scribe: &mut Scribe,
    book: &mut Book,
    held: &mut Diagnoses,
) {
    let [code, start, outcome, modifiers, name, main, comment] = places;
    let code = row.code(code, scribe);
    let modifiers = row.code(modifiers, scribe);
    let name = scribe.text(row.get(name));
    let stated = row.code(start, scribe);
    let started = day(stated.as_bytes());
    if started.is_none_or(|d| d.out_of_era) {
        let message = if started.is_some() { "formats-out-of-era" } else { "formats-date" };
        let severity = if stated.is_empty() { Severity::Info } else { Severity::Warning };
        book.say_line(severity, Text::new(message), at, start);
    }
    let start = started.map_or_else(|| claim.first_visit.or(claim.first_day()).unwrap_or(claim.month.first()), |d| d.day);
    if code.is_empty() && name.is_empty() {
        book.say_line(Severity::Error, Text::new("formats-no-code"), at, 2);
        book.none("no-code");
        return;
    }
    let outcome = row.code(outcome, scribe);
    let end = matches!(&*outcome, "2" | "3" | "4").then(|| claim.last_day().unwrap_or(claim.month.last()));
    if outcome == "3" {
        claim.died_of();
    }
    let uncoded = code.is_empty() || code == "0000999";
    let mut source = with_modifiers(&code, &modifiers);
    if uncoded && !name.is_empty() {
        source = format!("{source}:{name}");
    }
    if places[0] == 5 && !row.get(4).is_empty() {
        let teeth = row.code(4, scribe).into_owned();
        acts::teeth(claim, &teeth, &source, start, book);
    }
    let suspected = is_suspected(&modifiers, if uncoded { &name } else { "" });
    held.add(
        &Diagnosis {
            institution: &claim.institution,
            patient: &claim.local_id,
            code: &source,
            icd10: None,
            start,
            end,
            outcome: &outcome,
            role: if matches!(row.get(main), b"01" | b"1") { "main" } else { "" },
            suspected,
            ts: claim.told(),
        },
        book,
    );
    let text = scribe.text(row.get(comment)).into_owned();
    if !text.is_empty() {
        book.note(&claim.at(), start, "diagnosis comment", &text, Some(&source));
    }
    book.say_met(scribe.take(), at);
}

/// SB: diagnoses of a DPC claim have a role and no date; the stay's first day stands in.
pub(super) fn bundle_diagnosis(
    claim: &mut Claim,
    row: Row<'_>,
    at: (&str, u64),
    scribe: &mut Scribe,
    book: &mut Book,
    held: &mut Diagnoses,
) {
    let code = row.code(2, scribe);
    let modifiers = row.code(3, scribe);
    let name = scribe.text(row.get(4));
    if code.is_empty() && name.is_empty() {
        book.say_line(Severity::Error, Text::new("formats-no-code"), at, 2);
        book.none("no-code");
        return;
    }
    let uncoded = code.is_empty() || code == "0000999";
    let mut source = with_modifiers(&code, &modifiers);
    if uncoded && !name.is_empty() {
        source = format!("{source}:{name}");
    }
    let icd = row.code(5, scribe);
    let icd = (!icd.is_empty()).then(|| crate::places::icd10_with_dot(&icd).unwrap_or_else(|| icd.into_owned()));
    let role = row.code(6, scribe);
    let start = claim.admission.unwrap_or(claim.month.first());
    held.add(
        &Diagnosis {
            institution: &claim.institution,
            patient: &claim.local_id,
            code: &source,
            icd10: icd.as_deref(),
            start,
            end: None,
            outcome: "",
            role: &role,
            suspected: is_suspected(&modifiers, if uncoded { &name } else { "" }),
            ts: claim.told(),
        },
        book,
    );
    let text = scribe.text(row.get(8)).into_owned();
    if !text.is_empty() {
        book.note(&claim.at(), start, "diagnosis comment", &text, Some(&source));
    }
    book.say_met(scribe.take(), at);
}
