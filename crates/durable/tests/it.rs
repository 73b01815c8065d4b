//! The simulation itself: a child process of this test binary writes, breaks where it is told to, and the parent looks
//! at what is left.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::{env, fs};

/// Runs `child` below in a process of its own with a failpoint.
fn run(dir: &Path, failpoint: &str) -> ExitStatus {
    let keep = dir.with_extension("kept");
    fs::create_dir_all(&keep).expect("a place for the simulation");
    Command::new(env::current_exe().expect("this binary"))
        .args(["--exact", "child", "--nocapture"])
        .env("DURABLE_CHILD", dir)
        .env("AZEKURA_FAILPOINT", failpoint)
        .env("AZEKURA_POWERLOSS_DIR", keep)
        .output()
        .expect("it runs")
        .status
}

#[test]
fn child() {
    if let Some(dir) = env::var_os("DURABLE_CHILD") {
        durable::write_atomic(&Path::new(&dir).join("file"), b"new").expect("written");
    }
}

#[test]
fn whatever_step_the_power_goes_at_a_file_is_old_or_new_and_never_between() {
    let mut broke = 0;
    for step in 1..40 {
        let base = tempfile::tempdir().expect("a directory");
        let dir = base.path().join("d");
        fs::create_dir(&dir).expect("made");
        durable::write_atomic(&dir.join("file"), b"old").expect("written");
        let status = run(&dir, &format!("#{step}=powerloss"));
        let content = fs::read(dir.join("file")).expect("there is always a file");
        assert!(content == b"old" || content == b"new", "step {step}: {content:?}");
        if status.signal() == Some(9) {
            broke += 1;
        } else {
            assert_eq!(content, b"new");
            break;
        }
    }
    assert!(broke >= 6, "the write has several steps to break at, {broke} were reached");
}

#[test]
fn a_name_that_was_not_synced_is_forgotten_by_the_simulated_disk() {
    let base = tempfile::tempdir().expect("a directory");
    let dir = base.path().join("d");
    fs::create_dir(&dir).expect("made");
    durable::write_atomic(&dir.join("file"), b"old").expect("written");
    assert_eq!(run(&dir, "rename.after=powerloss").signal(), Some(9));
    assert_eq!(fs::read(dir.join("file")).expect("readable"), b"old", "the rename was not synced");
    assert_eq!(run(&dir, "rename.after=kill").signal(), Some(9));
    assert_eq!(fs::read(dir.join("file")).expect("readable"), b"new", "a mere kill forgets nothing");
}

#[test]
fn a_full_disk_is_an_error_and_leaves_the_old_file() {
    let base = tempfile::tempdir().expect("a directory");
    let dir = base.path().join("d");
    fs::create_dir(&dir).expect("made");
    durable::write_atomic(&dir.join("file"), b"old").expect("written");
    let status = run(&dir, "write=full");
    assert!(!status.success() && status.signal().is_none());
    assert_eq!(fs::read(dir.join("file")).expect("readable"), b"old");
    assert_eq!(fs::read_dir(&dir).expect("listable").count(), 1, "no half file stays");
}
