use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use lake::{Blocked, LakeTable};
use ledger::PartyKind;
use messages::Message;
use omop::Table;
use package::tree::{Limits, Member, walk_tar};
use package::{PackageError, SealedManifest, payload_reader};
use seal::{Certificate, Identity};
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
    let packages = Packages::of(world)?;
    let kept = packages.kept()?;
    let still = kept.intersection(&gone).count();
    let at_home = packages.at_home(&gone)?;
    let message = Message::new("demo-found-erased")
        .with("records", records.len())
        .with("tables", tables)
        .with("rows", rows + map)
        .with("kept", kept.len())
        .with("still", still)
        .with("home", if at_home { "✓" } else { "–" });
    let good = rows + map + still == 0 && at_home && !records.is_empty();
    Ok(if good { Verdict::Kept(message) } else { Verdict::Broken(message) })
}

/// The patients whose records these are.
fn people(world: &World, records: &BTreeSet<RecordId>) -> Result<Vec<Key>, Failure> {
    let keys: Vec<Key> = world.truth.patients.iter().map(|p| (p.provider.clone(), p.canonical.clone())).collect();
    Ok(world.records(&keys)?.into_iter().filter(|(_, record)| records.contains(record)).map(|(key, _)| key).collect())
}

/// Whose files stand in packages that the instance's keys open, up to a place where somebody is found.
struct Packages<'a> {
    identities: Vec<Identity>,
    certificates: BTreeMap<String, Vec<u8>>,
    world: &'a World,
}

impl<'a> Packages<'a> {
    fn of(world: &'a World) -> Result<Packages<'a>, Failure> {
        let instance = &world.instance;
        let identities = instance.keyring.intake_identities().map_err(below)?;
        let providers = world
            .wait(async { instance.ledger.read().await.map_err(below)?.parties(PartyKind::Provider).await.map_err(below) })?;
        Ok(Packages { identities, certificates: providers.into_iter().map(|p| (p.id, p.certificate)).collect(), world })
    }

    /// Everybody in the packages that the instance still has, in its inbox or in keeping.
    fn kept(&self) -> Result<BTreeSet<Key>, Failure> {
        let mut people = BTreeSet::new();
        for place in [self.world.instance.inbox(), self.world.instance.packages()] {
            for entry in fs::read_dir(&place)? {
                self.read(&entry?.path(), &mut |key| {
                    people.insert(key);
                    false
                })?;
            }
        }
        Ok(people)
    }

    /// Whether the same reading finds one of them in the package as the hospital still has it.
    fn at_home(&self, gone: &BTreeSet<Key>) -> Result<bool, Failure> {
        let mut found = false;
        for sent in &self.world.sent {
            if !found && gone.iter().any(|(provider, _)| *provider == sent.provider) {
                let path = Path::new(sent.said.value.get("package").and_then(|p| p.as_str()).unwrap_or_default());
                self.read(path, &mut |key| {
                    found |= gone.contains(&key);
                    found
                })?;
            }
        }
        Ok(found)
    }

    /// Tells whose files stand in a package until it is told to stop. One that does not open is read as far as it goes.
    fn read(&self, dir: &Path, tell: &mut dyn FnMut(Key) -> bool) -> Result<(), Failure> {
        let Ok(sealed) = SealedManifest::open(dir, &self.identities) else { return Ok(()) };
        let Ok(provider) = sealed.claimed_sender().parse::<ProviderId>() else { return Ok(()) };
        let Some(certificate) = self.certificates.get(provider.as_str()) else { return Ok(()) };
        let Ok(opened) = sealed.verify(&Certificate::from_der(certificate).map_err(below)?) else { return Ok(()) };
        let Some(identity) = self.identities.get(opened.key) else { return Ok(()) };
        for payload in &opened.manifest.payloads {
            let Ok(mut reader) = payload_reader(dir, payload, identity) else { continue };
            let mut last = None;
            let _: Result<_, PackageError> = walk_tar(&mut reader, &Limits::default(), &mut |member: Member<'_>| {
                // storage/abc/def/<id>/<day>/<type>/<file>
                let id = Path::new(member.path).components().rev().nth(3).map(|c| c.as_os_str().to_string_lossy().into_owned());
                if id != last {
                    if let Some(canonical) = id.as_deref().and_then(canonical)
                        && tell((provider.clone(), canonical))
                    {
                        return Err(PackageError::Empty);
                    }
                    last = id;
                }
                Ok(())
            });
        }
        Ok(())
    }
}
