//! The plain reference: all editions one behind the other, read from the front.

use bolero::TypeGenerator;
use masters::{Edition, Kind, Masters, Validity, read_as};

use crate::files::{Disease, file};

/// A code, and the days from and until which it counts.
type Code = (u8, Option<u8>, Option<u8>);

#[derive(Debug, Clone, TypeGenerator)]
struct World {
    /// By day.
    editions: Vec<(u8, Vec<Code>)>,
    asked: Vec<(u8, u8)>,
}

/// Days are small numbers here.
const ORIGIN: i32 = 19_000;

fn written(day: Option<u8>) -> String {
    day.map_or("99999999".into(), |day| {
        let (y, m, d) = terms::civil_from_days(ORIGIN + i32::from(day));
        format!("{y:04}{m:02}{d:02}")
    })
}

fn build(day: u8, rows: &[Code]) -> Option<Edition> {
    let rows: Vec<String> = rows
        .iter()
        .map(|(code, listed, abolished)| {
            let (listed, abolished) = (written(*listed), written(*abolished));
            let code = format!("88{:05}", code % 8);
            Disease { code: &code, listed: &listed, abolished: &abolished, ..Disease::default() }.row()
        })
        .collect();
    read_as(Kind::Disease, ORIGIN + i32::from(day), &file(&rows)).ok()
}

/// What section 5 of the facts says, without any index.
fn plain(editions: &[Edition], code: &str, day: i32) -> Option<(i32, Validity)> {
    let has = |e: &&Edition| e.rows.iter().any(|r| *r.code == *code);
    let in_force = editions.iter().filter(|e| e.date <= day).max_by_key(|e| e.date);
    let before = editions.iter().filter(|e| e.date <= day).filter(has).max_by_key(|e| e.date);
    let after = editions.iter().filter(|e| e.date > day).filter(has).min_by_key(|e| e.date);
    let edition = before.or(after)?;
    let row = edition.rows.iter().find(|r| *r.code == *code)?;
    let validity = if row.abolished.is_some_and(|last| day > last) {
        Validity::NoLonger
    } else if row.listed.is_some_and(|first| day < first) {
        Validity::NotYet
    } else if edition.date > day {
        Validity::LaterEdition
    } else if in_force.is_some_and(|e| e.date != edition.date) {
        Validity::NoLonger
    } else {
        Validity::InForce
    };
    Some((edition.date, validity))
}

#[test]
fn what_is_resolved_is_what_the_plain_reference_says() {
    bolero::check!().with_type::<World>().with_iterations(1_500).for_each(|world| {
        let mut masters = Masters::new();
        let mut editions: Vec<Edition> = Vec::new();
        for (day, rows) in world.editions.iter().take(6) {
            let Some(edition) = build(*day, rows) else { continue };
            let known = editions.iter().any(|e| e.date == edition.date);
            assert_eq!(masters.add(edition.clone()).is_err(), known);
            if !known {
                editions.push(edition);
            }
        }
        for (code, day) in world.asked.iter().take(40) {
            let (code, day) = (format!("88{:05}", code % 9), ORIGIN + i32::from(*day));
            let found = masters.resolve(Kind::Disease, &code, day).map(|r| (r.edition, r.validity));
            assert_eq!(found, plain(&editions, &code, day), "{code} {day}");
        }
    });
}
