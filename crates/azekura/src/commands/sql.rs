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
    /// Seconds that a finished question waits at most while another command writes: it is shown when it stands in the journal.
    #[arg(long, default_value_t = 600)]
    wait: u64,
    /// The query.
    statement: String,
}

pub fn run(args: Args, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    let answer = access.read_and_write(
        &args.place,
        std::time::Duration::from_secs(args.wait),
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
