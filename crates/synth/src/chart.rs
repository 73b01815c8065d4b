//! The chart of one patient at one provider: messages are composed here and written as files of the storage.

mod adt;
mod diagnoses;
mod faults;
mod imaging;
mod laboratory;
mod medication;

pub use adt::{Bed, Discharge};
pub use diagnoses::{Diagnosis, Outcome};
pub use faults::Fault;
pub use imaging::Examination;
pub use medication::total;

use std::io;

use crate::day::{Day, Moment};
use crate::dice::Dice;
use crate::encode::{self, Dirt, Encoding};
use crate::facts::{Act, Event, Facts};
use crate::hl7::Message;
use crate::options::Options;
use crate::population::Person;
use crate::provider::{DEPARTMENTS, Provider};
use crate::registration::Patient;
use crate::storage::{FileName, Storage};

/// Where a patient is seen: a department, in a bed or not.
#[derive(Clone)]
pub struct Place {
    /// Place in [`DEPARTMENTS`].
    pub department: usize,
    /// Bed of a patient in hospital.
    pub bed: Option<Bed>,
}

impl Place {
    /// The outpatient department.
    pub const fn outpatient(department: usize) -> Self {
        Self { department, bed: None }
    }
}

/// A file that is not as it should be: path below the storage root, and what is wrong.
pub struct Flaw {
    /// Path.
    pub path: String,
    /// Code of the flaw.
    pub what: &'static str,
}

/// A chart being written.
pub struct Chart<'a> {
    /// Whole run.
    pub options: &'a Options,
    /// Where.
    pub provider: &'a Provider,
    /// Who.
    pub person: &'a Person,
    /// As whom.
    pub patient: &'a Patient,
    /// Chance of this chart alone.
    pub dice: Dice,
    /// Where to.
    pub storage: &'a mut Storage,
    /// Diagnoses so far.
    pub diagnoses: Vec<Diagnosis>,
    /// Deviations that a reader repairs without loss: encodings and the like.
    pub dirt: Vec<Flaw>,
    /// Files that are wrong on purpose.
    pub faults: Vec<Flaw>,
    /// What the files say, for the other files of the hospital.
    pub facts: Facts,
    message: Message,
    bytes: Vec<u8>,
    orders: u64,
}

impl<'a> Chart<'a> {
    /// An empty chart; makes the folder of the patient.
    ///
    /// # Errors
    /// What the disk says.
    pub fn new(
        options: &'a Options,
        provider: &'a Provider,
        person: &'a Person,
        patient: &'a Patient,
        storage: &'a mut Storage,
    ) -> io::Result<Self> {
        storage.open(&patient.local_id)?;
        Ok(Self {
            options,
            provider,
            person,
            patient,
            dice: Dice::of(options.seed, [5, patient.serial, patient.provider_at as u64]),
            storage,
            diagnoses: Vec::new(),
            dirt: Vec::new(),
            faults: Vec::new(),
            facts: Facts::default(),
            message: Message::default(),
            bytes: Vec::new(),
            orders: 0,
        })
    }

    /// Keeps what was done.
    fn note(&mut self, at: Moment, place: &Place, act: Act) {
        self.facts.events.push(Event { at, department: place.department, in_hospital: place.bed.is_some(), act });
    }

    /// The number of the next order, unique at the provider.
    pub fn order(&mut self) -> u64 {
        self.orders += 1;
        self.patient.serial * 10_000 + self.orders
    }

