use std::collections::BTreeSet;

use governance::Refusal;
use governance::admission::admit;
use governance::notice::{Contact, ContactKind, Eligibility, Notice, WaitDays, eligibility};
use governance::opt_out::OptOutState;
use jiff::civil::{Date, date};
use terms::NoticeScope::{self, Anonymized, Pseudonymized};

fn notice(from: Date, scopes: &[NoticeScope]) -> Notice {
    Notice { scopes: scopes.iter().copied().collect(), from }
}
fn visit(date: Date) -> Contact {
    Contact { date, kind: ContactKind::Visit, scopes: None }
}
fn letter(date: Date) -> Contact {
    Contact { date, kind: ContactKind::Letter, scopes: None }
}
fn ask(notices: &[Notice], contacts: &[Contact], today: Date, scope: NoticeScope) -> Eligibility {
    eligibility(notices, contacts, WaitDays::default(), today, &[scope])
}

// control: NOT-01
#[test]
fn the_clock_starts_at_the_first_contact_on_or_after_the_notice_began() {
    let notices = [notice(date(2026, 4, 1), &[Anonymized])];
    let contacts = [visit(date(2026, 3, 31)), visit(date(2026, 5, 20)), visit(date(2026, 5, 10))];
    assert_eq!(ask(&notices, &contacts, date(2026, 6, 8), Anonymized), Eligibility::Waiting { until: date(2026, 6, 9) });
    assert_eq!(ask(&notices, &contacts, date(2026, 6, 9), Anonymized), Eligibility::Eligible { since: date(2026, 6, 9) });
    assert!(ask(&notices, &[visit(date(2026, 4, 1))], date(2026, 5, 1), Anonymized).allowed(), "the day itself counts");
}

// control: NOT-01
#[test]
fn without_contact_or_letter_a_person_is_not_notified() {
    let notices = [notice(date(2026, 4, 1), &[Anonymized])];
    assert_eq!(ask(&notices, &[], date(2027, 1, 1), Anonymized), Eligibility::NotNotified);
    assert_eq!(ask(&notices, &[visit(date(2026, 3, 31))], date(2027, 1, 1), Anonymized), Eligibility::NotNotified);
    assert_eq!(ask(&[], &[visit(date(2026, 5, 1))], date(2027, 1, 1), Anonymized), Eligibility::NotNotified);
    assert_eq!(
        ask(&notices, &[visit(date(2026, 8, 1))], date(2026, 7, 1), Anonymized),
        Eligibility::NotNotified,
        "an appointment is not a contact"
    );
}

#[test]
fn a_letter_starts_the_clock_on_its_own_date_for_what_it_tells_of() {
    let notices = [notice(date(2026, 4, 1), &[Anonymized]), notice(date(2026, 8, 1), &[Anonymized, Pseudonymized])];
    let early = [letter(date(2026, 3, 1))];
    assert_eq!(ask(&notices, &early, date(2026, 3, 31), Anonymized), Eligibility::Eligible { since: date(2026, 3, 31) });
    assert_eq!(
        ask(&notices, &early, date(2026, 12, 1), Pseudonymized),
        Eligibility::NotNotified,
        "sent before anybody was told of pseudonymized use"
    );
    let stated = [Contact { scopes: Some(BTreeSet::from([Pseudonymized])), ..letter(date(2026, 3, 1)) }];
    assert!(ask(&notices, &stated, date(2026, 12, 1), Pseudonymized).allowed());
    assert_eq!(ask(&notices, &stated, date(2026, 12, 1), Anonymized), Eligibility::NotNotified);
}

#[test]
fn both_scopes_are_allowed_only_when_each_is() {
    let notices = [notice(date(2026, 4, 1), &[Anonymized]), notice(date(2026, 6, 1), &[Pseudonymized])];
    let contacts = [visit(date(2026, 4, 10)), visit(date(2026, 6, 10))];
    let both = |today| eligibility(&notices, &contacts, WaitDays::default(), today, &[Anonymized, Pseudonymized]);
    assert_eq!(both(date(2026, 6, 15)), Eligibility::Waiting { until: date(2026, 7, 10) });
    assert_eq!(both(date(2026, 7, 10)), Eligibility::Eligible { since: date(2026, 7, 10) });
    assert_eq!(eligibility(&notices, &contacts, WaitDays::default(), date(2027, 1, 1), &[]), Eligibility::NotNotified);
}

