//! What the mappings write to: rows with their head, findings with their place, counts of what makes no row.

use std::collections::BTreeMap;

use messages::{Finding, Message as Text, Place, Severity};
use omop::{
    Columns, ConditionOccurrenceRow, DeathRow, DeviceExposureRow, DrugExposureRow, Head, IdentityRow, InsuranceRow, LocationRow,
    MeasurementRow, NoteRow, ObservationRow, PayerPlanPeriodRow, PersonRow, ProcedureOccurrenceRow, SpecimenRow, VisitEventRow,
    type_concept,
};

use super::kinds::Kind;
use super::staff::Staff;
use crate::hl7::{Field, Segment, Time};

/// Why an entry that was understood makes no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoRow {
    /// An order: it waits for its result.
    OrderOnly,
    /// A plan: it waits for what happens.
    Planned,
    /// A result with a status that says there is none (X, D, W, O, I, N).
    NoResult,
    /// An order or event that was cancelled.
    Cancelled,
    /// A diagnosis or allergy with the action "delete".
    DeletedEntry,
    /// A drug not given or refused.
    NotGiven,
    /// The attending doctor alone.
    AttendingDoctor,
    /// A value that names a person (staff).
    PersonValue,
    /// Next of kin.
    NextOfKin,
    /// The insurance that a diagnosis is charged to.
    DiagnosisInsurance,
    /// The link to an image study.
    ImageLink,
    /// Exposure data of an image.
    Exposure,
    /// Teeth of a diagnosis.
    Tooth,
    /// A parent entry of which the parts are there.
    Parent,
    /// A reference range in words.
    RangeInWords,
}

impl NoRow {
    /// Word for counts.
    pub const fn name(self) -> &'static str {
        match self {
            NoRow::OrderOnly => "order-only",
            NoRow::Planned => "planned",
            NoRow::NoResult => "no-result",
            NoRow::Cancelled => "cancelled",
            NoRow::DeletedEntry => "deleted-entry",
            NoRow::NotGiven => "not-given",
            NoRow::AttendingDoctor => "attending-doctor",
            NoRow::PersonValue => "person-value",
            NoRow::NextOfKin => "next-of-kin",
            NoRow::DiagnosisInsurance => "diagnosis-insurance",
            NoRow::ImageLink => "image-link",
            NoRow::Exposure => "exposure",
            NoRow::Tooth => "tooth",
            NoRow::Parent => "parent",
            NoRow::RangeInWords => "range-in-words",
        }
    }
}

/// Numbers of the rows of one patient, from 1, a table.
#[derive(Default)]
pub struct RowIds {
    condition: i64,
    drug: i64,
    procedure: i64,
    device: i64,
    measurement: i64,
    observation: i64,
    note: i64,
    specimen: i64,
    payer: i64,
}

/// What all files of a chunk write to.
#[derive(Default)]
pub struct Book {
    pub columns: Columns,
    pub findings: Vec<Finding>,
    pub without_row: BTreeMap<NoRow, u64>,
    pub rows: u64,
}

impl Book {
    /// Adds a finding about a file.
    pub fn say(&mut self, severity: Severity, message: Text, file: &str) {
        self.findings.push(Finding {
            severity,
            message,
            place: Place { file: Some(file.to_owned()), segment: None, field: None },
        });
    }
}

/// One file being mapped.
pub struct Sheet<'b> {
    pub book: &'b mut Book,
    pub ids: &'b mut RowIds,
    pub staff: &'b mut Staff,
    pub head: Head<'b>,
    pub path: &'b str,
    pub kind: Kind,
    pub patient: &'b str,
    /// The care date of the name; for types without one the day of the file's time stamp.
    pub file_day: i32,
    /// Findings that are said once a file.
    said: Vec<&'static str>,
}

impl<'b> Sheet<'b> {
    pub fn new(
        book: &'b mut Book,
        ids: &'b mut RowIds,
        staff: &'b mut Staff,
        head: Head<'b>,
        (path, patient): (&'b str, &'b str),
        kind: Kind,
        file_day: i32,
    ) -> Self {
        Self { book, ids, staff, head, path, kind, patient, file_day, said: Vec::new() }
    }

    /// Adds a finding about the file as a whole.
    pub fn say(&mut self, severity: Severity, message: Text) {
        self.book.say(severity, message, self.path);
    }

    /// Adds a finding about a field.
    pub fn say_at(&mut self, severity: Severity, message: Text, segment: Segment<'_>, field: usize) {
        let place = Place {
            file: Some(self.path.to_owned()),
            segment: Some(segment.place()),
            field: (field > 0).then(|| format!("{}-{field}", segment.name())),
        };
        self.book.findings.push(Finding { severity, message, place });
    }

    /// The same, but only the first time that the file gives rise to it.
    pub fn say_once(&mut self, severity: Severity, message: Text, segment: Segment<'_>, field: usize) {
        if !self.said.contains(&message.code) {
            self.said.push(message.code);
            self.say_at(severity, message, segment, field);
        }
    }

