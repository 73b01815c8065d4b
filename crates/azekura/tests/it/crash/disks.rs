//! Real disks that are full or read-only: a small one in memory, mounted where nobody else sees it. What the failpoints
//! cannot reach (the database's own files) is reached here. Mounting takes the rights of root; without them there are
//! the failpoints alone.

use std::path::Path;
use std::process::Command;

use super::breaks::sound;
use super::state::{differences, state};
use super::steps::{Ended, Step};
use crate::kit::House;

/// Whether this user may mount.
pub fn mountable() -> bool {
    let tried = Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).output();
    tried.is_ok_and(|out| out.status.success())
}

/// Runs `script` in a mount namespace of its own; `$DISK` is where a disk can be mounted, `$HOUSE` the house.
fn privately(house: &House, script: &str) -> std::process::Output {
    let disk = house.path().join("disk");
    std::fs::create_dir_all(&disk).expect("made");
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-ec", script]).env("DISK", &disk).env("HOUSE", house.path());
    command.env("AZEKURA_PASSPHRASE_FILE", house.path().join("pass")).env("USER", "tester");
    command.output().expect("unshare")
}

/// The words of a command for a shell.
fn quoted(step: &Step, house: &House, instance: &Path) -> String {
    let command = step.command(house, instance);
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|w| format!("'{}'", w.to_str().expect("a word"))).collect::<Vec<_>>().join(" ")
}

/// Runs a command on a disk made as `spoil` says, then the same command on the disk made well as `mend` says. The house
/// is as both left it; what the first said is given back.
fn on_a_disk(step: &Step, house: &House, size: &str, spoil: &str, mend: &str) -> Ended {
    let run = quoted(step, house, &house.path().join("disk/instance"));
    let script = format!(
        r#"
        mount -t tmpfs -o size=1g none "$DISK"
        if [ -d "$HOUSE/instance" ]; then cp -a "$HOUSE/instance" "$DISK/"; fi
        used=$(df -k --output=used "$DISK" | tail -1)
        {spoil}
        set +e
        {run} >"$HOUSE/first.out" 2>"$HOUSE/first.err"; first=$?
        set -e
        rm -rf "$HOUSE/instance" "$HOUSE/broken"
        if [ -d "$DISK/instance" ]; then cp -a "$DISK/instance" "$HOUSE/broken"; fi
        {mend}
        set +e
        {run} >"$HOUSE/second.out" 2>"$HOUSE/second.err"; second=$?
        set -e
        cp -a "$DISK/instance" "$HOUSE/instance"
        echo "$first $second"
        "#
    );
    let script = script.replace("{size}", size);
    let out = privately(house, &script);
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{}: {told} {}", step.name, String::from_utf8_lossy(&out.stderr));
    let ended = |n: usize, which: &str| {
        use std::os::unix::process::ExitStatusExt as _;
        let code: i32 = told.split_whitespace().nth(n).and_then(|c| c.parse().ok()).expect("a status");
        assert!(code < 126, "{}: the {which} command ended with status {code}", step.name);
        let read = |ending: &str| std::fs::read(house.path().join(format!("{which}.{ending}"))).expect("readable");
        Ended::of(std::process::Output {
            status: std::process::ExitStatus::from_raw(code << 8),
            stdout: read("out"),
            stderr: read("err"),
        })
    };
    let (first, second) = (ended(0, "first"), ended(1, "second"));
    assert!(step.is_done(&second), "{} on a mended disk: {}", step.name, second.said);
    let wrong = differences(&step.end, &state(house));
    assert!(wrong.is_empty(), "{} on a mended disk; first {}\nthen {}\n{}", step.name, first.said, second.said, wrong.join("\n"));
    first
}

fn failed_with(step: &Step, house: &House, first: &Ended, code: &str) {
    assert_eq!(first.output.status.code(), Some(1), "{}: {}", step.name, first.said);
    assert_eq!(first.code, code, "{}: {}", step.name, first.said);
    // The instance as the first command left it, looked at in the place of a house.
    if step.name != "init" {
        let left = house.copy();
        std::fs::remove_dir_all(left.instance()).expect("removed");
        std::fs::rename(left.path().join("broken"), left.instance()).expect("moved");
        sound(step, &left, code);
    }
}

/// A disk that takes no writes.
pub fn read_only(step: &Step) {
    let house = step.before.copy();
    let first = on_a_disk(step, &house, "", r#"mount -o remount,ro "$DISK""#, r#"mount -o remount,rw "$DISK""#);
    failed_with(step, &house, &first, "core-disk-read-only");
}

/// A disk with so many KiB left. Whether the command fitted.
pub fn full(step: &Step, left: u32) -> bool {
    let house = step.before.copy();
    let spoil = r#"mount -o remount,size=$((used + {size}))k "$DISK""#;
    let first = on_a_disk(step, &house, &left.to_string(), spoil, r#"mount -o remount,size=1g "$DISK""#);
    if first.output.status.success() {
        return true;
    }
    failed_with(step, &house, &first, "core-disk-full");
    false
}
