//! OMG-11, OMG-12 → procedure_occurrence, with what is stated of the procedure, and the drugs and devices used.

use std::borrow::Cow;

use messages::{Message as Text, Severity};
use omop::{DeviceExposureRow, DrugExposureRow, ProcedureOccurrenceRow, type_concept};

use super::codes::Coded;
use super::drugs::{cancelled, drug_of};
use super::results::{About, Context, observation};
use super::sheet::{NoRow, Sheet};
use crate::hl7::{Field, Message, Segment, Time, amount};

/// Radiology and endoscopy carried out.
///
/// What was done stands in ZE1. Where a message has no ZE1 at all, each request (OBR) is taken for what was done, except
/// a parent whose children are there.
pub fn procedures(sheet: &mut Sheet<'_>, message: Message<'_>) {
    let detailed = message.segments().any(|s| s.id() == *b"ZE1");
    let children = message.segments().any(|s| s.id() == *b"ORC" && s.field(1).code() == Some("CH"));
    let mut orc: Option<Segment<'_>> = None;
    let mut dead = false;
    let mut context =
        Context { time: None, type_concept: type_concept::EHR, own_time_first: true, subject: About::Act, provider: None };
    for segment in message.segments() {
        match &segment.id() {
            b"ORC" => {
                (orc, dead) = (Some(segment), cancelled(segment));
                context.provider = sheet.staff.order(segment, sheet.head.source_ts);
            }
            b"OBR" => {
                let stated = sheet.time(segment, 7);
                context.time = Some(sheet.or_file_day(stated, segment, 7));
                let at = sheet.head.source_ts;
                context.provider = sheet.staff.doctor(segment.field(16), segment.field(usize::MAX), at).or(context.provider);
                let parent = orc.is_some_and(|o| o.field(1).code() == Some("PA")) && children;
                if dead {
                    sheet.none(NoRow::Cancelled);
                } else if detailed || parent {
                    sheet.none(NoRow::Parent);
                } else {
                    procedure(sheet, segment, 4, None, &context);
                }
            }
            b"ZE1" | b"OBX" if dead => sheet.none(NoRow::Cancelled),
            b"ZE1" => ze1(sheet, segment, &context),
            b"OBX" => observation(sheet, segment, &context),
            b"IPC" => sheet.none(NoRow::ImageLink),
            b"ZE2" => sheet.none(NoRow::Exposure),
            b"NTE" => {
                if let (Some(text), Some(time)) = (sheet.text(segment, 3), context.time) {
                    sheet.note(time, Some("procedure comment"), &text, None, context.provider);
                }
            }
            _ => {}
        }
    }
}

fn ze1(sheet: &mut Sheet<'_>, ze1: Segment<'_>, context: &Context) {
    let times = ze1.field(4).component(1).code().and_then(amount).map(|a| a.number);
    procedure(sheet, ze1, 3, times.filter(|n| n.fract() == 0.0 && (0.0..=10_000.0).contains(n)).map(|n| n as i32), context);
    let Some(time) = context.time else {
        return;
    };
    for part in ze1.field(9).repetitions().filter(|p| !p.is_empty()) {
        goods(sheet, part, ze1, 9, time, context.provider);
    }
}

fn procedure(sheet: &mut Sheet<'_>, segment: Segment<'_>, number: usize, quantity: Option<i32>, context: &Context) {
    let coded = Coded::of(segment.field(number), &["JJ1017", "LENDO"]);
    let Some(source) = coded.source_value(&[]) else {
        sheet.say_at(Severity::Error, Text::new("ssmix2-code-missing"), segment, number);
        return;
    };
    let time = context.time.unwrap_or(Time { day: sheet.file_day, micros: None, partial: false });
    sheet.procedure(ProcedureOccurrenceRow {
        procedure_date: time.day,
        procedure_datetime: time.micros,
        procedure_type_concept_id: type_concept::EHR,
        quantity,
        provider_id: context.provider,
        procedure_source_value: Some(&source),
        procedure_source_concept_id: Some(0),
        ..Default::default()
    });
}

/// A value of type ZRD, `code^name^system^amount^unit&text&system`: a drug where the system is one of drugs, else a device.
pub fn goods(sheet: &mut Sheet<'_>, value: Field<'_>, segment: Segment<'_>, number: usize, time: Time, provider: Option<i64>) {
    // The first three components are the code; the rest is amount and unit, not another coding.
    let system = value.component(3).code();
    let amount = value.component(4).code().and_then(amount).map(|a| a.number);
    let unit = value.component(5).subcomponent(1).text();
    let is_drug = system.is_some_and(|s| s.starts_with("HOT") || matches!(s, "YJ" | "RECEIPT"));
    if is_drug {
        let Some(code) = drug_of(sheet, value, segment, number) else {
            return;
        };
        sheet.drug(DrugExposureRow {
            drug_exposure_start_date: time.day,
            drug_exposure_start_datetime: time.micros,
            drug_exposure_end_date: time.day,
            drug_exposure_end_datetime: time.micros,
            drug_type_concept_id: type_concept::ADMINISTRATION,
            quantity: amount,
            provider_id: provider,
            drug_source_value: Some(&code),
            drug_source_concept_id: Some(0),
            dose_unit_source_value: unit.as_deref(),
            ..Default::default()
        });
        return;
    }
    let coded = Coded { code: value.component(1).code(), text: value.component(2).text(), system };
    if coded.is_empty() {
        sheet.say_at(Severity::Error, Text::new("ssmix2-code-missing"), segment, number);
        return;
    }
    device_row(sheet, &coded, time, amount, unit, provider);
}

/// A coded value that is an article number (JAN, GTIN) is a device. Says whether it was one.
pub fn device(sheet: &mut Sheet<'_>, coded: &Coded<'_>, time: Time, context: &Context) -> bool {
    let article = context.subject == About::Act && matches!(coded.system, Some("JAN" | "GTIN" | "EAN"));
    if article {
        device_row(sheet, coded, time, None, None, context.provider);
    }
    article
}

fn device_row(
    sheet: &mut Sheet<'_>,
    coded: &Coded<'_>,
    time: Time,
    amount: Option<f64>,
    unit: Option<Cow<'_, str>>,
    provider: Option<i64>,
) {
    let source = coded.source_value(&[]);
    sheet.device(DeviceExposureRow {
        device_exposure_start_date: time.day,
        device_exposure_start_datetime: time.micros,
        device_exposure_end_date: Some(time.day),
        device_type_concept_id: type_concept::EHR,
        quantity: amount.filter(|n| n.fract() == 0.0 && (0.0..=1_000_000.0).contains(n)).map(|n| n as i32),
        provider_id: provider,
        device_source_value: source.as_deref(),
        device_source_concept_id: Some(0),
        unit_source_value: unit.as_deref(),
        ..Default::default()
    });
}
