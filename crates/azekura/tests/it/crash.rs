//! Whatever breaks, the same command again leads to the same end: the program is killed, loses power, meets an error or a
//! full disk at a spread of its steps, and at moments of no choosing.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::kit::{House, IDS, PROVIDER, files, samples, text};

/// One command of the main job, on an instance where all before it are done.
struct Step {
    name: &'static str,
    args: Vec<String>,
    before: House,
    /// What an undisturbed run makes of it.
    end: BTreeMap<String, String>,
    /// Steps at which it can break.
    points: usize,
    took: Duration,
}

/// What can be seen of an instance from outside, without what differs by chance.
fn state(house: &House) -> BTreeMap<String, String> {
    let mut state: BTreeMap<String, String> = house.rows().into_iter().collect();
    for dataset in house.on(&["dataset", "list"]).done().as_array().expect("data sets") {
        state.insert("data set".to_owned(), dataset["state"].as_str().unwrap_or("").to_owned());
    }
    let instance = house.instance();
    let entries = |dir: &str| -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(instance.join(dir))
            .map(|all| all.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect())
            .unwrap_or_default();
        names.sort();
        names
    };
    state.insert("kept packages".to_owned(), entries("packages").join(" "));
    state.insert("receipts".to_owned(), entries(&format!("outbox/{PROVIDER}")).into_iter().filter(|n| n != "pending").collect());
    state.insert("pending".to_owned(), entries(&format!("pending/{PROVIDER}")).join(" "));
    state.insert("deliveries".to_owned(), entries("outbox/recipient").join(" "));
    state.insert("sealed files".to_owned(), entries("sealed").len().to_string());
    let mut words: BTreeMap<String, usize> = BTreeMap::new();
    for entry in house.journal() {
        *words.entry(entry["event"].as_str().unwrap_or("").to_owned()).or_default() += 1;
    }
    for once in ["package_received", "package_moved", "package_destroyed", "delivered"] {
        state.insert(format!("journalled {once}"), words.get(once).copied().unwrap_or(0).to_string());
    }
    state.insert("faults".to_owned(), house.faults().join("; "));
    state
}

fn run(house: &House, args: &[String]) -> crate::kit::Said {
    house.on(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The sequence, each command with the instance as it stands before it.
fn steps() -> (House, Vec<Step>) {
    let house = House::new();
    house.notified(&IDS);
    let package = house.tree(1, &files(&samples("synthetic-twins"), |_| true));
    let mut steps = Vec::new();
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<String>>();
    let mut go = |name, args: Vec<String>| {
        let before = house.copy();
        let trace = house.path().join("trace");
        let _ = fs::remove_file(&trace);
        let mut command = house.command(&house.with_instance(&args.iter().map(String::as_str).collect::<Vec<_>>()));
        let began = Instant::now();
        let out = command.env("AZEKURA_FAILPOINT_TRACE", &trace).output().expect("the program");
        let took = began.elapsed();
        assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stdout));
        let points = fs::read_to_string(&trace).unwrap_or_default().lines().count();
        assert!(points > 5, "{name} has {points} steps to break");
        steps.push(Step { name, args, before, end: state(&house.copy()), points, took });
    };
    go("receive", words(&["receive", text(&package)]));
    go("ingest", words(&["ingest"]));
    go("link", words(&["link"]));
    go("opt-out", words(&["opt-out", "--provider", PROVIDER, "--patient", IDS[0], "--erase"]));
    let id = house.planned();
    go("make", words(&["dataset", "make", &id]));
    house.approve(&id);
    go("deliver", words(&["dataset", "deliver", &id]));
    // The package that is received lies in it.
    (house, steps)
}

/// Runs a command to its end on an instance where it broke, and holds the end against the undisturbed one.
fn mended(step: &Step, house: &House, what: &str) {
    let again = run(house, &step.args);
    // What was through before the break is refused as done; the end is the same.
    assert!(matches!(again.status, Some(0 | 1)), "{} after {what}: {}", step.name, again.all);
    let end = state(house);
    assert_eq!(end, step.end, "{} after {what}; again: {}", step.name, again.all);
}

/// Breaks a command at its n-th step.
fn broken_at(step: &Step, n: usize, action: &str) {
    let house = step.before.copy();
    let kept = house.path().join("powerloss");
    fs::create_dir(&kept).expect("made");
    let what = format!("{action} at step {n} of {}", step.points);
    let args: Vec<&str> = step.args.iter().map(String::as_str).collect();
    let mut command = house.command(&house.with_instance(&args));
    command.env("AZEKURA_FAILPOINT", format!("#{n}={action}")).env("AZEKURA_POWERLOSS_DIR", &kept);
    let out = command.output().expect("the program");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    match action {
        "kill" | "powerloss" => assert!(out.status.code().is_none() || out.status.success(), "{} {what}: {said}", step.name),
        // An error after the last commit may be of no matter to the result; any other ends the command with its reason.
        _ => assert!(matches!(out.status.code(), Some(0 | 1)), "{} {what}: {said}", step.name),
    }
    if action == "full" && !out.status.success() {
        assert!(said.contains("\"error\":\"core-"), "{} {what}: no clear error: {said}", step.name);
    }
    mended(step, &house, &what);
}

/// Kills a command at a moment.
fn killed_after(step: &Step, moment: Duration) {
    let house = step.before.copy();
    let args: Vec<&str> = step.args.iter().map(String::as_str).collect();
    let mut command = house.command(&house.with_instance(&args));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program");
    std::thread::sleep(moment);
    let _ = child.kill();
    let _ = child.wait();
    mended(step, &house, &format!("a kill after {moment:?}"));
}

/// Breaks of each kind in a command.
const SPREAD: usize = 7;
/// Kills at moments of no choosing, over all commands.
const KILLS: usize = 60;

#[test]
fn whatever_breaks_the_same_command_again_leads_to_the_same_end() {
    let (_house, steps) = steps();
    let mut work: Vec<Box<dyn Fn() + Send + Sync + '_>> = Vec::new();
    for step in &steps {
        for (shift, action) in ["kill", "powerloss", "error", "full"].into_iter().enumerate() {
            let spread = SPREAD.min(step.points);
            for i in 0..spread {
                // The kinds break at different steps, so that together they come to more of them.
                let n = (i * step.points + shift * step.points / 4) / spread + 1;
                work.push(Box::new(move || broken_at(step, n.min(step.points), action)));
            }
        }
    }
    // A fixed sequence: a failure comes again.
    let mut seed: u64 = 20_260_401;
    for i in 0..KILLS {
        let step = &steps[i % steps.len()];
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = step.took.mul_f64((seed >> 33) as f64 / f64::from(u32::MAX >> 1));
        work.push(Box::new(move || killed_after(step, moment)));
    }
    let (next, failed) = (AtomicUsize::new(0), std::sync::Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(one) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(one)) {
                        let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
                        failed.lock().expect("no panic while held").push(why);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no panic while held");
    assert!(failed.is_empty(), "{} of {} breaks:\n{}", failed.len(), work.len(), failed.join("\n\n"));
}
