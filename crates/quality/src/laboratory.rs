//! Results by test: units, bounds by age, and what is usual in a month.

use std::collections::HashMap;

use omop::Table;

use crate::codes::Analyte;
use crate::column::Column;
use crate::days::NO_MONTH;
use crate::persons::Persons;
use crate::rules::{CheckName as N, Rules};
use crate::tally::{Rows, Tally};
use crate::units::{Units, plain};

/// Days of a year.
const YEAR: f64 = 365.25;
/// Classes of a histogram of values: four an octave, from 2^-10 to 2^20, and one for what is not over 0.
pub(crate) const CLASSES: usize = 4 * 30 + 1;

/// A month of a test.
pub(crate) struct Month {
    pub rows: u32,
    /// Rows by unit, as it is compared; the empty one is a missing unit.
    pub units: HashMap<u32, u32>,
    /// Rows by upper end of the reference range, in bits.
    pub ranges: HashMap<u64, u32>,
    pub values: Box<[u32; CLASSES]>,
}

/// A test.
pub(crate) struct Test {
    pub code: String,
    analyte: Analyte,
    units: Option<Units>,
    pub checks: HashMap<N, usize>,
    bounds: Vec<usize>,
    pub months: HashMap<u16, Month>,
}

/// The tests that rules name.
pub(crate) struct Laboratory {
    pub tests: Vec<Test>,
    codes: HashMap<String, Option<u32>>,
    pub unit_names: Vec<String>,
    unit_numbers: HashMap<String, u32>,
    /// Factor of a unit by test and unit: none when the test has no such unit.
    factors: HashMap<(u32, u32), Option<f64>>,
}

/// The class of a value.
fn class(value: f64) -> usize {
    if value <= 0.0 || value.is_nan() {
        return 0;
    }
    ((value.log2() + 10.0) * 4.0).floor().clamp(0.0, (CLASSES - 2) as f64) as usize + 1
}

/// The middle of a class.
pub(crate) fn value_of(class: usize) -> f64 {
    if class == 0 { 0.0 } else { (((class - 1) as f64 + 0.5) / 4.0 - 10.0).exp2() }
}

impl Laboratory {
    pub(crate) fn of(rules: &Rules) -> Laboratory {
        let mut tests: Vec<Test> = Vec::new();
        for (number, check) in rules.checks().iter().enumerate() {
            if check.table != Table::Measurement || check.code.is_empty() || check.name == N::CodeForm {
                continue;
            }
            let place = tests.iter().position(|t| t.code == check.code).unwrap_or_else(|| {
                let analyte = Analyte::parse(&check.code);
                let (checks, bounds, months) = (HashMap::new(), Vec::new(), HashMap::new());
                tests.push(Test { code: check.code.clone(), analyte, units: None, checks, bounds, months });
                tests.len() - 1
            });
            let test = &mut tests[place];
            match check.name {
                N::ValueLow | N::ValueHigh => test.bounds.push(number),
                N::Unit => {
                    test.units = Units::parse(&check.reference);
                    test.checks.insert(N::Unit, number);
                }
                name => drop(test.checks.insert(name, number)),
            }
        }
        let unit_names = vec![String::new()];
        let unit_numbers = HashMap::from([(String::new(), 0)]);
        Laboratory { tests, codes: HashMap::new(), unit_names, unit_numbers, factors: HashMap::new() }
    }

    fn test(&mut self, value: &str) -> Option<u32> {
        if let Some(test) = self.codes.get(value) {
            return *test;
        }
        let test = self.tests.iter().position(|t| t.analyte.is(value)).map(|t| t as u32);
        // Values that are no test's are not remembered without bound: a sender may write words.
        if test.is_some() || self.codes.len() < 100_000 {
            self.codes.insert(value.to_owned(), test);
        }
        test
    }

    fn unit(&mut self, unit: &str) -> u32 {
        if let Some(number) = self.unit_numbers.get(unit) {
            return *number;
        }
        let compared = plain(unit);
        let number = match self.unit_numbers.get(&compared) {
            Some(number) => *number,
            None if self.unit_names.len() >= 10_000 => 0,
            None => {
                self.unit_names.push(compared.clone());
                self.unit_numbers.insert(compared, (self.unit_names.len() - 1) as u32);
                (self.unit_names.len() - 1) as u32
            }
        };
        if self.unit_numbers.len() < 100_000 {
            self.unit_numbers.insert(unit.to_owned(), number);
        }
        number
    }

    /// Whether two units of a test are the same by another name.
    pub(crate) fn are_equal(&self, test: &Test, a: u32, b: u32) -> bool {
        let factor = |unit: u32| test.units.as_ref().and_then(|u| u.factor(self.unit_names.get(unit as usize)?));
        factor(a).filter(|f| *f > 0.0).is_some_and(|f| Some(f) == factor(b))
    }

