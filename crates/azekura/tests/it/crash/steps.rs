//! The main job as a row of commands, each with the instance as it stands before it and the end of an undisturbed run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use super::state::{State, state};
use crate::kit::{House, IDS, PROVIDER, files, party, renamed, samples, tar, text};

/// Somebody who was never told: refused, and with that the package that brought them destroyed.
const UNTOLD: &str = "5079999999";

/// One command, on an instance where all before it are done.
pub struct Step {
    pub name: &'static str,
    /// Its words; `{instance}` stands for where the instance is.
    args: Vec<String>,
    pub before: House,
    /// What an undisturbed run makes of it.
    pub end: State,
    /// The steps at which it can be broken, in the order in which it comes to them.
    pub points: Vec<String>,
    pub took: Duration,
    /// Codes with which it says that it was done before.
    done: &'static [&'static str],
}

/// How a command ended.
pub struct Ended {
    pub output: Output,
    pub said: String,
    pub code: String,
}

impl Ended {
    pub fn of(output: Output) -> Ended {
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        // A list of packages has the reason of each; one may be in, and only its receipt or its end wait.
        let reason = || json[0]["reason"].as_str().or_else(|| json[0]["receipt_waits"].as_str());
        let code = json["error"].as_str().or_else(|| json["trouble"].as_str()).or_else(reason).unwrap_or_default().to_owned();
        Ended { output, said, code }
    }
}

