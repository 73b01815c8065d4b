//! Results of measurements: number, operator and text are treated together, by the code of the item.
//!
//! How a treated result is written: an exact number stays in the number column and stands in the text column without
//! the source's spelling. A banded one has no number; the text column holds `50-55`, the lower end included, the upper
//! not. A top-coded one has the bound as its number, the operator `>=`, and the text `>=201`; a bottom-coded one `<` or
//! `<=` likewise.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int32Array, StringArray};
use serde::{Deserialize, Serialize};

use super::codes::Fate;
use super::numbers::{band_floor, extremes};
use super::{OTHER, texts};
use crate::persons::persons_per_code;
use crate::profile::ValueRule;

/// OMOP concept ids of the operators.
mod operator {
    pub const LESS: i32 = 4_171_756;
    pub const LESS_OR_EQUAL: i32 = 4_171_754;
    pub const GREATER_OR_EQUAL: i32 = 4_171_755;
    pub const GREATER: i32 = 4_172_704;
}

/// The columns of results, as far as the table has them.
pub struct Columns<'a> {
    /// Treated codes of the items.
    pub codes: &'a StringArray,
    /// What became of the codes.
    pub fates: &'a [Fate],
    /// Treated units.
    pub units: Option<&'a StringArray>,
    /// Rows whose unit was not known.
    pub unit_lost: Option<&'a [bool]>,
    /// Number.
    pub number: Option<&'a Float64Array>,
    /// Operator concept.
    pub operator: Option<&'a Int32Array>,
    /// Text.
    pub text: Option<&'a StringArray>,
}

/// Counts for the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultCounts {
    /// Shown exactly.
    pub exact: usize,
    /// Brought to a band.
    pub banded: usize,
    /// Top-coded.
    pub top: usize,
    /// Bottom-coded.
    pub bottom: usize,
    /// Emptied: the code became その他, the unit is not known, or too few persons have the item in this unit.
    pub emptied: usize,
    /// Texts that became その他 because few persons have them.
    pub text_rare: usize,
    /// Texts that were emptied because they are no result.
    pub text_emptied: usize,
}

/// The treated columns.
pub struct Treated {
    /// Number.
    pub number: ArrayRef,
    /// Operator concept.
    pub operator: ArrayRef,
    /// Text.
    pub text: ArrayRef,
    /// Counts.
    pub counts: ResultCounts,
}

#[derive(Clone, Copy, Default)]
struct Bounds<'a> {
    rule: Option<&'a ValueRule>,
    low: Option<f64>,
    high: Option<f64>,
    /// Too few persons: nothing may be shown.
    hidden: bool,
}

fn shown(value: f64) -> String {
    // Sixteen digits of a quotient are not a result; nine are more than any method gives.
    let text = format!("{value:.9}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".to_owned() } else { text.to_owned() }
}

type Cell = (Option<f64>, Option<i32>, Option<String>);

impl Bounds<'_> {
    fn apply(&self, value: f64, op: Option<i32>, counts: &mut ResultCounts) -> Cell {
        let band = self.rule.and_then(|r| r.band).filter(|w| *w > 0.0);
        let (top, bottom) = (self.rule.and_then(|r| r.top), self.rule.and_then(|r| r.bottom));
        // With bands the bounds stand on ends of bands.
        let high = top.or(self.high.map(|h| band.map_or(h, |w| band_floor(h, w))));
        if let Some(high) = high.filter(|h| value >= *h) {
            counts.top += 1;
            return (Some(high), Some(operator::GREATER_OR_EQUAL), Some(format!(">={}", shown(high))));
        }
        if let Some(bottom) = bottom.or(self.low.and_then(|l| band.map(|w| band_floor(l, w) + w)))
            && value < bottom
        {
            counts.bottom += 1;
            return (Some(bottom), Some(operator::LESS), Some(format!("<{}", shown(bottom))));
        }
        if let Some(low) = self.low.filter(|l| bottom.is_none() && band.is_none() && value <= *l) {
            counts.bottom += 1;
            return (Some(low), Some(operator::LESS_OR_EQUAL), Some(format!("<={}", shown(low))));
        }
        if let Some(width) = band {
            counts.banded += 1;
            let from = band_floor(value, width);
            return (None, None, Some(format!("{}-{}", shown(from), shown(from + width))));
        }
        counts.exact += 1;
        let sign = match op {
            Some(operator::LESS) => "<",
            Some(operator::LESS_OR_EQUAL) => "<=",
            Some(operator::GREATER) => ">",
            Some(operator::GREATER_OR_EQUAL) => ">=",
            _ => "",
        };
        (Some(value), op, Some(format!("{sign}{}", shown(value))))
    }
}

