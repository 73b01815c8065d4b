//! The engine against a plain reference: one check at a time, one row at a time, sets in place of bitmaps.

use std::collections::{BTreeMap, BTreeSet};

use bolero::TypeGenerator;
use quality::{Origin, Rules};

use crate::house::{House, TODAY, counts, day, of};

#[derive(Debug, Clone, TypeGenerator)]
struct Act {
    record: u8,
    on: i16,
    visit: u8,
    own: bool,
}

#[derive(Debug, Clone, TypeGenerator)]
struct World {
    births: [Option<i16>; 5],
    deaths: [Option<i16>; 5],
    acts: Vec<Act>,
}

/// Record, day, visit, whether the code is the sender's own.
type Row = (i64, i32, Option<i64>, bool);

#[test]
fn counts_of_rows_and_persons_agree_with_a_plain_reference() {
    let rules = Rules::shipped().expect("rules");
    let origin = day(2010, 1, 1);
    bolero::check!().with_type::<World>().with_iterations(400).for_each(|world| {
        let mut house = House::default();
        let mut births = BTreeMap::new();
        for (record, birth) in world.births.iter().enumerate() {
            if let Some(birth) = birth {
                let (year, month, dom) = terms::civil_from_days(origin + i32::from(*birth));
                house.person(record as i64, 'F', (year, month, dom));
                births.insert(record as i64, origin + i32::from(*birth));
            }
        }
        let mut deaths = BTreeMap::new();
        for (record, death) in world.deaths.iter().enumerate() {
            if let Some(death) = death {
                house.death(record as i64, origin + i32::from(*death));
                deaths.insert(record as i64, origin + i32::from(*death));
            }
        }
        let mut visits = BTreeMap::new();
        for record in 0..6i64 {
            visits.insert(house.visit(record, origin, origin + 10), (record, origin, origin + 10));
        }
        let mut acts = world.acts.clone();
        acts.sort_by_key(|a| a.record % 6);
        let mut rows: Vec<Row> = Vec::new();
        for act in &acts {
            let (record, on) = (i64::from(act.record % 6), origin + i32::from(act.on));
            let visit = (act.visit % 8 > 0).then_some(i64::from(act.visit % 8));
            house.procedure(record, on, if act.own { "L:1" } else { "160019410" }, visit);
            rows.push((record, on, visit, act.own));
        }
        let outcome = house.check(&rules, Origin::Lake);
        if rows.is_empty() {
            return;
        }
        let expect = |id: &str, asked: &dyn Fn(&Row) -> Option<bool>| {
            let answers: Vec<(i64, bool)> = rows.iter().filter_map(|r| asked(r).map(|holds| (r.0, holds))).collect();
            let wrong: Vec<i64> = answers.iter().filter(|(_, holds)| !holds).map(|(record, _)| *record).collect();
            let persons: BTreeSet<i64> = wrong.iter().copied().collect();
            let found = counts(&outcome, id);
            assert_eq!((found.0, found.1), (answers.len() as u64, wrong.len() as u64), "{id}");
            assert_eq!(of(&outcome, id).persons, persons.len() as u64, "{id}");
        };
        let date = "procedure_occurrence.procedure_date";
        expect("procedure_occurrence.record_id.isForeignKey", &|r| Some(births.contains_key(&r.0)));
        expect(&format!("{date}.plausibleValueHigh"), &|r| Some(r.1 <= TODAY));
        expect(&format!("{date}.plausibleValueLow"), &|r| Some(r.1 >= day(1980, 1, 1)));
        expect(&format!("{date}.plausibleAfterBirth"), &|r| births.get(&r.0).map(|b| r.1 >= *b));
        expect(&format!("{date}.plausibleBeforeDeath"), &|r| deaths.get(&r.0).map(|d| r.1 <= *d + 60));
        let own = |r: &Row| r.2.and_then(|v| visits.get(&v)).filter(|v| v.0 == r.0).copied();
        expect("procedure_occurrence.visit_occurrence_id.isForeignKey", &|r| r.2.map(|_| own(r).is_some()));
        expect(&format!("{date}.withinVisitDates"), &|r| own(r).map(|(_, from, to)| r.1 >= from - 7 && r.1 <= to + 7));
        let mut seen = BTreeSet::new();
        let twice: Vec<bool> = rows.iter().map(|r| seen.insert((r.0, r.1, r.3))).collect();
        let wrong = twice.iter().filter(|first| !**first).count() as u64;
        assert_eq!(counts(&outcome, &format!("{date}.duplicateRows")).1, wrong);
    });
}
