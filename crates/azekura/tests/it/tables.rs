//! `azekura tables`, on the real program: a table is paid for before it is there, and what is paid stays paid.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kit::{House, Said, text};

/// A place with a table of people and a budget.
struct Desk {
    house: House,
}

const VALUES: [&str; 4] = ["--values", "sex=F,M", "--values", "area=north,south"];

impl Desk {
    fn new(budget: &[&str]) -> Desk {
        let desk = Desk { house: House::empty() };
        let row = |n: u32| format!("PATIENT-{n},{},{}\n", ["F", "M"][n as usize % 2], ["north", "south"][n as usize / 2 % 2]);
        let rows: String = (0..200).map(row).chain((0..30).map(|n| row(n / 10))).collect();
        fs::write(desk.at("people.csv"), format!("id,sex,area\n{rows}")).expect("a table");
        desk.create(budget).done();
        desk
    }

    fn at(&self, name: &str) -> PathBuf {
        self.house.path().join(name)
    }

    fn create(&self, budget: &[&str]) -> Said {
        let file = self.at("budget.json");
        self.house.run(&[&["tables", "budget", "create", text(&file), "--holding", "hospital data 2026"], budget].concat())
    }

    /// The arguments of a table that goes to `NAME.csv`.
    fn args(&self, name: &str, more: &[&str]) -> Vec<String> {
        let file = |name: String| text(&self.at(&name)).to_owned();
        let (out, report) = (file(format!("{name}.csv")), file(format!("{name}.json")));
        let (data, budget) = (file("people.csv".into()), file("budget.json".into()));
        let own = ["tables", "--data", &data, "--budget", &budget, "--out", &out, "--report", &report];
        own.into_iter().chain(more.iter().copied()).map(str::to_owned).collect()
    }

    fn table(&self, name: &str, more: &[&str]) -> Said {
        let args = self.args(name, more);
        self.house.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn budget(&self) -> Value {
        self.house.run(&["tables", "budget", "show", text(&self.at("budget.json"))]).done()
    }

    fn entries(&self) -> usize {
        self.budget()["entries"].as_array().expect("entries").len()
    }

    /// Which of a table's files are there.
    fn written(&self, name: &str) -> usize {
        ["csv", "json", "html"].iter().filter(|ending| self.at(&format!("{name}.{ending}")).exists()).count()
    }

    fn copied(&self, from: &str, to: &str) {
        fs::copy(self.at(from), self.at(to)).expect("a copy");
    }
}

/// Persons by sex and area with all values given.
fn closed<'a>(epsilon: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let own = ["--person", "id", "--by", "sex,area", "--mechanism", "laplace", "--epsilon", epsilon];
    [&own[..], &VALUES[..], more].concat()
}

#[test]
fn a_table_is_made_with_its_report_in_both_languages_and_the_budget_says_what_it_cost() {
    let desk = Desk::new(&["--epsilon", "1", "--delta", "0.00001"]);
    let said = desk.table("a", &closed("0.4", &["--marginals", "--purpose", "yearly report"])).done();
    assert_eq!((&said["spent"]["amount"], &said["left"]["amount"]), (&"0.4".into(), &"0.6".into()), "{said}");
    assert_eq!((&said["cells"], &said["totals"].as_array().map(Vec::len)), (&4.into(), &Some(4)));
    let table = fs::read_to_string(desk.at("a.csv")).expect("a table");
    assert!(table.starts_with("sex,area,row_kind,noisy_count,half_width_95\nF,north,cell,"), "{table}");
    assert_eq!(table.lines().count(), 9);
    let open = ["--person", "id", "--by", "sex,area", "--mechanism", "laplace", "--epsilon", "0.5", "--delta", "1e-6"];
    let args = desk.args("b", &open);
    let ja: Vec<&str> = ["--lang", "ja"].into_iter().chain(args.iter().map(String::as_str)).collect();
    assert!(desk.house.run(&ja).done()["threshold"].as_u64().is_some_and(|t| t > 20));
    let budget = desk.budget();
    assert_eq!((&budget["spent"], &budget["spent_delta"]), (&"0.9".into(), &"0.000001".into()), "{budget}");
    assert_eq!(
        (&budget["entries"][0]["purpose"], &budget["entries"][1]["purpose"]),
        (&"yearly report".into(), &"sex × area".into())
    );
    assert_eq!(budget["entries"][0]["question_sha256"], said["question_sha256"]);
    let page = |name: &str| fs::read_to_string(desk.at(name)).expect("a page");
    assert!(page("a.html").contains("table with noise") && page("b.html").contains("雑音を加えた統計表"));
    for name in ["a.csv", "a.json", "a.html", "b.csv", "b.json", "b.html", "budget.json", "budget.json.seen"] {
        let content = page(name);
        assert!(!content.contains("PATIENT") && !content.contains("anonymity-"), "{name}");
    }
}

