use crate::failure::Failure;
use crate::output::Outcome;

pub fn run() -> Result<Outcome, Failure> {
    pipeline::reading::serve(std::io::stdin().lock(), std::io::stdout().lock())?;
    Ok(Outcome::Done)
}
