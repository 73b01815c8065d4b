//! The row of a code on a day, and rows by other keys.

use masters::{Exactness, Key, Kind, MasterError, Masters, System, Validity, read};

use crate::files::{Disease, act, day, diseases, drug, edition, hot, masters};

fn row(code: &'static str, name: &'static str) -> String {
    Disease { code, name, listed: "", ..Disease::default() }.row()
}

#[test]
fn a_code_is_resolved_by_the_edition_in_force_on_the_day_of_service() {
    let masters = masters(vec![
        edition("b_20240601.txt", &[row("8899001", "六月"), row("8899003", "後")]),
        edition("b_20230101.txt", &[row("8899001", "一月"), row("8899002", "前")]),
    ]);
    let of = |code: &str, on: i32| {
        let found = masters.resolve(Kind::Disease, code, on).expect("a row");
        (found.row.name.to_string(), found.edition, found.validity)
    };
    let (january, june) = (day(2023, 1, 1), day(2024, 6, 1));
    assert_eq!(of("8899001", june), ("六月".into(), june, Validity::InForce));
    assert_eq!(of("8899001", june - 1), ("一月".into(), january, Validity::InForce));
    assert_eq!(of("8899001", january - 1), ("一月".into(), january, Validity::LaterEdition));
    // Gone from the edition in force.
    assert_eq!(of("8899002", june), ("前".into(), january, Validity::NoLonger));
    // Not yet in it.
    assert_eq!(of("8899003", june - 1), ("後".into(), june, Validity::LaterEdition));
    assert_eq!(masters.resolve(Kind::Disease, "8899009", june), None);
    assert_eq!(masters.resolve(Kind::Drug, "8899001", june), None);
    assert_eq!(masters.editions(Kind::Disease).map(|e| e.date).collect::<Vec<_>>(), [january, june]);
}

#[test]
fn a_code_that_is_not_yet_or_no_longer_valid_is_found_with_a_warning() {
    let masters = masters(vec![edition("b_20240601.txt", &diseases())]);
    let of = |code: &str, on: i32| masters.resolve(Kind::Disease, code, on).map(|r| r.validity);
    assert_eq!(of("8899004", day(2024, 6, 1)), Some(Validity::InForce));
    assert_eq!(of("8899004", day(2024, 5, 31)), Some(Validity::NotYet));
    // The last day is a valid day.
    assert_eq!(of("8899005", day(2024, 3, 31)), Some(Validity::LaterEdition));
    assert_eq!(of("8899005", day(2024, 4, 1)), Some(Validity::NoLonger));
    assert_eq!(of("8899005", day(2024, 7, 1)), Some(Validity::NoLonger));
}

#[test]
fn an_edition_is_loaded_once() {
    let mut masters = Masters::new();
    masters.add(edition("b_20240601.txt", &diseases())).unwrap();
    let again = masters.add(edition("b_20240601.txt", &diseases()));
    assert!(matches!(again, Err(MasterError::SameDay { kind: Kind::Disease, .. })));
}

#[test]
fn a_disease_is_found_by_code_management_number_and_exchange_code() {
    let masters = masters(vec![edition("b_20240601.txt", &diseases())]);
    let on = day(2024, 7, 1);
    for key in ["8899002", "29000002", "QX02"] {
        let icd10 = masters.icd10_of(key, on).expect("ICD-10");
        assert_eq!((icd10.cause.as_deref(), icd10.manifestation.as_deref()), (Some("E143"), Some("H360")), "{key}");
        assert_eq!(icd10.dotted_cause().as_deref(), Some("E14.3"));
    }
    // An exchange code that looks like an ICD-10 code is still one.
    assert_eq!(masters.icd10_of("D682", on).and_then(|i| i.dotted_cause()).as_deref(), Some("K29.7"));
    // Of one that two diseases have both are returned, and no ICD-10 is chosen.
    let both: Vec<_> =
        masters.resolve_by(Kind::Disease, Key::Exchange, "QX06", on).iter().map(|r| r.row.code.to_string()).collect();
    assert_eq!(both, ["8899006", "8899007"]);
    assert_eq!(masters.icd10_of("QX06", on), None);
    assert_eq!((masters.icd10_of("8899008", on), masters.icd10_of("高血圧", on), masters.icd10_of("", on)), (None, None, None));
    assert!(masters.resolve_by(Kind::Disease, Key::Yj, "29000002", on).is_empty());
}

