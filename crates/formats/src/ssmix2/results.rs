//! OBX → measurement, observation, note: laboratory (OML-11), physiology (OMG-13), vital signs, ADT-00, and what orders
//! state of the patient.

use std::borrow::Cow;

use messages::{Message as Text, Severity};
use omop::{MeasurementRow, ObservationRow, SpecimenRow, concept, type_concept};

use super::codes::{Coded, JLAC10};
use super::drugs::cancelled;
use super::kinds::Subject;
use super::sheet::{NoRow, Sheet};
use crate::hl7::{Amount, Field, Message, Operator, Segment, Time, amount, range};

/// Result "negative" and "positive" of the standard vocabulary's measurement values.
const NEGATIVE: i32 = 9189;
const POSITIVE: i32 = 9191;

/// What an OBX is about: whether coded values are measured values or statements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A specimen or the body: values are measurements.
    Body,
    /// A procedure: codes and texts describe it.
    Act,
}

/// What stands around an OBX.
#[derive(Clone, Copy)]
pub struct Context {
    /// Time of the specimen, or of the examination.
    pub time: Option<Time>,
    /// Type of the rows.
    pub type_concept: i32,
    /// Whether the OBX's own time stands before `time`.
    pub own_time_first: bool,
    /// Measurement or statement.
    pub subject: About,
    /// Who ordered or reported.
    pub provider: Option<i64>,
}

/// OML-11, OMG-13, ORU^R30, and the orders OML-01, OMG-01 to 03.
pub fn results(sheet: &mut Sheet<'_>, message: Message<'_>, subject: Subject) {
    let mut context = Context {
        time: None,
        type_concept: if subject == Subject::LabResult { type_concept::LAB } else { type_concept::EHR },
        own_time_first: true,
        subject: if subject == Subject::Order { About::Act } else { About::Body },
        provider: None,
    };
    let order = subject == Subject::Order;
    let mut specimen: Option<Time> = None;
    let mut dead = false;
    for segment in message.segments() {
        match &segment.id() {
            b"SPM" => {
                specimen = sheet.time(segment, 17);
                (context.time, dead) = (specimen, false);
                // SPM-17 before OBX-14 before OBR-7.
                context.own_time_first = subject != Subject::LabResult || specimen.is_none();
                if !order {
                    specimen_row(sheet, segment, specimen);
                }
            }
            b"OBR" => {
                if order {
                    sheet.none(if dead { NoRow::Cancelled } else { NoRow::OrderOnly });
                }
                // Before its ORC in results, after it in orders; a time of the specimen stands before one of the request.
                let requested = if specimen.is_none() { sheet.time(segment, 7) } else { None };
                context.time = specimen.or(requested).or(if order { context.time } else { None });
                let at = sheet.head.source_ts;
                context.provider = sheet.staff.doctor(segment.field(16), segment.field(usize::MAX), at).or(context.provider);
            }
            b"ORC" => {
                dead = cancelled(segment);
                context.provider = sheet.staff.order(segment, sheet.head.source_ts).or(context.provider);
                if order && context.time.is_none() {
                    context.time = sheet.time(segment, 9);
                }
            }
            b"OBX" if dead => sheet.none(NoRow::Cancelled),
            b"OBX" => observation(sheet, segment, &context),
            b"NTE" => {
                if let Some(text) = sheet.text(segment, 3) {
                    let time = context.time.unwrap_or(Time { day: sheet.file_day, micros: None, partial: false });
                    sheet.note(time, Some("result comment"), &text, None, context.provider);
                }
            }
            _ => {}
        }
    }
}

fn specimen_row(sheet: &mut Sheet<'_>, spm: Segment<'_>, time: Option<Time>) {
    let kind = Coded::of(spm.field(4), JLAC10);
    if kind.is_empty() {
        sheet.say_at(Severity::Warning, Text::new("ssmix2-code-missing"), spm, 4);
        return;
    }
    let time = sheet.or_file_day(time, spm, 17);
    let source = kind.source_value(JLAC10);
    let site = Coded::of(spm.field(8), JLAC10).source_value(JLAC10);
    sheet.specimen(SpecimenRow {
        specimen_type_concept_id: type_concept::LAB,
        specimen_date: time.day,
        specimen_datetime: time.micros,
        specimen_source_id: spm.field(2).component(1).code(),
        specimen_source_value: source.as_deref(),
        anatomic_site_source_value: site.as_deref(),
        ..Default::default()
    });
}

