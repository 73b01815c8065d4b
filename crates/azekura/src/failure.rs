use messages::{Lang, Message};

/// Why a command did not do what it was asked to.
pub enum Failure {
    /// Refused or found wrong: exit status 1.
    Refused(Message),
    /// Something below is broken or missing: exit status 1.
    Pipeline(pipeline::Error),
    /// Anything else, already in words: exit status 1.
    Other(anyhow::Error),
    /// Arguments that do not go together: exit status 2.
    Usage(String),
}

impl Failure {
    /// 1 refused or found wrong, 2 wrong usage.
    pub fn exit_status(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            _ => 1,
        }
    }

    /// The code for `--json`.
    pub fn code(&self) -> &str {
        match self {
            Failure::Refused(message) => message.code,
            Failure::Pipeline(error) => error.code(),
            Failure::Other(_) => "core-failed",
            Failure::Usage(_) => "core-usage",
        }
    }

    /// What to tell the user.
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Failure::Refused(message) => message.text(lang),
            Failure::Pipeline(error) => error.text(lang),
            Failure::Other(error) => format!("{error:#}"),
            Failure::Usage(text) => text.clone(),
        }
    }
}

impl From<pipeline::Error> for Failure {
    fn from(error: pipeline::Error) -> Self {
        Failure::Pipeline(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Other(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Other(error.into())
    }
}
