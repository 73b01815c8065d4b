use std::fmt;

use serde::Serialize;

use crate::{Lang, Message};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Something was repaired or is unusual; everything came through.
    Warning,
    /// Something could not be read and is left out.
    Error,
    /// A whole patient or the whole batch is held back.
    Fatal,
}

impl Severity {
    /// The word for machine-readable output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Fatal => "fatal",
        }
    }
}

/// Where in what was received.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Path in the payload. An SS-MIX2 file name is a patient id.
    pub file: Option<String>,
    /// Segment and its number in the file, `OBX[3]`.
    pub segment: Option<String>,
    /// Field, `OBX-5`.
    pub field: Option<String>,
}

/// What could not be read, or was read with a doubt. Identity class: `Debug` shows the code alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// What.
    pub message: Message,
    /// Where.
    pub place: Place,
}

#[derive(Serialize)]
struct Line<'a> {
    severity: Severity,
    code: &'a str,
    file: Option<&'a str>,
    segment: Option<&'a str>,
    field: Option<&'a str>,
    message: String,
}

impl Finding {
    /// One line of `findings.jsonl`: `{severity, code, file, segment, field, message}`.
    pub fn line(&self, lang: Lang) -> impl Serialize + '_ {
        Line {
            severity: self.severity,
            code: self.message.code,
            file: self.place.file.as_deref(),
            segment: self.place.segment.as_deref(),
            field: self.place.field.as_deref(),
            message: self.message.text(lang),
        }
    }
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Finding({} {})", self.severity.as_str(), self.message.code)
    }
}
