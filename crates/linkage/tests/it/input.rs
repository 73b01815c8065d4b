//! Tables and files, good and bad; and that nothing of a person is ever said.

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use linkage::{CODES, CsvPeople, LinkageError, Options, People, Unlinkable, link};
use messages::Lang;
use std::sync::Arc;
use terms::RecordId;

use super::people::{Row, identity, insurance, linked, people, row};

const HEADER: &str = "record_id,institution_id,local_patient_id,registered_on,family_kanji,given_kanji,family_kana,given_kana,sex,\
birth_date,postal_code,address,phone,insurer_number,insured_symbol,insured_number,insured_branch\n";

fn csv(lines: &str) -> Result<CsvPeople, LinkageError> {
    CsvPeople::read(format!("\u{feff}{HEADER}{lines}").as_bytes())
}

#[test]
fn every_code_has_its_text_in_both_languages() {
    let spoken = Unlinkable::ALL.iter().map(|u| u.code());
    for code in CODES.iter().copied().chain(spoken) {
        assert!(CODES.contains(&code), "{code}");
        assert!(messages::has(Lang::En, code) && messages::has(Lang::Ja, code), "{code}");
    }
}

#[test]
fn neither_errors_nor_debug_nor_results_say_anything_of_a_person() {
    let rows = [row(1), row(2)];
    let secrets = ["渡", "裕", "ワタ", "ﾜﾀ", "1980", "3754", "下連雀", "5678", "1234567", "138057"];
    let mut said = vec![format!("{:?}", people(&rows)), format!("{:?}", linked(&rows))];
    let bad = [
        "R1,I1,1,,渡辺,裕子,ワタナベ",
        "R1,I1,1,,渡辺,\"裕子",
        "R1,I1,1,,渡辺,裕子,ワ,ユ,1,1980-04-12,,,,,,,\nR1,I1,2,,渡辺,裕子,ワ,ユ,2,1980-04-12,,,,,,,\n",
    ];
    for lines in bad {
        let error = csv(lines).err().expect("a bad file");
        said.push(format!("{error} {error:?}"));
    }
    let text = RecordBatch::try_from_iter([("record_id", cast(identity(&rows).column(0), &DataType::Utf8).expect("text"))]);
    let error = People::from_batches(&[text.expect("one column")], &[], &[]).expect_err("ids have to be numbers");
    said.push(format!("{error} {error:?}"));
    for text in said {
        assert!(secrets.iter().all(|s| !text.contains(s)), "{text}");
    }
}

#[test]
fn missing_columns_and_ids_are_named() {
    let rows = [row(1)];
    let without = |batch: RecordBatch, name: &str| {
        let keep: Vec<usize> = (0..batch.num_columns()).filter(|i| batch.schema().field(*i).name() != name).collect();
        batch.project(&keep).expect("columns that are there")
    };
    let error = People::from_batches(&[without(identity(&rows), "family_kana")], &[], &[]).expect_err("no such column");
    assert!(matches!(error, LinkageError::ColumnMissing { table: "identity", column: "family_kana" }));
    let error = People::from_batches(&[], &[without(insurance(&rows), "insured_branch")], &[]).expect_err("no such column");
    assert!(matches!(error, LinkageError::ColumnMissing { table: "insurance", .. }));
    assert!(error.to_string().starts_with("linkage-column-missing"));
}

#[test]
fn text_columns_are_read_in_every_arrow_form() {
    let rows = [row(1), row(2)];
    let mut arrays = Vec::new();
    let batch = identity(&rows);
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let viewed = if column.data_type() == &DataType::Utf8 {
            cast(column, &DataType::Utf8View).expect("text")
        } else {
            Arc::clone(column)
        };
        arrays.push((field.name().clone(), viewed));
    }
    let viewed = RecordBatch::try_from_iter(arrays).expect("the same columns");
    let people = People::from_batches(&[viewed], &[insurance(&rows)], &[]).expect("readable");
    assert_eq!(link(&people, &[], &Options::default()).expect("no facts").stats.persons, 1);
}

#[test]
fn every_record_gets_a_person_even_one_without_any_row() {
    let people = People::from_batches(&[identity(&[row(1)])], &[], &[(RecordId(5), "1310000001".to_owned())]).expect("readable");
    let links = link(&people, &[], &Options::default()).expect("no facts");
    assert_eq!(links.map.iter().map(|(r, p)| (r.0, p.0)).collect::<Vec<_>>(), [(1, 1), (5, 2)]);
    assert_eq!(links.unlinked.get(&Unlinkable::Unnamed), Some(&1));
}

#[test]
fn a_history_of_names_and_homes_links_what_no_single_row_would() {
    let old = row(1);
    let mut new = row(1).named(["伊藤", "裕子", "イトウ", "ユウコ"]);
    new.phone = "080-1111-2222".to_owned();
    let mut elsewhere = row(2).without_contacts().named(["伊藤", "裕子", "イトウ", "ユウコ"]);
    elsewhere.phone.clone_from(&new.phone);
    assert_eq!(linked(&[old, new, elsewhere]).stats.persons, 1);
}

