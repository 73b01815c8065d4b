//! Electronic claims of one patient: one for each month as an outpatient, one for each month of each stay.
//!
//! As in reality: who has no card has no claim; diagnoses stand there that the chart does not have, for a test or a drug to
//! be paid; open ones come again each month with their first day; a few claims come back and are sent again a month later.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::bill::{self, Line};
use super::{Case, ClaimFile, Piece, Pieces, codes, people, uke};
use crate::chart::{Diagnosis, Discharge, Outcome};
use crate::clinic::{LABS, MODIFIER_SUSPECTED, Panel, disease};
use crate::day::{Compact, Day, Iso, Month};
use crate::dice::Dice;
use crate::facts::{Act, Event, Stay};
use crate::population::Card;

/// A diagnosis as the claims have it.
struct Listed {
    diagnosis: Diagnosis,
    /// Not in the chart.
    claim_only: bool,
    /// Claims that list it.
    claims: u32,
}

/// Writes the claims and what is true of them.
pub fn write(case: &Case<'_>, into: &mut Pieces) {
    let mut dice = Dice::of(case.options.seed, [21, case.patient.serial, case.patient.provider_at as u64]);
    let mut listed = diagnoses(case, &mut dice);
    for ((month, stay), events) in buckets(case) {
        one(case, month, stay, &events, &mut listed, &mut dice, into);
    }
    for l in &listed {
        let d = &l.diagnosis;
        let end = d.end.map_or(String::new(), |e| Iso(e).to_string());
        // Writing to a String does not fail, here and below.
        let _ = writeln!(
            into.truth[1],
            "{},{},{},{},{},{},{},{},{end},{}",
            case.person.index,
            case.provider.id,
            case.patient.local_id,
            d.disease.icd,
            if d.free_text { codes::UNCODED.to_owned() } else { codes::disease(d.disease) },
            d.suspected,
            l.claim_only,
            Iso(d.on),
            l.claims
        );
    }
}

/// Events by month and stay; a stay has each month that it touches.
fn buckets<'a>(case: &'a Case<'_>) -> BTreeMap<(Month, Option<usize>), Vec<&'a Event>> {
    let mut all: BTreeMap<_, Vec<&Event>> = BTreeMap::new();
    for (at, stay) in case.facts.stays.iter().enumerate() {
        let (mut month, last) = (Month::of(stay.admitted.day()), Month::of(stay.last_day(case.options.data_to)));
        while month <= last {
            all.entry((month, Some(at))).or_default();
            month = month.plus(1);
        }
    }
    for event in &case.facts.events {
        let day = event.at.day();
        let stay = if event.in_hospital { case.stay_of(day) } else { None };
        // What is left of an order behind the end of the data is nobody's.
        if day <= case.until() && (stay.is_some() || !event.in_hospital) {
            all.entry((Month::of(day), stay)).or_default().push(event);
        }
    }
    all
}

/// The diagnoses of the chart, one of each, and those that only the claims have.
fn diagnoses(case: &Case<'_>, dice: &mut Dice) -> Vec<Listed> {
    let mut all: Vec<Listed> = Vec::new();
    for d in &case.facts.diagnoses {
        if !all.iter().any(|l| std::ptr::eq(l.diagnosis.disease, d.disease) && l.diagnosis.suspected == d.suspected) {
            all.push(Listed { diagnosis: d.clone(), claim_only: false, claims: 0 });
        }
    }
    let mut add = |icd: &str, on: Day, suspected: bool| {
        let known = |l: &Listed| l.diagnosis.disease.icd == icd;
        if !all.iter().any(known) {
            let end = suspected.then(|| Month::of(on).last());
            all.push(claim_only(icd, on, end));
        }
    };
    for event in &case.facts.events {
        let on = event.at.day();
        match &event.act {
            Act::Results(results) if dice.chance(0.08) => {
                let panel = results.first().map_or(Panel::Chemistry, |r| LABS[r.lab].panel);
                add(looked_for(panel), on, true);
            }
            Act::Drugs(drugs, _) if drugs.iter().any(|d| matches!(d.key, "loxoprofen" | "aspirin" | "prednisolone")) => {
                // The stomach is protected, and somebody has to have had something in it.
                add("K295", on, false);
            }
            _ => {}
        }
    }
    all
}

