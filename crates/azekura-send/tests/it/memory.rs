//! Memory does not grow with what is sent.

use std::fs::{self, File};
use std::process::Stdio;
use std::time::Duration;

use crate::bench::{command, file};

/// Peak resident memory of a child in kB, read while it lives.
fn peak(mut child: std::process::Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kb = line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse().ok());
        peak = peak.max(kb.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(child.wait().expect("a child").success());
    peak
}

#[test]
fn three_hundred_megabytes_are_sealed_within_sixty_four() {
    let dir = tempfile::tempdir().expect("a directory");
    let tree = dir.path().join("tree");
    let large = file(&tree, "0000000123", "");
    // A sparse file: 300 MB to read, nothing on the disk.
    File::create(large).and_then(|f| f.set_len(300 << 20)).expect("made");
    let child = command(&tree, &dir.path().join("out")).stdout(Stdio::null()).spawn().expect("the program");
    let peak = peak(child);
    assert!(peak > 0 && peak < 64 * 1024, "{peak} kB");
}
