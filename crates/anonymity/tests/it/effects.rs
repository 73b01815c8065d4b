//! Whom leaving out falls on, as the page says it.

use std::collections::BTreeMap;

use anonymity::attack::Found;
use anonymity::effects::{Effects, Group, Who};
use anonymity::profile::Attacker;
use anonymity::{PersonIds, Report, Treatment, process, report_html};
use messages::Lang;
use omop::Table;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::build::{Row, V, dataset, s};
use super::ministry::shipped;

/// Men of one month, women of whom no ten are of one, who come from small houses, and some men of a month of their own.
fn report(women: i64, lone_men: i64) -> Report {
    let mut profile = shipped("anonymized");
    let privacy = profile.privacy.as_mut().expect("anonymized");
    (privacy.shift_days, privacy.most_suppressed) = (Some(1), 1.0);
    privacy.coarsen.clear();
    let map: BTreeMap<String, String> = ["A", "B", "C"]
        .map(|h| (h.to_owned(), "large".to_owned()))
        .into_iter()
        .chain(["D", "E", "F"].map(|h| (h.to_owned(), "small".to_owned())))
        .collect();
    let visits = profile.tables.get_mut("visit_occurrence").expect("visits");
    visits.columns.insert("admitted_from_source_value".to_owned(), Treatment::Class { map, other: "その他".to_owned() });
    let (mut person, mut visit) = (vec![], vec![]);
    for id in 1..=200 + women + lone_men {
        let man = id <= 200 || id > 200 + women;
        let month = match id {
            ..=200 => 6,
            _ if man => 1,
            _ => 1 + id % 12,
        };
        let year = if id > 200 + women {
            1991
        } else if man {
            1980
        } else {
            1952
        };
        let row: Row = vec![
            ("person_id", V::I(id)),
            ("gender_concept_id", V::I(if man { 8507 } else { 8532 })),
            ("year_of_birth", V::I(year)),
            ("month_of_birth", V::I(month)),
            ("day_of_birth", V::I(15)),
        ];
        person.push(row);
        visit.push(vec![
            ("visit_occurrence_id", V::I(1)),
            ("person_id", V::I(id)),
            ("visit_start_date", V::D(2021, 5, 5)),
            ("visit_end_date", V::D(2021, 5, 5)),
            ("admitted_from_source_value", s(if man { "A" } else { "E" })),
        ]);
    }
    let input = dataset(&[(Table::Person, person), (Table::VisitOccurrence, visit)]);
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    process(&profile, &input, PersonIds::New, &mut rng).map_err(|e| e.to_string()).expect("treated").1
}

fn group<'r>(report: &'r Report, who: &Who) -> &'r Group {
    report.effects.iter().flat_map(|Effects { groups, .. }| groups).find(|g| g.who == *who).expect("the group")
}

// control: PRC-05
#[test]
fn a_group_that_is_left_out_more_than_twice_as_often_is_named_in_plain_words() {
    let report = report(60, 0);
    for who in [Who::Female, Who::Born { from: Some(1950), to: Some(1959) }, Who::Class("small".to_owned())] {
        let found = group(&report, &who);
        assert_eq!((found.before, found.left_out, found.oftener), (Some(60), Some(60), true), "{who:?}");
    }
    let men = group(&report, &Who::Male);
    assert_eq!((men.before, men.left_out, men.oftener), (Some(200), Some(0), false));
    let page = report_html(&report, Lang::En);
    assert!(
        page.contains("women: left out more than twice as often") && page.contains("60 people, 60 of them left out (100.0 %)")
    );
    assert!(page.contains("small: left out more than twice as often"));
    let page = report_html(&report, Lang::Ja);
    assert!(page.contains("女性は、全体の 2 倍を超える割合で除かれています(100.0 %、全体は 23.1 %)"));
}

// control: PRC-05
#[test]
fn a_number_that_stands_for_few_is_not_on_the_page_nor_to_be_had_from_the_others() {
    let report = report(60, 4);
    // Four men are left out: their number is not told, and not that of the women, which with the sum would tell it.
    assert_eq!((group(&report, &Who::Male).before, group(&report, &Who::Male).left_out), (Some(204), None));
    assert_eq!(group(&report, &Who::Female).left_out, None);
    // The four of a decade of their own are one with those before them.
    assert!(report.effects.iter().flat_map(|e| &e.groups).all(|g| g.who != Who::Born { from: Some(1990), to: Some(1999) }));
    let page = report_html(&report, Lang::En);
    assert!(page.contains("204 people; how many are left out is not told") && !page.contains("4 of them left out"));
    assert!(!page.contains("left out more than twice as often as all people ("));
    let json = report.to_json();
    assert!(!json.contains("\"left_out\": 4,") && !json.contains("\"before\": 4,"), "nor in the numbers behind it");
}

#[test]
fn where_nobody_is_left_out_the_page_says_so_and_no_share_of_nobody() {
    let report = report(0, 0);
    for (lang, nobody, k) in [(Lang::En, "Nobody is left out.", "fewer than 10"), (Lang::Ja, "除いた人はいません。", "10 人未満")]
    {
        let page = report_html(&report, lang);
        assert!(page.contains(nobody) && !page.contains("0 are left out"), "{lang:?}");
        assert!(page.contains(k) && !page.contains("k 人未満") && !page.contains("fewer than k "), "{lang:?}");
    }
}

#[test]
fn the_summary_names_who_finds_most_by_share_and_nobody_who_did_not_try() {
    let mut report = report(60, 0);
    let found = |attacker, share| Found { attacker, persons: 100, targets: 100, share, interval: [share, share], alone: 0.0 };
    let page = |report: &Report, lang| report_html(report, lang);
    let privacy = |report: &mut Report, found: Vec<Found>| report.privacy.as_mut().expect("anonymized").found = found;
    let all = vec![found(Attacker::Demographics, 0.01), found(Attacker::VisitDays, 0.9), found(Attacker::DatedCodes, 0.5)];
    privacy(&mut report, all);
    let en = page(&report, Lang::En);
    assert!(en.contains("Who knows the columns above found 1.0 % of them. Most were found by who also knows the days of two visits or stays of a person: 90.0 %."));
    assert!(!en.contains("– %"), "codes were not tried");
    assert!(page(&report, Lang::Ja).contains("最も多く見つけたのは、さらに二回の受診または入院の日を知る者で、90.0 % でした。"));
    privacy(&mut report, vec![found(Attacker::Demographics, 0.01)]);
    assert!(!page(&report, Lang::En).contains("Most were found"));
}
