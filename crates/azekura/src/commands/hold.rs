use ledger::Mode;
use messages::Message;
use pipeline::holds;
use terms::RecordId;

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Subcommand)]
pub enum Command {
    /// List records that are held back, with the reason and the package.
    List {
        #[command(flatten)]
        place: Where,
    },
    /// Let a record go that a package's files put on hold, once somebody has looked and the provider has put it right.
    Release {
        #[command(flatten)]
        place: Where,
        #[arg(long, value_name = "N")]
        record: i64,
        /// Why, as the journal will say. It must not name a person.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub fn run(command: Command, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::List { place } => {
            let all = access.with(&place, Mode::Reader, async |i| Ok(holds::list(i).await?))?;
            let line = |h: &holds::Held| {
                let text = |t: Option<String>| t.unwrap_or_default();
                Message::new("core-hold-line")
                    .with("record", h.record)
                    .with("provider", text(h.provider.as_ref().map(ToString::to_string)))
                    .with("reason", &h.reason)
                    .with("package", text(h.package.map(|p| p.to_string())))
            };
            let mut lines = vec![Message::new("core-hold-count").with("count", all.len())];
            lines.extend(all.iter().map(line));
            shown.result(&all, &lines);
        }
        Command::Release { place, record, reason } => {
            let record = RecordId(record);
            let count = access.with(&place, Mode::Writer, async |i| Ok(holds::release(i, record, &reason).await?))?;
            let line = Message::new("core-hold-released").with("record", record).with("count", count);
            shown.result(&serde_json::json!({ "record": record, "released": count }), &[line]);
        }
    }
    Ok(Outcome::Done)
}