fn claim_only(icd: &str, on: Day, end: Option<Day>) -> Listed {
    let suspected = end.is_some();
    let outcome = if suspected { Outcome::Struck } else { Outcome::Open };
    let (timing, main) = ('O', false);
    let diagnosis =
        Diagnosis { disease: disease(icd), suspected, on, end, outcome, timing, main, free_text: false, sensitive: false };
    Listed { diagnosis, claim_only: true, claims: 0 }
}

/// What a test is ordered to find.
const fn looked_for(panel: Panel) -> &'static str {
    match panel {
        Panel::Glucose | Panel::Urine => "E119",
        Panel::Lipids => "E785",
        Panel::Blood | Panel::Iron => "D509",
        Panel::Inflammation => "J189",
        Panel::Coagulation => "I639",
        Panel::Thyroid => "E039",
        Panel::Tumour => "C189",
        Panel::Cardiac => "I509",
        Panel::Infection => "B182",
        Panel::Chemistry => "K760",
    }
}

fn one(
    case: &Case<'_>,
    month: Month,
    stay: Option<usize>,
    events: &[&Event],
    listed: &mut Vec<Listed>,
    dice: &mut Dice,
    into: &mut Pieces,
) {
    let habits = case.habits();
    let mut lines: Vec<Line> = Vec::new();
    for event in events {
        bill::lines(case, &habits, event, &mut lines);
    }
    let stay = stay.map(|at| &case.facts.stays[at]);
    let mut days: BTreeSet<Day> = events.iter().map(|e| e.at.day()).collect();
    if let Some(stay) = stay {
        let (from, to) = (stay.admitted.day().max(month.first()), stay.last_day(case.options.data_to).min(month.last()));
        bill::days(stay, from, to, &mut lines);
        days = (from..=to).collect();
    }
    let (Some(&first), Some(&last)) = (days.first(), days.last()) else { return };
    let Some(known) = people::registered(case.patient, last) else { return };
    // Who has no card pays alone, and nothing is sent anywhere.
    let Some(card) = &known.card else { return };

    if !listed.iter().any(|l| stands(&l.diagnosis, month)) {
        let icd = listed.first().map_or("J069", |l| l.diagnosis.disease.icd);
        listed.push(claim_only(icd, first, Some(month.last())));
    }
    let mut body = String::new();
    let points = {
        let mut text = String::new();
        // Who died in a bed was alive for the claim of the outpatient.
        let by_bed = |s: &Stay| s.how == Some(Discharge::Died);
        let dies = stay.map_or(!case.facts.stays.iter().any(by_bed), by_bed);
        diseases(month, (stay.is_some(), dies), listed, &mut text);
        let burden = if card.law == 12 { "5" } else { "1" };
        let points = uke::lines(&lines, month, burden, &mut text);
        payers(card, &days, month, points, stay.is_some_and(|s| !s.newborn), &mut body);
        body.push_str(&text);
        points
    };
    let kind = people::claim_type(card, case.person.birth, last, stay.is_some());
    let admission = stay.map_or(String::new(), |s| Compact(s.admitted.day()).to_string());
    let chart_number = habits.chart_number.of(&case.patient.local_id);
    let mut text = String::new();
    let ward = if stay.is_some_and(|s| s.department == 9) { "01" } else { "" };
    uke::record(
        38,
        &[
            (3, &kind),
            (4, &month.to_string()),
            (5, &people::name(known)),
            (6, if case.person.female { "2" } else { "1" }),
            (7, &Compact(case.person.birth).to_string()),
            (9, &admission),
            (10, ward),
            (14, &chart_number),
            (37, &people::katakana(known)),
        ],
        &mut text,
    );
    // The desk writes `RE` and the number.
    let mut text = text.split_off(1);
    text.push_str(&body);

    let returned = dice.chance(0.025);
    let billed = month.plus(1);
    let examiner = if people::municipal(card) { 2 } else { 1 };
    let mut send = |billed: Month, returned: bool| {
        let file = ClaimFile { provider_at: case.patient.provider_at, billed, body: examiner, returned };
        into.all.push(Piece::Claim { file, text: text.clone(), points });
    };
    send(billed, false);
    if returned {
        send(billed, true);
        send(billed.plus(1), false);
    }
    for (billed, state) in [(billed, if returned { "returned" } else { "stands" }), (billed.plus(1), "again")] {
        if state == "again" && !returned {
            continue;
        }
        let admitted = stay.map_or(String::new(), |s| Iso(s.admitted.day()).to_string());
        let _ = writeln!(
            into.truth[0],
            "{},{},{},{},{month},{billed},{kind},{admitted},{},{points},{state}",
            case.person.index,
            case.provider.id,
            case.patient.local_id,
            chart_number,
            days.len()
        );
    }
}

