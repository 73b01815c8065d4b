//! What all commands on an instance share: the passphrase, who acts, opening it.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use ledger::{Actor, Mode};
use messages::Message;
use pipeline::Instance;
use seal::Passphrase;

use crate::failure::Failure;

/// Name of the systemd credential that may hold the passphrase.
const CREDENTIAL: &str = "azekura-passphrase";

/// How long a command that has read looks for its turn to write before it looks again.
const PAUSE: Duration = Duration::from_millis(250);
/// After how many of these it says that it waits.
const SILENT: u32 = 20;

/// How to get at an instance.
pub struct Access {
    pub passphrase_file: Option<PathBuf>,
}

/// Where the instance is.
#[derive(clap::Args)]
pub struct Where {
    /// Directory of the instance.
    #[arg(long = "instance", value_name = "DIR")]
    pub instance: PathBuf,
    /// Who acts, as the journal will say.
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
}

impl Access {
    /// The passphrase, from a file, a systemd credential or a terminal; never from an argument. A new one is typed twice.
    pub fn passphrase(&self, new: bool) -> Result<Passphrase, Failure> {
        let trouble = |e: seal::SealError| Failure::Pipeline(e.into());
        if let Some(file) = &self.passphrase_file {
            return Passphrase::from_file(file).map_err(trouble);
        }
        if let Some(passphrase) = Passphrase::from_systemd_credential(CREDENTIAL).map_err(trouble)? {
            return Ok(passphrase);
        }
        if let Some(file) = std::env::var_os("AZEKURA_PASSPHRASE_FILE") {
            return Passphrase::from_file(Path::new(&file)).map_err(trouble);
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::Refused(Message::new("core-passphrase-missing")));
        }
        let typed = zeroize::Zeroizing::new(rpassword::prompt_password("passphrase: ").context("reading the terminal")?);
        if new {
            let again = zeroize::Zeroizing::new(rpassword::prompt_password("again: ").context("reading the terminal")?);
            if typed != again {
                return Err(Failure::Refused(Message::new("core-passphrase-differs")));
            }
        }
        Passphrase::new(typed.as_bytes().to_vec()).map_err(trouble)
    }

    /// Opens the instance, runs something on it, and closes it.
    pub fn with<T>(
        &self,
        place: &Where,
        mode: Mode,
        work: impl AsyncFnOnce(&Instance) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.with_or(place, mode, true, work)
    }

    /// As [`Access::with`], for a command that may bring a "no": when it fails, nothing that waits is handed over, as nobody knows whom it
    /// would have stopped.
    pub fn with_no<T>(&self, place: &Where, work: impl AsyncFnOnce(&Instance) -> Result<T, Failure>) -> Result<T, Failure> {
        self.with_or(place, Mode::Writer, false, work)
    }

    fn with_or<T>(
        &self,
        place: &Where,
        mode: Mode,
        also_when_failed: bool,
        work: impl AsyncFnOnce(&Instance) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let passphrase = self.passphrase(false)?;
        let actor = place.actor()?;
        runtime()?.block_on(async {
            let instance = Instance::open(&place.instance, &passphrase, mode, actor).await?;
            let result = work(&instance).await;
            finish(instance, mode, also_when_failed, result).await
        })
    }

    /// Runs something long that only reads, without keeping others from writing, and then what it leads to, which writes: somebody may say no
    /// meanwhile. Waits for its turn, `wait` at most.
    pub fn read_and_write<A, T>(
        &self,
        place: &Where,
        wait: Duration,
        read: impl AsyncFnOnce(&Instance) -> Result<A, Failure>,
        write: impl AsyncFnOnce(&Instance, A) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let passphrase = self.passphrase(false)?;
        let actor = place.actor()?;
        runtime()?.block_on(async {
            let instance = Instance::open(&place.instance, &passphrase, Mode::Reader, actor.clone()).await?;
            let answer = read(&instance).await;
            instance.ledger.close().await;
            let answer = answer?;
            let (began, mut tries) = (Instant::now(), 0);
            let instance = loop {
                match Instance::open(&place.instance, &passphrase, Mode::Writer, actor.clone()).await {
                    Err(error) if error.code() == "core-instance-busy" && began.elapsed() < wait => {
                        tries += 1;
                        if tries == SILENT {
                            tracing::warn!("another command writes to the instance: waiting for its end");
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                    other => break other?,
                }
            };
            let done = write(&instance, answer).await;
            finish(instance, Mode::Writer, true, done).await
        })
    }

    /// Opens an instance for writing whose ledger may be an earlier one, as it is.
    pub fn with_behind<T>(&self, place: &Where, work: impl AsyncFnOnce(&Instance) -> Result<T, Failure>) -> Result<T, Failure> {
        let passphrase = self.passphrase(false)?;
        let actor = place.actor()?;
        runtime()?.block_on(async {
            let instance = Instance::open_as_it_is(&place.instance, &passphrase, Mode::Writer, actor).await?;
            let done = work(&instance).await;
            instance.ledger.close().await;
            done
        })
    }
}

/// Ends a command on an instance: hands over what waits, leaves the mark of how far the journal is, and closes it.
async fn finish<T>(instance: Instance, mode: Mode, also_when_failed: bool, result: Result<T, Failure>) -> Result<T, Failure> {
    let wrote = matches!(mode, Mode::Writer);
    // Last, so that who said no by this command is in nothing that leaves by it.
    let handed = if wrote && (also_when_failed || result.is_ok()) { instance.hand_over().await } else { Ok(()) };
    let left = if wrote { instance.leave().await } else { Ok(()) };
    // The database's own threads end here, not while the process ends around them.
    instance.ledger.close().await;
    let result = result?;
    handed?;
    left?;
    Ok(result)
}

impl Where {
    /// Who acts: the name given, else the user of the system.
    pub fn actor(&self) -> Result<Actor, Failure> {
        actor(self.actor.as_deref())
    }
}

/// Who acts: the name given, else the user of the system.
pub fn actor(name: Option<&str>) -> Result<Actor, Failure> {
    let user = || std::env::var("USER").ok().filter(|u| !u.is_empty()).unwrap_or_else(|| "operator".to_owned());
    let name = name.map_or_else(user, str::to_owned);
    name.parse().map_err(|_| Failure::Usage("--actor takes 1 to 64 ASCII letters, digits, '-', '_', '.', '@' or ':'".to_owned()))
}

/// The runtime of this process: the engines are synchronous, only the edge waits.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::from)
}
