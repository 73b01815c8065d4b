use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use messages::{Lang, Message};
use serde::Serialize;

use crate::failure::Failure;

/// How results are shown.
#[derive(Clone, Copy)]
pub struct Shown {
    /// One JSON object instead of text.
    pub json: bool,
    /// Language of texts.
    pub lang: Lang,
}

/// How a command ended that did run: everything well, or something found wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Exit status 0.
    Done,
    /// Exit status 1.
    FoundWrong,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::FoundWrong => ExitCode::from(1),
        }
    }
}

impl Shown {
    /// Shows a result: the value itself with `--json`, else the lines.
    pub fn result(&self, value: &impl Serialize, lines: &[Message]) {
        let mut out = std::io::stdout().lock();
        // A reader that went away is no reason to fail after the work is done.
        let _ = if self.json {
            serde_json::to_writer(&mut out, value).map_err(std::io::Error::other).and_then(|()| out.write_all(b"\n"))
        } else {
            lines.iter().try_for_each(|line| writeln!(out, "{}", line.text(self.lang)))
        };
    }

    /// Shows why a command failed.
    pub fn failure(&self, failure: &Failure) {
        let text = failure.text(self.lang);
        let _ = if self.json {
            writeln!(std::io::stdout(), "{}", serde_json::json!({ "error": failure.code(), "message": text }))
        } else {
            writeln!(std::io::stderr(), "{text}")
        };
    }

    /// A progress bar on a terminal; nothing elsewhere.
    pub fn bar(&self, length: u64, what: Message) -> indicatif::ProgressBar {
        let bar = indicatif::ProgressBar::new(length);
        if self.json || !std::io::stderr().is_terminal() {
            bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        if let Ok(style) = indicatif::ProgressStyle::with_template("{msg:28} {bar:32} {human_pos}/{human_len} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what.text(self.lang));
        bar
    }
}
