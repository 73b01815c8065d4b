//! Facts of a checkup → rows.

use messages::{Message as Text, Severity};
use omop::{MeasurementRow, ObservationRow, VisitEventRow, type_concept};
use terms::{Insured, Sex};

use super::document::{Document, Item};
use crate::days::day;
use crate::hl7::{Operator, amount};
use crate::rows::{At, Book, Cover, Who, name_parts};
use crate::written::narrow;

/// "Negative" and "positive" of the standard vocabulary's measurement values.
const NEGATIVE: i32 = 9189;
const POSITIVE: i32 = 9191;

/// Answers of qualitative lists: 2102 from − to +++, 2100 positive and negative, 2101 the reverse. `None`: not of the list.
fn qualitative(set: &str, code: &str) -> Option<Option<i32>> {
    Some(match (set, code) {
        ("2102", "1") | ("2100", "2") | ("2101", "1") => Some(NEGATIVE),
        ("2102", "2") => None,
        ("2102", "3" | "4" | "5") | ("2100", "1") | ("2101", "2") => Some(POSITIVE),
        _ => return None,
    })
}

/// Operators of OMOP.
pub fn operator(operator: Operator) -> i32 {
    use omop::concept;
    match operator {
        Operator::Less => concept::LESS,
        Operator::LessOrEqual => concept::LESS_OR_EQUAL,
        Operator::Equal => concept::EQUAL,
        Operator::GreaterOrEqual => concept::GREATER_OR_EQUAL,
        Operator::Greater => concept::GREATER,
    }
}

/// The person of a document: by the card, as no document has a patient number.
pub fn insured<'d>(document: &'d Document<'_>) -> Insured<'d> {
    let id = |arc: &str| document.ids.iter().find(|(root, _)| root == arc).map_or("", |(_, value)| value.as_ref());
    let birth = document.birth.as_deref().and_then(|t| day(t.as_bytes())).map(|d| d.day);
    let sex = match document.sex.as_deref().map(narrow).as_deref() {
        Some("1") => "1",
        Some("2") => "2",
        _ => "",
    };
    let card = Insured { insurer: id("101"), symbol: id("204"), number: id("205"), ..Insured::default() };
    Insured { birth, sex, kana: &document.name, ..card }
}

/// The rows of a person's document.
pub fn document(document: &Document<'_>, book: &mut Book) {
    let id = |arc: &str| document.ids.iter().find(|(root, _)| root == arc).map_or("", |(_, value)| value.as_ref());
    let (insurer, symbol, number) = (id("101"), id("204"), id("205"));
    let place = ("ClinicalDocument", 0);
    let date = |text: Option<&str>, what: &'static str, book: &mut Book| {
        let found = text.and_then(|t| day(t.as_bytes()));
        if found.is_none() {
            book.say_line(Severity::Warning, Text::new(what), place, 0);
        }
        found.map(|d| d.day)
    };
    let birth = date(document.birth.as_deref(), "checkup-birth", book);
    let sex = match document.sex.as_deref().map(narrow).as_deref() {
        Some("1") => Some((Sex::Male, "1")),
        Some("2") => Some((Sex::Female, "2")),
        _ => {
            book.say_line(Severity::Warning, Text::new("formats-sex"), place, 0);
            None
        }
    };
    let name = document.name.trim();
    let Some(local_id) = insured(document).local_id() else {
        book.say_line(Severity::Error, Text::new("formats-no-patient"), place, 0);
        book.none("no-patient");
        return;
    };
    let on = date(document.date.as_deref(), "checkup-date", book)
        .or_else(|| document.made.as_deref().and_then(|t| day(t.as_bytes())).map(|d| d.day));
    let Some(on) = on else {
        book.say_line(Severity::Error, Text::new("checkup-no-date"), place, 0);
        book.none("no-date");
        return;
    };
    let patient = book.patient(&local_id);
    let institution = document.institution.as_deref().unwrap_or("");
    let key = format!("checkup|{institution}|{on}|{}", document.programme.as_deref().unwrap_or(""));
    if book.is_for_lake() && !book.first(&[b"checkup", local_id.as_bytes(), key.as_bytes()]) {
        // In an archive and beside it, or corrected: which of two is right nobody here knows, and both would count.
        book.none("told-already");
        book.say_line(Severity::Warning, Text::new("checkup-again"), place, 0);
        return;
    }
    let at = At { patient, key: &key, ts: i64::from(on) * 86_400_000_000 };
    // The name is in katakana by the specification; a kanji name is one all the same.
    let phonetic = !name.chars().any(|c| matches!(c, '\u{4E00}'..='\u{9FFF}'));
    let parts = name_parts(name);
    let address = document.address.trim();
    let year = document.birth.as_deref().and_then(|b| b.get(..4)).and_then(|y| y.parse().ok());
    let who = Who {
        local_id: &local_id,
        kanji: if phonetic { (None, None) } else { parts },
        kana: if phonetic { parts } else { (None, None) },
        birth,
        birth_parts: year.filter(|y| (1850..=2200).contains(y)).map(|y: i32| (y, None)),
        sex,
        postal: Some(document.postal.trim()).filter(|p| !p.is_empty()),
        address: Some(address).filter(|a| !a.is_empty()),
        ..Who::default()
    };
    book.who(&at, &who);
    let cover = Cover { plan_kind: "insurance", insurer, symbol, number, ..Cover::default() };
    book.cover(&at, &local_id, &cover);
    let insurer = narrow(insurer);
    book.plan(&at, &insurer, (on, on), birth, document.report.as_deref());
    if !institution.is_empty() {
        book.care_site(&at, &local_id, institution);
    }
    book.visit_event(
        &at,
        &VisitEventRow {
            event: "reception",
            event_date: on,
            patient_class: Some("O"),
            origin: Some("checkup"),
            ..Default::default()
        },
    );
    for (n, item) in document.items.iter().enumerate() {
        book.counts.records += 1;
        book.counts.records_read += 1;
        self::item(&at, on, item, n as u64 + 1, book);
    }
}

