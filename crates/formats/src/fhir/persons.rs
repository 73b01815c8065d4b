//! Who is one person, by everything that a delivery says of its patients: all the numbers of a Patient, and the links between Patients
//! (R4, Patient.link).
//!
//! Rows go by one number of a Patient. A list can have another: that of a chart that was merged with it, or one under a system of the
//! hospital's own, which to whoever writes the list is the patient's number. Whoever is left out by one of them is left out by all.

use std::collections::{HashMap, HashSet};

use serde::Deserialize as _;
use serde_json::Value;
use terms::CanonicalPatientId;

use super::patients::{self, Patients};
use super::resource::{Identifier, Resource};
use crate::Home;
use crate::seen::{ByItself, key};
use crate::without::People;

/// A number of a patient.
pub struct Number {
    /// As the reader would take it for a local id.
    pub id: String,
    /// Whether some institution is named with it.
    pub is_of_institution: bool,
    bare: String,
    key: u128,
}

impl Number {
    /// By the system and the value of an identifier; `None` for what is no patient's number: it is an insurance's, or there is none.
    pub fn of(identifier: &Identifier, home: &Home) -> Option<Self> {
        let system = identifier.system.as_deref().unwrap_or("");
        let bare = identifier.value.as_deref().filter(|value| !value.trim().is_empty())?;
        if patients::is_of_insurance(system) {
            return None;
        }
        let institution = patients::institution(system);
        let id = match (institution, system) {
            (None, "") => bare.to_owned(),
            (institution, system) => home.local_id(institution.unwrap_or(system), bare),
        };
        let key = key(&[b"number", system.as_bytes(), bare.as_bytes()]);
        Some(Self { id, is_of_institution: institution.is_some(), bare: bare.to_owned(), key })
    }

    /// Whether it is the number of somebody on the list, who is not asked there under which system.
    pub fn is_listed(&self, people: &mut People) -> bool {
        // Both are asked: both are met then.
        let by_id = people.is_left(&self.id) == Some(true);
        people.is_left(&self.bare) == Some(true) || by_id
    }

    fn is_readable(&self) -> bool {
        !self.bare.contains('\u{FFFD}')
    }
}

/// An identifier as it is written; `None` when its value cannot be read.
pub fn identifier(value: &Value) -> Option<Identifier> {
    let read = Identifier::deserialize(value).ok().filter(|_| value.is_object())?;
    let stated = value.get("value").is_some_and(|v| !v.is_null());
    (read.value.is_some() || !stated).then_some(read)
}

/// One or several, as people write them.
fn list(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(list)) => list,
        Some(Value::Null) | None => &[],
        Some(one) => std::slice::from_ref(one),
    }
}

/// The numbers by which a Patient goes, and those of whom it is linked to; `None` when one cannot be read.
fn numbers(patient: &Value, home: &Home) -> Option<Vec<Number>> {
    let links = list(patient.get("link")).iter().flat_map(|link| list(link.pointer("/other/identifier")));
    let all = list(patient.get("identifier")).iter().chain(links);
    let mut out = Vec::new();
    for one in all {
        out.extend(Number::of(&identifier(one)?, home));
    }
    out.iter().all(Number::is_readable).then_some(out)
}

/// Every Patient in a resource, itself too. Not in a bundle, whose entries have names of their own.
pub fn patients_in<'v>(value: &'v Value, out: &mut Vec<&'v Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|v| patients_in(v, out)),
        Value::Object(object) => {
            if object.get("resourceType").and_then(Value::as_str) == Some("Patient") {
                out.push(value);
            }
            object.values().for_each(|v| patients_in(v, out));
        }
        _ => {}
    }
}

/// Ids that stand together in one Patient, and the names of whom it is linked to.
struct Group {
    ids: Vec<CanonicalPatientId>,
    others: Vec<String>,
}

/// Where patients are noted.
pub struct Place<'a> {
    /// Name of the entry.
    pub url: Option<&'a str>,
    pub scope: &'a str,
    /// Patients of the bundle.
    pub own: Option<&'a Patients>,
    pub home: &'a Home,
}

/// The persons of a delivery.
#[derive(Default)]
pub struct Persons {
    groups: Vec<Group>,
    /// Whose a number is that names no institution: the id by which its Patient goes; `None` when several have it.
    numbers: HashMap<u128, Option<CanonicalPatientId>, ByItself>,
    left: HashSet<CanonicalPatientId>,
}

