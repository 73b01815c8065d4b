use std::path::PathBuf;

use ledger::Mode;
use messages::Message;
use pipeline::notices;
use terms::{NoticeScope, ProviderId};

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Record that a provider began to notify, and whom it had contact with since.
    Add(Add),
}

#[derive(clap::Args)]
pub struct Add {
    #[command(flatten)]
    place: Where,
    /// Which provider notifies.
    #[arg(long)]
    provider: ProviderId,
    /// What the notice covers, separated by commas: anonymized, pseudonymized.
    #[arg(long, value_delimiter = ',', required = true)]
    scope: Vec<NoticeScope>,
    /// Day on which the notice began (YYYY-MM-DD).
    #[arg(long)]
    from: jiff::civil::Date,
    /// CSV with the columns patient,date,addressee,method: first contacts since, and individual letters.
    #[arg(long, value_name = "FILE")]
    contacts: Option<PathBuf>,
}

pub fn run(command: Command, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    let Command::Add(args) = command;
    let new = notices::New { provider: args.provider, scopes: args.scope, from: args.from, contacts: args.contacts };
    let added = access.with(&args.place, Mode::Writer, async |i| Ok(notices::add(i, new).await?))?;
    let mut lines = vec![Message::new("core-notice-added").with("contacts", added.contacts)];
    if added.bad_lines > 0 {
        let at = added.bad_at.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let at = if added.bad_lines > added.bad_at.len() as u64 { format!("{at}, …") } else { at };
        lines.push(Message::new("core-notice-bad-lines").with("lines", added.bad_lines).with("at", at));
    }
    shown.result(&added, &lines);
    Ok(if added.bad_lines == 0 { Outcome::Done } else { Outcome::FoundWrong })
}
