//! Resources without some people.
//!
//! A resource is somebody's when anything in it refers to the Patient or states the hospital's number, not its subject alone; of several, one who
//! is left out is enough. Resources of nobody (organizations, practitioners, drugs) go when only such resources refer to them, or such as go
//! with them. Patients that are linked (R4, Patient.link) are one person. A bundle loses entries; one in which nobody is left goes as a whole.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};

use serde::Deserialize as _;
use serde_json::Value;

use super::json::{elements, has_key_twice, member, replaced};
use super::patients::{Patients, scope};
use super::persons::{Persons, Place};
use super::reader::{DEEPEST, LONGEST, Options, is_one};
use super::resource::Resource;
use super::whose::{Around, Entry, Looked, Whose};
use crate::Home;
use crate::seen::ByItself;
use crate::without::{Kept, People, Raw, WithoutError, nobodys};

type Names = HashSet<u128, ByItself>;

/// What becomes of the resource of a line.
type Judge<'j> = &'j mut dyn FnMut(u64, &[u8]) -> Result<Fate, WithoutError>;

/// What resources of a delivery refer to each other.
#[derive(Default)]
pub struct Related {
    patients: Patients,
    persons: Persons,
    /// What those refer to who are left out, and those who are not.
    by_left: Names,
    by_others: Names,
    /// Resources of nobody, and what they refer to.
    of_nobody: HashMap<u128, Vec<u128>, ByItself>,
    gone: Names,
}

/// Adds what a set leads to.
fn close(names: &mut Names, edges: &HashMap<u128, Vec<u128>, ByItself>) {
    let mut waiting: Vec<u128> = names.iter().copied().collect();
    while let Some(name) = waiting.pop() {
        for next in edges.get(&name).into_iter().flatten() {
            if names.insert(*next) {
                waiting.push(*next);
            }
        }
    }
}

/// Resources of nobody that only those refer to who are left out, or what goes with them.
fn going(by_left: &Names, by_others: &Names, of_nobody: &HashMap<u128, Vec<u128>, ByItself>) -> Names {
    let mut reached = by_left.clone();
    close(&mut reached, of_nobody);
    // What nobody refers to stays, with what it refers to.
    let mut stays = by_others.clone();
    stays.extend(of_nobody.keys().filter(|name| !reached.contains(*name)));
    close(&mut stays, of_nobody);
    reached.retain(|name| of_nobody.contains_key(name) && !stays.contains(name));
    reached
}

/// Every resource of a bundle, also of those in it.
fn flat<'e>(entries: &'e [Entry], out: &mut Vec<&'e Looked>) {
    for entry in entries {
        match entry {
            Entry::Resource(looked) => out.push(looked),
            Entry::Bundle(inner) => flat(inner, out),
        }
    }
}

/// Names of a resource of nobody lead to what it refers to, and to each other.
fn note_edges(looked: &Looked, of_nobody: &mut HashMap<u128, Vec<u128>, ByItself>) {
    for name in &looked.names {
        of_nobody.entry(*name).or_default().extend(looked.refers.iter().chain(&looked.names));
    }
}

impl Related {
    fn note(&mut self, look: u32, looked: &Looked) {
        match (look, looked.whose) {
            (1, Whose::Left) => self.by_left.extend(&looked.refers),
            (1, Whose::Nobodys) => note_edges(looked, &mut self.of_nobody),
            // Of all that others refer to, only what is of nobody is asked for.
            (2, Whose::Anothers) => self.by_others.extend(looked.refers.iter().filter(|n| self.of_nobody.contains_key(*n))),
            _ => {}
        }
    }

