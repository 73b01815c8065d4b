//! The programs of the hospital and of the researcher, run as they would run there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use messages::Message;
use serde_json::Value;

use crate::failure::Failure;

/// The programs beside this one, and where they put temporary files.
#[derive(Clone)]
pub struct Programs {
    directory: PathBuf,
    temporary: PathBuf,
}

/// What a program said.
pub struct Said {
    /// Whether it did what it was asked to.
    pub done: bool,
    /// Its JSON.
    pub value: Value,
}

impl Said {
    /// A number of the JSON; 0 where there is none.
    pub fn number(&self, name: &str) -> u64 {
        self.value.get(name).and_then(Value::as_u64).unwrap_or(0)
    }

    /// The code of a refusal.
    pub fn code(&self) -> &str {
        self.value.get("code").and_then(Value::as_str).unwrap_or("")
    }
}

impl Programs {
    /// The programs that lie beside the running one.
    ///
    /// # Errors
    /// A refusal that names the one that is missing.
    pub fn beside(temporary: PathBuf) -> Result<Programs, Failure> {
        let own = std::env::current_exe()?;
        let directory = own.parent().map(Path::to_owned).unwrap_or_default();
        for name in ["azekura-send", "azekura-open"] {
            if !directory.join(name).is_file() {
                let missing = Message::new("demo-program-missing").with("name", name).with("path", directory.display());
                return Err(Failure::Refused(missing));
            }
        }
        Ok(Programs { directory, temporary })
    }

    /// Runs `azekura-send`.
    ///
    /// # Errors
    /// When it does not start or does not answer.
    pub fn send<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Result<Said, Failure> {
        self.run("azekura-send", arguments)
    }

    /// Runs `azekura-open`.
    ///
    /// # Errors
    /// When it does not start or does not answer.
    pub fn open<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Result<Said, Failure> {
        self.run("azekura-open", arguments)
    }

    fn run<S: AsRef<OsStr>>(&self, name: &str, arguments: impl IntoIterator<Item = S>) -> Result<Said, Failure> {
        let output = Command::new(self.directory.join(name))
            .arg("--json")
            .args(arguments)
            .env("TMPDIR", &self.temporary)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .with_context(|| format!("starting {name}"))?;
        let value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{name} ended without an answer ({})", output.status))?;
        Ok(Said { done: output.status.success(), value })
    }
}

/// Something and its argument.
pub fn option(name: &str, value: impl AsRef<OsStr>) -> [std::ffi::OsString; 2] {
    [name.into(), value.as_ref().to_owned()]
}
