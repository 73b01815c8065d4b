//! What a release of a flat table said and should not, and what its verifier believed and should not.

use anonymity::metrics::Metric;
use anonymity::models::Models;
use anonymity::release::{Prepared, Question, Reference, ReleaseReport, prepare, release_html};
use anonymity::risk::measure::{classes, individual, risk};
use anonymity::search::{Effort, Limits};
use anonymity::table::{Hierarchy, Nulls, Role, Roles, TableError, read};
use anonymity::verify::verify;

use super::release::{Dice, everything, hierarchies, input, question, released, roles, table};

/// Twenty people who are alike, and one who is not, with a disease of her own.
fn with_a_rare_one() -> String {
    let mut text = String::from("sex;age;area;illness\n");
    for n in 0..20 {
        text.push_str(&format!("F;1;a;{}\n", n % 2));
    }
    text.push_str("M;5;d;KURU\n");
    text
}

fn release_of(text: &str, models: &[&str], suppression: f64) -> (ReleaseReport, Option<Reference>, String) {
    let (input, question) = (input(text), question(models, Metric::Loss, suppression));
    let (release, report, out) = released(&input, &question).expect("met");
    let reference = release.reference();
    (report, reference, out)
}

#[test]
fn the_report_names_no_value_that_only_suppressed_rows_have() {
    let (report, reference, out) = release_of(&with_a_rare_one(), &["k:5", "t:0.5"], 0.1);
    assert_eq!(report.suppressed, 1);
    let json = serde_json::to_string(&report).expect("JSON");
    for lang in [messages::Lang::Ja, messages::Lang::En] {
        for text in [&json, &release_html(&report, lang), &out] {
            assert!(!text.contains("KURU") && !text.contains("south") && !text.contains("\"M\""), "{text}");
        }
    }
    // What the verifier needs of it is kept apart.
    assert_eq!(reference.expect("t compares").counts.get("kuru"), Some(&1));
    assert!(json.contains("\"1\""), "the values that are released are there: {json}");
}

#[test]
fn a_column_too_many_or_twice_is_no_release_that_holds() {
    let (report, _, out) = release_of(&with_a_rare_one(), &["k:5"], 0.1);
    let holds = |table: &str| verify(table.as_bytes(), "out", &report, None).expect("readable").wrong.is_empty();
    assert!(holds(&out));
    let widened = |name: &str, cell: &str| -> String {
        out.lines().enumerate().map(|(n, line)| format!("{line};{}\n", if n == 0 { name } else { cell })).collect()
    };
    assert!(!holds(&widened("name", "Yamada Taro")));
    assert!(!holds(&widened("area", "a")), "a second one with raw values");
    assert!(!holds(&widened("illness", "1")));
}

#[test]
fn what_cannot_be_compared_is_unchecked_and_what_can_is_checked_beside_any_other_model() {
    let mut text = String::from("sex;age;area;illness\n");
    for n in 0..40 {
        text.push_str(&format!("F;1;a;{}\n", if n % 4 == 0 { "1" } else { "2" }));
    }
    for model in ["t:0.05", "th:0.05", "to:0.05", "dd:0.1", "bl:0.1", "be:0.1"] {
        let (report, reference, out) = release_of(&text, &[model, "eg:1"], 0.0);
        let reference = reference.expect("it compares");
        let honest = verify(out.as_bytes(), "out", &report, Some(&reference)).expect("readable");
        assert!(honest.wrong.is_empty() && !honest.unchecked.contains(&model.to_owned()), "{model}: {honest:?}");
        let blind = verify(out.as_bytes(), "out", &report, None).expect("readable");
        assert!(blind.wrong.is_empty() && blind.unchecked.contains(&model.to_owned()), "{model}");
        // All of one disease.
        let bad = out.replace(";2\n", ";1\n");
        let seen = verify(bad.as_bytes(), "out", &report, Some(&reference)).expect("readable");
        assert!(seen.wrong.iter().any(|w| w.claim == model), "{model}: {seen:?}");
        // Values that the table never had are not believed either.
        let foreign = verify(out.replace(";2\n", ";9\n").as_bytes(), "out", &report, Some(&reference)).expect("readable");
        assert!(foreign.unchecked.contains(&model.to_owned()), "{model}");
    }
}

