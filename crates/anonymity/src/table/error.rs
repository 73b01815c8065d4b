use messages::Message;

/// Why a flat table could not be read, anonymized or checked. Names the file, the column, the line and what to change.
///
/// No cell of the table is named, only its line and column: an error travels further than the file. Where the first line may
/// be no header but a person, columns are numbered. Values of hierarchy files are named, cut to 40 characters.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.message().text(messages::Lang::En))]
#[allow(missing_docs)] // the texts of the catalogue say what each is
pub enum TableError {
    Unreadable { file: String, reason: String },
    Compressed { file: String },
    NotUtf8 { file: String, line: u64 },
    NoHeader { file: String },
    ColumnTwice { file: String, first: usize, second: usize },
    RowLength { file: String, line: u64, found: usize, expected: usize },
    NoRows { file: String },
    TooManyRows { rows: u64 },
    UnknownColumn { column: String, columns: usize },
    ColumnNamedTwice { column: String },
    RoleTwice { column: String },
    NoQuasiIdentifiers,
    HierarchyMissing { column: String, folder: String },
    HierarchyMissingAt { number: usize, folder: String },
    HierarchyTwice { column: String, first: String, second: String },
    HierarchyEmpty { column: String },
    HierarchyRagged { column: String, line: u64, found: usize, expected: usize },
    HierarchyLeafTwice { column: String, value: String },
    HierarchySplit { column: String, value: String, level: usize, first: String, second: String },
    HierarchyCycle { column: String, first: String, second: String },
    LeafMissing { column: String, line: u64 },
    LeafMissingInSensitive { column: String },
    EmptyCell { column: String, line: u64 },
    SensitiveEmpty { column: String, line: u64 },
    SensitiveTree { column: String },
    MixedTypes { column: String },
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
    PopulationTableMissing { model: String },
    PopulationSmaller { population: u64, rows: u64 },
    PopulationColumn { file: String, column: String },
    PopulationLeaf { file: String, column: String, line: u64 },
    PopulationLacks { rows: u64, combinations: u64 },
    SmallerThanK { rows: u64, k: u64 },
    SensitiveTooFew { column: String, distinct: usize, model: String },
    NotMet { least: u64, allowed: u64, rows: u64 },
    NotFoundInTime { seconds: f64 },
    NobodyLeft { rows: u64 },
    PresenceNotMet { model: String },
    ReportUnreadable { reason: String },
    ReportForeign { column: String },
    ThresholdRange,
    TransformUnknown { text: String },
    TransformNotKept { column: String },
    TransformTwice { column: String },
    TransformNumber { column: String },
    TransformTooFew { column: String, rows: u64, least: u64 },
    TransformManyValues { column: String, values: u64, most: u64 },
    TransformRareValues { column: String, values: u64, least: u64 },
    TransformBelow { text: String, least: u64 },
    SampleRange,
    ChanceRange { option: &'static str },
    WeightUnusable { column: String, line: u64 },
    TooManyForSets { columns: usize, most: usize },
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
    "anonymity-table-column-named-twice",
    "anonymity-table-role-twice",
    "anonymity-table-no-qi",
    "anonymity-hierarchy-missing",
    "anonymity-hierarchy-missing-at",
    "anonymity-hierarchy-twice",
    "anonymity-hierarchy-empty",
    "anonymity-hierarchy-ragged",
    "anonymity-hierarchy-leaf-twice",
    "anonymity-hierarchy-split",
    "anonymity-hierarchy-cycle",
    "anonymity-table-leaf-missing",
    "anonymity-table-empty-cell",
    "anonymity-sensitive-leaf-missing",
    "anonymity-sensitive-empty",
    "anonymity-sensitive-tree",
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
    "anonymity-population-table-missing",
    "anonymity-population-smaller",
    "anonymity-population-column",
    "anonymity-population-leaf",
    "anonymity-population-lacks",
    "anonymity-smaller-than-k",
    "anonymity-sensitive-too-few",
    "anonymity-not-met",
    "anonymity-not-found-in-time",
    "anonymity-no-rows-left",
    "anonymity-presence-not-met",
    "anonymity-verify-report-unreadable",
    "anonymity-verify-report-foreign",
    "anonymity-threshold-range",
    "anonymity-transform-unknown",
    "anonymity-transform-not-kept",
    "anonymity-transform-twice",
    "anonymity-transform-number",
    "anonymity-transform-too-few",
    "anonymity-transform-many-values",
    "anonymity-transform-rare-values",
    "anonymity-transform-below",
    "anonymity-sample-range",
    "anonymity-chance-range",
    "anonymity-weight-unusable",
    "anonymity-too-many-for-sets",
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
            ColumnTwice { file, first, second } => {
                m("anonymity-table-column-twice").with("file", file).with("first", first).with("second", second)
            }
            RowLength { file, line, found, expected } => m("anonymity-table-row-length")
                .with("file", file)
                .with("line", line)
                .with("found", found)
                .with("expected", expected),
            NoRows { file } => m("anonymity-table-no-rows").with("file", file),
            TooManyRows { rows } => m("anonymity-table-too-many-rows").with("rows", rows),
            UnknownColumn { column, columns } => {
                m("anonymity-table-unknown-column").with("column", column).with("columns", columns)
            }
            ColumnNamedTwice { column } => m("anonymity-table-column-named-twice").with("column", column),
            RoleTwice { column } => m("anonymity-table-role-twice").with("column", column),
            NoQuasiIdentifiers => m("anonymity-table-no-qi"),
            HierarchyMissing { column, folder } => m("anonymity-hierarchy-missing").with("column", column).with("folder", folder),
            HierarchyMissingAt { number, folder } => {
                m("anonymity-hierarchy-missing-at").with("number", number).with("folder", folder)
            }
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
            LeafMissing { column, line } => m("anonymity-table-leaf-missing").with("column", column).with("line", line),
            LeafMissingInSensitive { column } => m("anonymity-sensitive-leaf-missing").with("column", column),
            SensitiveEmpty { column, line } => m("anonymity-sensitive-empty").with("column", column).with("line", line),
            SensitiveTree { column } => m("anonymity-sensitive-tree").with("column", column),
            EmptyCell { column, line } => m("anonymity-table-empty-cell").with("column", column).with("line", line),
            MixedTypes { column } => m("anonymity-table-mixed-types").with("column", column),
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
            PopulationTableMissing { model } => m("anonymity-population-table-missing").with("model", model),
            PopulationColumn { file, column } => m("anonymity-population-column").with("file", file).with("column", column),
            PopulationLeaf { file, column, line } => {
                m("anonymity-population-leaf").with("file", file).with("column", column).with("line", line)
            }
            PopulationLacks { rows, combinations } => {
                m("anonymity-population-lacks").with("rows", rows).with("combinations", combinations)
            }
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
            PresenceNotMet { model } => m("anonymity-presence-not-met").with("model", model),
            ReportUnreadable { reason } => m("anonymity-verify-report-unreadable").with("reason", reason),
            ThresholdRange => m("anonymity-threshold-range"),
            TransformUnknown { text } => {
                m("anonymity-transform-unknown").with("text", text).with("known", crate::micro::FORMS.join(", "))
            }
            TransformNotKept { column } => m("anonymity-transform-not-kept").with("column", column),
            TransformTwice { column } => m("anonymity-transform-twice").with("column", column),
            TransformNumber { column } => m("anonymity-transform-number").with("column", column),
            TransformTooFew { column, rows, least } => {
                m("anonymity-transform-too-few").with("column", column).with("rows", rows).with("least", least)
            }
            TransformManyValues { column, values, most } => {
                m("anonymity-transform-many-values").with("column", column).with("values", values).with("most", most)
            }
            TransformRareValues { column, values, least } => {
                m("anonymity-transform-rare-values").with("column", column).with("values", values).with("least", least)
            }
            TransformBelow { text, least } => m("anonymity-transform-below").with("text", text).with("least", least),
            SampleRange => m("anonymity-sample-range"),
            ChanceRange { option } => m("anonymity-chance-range").with("option", option),
            WeightUnusable { column, line } => m("anonymity-weight-unusable").with("column", column).with("line", line),
            TooManyForSets { columns, most } => m("anonymity-too-many-for-sets").with("columns", columns).with("most", most),
            ReportForeign { column } => m("anonymity-verify-report-foreign").with("column", column),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.message().code
    }
}

/// A value as an error may show it.
pub(super) fn shown(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut cut: String = text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().count() > 40 {
        cut.push('…');
    }
    cut
}
