//! People who say no after their data came in: plainly, with erasure, with erasure everywhere, and one who thinks better
//! of it.

use std::collections::{BTreeSet, HashMap, HashSet};

use messages::Message;
use pipeline::Instance;
use pipeline::opt_out::{self, Request};
use terms::{NoticeScope, ProviderId, RecordId, Requester};

use super::below;
use super::truth::{Key, Patient, Stop, Truth};
use super::voice::Voice;
use super::world::records;
use crate::failure::Failure;

/// How many say no later, of each kind. Each erasure writes the files that hold the record anew.
const PLAIN: usize = 5;
const ERASE: usize = 2;
const EVERYWHERE: usize = 1;

/// What makes it hard to see that two records are one person.
const HARD: [&str; 9] = [
    "twin",
    "foreign",
    "newborn",
    "still_baby",
    "former_name",
    "stale_name",
    "variant_kanji",
    "unwritable_kanji",
    "kana_differs",
];

/// Has people say no. Gives everybody who ever did, and the records that were erased.
///
/// # Errors
/// When a request is refused that should not be.
pub async fn later(instance: &Instance, truth: &Truth, voice: &Voice<'_>) -> Result<(Vec<Stop>, BTreeSet<RecordId>), Failure> {
    let mut stops: Vec<Stop> = truth.stops.iter().filter(|s| s.before).cloned().collect();
    let chosen = choose(truth);
    let keys: Vec<Key> = chosen.iter().map(Stop::key).collect();
    let known = records(instance, &keys).await?;
    let bar = voice.bar(chosen.len() as u64, Message::new("demo-bar-opt-outs"));
    let (mut blocked, mut erased, mut files) = (0, BTreeSet::new(), 0);
    for mut stop in chosen {
        let request = request(&stop);
        let before = alive(instance).await?;
        let done = opt_out::stop(instance, &request, &|_| ()).await?;
        blocked += done.blocked_records;
        files += done.rewritten_files;
        if stop.erase {
            let named = known.get(&stop.key()).copied();
            let after = alive(instance).await?;
            erased.extend(named.into_iter().chain(before.difference(&after).copied()));
        }
        if stop.withdrawn {
            opt_out::withdraw(instance, &request).await?;
        }
        stop.before = false;
        stops.push(stop);
        bar.inc(1);
    }
    bar.finish_and_clear();
    voice.say(
        &Message::new("demo-stopped")
            .with("before", stops.iter().filter(|s| s.before).count())
            .with("after", stops.iter().filter(|s| !s.before).count())
            .with("withdrawn", stops.iter().filter(|s| s.withdrawn).count())
            .with("blocked", blocked)
            .with("erased", erased.len())
            .with("files", files),
    );
    Ok((stops, erased))
}

/// The records that have an identity in the lake. What an erasure everywhere reached is seen by who is missing.
async fn alive(instance: &Instance) -> Result<BTreeSet<RecordId>, Failure> {
    let snapshot = instance.lake.snapshot(&instance.ledger, None).await.map_err(below)?;
    let map = snapshot.person_map().map(|map| map.iter().map(|(record, _)| record).collect());
    Ok(map.unwrap_or_default())
}

fn request(stop: &Stop) -> Request {
    Request {
        provider: stop.provider.clone(),
        patient: stop.written.clone(),
        requester: stop.requester,
        relation: (stop.requester != Requester::Person).then(|| "family".to_owned()),
        scopes: stop.scopes.iter().copied().collect(),
        erase: stop.erase,
        everywhere: stop.everywhere,
    }
}

/// Who says no later: those of the truth file, and others until there are enough of each kind.
fn choose(truth: &Truth) -> Vec<Stop> {
    let before: HashSet<Key> = truth.stops.iter().filter(|s| s.before).map(Stop::key).collect();
    let held = |p: &Patient| {
        p.notified && !p.is("set_aside") && !p.is("second_id") && !before.contains(&(p.provider.clone(), p.canonical.clone()))
    };
    let mut of_person: HashMap<u64, Vec<&Patient>> = HashMap::new();
    for patient in truth.patients.iter().filter(|p| held(p)) {
        of_person.entry(patient.person).or_default().push(patient);
    }
    let mut used: HashSet<u64> = HashSet::new();
    let mut chosen: Vec<Stop> = Vec::new();
    let kinds = [(PLAIN, false, false), (ERASE, true, false), (EVERYWHERE, true, true)];
    for (enough, erase, everywhere) in kinds {
        let from_truth = truth.stops.iter().filter(|s| !s.before && (s.erase, s.everywhere) == (erase, everywhere));
        for stop in from_truth {
            let patient = truth.patient(&stop.key()).filter(|p| held(p));
            if count(&chosen, erase, everywhere) < enough && patient.is_some_and(|p| used.insert(p.person)) {
                // Who has everything erased stops everything, whatever else the statement says.
                let scopes = if erase { NoticeScope::ALL.iter().copied().collect() } else { stop.scopes.clone() };
                chosen.push(Stop { scopes, ..stop.clone() });
            }
        }
    }
    // Others: whoever says no everywhere is known to two hospitals, so that "everywhere" means something.
    let several = |p: &&Patient| {
        let all = of_person.get(&p.person).map_or(&[][..], Vec::as_slice);
        let places: HashSet<&ProviderId> = all.iter().map(|p| &p.provider).collect();
        places.len() > 1 && all.iter().all(|p| HARD.iter().all(|flag| !p.is(flag)))
    };
    let single = |p: &&Patient| of_person.get(&p.person).is_some_and(|all| all.len() == 1);
    let candidates: Vec<&Patient> = truth.patients.iter().filter(|p| held(p)).collect();
    for (enough, erase, everywhere) in kinds {
        let fits = |p: &&&Patient| if everywhere { several(p) } else { single(p) };
        for patient in candidates.iter().filter(fits) {
            // At least one everywhere is known to be at two places.
            let missing = count(&chosen, erase, everywhere) < enough + usize::from(everywhere);
            if missing && used.insert(patient.person) {
                chosen.push(stop(patient, erase, everywhere, false));
            }
        }
    }
    if let Some(patient) = candidates.iter().find(|p| single(p) && !used.contains(&p.person)) {
        chosen.push(stop(patient, false, false, true));
    }
    chosen
}

fn count(chosen: &[Stop], erase: bool, everywhere: bool) -> usize {
    chosen.iter().filter(|s| (s.erase, s.everywhere) == (erase, everywhere)).count()
}

fn stop(patient: &Patient, erase: bool, everywhere: bool, withdrawn: bool) -> Stop {
    Stop {
        provider: patient.provider.clone(),
        // As somebody writes it who leaves the zeros out.
        written: patient.canonical.clone(),
        canonical: patient.canonical.clone(),
        requester: Requester::Person,
        scopes: NoticeScope::ALL.iter().copied().collect(),
        before: false,
        erase,
        everywhere,
        withdrawn,
    }
}
