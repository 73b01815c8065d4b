//! Whose a resource is: everybody whom anything in it names.

use serde::Deserialize as _;
use serde_json::Value;

use super::patients::{self, About, Patients, Target, about, target};
use super::persons::{self, Number, Persons, patients_in};
use super::reader::DEEPEST;
use super::resource::{Identifier, Resource};
use crate::Home;
use crate::seen::key;
use crate::without::{People, WithoutError, nobodys};

/// Types that are about no person. Every other one has to name its patient.
const OF_NOBODY: [&str; 22] = [
    "Organization",
    "OrganizationAffiliation",
    "Practitioner",
    "PractitionerRole",
    "Location",
    "HealthcareService",
    "Medication",
    "MedicationKnowledge",
    "Substance",
    "Device",
    "DeviceDefinition",
    "Endpoint",
    "CodeSystem",
    "ValueSet",
    "ConceptMap",
    "NamingSystem",
    "StructureDefinition",
    "SearchParameter",
    "CapabilityStatement",
    "Questionnaire",
    "PlanDefinition",
    "ActivityDefinition",
];

/// Whose a resource is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Left,
    Anothers,
    Nobodys,
}

/// A resource that has been looked at.
pub struct Looked {
    pub whose: Whose,
    /// Names that references give it.
    pub names: Vec<u128>,
    /// Names that it refers to.
    pub refers: Vec<u128>,
}

fn name_of(parts: &[&str]) -> u128 {
    let parts: Vec<&[u8]> = parts.iter().map(|p| p.as_bytes()).collect();
    key(&parts)
}

/// The names that a reference, or the address of an entry, can mean.
fn names_of(reference: &str, url: Option<&str>, scope: &str) -> Vec<u128> {
    match target(reference) {
        Target::Contained(_) => Vec::new(),
        Target::Named(name) => vec![name_of(&["", name])],
        Target::Typed { base: Some(base), kind, id } => vec![name_of(&[base.trim_end_matches('/'), kind, id])],
        Target::Typed { base: None, kind, id } => {
            let mut names = vec![name_of(&[scope, kind, id])];
            if let Some(Target::Typed { base: Some(base), .. }) = url.map(target) {
                names.push(name_of(&[base.trim_end_matches('/'), kind, id]));
            }
            names
        }
    }
}

/// What in a resource can name somebody.
#[derive(Default)]
struct Named<'v> {
    references: Vec<&'v str>,
    /// Patient numbers of institutions, wherever they stand.
    numbers: Vec<Number>,
    /// What stands where a person is meant.
    persons: Vec<&'v Value>,
    /// Elements of which an identifier alone means a person.
    others: Vec<&'v Value>,
}

impl<'v> Named<'v> {
    fn collect(&mut self, at: &str, value: &'v Value, home: &Home) {
        match value {
            Value::Array(list) => list.iter().for_each(|v| self.collect(at, v, home)),
            Value::Object(object) => {
                self.references.extend(object.get("reference").and_then(Value::as_str));
                if object.contains_key("system")
                    && let Ok(found) = Identifier::deserialize(value)
                {
                    self.numbers.extend(Number::of(&found, home).filter(|number| number.is_of_institution));
                }
                match at {
                    "subject" | "patient" | "beneficiary" => self.persons.push(value),
                    "for" | "sourcePatient" | "entity" => self.others.push(value),
                    _ if object.get("type").and_then(Value::as_str) == Some("Patient") => self.others.push(value),
                    _ => {}
                }
                object.iter().for_each(|(at, v)| self.collect(at, v, home));
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) if matches!(at, "subject" | "patient" | "beneficiary") => {
                self.persons.push(value);
            }
            _ => {}
        }
    }
}

/// Where something is judged.
pub struct Around<'a> {
    pub path: &'a str,
    pub line: u64,
    pub scope: &'a str,
    pub home: &'a Home,
    /// Patients of the bundle, of the delivery.
    pub own: &'a Patients,
    pub all: &'a Patients,
    pub persons: &'a Persons,
}

