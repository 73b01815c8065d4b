//! Resources → rows.

use messages::{Message as Text, Severity};
use omop::{
    ConditionOccurrenceRow, DeathRow, DrugExposureRow, MeasurementRow, ObservationRow, ProcedureOccurrenceRow, VisitEventRow,
    concept, type_concept,
};
use terms::Sex;

use super::codes::{source_value, system};
use super::reader::Context;
use super::resource::{Address, Coding, Component, Concept, Identifier, Name, Quantity, Range, Resource, part, parts};
use super::valid::{YEARS, status, why_not};
use crate::hl7::Time;
use crate::places::icd10_with_dot;
use crate::receipt::diagnoses::is_suspected;
use crate::rows::{At, Book, Cover, Who, name_parts};

/// Date or date-time of FHIR → local time of Japan. Partial dates are the first of their month or year.
pub fn time(text: &str) -> Option<Time> {
    let text = text.trim();
    if !text.is_ascii() {
        return None;
    }
    let (date, clock) = text.split_once('T').unwrap_or((text, ""));
    let mut compact: String = date.replace('-', "");
    if !clock.is_empty() {
        let zone_at = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
        compact.push_str(&clock[..zone_at].replace(':', ""));
        match &clock[zone_at..] {
            "Z" => compact.push_str("+0000"),
            zone => compact.push_str(&zone.replace(':', "")),
        }
    }
    Time::parse(&compact).ok().filter(|t| YEARS.contains(&terms::civil_from_days(t.day).0))
}

fn day_of(text: Option<&str>) -> Option<Time> {
    text.and_then(time)
}

/// Source value of a concept: the coding that comes first in `wanted`, else the first coding, else its text.
fn source(concept: &Concept, wanted: &[&str]) -> Option<String> {
    let named = |c: &Coding| Some((system(c.system.as_deref().unwrap_or("")).to_owned(), c.code.clone()?));
    let all: Vec<(String, String)> = concept.coding.iter().filter_map(named).filter(|(s, _)| s != "UNCODED").collect();
    let best = wanted.iter().find_map(|w| all.iter().find(|(s, _)| s == w)).or(all.first());
    best.map(|(s, c)| source_value(s, c))
        .or_else(|| concept.text.as_deref().filter(|t| !t.is_empty()).map(|t| format!("text:{t}")))
}

fn has(concept: &Option<Concept>, codes: &[&str]) -> bool {
    concept.iter().flat_map(|c| &c.coding).any(|c| c.code.as_deref().is_some_and(|code| codes.contains(&code)))
}

/// Resources that hold others together, or say who and where: nothing about a patient is lost with them.
const AROUND: [&str; 8] =
    ["Composition", "Organization", "Practitioner", "PractitionerRole", "Location", "Medication", "Provenance", "Specimen"];

/// Whether rows are made of the resource's type.
pub fn is_known(r: &Resource) -> bool {
    let known =
        ["Patient", "Coverage", "Encounter", "Condition", "AllergyIntolerance", "Observation", "MedicationRequest", "Procedure"];
    known.contains(&r.resource_type.as_str())
}

/// The rows of a resource. `unit` is the name under which a later delivery replaces it.
pub fn resource(r: &Resource, local: Option<&str>, unit: &str, context: Context, line: u64, book: &mut Book) {
    let place = ("resource", line);
    if let Some(why) = why_not(r) {
        book.none(why);
        if let Some(local) = local.filter(|_| book.is_for_lake() && is_known(r)) {
            let patient = book.patient(local);
            book.gone(&At { patient, key: unit, ts: 0 });
        }
        if why == "modifier-extension" {
            book.say_line(Severity::Warning, Text::new("fhir-modifier"), place, 0);
        }
        return;
    }
    if !is_known(r) {
        book.none("resource-type-not-read");
        if !AROUND.contains(&r.resource_type.as_str()) {
            // What is no type of FHIR's form is not repeated.
            let named = r.resource_type.len() <= 40 && r.resource_type.bytes().all(|b| b.is_ascii_alphabetic());
            let kind = if named { r.resource_type.as_str() } else { "?" };
            book.say_line(Severity::Info, Text::new("fhir-type-not-read").with("type", kind), place, 0);
        }
        return;
    }
    let Some(local) = local else {
        book.say_line(Severity::Error, Text::new("formats-no-patient"), place, 0);
        book.none("no-patient");
        return;
    };
    let patient = book.patient(local);
    let stated = day_of(r.issued.as_deref()).or(day_of(r.recorded_date.as_deref())).or(day_of(r.authored_on.as_deref()));
    let ts = stated.map_or(0, |t| t.micros.unwrap_or(i64::from(t.day) * 86_400_000_000));
    let at = At { patient, key: unit, ts };
    match r.resource_type.as_str() {
        "Patient" => person(r, local, &at, place, book),
        "Coverage" => coverage(r, local, &at, book),
        "Encounter" if context == Context::Reason => book.none("reason"),
        "Encounter" => encounter(r, &at, place, book),
        "Condition" => condition(r, context == Context::History, &at, place, book),
        "AllergyIntolerance" => allergy(r, &at, place, book),
        "Observation" => observation(r, &at, place, book),
        "MedicationRequest" => medication(r, &at, place, book),
        _ => procedure(r, &at, place, book),
    }
}

