//! Killed, cut off from power or out of room at any step, then the same command again: the same package.

use std::fs;
use std::path::Path;

use package::open_manifest;

use crate::bench::{command, file, hospital, json, producer};

fn whole(package: &Path) -> bool {
    open_manifest(package, std::slice::from_ref(&producer().identity), hospital().certificate()).is_ok()
}

/// Breaks the program at its first step, then at its second, and so on until it gets through; gives the number of steps.
fn at_every_step(action: &str) -> u32 {
    for step in 1.. {
        let dir = tempfile::tempdir().expect("a directory");
        let (tree, out, kept) = (dir.path().join("tree"), dir.path().join("out"), dir.path().join("kept"));
        fs::create_dir(&kept).expect("made");
        file(&tree, "0000000123", "MSH|one");
        file(&tree, "9000000777", &"x".repeat(300_000));
        let package = out.join("1319999991-000001.azp");
        let mut broken = command(&tree, &out);
        broken.env("AZEKURA_FAILPOINT", format!("#{step}={action}")).env("AZEKURA_POWERLOSS_DIR", &kept);
        let got_through = broken.output().expect("the program").status.success();
        assert!(!package.exists() || whole(&package), "{action} at step {step}: half a package is in place");

        let again = command(&tree, &out).output().expect("the program");
        let done = again.status.success() || json(&again)["code"] == "package-exists";
        assert!(done && whole(&package), "{action} at step {step}: {again:?}");
        assert_eq!(fs::read_dir(&out).expect("listable").count(), 1, "{action} at step {step}: something was left behind");
        if got_through {
            return step - 1;
        }
    }
    0
}

#[test]
fn killed_at_any_step_the_same_command_makes_the_same_package() {
    assert!(at_every_step("kill") > 10);
}

#[test]
fn after_a_power_loss_at_any_step_the_same_command_makes_the_same_package() {
    assert!(at_every_step("powerloss") > 10);
}

#[test]
fn on_a_full_disk_nothing_is_left_and_with_room_again_the_same_command_makes_it() {
    assert!(at_every_step("full") > 10);
}