impl Persons {
    /// Notes the patients of a resource.
    pub(crate) fn note(&mut self, r: &Resource, value: &Value, at: &Place<'_>, people: &mut People) {
        let Place { url, scope, home, .. } = *at;
        let mut inside = Vec::new();
        patients_in(value, &mut inside);
        for patient in inside {
            if std::ptr::eq(patient, value) {
                let others = list(value.get("link")).iter().filter_map(|l| l.pointer("/other/reference").and_then(Value::as_str));
                let others = others.map(|other| patients::patient_name(other, url, scope)).collect();
                self.patient(patient, patients::local_id(r, url, scope, home), others, at, people);
            } else if let Ok(resource) = Resource::deserialize(patient) {
                self.patient(patient, patients::stated_id(&resource, home), Vec::new(), at, people);
            }
        }
    }

    fn patient(&mut self, value: &Value, goes_by: Option<String>, others: Vec<String>, at: &Place<'_>, people: &mut People) {
        let Place { own, home, .. } = *at;
        // What cannot be read is refused when it is judged.
        let Some(goes_by) = goes_by.and_then(|id| people.canonical(&id)) else { return };
        let numbers = numbers(value, home).unwrap_or_default();
        let mut ids = vec![goes_by.clone()];
        let (mut listed, mut unknown) = (people.is_left(goes_by.reveal()) == Some(true), Vec::new());
        for number in &numbers {
            listed |= number.is_listed(people);
            if number.is_of_institution {
                ids.extend(people.canonical(&number.id));
            } else {
                let known = self.numbers.entry(number.key).or_insert_with(|| Some(goes_by.clone()));
                if known.as_ref() != Some(&goes_by) {
                    *known = None;
                }
            }
        }
        for name in others {
            match own.and_then(|own| own.known(&name, home)) {
                Some(id) => ids.extend(people.canonical(&id)),
                None => unknown.push(name),
            }
        }
        ids.dedup();
        if listed {
            self.left.extend(ids.iter().cloned());
        }
        if ids.len() > 1 || !unknown.is_empty() {
            self.groups.push(Group { ids, others: unknown });
        }
    }

    /// Once everybody is noted: whoever is one person with somebody who is left out is left out.
    pub(crate) fn close(&mut self, all: &Patients, home: &Home, people: &mut People) {
        let mut groups = std::mem::take(&mut self.groups);
        for group in &mut groups {
            let others = std::mem::take(&mut group.others);
            let known = others.iter().filter_map(|name| all.known(name, home)).filter_map(|id| people.canonical(&id));
            group.ids.extend(known.collect::<Vec<_>>());
        }
        loop {
            let size = self.left.len();
            groups.retain(|group| {
                let is_left = group.ids.iter().any(|id| self.left.contains(id) || people.is_left(id.reveal()) == Some(true));
                if is_left {
                    self.left.extend(group.ids.iter().cloned());
                }
                !is_left
            });
            if self.left.len() == size {
                return;
            }
        }
    }

    /// Whether a local id is of somebody who is left out; `None` when it is no id.
    pub(crate) fn is_left(&self, local_id: &str, people: &mut People) -> Option<bool> {
        let left = people.is_left(local_id)?;
        Some(left || people.canonical(local_id).is_some_and(|id| self.left.contains(&id)))
    }

    /// Whether a Patient is left out, by whichever number; `None` when it has none that a list could name, or one that cannot be read.
    pub(crate) fn is_patient_left(&self, patient: &Value, home: &Home, people: &mut People) -> Option<bool> {
        let resource = Resource::deserialize(patient).ok()?;
        let mut left = self.is_left(&patients::stated_id(&resource, home)?, people)?;
        for number in numbers(patient, home)? {
            left |= number.is_listed(people) || self.is_left(&number.id, people) == Some(true);
        }
        Some(left)
    }

    /// Whether somebody is left out whom a number alone names; `None` when nobody can tell whose it is.
    pub(crate) fn is_number_left(&self, number: &Number, people: &mut People) -> Option<bool> {
        if number.is_listed(people) {
            return Some(true);
        }
        match self.numbers.get(&number.key) {
            _ if number.is_of_institution => self.is_left(&number.id, people),
            Some(Some(goes_by)) => Some(self.left.contains(goes_by)),
            Some(None) | None => None,
        }
    }
}
