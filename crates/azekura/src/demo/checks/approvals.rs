use std::collections::{BTreeSet, HashMap};

use anyhow::Context as _;
use governance::application::Digest;
use governance::approval::{self, Digests};
use governance::review::{self, Decision};
use ledger::{Dataset, Party, PartyKind};
use messages::Message;
use seal::Certificate;

use super::{Promise, Verdict};
use crate::demo::below;
use crate::demo::hospitals::MEMBERS;
use crate::demo::world::World;
use crate::failure::Failure;

/// What was delivered carries the signatures of the committee over its profile, and of two officers who did not make it
/// over exactly the bytes; on one approval it stayed.
pub struct TwoOfficers;

impl Promise for TwoOfficers {
    fn name(&self) -> &'static str {
        "committee-and-two-officers"
    }

    fn title(&self) -> &'static str {
        "demo-promise-committee-and-two-officers"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        verdict(world, |row| row)
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        // The row says other bytes than those that were signed.
        verdict(world, |row| Dataset { data_sha256: row.report_sha256, ..row })
    }
}

fn verdict(world: &World, change: impl Fn(Dataset) -> Dataset) -> Result<Verdict, Failure> {
    let (mut officers, mut members, mut refused) = (usize::MAX, usize::MAX, 0);
    for set in &world.sets {
        let (row, reviews, approvals, parties) = world.wait(async {
            let mut reader = world.instance.ledger.read().await.map_err(below)?;
            let row = reader.dataset(set.id).await.map_err(below)?.context("a data set without a row")?;
            let reviews = reader.reviews(set.id).await.map_err(below)?;
            let approvals = reader.approvals(set.id).await.map_err(below)?;
            let mut parties = reader.parties(PartyKind::Officer).await.map_err(below)?;
            parties.extend(reader.parties(PartyKind::Member).await.map_err(below)?);
            Ok::<_, Failure>((row, reviews, approvals, parties))
        })?;
        let row = change(row);
        let profile = Digest(seal::hash::sha256(row.profile.as_bytes()));
        let (Some(data), Some(report)) = (row.data_sha256, row.report_sha256) else { continue };
        let digests = Digests { data: Digest(data), report: Digest(report), profile };
        let parties: HashMap<(PartyKind, &str), &Party> = parties.iter().map(|p| ((p.kind, p.id.as_str()), p)).collect();
        let signed = |kind: PartyKind, id: &str, signature: &[u8], content: &[u8]| {
            let certificate = parties.get(&(kind, id)).and_then(|p| Certificate::from_der(&p.certificate).ok());
            certificate.is_some_and(|c| seal::cms::verify(signature, &c).is_ok_and(|signed| signed == content))
        };
        let statement = approval::statement(set.id, set.kind, &digests);
        let by: BTreeSet<&str> = approvals
            .iter()
            .filter(|a| a.officer != row.maker && signed(PartyKind::Officer, &a.officer, &a.signature, &statement))
            .map(|a| a.officer.as_str())
            .collect();
        let statement = review::statement(set.id, profile, Decision::Approve);
        let said: BTreeSet<&str> = reviews
            .iter()
            .filter(|r| r.member != row.maker && signed(PartyKind::Member, &r.member, &r.signature, &statement))
            .map(|r| r.member.as_str())
            .collect();
        officers = officers.min(by.len());
        members = members.min(said.len());
        refused += usize::from(!set.refused_with_one.is_empty());
    }
    let message =
        Message::new("demo-found-approvals").with("officers", officers).with("members", members).with("refused", refused);
    let kept = officers >= 2 && members >= MEMBERS && refused == world.sets.len() && refused > 0;
    Ok(if kept && officers != usize::MAX { Verdict::Kept(message) } else { Verdict::Broken(message) })
}
