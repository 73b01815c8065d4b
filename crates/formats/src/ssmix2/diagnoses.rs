//! PPR-01 → condition_occurrence; suspected and billing-only diagnoses → observation.

use messages::{Message as Text, Severity};
use omop::{ConditionOccurrenceRow, DeathRow, ObservationRow, concept, type_concept};

use super::codes::{Coded, DISEASE};
use super::sheet::{NoRow, Sheet};
use crate::hl7::{Message, Segment, Time};
use crate::places::icd10_with_dot;

/// A suffix modifier of MEDIS: の疑い.
const SUSPECTED_SUFFIX: &str = "8002";

/// Words by which producers mark a diagnosis that stands for billing only. There is no code for it.
const BILLING_WORDS: &[&str] = &["レセプト病名", "レセ病名", "保険病名", "請求病名", "請求用病名"];

/// One diagnosis with the segments that belong to it.
struct Diagnosis<'t> {
    prb: Segment<'t>,
    zpr: Option<Segment<'t>>,
    orc: Option<Segment<'t>>,
    notes: Vec<Segment<'t>>,
}

/// Every diagnosis of the message.
pub fn diagnoses(sheet: &mut Sheet<'_>, message: Message<'_>) {
    let mut current: Option<Diagnosis<'_>> = None;
    for segment in message.segments() {
        match (&segment.id(), &mut current) {
            (b"PRB", _) => {
                let next = Diagnosis { prb: segment, zpr: None, orc: None, notes: Vec::new() };
                if let Some(done) = current.replace(next) {
                    diagnosis(sheet, &done);
                }
            }
            (b"ZPR", Some(d)) => d.zpr = Some(segment),
            (b"ORC", Some(d)) => d.orc = d.orc.or(Some(segment)),
            (b"NTE", Some(d)) => d.notes.push(segment),
            (b"ZPD", _) => sheet.none(NoRow::Tooth),
            (b"ZI1", _) => sheet.none(NoRow::DiagnosisInsurance),
            _ => {}
        }
    }
    if let Some(done) = current {
        diagnosis(sheet, &done);
    }
}

fn diagnosis(sheet: &mut Sheet<'_>, d: &Diagnosis<'_>) {
    let prb = d.prb;
    if prb.field(1).code() == Some("DE") {
        sheet.none(NoRow::DeletedEntry);
        return;
    }
    let disease = disease(d);
    if disease.is_empty() {
        sheet.say_at(Severity::Error, Text::new("ssmix2-code-missing"), prb, 3);
        return;
    }
    if disease.code.is_none() {
        sheet.say_at(Severity::Info, Text::new("ssmix2-uncoded"), prb, 3);
    }
    let mut source = disease.source_value(&[]).unwrap_or_default().into_owned();
    let modifiers = modifiers(d);
    for modifier in &modifiers {
        source.push('+');
        source.push_str(modifier);
    }
    let icd10 = prb.field(10).component(1).code();
    let icd10 = icd10.map(|code| icd10_with_dot(code).unwrap_or_else(|| code.to_owned()));

    let started = [16, 7, 2].into_iter().find_map(|field| sheet.time(prb, field));
    let start = sheet.or_file_day(started, prb, 16);
    let mut end = [9, 15].into_iter().find_map(|field| sheet.time(prb, field));
    if end.is_some_and(|e| e.day < start.day) {
        sheet.say_at(Severity::Warning, Text::new("ssmix2-end-before-start"), prb, 9);
        end = None;
    }
    let provider = d.orc.and_then(|orc| sheet.staff.order(orc, sheet.head.source_ts));
    let timing = prb.field(10).component(4).code();
    let principal = prb.field(18).component(1).code() == Some("1");

    let confirmation = prb.field(13);
    let suspected = modifiers.iter().any(|m| m == SUSPECTED_SUFFIX)
        || matches!(confirmation.component(1).code(), Some("1"))
        || confirmation.component(2).text().is_some_and(|t| t.contains("疑"))
        || (disease.code.is_none() && disease.text.as_deref().is_some_and(|t| t.ends_with("疑い") || t.ends_with("の疑")));
    let qualifier = if suspected {
        Some("suspected")
    } else if billing_only(d) {
        Some("billing")
    } else {
        None
    };
    let outcome = prb.field(14).component(1).code();
    let id = if qualifier.is_some() {
        sheet.observation(ObservationRow {
            observation_date: start.day,
            observation_datetime: start.micros,
            observation_type_concept_id: type_concept::PROBLEM_LIST,
            observation_source_value: Some(&source),
            observation_source_concept_id: Some(0),
            value_as_string: qualifier,
            qualifier_source_value: qualifier,
            value_source_value: outcome,
            provider_id: provider,
            icd10: icd10.as_deref(),
            ..Default::default()
        })
    } else {
        let status_source = status_source(prb);
        sheet.condition(ConditionOccurrenceRow {
            condition_start_date: start.day,
            condition_start_datetime: start.micros,
            condition_end_date: end.map(|t| t.day),
            condition_end_datetime: end.and_then(|t| t.micros),
            condition_type_concept_id: type_concept::PROBLEM_LIST,
            condition_status_concept_id: match (timing, principal) {
                (Some("H"), _) => Some(concept::ADMISSION_DIAGNOSIS),
                (Some("L"), _) => Some(concept::DISCHARGE_DIAGNOSIS),
                (_, true) => Some(concept::PRIMARY_DIAGNOSIS),
                _ => None,
            },
            stop_reason: outcome,
            provider_id: provider,
            condition_source_value: Some(&source),
            condition_source_concept_id: Some(0),
            condition_status_source_value: (!status_source.is_empty()).then_some(status_source.as_str()),
            icd10: icd10.as_deref(),
            ..Default::default()
        })
    };
    if outcome == Some("D") {
        died(sheet, prb, end);
    }
    let _ = id;
    texts(sheet, d, &source, start, provider);
}

