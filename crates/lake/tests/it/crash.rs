//! The same steps in a process of its own that is killed at any point, then run again: the same end state.

use std::fs;
use std::path::Path;
use std::process::Command;

use lake::{Blocked, Compaction};
use omop::Table;
use terms::RecordId;

use crate::house::{House, rows};

const HOME: &str = "LAKE_TEST_HOME";
const RECORDS: &str = "LAKE_TEST_RECORDS";

fn asked() -> Vec<RecordId> {
    let text = std::env::var(RECORDS).expect("records");
    text.split(',').map(|r| RecordId(r.parse().expect("a record"))).collect()
}

/// What the killed process does: sweep, one more commit, compaction, erasure of the first record. Each step is left out
/// when an earlier run did it.
#[test]
#[ignore = "runs in a process of its own, started by the test below"]
fn child() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let house = House::open(Path::new(&std::env::var(HOME).expect("a home"))).await;
        let r = asked();
        house.lake.sweep(&house.ledger, &house.actor).await.expect("swept");
        let done = house.visible().await.get(&r[1].0).is_some_and(|v| v.contains(&"late".to_owned()));
        if !done {
            house.commit(&rows(&[(r[1], &["late"]), (r[2], &["late"])]), true).await;
        }
        let how = Compaction { everything: true, ..Default::default() };
        house.lake.compact(&house.ledger, &house.actor, &how).await.expect("compacted");
        house.lake.erase(&house.ledger, &house.actor, &r[..1], None).await.expect("erased");
        house.ledger.close().await;
    });
}

/// How the process ended, and what it said last.
fn run(home: &Path, records: &str, variables: &[(&str, &str)]) -> Result<(), String> {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "crash::child", "--ignored", "--test-threads=1"]).env(HOME, home).env(RECORDS, records);
    for (name, value) in variables {
        command.env(name, value);
    }
    let out = command.output().expect("started");
    let said = [out.stdout, out.stderr].concat();
    if out.status.success() { Ok(()) } else { Err(format!("{}: {}", out.status, String::from_utf8_lossy(&said))) }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listable") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(|_| ()).expect("copied") }
    }
}

#[test]
fn killed_or_without_power_at_any_step_the_same_command_ends_in_the_same_state() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let scratch = tempfile::tempdir().expect("a directory");
    let base = scratch.path().join("base");
    fs::create_dir(&base).expect("made");
    let r = runtime.block_on(async {
        let house = House::make(&base).await;
        let r = house.records(4).await;
        house.commit(&rows(&[(r[0], &["a"]), (r[1], &["b"]), (r[2], &["c"]), (r[3], &["d"])]), false).await;
        house.commit(&rows(&[(r[0], &["a2"]), (r[3], &["d2"])]), true).await;
        house.commit_identity(&r, "東雲").await;
        house.link(&r).await;
        house.ledger.close().await;
        r
    });
    let records = r.iter().map(|r| r.0.to_string()).collect::<Vec<_>>().join(",");
    let expected = rows(&[(r[1], &["late"]), (r[2], &["late"]), (r[3], &["d2"])]);

    let trace = scratch.path().join("trace");
    let whole = scratch.path().join("whole");
    copy(&base, &whole);
    assert_eq!(run(&whole, &records, &[("AZEKURA_FAILPOINT_TRACE", &trace.display().to_string())]), Ok(()));
    let steps = fs::read_to_string(&trace).expect("a trace").lines().count();
    assert!(steps > 100, "{steps}");

    let runs = 36;
    for n in 0..runs {
        // Spread over all steps; the offset differs from action to action.
        let step = 1 + (n * steps + steps / 3) / runs;
        let action = ["kill", "powerloss", "error", "full"][n % 4];
        let home = scratch.path().join(format!("run{n}"));
        let kept = scratch.path().join(format!("kept{n}"));
        copy(&base, &home);
        fs::create_dir(&kept).expect("made");
        let spec = format!("#{step}={action}");
        let kept = kept.display().to_string();
        let fine = run(&home, &records, &[("AZEKURA_FAILPOINT", &spec), ("AZEKURA_POWERLOSS_DIR", &kept)]);
        assert!(fine.is_err(), "{spec} was not reached");
        assert_eq!(run(&home, &records, &[]), Ok(()), "after {spec} the same command goes through");
        runtime.block_on(async {
            let house = House::open(&home).await;
            let report = house.lake.sweep(&house.ledger, &house.actor).await.expect("swept");
            assert_eq!(report, lake::SweepReport::default(), "after {spec} nothing is left to put in order");
            assert_eq!(house.visible().await, expected, "{spec}");
            let snapshot = house.snapshot().await;
            assert!(snapshot.records(Table::Identity, &r[..1], Blocked::Include).expect("read").is_empty(), "{spec}");
            assert_eq!(snapshot.person_map().expect("a map").len(), 3, "{spec}");
            let living = omop::Table::ALL.iter().flat_map(|t| snapshot.files((*t).into())).count() + 1;
            assert_eq!(house.files().len(), living, "{spec}");
            for scope in ["clinical", "identity", "source"] {
                let scope = format!("{scope}/{}", house.provider).parse().expect("a scope");
                assert_eq!(house.keyring.epochs(&scope).len(), 1, "{spec}");
            }
        });
        fs::remove_dir_all(&home).expect("removed");
    }
}
