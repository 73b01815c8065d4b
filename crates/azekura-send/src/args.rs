use std::path::PathBuf;

use clap::Parser;
use jiff::civil::Date;
use package::Period;

/// Make a sealed package of medical information for a certified producer.
///
/// The package is a directory PROVIDER-SEQUENCE.azp: a manifest signed with your key, and the tree at PATH as an archive, both sealed to the
/// producer's intake certificate. Whoever stands in the list of opt-outs is left out, also of files of many people (claims, DPC files, FHIR,
/// checkups): a record that nobody can be named for is refused then. With a list of contacts, whoever was not contacted is left out of an SS-MIX2 tree.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// Your institution: the 10-digit code it is registered under; an insurer's number
    #[arg(long, value_name = "P")]
    pub provider: terms::ProviderId,
    /// Number of this package among yours, whatever they hold: 1, 2, 3 without gaps
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sequence: u64,
    /// What PATH holds: ssmix2 fhir dpc receipt (claims) checkup
    #[arg(long, value_name = "KIND")]
    pub kind: terms::SourceKind,
    /// First and last day of the information, 2024-04-01/2024-04-30
    #[arg(long, value_name = "FROM/TO", value_parser = period)]
    pub period: Period,
    /// Your private key (PEM)
    #[arg(long, value_name = "K")]
    pub key: PathBuf,
    /// Your certificate (PEM), as the producer has registered it
    #[arg(long, value_name = "C")]
    pub cert: PathBuf,
    /// File with the passphrase of your private key, when it has one
    #[arg(long, value_name = "FILE")]
    pub key_passphrase_file: Option<PathBuf>,
    /// The producer's intake certificate (PEM)
    #[arg(long, value_name = "CERT")]
    pub to: PathBuf,
    /// Who was contacted: CSV with the header patient,date,addressee,method
    #[arg(long, value_name = "FILE")]
    pub contacts: Option<PathBuf>,
    /// You are an insurer: people are known by card, birth, sex and name, and chart numbers of hospitals do not count
    #[arg(long)]
    pub insurer: bool,
    /// Who said no: CSV with the header patient,requester,scope,date. Whoever is known by a card alone stands there as
    /// insured:INSURER:SYMBOL:NUMBER:BRANCH:BIRTH:SEX:NAME IN KATAKANA
    #[arg(long, value_name = "FILE")]
    pub opt_outs: Option<PathBuf>,
    /// Directory in which the package is made
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Begin a new payload at the next patient once one holds this many bytes (in packages of many payloads later ones hold
    /// more): the producer reads several payloads at a time
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20, value_parser = clap::value_parser!(u64).range(1..=crate::send::MOST_BYTES))]
    pub payload_bytes: u64,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Language of what is printed: ja or en
    #[arg(long, value_name = "LANG")]
    pub lang: Option<messages::Lang>,
    /// The tree to send
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
}

fn period(text: &str) -> Result<Period, String> {
    let wrong = || "a period is FROM/TO, as in 2024-04-01/2024-04-30".to_owned();
    let (from, to) = text.split_once('/').ok_or_else(wrong)?;
    let date = |text: &str| text.parse::<Date>().map_err(|_| wrong());
    let period = Period { from: date(from)?, to: date(to)? };
    if period.to < period.from { Err("the period ends before it begins".to_owned()) } else { Ok(period) }
}
