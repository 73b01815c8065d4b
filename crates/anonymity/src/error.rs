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
    AttackerUntried { attacker: Attacker },
    AttackerUnknowing { attacker: Attacker },
    TooManyUnique { alike: Alike, unique: f64, most: f64 },
    Identifying { table: String, column: String, looks: Looks, cells: usize },
    NobodyLeft { persons: usize },
    PeriodTooShort { days: i32 },
    PeriodUnreadable,
    EdgeShared { table: String, column: String, share: f64 },
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
    "anonymity-attacker-untried",
    "anonymity-attacker-unknowing",
    "anonymity-too-many-unique",
    "anonymity-identifying",
    "anonymity-nobody-left",
    "anonymity-period-short",
    "anonymity-period-unreadable",
    "anonymity-edge-shared",
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
                .with("most", percent(*most)),
            TooManyFound { attacker, found, most } => {
                let (found, most) = apart(*found, *most);
                let refused = Message::new("anonymity-too-many-found").with("attacker", attacker.as_str());
                refused.with("found", found).with("most", most)
            }
            AttackerUntried { attacker } => Message::new("anonymity-attacker-untried").with("attacker", attacker.as_str()),
            AttackerUnknowing { attacker } => Message::new("anonymity-attacker-unknowing").with("attacker", attacker.as_str()),
            TooManyUnique { alike, unique, most } => {
                let (unique, most) = apart(*unique, *most);
                let refused = Message::new("anonymity-too-many-unique").with("alike", alike.as_str());
                refused.with("unique", unique).with("most", most)
            }
            EventsMissing => Message::new("anonymity-events-missing"),
            EventsUnusable { column } => Message::new("anonymity-events-unusable").with("column", column),
            Identifying { table, column, looks, cells } => Message::new("anonymity-identifying")
                .with("table", table)
                .with("column", column)
                .with("looks", looks.as_str())
                .with("cells", cells),
            NobodyLeft { persons } => Message::new("anonymity-nobody-left").with("persons", persons),
            PeriodTooShort { days } => Message::new("anonymity-period-short").with("days", days),
            EdgeShared { table, column, share } => {
                Message::new("anonymity-edge-shared").with("table", table).with("column", column).with("share", percent(*share))
            }
            PeriodUnreadable => Message::new("anonymity-period-unreadable"),
            Arrow { reason } => Message::new("anonymity-arrow").with("reason", reason),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.message().code
    }
}

/// Digits after the point with which a share in per cent is seen: a bound of 0.0001 is not 0.0 %.
fn digits(share: f64) -> i32 {
    let of_hundred = share * 100.0;
    (2..9).find(|digits| of_hundred >= 10_f64.powi(1 - digits)).filter(|_| (1e-9..1.0).contains(&of_hundred)).unwrap_or(1)
}

fn in_percent(share: f64, digits: i32) -> String {
    let text = format!("{:.*}", usize::try_from(digits).unwrap_or(1), share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn percent(share: f64) -> String {
    in_percent(share, digits(share))
}

/// A share and the bound that it exceeds, so that one sees that it does.
fn apart(share: f64, most: f64) -> (String, String) {
    let least = digits(share).max(digits(most));
    let of = |digits: i32| (in_percent(share, digits), in_percent(most, digits));
    (least..12).map(of).find(|(share, most)| share != most).unwrap_or_else(|| of(12))
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
    fn a_small_share_is_seen_in_a_refusal() {
        let shown = [0.0001, 0.2, 0.0, 1.0, 0.00123, 0.123_456, 0.05].map(super::percent);
        assert_eq!(shown, ["0.01 %", "20 %", "0 %", "100 %", "0.12 %", "12.3 %", "5 %"]);
        assert_eq!(super::apart(0.200_04, 0.2), ("20.004 %".to_owned(), "20 %".to_owned()));
    }

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
