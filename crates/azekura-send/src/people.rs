//! Whose a file is, by its place in an SS-MIX2 storage, and who may not come.
//!
//! ```text
//! <root>/<id[0..3]>/<id[3..6]>/<id>/<care date | ->/<data type>/<id>_<care date | ->_<data type>_…
//! ```
//! A file says twice whose it is: by its directory and by its name. Both count: when they differ, each of the two people can keep it at home.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;

use package::PackageError;
use package::lists::{Contact, OptOut};
use terms::{CanonicalPatientId, PatientIdRule};

/// Ids are compared with the rule under which the fewest differ, so that `123` stops `0000000123` whatever rule the producer has fixed.
fn canonical(written: &str) -> Option<CanonicalPatientId> {
    PatientIdRule::Digits.canonical(written).ok()
}

/// Everyone that a path in a storage names.
pub fn named_by(path: &Path) -> BTreeSet<CanonicalPatientId> {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let mut people = BTreeSet::new();
    for (i, part) in parts.iter().enumerate() {
        let is_file = i + 1 == parts.len();
        let by_folders = i >= 2 && !is_file && is_under(part, &parts[i - 2], &parts[i - 1]);
        let by_date_and_type = i + 2 < parts.len() && is_date(&parts[i + 1]) && is_type(&parts[i + 2]);
        if by_folders || by_date_and_type {
            people.extend(canonical(part));
        }
        let mut fields = part.split('_');
        let (id, date, rest) = (fields.next(), fields.next(), fields.count());
        if rest >= 4 && date.is_some_and(is_date) {
            people.extend(id.and_then(canonical));
        }
    }
    people
}

fn is_under(id: &str, first: &str, second: &str) -> bool {
    first.chars().count() == 3
        && second.chars().count() == 3
        && id.strip_prefix(first).is_some_and(|rest| rest.starts_with(second))
}

fn is_date(text: &str) -> bool {
    text == "-" || (text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()))
}

fn is_type(text: &str) -> bool {
    let (class, number) = text.split_once('-').unwrap_or((text, ""));
    let standard =
        class.len() == 3 && class.bytes().all(|b| b.is_ascii_uppercase()) && number.bytes().all(|b| b.is_ascii_digit());
    standard || text.contains('^')
}

/// What becomes of a file.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Verdict {
    /// It is sent.
    Send,
    /// One whom it names said no.
    OptedOut,
    /// One whom it names was not contacted.
    NotContacted,
    /// It names nobody: it could be anybody's.
    OfNobody,
}

/// Who may not come.
pub struct Doorkeeper {
    opted_out: HashSet<CanonicalPatientId>,
    /// Of ids that nobody named, the one that somebody did.
    because: HashMap<CanonicalPatientId, CanonicalPatientId>,
    contacted: Option<HashMap<CanonicalPatientId, Vec<Contact>>>,
    selective: bool,
    /// Whether files are of many people, and their names say of nobody whose they are.
    of_many: bool,
}

impl Doorkeeper {
    /// Judges by the lists that were given.
    pub fn new(contacts: Option<Vec<Contact>>, opt_outs: Option<&[OptOut]>) -> Doorkeeper {
        let selective = contacts.is_some() || opt_outs.is_some();
        let opted_out = opt_outs.unwrap_or_default().iter().filter_map(|o| canonical(&o.patient)).collect();
        let (named, found): (Vec<_>, Vec<_>) = opt_outs.unwrap_or_default().iter().partition(|o| o.because.is_none());
        let named: HashSet<_> = named.into_iter().filter_map(|o| canonical(&o.patient)).collect();
        let found = found.into_iter().filter_map(|o| Some((canonical(&o.patient)?, canonical(o.because.as_deref()?)?)));
        let because = found.filter(|(id, _)| !named.contains(id)).collect();
        let contacted = contacts.map(|rows| {
            let mut by_person: HashMap<_, Vec<Contact>> = HashMap::new();
            for row in rows {
                if let Some(id) = canonical(&row.patient) {
                    by_person.entry(id).or_default().push(row);
                }
            }
            by_person
        });
        Doorkeeper { opted_out, because, contacted, selective, of_many: false }
    }

    /// For files of many people each (FHIR, DPC, claims, checkups): none is judged by its name (`many` takes out who said no).
    #[must_use]
    pub fn for_files_of_many(self) -> Doorkeeper {
        Doorkeeper { of_many: true, ..self }
    }

    /// Whether files are of many people each.
    pub fn is_for_files_of_many(&self) -> bool {
        self.of_many
    }

    /// What becomes of a file that names these people.
    pub fn judge(&self, people: &BTreeSet<CanonicalPatientId>) -> Verdict {
        if self.of_many {
            return Verdict::Send;
        }
        if people.is_empty() && self.selective {
            return Verdict::OfNobody;
        }
        if people.iter().any(|id| self.opted_out.contains(id)) {
            return Verdict::OptedOut;
        }
        match &self.contacted {
            Some(contacted) if people.iter().any(|id| !contacted.contains_key(id)) => Verdict::NotContacted,
            _ => Verdict::Send,
        }
    }

