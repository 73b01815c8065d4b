//! PID → person, identity, where the person lives; ADT-00 as a whole.

use std::borrow::Cow;

use messages::{Message as Text, Severity};
use omop::{IdentityRow, LocationRow, ObservationRow, PersonRow, gender_concept, type_concept};
use terms::{Sex, civil_from_days};

use super::sheet::{NoRow, Sheet};
use super::{allergies, insurance, results};
use crate::hl7::{Field, Message, Segment, Time};
use crate::places::id_of;
use crate::places::prefecture;

/// ADT-00: the person, height, weight and blood group, allergies, disability, insurances.
pub fn basics(sheet: &mut Sheet<'_>, message: Message<'_>) {
    let Some(pid) = message.first(b"PID") else {
        return;
    };
    person(sheet, pid);
    let time = sheet.time(pid, 33).or_else(|| message.first(b"EVN").and_then(|evn| sheet.time(evn, 2))).unwrap_or(Time {
        day: sheet.file_day,
        micros: None,
        partial: false,
    });
    let context = results::Context {
        time: Some(time),
        type_concept: type_concept::EHR,
        own_time_first: true,
        subject: results::About::Body,
        provider: None,
    };
    for segment in message.segments() {
        match &segment.id() {
            b"OBX" => results::observation(sheet, segment, &context),
            b"AL1" => allergies::registered(sheet, segment, time),
            b"DB1" => disability(sheet, segment, time),
            b"IN1" => insurance::insurance(sheet, segment),
            b"NK1" => sheet.none(NoRow::NextOfKin),
            _ => {}
        }
    }
}

/// DB1: kind of disabled person (`PT` is the patient) and whether there is a disability.
fn disability(sheet: &mut Sheet<'_>, db1: Segment<'_>, time: Time) {
    let Some(stated) = db1.field(4).code() else {
        return;
    };
    let who = db1.field(2).component(1).code().unwrap_or("PT");
    let source = format!("DB1:{who}");
    sheet.observation(ObservationRow {
        observation_date: time.day,
        observation_datetime: time.micros,
        observation_type_concept_id: type_concept::EHR,
        observation_source_value: Some(&source),
        value_as_string: Some(stated),
        value_source_value: Some(stated),
        ..Default::default()
    });
}

/// The rows of a PID segment.
pub fn person(sheet: &mut Sheet<'_>, pid: Segment<'_>) {
    let names = Names::of(pid.field(5));
    let birth = birth(sheet, pid);
    let sex = sex(sheet, pid);
    let home = address(pid.field(11));
    let postal = home.and_then(|a| a.component(5).text());
    let address = home.and_then(written_address);
    let phone = phone(pid.field(13));
    let work_phone = phone_of_work(pid);
    sheet.identity(&IdentityRow {
        local_patient_id: sheet.patient,
        family_name: names.ideographic.0.as_deref(),
        given_name: names.ideographic.1.as_deref(),
        family_kana: names.phonetic.0.as_deref(),
        given_kana: names.phonetic.1.as_deref(),
        latin_name: names.latin.as_deref(),
        birth_date: birth.and_then(|b| b.day),
        sex: Some(sex.as_str()),
        postal_code: postal.as_deref(),
        address: address.as_deref(),
        phone: phone.as_deref(),
        work_phone: work_phone.as_deref(),
    });
    let Some(birth) = birth else {
        return;
    };
    let area = postal.as_deref().map(postal_area).filter(|a| a.len() == 3);
    let prefecture = address.as_deref().and_then(prefecture);
    let mut location_id = None;
    if area.is_some() || prefecture.is_some() {
        let source = format!("{}|{}", area.as_deref().unwrap_or(""), prefecture.unwrap_or(""));
        let id = id_of("location", &source);
        location_id = Some(id);
        sheet.location(&LocationRow {
            location_id: id,
            state: prefecture,
            zip: area.as_deref(),
            location_source_value: Some(&source),
            country_source_value: home.and_then(|a| a.component(6).code()),
            ..Default::default()
        });
    }
    sheet.person(&PersonRow {
        gender_concept_id: gender_concept(sex),
        year_of_birth: birth.year,
        month_of_birth: birth.month,
        day_of_birth: birth.date,
        birth_datetime: birth.day.map(|d| i64::from(d) * 86_400_000_000),
        location_id,
        gender_source_value: pid.field(8).component(1).code(),
        gender_source_concept_id: Some(0),
        ..Default::default()
    });
}

#[derive(Clone, Copy)]
struct Birth {
    year: i32,
    month: Option<i32>,
    date: Option<i32>,
    day: Option<i32>,
}

