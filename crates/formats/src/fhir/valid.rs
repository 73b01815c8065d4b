//! Which resources say that something was: status, intent and negation, as FHIR R4 defines them for each type. What is planned, refused,
//! wrongly entered, or modified by an extension that is not known, is no fact.

use super::resource::{Concept, Resource};

/// Years that dates may have: before it is no patient of today, after it a mistake.
pub const YEARS: std::ops::RangeInclusive<i32> = 1850..=2150;

fn has(concept: &Option<Concept>, codes: &[&str]) -> bool {
    concept.iter().flat_map(|c| &c.coding).any(|c| c.code.as_deref().is_some_and(|code| codes.contains(&code)))
}

/// The status, where it is a code.
pub fn status(resource: &Resource) -> &str {
    resource.status.as_ref().and_then(|s| s.as_str()).unwrap_or("")
}

/// Why a resource makes no row, as a word that is counted; `None` when it says that something was.
pub fn why_not(r: &Resource) -> Option<&'static str> {
    if matches!(status(r), "entered-in-error" | "cancelled" | "not-done" | "aborted" | "draft" | "registered")
        || has(&r.verification_status, &["entered-in-error", "refuted"])
    {
        return Some("not-valid");
    }
    // FHIR R4, 2.4.0.2: an application must not process a resource with a modifier that it does not know.
    if !r.modifier_extension.is_empty() {
        return Some("modifier-extension");
    }
    if r.do_not_perform == Some(true) {
        return Some("do-not-perform");
    }
    let wish = match r.resource_type.as_str() {
        "MedicationRequest" => matches!(r.intent.as_deref(), Some("proposal" | "plan" | "option")),
        "Encounter" => status(r) == "planned",
        _ => false,
    };
    wish.then_some("planned")
}
