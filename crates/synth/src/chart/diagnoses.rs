//! PPR-01: every diagnosis of the patient, with those that stand there only for the bill.

use std::io;

use super::{Chart, Place};
use crate::clinic::{Disease, MODIFIER_SUSPECTED};
use crate::day::{Compact, Day, Moment};

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Goes on.
    Open,
    /// F
    Recovered,
    /// N: struck off, as suspicions are.
    Struck,
    /// D
    Died,
}

/// A diagnosis in the list of a provider.
#[derive(Clone)]
pub struct Diagnosis {
    /// What.
    pub disease: &'static Disease,
    /// Not confirmed.
    pub suspected: bool,
    /// Day it was written down.
    pub on: Day,
    /// Day it ended.
    pub end: Option<Day>,
    /// How.
    pub outcome: Outcome,
    /// O outpatient, H at admission, L at discharge.
    pub timing: char,
    /// Main diagnosis.
    pub main: bool,
    /// Typed in, without a code.
    pub free_text: bool,
    /// Not told to the patient.
    pub sensitive: bool,
}

impl Chart<'_> {
    /// Writes the list down; in one file, or one a diagnosis as one producer does.
    pub fn diagnosis_list(&mut self) -> io::Result<()> {
        let all = std::mem::take(&mut self.diagnoses);
        self.facts.diagnoses.clone_from(&all);
        let Some(last) = all.iter().map(|d| d.end.unwrap_or(d.on).max(d.on)).max() else { return Ok(()) };
        let last = last.min(self.options.data_to);
        if self.provider.style.split_diagnoses {
            for (nth, diagnosis) in all.iter().enumerate() {
                let order = self.order();
                let sent = Moment::at(diagnosis.end.unwrap_or(diagnosis.on), 17 * 60).plus(nth as i64 * 61 + 7);
                self.list(std::slice::from_ref(diagnosis), nth, sent);
                self.file("PPR-01", None, Some(order), sent, diagnosis.disease.department, '1')?;
            }
            return Ok(());
        }
        // The snapshot before the last one is still there, superseded.
        let earlier = self.dice.between(all[0].on, last);
        let before: Vec<Diagnosis> = all.iter().filter(|d| d.on <= earlier).cloned().collect();
        if !before.is_empty() && before.len() < all.len() && self.dice.chance(0.4) {
            let sent = Moment::at(earlier, 17 * 60 + 3);
            self.list(&before, 0, sent);
            self.file("PPR-01", None, None, sent, 0, '2')?;
        }
        let sent = Moment::at(last, 18 * 60 + self.dice.between(0, 90)).plus(i64::from(self.dice.below(60_000)));
        self.list(&all, 0, sent);
        self.file("PPR-01", None, None, sent, 0, '1')
    }

    fn list(&mut self, all: &[Diagnosis], first: usize, sent: Moment) {
        self.begin("PPR^ZD1^PPR_ZD1", sent, None);
        for (nth, d) in all.iter().enumerate() {
            let (number, exchange) = d.disease.numbers();
            let (name, serial) = (d.disease.name, self.patient.serial);
            let shown = if d.suspected { d.disease.suspected_name() } else { name.to_owned() };
            // Systems mark a suspicion by the modifier, by PRB-13, or by both.
            let (by_modifier, by_field) = [(true, false), (true, true), (false, true)][(serial as usize + nth) % 3];
            let at = Moment::at(d.on, 10 * 60);
            let timing = match d.timing {
                'H' => "H^入院時",
                'L' => "L^退院時",
                _ => "O^外来時",
            };
            let mut prb = self.message.segment("PRB").put(1, "AD").fmt(2, format_args!("{}", at.digits(14)));
            prb = if d.free_text {
                prb.fmt(3, format_args!("^{shown}"))
            } else {
                prb.fmt(3, format_args!("{number}^{name}^MDCDX2"))
            };
            prb = prb.fmt(4, format_args!("PRB{serial:08}{:04}", first + nth)).fmt(7, format_args!("{}", Compact(d.on)));
            if let Some(end) = d.end {
                prb = prb.fmt(9, format_args!("{}", Compact(end)));
            }
            let version = if serial.is_multiple_of(2) { "" } else { "^2013" };
            if !d.free_text {
                prb = prb.fmt(10, format_args!("{}^^I10^{timing}^JHSD0004{version}", d.disease.icd));
            }
            if d.suspected && (by_field || d.free_text) {
                prb = prb.put(13, "1^疑いあり^JHSD0005");
            }
            let outcome = match d.outcome {
                Outcome::Open => "",
                Outcome::Recovered => "F^完全に回復^HL70241",
                Outcome::Struck => "N^中止^HL70241",
                Outcome::Died => "D^死亡^HL70241",
            };
            prb = prb.put(14, outcome);
            if let (Some(end), true) = (d.end, d.outcome != Outcome::Open) {
                prb = prb.fmt(15, format_args!("{}", Compact(end)));
            }
            prb = prb.fmt(16, format_args!("{}", Compact(d.on - (nth as i32 * 5) % 20))).put(17, &shown);
            prb = prb.put(18, if d.main { "1^主診断^JHSD0007" } else { "2^副診断^JHSD0007" });
            if d.sensitive {
                prb = prb.put(25, "V^非常に限定^HL70177");
            }
            drop(prb);
            if !d.free_text {
                let mut zpr = self.message.segment("ZPR").fmt(2, format_args!("{number}^{name}^MDCDX2"));
                if d.suspected && by_modifier {
                    zpr = zpr.fmt(3, format_args!("{MODIFIER_SUSPECTED}^の疑い^MDCDX2"));
                }
                drop(zpr.fmt(5, format_args!("{exchange}^{name}^MDCDX2")));
            }
            let place = Place { department: d.disease.department, bed: None };
            self.orc("NW", serial * 10_000 + 9_000 + (first + nth) as u64, None, at, &place, "");
        }
    }
}
