//! What is charged for what was done. Points are plausible and not those of the fee table.

use super::{Case, codes, habits::Habits};
use crate::chart::Examination;
use crate::clinic::{Drug, LABS, Usage};
use crate::day::{Day, day};
use crate::facts::{Act, Event, Finding, Stay};

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// 診療行為
    Act,
    /// 医薬品
    Drug,
    /// 特定器材
    Device,
}

/// One line: so many times on a day.
#[derive(Debug, Clone)]
pub struct Line {
    /// 診療識別, データ区分.
    pub section: &'static str,
    /// Kind.
    pub what: What,
    /// Code of the claims.
    pub code: String,
    /// Name.
    pub name: String,
    /// Amount of a drug or device each time.
    pub amount: Option<u32>,
    /// Unit of the amount, in words.
    pub unit: &'static str,
    /// Points each time.
    pub points: u32,
    /// Day.
    pub day: Day,
    /// Times.
    pub count: u32,
}

impl Line {
    fn act(section: &'static str, code: &str, name: &str, points: u32, day: Day) -> Self {
        let (code, name) = (code.to_owned(), name.to_owned());
        Self { section, what: What::Act, code, name, amount: None, unit: "", points, day, count: 1 }
    }
}

/// Points of one amount of a drug, from its number.
fn price(hot9: &str, amount: u32) -> u32 {
    let number: u32 = hot9.bytes().fold(7, |n, b| (n * 31 + u32::from(b)) % 997);
    ((8 + number % 90) * amount / 10).max(1)
}

fn drug(d: &Drug, days: i32, day: Day) -> Line {
    let days = days.max(1) as u32;
    let (section, amount, count) = match d.usage {
        Usage::AsNeeded => ("22", d.dose, 10),
        Usage::External => ("23", d.dose * days.div_ceil(14), 1),
        Usage::Weekly => ("21", d.dose, days.div_ceil(7)),
        usage => ("21", d.dose * usage.times(), days),
    };
    Line {
        section,
        what: What::Drug,
        code: codes::drug(d.hot9),
        name: d.name.to_owned(),
        amount: Some(amount),
        unit: d.unit.1,
        points: price(d.hot9, amount),
        day,
        count,
    }
}

/// The lines of an event. Drugs for outpatients come from a pharmacy unless the hospital hands them out.
pub fn lines(case: &Case<'_>, habits: &Habits, event: &Event, into: &mut Vec<Line>) {
    let on = event.at.day();
    match &event.act {
        Act::Visit => {
            // The fees of June 2024.
            let more = u32::from(on >= day(2024, 6, 1));
            if !case.patient.established && on == case.patient.first {
                into.push(Line::act("11", codes::FIRST, "初診料", 288 + 3 * more, on));
            } else {
                into.push(Line::act("12", codes::AGAIN, "再診料", 73 + 2 * more, on));
                into.push(Line::act("12", codes::CARE, "外来管理加算", 52, on));
            }
        }
        Act::Drugs(..) if !event.in_hospital && !case.provider.style.dispensing => {
            into.push(Line::act("80", codes::PRESCRIPTION, "処方箋料", 60, on));
        }
        Act::Drugs(drugs, days) => into.extend(drugs.iter().map(|d| drug(d, *days, on))),
        Act::Infusion(parts) => {
            into.push(Line::act("33", codes::DRIP, "点滴注射", 102, on));
            into.extend(parts.iter().map(|p| Line {
                section: "33",
                what: What::Drug,
                code: codes::drug(p.hot9),
                name: p.name.to_owned(),
                amount: Some(1),
                unit: p.unit.1,
                points: price(p.hot9, 1),
                day: on,
                count: 1,
            }));
        }
        Act::Results(results) => {
            let made = results.iter().filter(|r| !matches!(r.finding, Finding::Lost));
            into.extend(made.map(|r| {
                let points = 11 + (r.lab as u32 * 7) % 90;
                Line::act("60", &codes::lab(r.lab), LABS[r.lab].name, points, on)
            }));
        }
        Act::Examination(what) => {
            let (code, name, section, points) = codes::examination(*what);
            into.push(Line::act(section, code, name, points, on));
            if *what == Examination::Chest && habits.films {
                let film = Line::act("70", codes::FILM, "フィルム（半切）", 12, on);
                into.push(Line { what: What::Device, amount: Some(1), unit: "枚", ..film });
            }
        }
    }
}

/// The lines of the days in hospital, from and to both counted.
pub fn days(stay: &Stay, from: Day, to: Day, into: &mut Vec<Line>) {
    let name = if stay.newborn { "新生児入院医療管理" } else { "急性期一般入院料" };
    into.extend((from..=to).map(|day| Line::act("90", codes::DAY, name, 1_688, day)));
}
