//! What no profile may allow, by kind: the standards of processing as checks on the profile itself, before any data.
//!
//! Source: the five measures of the Enforcement Rule for anonymized information (delete identifying descriptions, delete
//! identification codes, cut linking codes, treat peculiar descriptions, treat what the database's characteristics ask
//! for), and the three of pseudonymized information.

use crate::AnonymityError;
use crate::profile::{FORMAT, Kind, Privacy, Profile, Treatment, split_column};

/// The smallest k that a profile may promise.
pub const LEAST_K: u32 = 3;

/// Columns that say who, in either kind: names and numbers as the hospital writes them, addresses, free text, staff.
const IDENTIFYING: &[&str] = &[
    "person_source_value",
    "note_text",
    "note_title",
    "note_source_value",
    "address_1",
    "address_2",
    "zip",
    "location_source_value",
    "latitude",
    "longitude",
    "unique_device_id",
    "production_id",
    "specimen_source_id",
    "family_source_value",
    "sponsor_source_value",
    "provider_name",
    "provider_source_value",
    "npi",
    "dea",
    "sig",
];

/// Columns that say where, or that fingerprint a hospital; emptied or classed in anonymized data.
const PLACES: &[&str] = &[
    "care_site_id",
    "care_site_name",
    "care_site_source_value",
    "provider_id",
    "location_id",
    "city",
    "county",
    "visit_source_value",
    "visit_detail_source_value",
    "admitted_from_source_value",
    "discharged_to_source_value",
    "payer_source_value",
    "plan_source_value",
    "lot_number",
    "range_low",
    "range_high",
    "stop_reason",
    "department",
    "ward",
];

/// Texts of codes and results, which need a treatment that looks at how many persons have them.
const NEEDS_COUNTING: &[&str] = &[
    "condition_source_value",
    "drug_source_value",
    "procedure_source_value",
    "device_source_value",
    "measurement_source_value",
    "observation_source_value",
    "cause_source_value",
    "value_source_value",
    "value_as_string",
    "value_as_number",
    "unit_source_value",
    "qualifier_source_value",
    "modifier_source_value",
    "specimen_source_value",
];

fn is_time(column: &str) -> bool {
    column.ends_with("_datetime") || column == "measurement_time"
}

fn is_date(column: &str) -> bool {
    column.ends_with("_date")
}

/// Holds a profile to the floor of its kind.
///
/// # Errors
/// The first thing that it allows and may not.
pub fn check(profile: &Profile) -> Result<(), AnonymityError> {
    if profile.format != FORMAT {
        return Err(AnonymityError::ProfileFormat { format: profile.format.clone() });
    }
    let application = &profile.application;
    for (what, text) in [
        ("name", &profile.name),
        ("version", &profile.version),
        ("purpose", &application.purpose),
        ("recipient", &application.recipient),
        ("project", &application.project),
    ] {
        if text.trim().is_empty() {
            return Err(AnonymityError::ProfileEmpty { what });
        }
    }
    if profile.tables.is_empty() {
        return Err(AnonymityError::ProfileEmpty { what: "tables" });
    }
    for (name, table) in &profile.tables {
        if table.reason.trim().is_empty() {
            return Err(AnonymityError::ProfileEmpty { what: "reason" });
        }
        for (column, treatment) in &table.columns {
            if !allowed(profile.kind, name, column, treatment) {
                return Err(AnonymityError::BelowFloor {
                    table: name.clone(),
                    column: column.clone(),
                    treatment: treatment.as_str(),
                    kind: profile.kind.as_str(),
                });
            }
        }
        for (column, treatment) in &table.columns {
            if let Treatment::Follow { code } | Treatment::Value { code } = treatment
                && !matches!(table.columns.get(code), Some(Treatment::Code { .. }))
            {
                return Err(AnonymityError::LeaderMissing { table: name.clone(), column: column.clone(), leader: code.clone() });
            }
        }
    }
    match (profile.kind, &profile.privacy) {
        (Kind::Anonymized, None) => Err(AnonymityError::PrivacyMissing),
        (Kind::Anonymized, Some(privacy)) => check_privacy(profile, privacy),
        (Kind::Pseudonymized, _) => Ok(()),
    }
}

