//! OML-01 and OML-11: laboratory orders and results.

use std::io;

use super::{Chart, Place};
use crate::clinic::{Disease, LABS, Lab, Panel, Specimen, Value};
use crate::day::Moment;
use crate::dice::Dice;
use crate::facts::{Act, Finding, Measured};
use crate::provider::LessThan;

/// One result as it is reported.
struct Reported {
    kind: &'static str,
    value: String,
    flag: &'static str,
    status: &'static str,
    finding: Finding,
}

impl Chart<'_> {
    /// Results of some panels, under the diseases that move them.
    pub fn laboratory(&mut self, at: Moment, place: &Place, panels: &[Panel], diseases: &[&Disease]) -> io::Result<()> {
        let mut labs: Vec<usize> = (0..LABS.len()).filter(|&i| panels.contains(&LABS[i].panel)).collect();
        // Rarely is everything of a panel wanted.
        labs.retain(|&i| !matches!(LABS[i].key, "PSA" if self.person.female) && self.dice.chance(0.82));
        if labs.is_empty() {
            return Ok(());
        }
        labs.sort_by_key(|&i| (LABS[i].specimen, i));
        let order = self.order();
        let date = Some(at.day());
        let sent = self.soon(at, 9);
        if self.dice.chance(0.06) {
            self.lab_order(order, at, sent, place, &labs);
            self.file("OML-01", date, Some(order), sent, place.department, '1')?;
        }
        let taken = self.soon(at, 30);
        let reported = self.soon(taken, 120);
        let (results, whole) = (self.measure(&labs, at, diseases), labs.len());
        let measured = labs.iter().zip(&results).map(|(&lab, r)| Measured { lab, finding: r.finding }).collect();
        self.note(taken, place, Act::Results(measured));
        if self.dice.chance(0.03) && whole > 2 {
            // What was ready first; the full report has superseded it.
            self.report(order, (at, taken, reported), place, &labs[..whole / 2], &results[..whole / 2]);
            self.file("OML-11", date, Some(order), reported, place.department, '2')?;
        }
        let reported = self.soon(reported, 90);
        self.report(order, (at, taken, reported), place, &labs, &results);
        self.file("OML-11", date, Some(order), reported, place.department, '1')
    }

    fn lab_order(&mut self, order: u64, at: Moment, sent: Moment, place: &Place, labs: &[usize]) {
        self.begin("OML^O33^OML_O33", sent, None);
        self.pv1(place, &[]);
        let (mut specimen, mut n) = (None, 0);
        for &i in labs {
            let lab = &LABS[i];
            if specimen != Some(lab.specimen) {
                specimen = Some(lab.specimen);
                n += 1;
                let (code, name) = lab.specimen.code();
                self.message.segment("SPM").fmt(1, format_args!("{n}")).fmt(4, format_args!("{code}^{name}^JC10"));
                self.orc("NW", order, None, at, place, "");
                let (code, name) = lab.panel.order();
                self.message
                    .segment("OBR")
                    .fmt(1, format_args!("{n}"))
                    .fmt(2, format_args!("{order:015}"))
                    .fmt(4, format_args!("{code}^{name}^99O03"));
            }
            let item = self.item(i, lab);
            self.message.segment("OBX").put(1, "1").put(3, &item).put(11, "O");
        }
    }

    /// The code of a test as this provider writes it.
    fn item(&self, i: usize, lab: &Lab) -> String {
        let (local, mark) = (&self.provider.labs[i], &self.provider.mark);
        if local.only_local {
            format!("{}^{}^{mark}", local.code, lab.name)
        } else if self.provider.style.local_beside {
            format!("{}^{}^JC10^{}^{}^{mark}", lab.jlac10, lab.name, local.code, lab.name)
        } else {
            format!("{}^{}^JC10", lab.jlac10, lab.name)
        }
    }

    fn report(
        &mut self,
        order: u64,
        (at, taken, reported): (Moment, Moment, Moment),
        place: &Place,
        labs: &[usize],
        results: &[Reported],
    ) {
        self.begin("OUL^R22^OUL_R22", reported, None);
        self.pv1(place, &[]);
        let doctor = self.doctor(place.department);
        let (mut specimen, mut set, mut line): (Option<Specimen>, u64, u32) = (None, 0, 0);
        for (&i, result) in labs.iter().zip(results) {
            let lab = &LABS[i];
            if specimen != Some(lab.specimen) {
                specimen = Some(lab.specimen);
                set += 1;
                line = 0;
                let (code, name) = lab.specimen.code();
                let tube = order * 10 + set;
                self.message
                    .segment("SPM")
                    .fmt(1, format_args!("{set}"))
                    .fmt(2, format_args!("{tube:015}"))
                    .fmt(4, format_args!("{code}^{name}^JC10"))
                    .fmt(17, format_args!("{}", taken.digits(12)));
                let (code, name) = lab.panel.order();
                self.message
                    .segment("OBR")
                    .fmt(1, format_args!("{set}"))
                    .fmt(2, format_args!("{order:015}"))
                    .fmt(3, format_args!("{tube:015}"))
                    .fmt(4, format_args!("{code}^{name}^99O03"))
                    .fmt(7, format_args!("{}", taken.digits(12)))
                    .put(16, doctor)
                    .fmt(22, format_args!("{}", reported.digits(14)));
                self.orc("SC", order, None, at, place, "CM");
            }
            line += 1;
            let item = self.item(i, lab);
            let (unit, range) = self.unit_and_range(i, lab, at);
            self.message
                .segment("OBX")
                .fmt(1, format_args!("{line}"))
                .put(2, result.kind)
                .put(3, &item)
                .put(5, &result.value)
                .put(6, &unit)
                .put(7, &range)
                .put(8, result.flag)
                .put(11, result.status)
                .fmt(14, format_args!("{}", taken.digits(12)));
        }
    }

    /// The factor from the present unit at a time before the provider changed it.
    fn factor(&self, i: usize, at: Moment) -> f64 {
        self.provider.labs[i].before.map_or(1.0, |(until, _, factor)| if at.day() < until { factor } else { 1.0 })
    }

    fn unit_and_range(&mut self, i: usize, lab: &Lab, at: Moment) -> (String, String) {
        let range = if self.person.female { lab.range.1 } else { lab.range.0 };
        let mut unit = match self.provider.labs[i].before {
            Some((until, before, _)) if at.day() < until => format!("{before}^{before}^ISO+"),
            _ if lab.unit.0.is_empty() => String::new(),
            _ if self.provider.style.local_units && lab.unit.0 == lab.unit.1 => {
                let lower = lab.unit.0.to_lowercase();
                format!("{lower}^{lower}^99U01")
            }
            _ => format!("{}^{}^ISO+", lab.unit.0, lab.unit.1),
        };
        if self.dice.chance(0.01) {
            unit.clear();
        }
        let factor = self.factor(i, at);
        let range = if factor == 1.0 { range.to_owned() } else { scaled(range, factor) };
        (unit, range)
    }

    fn measure(&mut self, labs: &[usize], at: Moment, diseases: &[&Disease]) -> Vec<Reported> {
        labs.iter().map(|&i| self.one(i, &LABS[i], at, diseases)).collect()
    }

    fn one(&mut self, i: usize, lab: &Lab, at: Moment, diseases: &[&Disease]) -> Reported {
        if self.dice.chance(0.004) {
            // Haemolysed, lost, too little: no result.
            return Reported { kind: "NM", value: String::new(), flag: "", status: "X", finding: Finding::Lost };
        }
        // What is usual for this person stays so from one time to the next, at whatever provider.
        let own = Dice::of(self.options.seed, [6, self.person.index, i as u64]).bell();
        let mut usual = Dice::of(self.options.seed, [7, self.person.index, i as u64]);
        let done = |kind, value: String, flag, finding| Reported { kind, value, flag, status: "F", finding };
        match lab.value {
            Value::Sign(p) => {
                let yes = usual.chance(p);
                done(
                    "CWE",
                    if yes { "+^陽性^99XYZ" } else { "-^陰性^99XYZ" }.to_owned(),
                    if yes { "A" } else { "" },
                    Finding::Sign(yes),
                )
            }
            Value::Grade(p) => {
                let yes = self.dice.chance(if usual.chance(0.3) { p * 2.5 } else { p * 0.4 });
                let grade = if yes { *self.dice.pick(&["(±)", "(1+)", "(1+)", "(2+)", "(3+)"]) } else { "(-)" };
                done("ST", grade.to_owned(), if yes { "A" } else { "" }, Finding::Grade(grade))
            }
            Value::Number { men, women, spread, digits, floor } => {
                let mean = if self.person.female { women } else { men };
                let mut value = (mean + spread * (own * 0.8 + self.dice.bell() * 0.45)).max(mean * 0.2);
                for (_, by) in diseases.iter().flat_map(|d| d.shifts).filter(|(key, _)| *key == lab.key) {
                    // More or less of it, on each day.
                    value *= 1.0 + (by - 1.0) * (0.5 + self.dice.unit());
                }
                let factor = self.factor(i, at);
                if value < floor {
                    let below = Finding::Below(floor, digits);
                    let limit = number(floor * factor, decimals(digits, factor));
                    return match self.provider.style.less_than {
                        LessThan::Structured => done("SN", format!("<^{limit}"), "", below),
                        LessThan::Blank => done("ST", format!("< {limit}"), "", below),
                        LessThan::Words => done("ST", format!("{limit}未満"), "", below),
                    };
                }
                let range = if self.person.female { lab.range.1 } else { lab.range.0 };
                let flag = match range.split_once('-').map(|(l, h)| (l.parse::<f64>(), h.parse::<f64>())) {
                    Some((Ok(low), Ok(high))) if value < low || value > high => {
                        if value < low {
                            "L"
                        } else {
                            "H"
                        }
                    }
                    _ => "",
                };
                done("NM", number(value * factor, decimals(digits, factor)), flag, Finding::Number(value, digits))
            }
        }
    }
}

