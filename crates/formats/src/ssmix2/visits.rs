//! ADT-12, 22, 31, 32, 42, 52 → events of visits, from which visits are assembled later; deaths at discharge.

use std::borrow::Cow;

use omop::{DeathRow, VisitEventRow, type_concept};

use super::sheet::{NoRow, Sheet};
use crate::hl7::Message;

/// One event. `word` is what `visit_event.event` says.
pub fn event(sheet: &mut Sheet<'_>, message: Message<'_>, word: &str) {
    let Some(pv1) = message.first(b"PV1") else {
        return;
    };
    let at = sheet.head.source_ts;
    let admitted = sheet.time(pv1, 44);
    let stated = match (word, message.first(b"EVN")) {
        ("reception" | "admission", _) => admitted,
        ("discharge", evn) => sheet.time(pv1, 45).or_else(|| evn.and_then(|evn| sheet.time(evn, 6))),
        (_, Some(evn)) => sheet.time(evn, 6),
        _ => None,
    };
    let (segment, field) = match (word, message.first(b"EVN")) {
        ("reception" | "admission", _) | (_, None) => (pv1, 44),
        ("discharge", _) => (pv1, 45),
        (_, Some(evn)) => (evn, 6),
    };
    let time = sheet.or_file_day(stated, segment, field);
    let class = pv1.field(2).component(1).code();
    let place = pv1.field(3);
    let outpatient = class == Some("O") || place.component(6).code() == Some("C");
    let department_of_place = if outpatient { place.component(1).code() } else { None };
    let department = pv1.field(10).component(1).code().or(department_of_place);
    let disposition = pv1.field(36).component(1).code();
    let died = (word == "discharge").then(|| disposition.is_some_and(is_death));
    sheet.staff.department(if pv1.field(10).is_empty() && outpatient { place } else { pv1.field(10) }, at);
    sheet.staff.doctor(pv1.field(7), pv1.field(10), at);
    sheet.staff.doctor(pv1.field(17), pv1.field(10), at);
    let ward: Option<Cow<'_, str>> = if outpatient { None } else { place.component(1).text() };
    let room: Option<Cow<'_, str>> = if outpatient { None } else { place.component(2).text() };
    sheet.visit_event(&VisitEventRow {
        event: word,
        event_date: time.day,
        event_datetime: time.micros,
        admitted_at: if word == "reception" { None } else { admitted.and_then(|t| t.micros) },
        patient_class: class,
        department,
        ward: ward.as_deref(),
        room: room.as_deref(),
        admitted_from: pv1.field(14).component(1).code(),
        discharged_to: disposition,
        died,
        ..Default::default()
    });
    if died == Some(true) {
        sheet.death(&DeathRow {
            death_date: time.day,
            death_datetime: time.micros,
            death_type_concept_id: Some(type_concept::EHR),
            ..Default::default()
        });
    }
}

/// Table 0112: 20 to 29 are deaths.
fn is_death(disposition: &str) -> bool {
    matches!(disposition.parse::<u32>(), Ok(20..=29))
}

/// ADT-01: the attending doctor is noted, nothing else.
pub fn attending(sheet: &mut Sheet<'_>, message: Message<'_>) {
    if let Some(pv1) = message.first(b"PV1") {
        let at = sheet.head.source_ts;
        for doctor in pv1.field(7).repetitions() {
            sheet.staff.doctor(doctor, pv1.field(10), at);
        }
    }
    sheet.none(NoRow::AttendingDoctor);
}
