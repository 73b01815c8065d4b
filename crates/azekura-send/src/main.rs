//! `azekura-send`: makes a sealed package of a provider's medical information. Small enough for a hospital to install alone.
//!
//! * `args`: the command line. `people`: whose a file is, and who may not come. `many`: files of many people without those
//!   who said no; `also`: under which other ids they stand. `send`: the package.
//!
//! Whoever stands in the opt-outs stays at home, and so does whoever was not contacted when contacts are given. The program prints counts, never
//! an id.

mod also;
mod args;
mod many;
mod people;
mod send;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

fn main() -> ExitCode {
    // Wrong usage ends here, with exit status 2.
    let args = Args::parse();
    let lang = args.lang.unwrap_or_else(language_of_the_environment);
    match send::send(&args) {
        Ok(sent) if args.json => println!("{}", sent.to_json()),
        Ok(sent) => {
            println!("{}", sent.message().text(lang));
            if let Some(warning) = sent.warning() {
                eprintln!("{}", warning.text(lang));
            }
        }
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
        for code in [
            "package-send-done",
            "package-send-all-left-out",
            "package-send-out-inside",
            "package-send-opt-outs-elsewhere",
            "package-send-filtered",
            "package-send-nobodys",
            "package-send-no-institution",
            "package-send-no-insurer",
        ] {
            assert!(messages::has(messages::Lang::En, code) && messages::has(messages::Lang::Ja, code), "{code}");
        }
    }
}
