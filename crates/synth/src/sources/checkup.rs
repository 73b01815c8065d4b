//! Yearly checkups of the insured from 40 on (特定健診, from 75 on those of the 広域連合) as CDA R2 documents, an archive a
//! hospital, insurer and fiscal year (送付用ファイルアーカイブ仕様 Ver.4). Nobody goes twice a year.
//!
//! The values are drawn as those of the chart are: around what is usual for this person, moved by what he or she has. Who
//! has a drug in the chart says so. The name is in katakana alone, as in every such document.

use std::fmt::Write;

use super::{Case, Piece, Pieces, people};
use crate::clinic::{LABS, Value};
use crate::day::{Compact, Day, Iso, Month};
use crate::dice::Dice;
use crate::facts::Act;
use crate::population::{Card, wide};
use crate::registration::Registration;

const OID: &str = "1.2.392.200119.6";

/// Tests of the chart that a checkup makes too: key, item code, name.
const TESTS: [(&str, &str, &str); 9] = [
    ("TG", "3F015000002327101", "空腹時中性脂肪(トリグリセリド)"),
    ("HDL", "3F070000002327101", "HDLコレステロール"),
    ("LDL", "3F077000002327101", "LDLコレステロール"),
    ("AST", "3B035000002327201", "AST(GOT)"),
    ("ALT", "3B045000002327201", "ALT(GPT)"),
    ("GGT", "3B090000002327101", "γ-GT(γ-GTP)"),
    ("GLU", "3D010000002227101", "空腹時血糖"),
    ("A1C", "3D046000001906202", "HbA1c(NGSP値)"),
    ("CRE", "3C015000002327101", "血清クレアチニン"),
];

/// Questions on drugs, and the drugs that answer them.
const DRUGS: [(&str, &str, &[&str]); 3] = [
    ("9N701000000000011", "服薬1(血圧)", &["amlodipine", "olmesartan", "candesartan", "trichlormethiazide"]),
    ("9N706000000000011", "服薬2(血糖)", &["metformin", "sitagliptin", "empagliflozin", "glimepiride"]),
    ("9N711000000000011", "服薬3(脂質)", &["rosuvastatin", "atorvastatin"]),
];

/// Writes the checkups.
pub fn write(case: &Case<'_>, into: &mut Pieces) {
    if case.patient.second {
        return;
    }
    let april = |day: Day| {
        let text = Month::of(day).plus(-3).to_string();
        text[..4].parse::<i32>().unwrap_or(0)
    };
    for year in april(case.patient.first)..=april(case.patient.last) {
        let mut dice = Dice::of(case.options.seed, [23, case.person.index, year as u64]);
        let here = dice.below(case.options.providers) as usize == case.patient.provider_at;
        let (from, to) = (crate::day::day(year, 4, 1), crate::day::day(year + 1, 3, 31));
        let on = dice.between(from.max(case.patient.first), to.min(case.patient.last));
        let Some(known) = people::registered(case.patient, on) else { continue };
        // The last day may be one of dying, and nobody is examined in a bed.
        let well = case.person.death.is_none_or(|death| on < death) && case.stay_of(on).is_none();
        if let Some(card) = known.card.as_ref().filter(|c| c.law != 12)
            && here
            && well
            && case.person.age(on) >= 40
            && dice.chance(0.85)
        {
            one(case, on, to, known, card, &mut dice, into);
        }
    }
}

fn one(case: &Case<'_>, on: Day, year_ends: Day, known: &Registration, card: &Card, dice: &mut Dice, into: &mut Pieces) {
    let mut results = String::new();
    let a1c = items(case, on, dice, &mut results);
    let receiver = format!("{:0>8}", card.insurer);
    // What was examined in a fiscal year is sent together.
    let sent = year_ends + 20;
    let text = document(case, (on, sent), (known, card, &receiver), &results);
    // Writing to a String does not fail, here and below.
    let _ = writeln!(
        into.truth[3],
        "{},{},{},{},{receiver},{a1c}",
        case.person.index,
        case.provider.id,
        case.patient.local_id,
        Iso(on)
    );
    into.all.push(Piece::Document { provider_at: case.patient.provider_at, receiver, sent, text });
}

