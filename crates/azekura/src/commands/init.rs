use std::path::PathBuf;

use messages::Message;
use pipeline::Instance;

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
}

pub fn run(args: Args, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    Instance::refuse_occupied(&args.dir)?;
    let passphrase = access.passphrase(true)?;
    let actor = actor(args.actor.as_deref())?;
    let made = runtime()?.block_on(Instance::init(&args.dir, &passphrase, &actor))?;
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
