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

/// A claim without a chart number.
fn by_card(name: &str, sex: &str, birth: &str, kana: &str) -> String {
    let blanks = ",".repeat(23);
    format!(
        "{MEDICAL}RE,1,1112,202407,{name},{sex},{birth},,,,,,,{blanks}{kana},\r\nHO,  139998,江０１,２３４５６７,1,125,,\r\nSY,8838708,20240610,1,,,,\r\nGO,1,125,99\r\n"
    )
}

// control: NOT-03
#[test]
fn a_card_that_no_list_can_name_is_refused() {
    let incomplete = Err((2, "formats-card-incomplete"));
    for rule in [PatientIdRule::Digits, PatientIdRule::Insured] {
        let of = |text: String| rest_by(Format::Receipt, rule, &[file("RECEIPTC.UKE", text.as_bytes())], &[B_BY_CARD]);
        let plain = by_card("有明　花子", "2", "19711102", "アリアケハナコ");
        assert!(!of(plain.clone()).expect("filtered").contains("有明"));
        for hers in [by_card("有明　花子", "２", "19711102", "アリアケハナコ"), by_card("アリアケ　ハナコ", "2", "3461102", "")]
        {
            assert!(!of(hers).expect("filtered").contains("RE,"), "{rule:?}");
        }
        assert_eq!(of(by_card("有明　花子", "2", "19711102", "")), incomplete);
        assert_eq!(of(by_card("有明　花子", "2", "", "アリアケハナコ")), incomplete);
        assert_eq!(of(by_card("有明　花子", "", "19711102", "アリアケハナコ")), incomplete);
        assert_eq!(of(by_card("有明　花子", "2", "19711102", "アリアケハナ\u{FFFD}")), incomplete);
        assert_eq!(of(by_card("有明　花子", "3", "19711102", "アリアケハナコ")), Err((2, "formats-sex")));
        assert_eq!(of(by_card("有明　花子", "2", "19711132", "アリアケハナコ")), Err((2, "formats-date")));
        assert_eq!(of(plain.replace("２３４５６７", "")), incomplete);
    }
    let document =
        samples("checkup/clean").into_iter().find(|(p, _)| p.contains("00139998") && p.contains("DATA/h")).expect("hers");
    let text = String::from_utf8(document.1).expect("UTF-8");
    let of = |text: String| rest(Format::Checkup, "h1.xml", &text, &[B_BY_CARD]);
    assert_eq!(of(text.clone()), Ok(String::new()));
    for (good, bad) in [("19711102", "19711132"), ("アリアケ", "有明"), ("アリアケ", "アリ\u{FFFD}ケ")] {
        assert!(text.contains(good));
        assert_eq!(of(text.replace(good, bad)), Err((1, "formats-card-incomplete")), "{bad}");
    }
    let at = text.find("administrativeGenderCode").expect("a sex");
    let sex = at + text[at..].find(" code=\"2\"").expect("two") + 7;
    for (written, left) in [("２", Ok(String::new())), ("9", Err((1, "formats-card-incomplete")))] {
        assert_eq!(of(format!("{}{written}{}", &text[..sex], &text[sex + 1..])), left);
    }
}

const CARDS: &str = "name = \"m\"\n[person]\nlocal_id = [\"id\"]\ndate = \"day\"\ninsurer = \"insurer\"\nnumber = \"number\"\nbirth = \"birth\"\nsex = \"sex\"\nkana = \"kana\"\n";

