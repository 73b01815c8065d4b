use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use messages::Message;

use super::{Promise, Verdict};
use crate::demo::world::World;
use crate::failure::Failure;

/// Nothing that happened can be taken out of the journal: it verifies here, and with a program in another language that
/// trusts nothing of ours.
pub struct JournalHolds;

/// The verifier that an auditor has.
const VERIFIER: &str = include_str!("../../../../../tools/verify_journal.py");

impl Promise for JournalHolds {
    fn name(&self) -> &'static str {
        "journal-holds"
    }

    fn title(&self) -> &'static str {
        "demo-promise-journal-holds"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        let export = world.place.journal();
        if !export.join("entries.jsonl").exists() {
            world.wait(pipeline::journal::prove(&world.instance, None, Some(&export)))?;
        }
        fs::write(export.join("verify_journal.py"), VERIFIER)?;
        let found = world.verified()?;
        let outside = outside(&export, world)?;
        let word = match outside {
            Some(true) => "demo-outside-holds",
            Some(false) => "demo-outside-wrong",
            None => "demo-outside-missing",
        };
        let message = Message::new("demo-found-journal")
            .with("entries", found.entries)
            .with("faults", found.faults.len())
            .with("outside", word.trim_start_matches("demo-outside-"));
        let kept = found.faults.is_empty() && found.entries > 0 && outside != Some(false);
        Ok(if kept { Verdict::Kept(message) } else { Verdict::Broken(message) })
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        let copy = world.place.copy("journal")?;
        crate::demo::place::copy_tree(&world.place.journal(), &copy)?;
        let entries = copy.join("entries.jsonl");
        let text = fs::read_to_string(&entries)?;
        let middle = text.lines().count() / 2;
        let without: String =
            text.lines().enumerate().filter(|(at, _)| *at != middle).map(|(_, line)| format!("{line}\n")).collect();
        fs::remove_file(&entries)?;
        fs::write(&entries, without)?;
        let outside = outside(&copy, world)?;
        fs::remove_dir_all(&copy)?;
        Ok(match outside {
            Some(false) => Verdict::Broken(Message::new("demo-found-gap").with("entry", middle)),
            Some(true) => Verdict::Kept(Message::new("demo-found-gap").with("entry", middle)),
            // The ledger's own verification is tried by the promise about edited rows.
            None => Verdict::Skipped(Message::new("demo-no-python")),
        })
    }
}

/// What the outside verifier says of an export; nothing without Python.
fn outside(export: &Path, world: &World) -> Result<Option<bool>, Failure> {
    let status = Command::new("python3")
        .arg(export.join("verify_journal.py"))
        .arg("--key")
        .arg(world.instance.root.join("certificates").join("journal-verifier.txt"))
        .arg("export")
        .arg(export)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) => Ok(Some(status.success())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
