use messages::Message;

/// Why a flat table could not be read, anonymized or checked. Names the file, the column, the line and what to change.
///
/// A cell's value is named only where the table cannot be mended without it: a quasi-identifier that its hierarchy does not
/// know, a number that is none. It is shown to who holds the file, and cut to 40 characters.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.message().text(messages::Lang::En))]
#[allow(missing_docs)] // the texts of the catalogue say what each is
pub enum TableError {
    Unreadable { file: String, reason: String },
    Compressed { file: String },
    NotUtf8 { file: String, line: u64 },
    NoHeader { file: String },
    ColumnTwice { file: String, column: String },
    RowLength { file: String, line: u64, found: usize, expected: usize },
    NoRows { file: String },
    TooManyRows { rows: u64 },
    UnknownColumn { column: String, known: String },
    RoleTwice { column: String },
    NoQuasiIdentifiers,
    HierarchyMissing { column: String, folder: String },
    HierarchyTwice { column: String, first: String, second: String },
    HierarchyEmpty { column: String },
    HierarchyRagged { column: String, line: u64, found: usize, expected: usize },
    HierarchyLeafTwice { column: String, value: String },
    HierarchySplit { column: String, value: String, level: usize, first: String, second: String },
    HierarchyCycle { column: String, first: String, second: String },
    LeafMissing { column: String, line: u64, value: String },
    EmptyCell { column: String, line: u64 },
    MixedTypes { column: String, line: u64, value: String },
    PersonTwice { column: String, line: u64, persons: u64 },
    TooWide { bits: u32, most: u32 },
    TooManyLevels { column: String, levels: usize },
    ModelUnknown { text: String },
    ModelArguments { model: String, form: String },
    ModelValue { model: String, reason: &'static str },
    ModelMissing,
    MetricUnknown { text: String, known: String },
    SuppressionRange { text: String },
    SensitiveMissing { model: String },
    PopulationMissing { model: String },
    PopulationSmaller { population: u64, rows: u64 },
    SmallerThanK { rows: u64, k: u64 },
    SensitiveTooFew { column: String, distinct: usize, model: String },
    NotMet { least: u64, allowed: u64, rows: u64 },
    NotFoundInTime { seconds: f64 },
    NobodyLeft { rows: u64 },
    ReportUnreadable { reason: String },
    ReportForeign { column: String },
}

/// Every code of these errors.
pub const CODES: &[&str] = &[
    "anonymity-table-unreadable",
    "anonymity-table-compressed",
    "anonymity-table-not-utf8",
    "anonymity-table-no-header",
    "anonymity-table-column-twice",
    "anonymity-table-row-length",
    "anonymity-table-no-rows",
    "anonymity-table-too-many-rows",
    "anonymity-table-unknown-column",
    "anonymity-table-role-twice",
    "anonymity-table-no-qi",
    "anonymity-hierarchy-missing",
    "anonymity-hierarchy-twice",
    "anonymity-hierarchy-empty",
    "anonymity-hierarchy-ragged",
    "anonymity-hierarchy-leaf-twice",
    "anonymity-hierarchy-split",
    "anonymity-hierarchy-cycle",
    "anonymity-table-leaf-missing",
    "anonymity-table-empty-cell",
    "anonymity-table-mixed-types",
    "anonymity-table-person-twice",
    "anonymity-table-too-wide",
    "anonymity-table-too-many-levels",
    "anonymity-model-unknown",
    "anonymity-model-arguments",
    "anonymity-model-value",
    "anonymity-model-missing",
    "anonymity-metric-unknown",
    "anonymity-suppression-range",
    "anonymity-sensitive-missing",
    "anonymity-population-missing",
    "anonymity-population-smaller",
    "anonymity-smaller-than-k",
    "anonymity-sensitive-too-few",
    "anonymity-not-met",
    "anonymity-not-found-in-time",
    "anonymity-no-rows-left",
    "anonymity-verify-report-unreadable",
    "anonymity-verify-report-foreign",
];

impl TableError {
    /// The reason as a coded message.
    pub fn message(&self) -> Message {
        use TableError::*;
        let m = Message::new;
        match self {
            Unreadable { file, reason } => m("anonymity-table-unreadable").with("file", file).with("reason", reason),
            Compressed { file } => m("anonymity-table-compressed").with("file", file),
            NotUtf8 { file, line } => m("anonymity-table-not-utf8").with("file", file).with("line", line),
            NoHeader { file } => m("anonymity-table-no-header").with("file", file),
            ColumnTwice { file, column } => m("anonymity-table-column-twice").with("file", file).with("column", column),
            RowLength { file, line, found, expected } => m("anonymity-table-row-length")
                .with("file", file)
                .with("line", line)
                .with("found", found)
                .with("expected", expected),
            NoRows { file } => m("anonymity-table-no-rows").with("file", file),
            TooManyRows { rows } => m("anonymity-table-too-many-rows").with("rows", rows),
            UnknownColumn { column, known } => m("anonymity-table-unknown-column").with("column", column).with("known", known),
            RoleTwice { column } => m("anonymity-table-role-twice").with("column", column),
            NoQuasiIdentifiers => m("anonymity-table-no-qi"),
            HierarchyMissing { column, folder } => m("anonymity-hierarchy-missing").with("column", column).with("folder", folder),
            HierarchyTwice { column, first, second } => {
                m("anonymity-hierarchy-twice").with("column", column).with("first", first).with("second", second)
            }
            HierarchyEmpty { column } => m("anonymity-hierarchy-empty").with("column", column),
            HierarchyRagged { column, line, found, expected } => m("anonymity-hierarchy-ragged")
                .with("column", column)
                .with("line", line)
                .with("found", found)
                .with("expected", expected),
            HierarchyLeafTwice { column, value } => {
                m("anonymity-hierarchy-leaf-twice").with("column", column).with("value", value)
            }
            HierarchySplit { column, value, level, first, second } => m("anonymity-hierarchy-split")
                .with("column", column)
                .with("value", value)
                .with("level", level)
                .with("first", first)
                .with("second", second),
            HierarchyCycle { column, first, second } => {
                m("anonymity-hierarchy-cycle").with("column", column).with("first", first).with("second", second)
            }
            LeafMissing { column, line, value } => {
                m("anonymity-table-leaf-missing").with("column", column).with("line", line).with("value", value)
            }
            EmptyCell { column, line } => m("anonymity-table-empty-cell").with("column", column).with("line", line),
            MixedTypes { column, line, value } => {
                m("anonymity-table-mixed-types").with("column", column).with("line", line).with("value", value)
            }
            PersonTwice { column, line, persons } => {
                m("anonymity-table-person-twice").with("column", column).with("line", line).with("persons", persons)
            }
            TooWide { bits, most } => m("anonymity-table-too-wide").with("bits", bits).with("most", most),
            TooManyLevels { column, levels } => {
                m("anonymity-table-too-many-levels").with("column", column).with("levels", levels)
            }
            ModelUnknown { text } => {
                m("anonymity-model-unknown").with("text", text).with("known", crate::models::FORMS.join(", "))
            }
            ModelArguments { model, form } => m("anonymity-model-arguments").with("model", model).with("form", form),
            ModelValue { model, reason } => m("anonymity-model-value").with("model", model).with("reason", reason),
            ModelMissing => m("anonymity-model-missing").with("known", crate::models::FORMS.join(", ")),
            MetricUnknown { text, known } => m("anonymity-metric-unknown").with("text", text).with("known", known),
            SuppressionRange { text } => m("anonymity-suppression-range").with("text", text),
            SensitiveMissing { model } => m("anonymity-sensitive-missing").with("model", model),
            PopulationMissing { model } => m("anonymity-population-missing").with("model", model),
            PopulationSmaller { population, rows } => {
                m("anonymity-population-smaller").with("population", population).with("rows", rows)
            }
            SmallerThanK { rows, k } => m("anonymity-smaller-than-k").with("rows", rows).with("k", k),
            SensitiveTooFew { column, distinct, model } => {
                m("anonymity-sensitive-too-few").with("column", column).with("distinct", distinct).with("model", model)
            }
            NotMet { least, allowed, rows } => {
                m("anonymity-not-met").with("least", least).with("allowed", allowed).with("rows", rows)
            }
            NotFoundInTime { seconds } => m("anonymity-not-found-in-time").with("seconds", seconds),
            NobodyLeft { rows } => m("anonymity-no-rows-left").with("rows", rows),
            ReportUnreadable { reason } => m("anonymity-verify-report-unreadable").with("reason", reason),
            ReportForeign { column } => m("anonymity-verify-report-foreign").with("column", column),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.message().code
    }
}

/// A value as an error may show it.
pub(crate) fn shown(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut cut: String = text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().count() > 40 {
        cut.push('…');
    }
    cut
}