/// PRB-3; where it is only text, ZPR-2 may have the code.
fn disease<'t>(d: &Diagnosis<'t>) -> Coded<'t> {
    let stated = Coded::of(d.prb.field(3), DISEASE);
    match d.zpr.map(|zpr| Coded::of(zpr.field(2), DISEASE)) {
        Some(base) if stated.code.is_none() && base.code.is_some() => base,
        _ => stated,
    }
}

/// Codes of prefix and suffix modifiers in their order; without codes, their texts.
fn modifiers(d: &Diagnosis<'_>) -> Vec<String> {
    let Some(zpr) = d.zpr else {
        return Vec::new();
    };
    [1, 3]
        .into_iter()
        .flat_map(|field| zpr.field(field).repetitions())
        .filter_map(|m| m.component(1).code().map(str::to_owned).or_else(|| m.component(2).text().map(|t| t.into_owned())))
        .collect()
}

fn billing_only(d: &Diagnosis<'_>) -> bool {
    let marked =
        |text: Option<std::borrow::Cow<'_, str>>| text.is_some_and(|t| BILLING_WORDS.iter().any(|word| t.contains(word)));
    marked(d.prb.field(3).component(2).text())
        || marked(d.prb.field(17).text())
        || marked(d.prb.field(13).component(2).text())
        || d.zpr.is_some_and(|zpr| marked(zpr.field(7).text()))
        || d.notes.iter().any(|nte| marked(nte.field(3).text()))
}

/// Timing (PRB-10.4) and ranking (PRB-18) as the source has them.
fn status_source(prb: Segment<'_>) -> String {
    let timing = prb.field(10).component(4).code().map(|t| format!("JHSD0004:{t}"));
    let ranking = prb.field(18).component(1).code().map(|r| {
        let system = prb.field(18).component(3).code().unwrap_or("text");
        format!("{system}:{r}")
    });
    [timing, ranking].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Outcome "died": a death on the day of the outcome. Without that day there is no row, and the outcome stays with the
/// diagnosis.
fn died(sheet: &mut Sheet<'_>, prb: Segment<'_>, end: Option<Time>) {
    let Some(time) = sheet.time(prb, 15).or(end) else {
        sheet.say_at(Severity::Warning, Text::new("ssmix2-date-missing"), prb, 15);
        return;
    };
    sheet.death(&DeathRow {
        death_date: time.day,
        death_datetime: time.micros,
        death_type_concept_id: Some(type_concept::EHR),
        ..Default::default()
    });
}

/// Free text of a diagnosis: name as written (PRB-17), comment (ZPR-7), NTE.
fn texts(sheet: &mut Sheet<'_>, d: &Diagnosis<'_>, source: &str, time: Time, provider: Option<i64>) {
    let written = d.prb.field(17).text();
    let name = d.prb.field(3).component(2).text();
    if let Some(text) = written.filter(|t| Some(t) != name.as_ref()) {
        sheet.note(time, Some("diagnosis"), &text, Some(source), provider);
    }
    let comment = d.zpr.and_then(|zpr| sheet.text(zpr, 7));
    for text in comment.into_iter().chain(d.notes.iter().filter_map(|nte| nte.field(3).text())) {
        sheet.note(time, Some("diagnosis comment"), &text, Some(source), provider);
    }
}
