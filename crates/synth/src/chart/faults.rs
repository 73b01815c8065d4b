//! Files that are wrong on purpose: extra ones, so that nothing true is lost with them. Every one is listed.

use std::io;

use super::{Chart, Flaw, Place};
use crate::clinic::{Usage, drug};
use crate::day::Moment;
use crate::encode::{Dirt, Encoding};
use crate::registration::pid3;
use crate::storage::FileName;

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// PID-3 names another patient: both are to be set aside.
    WrongPatient,
    /// A trigger event that no version of the specification has.
    UnknownMessage,
    /// A folder of a type that no version has.
    UnknownType,
    /// Random bytes.
    Garbage,
    /// No bytes.
    Empty,
    /// A second live file of a key.
    TwoLive,
    /// The escape back to ASCII is missing inside a segment.
    MissingEscape,
    /// A name outside the naming rule.
    BadName,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 8] = [
        Fault::WrongPatient,
        Fault::UnknownMessage,
        Fault::UnknownType,
        Fault::Garbage,
        Fault::Empty,
        Fault::TwoLive,
        Fault::MissingEscape,
        Fault::BadName,
    ];

    /// The word in `truth-faults.csv`.
    pub const fn code(self) -> &'static str {
        match self {
            Fault::WrongPatient => "wrong_patient",
            Fault::UnknownMessage => "unknown_message_type",
            Fault::UnknownType => "unknown_data_type",
            Fault::Garbage => "garbage",
            Fault::Empty => "empty",
            Fault::TwoLive => "two_live_files",
            Fault::MissingEscape => "missing_escape",
            Fault::BadName => "bad_name",
        }
    }
}

impl Chart<'_> {
    /// Plants a fault. `other` is the id that a file of the wrong patient names.
    pub fn plant(&mut self, fault: Fault, other: &str) -> io::Result<()> {
        // On the day of a death before the clinic opens: nobody dies in a bed before ten.
        let hour = if self.person.death == Some(self.patient.last) { 8 } else { 19 };
        let at = Moment::at(self.patient.last, hour * 60 + self.dice.between(0, 60));
        let order = self.order();
        let department = self.dice.below(4) as usize;
        let place = Place::outpatient(department);
        self.one_drug(order, at, &place);
        let sent = self.soon(at, 5);
        let code = crate::provider::DEPARTMENTS[department].0;
        let mut data_type = "OMP-01";
        let mut encoding = (Encoding::Iso2022, Dirt::default());
        match fault {
            Fault::WrongPatient => {
                let own = format!("PID|0001||{}|", pid3(self.provider, &self.patient.local_id));
                let theirs = format!("PID|0001||{}|", pid3(self.provider, other));
                self.replace(&own, &theirs);
            }
            Fault::UnknownMessage => {
                self.replace("RDE^O11^RDE_O11", "ZZX^Z99^ZZX_Z99");
            }
            Fault::UnknownType => data_type = "OMX-91",
            Fault::MissingEscape => encoding.1.open_field = true,
            Fault::TwoLive => {
                let first =
                    FileName { date: Some(at.day()), data_type, order: Some(order), sent: at, department: code, flag: '1' };
                let path = self.write_as(&first, encoding.0, encoding.1)?;
                self.faults.push(Flaw { path, what: fault.code() });
            }
            Fault::Garbage | Fault::Empty | Fault::BadName => {}
        }
        let file = FileName { date: Some(at.day()), data_type, order: Some(order), sent, department: code, flag: '1' };
        let path = match fault {
            Fault::Garbage | Fault::Empty => {
                let mut bytes = vec![0; if fault == Fault::Empty { 0 } else { 200 + self.dice.below(800) as usize }];
                self.dice.bytes(&mut bytes);
                let name = self.storage.name(&file);
                self.storage.put(file.date, data_type, &name, &bytes)?
            }
            Fault::BadName => {
                let name = format!("{}_{}_{data_type}_1.bak", self.patient.local_id, at.digits(8));
                self.storage.put(file.date, data_type, &name, self.message.text().as_bytes())?
            }
            _ => self.write_as(&file, encoding.0, encoding.1)?,
        };
        self.faults.push(Flaw { path, what: fault.code() });
        Ok(())
    }

    fn one_drug(&mut self, order: u64, at: Moment, place: &Place) {
        let drug = drug("acetaminophen");
        self.begin("RDE^O11^RDE_O11", at, None);
        self.pv1(place, &[]);
        self.orc("NW", order, Some("1"), at, place, "");
        self.message
            .segment("RXE")
            .fmt(2, format_args!("{}^{}^HOT9", drug.hot9, drug.name))
            .put(3, "2")
            .put(5, "TAB^錠^MR9P")
            .put(10, "20")
            .put(11, "TAB^錠^MR9P");
        let (code, text) = Usage::AsNeeded.code();
        self.message
            .segment("TQ1")
            .put(1, "1")
            .fmt(3, format_args!("{code}&{text}&JAMISDP01"))
            .fmt(7, format_args!("{}", at.digits(8)));
        self.message.segment("RXR").put(1, "PO^口^HL70162");
    }

    fn replace(&mut self, from: &str, to: &str) {
        let changed = self.message.text().replacen(from, to, 1);
        self.message.clear();
        self.message.raw(&changed);
    }
}
