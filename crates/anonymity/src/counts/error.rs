use messages::Message;

use super::Unit;
use crate::table::TableError;

/// Why a noisy table was not made, or a budget not accepted. Names columns, lines and what to change; no cell of the table and no
/// count of it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.message().text(messages::Lang::En))]
#[allow(missing_docs)] // the texts of the catalogue say what each is
pub enum CountsError {
    Table(TableError),
    NotADecimal { text: String },
    TooFine,
    ParameterRange,
    DeltaRange,
    NoiseTooWide { most: u64 },
    BoundRange { most: u32 },
    NoStrata,
    StratumTwice { column: String },
    StratumReserved { column: String },
    StratumIsPerson { column: String },
    ValuesForeign { column: String },
    ValuesTwice { column: String },
    ValuesForm { text: String },
    ValueTwice { column: String },
    TooManyCells { most: u64 },
    NobodyProtected,
    RowsArePersons,
    RowsUnbounded,
    DeltaMissing,
    DeltaUnused,
    MarginalsOpen,
    PersonEmpty { column: String, rows: u64, lines: String },
    OutsideValues { column: String, rows: u64, lines: String },
    BudgetUnreadable { reason: String },
    BudgetFormat { format: String },
    BudgetSum { said: String, found: String },
    BudgetEntry { number: u64 },
    BudgetEmpty,
    BudgetUnit { unit: Unit },
    BudgetSpent { holding: String, asked: String, left: String, unit: Unit },
    BudgetDeltaSpent { holding: String, asked: String, left: String },
}

/// Every code of these errors.
pub const CODES: &[&str] = &[
    "anonymity-counts-not-a-decimal",
    "anonymity-counts-too-fine",
    "anonymity-counts-parameter-range",
    "anonymity-counts-delta-range",
    "anonymity-counts-noise-too-wide",
    "anonymity-counts-bound-range",
    "anonymity-counts-no-strata",
    "anonymity-counts-stratum-twice",
    "anonymity-counts-stratum-reserved",
    "anonymity-counts-stratum-is-person",
    "anonymity-counts-values-foreign",
    "anonymity-counts-values-twice",
    "anonymity-counts-values-form",
    "anonymity-counts-value-twice",
    "anonymity-counts-too-many-cells",
    "anonymity-counts-nobody-protected",
    "anonymity-counts-rows-are-persons",
    "anonymity-counts-rows-unbounded",
    "anonymity-counts-delta-missing",
    "anonymity-counts-delta-unused",
    "anonymity-counts-marginals-open",
    "anonymity-counts-person-empty",
    "anonymity-counts-outside-values",
    "anonymity-budget-unreadable",
    "anonymity-budget-format",
    "anonymity-budget-sum",
    "anonymity-budget-entry",
    "anonymity-budget-empty",
    "anonymity-budget-unit",
    "anonymity-budget-spent",
    "anonymity-budget-delta-spent",
];

impl CountsError {
    /// The reason as a coded message.
    pub fn message(&self) -> Message {
        use CountsError::*;
        let m = Message::new;
        match self {
            Table(error) => error.message(),
            NotADecimal { text } => m("anonymity-counts-not-a-decimal").with("text", text),
            TooFine => m("anonymity-counts-too-fine"),
            ParameterRange => m("anonymity-counts-parameter-range"),
            DeltaRange => m("anonymity-counts-delta-range"),
            NoiseTooWide { most } => m("anonymity-counts-noise-too-wide").with("most", most),
            BoundRange { most } => m("anonymity-counts-bound-range").with("most", most),
            NoStrata => m("anonymity-counts-no-strata"),
            StratumTwice { column } => m("anonymity-counts-stratum-twice").with("column", column),
            StratumReserved { column } => m("anonymity-counts-stratum-reserved").with("column", column),
            StratumIsPerson { column } => m("anonymity-counts-stratum-is-person").with("column", column),
            ValuesForeign { column } => m("anonymity-counts-values-foreign").with("column", column),
            ValuesTwice { column } => m("anonymity-counts-values-twice").with("column", column),
            ValuesForm { text } => m("anonymity-counts-values-form").with("text", text),
            ValueTwice { column } => m("anonymity-counts-value-twice").with("column", column),
            TooManyCells { most } => m("anonymity-counts-too-many-cells").with("most", most),
            NobodyProtected => m("anonymity-counts-nobody-protected"),
            RowsArePersons => m("anonymity-counts-rows-are-persons"),
            RowsUnbounded => m("anonymity-counts-rows-unbounded"),
            DeltaMissing => m("anonymity-counts-delta-missing"),
            DeltaUnused => m("anonymity-counts-delta-unused"),
            MarginalsOpen => m("anonymity-counts-marginals-open"),
            PersonEmpty { column, rows, lines } => {
                m("anonymity-counts-person-empty").with("column", column).with("rows", rows).with("lines", lines)
            }
            OutsideValues { column, rows, lines } => {
                m("anonymity-counts-outside-values").with("column", column).with("rows", rows).with("lines", lines)
            }
            BudgetUnreadable { reason } => m("anonymity-budget-unreadable").with("reason", reason),
            BudgetFormat { format } => m("anonymity-budget-format").with("format", format),
            BudgetSum { said, found } => m("anonymity-budget-sum").with("said", said).with("found", found),
            BudgetEntry { number } => m("anonymity-budget-entry").with("number", number),
            BudgetEmpty => m("anonymity-budget-empty"),
            BudgetUnit { unit } => m("anonymity-budget-unit").with("unit", unit.sign()),
            BudgetSpent { holding, asked, left, unit } => m("anonymity-budget-spent")
                .with("holding", holding)
                .with("asked", asked)
                .with("left", left)
                .with("unit", unit.sign()),
            BudgetDeltaSpent { holding, asked, left } => {
                m("anonymity-budget-delta-spent").with("holding", holding).with("asked", asked).with("left", left)
            }
        }
    }
}

impl From<TableError> for CountsError {
    fn from(error: TableError) -> Self {
        CountsError::Table(error)
    }
}
