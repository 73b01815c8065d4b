use ledger::Mode;
use messages::Message;
use pipeline::holds;
use terms::{ProviderId, RecordId};

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Subcommand)]
pub enum Command {
    /// List what keeps records out of every data set: holds, with the reason and the package, and patients' own statements. All, or those
    /// of one patient.
    List {
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        of: Of,
    },
    /// Let a record go that a package's files put on hold, once somebody has looked and the provider has put it right.
    Release {
        #[command(flatten)]
        place: Where,
        #[arg(long, value_name = "N", conflicts_with = "patient", required_unless_present = "patient")]
        record: Option<i64>,
        #[command(flatten)]
        of: Of,
        /// Why, as the journal will say. It must not name a person.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// A patient of a provider, who speaks of patients and not of records.
#[derive(clap::Args)]
pub struct Of {
    /// Which provider's patient.
    #[arg(long, requires = "patient")]
    provider: Option<ProviderId>,
    /// Local patient id; read from standard input when this is "-".
    #[arg(long, requires = "provider")]
    patient: Option<String>,
}

impl Of {
    fn patient(self) -> Result<Option<(ProviderId, String)>, Failure> {
        match (self.provider, self.patient) {
            (Some(provider), Some(patient)) => Ok(Some((provider, super::opt_out::patient(patient)?))),
            _ => Ok(None),
        }
    }
}

pub fn run(command: Command, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::List { place, of } => {
            let patient = of.patient()?;
            let of = patient.as_ref().map(|(provider, patient)| (provider, patient.as_str()));
            let all = access.with(&place, Mode::Reader, async |i| Ok(holds::list(i, of).await?))?;
            let line = |h: &holds::Held| {
                let text = |t: Option<String>| t.unwrap_or_default();
                if let Some(statement) = &h.opt_out {
                    let scopes: Vec<&str> = h.scopes.iter().map(|s| s.as_str()).collect();
                    return Message::new("core-hold-opt-out")
                        .with("record", h.record.map_or_else(|| "-".to_owned(), |r| r.to_string()))
                        .with("provider", text(h.provider.as_ref().map(ToString::to_string)))
                        .with("statement", statement)
                        .with("scopes", scopes.join(", "));
                }
                Message::new("core-hold-line")
                    .with("record", text(h.record.map(|r| r.to_string())))
                    .with("provider", text(h.provider.as_ref().map(ToString::to_string)))
                    .with("reason", &h.reason)
                    .with("package", text(h.package.map(|p| p.to_string())))
            };
            let mut lines = vec![Message::new("core-hold-count").with("count", all.len())];
            lines.extend(all.iter().map(line));
            shown.result(&all, &lines);
        }
        Command::Release { place, record, of, reason } => {
            let patient = of.patient()?;
            let (record, count) = access.with(&place, Mode::Writer, async |i| {
                let record = match (&patient, record) {
                    (Some((provider, patient)), _) => holds::record_of(i, provider, patient).await?,
                    (None, Some(record)) => RecordId(record),
                    (None, None) => return Err(Failure::Usage("--record, or --provider and --patient".to_owned())),
                };
                Ok((record, holds::release(i, record, &reason).await?))
            })?;
            let line = Message::new("core-hold-released").with("record", record).with("count", count);
            shown.result(&serde_json::json!({ "record": record, "released": count }), &[line]);
        }
    }
    Ok(Outcome::Done)
}