/// A result of a test that the chart knows, rounded as it is shown.
fn test(case: &Case<'_>, key: &str, on: Day, dice: &mut Dice) -> Option<(String, &'static str)> {
    let at = LABS.iter().position(|l| l.key == key)?;
    let Value::Number { men, women, spread, digits, floor } = LABS[at].value else { return None };
    let own = Dice::of(case.options.seed, [6, case.person.index, at as u64]).bell();
    let mean = if case.person.female { women } else { men };
    let mut value = (mean + spread * (own * 0.8 + dice.bell() * 0.45)).max(mean * 0.2);
    let has = case.facts.diagnoses.iter().filter(|d| d.disease.chronic && !d.suspected && d.timing == 'O' && d.on <= on);
    for (_, by) in has.flat_map(|d| d.disease.shifts).filter(|(of, _)| *of == key) {
        value *= 1.0 + (by - 1.0) * (0.5 + dice.unit());
    }
    Some((format!("{:.digits$}", value.max(floor)), LABS[at].unit.0))
}

/// Whether one of the drugs was prescribed in the year before.
fn takes(case: &Case<'_>, keys: &[&str], on: Day) -> bool {
    case.facts.events.iter().any(|e| match &e.act {
        Act::Drugs(drugs, _) => (on - 365..=on).contains(&e.at.day()) && drugs.iter().any(|d| keys.contains(&d.key)),
        _ => false,
    })
}

fn entry(code: &str, name: &str, value: &str, into: &mut String) {
    let _ = write!(
        into,
        "<entry><observation classCode=\"OBS\" moodCode=\"EVN\"><code code=\"{code}\" codeSystem=\"{OID}.1005\" \
         displayName=\"{name}\"/>{value}</observation></entry>"
    );
}

fn answer(code: &str, name: &str, kind: &str, of: u32, answer: u32, into: &mut String) {
    entry(code, name, &format!("<value xsi:type=\"{kind}\" code=\"{answer}\" codeSystem=\"{OID}.{of}\"/>"), into);
}

