use std::path::PathBuf;

use messages::Message;
use pipeline::{Instance, PassphraseIs};

use super::instance::{Access, actor, runtime};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Args)]
pub struct Args {
    /// Directory to make the instance in: one that does not exist yet or is empty.
    dir: PathBuf,
    /// Who makes it, as the journal will say.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// The passphrase is a random key of 256 bits (as of "openssl rand -hex 32"), which nobody can guess: opening the
    /// keyring then costs milliseconds instead of half a second. Refused for anything that does not look like one.
    #[arg(long)]
    passphrase_is_key: bool,
}

pub fn run(args: Args, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    Instance::refuse_occupied(&args.dir)?;
    let passphrase = access.passphrase(true)?;
    let actor = actor(args.actor.as_deref())?;
    let what = if args.passphrase_is_key { PassphraseIs::RandomKey } else { PassphraseIs::Words };
    let made = runtime()?.block_on(Instance::init_with(&args.dir, &passphrase, what, &actor))?;
    shown.result(
        &made,
        &[
            Message::new("core-instance-made").with("path", args.dir.display()),
            Message::new("core-instance-certificates")
                .with("intake", made.intake_certificate.display())
                .with("signing", made.signing_certificate.display()),
            Message::new("core-instance-verifier").with("key", &made.journal_verifier),
        ],
    );
    Ok(Outcome::Done)
}
