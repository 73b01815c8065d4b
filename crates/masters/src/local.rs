//! Concepts of an instance's own, for codes that no loaded vocabulary has: OMOP leaves ids over 2,000,000,000 to whoever uses the model
//! (CDM v5.4, table CONCEPT). A code keeps its id for good: ids are given in turn and never again.

use std::collections::HashMap;

use crate::error::MasterError;

/// The first id.
pub const FIRST: i32 = 2_000_000_001;
/// Codes that can have one.
const MOST: usize = (i32::MAX - FIRST) as usize;
/// What stands above the list.
const HEADER: &str = "vocabulary_id\tconcept_code";

/// Codes with ids of the instance's own.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LocalConcepts {
    /// Vocabulary and code, in the order of ids.
    codes: Vec<(Box<str>, Box<str>)>,
    ids: HashMap<Box<str>, HashMap<Box<str>, i32>>,
}

impl LocalConcepts {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Gives a code its id, if it has none yet. None when there are no ids left, or for a code that is no word.
    pub fn add(&mut self, vocabulary_id: &str, code: &str) -> Option<i32> {
        if let Some(id) = self.id(vocabulary_id, code) {
            return Some(id);
        }
        let word = |text: &str| !text.is_empty() && !text.contains(['\t', '\n', '\r']);
        if self.codes.len() >= MOST || !word(vocabulary_id) || !word(code) {
            return None;
        }
        let id = FIRST + self.codes.len() as i32;
        self.codes.push((vocabulary_id.into(), code.into()));
        self.ids.entry(vocabulary_id.into()).or_default().insert(code.into(), id);
        Some(id)
    }

    /// The id of a code.
    pub fn id(&self, vocabulary_id: &str, code: &str) -> Option<i32> {
        self.ids.get(vocabulary_id)?.get(code).copied()
    }

    /// The code of an id: vocabulary and code.
    pub fn code(&self, id: i32) -> Option<(&str, &str)> {
        let place = usize::try_from(id.checked_sub(FIRST)?).ok()?;
        self.codes.get(place).map(|(vocabulary, code)| (&**vocabulary, &**code))
    }

    /// The list as it is kept: a line a code, in the order of ids.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for (vocabulary, code) in &self.codes {
            text.push_str(vocabulary);
            text.push('\t');
            text.push_str(code);
            text.push('\n');
        }
        text
    }

    /// Reads the list.
    ///
    /// # Errors
    /// [`MasterError::NoColumn`] or [`MasterError::Value`] by line: a list that is not whole gives no ids, as they would be others'.
    pub fn from_text(text: &str) -> Result<LocalConcepts, MasterError> {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(MasterError::Header { column: "vocabulary_id" });
        }
        let mut local = LocalConcepts::default();
        for (line, number) in lines.zip(2u64..) {
            let (vocabulary, code) =
                line.split_once('\t').ok_or(MasterError::NoColumn { line: number, column: "concept_code" })?;
            let before = local.len();
            if local.add(vocabulary, code).is_none() || local.len() == before {
                let expected = "code of its own";
                return Err(MasterError::Value {
                    line: number,
                    column: "concept_code",
                    value: code.chars().take(40).collect(),
                    expected,
                });
            }
        }
        Ok(local)
    }
}
