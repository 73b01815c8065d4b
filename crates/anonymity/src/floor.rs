//! What no profile may allow, by kind: the standards of processing as checks on the profile itself, before any data.
//!
//! Source: the five measures of the Enforcement Rule for anonymized information (delete identifying descriptions, delete
//! identification codes, cut linking codes, treat peculiar descriptions, treat what the database's characteristics ask
//! for), and the three of pseudonymized information.

use crate::AnonymityError;
use crate::profile::{FORMAT, Kind, Privacy, Profile, Treatment, split_column};

/// The smallest k that a profile may promise.
pub const LEAST_K: u32 = 3;

/// The smallest number of places that a class of places may have: who provides data is published.
pub const LEAST_PLACES: usize = 3;

/// The smallest share of a person's shifts, or of the days of a month, that codes which fix a date may leave open.
pub const LEAST_OPEN: f64 = 0.25;

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
    "snippet",
    "lexical_variant",
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
                return Err(below(profile.kind, name, column, treatment));
            }
        }
        for (column, treatment) in &table.columns {
            if let Treatment::Follow { code } | Treatment::Value { code } = treatment
                && !matches!(table.columns.get(code), Some(Treatment::Code { .. }))
            {
                return Err(AnonymityError::LeaderMissing { table: name.clone(), column: column.clone(), leader: code.clone() });
            }
            if !usable(treatment) {
                return Err(AnonymityError::BoundUnusable { of: format!("{name}.{column}") });
            }
        }
    }
    for rule in &profile.values {
        let finite = [rule.band, rule.bottom, rule.top].iter().flatten().all(|b| b.is_finite());
        let ordered = !matches!((rule.bottom, rule.top), (Some(bottom), Some(top)) if bottom > top);
        if !finite || !ordered || rule.band.is_some_and(|w| w <= 0.0) {
            return Err(AnonymityError::BoundUnusable { of: rule.name.clone() });
        }
    }
    match (profile.kind, &profile.privacy) {
        (Kind::Anonymized | Kind::LinkableAnonymized, None) => Err(AnonymityError::PrivacyMissing),
        (Kind::Anonymized | Kind::LinkableAnonymized, Some(privacy)) => check_privacy(profile, privacy),
        (Kind::Pseudonymized, _) => Ok(()),
    }
}

/// Whether bands have a width and bounds an order.
fn usable(treatment: &Treatment) -> bool {
    match treatment {
        Treatment::Band { width } => width.is_finite() && *width > 0.0,
        Treatment::Clamp { least, most } => {
            least.iter().chain(most).all(|b| b.is_finite()) && !matches!((least, most), (Some(l), Some(m)) if l > m)
        }
        _ => true,
    }
}

