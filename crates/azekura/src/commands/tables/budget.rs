//! The budget of a data holding as files: the budget, a lock, and a note of how far it was spent.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anonymity::counts::{Budget, CountsError, Decimal, Left, Spending, Unit};
use messages::Message;
use serde::{Deserialize, Serialize};

use super::refused;
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

/// Looks for the lock, and how long is waited between them: another run holds it for as long as writing two small files takes.
const LOOKS: u32 = 50;
const BETWEEN: Duration = Duration::from_millis(100);

#[derive(clap::Subcommand)]
pub enum Command {
    /// Make the budget of a data holding. It is made once: all tables of the holding spend from it.
    Create {
        /// Where the budget goes. FILE.lock and FILE.seen stand beside it and move with it.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The name of the data holding.
        #[arg(long, value_name = "NAME")]
        holding: String,
        /// Count in ε: Laplace noise alone.
        #[arg(long, value_name = "E", allow_negative_numbers = true, conflicts_with = "rho", required_unless_present = "rho")]
        epsilon: Option<String>,
        /// Count in ρ: both kinds of noise, and less is spent where there are many tables.
        #[arg(long, value_name = "R", allow_negative_numbers = true)]
        rho: Option<String>,
        /// δ for tables whose values are taken from the data.
        #[arg(long, value_name = "D", default_value = "0", allow_negative_numbers = true)]
        delta: String,
    },
    /// Show what was spent, by which table, and what is left.
    Show {
        /// The budget.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// How far a budget was spent when it was last written: an older copy that is put back does not go as far.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// Spendings.
    entries: usize,
    /// SHA-256 of the budget with them, in hexadecimal.
    sha256: String,
}

impl Seen {
    fn of(budget: &Budget) -> Seen {
        Seen { entries: budget.entries().len(), sha256: hex::encode(seal::hash::sha256(&budget.bytes())) }
    }

    fn write(&self, path: &Path) -> Result<(), Failure> {
        Ok(durable::write_atomic(path, &serde_json::to_vec(self).map_err(anyhow::Error::from)?)?)
    }
}

/// The lock of a budget and the note of how far it was spent.
pub fn beside(budget: &Path) -> [PathBuf; 2] {
    // By another name of the same file there would be another lock.
    let budget = budget.canonicalize().unwrap_or_else(|_| budget.to_owned());
    ["lock", "seen"].map(|ending| {
        let mut name = budget.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(ending);
        budget.with_file_name(name)
    })
}

fn told(code: &'static str, path: &Path) -> Failure {
    Failure::Refused(Message::new(code).with("path", path.display()))
}

fn lock(budget: &Path, path: &Path) -> Result<durable::Lock, Failure> {
    for look in 0..LOOKS {
        if look > 0 {
            std::thread::sleep(BETWEEN);
        }
        if let Some(lock) = durable::Lock::exclusive(path)? {
            return Ok(lock);
        }
    }
    Err(told("anonymity-budget-busy", budget))
}

/// A budget that nobody else spends from while this value lives.
pub struct Held {
    budget: Budget,
    path: PathBuf,
    seen: PathBuf,
    _lock: durable::Lock,
}

impl Held {
    /// Takes a budget and holds it to itself and to how far it was spent before.
    pub fn take(path: &Path) -> Result<Held, Failure> {
        let Ok(real) = path.canonicalize() else { return Err(told("anonymity-budget-none", path)) };
        let [lock_path, seen_path] = beside(&real);
        let lock = lock(path, &lock_path)?;
        // Only under the lock: the file is another one after each spending.
        if std::fs::metadata(&real)?.nlink() > 1 {
            return Err(told("anonymity-budget-linked", path));
        }
        let budget = Budget::parse(&std::fs::read(&real)?).map_err(refused)?;
        let seen = std::fs::read(&seen_path).ok().and_then(|bytes| serde_json::from_slice::<Seen>(&bytes).ok());
        let Some(seen) = seen else { return Err(told("anonymity-budget-unwitnessed", &seen_path)) };
        let then = budget.after(seen.entries).map(|budget| Seen::of(&budget).sha256);
        if then.as_ref() != Some(&seen.sha256) {
            let message = Message::new("anonymity-budget-rolled-back").with("path", path.display()).with("seen", seen.entries);
            return Err(Failure::Refused(message));
        }
        Ok(Held { budget, path: real, seen: seen_path, _lock: lock })
    }

    /// The budget.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Spends, durably when this returns.
    pub fn spend(self, asked: Spending) -> Result<Budget, Failure> {
        let after = self.budget.spend(asked).map_err(refused)?;
        durable::write_atomic(&self.path, &after.bytes())?;
        // Where a crash comes between the two, the budget goes further than the note, which is as good.
        Seen::of(&after).write(&self.seen)?;
        Ok(after)
    }
}

fn create(path: &Path, budget: &Budget) -> Result<(), Failure> {
    let [lock_path, seen_path] = beside(path);
    let _lock = lock(path, &lock_path)?;
    let seen = std::fs::read(&seen_path).ok();
    // What a crash left of a budget that nobody spent from yet may be made again.
    let unspent = |bytes: &Vec<u8>| serde_json::from_slice::<Seen>(bytes).is_ok_and(|seen| seen.entries == 0);
    if path.symlink_metadata().is_ok() || !seen.as_ref().is_none_or(unspent) {
        return Err(told("anonymity-budget-exists", path));
    }
    Seen::of(budget).write(&seen_path)?;
    durable::write_atomic(path, &budget.bytes())?;
    Ok(())
}

fn decimal(text: &str) -> Result<Decimal, Failure> {
    text.parse().map_err(refused)
}

pub fn run(command: Command, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::Create { file, holding, epsilon, rho, delta } => {
            let (unit, total) = match (epsilon, rho) {
                (Some(epsilon), None) => (Unit::Epsilon, epsilon),
                (None, Some(rho)) => (Unit::Rho, rho),
                _ => return Err(refused(CountsError::BudgetEmpty)),
            };
            let budget = Budget::new(&holding, unit, decimal(&total)?, decimal(&delta)?).map_err(refused)?;
            super::writable(&file)?;
            create(&file, &budget)?;
            let line = Message::new("anonymity-budget-created")
                .with("holding", budget.holding())
                .with("unit", unit.sign())
                .with("total", budget.total())
                .with("delta", budget.total_delta())
                .with("path", file.display());
            shown.result(&budget, &[line]);
        }
        Command::Show { file } => {
            let held = Held::take(&file)?;
            shown.result(held.budget(), &lines(held.budget()));
        }
    }
    Ok(Outcome::Done)
}

/// What is left, then a line for each spending.
fn lines(budget: &Budget) -> Vec<Message> {
    let left = Left::of(budget);
    let sign = left.unit.sign();
    let first = Message::new("anonymity-budget-shown")
        .with("holding", &left.holding)
        .with("unit", sign)
        .with("left", left.amount)
        .with("total", left.total)
        .with("delta", left.delta)
        .with("total_delta", left.total_delta)
        .with("epsilon", format!("{:.4}", left.spent_epsilon))
        .with("at", format!("{:.1e}", left.spent_epsilon_delta));
    let line = |entry: &anonymity::counts::Entry| {
        Message::new("anonymity-budget-line")
            .with("number", entry.number)
            .with("date", &entry.date)
            .with("purpose", &entry.purpose)
            .with("unit", sign)
            .with("spent", entry.spent)
            .with("delta", entry.delta)
    };
    std::iter::once(first).chain(budget.entries().iter().map(line)).collect()
}
