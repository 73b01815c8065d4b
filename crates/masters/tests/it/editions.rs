//! Reading: what an edition has, what is refused, what a difference makes of it.

use masters::{
    BadRow, Change, Charset, Details, Doubt, Edition, Extent, Icd10, Kind, MasterError, read, read_as, read_difference_as,
};

use crate::files::{ALL, Disease, act, day, diseases, drug, edition, file, hot, many_drugs, row};

#[test]
fn a_master_in_its_issued_form_is_read_whole() {
    let edition = edition("b_20240601.txt", &diseases());
    assert_eq!((edition.kind, edition.extent, edition.date), (Kind::Disease, Extent::Full, day(2024, 6, 1)));
    assert_eq!((edition.rows.len(), edition.report.rows, edition.report.charset), (8, 8, Charset::Cp932));
    assert!(edition.report.bad_rows.is_empty() && edition.report.doubts.is_empty() && edition.report.duplicates.is_empty());
    assert_eq!(edition.report.abolished, 1);
    let row = edition.row("8899002").unwrap();
    assert_eq!((&*row.name, row.kana.as_deref()), ("架空糖尿病性網膜症", Some("カクウビョウ")));
    assert_eq!((row.listed, row.changed, row.abolished), (Some(day(2002, 6, 1)), None, None));
    let Details::Disease { management, exchange, icd10, successor } = &row.details else { panic!("a disease") };
    assert_eq!((management.as_deref(), exchange.as_deref(), successor.as_deref()), (Some("29000002"), Some("QX02"), None));
    // The codes of 2013 stand before those of 2003.
    assert_eq!(*icd10, Icd10 { cause: Some("E143".into()), manifestation: Some("H360".into()) });
    let Details::Disease { icd10, .. } = &edition.row("8899003").unwrap().details else { panic!("a disease") };
    assert_eq!(*icd10, Icd10 { cause: Some("K297".into()), manifestation: None });
    let Details::Disease { successor, .. } = &edition.row("8899005").unwrap().details else { panic!("a disease") };
    assert_eq!(successor.as_deref(), Some("8899001"));
    // Characters of vendors.
    assert_eq!(&*edition.row("8899008").unwrap().name, "架空―髙病㈱");
}

#[test]
fn every_kind_is_read_in_its_own_columns() {
    let z = row(
        19,
        &[(1, "3"), (2, "Z"), (3, "8999"), (7, "・架空"), (14, "20260101"), (16, "99999999"), (17, "27999999"), (18, "9EEU")],
    );
    let z = edition("z_20260101.txt", &[z]);
    assert_eq!((z.rows[0].change, z.rows[0].listed), (Change::New, Some(day(2026, 1, 1))));
    assert!(
        matches!(&z.rows[0].details, Details::Modifier { management: Some(m), exchange: Some(e) } if &**m == "27999999" && &**e == "9EEU")
    );
    let y = edition("y_ALL20240401.csv", &[drug("620000001", "架空錠", "1124009F1030")]);
    assert!(
        matches!(&y.rows[0].details, Details::Drug { unit: Some(u), price_standard: Some(p) } if &**u == "錠" && &**p == "1124009F1030")
    );
    let s = edition("s_ALL20240601.csv", &[act("150999910", "架空手術", "K718-2")]);
    assert!(matches!(&s.rows[0].details, Details::Act { section: Some(s), .. } if &**s == "K718-2"));
    assert_eq!((&*s.rows[0].name, s.rows[0].changed), ("架空手術", Some(day(2024, 6, 1))));
    let t = row(
        38,
        &[
            (1, "0"),
            (2, "T"),
            (3, "710999999"),
            (5, "半切"),
            (10, "枚"),
            (28, "20240601"),
            (29, "00000000"),
            (30, "20250331"),
            (37, "フィルム・半切"),
        ],
    );
    let t = edition("t_ALL20240601.csv", &[t]);
    assert_eq!((&*t.rows[0].name, t.rows[0].abolished), ("フィルム・半切", Some(day(2025, 3, 31))));
    let c = row(
        30,
        &[
            (1, "0"),
            (2, "C"),
            (3, "8"),
            (4, "50"),
            (7, "架空日"),
            (9, "ｶｸｳ"),
            (21, "20240601"),
            (22, "99999999"),
            (23, "850999999"),
        ],
    );
    let c = edition("c_ALL20240601.csv", &[c]);
    assert!(matches!(&c.rows[0].details, Details::Comment { pattern: Some(p) } if &**p == "50"));
    let h = edition("MEDIS20240531.TXT", &[hot("1999999010101", "1124009F1030", "1124009F1048", ["620000001", ""])]);
    let h = &h.rows[0];
    assert_eq!((h.hot7(), h.hot9(), h.hot13()), (Some("1999999"), Some("199999901"), Some("1999999010101")));
    assert_eq!((h.changed, &*h.name), (Some(day(2024, 4, 1)), "架空錠５ｍｇ"));
    let j = "code,note,name,valid_from,valid_to\r\n3Z046-0000-019-062-02,x,架空検査,2020-04-01,\r\n\"3Z0460000023271\",,\"別の,検査\",,2024/3/31\r\n";
    let j = read("JLAC10_20240401.csv", j.as_bytes()).unwrap();
    assert_eq!((j.report.charset, j.report.rows, j.rows.len()), (Charset::Utf8, 2, 2));
    assert_eq!((&*j.rows[0].code, j.rows[0].listed), ("3Z0460000019062 02".replace(' ', "").as_str(), Some(day(2020, 4, 1))));
    assert_eq!((&*j.rows[1].name, j.rows[1].abolished), ("別の,検査", Some(day(2024, 3, 31))));
}

