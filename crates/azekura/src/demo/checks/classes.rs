use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use messages::Message;
use terms::ReleaseKind;

use super::{Promise, Verdict};
use crate::demo::world::World;
use crate::failure::Failure;

/// In the anonymized data set everybody is like k - 1 others, and nothing tells the time of day, the hospital or the place.
///
/// Counted from the files that the recipient has, as naively as possible, with the profile that lies beside them.
pub struct Classes;

/// Columns that name a place of care, a doctor, a department or an address.
const PLACES: [&str; 8] = [
    "care_site_id",
    "provider_id",
    "location_id",
    "visit_source_value",
    "visit_detail_source_value",
    "person_source_value",
    "zip",
    "address_1",
];

impl Promise for Classes {
    fn name(&self) -> &'static str {
        "k-holds"
    }

    fn title(&self) -> &'static str {
        "demo-promise-k-holds"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        let opened = &world.set(ReleaseKind::Anonymized)?.opened;
        verdict(world, &opened.join("csv"), &opened.join("profile.toml"))
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        // One person's birth year is made one of a kind, in a copy of that table alone.
        let opened = &world.set(ReleaseKind::Anonymized)?.opened;
        let copy = world.place.copy("classes")?;
        let mut reader = csv::Reader::from_path(opened.join("csv").join("person.csv")).context("a delivered table")?;
        let head = reader.headers().context("a delivered table")?.clone();
        let year = head.iter().position(|h| h == "year_of_birth").context("persons without birth years")?;
        let mut writer = csv::Writer::from_path(copy.join("person.csv")).context("a copy")?;
        writer.write_record(&head).context("a copy")?;
        for (at, row) in reader.records().enumerate() {
            let row = row.context("a delivered table")?;
            let cells = row.iter().enumerate().map(|(i, cell)| if at == 0 && i == year { "1871" } else { cell });
            writer.write_record(cells).context("a copy")?;
        }
        writer.flush()?;
        let verdict = verdict(world, &copy, &opened.join("profile.toml"))?;
        fs::remove_dir_all(&copy)?;
        Ok(verdict)
    }
}

/// What is counted while the tables go by.
#[derive(Default)]
struct Count {
    /// What each person is in the quasi-identifiers.
    keys: HashMap<Box<[u8]>, BTreeSet<String>>,
    cells: u64,
    times: u64,
    local: u64,
    places: u64,
}

impl Count {
    fn table(&mut self, path: &Path, quasi: &[String], postal: &HashSet<&str>) -> Result<(), Failure> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut reader = csv::Reader::from_path(path).context("a delivered table")?;
        let head: Vec<String> = reader.headers().context("a delivered table")?.iter().map(str::to_owned).collect();
        let of_time: Vec<bool> = head.iter().map(|h| h.ends_with("_datetime") || h.ends_with("_time")).collect();
        let of_place: Vec<bool> = head.iter().map(|h| PLACES.contains(&h.as_str())).collect();
        let person = head.iter().position(|h| h == "person_id").context("a table without persons")?;
        let quasi: Vec<(usize, &String)> = quasi
            .iter()
            .filter_map(|q| Some((q, q.strip_prefix(&name)?.strip_prefix('.')?)))
            .filter_map(|(q, column)| Some((head.iter().position(|h| h == column)?, q)))
            .collect();
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).context("a delivered table")? {
            let whose = row.get(person).unwrap_or_default().as_bytes();
            if !self.keys.contains_key(whose) {
                self.keys.insert(whose.into(), BTreeSet::new());
            }
            if let Some(key) = self.keys.get_mut(whose) {
                key.extend(quasi.iter().map(|(i, name)| format!("{name}={}", row.get(*i).unwrap_or_default())));
            }
            for (i, cell) in row.iter().enumerate().filter(|(_, c)| !c.is_empty()) {
                self.cells += 1;
                // Only a cell with a colon can be a time or have a system, only one with a hyphen a postal code.
                let colon = cell.contains(':');
                self.times += u64::from(of_time[i] || colon && has_time(cell));
                self.local += u64::from(colon && is_local(cell));
                self.places += u64::from(of_place[i] || cell.len() == 8 && postal.contains(cell));
            }
        }
        Ok(())
    }

    /// The smallest class of persons who are alike.
    fn smallest_class(&self) -> usize {
        let mut sizes: HashMap<&BTreeSet<String>, usize> = HashMap::new();
        for key in self.keys.values() {
            *sizes.entry(key).or_default() += 1;
        }
        sizes.values().copied().min().unwrap_or(0)
    }
}

