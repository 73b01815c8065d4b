use crate::failure::Failure;
use crate::output::Outcome;

pub fn run() -> Result<Outcome, Failure> {
    pipeline::reading::serve(std::io::stdin(), std::io::stdout().lock())?;
    Ok(Outcome::Done)
}
