//! The accountant: what a data holding may give away, and what it gave.

use serde::{Deserialize, Serialize};

use super::{CountsError, Decimal, Mechanism};

/// The format of a budget file.
pub const FORMAT: &str = "azekura-budget/1";

/// What a budget is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// ε and δ: both add up (basic composition).
    Epsilon,
    /// ρ of (approximate) zero-concentrated privacy, and δ: both add up (Bun, Steinke 2016, lemmas 1.7 and 8.2).
    Rho,
}

impl Unit {
    /// Its sign.
    pub fn sign(self) -> &'static str {
        match self {
            Unit::Epsilon => "ε",
            Unit::Rho => "ρ",
        }
    }

    /// What a noise with this parameter spends of a budget in this unit: ε as it is, or as ρ = ε²/2 (Bun, Steinke 2016, proposition
    /// 1.4).
    ///
    /// # Errors
    /// Gaussian noise is not pure, so that no ε of its own can be taken from a budget in ε.
    pub fn cost(self, mechanism: Mechanism, parameter: Decimal) -> Result<Decimal, CountsError> {
        match (mechanism, self) {
            (Mechanism::Laplace, Unit::Epsilon) | (Mechanism::Gaussian, Unit::Rho) => Ok(parameter),
            (Mechanism::Laplace, Unit::Rho) => parameter.half_square().ok_or(CountsError::TooFine),
            (Mechanism::Gaussian, Unit::Epsilon) => Err(CountsError::BudgetUnit { unit: self }),
        }
    }
}

/// What a run asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// The day, as YYYY-MM-DD.
    pub date: String,
    /// What for.
    pub purpose: String,
    /// The noise.
    pub mechanism: Mechanism,
    /// Its ε or ρ.
    pub parameter: Decimal,
    /// The δ of a threshold; 0 without one.
    pub delta: Decimal,
    /// SHA-256 of the question, in hexadecimal.
    pub question_sha256: String,
}

/// What a run spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// 1, 2, 3 …
    pub number: u64,
    /// The day, as YYYY-MM-DD.
    pub date: String,
    /// What for.
    pub purpose: String,
    /// The noise.
    pub mechanism: Mechanism,
    /// Its ε or ρ.
    pub parameter: Decimal,
    /// What that is in the unit of the budget.
    pub spent: Decimal,
    /// The δ that went with it.
    pub delta: Decimal,
    /// SHA-256 of the question, in hexadecimal.
    pub question_sha256: String,
}

/// The budget of one data holding. Made only whole: what is read is held to its own sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Budget {
    format: String,
    holding: String,
    unit: Unit,
    total: Decimal,
    total_delta: Decimal,
    spent: Decimal,
    spent_delta: Decimal,
    entries: Vec<Entry>,
}

/// A budget as it stands in a file, before it is believed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claimed {
    #[serde(rename = "format")]
    _format: String,
    holding: String,
    unit: Unit,
    total: Decimal,
    total_delta: Decimal,
    spent: Decimal,
    spent_delta: Decimal,
    entries: Vec<Entry>,
}

/// The format alone, so that a file of another one is told so.
#[derive(Deserialize)]
struct Format {
    format: String,
}

impl Budget {
    /// A budget of which nothing is spent. `delta` is what thresholds may spend; 0 allows none.
    ///
    /// # Errors
    /// No name, no total, or a δ of 1 or more.
    pub fn new(holding: &str, unit: Unit, total: Decimal, delta: Decimal) -> Result<Budget, CountsError> {
        if holding.trim().is_empty() || total == Decimal::ZERO {
            return Err(CountsError::BudgetEmpty);
        }
        if delta >= "1".parse()? {
            return Err(CountsError::DeltaRange);
        }
        Ok(Budget {
            format: FORMAT.to_owned(),
            holding: holding.to_owned(),
            unit,
            total,
            total_delta: delta,
            spent: Decimal::ZERO,
            spent_delta: Decimal::ZERO,
            entries: Vec::new(),
        })
    }

