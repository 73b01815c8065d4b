use std::path::PathBuf;

use ledger::Mode;
use messages::Message;
use pipeline::{ingest, receive};

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Args)]
pub struct ReceiveArgs {
    #[command(flatten)]
    place: Where,
    /// Package directories (NAME.azp). Without any: everything in the instance's inbox.
    packages: Vec<PathBuf>,
}

#[derive(clap::Args)]
pub struct IngestArgs {
    #[command(flatten)]
    place: Where,
}

pub fn receive(args: ReceiveArgs, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    let all = access.with_no(&args.place, async |i| {
        let packages = if args.packages.is_empty() { receive::waiting(i)? } else { args.packages };
        let bar = shown.bar(packages.len() as u64, Message::new("core-step-receive"));
        let mut all = Vec::new();
        for package in packages {
            all.push(receive::receive(i, &package).await?);
            bar.inc(1);
        }
        bar.finish_and_clear();
        all.extend(receive::follow(i).await?);
        Ok(all)
    })?;
    let mut lines = Vec::new();
    for r in &all {
        let message = if r.accepted() { Message::new("core-package-accepted") } else { r.refusal() };
        lines.push(Message::new("core-package-line").with("package", &r.directory).with("what", message.text(shown.lang)));
        if r.opt_outs_of_nobody > 0 {
            let line = Message::new("core-receive-nobody").with("directory", &r.directory);
            lines.push(line.with("count", r.opt_outs_of_nobody));
        }
    }
    shown.result(&all, &lines);
    Ok(if all.iter().all(receive::Received::accepted) { Outcome::Done } else { Outcome::FoundWrong })
}

pub fn ingest(args: IngestArgs, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    let (all, held_back) = access.with(&args.place, Mode::Writer, async |i| {
        let bar = shown.bar(0, Message::new("core-step-ingest"));
        let all = ingest::ingest(i, &|done| bar.set_position(done)).await?;
        bar.finish_and_clear();
        Ok((all, receive::held_back(i).await?))
    })?;
    let line = |t: &ingest::Taken| {
        if let Some(why) = t.why() {
            let what = why.text(shown.lang);
            let code = if t.refused.is_some() { "core-ingest-line-refused" } else { "core-ingest-line-waits" };
            let line = Message::new(code).with("provider", &t.provider);
            return line.with("sequence", t.sequence).with("what", what);
        }
        Message::new("core-ingest-line")
            .with("provider", &t.provider)
            .with("sequence", t.sequence)
            .with("patients", t.patients_in)
            .with("refused", t.patients_refused)
            .with("rows", t.rows)
            .with("findings", t.findings)
    };
    let mut lines: Vec<Message> = all.iter().map(line).collect();
    let mut refusals: std::collections::BTreeMap<&str, i64> = std::collections::BTreeMap::new();
    for (code, count) in all.iter().flat_map(|t| &t.refusals) {
        *refusals.entry(code).or_default() += count;
    }
    lines.extend(
        refusals.into_iter().map(|(code, count)| Message::new("core-ingest-refused").with("code", code).with("count", count)),
    );
    let held: u64 = all.iter().map(|t| t.patients_set_aside).sum();
    for taken in all.iter().filter(|t| t.receipt_waits.is_some()) {
        lines.push(Message::new("core-ingest-receipt-waits").with("provider", &taken.provider));
    }
    if held > 0 {
        lines.push(Message::new("core-ingest-held").with("count", held));
    }
    if held_back > 0 {
        lines.push(Message::new("core-ingest-held-back").with("count", held_back));
    }
    if lines.is_empty() {
        lines.push(Message::new("core-ingest-nothing"));
    }
    shown.result(&all, &lines);
    Ok(if all.iter().all(|t| t.is_in() && t.receipt_waits.is_none()) { Outcome::Done } else { Outcome::FoundWrong })
}
