//! Who is one person, and who is not. Each "never" stands beside the same pair with one thing changed, which does join: it is the guard
//! that keeps them apart, not a lack of evidence.

use linkage::{Options, link};

use super::people::{Row, linked, people, persons, row};

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
fn in_few_records_names_and_birth_dates_alone_go_to_a_clerk_however_rare_they_look() {
    for name in [["佐藤", "翔太", "サトウ", "ショウタ"], ["勅使河原", "蘭丸", "テシガワラ", "ランマル"]]
    {
        let alone = |id| row(id).without_contacts().named(name);
        let links = linked(&[alone(1), alone(2)]);
        assert_eq!((links.stats.persons, links.pairs.len()), (2, 0), "{name:?}");
        let with_card = |id| alone(id).with_card(["06130018", "77", "123456", ""]);
        assert_eq!(persons(&[with_card(1), with_card(2)]), [1, 1], "{name:?}");
    }
    // a pair that is likely stands in the queue of clerks
    let alone = |id| row(id).without_contacts().named(["勅使河原", "蘭丸", "テシガワラ", "ランマル"]);
    assert_eq!(linked(&[alone(1), alone(2)]).stats.review, 1);
}

#[test]
fn a_name_and_birth_date_that_nobody_else_in_the_country_can_have_need_nothing_else() {
    // 40,000 people of forty family and given names
    const KANA: [&str; 40] = [
        "アイ", "カイ", "サイ", "タイ", "ナイ", "ハイ", "マイ", "ライ", "アキ", "カキ", "サキ", "タキ", "ナキ", "ハキ", "マキ",
        "ラキ", "アサ", "カサ", "ササ", "タサ", "ナサ", "ハサ", "マサ", "ラサ", "アタ", "カタ", "サタ", "タタ", "ナタ", "ハタ",
        "マタ", "ラタ", "アマ", "カマ", "サマ", "タマ", "ナマ", "ハマ", "ママ", "ラマ",
    ];
    let mut rows: Vec<Row> = (0..40_000u32)
        .map(|i| {
            let birth = Some((1930 + (i % 71) as i32, 1 + i % 12, 1 + i / 7 % 28));
            let name = ["", "", KANA[i as usize / 40 % 40], KANA[i as usize % 40]];
            Row { birth, ..row(i64::from(i) + 10).without_contacts().named(name) }
        })
        .collect();
    let alone = |id, name| row(id).without_contacts().named(name);
    rows.push(alone(1, ["勅使河原", "蘭丸", "テシガワラ", "ランマル"]));
    rows.push(alone(2, ["勅使河原", "蘭丸", "テシガワラ", "ランマル"]));
    rows.push(Row { birth: Some((1981, 2, 3)), ..alone(3, ["", "", "カイ", "ラマ"]) });
    rows.push(Row { birth: Some((1981, 2, 3)), ..alone(4, ["", "", "カイ", "ラマ"]) });
    let links = linked(&rows);
    assert_eq!(links.map[0].1, links.map[1].1);
    assert_ne!(links.map[2].1, links.map[3].1);
}

#[test]
fn names_without_a_break_that_differ_are_two_names() {
    let shared = |id, kana: &'static str| {
        let row = row(id).without_contacts().named(["", "", kana, ""]);
        Row { phone: "052-111-2345".to_owned(), ..row }
    };
    for (a, b) in [("ヤマモトケンイチ", "ヤスダマサオ"), ("グエンヴァンアン", "グエンティホア"), ("ヤマダユウタ", "ヤマダユウト")]
    {
        assert_eq!(persons(&[shared(1, a), shared(2, b)]), [1, 2], "{a} {b}");
    }
    // written in one piece with nothing to read, by one card
    let written = |id, name: &'static str| row(id).named([name, "", "", ""]).with_card(["06130018", "77", "123456", ""]);
    assert_eq!(persons(&[written(1, "林太郎"), written(2, "林次郎")]), [1, 2]);
    assert_eq!(persons(&[written(1, "林太郎"), written(2, "林太郎")]), [1, 1]);
}

