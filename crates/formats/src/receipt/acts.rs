//! Lines of a claim → procedures, drugs, devices, texts: one row for each day on which something was done.

use messages::{Message as Text, Severity};
use omop::{DeviceExposureRow, DrugExposureRow, ProcedureOccurrenceRow, type_concept};

use super::claim::{Claim, Surgery, coded};
use super::forms::{Daily, Form};
use crate::columns::Row;
use crate::days::day;
use crate::numbers::{Number, decimal_at, whole_at};
use crate::rows::{Book, whole};
use crate::written::Scribe;

/// What a line with day columns is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// SI, SS.
    Act,
    /// IY.
    Drug,
    /// TO.
    Device,
}

/// A drug of sections 21 is taken by mouth day by day: its count is days.
fn is_by_days(section: &[u8]) -> bool {
    section == b"21"
}

fn section_text(section: &[u8; 2]) -> Option<&str> {
    std::str::from_utf8(section).ok().map(str::trim).filter(|s| !s.is_empty())
}
/// A line with 31 day columns.
pub fn daily(
    claim: &mut Claim,
    row: Row<'_>,
    about: About,
    layout: &Daily,
    (record, line): (&str, u64),
    scribe: &mut Scribe,
    book: &mut Book,
) {
    if let [a, b] = row.get(2) {
        claim.section = [*a, *b];
    }
    let code = row.code(4, scribe);
    if code.len() != 9 || !code.bytes().all(|b| b.is_ascii_digit()) {
        book.say_line(Severity::Warning, Text::new("receipt-code-form").with("expected", 9), (record, line), 4);
        if code.is_empty() {
            book.none("no-code");
            return;
        }
    }
    let place = (record, line);
    let amount = decimal_at(row, layout.amount, place, scribe, book).some();
    let stated = whole_at(row, layout.count, place, scribe, book);
    let count = stated.some();
    if let Some(points) = decimal_at(row, layout.points, place, scribe, book).some() {
        claim.points_of_lines += points * count.unwrap_or(1) as f64;
    }
    let section = claim.section;
    let mut sum = 0;
    for n in 0..31u32 {
        let field = row.get(layout.days + n as usize);
        if field.is_empty() {
            continue;
        }
        let Some(times) = whole_at(row, layout.days + n as usize, place, scribe, book).some() else { continue };
        if times == 0 {
            continue;
        }
        sum += times;
        let Some(day) = claim.month.nth(n + 1) else {
            book.say_line(Severity::Warning, Text::new("receipt-no-such-day"), (record, line), layout.days + n as usize);
            continue;
        };
        claim.named |= 1 << n;
        done(claim, about, &code, amount, times, day, &section, row, layout, book);
    }
    match count {
        Some(count) if sum == 0 && count > 0 => {
            // Editions before the day columns: the claim's first day stands in.
            book.say_line(Severity::Info, Text::new("receipt-no-days"), (record, line), layout.days);
            let day = claim.first_day().or(claim.admission).unwrap_or(claim.month.first());
            done(claim, about, &code, amount, count, day, &section, row, layout, book);
        }
        Some(count) if sum != count => {
            let message = Text::new("receipt-days-sum").with("expected", count).with("found", sum);
            book.say_line(Severity::Warning, message, (record, line), layout.count);
        }
        // Neither a day nor a count that can be read.
        None if sum == 0 && stated == Number::Unread => book.none("unread-count"),
        _ => {}
    }
    for at in layout.comments {
        let text = row.get(at + 1);
        if !text.is_empty() {
            let text = scribe.text(text).into_owned();
            let comment = String::from_utf8_lossy(row.get(*at)).into_owned();
            let day = claim.first_day().unwrap_or(claim.month.first());
            book.note(&claim.at(), day, "receipt comment", &text, Some(&comment).filter(|c| !c.is_empty()).map(|c| c.as_str()));
        }
    }
    book.say_met(scribe.take(), (record, line));
}

#[allow(clippy::too_many_arguments)]
fn done(
    claim: &mut Claim,
    about: About,
    code: &str,
    amount: Option<f64>,
    times: i64,
    day: i32,
    section: &[u8; 2],
    row: Row<'_>,
    layout: &Daily,
    book: &mut Book,
) {
    match about {
        About::Act => {
            let additions = if layout.points == 77 { additions(row) } else { None };
            act(claim, code, times, day, additions.as_deref(), book);
        }
        About::Drug => drug(claim, code, amount, times, day, section, book),
        About::Device => {
            let unit = row.get(layout.unit);
            device(claim, code, amount, times, day, std::str::from_utf8(unit).ok().filter(|u| !u.is_empty()), book);
        }
    }
}

