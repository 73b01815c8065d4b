//! `azekura-open`: opens a package that was sent to you. Small enough for a researcher to install alone.
//!
//! Everything is unpacked beside the place and moved there when the signature, every tag, every hash and every name has held: a package that
//! is wrong anywhere leaves nothing.

mod open;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Verify and open a sealed package.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// The package: a directory NAME.azp
    #[arg(value_name = "PACKAGE")]
    package: PathBuf,
    /// Your private key (PEM)
    #[arg(long, value_name = "K")]
    key: PathBuf,
    /// Your certificate (PEM), to which the package is sealed
    #[arg(long, value_name = "C")]
    cert: PathBuf,
    /// File with the passphrase of your private key, when it has one
    #[arg(long, value_name = "FILE")]
    key_passphrase_file: Option<PathBuf>,
    /// The sender's signing certificate (PEM), whose fingerprint you have compared
    #[arg(long, value_name = "PRODUCER_CERT")]
    from: PathBuf,
    /// Directory for the content: not there yet, or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Language of what is printed: ja or en
    #[arg(long, value_name = "LANG")]
    lang: Option<messages::Lang>,
}

fn main() -> ExitCode {
    // Wrong usage ends here, with exit status 2.
    let args = Args::parse();
    let lang = args.lang.unwrap_or_else(language_of_the_environment);
    match open::open(&args) {
        Ok(opened) if args.json => println!("{}", opened.to_json()),
        Ok(opened) => println!("{}", opened.message().text(lang)),
        Err(refused) if args.json => {
            println!("{}", serde_json::json!({ "ok": false, "code": refused.code, "message": refused.text(lang) }));
            return ExitCode::from(1);
        }
        Err(refused) => {
            eprintln!("{}", refused.text(lang));
            return ExitCode::from(1);
        }
    }
    ExitCode::SUCCESS
}

fn language_of_the_environment() -> messages::Lang {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG")) {
        Some(value) if value.starts_with("ja") => messages::Lang::Ja,
        _ => messages::Lang::En,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_it_says_has_a_text_in_both_languages() {
        for code in ["package-open-done", "package-open-not-empty"] {
            assert!(messages::has(messages::Lang::En, code) && messages::has(messages::Lang::Ja, code), "{code}");
        }
    }
}