fn person(r: &Resource, local: &str, at: &At<'_>, place: (&str, u64), book: &mut Book) {
    let names: Vec<Name> = parts(&r.name);
    let representation =
        |n: &Name| n.extension.iter().find(|e| e.url.ends_with("iso21090-EN-representation")).and_then(|e| e.value_code.clone());
    let split = |n: &Name| -> (Option<String>, Option<String>) {
        let given: Vec<&str> = n.given.iter().flatten().map(String::as_str).collect();
        let given = (!given.is_empty()).then(|| given.join(" "));
        match (&n.family, given) {
            (None, None) => {
                let (family, given) = name_parts(n.text.as_deref().unwrap_or(""));
                (family.map(str::to_owned), given.map(str::to_owned))
            }
            (family, given) => (family.clone(), given),
        }
    };
    let phonetic = |n: &Name| {
        let text = [n.family.as_deref().unwrap_or(""), n.text.as_deref().unwrap_or("")].concat();
        !text.is_empty()
            && text.chars().all(|c| matches!(c, '\u{3041}'..='\u{30FF}' | '\u{FF65}'..='\u{FF9F}' | ' ' | '\u{3000}'))
    };
    let of = |code: &str| names.iter().find(|n| representation(n).as_deref() == Some(code));
    let kanji = of("IDE").or(names.iter().find(|n| representation(n).is_none() && !phonetic(n))).map(split).unwrap_or_default();
    let kana = of("SYL").or(names.iter().find(|n| representation(n).is_none() && phonetic(n))).map(split).unwrap_or_default();
    let latin = of("ABC").map(|n| n.text.clone().unwrap_or_default());
    let birth = day_of(r.birth_date.as_deref());
    if birth.is_none_or(|b| b.partial) {
        book.say_line(Severity::Warning, Text::new("formats-date"), place, 0);
    }
    let sex = r.gender.as_deref().map(|g| {
        (
            match g {
                "male" => Sex::Male,
                "female" => Sex::Female,
                "other" => Sex::Other,
                _ => Sex::Unknown,
            },
            g,
        )
    });
    let addresses: Vec<Address> = parts(&r.address);
    let address = addresses.first();
    let phone = r.telecom.iter().find(|t| t.system.as_deref() == Some("phone")).and_then(|t| t.value.as_deref());
    let who = Who {
        local_id: local,
        kanji: (kanji.0.as_deref(), kanji.1.as_deref()),
        kana: (kana.0.as_deref(), kana.1.as_deref()),
        latin: latin.as_deref().filter(|l| !l.is_empty()),
        birth: birth.filter(|b| !b.partial).map(|b| b.day),
        birth_parts: birth.map(|b| (terms::civil_from_days(b.day).0, None)),
        sex,
        postal: address.and_then(|a| a.postal_code.as_deref()),
        address: address.and_then(|a| a.text.as_deref()),
        phone,
    };
    book.who(at, &who);
    // `保険者番号:記号:番号:枝番`
    let identifiers: Vec<Identifier> = parts(&r.identifier);
    for member in identifiers.iter().filter(|i| i.system.as_deref().is_some_and(|s| s.ends_with("JP_Insurance_memberID"))) {
        let fields: Vec<&str> = member.value.as_deref().unwrap_or("").split(':').collect();
        let get = |n: usize| fields.get(n).copied().unwrap_or("");
        let cover =
            Cover { plan_kind: "insurance", insurer: get(0), symbol: get(1), number: get(2), branch: get(3), ..Cover::default() };
        book.cover(at, local, &cover);
    }
    let died = day_of(r.deceased_date_time.as_deref());
    if died.is_none_or(|t| t.partial) && (r.deceased_date_time.is_some() || r.deceased_boolean == Some(true)) {
        // A month or a year is no day of death, and none can be made up.
        book.say_line(Severity::Warning, Text::new("fhir-death-day"), place, 0);
        book.none("death-without-day");
    } else if let Some(time) = died {
        let row = DeathRow {
            death_date: time.day,
            death_datetime: time.micros,
            death_type_concept_id: Some(type_concept::EHR),
            ..Default::default()
        };
        book.death(at, &row);
    }
}

