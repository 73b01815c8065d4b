//! What the columns of a house layout mean. There is no national CSV for municipal checkups, school checks, or the wide
//! form of 様式1: whoever receives one writes such a file once.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A mapping file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the mapping cannot be read: {0}")]
pub struct MappingError(String);

/// A mapping of columns.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Name of the layout; part of the key of its rows.
    pub name: String,
    /// Delimiter: one ASCII character.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Texts that stand for "nothing".
    #[serde(default)]
    pub missing: Vec<String>,
    /// Who the row is about.
    pub person: Person,
    /// The stay, when the rows are stays.
    pub stay: Option<Stay>,
    /// Values.
    #[serde(default)]
    pub item: Vec<ItemColumn>,
    /// Diagnoses.
    #[serde(default)]
    pub diagnosis: Vec<DiagnosisColumn>,
    /// Columns that are left out on purpose.
    #[serde(default)]
    pub ignore: Vec<String>,
}

const fn comma() -> char {
    ','
}

/// Columns about the person.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Columns that make up the local id, joined by `-`.
    pub local_id: Vec<String>,
    /// Name in katakana.
    pub kana: Option<String>,
    /// Name in kanji.
    pub kanji: Option<String>,
    /// Birth date.
    pub birth: Option<String>,
    /// Sex.
    pub sex: Option<String>,
    /// How sex is written: text → male, female, other, unknown.
    #[serde(default)]
    pub sexes: BTreeMap<String, String>,
    /// Postal code.
    pub postal: Option<String>,
    /// Institution.
    pub institution: Option<String>,
    /// Day of the check or service.
    pub date: Option<String>,
    /// Insurer, symbol, number, branch.
    pub insurer: Option<String>,
    /// 記号.
    pub symbol: Option<String>,
    /// 番号.
    pub number: Option<String>,
    /// 枝番.
    pub branch: Option<String>,
}

/// Columns about a stay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    /// Admission.
    pub admission: String,
    /// Discharge.
    pub discharge: Option<String>,
    /// Where from.
    pub route: Option<String>,
    /// Where to.
    pub destination: Option<String>,
    /// Outcome; 6 and 7 are deaths.
    pub outcome: Option<String>,
}

/// What a value becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum As {
    /// A number, or an answer that was measured.
    #[default]
    Measurement,
    /// A statement.
    Observation,
    /// Free text.
    Note,
}

/// A column with a value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemColumn {
    /// Name of the column.
    pub column: String,
    /// Code of the item: the source value of the row.
    pub code: String,
    /// Unit; none when the layout does not say one.
    pub unit: Option<String>,
    /// What the value becomes.
    #[serde(default, rename = "as")]
    pub kind: As,
    /// Texts that mean something else: text → value that is kept.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

/// A column with a diagnosis.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiagnosisColumn {
    /// Name of the column.
    pub column: String,
    /// Role, as 様式1 has it (`A006010`).
    pub role: String,
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// [`MappingError`] with the place that is wrong.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let mapping: Mapping = toml::from_str(text).map_err(|e| {
            // Without the piece of the file that the library would show: it may hold anything.
            let line = e.span().map_or(0, |s| text[..s.start.min(text.len())].matches('\n').count() + 1);
            MappingError(format!("line {line}: {}", e.message().lines().next().unwrap_or("")))
        })?;
        if !mapping.delimiter.is_ascii() || matches!(mapping.delimiter, '"' | '\n' | '\r') {
            return Err(MappingError("`delimiter` must be one ASCII character, no quote and no line end".to_owned()));
        }
        if mapping.person.local_id.is_empty() {
            return Err(MappingError("`person.local_id` names no column".to_owned()));
        }
        if mapping.person.date.is_none() && mapping.stay.is_none() {
            return Err(MappingError("neither `person.date` nor `stay.admission` is there: rows would have no day".to_owned()));
        }
        for (written, meaning) in &mapping.person.sexes {
            if !matches!(meaning.as_str(), "male" | "female" | "other" | "unknown") {
                return Err(MappingError(format!(
                    "`person.sexes` has {written} = {meaning}; it must be male, female, other or unknown"
                )));
            }
        }
        Ok(mapping)
    }

    /// Every column that it names.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let p = &self.person;
        let singles = [
            &p.kana,
            &p.kanji,
            &p.birth,
            &p.sex,
            &p.postal,
            &p.institution,
            &p.date,
            &p.insurer,
            &p.symbol,
            &p.number,
            &p.branch,
        ];
        let stay = self.stay.iter().flat_map(|s| {
            [Some(&s.admission), s.discharge.as_ref(), s.route.as_ref(), s.destination.as_ref(), s.outcome.as_ref()]
                .into_iter()
                .flatten()
        });
        p.local_id
            .iter()
            .chain(singles.into_iter().flatten())
            .chain(stay)
            .chain(self.item.iter().map(|i| &i.column))
            .chain(self.diagnosis.iter().map(|d| &d.column))
            .chain(&self.ignore)
            .map(String::as_str)
    }
}
