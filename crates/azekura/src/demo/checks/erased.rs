use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;

use lake::{Blocked, LakeTable};
use ledger::PartyKind;
use messages::Message;
use omop::Table;
use package::tree::{Limits, Member, walk_tar};
use package::{PackageError, SealedManifest, payload_reader};
use seal::Certificate;
use terms::{ProviderId, RecordId};

use super::{Promise, Verdict};
use crate::demo::below;
use crate::demo::truth::{Key, canonical};
use crate::demo::world::World;
use crate::failure::Failure;

/// Of who was erased no row is left in any table, not even in those that nobody sees, and no package that is kept still
/// holds them.
pub struct Erased;

impl Promise for Erased {
    fn name(&self) -> &'static str {
        "erased-is-gone"
    }

    fn title(&self) -> &'static str {
        "demo-promise-erased-is-gone"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        let named: BTreeSet<Key> = world.stops.iter().filter(|s| s.erase && !s.before).map(|s| s.key()).collect();
        verdict(world, &world.erased, named)
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        // Somebody who said no without erasure, taken for erased.
        let plain: BTreeSet<Key> = world.stops.iter().filter(|s| !s.erase && !s.before).map(|s| s.key()).collect();
        let keys: Vec<Key> = plain.iter().cloned().collect();
        let records = world.records(&keys)?.into_values().take(1).collect();
        verdict(world, &records, BTreeSet::new())
    }
}

fn verdict(world: &World, records: &BTreeSet<RecordId>, named: BTreeSet<Key>) -> Result<Verdict, Failure> {
    let instance = &world.instance;
    let snapshot = world.wait(instance.lake.snapshot(&instance.ledger, None)).map_err(below)?;
    let wanted: Vec<RecordId> = records.iter().copied().collect();
    let mut rows = 0;
    for table in Table::ALL {
        let found = snapshot.records(*table, &wanted, Blocked::Include).map_err(below)?;
        rows += found.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>();
    }
    let map = snapshot.person_map().map_or(0, |map| wanted.iter().filter(|r| map.person(**r).is_some()).count());
    let tables = LakeTable::all().count();
    // Everywhere reaches people at hospitals that the request does not name: the truth knows under which ids.
    let hidden = people(world, records)?;
    let gone: BTreeSet<Key> = named.into_iter().chain(hidden).collect();
    let kept = kept_packages(world)?;
    let still = kept.iter().filter(|(provider, id)| gone.contains(&((*provider).clone(), (*id).clone()))).count();
    let message = Message::new("demo-found-erased")
        .with("records", records.len())
        .with("tables", tables)
        .with("rows", rows + map)
        .with("kept", kept.len())
        .with("still", still);
    let good = rows + map + still == 0 && !records.is_empty();
    Ok(if good { Verdict::Kept(message) } else { Verdict::Broken(message) })
}

/// The patients whose records these are.
fn people(world: &World, records: &BTreeSet<RecordId>) -> Result<Vec<Key>, Failure> {
    let keys: Vec<Key> = world.truth.patients.iter().map(|p| (p.provider.clone(), p.canonical.clone())).collect();
    Ok(world.records(&keys)?.into_iter().filter(|(_, record)| records.contains(record)).map(|(key, _)| key).collect())
}

/// Whose files stand in the packages that the instance still has, in its inbox or in keeping. One that does not open
/// with the instance's keys is read as far as it goes.
fn kept_packages(world: &World) -> Result<BTreeSet<Key>, Failure> {
    let instance = &world.instance;
    let identities = instance.keyring.intake_identities().map_err(below)?;
    let providers =
        world.wait(async { instance.ledger.read().await.map_err(below)?.parties(PartyKind::Provider).await.map_err(below) })?;
    let certificates: BTreeMap<String, Vec<u8>> = providers.into_iter().map(|p| (p.id, p.certificate)).collect();
    let mut people = BTreeSet::new();
    for place in [instance.inbox(), instance.packages()] {
        for entry in fs::read_dir(&place)? {
            let dir = entry?.path();
            let Ok(sealed) = SealedManifest::open(&dir, &identities) else { continue };
            let Ok(provider) = sealed.claimed_sender().parse::<ProviderId>() else { continue };
            let Some(certificate) = certificates.get(provider.as_str()) else { continue };
            let Ok(opened) = sealed.verify(&Certificate::from_der(certificate).map_err(below)?) else { continue };
            let Some(identity) = identities.get(opened.key) else { continue };
            for payload in &opened.manifest.payloads {
                let Ok(mut reader) = payload_reader(&dir, payload, identity) else { continue };
                let _: Result<_, PackageError> = walk_tar(&mut reader, &Limits::default(), &mut |member: Member<'_>| {
                    std::io::copy(&mut member.content.take(u64::MAX), &mut std::io::sink())?;
                    let id =
                        Path::new(member.path).components().rev().nth(3).map(|c| c.as_os_str().to_string_lossy().into_owned());
                    people.extend(id.and_then(|id| canonical(&id)).map(|id| (provider.clone(), id)));
                    Ok(())
                });
            }
        }
    }
    Ok(people)
}
