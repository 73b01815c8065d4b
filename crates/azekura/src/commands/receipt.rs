use ledger::Mode;
use messages::Message;
use pipeline::ingest;
use terms::PackageId;

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Subcommand)]
pub enum Command {
    /// List the packages whose receipts did not leave, and never will: their providers are to be told in another way.
    List {
        #[command(flatten)]
        place: Where,
    },
    /// Note that a provider was told in another way.
    Told {
        #[command(flatten)]
        place: Where,
        /// The package.
        package: PackageId,
        /// How and when, as the journal will say. It must not name a patient.
        #[arg(long, value_name = "TEXT")]
        how: String,
    },
}

pub fn run(command: Command, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::List { place } => {
            let all = access.with(&place, Mode::Reader, async |i| Ok(ingest::untold(i).await?))?;
            let line = |u: &ingest::Untold| {
                Message::new("core-receipt-line")
                    .with("package", u.package)
                    .with("provider", u.provider.as_ref().map(ToString::to_string).unwrap_or_default())
                    .with("sequence", u.sequence.unwrap_or_default())
                    .with("what", Message::new(u.reason).text(shown.lang))
            };
            let mut lines: Vec<Message> = all.iter().map(line).collect();
            if lines.is_empty() {
                lines.push(Message::new("core-receipt-none"));
            }
            shown.result(&all, &lines);
        }
        Command::Told { place, package, how } => {
            access.with(&place, Mode::Writer, async |i| Ok(ingest::told(i, package, &how).await?))?;
            let line = Message::new("core-receipt-told").with("package", package);
            shown.result(&serde_json::json!({ "package": package, "told": true }), &[line]);
        }
    }
    Ok(Outcome::Done)
}