impl Around<'_> {
    pub fn unknown(&self, why: &'static str) -> WithoutError {
        nobodys(self.path, self.line, why)
    }

    fn is_left(&self, local_id: &str, people: &mut People) -> Result<bool, WithoutError> {
        self.persons.is_left(local_id, people).ok_or_else(|| self.unknown("formats-no-patient"))
    }

    /// Whether somebody is left out who stands where a person is meant. Nobody can tell whose a name without a number is, nor a number that no
    /// Patient has.
    fn is_person_left(&self, person: &Value, r: &Value, people: &mut People) -> Result<Option<bool>, WithoutError> {
        let unknown = || self.unknown("formats-no-patient");
        let number = match person.get("identifier") {
            None | Some(Value::Null) => None,
            Some(one) => Number::of(&persons::identifier(one).ok_or_else(unknown)?, self.home),
        };
        let Some(reference) = person.get("reference").and_then(Value::as_str) else {
            let left =
                number.map(|number| self.persons.is_number_left(&number, people).ok_or_else(|| self.unknown("fhir-number")));
            return left.transpose();
        };
        if number.is_some_and(|number| number.is_listed(people)) {
            return Ok(Some(true));
        }
        // What is within the resource is looked at where it stands; others by their names.
        let inside = r.get("contained").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        match target(reference) {
            Target::Contained("") => {}
            Target::Contained(id) if inside.iter().any(|c| c.get("id").and_then(Value::as_str) == Some(id)) => {}
            Target::Contained(_) => return Err(unknown()),
            Target::Named(_) => {
                let found = patients::named_patient(reference, None, self.scope, self.own, self.all, self.home);
                found.ok_or_else(|| self.unknown("fhir-patient-missing"))?;
            }
            Target::Typed { .. } => {}
        }
        Ok(Some(false))
    }

    /// Whose the patients are that a resource names.
    pub(crate) fn look(
        &self,
        value: &Value,
        r: &Resource,
        url: Option<&str>,
        people: &mut People,
    ) -> Result<Looked, WithoutError> {
        let mut named = Named::default();
        named.collect("", value, self.home);
        let mut names: Vec<u128> = url.map(|url| names_of(url, None, self.scope)).unwrap_or_default();
        names.extend(r.id.as_deref().map(|id| name_of(&[self.scope, &r.resource_type, id])));
        let refers = named.references.iter().flat_map(|reference| names_of(reference, url, self.scope)).collect();
        let whose = self.whose(r, value, url, &named, people)?;
        Ok(Looked { whose, names, refers })
    }

    fn whose(
        &self,
        r: &Resource,
        value: &Value,
        url: Option<&str>,
        named: &Named<'_>,
        people: &mut People,
    ) -> Result<Whose, WithoutError> {
        let (mut met, mut missing) = (false, None);
        let is_patient = r.resource_type == "Patient";
        // A hospital's own number of anybody, also without a reference.
        for number in &named.numbers {
            met = true;
            if number.is_listed(people) || self.is_left(&number.id, people)? {
                return Ok(Whose::Left);
            }
        }
        // Patients: itself, and those that stand in it.
        let mut inside = Vec::new();
        patients_in(value, &mut inside);
        for patient in inside {
            met = true;
            let left = self.persons.is_patient_left(patient, self.home, people);
            // One without any number is nobody that a list could name.
            if left.ok_or_else(|| self.unknown("formats-no-patient"))? {
                return Ok(Whose::Left);
            }
        }
        for (person, is_meant) in named.persons.iter().map(|p| (p, true)).chain(named.others.iter().map(|p| (p, false))) {
            match self.is_person_left(person, value, people)? {
                Some(true) => return Ok(Whose::Left),
                // A number alone says it too; a reference is followed below.
                Some(false) => met |= person.get("reference").is_none(),
                None if is_meant => return Err(self.unknown("formats-no-patient")),
                None => {}
            }
        }
        let mut judge = |found: About, code: &'static str| -> Result<bool, WithoutError> {
            match found {
                About::Known(local_id) => {
                    met = true;
                    return self.is_left(&local_id, people);
                }
                About::Several => missing = Some("fhir-patient-twice"),
                About::Missing(_) => missing = missing.or(Some(code)),
                About::NoPerson => missing = missing.or(Some("fhir-no-person")),
                About::Nobody => {}
            }
            Ok(false)
        };
        if !is_patient && judge(about(r, url, self.scope, self.own, self.all, self.home), "fhir-patient-missing")? {
            return Ok(Whose::Left);
        }
        for reference in &named.references {
            if let Some(found) = patients::named_patient(reference, url, self.scope, self.own, self.all, self.home)
                && judge(found, "fhir-patient-missing")?
            {
                return Ok(Whose::Left);
            }
        }
        match missing {
            // Who else is meant may have said no.
            Some(why) => Err(self.unknown(why)),
            None if met => Ok(Whose::Anothers),
            None if OF_NOBODY.contains(&r.resource_type.as_str()) => Ok(Whose::Nobodys),
            None => Err(self.unknown("formats-no-patient")),
        }
    }

    /// The entries of a bundle, as they are judged.
    pub(crate) fn entries(&self, value: &Value, depth: usize, people: &mut People) -> Result<Vec<Entry>, WithoutError> {
        let list = value.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let (mut own, mut read) = (Patients::default(), Vec::with_capacity(list.len()));
        for entry in list {
            let url = entry.get("fullUrl").and_then(Value::as_str);
            let inner = entry.get("resource").ok_or_else(|| self.unknown("fhir-entry"))?;
            let resource = Resource::deserialize(inner).map_err(|_| self.unknown("fhir-entry"))?;
            own.note(&resource, url, self.scope);
            read.push((inner, resource, url));
        }
        let around = Around { own: &own, ..*self };
        let look = |(inner, resource, url): (&Value, Resource, Option<&str>)| {
            if resource.resource_type == "Bundle" {
                if depth >= DEEPEST {
                    return Err(self.unknown("fhir-entry"));
                }
                return Ok(Entry::Bundle(around.entries(inner, depth + 1, people)?));
            }
            Ok(Entry::Resource(around.look(inner, &resource, url, people)?))
        };
        read.into_iter().map(look).collect()
    }
}

/// An entry of a bundle.
pub enum Entry {
    Resource(Looked),
    Bundle(Vec<Entry>),
}
