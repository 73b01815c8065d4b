use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{CountsError, Decimal, Mechanism, Noise};

/// Greatest ε and ρ: more is a slip of the pen, not a promise to anybody.
const MOST_PARAMETER: &str = "100";
/// Greatest δ, the chance that one person's cell shows: it has to be far below one in the number of persons.
const MOST_DELTA: &str = "0.001";
/// Most cells, and rows in a cell, that one person may count in.
const MOST_BOUND: u32 = 1_000;
/// Most cells of a product of given values.
const MOST_PRODUCT: u64 = 1_000_000;
/// Columns that the output has beside the strata.
pub(super) const OWN_COLUMNS: [&str; 3] = ["row_kind", "noisy_count", "half_width_95"];

/// Whose rows belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Persons {
    /// Those with the same id in this column.
    Column(String),
    /// Every row is another person: somebody said so.
    Rows,
}

/// What a count counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counted {
    /// Persons with a row in the cell.
    Persons,
    /// Rows in the cell.
    Rows,
}

/// A column by which is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stratum {
    /// Its name.
    pub column: String,
    /// Its values, known without the data; none where they are taken from the data.
    pub values: Option<Vec<String>>,
}

/// What is asked of a table. Says nothing of what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The columns.
    pub by: Vec<Stratum>,
    /// Whose rows belong together.
    pub persons: Persons,
    /// What is counted.
    pub count: Counted,
    /// C: cells that a person counts in at most.
    pub most_cells: u32,
    /// M: rows of a person that count in a cell at most; 1 where persons are counted.
    pub most_rows: u32,
    /// The noise.
    pub mechanism: Mechanism,
    /// ε of Laplace noise, ρ of Gaussian noise.
    pub parameter: Decimal,
    /// Chance that a cell of one person alone shows, where values come from the data.
    pub delta: Option<Decimal>,
    /// Noisy counts below this are left out.
    pub suppress: Option<u64>,
    /// Noisy counts below 0 are shown as 0.
    pub non_negative: bool,
    /// Totals by each single column too; only where the values of all columns are given.
    pub marginals: bool,
}

/// What a question takes: worked out without a look at the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The noise of each cell.
    pub noise: Noise,
    /// τ: cells whose noisy count is not above it are not released; none where all values are given.
    pub threshold: Option<u64>,
    /// Δ1.
    pub l1: u64,
    /// Δ2².
    pub l2_squared: u64,
}

impl Question {
    /// Whether the values of all columns are given.
    pub fn is_closed(&self) -> bool {
        self.by.iter().all(|s| s.values.is_some())
    }

    /// Holds the question to its rules and works out the noise and the threshold.
    ///
    /// # Errors
    /// What does not go together or is out of its range.
    pub fn plan(&self) -> Result<Plan, CountsError> {
        self.strata_hold()?;
        let bound = |n: u32| (1..=MOST_BOUND).contains(&n);
        if !bound(self.most_cells) || !bound(self.most_rows) {
            return Err(CountsError::BoundRange { most: MOST_BOUND });
        }
        if self.persons == Persons::Rows && (self.most_cells, self.most_rows) != (1, 1) {
            return Err(CountsError::RowsArePersons);
        }
        if self.count == Counted::Persons && self.most_rows != 1 {
            return Err(CountsError::RowsUnbounded);
        }
        if self.parameter == Decimal::ZERO || self.parameter > MOST_PARAMETER.parse()? {
            return Err(CountsError::ParameterRange);
        }
        let (c, m) = (u64::from(self.most_cells), u64::from(self.most_rows));
        let (l1, l2_squared) = (c * m, c * m * m);
        let noise = match self.mechanism {
            Mechanism::Laplace => Noise::laplace(l1, self.parameter)?,
            Mechanism::Gaussian => Noise::gaussian(l2_squared, self.parameter)?,
        };
        let threshold = match (self.is_closed(), self.delta) {
            (true, None) => None,
            (true, Some(_)) => return Err(CountsError::DeltaUnused),
            (false, None) => return Err(CountsError::DeltaMissing),
            (false, Some(delta)) if delta == Decimal::ZERO || delta > MOST_DELTA.parse()? => return Err(CountsError::DeltaRange),
            // C · P(Z > τ − M) ≤ δ
            (false, Some(delta)) => Some(m + noise.rarely_above(delta.to_f64() / c as f64)),
        };
        // A cell shows only where its noise lifts it above τ, so that sums of what shows are biased and no half width holds for them.
        if self.marginals && !self.is_closed() {
            return Err(CountsError::MarginalsOpen);
        }
        Ok(Plan { noise, threshold, l1, l2_squared })
    }

    fn strata_hold(&self) -> Result<(), CountsError> {
        if self.by.is_empty() {
            return Err(CountsError::NoStrata);
        }
        let mut seen = HashSet::new();
        let mut product = 1u64;
        for Stratum { column, values } in &self.by {
            if !seen.insert(column) {
                return Err(CountsError::StratumTwice { column: column.clone() });
            }
            if OWN_COLUMNS.contains(&column.as_str()) {
                return Err(CountsError::StratumReserved { column: column.clone() });
            }
            if matches!(&self.persons, Persons::Column(person) if person == column) {
                return Err(CountsError::StratumIsPerson { column: column.clone() });
            }
            let Some(values) = values else { continue };
            let mut distinct = HashSet::new();
            if values.is_empty() || !values.iter().all(|v| distinct.insert(v)) {
                return Err(CountsError::ValueTwice { column: column.clone() });
            }
            product = product.saturating_mul(values.len() as u64);
        }
        if product > MOST_PRODUCT { Err(CountsError::TooManyCells { most: MOST_PRODUCT }) } else { Ok(()) }
    }
}