/// One OBX.
pub fn observation(sheet: &mut Sheet<'_>, obx: Segment<'_>, context: &Context) {
    if matches!(obx.field(11).code(), Some("X" | "D" | "W" | "O" | "I" | "N")) {
        sheet.none(NoRow::NoResult);
        return;
    }
    let item = Coded::of(obx.field(3), JLAC10);
    if item.is_empty() {
        sheet.say_at(Severity::Error, Text::new("ssmix2-code-missing"), obx, 3);
        return;
    }
    let value = obx.field(5);
    if value.is_empty() {
        sheet.say_at(Severity::Warning, Text::new("ssmix2-value-missing"), obx, 5);
        return;
    }
    let own = sheet.time(obx, 14);
    let stated = if context.own_time_first { own.or(context.time) } else { context.time.or(own) };
    let time = sheet.or_file_day(stated, obx, 14);
    let source = item.source_value(JLAC10);
    let entry = Entry { obx, item: &item, source: source.as_deref(), time, context };
    match obx.field(2).code() {
        Some("NM") => entry.each(sheet, value, |entry, sheet, part| entry.number(sheet, part)),
        Some("SN") => entry.each(sheet, value, |entry, sheet, part| entry.structured(sheet, part)),
        Some("ST") => entry.each(sheet, value, |entry, sheet, part| entry.string(sheet, part)),
        Some("CWE" | "CE" | "CNE" | "CF" | "IS" | "ID" | "CX") => {
            entry.each(sheet, value, |entry, sheet, part| entry.coded(sheet, part));
        }
        Some("TX" | "FT") => entry.text(sheet),
        Some("TS" | "DT" | "TM" | "DTM") => {
            let text = value.text().unwrap_or_default();
            entry.statement(sheet, Some(&text), None);
        }
        Some("XCN" | "XPN" | "PN" | "XAD" | "XTN") => {
            let at = sheet.head.source_ts;
            sheet.staff.doctor(value, obx.field(usize::MAX), at);
            sheet.none(NoRow::PersonValue);
        }
        Some("ZRD") => entry.each(sheet, value, |entry, sheet, part| {
            super::procedures::goods(sheet, part, entry.obx, 5, entry.time, entry.context.provider);
        }),
        other => {
            let message = Text::new("ssmix2-value-type").with("value", other.unwrap_or(""));
            sheet.say_at(Severity::Warning, message, obx, 2);
            if !matches!(other, Some("ED" | "RP")) {
                entry.each(sheet, value, |entry, sheet, part| entry.string(sheet, part));
            }
        }
    }
}

/// An OBX being mapped.
struct Entry<'e, 't> {
    obx: Segment<'t>,
    item: &'e Coded<'t>,
    source: Option<&'e str>,
    time: Time,
    context: &'e Context,
}

/// The value of a row.
#[derive(Default)]
struct Value<'v> {
    amount: Option<Amount>,
    concept: Option<i32>,
    source: Option<&'v str>,
}

/// Longest qualitative result that is a value; what is longer is a text.
const LONGEST_VALUE: usize = 60;

