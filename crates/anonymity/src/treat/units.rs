//! Units: one spelling each (UCUM), because how a unit is spelled names the laboratory system.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, BooleanArray, StringArray};
use unicode_normalization::UnicodeNormalization;

use crate::persons::persons_per_code;

/// Standard spelling, then what is written for it (compared without case, width and blanks; `u` for micro).
const UNITS: &[(&str, &[&str])] = &[
    ("%", &["%", "percent", "パーセント"]),
    ("g/dL", &["g/dl"]),
    ("mg/dL", &["mg/dl", "mg/100ml"]),
    ("ug/dL", &["ug/dl", "mcg/dl"]),
    ("ng/dL", &["ng/dl"]),
    ("g/L", &["g/l"]),
    ("mg/L", &["mg/l"]),
    ("ug/L", &["ug/l"]),
    ("mg/mL", &["mg/ml"]),
    ("ug/mL", &["ug/ml", "mcg/ml"]),
    ("ng/mL", &["ng/ml"]),
    ("pg/mL", &["pg/ml"]),
    ("fg/mL", &["fg/ml"]),
    ("g/g{creat}", &["g/gcr", "g/g・cr", "g/gcre"]),
    ("mg/g{creat}", &["mg/gcr", "mg/g・cr", "mg/gcre"]),
    ("U/L", &["u/l", "iu/l", "[iu]/l", "単位/l"]),
    ("U/mL", &["u/ml", "iu/ml", "[iu]/ml"]),
    ("mU/L", &["mu/l", "miu/l", "m[iu]/l"]),
    ("mU/mL", &["mu/ml", "miu/ml", "m[iu]/ml"]),
    ("uU/mL", &["uu/ml", "uiu/ml", "u[iu]/ml"]),
    ("mol/L", &["mol/l"]),
    ("mmol/L", &["mmol/l"]),
    ("umol/L", &["umol/l"]),
    ("nmol/L", &["nmol/l"]),
    ("pmol/L", &["pmol/l"]),
    ("meq/L", &["meq/l"]),
    ("mosm/kg", &["mosm/kg", "mosm/kgh2o", "mosm/l"]),
    ("/uL", &["/ul", "個/ul", "/mm3", "/cmm"]),
    ("10*2/uL", &["10*2/ul", "10^2/ul", "10e2/ul", "102/ul", "百/ul"]),
    ("10*3/uL", &["10*3/ul", "10^3/ul", "10e3/ul", "103/ul", "千/ul", "k/ul"]),
    ("10*4/uL", &["10*4/ul", "10^4/ul", "10e4/ul", "104/ul", "万/ul"]),
    ("10*6/uL", &["10*6/ul", "10^6/ul", "10e6/ul", "106/ul", "m/ul"]),
    ("10*9/L", &["10*9/l", "10^9/l", "10e9/l", "109/l"]),
    ("10*12/L", &["10*12/l", "10^12/l", "10e12/l", "1012/l"]),
    ("fL", &["fl"]),
    ("pg", &["pg"]),
    ("/[HPF]", &["/hpf", "/[hpf]", "個/hpf", "/視野"]),
    ("mm/h", &["mm/h", "mm/hr", "mm/時", "mm/1h"]),
    ("s", &["s", "sec", "秒"]),
    ("ms", &["ms", "msec"]),
    ("min", &["min", "分"]),
    ("h", &["h", "hr", "時間"]),
    ("d", &["d", "day", "日", "日分"]),
    ("mm[Hg]", &["mm[hg]", "mmhg", "mm(hg)", "torr"]),
    ("/min", &["/min", "bpm", "回/分", "/分", "拍/分", "回/min"]),
    ("Cel", &["cel", "°c", "℃", "degc", "度"]),
    ("kg", &["kg"]),
    ("g", &["g", "gram", "グラム"]),
    ("mg", &["mg"]),
    ("ug", &["ug", "mcg"]),
    ("cm", &["cm"]),
    ("mm", &["mm"]),
    ("m", &["m"]),
    ("kg/m2", &["kg/m2", "kg/m^2", "kg/m*2"]),
    ("m2", &["m2", "m^2"]),
    ("L", &["l", "リットル"]),
    ("mL", &["ml", "cc"]),
    ("uL", &["ul"]),
    ("L/min", &["l/min", "l/分"]),
    ("mL/min", &["ml/min", "ml/分"]),
    ("mL/h", &["ml/h", "ml/hr", "ml/時"]),
    ("mL/min/{1.73_m2}", &["ml/min/1.73m2", "ml/min/1.73m^2", "ml/min/{1.73_m2}", "ml/分/1.73m2"]),
    ("mL/d", &["ml/d", "ml/day", "ml/日"]),
    ("g/d", &["g/d", "g/day", "g/日"]),
    ("mg/d", &["mg/d", "mg/day", "mg/日"]),
    ("kcal", &["kcal"]),
    ("{ratio}", &["ratio", "比", "{ratio}"]),
    ("{INR}", &["inr", "{inr}"]),
    ("{COI}", &["coi", "c.o.i", "c.o.i.", "s/co"]),
    ("{titer}", &["倍", "titer", "{titer}"]),
    ("{score}", &["点", "score", "{score}"]),
    ("TAB", &["tab", "錠", "t"]),
    ("CAP", &["cap", "カプセル", "c"]),
    ("AMP", &["amp", "アンプル", "a"]),
    ("VIAL", &["vial", "バイアル", "v", "瓶"]),
    ("PCK", &["pck", "包", "packet"]),
    ("SHT", &["sht", "枚"]),
    ("KIT", &["kit", "キット"]),
    ("HON", &["hon", "本"]),
    ("KO", &["ko", "個"]),
    ("TIMES", &["times", "回"]),
    ("U", &["u", "iu", "単位", "unit", "units"]),
];

