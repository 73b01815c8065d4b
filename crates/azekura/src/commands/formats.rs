use std::path::PathBuf;

use anyhow::Context as _;
use messages::Message;
use terms::SourceKind;

use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Convert providers' files to OMOP tables, identity facts and findings.
    Convert {
        /// Format of the input: ssmix2.
        #[arg(long)]
        from: SourceKind,
        /// Directory or tar file; "-" reads a tar from standard input.
        path: PathBuf,
        /// Directory to write to: one that does not exist yet or is empty. It will hold personal data in the clear.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

pub fn run(command: Command, shown: &Shown) -> Result<Outcome, Failure> {
    let Command::Convert { from, path, out } = command;
    let summary = ::formats::convert(from, &path, &out, shown.lang).context("converting")?;
    let line = Message::new("core-converted")
        .with("patients", summary.patients)
        .with("rows", summary.rows.values().sum::<u64>())
        .with("findings", summary.findings.values().sum::<u64>())
        .with("path", out.display());
    shown.result(&summary, &[line]);
    Ok(Outcome::Done)
}