/// PID-7. Of a date that cannot be, the year is kept where it can be read.
fn birth(sheet: &mut Sheet<'_>, pid: Segment<'_>) -> Option<Birth> {
    let field = pid.field(7);
    let Some(text) = field.component(1).code() else {
        sheet.say_at(Severity::Error, Text::new("ssmix2-birth-date").with("value", ""), pid, 7);
        return None;
    };
    if let Ok(time) = Time::parse(text)
        && !time.partial
    {
        let (year, month, date) = civil_from_days(time.day);
        return Some(Birth { year, month: Some(month as i32), date: Some(date as i32), day: Some(time.day) });
    }
    sheet.say_at(Severity::Warning, Text::new("ssmix2-birth-date").with("value", text), pid, 7);
    let number = |from: usize, to: usize| text.get(from..to).filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    let year: i32 = number(0, 4)?.parse().ok().filter(|y| (1850..=2200).contains(y))?;
    let month = number(4, 6).and_then(|m| m.parse().ok()).filter(|m| (1..=12).contains(m));
    Some(Birth { year, month, date: None, day: None })
}

fn sex(sheet: &mut Sheet<'_>, pid: Segment<'_>) -> Sex {
    match pid.field(8).component(1).code() {
        Some("M") => Sex::Male,
        Some("F") => Sex::Female,
        Some("O") => Sex::Other,
        None | Some("U" | "A" | "N") => Sex::Unknown,
        Some(other) => {
            sheet.say_at(Severity::Warning, Text::new("ssmix2-sex").with("value", other), pid, 8);
            Sex::Unknown
        }
    }
}

type Name<'t> = (Option<Cow<'t, str>>, Option<Cow<'t, str>>);

#[derive(Default)]
struct Names<'t> {
    ideographic: Name<'t>,
    phonetic: Name<'t>,
    latin: Option<String>,
}

impl<'t> Names<'t> {
    /// Sorts the repetitions by their representation code (I, P, A). It belongs in component 8, but one producer puts
    /// it a component or two earlier; where there is none, the script decides.
    fn of(field: Field<'t>) -> Self {
        let mut names = Self::default();
        for name in field.repetitions() {
            let (family, given) = (name.component(1).subcomponent(1).text(), name.component(2).text());
            if family.is_none() && given.is_none() {
                continue;
            }
            let stated = [8, 7, 6].into_iter().find_map(|i| name.component(i).code().filter(|c| matches!(*c, "I" | "P" | "A")));
            let whole = [family.as_deref(), given.as_deref()].map(Option::unwrap_or_default).concat();
            match stated.unwrap_or_else(|| script(&whole)) {
                "P" => names.phonetic = (family, given),
                "A" => {
                    let both: Vec<&str> = [family.as_deref(), given.as_deref()].into_iter().flatten().collect();
                    names.latin = Some(both.join(" "));
                }
                _ => names.ideographic = (family, given),
            }
        }
        names
    }
}

fn script(text: &str) -> &'static str {
    let blank = |c: char| c.is_whitespace();
    if text.chars().all(|c| blank(c) || matches!(c, '\u{3041}'..='\u{30FF}' | '\u{FF65}'..='\u{FF9F}')) {
        "P"
    } else if text.chars().all(|c| blank(c) || c.is_ascii() || matches!(c, '\u{FF01}'..='\u{FF5E}')) {
        "A"
    } else {
        "I"
    }
}

/// The home address (component 7 `H`), else the first.
fn address(field: Field<'_>) -> Option<Field<'_>> {
    let mut stated = field.repetitions().filter(|a| !a.is_empty());
    let first = stated.next()?;
    Some(std::iter::once(first).chain(stated).find(|a| a.component(7).code() == Some("H")).unwrap_or(first))
}

/// Component 8, the address as one line; else the parts from the largest to the smallest.
fn written_address(address: Field<'_>) -> Option<String> {
    if let Some(line) = address.component(8).text() {
        return Some(line.into_owned());
    }
    let parts: Vec<Cow<'_, str>> = [4, 3, 1, 2].into_iter().filter_map(|i| address.component(i).text()).collect();
    (!parts.is_empty()).then(|| parts.concat())
}

fn postal_area(postal: &str) -> String {
    postal.chars().filter(char::is_ascii_digit).take(3).collect()
}

fn phone(field: Field<'_>) -> Option<Cow<'_, str>> {
    let mut stated = field.repetitions().filter(|p| !p.is_empty());
    stated.find_map(number)
}

fn number(phone: Field<'_>) -> Option<Cow<'_, str>> {
    phone.component(12).text().or_else(|| phone.component(1).text())
}

/// PID-14; else the repetition of PID-13 that says it is of work.
fn phone_of_work(pid: Segment<'_>) -> Option<Cow<'_, str>> {
    phone(pid.field(14)).or_else(|| {
        let mut at_work = pid.field(13).repetitions().filter(|p| p.component(2).code() == Some("WPN"));
        at_work.find_map(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_decide_where_no_code_stands() {
        assert_eq!(script("カクウ タロウ"), "P");
        assert_eq!(script("ｶｸｳ"), "P");
        assert_eq!(script("KAKU TARO"), "A");
        assert_eq!(script("架空太郎"), "I");
    }
}
