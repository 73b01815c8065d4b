//! Ways to break a command, and what has to hold afterwards.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::state::{differences, state};
use super::steps::{Ended, Step};
use crate::kit::House;

const KILL: i32 = 9;

/// What was done to the program, over all threads.
#[derive(Default)]
pub struct Tally {
    /// Commands that were broken.
    pub breaks: AtomicUsize,
    /// Commands that ended by SIGKILL, at a chosen step or a moment.
    pub killed: AtomicUsize,
    /// The same at moments of no choosing, and after a power loss.
    pub at_moments: AtomicUsize,
    pub power_lost: AtomicUsize,
    /// Commands that ended by themselves before the break came.
    pub escaped: AtomicUsize,
}

fn one_more(count: &AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
}

/// Runs a command to its end on an instance where it broke, and holds the end against the undisturbed one.
fn mended(step: &Step, house: &House, what: &str) {
    let again = step.run(house);
    assert!(step.is_done(&again), "{} after {what}: {:?} {}", step.name, again.output.status, again.said);
    let wrong = differences(&step.end, &state(house));
    assert!(wrong.is_empty(), "{} after {what}, again: {}\n{}", step.name, again.said, wrong.join("\n"));
}

/// Breaks a command at a step (`NAME`, `NAME#N` or `#N`).
pub fn at(step: &Step, place: &str, action: &str, tally: &Tally) {
    let house = step.before.copy();
    let kept = house.path().join("powerloss");
    fs::create_dir(&kept).expect("made");
    let what = format!("{action} at {place}");
    let mut command = step.command(&house, &house.instance());
    command.env("AZEKURA_FAILPOINT", format!("{place}={action}")).env("AZEKURA_POWERLOSS_DIR", &kept);
    let ended = Ended::of(command.output().expect("the program"));
    one_more(&tally.breaks);
    let status = ended.output.status;
    match (action, status.signal()) {
        ("kill" | "powerloss", Some(KILL)) => {
            one_more(&tally.killed);
            if action == "powerloss" {
                one_more(&tally.power_lost);
            }
        }
        ("kill" | "powerloss", None) if status.success() => panic!("{} {what}: never came there", step.name),
        (_, None) => failed_well(step, &house, &ended, place, action),
        (_, Some(signal)) => panic!("{} {what}: ended by signal {signal}: {}", step.name, ended.said),
    }
    mended(step, &house, &what);
}

/// After a step that failed the command says what it was, and nothing of it is half there.
fn failed_well(step: &Step, house: &House, ended: &Ended, place: &str, action: &str) {
    let what = format!("{action} at {place}");
    let status = ended.output.status;
    assert!(matches!(status.code(), Some(0 | 1)), "{} {what}: {status:?} {}", step.name, ended.said);
    assert!(!ended.said.contains("panicked"), "{} {what}: {}", step.name, ended.said);
    if status.success() {
        let point = point_of(step, place);
        assert!(of_no_matter(step, point), "{} {what}: it says that all is well after {point} failed", step.name);
        return;
    }
    let wanted = match action {
        "full" => "core-disk-full",
        "readonly" => "core-disk-read-only",
        _ => "core-",
    };
    assert!(ended.code.starts_with(wanted), "{} {what}: no clear error: {}", step.name, ended.said);
    sound(step, house, &what);
}

/// The kind of step that a place (`NAME#N` or `#N`) is.
fn point_of<'a>(step: &'a Step, place: &'a str) -> &'a str {
    match place.split_once('#') {
        Some(("", nth)) => nth.parse().ok().and_then(|n: usize| step.points.get(n - 1)).map_or(place, String::as_str),
        Some((name, _)) => name,
        None => place,
    }
}

/// Steps that may fail while the command goes on: removing what nobody needs any more, and emptying the inbox.
fn of_no_matter(step: &Step, point: &str) -> bool {
    matches!(point, "remove" | "remove_tree" | "remove_tree.part")
        || (step.name.starts_with("receive") && matches!(point, "rename" | "rename.after" | "sync_dir" | "sync_dir.after"))
}

/// An instance on which a command failed is one on which the journal and the rows agree.
pub fn sound(step: &Step, house: &House, what: &str) {
    if step.name != "init" {
        assert_eq!(state(house)["faults"], "", "{} {what}: half a commit", step.name);
    }
}

/// Kills a command at a moment.
pub fn after(step: &Step, moment: Duration, tally: &Tally) {
    let house = step.before.copy();
    let mut command = step.command(&house, &house.instance());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program");
    std::thread::sleep(moment);
    let _ = child.kill();
    let status = child.wait().expect("a status");
    one_more(&tally.breaks);
    match status.signal() {
        Some(KILL) => {
            one_more(&tally.killed);
            one_more(&tally.at_moments);
        }
        None => one_more(&tally.escaped),
        Some(signal) => panic!("{}: ended by signal {signal} before a kill after {moment:?}", step.name),
    }
    mended(step, &house, &format!("a kill after {moment:?}"));
}

/// Holds a command still in its middle, and lets the same command come second: it is refused or waits, and disturbs
/// nothing.
pub fn beside(step: &Step, place: &str) {
    let house = step.before.copy();
    let mut first = step.command(&house, &house.instance());
    first.env("AZEKURA_FAILPOINT", format!("{place}=stop")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut first = first.spawn().expect("the program");
    let over = Instant::now() + Duration::from_secs(60);
    let stopped = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", first.id())).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
    };
    while !stopped() {
        assert!(Instant::now() < over, "{}: never came to {place}", step.name);
        std::thread::sleep(Duration::from_millis(2));
    }
    let second = step.run(&house);
    let go_on = rustix::process::Pid::from_child(&first);
    rustix::process::kill_process(go_on, rustix::process::Signal::CONT).expect("continued");
    let status = first.wait().expect("a status");
    assert_eq!(second.code, "core-instance-busy", "{}: the second was not refused: {}", step.name, second.said);
    assert!(status.success(), "{}: the first was disturbed: {status:?}", step.name);
    let wrong = differences(&step.end, &state(&house));
    assert!(wrong.is_empty(), "{} with a second beside it:\n{}", step.name, wrong.join("\n"));
}
