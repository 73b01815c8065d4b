//! What counts as evidence, and what does not.

use linkage::{Options, link};

use super::people::{Row, linked, people, persons, row};

/// Two records of a woman who married between them: only the card could join them.
fn married(card: [&str; 4]) -> [Row; 2] {
    [
        row(1).without_contacts().with_card(card),
        row(2).without_contacts().named(["伊藤", "裕子", "イトウ", "ユウコ"]).with_card(card),
    ]
}

#[test]
fn the_recipient_number_of_public_assistance_is_no_evidence() {
    assert_eq!(persons(&married(["12131156", "", "1234567", ""])), [1, 2]);
    assert_eq!(persons(&married(["06131156", "", "1234567", ""])), [1, 1]);
}

#[test]
fn the_card_of_the_late_elderly_is_personal_without_a_branch() {
    let probability = |insurer| linked(&married([insurer, "", "12345678", ""])).pairs[0].probability;
    assert!(probability("39131156") > probability("06131156"));
}

#[test]
fn a_telephone_of_three_thousand_people_joins_nobody() {
    let mut rows: Vec<Row> = Vec::new();
    for i in 0..3_000u32 {
        let birth = Some((1930 + (i % 70) as i32, 1 + i % 12, 1 + i % 28));
        let family =
            [["佐藤", "サトウ"], ["鈴木", "スズキ"], ["高橋", "タカハシ"], ["田中", "タナカ"], ["林", "ハヤシ"]][i as usize % 5];
        let given = [["翔", "ショウ"], ["明美", "アケミ"], ["健一", "ケンイチ"], ["美咲", "ミサキ"]][i as usize / 5 % 4];
        let person = row(i64::from(i) + 10).without_contacts().named([family[0], given[0], family[1], given[1]]);
        rows.push(Row { birth, phone: "03-1234-5678".to_owned(), ..person });
    }
    let pair = |phone: &str| {
        let one = Row { phone: phone.to_owned(), ..row(1).without_contacts() };
        let other =
            Row { phone: phone.to_owned(), ..row(2).without_contacts().named(["伊藤", "裕子", "イトウ", "ユウコ"]) };
        [one, other]
    };
    let with = |phone| rows.iter().cloned().chain(pair(phone)).collect::<Vec<_>>();
    let near = |links: &linkage::Links| links.pairs.iter().chain(&links.review).any(|l| (l.left.0, l.right.0) == (1, 2));
    let links = linked(&with("03-1234-5678"));
    assert_eq!(links.stats.shared_phones, 1);
    assert!(!near(&links) && links.map[0].1 != links.map[1].1);
    assert_eq!(persons(&pair("090-9876-5432")), [1, 1], "a telephone of their own joins the two");
}

#[test]
fn a_monster_block_is_bounded_and_reported_and_equal_records_still_meet() {
    let rows: Vec<Row> = (1..=1_000).map(row).collect();
    let links = link(&people(&rows), &[], &Options::default()).expect("no facts");
    assert!(links.stats.capped_blocks > 0 && links.stats.left_out_pairs > 400_000, "{:?}", links.stats);
    assert!(links.stats.candidates <= 16 * 1_000, "{:?}", links.stats);
    assert_eq!(links.stats.persons, 1);
}

#[test]
fn a_hundred_identical_records_are_one_person() {
    let rows: Vec<Row> = (1..=100).map(row).collect();
    assert_eq!(linked(&rows).stats.persons, 1);
}
