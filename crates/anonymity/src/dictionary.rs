//! The data dictionary that goes with a data set: every table and column, its type, and what was done to it.

use messages::{Lang, Message};

use crate::months;
use crate::profile::{Kind, Profile, Treatment};
use crate::treat::births;
use arrow::record_batch::RecordBatch;
use std::collections::BTreeMap;

/// The dictionary as CSV with a header row: table, column, type, empty allowed, treatment, what it means.
pub fn dictionary(profile: &Profile, tables: &BTreeMap<String, RecordBatch>, lang: Lang) -> String {
    let mut out = String::from("table,column,type,nullable,treatment,meaning\n");
    for (name, batch) in tables {
        for field in batch.schema().fields() {
            let Some(treatment) = profile.treatment(name, field.name()) else { continue };
            let cells = [
                name.clone(),
                field.name().clone(),
                field.data_type().to_string(),
                field.is_nullable().to_string(),
                treatment.as_str().to_owned(),
                meaning_of(profile, name, field.name(), treatment, lang),
            ];
            let line: Vec<String> = cells.iter().map(|c| quoted(c)).collect();
            out.push_str(&line.join(","));
            out.push('\n');
        }
    }
    out
}

fn meaning_of(profile: &Profile, table: &str, column: &str, treatment: &Treatment, lang: Lang) -> String {
    let text = meaning(treatment, profile).text(lang);
    if let (Some(_), Some(privacy), "death", "death_date") = (months::of_deaths(profile), &profile.privacy, table, column) {
        return format!("{text}; {}", Message::new("anonymity-treat-few-deaths").with("k", privacy.k).text(lang));
    }
    if *treatment != Treatment::Drop && births::moves(profile, table, column) {
        return format!("{text}; {}", Message::new("anonymity-treat-birth-moved").text(lang));
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// What a treatment means, in words.
pub fn meaning(treatment: &Treatment, profile: &Profile) -> Message {
    let privacy = profile.privacy.as_ref();
    described(treatment, profile.kind, privacy.map(|p| (p.rare_persons, p.extreme_persons, p.shift_days)))
}

pub(crate) fn described(treatment: &Treatment, kind: Kind, thresholds: Option<(u32, u32, Option<u16>)>) -> Message {
    let (rare, extreme, shift) = thresholds.unwrap_or((0, 0, None));
    match treatment {
        Treatment::Keep => Message::new("anonymity-treat-keep"),
        Treatment::Drop => Message::new("anonymity-treat-drop"),
        Treatment::NewPersonId if kind == Kind::LinkableAnonymized => Message::new("anonymity-treat-random-person-id"),
        Treatment::NewPersonId => Message::new("anonymity-treat-new-person-id"),
        Treatment::NewId { of } => Message::new("anonymity-treat-new-id").with("of", of),
        Treatment::Shift => Message::new("anonymity-treat-shift").with("days", shift.unwrap_or(0)),
        Treatment::Month => Message::new("anonymity-treat-month"),
        Treatment::Year => Message::new("anonymity-treat-year"),
        Treatment::Band { width } => Message::new("anonymity-treat-band").with("width", width),
        Treatment::Clamp { least, most } => {
            let bound = |b: &Option<f64>| b.map_or_else(|| "–".to_owned(), |b| b.to_string());
            Message::new("anonymity-treat-clamp").with("least", bound(least)).with("most", bound(most))
        }
        Treatment::Extremes => Message::new("anonymity-treat-extremes").with("persons", extreme),
        Treatment::Code { rare: true, .. } if rare > 0 => Message::new("anonymity-treat-code").with("persons", rare),
        Treatment::Code { .. } => Message::new("anonymity-treat-code-words"),
        Treatment::Follow { code } => Message::new("anonymity-treat-follow").with("code", code),
        Treatment::Unit => Message::new("anonymity-treat-unit"),
        Treatment::Value { code } => Message::new("anonymity-treat-value").with("code", code).with("persons", extreme),
        Treatment::ResultText => Message::new("anonymity-treat-result-text"),
        Treatment::Class { other, .. } => Message::new("anonymity-treat-class").with("other", other),
    }
}
