//! Rows that name nobody are linked with nothing.

use linkage::{Options, Unlinkable, link};

use super::people::{Row, linked, people, persons, row};

fn reason(rows: &[Row]) -> Vec<(Unlinkable, u64)> {
    linked(rows).unlinked.into_iter().collect()
}

#[test]
fn test_patients_and_placeholders_are_linked_with_nothing() {
    for (expected, name, birth) in [
        (Unlinkable::TestPatient, ["テスト", "太郎", "テスト", "タロウ"], (1980, 4, 12)),
        (Unlinkable::TestPatient, ["テスト患者一号", "", "ﾃｽﾄｶﾝｼﾞﾔ", ""], (1980, 4, 12)),
        (Unlinkable::TestPatient, ["試験", "花子", "シケン", "ハナコ"], (1980, 4, 12)),
        (Unlinkable::TestPatient, ["", "", "ダミー", "イチ"], (1980, 4, 12)),
        (Unlinkable::Placeholder, ["渡辺", "裕子", "ワタナベ", "ユウコ"], (1900, 1, 1)),
        (Unlinkable::Placeholder, ["渡辺", "裕子", "ワタナベ", "ユウコ"], (9999, 12, 31)),
        (Unlinkable::Unnamed, ["氏名不詳", "", "", ""], (1980, 4, 12)),
        (Unlinkable::Unnamed, ["", "", "", ""], (1980, 4, 12)),
        (Unlinkable::Unnamed, ["〓〓", "●", "", ""], (1980, 4, 12)),
        (Unlinkable::Newborn, ["渡辺", "裕子ベビー", "ワタナベ", "ユウコベビー"], (2024, 4, 29)),
        (Unlinkable::Newborn, ["渡辺", "裕子第1子", "ワタナベ", "ユウコ"], (2024, 4, 29)),
        (Unlinkable::Newborn, ["渡辺", "裕子の子", "ワタナベ", "ユウコノコ"], (2024, 4, 29)),
    ] {
        let stand_in = |id| Row { birth: Some(birth), ..row(id).named(name) };
        assert_eq!(reason(&[stand_in(1), stand_in(2)]), [(expected, 2)]);
        assert_eq!(persons(&[stand_in(1), stand_in(2)]), [1, 2]);
    }
}

#[test]
fn real_names_that_look_like_stand_ins_are_linked() {
    for name in
        [["渡辺", "その子", "ワタナベ", "ソノコ"], ["渡辺", "健児", "ワタナベ", "ケンジ"], ["手須戸", "太郎", "テスド", "タロウ"]]
    {
        assert_eq!(persons(&[row(1).named(name), row(2).named(name)]), [1, 1]);
    }
}

#[test]
fn a_real_name_that_reads_like_a_test_word_is_linked() {
    for name in [["田中", "健秀", "タナカ", "ケンシュウ"], ["", "", "タナカ", "シケン"], ["見本", "健", "ミモト", "ケン"]]
    {
        assert_eq!(persons(&[row(1).named(name), row(2).named(name)]), [1, 1], "{name:?}");
    }
    let nobody = |id| row(id).without_contacts().named(["", "", "ケンシュウ", "イチ"]);
    assert_eq!(reason(&[nobody(1), nobody(2)]), [(Unlinkable::TestPatient, 2)]);
}

#[test]
fn a_year_before_1000_is_a_missing_birth_date_and_no_placeholder() {
    let row = |id| Row { birth: Some((61, 4, 4)), ..row(id) };
    assert_eq!(reason(&[row(1), row(2)]), []);
    assert_eq!(persons(&[row(1), row(2)]), [1, 1]);
}

#[test]
fn a_newborn_is_linked_once_it_is_named() {
    let born = Some((2024, 4, 29));
    let baby = Row { birth: born, ..row(1) }.named(["渡辺", "裕子ベビー", "ワタナベ", "ユウコベビー"]);
    let named = |id| Row { birth: born, seen: (2024, 6, 1), ..row(id) }.named(["渡辺", "結衣", "ワタナベ", "ユイ"]);
    assert_eq!(persons(&[baby.clone(), named(2)]), [1, 2]);
    assert_eq!(persons(&[baby, named(1), named(2)]), [1, 1], "the later row of record 1 names the child");
}

#[test]
fn five_thousand_test_patients_of_one_day_cost_nothing() {
    let rows: Vec<Row> = (1..=5_000).map(|id| row(id).named(["テスト", "太郎", "テスト", "タロウ"])).collect();
    let links = link(&people(&rows), &[], &Options::default()).expect("no facts");
    assert_eq!((links.stats.persons, links.stats.candidates), (5_000, 0));
}