    /// Who said no, of those whom some id was met of, each once.
    pub fn persons(&self, met: &HashSet<CanonicalPatientId>) -> HashSet<CanonicalPatientId> {
        met.iter().map(|id| self.because.get(id).unwrap_or(id).clone()).collect()
    }

    /// How many said no of whom nothing was met.
    pub fn opted_out_but(&self, met: &HashSet<CanonicalPatientId>) -> usize {
        self.opted_out.iter().filter(|id| !self.because.contains_key(*id) && !met.contains(*id)).count()
    }

    /// Who said no.
    pub fn opted_out(&self) -> &HashSet<CanonicalPatientId> {
        &self.opted_out
    }

    /// The contacts of the people in a tree who may come, sorted; `None` when no contacts were given.
    pub fn contacts_of(&self, root: &Path) -> Result<Option<Vec<Contact>>, PackageError> {
        let Some(contacted) = &self.contacted else { return Ok(None) };
        if self.of_many {
            let all: BTreeMap<_, _> = contacted.iter().filter(|(id, _)| !self.opted_out.contains(*id)).collect();
            return Ok(Some(all.into_values().flatten().cloned().collect()));
        }
        let mut there = BTreeSet::new();
        people_in(root, Path::new(""), 0, &mut there).map_err(|source| PackageError::File { path: root.to_owned(), source })?;
        let coming = there.iter().filter(|id| !self.opted_out.contains(*id));
        Ok(Some(coming.filter_map(|id| contacted.get(id)).flatten().cloned().collect()))
    }
}

/// Everyone who has a directory in a tree. What is below a person's directory is not looked at.
fn people_in(root: &Path, relative: &Path, depth: usize, people: &mut BTreeSet<CanonicalPatientId>) -> std::io::Result<()> {
    for entry in fs::read_dir(root.join(relative))? {
        let entry = entry?;
        let path = relative.join(entry.file_name());
        // With one more part, so that the last one counts as a directory.
        let named = named_by(&if entry.file_type()?.is_dir() { path.join("x") } else { path.clone() });
        if !named.is_empty() {
            people.extend(named);
        } else if entry.file_type()?.is_dir() && depth < 40 {
            people_in(root, &path, depth + 1, people)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(path: &str) -> Vec<String> {
        named_by(Path::new(path)).iter().map(|id| id.reveal().to_owned()).collect()
    }

    #[test]
    fn a_file_names_the_people_of_its_directory_and_of_its_name() {
        let name = "20240602_OML-11_000000000001301_20240602120000005_09_1";
        assert_eq!(ids(&format!("900/000/9000000777/20240602/OML-11/9000000777_{name}")), ["9000000777"]);
        assert_eq!(ids(&format!("std/000/005/0000054321/20240602/OML-11/0000054321_{name}")), ["54321"]);
        assert_eq!(ids(&format!("900/000/9000000777/20240602/OML-11/0000000123_{name}")), ["123", "9000000777"]);
        assert_eq!(ids(&format!("flat/123_{name}")), ["123"]);
        assert_eq!(ids("900/000/9000000777/20240602/OML-11/garbage"), ["9000000777"]);
        assert_eq!(ids("77/-/ADT-00/garbage"), ["77"]);
        assert_eq!(
            ids("900/000/9000000777/20240602/^退院時サマリー^^18842-5^退院時サマリー^LN/x/main_document.xml"),
            ["9000000777"]
        );
        for nobody in ["2024/TR_20240602120000005_00001.DAT", "index.csv", "900/000/readme", "900/000/111/x"] {
            assert!(ids(nobody).is_empty(), "{nobody}");
        }
    }

    fn people(written: &[&str]) -> BTreeSet<CanonicalPatientId> {
        written.iter().filter_map(|w| canonical(w)).collect()
    }

    fn contact(patient: &str) -> Contact {
        Contact {
            patient: patient.to_owned(),
            date: jiff::civil::date(2024, 4, 1),
            addressee: String::new(),
            method: String::new(),
        }
    }

    #[test]
    fn who_said_no_or_was_not_contacted_stays_at_home_however_the_id_is_written() {
        let no = package::lists::read_opt_outs("list", &b"patient,requester,scope,date\n123,person,,2024-05-01\n"[..]);
        let Ok(no) = no else { panic!("the list is good") };
        let keeper = Doorkeeper::new(None, Some(&no));
        assert_eq!(keeper.judge(&people(&["0000000123"])), Verdict::OptedOut);
        assert_eq!(keeper.judge(&people(&["9000000777", "00123"])), Verdict::OptedOut);
        assert_eq!(keeper.judge(&people(&["1230"])), Verdict::Send);
        assert_eq!(keeper.judge(&people(&[])), Verdict::OfNobody);

        let keeper = Doorkeeper::new(Some(vec![contact("123"), contact("77")]), Some(&no));
        assert_eq!(keeper.judge(&people(&["0000000123"])), Verdict::OptedOut);
        assert_eq!(keeper.judge(&people(&["0077"])), Verdict::Send);
        assert_eq!(keeper.judge(&people(&["0077", "78"])), Verdict::NotContacted);

        let keeper = Doorkeeper::new(None, None);
        assert_eq!(keeper.judge(&people(&[])), Verdict::Send);
    }
}
