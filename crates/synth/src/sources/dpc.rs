//! Files of the DPC survey (退院患者調査, 実施説明資料) of the stays of one patient: 様式1 in its payload layout (17 columns,
//! since fiscal year 2014), 様式4, and the integrated EF file of inpatients (31 columns). The hospitals here take part
//! without being paid by DPC, as many do: no D file, and nothing in the bundle. Tabs, CP932, CR LF, dates `YYYYMMDD`.
//!
//! As in reality: EF has a file a month, where who is still in a bed has discharge 00000000 and numbers begin anew; 様式1 and
//! 様式4 come in the month of discharge alone.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::bill::{self, Line, What};
use super::{Case, Kind, Piece, Pieces, codes, people};
use crate::day::{Compact, Day, Month};
use crate::facts::{Act, Stay};
use crate::provider::Provider;

const EF: &str = "施設コード\tデータ識別番号\t退院年月日\t入院年月日\tデータ区分\t順序番号\t行為明細番号\t病院点数マスタコード\t\
レセプト電算処理システム用コード\t解釈番号\t診療明細名称\t使用量\t基準単位\t明細点数・金額\t円・点区分\t出来高実績点数\t行為明細区分情報\t\
行為点数\t行為薬剤料\t行為材料料\t行為回数\t保険者番号\tレセプト種別コード\t実施年月日\tレセプト科区分\t診療科区分\t医師コード\t\
病棟コード\t病棟区分\t入外区分\t施設タイプ\r\n";

const FORM1: &str = "施設ｺｰﾄﾞ\tﾃﾞｰﾀ識別番号\t入院年月日\t回数管理番号\t統括診療情報番号\tｺｰﾄﾞ\tﾊﾞｰｼﾞｮﾝ\t連番\tﾍﾟｲﾛｰﾄﾞ1(日付等)\t\
ﾍﾟｲﾛｰﾄﾞ2(ｺｰﾄﾞ等)\tﾍﾟｲﾛｰﾄﾞ3\tﾍﾟｲﾛｰﾄﾞ4\tﾍﾟｲﾛｰﾄﾞ5\tﾍﾟｲﾛｰﾄﾞ6\tﾍﾟｲﾛｰﾄﾞ7\tﾍﾟｲﾛｰﾄﾞ8\tﾍﾟｲﾛｰﾄﾞ9(可変長文字列)\r\n";

const FORM4: &str = "施設コード\tデータ識別番号\t入院年月日\t退院年月日\t医科保険医療以外の診療の有無\r\n";

/// 施設コード: the institution without the digit of the fee table.
fn facility(provider: &Provider) -> String {
    format!("{}{}", &provider.id[..2], &provider.id[3..])
}

/// Writes the stays.
pub fn write(case: &Case<'_>, into: &mut Pieces) {
    for (at, stay) in case.facts.stays.iter().enumerate() {
        detail(case, at, stay, into);
        if let Some(left) = stay.left.map(|l| l.day()).filter(|&l| l <= case.options.data_to) {
            form1(case, stay, left, into);
            let id = format!("{}\t{:0>10}", facility(case.provider), case.patient.local_id);
            let text = format!("{id}\t{}\t{}\t1\r\n", Compact(stay.admitted.day()), Compact(left));
            put(case, "FF4", Month::of(left), FORM4, text, into);
        }
    }
}

fn put(case: &Case<'_>, name: &str, month: Month, head: &'static str, text: String, into: &mut Pieces) {
    let name = format!("{name}_{}_{}.txt", facility(case.provider), &month.to_string()[2..]);
    into.all.push(Piece::Lines { provider_at: case.patient.provider_at, kind: Kind::Dpc, name, head, text });
}

/// EFn: each line of the bill as its E row and its F row.
fn detail(case: &Case<'_>, at: usize, stay: &Stay, into: &mut Pieces) {
    let habits = case.habits();
    let (admission, last) = (stay.admitted.day(), stay.last_day(case.options.data_to));
    let mut lines: Vec<(Line, bool)> = Vec::new();
    for event in case.facts.events.iter().filter(|e| e.in_hospital) {
        let day = event.at.day();
        if day <= last && case.stay_of(day) == Some(at) {
            let taken_home = matches!(event.act, Act::Drugs(..)) && stay.left.is_some_and(|l| l.day() == day);
            let mut some = Vec::new();
            bill::lines(case, &habits, event, &mut some);
            lines.extend(some.into_iter().map(|line| (line, taken_home)));
        }
    }
    let mut beds = Vec::new();
    bill::days(stay, admission, last, &mut beds);
    lines.extend(beds.into_iter().map(|line| (line, false)));
    lines.sort_by(|(a, _), (b, _)| (a.day, a.section, &a.code).cmp(&(b.day, b.section, &b.code)));

    let mut months: BTreeMap<Month, (String, BTreeMap<&str, u32>)> = BTreeMap::new();
    for (line, taken_home) in &lines {
        let month = Month::of(line.day);
        let (text, numbers) = months.entry(month).or_default();
        let number = numbers.entry(line.section).or_default();
        *number += 1;
        rows(case, stay, line, *taken_home, *number, text);
    }
    for (month, (text, _)) in months {
        put(case, "EFn", month, EF, text, into);
    }
}

