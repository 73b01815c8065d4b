use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Context as _;
use jiff::civil::Date;
use messages::Message;
use seal::sealed_file::SealedReader;
use terms::{AssetId, ReleaseKind};

use super::{Promise, Verdict};
use crate::demo::below;
use crate::demo::truth::{Key, Patient};
use crate::demo::world::{DataSet, World};
use crate::failure::Failure;

/// Nobody who said no is in a delivered data set, and nobody who was not told.
///
/// Two ways to look. From outside, as somebody would who knows a hospital's storage: birth date, sex and the days of the
/// visits against the delivered tables. From inside: the sealed list of the records of each data set.
pub struct NobodyWhoStopped;

/// Data types that make a visit on the day of their directory: reception, admission.
const VISITS: [&str; 2] = ["ADT-12", "ADT-22"];
/// Share of people who said nothing that has to be found, else looking proves nothing.
const LEAST_FOUND: f64 = 0.95;
/// People who said nothing that are looked for.
const MOST_LOOKED_FOR: usize = 2_000;

impl Promise for NobodyWhoStopped {
    fn name(&self) -> &'static str {
        "nobody-who-stopped"
    }

    fn title(&self) -> &'static str {
        "demo-promise-nobody-who-stopped"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        let delivered = Delivered::read(world.set(ReleaseKind::Pseudonymized)?)?;
        let out = stopped(world, ReleaseKind::Pseudonymized);
        let kept_out: Vec<&Patient> = world.truth.patients.iter().filter(|p| out.contains(&key(p)) || !p.notified).collect();
        verdict(world, &delivered, &kept_out, &explained(world, &kept_out))
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        let delivered = Delivered::read(world.set(ReleaseKind::Pseudonymized)?)?;
        // Three people who are in it, taken for people who said no.
        let present: Vec<&Patient> =
            silent(world).into_iter().filter(|p| delivered.has(world, p, &Explained::new()) == Some(true)).take(3).collect();
        verdict(world, &delivered, &present, &Explained::new())
    }
}

fn verdict(world: &World, delivered: &Delivered, kept_out: &[&Patient], explained: &Explained) -> Result<Verdict, Failure> {
    let seen = kept_out.iter().filter(|p| delivered.has(world, p, explained) == Some(true)).count();
    let mut listed = 0;
    for set in &world.sets {
        let stopped = stopped(world, set.kind);
        let keys: Vec<Key> = kept_out.iter().map(|p| key(p)).filter(|k| stopped.contains(k) || seen > 0).collect();
        let inside = records_of(world, set)?;
        listed += world.records(&keys)?.values().filter(|r| inside.contains(&r.0)).count();
    }
    let silent = silent(world);
    let every = silent.len().div_ceil(MOST_LOOKED_FOR).max(1);
    let looked: Vec<bool> = silent.iter().step_by(every).filter_map(|p| delivered.has(world, p, &Explained::new())).collect();
    let found = looked.iter().filter(|f| **f).count();
    let message = Message::new("demo-found-absent")
        .with("stopped", kept_out.len())
        .with("seen", seen)
        .with("listed", listed)
        .with("found", found)
        .with("looked", looked.len());
    let sighted = !looked.is_empty() && found as f64 >= LEAST_FOUND * looked.len() as f64;
    Ok(if seen == 0 && listed == 0 && sighted && !kept_out.is_empty() {
        Verdict::Kept(message)
    } else {
        Verdict::Broken(message)
    })
}

fn key(patient: &Patient) -> Key {
    (patient.provider.clone(), patient.canonical.clone())
}

/// Who is kept out of a kind of data set. Whoever said no before the first package stays at home, whatever the scope.
fn stopped(world: &World, kind: ReleaseKind) -> HashSet<Key> {
    let scope = kind.needed_scope();
    let holds = world.stops.iter().filter(|s| !s.withdrawn && (s.before || s.scopes.contains(&scope) || s.erase));
    holds.map(|s| s.key()).collect()
}

/// People who said nothing at any hospital and were told: they are to be found.
fn silent(world: &World) -> Vec<&Patient> {
    let said: HashSet<Key> = world.stops.iter().filter(|s| !s.withdrawn).map(|s| s.key()).collect();
    let persons: HashSet<u64> =
        world.truth.patients.iter().filter(|p| said.contains(&key(p)) || p.is("set_aside")).map(|p| p.person).collect();
    world.truth.patients.iter().filter(|p| p.notified && !persons.contains(&p.person)).collect()
}

