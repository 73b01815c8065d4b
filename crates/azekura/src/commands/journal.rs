use std::path::PathBuf;

use ledger::Mode;
use messages::Message;
use pipeline::journal;

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Show entries.
    Show {
        #[command(flatten)]
        place: Where,
        /// First entry.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many at the most.
        #[arg(long, default_value_t = 100)]
        most: u64,
    },
    /// Recompute the whole journal, its signatures, and the rows of the ledger that it vouches for.
    Verify {
        #[command(flatten)]
        place: Where,
        /// A checkpoint that somebody kept: the journal must still contain it.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// Read every sealed file and every page of the ledger as well.
        #[arg(long)]
        deep: bool,
    },
    /// Go on with an earlier copy of the ledger, where the newest is lost: what was entered since is lost with it.
    Accept {
        #[command(flatten)]
        place: Where,
        /// What happened, as the journal will say. It must not name a person.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Write a proof that an entry is in the journal; without an entry, export the whole journal for an auditor.
    Prove {
        #[command(flatten)]
        place: Where,
        /// Number of the entry.
        #[arg(long)]
        entry: Option<u64>,
        /// File for the proof, directory for the export. Without it, standard output.
        #[arg(long, value_name = "PATH")]
        out: Option<PathBuf>,
    },
}

pub fn run(command: Command, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::Show { place, from, most } => {
            let (entries, all) = access.with(&place, Mode::Reader, async |i| Ok(journal::show(i, from, most).await?))?;
            let line = |e: &journal::Line| {
                Message::new("core-journal-line")
                    .with("seq", e.seq)
                    .with("time", &e.time)
                    .with("actor", &e.actor)
                    .with("event", &e.event)
                    .with("purpose", &e.purpose)
            };
            let mut lines: Vec<Message> = entries.iter().map(line).collect();
            let next = from.saturating_add(entries.len() as u64);
            if next < all {
                lines.push(Message::new("core-journal-more").with("count", all - next).with("next", next));
            }
            shown.result(&entries, &lines);
            Ok(Outcome::Done)
        }
        Command::Accept { place, reason } => {
            let lost = access.with_behind(&place, async |i| Ok(pipeline::standing::accept(i, &reason).await?))?;
            let entries = lost.entries.map_or_else(|| "?".to_owned(), |n| n.to_string());
            let mut lines = vec![Message::new("core-ledger-accepted").with("lost", entries)];
            if lost.files > 0 {
                let providers = lost.providers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let providers = if providers.is_empty() { "-".to_owned() } else { providers };
                lines.push(Message::new("core-ledger-files-lost").with("files", lost.files).with("providers", providers));
            }
            let json = serde_json::json!({
                "entries_lost": lost.entries, "files_lost": lost.files, "providers": lost.providers,
            });
            shown.result(&json, &lines);
            Ok(Outcome::Done)
        }
        Command::Verify { place, checkpoint, deep } => {
            let found =
                access.with(&place, Mode::Reader, async |i| Ok(journal::verify(i, checkpoint.as_deref(), deep).await?))?;
            let mut lines = vec![Message::new("core-journal-verified").with("entries", found.entries).with("root", &found.root)];
            lines.extend(found.messages.iter().map(|f| Message::new("core-journal-fault").with("fault", f.text(shown.lang))));
            shown.result(&found, &lines);
            Ok(if found.faults.is_empty() { Outcome::Done } else { Outcome::FoundWrong })
        }
        Command::Prove { place, entry, out } => {
            let text = access.with(&place, Mode::Reader, async |i| Ok(journal::prove(i, entry, out.as_deref()).await?))?;
            match out {
                Some(path) => {
                    shown.result(
                        &serde_json::json!({ "path": path }),
                        &[Message::new("core-journal-proof").with("path", path.display())],
                    );
                }
                None => print!("{text}"),
            }
            Ok(Outcome::Done)
        }
    }
}
