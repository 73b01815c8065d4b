//! Patient basics, reception, stays in hospital, allergies, meals.

use std::fmt;
use std::io;

use super::{Chart, Place};
use crate::day::{Day, Moment, year};
use crate::facts::Act;
use crate::provider::DEPARTMENTS;
use crate::registration::in1;

/// A bed: ward, room, bed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bed {
    /// Ward.
    pub ward: u32,
    /// Room.
    pub room: u32,
    /// Bed in the room.
    pub bed: u32,
}

impl fmt::Display for Bed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}^{}^{}^^^N", self.ward, self.room, self.bed)
    }
}

/// How a stay ends, by table 0112.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Discharge {
    /// 01
    Home,
    /// 02 to 06
    Elsewhere(u32),
    /// 07
    AgainstAdvice,
    /// 20
    Died,
}

impl Discharge {
    fn code(self) -> &'static str {
        match self {
            Discharge::Home => "01",
            Discharge::Elsewhere(n) => ["02", "03", "04", "05", "06"][(n % 5) as usize],
            Discharge::AgainstAdvice => "07",
            Discharge::Died => "20",
        }
    }
}

const ALLERGIES: &[(&str, &str, &str, &str)] = &[
    ("DA^薬剤アレルギー^HL70127", "190100101^アモキシシリンカプセル２５０ｍｇ^HOT9", "SV^重度^HL70128", "アナフィラキシー"),
    ("DA^薬剤アレルギー^HL70127", "^ヨード造影剤", "MO^中等度^HL70128", "全身の発疹"),
    ("DA^薬剤アレルギー^HL70127", "190060101^ロキソプロフェンＮａ錠６０ｍｇ^HOT9", "MI^軽度^HL70128", "蕁麻疹"),
    ("FA^食物アレルギー^HL70127", "5A1002411023006^ソバ^JC10", "MO^中等度^HL70128", "蕁麻疹"),
    ("FA^食物アレルギー^HL70127", "^鶏卵", "MI^軽度^HL70128", "口周囲の発赤"),
    ("EA^環境アレルギー^HL70127", "^ラテックス", "MI^軽度^HL70128", "接触部の発赤"),
    ("LA^花粉アレルギー^HL70127", "^スギ花粉", "MI^軽度^HL70128", "鼻汁"),
];

