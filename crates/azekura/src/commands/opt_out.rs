use ledger::Mode;
use messages::Message;
use pipeline::opt_out;
use terms::{NoticeScope, ProviderId, Requester};

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Where,
    /// Which provider's patient.
    #[arg(long)]
    provider: ProviderId,
    /// Local patient id. It is read from standard input when this is "-", so that it stands in no list of processes.
    #[arg(long)]
    patient: String,
    /// Who asks: person, guardian, proxy, bereaved.
    #[arg(long, default_value = "person")]
    requester: Requester,
    /// Relation of a guardian, proxy or bereaved to the person.
    #[arg(long)]
    relation: Option<String>,
    /// What is stopped, separated by commas; without it everything.
    #[arg(long, value_delimiter = ',')]
    scope: Vec<NoticeScope>,
    /// Also erase what was received of this patient.
    #[arg(long)]
    erase: bool,
    /// Erase what every provider sent of this person.
    #[arg(long, requires = "erase")]
    everywhere: bool,
    /// The person takes the request back.
    #[arg(long, conflicts_with_all = ["erase", "everywhere", "scope"])]
    withdraw: bool,
}

pub fn run(args: Args, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    let patient = if args.patient == "-" { std::io::read_to_string(std::io::stdin())?.trim().to_owned() } else { args.patient };
    let request = opt_out::Request {
        provider: args.provider,
        patient,
        requester: args.requester,
        relation: args.relation,
        scopes: args.scope,
        erase: args.erase,
        everywhere: args.everywhere,
    };
    if args.withdraw {
        let done = access.with(&args.place, Mode::Writer, async |i| Ok(opt_out::withdraw(i, &request).await?))?;
        shown.result(&done, &[Message::new("core-opt-out-withdrawn").with("count", done.withdrawn)]);
        return Ok(Outcome::Done);
    }
    let done = access.with(&args.place, Mode::Writer, async |i| Ok(opt_out::stop(i, &request).await?))?;
    let mut lines = vec![Message::new("core-opt-out-effective").with("records", done.blocked_records)];
    if args.erase {
        lines.push(Message::new("core-opt-out-erased").with("records", done.erased_records).with("files", done.rewritten_files));
    }
    shown.result(&done, &lines);
    Ok(Outcome::Done)
}
