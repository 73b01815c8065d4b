//! What the demo says at the end, as text and with `--json`.

use std::path::PathBuf;

use messages::{Lang, Message};
use serde::Serialize;
use terms::{DatasetId, ReleaseKind};

use super::checks::{Checked, Verdict};
use super::voice::Step;
use super::world::World;
use crate::failure::Failure;

/// A delivered data set.
#[derive(Serialize)]
struct Delivered {
    id: DatasetId,
    kind: ReleaseKind,
    persons: u64,
    rows: u64,
    opted_out_records: u64,
    not_notified_records: u64,
    suppressed_persons: u64,
    smallest_class: Option<u64>,
    package: PathBuf,
    opened: PathBuf,
    report: PathBuf,
}

/// A promise and what was found.
#[derive(Serialize)]
struct Result {
    name: &'static str,
    title: String,
    /// Whether it holds and its check can fail.
    good: bool,
    result: &'static str,
    evidence: String,
    /// What the same check said of something spoilt: has to be `broken`.
    spoilt: &'static str,
    spoilt_evidence: String,
    seconds: f64,
}

/// A package's way in.
#[derive(Serialize)]
struct Package {
    provider: String,
    patients_in: u64,
    patients_refused: u64,
    patients_set_aside: u64,
    files: u64,
    rows: u64,
    findings: u64,
}

/// Everything at the end.
#[derive(Serialize)]
pub struct Summary {
    out: PathBuf,
    persons: u32,
    seed: u64,
    seconds: f64,
    kept: bool,
    steps: Vec<Step>,
    packages: Vec<Package>,
    opt_outs_before: usize,
    opt_outs_after: usize,
    erased_records: usize,
    datasets: Vec<Delivered>,
    journal: Journal,
    promises: Vec<Result>,
    #[serde(skip)]
    lines: Vec<Message>,
}

/// The journal at the end.
#[derive(Serialize)]
struct Journal {
    entries: u64,
    root: String,
    export: PathBuf,
}

impl Summary {
    /// Of what happened.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn of(
        world: &World,
        persons: u32,
        seed: u64,
        seconds: f64,
        steps: Vec<Step>,
        results: Vec<Checked>,
        lang: Lang,
    ) -> std::result::Result<Summary, Failure> {
        let found = world.verified()?;
        let kept = results.iter().all(Checked::good);
        let mut lines = lines(&results, lang);
        let mut datasets = Vec::new();
        for set in &world.sets {
            lines.push(
                Message::new("demo-end-dataset")
                    .with("kind", set.kind)
                    .with("opened", set.opened.display())
                    .with("report", set.report.display()),
            );
            datasets.push(Delivered {
                id: set.id,
                kind: set.kind,
                persons: set.made.persons,
                rows: set.made.rows,
                opted_out_records: set.made.opted_out,
                not_notified_records: set.made.not_notified,
                suppressed_persons: set.made.suppressed,
                smallest_class: set.made.smallest_class,
                package: set.package.clone(),
                opened: set.opened.clone(),
                report: set.report.clone(),
            });
        }
        let export = world.place.journal();
        lines.push(
            Message::new("demo-end-journal")
                .with("entries", found.entries)
                .with("root", &found.root)
                .with("path", export.display()),
        );
        let end = if kept { "demo-end-kept" } else { "demo-end-broken" };
        let good = results.iter().filter(|r| r.good()).count();
        lines.push(Message::new(end).with("good", good).with("all", results.len()).with("seconds", format!("{seconds:.1}")));
        let packages = world
            .taken
            .iter()
            .map(|t| Package {
                provider: t.provider.to_string(),
                patients_in: t.patients_in,
                patients_refused: t.patients_refused,
                patients_set_aside: t.patients_set_aside,
                files: t.members,
                rows: t.rows,
                findings: t.findings,
            })
            .collect();
        let promises = results
            .into_iter()
            .map(|r| Result {
                good: r.good(),
                name: r.name,
                title: Message::new(r.title).text(lang),
                result: r.verdict.word(),
                evidence: r.verdict.message().text(lang),
                spoilt: r.sabotage.word(),
                spoilt_evidence: r.sabotage.message().text(lang),
                seconds: r.seconds,
            })
            .collect();
        Ok(Summary {
            out: world.place.root.clone(),
            persons,
            seed,
            seconds,
            kept,
            steps,
            packages,
            opt_outs_before: world.stops.iter().filter(|s| s.before).count(),
            opt_outs_after: world.stops.iter().filter(|s| !s.before).count(),
            erased_records: world.erased.len(),
            datasets,
            journal: Journal { entries: found.entries, root: found.root.clone(), export },
            promises,
            lines,
        })
    }

    /// The same in words.
    pub fn lines(&self) -> Vec<Message> {
        self.lines.clone()
    }
}

fn lines(results: &[Checked], lang: Lang) -> Vec<Message> {
    let mut lines = Vec::new();
    for result in results {
        let (code, spoilt) = match (&result.verdict, &result.sabotage) {
            (Verdict::Kept(_), Verdict::Broken(_)) => ("demo-line-kept", "demo-line-seen"),
            (Verdict::Kept(_), _) => ("demo-line-kept", "demo-line-blind"),
            (Verdict::Broken(_), Verdict::Broken(_)) => ("demo-line-broken", "demo-line-seen"),
            (Verdict::Broken(_), _) => ("demo-line-broken", "demo-line-blind"),
            (Verdict::Skipped(_), Verdict::Broken(_)) => ("demo-line-skipped", "demo-line-seen"),
            (Verdict::Skipped(_), _) => ("demo-line-skipped", "demo-line-blind"),
        };
        let title = Message::new(result.title).text(lang);
        lines.push(Message::new(code).with("title", title).with("evidence", result.verdict.message().text(lang)));
        lines.push(Message::new(spoilt).with("evidence", result.sabotage.message().text(lang)));
    }
    lines
}