fn rule_of<'a>(rules: &'a [ValueRule], code: &str) -> Option<&'a ValueRule> {
    rules.iter().filter(|r| code.starts_with(&r.code)).max_by_key(|r| r.code.len())
}

/// Treats the results of a table. `k` is how many persons an extreme value and a text need.
pub fn treat(columns: &Columns<'_>, persons: &[u32], rules: &[ValueRule], extreme: u32, rare: u32) -> Treated {
    let rows = persons.len();
    let usable = |row: usize| columns.fates[row] == Fate::Kept && !columns.unit_lost.is_some_and(|l| l[row]);
    let group_of = |row: usize| {
        let unit = columns.units.filter(|u| u.is_valid(row)).map_or("", |u| u.value(row));
        (columns.codes.value(row), unit)
    };
    let number = |row: usize| columns.number.filter(|n| n.is_valid(row)).map(|n| n.value(row)).filter(|v| v.is_finite());

    let mut groups: HashMap<(&str, &str), Vec<(u32, f64)>> = HashMap::new();
    let mut texts_of: HashMap<(&str, String), u32> = HashMap::new();
    let mut text_pairs = Vec::new();
    let mut text_rows: Vec<Option<(u32, String)>> = vec![None; rows];
    let mut counts = ResultCounts::default();
    for (row, text_row) in text_rows.iter_mut().enumerate() {
        if !usable(row) {
            continue;
        }
        if let Some(value) = number(row) {
            groups.entry(group_of(row)).or_default().push((persons[row], value));
        } else if let Some(text) = columns.text.filter(|t| t.is_valid(row)).map(|t| t.value(row)) {
            match texts::result(text) {
                Some(result) => {
                    let next = texts_of.len() as u32;
                    let n = *texts_of.entry((columns.codes.value(row), result.clone())).or_insert(next);
                    text_pairs.push((n, persons[row]));
                    *text_row = Some((n, result));
                }
                None => counts.text_emptied += 1,
            }
        }
    }
    let text_persons = persons_per_code(texts_of.len(), text_pairs);
    let bounds: HashMap<(&str, &str), Bounds<'_>> = groups
        .into_iter()
        .map(|(group, values)| {
            let rule = rule_of(rules, group.0);
            let bounds = match extremes(&values, extreme) {
                None => Bounds { rule, hidden: true, ..Bounds::default() },
                Some((low, high)) => Bounds { rule, low, high, hidden: false },
            };
            (group, bounds)
        })
        .collect();

    let mut numbers = Vec::with_capacity(rows);
    let mut operators = Vec::with_capacity(rows);
    let mut out_texts: Vec<Option<String>> = Vec::with_capacity(rows);
    for (row, text_row) in text_rows.into_iter().enumerate() {
        let had = number(row).is_some() || columns.text.is_some_and(|t| t.is_valid(row));
        let op = columns.operator.filter(|o| o.is_valid(row)).map(|o| o.value(row)).filter(|o| *o != 0);
        let cell: Cell = match (usable(row), number(row), text_row) {
            (true, Some(value), _) => match bounds.get(&group_of(row)) {
                Some(b) if !b.hidden => b.apply(value, op, &mut counts),
                _ => {
                    counts.emptied += 1;
                    (None, None, None)
                }
            },
            (true, None, Some((n, text))) => {
                if text_persons[n as usize] < rare {
                    counts.text_rare += 1;
                    (None, None, Some(OTHER.to_owned()))
                } else {
                    (None, None, Some(text))
                }
            }
            (true, None, None) => (None, None, None),
            (false, ..) => {
                counts.emptied += usize::from(had);
                (None, None, None)
            }
        };
        numbers.push(cell.0);
        operators.push(cell.1);
        out_texts.push(cell.2);
    }
    Treated {
        number: Arc::new(Float64Array::from(numbers)),
        operator: Arc::new(Int32Array::from(operators)),
        text: Arc::new(StringArray::from(out_texts)),
        counts,
    }
}