#[test]
fn a_drug_is_found_by_each_of_its_codes_and_all_of_its_rows_are_returned() {
    let masters = masters(vec![
        edition(
            "MEDIS20240531.TXT",
            &[
                hot("1000001010101", "1124009F1010", "1124009F1030", ["620000001", ""]),
                hot("1000001010102", "1124009F1010", "1124009F1030", ["620000001", "620000002"]),
                hot("1000001020101", "1124009F1010", "1124009F1048", ["620000001", ""]),
                hot("1000002010101", "2149039F1015", "2149039F1023", ["", ""]),
            ],
        ),
        edition(
            "y_ALL20240401.csv",
            &[
                drug("620000001", "架空錠", "1124009F1010"),
                drug("620000008", "架空Ｂ錠", "2149039F1015"),
                drug("620000009", "架空Ｃ錠", "2149039F1015"),
            ],
        ),
    ]);
    let on = day(2024, 7, 1);
    let rows = |system, code: &str| masters.hot(system, code, on).iter().map(|r| r.row.code.to_string()).collect::<Vec<_>>();
    let first = ["1000001010101", "1000001010102", "1000001020101"];
    assert_eq!(rows(System::Drug, "620000001"), first);
    assert_eq!(rows(System::Drug, "620000002"), first[1..2]);
    assert_eq!(rows(System::Yj, "1124009F1030"), first[..2]);
    assert_eq!(rows(System::Hot7, "1000001"), first);
    assert_eq!(rows(System::Hot9, "100000102"), first[2..]);
    assert_eq!(rows(System::Hot13, "1000001010101"), first[..1]);
    // Without a claims' code of its own: by the code of the price standard.
    assert_eq!(rows(System::Drug, "620000008"), ["1000002010101"]);
    assert_eq!(rows(System::Drug, "620000009"), ["1000002010101"]);
    assert!(rows(System::Yj, "9999999F1023").is_empty());
    assert!(rows(System::Hot9, "1000001").is_empty(), "a HOT7 is no HOT9");
}

#[test]
fn a_test_is_found_by_the_longest_beginning_then_by_analyte_and_material_and_it_is_said_how() {
    let sheet = "code,name\n\
        3Z0100000023271 01,甲\n3Z0100000023271 02,甲\n3Z0100000023999 01,乙\n3Z0100000022271 01,丙\n\
        3Z0200001019062 04,丁\n3Z0200002019062 04,戊\n3Z030000000000000,己\n"
        .replace(' ', "");
    let masters = masters(vec![read("JLAC10_20240401.csv", sheet.as_bytes()).unwrap()]);
    let of = |code: &str| masters.tests(code, day(2024, 7, 1)).map(|t| (t.exactness, t.rows.len(), t.name().map(str::to_owned)));
    let name = |n: &str| Some(n.to_owned());
    assert_eq!(of("3Z010000002327101"), Some((Exactness::Whole, 1, name("甲"))));
    assert_eq!(of("3Z010-0000-023-271-01"), Some((Exactness::Whole, 1, name("甲"))));
    // Fifteen characters, and a result that the sheet has not.
    assert_eq!(of("3Z0100000023271"), Some((Exactness::WithoutResult, 2, name("甲"))));
    assert_eq!(of("3Z010000002327199"), Some((Exactness::WithoutResult, 2, name("甲"))));
    // Method filled up.
    assert_eq!(of("3Z010000002300000"), Some((Exactness::WithoutMethod, 3, None)));
    assert_eq!(of("3Z010000002200000"), Some((Exactness::WithoutMethod, 1, name("丙"))));
    // Identification unknown: both, and no name.
    assert_eq!(of("3Z020999901999999"), Some((Exactness::AnalyteAndMaterial, 2, None)));
    // Another material is another test, an unknown one is not.
    assert_eq!(of("3Z020000102306204"), None);
    assert_eq!(of("3Z020000199906204"), Some((Exactness::Analyte, 2, None)));
    assert_eq!((of("3Z0990000023271"), of("3Z01000000232"), of("検査検査検")), (None, None, None));
    assert!(Exactness::Whole < Exactness::Analyte);
}

#[test]
fn a_section_of_the_fee_schedule_has_all_of_its_acts() {
    let masters = masters(vec![edition(
        "s_ALL20240601.csv",
        &[act("150999910", "甲", "K718-2"), act("150999810", "乙", "K718-2"), act("150999710", "丙", "K718-21")],
    )]);
    let found = masters.resolve_by(Kind::Act, Key::Section, "K718-2", day(2024, 7, 1));
    assert_eq!(found.iter().map(|r| &*r.row.code).collect::<Vec<_>>(), ["150999810", "150999910"]);
}
