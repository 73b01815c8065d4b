//! What a person is asked for by, where a linkage key is wanted.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int8Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use linkage::{Class, Form, Telling, Width, Zeros, key_answer, key_query};

/// Record, family, given, family kana, given kana, birth, sex, seen.
type Name = (i64, &'static str, &'static str, &'static str, &'static str, Option<i32>, &'static str, i64);
/// Record, insurer, symbol, number, branch, valid from, valid to, seen.
type Card = (i64, &'static str, &'static str, &'static str, &'static str, Option<i32>, Option<i32>, i64);

fn text<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(values.map(|v| (!v.is_empty()).then_some(v)).collect::<StringArray>())
}

fn identity(rows: &[Name]) -> RecordBatch {
    let none = || text(rows.iter().map(|_| ""));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("record_id", Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.0)))),
        ("source_state", Arc::new(Int8Array::from_iter_values(rows.iter().map(|_| 1)))),
        ("source_ts", Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|r| r.7)))),
        ("family_name", text(rows.iter().map(|r| r.1))),
        ("given_name", text(rows.iter().map(|r| r.2))),
        ("family_kana", text(rows.iter().map(|r| r.3))),
        ("given_kana", text(rows.iter().map(|r| r.4))),
        ("latin_name", none()),
        ("birth_date", Arc::new(rows.iter().map(|r| r.5).collect::<Date32Array>())),
        ("sex", text(rows.iter().map(|r| r.6))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).expect("a batch")
}

fn insurance(rows: &[Card]) -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("record_id", Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.0)))),
        ("source_state", Arc::new(Int8Array::from_iter_values(rows.iter().map(|_| 1)))),
        ("source_ts", Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|r| r.7)))),
        ("insurer_number", text(rows.iter().map(|r| r.1))),
        ("insured_symbol", text(rows.iter().map(|r| r.2))),
        ("insured_number", text(rows.iter().map(|r| r.3))),
        ("insured_branch", text(rows.iter().map(|r| r.4))),
        ("valid_from", Arc::new(rows.iter().map(|r| r.5).collect::<Date32Array>())),
        ("valid_to", Arc::new(rows.iter().map(|r| r.6).collect::<Date32Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).expect("a batch")
}

fn asked(names: &[Name], cards: &[Card], ids: &[(i64, i64)], form: Form) -> (Vec<String>, linkage::KeyQuery) {
    let ids: HashMap<i64, i64> = ids.iter().copied().collect();
    let query = key_query(&[identity(names)], &[insurance(cards)], &ids, form).expect("a list");
    let mut csv = Vec::new();
    query.write_csv(&mut csv).expect("written");
    let csv = String::from_utf8(csv).expect("UTF-8");
    let mut lines = csv.lines().map(str::to_owned);
    assert_eq!(lines.next().as_deref(), Some(&*linkage::KeyQuery::COLUMNS.join(",")));
    (lines.collect(), query)
}

const HALF: Form = Form { width: Width::Half, zeros: Zeros::Strip, without_card: false };
/// 1980-04-12
const BIRTH: Option<i32> = Some(3754);

// control: PDB-02
#[test]
fn a_person_is_asked_for_once_by_the_best_card_and_the_latest_name() {
    let names =
        [(1, "渡辺", "裕子", "ﾜﾀﾅﾍﾞ", "ﾕｳｺ", BIRTH, "female", 10), (2, "佐藤", "裕子", "さとう", "ゆうこ", BIRTH, "female", 20)];
    let cards = [
        (1, "01130012", "12345678", "0000123", "", None, None, 30),
        (2, "06139999", "12-3", "0045", "1", Some(18_000), Some(19_000), 20),
        (2, "06139999", "12-3", "0045", "01", Some(18_500), None, 10),
    ];
    let (half, query) = asked(&names, &cards, &[(1, 500), (2, 500)], HALF);
    assert_eq!(half, ["500,06139999,12-3,45,01,ｻﾄｳ ﾕｳｺ,19800412,2"], "a branch before a later card without");
    let society = query.coverage()[&Class::Society];
    assert_eq!((society.persons, society.asked, society.with_branch, society.with_name), (1, 1, 1, 1));
    let (full, _) = asked(&names, &cards, &[(1, 500), (2, 500)], Form::default());
    assert_eq!(full, ["500,０６１３９９９９,１２－３,４５,０１,サトウ　ユウコ,１９８００４１２,２"]);
    let (kept, _) = asked(&names, &cards, &[(1, 7)], Form { zeros: Zeros::Keep, ..HALF });
    assert_eq!(kept, ["7,01130012,12345678,0000123,,ﾜﾀﾅﾍﾞ ﾕｳｺ,19800412,2"]);
    // The order of rows changes nothing.
    let turned: Vec<Card> = cards.iter().rev().copied().collect();
    assert_eq!(asked(&names, &turned, &[(1, 500), (2, 500)], HALF).0, half);
}

