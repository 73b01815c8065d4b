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

/// A patient id as given, or from standard input where it is "-".
pub(super) fn patient(given: String) -> Result<String, Failure> {
    if given != "-" {
        return Ok(given);
    }
    let text = std::io::read_to_string(std::io::stdin())?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default().to_owned();
    if lines.next().is_some() {
        return Err(Failure::Usage("--patient - reads one id: run the command once for each line".to_owned()));
    }
    Ok(first)
}

pub fn run(args: Args, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    let patient = patient(args.patient)?;
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
        let done = access.with_no(&args.place, async |i| Ok(opt_out::withdraw(i, &request).await?))?;
        let mut lines = vec![Message::new("core-opt-out-withdrawn").with("count", done.withdrawn)];
        if done.standing > 0 {
            lines.push(Message::new("core-opt-out-standing").with("count", done.standing));
        }
        shown.result(&done, &lines);
        return Ok(Outcome::Done);
    }
    let done = access.with_no(&args.place, async |i| {
        let bar = shown.bar(0, Message::new("core-step-ingest"));
        let done = opt_out::stop(i, &request, &|rows| bar.set_position(rows)).await;
        bar.finish_and_clear();
        Ok(done?)
    })?;
    let scopes = request.scopes.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", ");
    let mut lines = vec![match scopes.as_str() {
        "" => Message::new("core-opt-out-effective").with("records", done.blocked_records),
        scopes => Message::new("core-opt-out-effective-for").with("records", done.blocked_records).with("scopes", scopes),
    }];
    if done.blocked_records == 0 {
        lines.push(Message::new("core-opt-out-nobody"));
    }
    if args.erase {
        lines.push(Message::new("core-opt-out-erased").with("records", done.erased_records).with("files", done.rewritten_files));
    }
    if done.destroyed_packages > 0 {
        lines.push(Message::new("core-opt-out-packages").with("count", done.destroyed_packages));
    }
    let searched = done.searched_elsewhere != Some(false);
    if !searched {
        lines.push(Message::new("core-opt-out-elsewhere-not"));
    }
    if done.waiting_packages > 0 {
        lines.push(Message::new("core-opt-out-waiting").with("count", done.waiting_packages));
    }
    if done.voided_datasets > 0 {
        lines.push(Message::new("core-opt-out-voided").with("count", done.voided_datasets));
    }
    if !done.delivered_datasets.is_empty() {
        let ids = done.delivered_datasets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        lines.push(Message::new("core-opt-out-delivered").with("ids", ids));
    }
    if let Some(code) = done.trouble {
        lines.push(Message::new("core-opt-out-trouble").with("code", code));
    }
    shown.result(&done, &lines);
    Ok(if searched && done.trouble.is_none() { Outcome::Done } else { Outcome::FoundWrong })
}
