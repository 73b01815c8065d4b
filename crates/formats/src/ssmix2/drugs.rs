//! OMP-01, 02, 11, 12 → drug_exposure. Order, dispensing and administration of one drug are rows of their own, tied by
//! `order_key`; which of them counts is settled when rows of all packages are together.

use std::borrow::Cow;

use messages::{Message as Text, Severity};
use omop::{DrugExposureRow, type_concept};

use super::codes::{Coded, DrugCode, HOT9};
use super::sheet::{NoRow, Sheet};
use crate::hl7::{Field, Message, Segment, Time, amount};

/// Whether an order was cancelled or discontinued (ORC-1).
pub fn cancelled(orc: Segment<'_>) -> bool {
    matches!(orc.field(1).code(), Some("CA" | "DC" | "OC" | "OD" | "CR" | "DR"))
}

/// `order number|group`: ORC-2 and what ORC-4 adds to it (number of the prescription, or of the infusion and its turn).
fn order_key(orc: Segment<'_>) -> Option<String> {
    let number = orc.field(2).component(1).code()?;
    let group = orc.field(4).component(1).code().unwrap_or("");
    let group = group.strip_prefix(number).map_or(group, |rest| rest.trim_start_matches('_'));
    Some([number, "|", group].concat())
}

/// When an ordered thing begins: TQ1-7, else ORC-9.
pub fn start_of_order(sheet: &mut Sheet<'_>, orc: Option<Segment<'_>>, tq1: Option<Segment<'_>>, otherwise: Segment<'_>) -> Time {
    let stated = tq1.and_then(|tq1| sheet.time(tq1, 7)).or_else(|| orc.and_then(|orc| sheet.time(orc, 9)));
    sheet.or_file_day(stated, tq1.or(orc).unwrap_or(otherwise), if tq1.is_some() { 7 } else { 9 })
}

/// Source value of a drug, and what is odd about its code.
fn drug<'t>(sheet: &mut Sheet<'_>, segment: Segment<'t>, number: usize) -> Option<Cow<'t, str>> {
    drug_of(sheet, segment.field(number), segment, number)
}

/// The same for a field that the drug is only a part of.
pub fn drug_of<'t>(sheet: &mut Sheet<'_>, field: Field<'t>, segment: Segment<'t>, number: usize) -> Option<Cow<'t, str>> {
    let coded = Coded::of(field, HOT9);
    if coded.is_empty() {
        sheet.say_at(Severity::Error, Text::new("ssmix2-code-missing"), segment, number);
        return None;
    }
    let (Some(code), Some("HOT9" | "HOT")) = (coded.code, coded.system) else {
        return coded.source_value(HOT9);
    };
    Some(match DrugCode::of(code) {
        DrugCode::Hot9 => Cow::Borrowed(code),
        DrugCode::Hot7 => Cow::Owned(format!("HOT7:{code}")),
        DrugCode::Hot13 => Cow::Owned(format!("HOT13:{code}")),
        DrugCode::Receipt => {
            let message = Text::new("ssmix2-receipt-code").with("value", code);
            sheet.say_once(Severity::Info, message, segment, number);
            Cow::Owned(format!("RECEIPT:{code}"))
        }
        DrugCode::Odd => {
            let message = Text::new("ssmix2-code-form").with("value", code).with("expected", "HOT9");
            sheet.say_at(Severity::Warning, message, segment, number);
            Cow::Owned(format!("HOT9:{code}"))
        }
    })
}

/// A quantity; what is no number, or had to be put right, is a finding.
fn quantity(sheet: &mut Sheet<'_>, segment: Segment<'_>, number: usize) -> Option<f64> {
    let text = segment.field(number).component(1).code()?;
    match amount(text) {
        Some(found) => {
            if found.doubtful || found.operator.is_some() {
                let message = Text::new("ssmix2-number-normalised").with("value", text).with("used", found.number);
                sheet.say_at(Severity::Warning, message, segment, number);
            }
            Some(found.number)
        }
        None => {
            sheet.say_at(Severity::Warning, Text::new("ssmix2-number-unreadable").with("value", text), segment, number);
            None
        }
    }
}

