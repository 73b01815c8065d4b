//! OMD → observation.

use messages::{Message as Text, Severity};
use omop::{ObservationRow, type_concept};

use super::codes::Coded;
use super::drugs::{cancelled, start_of_order};
use super::sheet::{NoRow, Sheet};
use crate::hl7::{Message, Segment, Time};

/// Meals as ordered: one row a diet, instructions as notes.
pub fn diet(sheet: &mut Sheet<'_>, message: Message<'_>) {
    let (mut orc, mut tq1): (Option<Segment<'_>>, Option<Segment<'_>>) = (None, None);
    let mut time: Option<Time> = None;
    for segment in message.segments() {
        match &segment.id() {
            b"ORC" => (orc, tq1, time) = (Some(segment), None, None),
            b"TQ1" => (tq1, time) = (Some(segment), None),
            b"ODS" | b"NTE" if orc.is_some_and(cancelled) => sheet.none(NoRow::Cancelled),
            b"ODS" => {
                let at = *time.get_or_insert_with(|| start_of_order(sheet, orc, tq1, segment));
                ods(sheet, segment, orc, at);
            }
            b"NTE" => {
                let at = *time.get_or_insert_with(|| start_of_order(sheet, orc, tq1, segment));
                if let Some(text) = sheet.text(segment, 3) {
                    sheet.note(at, Some("diet comment"), &text, None, None);
                }
            }
            _ => {}
        }
    }
}

fn ods(sheet: &mut Sheet<'_>, ods: Segment<'_>, orc: Option<Segment<'_>>, time: Time) {
    let diet = Coded::of(ods.field(3), &[]);
    let source = diet.source_value(&[]);
    let provider = orc.and_then(|orc| sheet.staff.order(orc, sheet.head.source_ts));
    if diet.is_empty() && ods.field(4).is_empty() {
        sheet.say_at(Severity::Error, Text::new("ssmix2-code-missing"), ods, 3);
        return;
    }
    sheet.observation(ObservationRow {
        observation_date: time.day,
        observation_datetime: time.micros,
        observation_type_concept_id: type_concept::ORDER,
        value_as_string: diet.text.as_deref(),
        observation_source_value: source.as_deref().or(Some("ODS")),
        observation_source_concept_id: Some(0),
        qualifier_source_value: ods.field(1).code(),
        value_source_value: diet.code,
        provider_id: provider,
        ..Default::default()
    });
    if let Some(text) = sheet.text(ods, 4) {
        sheet.note(time, Some("diet instruction"), &text, source.as_deref(), provider);
    }
}
