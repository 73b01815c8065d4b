//! What the demo says while it runs: steps with their counts. With `--json` it says nothing before the end.

use std::cell::RefCell;
use std::time::Instant;

use indicatif::ProgressBar;
use messages::Message;
use serde::Serialize;

use crate::output::Shown;

/// A step that is done.
#[derive(Serialize)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// How long it took.
    pub seconds: f64,
}

/// Says what happens.
pub struct Voice<'a> {
    shown: &'a Shown,
    steps: RefCell<Vec<Step>>,
}

impl<'a> Voice<'a> {
    /// A voice that says nothing yet.
    pub fn new(shown: &'a Shown) -> Voice<'a> {
        Voice { shown, steps: RefCell::new(Vec::new()) }
    }

    /// Runs a step under its heading.
    ///
    /// # Errors
    /// What the step returns.
    pub fn step<T, E>(&self, name: &'static str, heading: Message, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.line("");
        self.say(&heading);
        let begun = Instant::now();
        let result = work();
        self.steps.borrow_mut().push(Step { name, seconds: begun.elapsed().as_secs_f64() });
        result
    }

    /// Says something.
    pub fn say(&self, message: &Message) {
        self.line(&message.text(self.shown.lang));
    }

    /// A line as it is.
    pub fn line(&self, text: &str) {
        if !self.shown.json {
            println!("{text}");
        }
    }

    /// A progress bar.
    pub fn bar(&self, length: u64, what: Message) -> ProgressBar {
        self.shown.bar(length, what)
    }

    /// The steps so far.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps.into_inner()
    }
}
