//! What may be somebody's who is left out, though it says otherwise at first sight: it is left out too, or refused.

use formats::Format;
use formats::without::WithoutError;
use terms::PatientIdRule;

use crate::harness::File;
use crate::without::{B_BY_CARD, samples, without_by};

fn file(path: &str, bytes: &[u8]) -> File {
    (path.to_owned(), bytes.to_vec())
}

fn rest_by(format: Format, rule: PatientIdRule, files: &[File], left: &[&str]) -> Result<String, (u64, &'static str)> {
    match without_by(format, rule, files, left) {
        Ok(kept) => Ok(kept.iter().map(|((_, bytes), _)| String::from_utf8_lossy(bytes).into_owned()).collect()),
        Err(WithoutError::Nobodys { line, why, .. }) => Err((line, why)),
        Err(WithoutError::Io(error)) => panic!("{error}"),
    }
}

fn rest(format: Format, path: &str, text: &str, left: &[&str]) -> Result<String, (u64, &'static str)> {
    rest_by(format, PatientIdRule::Digits, &[file(path, text.as_bytes())], left)
}

const MEDICAL: &str = "IR,1,13,1,9999991,,H,202408,00,1\r\n";

fn claim(number: u32, chart: &str, word: &str) -> String {
    format!(
        "RE,{number},1112,202407,{word},1,19580314,,,,,,,{chart},,\r\nHO,06139992,1,2,1,100,,\r\nSY,8838708,20240610,1,,,,\r\n"
    )
}

const CARDS: &str = "name = \"m\"\n[person]\nlocal_id = [\"id\"]\ndate = \"day\"\ninsurer = \"insurer\"\nnumber = \"number\"\nbirth = \"birth\"\nsex = \"sex\"\nkana = \"kana\"\n";

fn act(facility: &str, id: &str, word: &str) -> String {
    format!("{facility}\t{id}\t20240621\t20240610\t60\t0001\t000\t\t160008010\t{word}\r\n")
}

// control: NOT-03
#[test]
fn a_spoilt_code_of_the_institution_makes_nobody_a_strangers_patient() {
    let name = "EFn_139999991_2406.txt";
    let dpc = |facility: &str| rest(Format::Dpc, name, &(act("139999991", "7", "X") + &act(facility, "456", "HERS")), &["456"]);
    for own in ["139999991", "1319999991", " 139999991", "１３９９９９９９１"] {
        assert_eq!(dpc(own), Ok(act("139999991", "7", "X")), "{own}");
    }
    for spoilt in ["139999990", "\u{feff}139999991", "\u{1a}139999991", "13999999", "13-9999991"] {
        assert_eq!(dpc(spoilt), Err((2, "formats-institution")), "{spoilt:?}");
    }
    let heading = format!("施設コード\t0000000456\tHERS\r\n{}", act("139999991", "7", "X"));
    assert_eq!(rest(Format::Dpc, name, &heading, &["456"]), Err((1, "formats-no-patient")));
    let of = |head: &str| {
        rest(
            Format::Receipt,
            "a.UKE",
            &format!("{head}{}{}GO,2,200,99\r\n", claim(1, "456", "HERS"), claim(2, "7", "X")),
            &["456"],
        )
    };
    // Under the code of another institution the chart counts all the same.
    for head in [MEDICAL, "IR,1,13,1,9999990,,H,202408,00,1\r\n", "IR,1,１３,1,９９９９９９１,,H,202408,00,1\r\n"] {
        assert_eq!(of(head), Ok(format!("{head}{}GO,1,100,99\r\n", claim(2, "7", "X"))));
    }
    for spoilt in
        ["IR,1,13,1,99999912,,H,202408,00,1\r\n", "IR,1,13,1,999X991,,H,202408,00,1\r\n", "IR,1,130,1,9999991,,H,202408,00,1\r\n"]
    {
        assert_eq!(of(spoilt), Err((2, "formats-institution")), "{spoilt}");
    }
}

#[test]
fn the_dental_department_has_the_charts_of_the_house() {
    let head = "UK,1,13,3,9999991,,H,202408,00,1\r\n";
    let (hers, his) = (claim(1, ",,456", "HERS"), claim(2, ",,7", "X"));
    let text = format!("{head}{hers}{his}GO,2,200,99\r\n");
    assert_eq!(rest(Format::Receipt, "RECEIPTS.UKE", &text, &["456"]), Ok(format!("{head}{his}GO,1,100,99\r\n")));
}

#[test]
fn what_goes_unseen_has_the_shape_of_what_may() {
    let xsd = r#"<?xml version="1.0"?><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"/></xs:schema>"#;
    assert_eq!(rest(Format::Checkup, "XSD/a.xsd", xsd, &["456"]).as_deref(), Ok(xsd));
    let (_, document) = samples("checkup/clean").into_iter().find(|(p, _)| p.contains("DATA/h")).expect("a document");
    let document = String::from_utf8(document).expect("UTF-8");
    for no in [
        document.as_str(),
        &xsd.replace("2001", "2002"),
        &xsd.replace("</xs:schema>", ""),
        &format!("{xsd}<ClinicalDocument/>"),
        "HERS",
    ] {
        assert_eq!(rest(Format::Checkup, "XSD/a.xsd", no, &["456"]), Err((1, "checkup-unknown-document")));
    }
    assert!(rest(Format::Checkup, "a.toml", CARDS, &["456"]).is_ok());
    assert_eq!(rest(Format::Checkup, "a.toml", "456 HERS", &["456"]), Err((1, "checkup-mapping-beside")));
    let wards = |line: &str| rest(Format::Dpc, "FF3_139999991_2406.txt", line, &["456"]);
    assert!(wards("施設コード\t病棟\t病床数\r\n139999991\t３階東\t202406\t40\r\n").is_ok());
    for no in ["139999991\t456\t20240621\tHERS\r\n", "139999991\t0000000456\tHERS\r\n", "139999990\t３階東\t40\r\n", "HERS\r\n"]
    {
        assert_eq!(wards(no), Err((1, "dpc-not-wards")), "{no}");
    }
}
