//! Memory does not grow with what is sent.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::bench::{command, file, text};

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

#[test]
fn a_file_of_many_people_is_filtered_within_the_same_bounds() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tree, no) = (dir.path().join("tree"), dir.path().join("opt-outs.csv"));
    fs::create_dir_all(&tree).expect("made");
    let block: String = (0..8_000u32)
        .map(|n| format!("139999991\t{:010}\t20240621\t20240610\t60\t{n:04}\t000\tH008010\t160008010\tD005\tname\r\n", n / 40))
        .collect();
    let mut file = File::create(tree.join("EFn_139999991_2406.txt")).expect("made");
    for _ in 0..160 {
        file.write_all(block.as_bytes()).expect("written");
    }
    drop(file);
    fs::write(&no, "patient,requester,scope,date\n7,person,,2024-05-01\n").expect("written");
    let mut command = command(&tree, &dir.path().join("out"));
    let args: Vec<String> = command.get_args().map(|a| a.to_string_lossy().replace("ssmix2", "dpc")).collect();
    command = Command::new(env!("CARGO_BIN_EXE_azekura-send"));
    command.args(args).args(["--opt-outs", text(&no)]);
    let peak = peak(command.stdout(Stdio::null()).spawn().expect("the program"));
    assert!(peak > 0 && peak < 64 * 1024, "{peak} kB");
}