#[test]
fn nobody_is_asked_for_by_a_card_that_may_be_somebody_elses() {
    let card = |record, branch| (record, "01130012", "12345678", "123", branch, None, None, 1);
    let names = [
        (1, "渡辺", "裕子ベビー", "ワタナベ", "ユウコベビー", Some(19_842), "female", 1),
        (2, "渡辺", "裕子", "", "", BIRTH, "female", 1),
        (3, "渡辺", "一郎", "", "", BIRTH, "male", 1),
        (4, "渡辺", "二郎", "ワタナベ", "ジロウ", BIRTH, "male", 1),
        (5, "渡辺", "三郎", "ワタナベ", "サブロウ", BIRTH, "male", 1),
        (6, "テスト", "太郎", "テスト", "タロウ", BIRTH, "male", 1),
    ];
    // 5 has the number of an office for public assistance alone.
    let cards = [
        card(1, "01"),
        card(2, ""),
        card(3, "02"),
        card(4, ""),
        (5, "12131234", "", "1234567", "", None, None, 1),
        card(6, "03"),
    ];
    let ids: Vec<(i64, i64)> = (1..=7).map(|n| (n, n * 100)).collect();
    let (rows, query) = asked(&names, &cards, &ids, HALF);
    let of = |rows: &[String]| rows.iter().filter_map(|r| r.split(',').next()?.parse().ok()).collect::<Vec<i64>>();
    assert_eq!(of(&rows), [300, 400], "a newborn, who has no kana in a household, who has no card, and a test are not asked for");
    let coverage = query.coverage();
    assert_eq!((coverage[&Class::Association].persons, coverage[&Class::Association].asked), (5, 2));
    assert_eq!((coverage[&Class::None].persons, coverage[&Class::None].asked), (2, 0), "also of whom nothing is known");
    let (rows, _) = asked(&names, &cards, &ids, Form { without_card: true, ..HALF });
    assert_eq!(of(&rows), [300, 400, 500], "by the name alone only where that is wished");
}

#[test]
fn insurers_are_told_by_their_class() {
    let classes = [
        ("130013", Class::National),
        ("00130013", Class::National),
        ("133017", Class::NationalSociety),
        ("01130012", Class::Association),
        ("1130012", Class::Association),
        ("02130011", Class::Seamen),
        ("03130010", Class::DayLabour),
        ("06130010", Class::Society),
        ("07130019", Class::SelfDefense),
        ("31130014", Class::MutualAid),
        ("39131156", Class::LateElderly),
        ("67130013", Class::National),
        ("63130019", Class::Retired),
        ("12131234", Class::None),
    ];
    for (insurer, class) in classes {
        let name = [(1, "渡辺", "裕子", "ワタナベ", "ユウコ", BIRTH, "female", 1)];
        let card = [(1, insurer, "1", "77", "01", None, None, 1)];
        let (_, query) = asked(&name, &card, &[(1, 1)], HALF);
        assert_eq!(query.coverage().keys().copied().collect::<Vec<_>>(), [class], "{insurer}");
    }
    for code in Class::CODES {
        assert!([messages::Lang::Ja, messages::Lang::En].iter().all(|lang| messages::has(*lang, code)), "{code}");
    }
}

#[test]
fn an_answer_is_taken_whole_or_not_at_all_and_the_place_is_named() {
    let known = BTreeSet::from([100, 200, 300]);
    let of = |text: &str| key_answer(text.as_bytes(), &known, &Telling::default()).map_err(|w| (w.line, w.field));
    let head = "provision_id,linkage_key";
    let taken = of("\u{feff}\"provision_id\",\"linkage_key\"\r\n200,ab/12==\r\n\r\n100, \"x\" \r\n").expect("taken");
    assert_eq!(taken.into_iter().collect::<Vec<_>>(), [(100, "x".to_owned()), (200, "ab/12==".to_owned())]);
    assert!(of(&format!("{head}\n")).expect("nobody").is_empty());
    let long = "k".repeat(257);
    for (text, place) in [
        (String::new(), (1, head)),
        ("100,x\n".to_owned(), (1, head)),
        (format!("{head}\n100\n"), (2, head)),
        (format!("{head}\n\n100,x\n400,y\n"), (4, "provision_id")),
        (format!("{head}\n100,x\n100,x\n"), (3, "provision_id")),
        (format!("{head}\n1e2,x\n"), (2, "provision_id")),
        (format!("{head}\n100,x,y\n"), (2, "linkage_key")),
        (format!("{head}\n100,\n"), (2, "linkage_key")),
        (format!("{head}\n100,=1+1\n"), (2, "linkage_key")),
        (format!("{head}\n100,-1+cmd|calc\n"), (2, "linkage_key")),
        (format!("{head}\n100,@SUM(1)\n"), (2, "linkage_key")),
        (format!("{head}\n100,キー\n"), (2, "linkage_key")),
        (format!("{head}\n100,{long}\n"), (2, "linkage_key")),
    ] {
        assert_eq!(of(&text), Err(place), "{text}");
    }
    assert_eq!(key_answer(b"provision_id,linkage_key\n100,\xff\n", &known, &Telling::default()).map_err(|w| w.line), Err(2));
}