#[test]
fn utf8_is_read_with_its_mark_and_without() {
    let text: String = diseases().iter().map(|row| format!("{row}\n")).collect();
    for bytes in [text.clone().into_bytes(), [b"\xEF\xBB\xBF", text.as_bytes()].concat(), [text.as_bytes(), b"\x1A"].concat()] {
        let edition = read("Ｂ＿２０２４０６０１．ＴＸＴ", &bytes).unwrap();
        assert_eq!((edition.rows.len(), edition.report.charset), (8, Charset::Utf8));
        assert_eq!(&*edition.row("8899001").unwrap().name, "架空高血圧症");
    }
}

#[test]
fn name_and_content_must_not_contradict_each_other() {
    let found = read("y_ALL20240401.csv", &file(&diseases()));
    assert!(matches!(found, Err(MasterError::Contradiction { expected: Kind::Drug, line: 1, found }) if found == "B"));
    let found = read("MEDIS20240401.TXT", &file(&diseases()));
    assert!(matches!(found, Err(MasterError::Contradiction { expected: Kind::Hot, .. })));
    let found = read_as(Kind::Disease, 0, &file(&[drug("620000001", "架空錠", "")]));
    assert!(matches!(found, Err(MasterError::Contradiction { expected: Kind::Disease, .. })));
    // A name that says nothing leaves it to the content.
    assert_eq!(edition("master_20240401.txt", &diseases()).kind, Kind::Disease);
    assert_eq!(edition("x20240401", &[hot("1999999010101", "", "", ["", ""])]).kind, Kind::Hot);
    assert!(matches!(read("x20240401", b"\"a\",\"b\"\r\n"), Err(MasterError::Unknown { .. })));
}

#[test]
fn a_file_without_a_date_needs_one() {
    assert!(matches!(read("b_new.txt", &file(&diseases())), Err(MasterError::NoDate { .. })));
    let edition = read_as(Kind::Disease, day(2024, 6, 1), &file(&diseases())).unwrap();
    assert_eq!((edition.date, edition.extent), (day(2024, 6, 1), Extent::Full));
}

#[test]
fn more_columns_are_accepted_and_fewer_refused_by_line_and_number() {
    let mut rows = diseases();
    rows[2].push_str(",\"1\",\"2\"");
    assert_eq!(edition("b_20240601.txt", &rows).rows.len(), 8);
    rows[4] = row(23, &[(1, "0"), (2, "B"), (3, "8899005")]);
    let found = read("b_20240601.txt", &file(&rows));
    assert!(matches!(found, Err(MasterError::Columns { kind: Kind::Disease, line: 5, found: 23, needed: 24 })));
    assert!(matches!(read("JLAC10_20240401.csv", b"code;name\r\n"), Err(MasterError::Header { column: "code" })));
    assert!(matches!(read("b_20240601.txt", b""), Err(MasterError::Empty { kind: Kind::Disease })));
}

#[test]
fn more_than_one_bad_code_in_a_thousand_refuses_the_edition_and_fewer_are_reported_by_line() {
    let mut rows = many_drugs(1_999);
    rows[499] = drug("62000499", "架空錠", "");
    let edition = edition("y_ALL20240401.csv", &rows);
    assert_eq!((edition.rows.len(), edition.report.rows), (1_998, 1_999));
    assert_eq!(edition.report.bad_rows, [(500, BadRow::Code)]);
    rows[1_998] = "\"0\",\"Y\",\"62000".to_owned();
    let found = read("y_ALL20240401.csv", &file(&rows));
    assert!(
        matches!(found, Err(MasterError::BadRows { kind: Kind::Drug, bad: 2, rows: 1_999, line: 500, field }) if field == "3")
    );
    // A spreadsheet that cut the zeros.
    let cut = Disease { code: "703027", ..Disease::default() }.row();
    assert!(matches!(read("b_20240601.txt", &file(&[cut])), Err(MasterError::BadRows { line: 1, .. })));
}

