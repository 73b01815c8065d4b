//! What says who somebody is does not leave in a column of codes, whatever the treatment lets through: on the real program.

use crate::kit::{House, IDS};
use crate::refusals::of;

/// A package of one patient, of whom a file says some things otherwise.
fn taken_in(changes: &[(&str, &str)]) -> House {
    let house = House::new();
    house.notified(&IDS);
    let mut files = of(&IDS);
    for (from, to) in changes {
        let mut done = 0;
        for (_, content) in files.iter_mut().filter(|(name, _)| name.contains(IDS[0])) {
            let mut at = 0;
            while let Some(found) = content[at..].windows(from.len()).position(|w| w == from.as_bytes()) {
                content.splice(at + found..at + found + from.len(), to.bytes());
                at += found + to.len();
                done += 1;
            }
        }
        assert!(done > 0, "{from}");
    }
    house.receive(&[&house.tree(1, &files)]);
    house.on(&["ingest"]).done();
    house.on(&["link"]).done();
    house
}

/// A code of a diagnosis in the sample, and the end of a name there.
const CODE: &str = "20056457";
const NAME_ENDS: &str = "^^^^^L^P||";

// control: PRC-01
#[test]
fn a_name_or_a_telephone_number_of_the_cohort_in_a_column_of_codes_stops_a_data_set() {
    let named = (NAME_ENDS, "^^^^^L^P~KARIYOSHIDA^MOMOKO^^^^^L^A||");
    let planted: [(&[(&str, &str)], &str); 2] =
        [(&[(CODE, "0993316979")], "0993316979"), (&[named, (CODE, "KARIYOSHIDA-MOMOKO")], "KARIYOSHIDA")];
    for (changes, what) in planted {
        let house = taken_in(changes);
        let stands =
            house.sql(&format!("select count(*) as n from condition_occurrence where condition_source_value like '%{what}%'"));
        assert_ne!(stands[0]["n"], 0, "it is in the lake as a code: {what}");
        let id = house.planned();
        let said = house.on(&["dataset", "make", &id]);
        assert_eq!(said.refused(), "core-dataset-vault", "{what}");
        assert!(said.all.contains("condition_occurrence") && said.all.contains("condition_source_value"), "{}", said.all);
        assert!(!said.all.contains(what) && !house.all_said().replace("\"n\"", "").contains("MOMOKO"), "{}", said.all);
        assert_eq!(house.dataset_state(&id), "approved", "nothing was made");
        assert_eq!(house.faults(), Vec::<String>::new());
    }
}

// control: PRC-01
#[test]
fn the_same_cells_of_whom_nobody_in_the_cohort_is_stop_nothing() {
    // The number of no patient of the sample, and a name without anybody who has it.
    for code in ["0993316978", "KARIYOSHIDA-MOMOKO"] {
        let house = taken_in(&[(CODE, code)]);
        let id = house.planned();
        house.make(&id);
        assert_eq!(house.dataset_state(&id), "two_person_check");
    }
}
