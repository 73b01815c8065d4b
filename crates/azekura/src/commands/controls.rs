use messages::{Lang, Message};

use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Args)]
pub struct Args {
    /// Only those that no test proves.
    #[arg(long)]
    open: bool,
}

pub fn run(args: Args, shown: &Shown) -> Result<Outcome, Failure> {
    let mut all = controls::status();
    all.retain(|c| !args.open || c.tests.is_empty());
    let kept = all.iter().filter(|c| !c.tests.is_empty()).count();
    let line = |c: &controls::Status| {
        let title = if shown.lang == Lang::Ja { &c.control.title_ja } else { &c.control.title_en };
        let code = if c.tests.is_empty() { "core-control-open" } else { "core-control-kept" };
        Message::new(code).with("id", &c.control.id).with("title", title).with("tests", c.tests.join(", "))
    };
    let mut lines: Vec<Message> = all.iter().map(line).collect();
    lines.push(Message::new("core-controls-sum").with("kept", kept).with("all", all.len()));
    shown.result(&all, &lines);
    Ok(Outcome::Done)
}