/// A unit: its code, else its text.
fn unit(field: Field<'_>) -> Option<Cow<'_, str>> {
    field.component(1).text().or_else(|| field.component(2).text())
}

/// Route by HL7 table 0162 bare, any other with its system.
fn route(rxr: Option<Segment<'_>>) -> Option<Cow<'_, str>> {
    Coded::of(rxr?.field(1), &["HL70162"]).source_value(&["HL70162"])
}

/// The order of a drug: an RXE with what belongs to it.
struct Order<'t> {
    orc: Option<Segment<'t>>,
    rxe: Segment<'t>,
    tq1: Option<Segment<'t>>,
    rxr: Option<Segment<'t>>,
    parts: Vec<Segment<'t>>,
    notes: Vec<Segment<'t>>,
}

/// OMP-01 and OMP-02: one row a drug of a prescription, one a component of an infusion.
pub fn orders(sheet: &mut Sheet<'_>, message: Message<'_>, type_concept_id: i32) {
    let mut orc: Option<Segment<'_>> = None;
    let mut current: Option<Order<'_>> = None;
    for segment in message.segments() {
        match (&segment.id(), &mut current) {
            (b"ORC", _) => {
                if let Some(done) = current.take() {
                    order(sheet, &done, type_concept_id);
                }
                orc = Some(segment);
            }
            (b"RXE", _) => {
                let next = Order { orc, rxe: segment, tq1: None, rxr: None, parts: Vec::new(), notes: Vec::new() };
                if let Some(done) = current.replace(next) {
                    order(sheet, &done, type_concept_id);
                }
            }
            (b"TQ1", Some(o)) => o.tq1 = o.tq1.or(Some(segment)),
            (b"RXR", Some(o)) => o.rxr = o.rxr.or(Some(segment)),
            (b"RXC", Some(o)) => o.parts.push(segment),
            (b"NTE", Some(o)) => o.notes.push(segment),
            _ => {}
        }
    }
    if let Some(done) = current {
        order(sheet, &done, type_concept_id);
    }
}

fn order(sheet: &mut Sheet<'_>, o: &Order<'_>, type_concept_id: i32) {
    if o.orc.is_some_and(cancelled) {
        sheet.none(NoRow::Cancelled);
        return;
    }
    let start = start_of_order(sheet, o.orc, o.tq1, o.rxe);
    let days = o.tq1.and_then(|tq1| days(sheet, tq1));
    let mut end = match days {
        Some(days) if days > 0 => Time { day: start.day + days - 1, micros: None, partial: false },
        _ => o.tq1.and_then(|tq1| sheet.time(tq1, 8)).unwrap_or(start),
    };
    if end.day < start.day {
        if let Some(tq1) = o.tq1 {
            sheet.say_at(Severity::Warning, Text::new("ssmix2-end-before-start"), tq1, 8);
        }
        end = start;
    }
    let provider = o.orc.and_then(|orc| sheet.staff.order(orc, sheet.head.source_ts));
    let key = o.orc.and_then(order_key);
    let sig = sig(o);
    let route = route(o.rxr);
    let mut row = DrugExposureRow {
        drug_exposure_start_date: start.day,
        drug_exposure_start_datetime: start.micros,
        drug_exposure_end_date: end.day,
        drug_exposure_end_datetime: end.micros,
        drug_type_concept_id: type_concept_id,
        days_supply: days,
        sig: sig.as_deref(),
        provider_id: provider,
        drug_source_concept_id: Some(0),
        route_source_value: route.as_deref(),
        order_key: key.as_deref(),
        ..Default::default()
    };
    if o.parts.is_empty() {
        let Some(code) = drug(sheet, o.rxe, 2) else {
            return;
        };
        let unit = unit(o.rxe.field(11)).or_else(|| unit(o.rxe.field(5)));
        row.quantity = quantity(sheet, o.rxe, 10);
        row.drug_source_value = Some(&code);
        row.dose_unit_source_value = unit.as_deref();
        sheet.drug(row);
        notes(sheet, &o.notes, start, Some(&code), provider);
        return;
    }
    for rxc in &o.parts {
        let Some(code) = drug(sheet, *rxc, 2) else {
            continue;
        };
        let unit = unit(rxc.field(4));
        let quantity = quantity(sheet, *rxc, 3);
        sheet.drug(DrugExposureRow { quantity, drug_source_value: Some(&code), dose_unit_source_value: unit.as_deref(), ..row });
    }
    notes(sheet, &o.notes, start, None, provider);
}

fn notes(sheet: &mut Sheet<'_>, notes: &[Segment<'_>], time: Time, source: Option<&str>, provider: Option<i64>) {
    for nte in notes {
        if let Some(text) = sheet.text(*nte, 3) {
            sheet.note(time, Some("drug comment"), &text, source, provider);
        }
    }
}

/// TQ1-6 in days; other units than days and weeks say nothing of days.
fn days(sheet: &mut Sheet<'_>, tq1: Segment<'_>) -> Option<i32> {
    let field = tq1.field(6);
    let text = field.component(1).code()?;
    let per = match field.component(2).subcomponent(1).code() {
        None | Some("d" | "D" | "日" | "日分") => 1.0,
        Some("w" | "W" | "wk" | "週") => 7.0,
        Some(_) => return None,
    };
    match amount(text).map(|a| a.number * per) {
        Some(days) if (0.0..=3_660.0).contains(&days) => Some(days.ceil() as i32),
        _ => {
            sheet.say_at(Severity::Warning, Text::new("ssmix2-number-unreadable").with("value", text), tq1, 6);
            None
        }
    }
}

