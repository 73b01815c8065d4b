//! What a chart says, kept while it is written, for the other files of the hospital: they tell the same truth in their own words.

use crate::chart::{Bed, Diagnosis, Discharge, Examination};
use crate::clinic::{Disease, Drug, Infusion};
use crate::day::{Day, Moment};

/// Everything of one chart.
#[derive(Default)]
pub struct Facts {
    /// What was done, not always in the order of time.
    pub events: Vec<Event>,
    /// Stays in hospital, in the order of time.
    pub stays: Vec<Stay>,
    /// Diagnoses, by the day they were written down.
    pub diagnoses: Vec<Diagnosis>,
    /// Height in cm and weight in kg at the last registration.
    pub body: (f64, f64),
}

/// Something that was done for a patient.
pub struct Event {
    /// When.
    pub at: Moment,
    /// Place of the department in `provider::DEPARTMENTS`.
    pub department: usize,
    /// Whether the patient was in a bed.
    pub in_hospital: bool,
    /// What.
    pub act: Act,
}

/// What was done.
pub enum Act {
    /// A visit of an outpatient.
    Visit,
    /// Drugs were prescribed for so many days, as the order stood in the end.
    Drugs(Vec<&'static Drug>, i32),
    /// A mixture was given.
    Infusion(Vec<&'static Infusion>),
    /// Tests were made.
    Results(Vec<Measured>),
    /// A picture or a curve was taken.
    Examination(Examination),
}

/// One result.
pub struct Measured {
    /// Place of the test in `clinic::LABS`.
    pub lab: usize,
    /// What came out, in the unit that `LABS` has.
    pub finding: Finding,
}

/// What came out of a test.
#[derive(Clone, Copy)]
pub enum Finding {
    /// A number and its digits after the point.
    Number(f64, usize),
    /// Less than a limit.
    Below(f64, usize),
    /// Positive or negative.
    Sign(bool),
    /// `(-)` to `(3+)`.
    Grade(&'static str),
    /// No result: lost, too little.
    Lost,
}

/// A stay in hospital.
pub struct Stay {
    /// Begin.
    pub admitted: Moment,
    /// End; none for someone who was still there when the data ended.
    pub left: Option<Moment>,
    /// How it ended.
    pub how: Option<Discharge>,
    /// What for.
    pub disease: &'static Disease,
    /// Place of the department in `provider::DEPARTMENTS`.
    pub department: usize,
    /// First bed.
    pub bed: Option<Bed>,
    /// Whether it was planned.
    pub planned: bool,
    /// Whether the patient was born here.
    pub newborn: bool,
}

impl Stay {
    /// Last day of the stay inside the data.
    pub fn last_day(&self, data_to: Day) -> Day {
        self.left.map_or(data_to, |left| left.day().min(data_to))
    }
}
