//! Prescriptions, injections, and what was really given.

use std::io;

use super::{Chart, Place};
use crate::clinic::{Drug, INFUSIONS, Infusion, Usage};
use crate::day::Moment;
use crate::facts::Act;

/// What happens to an order after it was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stands,
    Changed,
    Cancelled,
}

impl Chart<'_> {
    fn fate(&mut self) -> Fate {
        match self.dice.unit() {
            ..0.03 => Fate::Changed,
            0.03..0.038 => Fate::Cancelled,
            _ => Fate::Stands,
        }
    }

    /// OMP-01, and OMP-11 where the hospital hands the drugs out.
    pub fn prescription(&mut self, at: Moment, place: &Place, drugs: &[&'static Drug], days: i32) -> io::Result<()> {
        if drugs.is_empty() {
            return Ok(());
        }
        let order = self.order();
        let date = Some(at.day());
        let sent = self.soon(at, 9);
        let fate = self.fate();
        match fate {
            Fate::Stands => {}
            Fate::Changed => {
                // The first version had one drug less, or other days.
                let first = if drugs.len() > 1 { &drugs[..drugs.len() - 1] } else { drugs };
                self.prescribed("NW", order, (at, sent), place, first, (days / 2).max(1));
                self.file("OMP-01", date, Some(order), sent, place.department, '2')?;
            }
            Fate::Cancelled => {
                self.prescribed("NW", order, (at, sent), place, drugs, days);
                self.file("OMP-01", date, Some(order), sent, place.department, '0')?;
                let sent = self.soon(sent, 40);
                self.prescribed("CA", order, (at, sent), place, drugs, days);
                return self.file("OMP-01", date, Some(order), sent, place.department, '0');
            }
        }
        let sent = if fate == Fate::Changed { self.soon(sent, 30) } else { sent };
        self.note(at, place, Act::Drugs(drugs.to_vec(), days));
        let control = if fate == Fate::Changed { "XO" } else { "NW" };
        self.prescribed(control, order, (at, sent), place, drugs, days);
        self.file("OMP-01", date, Some(order), sent, place.department, '1')?;
        if self.provider.style.dispensing && self.dice.chance(0.4) {
            let given = self.soon(sent, 60);
            self.begin("RAS^O17^RAS_O17", given, None);
            self.pv1(place, &[]);
            self.orc("NW", order, Some("1"), at, place, "");
            for drug in drugs {
                self.message
                    .segment("RXA")
                    .put(1, "0")
                    .put(2, "1")
                    .fmt(3, format_args!("{}", given.digits(12)))
                    .fmt(4, format_args!("{}", given.digits(12)))
                    .fmt(5, format_args!("{}^{}^HOT9", drug.hot9, drug.name))
                    .fmt(6, format_args!("{}", total(drug, days)))
                    .fmt(7, format_args!("{}^{}^MR9P", drug.unit.0, drug.unit.1))
                    .put(20, "CP")
                    .fmt(22, format_args!("{}", given.digits(14)));
            }
            self.route(&drugs[0].usage);
            self.file("OMP-11", Some(given.day()), Some(order), given, place.department, '1')?;
        }
        Ok(())
    }

    fn prescribed(&mut self, control: &str, order: u64, (at, sent): (Moment, Moment), place: &Place, drugs: &[&Drug], days: i32) {
        self.begin("RDE^O11^RDE_O11", sent, None);
        self.pv1(place, &[]);
        let class = match (&place.bed, self.provider.style.dispensing) {
            (Some(_), _) => "IHP^入院処方^MR9P",
            (None, true) => "OHP^外来処方^MR9P~OHI^院内処方^MR9P",
            (None, false) => "OHP^外来処方^MR9P~OHO^院外処方^MR9P",
        };
        for (nth, drug) in drugs.iter().enumerate() {
            let group = (nth + 1).to_string();
            self.orc(control, order, Some(&group), at, place, "");
            let unit = format!("{}^{}^MR9P", drug.unit.0, drug.unit.1);
            let daily = drug.dose * drug.usage.times();
            self.message
                .segment("RXE")
                .fmt(2, format_args!("{}^{}^HOT9", drug.hot9, drug.name))
                .fmt(3, format_args!("{}", drug.dose))
                .put(5, &unit)
                .fmt(10, format_args!("{}", total(drug, days)))
                .put(11, &unit)
                .fmt(15, format_args!("{}-{:04}", at.digits(8), order % 10_000))
                .fmt(19, format_args!("{daily}^{}&{}&MR9P", drug.unit.0, drug.unit.1))
                .put(21, class);
            let (code, text) = drug.usage.code();
            let tq1 = self.message.segment("TQ1").put(1, "1").fmt(3, format_args!("{code}&{text}&JAMISDP01"));
            drop(match drug.usage {
                Usage::AsNeeded => tq1.fmt(7, format_args!("{}", at.digits(8))).put(14, "10"),
                Usage::External => tq1.fmt(7, format_args!("{}", at.digits(8))),
                _ => tq1.fmt(6, format_args!("{days}^d")).fmt(7, format_args!("{}", at.digits(8))),
            });
            self.route(&drug.usage);
        }
    }

    fn route(&mut self, usage: &Usage) {
        self.message.segment("RXR").put(1, if *usage == Usage::External { "TP^局所^HL70162" } else { "PO^口^HL70162" });
    }

    /// OMP-02, and mostly OMP-12.
    pub fn injection(&mut self, at: Moment, place: &Place, additive: Option<usize>) -> io::Result<()> {
        let bases: Vec<&'static Infusion> = INFUSIONS.iter().filter(|i| i.base).collect();
        let others: Vec<&'static Infusion> = INFUSIONS.iter().filter(|i| !i.base).collect();
        let base = *self.dice.pick(&bases);
        let mut parts = vec![base];
        parts.extend(additive.map(|n| others[n % others.len()]));
        self.note(at, place, Act::Infusion(parts.clone()));
        let order = self.order();
        let group = format!("{order:015}_01_001");
        let sent = self.soon(at, 9);
        let (start, end) = (at.later(60), at.later(60 + 120 + self.dice.between(0, 180)));
        self.begin("RDE^O11^RDE_O11", sent, None);
        self.pv1(place, &[]);
        self.orc("NW", order, Some(&group), at, place, "");
        self.message
            .segment("RXE")
            .put(2, "00^一般^99I02")
            .put(3, "500")
            .put(5, "ML^ミリリットル^MR9P")
            .put(6, "INJ^注射剤^MR9P")
            .fmt(15, format_args!("{}-{:03}", at.digits(8), order % 1_000))
            .put(21, "IHP^入院処方^MR9P~FTP^定時処方^99I01")
            .put(23, "100")
            .put(24, "ml/hr^ミリリッター／時間^ISO+");
        self.message
            .segment("TQ1")
            .put(1, "1")
            .fmt(7, format_args!("{}", start.digits(12)))
            .fmt(8, format_args!("{}", end.digits(12)));
        self.message.segment("RXR").put(1, "IV^静脈内^HL70162").put(4, "IVP^点滴ポンプ^HL70164");
        for part in &parts {
            self.message
                .segment("RXC")
                .put(1, if part.base { "B" } else { "A" })
                .fmt(2, format_args!("{}^{}^HOT9", part.hot9, part.name))
                .put(3, "1")
                .fmt(4, format_args!("{}^{}^MR9P", part.unit.0, part.unit.1));
        }
        self.file("OMP-02", Some(at.day()), Some(order), sent, place.department, '1')?;
        if !self.dice.chance(0.85) {
            return Ok(());
        }
        let done = self.soon(end, 30);
        self.begin("RAS^O17^RAS_O17", done, None);
        self.pv1(place, &[]);
        self.orc("NW", order, Some(&group), at, place, "");
        let completion = if self.dice.chance(0.03) { "NA" } else { "CP" };
        if completion == "NA" {
            // Not given: nobody bills it.
            self.facts.events.pop();
        }
        let bed = place.bed.map_or(String::new(), |b| b.to_string());
        for part in &parts {
            self.message
                .segment("RXA")
                .put(1, "0")
                .put(2, "1")
                .fmt(3, format_args!("{}", start.digits(14)))
                .fmt(4, format_args!("{}", end.digits(14)))
                .fmt(5, format_args!("{}^{}^HOT9", part.hot9, part.name))
                .put(6, "1")
                .fmt(7, format_args!("{}^{}^MR9P", part.unit.0, part.unit.1))
                .put(10, "N001^看護^花子^^^^^^^L^^^^^I")
                .put(11, &bed)
                .put(20, completion)
                .fmt(22, format_args!("{}", done.digits(14)));
        }
        self.message.segment("RXR").put(1, "IV^静脈内^HL70162").put(4, "IVP^点滴ポンプ^HL70164");
        self.file("OMP-12", Some(start.day()), Some(order), done, place.department, '1')
    }
}

/// Everything that is handed out for so many days.
pub fn total(drug: &Drug, days: i32) -> u32 {
    let days = days.max(1) as u32;
    match drug.usage {
        Usage::AsNeeded => drug.dose * 10,
        Usage::External => drug.dose * days.div_ceil(14),
        Usage::Weekly => drug.dose * days.div_ceil(7),
        usage => drug.dose * usage.times() * days,
    }
}
