use serde::{Deserialize, Serialize};

use super::budget::Unit;
use super::{Budget, Decimal, Entry, Line, Mechanism, Noise, Plan, Question, Release};

/// δ at which a ρ is told as an ε, beside the δ that thresholds spend.
const TOLD_AT: f64 = 1e-6;

/// What a noisy table is: what was asked, what one person can change, the noise, the budget, and how exact each number is. Holds
/// nothing that was counted without noise, the number of rows and of persons included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountsReport {
    /// `azekura-counts/1`.
    pub format: String,
    /// The version of the program.
    pub version: String,
    /// What was asked.
    pub question: Question,
    /// SHA-256 of the question, as the budget has it.
    pub question_sha256: String,
    /// What one person adds to all counts together, at most.
    pub l1_sensitivity: u64,
    /// The same in squares.
    pub l2_sensitivity_squared: u64,
    /// The scale of Laplace noise, as a fraction.
    pub laplace_scale: Option<String>,
    /// The variance of Gaussian noise, as a fraction.
    pub gaussian_variance: Option<String>,
    /// Where values come from the data: cells whose noisy count is not above this are not shown.
    pub threshold: Option<u64>,
    /// Half of the width that the noise of a cell stays within 95 times in 100.
    pub half_width_95: u64,
    /// This table as ε: the odds that a person is in the data move by at most exp(ε), but for a chance of δ.
    pub epsilon: f64,
    /// That δ.
    pub epsilon_delta: f64,
    /// Cells in the table.
    pub cells: usize,
    /// Totals by single columns, made of noisy cells, each with its own error.
    pub totals: Vec<Total>,
    /// What this table spent.
    pub spent: Spent,
    /// What the holding has left.
    pub left: Left,
}

/// A total by one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// The column.
    pub column: String,
    /// Its value.
    pub value: String,
    /// The noisy total.
    pub noisy_count: i64,
    /// Its error.
    pub half_width_95: u64,
}

/// What a table spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The number of the spending.
    pub number: u64,
    /// The day.
    pub date: String,
    /// What for.
    pub purpose: String,
    /// ε or ρ.
    pub unit: Unit,
    /// How much.
    pub amount: Decimal,
    /// The δ with it.
    pub delta: Decimal,
}

/// What a holding has left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Left {
    /// The data holding.
    pub holding: String,
    /// ε or ρ.
    pub unit: Unit,
    /// Of how much.
    pub total: Decimal,
    /// How much.
    pub amount: Decimal,
    /// The δ of how much.
    pub total_delta: Decimal,
    /// The δ.
    pub delta: Decimal,
    /// All that was spent, as ε: the sum, or of a ρ ε = ρ + 2√(ρ ln(1/δ)).
    pub spent_epsilon: f64,
    /// The δ at which that holds.
    pub spent_epsilon_delta: f64,
}

/// ε of a ρ, and the chance beside which it holds.
fn told(rho: f64) -> (f64, f64) {
    (rho + 2.0 * (rho * -TOLD_AT.ln()).sqrt(), TOLD_AT)
}

impl Left {
    /// Of a budget.
    pub fn of(budget: &Budget) -> Left {
        let (spent, delta) = (budget.spent().to_f64(), budget.spent_delta().to_f64());
        let (spent_epsilon, spent_epsilon_delta) = match budget.unit() {
            Unit::Epsilon => (spent, delta),
            Unit::Rho => {
                let (epsilon, at) = told(spent);
                (epsilon, delta + at)
            }
        };
        Left {
            holding: budget.holding().to_owned(),
            unit: budget.unit(),
            total: budget.total(),
            amount: budget.left(),
            total_delta: budget.total_delta(),
            delta: budget.left_delta(),
            spent_epsilon,
            spent_epsilon_delta,
        }
    }
}

impl CountsReport {
    /// Of a table, with the budget after it and its entry there.
    pub fn new(question: &Question, plan: &Plan, release: &Release, budget: &Budget, entry: &Entry) -> CountsReport {
        let (laplace_scale, gaussian_variance) = match plan.noise {
            Noise::Laplace { scale } => (Some(scale.to_string()), None),
            Noise::Gaussian { variance } => (None, Some(variance.to_string())),
        };
        let delta = entry.delta.to_f64();
        let (epsilon, epsilon_delta) = match question.mechanism {
            Mechanism::Laplace => (question.parameter.to_f64(), delta),
            Mechanism::Gaussian => {
                let (epsilon, at) = told(question.parameter.to_f64());
                (epsilon, delta + at)
            }
        };
        let total = |line: &Line| {
            let (column, value) = release.columns.iter().zip(&line.values).find_map(|(c, v)| Some((c, v.as_ref()?)))?;
            Some(Total { column: column.clone(), value: value.clone(), noisy_count: line.noisy, half_width_95: line.half_width })
        };
        CountsReport {
            format: "azekura-counts/1".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            question: question.clone(),
            question_sha256: entry.question_sha256.clone(),
            l1_sensitivity: plan.l1,
            l2_sensitivity_squared: plan.l2_squared,
            laplace_scale,
            gaussian_variance,
            threshold: plan.threshold,
            half_width_95: plan.noise.half_width(1),
            epsilon,
            epsilon_delta,
            cells: release.cells.len(),
            totals: release.totals.iter().filter_map(total).collect(),
            spent: Spent {
                number: entry.number,
                date: entry.date.clone(),
                purpose: entry.purpose.clone(),
                unit: budget.unit(),
                amount: entry.spent,
                delta: entry.delta,
            },
            left: Left::of(budget),
        }
    }
}
