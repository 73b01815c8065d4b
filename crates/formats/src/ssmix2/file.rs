//! One live file: bytes → message → checks → the mapping of its data type.

use messages::{Message as Text, Severity};

use super::kinds::{Kind, Subject, is_known, is_message};
use super::location::Location;
use super::prescan::stated_id;
use super::sheet::{NoRow, Sheet};
use super::{allergies, diagnoses, diet, drugs, person, procedures, results, visits};
use crate::charset::{self, Charset};
use crate::hl7::{Delimiters, Message, Parser, Time};

/// Where one file after the other is decoded and split; its buffers are used again.
#[derive(Default)]
pub struct Desk {
    parser: Parser,
    text: String,
}

impl Desk {
    /// Decodes and splits a file, and hands the message on; `false` when it is none.
    pub fn message(&mut self, bytes: &[u8], use_it: impl FnOnce(Message<'_>, Charset, charset::Notes)) -> bool {
        let bytes = charset::trim(bytes);
        let Some(delimiters) = Delimiters::of(bytes) else {
            return false;
        };
        let decoded = charset::decode(bytes, delimiters.bytes(), &mut self.text);
        let (charset, notes) = (decoded.charset, decoded.notes);
        match self.parser.parse(&decoded.text, delimiters) {
            Some(message) => {
                use_it(message, charset, notes);
                true
            }
            None => false,
        }
    }

    /// Reads one live file; `false` with a finding when nothing can be read from it.
    pub fn read(&mut self, sheet: &mut Sheet<'_>, bytes: &[u8], location: &Location<'_>, facility: &mut String) -> bool {
        let content = charset::trim(bytes);
        if content.is_empty() {
            sheet.say(Severity::Error, Text::new("ssmix2-empty-file"));
            return false;
        }
        if location.extended && !content.starts_with(b"MSH") {
            sheet.say(Severity::Info, Text::new("ssmix2-document-not-read"));
            return false;
        }
        let mut mapped = false;
        let split = self.message(bytes, |message, charset, notes| {
            mapped = map(sheet, message, charset, notes, location, facility);
        });
        if !split {
            sheet.say(Severity::Error, Text::new("ssmix2-not-hl7"));
        }
        split && mapped
    }
}

/// Checks a message and has it mapped by its data type; `false` when it may not be.
fn map(
    sheet: &mut Sheet<'_>,
    message: Message<'_>,
    charset: Charset,
    notes: charset::Notes,
    location: &Location<'_>,
    facility: &mut String,
) -> bool {
    encoding(sheet, message, charset, notes);
    let Some(pid) = message.first(b"PID") else {
        sheet.say(Severity::Error, Text::new("ssmix2-patient-id-missing"));
        return false;
    };
    if stated_id(pid).is_none() {
        sheet.say_at(Severity::Error, Text::new("ssmix2-patient-id-missing"), pid, 3);
        return false;
    }
    for segment in message.segments() {
        let id = segment.id();
        if !is_known(&id) {
            let known = Text::new("ssmix2-unknown-segment").with("name", segment.name());
            sheet.say_at(Severity::Info, known, segment, 0);
        }
    }
    let kind = sheet.kind;
    match purpose(sheet, message, kind) {
        Purpose::States => {}
        Purpose::Cancels => {
            sheet.none(NoRow::Cancelled);
            return true;
        }
        Purpose::Foreign => return false,
    }
    care_date(sheet, message, kind, location);
    if let Some(sender) = message.first(b"MSH").and_then(|msh| msh.field(4).component(1).text()) {
        facility.clear();
        facility.push_str(&sender);
    }
    if let Some(pv1) = message.first(b"PV1") {
        let at = sheet.head.source_ts;
        sheet.staff.doctor(pv1.field(7), pv1.field(10), at);
    }
    needed(sheet, message, kind);
    match kind.subject {
        Subject::Basics => person::basics(sheet, message),
        Subject::AttendingDoctor => visits::attending(sheet, message),
        Subject::Visit(word) => visits::event(sheet, message, word),
        Subject::Planned => sheet.none(NoRow::Planned),
        Subject::Allergies => allergies::allergies(sheet, message),
        Subject::Diagnoses => diagnoses::diagnoses(sheet, message),
        Subject::Diet => diet::diet(sheet, message),
        Subject::Prescription | Subject::InjectionOrder => drugs::orders(sheet, message, drugs::type_of(kind.subject)),
        Subject::Dispensing | Subject::Administration => drugs::given(sheet, message, drugs::type_of(kind.subject)),
        Subject::Order | Subject::LabResult | Subject::Physiology | Subject::Vitals => {
            results::results(sheet, message, kind.subject);
        }
        Subject::Procedure => procedures::procedures(sheet, message),
    }
    true
}

/// Findings about the characters of a file.
fn encoding(sheet: &mut Sheet<'_>, message: Message<'_>, charset: Charset, notes: charset::Notes) {
    if message.stray_lines > 0 {
        sheet.say(Severity::Warning, Text::new("ssmix2-stray-line").with("count", message.stray_lines));
    }
    let declared = message.first(b"MSH").map_or("", |msh| msh.field(18).raw());
    let fits = match charset {
        Charset::Ascii => true,
        Charset::Iso2022 => {
            declared.contains("IR87") || declared.contains("IR 87") || declared.contains("IR1") || declared.contains("IR 1")
        }
        Charset::Utf8 => declared.to_ascii_uppercase().contains("UTF-8"),
        Charset::Cp932 | Charset::EucJp => false,
    };
    if !fits || notes.eight_bit_in_iso2022 {
        let message = Text::new("ssmix2-charset-differs").with("declared", declared).with("found", charset.name());
        sheet.say(Severity::Warning, message);
    }
    for (code, severity, count) in [
        ("ssmix2-return-escape", Severity::Warning, notes.returns_repaired),
        ("ssmix2-undecodable", Severity::Error, notes.undecodable),
        ("ssmix2-gaiji", Severity::Warning, notes.gaiji),
        ("ssmix2-old-kanji-set", Severity::Info, notes.old_sets),
    ] {
        if count > 0 {
            sheet.say(severity, Text::new(code).with("count", count));
        }
    }
}

/// What MSH-9 says of a file in the folder of a data type.
enum Purpose {
    /// The message of the type, or one near enough to be read as such.
    States,
    /// Takes back what the type states.
    Cancels,
    /// No message of a storage at all.
    Foreign,
}

/// Checks MSH-9. The folder decides what a file is; only a message that no data type has is refused.
fn purpose(sheet: &mut Sheet<'_>, message: Message<'_>, kind: Kind) -> Purpose {
    let Some(msh) = message.first(b"MSH") else {
        return Purpose::Foreign;
    };
    let (code, event) = (msh.field(9).component(1).code(), msh.field(9).component(2).code());
    let expected = kind.message;
    if (code, event) == (Some(expected.0), Some(expected.1)) {
        return Purpose::States;
    }
    let stated = [code.unwrap_or(""), event.unwrap_or("")].join("^");
    if code == Some(expected.0) && event.is_some() && event == kind.cancel {
        sheet.say_at(Severity::Warning, Text::new("ssmix2-cancel-live").with("value", stated), msh, 9);
        return Purpose::Cancels;
    }
    if code.is_some_and(|c| !is_message(c)) {
        sheet.say_at(Severity::Error, Text::new("ssmix2-unknown-message").with("value", stated), msh, 9);
        return Purpose::Foreign;
    }
    let message = Text::new("ssmix2-message-type")
        .with("value", stated)
        .with("expected", [expected.0, expected.1].join("^"))
        .with("name", kind.name);
    sheet.say_at(Severity::Warning, message, msh, 9);
    Purpose::States
}

/// The care date of the name against the field that it is taken from.
fn care_date(sheet: &mut Sheet<'_>, message: Message<'_>, kind: Kind, location: &Location<'_>) {
    let Some((id, field)) = kind.care_date else {
        return;
    };
    let Some(segment) = message.first(id) else {
        return;
    };
    let Some(text) = segment.field(field).component(1).subcomponent(1).code() else {
        return;
    };
    let (Ok(stated), Ok(named)) = (Time::parse(text), Time::parse(location.date)) else {
        return;
    };
    if !stated.partial && stated.day != named.day {
        let message = Text::new("ssmix2-care-date-differs").with("value", text).with("name", location.date);
        sheet.say_at(Severity::Warning, message, segment, field);
    }
}

/// Without these segments a message says nothing.
fn needed(sheet: &mut Sheet<'_>, message: Message<'_>, kind: Kind) {
    let id: &[u8; 3] = match kind.subject {
        Subject::Visit(_) => b"PV1",
        Subject::Allergies => b"IAM",
        Subject::Diagnoses => b"PRB",
        Subject::Diet => b"ODS",
        Subject::Prescription | Subject::InjectionOrder => b"RXE",
        Subject::Dispensing | Subject::Administration => b"RXA",
        Subject::LabResult | Subject::Physiology | Subject::Vitals => b"OBX",
        Subject::Procedure => b"OBR",
        Subject::Basics | Subject::AttendingDoctor | Subject::Planned | Subject::Order => return,
    };
    if message.first(id).is_none() {
        let name = String::from_utf8_lossy(id).into_owned();
        sheet.say(Severity::Warning, Text::new("ssmix2-segment-missing").with("name", name));
    }
}