fn coverage(r: &Resource, local: &str, at: &At<'_>, book: &mut Book) {
    let text =
        |end: &str| r.extension.iter().find(|e| e.url.ends_with(end)).and_then(|e| e.value_string.as_deref()).unwrap_or("");
    let (symbol, number) = (text("InsuredPersonSymbol"), text("InsuredPersonNumber"));
    let branch = Some(text("InsuredPersonSubNumber")).filter(|b| !b.is_empty()).or(r.dependent.as_deref()).unwrap_or("");
    let period = r.period.as_ref();
    let day = |t: Option<&str>| day_of(t).map(|t| t.day);
    let valid = (period.and_then(|p| day(p.start.as_deref())), period.and_then(|p| day(p.end.as_deref())));
    let relation: Option<Concept> = part(&r.relationship);
    let relation = relation.and_then(|c| c.coding.first().and_then(|c| c.code.clone()));
    let cover =
        Cover { plan_kind: "insurance", symbol, number, branch, relation: relation.as_deref(), valid, ..Cover::default() };
    book.cover(at, local, &cover);
    if let (Some(start), Some(end)) = valid {
        book.plan(at, "", (start, end), None, None);
    }
}

fn encounter(r: &Resource, at: &At<'_>, place: (&str, u64), book: &mut Book) {
    let class: Option<Coding> = part(&r.class);
    let class = class.and_then(|c| c.code).unwrap_or_default();
    let period = r.period.as_ref();
    let Some(start) = period.and_then(|p| day_of(p.start.as_deref())) else {
        // Purpose and reason of a referral are Encounters too: no visits.
        book.none("encounter-without-period");
        return;
    };
    let end = period.and_then(|p| day_of(p.end.as_deref()));
    let department: Option<Concept> = part(&r.service_type);
    let department = department.and_then(|c| c.coding.first().and_then(|c| c.code.clone()));
    let code = |c: &Option<Concept>| c.as_ref().and_then(|c| c.coding.first()).and_then(|c| c.code.clone());
    let (from, to) = r.hospitalization.as_ref().map_or((None, None), |h| (code(&h.admit_source), code(&h.discharge_disposition)));
    let died = matches!(to.as_deref(), Some("6" | "7"));
    let base = VisitEventRow {
        event_date: start.day,
        event_datetime: start.micros,
        department: department.as_deref(),
        origin: Some("fhir"),
        ..Default::default()
    };
    if class == "IMP" {
        let admitted_at = Some(start.micros.unwrap_or(i64::from(start.day) * 86_400_000_000));
        let stay = VisitEventRow { admitted_at, patient_class: Some("I"), ..base };
        book.visit_event(at, &VisitEventRow { event: "admission", admitted_from: from.as_deref(), ..stay });
        if let Some(end) = end {
            if end.day < start.day {
                book.say_line(Severity::Warning, Text::new("formats-date"), place, 0);
                return;
            }
            book.visit_event(
                at,
                &VisitEventRow {
                    event: "discharge",
                    event_date: end.day,
                    event_datetime: end.micros,
                    discharged_to: to.as_deref(),
                    died: Some(died),
                    ..stay
                },
            );
            if died {
                book.death(
                    at,
                    &DeathRow {
                        death_date: end.day,
                        death_datetime: end.micros,
                        death_type_concept_id: Some(type_concept::EHR),
                        ..Default::default()
                    },
                );
            }
        }
    } else {
        let class = if class == "EMER" { "E" } else { "O" };
        book.visit_event(at, &VisitEventRow { event: "reception", patient_class: Some(class), ..base });
    }
}

