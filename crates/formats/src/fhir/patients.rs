//! Who a resource is about: references → patients (R4, section 2.3 References, 2.3.0.6 Contained).

use std::collections::HashMap;

use super::resource::{Identifier, Reference, Resource, part, parts};
use crate::Home;
use crate::seen::key;

/// What a reference names.
#[derive(Debug, PartialEq, Eq)]
pub enum Target<'r> {
    /// `#id`: within the resource itself.
    Contained(&'r str),
    /// `[base/]Type/id[/_history/version]`.
    Typed {
        /// Address of the server, where it is stated.
        base: Option<&'r str>,
        /// Type of the resource.
        kind: &'r str,
        /// Its id, without the version.
        id: &'r str,
    },
    /// `urn:uuid:…`, also without its prefix: the name of an entry of a bundle.
    Named(&'r str),
}

/// Takes a reference apart.
pub fn target(reference: &str) -> Target<'_> {
    if let Some(id) = reference.strip_prefix('#') {
        return Target::Contained(id);
    }
    let unversioned = reference.find("/_history/").map_or(reference, |at| &reference[..at]);
    let named = || Target::Named(reference.strip_prefix("urn:uuid:").unwrap_or(reference));
    let Some((before, id)) = unversioned.rsplit_once('/') else {
        return named();
    };
    let (base, kind) = before.rsplit_once('/').map_or((None, before), |(base, kind)| (Some(base), kind));
    if id.is_empty() || !kind.starts_with(|c: char| c.is_ascii_uppercase()) {
        return named();
    }
    Target::Typed { base, kind, id }
}

/// The name by which sections of a document name an entry, and entries name themselves.
pub fn entry_name(reference: &str) -> &str {
    match target(reference) {
        Target::Contained(id) | Target::Typed { id, .. } | Target::Named(id) => id,
    }
}

/// A patient's number, and whose number it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Local {
    /// Institution (ten digits) or system of the identifier; `None` when the number stands alone.
    institution: Option<String>,
    number: String,
}

impl Local {
    /// The hospital's own id, else the first identifier that is none of an insurance. Not the id of the resource: that is a
    /// server's, and can be another patient's number.
    fn stated(patient: &Resource) -> Option<Self> {
        let identifiers: Vec<Identifier> = parts(&patient.identifier);
        let hospital = |i: &&Identifier| i.system.as_deref().is_some_and(|s| s.contains("1.2.392.100495.20.3.51."));
        let patients = |i: &&Identifier| !i.system.as_deref().is_some_and(is_of_insurance);
        let found = identifiers.iter().find(hospital).or(identifiers.iter().find(patients))?;
        let system = found.system.as_deref().filter(|s| !s.is_empty());
        let institution = system.map(|s| institution(s).unwrap_or(s).to_owned());
        found.value.clone().filter(|v| !v.trim().is_empty()).map(|number| Self { institution, number })
    }

    /// A patient of whom there is a name alone, that of a reference.
    fn of_reference(name: &str) -> Self {
        // Not the name itself: cases and hyphens count in it, and are lost when patient numbers are compared.
        Self { institution: None, number: format!("fhir-{:032x}", key(&[b"fhir", name.as_bytes()])) }
    }

    fn id(&self, home: &Home) -> String {
        match &self.institution {
            Some(institution) => home.local_id(institution, &self.number),
            None => self.number.clone(),
        }
    }
}

/// Patients by the names that references give them. One name of two patients names neither.
#[derive(Clone, Default)]
pub struct Patients(HashMap<String, Option<Local>>);

/// Whom a resource is about.
pub enum About {
    /// Somebody who was sent.
    Known(String),
    /// Somebody who was not.
    Missing(String),
    /// Two patients have this name.
    Several,
    /// A device, a group, a place.
    NoPerson,
    /// It does not say.
    Nobody,
}