/// Instructions in words: usage (TQ1-3), instruction (RXE-7), rate of an infusion (RXE-23, 24), text of TQ1-11.
fn sig(o: &Order<'_>) -> Option<String> {
    let words = |field: Field<'_>| {
        let usage = field.component(1);
        usage.subcomponent(2).text().or_else(|| field.component(2).text()).map(|t| t.into_owned())
    };
    let usages = o.tq1.map(|tq1| tq1.field(3).repetitions().filter_map(words).collect::<Vec<_>>()).unwrap_or_default();
    let rate = o.rxe.field(23).code().map(|rate| {
        let unit = o.rxe.field(24).component(1).text().unwrap_or_default();
        format!("{rate} {unit}").trim_end().to_owned()
    });
    let mut all = usages;
    all.extend(words(o.rxe.field(7)));
    all.extend(rate);
    all.extend(o.tq1.and_then(|tq1| tq1.field(11).text()).map(|t| t.into_owned()));
    (!all.is_empty()).then(|| all.join(" / "))
}

/// OMP-11 and OMP-12: one row a drug given. RXR stands behind the drugs that it is the route of.
pub fn given(sheet: &mut Sheet<'_>, message: Message<'_>, type_concept_id: i32) {
    let mut orc: Option<Segment<'_>> = None;
    let mut drugs: Vec<Segment<'_>> = Vec::new();
    let mut texts: Vec<Segment<'_>> = Vec::new();
    for segment in message.segments() {
        match &segment.id() {
            b"ORC" => {
                doses(sheet, orc, &mut drugs, None, &mut texts, type_concept_id);
                orc = Some(segment);
            }
            b"RXA" => drugs.push(segment),
            b"RXR" => doses(sheet, orc, &mut drugs, Some(segment), &mut texts, type_concept_id),
            b"NTE" => texts.push(segment),
            _ => {}
        }
    }
    doses(sheet, orc, &mut drugs, None, &mut texts, type_concept_id);
}

fn doses<'t>(
    sheet: &mut Sheet<'_>,
    orc: Option<Segment<'t>>,
    drugs: &mut Vec<Segment<'t>>,
    rxr: Option<Segment<'t>>,
    texts: &mut Vec<Segment<'t>>,
    type_concept_id: i32,
) {
    let route = route(rxr);
    let key = orc.and_then(order_key);
    let mut last = None;
    for rxa in drugs.drain(..) {
        if orc.is_some_and(cancelled) {
            sheet.none(NoRow::Cancelled);
            continue;
        }
        if matches!(rxa.field(20).code(), Some("NA" | "RE")) {
            sheet.none(NoRow::NotGiven);
            continue;
        }
        let Some(code) = drug(sheet, rxa, 5) else {
            continue;
        };
        let start = sheet.time(rxa, 3);
        let start = sheet.or_file_day(start, rxa, 3);
        let mut end = sheet.time(rxa, 4).unwrap_or(start);
        if end.day < start.day {
            sheet.say_at(Severity::Warning, Text::new("ssmix2-end-before-start"), rxa, 4);
            end = start;
        }
        let at = sheet.head.source_ts;
        let ordered_by = orc.and_then(|orc| sheet.staff.order(orc, at));
        let nowhere = rxa.field(usize::MAX);
        let provider = sheet.staff.doctor(rxa.field(10), nowhere, at).or(ordered_by);
        let quantity = quantity(sheet, rxa, 6);
        let unit = unit(rxa.field(7));
        let rate = rxa.field(12).text();
        sheet.drug(DrugExposureRow {
            drug_exposure_start_date: start.day,
            drug_exposure_start_datetime: start.micros,
            drug_exposure_end_date: end.day,
            drug_exposure_end_datetime: end.micros,
            drug_type_concept_id: type_concept_id,
            quantity,
            sig: rate.as_deref(),
            lot_number: rxa.field(15).code(),
            provider_id: provider,
            drug_source_value: Some(&code),
            drug_source_concept_id: Some(0),
            route_source_value: route.as_deref(),
            dose_unit_source_value: unit.as_deref(),
            order_key: key.as_deref(),
            ..Default::default()
        });
        if let Some(text) = rxa.field(9).component(2).text() {
            sheet.note(start, Some("administration comment"), &text, Some(&code), provider);
        }
        last = Some(start);
    }
    if let Some(time) = last {
        notes(sheet, &std::mem::take(texts), time, None, None);
    }
}

/// Types of the rows of the four drug messages.
pub const fn type_of(subject: super::kinds::Subject) -> i32 {
    use super::kinds::Subject;
    match subject {
        Subject::InjectionOrder => type_concept::ORDER,
        Subject::Dispensing => type_concept::DISPENSING,
        Subject::Administration => type_concept::ADMINISTRATION,
        _ => type_concept::PRESCRIPTION,
    }
}