#[test]
fn hierarchical_closeness_needs_one_root_or_it_would_let_everything_pass() {
    let mut text = String::from("sex;age;area;illness\n");
    for n in 0..16 {
        text.push_str(&format!("{};{};a;{}\n", ["F", "M"][n / 8], n % 6, n / 8));
    }
    let ask = |hierarchy: &str| {
        let models = Models::parse(&["th:0.01"]).expect("models");
        let sensitive_hierarchy = Hierarchy::parse("illness", hierarchy.as_bytes()).ok();
        let question = Question {
            models,
            metric: Metric::Loss,
            suppression: 0.0,
            population: None,
            population_table: None,
            sensitive_hierarchy,
        };
        let input = input(&text);
        released(&input, &question).map(|(_, report, _)| report.levels).map_err(|e| e.code())
    };
    for rootless in ["0\n1\n", "0;low\n1;high\n", "0;0_\n1;1_\n"] {
        assert_eq!(ask(rootless), Err("anonymity-sensitive-tree"), "{rootless}");
    }
    let levels = ask("0;low;*\n1;high;*\n").expect("met");
    assert_eq!(levels[0], 1, "men and women have one disease each: the sex has to go");
}

#[test]
fn spellings_of_one_disease_are_no_diversity_and_a_blank_is_none() {
    let of = |values: [&str; 4]| {
        let rows: String = values.iter().map(|v| format!("F;1;a;{v}\n")).collect();
        format!("sex;age;area;illness\n{rows}")
    };
    let code = |text: &str, models: &[&str]| {
        let input = match read(text.as_bytes(), "t", None, &roles(), hierarchies()) {
            Ok(input) => input,
            Err(e) => return Err(e.code()),
        };
        released(&input, &question(models, Metric::Loss, 0.0)).map(|(_, _, out)| out).map_err(|e| e.code())
    };
    assert_eq!(code(&of(["HIV", "HIV ", "ＨＩＶ", "hiv"]), &["dl:2"]).map(|_| ()), Err("anonymity-sensitive-too-few"));
    assert_eq!(code(&of(["1", "1.0", "１", "+1"]), &["el:1.5"]).map(|_| ()), Err("anonymity-not-met"));
    for blank in ["", " ", "\u{3000}"] {
        assert_eq!(code(&of(["0", "1", "2", blank]), &["k:2"]).map(|_| ()), Err("anonymity-sensitive-empty"));
    }
    let out = code(&of(["HIV", "ＨＩＶ", "flu", "flu"]), &["dl:2"]).expect("met");
    assert!(out.contains("ＨＩＶ") && out.contains("HIV"), "what is written stays as it is");
    // The verifier counts what is said, too.
    let (report, _, out) = release_of(&of(["HIV", "ＨＩＶ", "flu", "flu"]), &["dl:2"], 0.0);
    let bad = out.replace("flu", "hiv ");
    assert!(verify(bad.as_bytes(), "out", &report, None).expect("readable").wrong.iter().any(|w| w.claim == "dl:2"));
}

#[test]
fn one_person_in_four_spellings_is_not_four_persons() {
    for other in ["P1 ", "Ｐ１", "p1", "P1\u{3000}"] {
        let text = format!("id;sex\nP1;F\n{other};F\n");
        let roles = Roles { person: Some("id".into()), ..Roles::default() };
        let refused = read(text.as_bytes(), "t", None, &roles, hierarchies()).map(|_| ()).map_err(|e| e.code());
        assert_eq!(refused, Err("anonymity-table-person-twice"), "{other:?}");
    }
}

#[test]
fn a_report_says_persons_only_where_persons_were_told_apart() {
    let (rows, _, _) = release_of(&with_a_rare_one(), &["k:5"], 0.1);
    let persons = ReleaseReport { by_person: true, ..rows.clone() };
    assert!(!rows.by_person);
    let page = |report: &ReleaseReport, lang| release_html(report, lang);
    assert!(page(&rows, messages::Lang::En).contains("Rows were counted, not persons"));
    assert!(page(&rows, messages::Lang::Ja).contains("人ではなく行"));
    assert!(page(&persons, messages::Lang::En).contains("every person in it shares"));
    assert!(!page(&persons, messages::Lang::En).contains("Rows were counted"));
    let text = "id;sex\nP1;F\nP2;F\n";
    let roles = Roles { person: Some("id".into()), ..Roles::default() };
    assert!(read(text.as_bytes(), "t", None, &roles, hierarchies()).is_ok_and(|i| i.by_person));
}

