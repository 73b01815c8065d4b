use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
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
        // One person's birth year is made one of a kind.
        let opened = &world.set(ReleaseKind::Anonymized)?.opened;
        let copy = world.place.copy("classes")?;
        crate::demo::place::copy_tree(&opened.join("csv"), &copy)?;
        let path = copy.join("person.csv");
        let mut reader = csv::Reader::from_path(&path).context("a copy")?;
        let head = reader.headers().context("a copy")?.clone();
        let year = head.iter().position(|h| h == "year_of_birth").context("persons without birth years")?;
        let mut rows: Vec<Vec<String>> =
            reader.records().filter_map(Result::ok).map(|r| r.iter().map(str::to_owned).collect()).collect();
        if let Some(cell) = rows.first_mut().and_then(|r| r.get_mut(year)) {
            "1871".clone_into(cell);
        }
        // A delivered file is read-only.
        fs::remove_file(&path)?;
        let mut writer = csv::Writer::from_path(&path).context("a copy")?;
        writer.write_record(&head).context("a copy")?;
        for row in rows {
            writer.write_record(&row).context("a copy")?;
        }
        writer.flush()?;
        let verdict = verdict(world, &copy, &opened.join("profile.toml"))?;
        fs::remove_dir_all(&copy)?;
        Ok(verdict)
    }
}

/// The smallest class of persons who are alike in the profile's quasi-identifiers.
fn smallest_class(tables: &BTreeMap<String, Table>, quasi: &[String]) -> usize {
    let mut keys: HashMap<&str, BTreeSet<String>> = HashMap::new();
    for table in tables.values() {
        for row in &table.rows {
            keys.entry(table.cell(row, "person_id")).or_default();
        }
    }
    for name in quasi {
        let Some((table, column)) = name.split_once('.') else { continue };
        let Some(table) = tables.get(table) else { continue };
        for row in &table.rows {
            let key = keys.entry(table.cell(row, "person_id")).or_default();
            key.insert(format!("{name}={}", table.cell(row, column)));
        }
    }
    let mut sizes: HashMap<&BTreeSet<String>, usize> = HashMap::new();
    for key in keys.values() {
        *sizes.entry(key).or_default() += 1;
    }
    sizes.values().copied().min().unwrap_or(0)
}

struct Table {
    head: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    fn cell<'a>(&self, row: &'a csv::StringRecord, column: &str) -> &'a str {
        self.head.iter().position(|h| h == column).and_then(|i| row.get(i)).unwrap_or_default()
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

    let mut tables = BTreeMap::new();
    for entry in fs::read_dir(csvs)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut reader = csv::Reader::from_path(&path).context("a delivered table")?;
        let head = reader.headers().context("a delivered table")?.iter().map(str::to_owned).collect();
        let rows = reader.records().collect::<Result<_, _>>().context("a delivered table")?;
        tables.insert(name, Table { head, rows });
    }
    let postal: HashSet<&str> = world.truth.patients.iter().map(|p| p.postal.as_str()).filter(|p| !p.is_empty()).collect();
    let (mut cells, mut times, mut local, mut places) = (0u64, 0u64, 0u64, 0u64);
    for table in tables.values() {
        let of_time: Vec<bool> = table.head.iter().map(|h| h.ends_with("_datetime") || h.ends_with("_time")).collect();
        let of_place: Vec<bool> = table.head.iter().map(|h| PLACES.contains(&h.as_str())).collect();
        for row in &table.rows {
            for (i, cell) in row.iter().enumerate().filter(|(_, c)| !c.is_empty()) {
                cells += 1;
                times += u64::from(of_time.get(i) == Some(&true) || has_time(cell));
                local += u64::from(is_local(cell));
                places += u64::from(of_place.get(i) == Some(&true) || postal.contains(cell));
            }
        }
    }
    let smallest = smallest_class(&tables, &quasi);
    let message = Message::new("demo-found-classes")
        .with("smallest", smallest)
        .with("k", k)
        .with("cells", cells)
        .with("times", times)
        .with("local", local)
        .with("places", places);
    let kept = smallest >= k && times + local + places == 0 && cells > 0;
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