/// Where references of a file hold: its folder, which a folder for each type of resource is a part of.
pub fn scope(path: &str) -> &str {
    const TYPES: &[&str] =
        &["Patient", "Coverage", "Encounter", "Condition", "AllergyIntolerance", "Observation", "MedicationRequest", "Procedure"];
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    match folder.rsplit_once('/') {
        Some((above, last)) if TYPES.contains(&last) => above,
        None if TYPES.contains(&folder) => "",
        _ => folder,
    }
}

fn name_in(scope: &str, id: &str) -> String {
    format!("{scope}\n{id}")
}

/// Name of a patient on a server: however many slashes end its address.
fn name_on(base: &str, id: &str) -> String {
    name_in(base.trim_end_matches('/'), id)
}

fn names(patient: &Resource, url: Option<&str>, scope: &str) -> Vec<String> {
    let mut names: Vec<String> = match url.map(target) {
        Some(Target::Typed { base: Some(base), id, .. }) => vec![name_on(base, id)],
        Some(Target::Typed { id, .. }) => vec![name_in(scope, id)],
        Some(Target::Named(name) | Target::Contained(name)) => vec![name.to_owned()],
        None => Vec::new(),
    };
    names.extend(patient.id.as_deref().filter(|id| !id.is_empty()).map(|id| name_in(scope, id)));
    names.dedup();
    names
}

/// Local id of a patient. `url` is the name of its entry in a bundle.
pub fn local_id(patient: &Resource, url: Option<&str>, scope: &str, home: &Home) -> Option<String> {
    let stated = Local::stated(patient);
    stated.or_else(|| names(patient, url, scope).first().map(|n| Local::of_reference(n))).map(|local| local.id(home))
}

impl Patients {
    /// Takes a patient in.
    pub fn note(&mut self, resource: &Resource, url: Option<&str>, scope: &str) {
        if resource.resource_type != "Patient" {
            return;
        }
        let names = names(resource, url, scope);
        let Some(local) = Local::stated(resource).or_else(|| names.first().map(|n| Local::of_reference(n))) else {
            return;
        };
        for name in names {
            let known = self.0.entry(name).or_insert_with(|| Some(local.clone()));
            if known.as_ref() != Some(&local) {
                *known = None;
            }
        }
    }

    /// Local id of the one patient with this name.
    pub fn known(&self, name: &str, home: &Home) -> Option<String> {
        self.0.get(name)?.as_ref().map(|local| local.id(home))
    }

    fn get(&self, name: &str, home: &Home) -> Option<About> {
        self.0.get(name).map(|known| known.as_ref().map_or(About::Several, |local| About::Known(local.id(home))))
    }
}

/// System of a hospital's own patient numbers, before the hospital's code.
const HOSPITAL: &str = "1.2.392.100495.20.3.51.1";

/// Whether a system is that of an insurance's numbers.
pub fn is_of_insurance(system: &str) -> bool {
    system.ends_with("JP_Insurance_memberID")
}

/// The institution whose patient numbers a system is of.
pub fn institution(system: &str) -> Option<&str> {
    system.split_once(HOSPITAL).map(|(_, digits)| digits)
}

/// Every number that an institution gave a patient, as a local id. Not those under other systems: what they number nobody says, and a number of
/// theirs can be another patient's here.
pub fn stated_numbers(patient: &Resource, home: &Home) -> Vec<String> {
    let number = |i: &Identifier| {
        let institution = institution(i.system.as_deref()?)?;
        i.value.as_deref().filter(|value| !value.trim().is_empty()).map(|value| home.local_id(institution, value))
    };
    parts::<Identifier>(&patient.identifier).iter().filter_map(number).collect()
}

/// Local id of a patient by what is stated in it alone; `None` when it has no number that a list could name.
pub fn stated_id(patient: &Resource, home: &Home) -> Option<String> {
    Local::stated(patient).map(|local| local.id(home))
}