    fn factor(&mut self, test: u32, unit: u32) -> Option<f64> {
        let (tests, names) = (&self.tests, &self.unit_names);
        let factor = || tests[test as usize].units.as_ref().and_then(|u| u.factor(&names[unit as usize]));
        *self.factors.entry((test, unit)).or_insert_with(factor)
    }

    pub(crate) fn check(&mut self, rows: &Rows<'_>, persons: &Persons, rules: &Rules, tallies: &mut [Tally]) {
        let column = |name: &str| Column::of(rows.batch, name);
        let (codes, units) = (column("measurement_source_value"), column("unit_source_value"));
        let (values, ranges) = (column("value_as_number"), column("range_high"));
        let mut last: Option<(&str, Option<u32>)> = None;
        for row in 0..rows.len() {
            let Some(code) = codes.text(row) else { continue };
            let test = match last {
                Some((text, test)) if text == code => test,
                _ => self.test(code),
            };
            last = Some((code, test));
            let Some(test) = test else { continue };
            let (unit, value) = (units.text(row).map_or(0, |u| self.unit(u)), values.number(row));
            let has_unit = unit != 0;
            let factor = self.factor(test, unit);
            let test = &mut self.tests[test as usize];
            let mut ask = |name: N, holds: bool| {
                if let Some(&number) = test.checks.get(&name) {
                    tallies[number].test(rows, row);
                    if !holds {
                        tallies[number].violate(rows, row);
                    }
                }
            };
            ask(N::CodeValue, value.is_some());
            if value.is_some() {
                ask(N::CodeUnit, has_unit);
                if has_unit {
                    ask(N::Unit, factor.is_some());
                }
            }
            if let Some(month) =
                (rows.month[row] != NO_MONTH).then(|| test.months.entry(rows.month[row]).or_insert_with(Month::new))
            {
                month.rows += 1;
                if let Some(value) = value {
                    *month.units.entry(unit).or_default() += 1;
                    // In the usual unit; as it stands where no unit, or none of the test's, is stated: so a silent change shows.
                    let factor = factor.unwrap_or(1.0);
                    if factor > 0.0 {
                        month.values[class(value * factor)] += 1;
                    }
                }
                if let Some(high) = ranges.number(row) {
                    *month.ranges.entry(high.to_bits()).or_default() += 1;
                }
            }
            // Without a unit that is known nothing is said of how large a value may be.
            let Some((value, factor)) = value.zip(factor).filter(|(_, f)| *f > 0.0) else { continue };
            let person = persons.get(rows.person[row]);
            let day = rows.day(row).filter(|_| person.birth > i32::MIN);
            let years = day.map(|d| (f64::from(d) - f64::from(person.birth)) / YEAR);
            for &number in &test.bounds {
                let check = &rules.checks()[number];
                if let Some((from, to)) = check.age
                    && !years.is_some_and(|y| y >= from && y < to)
                {
                    continue;
                }
                let usual = value * factor;
                let holds = match check.name {
                    N::ValueLow => usual >= crate::table::bound(check.low, 0),
                    _ => usual <= crate::table::bound(check.high, 0),
                };
                tallies[number].test(rows, row);
                if !holds {
                    tallies[number].violate(rows, row);
                }
            }
        }
    }
}

impl Month {
    fn new() -> Month {
        Month { rows: 0, units: HashMap::new(), ranges: HashMap::new(), values: Box::new([0; CLASSES]) }
    }

    /// Middle value of the month, and how many there are.
    pub(crate) fn median(&self) -> Option<(f64, u32)> {
        let all: u32 = self.values.iter().sum();
        let mut before = 0;
        for (class, n) in self.values.iter().enumerate() {
            before += n;
            if all > 0 && before * 2 >= all {
                return Some((value_of(class), all));
            }
        }
        None
    }

    /// What most rows have, of some that are counted, and the share that it has in percent.
    pub(crate) fn most<K: Copy + Ord>(counts: &HashMap<K, u32>) -> Option<(K, u32)> {
        counts.iter().map(|(k, n)| (*n, *k)).max().map(|(n, k)| (k, n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_near_the_middle_of_its_class() {
        for value in [0.001, 0.02, 1.0, 7.2, 140.0, 31_000.0] {
            let middle = value_of(class(value));
            assert!((middle / value).log2().abs() <= 0.125 + 1e-9, "{value} {middle}");
        }
        assert_eq!((class(0.0), class(-3.0), class(f64::NAN), class(f64::INFINITY)), (0, 0, 0, CLASSES - 1));
    }
}