    /// Looks at a file: first who the patients are, then what those refer to who are left out, then what the others do.
    pub(crate) fn look(
        &mut self,
        look: u32,
        path: &str,
        content: &mut dyn Read,
        home: &Home,
        people: &mut People,
    ) -> Result<(), WithoutError> {
        if look > 0 {
            self.settle(look, home, people);
        }
        let scope = scope(path);
        each(path, content, &mut std::io::sink(), &mut |line, bytes| {
            let (value, resource) = parsed(path, line, bytes)?;
            if look == 0 {
                self.patients.note(&resource, None, scope);
                note(&mut self.persons, &resource, &value, &Place { url: None, scope, own: None, home }, 0, people);
                return Ok(Fate::Keep);
            }
            let own = Patients::default();
            let around = Around { path, line, scope, home, own: &own, all: &self.patients, persons: &self.persons };
            if resource.resource_type == "Bundle" {
                let entries = around.entries(&value, 0, people)?;
                let mut all = Vec::new();
                flat(&entries, &mut all);
                // Names in a bundle hold within it.
                all.into_iter().filter(|l| l.whose != Whose::Nobodys).for_each(|looked| self.note(look, looked));
            } else {
                let looked = around.look(&value, &resource, None, people)?;
                self.note(look, &looked);
            }
            Ok(Fate::Keep)
        })
    }

    /// What an earlier look found, once it is over.
    fn settle(&mut self, look: u32, home: &Home, people: &mut People) {
        if look == 1 {
            self.persons.close(&self.patients, home, people);
        }
        if look > 2 && !self.of_nobody.is_empty() {
            self.gone = going(&self.by_left, &self.by_others, &self.of_nobody);
            self.of_nobody = HashMap::default();
        }
    }

    /// Writes a file without those who are left out.
    pub(crate) fn write(
        &mut self,
        path: &str,
        content: &mut dyn Read,
        out: &mut dyn Write,
        home: &Home,
        people: &mut People,
    ) -> Result<Kept, WithoutError> {
        self.settle(3, home, people);
        let (scope, mut kept) = (scope(path), Kept::default());
        each(path, content, out, &mut |line, bytes| {
            let (value, resource) = parsed(path, line, bytes)?;
            let own = Patients::default();
            let around = Around { path, line, scope, home, own: &own, all: &self.patients, persons: &self.persons };
            if resource.resource_type == "Bundle" {
                let entries = around.entries(&value, 0, people)?;
                let (fate, of_it) = bundle(bytes, &entries).ok_or_else(|| around.unknown("fhir-entry"))?;
                kept.people |= of_it.people;
                kept.others |= matches!(fate, Fate::Keep) && !of_it.people;
                kept.left_out += of_it.left_out;
                return Ok(fate);
            }
            let looked = around.look(&value, &resource, None, people)?;
            if looked.whose == Whose::Left || looked.goes(&self.gone) {
                kept.left_out += 1;
                return Ok(Fate::Leave);
            }
            kept.people |= looked.whose == Whose::Anothers;
            kept.others |= looked.whose == Whose::Nobodys;
            Ok(Fate::Keep)
        })?;
        Ok(kept)
    }
}

impl Looked {
    fn goes(&self, gone: &Names) -> bool {
        self.whose == Whose::Nobodys && self.names.iter().any(|name| gone.contains(name))
    }
}

/// What becomes of a resource.
enum Fate {
    Keep,
    Leave,
    Instead(Vec<u8>),
}

/// A bundle without the entries of those who are left out. `None` when its entries are not found in its bytes.
fn bundle(bytes: &[u8], entries: &[Entry]) -> Option<(Fate, Kept)> {
    let mut all = Vec::new();
    flat(entries, &mut all);
    let (mut by_left, mut by_others, mut of_nobody) = (Names::default(), Names::default(), HashMap::default());
    for looked in &all {
        match looked.whose {
            Whose::Left => by_left.extend(&looked.refers),
            Whose::Anothers => by_others.extend(&looked.refers),
            Whose::Nobodys => note_edges(looked, &mut of_nobody),
        }
    }
    rest(bytes, entries, &going(&by_left, &by_others, &of_nobody))
}