    /// Reads a budget and spends every entry again: numbers, amounts, sums and limits have to come out as they are stated.
    ///
    /// # Errors
    /// No JSON, another format, or anything in it that does not follow from the rest.
    pub fn parse(bytes: &[u8]) -> Result<Budget, CountsError> {
        // The text of a JSON error can quote the file; its place is enough.
        let unreadable =
            |e: serde_json::Error| CountsError::BudgetUnreadable { reason: format!("line {}, column {}", e.line(), e.column()) };
        let Format { format } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if format != FORMAT {
            return Err(CountsError::BudgetFormat { format: format.chars().take(40).collect() });
        }
        let claimed: Claimed = serde_json::from_slice(bytes).map_err(unreadable)?;
        let mut budget = Budget::new(&claimed.holding, claimed.unit, claimed.total, claimed.total_delta)?;
        for (entry, number) in claimed.entries.into_iter().zip(1u64..) {
            let asked = Spending {
                date: entry.date.clone(),
                purpose: entry.purpose.clone(),
                mechanism: entry.mechanism,
                parameter: entry.parameter,
                delta: entry.delta,
                question_sha256: entry.question_sha256.clone(),
            };
            budget = budget.spend(asked).map_err(|_| CountsError::BudgetEntry { number })?;
            if budget.entries.last() != Some(&entry) {
                return Err(CountsError::BudgetEntry { number });
            }
        }
        let sums = |spent: Decimal, delta: Decimal| format!("{} {spent}, δ {delta}", claimed.unit.sign());
        if (budget.spent, budget.spent_delta) != (claimed.spent, claimed.spent_delta) {
            let (said, found) = (sums(claimed.spent, claimed.spent_delta), sums(budget.spent, budget.spent_delta));
            return Err(CountsError::BudgetSum { said, found });
        }
        Ok(budget)
    }

    /// The budget after a spending; refused where the total would be exceeded, by however little.
    ///
    /// # Errors
    /// ε, ρ or δ that is not left; noise that this budget does not count; a spending of nothing.
    pub fn spend(&self, asked: Spending) -> Result<Budget, CountsError> {
        let spent = self.unit.cost(asked.mechanism, asked.parameter)?;
        if spent == Decimal::ZERO {
            return Err(CountsError::ParameterRange);
        }
        let within = |before: Decimal, more: Decimal, total: Decimal| before.plus(more).filter(|sum| *sum <= total);
        let Some(sum) = within(self.spent, spent, self.total) else {
            return Err(CountsError::BudgetSpent {
                holding: self.holding.clone(),
                asked: spent.to_string(),
                left: self.left().to_string(),
                unit: self.unit,
            });
        };
        let Some(sum_delta) = within(self.spent_delta, asked.delta, self.total_delta) else {
            return Err(CountsError::BudgetDeltaSpent {
                holding: self.holding.clone(),
                asked: asked.delta.to_string(),
                left: self.left_delta().to_string(),
            });
        };
        let mut after = self.clone();
        after.spent = sum;
        after.spent_delta = sum_delta;
        after.entries.push(Entry {
            number: self.entries.len() as u64 + 1,
            date: asked.date,
            purpose: asked.purpose,
            mechanism: asked.mechanism,
            parameter: asked.parameter,
            spent,
            delta: asked.delta,
            question_sha256: asked.question_sha256,
        });
        Ok(after)
    }

    /// As it was after its first `entries` spendings; none where it had not so many.
    pub fn after(&self, entries: usize) -> Option<Budget> {
        let mut before = self.clone();
        before.entries = self.entries.get(..entries)?.to_vec();
        let sum = |of: fn(&Entry) -> Decimal| before.entries.iter().try_fold(Decimal::ZERO, |sum, e| sum.plus(of(e)));
        (before.spent, before.spent_delta) = (sum(|e| e.spent)?, sum(|e| e.delta)?);
        Some(before)
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        // Serializing texts, numbers and lists of them to memory does not fail.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The data holding.
    pub fn holding(&self) -> &str {
        &self.holding
    }

    /// What it is counted in.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// What may be spent in all.
    pub fn total(&self) -> Decimal {
        self.total
    }

    /// The δ that may be spent in all.
    pub fn total_delta(&self) -> Decimal {
        self.total_delta
    }

    /// What is spent.
    pub fn spent(&self) -> Decimal {
        self.spent
    }

    /// The δ that is spent.
    pub fn spent_delta(&self) -> Decimal {
        self.spent_delta
    }

    /// What is left.
    pub fn left(&self) -> Decimal {
        self.total.minus(self.spent).unwrap_or_default()
    }

    /// The δ that is left.
    pub fn left_delta(&self) -> Decimal {
        self.total_delta.minus(self.spent_delta).unwrap_or_default()
    }

    /// What was spent, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
