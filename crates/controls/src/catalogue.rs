use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// How binding a control is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Required.
    Must,
    /// Recommended, proposed or derived.
    Should,
    /// Given as an example.
    Example,
}

/// Who keeps it: the software, the records in it, or the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The software enforces it.
    Technical,
    /// The software keeps workflow and evidence.
    Record,
    /// Physical or network; the software has a checklist or an attestation.
    Environment,
}

/// A place in a source document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// File of the document.
    pub file: String,
    /// Section.
    pub section: String,
}

/// One distinct requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Stable id, `CRY-03`.
    pub id: String,
    /// Short name in Japanese.
    pub title_ja: String,
    /// Short name in English.
    pub title_en: String,
    /// Requirement in Japanese.
    pub requirement_ja: String,
    /// Requirement in English.
    pub requirement_en: String,
    /// Where it comes from.
    pub sources: Vec<Source>,
    /// How binding.
    pub level: Level,
    /// Who is bound.
    pub applies_to: Vec<String>,
    /// Who keeps it.
    pub kind: Kind,
    /// Feature it belongs to.
    pub feature: String,
    /// What the software must do.
    pub software: String,
    /// What an auditor is shown.
    pub evidence: String,
    /// Later or stricter control that sets the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// Ambiguity, derivation, limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Default, Deserialize)]
struct Catalogue {
    control: Vec<Control>,
}

const TEXT: &str = include_str!("../catalog.toml");

/// Every control, in the order of the catalogue.
pub fn catalogue() -> &'static [Control] {
    // The text is part of the program, and a test holds it to be readable.
    static ALL: LazyLock<Vec<Control>> = LazyLock::new(|| toml::from_str::<Catalogue>(TEXT).unwrap_or_default().control);
    &ALL
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_catalogue_is_readable_and_every_id_is_there_once() {
        assert_eq!(toml::from_str::<Catalogue>(TEXT).map(|c| c.control.len()).map_err(|e| e.to_string()), Ok(509));
        let ids: HashSet<_> = catalogue().iter().map(|c| &c.id).collect();
        assert_eq!(ids.len(), 509);
        for control in catalogue() {
            assert!(!control.sources.is_empty() && !control.applies_to.is_empty(), "{}", control.id);
            assert!(control.superseded_by.as_ref().is_none_or(|id| ids.contains(id)), "{}", control.id);
        }
    }
}
