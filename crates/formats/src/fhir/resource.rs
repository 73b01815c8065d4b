//! Thin structs: only what rows are made of. Unknown elements are passed over.

use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Coding {
    pub system: Option<String>,
    pub code: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Concept {
    pub coding: Vec<Coding>,
    pub text: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Reference {
    pub reference: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Identifier {
    pub system: Option<String>,
    #[serde(deserialize_with = "text_or_number")]
    pub value: Option<String>,
}

/// A text; a number that stands where a text belongs is taken as it is written, as far as it is whole.
fn text_or_number<'d, D: serde::Deserializer<'d>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(from)? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Period {
    pub start: Option<String>,
    pub end: Option<String>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub struct Quantity {
    pub value: Option<f64>,
    pub comparator: Option<String>,
    pub unit: Option<String>,
    pub code: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Extension {
    pub url: String,
    pub value_code: Option<String>,
    pub value_string: Option<String>,
    pub value_codeable_concept: Option<Concept>,
    pub value_period: Option<Period>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Name {
    pub extension: Vec<Extension>,
    pub text: Option<String>,
    pub family: Option<String>,
    /// A part may be missing where only an extension of it is there.
    pub given: Vec<Option<String>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Address {
    pub text: Option<String>,
    pub postal_code: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Telecom {
    pub system: Option<String>,
    pub value: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Range {
    pub low: Option<Quantity>,
    pub high: Option<Quantity>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Hospitalization {
    pub admit_source: Option<Concept>,
    pub discharge_disposition: Option<Concept>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Component {
    pub code: Concept,
    pub value_quantity: Option<Quantity>,
    pub value_codeable_concept: Option<Concept>,
    pub value_string: Option<String>,
    pub reference_range: Vec<Range>,
    pub interpretation: Vec<Concept>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Repeat {
    pub bounds_duration: Option<Quantity>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Timing {
    pub repeat: Option<Repeat>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Dosage {
    pub text: Option<String>,
    pub timing: Option<Timing>,
    pub route: Option<Concept>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct DispenseRequest {
    pub quantity: Option<Quantity>,
    pub expected_supply_duration: Option<Quantity>,
}

/// One resource, of whatever type.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Resource {
    pub resource_type: String,
    pub id: Option<String>,
    pub status: Option<serde_json::Value>,
    pub identifier: Option<serde_json::Value>,
    pub name: Option<serde_json::Value>,
    pub gender: Option<String>,
    pub birth_date: Option<String>,
    pub deceased_date_time: Option<String>,
    pub deceased_boolean: Option<bool>,
    pub modifier_extension: Vec<serde_json::Value>,
    pub do_not_perform: Option<bool>,
    pub intent: Option<String>,
    pub address: Option<serde_json::Value>,
    pub telecom: Vec<Telecom>,
    pub extension: Vec<Extension>,
    pub subject: Option<serde_json::Value>,
    pub patient: Option<Reference>,
    pub beneficiary: Option<Reference>,
    pub dependent: Option<String>,
    pub relationship: Option<serde_json::Value>,
    pub payor: Vec<Reference>,
    pub period: Option<Period>,
    pub class: Option<serde_json::Value>,
    pub service_type: Option<serde_json::Value>,
    pub hospitalization: Option<Hospitalization>,
    pub code: Option<serde_json::Value>,
    pub category: Option<serde_json::Value>,
    pub clinical_status: Option<Concept>,
    pub verification_status: Option<Concept>,
    pub onset_date_time: Option<String>,
    pub abatement_date_time: Option<String>,
    pub recorded_date: Option<String>,
    pub effective_date_time: Option<String>,
    pub effective_period: Option<Period>,
    pub issued: Option<String>,
    pub value_quantity: Option<Quantity>,
    pub value_codeable_concept: Option<Concept>,
    pub value_string: Option<String>,
    pub interpretation: Option<serde_json::Value>,
    pub reference_range: Vec<Range>,
    pub component: Vec<Component>,
    pub has_member: Vec<Reference>,
    pub medication_codeable_concept: Option<Concept>,
    pub authored_on: Option<String>,
    pub dosage_instruction: Vec<Dosage>,
    pub dispense_request: Option<DispenseRequest>,
    pub performed_date_time: Option<String>,
    pub performed_period: Option<Period>,
    #[serde(rename = "type")]
    pub kind: Option<serde_json::Value>,
    pub contained: Option<serde_json::Value>,
    pub entry: Vec<Entry>,
    pub section: Vec<Section>,
}

/// A section of a document.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Section {
    pub code: Option<Concept>,
    pub entry: Vec<Reference>,
    pub section: Vec<Section>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Entry {
    pub full_url: Option<String>,
    pub resource: Option<Box<Resource>>,
}

/// An element that is read where it has the form that is needed.
pub fn part<T: serde::de::DeserializeOwned>(value: &Option<serde_json::Value>) -> Option<T> {
    T::deserialize(value.as_ref()?).ok()
}

/// The same for a list, or one that stands without its brackets.
pub fn parts<T: serde::de::DeserializeOwned>(value: &Option<serde_json::Value>) -> Vec<T> {
    match value {
        Some(serde_json::Value::Array(list)) => list.iter().filter_map(|v| T::deserialize(v).ok()).collect(),
        Some(one) => T::deserialize(one).ok().into_iter().collect(),
        None => Vec::new(),
    }
}