fn verdict(world: &World, csvs: &Path, profile: &Path) -> Result<Verdict, Failure> {
    let profile: toml::Table = fs::read_to_string(profile)?.parse().context("the profile")?;
    let privacy = profile.get("privacy").context("a profile without privacy")?;
    let k = privacy
        .get("k")
        .and_then(toml::Value::as_integer)
        .and_then(|k| usize::try_from(k).ok())
        .context("a profile without k")?;
    let quasi =
        privacy.get("quasi_identifiers").and_then(toml::Value::as_array).context("a profile without quasi-identifiers")?;
    let quasi: Vec<String> = quasi.iter().filter_map(|q| q.as_str().map(str::to_owned)).collect();
    let postal: HashSet<&str> = world.truth.patients.iter().map(|p| p.postal.as_str()).filter(|p| !p.is_empty()).collect();
    let mut count = Count::default();
    for entry in fs::read_dir(csvs)? {
        count.table(&entry?.path(), &quasi, &postal)?;
    }
    let smallest = count.smallest_class();
    let message = Message::new("demo-found-classes")
        .with("smallest", smallest)
        .with("k", k)
        .with("cells", count.cells)
        .with("times", count.times)
        .with("local", count.local)
        .with("places", count.places);
    let kept = smallest >= k && count.times + count.local + count.places == 0 && count.cells > 0;
    Ok(if kept { Verdict::Kept(message) } else { Verdict::Broken(message) })
}

/// `2025-02-10T11:42…` or `11:42:58`, not the digits around the colon of a code.
fn has_time(cell: &str) -> bool {
    cell.match_indices(':').any(|(colon, _)| {
        let two = |text: Option<&str>| text.and_then(|t| t.parse::<u8>().ok().filter(|_| t.bytes().all(|b| b.is_ascii_digit())));
        let hour = two(cell.get(colon.wrapping_sub(2)..colon));
        let minute = two(cell.get(colon + 1..colon + 3));
        let before = colon.checked_sub(3).and_then(|at| cell.as_bytes().get(at));
        let after = cell.as_bytes().get(colon + 3);
        hour.is_some_and(|h| h < 24)
            && minute.is_some_and(|m| m < 60)
            && before.is_none_or(|b| *b == b'T' || !b.is_ascii_alphanumeric())
            && after.is_none_or(|b| !b.is_ascii_alphanumeric())
    })
}

/// A code of a table that only this hospital has: its system begins with 99, or is `L`.
fn is_local(cell: &str) -> bool {
    let of = |part: &str| part.split_once(':').is_some_and(|(system, _)| system == "L" || system.starts_with("99"));
    cell.split('+').any(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_local_codes_are_seen() {
        assert!(has_time("2025-02-10T11:42:58") && has_time("09:30"));
        for none in ["2025-02-10", "MDCDX2:20054174", "JJ1017:10000002000102000000", "17:1000", "99:99", ":", "1:2"] {
            assert!(!has_time(none), "{none}");
        }
        assert!(is_local("99XY1:0001") && is_local("L:77") && is_local("MDCDX2:20054174+99ZZ:1"));
        assert!(!is_local("LN:29463-7") && !is_local("9N001000000000001"));
    }
}