#[test]
fn each_bad_row_is_reported_with_its_reason() {
    let mut rows = many_drugs(5_000);
    rows[10] = rows[10].replacen("\"Y\"", "\"T\"", 1);
    rows[20] = rows[20].replacen("\"0\"", "\"7\"", 1);
    rows[30].push('x');
    rows[40] = rows[40].replace("20240401", "20240431");
    let edition = edition("y_ALL20240401.csv", &rows);
    assert_eq!(edition.report.bad_rows, [(11, BadRow::OtherMaster), (21, BadRow::Change), (31, BadRow::Quotes)]);
    assert_eq!(edition.report.doubts, [(41, Doubt::Changed)]);
    let fields = edition.report.bad_rows.iter().map(|(_, why)| why.field(Kind::Drug)).collect::<Vec<_>>();
    assert_eq!(fields, [Some("2".to_owned()), Some("1".to_owned()), None]);
    assert_eq!(Doubt::Changed.field(Kind::Drug).as_deref(), Some("30"));
    assert_eq!(BadRow::Code.field(Kind::Jlac10).as_deref(), Some("code"));
    assert_eq!(edition.rows.len(), 4_997);
}

#[test]
fn of_a_code_that_stands_twice_the_last_counts_and_the_other_is_reported() {
    let mut rows = diseases();
    rows.push(Disease { code: "8899001", name: "後の名", ..Disease::default() }.row());
    let edition = edition("b_20240601.txt", &rows);
    assert_eq!((&*edition.row("8899001").unwrap().name, &edition.report.duplicates[..]), ("後の名", &[1][..]));
    assert_eq!((edition.rows.len(), edition.report.rows), (8, 9));
}

#[test]
fn a_field_without_measure_is_refused() {
    let long = Disease { code: "8899001", name: &"長".repeat(40_000), ..Disease::default() }.row();
    let found = read("b_20240601.txt", long.as_bytes());
    assert!(matches!(found, Err(MasterError::FieldTooLong { line: 1, column: 6 })));
}

#[test]
fn files_without_measure_are_refused() {
    let commas = vec![b','; 2 << 20];
    for kind in ALL {
        assert!(matches!(read_as(kind, 0, &commas), Err(MasterError::LineTooLong { line: 1 })));
    }
    assert!(matches!(read("x20240401", &commas), Err(MasterError::Unknown { .. })));
    let broken = b"x\n".repeat(1_000_000);
    assert!(matches!(
        read_as(Kind::Jlac10, 0, &[b"code,name\n", &broken[..]].concat()),
        Err(MasterError::Columns { line: 2, .. })
    ));
    let quotes = [b"code,name\n".to_vec(), b"\"\n".repeat(1_000_000)].concat();
    let found = read_as(Kind::Jlac10, 0, &quotes);
    assert!(matches!(found, Err(MasterError::BadRows { bad: 1_000_000, rows: 1_000_000, line: 2, .. })));
    let more = [b"code,name\n".to_vec(), b"\"\n".repeat(2_000_001)].concat();
    assert!(matches!(read_as(Kind::Jlac10, 0, &more), Err(MasterError::TooManyRows { kind: Kind::Jlac10 })));
}