#[test]
fn a_table_without_the_heading_that_its_mapping_needs_is_refused() {
    let hers = "456,20240401,139998,7,19711102,2,アリアケハナコ\n";
    let of = |rule, heading: &str, left: &str| {
        let files = [file("a.toml", CARDS.as_bytes()), file("a.csv", format!("{heading}{hers}").as_bytes())];
        rest_by(Format::Checkup, rule, &files, &[left])
    };
    let card = "insured:139998::7::19711102:2:アリアケハナコ";
    let whole = "id,day,insurer,number,birth,sex,kana\n";
    assert!(!of(PatientIdRule::Digits, whole, "456").expect("filtered").contains("アリアケ"));
    assert!(!of(PatientIdRule::Insured, whole, card).expect("filtered").contains("アリアケ"));
    for rule in [PatientIdRule::Digits, PatientIdRule::Insured] {
        let left = if rule == PatientIdRule::Insured { card } else { "456" };
        assert_eq!(of(rule, "", left), Err((1, "checkup-mapping-columns")));
        assert_eq!(of(rule, "title\n", left), Err((1, "checkup-mapping-columns")));
    }
    assert_eq!(of(PatientIdRule::Insured, &whole.replace("sex", "x"), card), Err((1, "checkup-mapping-columns")));
    assert_eq!(of(PatientIdRule::Digits, &whole.replace("sex", "id"), "456"), Err((1, "checkup-mapping-columns")));
    // Of an insurer's record too the card has to be whole.
    let files = [file("a.toml", CARDS.as_bytes()), file("a.csv", format!("{whole}{}", hers.replace(",2,", ",,")).as_bytes())];
    assert_eq!(rest_by(Format::Checkup, PatientIdRule::Insured, &files, &[card]), Err((2, "formats-card-incomplete")));
}

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
fn a_line_end_of_another_kind_within_a_line_is_refused() {
    let torn = |line| Err((line, "formats-line-in-line"));
    let text = format!("{MEDICAL}{}\r{}GO,2,200,99\r\n", claim(1, "7", "X").trim_end(), claim(2, "456", "HERS"));
    assert_eq!(rest(Format::Receipt, "a.UKE", &text, &["456"]), torn(4));
    let text = format!("{}\r{}", act("139999991", "7", "X").trim_end(), act("139999991", "456", "HERS"));
    assert_eq!(rest(Format::Dpc, "EFn_139999991_2406.txt", &text, &["456"]), torn(1));
    // The same where lines end at CR.
    let long = act("139999991", "7", "X").replace("\r\n", "\r").repeat(2_000);
    let text =
        format!("{long}{}\n{}", act("139999991", "7", "X").trim_end(), act("139999991", "456", "HERS").replace("\r\n", "\r"));
    assert_eq!(rest(Format::Dpc, "EFn_139999991_2406.txt", &text, &["456"]), torn(2_001));
    let csv = |text: &str| {
        let mapping = "name = \"m\"\n[person]\nlocal_id = [\"id\"]\ndate = \"day\"\n";
        rest_by(
            Format::Checkup,
            PatientIdRule::Digits,
            &[file("a.toml", mapping.as_bytes()), file("a.csv", text.as_bytes())],
            &["456"],
        )
    };
    assert_eq!(csv("id,day,note\r\n7,20240401,x\r456,20240401,HERS\r\n"), torn(2));
    assert!(csv("id,day,note\r\n7,20240401,\"x\ry\"\r\n").expect("filtered").ends_with("\"x\ry\"\r\n"));
}

#[test]
fn each_total_is_lowered_by_what_is_missing_since_the_one_before() {
    let volume = |a: &str, b: &str| format!("{MEDICAL}{}{}", claim(1, a, "A"), claim(2, b, "B"));
    let go = "GO,2,200,99\r\n";
    let text = format!("{}{go}{}{go}{}{go}", volume("456", "7"), volume("8", "9"), volume("10", "456"));
    let left = rest(Format::Receipt, "a.UKE", &text, &["456"]).expect("filtered");
    let totals: Vec<&str> = left.lines().filter(|l| l.starts_with("GO")).collect();
    assert_eq!(totals, ["GO,1,100,99", "GO,2,200,99", "GO,1,100,99"]);
    let text = format!("{}{}GO,4,400,99\r\n", volume("456", "7"), volume("8", "456"));
    assert!(rest(Format::Receipt, "a.UKE", &text, &["456"]).expect("filtered").ends_with("GO,2,200,99\r\n"));
}

#[test]
fn a_claim_whose_fields_have_moved_is_refused() {
    let of = |re: &str| {
        rest(
            Format::Receipt,
            "a.UKE",
            &format!("{MEDICAL}{re}HO,06139992,1,2,1,100,,\r\nSY,8838708,20240610,1,,,,\r\n"),
            &["456"],
        )
    };
    let whole = format!("RE,1,1112,202407,X,1,19580314,,,,,,,7,{}\r\n", ",".repeat(23));
    assert!(of(&whole).is_ok());
    assert_eq!(of(&whole.replace("X,", "X,,")), Err((2, "formats-columns")));
    assert_eq!(of("RE,1,1112,202407,X,HERS,1,19580314,,,,,,,7,,\r\n"), Err((2, "formats-date")));
    assert_eq!(of("RE,1,1112,202407,X,HERS,19580314,,,,,,,7,,\r\n"), Err((2, "formats-sex")));
    assert_eq!(of("RE,1,1112,202407,X,1,19580399,,,,,,,7,,\r\n"), Err((2, "formats-date")));
}

#[test]
fn a_key_that_stands_twice_anywhere_in_a_resource_is_refused() {
    let two = r#"{"resourceType":"Patient","id":"p2","identifier":[{"system":"urn:oid:1.2.392.100495.20.3.51.11319999991","value":"7"}]}"#;
    for more in [r#""focus":[{"reference":"Patient/p1"}],"focus":[]"#, r#""note":[{"text":"a","text":"b"}]"#] {
        let text = format!("{two}\n{{\"resourceType\":\"Observation\",\"subject\":{{\"reference\":\"Patient/p2\"}},{more}}}\n");
        assert_eq!(rest(Format::Fhir, "a.ndjson", &text, &["456"]), Err((2, "fhir-key-twice")), "{more}");
    }
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