/// The name under which a reference means a patient.
pub fn patient_name(reference: &str, url: Option<&str>, scope: &str) -> String {
    match (target(reference), url.map(target)) {
        (Target::Typed { base: Some(base), id, .. }, _) => name_on(base, id),
        (Target::Typed { id, .. }, Some(Target::Typed { base: Some(base), .. })) => name_on(base, id),
        (Target::Typed { id, .. }, _) => name_in(scope, id),
        (Target::Named(name) | Target::Contained(name), _) => name.to_owned(),
    }
}

/// The patient whom a reference of a resource means, its subject or not; `None` when it is of something else.
pub fn named_patient(
    reference: &str,
    url: Option<&str>,
    scope: &str,
    own: &Patients,
    all: &Patients,
    home: &Home,
) -> Option<About> {
    let get = |name: &str| own.get(name, home).or_else(|| all.get(name, home));
    match target(reference) {
        Target::Contained(_) => None,
        Target::Named(name) => get(name),
        Target::Typed { kind, .. } if kind != "Patient" => None,
        Target::Typed { base: None, id, .. } => {
            let found = get(&patient_name(reference, url, scope)).or_else(|| get(&name_in(scope, id)));
            Some(found.unwrap_or_else(|| About::Missing(String::new())))
        }
        Target::Typed { .. } => {
            let found = get(&patient_name(reference, url, scope));
            Some(found.unwrap_or_else(|| About::Missing(String::new())))
        }
    }
}

/// Whom a resource is about: `own` are the patients of its bundle, `all` those of the delivery.
pub fn about(r: &Resource, url: Option<&str>, scope: &str, own: &Patients, all: &Patients, home: &Home) -> About {
    let subject: Option<Reference> = part(&r.subject);
    let about = subject.as_ref().or(r.patient.as_ref()).or(r.beneficiary.as_ref());
    let Some(reference) = about.and_then(|a| a.reference.as_deref()) else {
        return About::Nobody;
    };
    let named = |name: String| {
        let found = own.get(&name, home).or_else(|| all.get(&name, home));
        found.unwrap_or_else(|| About::Missing(Local::of_reference(&name).id(home)))
    };
    match target(reference) {
        Target::Contained(id) => {
            let inside: Vec<Resource> = parts(&r.contained);
            let found = inside.iter().find(|c| c.resource_type == "Patient" && c.id.as_deref() == Some(id));
            found.and_then(Local::stated).map_or(About::Nobody, |local| About::Known(local.id(home)))
        }
        Target::Typed { kind, .. } if kind != "Patient" => About::NoPerson,
        Target::Typed { base: Some(base), id, .. } => named(name_on(base, id)),
        Target::Typed { base: None, id, .. } => {
            // On the server that the entry is of, if it says so.
            let server = match url.map(target) {
                Some(Target::Typed { base: Some(base), .. }) => own.get(&name_on(base, id), home),
                _ => None,
            };
            server.unwrap_or_else(|| named(name_in(scope, id)))
        }
        Target::Named(name) => named(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_no_part_of_an_id() {
        let typed = |base, kind, id| Target::Typed { base, kind, id };
        assert_eq!(target("Patient/1/_history/2"), typed(None, "Patient", "1"));
        assert_eq!(target("https://a/fhir/Patient/1/_history/2"), typed(Some("https://a/fhir"), "Patient", "1"));
        assert_eq!(target("Device/p1"), typed(None, "Device", "p1"));
        assert_eq!(target("#pat"), Target::Contained("pat"));
        assert_eq!(target("urn:uuid:0a"), Target::Named("0a"));
        assert_eq!(target("p1"), Target::Named("p1"));
    }

    #[test]
    fn a_folder_of_one_type_is_no_scope_of_its_own() {
        assert_eq!((scope("a/Patient.ndjson"), scope("a/Patient/1.ndjson"), scope("Condition/1.ndjson")), ("a", "a", ""));
    }
}
