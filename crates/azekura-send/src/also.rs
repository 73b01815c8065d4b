//! Under which other ids those who said no stand in what is sent: a hospital's list names its chart numbers, and a checkup or a pharmacy's claim in the
//! same delivery knows the same person by the card alone. What the files say of cards, births and names tells (`formats::Known`); the list that travels
//! names these ids too, each with the id that somebody said no under.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use formats::ssmix2::read_one;
use formats::{AnyPrescan, AnyReader, Chunk, ForLake, Format, Known, Member, ReadError, Reader as _};
use messages::Message;
use package::PackageError;
use package::lists::OptOut;
use package::tree::{Found, Walk};
use terms::{CanonicalPatientId, PatientIdRule, ProviderId};

use crate::people::named_by;

/// Rows that are held at a time; they are looked at and dropped.
const CHUNK_ROWS: usize = 20_000;
/// Kind of the files of a storage that say who somebody is and how insured.
const WHO: &str = "ADT-00";
/// Largest of these that is read; a larger one is none.
const LARGEST: u64 = 16 << 20;

/// What files say of those who said no.
struct Said<'a> {
    list: &'a [OptOut],
    rule: PatientIdRule,
}

impl Said<'_> {
    /// The lines that name other ids of whoever the list names.
    fn other_ids(&self, known: &Known<String>) -> Vec<OptOut> {
        let canonical = |id: &str| self.rule.canonical(id).ok();
        let mut written: HashMap<CanonicalPatientId, String> = HashMap::new();
        let mut groups = Vec::new();
        for id in known.people() {
            let mut ids = Vec::new();
            for (written_as, id) in known.ids(id).into_iter().chain([id.clone()]).filter_map(|id| Some((canonical(&id)?, id))) {
                ids.push(written_as.clone());
                written.entry(written_as).or_insert(id);
            }
            if ids.len() > 1 {
                groups.push(ids);
            }
        }
        let named = |line: &OptOut| canonical(&line.patient);
        let mut said: HashMap<CanonicalPatientId, BTreeSet<usize>> = HashMap::new();
        for (at, line) in self.list.iter().enumerate() {
            if let Some(id) = named(line) {
                said.entry(id).or_default().insert(at);
            }
        }
        let own = said.clone();
        formats::carry(&groups, &mut said);
        let mut lines = Vec::new();
        for (id, all) in said {
            let Some(patient) = written.get(&id) else { continue };
            let stated = own.get(&id).into_iter().flatten().flat_map(|at| &self.list[*at].scope).collect::<Vec<_>>();
            for line in all.into_iter().map(|at| &self.list[at]) {
                // Nothing new of whom the list names itself.
                if line.scope.iter().all(|scope| stated.contains(&scope)) {
                    continue;
                }
                lines.push(OptOut { patient: patient.clone(), because: Some(line.patient.clone()), ..line.clone() });
            }
        }
        // The order of a map is another in each run.
        lines.sort_by(|a, b| (&a.patient, &a.because, a.date).cmp(&(&b.patient, &b.because, b.date)));
        lines
    }
}

/// The lines to add to a list for files of many people.
///
/// # Errors
/// As of reading the files.
pub fn in_files_of_many(
    root: &Path,
    format: Format,
    provider: &ProviderId,
    rule: PatientIdRule,
    list: &[OptOut],
) -> Result<Vec<OptOut>, Message> {
    let lake = || ForLake { institution: provider.as_str(), rule, chunk_rows: CHUNK_ROWS };
    let found: Vec<Found> = Walk::new(root).and_then(Iterator::collect).map_err(|e: PackageError| e.message())?;
    let mut known = Known::default();
    let mut prescan = AnyPrescan::for_lake(format, &lake());
    each(&found, |member| prescan.member(member))?;
    let mut reader = AnyReader::for_lake(format, prescan, &lake());
    let mut note = |chunk: Chunk| note(&mut known, &chunk);
    each(&found, |member| reader.member(member, &mut note))?;
    reader.finish(&mut note).map_err(refusal)?;
    Ok(Said { list, rule }.other_ids(&known))
}

fn each(found: &[Found], mut read: impl FnMut(Member<'_>) -> Result<(), ReadError>) -> Result<(), Message> {
    for (ordinal, one) in (0..).zip(found) {
        let mut file = one.open().map_err(|e| e.message())?;
        let path = one.path.to_string_lossy();
        read(Member { path: &path, payload: 1, ordinal, size: one.size, content: &mut file }).map_err(refusal)?;
    }
    Ok(())
}

/// What keeps a file from being read is of the disk: what is in it is never an error. No path: it can name a person.
fn refusal(error: ReadError) -> Message {
    PackageError::Io(std::io::Error::other(match error {
        ReadError::Input { source, .. } => source.kind().to_string(),
        _ => "a file could not be read".to_owned(),
    }))
    .message()
}

fn note(known: &mut Known<String>, chunk: &Chunk) -> Result<(), ReadError> {
    let of = |n: i64| usize::try_from(n).ok().and_then(|n| chunk.patients.get(n)).map(|p| p.local_id.clone());
    let tables = chunk.tables.iter().map(|(table, batch)| (*table, batch));
    chunk.patients.iter().for_each(|patient| known.also(patient.local_id.clone(), &patient.also));
    Ok(known.note(tables, of)?)
}

/// The same for an SS-MIX2 storage, whose files say by their place whose they are: those of the people of the list are read, and of everybody where
/// the list names somebody by a card.
///
/// # Errors
/// As of reading the files.
pub fn in_storage(root: &Path, list: &[OptOut]) -> Result<Vec<OptOut>, Message> {
    let rule = PatientIdRule::Digits;
    let said: HashSet<CanonicalPatientId> = list.iter().filter_map(|line| rule.canonical(&line.patient).ok()).collect();
    let by_card = list.iter().any(|line| PatientIdRule::Insured.canonical(&line.patient).is_ok());
    let mut known = Known::default();
    for one in Walk::new(root).map_err(|e| e.message())? {
        let one = one.map_err(|e| e.message())?;
        let who = one.path.iter().any(|part| part == WHO) && one.size <= LARGEST;
        if who && (by_card || named_by(&one.path).iter().any(|id| said.contains(id))) {
            let mut bytes = Vec::new();
            let mut file = one.open().map_err(|e| e.message())?;
            std::io::Read::read_to_end(&mut file, &mut bytes).map_err(|e| PackageError::from(e).message())?;
            for chunk in read_one(&one.path.to_string_lossy(), &bytes) {
                note(&mut known, &chunk).map_err(refusal)?;
            }
        }
    }
    Ok(Said { list, rule }.other_ids(&known))
}