/// Digits after the point in a unit that is `factor` times finer.
fn decimals(digits: usize, factor: f64) -> usize {
    if factor >= 1_000.0 {
        digits.saturating_sub(3)
    } else if factor >= 100.0 {
        digits.saturating_sub(2)
    } else if factor >= 10.0 {
        digits.saturating_sub(1)
    } else if factor < 1.0 {
        digits + 1
    } else {
        digits
    }
}

fn number(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

fn scaled(range: &str, factor: f64) -> String {
    match range.split_once('-').map(|(l, h)| (l.parse::<f64>(), h.parse::<f64>())) {
        Some((Ok(low), Ok(high))) => {
            let digits = range.split('-').map(|n| n.split_once('.').map_or(0, |(_, d)| d.len())).max().unwrap_or(0);
            let digits = decimals(digits, factor);
            format!("{}-{}", number(low * factor, digits), number(high * factor, digits))
        }
        _ => range.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_range_changes_with_its_unit() {
        assert_eq!(scaled("3.3-8.6", 1_000.0), "3300-8600");
        assert_eq!(scaled("158-348", 0.1), "15.8-34.8");
        assert_eq!(scaled("0.00-0.14", 10.0), "0.0-1.4");
        assert_eq!(scaled("(-)", 10.0), "(-)");
    }
}