impl Chart<'_> {
    /// ADT-00: the registrations, the last one live.
    pub fn basics(&mut self) -> io::Result<()> {
        let count = self.patient.versions.len();
        let allergy = self.allergy();
        for nth in 0..count {
            let r = &self.patient.versions[nth];
            let sent = r.on.later(1);
            self.begin("ADT^A08^ADT_A01", sent, Some((None, None)));
            if self.person.age(sent.day()) < 16 || self.patient.serial.is_multiple_of(9) {
                let (family, given) = match self.person.newborn_of {
                    Some(_) if nth == 0 => (&r.family.text, "花子"),
                    _ => (&r.family.text, "一郎"),
                };
                self.message
                    .segment("NK1")
                    .put(1, "1")
                    .fmt(2, format_args!("{family}^{given}^^^^^L^I"))
                    .put(3, "PAR^親^HL70063")
                    .fmt(4, format_args!("^^^^{}^JPN^H^{}", r.postal, r.address))
                    .put(5, &r.phone.as_ref().map_or(String::new(), |p| format!("^PRN^PH^^^^^^^^^{p}")));
            }
            self.pv1(&Place::outpatient(0), &[]);
            self.message
                .segment("DB1")
                .put(1, "1")
                .put(2, "PT")
                .put(4, if self.patient.serial.is_multiple_of(40) { "Y" } else { "N" });
            let age = self.person.age(sent.day());
            let (height, weight) = self.body(age);
            self.facts.body = (height, weight);
            let mut obx = |n: usize, kind: &str, item: &str, value: &str, unit: &str| {
                let line = self.message.segment("OBX").fmt(1, format_args!("{n}")).put(2, kind).put(3, item).put(5, value);
                drop(line.put(6, unit).put(11, "F"));
            };
            obx(1, "NM", "9N001000000000001^身長^JC10", &format!("{height:.1}"), "cm^cm^ISO+");
            obx(2, "NM", "9N006000000000001^体重^JC10", &format!("{weight:.1}"), "kg^kg^ISO+");
            let group = ["A", "O", "B", "AB"][[0, 0, 0, 0, 1, 1, 1, 2, 2, 3][(self.person.index * 7 % 10) as usize]];
            obx(3, "CWE", "5H010000001999911^血液型-ABO式^JC10", &format!("{group}^{group}^JSHR002"), "");
            if let Some((kind, what, ..)) = allergy {
                self.message.segment("AL1").put(1, "1").put(2, kind).put(3, what);
            }
            if let Some(card) = &r.card {
                let style = &self.provider.style;
                in1(card, style.card, style.pad_insurer, r.on.day() - 200, &mut self.message);
            }
            self.file("ADT-00", None, None, sent, 0, if nth + 1 == count { '1' } else { '2' })?;
        }
        if let Some((kind, what, severity, reaction)) = allergy {
            let sent = self.patient.versions[0].on.later(10);
            self.begin("ADT^A60^ADT_A60", sent, Some((None, None)));
            let onset = year(sent.day()) - 1 - (self.patient.serial % 12) as i32;
            self.message
                .segment("IAM")
                .put(1, "1")
                .put(2, kind)
                .put(3, what)
                .put(4, severity)
                .put(5, reaction)
                .put(6, "A^追加^HL70323")
                .fmt(11, format_args!("{}", onset.max(year(self.person.birth))));
            self.file("ADT-61", None, None, sent, 0, '1')?;
        }
        Ok(())
    }

    /// The allergy of a person, the same at every provider that asked.
    fn allergy(&mut self) -> Option<(&'static str, &'static str, &'static str, &'static str)> {
        let known = self.person.index.wrapping_mul(2_654_435_761) >> 7;
        (known.is_multiple_of(8) && self.dice.chance(0.85)).then(|| ALLERGIES[(known / 8 % ALLERGIES.len() as u64) as usize])
    }

    /// Height in cm and weight in kg.
    fn body(&mut self, age: i32) -> (f64, f64) {
        let tall = ((self.person.index * 37) % 100) as f64 / 100.0 - 0.5;
        let adult = if self.person.female { 157.5 } else { 170.5 } + tall * 22.0;
        let height = match age {
            ..1 => 50.0 + tall * 4.0,
            1..17 => 75.0 + f64::from(age) * (adult - 75.0) / 16.0,
            _ => adult - f64::from((age - 50).max(0)) * 0.12,
        };
        let index = if age < 1 {
            12.4
        } else if age < 17 {
            15.0 + f64::from(age) * 0.35
        } else {
            22.4 + tall * 5.0
        };
        (height, index * height * height / 10_000.0 + self.dice.bell() * if age < 1 { 0.2 } else { 1.5 })
    }

    /// ADT-12.
    pub fn reception(&mut self, at: Moment, department: usize) -> io::Result<()> {
        let sent = self.soon(at, 4);
        self.begin("ADT^A04^ADT_A01", sent, Some((None, None)));
        self.pv1(&Place::outpatient(department), &[(44, &at.digits(14).to_string())]);
        self.note(at, &Place::outpatient(department), Act::Visit);
        let order = self.order();
        self.file("ADT-12", Some(at.day()), Some(order), sent, department, '1')
    }

    /// ADT-01.
    pub fn attending_doctor(&mut self, at: Moment, place: &Place) -> io::Result<()> {
        self.begin("ADT^A54^ADT_A54", at, Some((None, Some(at))));
        self.pv1(place, &[]);
        self.file("ADT-01", None, None, at, place.department, '1')
    }

    /// ADT-21 (and ADT-51, ADT-41): something is planned for `plan`.
    pub fn planned(&mut self, data_type: &str, sent: Moment, plan: Moment, place: &Place, to: Option<Bed>) -> io::Result<()> {
        let (kind, field) = match data_type {
            "ADT-21" => ("ADT^A14^ADT_A05", 8),
            "ADT-41" => ("ADT^A15^ADT_A15", 8),
            _ => ("ADT^A16^ADT_A16", 9),
        };
        self.begin(kind, sent, Some((Some(plan), None)));
        self.pv1(place, &[]);
        let bed = to.map_or(String::new(), |b| b.to_string());
        self.message.segment("PV2").put(1, &bed).fmt(field, format_args!("{}", plan.digits(12)));
        self.file(data_type, Some(plan.day()), None, sent, place.department, '1')
    }

    /// ADT-22.
    pub fn admission(&mut self, at: Moment, place: &Place) -> io::Result<()> {
        let sent = self.soon(at, 20);
        self.begin("ADT^A01^ADT_A01", sent, Some((None, None)));
        let doctor = self.doctor(place.department);
        self.pv1(place, &[(17, doctor), (44, &at.digits(12).to_string())]);
        self.file("ADT-22", Some(at.day()), None, sent, place.department, '1')
    }

    /// ADT-42.
    pub fn transfer(&mut self, at: Moment, from: Bed, place: &Place) -> io::Result<()> {
        let sent = self.soon(at, 20);
        self.begin("ADT^A02^ADT_A02", sent, Some((None, Some(at))));
        self.pv1(place, &[(6, &from.to_string())]);
        self.file("ADT-42", Some(at.day()), None, sent, place.department, '1')
    }

    /// ADT-31 and ADT-32: a leave and the return from it.
    pub fn leave(&mut self, away: Moment, back: Moment, place: &Place) -> io::Result<()> {
        let sent = self.soon(away, 20);
        self.begin("ADT^A21^ADT_A21", sent, Some((None, Some(away))));
        self.pv1(place, &[]);
        self.message.segment("PV2").fmt(47, format_args!("{}", back.digits(12)));
        self.file("ADT-31", Some(away.day()), None, sent, place.department, '1')?;
        let sent = self.soon(back, 20);
        self.begin("ADT^A22^ADT_A21", sent, Some((None, Some(back))));
        self.pv1(place, &[]);
        self.file("ADT-32", Some(back.day()), None, sent, place.department, '1')
    }

    /// ADT-52.
    pub fn discharge(&mut self, admitted: Moment, at: Moment, how: Discharge, place: &Place) -> io::Result<()> {
        let sent = self.soon(at, 30);
        self.begin("ADT^A03^ADT_A03", sent, Some((None, Some(at))));
        self.pv1(place, &[(36, how.code()), (44, &admitted.digits(12).to_string()), (45, &at.digits(12).to_string())]);
        self.file("ADT-52", Some(at.day()), None, sent, place.department, '1')
    }

    /// OMD.
    pub fn meals(&mut self, from: Day, place: &Place, diet: (&str, &str, &str)) -> io::Result<()> {
        let at = Moment::at(from, 11 * 60 + self.dice.between(0, 300));
        let sent = self.soon(at, 9);
        self.begin("OMD^O03^OMD_O03", sent, None);
        self.pv1(place, &[]);
        let order = self.order();
        self.orc("NW", order, None, at, place, "");
        self.message
            .segment("TQ1")
            .put(1, "1")
            .put(3, "TID&１日３回&HL70335")
            .fmt(7, format_args!("{}18", at.digits(8)))
            .put(9, "R^ルーチン^HL70485");
        self.message.segment("ODS").put(1, "D").fmt(3, format_args!("{}^{}^99XY3", diet.0, diet.1)).put(4, diet.2);
        self.file("OMD", Some(from), Some(order), sent, place.department, '1')
    }

    /// A bed in the ward of a department.
    pub fn bed(&mut self, department: usize) -> Bed {
        let ward = 31 + DEPARTMENTS[department].0.parse().unwrap_or(1) % 7 * 10;
        Bed { ward, room: ward * 10 + self.dice.below(12), bed: 1 + self.dice.below(4) }
    }
}