fn rows(case: &Case<'_>, stay: &Stay, line: &Line, taken_home: bool, number: u32, into: &mut String) {
    let until = Month::of(line.day).last();
    let discharge = match stay.left {
        Some(left) if left.day() <= until => Compact(left.day()).to_string(),
        _ => "00000000".to_owned(),
    };
    let known = people::registered(case.patient, line.day);
    let card = known.and_then(|r| r.card.as_ref());
    let (insurer, kind) =
        card.map_or_else(Default::default, |c| (c.insurer.clone(), people::claim_type(c, case.person.birth, line.day, true)));
    let [mut act, mut drug, mut device] = [0; 3];
    match line.what {
        What::Act => act = line.points,
        What::Drug => drug = line.points,
        What::Device => device = line.points,
    }
    let doctor = case.provider.doctor(stay.department, case.patient.serial);
    let (receipt, department) = codes::department(stay.department);
    let head = format!(
        "{}\t{:0>10}\t{discharge}\t{}\t{}\t{number:04}",
        facility(case.provider),
        case.patient.local_id,
        Compact(stay.admitted.day()),
        line.section
    );
    let named = format!("H{}\t{}\t\t{}", &line.code[3..], line.code, line.name);
    let tail = format!(
        "{}\t{insurer}\t{kind}\t{}\t{receipt}\t{department}\t{}\t{}\t1\t1\t030\r\n",
        line.count,
        Compact(line.day),
        doctor.xcn.split('^').next().unwrap_or(""),
        stay.bed.map_or(0, |b| b.ward)
    );
    let amount = line.amount.unwrap_or(0);
    let flags = if taken_home { "100000000000" } else { "000000000000" };
    // Writing to a String does not fail.
    let _ = write!(into, "{head}\t000\t{named}\t0\t0\t0\t0\t0\t\t{act}\t{drug}\t{device}\t{tail}");
    let (points, unit) = (line.points, line.unit);
    let _ = write!(into, "{head}\t001\t{named}\t{amount}\t{unit}\t{points}\t0\t{points}\t{flags}\t0\t0\t0\t{tail}");
}

/// 様式1.
fn form1(case: &Case<'_>, stay: &Stay, left: Day, into: &mut Pieces) {
    let Some(known) = people::registered(case.patient, left) else { return };
    let admission = stay.admitted.day();
    let head = format!("{}\t{:0>10}\t{}\t0\t0", facility(case.provider), case.patient.local_id, Compact(admission));
    let mut text = String::new();
    // Payloads by number; 9 is free text.
    let mut add = |code: &str, nth: usize, payloads: &[(usize, &str)]| {
        let _ = write!(text, "{head}\t{code}\t20140401\t{nth}");
        for at in 1..=9 {
            let value = payloads.iter().find(|(p, _)| *p == at).map_or("", |(_, v)| v);
            let _ = write!(text, "\t{value}");
        }
        text.push_str("\r\n");
    };
    let (from, to) = (Compact(admission).to_string(), Compact(left).to_string());
    let postal = known.postal.replace('-', "");
    let (birth, sex) = (Compact(case.person.birth).to_string(), if case.person.female { "2" } else { "1" });
    add("A000010", 0, &[(1, &birth), (2, sex), (3, &postal)]);
    let route = if stay.newborn { "8" } else { "1" };
    let plan = if stay.planned { "100" } else { "301" };
    add("A000020", 0, &[(1, &from), (2, route), (3, "0"), (4, "1"), (5, plan), (6, "0"), (7, "0")]);
    let (goes, outcome) = stay.how.map_or(("9", "9"), codes::outcome);
    add("A000030", 0, &[(1, &to), (2, goes), (3, outcome), (4, "0"), (5, "0")]);
    add("A000031", 0, &[(1, &from), (2, &to)]);
    add("A000040", 0, &[(2, codes::department(stay.department).1), (3, "0")]);
    add("A000050", 0, &[(2, "1"), (3, "0"), (4, "0")]);
    add("A000060", 0, &[(2, "2"), (3, "0")]);
    let (height, weight) = (format!("{:.1}", case.facts.body.0), format!("{:.1}", case.facts.body.1));
    if stay.newborn {
        add("A003010", 0, &[(2, &format!("{:.0}", 2_600.0 + 13.0 * (case.person.index % 60) as f64)), (3, "39")]);
    } else {
        add("A001010", 0, &[(2, &height), (3, &weight), (4, &weight)]);
    }
    let main = (stay.disease.icd, codes::disease(stay.disease), stay.disease.name);
    for role in ["A006010", "A006020", "A006030"] {
        add(role, 0, &[(2, main.0), (4, &main.1), (9, main.2)]);
    }
    let beside = case.facts.diagnoses.iter().filter(|d| {
        let same = std::ptr::eq(d.disease, stay.disease);
        !same && !d.suspected && !d.free_text && d.disease.chronic && d.on <= admission && d.end.is_none_or(|e| e >= admission)
    });
    for (nth, d) in beside.take(10).enumerate() {
        add("A006040", nth + 1, &[(2, d.disease.icd), (4, &codes::disease(d.disease)), (9, d.disease.name)]);
    }
    let died = outcome == "6";
    if !stay.newborn {
        let well = if died { "0000000000" } else { "2222222222" };
        add("ADL0010", 0, &[(2, "1111111100")]);
        add("ADL0020", 0, &[(2, well)]);
        add("JCS0010", 0, &[(2, if died { "30" } else { "0" })]);
        add("JCS0020", 0, &[(2, if died { "300" } else { "0" })]);
    }
    put(case, "FF1", Month::of(left), FORM1, text, into);
}