#[test]
fn a_key_that_says_who_somebody_is_is_none() {
    let names = [
        (1, "渡辺", "裕子", "ワタナベ", "ユウコ", BIRTH, "female", 1),
        (2, "佐藤", "花子", "サトウ", "ハナコ", None, "female", 1),
    ];
    let cards = [(1, "01130012", "１２-3", "0000123", "01", None, None, 1), (2, "138123", "", "98765", "", None, None, 1)];
    let known = BTreeSet::from([100, 200]);
    let telling = Telling::of(&[identity(&names)], &[insurance(&cards)], &known).expect("read");
    let of = |key: &str| key_answer(format!("provision_id,linkage_key\n100,{key}\n").as_bytes(), &known, &telling).is_ok();
    for key in [
        "100",
        "200",
        "19800412",
        "1980-04-12",
        "1980/04/12",
        "01130012",
        "1130012",
        "12-3",
        "123",
        "0000123",
        "00000123",
        "98765",
        "098765",
        "00138123",
        "12-3:123",
        "01130012:12-3:0000123",
        "138123-98765",
    ] {
        assert!(!of(key), "{key}");
    }
    for key in ["1980", "04", "01", "2", "kX3+/=", "-_aB0", "0123456789abcdef:1.5", "124"] {
        assert!(of(key), "{key}");
    }
    assert_eq!(format!("{telling:?}").matches(char::is_numeric).count(), 2, "how many, and none of them");
}

#[test]
fn no_card_of_a_record_that_is_not_the_persons_own_and_no_name_alone_asks_for_anybody() {
    // First kept under its mother's name and on her card with a branch, later under its own name and a card without one.
    let names = [
        (1, "渡辺", "裕子ベビー", "ワタナベ", "ユウコベビー", BIRTH, "female", 1),
        (2, "渡辺", "花子", "ワタナベ", "ハナコ", BIRTH, "female", 2),
        (3, "佐藤", "一郎", "サトウ", "イチロウ", None, "male", 1),
        (4, "佐藤", "二郎", "サトウ", "ジロウ", BIRTH, "", 1),
        (5, "佐藤", "三郎", "サトウ", "サブロウ", None, "male", 1),
        (6, "佐藤", "三郎", "サトウ", "サブロウ", BIRTH, "male", 0),
    ];
    let cards = [
        (1, "01130012", "12345678", "1", "01", None, None, 1),
        (2, "01130012", "12345678", "2", "", None, None, 1),
        (3, "01130012", "12345678", "3", "", None, None, 1),
        (5, "01130012", "12345678", "5", "", None, None, 1),
    ];
    let ids = [(1, 100), (2, 100), (3, 300), (4, 400), (5, 500), (6, 500)];
    for without_card in [false, true] {
        let (rows, query) = asked(&names, &cards, &ids, Form { without_card, ..HALF });
        let wanted = ["100,01130012,12345678,2,,ﾜﾀﾅﾍﾞ ﾊﾅｺ,19800412,2", "500,01130012,12345678,5,,ｻﾄｳ ｻﾌﾞﾛｳ,19800412,1"];
        assert_eq!(rows, wanted, "the child's own card, and nobody by kana without birth and sex");
        assert_eq!(query.coverage()[&Class::Association].with_branch, 0);
    }
}

#[test]
fn no_bytes_of_an_answer_break_the_reader_or_bring_in_an_id_that_was_not_asked_for() {
    let known = BTreeSet::from([100, 200]);
    bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
        for bytes in [bytes.clone(), [b"provision_id,linkage_key\n100,".as_slice(), bytes].concat()] {
            if let Ok(keys) = key_answer(&bytes, &known, &Telling::default()) {
                assert!(keys.iter().all(|(id, key)| known.contains(id) && !key.is_empty() && key.is_ascii()));
            }
        }
    });
}
