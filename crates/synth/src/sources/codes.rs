//! Codes of the claims for what is in `clinic`. Visits and a few tests have the published codes of the fee table; all others
//! are invented in the form of their master: disease 7 digits, act 9 digits from 1, drug 9 digits from 6, device from 7.

use crate::chart::{Discharge, Examination};
use crate::clinic::{DISEASES, DRUGS, Disease, INFUSIONS};

/// Claims code of a disease without one.
pub const UNCODED: &str = "0000999";
/// 初診料, 再診料, 外来管理加算
pub const FIRST: &str = "111000110";
/// 再診料
pub const AGAIN: &str = "112007410";
/// 外来管理加算
pub const CARE: &str = "112011010";
/// 処方箋料
pub const PRESCRIPTION: &str = "120990110";
/// 点滴注射
pub const DRIP: &str = "130990110";
/// A day in hospital.
pub const DAY: &str = "190990110";
/// A film.
pub const FILM: &str = "799000001";

/// Claims code of a disease.
pub fn disease(disease: &Disease) -> String {
    let at = DISEASES.iter().position(|d| std::ptr::eq(d, disease)).unwrap_or(0);
    format!("899{:04}", 1_000 + at * 31)
}

/// Claims code of a drug by its HOT number; the tables here give one to each.
pub fn drug(hot9: &str) -> String {
    let all = DRUGS.iter().map(|d| d.hot9).chain(INFUSIONS.iter().map(|i| i.hot9));
    let at = all.into_iter().position(|h| h == hot9).unwrap_or(0);
    format!("699{:06}", 10_001 + at * 17)
}

/// Claims code of a test.
pub fn lab(at: usize) -> String {
    format!("16099{:04}", 1_001 + at * 3)
}

/// Claims code, name, section and points of an examination.
pub const fn examination(what: Examination) -> (&'static str, &'static str, &'static str, u32) {
    match what {
        Examination::Chest => ("170990110", "単純撮影（胸部）", "70", 153),
        Examination::Endoscopy => ("160992010", "ＥＦ−胃・十二指腸", "60", 1_140),
        Examination::Heart => ("160992110", "ＥＣＧ１２", "60", 130),
    }
}

/// 退院先 and 転帰 of 様式1 for how a stay ended (code values: 実施説明資料).
pub const fn outcome(how: Discharge) -> (&'static str, &'static str) {
    match how {
        Discharge::Home => ("1", "2"),
        Discharge::Elsewhere(_) => ("4", "4"),
        Discharge::AgainstAdvice => ("1", "4"),
        Discharge::Died => ("8", "6"),
    }
}

/// A department (place in `provider::DEPARTMENTS`) as レセプト科区分 and as 診療科区分 of the survey.
pub fn department(at: usize) -> (&'static str, &'static str) {
    let all = [
        ("01", "010"),
        ("08", "070"),
        ("06", "060"),
        ("10", "110"),
        ("11", "120"),
        ("04", "040"),
        ("05", "050"),
        ("20", "210"),
        ("27", "280"),
        ("02", "030"),
        ("19", "200"),
        ("26", "270"),
        ("09", "100"),
        ("23", "240"),
    ];
    all.get(at).copied().unwrap_or(all[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_disease_and_drug_has_a_code_of_its_own_in_the_form_of_the_master() {
        let mut seen = std::collections::HashSet::new();
        for d in DISEASES {
            let code = disease(d);
            assert!(code.len() == 7 && code != UNCODED && seen.insert(code), "{}", d.name);
        }
        for hot9 in DRUGS.iter().map(|d| d.hot9).chain(INFUSIONS.iter().map(|i| i.hot9)) {
            let code = drug(hot9);
            assert!(code.len() == 9 && code.starts_with('6') && seen.insert(code), "{hot9}");
        }
    }
}