#[test]
fn a_table_whose_budget_is_spent_is_refused_and_writes_nothing() {
    let desk = Desk::new(&["--epsilon", "1"]);
    desk.table("a", &closed("0.7", &[])).done();
    let before = fs::read(desk.at("budget.json")).expect("a budget");
    let said = desk.table("b", &closed("0.300000001", &[]));
    assert_eq!(said.refused(), "anonymity-budget-spent");
    assert!(said.all.contains("0.3 left") && said.all.contains("hospital data 2026"), "{}", said.all);
    let open = ["--person", "id", "--by", "sex", "--mechanism", "laplace", "--epsilon", "0.1", "--delta", "1e-6"];
    assert_eq!(desk.table("b", &open).refused(), "anonymity-budget-delta-spent");
    let gaussian = ["--person", "id", "--by", "sex", "--values", "sex=F,M", "--mechanism", "gaussian", "--rho", "0.1"];
    assert_eq!(desk.table("b", &gaussian).refused(), "anonymity-budget-unit");
    assert_eq!((desk.written("b"), fs::read(desk.at("budget.json")).expect("a budget")), (0, before));
    desk.table("b", &closed("0.3", &[])).done();
    assert_eq!(desk.table("c", &closed("0.00001", &[])).refused(), "anonymity-budget-spent");
}

#[test]
fn runs_at_one_time_do_not_together_spend_more_than_there_is() {
    let desk = Desk::new(&["--rho", "0.25"]);
    let rho = ["--person", "id", "--by", "sex,area", "--mechanism", "gaussian", "--rho", "0.08"];
    let names: Vec<String> = (0..8).map(|n| format!("t{n}")).collect();
    let begin = |name: &String| -> Child {
        let args = desk.args(name, &[&rho[..], &VALUES[..]].concat());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        desk.house.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program")
    };
    let runs: Vec<Child> = names.iter().map(begin).collect();
    let done: Vec<bool> = runs.into_iter().map(|mut run| run.wait().expect("ended").success()).collect();
    // On a busy machine one or the other may have given up waiting; what was done is what was spent, and never more than there is.
    let count = done.iter().filter(|d| **d).count();
    assert!((1..=3).contains(&count), "0.25 is 3 times 0.08: {count}");
    let budget = desk.budget();
    let spent = format!("0.{:02}", count * 8);
    assert_eq!((&budget["spent"], budget["entries"].as_array().map(Vec::len)), (&spent.into(), Some(count)));
    for (name, done) in names.iter().zip(done) {
        assert_eq!(desk.written(name), if done { 3 } else { 0 }, "{name}");
    }
}

