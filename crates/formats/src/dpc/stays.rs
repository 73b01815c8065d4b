//! Whose the lines are that are being read, and the stays of 様式1 whose lines are gathered.

use std::collections::HashMap;

use super::form1::Form1Stay;
use crate::days::Month;
use crate::rows::At;
use crate::seen::ByItself;

/// Lines of 様式1 that are gathered before stays are written: the lines of one stay need not stand together.
pub(super) const MOST_FORM1: usize = 400_000;

/// The stays of 様式1 that are being gathered, and those that were written, with what they said.
#[derive(Default)]
pub struct Stays {
    pub(super) open: Vec<(u128, Unit, Form1Stay)>,
    pub(super) places: HashMap<u128, usize, ByItself>,
    pub(super) lines: usize,
    pub(super) written: HashMap<u128, u128, ByItself>,
}

impl Stays {
    /// The stay of a unit's line.
    pub fn of(&mut self, unit: &Unit) -> &mut Form1Stay {
        let key = crate::seen::key(&[&unit.raw]);
        self.lines += 1;
        let Stays { open, places, .. } = self;
        let at = *places.entry(key).or_insert_with(|| {
            open.push((key, unit.clone(), Form1Stay::new(unit.start.unwrap_or_default())));
            open.len() - 1
        });
        &mut open[at].2
    }

    pub(super) fn take(&mut self) -> Vec<(u128, Unit, Form1Stay)> {
        self.lines = 0;
        self.places.clear();
        std::mem::take(&mut self.open)
    }
}

/// Whose the lines are that are being read.
#[derive(Default, Clone)]
pub struct Unit {
    pub(super) raw: Vec<u8>,
    /// Local id.
    pub local_id: String,
    /// Hospital.
    pub facility: String,
    /// The stay, by facility, number and admission.
    pub stay: u128,
    /// Number of the patient in the chunk.
    pub patient: i64,
    /// Key of the stay or of the outpatient's day; of acts for a lake with their month, since each month comes in a delivery of its own.
    pub key: String,
    /// Length of the key without a month.
    pub(super) whole: usize,
    /// Time: the end of the stay, or its beginning.
    pub ts: i64,
    /// Admission, or the day of an outpatient's visit.
    pub start: Option<i32>,
    /// Discharge.
    pub end: Option<i32>,
    /// Birth, where the line states it.
    pub birth: Option<i32>,
    /// Insurer of the last line.
    pub insurer: Vec<u8>,
    /// Month of the last line with that insurer.
    pub month: i32,
}

impl Unit {
    pub fn at(&self) -> At<'_> {
        At { patient: self.patient, key: &self.key, ts: self.ts }
    }

    /// Rows are of acts of this day's month from now on. Whether they were of another month before.
    pub fn in_month(&mut self, day: i32) -> bool {
        let month = Month::at(day).number();
        let another = self.key.get(self.whole + 1..).is_none_or(|m| m.parse() != Ok(month));
        if another {
            self.key.truncate(self.whole);
            self.key.push_str(&format!("|{month}"));
        }
        another
    }
}

/// A line of an E file that lines of the F file wait for.
#[derive(Clone, Copy)]
pub struct Act {
    pub day: i32,
    pub count: i64,
}