impl Step {
    /// The command, to be run on an instance.
    pub fn command(&self, house: &House, instance: &Path) -> Command {
        let args: Vec<String> = self.args.iter().map(|a| a.replace("{instance}", text(instance))).collect();
        house.command(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub fn run(&self, house: &House) -> Ended {
        Ended::of(self.command(house, &house.instance()).output().expect("the program"))
    }

    /// Whether a run went through, or says that an earlier one did.
    pub fn is_done(&self, ended: &Ended) -> bool {
        match ended.output.status.code() {
            Some(0) => true,
            Some(1) => self.done.contains(&ended.code.as_str()),
            _ => false,
        }
    }

    /// Names of the steps with how often each is come to.
    pub fn names(&self) -> BTreeMap<&str, usize> {
        let mut names = BTreeMap::new();
        for point in &self.points {
            *names.entry(point.as_str()).or_default() += 1;
        }
        names
    }
}

/// The row, as it is gone through once.
pub struct Row {
    house: House,
    /// Where the packages and lists lie that the commands name.
    first: Option<House>,
    pub steps: Vec<Step>,
}

impl Row {
    fn go(&mut self, name: &'static str, args: &[&str], done: &'static [&'static str]) -> Output {
        let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        let mut step =
            Step { name, args, before: self.house.copy(), end: State::new(), points: Vec::new(), took: Duration::ZERO, done };
        let trace = self.house.path().join("trace");
        let _ = fs::remove_file(&trace);
        let mut command = step.command(&self.house, &self.house.instance());
        let began = Instant::now();
        let out = command.env("AZEKURA_FAILPOINT_TRACE", &trace).output().expect("the program");
        step.took = began.elapsed();
        assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stdout));
        step.points = fs::read_to_string(&trace).expect("a trace").lines().map(str::to_owned).collect();
        assert!(step.points.len() >= 2, "{name} has {} steps to break", step.points.len());
        step.end = state(&self.house);
        assert_eq!(step.end["faults"], "", "{name}");
        self.steps.push(step);
        out
    }

    fn key(&self, name: &str) -> (PathBuf, PathBuf) {
        let party = party(name, "30");
        (party.key, party.cert)
    }

    fn signed(&mut self, name: &'static str, what: &[&str], by: &str, done: &'static [&'static str]) {
        let (key, cert) = self.key(by);
        let more = ["--instance", "{instance}", "--key", text(&key), "--cert", text(&cert)];
        let args: Vec<&str> = what.iter().copied().chain(more).collect();
        self.go(name, &args, done);
    }
}

fn twins(wanted: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    files(&samples("synthetic-twins"), wanted)
}

/// Goes through the main job once.
pub fn row() -> Row {
    let mut row = Row { house: House::empty(), first: None, steps: Vec::new() };
    row.go("init", &["init", "--passphrase-is-key", "{instance}"], &["core-instance-not-empty"]);
    row.house.furnish();

    let contacts = row.house.path().join("contacts.csv");
    let lines: String = IDS.iter().map(|p| format!("{p},2026-04-10,person,visit\n")).collect();
    fs::write(&contacts, format!("patient,date,addressee,method\n{lines}")).expect("written");
    let scope = "anonymized,pseudonymized";
    let notice = ["notice", "add", "--instance", "{instance}", "--provider", PROVIDER, "--scope", scope, "--from", "2026-04-01"];
    row.go("notice", &[&notice[..], &["--contacts", text(&contacts)]].concat(), &[]);

    let first = row.house.tree(1, &twins(|_| true));
    row.go("receive", &["receive", "--instance", "{instance}", text(&first)], &["core-package-duplicate"]);
    row.go("ingest", &["ingest", "--instance", "{instance}"], &[]);

    // The next one lies in the inbox, brings a no with it, and somebody who was never told.
    let mut second = twins(|n| n.contains(IDS[1]) || n.contains(IDS[2]));
    let stranger = twins(|n| n.contains(IDS[0]));
    second.extend(renamed(&stranger, IDS[0], UNTOLD));
    let no = format!("patient,requester,scope,date\n{},person,anonymized,2026-10-01\n", IDS[1]);
    second.push(("opt-outs.csv".to_owned(), no.into_bytes()));
    let second = row.house.package(2, |w| tar(w, &second));
    let arrived = row.house.instance().join("inbox").join(second.file_name().expect("a name"));
    fs::rename(&second, arrived).expect("moved");
    row.go("receive inbox", &["receive", "--instance", "{instance}"], &["core-package-duplicate"]);
    let config = row.house.instance().join("azekura.toml");
    let text_of = fs::read_to_string(&config).expect("readable");
    let often = text_of.replace("compact_above_files = 8", "compact_above_files = 1");
    assert_ne!(often, text_of);
    fs::write(&config, often).expect("written");
    row.go("ingest and compact", &["ingest", "--instance", "{instance}"], &[]);
    let files = row.house.instance().join("lake/source_file").join(PROVIDER);
    assert_eq!(fs::read_dir(files).expect("listable").count(), 1, "the files of two packages were put together");
    row.go("link", &["link", "--instance", "{instance}"], &[]);
    let records = row.house.sql("select distinct record_id as r from person order by r");
    let record = |n: usize| records[n]["r"].to_string();
    let two = [record(0), record(1)];
    let word =
        ["link", "decide", "--instance", "{instance}", &two[0], &two[1], "--as", "different", "--reason", "document", "--clerk"];
    row.go("first word", &[&word[..], &["suzuki"]].concat(), &[]);
    row.go("second word", &[&word[..], &["tanaka"]].concat(), &[]);
    let person = |id| ["opt-out", "--instance", "{instance}", "--provider", PROVIDER, "--patient", id];
    row.go("opt-out", &person(IDS[2]), &[]);
    row.go("withdraw", &[&person(IDS[2])[..], &["--withdraw"]].concat(), &["core-opt-out-none"]);
    row.go("erase", &[&person(IDS[0])[..], &["--erase"]].concat(), &[]);

    let profile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/pseudonymized.toml");
    let out = row.go("plan", &["dataset", "plan", "--instance", "{instance}", "--profile", text(&profile)], &[]);
    let planned: serde_json::Value = serde_json::from_slice(&out.stdout).expect("an answer");
    let id = planned["id"].as_str().expect("an id").to_owned();
    let review = ["dataset", "review", &id, "--decision", "approve"];
    row.signed("first review", &review, "member-1", &["governance-member-twice"]);
    row.signed("second review", &review, "member-2", &["governance-member-twice"]);
    row.signed("last review", &review, "member-3", &["governance-member-twice", "governance-wrong-state"]);
    row.go("make", &["dataset", "make", "--instance", "{instance}", &id], &["governance-wrong-state"]);
    row.signed("first approval", &["dataset", "approve", &id], "officer-1", &["governance-officer-twice"]);
    row.signed("second approval", &["dataset", "approve", &id], "officer-2", &["governance-officer-twice"]);
    let approved = row.house.copy();
    row.go("deliver", &["dataset", "deliver", "--instance", "{instance}", &id], &["core-dataset-delivered-before"]);
    // The same again from before the delivery: somebody inside has everything erased, and with it what was made.
    row.first = Some(std::mem::replace(&mut row.house, approved));
    row.go("erase everywhere", &[&person(IDS[2])[..], &["--erase", "--everywhere"]].concat(), &[]);
    row
}