#[test]
fn height_is_the_sum_of_levels_with_any_suppression_and_proven_where_it_says_so() {
    let mut dice = Dice(23);
    let mut suppressed = 0;
    for round in 0..60 {
        let limit = [0.0, 0.1, 0.3, 1.0][round % 4];
        let rows = 10 + dice.roll(50);
        let input = input(&table(&mut dice, rows));
        let question = question(&["k:3"], Metric::Height, limit);
        let prepared = prepare(&input, &question).expect("prepared");
        let Prepared::Narrow(problem) = &prepared else { panic!("narrow") };
        let least = everything(problem);
        let Ok((_, report, out)) = released(&input, &question) else {
            assert_eq!(least, None);
            continue;
        };
        assert!((report.score - f64::from(report.levels.iter().map(|l| u32::from(*l)).sum::<u32>())).abs() < 1e-12);
        assert_eq!(least, Some(report.score));
        assert!(report.optimal && report.gap == 0.0 && report.released > 0);
        assert!(verify(out.as_bytes(), "out", &report, None).expect("readable").wrong.is_empty());
        suppressed += usize::from(report.suppressed > 0);
    }
    assert!(suppressed > 10, "{suppressed}");
}

#[test]
fn where_all_may_be_suppressed_a_release_of_somebody_is_still_found() {
    let text = "sex;age;area;illness\nF;0;a;1\nF;1;a;1\nM;4;d;1\nM;5;c;1\n";
    let (report, _, _) = release_of(text, &["k:2"], 1.0);
    assert!(report.released > 0);
    let input = input(text);
    let question = question(&["k:2"], Metric::Height, 1.0);
    assert!(released(&input, &question).is_ok_and(|(_, report, _)| report.released > 0));
}

#[test]
fn errors_of_a_table_without_a_header_show_no_cell_of_a_person() {
    let text = "Yamada Taro,1950-03-01,HIV\nSato Hanako,1961-11-12,HIV\n";
    let mut seen = Vec::new();
    let given = |quasi: Option<&str>| Roles { quasi_identifiers: quasi.map(|q| vec![q.to_owned()]), ..Roles::default() };
    for roles in [given(Some("age")), given(None)] {
        seen.push(read(text.as_bytes(), "t", None, &roles, hierarchies()).map(|_| ()).expect_err("no header"));
    }
    let twice = "HIV,Yamada Taro,HIV\n1,2,3\n";
    seen.push(read(twice.as_bytes(), "t", None, &given(Some("age")), hierarchies()).map(|_| ()).expect_err("twice"));
    seen.push(classes(text.as_bytes(), "t", None, &["age".to_owned()]).map(|_| ()).expect_err("no header"));
    let leaf = "sex\nYamada Taro\n";
    seen.push(read(leaf.as_bytes(), "t", None, &given(Some("sex")), hierarchies()).map(|_| ()).expect_err("no leaf"));
    for error in seen {
        for lang in [messages::Lang::En, messages::Lang::Ja] {
            let shown = error.message().text(lang);
            assert!(!shown.contains("Yamada") && !shown.contains("1950") && !shown.contains("HIV"), "{shown}");
        }
    }
    let error = TableError::UnknownColumn { column: "age".into(), columns: 3 };
    assert!(error.to_string().contains('3'), "{error}");
}

#[test]
fn an_empty_cell_becomes_nothing_that_it_is_not() {
    let two = Hierarchy::parse("h", b"10;1x\n20;2x\n").and_then(Hierarchy::with_empty_as_category).expect("a hierarchy");
    let empty = two.leaf(b"").expect("a leaf");
    assert_eq!(two.path(empty), ["", ""], "neither 1x nor 2x");
    let one = Hierarchy::parse("h", b"10;1x;*\n20;2x;*\n").and_then(Hierarchy::with_empty_as_category).expect("a hierarchy");
    assert_eq!(one.path(one.leaf(b"").expect("a leaf")), ["", "", "*"]);
    // Through a release.
    let text = "h\n\n\n10\n10\n";
    let roles = Roles { nulls: Nulls::Category, ..Roles::default() };
    let tree = Hierarchy::parse("h", b"10;1x\n20;2x\n").expect("a hierarchy");
    let text = text.replacen("\n\n\n", "\n\"\"\n\"\"\n", 1);
    let input = read(text.as_bytes(), "t", None, &roles, [("h".to_owned(), tree)].into()).expect("a table");
    let (_, _, out) = released(&input, &question(&["k:2"], Metric::Loss, 0.0)).expect("met");
    assert_eq!(out.matches("1x").count() + out.matches("10").count(), 2, "{out}");
    assert!(input.columns.iter().all(|c| c.role == Role::QuasiIdentifier));
}