fn condition(r: &Resource, history: bool, at: &At<'_>, place: (&str, u64), book: &mut Book) {
    let code: Option<Concept> = part(&r.code);
    let Some(mut value) = code.as_ref().and_then(|c| source(c, &["MDCDX2", "RECEIPT", "MDCDX1", "ICD10"])) else {
        book.say_line(Severity::Warning, Text::new("formats-no-code"), place, 0);
        book.none("no-code");
        return;
    };
    let mut suspected = has(&r.verification_status, &["provisional", "unconfirmed", "differential"]);
    suspected |= code.iter().filter_map(|c| c.text.as_deref()).any(|text| is_suspected("", text));
    for modifier in
        r.extension.iter().filter(|e| e.url.ends_with("DiseasePrefixModifier") || e.url.ends_with("DiseasePostfixModifier"))
    {
        // Any of the codings can be the claims' one.
        let codings = || modifier.value_codeable_concept.iter().flat_map(|c| &c.coding).filter_map(|c| c.code.as_deref());
        suspected |= codings().any(|code| code == "8002");
        if let Some(code) = codings().next() {
            value.push('+');
            value.push_str(code);
        }
    }
    let Some(start) = day_of(r.onset_date_time.as_deref()).or(day_of(r.recorded_date.as_deref())) else {
        book.say_line(Severity::Warning, Text::new("formats-date"), place, 0);
        book.none("no-date");
        return;
    };
    let icd = code
        .iter()
        .flat_map(|c| &c.coding)
        .find(|c| system(c.system.as_deref().unwrap_or("")) == "ICD10")
        .and_then(|c| c.code.as_deref());
    let icd = icd.map(|c| icd10_with_dot(c).unwrap_or_else(|| c.to_owned()));
    let outcome = r.clinical_status.as_ref().and_then(|c| c.coding.first()).and_then(|c| c.code.as_deref());
    if suspected || history {
        let word = if history { "history" } else { "suspected" };
        book.observation(
            at,
            ObservationRow {
                observation_date: start.day,
                observation_datetime: start.micros,
                observation_type_concept_id: type_concept::PROBLEM_LIST,
                observation_source_value: Some(&value),
                observation_source_concept_id: Some(0),
                value_as_string: Some(word),
                qualifier_source_value: Some(word),
                value_source_value: outcome,
                icd10: icd.as_deref(),
                ..Default::default()
            },
        );
        return;
    }
    let end = day_of(r.abatement_date_time.as_deref()).filter(|e| e.day >= start.day);
    book.condition(
        at,
        ConditionOccurrenceRow {
            condition_start_date: start.day,
            condition_start_datetime: start.micros,
            condition_end_date: end.map(|e| e.day),
            condition_end_datetime: end.and_then(|e| e.micros),
            condition_type_concept_id: type_concept::PROBLEM_LIST,
            stop_reason: outcome,
            condition_source_value: Some(&value),
            condition_source_concept_id: Some(0),
            icd10: icd.as_deref(),
            ..Default::default()
        },
    );
}

fn allergy(r: &Resource, at: &At<'_>, place: (&str, u64), book: &mut Book) {
    let code: Option<Concept> = part(&r.code);
    let value = code.as_ref().and_then(|c| source(c, &["HOT9", "YJ"]));
    let (Some(value), Some(time)) = (value, day_of(r.onset_date_time.as_deref()).or(day_of(r.recorded_date.as_deref()))) else {
        book.say_line(Severity::Warning, Text::new("fhir-incomplete"), place, 0);
        book.none("no-code-or-date");
        return;
    };
    let categories: Vec<String> = parts(&r.category);
    let kind = match categories.first().map(String::as_str) {
        Some("medication" | "biologic") => concept::DRUG_ALLERGY,
        Some("food") => concept::FOOD_ALLERGY,
        _ => 0,
    };
    book.observation(
        at,
        ObservationRow {
            observation_concept_id: kind,
            observation_date: time.day,
            observation_datetime: time.micros,
            observation_type_concept_id: type_concept::EHR,
            observation_source_value: Some("allergy"),
            observation_source_concept_id: Some(0),
            value_as_string: Some(&value),
            value_source_value: Some(&value),
            ..Default::default()
        },
    );
}