#[test]
fn a_shorter_wait_needs_its_legal_basis_on_record() {
    assert_eq!(WaitDays::new(14, None), Err(Refusal::WaitTooShort { days: 14, least: 30 }));
    assert_eq!(WaitDays::new(14, Some("  ")), Err(Refusal::WaitTooShort { days: 14, least: 30 }));
    assert_eq!(WaitDays::new(14, Some("guideline V-2")).map(WaitDays::get), Ok(14));
    assert_eq!(WaitDays::new(60, None).map(WaitDays::get), Ok(60));
}

// control: INT-03
#[test]
fn nobody_comes_in_who_was_not_told_who_waits_or_who_said_no() {
    let notices = [notice(date(2026, 4, 1), &[Anonymized, Pseudonymized])];
    let told = [visit(date(2026, 4, 1))];
    let wait = WaitDays::default();
    let stop = |state, scopes: &[NoticeScope]| vec![(state, scopes.iter().copied().collect())];
    assert_eq!(admit(&notices, &[], wait, date(2026, 9, 1), &[]), Err(Refusal::NotNotified));
    assert_eq!(admit(&notices, &told, wait, date(2026, 4, 30), &[]), Err(Refusal::Waiting { until: date(2026, 5, 1) }));
    assert_eq!(admit(&notices, &told, wait, date(2026, 5, 1), &[]), Ok(BTreeSet::from([Anonymized, Pseudonymized])));
    let half = stop(OptOutState::Effective, &[Pseudonymized]);
    assert_eq!(admit(&notices, &told, wait, date(2026, 5, 1), &half), Ok(BTreeSet::from([Anonymized])));
    for state in [OptOutState::Received, OptOutState::IdentityChecked, OptOutState::Effective] {
        let all = stop(state, &[Anonymized, Pseudonymized]);
        assert_eq!(admit(&notices, &told, wait, date(2026, 5, 1), &all), Err(Refusal::OptedOut), "{state:?}");
    }
    for state in [OptOutState::Withdrawn, OptOutState::Rejected] {
        let all = stop(state, &[Anonymized, Pseudonymized]);
        assert!(admit(&notices, &told, wait, date(2026, 5, 1), &all).is_ok(), "{state:?}");
    }
}

/// The rule as the design words it, day by day: the naive reference.
fn reference(notices: &[Notice], contacts: &[Contact], wait: i32, today: Date, scope: NoticeScope) -> Option<Date> {
    let mut day = date(2026, 1, 1);
    while day <= today {
        for c in contacts.iter().filter(|c| c.date == day) {
            let told = notices.iter().any(|n| n.from <= day && n.scopes.contains(&scope));
            let ahead = c.kind == ContactKind::Letter
                && notices.iter().all(|n| n.from > day)
                && notices.iter().any(|n| n.scopes.contains(&scope) && notices.iter().all(|m| m.from >= n.from));
            if told || ahead {
                let mut until = day;
                for _ in 0..wait {
                    until = until.tomorrow().expect("in range");
                }
                return Some(until);
            }
        }
        day = day.tomorrow().expect("in range");
    }
    None
}

#[test]
fn eligibility_agrees_with_a_naive_reference() {
    type Input = (Vec<(u8, u8)>, Vec<(u8, bool)>, u8, u8);
    bolero::check!().with_type::<Input>().for_each(|(notices, contacts, wait, today)| {
        let day = |n: u8| date(2026, 1, 1).checked_add(jiff::Span::new().days(i64::from(n))).expect("in range");
        let notices: Vec<Notice> = notices
            .iter()
            .take(4)
            .map(|(from, s)| {
                notice(
                    day(*from),
                    match s % 3 {
                        0 => &[Anonymized],
                        1 => &[Pseudonymized],
                        _ => &[Anonymized, Pseudonymized],
                    },
                )
            })
            .collect();
        let contacts: Vec<Contact> =
            contacts.iter().take(4).map(|(d, l)| if *l { letter(day(*d)) } else { visit(day(*d)) }).collect();
        let wait_days = WaitDays::new(u16::from(*wait), Some("test")).expect("a basis is named");
        for scope in [Anonymized, Pseudonymized] {
            let got = eligibility(&notices, &contacts, wait_days, day(*today), &[scope]);
            let want = match reference(&notices, &contacts, i32::from(*wait), day(*today), scope) {
                None => Eligibility::NotNotified,
                Some(until) if day(*today) >= until => Eligibility::Eligible { since: until },
                Some(until) => Eligibility::Waiting { until },
            };
            assert_eq!(got, want);
        }
    });
}