static BY_SPELLING: LazyLock<HashMap<String, &'static str>> =
    LazyLock::new(|| UNITS.iter().flat_map(|(standard, written)| written.iter().map(|w| (key(w), *standard))).collect());

fn key(unit: &str) -> String {
    let text: String = unit
        .nfkc()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'µ' | 'μ' => 'u',
            '×' => 'x',
            other => other,
        })
        .collect();
    text.trim_start_matches(['.', '*', 'x']).to_owned()
}

/// The standard spelling of a unit, where it is a known one.
pub fn standard(unit: &str) -> Option<&'static str> {
    BY_SPELLING.get(key(unit).as_str()).copied()
}

/// A column of units in standard spelling. Units that are not known are emptied; `lost` tells on which rows.
pub struct Standardised {
    /// The column that leaves.
    pub array: ArrayRef,
    /// Rows whose unit is not known.
    pub lost: Vec<bool>,
}

impl Standardised {
    /// Some of the rows.
    ///
    /// # Errors
    /// None that these types can raise; Arrow's.
    pub(crate) fn keep(&mut self, rows: &BooleanArray) -> Result<(), arrow::error::ArrowError> {
        self.array = arrow::compute::filter(&self.array, rows)?;
        let mut at = 0..;
        self.lost.retain(|_| at.next().is_some_and(|row| rows.value(row)));
        Ok(())
    }

    /// Empties the units of some rows; where there was one, the row's value goes with it.
    pub fn empty(&mut self, rows: &[bool]) {
        let Some(units) = self.array.as_string_opt::<i32>() else { return };
        let kept: StringArray = units.iter().zip(rows).map(|(unit, empty)| unit.filter(|_| !empty)).collect();
        for ((lost, unit), empty) in self.lost.iter_mut().zip(units.iter()).zip(rows) {
            *lost |= *empty && unit.is_some();
        }
        self.array = Arc::new(kept);
    }

    /// Empties the units that fewer than `rare` persons have with an item.
    pub fn empty_rare(&mut self, codes: &[Option<String>], persons: &[u32], rare: u32) {
        let Some(units) = self.array.as_string_opt::<i32>() else { return };
        let mut index: HashMap<(&Option<String>, &str), u32> = HashMap::new();
        let rows: Vec<Option<u32>> = codes
            .iter()
            .zip(units.iter())
            .map(|(code, unit)| {
                let next = index.len() as u32;
                unit.map(|unit| *index.entry((code, unit)).or_insert(next))
            })
            .collect();
        let pairs = rows.iter().zip(persons).filter_map(|(row, person)| Some(((*row)?, *person))).collect();
        let per_pair = persons_per_code(index.len(), pairs);
        let few: Vec<bool> = rows.iter().map(|row| row.is_some_and(|n| per_pair[n as usize] < rare)).collect();
        self.empty(&few);
    }
}

/// Brings a column to standard spelling.
pub fn treat(units: &StringArray) -> Standardised {
    let mut lost = Vec::new();
    let array: StringArray = units
        .iter()
        .map(|unit| {
            let written = unit.filter(|u| !u.trim().is_empty());
            let known = written.and_then(standard);
            lost.push(written.is_some() && known.is_none());
            known
        })
        .collect();
    Standardised { array: Arc::new(array), lost }
}

#[cfg(test)]
mod tests {
    use super::standard;

    #[test]
    fn spellings_of_one_unit_become_one() {
        for (written, ucum) in [
            ("㎎/㎗", "mg/dL"),
            ("ＭＧ／ＤＬ", "mg/dL"),
            ("g/dl", "g/dL"),
            (".10*3/uL", "10*3/uL"),
            ("×10³/μL", "10*3/uL"),
            ("x10^3/µL", "10*3/uL"),
            ("IU/L", "U/L"),
            ("mm(hg)", "mm[Hg]"),
            ("cel", "Cel"),
            ("℃", "Cel"),
            ("錠", "TAB"),
        ] {
            assert_eq!(standard(written), Some(ucum), "{written}");
        }
        assert_eq!(standard("院内単位A"), None);
    }
}
