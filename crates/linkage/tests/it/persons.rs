//! Who is one person, and who is not. Each "never" stands beside the same pair with one thing changed, which does join: it is the guard
//! that keeps them apart, not a lack of evidence.

use super::people::{Row, linked, persons, row};

/// Linked records with more that agrees are more probable.
#[test]
fn one_person_written_in_two_ways_is_one_person() {
    let mut other = row(2).named(["渡邉", "裕子", "ﾜﾀﾅﾍﾞ", "ﾕｳｺ"]).with_card(["138057", "", "１２３４５６７", ""]);
    other.home = ["三鷹市下連雀3-12-4 コーポ三鷹201", "1810013"];
    other.phone = "+81 90 1234 5678".to_owned();
    let links = linked(&[row(1), other]);
    assert_eq!(links.stats.persons, 1);
    assert!(links.pairs[0].probability > 0.9999);
}

// control: LNK-01
#[test]
fn each_kind_of_slip_or_change_is_overcome_where_enough_else_agrees() {
    let only_phone = |r: Row| Row { home: ["", ""], card: Default::default(), ..r };
    let cases: [(&str, [Row; 2]); 8] = [
        ("kana only", [row(1), only_phone(row(2)).named(["", "", "ワタナベ", "ユウコ"])]),
        ("exchanged", [row(1), row(2).named(["裕子", "渡辺", "ユウコ", "ワタナベ"])]),
        ("one field", [row(1), row(2).named(["渡辺裕子", "", "ワタナベユウコ", ""])]),
        ("another reading", [row(1), only_phone(row(2)).named(["渡辺", "裕子", "ワタナベ", "ヒロコ"])]),
        ("a letter", [row(1), row(2).named(["", "", "ワタネベ", "ユウコ"])]),
        ("marriage", [row(1), only_phone(row(2)).named(["伊藤", "裕子", "イトウ", "ユウコ"])]),
        ("birth date", [row(1), Row { birth: Some((1980, 4, 13)), ..row(2) }]),
        ("sex", [row(1), Row { sex: "male", ..row(2) }]),
    ];
    for (name, rows) in cases {
        assert_eq!(persons(&rows), [1, 1], "{name}");
    }
    for birth in [None, Some((1980, 4, 2)), Some((1980, 12, 4)), Some((1955, 4, 12)), Some((1980, 1, 1))] {
        assert_eq!(persons(&[row(1), Row { birth, ..row(2) }]), [1, 1], "{birth:?}");
    }
}

#[test]
fn twins_are_never_one_person_however_alike_their_names() {
    // no branch on the cards: all but the given name is the same
    let child = |id, name| row(id).named(name).with_card(["00138057", "", "1234567", ""]);
    let one = child(1, ["渡辺", "優太", "ワタナベ", "ユウタ"]);
    for other in [
        ["渡辺", "優斗", "ワタナベ", "ユウト"],
        ["渡辺", "翔", "ワタナベ", "ショウ"],
        ["", "", "ワタナベ", "ユウト"],
        ["渡辺優斗", "", "ワタナベユウト", ""],
        ["渡邊", "", "ワタナヘ", "ユウト"],
    ] {
        assert_eq!(persons(&[one.clone(), child(2, other)]), [1, 2], "{other:?}");
    }
    assert_eq!(
        persons(&[one.clone(), child(2, ["", "", "ワタナベ", "ユウタ"])]),
        [1, 1],
        "the given name is what keeps them apart"
    );
    // and a wrong branch number does not join them, written or only read
    for other in [["渡辺", "優斗", "ワタナベ", "ユウト"], ["", "", "ワタナベ", "ショウ"]] {
        assert_eq!(persons(&[row(1).named(["渡辺", "優太", "ワタナベ", "ユウタ"]), row(2).named(other)]), [1, 2]);
    }
}

#[test]
fn relatives_of_one_household_are_never_one_person() {
    let father = Row { birth: Some((1955, 8, 30)), sex: "male", ..row(1) }.named(["渡辺", "健一", "ワタナベ", "ケンイチ"]);
    let son = Row { birth: Some((1980, 4, 12)), sex: "male", ..row(2) }.named(["渡辺", "健二", "ワタナベ", "ケンジ"]);
    assert_eq!(persons(&[father, son]), [1, 2]);
}

#[test]
fn two_branches_of_one_card_are_two_persons_unless_everything_else_agrees() {
    let other = |name| row(2).named(name).with_card(["00138057", "", "1234567", "03"]);
    assert_eq!(persons(&[row(1), other(["渡辺", "明美", "ワタナベ", "アケミ"])]), [1, 2]);
    assert_eq!(persons(&[row(1), other(["渡辺", "裕子", "ワタナベ", "ユウコ"])]), [1, 1]);
}

#[test]
fn namesakes_born_on_one_day_need_more_than_their_name() {
    let alone = |id| row(id).without_contacts();
    // a common name on a common day: many persons of the name, many births on 1 January
    let mut rows = Vec::new();
    for i in 0..300u32 {
        let birth = (1930 + (i / 28) as i32, 1 + i % 12, 1 + i % 28);
        rows.push(Row { birth: Some(birth), provider: "1310000003", ..alone(100 + i64::from(i)) });
    }
    rows.push(Row { birth: Some((1980, 1, 1)), ..alone(1) });
    rows.push(Row { birth: Some((1980, 1, 1)), ..alone(2) });
    let links = linked(&rows);
    assert!(links.pairs.is_empty(), "{:?}", links.stats);
    // the same two with one telephone
    let count = rows.len();
    rows[count - 2].phone = row(1).phone;
    rows[count - 1].phone = row(1).phone;
    assert_eq!(linked(&rows).pairs.len(), 1);
}

#[test]
fn a_chain_whose_ends_contradict_is_cut_at_its_weakest_link() {
    // A and B share everything; C has B's telephone and given name, another family name, and A's twin's reading is not among them
    let a = row(1).named(["渡辺", "優太", "ワタナベ", "ユウタ"]).with_card(["", "", "", ""]);
    let b = row(2).named(["渡辺", "優太", "ワタナベ", "ユウタ"]).with_card(["", "", "", ""]);
    let c = Row { home: ["", ""], ..row(3) }
        .named(["渡辺", "優太", "ワタナベ", "マサタ"])
        .with_card(["", "", "", ""])
        .at("1310000003");
    let d = Row { home: ["", ""], phone: String::new(), ..row(4) }.named(["渡辺", "正太", "ワタナベ", "マサタ"]).at("1310000004");
    let mut bridge = c.clone();
    bridge.card = d.card.clone();
    // c is written as a and b and read as d: two persons meet in it
    let links = linked(&[a, b, bridge, d]);
    let p = |at: usize| links.map[at].1;
    assert!(p(0) == p(1) && p(0) != p(3), "{:?}", links.map);
    assert!(links.stats.cut + links.stats.review > 0, "{:?}", links.stats);
}

#[test]
fn person_ids_are_dense_by_the_smallest_record() {
    let other = |id| Row { birth: Some((1991, 9, 3)), ..row(id) }.named(["佐藤", "翔", "サトウ", "ショウ"]);
    assert_eq!(persons(&[row(10), other(3), row(7), other(20)]), [1, 2, 2, 1]);
}