/// All dates of a data set get one treatment: where one date of a person is moved and another cut to the month, the two tell
/// the shift within a month.
fn check_dates(profile: &Profile) -> Result<(), AnonymityError> {
    let mut first: Option<&Treatment> = None;
    for (name, table) in &profile.tables {
        for (column, treatment) in table.columns.iter().filter(|(c, t)| is_date(c) && **t != Treatment::Drop) {
            if *first.get_or_insert(treatment) != treatment {
                return Err(AnonymityError::DatesMixed { table: name.clone(), column: column.clone() });
            }
        }
    }
    Ok(())
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
    // A shift that moves nothing would tell the committee that dates are moved.
    match (profile.moves_dates(), privacy.shift_days) {
        (true, None) | (_, Some(0)) => return weak("shift_days"),
        (false, Some(_)) if profile.kind == Kind::LinkableAnonymized => return Err(AnonymityError::ShiftUnused),
        _ => {}
    }
    if !(LEAST_OPEN..=1.0).contains(&privacy.least_days_open) {
        return weak("least_days_open");
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
    // What stays as it is, or in bands, is counted in no other way than by the classes.
    for (name, table) in &profile.tables {
        for (column, treatment) in &table.columns {
            let counted = privacy.quasi_identifiers.iter().any(|q| split_column(q) == Some((name, column)));
            let by_class = matches!(treatment, Treatment::Keep | Treatment::Band { .. } | Treatment::Clamp { .. });
            if by_class && !counted {
                return Err(below(profile.kind, name, column, treatment));
            }
        }
    }
    check_events(profile, privacy)?;
    check_dates(profile)?;
    for step in &privacy.coarsen {
        if !usable(&step.to) {
            return Err(AnonymityError::BoundUnusable { of: step.column.clone() });
        }
        let fits = matches!(step.to, Treatment::Drop | Treatment::Band { .. } | Treatment::Clamp { .. });
        if !fits || !privacy.quasi_identifiers.contains(&step.column) {
            return Err(AnonymityError::StepNotCoarser { column: step.column.clone() });
        }
    }
    Ok(())
}

/// The smallest number of codes of a person that others are to be thought to know.
pub const LEAST_KNOWN: u32 = 2;

/// Columns of codes that others are not thought to know of a person, or that everybody has: which laboratory tests somebody had, units, ways
/// of coming and going. A profile can count them too. All other columns of source values are what others can know: illnesses, drugs, operations,
/// devices, causes of death.
const UNKNOWN: &[&str] = &[
    "measurement_source_value",
    "unit_source_value",
    "dose_unit_source_value",
    "route_source_value",
    "admitted_from_source_value",
    "discharged_to_source_value",
    "condition_status_source_value",
];

/// Where codes that others can know are shown, they are counted together.
fn check_events(profile: &Profile, privacy: &Privacy) -> Result<(), AnonymityError> {
    if privacy.most_found.values().any(|most| !(0.0..=1.0).contains(most)) {
        return Err(AnonymityError::PrivacyWeak { what: "most_found" });
    }
    if privacy.most_unique.values().any(|most| !(0.0..=1.0).contains(most)) {
        return Err(AnonymityError::PrivacyWeak { what: "most_unique" });
    }
    let mut shown = Vec::new();
    for (table, of) in &profile.tables {
        let known = |c: &str| c.ends_with("_source_value") && !PLACES.contains(&c) && !UNKNOWN.contains(&c);
        for (column, treatment) in of.columns.iter().filter(|(c, _)| known(c)) {
            match treatment {
                Treatment::Code { .. } | Treatment::Class { .. } => shown.push(format!("{table}.{column}")),
                _ => {}
            }
        }
    }
    let Some(events) = &privacy.events else {
        return if shown.is_empty() { Ok(()) } else { Err(AnonymityError::EventsMissing) };
    };
    if let Some(column) = shown.iter().find(|c| !events.columns.contains(c)) {
        return Err(AnonymityError::EventsUnusable { column: column.clone() });
    }
    for (n, column) in events.columns.iter().enumerate() {
        let treatment = split_column(column).and_then(|(t, c)| profile.treatment(t, c));
        let counted = matches!(treatment, Some(Treatment::Code { rare: true, .. }));
        if !counted || privacy.quasi_identifiers.contains(column) || events.columns[..n].contains(column) {
            return Err(AnonymityError::EventsUnusable { column: column.clone() });
        }
    }
    if !(LEAST_KNOWN..=crate::events::MOST_KNOWN).contains(&events.known) {
        return Err(AnonymityError::PrivacyWeak { what: "events.known" });
    }
    if events.k.is_some_and(|k| k < LEAST_K) {
        return Err(AnonymityError::PrivacyWeak { what: "events.k" });
    }
    Ok(())
}

fn below(kind: Kind, table: &str, column: &str, treatment: &Treatment) -> AnonymityError {
    AnonymityError::BelowFloor {
        table: table.to_owned(),
        column: column.to_owned(),
        treatment: treatment.as_str(),
        kind: kind.as_str(),
    }
}

fn allowed(kind: Kind, table: &str, column: &str, treatment: &Treatment) -> bool {
    use Treatment::{Drop, NewId, NewPersonId};
    if column == "person_id" {
        return *treatment == NewPersonId;
    }
    if IDENTIFYING.contains(&column) {
        return *treatment == Drop;
    }
    if column == format!("{table}_id") && !PLACES.contains(&column) {
        // A table's own row ids: theirs are ours, and link releases with each other.
        return matches!(treatment, NewId { .. } | Drop);
    }
    match kind {
        Kind::Pseudonymized => allowed_pseudonymized(column, treatment),
        // The same events stand in the public database on their true days: a moved date would tell the shift, and with it every other day.
        Kind::LinkableAnonymized => *treatment != Treatment::Shift && allowed_anonymized(column, treatment),
        Kind::Anonymized => allowed_anonymized(column, treatment),
    }
}

fn allowed_pseudonymized(column: &str, treatment: &Treatment) -> bool {
    use Treatment::{Class, Code, Drop, NewId, ResultText, Unit, Value};
    match column {
        "value_source_value" | "value_as_string" => matches!(treatment, ResultText | Value { .. } | Drop),
        "stop_reason" => matches!(treatment, Code { .. } | Drop | Class { .. }),
        "admitted_from_source_value" | "discharged_to_source_value" => matches!(treatment, Code { .. } | Drop | Class { .. }),
        // Wards, plans, institutions as they write them: numbers and names.
        c if PLACES.contains(&c) && c.ends_with("_source_value") => matches!(treatment, Drop | Class { .. }),
        // Where a source gives no code, its words stand in the column of the code.
        c if c.ends_with("_source_value") => matches!(treatment, Code { .. } | Unit | Drop | Class { .. }),
        c if c.ends_with("_occurrence_id") || c == "visit_detail_id" => matches!(treatment, NewId { .. } | Drop),
        "care_site_id" | "provider_id" | "location_id" => matches!(treatment, NewId { .. } | Drop),
        _ => true,
    }
}

/// Concepts that masters and vocabularies give the codes of a row.
const CONCEPTS: [&str; 14] = [
    "condition_concept_id",
    "condition_source_concept_id",
    "drug_concept_id",
    "drug_source_concept_id",
    "procedure_concept_id",
    "procedure_source_concept_id",
    "device_concept_id",
    "device_source_concept_id",
    "measurement_concept_id",
    "measurement_source_concept_id",
    "observation_concept_id",
    "observation_source_concept_id",
    "cause_concept_id",
    "cause_source_concept_id",
];

fn allowed_anonymized(column: &str, treatment: &Treatment) -> bool {
    use Treatment::{Class, Code, Drop, Follow, Keep, Month, NewId, Shift, Unit, Value, Year};
    if is_time(column) || column == "day_of_birth" {
        return *treatment == Drop;
    }
    if is_date(column) {
        return matches!(treatment, Shift | Month | Year | Drop);
    }
    if PLACES.contains(&column) {
        return match treatment {
            Class { map, other } => has_several(map, other),
            _ => *treatment == Drop,
        };
    }
    if column.ends_with("_occurrence_id") || column.ends_with("_detail_id") {
        return matches!(treatment, NewId { .. } | Drop);
    }
    // A code that is hidden in its own column is not to be told by its concept, which others have with codes that are shown.
    if CONCEPTS.contains(&column) {
        let own = column.split('_').next().map(|table| format!("{table}_source_value"));
        return match treatment {
            Follow { code } => own.as_ref() == Some(code),
            _ => matches!(treatment, Keep | Drop),
        };
    }
    if let Code { rare, local, .. } = treatment {
        // Of whatever column: codes that follow are counted by it.
        return *rare && *local;
    }
    match column {
        "value_as_number" | "value_as_string" | "value_source_value" | "value_as_concept_id" | "operator_concept_id" => {
            matches!(treatment, Value { .. } | Drop)
        }
        c if c.ends_with("_source_value") => matches!(treatment, Unit | Drop | Class { .. }),
        // A concept says as much as the code: it is counted itself, or goes with one that is. Kept ones are quasi-identifiers.
        c if c.ends_with("_concept_id") => matches!(treatment, Follow { .. } | Keep | Drop),
        // Results are in their own columns, and beside a common code a text or a number can still be one person's.
        _ => !matches!(treatment, Value { .. } | Treatment::ResultText | Follow { .. }),
    }
}

/// Whether every class of places is one of several: a class of one institution names it.
fn has_several(map: &std::collections::BTreeMap<String, String>, other: &str) -> bool {
    map.values().filter(|c| *c != other).all(|class| map.values().filter(|c| *c == class).count() >= LEAST_PLACES)
}