#[test]
fn an_estimate_that_does_not_fall_evenly_is_no_proof() {
    let text = table(&mut Dice(5), 60);
    let input = input(&text);
    let (_, report, _) = released(&input, &question(&["pu:0.0001"], Metric::Loss, 0.2)).expect("met");
    assert!(!report.optimal && report.effort == Effort::Estimated, "{report:?}");
    assert!(report.score > 0.0 && report.gap == report.score, "the bound is 0: {} {}", report.score, report.gap);
    for lang in [messages::Lang::En, messages::Lang::Ja] {
        assert!(!release_html(&report, lang).contains("anonymity-"), "every text is there");
    }
}

#[test]
fn a_million_threads_and_an_endless_time_are_no_harm() {
    let input = input(&table(&mut Dice(6), 60));
    let prepared = prepare(&input, &question(&["k:3"], Metric::Loss, 0.1)).expect("prepared");
    let time = Some(std::time::Duration::MAX);
    let many = prepared.search(Limits { threads: 1_000_000, time });
    assert_eq!(many, prepared.search(Limits { threads: 1, time: None }));
}

#[test]
fn individual_risk_is_a_chance_also_where_the_table_is_nearly_the_population() {
    let p = 300_000.0 / 300_001.0;
    for f in 1..=4 {
        assert!((individual(f, p) - 1.0 / f64::from(f)).abs() < 1e-4, "{f}");
    }
    // The closed forms where they are sound, and both sides of where they change.
    let closed = |f: u32, p: f64| {
        let (odds, ln) = (p / (1.0 - p), (1.0 / p).ln());
        [odds * ln, odds - odds * odds * ln, odds * (odds * (ln * odds - 1.0) + 0.5)][f as usize - 1]
    };
    for f in 1..=3 {
        for p in [0.3, 0.499, 0.501, 0.7, 0.9, 0.99] {
            assert!((individual(f, p) - closed(f, p)).abs() < 1e-9, "{f} {p}");
        }
        for p in [0.999_999_999, 1.0 - 1e-15, 1.0] {
            assert!((0.0..=1.0 / f64::from(f) + 1e-12).contains(&individual(f, p)), "{f} {p}");
        }
    }
    let text: String = (0..3_000).map(|n| format!("{}\n", n / 3)).collect();
    let sample = classes(format!("a\n{text}").as_bytes(), "t", None, &["a".to_owned()]).expect("classes");
    let found = risk(&sample, None, Some(3_001), 0.09).expect("a risk").population.expect("estimated");
    assert!((found.individual - 1.0 / 3.0).abs() < 1e-3, "{}", found.individual);
}

#[test]
fn rows_of_which_nothing_is_left_are_no_safe_class() {
    let text = "a;b\n1;x\n1;x\n2;y\n*;*\n*;*\n*;*\n*;y\n";
    let columns = ["a".to_owned(), "b".to_owned()];
    let sample = classes(text.as_bytes(), "t", None, &columns).expect("classes");
    let found = risk(&sample, None, None, 0.5).expect("a risk");
    assert_eq!((found.rows, found.suppressed_rows, found.classes), (4, 3, 3));
    assert!((found.prosecutor_average - 0.75).abs() < 1e-12 && (found.prosecutor_at_risk - 0.5).abs() < 1e-12);
    assert_eq!(found.wildcard, "equals itself alone");
    // A table that is all of one class is not suppressed, it is coarse.
    let coarse = classes("a\n*\n*\n".as_bytes(), "t", None, &["a".to_owned()]).expect("classes");
    assert_eq!(risk(&coarse, None, None, 0.5).map(|r| (r.rows, r.suppressed_rows)), Ok((2, 0)));
}

#[test]
fn risk_refuses_a_column_of_two_and_a_threshold_that_is_no_share() {
    let found = classes("a;b;a\n1;2;3\n".as_bytes(), "t", None, &["a".to_owned()]).map(|_| ());
    assert_eq!(found, Err(TableError::ColumnTwice { file: "t".into(), first: 1, second: 3 }));
    let sample = classes("a\n1\n".as_bytes(), "t", None, &["a".to_owned()]).expect("classes");
    for threshold in [9.0, -0.1, f64::NAN, f64::INFINITY] {
        assert_eq!(risk(&sample, None, None, threshold).map(|_| ()), Err(TableError::ThresholdRange));
    }
}