    /// Counts an entry that makes no row.
    pub fn none(&mut self, why: NoRow) {
        *self.book.without_row.entry(why).or_default() += 1;
    }

    /// Reads a time; an unreadable or partial one is a finding.
    pub fn time(&mut self, segment: Segment<'_>, number: usize) -> Option<Time> {
        let field = segment.field(number);
        if field.is_empty() {
            return None;
        }
        self.time_of(field.component(1).subcomponent(1), segment, number)
    }

    /// The same for a part of a field.
    pub fn time_of(&mut self, part: Field<'_>, segment: Segment<'_>, number: usize) -> Option<Time> {
        let text = part.code()?;
        match Time::parse(text) {
            Ok(time) => {
                if time.partial {
                    let used = terms::civil_from_days(time.day);
                    let message = Text::new("ssmix2-date-partial")
                        .with("value", text)
                        .with("used", format!("{:04}-{:02}-{:02}", used.0, used.1, used.2));
                    self.say_at(Severity::Warning, message, segment, number);
                }
                Some(time)
            }
            Err(_) => {
                self.say_at(Severity::Warning, Text::new("ssmix2-date-unreadable").with("value", text), segment, number);
                None
            }
        }
    }

    /// The time, or the day of the file where none is stated, which is a finding.
    pub fn or_file_day(&mut self, time: Option<Time>, segment: Segment<'_>, number: usize) -> Time {
        time.unwrap_or_else(|| {
            self.say_once(Severity::Warning, Text::new("ssmix2-date-missing"), segment, number);
            Time { day: self.file_day, micros: None, partial: false }
        })
    }

    /// Text of a field with escapes resolved; an escape character that opens no escape is a finding.
    pub fn text<'t>(&mut self, segment: Segment<'t>, number: usize) -> Option<std::borrow::Cow<'t, str>> {
        let field = segment.field(number);
        if field.has_stray_escape() {
            self.say_once(Severity::Info, Text::new("ssmix2-stray-escape"), segment, number);
        }
        field.text()
    }

    fn row(&mut self) {
        self.book.rows += 1;
    }
}

macro_rules! numbered {
    ($($(#[$doc:meta])* $method:ident $row:ident $table:ident $id:ident $counter:ident;)+) => {
        impl Sheet<'_> {
            $($(#[$doc])*
            pub fn $method(&mut self, row: $row<'_>) -> i64 {
                self.ids.$counter += 1;
                let id = self.ids.$counter;
                self.book.columns.$table.push(&self.head, &$row { $id: id, ..row });
                self.row();
                id
            })+
        }
    };
}

numbered! {
    /// Adds a diagnosis.
    condition ConditionOccurrenceRow condition_occurrence condition_occurrence_id condition;
    /// Adds a drug.
    drug DrugExposureRow drug_exposure drug_exposure_id drug;
    /// Adds a procedure.
    procedure ProcedureOccurrenceRow procedure_occurrence procedure_occurrence_id procedure;
    /// Adds a device.
    device DeviceExposureRow device_exposure device_exposure_id device;
    /// Adds a measured value.
    measurement MeasurementRow measurement measurement_id measurement;
    /// Adds an observation.
    observation ObservationRow observation observation_id observation;
    /// Adds a specimen.
    specimen SpecimenRow specimen specimen_id specimen;
    /// Adds a time under one kind of insurance.
    payer_plan PayerPlanPeriodRow payer_plan_period payer_plan_period_id payer;
    /// Adds free text.
    note_row NoteRow note note_id note;
}

macro_rules! plain {
    ($($(#[$doc:meta])* $method:ident $row:ty, $table:ident;)+) => {
        impl Sheet<'_> {
            $($(#[$doc])*
            pub fn $method(&mut self, row: &$row) {
                self.book.columns.$table.push(&self.head, row);
                self.row();
            })+
        }
    };
}

plain! {
    /// Adds the person.
    person PersonRow<'_>, person;
    /// Adds who the person is.
    identity IdentityRow<'_>, identity;
    /// Adds an insurance.
    insurance InsuranceRow<'_>, insurance;
    /// Adds where the person lives, as coarse as it is kept in clinical tables.
    location LocationRow<'_>, location;
    /// Adds a death.
    death DeathRow<'_>, death;
    /// Adds an event of a visit.
    visit_event VisitEventRow<'_>, visit_event;
}

impl Sheet<'_> {
    /// Adds free text under a title, with the source value of what it is about.
    pub fn note(&mut self, time: Time, title: Option<&str>, text: &str, source: Option<&str>, provider: Option<i64>) -> i64 {
        self.note_row(NoteRow {
            note_date: time.day,
            note_datetime: time.micros,
            note_type_concept_id: type_concept::NOTE,
            note_title: title,
            note_text: text,
            note_source_value: source,
            provider_id: provider,
            ..Default::default()
        })
    }
}