/// HO or KO, SN, JD, MF.
fn payers(card: &Card, days: &BTreeSet<Day>, month: Month, points: u64, meals: bool, into: &mut String) {
    let (count, points) = (days.len().to_string(), points.to_string());
    let public = card.law == 12;
    if public {
        uke::record(12, &[(1, "KO"), (2, &card.insurer), (3, &card.number), (5, &count), (6, &points)], into);
    } else {
        let served = if meals { (days.len() * 3).to_string() } else { String::new() };
        let amount = if meals { (days.len() * 3 * 670).to_string() } else { String::new() };
        let fields = [
            (1, "HO"),
            (2, &*people::insurer(card)),
            (3, &*crate::population::wide(&card.symbol)),
            (4, &*crate::population::wide(&card.number)),
            (5, &*count),
            (6, &*points),
            (8, &*served),
            (9, &*amount),
        ];
        uke::record(15, &fields, into);
        uke::record(9, &[(1, "SN"), (2, "1"), (3, "01"), (7, card.branch.as_deref().unwrap_or(""))], into);
    }
    let payer = if public { "2" } else { "1" };
    let mut fields = vec![(1, "JD"), (2, payer)];
    fields.extend(days.iter().map(|d| ((d - month.first()) as usize + 3, "1")));
    uke::record(33, &fields, into);
    uke::record(33, &[(1, "MF"), (2, "00")], into);
}

fn stands(d: &Diagnosis, month: Month) -> bool {
    d.on <= month.last() && d.end.is_none_or(|end| end >= month.first())
}

/// SY: those that stand in the month, the first main one as main.
fn diseases(month: Month, (in_hospital, dies): (bool, bool), listed: &mut [Listed], into: &mut String) {
    let standing: Vec<usize> = (0..listed.len()).filter(|&i| stands(&listed[i].diagnosis, month)).collect();
    let of_stay = |&&i: &&usize| listed[i].diagnosis.timing != 'O';
    let main = standing
        .iter()
        .filter(|i| in_hospital && of_stay(i))
        .chain(standing.iter().filter(|&&i| listed[i].diagnosis.main))
        .chain(&standing)
        .next()
        .copied();
    for i in standing {
        listed[i].claims += 1;
        let d = &listed[i].diagnosis;
        let outcome = match d.outcome {
            _ if d.end.is_none_or(|end| end > month.last()) => "1",
            Outcome::Open => "1",
            Outcome::Recovered => "2",
            Outcome::Died if dies => "3",
            Outcome::Died => "1",
            Outcome::Struck => "4",
        };
        let name = if d.suspected { d.disease.suspected_name() } else { d.disease.name.to_owned() };
        let code = if d.free_text { codes::UNCODED.to_owned() } else { codes::disease(d.disease) };
        let fields = [
            (1, "SY"),
            (2, &*code),
            (3, &*Compact(d.on).to_string()),
            (4, outcome),
            (5, if d.suspected && !d.free_text { MODIFIER_SUSPECTED } else { "" }),
            (6, if d.free_text { &*name } else { "" }),
            (7, if main == Some(i) { "01" } else { "" }),
        ];
        uke::record(8, &fields, into);
    }
}
