use ledger::Mode;
use messages::Message;

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Where,
}

pub fn run(args: Args, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    let linked = access.with(&args.place, Mode::Writer, async |i| Ok(pipeline::link::link(i).await?))?;
    let line =
        Message::new("core-linked").with("records", linked.records).with("persons", linked.persons).with("rule", &linked.rule);
    shown.result(&linked, &[line]);
    Ok(Outcome::Done)
}
