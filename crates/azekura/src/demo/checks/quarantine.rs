use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array as _, AsArray as _};
use lake::Blocked;
use ledger::PackageState;
use messages::Message;
use omop::Table;
use terms::PackageId;

use super::{Promise, Verdict};
use crate::demo::below;
use crate::demo::truth::Key;
use crate::demo::world::{Flaw, World};
use crate::failure::Failure;

/// The spoilt package and the one sealed to somebody else are quarantined, each for its own reason, and nothing of them is
/// anywhere in the lake.
pub struct Quarantined;

impl Promise for Quarantined {
    fn name(&self) -> &'static str {
        "unfit-packages-stay-out"
    }

    fn title(&self) -> &'static str {
        "demo-promise-unfit-packages-stay-out"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        let names: Vec<&str> = world.unfit.iter().map(|u| u.name.as_str()).collect();
        verdict(world, &names, &patients(world))
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        // A package that came in, taken for the spoilt one.
        let names: Vec<&str> = world.received.iter().filter(|r| r.accepted()).map(|r| r.directory.as_str()).take(1).collect();
        verdict(world, &names, &patients(world))
    }
}

/// Patients of the unfit packages, and of no other, as patients of those who sent them.
fn patients(world: &World) -> Vec<Key> {
    let all = world.unfit.iter().flat_map(|u| world.later.patients.iter().map(|p| (u.provider.clone(), p.canonical.clone())));
    all.filter(|key| world.truth.patient(key).is_none()).collect()
}

fn verdict(world: &World, names: &[&str], patients: &[Key]) -> Result<Verdict, Failure> {
    let instance = &world.instance;
    let packages = world.wait(async {
        instance.ledger.read().await.map_err(below)?.packages(&[PackageState::Quarantined]).await.map_err(below)
    })?;
    let quarantined: BTreeMap<PackageId, Option<String>> = packages.into_iter().map(|p| (p.id, p.reason)).collect();
    let mut reasons = Vec::new();
    let mut ids: HashSet<[u8; 16]> = HashSet::new();
    for name in names {
        let Some(received) = world.received.iter().find(|r| r.directory == *name) else { continue };
        let Some(id) = received.package else { continue };
        ids.insert(*id.as_bytes());
        // What was said at the door is what the ledger keeps.
        if let Some(Some(reason)) = quarantined.get(&id)
            && received.reason == Some(reason.as_str())
        {
            reasons.push((*name, reason.clone()));
        }
    }
    let mut rows = 0;
    let snapshot = world.wait(instance.lake.snapshot(&instance.ledger, None)).map_err(below)?;
    for table in [Table::SourceFile, Table::Identity] {
        for batch in snapshot.scan(table, Blocked::Include).map_err(below)? {
            let batch = batch.map_err(below)?;
            let Some(assets) = batch.column_by_name("asset_id").and_then(|c| c.as_fixed_size_binary_opt()) else { continue };
            rows += (0..assets.len()).filter(|row| ids.iter().any(|id| id == assets.value(*row))).count();
        }
    }
    let records = world.records(patients)?.len();
    let expected = |flaw: Flaw| {
        let name = world.unfit.iter().find(|u| u.flaw == flaw).map(|u| u.name.as_str());
        reasons.iter().find(|(n, _)| Some(*n) == name).map(|(_, r)| r.as_str()).unwrap_or("-").to_owned()
    };
    let (spoilt, foreign) = (expected(Flaw::Spoilt), expected(Flaw::Foreign));
    let message = Message::new("demo-found-quarantine")
        .with("spoilt", &spoilt)
        .with("foreign", &foreign)
        .with("rows", rows)
        .with("patients", patients.len())
        .with("records", records);
    let kept = reasons.len() == world.unfit.len() && spoilt != foreign && rows == 0 && records == 0 && !patients.is_empty();
    Ok(if kept { Verdict::Kept(message) } else { Verdict::Broken(message) })
}