#[test]
fn a_name_with_an_unknown_character_joins_no_two_names_that_it_fits() {
    let written = |id, given| row(id).named(["仲宗根", given, "", ""]);
    assert_eq!(persons(&[written(1, "花子"), written(2, "洋子")]), [1, 2]);
    let links = linked(&[written(1, "〓子"), written(2, "花子"), written(3, "洋子")]);
    assert_ne!(links.map[1].1, links.map[2].1);
}

#[test]
fn newborns_of_two_numbers_two_families_or_two_sexes_are_two_children() {
    let options = Options { newborns: true, ..Options::default() };
    let born = Some((2024, 4, 25));
    let baby = |id, given: &'static str| {
        let card = ["06130018", "77", "123", ""];
        Row { birth: born, seen: (2024, 4, 27), ..row(id).with_card(card) }.named(["知花", given, "チバナ", "ハナエ"])
    };
    let together = |rows: &[Row]| link(&people(rows), &[], &options).expect("no facts").stats.persons == 1;
    assert!(together(&[baby(1, "花江ベビー"), baby(2, "花江ベビー")]));
    for (a, b) in [("花江第1子", "花江第2子"), ("花江ベビー1", "花江ベビー2"), ("花江ベビーA", "花江第二子")]
    {
        assert!(!together(&[baby(1, a), baby(2, b)]), "{a} {b}");
    }
    let boy = Row { sex: "male", ..baby(2, "花江ベビー") };
    assert!(!together(&[baby(1, "花江ベビー"), boy]));
    // another mother: card, home and telephone are others
    let mut other = baby(2, "花江ベビー").named(["喜屋武", "花江ベビー", "キャン", "ハナエ"]);
    assert!(!together(&[baby(1, "花江ベビー"), other.clone()]));
    other = other.with_card(["06130018", "77", "555", ""]);
    (other.home, other.phone) = (["沖縄県那覇市西5-5-5", ""], "098-861-7777".to_owned());
    assert!(!together(&[baby(1, "花江ベビー"), other]));
}

#[test]
fn a_newborn_without_a_number_joins_neither_of_two_that_have_one() {
    let options = Options { newborns: true, ..Options::default() };
    let baby = |id, given: &'static str| {
        let card = ["06130018", "77", "123", ""];
        Row { birth: Some((2024, 4, 25)), ..row(id).with_card(card) }.named(["知花", given, "チバナ", "ハナエ"])
    };
    let rows = [baby(1, "花江第1子"), baby(2, "花江第2子"), baby(3, "花江ベビー")];
    let links = link(&people(&rows), &[], &options).expect("no facts");
    assert_eq!(links.stats.persons, 3, "{:?}", links.stats);
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

#[test]
fn how_records_are_numbered_decides_nothing() {
    let names = [
        ["勅使河原", "蘭丸", "テシガワラ", "ランマル"],
        ["渡辺", "裕子", "ワタナベ", "ユウコ"],
        ["佐藤", "翔太", "サトウ", "ショウタ"],
    ];
    // each stands at two hospitals, under these numbers
    let judged = |ids: [i64; 6]| {
        let at = |i: usize| Row { provider: ["1310000001", "1310000002"][i / 3], ..row(ids[i]).without_contacts() };
        let rows: Vec<Row> =
            (0..6).map(|i| Row { birth: Some((1950, 1 + (i % 3) as u32, 3)), ..at(i).named(names[i % 3]) }).collect();
        let links = linked(&rows);
        let place = |id: i64| ids.iter().position(|i| *i == id).expect("one of the six");
        let mut pairs: Vec<_> =
            links.review.iter().map(|l| (place(l.left.0), place(l.right.0), l.probability.to_bits())).collect();
        pairs.iter_mut().for_each(|p| (p.0, p.1) = (p.0.min(p.1), p.0.max(p.1)));
        pairs.sort_unstable();
        pairs
    };
    let before = judged([1, 2, 3, 4, 5, 6]);
    assert_eq!(before.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(), [(0, 3), (1, 4), (2, 5)], "all three may be one person");
    for ids in [[6, 5, 4, 3, 2, 1], [1, 3, 5, 2, 4, 6], [2, 1, 6, 4, 3, 5], [5, 1, 4, 2, 6, 3]] {
        assert_eq!(judged(ids), before, "{ids:?}");
    }
}