/// One item.
pub fn item(at: &At<'_>, on: i32, item: &Item<'_>, number: u64, book: &mut Book) {
    let place = ("observation", number);
    if item.group && item.code.is_empty() {
        book.none("group");
        return;
    }
    if item.negated {
        book.none("not-done");
        return;
    }
    if item.null_flavor.is_some() {
        book.none("not-measured");
        return;
    }
    let Some(value) = item.value.as_deref().map(str::trim).filter(|v| !v.is_empty()) else {
        book.none("no-value");
        return;
    };
    if item.code.is_empty() {
        book.say_line(Severity::Warning, Text::new("formats-no-code"), place, 0);
        book.none("no-code");
        return;
    }
    if item.code.len() != 17 || !item.code.bytes().all(|b| b.is_ascii_alphanumeric()) {
        book.say_line(Severity::Warning, Text::new("checkup-code-form"), place, 0);
    }
    let number_of = |text: Option<&str>| text.and_then(amount).map(|a| a.number);
    let row = MeasurementRow {
        measurement_date: on,
        measurement_type_concept_id: type_concept::EHR,
        measurement_source_value: Some(&item.code),
        measurement_source_concept_id: Some(0),
        range_low: number_of(item.range.0.as_deref()),
        range_high: number_of(item.range.1.as_deref()),
        interpretation: item.interpretation.as_deref(),
        ..Default::default()
    };
    match &*item.kind {
        "PQ" => {
            let found = amount(value);
            if found.is_none() {
                book.say_line(Severity::Warning, Text::new("formats-number"), place, 0);
            }
            book.measurement(
                at,
                MeasurementRow {
                    value_as_number: found.map(|a| a.number),
                    operator_concept_id: found.and_then(|a| a.operator).map(operator),
                    unit_source_value: item.unit.as_deref(),
                    value_source_value: Some(value),
                    ..row
                },
            );
        }
        "CD" | "CO" => {
            let set = item.value_set.as_deref().unwrap_or("");
            let answer = if set.is_empty() { value.to_owned() } else { format!("{set}:{value}") };
            let concept = qualitative(set, value);
            if concept.is_none() && matches!(set, "2100" | "2101" | "2102") {
                book.say_line(Severity::Warning, Text::new("checkup-answer"), place, 0);
            }
            // Items whose codes begin with 9 are asked or judged; the others are measured.
            if item.code.starts_with('9') {
                book.observation(
                    at,
                    ObservationRow {
                        observation_date: on,
                        observation_type_concept_id: type_concept::EHR,
                        observation_source_value: Some(&item.code),
                        observation_source_concept_id: Some(0),
                        value_as_string: Some(value),
                        value_source_value: Some(&answer),
                        ..Default::default()
                    },
                );
            } else {
                book.measurement(
                    at,
                    MeasurementRow { value_as_concept_id: concept.flatten(), value_source_value: Some(&answer), ..row },
                );
            }
        }
        _ if item.code.ends_with("49") || value.chars().count() > 60 => book.note(at, on, "checkup", value, Some(&item.code)),
        _ => book.observation(
            at,
            ObservationRow {
                observation_date: on,
                observation_type_concept_id: type_concept::EHR,
                observation_source_value: Some(&item.code),
                observation_source_concept_id: Some(0),
                value_as_string: Some(value),
                value_source_value: Some(value),
                ..Default::default()
            },
        ),
    }
}