fn check_privacy(profile: &Profile, privacy: &Privacy) -> Result<(), AnonymityError> {
    let weak = |what| Err(AnonymityError::PrivacyWeak { what });
    if privacy.k < LEAST_K {
        return weak("k");
    }
    if privacy.rare_persons < LEAST_K {
        return weak("rare_persons");
    }
    if privacy.extreme_persons < LEAST_K {
        return weak("extreme_persons");
    }
    if privacy.shift_days == 0 {
        return weak("shift_days");
    }
    if privacy.quasi_identifiers.is_empty() {
        return weak("quasi_identifiers");
    }
    if !(0.0..=1.0).contains(&privacy.most_suppressed) {
        return weak("most_suppressed");
    }
    let known = |name: &str| split_column(name).is_some_and(|(t, c)| profile.treatment(t, c).is_some());
    if let Some(name) = privacy.quasi_identifiers.iter().find(|n| !known(n)) {
        return Err(AnonymityError::NotAColumn { name: name.clone() });
    }
    // What everybody can know of a person cannot be left out of the quasi-identifiers.
    for column in ["gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth"] {
        let name = format!("person.{column}");
        let shown = profile.treatment("person", column).is_some_and(|t| *t != Treatment::Drop);
        if shown && !privacy.quasi_identifiers.contains(&name) {
            return weak("quasi_identifiers");
        }
    }
    for step in &privacy.coarsen {
        let fits = matches!(step.to, Treatment::Drop | Treatment::Band { .. } | Treatment::Clamp { .. });
        if !fits || !privacy.quasi_identifiers.contains(&step.column) {
            return Err(AnonymityError::StepNotCoarser { column: step.column.clone() });
        }
    }
    Ok(())
}

fn allowed(kind: Kind, table: &str, column: &str, treatment: &Treatment) -> bool {
    use Treatment::{Class, Code, Drop, Keep, NewId, NewPersonId, ResultText, Shift, Value};
    if column == "person_id" {
        return *treatment == NewPersonId;
    }
    if IDENTIFYING.contains(&column) {
        return *treatment == Drop;
    }
    let birth_or_table_id = |c: &str| c == format!("{table}_id");
    if birth_or_table_id(column) && !PLACES.contains(&column) {
        // A table's own row ids: theirs are ours, and link releases with each other.
        return matches!(treatment, NewId { .. } | Drop);
    }
    match kind {
        Kind::Pseudonymized => match column {
            "condition_source_value" | "cause_source_value" | "stop_reason" => {
                matches!(treatment, Code { .. } | Drop | Class { .. })
            }
            "value_source_value" | "value_as_string" => matches!(treatment, ResultText | Value { .. } | Drop),
            c if c.ends_with("_occurrence_id") || c == "visit_detail_id" => matches!(treatment, NewId { .. } | Drop),
            "care_site_id" | "provider_id" | "location_id" => matches!(treatment, NewId { .. } | Drop),
            _ => true,
        },
        Kind::Anonymized => {
            if is_time(column) || column == "day_of_birth" {
                return *treatment == Drop;
            }
            if is_date(column) {
                return matches!(treatment, Shift | Treatment::Month | Treatment::Year | Drop);
            }
            if PLACES.contains(&column) {
                return matches!(treatment, Drop | Class { .. });
            }
            if column.ends_with("_occurrence_id") || column.ends_with("_detail_id") {
                return matches!(treatment, NewId { .. } | Drop);
            }
            if NEEDS_COUNTING.contains(&column) {
                return match treatment {
                    Code { rare, local, .. } => *rare && *local,
                    Value { .. } | Treatment::Unit | Treatment::Extremes | Drop | Class { .. } | Treatment::Band { .. } => true,
                    _ => false,
                };
            }
            // Unknown texts are shown by nobody's decision.
            !(column.ends_with("_source_value") && *treatment == Keep)
        }
    }
}
