use std::path::PathBuf;

use ledger::{Mode, PartyKind, PartyStatus};
use messages::Message;
use pipeline::parties;

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Register one with its certificate.
    Add(Add),
    /// Pin another certificate, when one expires or its key may be in other hands.
    Renew {
        #[command(flatten)]
        place: Where,
        #[arg(long)]
        id: String,
        /// Certificate (PEM) that counts from now on.
        #[arg(long, value_name = "FILE")]
        cert: PathBuf,
    },
    /// Take one out for a time: until it is resumed nothing of it is taken in, nothing goes to it, and no signature of it counts. What came in
    /// before stays in.
    Suspend(One),
    /// Let a suspended one take part again; what it signed before counts again. If its key was in other hands, end it instead.
    Resume(One),
    /// End one for good. What it signed before stands, unless it was suspended: then nothing of it counts any more.
    End(One),
    /// List them.
    List {
        #[command(flatten)]
        place: Where,
    },
}

#[derive(clap::Args)]
pub struct One {
    #[command(flatten)]
    place: Where,
    #[arg(long)]
    id: String,
}

#[derive(clap::Args)]
pub struct Add {
    #[command(flatten)]
    place: Where,
    /// Id: for a provider the 10-digit code of the institution, for an insurer its number (保険者番号).
    #[arg(long)]
    id: String,
    /// Certificate (PEM). It is pinned: only this one is accepted.
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// Name.
    #[arg(long, default_value = "")]
    name: String,
    /// For providers: how patient ids are made one. digits: leading zeros do not count; text: they do. insured: the provider is an insurer, which
    /// has no patient numbers, and sends claims and checkups of people who are known by card, birth, sex and name.
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
        Command::Renew { place, id, cert } => {
            let now = access.with(&place, Mode::Writer, async |i| Ok(parties::renew(i, kind, &id, &cert).await?))?;
            let line = Message::new("core-party-renewed").with("id", &now.id).with("fingerprint", &now.fingerprint);
            shown.result(&now, &[line]);
        }
        Command::Suspend(one) => status(one, kind, PartyStatus::Paused, access, shown)?,
        Command::Resume(one) => status(one, kind, PartyStatus::Active, access, shown)?,
        Command::End(one) => status(one, kind, PartyStatus::Ended, access, shown)?,
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

fn status(one: One, kind: PartyKind, status: PartyStatus, access: &Access, shown: &Shown) -> Result<(), Failure> {
    let now = access.with(&one.place, Mode::Writer, async |i| Ok(parties::set_status(i, kind, &one.id, status).await?))?;
    let line =
        Message::new("core-party-line").with("id", &now.id).with("status", &now.status).with("fingerprint", &now.fingerprint);
    shown.result(&now, &[line]);
    Ok(())
}