#[test]
fn differences_are_applied_in_order_to_the_edition_before() {
    let base = edition(
        "y_ALL20240401.csv",
        &[drug("620000001", "甲", ""), drug("620000002", "乙", ""), drug("620000003", "丙", ""), drug("620000004", "丁", "")],
    );
    let with = |change: &str, code: &str, name: &str| drug(code, name, "").replacen("\"0\"", &format!("\"{change}\""), 1);
    let first = edition(
        "y_20240501.csv",
        &[
            with("3", "620000009", "新"),
            with("5", "620000001", "改"),
            with("1", "620000002", "乙"),
            with("9", "620000003", "丙"),
            with("1", "620000077", "無"),
        ],
    );
    assert_eq!((first.extent, first.rows.len()), (Extent::Difference, 5));
    let second = edition("y_20240601.csv", &[with("5", "620000009", "新改")]);
    let may = Edition::after(&base, first.clone()).unwrap();
    assert_eq!((may.date, may.extent, &*may.file_name), (day(2024, 5, 1), Extent::Full, "y_ALL20240401.csv + y_20240501.csv"));
    let names: Vec<_> = may.rows.iter().map(|r| (&*r.code, &*r.name)).collect();
    assert_eq!(names, [("620000001", "改"), ("620000003", "丙"), ("620000004", "丁"), ("620000009", "新")]);
    assert_eq!(may.report.unmatched, ["620000077".into()]);
    // 9 without a day ends with the edition.
    assert_eq!((may.row("620000003").unwrap().abolished, may.report.abolished), (Some(day(2024, 5, 1)), 1));
    let june = Edition::after(&may, second.clone()).unwrap();
    assert_eq!(&*june.row("620000009").unwrap().name, "新改");

    let changes = may.compare(&base);
    let codes = |rows: &[&masters::Row]| rows.iter().map(|r| r.code.to_string()).collect::<Vec<_>>();
    assert_eq!(codes(&changes.added), ["620000009"]);
    assert_eq!(codes(&changes.gone), ["620000002"]);
    assert_eq!(codes(&changes.abolished), ["620000003"]);
    let changed: Vec<_> = changes.changed.iter().map(|(before, after)| (&*before.name, &*after.name)).collect();
    assert_eq!(changed, [("甲", "改"), ("丙", "丙")]);

    for (previous, difference) in [(&june, first.clone()), (&base, base.clone()), (&first, second)] {
        assert!(matches!(Edition::after(previous, difference), Err(MasterError::NotAfter { .. })));
    }
    assert!(matches!(masters::Masters::new().add(first), Err(MasterError::OnlyDifference { .. })));
    assert_eq!(read_difference_as(Kind::Disease, 1, &file(&diseases())).unwrap().extent, Extent::Difference);
}

#[test]
fn what_a_full_file_calls_deleted_is_not_in_it() {
    let mut rows = diseases();
    rows.push(Disease { change: "1", code: "8899099", ..Disease::default() }.row());
    let edition = edition("b_20240601.txt", &rows);
    assert_eq!((edition.row("8899099"), edition.report.deleted, edition.report.rows), (None, 1, 9));
}

#[test]
fn any_bytes_are_read_or_refused_and_no_row_is_lost() {
    let good = diseases();
    bolero::check!().with_type::<(u8, Vec<(u16, u8)>, Vec<u8>)>().with_iterations(3_000).for_each(|(kind, edits, noise)| {
        // Noise alone, and good rows with some bytes of them put wrong.
        let mut bytes = file(&good);
        for (at, byte) in edits {
            let at = usize::from(*at) % bytes.len();
            bytes[at] = *byte;
        }
        let lines = |bytes: &[u8]| bytes.split(|b| *b == b'\n').filter(|l| !matches!(l, [] | [b'\r'])).count();
        for kind in [ALL[usize::from(*kind) % 8], Kind::Disease] {
            for bytes in [&bytes, noise] {
                let Ok(edition) = read_as(kind, 19_000, bytes) else { continue };
                let report = &edition.report;
                assert_eq!(report.rows, edition.rows.len() + report.duplicates.len() + report.deleted + report.bad_rows.len());
                assert!(edition.rows.is_sorted_by(|a, b| a.code < b.code));
                if kind == Kind::Disease {
                    assert!(report.rows + 1 >= lines(bytes), "the end mark may stand alone");
                }
            }
        }
        for name in ["b_20240601.txt", "x"] {
            let _ = read(name, noise);
        }
        let _ = read(&String::from_utf8_lossy(noise), &bytes);
    });
}

#[test]
fn of_good_rows_among_bad_ones_all_are_loaded_and_all_others_named() {
    bolero::check!().with_type::<Vec<(u16, u8)>>().with_iterations(60).for_each(|edits| {
        let mut rows = many_drugs(1_500);
        let mut bad = std::collections::BTreeMap::new();
        for (at, how) in edits.iter().take(3) {
            let at = usize::from(*at) % rows.len();
            let (text, reason) = match how % 4 {
                0 => (drug("6200", "架空錠", ""), BadRow::Code),
                1 => (rows[0].replacen("\"Y\"", "\"B\"", 1), BadRow::OtherMaster),
                2 => (rows[0].replacen("\"0\"", "\"\"", 1), BadRow::Change),
                _ => ("\"0\",\"Y".to_owned(), BadRow::Quotes),
            };
            // The first row says which master it is.
            if at > 0 {
                rows[at] = text;
                bad.insert(at as u32 + 1, reason);
            }
        }
        match read("y_ALL20240401.csv", &file(&rows)) {
            Ok(edition) => {
                assert!(bad.len() <= 1);
                assert_eq!(edition.report.bad_rows, bad.into_iter().collect::<Vec<_>>());
                assert_eq!(edition.rows.len() + edition.report.bad_rows.len(), 1_500);
            }
            Err(MasterError::BadRows { bad: count, rows: 1_500, .. }) => assert!(count == bad.len() && count > 1),
            Err(other) => panic!("{other}"),
        }
    });
}