    /// The doctor of a department for this patient.
    pub fn doctor(&self, department: usize) -> &'a str {
        &self.provider.doctor(department, self.patient.serial).xcn
    }

    /// Begins a message: MSH, EVN when `event` gives its moment of occurrence or plan, PID.
    fn begin(&mut self, kind: &str, sent: Moment, event: Option<(Option<Moment>, Option<Moment>)>) {
        let set = self.provider.style.character_set;
        let pid = &self.registration(sent).pid;
        let message = &mut self.message;
        message.clear();
        message.raw("MSH|^~\\&");
        message
            .segment("")
            .put(1, "HIS")
            .put(2, "SEND")
            .put(3, "GW")
            .put(4, "RCV")
            .fmt(5, format_args!("{}", sent.message()))
            .put(7, kind)
            .fmt(8, format_args!("{}{:03}", sent.digits(17), self.patient.serial % 1_000))
            .put(9, "P")
            .put(10, "2.5")
            .put(16, set.0)
            .put(18, set.1)
            .put(19, "SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO");
        if let Some((planned, occurred)) = event {
            let mut evn = message.segment("EVN").fmt(2, format_args!("{}", sent.digits(14)));
            if let Some(planned) = planned {
                evn = evn.fmt(3, format_args!("{}", planned.digits(12)));
            }
            if let Some(occurred) = occurred {
                evn = evn.fmt(6, format_args!("{}", occurred.digits(12)));
            }
            drop(evn.put(7, "SEND001"));
        }
        message.raw(pid);
    }

    /// The registration that was in force at a moment.
    fn registration(&self, sent: Moment) -> &'a crate::registration::Registration {
        let all = &self.patient.versions;
        let place = all.iter().rposition(|r| r.on <= sent).unwrap_or(0);
        &all[place]
    }

    /// PV1 up to field 10, and further fields by number.
    fn pv1(&mut self, place: &Place, more: &[(usize, &str)]) {
        let doctor = self.doctor(place.department);
        let (code, _) = DEPARTMENTS[place.department];
        let class = if place.bed.is_some() { "I" } else { "O" };
        let mut pv1 = self.message.segment("PV1").put(1, "0001").put(2, class);
        pv1 = match &place.bed {
            Some(bed) => pv1.fmt(3, format_args!("{bed}")),
            None => pv1.fmt(3, format_args!("{code}^^^^^C")),
        };
        for (field, value) in more.iter().filter(|(f, _)| *f < 7) {
            pv1 = pv1.put(*field, value);
        }
        pv1 = pv1.put(7, doctor).put(10, code);
        for (field, value) in more.iter().filter(|(f, _)| *f > 10) {
            pv1 = pv1.put(*field, value);
        }
    }

    /// ORC of an order.
    fn orc(&mut self, control: &str, order: u64, group: Option<&str>, at: Moment, place: &Place, status: &str) {
        let doctor = self.doctor(place.department);
        let (code, name) = DEPARTMENTS[place.department];
        self.message
            .segment("ORC")
            .put(1, control)
            .fmt(2, format_args!("{order:015}"))
            .put(4, group.unwrap_or(""))
            .put(5, status)
            .fmt(9, format_args!("{}", at.digits(14)))
            .put(10, doctor)
            .put(12, doctor)
            .fmt(17, format_args!("{code}^{name}^99XY1"))
            .put(21, &self.provider.name)
            .fmt(23, format_args!("^^^^^^^^^^^{}", self.provider.phone))
            .put(29, if place.bed.is_some() { "I^入院患者オーダ^HL70482" } else { "O^外来患者オーダ^HL70482" });
    }

    /// Writes the message as a file.
    fn write(&mut self, file: &FileName<'_>) -> io::Result<String> {
        let style = &self.provider.style;
        let at = self.dice.weighted(style.encodings.iter().map(|e| e.1));
        let encoding = style.encodings[at].0;
        let mut dirt = Dirt::default();
        if style.crlf + style.control_z + style.open_end > 0.0 {
            dirt.crlf = self.dice.chance(style.crlf);
            dirt.control_z = self.dice.chance(style.control_z);
            dirt.open_end = encoding == Encoding::Iso2022 && self.dice.chance(style.open_end);
        }
        self.write_as(file, encoding, dirt)
    }

    fn write_as(&mut self, file: &FileName<'_>, encoding: Encoding, dirt: Dirt) -> io::Result<String> {
        encode::encode(self.message.text(), encoding, dirt, &mut self.bytes);
        let name = self.storage.name(file);
        let path = self.storage.put(file.date, file.data_type, &name, &self.bytes)?;
        let mut note = |what: &'static str| self.dirt.push(Flaw { path: path.clone(), what });
        match encoding {
            Encoding::Iso2022 => {}
            Encoding::Cp932 => note("cp932"),
            Encoding::Euc => note("euc_jp"),
            Encoding::Utf8Bom => note("utf8_bom"),
        }
        if dirt.open_end {
            note("missing_escape_at_segment_end");
        }
        if dirt.crlf {
            note("crlf");
        }
        if dirt.control_z {
            note("control_z");
        }
        Ok(path)
    }

    /// Writes the message under a key with an order.
    fn file(
        &mut self,
        data_type: &str,
        date: Option<Day>,
        order: Option<u64>,
        sent: Moment,
        department: usize,
        flag: char,
    ) -> io::Result<()> {
        let department = if date.is_none() { "-" } else { DEPARTMENTS[department].0 };
        self.write(&FileName { date, data_type, order, sent, department, flag }).map(drop)
    }

    /// A little later, to the millisecond.
    pub fn soon(&mut self, after: Moment, minutes: i32) -> Moment {
        let within = self.dice.below(60_000);
        after.later(self.dice.between(1, minutes.max(1))).plus(i64::from(within))
    }
}
