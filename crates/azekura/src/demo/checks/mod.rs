//! The promises of the house, each checked by reading what came out, and each check held against something spoilt, where
//! it has to fail: a check that cannot fail proves nothing.
//!
//! * who is in it: `absent` (nobody who said no), `classes` (k, and nothing that tells the hospital), `suspected`
//! * what lies there: `plaintext` with `patterns` and `scan`, `erased`, `quarantine`, `held`, `numbers`; what several sources tell: `history`
//! * what was agreed and what happened: `approvals`, `journal`, `row`, `delivery`

mod absent;
mod approvals;
mod classes;
mod delivery;
mod erased;
mod held;
mod history;
mod journal;
mod numbers;
mod patterns;
mod plaintext;
mod quarantine;
mod row;
mod scan;
mod suspected;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use messages::Message;

use super::voice::Voice;
use super::world::World;
use crate::failure::Failure;

/// What a check found.
pub enum Verdict {
    /// The promise holds; the evidence.
    Kept(Message),
    /// It does not; what was found.
    Broken(Message),
    /// It cannot be told here; why.
    Skipped(Message),
}

impl Verdict {
    /// The word for `--json`.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Kept(_) => "kept",
            Verdict::Broken(_) => "broken",
            Verdict::Skipped(_) => "skipped",
        }
    }

    /// The evidence.
    pub fn message(&self) -> &Message {
        let (Verdict::Kept(message) | Verdict::Broken(message) | Verdict::Skipped(message)) = self;
        message
    }
}

/// A promise.
pub trait Promise: Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// The code of its text.
    fn title(&self) -> &'static str;
    /// Whether it holds.
    ///
    /// # Errors
    /// When what came out cannot be read at all.
    fn check(&self, world: &World) -> Result<Verdict, Failure>;
    /// The same check of something that was spoilt: anything but [`Verdict::Broken`] means that the check is blind.
    ///
    /// # Errors
    /// As [`Promise::check`].
    fn sabotage(&self, world: &World) -> Result<Verdict, Failure>;
}

/// A promise with what was found.
pub struct Checked {
    /// Its name.
    pub name: &'static str,
    /// The code of its text.
    pub title: &'static str,
    /// What the check found.
    pub verdict: Verdict,
    /// What it found of something spoilt.
    pub sabotage: Verdict,
    /// How long both took.
    pub seconds: f64,
}

impl Checked {
    /// Whether the promise holds and the check can see when it does not.
    pub fn good(&self) -> bool {
        matches!(
            (&self.verdict, &self.sabotage),
            (Verdict::Kept(_), Verdict::Broken(_)) | (Verdict::Skipped(_), Verdict::Skipped(_))
        )
    }
}

/// Every promise, in the order in which they are told.
static PROMISES: [&dyn Promise; 13] = [
    &absent::NobodyWhoStopped,
    &erased::Erased,
    &plaintext::NoPlaintext,
    &classes::Classes,
    &suspected::Suspected,
    &history::OneHistory,
    &quarantine::Quarantined,
    &held::HeldBack,
    &approvals::TwoOfficers,
    &delivery::OnlyTheRecipient,
    &journal::JournalHolds,
    &row::EditedRow,
    &numbers::NumbersAddUp,
];

/// Checks all.
///
/// # Errors
/// When something cannot be read at all.
pub fn all(world: &World, voice: &Voice<'_>) -> Result<Vec<Checked>, Failure> {
    voice.step("checks", Message::new("demo-step-checks").with("count", PROMISES.len()), || {
        let bar = voice.bar(PROMISES.len() as u64, Message::new("demo-bar-promises"));
        let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some((at, promise)) = take(&next) {
                let begun = Instant::now();
                let verdict = unreadable(promise.check(world));
                let sabotage = unreadable(promise.sabotage(world));
                let seconds = begun.elapsed().as_secs_f64();
                let checked = Checked { name: promise.name(), title: promise.title(), verdict, sabotage, seconds };
                results.lock().unwrap_or_else(PoisonError::into_inner).push((at, checked));
                bar.inc(1);
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        bar.finish_and_clear();
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(at, _)| *at);
        if results.len() < PROMISES.len() {
            return Err(anyhow::anyhow!("a check broke off").into());
        }
        Ok(results.into_iter().map(|(_, checked)| checked).collect())
    })
}

fn take(next: &AtomicUsize) -> Option<(usize, &'static dyn Promise)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    PROMISES.get(at).map(|promise| (at, *promise))
}

/// What cannot be checked is not kept, and says why; the other checks go on.
fn unreadable(verdict: Result<Verdict, Failure>) -> Verdict {
    verdict.unwrap_or_else(|failure| {
        let reason = failure.text(messages::Lang::En);
        Verdict::Skipped(Message::new("demo-check-failed").with("reason", reason))
    })
}
