use std::path::PathBuf;

use ledger::{Mode, PartyKind};
use messages::Message;
use pipeline::parties;

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Register one with its certificate.
    Add(Add),
    /// List them.
    List {
        #[command(flatten)]
        place: Where,
    },
}

#[derive(clap::Args)]
pub struct Add {
    #[command(flatten)]
    place: Where,
    /// Id: for a provider the 10-digit code of the institution.
    #[arg(long)]
    id: String,
    /// Certificate (PEM). It is pinned: only this one is accepted.
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// Name.
    #[arg(long, default_value = "")]
    name: String,
    /// For providers: how patient ids are made one. digits: leading zeros do not count; text: they do.
    #[arg(long, value_name = "RULE", default_value = "digits")]
    patient_ids: parties::IdRule,
}

pub fn run(command: Command, kind: PartyKind, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::Add(args) => {
            let new = parties::New { kind, id: args.id, certificate: args.cert, name: args.name, patient_ids: args.patient_ids };
            let added = access.with(&args.place, Mode::Writer, async |i| Ok(parties::add(i, new).await?))?;
            let line = Message::new("core-party-added").with("id", &added.id).with("fingerprint", &added.fingerprint);
            shown.result(&added, &[line]);
        }
        Command::List { place } => {
            let all = access.with(&place, Mode::Reader, async |i| Ok(parties::list(i, kind).await?))?;
            let line = |p: &parties::Listed| {
                Message::new("core-party-line").with("id", &p.id).with("status", &p.status).with("fingerprint", &p.fingerprint)
            };
            shown.result(&all, &all.iter().map(line).collect::<Vec<_>>());
        }
    }
    Ok(Outcome::Done)
}
