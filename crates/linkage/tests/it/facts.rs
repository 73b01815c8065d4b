//! Clerks' facts are stronger than every rule.

use linkage::{Decision, Fact, LinkageError, Options, link};
use terms::RecordId;

use super::people::{linked_with, people, row};

const fn id(n: i64) -> RecordId {
    RecordId(n)
}

#[test]
fn must_link_joins_and_cannot_link_parts_whatever_the_records_say() {
    let stranger = row(2).named(["佐藤", "翔", "サトウ", "ショウ"]).without_contacts();
    let links = linked_with(&[row(1), stranger], &[Fact::MustLink(id(2), id(1))]);
    assert_eq!((links.stats.persons, links.pairs[0].decision), (1, Decision::Must));
    let links = linked_with(&[row(1), row(2)], &[Fact::CannotLink(id(1), id(2))]);
    assert_eq!((links.stats.persons, links.stats.cut), (2, 1));
}

#[test]
fn a_cannot_link_holds_over_any_chain() {
    let rows = [row(1), row(2), row(3), row(4)];
    let links = linked_with(&rows, &[Fact::CannotLink(id(1), id(4))]);
    assert_ne!(links.map[0].1, links.map[3].1);
    let links = linked_with(&rows, &[Fact::CannotLink(id(1), id(4)), Fact::MustLink(id(2), id(4)), Fact::MustLink(id(3), id(1))]);
    assert_eq!(links.map.iter().map(|(_, p)| p.0).collect::<Vec<_>>(), [1, 2, 1, 2]);
}

#[test]
fn a_must_link_of_a_twin_does_not_undo_what_agreed_before() {
    // the clerk joins two given names; a third record with the first of them still joins
    let other = row(2).named(["渡辺", "明美", "ワタナベ", "アケミ"]).with_card(["", "", "", ""]);
    let links = linked_with(&[row(1), other, row(3)], &[Fact::MustLink(id(1), id(2))]);
    assert_eq!(links.stats.persons, 1);
}

#[test]
fn facts_that_contradict_each_other_are_refused_with_the_records_named() {
    let facts = [Fact::MustLink(id(1), id(2)), Fact::MustLink(id(2), id(3)), Fact::CannotLink(id(3), id(1))];
    let refused = link(&people(&[row(1), row(2), row(3)]), &facts, &Options::default());
    assert!(matches!(refused, Err(LinkageError::FactsContradict { left: RecordId(1), right: RecordId(3) })));
}

#[test]
fn facts_about_a_withdrawn_record_are_counted_and_change_nothing() {
    let facts = [Fact::MustLink(id(1), id(9)), Fact::CannotLink(id(9), id(2))];
    let links = linked_with(&[row(1), row(2)], &facts);
    assert_eq!((links.stats.persons, links.stats.facts_without_record), (1, 2));
}
