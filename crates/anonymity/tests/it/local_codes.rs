//! Codes of the hospital's own do not leave, however many have them and however they are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use anonymity::recount::recount;
use anonymity::treat::OTHER;
use anonymity::treat::codes::{self, Rule};
use arrow::array::{Array, AsArray, RecordBatch, StringArray};

use super::leaks::{anonymized, three_positive, treated, with_column};

#[test]
fn several_public_codes_of_one_field_stay_and_words_among_them_do_not() {
    let column = StringArray::from(vec![
        "JHSD0004:O JHSD0007:2",
        "JHSD0004:O 99XY1:2",
        "JHSD0004:O Yamada",
        "JHSD0004:O NAME:Yamada",
        "text:Taro JHSD0007:2",
        "TEL:0312345678 JHSD0007:2",
    ]);
    let rule = Rule { rollup: &[], rare: None, local: true, systems: &[] };
    let out = codes::treat(&column, &[0; 6], &rule).array;
    let out: Vec<Option<&str>> = out.as_string::<i32>().iter().collect();
    assert_eq!(out, [Some("JHSD0004:O JHSD0007:2"), Some(OTHER), Some(OTHER), Some(OTHER), Some(OTHER), Some(OTHER)]);
}

// control: PRC-01
#[test]
fn a_system_that_is_not_known_to_be_public_does_not_leave_however_many_have_it_and_the_recount_sees_it() {
    let leaks = [
        "http://azekura-hospital.example.jp/kensa:KENSA-7",
        "urn:oid:1.2.392.999999:7",
        "AZEKURA:7",
        "azekura:7",
        "JC10:1+http://azekura-hospital.example.jp/x:2",
        "MDCDX2:2 AZEKURA:3",
    ];
    let kept = ["JC10:1", "MDCDX2:20992776", "HL70127:EA", "JHSD0004:O", "JSHR002:A", "SCT:1", "2102:1", "3A010"];
    let column: StringArray = leaks.iter().chain(&kept).map(|c| Some(*c)).collect();
    let persons: Vec<u32> = (0..column.len() as u32).collect();
    let rule = |systems| Rule { rollup: &[], rare: None, local: true, systems };
    let treated = codes::treat(&column, &persons, &rule(&[]));
    let shown: Vec<Option<&str>> = treated.array.as_string::<i32>().iter().collect();
    assert!(shown[..leaks.len()].iter().all(|s| *s == Some("その他")), "{shown:?}");
    assert_eq!(shown[leaks.len()..], kept.map(Some));
    // A profile may name a system for a column: the committee saw it.
    let named = ["AZEKURA".to_owned()];
    let treated = codes::treat(&column, &persons, &rule(&named));
    assert_eq!(treated.array.as_string::<i32>().value(2), "AZEKURA:7");
    for leak in leaks {
        let array = Arc::new(StringArray::from(vec![leak; 3]));
        let ids = Arc::new(arrow::array::Int64Array::from(vec![1, 2, 3]));
        let batch = RecordBatch::try_from_iter([
            ("person_id", ids as arrow::array::ArrayRef),
            ("measurement_source_value", array as arrow::array::ArrayRef),
        ])
        .expect("a batch");
        let leaked = BTreeMap::from([("measurement".to_owned(), batch)]);
        assert_eq!(recount(&anonymized(), &leaked).local_codes.len(), 1, "{leak}");
    }
}

// control: PRC-01
#[test]
fn blanks_and_company_hide_no_local_code() {
    let column = StringArray::from(vec![
        " 99XYZ:1",
        "99XYZ :1",
        "\t99XYZ:1",
        "JC10:1+99XYZ:2",
        " L:7",
        "text:Yamada",
        "090-1234-5678",
        "3A010",
    ]);
    let rule = Rule { rollup: &[], rare: None, local: true, systems: &[] };
    let out = codes::treat(&column, &[0; 8], &rule).array;
    let out: Vec<Option<&str>> = out.as_string::<i32>().iter().collect();
    assert_eq!(out[..7], [Some(OTHER); 7]);
    assert_eq!(out[7], Some("3A010"));
    let (processed, _) = treated(&anonymized(), &three_positive());
    let n = processed.tables()["measurement"].num_rows();
    for leak in [" 99XYZ:1", "99XYZ :1", "９９XYZ:1", "l:1", "A:1+ 99XYZ:2", "JHSD0004:O 99XYZ:2"] {
        let column = Arc::new(StringArray::from(vec![leak; n]));
        let leaked = with_column(processed.tables(), "measurement", "value_source_value", column);
        assert_eq!(recount(&anonymized(), &leaked).local_codes.len(), 1, "{leak}");
    }
}