struct Result<'r> {
    code: &'r Concept,
    quantity: Option<&'r Quantity>,
    coded: Option<&'r Concept>,
    text: Option<&'r str>,
    range: Option<&'r Range>,
    interpretation: Option<String>,
}

fn observation(r: &Resource, at: &At<'_>, place: (&str, u64), book: &mut Book) {
    let Some(time) = day_of(r.effective_date_time.as_deref())
        .or(r.effective_period.as_ref().and_then(|p| day_of(p.start.as_deref())))
        .or(day_of(r.issued.as_deref()))
    else {
        book.say_line(Severity::Warning, Text::new("formats-date"), place, 0);
        book.none("no-date");
        return;
    };
    let categories: Vec<Concept> = parts(&r.category);
    let laboratory = categories.iter().flat_map(|c| &c.coding).any(|c| c.code.as_deref() == Some("laboratory"));
    let code: Concept = part(&r.code).unwrap_or_default();
    let first = |list: &[Concept]| list.first().and_then(|c| c.coding.first()).and_then(|c| c.code.clone());
    let mut any = false;
    let own = Result {
        code: &code,
        quantity: r.value_quantity.as_ref(),
        coded: r.value_codeable_concept.as_ref(),
        text: r.value_string.as_deref(),
        range: r.reference_range.first(),
        interpretation: first(&parts(&r.interpretation)),
    };
    any |= result(&own, time, laboratory, at, place, book);
    for c in &r.component {
        let Component { code, value_quantity, value_codeable_concept, value_string, reference_range, interpretation } = c;
        let part = Result {
            code,
            quantity: value_quantity.as_ref(),
            coded: value_codeable_concept.as_ref(),
            text: value_string.as_deref(),
            range: reference_range.first(),
            interpretation: first(interpretation),
        };
        any |= result(&part, time, laboratory, at, place, book);
    }
    if !any {
        book.none(if r.has_member.is_empty() { "no-value" } else { "panel" });
    }
}

fn result(o: &Result<'_>, time: Time, laboratory: bool, at: &At<'_>, place: (&str, u64), book: &mut Book) -> bool {
    let value = match (o.quantity, o.coded, o.text) {
        (Some(q), ..) => q.value.map(|v| v.to_string()),
        (_, Some(c), _) => source(c, &[]),
        (_, _, Some(t)) => Some(t.to_owned()),
        _ => None,
    };
    let Some(value) = value else {
        return false;
    };
    let Some(code) = source(o.code, &["JLAC10", "LOINC"]) else {
        book.say_line(Severity::Warning, Text::new("formats-no-code"), place, 0);
        return false;
    };
    if !laboratory && o.quantity.is_none() {
        book.observation(
            at,
            ObservationRow {
                observation_date: time.day,
                observation_datetime: time.micros,
                observation_type_concept_id: type_concept::EHR,
                observation_source_value: Some(&code),
                observation_source_concept_id: Some(0),
                value_as_string: Some(&value),
                value_source_value: Some(&value),
                ..Default::default()
            },
        );
        return true;
    }
    let bound = |q: Option<&Quantity>| q.and_then(|q| q.value);
    let operator = o.quantity.and_then(|q| q.comparator.as_deref()).and_then(|c| match c {
        "<" => Some(concept::LESS),
        "<=" => Some(concept::LESS_OR_EQUAL),
        ">=" => Some(concept::GREATER_OR_EQUAL),
        ">" => Some(concept::GREATER),
        _ => None,
    });
    book.measurement(
        at,
        MeasurementRow {
            measurement_date: time.day,
            measurement_datetime: time.micros,
            measurement_type_concept_id: if laboratory { type_concept::LAB } else { type_concept::EHR },
            operator_concept_id: operator,
            value_as_number: bound(o.quantity),
            range_low: o.range.and_then(|r| bound(r.low.as_ref())),
            range_high: o.range.and_then(|r| bound(r.high.as_ref())),
            measurement_source_value: Some(&code),
            measurement_source_concept_id: Some(0),
            unit_source_value: o.quantity.and_then(|q| q.unit.as_deref().or(q.code.as_deref())),
            value_source_value: Some(&value),
            interpretation: o.interpretation.as_deref(),
            ..Default::default()
        },
    );
    true
}