/// Writes the items; returns HbA1c.
fn items(case: &Case<'_>, on: Day, dice: &mut Dice, into: &mut String) -> String {
    let mut number = |code: &str, name: &str, value: &str, unit: &str| {
        entry(code, name, &format!("<value xsi:type=\"PQ\" value=\"{value}\" unit=\"{unit}\"/>"), into);
    };
    let (height, usual) = case.facts.body;
    let weight = usual + dice.bell();
    let index = weight / (height / 100.0 * height / 100.0);
    let tense = case.facts.diagnoses.iter().any(|d| d.disease.icd == "I10" && !d.suspected && d.on <= on);
    let pressure = 116.0 + f64::from(case.person.age(on) - 40) * 0.35 + if tense { 13.0 } else { 0.0 } + dice.bell() * 8.0;
    number("9N001000000000001", "身長", &format!("{height:.1}"), "cm");
    number("9N006000000000001", "体重", &format!("{weight:.1}"), "kg");
    number("9N011000000000001", "BMI", &format!("{index:.1}"), "kg/m2");
    number("9N016160100000001", "腹囲(実測)", &format!("{:.1}", 34.0 + index * 2.2 + dice.bell() * 2.0), "cm");
    number("9A751000000000001", "収縮期血圧(1回目)", &format!("{pressure:.0}"), "mm[Hg]");
    number("9A761000000000001", "拡張期血圧(1回目)", &format!("{:.0}", pressure * 0.6 + dice.bell() * 4.0), "mm[Hg]");
    let mut a1c = String::new();
    for (key, code, name) in TESTS {
        if let Some((value, unit)) = test(case, key, on, dice) {
            number(code, name, &value, unit);
            if key == "A1C" {
                a1c = value;
            }
        }
    }
    for (code, name) in [("1A010000000191111", "尿蛋白"), ("1A020000000191111", "尿糖")] {
        let grade = if dice.chance(0.1) { 2 + dice.below(3) } else { 1 };
        answer(code, name, "CO", 2102, grade, into);
    }
    answer("9N056000000000011", "既往歴", "CD", 2001, if case.facts.diagnoses.is_empty() { 2 } else { 1 }, into);
    for (code, name, keys) in DRUGS {
        answer(code, name, "CD", 2003, if takes(case, keys, on) { 1 } else { 2 }, into);
    }
    let smokes = Dice::of(case.options.seed, [24, case.person.index, 0]).chance(if case.person.female { 0.08 } else { 0.27 });
    // The answers changed with the fourth period.
    let (of, no) = if on >= crate::day::day(2024, 4, 1) { (24060, 3) } else { (2003, 2) };
    answer("9N736000000000011", "喫煙", "CD", of, if smokes { 1 } else { no }, into);
    let judged = if tense || takes(case, DRUGS[1].2, on) { "要治療継続" } else { "異常なし" };
    entry("9N511000000000049", "医師の診断(判定)", &format!("<value xsi:type=\"ST\">{judged}</value>"), into);
    a1c
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn document(
    case: &Case<'_>,
    (on, sent): (Day, Day),
    (known, card, receiver): (&Registration, &Card, &str),
    results: &str,
) -> String {
    let (provider, sent) = (case.provider, Compact(sent));
    let (report, programme) = if card.law == 39 { ("40", "020") } else { ("10", "010") };
    let id = |extension: &str, root: u32| format!("<id extension=\"{}\" root=\"{OID}.{root}\"/>", escaped(extension));
    let institution =
        format!("<representedOrganization>{}<name>{}</name></representedOrganization>", id(&provider.id, 102), provider.name);
    let mut insured = id(receiver, 101);
    if !card.symbol.is_empty() {
        insured.push_str(&id(&wide(&card.symbol), 204));
    }
    insured.push_str(&id(&wide(&card.number), 205));
    let none = "<id nullFlavor=\"NI\"/>";
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ClinicalDocument xmlns=\"urn:hl7-org:v3\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"urn:hl7-org:v3 ../XSD/hc08_V08.xsd\">\n\
         <typeId extension=\"POCD_HD000040\" root=\"2.16.840.1.113883.1.3\"/>{none}\n\
         <code code=\"{report}\" codeSystem=\"{OID}.1001\"/><effectiveTime value=\"{sent}\"/>\
         <confidentialityCode code=\"N\" codeSystem=\"2.16.840.1.113883.5.25\"/>\n\
         <recordTarget><patientRole>{insured}\n<addr><postalCode>{}</postalCode>{}</addr><patient><name>{}</name>\
         <administrativeGenderCode code=\"{}\" codeSystem=\"{OID}.1104\"/><birthTime value=\"{}\"/></patient></patientRole>\
         </recordTarget>\n<author><time value=\"{sent}\"/><assignedAuthor>{none}{institution}</assignedAuthor></author>\n\
         <custodian><assignedCustodian><representedCustodianOrganization>{none}</representedCustodianOrganization>\
         </assignedCustodian></custodian>\n<documentationOf><serviceEvent><code code=\"{programme}\" codeSystem=\"{OID}.1002\"/>\
         <effectiveTime value=\"{}\"/><performer typeCode=\"PRF\"><assignedEntity>{none}{institution}</assignedEntity></performer>\
         </serviceEvent></documentationOf>\n<component><structuredBody><component><section><code code=\"01010\" \
         codeSystem=\"{OID}.1010\" displayName=\"検査・問診結果セクション\"/><title>検査・問診結果セクション</title><text/>\
         {results}</section></component></structuredBody></component></ClinicalDocument>\n",
        known.postal,
        escaped(&known.address),
        escaped(&people::katakana(known)),
        if case.person.female { 2 } else { 1 },
        Compact(case.person.birth),
        Compact(on),
    )
}

/// `ix08_V08.xml`: who sends whom how many documents.
pub fn index(sender: &str, receiver: &str, sent: Day, count: u64) -> String {
    let space = "https://www.mhlw.go.jp/stf/seisakunitsuite/bunya/0000161103.html";
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<index xmlns=\"{space}\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"{space} ./XSD/ix08_V08.xsd\">\
         <interactionType code=\"6\"/><creationTime value=\"{}\"/><sender><id root=\"{OID}.102\" extension=\"{sender}\"/></sender>\
         <receiver><id root=\"{OID}.101\" extension=\"{receiver}\"/></receiver><serviceEventType code=\"1\"/>\
         <totalRecordCount value=\"{count}\"/></index>\n",
        Compact(sent)
    )
}