/// A record of many rows and cards that was once called otherwise, and the record of that time.
fn long_history() -> (Vec<RecordBatch>, Vec<RecordBatch>) {
    let day = |n: u32| (2000 + (n / 12) as i32, 1 + n % 12, 1);
    let mut rows: Vec<Row> = (0..40)
        .map(|n| Row { seen: day(100 + n), phone: format!("080-2222-{:04}", 3_000 + n % 2), ..row(1) })
        .map(|r| r.named(["伊藤", "裕子", "イトウ", "ユウコ"]))
        .collect();
    rows.push(Row { seen: day(1), ..row(1) });
    rows.push(row(2).without_contacts());
    rows[41].phone = rows[40].phone.clone();
    let cards: Vec<Row> = (0..20).map(|n| row(1).with_card(["06130018", "77", "", ""]).numbered(10_000 + n)).collect();
    (
        rows.iter().map(|r| identity(std::slice::from_ref(r))).collect(),
        cards.iter().map(|r| insurance(std::slice::from_ref(r))).collect(),
    )
}

#[test]
fn a_name_of_long_ago_is_compared_however_many_rows_and_cards_came_later() {
    let (identity, insurance) = long_history();
    let people = People::from_batches(&identity, &insurance, &[]).expect("readable");
    assert_eq!(link(&people, &[], &Options::default()).expect("no facts").stats.persons, 1);
}

#[test]
fn the_order_of_batches_changes_nothing() {
    let (mut rows, mut cards) = long_history();
    let run = |rows: &[RecordBatch], cards: &[RecordBatch]| {
        let people = People::from_batches(rows, cards, &[]).expect("readable");
        link(&people, &[], &Options::default()).expect("no facts")
    };
    let mut other = identity(&[row(1).named(["安藤", "裕子", "アンドウ", "ユウコ"]), row(3)]);
    let before = run(&[&rows[..], std::slice::from_ref(&other)].concat(), &cards);
    rows.reverse();
    cards.rotate_left(7);
    other = identity(&[row(3), row(1).named(["安藤", "裕子", "アンドウ", "ユウコ"])]);
    assert_eq!(run(&[std::slice::from_ref(&other), &rows[..]].concat(), &cards), before);
}

#[test]
fn a_table_of_text_is_read_as_institutions_write_it() {
    let lines = "R2,I00002,7,2021-01-05,渡邉　裕子,,ﾜﾀﾅﾍﾞ ﾕｳｺ,,女,S55.04.12,1810013,三鷹市下連雀3-12-4,09012345678,138057,,1234567,\n\
                 R1,I00001,9,2020-02-01,渡辺,裕子,ワタナベ,ユウコ,2,昭和55年4月12日,181-0013,東京都三鷹市下連雀三丁目１２番４号,090-1234-5678,00138057,,1234567,02\n";
    let table = csv(lines).expect("readable");
    assert_eq!((table.label(RecordId(1)), table.label(RecordId(2)), table.label(RecordId(3))), (Some("R1"), Some("R2"), None));
    let links = link(&table.people, &[], &Options::default()).expect("no facts");
    assert_eq!(links.pairs.len(), 1);
    assert!(links.pairs[0].probability > 0.999);
}

#[test]
fn bad_files_are_refused_with_the_place() {
    assert!(matches!(csv("R1,I1\n"), Err(LinkageError::CsvFields { row: 1 })));
    let twice = format!("R1,,,,甲{0}\nR1,,,,乙{0}\n", ",".repeat(12));
    assert!(matches!(csv(&twice), Err(LinkageError::CsvIdTwice { row: 2 })));
    assert!(matches!(CsvPeople::read(&b"record_id,sex\nR1,1\n"[..]), Err(LinkageError::ColumnMissing { table: "people", .. })));
    assert!(matches!(CsvPeople::read(&b"\xff\xfe\x00\n\xff"[..]), Err(LinkageError::CsvEncoding { line: 1 })));
    let shift_jis = [HEADER.as_bytes(), b"R1,I1,,,\x93n\x95\xd3,,,,,,,,,,,,\n"].concat();
    assert!(matches!(CsvPeople::read(&shift_jis[..]), Err(LinkageError::CsvEncoding { line: 2 })));
    assert!(matches!(CsvPeople::read(&b""[..]), Err(LinkageError::CsvEmpty)));
}

#[test]
fn no_bytes_make_it_panic() {
    bolero::check!().with_type::<(Vec<u8>, [String; 10])>().for_each(|(bytes, fields)| {
        let _ = CsvPeople::read(&bytes[..]);
        let quoted: Vec<String> = fields.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
        let line = format!("R1,I1,,{},{0},,{1},{2},,,\nR2,I2,,{},,,,,,,\n", quoted[..7].join(","), quoted[7..].join(","), 0);
        if let Ok(table) = csv(&line) {
            let _ = link(&table.people, &[], &Options::default());
        }
    });
}