/// Days on which people may be seen who share birth date and sex with somebody who may not: the same person's other
/// records, and strangers.
type Explained = HashMap<(Date, i32), BTreeSet<Date>>;

fn explained(world: &World, kept_out: &[&Patient]) -> Explained {
    let out: HashSet<Key> = kept_out.iter().map(|p| key(p)).collect();
    let mut explained: Explained = kept_out.iter().map(|p| ((p.birth, p.gender), BTreeSet::new())).collect();
    for patient in world.truth.patients.iter().filter(|p| !out.contains(&key(p))) {
        if let Some(days) = explained.get_mut(&(patient.birth, patient.gender)) {
            days.extend(patient.days_with(&world.hospitals(), &VISITS));
        }
    }
    explained
}

/// Persons of a pseudonymized data set by what an outsider can know.
struct Delivered {
    by_birth: HashMap<(Date, i32), Vec<HashSet<Date>>>,
}

impl Delivered {
    fn read(set: &DataSet) -> Result<Delivered, Failure> {
        let mut days: HashMap<String, HashSet<Date>> = HashMap::new();
        for row in columns(set, "visit_occurrence", &["person_id", "visit_start_date"])? {
            let [person, day] = <[String; 2]>::try_from(row).unwrap_or_default();
            days.entry(person).or_default().insert(day.parse().context("a day of a visit")?);
        }
        let mut by_birth: HashMap<(Date, i32), Vec<HashSet<Date>>> = HashMap::new();
        let wanted = ["person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth"];
        for row in columns(set, "person", &wanted)? {
            let [person, gender, year, month, day] = <[String; 5]>::try_from(row).unwrap_or_default();
            let birth = (|| Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok())();
            let (Some(birth), Ok(gender)) = (birth, gender.parse()) else { continue };
            by_birth.entry((birth, gender)).or_default().push(days.remove(&person).unwrap_or_default());
        }
        Ok(Delivered { by_birth })
    }

    /// Whether a patient is in it: somebody of that birth date and sex is, with at least half of the patient's visits.
    /// `None` for who has no visit to be known by that is not explained otherwise.
    fn has(&self, world: &World, patient: &Patient, explained: &Explained) -> Option<bool> {
        let whose = (patient.birth, patient.gender);
        let mut days: BTreeSet<Date> = patient.days_with(&world.hospitals(), &VISITS);
        if let Some(explained) = explained.get(&whose) {
            days.retain(|day| !explained.contains(day));
        }
        if days.is_empty() {
            return None;
        }
        let same = |theirs: &HashSet<Date>| 2 * days.iter().filter(|d| theirs.contains(d)).count() >= days.len();
        Some(self.by_birth.get(&whose).is_some_and(|all| all.iter().any(same)))
    }
}

/// Cells of some columns of a delivered table.
pub(super) fn columns(set: &DataSet, table: &str, names: &[&str]) -> Result<Vec<Vec<String>>, Failure> {
    let mut reader = set.csv(table)?;
    let head = reader.headers().context("a delivered table")?.clone();
    let at = |name: &&str| head.iter().position(|h| h == *name).with_context(|| format!("{table} has no column {name}"));
    let places: Vec<usize> = names.iter().map(at).collect::<Result<_, _>>()?;
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.context("a delivered table")?;
        rows.push(places.iter().map(|i| row.get(*i).unwrap_or_default().to_owned()).collect());
    }
    Ok(rows)
}

/// The records of a data set, from the list that is kept sealed beside it.
fn records_of(world: &World, set: &DataSet) -> Result<HashSet<i64>, Failure> {
    let instance = &world.instance;
    let (asset, key, path) = world.wait(async {
        let mut reader = instance.ledger.read().await.map_err(below)?;
        let setting = reader.setting(&format!("dataset.{}.records", set.id)).await.map_err(below)?;
        let asset: AssetId = setting.context("a data set without its list of records")?.parse().context("the id of a list")?;
        let row = reader.asset(asset).await.map_err(below)?.context("a list without its asset")?;
        let key = reader.key(asset).await.map_err(below)?.context("a list without its key")?;
        Ok::<_, Failure>((asset, key, row.path))
    })?;
    let key = instance.keyring.open_data_key(asset, &key).map_err(below)?;
    let file = std::fs::File::open(instance.root.join(path))?;
    let reader = SealedReader::new(file, &key, asset.as_bytes()).map_err(below)?;
    let ids: Vec<i64> = serde_json::from_reader(std::io::BufReader::new(reader)).context("a list of records")?;
    Ok(ids.into_iter().collect())
}
