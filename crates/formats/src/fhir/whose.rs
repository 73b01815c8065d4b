//! Whose a resource is: everybody whom anything in it names.

use std::collections::HashSet;

use serde::Deserialize as _;
use serde_json::Value;
use terms::CanonicalPatientId;

use super::patients::{self, About, Patients, Target, about, target};
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

/// Patients that are linked: the local id of one, and the names of the others.
pub type Links = Vec<(String, Vec<String>)>;

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
fn named(reference: &str, url: Option<&str>, scope: &str) -> Vec<u128> {
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

/// Every reference in a resource, and every identifier.
fn collect(value: &Value, references: &mut Vec<String>, identifiers: &mut Vec<(String, String)>) {
    match value {
        Value::Array(list) => list.iter().for_each(|v| collect(v, references, identifiers)),
        Value::Object(object) => {
            references.extend(object.get("reference").and_then(Value::as_str).map(str::to_owned));
            if let (Some(system), Ok(Identifier { value: Some(number), .. })) =
                (object.get("system").and_then(Value::as_str), Identifier::deserialize(value))
            {
                identifiers.push((system.to_owned(), number));
            }
            object.values().for_each(|v| collect(v, references, identifiers));
        }
        _ => {}
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
    /// Who is the same person as somebody who is left out.
    pub linked: &'a HashSet<CanonicalPatientId>,
}

impl Around<'_> {
    pub fn unknown(&self, why: &'static str) -> WithoutError {
        nobodys(self.path, self.line, why)
    }

    fn is_left(&self, local_id: &str, people: &mut People) -> Result<bool, WithoutError> {
        let left = people.is_left(local_id).ok_or_else(|| self.unknown("formats-no-patient"))?;
        Ok(left || people.canonical(local_id).is_some_and(|id| self.linked.contains(&id)))
    }

    /// Whose the patients are that a resource names.
    pub(crate) fn look(
        &self,
        value: &Value,
        r: &Resource,
        url: Option<&str>,
        people: &mut People,
    ) -> Result<Looked, WithoutError> {
        let (mut references, mut identifiers) = (Vec::new(), Vec::new());
        collect(value, &mut references, &mut identifiers);
        let mut names: Vec<u128> = url.map(|url| named(url, None, self.scope)).unwrap_or_default();
        names.extend(r.id.as_deref().map(|id| name_of(&[self.scope, &r.resource_type, id])));
        let refers = references.iter().flat_map(|reference| named(reference, url, self.scope)).collect();
        let whose = self.whose(r, url, &references, &identifiers, people)?;
        Ok(Looked { whose, names, refers })
    }

    fn whose(
        &self,
        r: &Resource,
        url: Option<&str>,
        references: &[String],
        identifiers: &[(String, String)],
        people: &mut People,
    ) -> Result<Whose, WithoutError> {
        let (mut met, mut missing) = (false, None);
        let is_patient = r.resource_type == "Patient";
        // The hospital's own number of anybody, also without a reference.
        for (system, number) in identifiers {
            if let Some(local_id) = patients::hospital_id(system, number, self.home) {
                met = true;
                if self.is_left(&local_id, people)? {
                    return Ok(Whose::Left);
                }
            }
        }
        if is_patient {
            // One without any number is nobody that a list could name.
            if !patients::is_numbered(r) {
                return Err(self.unknown("formats-no-patient"));
            }
            let local_id = patients::local_id(r, url, self.scope, self.home);
            let local_id = local_id.ok_or_else(|| self.unknown("formats-no-patient"))?;
            if self.is_left(&local_id, people)? {
                return Ok(Whose::Left);
            }
            // The same number under a system of the sender's own is the same patient to whoever writes the list.
            for (system, number) in identifiers.iter().filter(|(system, _)| !patients::is_of_an_institution(system)) {
                if !system.ends_with("JP_Insurance_memberID") && people.is_left(number) == Some(true) {
                    return Ok(Whose::Left);
                }
            }
            met = true;
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
        for reference in references {
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
        let (mut own, mut links, mut read) = (Patients::default(), Links::new(), Vec::with_capacity(list.len()));
        for entry in list {
            let url = entry.get("fullUrl").and_then(Value::as_str);
            let inner = entry.get("resource").ok_or_else(|| self.unknown("fhir-entry"))?;
            let resource = Resource::deserialize(inner).map_err(|_| self.unknown("fhir-entry"))?;
            own.note(&resource, url, self.scope);
            note_links(&resource, inner, url, self.scope, self.home, &mut links);
            read.push((inner, resource, url));
        }
        let linked = follow(&links, &[&own, self.all], self.home, self.linked, people);
        let around = Around { own: &own, linked: &linked, ..*self };
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

/// Notes whom a Patient is linked to.
pub fn note_links(r: &Resource, value: &Value, url: Option<&str>, scope: &str, home: &Home, links: &mut Links) {
    let others = value.get("link").and_then(Value::as_array).filter(|_| r.resource_type == "Patient");
    let others = others.into_iter().flatten().filter_map(|l| l.pointer("/other/reference").and_then(Value::as_str));
    let others: Vec<String> = others.map(|other| patients::patient_name(other, url, scope)).collect();
    if let (false, Some(id)) = (others.is_empty(), patients::local_id(r, url, scope, home)) {
        links.push((id, others));
    }
}

/// Everybody who is the same person as somebody who is left out.
pub(crate) fn follow(
    links: &Links,
    patients: &[&Patients],
    home: &Home,
    before: &HashSet<CanonicalPatientId>,
    people: &mut People,
) -> HashSet<CanonicalPatientId> {
    let mut linked = before.clone();
    let known = |name: &str| patients.iter().find_map(|p| p.known(name, home));
    loop {
        let size = linked.len();
        for (id, others) in links {
            let all: Vec<String> = others.iter().filter_map(|o| known(o)).chain([id.clone()]).collect();
            let is_left = |id: &String, people: &mut People| {
                people.is_left(id) == Some(true) || people.canonical(id).is_some_and(|id| linked.contains(&id))
            };
            if all.iter().any(|id| is_left(id, people)) {
                linked.extend(all.iter().filter_map(|id| people.canonical(id)));
            }
        }
        if linked.len() == size {
            return linked;
        }
    }
}
