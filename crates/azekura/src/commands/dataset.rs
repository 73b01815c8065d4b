use std::path::PathBuf;

use ledger::Mode;
use messages::{Lang, Message};
use pipeline::dataset;
use seal::{Identity, Passphrase};
use terms::DatasetId;

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Take an application: a processing profile with purpose, recipient and items, or the order for a list that goes with a linkable data set.
    /// Prints its id.
    Plan {
        #[command(flatten)]
        place: Where,
        /// The profile (TOML).
        #[arg(long, value_name = "FILE")]
        profile: PathBuf,
    },
    /// Record a committee member's signed decision on an application.
    Review {
        #[command(flatten)]
        place: Where,
        id: DatasetId,
        /// approve or reject.
        #[arg(long)]
        decision: Decision,
        #[command(flatten)]
        signer: Signer,
    },
    /// Make an approved data set or list.
    Make {
        #[command(flatten)]
        place: Where,
        id: DatasetId,
        /// Of a list of linkage keys: the file that the body gave back (CSV: provision_id,linkage_key).
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
    },
    /// Write the report of a made data set (HTML) and say where.
    Report {
        #[command(flatten)]
        place: Where,
        id: DatasetId,
        /// File to write to; without it, one under reports/ of the instance.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Record an officer's signature over data set, report and profile.
    Approve {
        #[command(flatten)]
        place: Where,
        id: DatasetId,
        #[command(flatten)]
        signer: Signer,
    },
    /// Check everything once more and seal the data set to its recipient.
    Deliver {
        #[command(flatten)]
        place: Where,
        id: DatasetId,
    },
    /// End a data set for good: one that has not left is withdrawn and destroyed; of a linkable one that has left, the table by which keys are
    /// given is destroyed.
    End {
        #[command(flatten)]
        place: Where,
        id: DatasetId,
        /// Why, as the journal will say. It must not name a person.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List data sets.
    List {
        #[command(flatten)]
        place: Where,
    },
}

#[derive(clap::Args)]
pub struct Signer {
    /// Private key (PEM).
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Its certificate (PEM), as it was registered.
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// File with the passphrase of the private key, where it has one.
    #[arg(long, value_name = "FILE")]
    key_passphrase_file: Option<PathBuf>,
}

impl Signer {
    fn identity(&self) -> Result<Identity, Failure> {
        let trouble = |e: seal::SealError| Failure::Pipeline(e.into());
        let passphrase = self.key_passphrase_file.as_deref().map(Passphrase::from_file).transpose().map_err(trouble)?;
        Identity::from_files(&self.key, &self.cert, passphrase.as_ref()).map_err(trouble)
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Decision {
    Approve,
    Reject,
}

impl From<Decision> for governance::review::Decision {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Approve => Self::Approve,
            Decision::Reject => Self::Reject,
        }
    }
}

pub fn run(command: Command, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::Plan { place, profile } => {
            let planned = access.with(&place, Mode::Writer, async |i| Ok(dataset::plan(i, &profile).await?))?;
            shown.result(&planned, &[Message::new("core-dataset-planned").with("id", planned.id)]);
        }
        Command::Review { place, id, decision, signer } => {
            let signer = signer.identity()?;
            let done =
                access.with(&place, Mode::Writer, async |i| Ok(dataset::review(i, id, decision.into(), &signer).await?))?;
            let line = Message::new("core-dataset-reviewed")
                .with("member", &done.member)
                .with("count", done.decisions)
                .with("state", &done.state);
            shown.result(&done, &[line]);
        }
        Command::Make { place, id, keys } => {
            let made = access.with(&place, Mode::Writer, async |i| Ok(dataset::make(i, id, keys.as_deref()).await?))?;
            let mut lines = vec![
                Message::new("core-dataset-made").with("persons", made.persons).with("rows", made.rows),
                Message::new("core-dataset-left-out")
                    .with("opted", made.opted_out)
                    .with("notified", made.not_notified)
                    .with("suppressed", made.suppressed),
            ];
            if let Some(smallest) = made.smallest_class {
                lines.push(Message::new("core-dataset-class").with("smallest", smallest));
            }
            if made.relinked > 0 {
                lines.push(Message::new("core-keys-relinked").with("count", made.relinked));
            }
            if made.unanswered > 0 {
                lines.push(Message::new("core-keys-unanswered").with("count", made.unanswered));
            }
            if made.shared_keys > 0 {
                lines.push(Message::new("core-keys-shared").with("count", made.shared_keys));
            }
            lines.extend(made.coverage.iter().map(|c| coverage(c, shown.lang)));
            if let Some(file) = &keys {
                lines.push(Message::new("core-keys-file-left").with("file", file.display()));
            }
            lines.extend(made.near.iter().map(near));
            let joined = made.cumulative.as_ref().map(|c| c.recipient).filter(|beside| beside.few > 0);
            lines.extend(joined.map(|beside| {
                let told = Message::new("core-dataset-joined-told").with("few", beside.few);
                told.with("smallest", beside.smallest.unwrap_or_default())
            }));
            shown.result(&made, &lines);
        }
        Command::Report { place, id, out } => {
            let lang = shown.lang;
            let path = access.with(&place, Mode::Writer, async |i| Ok(dataset::report(i, id, out.as_deref(), lang).await?))?;
            shown.result(
                &serde_json::json!({ "path": path }),
                &[Message::new("core-dataset-report").with("path", path.display())],
            );
        }
        Command::Approve { place, id, signer } => {
            let signer = signer.identity()?;
            let done = access.with(&place, Mode::Writer, async |i| Ok(dataset::approve(i, id, &signer).await?))?;
            let line = Message::new("core-dataset-approved").with("officer", &done.officer).with("count", done.approvals);
            shown.result(&done, &[line]);
        }
        Command::Deliver { place, id } => {
            let done = access.with(&place, Mode::Writer, async |i| Ok(dataset::deliver(i, id).await?))?;
            let line =
                Message::new("core-dataset-delivered").with("recipient", &done.recipient).with("path", done.package.display());
            let lines: Vec<Message> = std::iter::once(line).chain(done.near.iter().map(near)).collect();
            shown.result(&done, &lines);
        }
        Command::End { place, id, reason } => {
            let ended = access.with(&place, Mode::Writer, async |i| Ok(dataset::end(i, id, &reason).await?))?;
            let mut lines = Vec::new();
            if ended.state == ledger::DatasetState::Withdrawn.to_string() {
                lines.push(Message::new("core-dataset-ended").with("id", ended.id));
            }
            if ended.ids_given_up {
                lines.push(Message::new("core-keys-given-up").with("id", ended.id));
            }
            lines.extend(ended.lists.iter().map(|l| Message::new("core-dataset-ended").with("id", l)));
            shown.result(&ended, &lines);
        }
        Command::List { place } => {
            let all = access.with(&place, Mode::Reader, async |i| Ok(dataset::list(i).await?))?;
            let line = |d: &dataset::Listed| {
                Message::new("core-dataset-line")
                    .with("id", d.id)
                    .with("state", &d.state)
                    .with("kind", &d.kind)
                    .with("recipient", &d.recipient)
            };
            shown.result(&all, &all.iter().map(line).collect::<Vec<_>>());
        }
    }
    Ok(Outcome::Done)
}

/// Says how many of a class of insurers are asked for.
fn coverage(of: &dataset::ClassCoverage, lang: Lang) -> Message {
    Message::new("core-keys-class")
        .with("class", Message::new(of.class.code()).text(lang))
        .with("persons", of.of.persons)
        .with("asked", of.of.asked)
        .with("branch", of.of.with_branch)
        .with("name", of.of.with_name)
}

/// Says that a recipient has an anonymized data set that differs by few persons.
fn near(n: &dataset::Near) -> Message {
    Message::new("core-dataset-near")
        .with("id", n.dataset)
        .with("both", n.in_both)
        .with("here", n.only_here)
        .with("there", n.only_there)
}
