//! ADT-61 (IAM) and AL1 of ADT-00 → observation; reactions in words → note.

use messages::{Message as Text, Severity};
use omop::{ObservationRow, concept, type_concept};

use super::codes::Coded;
use super::sheet::{NoRow, Sheet};
use crate::hl7::{Message, Segment, Time};

/// ADT-61: all allergies of the patient.
pub fn allergies(sheet: &mut Sheet<'_>, message: Message<'_>) {
    for iam in message.segments().filter(|s| s.id() == *b"IAM") {
        if iam.field(6).component(1).code() == Some("D") {
            sheet.none(NoRow::DeletedEntry);
            continue;
        }
        // An allergy without a date of onset is known since the file was written, at least.
        let time = sheet.time(iam, 11).unwrap_or(Time { day: sheet.file_day, micros: None, partial: false });
        if !row(sheet, iam, time) {
            continue;
        }
        for (field, title) in [(5, "allergy reaction"), (12, "allergy onset")] {
            if let Some(text) = sheet.text(iam, field) {
                let source = Coded::of(iam.field(3), &[]).source_value(&[]);
                sheet.note(time, Some(title), &text, source.as_deref(), None);
            }
        }
    }
}

/// An AL1 of the patient's basics.
pub fn registered(sheet: &mut Sheet<'_>, al1: Segment<'_>, time: Time) {
    let own = sheet.time(al1, 6);
    let time = own.unwrap_or(time);
    if row(sheet, al1, time)
        && let Some(text) = sheet.text(al1, 5)
    {
        let source = Coded::of(al1.field(3), &[]).source_value(&[]);
        sheet.note(time, Some("allergy reaction"), &text, source.as_deref(), None);
    }
}

/// Kind (2), allergen (3) and severity (4) stand in the same fields of both segments.
fn row(sheet: &mut Sheet<'_>, segment: Segment<'_>, time: Time) -> bool {
    let allergen = Coded::of(segment.field(3), &["HOT9", "JC10", "J-FAGY"]);
    if allergen.is_empty() {
        sheet.say_at(Severity::Error, Text::new("ssmix2-code-missing"), segment, 3);
        return false;
    }
    let kind = Coded::of(segment.field(2), &["HL70127"]);
    let kind_source = kind.source_value(&[]);
    let source = allergen.source_value(&[]);
    sheet.observation(ObservationRow {
        observation_concept_id: match kind.code {
            Some("DA") => concept::DRUG_ALLERGY,
            Some("FA") => concept::FOOD_ALLERGY,
            _ => concept::NONE,
        },
        observation_date: time.day,
        observation_datetime: time.micros,
        observation_type_concept_id: type_concept::EHR,
        value_as_string: allergen.text.as_deref(),
        observation_source_value: kind_source.as_deref(),
        observation_source_concept_id: Some(0),
        qualifier_source_value: segment.field(4).component(1).code(),
        value_source_value: source.as_deref(),
        ..Default::default()
    });
    true
}