fn rest(bytes: &[u8], entries: &[Entry], gone: &Names) -> Option<(Fate, Kept)> {
    let mut kept = Kept::default();
    if entries.is_empty() {
        return Some((Fate::Keep, kept));
    }
    let places = elements(bytes, &member(bytes, "entry")?)?;
    if places.len() != entries.len() {
        return None;
    }
    let mut parts = Vec::with_capacity(entries.len());
    for (entry, place) in entries.iter().zip(&places) {
        let whole = &bytes[place.clone()];
        let fate = match entry {
            Entry::Resource(looked) if looked.whose == Whose::Left || looked.goes(gone) => {
                kept.left_out += 1;
                Fate::Leave
            }
            Entry::Resource(looked) => {
                kept.people |= looked.whose == Whose::Anothers;
                Fate::Keep
            }
            Entry::Bundle(inner) => {
                let inside = member(whole, "resource")?;
                let (fate, of_it) = rest(&whole[inside.clone()], inner, gone)?;
                kept.people |= of_it.people;
                kept.left_out += of_it.left_out;
                match fate {
                    Fate::Instead(new) => Fate::Instead([&whole[..inside.start], &new, &whole[inside.end..]].concat()),
                    other => other,
                }
            }
        };
        parts.push(match fate {
            Fate::Keep => Some(whole.to_vec()),
            Fate::Leave => None,
            Fate::Instead(new) => Some(new),
        });
    }
    let fate = match kept {
        Kept { left_out: 0, .. } => Fate::Keep,
        Kept { people: false, .. } => Fate::Leave,
        _ => Fate::Instead(replaced(bytes, &places, &parts)),
    };
    Some((fate, kept))
}

/// Notes the patients of a resource, of a bundle those of each entry.
fn note(persons: &mut Persons, r: &Resource, value: &Value, at: &Place<'_>, depth: usize, people: &mut People) {
    if r.resource_type != "Bundle" {
        return persons.note(r, value, at, people);
    }
    let entries = value.get("entry").and_then(Value::as_array).into_iter().flatten();
    // Entries that cannot be read, and bundles too deep, are refused when they are judged.
    let read = entries.filter_map(|entry| {
        let inner = entry.get("resource")?;
        Some((entry.get("fullUrl").and_then(Value::as_str), inner, Resource::deserialize(inner).ok()?))
    });
    let (mut own, read) = (Patients::default(), read.collect::<Vec<_>>());
    read.iter().for_each(|(url, _, resource)| own.note(resource, *url, at.scope));
    for (url, inner, resource) in read.iter().filter(|_| depth <= DEEPEST) {
        note(persons, resource, inner, &Place { url: *url, own: Some(&own), ..*at }, depth + 1, people);
    }
}

fn parsed(path: &str, line: u64, bytes: &[u8]) -> Result<(Value, Resource), WithoutError> {
    let unread = || nobodys(path, line, "fhir-not-a-resource");
    let value: Value = serde_json::from_slice(bytes).map_err(|_| unread())?;
    // The value has one of the two, a reader may take the other.
    if has_key_twice(bytes) {
        return Err(nobodys(path, line, "fhir-key-twice"));
    }
    let resource: Resource = serde_json::from_slice(bytes).map_err(|_| unread())?;
    if resource.resource_type.is_empty() { Err(unread()) } else { Ok((value, resource)) }
}

/// Every resource of a file, one a line or one in all, and what is written in its place.
fn each(path: &str, content: &mut dyn Read, out: &mut dyn Write, judge: Judge<'_>) -> Result<(), WithoutError> {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    let mut put = |whole: &[u8], text: &[u8], fate: Fate| -> Result<(), WithoutError> {
        match fate {
            Fate::Leave => {}
            Fate::Keep => out.write_all(whole)?,
            Fate::Instead(new) => {
                let before = if whole.starts_with(MARK) { MARK } else { b"" };
                out.write_all(&[before, &new, &whole[before.len() + text.len()..]].concat())?;
            }
        }
        Ok(())
    };
    if is_one(path) {
        let mut bytes = Vec::new();
        let limit = Options::default().max_file_bytes;
        content.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(nobodys(path, 1, "formats-file-too-long"));
        }
        let text = bytes.strip_prefix(MARK).unwrap_or(&bytes);
        let fate = judge(1, text)?;
        return put(&bytes, text, fate);
    }
    let (mut lines, _) = Raw::new(content, LONGEST)?;
    while lines.advance(path)? {
        let text = lines.text().strip_prefix(MARK).unwrap_or(lines.text());
        let fate = if lines.is_blank() { Fate::Keep } else { judge(lines.number(), text)? };
        put(lines.whole(), text, fate)?;
    }
    Ok(())
}