impl Entry<'_, '_> {
    fn each<'f>(&self, sheet: &mut Sheet<'_>, value: Field<'f>, map: impl Fn(&Self, &mut Sheet<'_>, Field<'f>)) {
        for part in value.repetitions().filter(|p| !p.is_empty()) {
            map(self, sheet, part);
        }
    }

    fn number(&self, sheet: &mut Sheet<'_>, value: Field<'_>) {
        let text = value.text().unwrap_or_default();
        let found = amount(&text);
        match found {
            Some(a) if a.doubtful || a.operator.is_some() => {
                let message = Text::new("ssmix2-number-normalised").with("value", &text).with("used", a.number);
                sheet.say_at(Severity::Warning, message, self.obx, 5);
            }
            Some(_) => {}
            None => {
                let message = Text::new("ssmix2-number-unreadable").with("value", &text);
                sheet.say_at(Severity::Warning, message, self.obx, 5);
            }
        }
        self.measurement(sheet, &Value { amount: found, concept: None, source: Some(&text) });
    }

    /// SN: comparator, number, separator, number. Of titres and ranges (`1:128`) the source value alone is kept.
    fn structured(&self, sheet: &mut Sheet<'_>, value: Field<'_>) {
        let parts: Vec<Cow<'_, str>> = (1..=4).map(|i| value.component(i).text().unwrap_or_default()).collect();
        let source = parts.concat();
        let simple = parts[2].is_empty() && parts[3].is_empty();
        let found = if simple { amount(&source) } else { None };
        if simple && found.is_none() {
            let message = Text::new("ssmix2-number-unreadable").with("value", &source);
            sheet.say_at(Severity::Warning, message, self.obx, 5);
        }
        self.measurement(sheet, &Value { amount: found, concept: None, source: Some(&source) });
    }

    /// ST: often a number with a comparator, else a qualitative result, else a text.
    fn string(&self, sheet: &mut Sheet<'_>, value: Field<'_>) {
        let text = value.text().unwrap_or_default();
        if text.is_empty() {
            sheet.say_at(Severity::Warning, Text::new("ssmix2-value-missing"), self.obx, 5);
            return;
        }
        let found = amount(&text);
        if let Some(a) = found.filter(|a| a.doubtful) {
            let message = Text::new("ssmix2-number-normalised").with("value", &text).with("used", a.number);
            sheet.say_at(Severity::Warning, message, self.obx, 5);
        }
        if found.is_none() && (text.chars().count() > LONGEST_VALUE || text.contains('\n')) {
            self.note(sheet, &text);
        } else if self.context.subject == About::Act && found.is_none() {
            self.statement(sheet, Some(&text), None);
        } else {
            self.measurement(sheet, &Value { amount: found, concept: qualitative(&text), source: Some(&text) });
        }
    }

    fn coded(&self, sheet: &mut Sheet<'_>, value: Field<'_>) {
        let coded = Coded::of(value, &[]);
        let source = match (coded.code, coded.system) {
            (Some(code), None) => Some(Cow::Borrowed(code)),
            (None, _) => coded.text.as_deref().map(Cow::Borrowed),
            _ => coded.source_value(&[]),
        };
        if super::procedures::device(sheet, &coded, self.time, self.context) {
            return;
        }
        match self.context.subject {
            About::Act => self.statement(sheet, coded.text.as_deref(), source.as_deref()),
            About::Body => {
                let concept = coded.text.as_deref().and_then(qualitative).or_else(|| coded.code.and_then(qualitative));
                self.measurement(sheet, &Value { amount: None, concept, source: source.as_deref() });
            }
        }
    }

    /// TX, FT: repetitions are lines.
    fn text(&self, sheet: &mut Sheet<'_>) {
        let lines: Vec<Cow<'_, str>> = self.obx.field(5).repetitions().filter_map(Field::text).collect();
        if self.obx.field(5).has_stray_escape() {
            sheet.say_once(Severity::Info, Text::new("ssmix2-stray-escape"), self.obx, 5);
        }
        if !lines.is_empty() {
            self.note(sheet, &lines.join("\n"));
        }
    }

    fn note(&self, sheet: &mut Sheet<'_>, text: &str) {
        sheet.note(self.time, self.item.text.as_deref(), text, self.source, self.context.provider);
    }

    fn statement(&self, sheet: &mut Sheet<'_>, text: Option<&str>, source: Option<&str>) {
        sheet.observation(ObservationRow {
            observation_date: self.time.day,
            observation_datetime: self.time.micros,
            observation_type_concept_id: self.context.type_concept,
            value_as_string: text,
            provider_id: self.context.provider,
            observation_source_value: self.source,
            observation_source_concept_id: Some(0),
            value_source_value: source.or(text),
            ..Default::default()
        });
    }

    fn measurement(&self, sheet: &mut Sheet<'_>, value: &Value<'_>) {
        let obx = self.obx;
        if let (Some(code), Some(system)) = (self.item.code, self.item.system)
            && JLAC10.contains(&system)
            && !matches!(code.len(), 17 | 15)
        {
            let message = Text::new("ssmix2-code-form").with("value", code).with("expected", "JLAC10");
            sheet.say_at(Severity::Warning, message, obx, 3);
        }
        let unit_field = obx.field(6);
        let unit = unit_field.component(1).text().or_else(|| unit_field.component(2).text());
        let bounds = obx.field(7).text().and_then(|text| {
            let found = range(&text);
            if found.is_none() {
                sheet.none(NoRow::RangeInWords);
            }
            found
        });
        sheet.measurement(MeasurementRow {
            measurement_date: self.time.day,
            measurement_datetime: self.time.micros,
            measurement_type_concept_id: self.context.type_concept,
            operator_concept_id: value.amount.and_then(|a| a.operator).map(operator_concept),
            value_as_number: value.amount.map(|a| a.number),
            value_as_concept_id: value.concept,
            unit_concept_id: unit.is_some().then_some(concept::NONE),
            range_low: bounds.and_then(|b| b.low),
            range_high: bounds.and_then(|b| b.high),
            provider_id: self.context.provider,
            measurement_source_value: self.source,
            measurement_source_concept_id: Some(0),
            unit_source_value: unit.as_deref(),
            value_source_value: value.source,
            ..Default::default()
        });
    }
}

const fn operator_concept(operator: Operator) -> i32 {
    match operator {
        Operator::Less => concept::LESS,
        Operator::LessOrEqual => concept::LESS_OR_EQUAL,
        Operator::Equal => concept::EQUAL,
        Operator::GreaterOrEqual => concept::GREATER_OR_EQUAL,
        Operator::Greater => concept::GREATER,
    }
}

/// Negative and positive as laboratories write them; anything between stays a source value.
fn qualitative(text: &str) -> Option<i32> {
    let bare = text.trim_matches(|c: char| matches!(c, '(' | ')' | '（' | '）') || c.is_whitespace());
    match bare {
        "-" | "−" | "－" | "ー" | "陰性" | "NEG" | "Negative" | "negative" => Some(NEGATIVE),
        "+" | "＋" | "陽性" | "POS" | "Positive" | "positive" | "1+" | "2+" | "3+" | "4+" | "++" | "+++" => Some(POSITIVE),
        _ => None,
    }
}