/// Addition codes of a dental act, `code*quantity` by blanks.
fn additions(row: Row<'_>) -> Option<String> {
    let mut out = String::new();
    for n in 0..35 {
        let code = row.get(7 + 2 * n);
        if !code.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&String::from_utf8_lossy(code));
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Laboratory acts of the claims' code set: what was ordered, not what came out.
fn is_laboratory(code: &str) -> bool {
    code.starts_with("160")
}

/// An act on a day.
pub fn act(claim: &mut Claim, code: &str, times: i64, day: i32, modifier: Option<&str>, book: &mut Book) {
    if !claim.surgeries.is_empty() {
        claim.stated.push((code.to_owned(), day));
    }
    book.procedure(
        &claim.at(),
        ProcedureOccurrenceRow {
            procedure_date: day,
            procedure_type_concept_id: type_concept::CLAIM,
            quantity: whole(times as f64),
            procedure_source_value: Some(code),
            procedure_source_concept_id: Some(0),
            modifier_source_value: modifier.or(if is_laboratory(code) { Some("order") } else { None }),
            ..Default::default()
        },
    );
}

fn drug(claim: &mut Claim, code: &str, amount: Option<f64>, times: i64, day: i32, section: &[u8; 2], book: &mut Book) {
    let days = if is_by_days(section) { whole(times as f64).filter(|d| (1..=3_660).contains(d)) } else { None };
    book.drug(
        &claim.at(),
        DrugExposureRow {
            drug_exposure_start_date: day,
            drug_exposure_end_date: day + days.map_or(0, |d| d - 1),
            drug_type_concept_id: type_concept::CLAIM,
            quantity: amount.map(|a| a * times as f64),
            days_supply: days,
            drug_source_value: Some(code),
            drug_source_concept_id: Some(0),
            route_source_value: section_text(section),
            ..Default::default()
        },
    );
}

fn device(claim: &mut Claim, code: &str, amount: Option<f64>, times: i64, day: i32, unit: Option<&str>, book: &mut Book) {
    book.device(
        &claim.at(),
        DeviceExposureRow {
            device_exposure_start_date: day,
            device_type_concept_id: type_concept::CLAIM,
            quantity: amount.and_then(|a| whole(a * times as f64)),
            device_source_value: Some(code),
            device_source_concept_id: Some(0),
            unit_source_value: unit,
            ..Default::default()
        },
    );
}

/// CD: what was really done inside the bundle. It has no points, and a date of its own.
pub fn coding(claim: &mut Claim, row: Row<'_>, line: u64, scribe: &mut Scribe, book: &mut Book) {
    let at = ("CD", line);
    if let [a, b] = row.get(3) {
        claim.section = [*a, *b];
    }
    let Some(day) = day(row.code(2, scribe).as_bytes()).map(|d| d.day) else {
        book.say_line(Severity::Warning, Text::new("formats-date"), at, 2);
        book.none("no-date");
        return;
    };
    claim.last_line = claim.last_line.max(Some(day));
    let code = row.code(6, scribe);
    let amount = row.decimal(7);
    let times = row.int(10).unwrap_or(1);
    let section = claim.section;
    match code.as_bytes().first() {
        Some(b'6') => drug(claim, &code, amount, times, day, &section, book),
        Some(b'7') => {
            device(claim, &code, amount, times, day, std::str::from_utf8(row.get(9)).ok().filter(|u| !u.is_empty()), book)
        }
        Some(b'8') => book.none("comment-code"),
        Some(_) => act(claim, &code, times, day, None, book),
        None => {
            book.say_line(Severity::Warning, Text::new("receipt-code-form").with("expected", 9), at, 6);
            book.none("no-code");
        }
    }
}

/// SK: a surgery; the lines of the claim mostly state the same act.
pub fn surgery(claim: &mut Claim, row: Row<'_>, line: u64, scribe: &mut Scribe, book: &mut Book) {
    let code = row.code(2, scribe).into_owned();
    match day(row.code(4, scribe).as_bytes()) {
        Some(d) if !code.is_empty() => claim.surgeries.push(Surgery { code, day: d.day }),
        _ => {
            book.say_line(Severity::Warning, Text::new("formats-date"), ("SK", line), 4);
            book.none("no-date");
        }
    }
}

/// Surgeries that no line of the claim stated.
pub fn surgeries(claim: &mut Claim, book: &mut Book) {
    let stated = std::mem::take(&mut claim.stated);
    for surgery in std::mem::take(&mut claim.surgeries) {
        if stated.iter().any(|(code, day)| *code == surgery.code && *day == surgery.day) {
            book.none("surgery-stated-by-line");
        } else {
            act(claim, &surgery.code, 1, surgery.day, None, book);
        }
    }
}

/// CO, SJ: free text.
pub fn comment(claim: &Claim, row: Row<'_>, form: Form, (record, line): (&str, u64), scribe: &mut Scribe, book: &mut Book) {
    let day = claim.first_day().or(claim.admission).unwrap_or(claim.month.first());
    if record == "SJ" {
        let text = scribe.text(row.rest(3)).into_owned();
        if !text.is_empty() {
            book.note(&claim.at(), day, "symptom details", &text, None);
        }
    } else {
        let at = form.layout().co;
        let code = row.code(at, scribe).into_owned();
        if row.len() > at + 1 && form != Form::Dental {
            // A comma in the text: it is the last field, so nothing is shifted by it.
            book.say_line(Severity::Warning, Text::new("receipt-comma"), (record, line), at + 1);
        }
        let text = if form == Form::Dental { row.get(at + 1) } else { row.rest(at + 1) };
        let text = scribe.text(text).into_owned();
        let code = (!code.is_empty()).then_some(code.as_str());
        if text.trim().is_empty() {
            book.none("comment-code");
        } else {
            book.note(&claim.at(), day, "receipt comment", text.trim(), code);
        }
    }
    book.say_met(scribe.take(), (record, line));
}

/// SH opens a group of a prescription; CZ (when and how much) and IY (what) follow in any number.
pub fn pharmacy(claim: &mut Claim, row: Row<'_>, record: &[u8; 2], line: u64, scribe: &mut Scribe, book: &mut Book) {
    match record {
        b"SH" => {
            close_group(claim, book);
            claim.group.form = row.code(3, scribe).into_owned();
            claim.group.usage = row.code(4, scribe).into_owned();
        }
        b"CZ" => {
            let quantity = row.int(6);
            let found = day(row.code(4, scribe).as_bytes());
            match (found, quantity) {
                (Some(d), Some(quantity)) => {
                    let number = d.day - claim.month.first();
                    if (0..31).contains(&number) && crate::days::Month::at(d.day) == claim.month {
                        claim.named |= 1 << number;
                    } else {
                        book.say_line(Severity::Info, Text::new("receipt-other-month"), ("CZ", line), 4);
                    }
                    claim.group.dispensed.push((d.day, quantity));
                }
                (None, _) => book.say_line(Severity::Warning, Text::new("formats-date"), ("CZ", line), 4),
                (_, None) => book.say_line(Severity::Warning, Text::new("formats-number"), ("CZ", line), 6),
            }
        }
        _ => {
            let code = row.code(3, scribe).into_owned();
            if code.is_empty() {
                book.say_line(Severity::Warning, Text::new("receipt-code-form").with("expected", 9), ("IY", line), 3);
                book.none("no-code");
            } else {
                claim.group.drugs.push((code, decimal_at(row, 4, ("IY", line), scribe, book).some()));
            }
        }
    }
}

/// Rows that one group of a pharmacy claim makes.
const MOST_OF_A_GROUP: usize = 20_000;

/// A drug of a group was dispensed at each date of the group.
pub fn close_group(claim: &mut Claim, book: &mut Book) {
    let group = std::mem::take(&mut claim.group);
    if group.drugs.is_empty() {
        return;
    }
    if group.dispensed.is_empty() {
        for _ in &group.drugs {
            book.none("drug-without-dispensing");
        }
        book.say(Severity::Warning, Text::new("receipt-not-dispensed").with("count", group.drugs.len()));
        return;
    }
    // A month has 31 days, and nobody is given hundreds of drugs at once: each date times each drug is not to fill the memory.
    if group.dispensed.len().saturating_mul(group.drugs.len()) > MOST_OF_A_GROUP {
        for _ in &group.drugs {
            book.none("group-too-large");
        }
        let message = Text::new("receipt-group-size").with("dates", group.dispensed.len()).with("drugs", group.drugs.len());
        book.say(Severity::Error, message);
        return;
    }
    for (day, quantity) in &group.dispensed {
        for (code, amount) in &group.drugs {
            let days = (group.form == "1").then_some(*quantity as i32).filter(|d| (1..=3_660).contains(d));
            book.drug(
                &claim.at(),
                DrugExposureRow {
                    drug_exposure_start_date: *day,
                    drug_exposure_end_date: day + days.map_or(0, |d| d - 1),
                    drug_type_concept_id: type_concept::PHARMACY_CLAIM,
                    quantity: amount.map(|a| a * *quantity as f64),
                    days_supply: days,
                    sig: (!group.usage.is_empty()).then_some(group.usage.as_str()),
                    drug_source_value: Some(code),
                    drug_source_concept_id: Some(0),
                    route_source_value: (!group.form.is_empty()).then_some(group.form.as_str()),
                    ..Default::default()
                },
            );
        }
    }
}

/// Teeth of a dental diagnosis.
pub fn teeth(claim: &Claim, teeth: &str, code: &str, day: i32, book: &mut Book) {
    let mut row = coded("HS-4", teeth, day, type_concept::CLAIM);
    row.qualifier_source_value = Some(code);
    book.observation(&claim.at(), row);
}
