use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Where,
    /// What the answer is for: it stands in the journal beside the tables that were read.
    #[arg(long)]
    purpose: String,
    /// The query.
    statement: String,
}

pub fn run(args: Args, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    let answer = access.read_and_write(
        &args.place,
        async |i| Ok(pipeline::sql::ask(i, &args.purpose, &args.statement).await?),
        async |i, asked| Ok(pipeline::sql::journal(i, &args.purpose, asked).await?),
    )?;
    if shown.json {
        shown.result(&answer.rows_as_json()?, &[]);
    } else {
        print!("{}", answer.as_table()?);
    }
    Ok(Outcome::Done)
}
