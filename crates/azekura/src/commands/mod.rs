//! The tree of commands, one file each.

mod anonymize;
mod clerk;
mod controls;
mod dataset;
mod demo;
mod formats;
mod hold;
mod init;
mod instance;
mod intake;
mod journal;
mod link;
mod masters;
mod notice;
mod opt_out;
mod parse_package;
mod party;
mod quality;
mod receipt;
pub(crate) use quality::rows_csv;
mod risk;
mod sql;
mod synth;
mod tables;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use messages::Lang;

use crate::failure::Failure;
use crate::output::{Outcome, Shown};

pub(crate) use instance::runtime;

/// Azekura: medical information under Japan's Next-Generation Medical Infrastructure Act, sealed, linked, processed,
/// approved, delivered, and proved.
#[derive(Parser)]
#[command(name = "azekura", version, arg_required_else_help = true)]
pub struct Cli {
    /// One JSON object on standard output instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Language of texts: ja or en.
    #[arg(long, global = true, default_value_t = Lang::En, value_name = "LANG")]
    pub lang: Lang,
    /// File with the passphrase of the instance. Without it: a systemd credential named azekura-passphrase, then the
    /// environment variable AZEKURA_PASSPHRASE_FILE, then the terminal.
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole main job on synthetic hospitals and check its promises.
    Demo(demo::Args),
    /// Make an instance.
    Init(init::Args),
    /// Register providers.
    #[command(subcommand)]
    Provider(party::Command),
    /// Register recipients.
    #[command(subcommand)]
    Recipient(party::Command),
    /// Register bodies that give linkage keys for public databases.
    #[command(subcommand)]
    Body(party::Command),
    /// Register officers, who approve data sets.
    #[command(subcommand)]
    Officer(party::Command),
    /// Register members of the review committee.
    #[command(subcommand)]
    Member(party::Command),
    /// Record notices to individuals and their contacts.
    #[command(subcommand)]
    Notice(notice::Command),
    /// Check packages of providers and take them over.
    Receive(intake::ReceiveArgs),
    /// Take accepted packages into the lake.
    Ingest(intake::IngestArgs),
    /// List packages whose receipts did not leave, and note that a provider was told in another way.
    #[command(subcommand)]
    Receipt(receipt::Command),
    /// Find out which records are one person.
    Link(link::Args),
    /// List records that are held back, and let one go.
    #[command(subcommand)]
    Hold(hold::Command),
    /// Record that a person stops provision, erase, or withdraw.
    OptOut(opt_out::Args),
    /// Plan, review, make, approve and deliver data sets.
    #[command(subcommand)]
    Dataset(dataset::Command),
    /// Show, verify and prove what happened.
    #[command(subcommand)]
    Journal(journal::Command),
    /// Ask the lake, with a purpose that is journalled.
    Sql(sql::Args),
    /// Write synthetic hospitals.
    Synth(synth::Args),
    /// Check data of a provider, in its files or in the lake, and say in words what somebody should look into.
    #[command(subcommand)]
    Quality(quality::Command),
    /// Load code masters and vocabularies, and see what they know of codes.
    #[command(subcommand)]
    Masters(masters::Command),
    /// Read and convert providers' files without an instance.
    #[command(subcommand)]
    Formats(formats::Command),
    /// Find the levels that lose least and meet privacy models, and write the released table with a report.
    Anonymize(anonymize::Args),
    /// Measure the risk of a table, or check a released one against its report.
    Risk(risk::Args),
    /// Count persons or rows with noise that hides each of them, paid from the budget of the data holding.
    Tables(tables::Args),
    /// Requirements of law and guideline, and which tests prove them.
    Controls(controls::Args),
    /// Decrypts, unpacks and reads one payload from standard input: what `receive` and `ingest` start.
    #[command(hide = true)]
    ParsePackage,
}

/// Runs a command.
///
/// # Errors
/// Why it was refused or failed.
pub fn run(cli: Cli, shown: &Shown) -> Result<Outcome, Failure> {
    let access = instance::Access { passphrase_file: cli.passphrase_file };
    match cli.command {
        Command::Demo(args) => demo::run(args, shown),
        Command::Init(args) => init::run(args, &access, shown),
        Command::Provider(command) => party::run(command, ledger::PartyKind::Provider, &access, shown),
        Command::Recipient(command) => party::run(command, ledger::PartyKind::Recipient, &access, shown),
        Command::Body(command) => party::run(command, ledger::PartyKind::Body, &access, shown),
        Command::Officer(command) => party::run(command, ledger::PartyKind::Officer, &access, shown),
        Command::Member(command) => party::run(command, ledger::PartyKind::Member, &access, shown),
        Command::Notice(command) => notice::run(command, &access, shown),
        Command::Receive(args) => intake::receive(args, &access, shown),
        Command::Ingest(args) => intake::ingest(args, &access, shown),
        Command::Receipt(command) => receipt::run(command, &access, shown),
        Command::Link(args) => link::run(args, &access, shown),
        Command::Hold(command) => hold::run(command, &access, shown),
        Command::OptOut(args) => opt_out::run(args, &access, shown),
        Command::Dataset(command) => dataset::run(command, &access, shown),
        Command::Journal(command) => journal::run(command, &access, shown),
        Command::Sql(args) => sql::run(args, &access, shown),
        Command::Synth(args) => synth::run(args, shown),
        Command::Quality(command) => quality::run(command, &access, shown),
        Command::Masters(command) => masters::run(command, &access, shown),
        Command::Formats(command) => formats::run(command, shown),
        Command::Anonymize(args) => anonymize::run(args, shown),
        Command::Risk(args) => risk::run(args, shown),
        Command::Tables(args) => tables::run(args, shown),
        Command::Controls(args) => controls::run(args, shown),
        Command::ParsePackage => parse_package::run(),
    }
}
