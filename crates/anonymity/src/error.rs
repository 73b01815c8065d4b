use messages::Message;

use crate::identifiers::Looks;
use crate::profile::{Alike, Attacker};

/// Why tables could not be treated. Names tables and columns, never values.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.message().text(messages::Lang::En))]
#[allow(missing_docs)] // the texts of the catalogue say what each is
pub enum AnonymityError {
    ProfileUnreadable { reason: String },
    ProfileFormat { format: String },
    ProfileEmpty { what: &'static str },
    PrivacyMissing,
    PrivacyWeak { what: &'static str },
    ShiftUnused,
    NotAColumn { name: String },
    StepNotCoarser { column: String },
    BoundUnusable { of: String },
    DatesMixed { table: String, column: String },
    BelowFloor { table: String, column: String, treatment: &'static str, kind: &'static str },
    ColumnUntreated { table: String, column: String },
    ColumnMissing { table: String, column: String },
    LeaderMissing { table: String, column: String, leader: String },
    TreatmentUnfit { table: String, column: String, treatment: &'static str, found: String },
    DateNotDroppable { table: String, column: String },
    NoPersonColumn { table: String },
    ValueColumnTwice { table: String },
    IdsGivenForAnonymized,
    TooMuchSuppressed { suppressed: usize, persons: usize, most: f64 },
    EventsMissing,
    EventsUnusable { column: String },
    TooManyFound { attacker: Attacker, found: f64, most: f64 },
    TooManyUnique { alike: Alike, unique: f64, most: f64 },
    Identifying { table: String, column: String, looks: Looks, cells: usize },
    NobodyLeft { persons: usize },
    PeriodTooShort { days: i32 },
    PeriodUnreadable,
    Arrow { reason: String },
}

/// Every code of this crate's errors.
pub const CODES: &[&str] = &[
    "anonymity-profile-unreadable",
    "anonymity-profile-format",
    "anonymity-profile-empty",
    "anonymity-privacy-missing",
    "anonymity-privacy-weak",
    "anonymity-shift-unused",
    "anonymity-not-a-column",
    "anonymity-step-not-coarser",
    "anonymity-bound-unusable",
    "anonymity-dates-mixed",
    "anonymity-below-floor",
    "anonymity-column-untreated",
    "anonymity-column-missing",
    "anonymity-leader-missing",
    "anonymity-treatment-unfit",
    "anonymity-date-not-droppable",
    "anonymity-no-person-column",
    "anonymity-value-column-twice",
    "anonymity-ids-given",
    "anonymity-too-much-suppressed",
    "anonymity-events-missing",
    "anonymity-events-unusable",
    "anonymity-too-many-found",
    "anonymity-too-many-unique",
    "anonymity-identifying",
    "anonymity-nobody-left",
    "anonymity-period-short",
    "anonymity-period-unreadable",
    "anonymity-arrow",
];

impl AnonymityError {
    /// The reason as a coded message.
    pub fn message(&self) -> Message {
        use AnonymityError::*;
        match self {
            ProfileUnreadable { reason } => Message::new("anonymity-profile-unreadable").with("reason", reason),
            ProfileFormat { format } => Message::new("anonymity-profile-format").with("format", format),
            ProfileEmpty { what } => Message::new("anonymity-profile-empty").with("what", what),
            PrivacyMissing => Message::new("anonymity-privacy-missing"),
            PrivacyWeak { what } => Message::new("anonymity-privacy-weak").with("what", what),
            ShiftUnused => Message::new("anonymity-shift-unused"),
            NotAColumn { name } => Message::new("anonymity-not-a-column").with("name", name),
            StepNotCoarser { column } => Message::new("anonymity-step-not-coarser").with("column", column),
            BoundUnusable { of } => Message::new("anonymity-bound-unusable").with("of", of),
            DatesMixed { table, column } => Message::new("anonymity-dates-mixed").with("table", table).with("column", column),
            BelowFloor { table, column, treatment, kind } => Message::new("anonymity-below-floor")
                .with("table", table)
                .with("column", column)
                .with("treatment", treatment)
                .with("kind", kind),
            ColumnUntreated { table, column } => {
                Message::new("anonymity-column-untreated").with("table", table).with("column", column)
            }
            ColumnMissing { table, column } => {
                Message::new("anonymity-column-missing").with("table", table).with("column", column)
            }
            LeaderMissing { table, column, leader } => {
                Message::new("anonymity-leader-missing").with("table", table).with("column", column).with("leader", leader)
            }
            TreatmentUnfit { table, column, treatment, found } => Message::new("anonymity-treatment-unfit")
                .with("table", table)
                .with("column", column)
                .with("treatment", treatment)
                .with("found", found),
            DateNotDroppable { table, column } => {
                Message::new("anonymity-date-not-droppable").with("table", table).with("column", column)
            }
            NoPersonColumn { table } => Message::new("anonymity-no-person-column").with("table", table),
            ValueColumnTwice { table } => Message::new("anonymity-value-column-twice").with("table", table),
            IdsGivenForAnonymized => Message::new("anonymity-ids-given"),
            TooMuchSuppressed { suppressed, persons, most } => Message::new("anonymity-too-much-suppressed")
                .with("suppressed", suppressed)
                .with("persons", persons)
                .with("most", format!("{:.0} %", most * 100.0)),
            TooManyFound { attacker, found, most } => Message::new("anonymity-too-many-found")
                .with("attacker", attacker.as_str())
                .with("found", format!("{:.1} %", found * 100.0))
                .with("most", format!("{:.1} %", most * 100.0)),
            TooManyUnique { alike, unique, most } => Message::new("anonymity-too-many-unique")
                .with("alike", alike.as_str())
                .with("unique", format!("{:.1} %", unique * 100.0))
                .with("most", format!("{:.1} %", most * 100.0)),
            EventsMissing => Message::new("anonymity-events-missing"),
            EventsUnusable { column } => Message::new("anonymity-events-unusable").with("column", column),
            Identifying { table, column, looks, cells } => Message::new("anonymity-identifying")
                .with("table", table)
                .with("column", column)
                .with("looks", looks.as_str())
                .with("cells", cells),
            NobodyLeft { persons } => Message::new("anonymity-nobody-left").with("persons", persons),
            PeriodTooShort { days } => Message::new("anonymity-period-short").with("days", days),
            PeriodUnreadable => Message::new("anonymity-period-unreadable"),
            Arrow { reason } => Message::new("anonymity-arrow").with("reason", reason),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.message().code
    }
}

impl From<arrow::error::ArrowError> for AnonymityError {
    fn from(error: arrow::error::ArrowError) -> Self {
        // Arrow's texts can quote a value; its kind is enough.
        let reason = match error {
            arrow::error::ArrowError::SchemaError(_) => "schema",
            arrow::error::ArrowError::InvalidArgumentError(_) => "argument",
            arrow::error::ArrowError::MemoryError(_) => "memory",
            _ => "computation",
        };
        AnonymityError::Arrow { reason: reason.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use messages::Lang;

    #[test]
    fn every_code_has_a_text_in_both_languages() {
        let own = super::CODES.iter().chain(crate::TEXTS).chain(crate::table::CODES).chain(crate::release::TEXTS);
        for code in own.chain(crate::counts::CODES).chain(crate::counts::TEXTS) {
            for lang in [Lang::En, Lang::Ja] {
                assert!(messages::has(lang, code), "{code} in {lang:?}");
            }
        }
    }
}
