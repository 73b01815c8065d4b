use std::path::PathBuf;

use messages::Message;

use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Args)]
pub struct Args {
    /// How many persons.
    #[arg(long)]
    persons: u32,
    /// How many hospitals they attend.
    #[arg(long)]
    providers: u32,
    /// The same seed gives the same bytes.
    #[arg(long)]
    seed: u64,
    /// What each hospital writes beside its SS-MIX2 storage: receipt, dpc, fhir, checkup.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    kinds: Vec<::synth::Kind>,
    /// Directory to write to.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: Args, shown: &Shown) -> Result<Outcome, Failure> {
    let bar = shown.bar(u64::from(args.persons), Message::new("core-step-synth"));
    let summary =
        crate::synthesis::write(args.persons, args.providers, args.seed, args.kinds, &args.out, &|done| bar.set_position(done))?;
    bar.finish_and_clear();
    let line = Message::new("core-synth-written").with("persons", args.persons).with("path", args.out.display());
    shown.result(&summary, &[line]);
    Ok(Outcome::Done)
}
