use std::collections::BTreeSet;

use governance::Refusal;
use governance::opt_out::{Erasure, Evidence, OptOut, OptOutScope, OptOutState, Statement, Stop, left_out};
use jiff::civil::date;
use terms::NoticeScope::{self, Anonymized, Pseudonymized};
use terms::{PersonId, RecordId, ReleaseKind, Requester};

fn statement(requester: Requester) -> Statement {
    Statement {
        requester,
        relation: (requester == Requester::Bereaved).then(|| "spouse".to_owned()),
        scopes: BTreeSet::from([Anonymized, Pseudonymized]),
        stated_on: date(2026, 6, 1),
        erase: false,
        everywhere: false,
    }
}

// control: NOT-03
#[test]
fn a_request_goes_from_receipt_to_force_and_only_by_its_states() {
    let effective = OptOut::receive(statement(Requester::Person))
        .and_then(|o| o.identity_checked(&Evidence::KnownToProvider))
        .map(|o| o.register());
    let effect = effective.expect("a complete request").effect(OptOutScope::default());
    assert!(effect.linked_records_leave, "the policy is stricter than the request");
    assert_eq!(effect.erasure, Erasure::Nothing);
    let unnamed = OptOut::receive(statement(Requester::Person)).and_then(|o| o.identity_checked(&Evidence::Document(" ".into())));
    assert_eq!(unnamed.err(), Some(Refusal::OptOutEvidenceMissing));
}

// control: NOT-06
#[test]
fn the_bereaved_may_ask_when_they_say_how_they_stand_to_the_person() {
    assert!(OptOut::receive(statement(Requester::Bereaved)).is_ok());
    let nameless = Statement { relation: None, ..statement(Requester::Bereaved) };
    assert_eq!(OptOut::receive(nameless).err(), Some(Refusal::OptOutWithoutRelation));
    let empty = Statement { scopes: BTreeSet::new(), ..statement(Requester::Person) };
    assert_eq!(OptOut::receive(empty).err(), Some(Refusal::OptOutWithoutScope));
    let unclear = Statement { everywhere: true, ..statement(Requester::Person) };
    assert_eq!(OptOut::receive(unclear).err(), Some(Refusal::OptOutErasureUnclear));
}

// control: NOT-04
#[test]
fn erasure_covers_the_named_record_unless_asked_everywhere() {
    let erasure = |erase, everywhere| {
        OptOut::recall(Statement { erase, everywhere, ..statement(Requester::Person) }).effect(OptOutScope::Person).erasure
    };
    assert_eq!(erasure(false, false), Erasure::Nothing);
    assert_eq!(erasure(true, false), Erasure::NamedRecord);
    assert_eq!(erasure(true, true), Erasure::LinkedRecords);
}

#[test]
fn only_the_person_or_the_same_requester_withdraws() {
    let by = |requester, by| OptOut::recall(statement(requester)).withdraw(by, date(2026, 7, 1)).err();
    assert_eq!(by(Requester::Guardian, Requester::Person), None);
    assert_eq!(by(Requester::Guardian, Requester::Guardian), None);
    assert!(matches!(by(Requester::Person, Requester::Guardian), Some(Refusal::WithdrawalByAnother { .. })));
    let early = OptOut::recall(statement(Requester::Person)).withdraw(Requester::Person, date(2026, 5, 31));
    assert!(matches!(early.err(), Some(Refusal::WithdrawalTooEarly { .. })));
}

fn stop(record: i64, state: OptOutState, scopes: &[NoticeScope]) -> Stop {
    Stop { record: RecordId(record), state, scopes: scopes.iter().copied().collect() }
}

// control: NOT-09
#[test]
fn every_record_of_a_person_who_said_no_anywhere_leaves_all_later_data_sets() {
    let links: Vec<_> = [(1, 1), (2, 1), (3, 3), (4, 4), (5, 4)].map(|(r, p)| (RecordId(r), PersonId(p))).to_vec();
    let stops = [stop(2, OptOutState::Effective, &[Anonymized]), stop(9, OptOutState::Received, &[Anonymized])];
    let ids = |kind, policy| left_out(&stops, &links, kind, policy).into_iter().map(|r| r.0).collect::<Vec<_>>();
    assert_eq!(ids(ReleaseKind::Anonymized, OptOutScope::Person), [1, 2, 9], "also one that was never linked");
    assert_eq!(ids(ReleaseKind::Anonymized, OptOutScope::Record), [2, 9]);
    assert!(ids(ReleaseKind::Pseudonymized, OptOutScope::Person).is_empty(), "the scope was anonymized use only");
    let over = [stop(2, OptOutState::Withdrawn, &[Anonymized])];
    assert!(left_out(&over, &links, ReleaseKind::Anonymized, OptOutScope::Person).is_empty());
}

#[test]
fn states_keep_their_names() {
    for name in ["received", "identity_checked", "effective", "withdrawn", "rejected"] {
        assert_eq!(OptOutState::by_name(name).map(OptOutState::as_str), Some(name));
    }
}
