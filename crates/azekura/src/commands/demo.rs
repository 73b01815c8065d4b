use std::path::PathBuf;

use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Args)]
pub struct Args {
    /// Directory for everything: one that does not exist yet or is empty, or that an earlier demo made, which is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many synthetic persons the three hospitals have together.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(200..=1_000_000))]
    persons: u32,
    /// The same seed gives the same hospitals.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub fn run(args: Args, shown: &Shown) -> Result<Outcome, Failure> {
    crate::demo::run(&args.out, args.persons, args.seed, shown)
}
