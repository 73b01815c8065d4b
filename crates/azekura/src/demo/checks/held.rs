use std::collections::BTreeSet;

use anyhow::Context as _;
use lake::Blocked;
use ledger::PackageState;
use messages::Message;
use omop::Table;
use terms::ProviderId;

use super::{Promise, Verdict};
use crate::demo::below;
use crate::demo::others::CARELESS_PATIENTS;
use crate::demo::world::World;
use crate::failure::Failure;

/// A package of which too much is wrong is not taken in, and its hospital knows by its own ids what is wrong.
pub struct HeldBack;

impl Promise for HeldBack {
    fn name(&self) -> &'static str {
        "what-is-wrong-as-a-whole-waits"
    }

    fn title(&self) -> &'static str {
        "demo-promise-held"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        verdict(world, &world.held.provider)
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        // A hospital whose packages came in, taken for it.
        let other = world.of_others.first().context("a package of another kind")?;
        verdict(world, &other.provider)
    }
}

fn verdict(world: &World, provider: &ProviderId) -> Result<Verdict, Failure> {
    let instance = &world.instance;
    let package = world.wait(async {
        let mut reader = instance.ledger.read().await.map_err(below)?;
        reader.package(world.held.package).await.map_err(below)
    })?;
    let reason = package.filter(|p| p.state == PackageState::Quarantined).and_then(|p| p.reason).unwrap_or_default();
    let snapshot = world.wait(instance.lake.snapshot(&instance.ledger, None)).map_err(below)?;
    let mut rows = 0;
    for table in [Table::Identity, Table::Measurement] {
        for batch in snapshot.scan_of(table, Blocked::Include, provider).map_err(below)? {
            rows += batch.map_err(below)?.num_rows();
        }
    }
    let mut told = BTreeSet::new();
    let mut reader = csv::Reader::from_path(world.held.opened.join("rows.csv")).context("the hospital's rows")?;
    for row in reader.records() {
        let row = row.context("the hospital's rows")?;
        if row.get(0).is_some_and(|check| check.ends_with("plausibleAfterBirth")) {
            told.extend(row.get(1).map(str::to_owned));
        }
    }
    let message = Message::new("demo-found-held").with("reason", &reason).with("rows", rows).with("told", told.len());
    let kept = reason == "quality-rejected" && rows == 0 && told.len() as u64 == CARELESS_PATIENTS;
    Ok(if kept { Verdict::Kept(message) } else { Verdict::Broken(message) })
}
