//! Results of measurements: number, operator, text and concept are treated together, by the code of the item.
//!
//! How a treated result is written: an exact number stays in the number column and stands in the text column without
//! the source's spelling. A banded one has no number; the text column holds `50-55`, the lower end included, the upper
//! not. A top-coded one has the bound as its number, the operator `>=`, and the text `>=201`; a bottom-coded one `<` or
//! `<=` likewise.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int32Array, StringArray};
use serde::{Deserialize, Serialize};

use super::codes::{Fate, enough_together};
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
    /// Concept of a result that is a word: positive, negative.
    pub concept: Option<&'a Int32Array>,
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
    /// Concepts of results that were emptied because few persons have them with that item.
    #[serde(default)]
    pub concept_rare: usize,
}

/// The treated columns.
pub struct Treated {
    /// Number.
    pub number: ArrayRef,
    /// Operator concept.
    pub operator: ArrayRef,
    /// Text.
    pub text: ArrayRef,
    /// Concept of the result.
    pub concept: ArrayRef,
    /// Counts.
    pub counts: ResultCounts,
}

/// The lower bound of an item.
#[derive(Clone, Copy)]
enum Low {
    /// Values below it are "less than".
    Below(f64),
    /// Values up to it are "or less".
    UpTo(f64),
}

/// Beyond each bound there are values of enough persons, whatever the rule of the profile says.
#[derive(Clone, Copy)]
struct Bounds {
    band: Option<f64>,
    low: Option<Low>,
    high: Option<f64>,
}

impl Bounds {
    /// The bounds of an item: the rule's where enough persons reach them, else the last that enough persons reach. None where
    /// there is no value that may be shown: too few persons, or so few that the ends overlap.
    fn of(rule: Option<&ValueRule>, values: &[(u32, f64)], extreme: u32) -> Option<Self> {
        let (least, most) = extremes(values, extreme)?;
        let band = rule.and_then(|r| r.band).filter(|w| *w > 0.0);
        let (top, bottom) = (rule.and_then(|r| r.top), rule.and_then(|r| r.bottom));
        // With bands the bounds stand on ends of bands.
        let most = most.map(|h| band.map_or(h, |w| band_floor(h, w)));
        let high = match (top, most) {
            (Some(top), Some(most)) => Some(top.min(most)),
            (top, most) => top.or(most),
        };
        let least = least.map(|l| band.map_or(Low::UpTo(l), |w| Low::Below(band_floor(l, w) + w)));
        let low = match (bottom, least) {
            (Some(bottom), Some(Low::UpTo(least) | Low::Below(least))) if bottom > least => Some(Low::Below(bottom)),
            (Some(bottom), None) => Some(Low::Below(bottom)),
            (_, least) => least,
        };
        let apart = match (low, high) {
            (Some(Low::Below(low)), Some(high)) => low <= high,
            (Some(Low::UpTo(low)), Some(high)) => low < high,
            _ => true,
        };
        apart.then_some(Self { band, low, high })
    }
}

fn shown(value: f64) -> String {
    // Sixteen digits of a quotient are not a result; nine are more than any method gives.
    let text = format!("{value:.9}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".to_owned() } else { text.to_owned() }
}

type Cell = (Option<f64>, Option<i32>, Option<String>);

impl Bounds {
    fn apply(&self, value: f64, op: Option<i32>, counts: &mut ResultCounts) -> Cell {
        if let Some(high) = self.high.filter(|h| value >= *h) {
            counts.top += 1;
            return (Some(high), Some(operator::GREATER_OR_EQUAL), Some(format!(">={}", shown(high))));
        }
        match self.low {
            Some(Low::Below(low)) if value < low => {
                counts.bottom += 1;
                return (Some(low), Some(operator::LESS), Some(format!("<{}", shown(low))));
            }
            Some(Low::UpTo(low)) if value <= low => {
                counts.bottom += 1;
                return (Some(low), Some(operator::LESS_OR_EQUAL), Some(format!("<={}", shown(low))));
            }
            _ => {}
        }
        if let Some(width) = self.band {
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
    // None: too few persons, nothing may be shown.
    let bounds: HashMap<(&str, &str), Option<Bounds>> =
        groups.into_iter().map(|(group, values)| (group, Bounds::of(rule_of(rules, group.0), &values, extreme))).collect();

    let mut numbers = Vec::with_capacity(rows);
    let mut operators = Vec::with_capacity(rows);
    let mut out_texts: Vec<Option<String>> = Vec::with_capacity(rows);
    for (row, text_row) in text_rows.into_iter().enumerate() {
        let had = number(row).is_some() || columns.text.is_some_and(|t| t.is_valid(row));
        let op = columns.operator.filter(|o| o.is_valid(row)).map(|o| o.value(row)).filter(|o| *o != 0);
        let cell: Cell = match (usable(row), number(row), text_row) {
            (true, Some(value), _) => match bounds.get(&group_of(row)) {
                Some(Some(bounds)) => bounds.apply(value, op, &mut counts),
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
    let concept = concepts(columns, persons, rare, &usable, &mut counts);
    Treated {
        number: Arc::new(Float64Array::from(numbers)),
        operator: Arc::new(Int32Array::from(operators)),
        text: Arc::new(StringArray::from(out_texts)),
        concept,
        counts,
    }
}

/// The concepts of results: emptied with the value's code and unit, and where few persons have one with its item. A text that
/// became その他 does not say what it was; a concept that few persons have would.
fn concepts(
    columns: &Columns<'_>,
    persons: &[u32],
    rare: u32,
    usable: &dyn Fn(usize) -> bool,
    counts: &mut ResultCounts,
) -> ArrayRef {
    let Some(concept) = columns.concept else { return Arc::new(Int32Array::new_null(persons.len())) };
    let usable_only: Int32Array = concept.iter().enumerate().map(|(row, concept)| concept.filter(|_| usable(row))).collect();
    let codes: Vec<Option<String>> = columns.codes.iter().map(|c| c.map(str::to_owned)).collect();
    let enough = enough_together(&codes, &usable_only, persons, rare);
    let shown: Int32Array = usable_only
        .iter()
        .zip(enough)
        .map(|(concept, enough)| {
            counts.concept_rare += usize::from(!enough);
            concept.filter(|_| enough)
        })
        .collect();
    Arc::new(shown)
}