fn medication(r: &Resource, at: &At<'_>, place: (&str, u64), book: &mut Book) {
    let code = r.medication_codeable_concept.as_ref().and_then(|c| source(c, &["HOT9", "YJ", "GENERAL"]));
    let period = r.dispense_request.as_ref();
    let stated = r.extension.iter().find(|e| e.url.ends_with("PeriodOfUse")).and_then(|e| e.value_period.as_ref());
    let start = stated.and_then(|p| day_of(p.start.as_deref())).or(day_of(r.authored_on.as_deref()));
    let (Some(code), Some(start)) = (code, start) else {
        book.say_line(Severity::Warning, Text::new("fhir-incomplete"), place, 0);
        book.none("no-code-or-date");
        return;
    };
    let dosage = r.dosage_instruction.first();
    let bounds = dosage.and_then(|d| d.timing.as_ref()).and_then(|t| t.repeat.as_ref()).and_then(|r| r.bounds_duration.as_ref());
    let days = period.and_then(|p| p.expected_supply_duration.as_ref()).or(bounds);
    let per = match days.and_then(|d| d.code.as_deref()) {
        Some("wk") => 7.0,
        Some("d") | None => 1.0,
        Some(_) => 0.0,
    };
    let days = days.and_then(|d| d.value).map(|v| v * per).filter(|d| (1.0..=3_660.0).contains(d)).map(|d| d.ceil() as i32);
    let quantity = period.and_then(|p| p.quantity.as_ref());
    let route = dosage.and_then(|d| d.route.as_ref()).and_then(|c| c.coding.first()).and_then(|c| c.code.as_deref());
    book.drug(
        at,
        DrugExposureRow {
            drug_exposure_start_date: start.day,
            drug_exposure_start_datetime: start.micros,
            drug_exposure_end_date: start.day + days.map_or(0, |d| d - 1),
            drug_type_concept_id: type_concept::PRESCRIPTION,
            quantity: quantity.and_then(|q| q.value),
            days_supply: days,
            sig: dosage.and_then(|d| d.text.as_deref()),
            drug_source_value: Some(&code),
            drug_source_concept_id: Some(0),
            route_source_value: route,
            dose_unit_source_value: quantity.and_then(|q| q.unit.as_deref()),
            ..Default::default()
        },
    );
}

fn procedure(r: &Resource, at: &At<'_>, place: (&str, u64), book: &mut Book) {
    let code: Option<Concept> = part(&r.code);
    let value = code.as_ref().and_then(|c| source(c, &["RECEIPT"]));
    let time = day_of(r.performed_date_time.as_deref()).or(r.performed_period.as_ref().and_then(|p| day_of(p.start.as_deref())));
    let (Some(value), Some(time)) = (value, time) else {
        book.say_line(Severity::Warning, Text::new("fhir-incomplete"), place, 0);
        book.none("no-code-or-date");
        return;
    };
    if status(r) != "completed" {
        book.none("not-completed");
        return;
    }
    book.procedure(
        at,
        ProcedureOccurrenceRow {
            procedure_date: time.day,
            procedure_datetime: time.micros,
            procedure_type_concept_id: type_concept::EHR,
            procedure_source_value: Some(&value),
            procedure_source_concept_id: Some(0),
            ..Default::default()
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_japan() {
        let day = |t: &str| time(t).map(|t| terms::civil_from_days(t.day));
        assert_eq!(day("2024-04-01T23:30:00Z"), Some((2024, 4, 2)));
        assert_eq!(day("2024-04-01T09:05:00+09:00"), Some((2024, 4, 1)));
        assert_eq!(day("2025-03"), Some((2025, 3, 1)));
        assert_eq!(day("2024-04-01T09:05:00.123+09:00"), Some((2024, 4, 1)));
        assert!(time("2025-03").is_some_and(|t| t.partial) && time("昨日").is_none() && time("").is_none());
    }
}