#[test]
fn while_one_run_is_spending_another_waits_and_then_is_refused_without_spending() {
    let desk = Desk::new(&["--epsilon", "1"]);
    let args = desk.args("first", &closed("0.6", &[]));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut first = desk.house.command(&args);
    // The first step on the disk is that of the budget: the run has read what is left and stands still.
    let mut first = first.env("AZEKURA_FAILPOINT", "#1=stop").stdout(Stdio::null()).spawn().expect("the program");
    let stopped = || fs::read_to_string(format!("/proc/{}/stat", first.id())).is_ok_and(|stat| stat.contains(") T "));
    let over = Instant::now() + Duration::from_secs(60);
    while !stopped() {
        assert!(Instant::now() < over, "the run never came to its first step");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(desk.table("second", &closed("0.6", &[])).refused(), "anonymity-budget-busy");
    let go_on = rustix::process::Pid::from_child(&first);
    rustix::process::kill_process(go_on, rustix::process::Signal::CONT).expect("continued");
    assert!(first.wait().expect("ended").success());
    assert_eq!((desk.written("first"), desk.written("second"), desk.entries()), (3, 0, 1));
    assert_eq!(desk.table("second", &closed("0.6", &[])).refused(), "anonymity-budget-spent");
}

/// Breaks a run at every step that it has; how many were broken between paying and the table.
fn broken_everywhere(how: &str) -> usize {
    let desk = Desk::new(&["--epsilon", "100"]);
    let kept = desk.at("kept");
    fs::create_dir(&kept).expect("a directory");
    let run = |name: &str, variable: &str, value: &str| {
        let args = desk.args(name, &closed("0.5", &[]));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = desk.house.command(&args);
        command.env(variable, value).env("AZEKURA_POWERLOSS_DIR", &kept);
        command.output().expect("the program").status.success()
    };
    let trace = desk.at("trace");
    assert!(run("whole", "AZEKURA_FAILPOINT_TRACE", text(&trace)));
    let steps = fs::read_to_string(&trace).expect("steps").lines().count();
    assert!(steps > 20, "{steps}");
    let mut between = 0;
    for step in 1..=steps {
        let before = desk.entries();
        let name = format!("{how}-{step}");
        assert!(!run(&name, "AZEKURA_FAILPOINT", &format!("#{step}={how}")), "step {step}");
        let spent = desk.entries() - before;
        let out = fs::read_to_string(desk.at(&format!("{name}.csv")));
        assert!(spent <= 1 && (spent == 1 || desk.written(&name) == 0), "step {step}: nothing is there that was not paid");
        between += usize::from(spent == 1 && out.is_err());
        if let Ok(table) = out {
            assert_eq!((table.lines().count(), desk.written(&name)), (5, 3), "step {step}: whole, with its report");
        }
        assert!(run(&name, "AZEKURA_FAILPOINT_TRACE", "/dev/null"), "step {step}: what was left is in nobody's way");
    }
    between
}

#[test]
fn a_run_that_is_killed_anywhere_leaves_no_table_that_is_not_paid_and_no_part_of_one() {
    assert!(broken_everywhere("kill") > 0);
}

#[test]
fn when_the_power_goes_what_was_paid_is_on_the_disk_before_anything_of_the_table() {
    assert!(broken_everywhere("powerloss") > 0);
}

#[test]
fn a_budget_that_was_put_back_edited_or_has_two_names_is_refused() {
    let desk = Desk::new(&["--epsilon", "2"]);
    desk.copied("budget.json", "old.json");
    desk.copied("budget.json.seen", "old.seen");
    desk.table("a", &closed("0.5", &[])).done();
    desk.copied("budget.json", "new.json");
    let refused = |name: &str| {
        let said = desk.table(name, &closed("0.1", &[]));
        assert_eq!(desk.written(name), 0);
        said.refused().to_owned()
    };
    desk.copied("old.json", "budget.json");
    assert_eq!(refused("b"), "anonymity-budget-rolled-back");
    let raised = fs::read_to_string(desk.at("new.json")).expect("a budget").replace("\"total\": \"2\"", "\"total\": \"9\"");
    fs::write(desk.at("budget.json"), raised).expect("written");
    assert_eq!(refused("b"), "anonymity-budget-rolled-back");
    let less = fs::read_to_string(desk.at("new.json")).expect("a budget").replace("\"spent\": \"0.5\"", "\"spent\": \"0.1\"");
    fs::write(desk.at("budget.json"), less).expect("written");
    assert_eq!(refused("b"), "anonymity-budget-entry");
    fs::write(desk.at("budget.json"), "{\"format\":\"azekura-budget/9\"}").expect("written");
    assert_eq!(refused("b"), "anonymity-budget-format");
    desk.copied("new.json", "budget.json");
    fs::rename(desk.at("budget.json.seen"), desk.at("elsewhere")).expect("moved");
    assert_eq!(refused("b"), "anonymity-budget-unwitnessed");
    fs::rename(desk.at("elsewhere"), desk.at("budget.json.seen")).expect("moved");
    fs::hard_link(desk.at("budget.json"), desk.at("second.json")).expect("linked");
    assert_eq!(refused("b"), "anonymity-budget-linked");
    fs::remove_file(desk.at("second.json")).expect("removed");
    assert_eq!(desk.create(&["--epsilon", "2"]).refused(), "anonymity-budget-exists");
    fs::remove_file(desk.at("budget.json")).expect("removed");
    assert_eq!(refused("b"), "anonymity-budget-none");
    assert_eq!(desk.create(&["--epsilon", "2"]).refused(), "anonymity-budget-exists", "what was spent is not forgotten");

    // By a link the budget itself is spent from.
    desk.copied("new.json", "budget.json");
    fs::rename(desk.at("budget.json"), desk.at("real.json")).expect("moved");
    fs::rename(desk.at("budget.json.seen"), desk.at("real.json.seen")).expect("moved");
    std::os::unix::fs::symlink(desk.at("real.json"), desk.at("budget.json")).expect("linked");
    desk.table("b", &closed("0.1", &[])).done();
    assert!(desk.at("budget.json").symlink_metadata().is_ok_and(|m| m.is_symlink()));
    assert!(fs::read_to_string(desk.at("real.json")).expect("a budget").contains("\"spent\": \"0.6\""));
}

#[test]
fn bad_input_is_refused_with_a_reason_spends_nothing_and_writes_nothing() {
    let desk = Desk::new(&["--epsilon", "5"]);
    let of = |more: &[&str]| desk.table("x", &[&["--mechanism", "laplace"], more].concat());
    let person = ["--person", "id", "--by", "sex"];
    let with = |more: &[&str]| of(&[&person[..], more].concat());
    for (said, code) in [
        (of(&["--by", "sex", "--values", "sex=F,M", "--epsilon", "1"]), "anonymity-counts-nobody-protected"),
        (of(&["--person", "id", "--by", "age", "--values", "age=1", "--epsilon", "1"]), "anonymity-table-unknown-column"),
        (of(&["--person", "who", "--by", "sex", "--values", "sex=F,M", "--epsilon", "1"]), "anonymity-table-unknown-column"),
        (of(&["--person", "id", "--by", "sex,sex", "--values", "sex=F,M", "--epsilon", "1"]), "anonymity-counts-stratum-twice"),
        (of(&["--person", "id", "--by", "sex,id", "--epsilon", "1", "--delta", "1e-6"]), "anonymity-counts-stratum-is-person"),
        (with(&["--values", "sex=F", "--epsilon", "1"]), "anonymity-counts-outside-values"),
        (with(&["--values", "sex=F,M", "--values", "area=a", "--epsilon", "1"]), "anonymity-counts-values-foreign"),
        (with(&["--values", "sex=F", "--values", "sex=M", "--epsilon", "1"]), "anonymity-counts-values-twice"),
        (with(&["--values", "sex", "--epsilon", "1"]), "anonymity-counts-values-form"),
        (with(&["--values", "sex=F,F", "--epsilon", "1"]), "anonymity-counts-value-twice"),
        (with(&["--values", "sex=F,M", "--epsilon", "0"]), "anonymity-counts-parameter-range"),
        (with(&["--values", "sex=F,M", "--epsilon", "-1"]), "anonymity-counts-not-a-decimal"),
        (with(&["--values", "sex=F,M", "--epsilon", "1/3"]), "anonymity-counts-not-a-decimal"),
        (with(&["--values", "sex=F,M", "--epsilon", "0.12345678901"]), "anonymity-counts-too-fine"),
        (with(&["--values", "sex=F,M", "--epsilon", "1000"]), "anonymity-counts-parameter-range"),
        (with(&["--values", "sex=F,M", "--epsilon", "0.0000001"]), "anonymity-counts-noise-too-wide"),
        (with(&["--epsilon", "1"]), "anonymity-counts-delta-missing"),
        (with(&["--values", "sex=F,M", "--epsilon", "1", "--count", "rows"]), "anonymity-counts-rows-unbounded"),
        (with(&["--values", "sex=F,M", "--epsilon", "1", "--most-cells", "0"]), "anonymity-counts-bound-range"),
    ] {
        assert_eq!(said.refused(), code, "{}", said.all);
        assert!(!said.all.contains("PATIENT"), "{}", said.all);
    }
    let usage = |more: &[&str]| with(more).status;
    assert_eq!(usage(&["--values", "sex=F,M", "--rho", "1"]), Some(2), "Laplace noise has an ε");
    assert_eq!(usage(&["--values", "sex=F,M", "--epsilon", "1", "--rows-are-persons"]), Some(2));
    let out = |name: &str| with(&["--values", "sex=F,M", "--epsilon", "1", "--sep", ",", "--out", text(&desk.at(name))]);
    for name in ["people.csv", "budget.json", "budget.json.seen", "x.json", "x.html", "nowhere/x.csv"] {
        let args = desk.args("x", &[&person[..], &["--mechanism", "laplace", "--values", "sex=F,M", "--epsilon", "1"]].concat());
        let place = args.iter().position(|a| a == "--out").expect("an argument") + 1;
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        let path = desk.at(name);
        args[place] = text(&path);
        assert_eq!(desk.house.run(&args).status, Some(2), "{name}");
    }
    assert_eq!(out("y.csv").status, Some(2), "one --out");
    let table = |content: &str| fs::write(desk.at("people.csv"), content).expect("a table");
    for (content, code) in [
        ("id,sex,area\n", "anonymity-table-no-rows"),
        ("id,sex,area\nPATIENT-1,F,n\n,F,n\n", "anonymity-counts-person-empty"),
        ("id,sex,area\nPATIENT-1,F\n", "anonymity-table-row-length"),
        ("", "anonymity-table-no-header"),
    ] {
        table(content);
        let said = with(&["--values", "sex=F,M", "--epsilon", "1"]);
        assert_eq!(said.refused(), code, "{}", said.all);
        assert!(!said.all.contains("PATIENT"), "{}", said.all);
    }
    assert_eq!((desk.written("x"), desk.entries()), (0, 0));
}

#[test]
fn budgets_are_made_once_in_one_unit_and_nothing_but_numbers_is_a_total() {
    let desk = Desk { house: House::empty() };
    assert_eq!(desk.create(&[]).status, Some(2));
    assert_eq!(desk.create(&["--epsilon", "1", "--rho", "1"]).status, Some(2));
    assert_eq!(desk.create(&["--epsilon", "0"]).refused(), "anonymity-budget-empty");
    assert_eq!(desk.create(&["--epsilon", "-1"]).refused(), "anonymity-counts-not-a-decimal");
    assert_eq!(desk.create(&["--rho", "1", "--delta", "1"]).refused(), "anonymity-counts-delta-range");
    assert!(!desk.at("budget.json").exists());
    let missing = desk.house.run(&["tables", "budget", "show", text(&desk.at("budget.json"))]);
    assert_eq!(missing.refused(), "anonymity-budget-none");
    desk.create(&["--rho", "0.5"]).done();
    assert_eq!(desk.create(&["--rho", "0.5"]).refused(), "anonymity-budget-exists");
    assert_eq!(desk.budget()["unit"], "rho");
    assert_eq!(desk.entries(), 0);
}
