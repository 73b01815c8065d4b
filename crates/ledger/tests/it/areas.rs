//! Each area writes what it says, reads it back, and leaves its event.

use ledger::*;
use terms::*;

use crate::house::*;

#[tokio::test]
async fn parties_are_registered_once_and_their_certificates_are_pinned() {
    let house = House::new().await;
    let mut tx = house.begin().await;
    let added = tx.add_party(&party(PartyKind::Provider, "1319999991")).await.expect("added");
    assert_eq!(added.status, PartyStatus::Active);
    tx.add_party(&party(PartyKind::Officer, "tanaka")).await.expect("added");
    assert!(matches!(tx.add_party(&party(PartyKind::Officer, "tanaka")).await, Err(LedgerError::AlreadyThere { .. })));
    tx.replace_certificate(PartyKind::Provider, "1319999991", b"another").await.expect("pinned");
    tx.set_party_status(PartyKind::Officer, "tanaka", PartyStatus::Ended).await.expect("ended");
    assert!(matches!(
        tx.set_party_status(PartyKind::Officer, "nobody", PartyStatus::Ended).await,
        Err(LedgerError::NotFound { .. })
    ));
    tx.commit().await.expect("committed");
    let mut reader = house.ledger.read().await.expect("a snapshot");
    let found = reader.party(PartyKind::Provider, "1319999991").await.expect("read").expect("there");
    assert_eq!(found.certificate, b"another");
    assert_ne!(found.fingerprint, added.fingerprint);
    assert_eq!(found.patient_id_rule, Some(PatientIdRule::Digits));
    assert_eq!(reader.parties(PartyKind::Officer).await.expect("read")[0].status, PartyStatus::Ended);
    let history = reader.history("provider/1319999991").await.expect("read");
    assert!(matches!(history[0].event, Event::PartyAdded { .. }) && history.len() == 2);
    assert_eq!((history[0].actor.as_str(), history[0].purpose.as_str()), ("tester", "test"));
}

#[tokio::test]
async fn tens_of_thousands_of_patients_get_their_records_in_one_transaction_and_keep_them() {
    let house = House::new().await;
    let patients: Vec<_> = (0..20_000).map(patient).collect();
    let mut tx = house.begin().await;
    let first = tx.resolve_records(&provider(), &patients[..12_000]).await.expect("resolved");
    tx.commit().await.expect("committed");
    let mut tx = house.begin().await;
    let second = tx.resolve_records(&provider(), &patients).await.expect("resolved");
    let elsewhere = tx.resolve_records(&other_provider(), &patients[..5]).await.expect("resolved");
    tx.commit().await.expect("committed");
    assert_eq!(first, second[..12_000]);
    assert!(elsewhere.iter().all(|record| !second.contains(record)), "one record a provider and patient");
    let unique: std::collections::BTreeSet<_> = second.iter().collect();
    assert!(unique.len() == 20_000 && second.iter().all(|r| r.0 > 0));
    let mut reader = house.ledger.read().await.expect("a snapshot");
    let found = reader.find_records(&provider(), &[patient(3), patient(99_999), patient(3)]).await.expect("read");
    assert_eq!(found, [Some(second[3]), None, Some(second[3])]);
    let asked = [elsewhere[0], second[1], second[2]];
    assert_eq!(reader.providers_of(&asked).await.expect("read"), [provider(), other_provider()]);
    assert_eq!(reader.record_counts().await.expect("read"), [(provider(), 20_000), (other_provider(), 5)]);
    assert_eq!(house.ledger.integrity().await.expect("checked").discrepancies, []);
}

// control: NOT-09
#[tokio::test]
async fn whoever_stopped_before_ever_being_seen_is_blocked_from_the_first_record_on() {
    let house = House::new().await;
    let new = |n: u64, scopes: &[NoticeScope]| NewOptOut {
        provider: provider(),
        patient: patient(n),
        scopes: scopes.to_vec(),
        requester: Requester::Guardian,
        relation: Some("mother".into()),
        stated_on: "2026-01-05".parse().expect("a date"),
        erase: false,
        everywhere: true,
        state: OptOutState::Effective,
    };
    let both = NoticeScope::ALL;
    let mut tx = house.begin().await;
    let stopped = tx.add_opt_out(&new(7, both)).await.expect("added");
    tx.add_opt_out(&new(8, &[NoticeScope::Pseudonymized])).await.expect("added");
    let mut received = new(9, both);
    received.state = OptOutState::Received;
    let waiting = tx.add_opt_out(&received).await.expect("added");
    tx.commit().await.expect("committed");

    let mut tx = house.begin().await;
    let records = tx.resolve_records(&provider(), &[patient(6), patient(7), patient(8), patient(9)]).await.expect("resolved");
    tx.resolve_records(&other_provider(), &[patient(7)]).await.expect("resolved");
    let seen = tx.read().blocked_records(None).await.expect("read");
    assert_eq!(seen.len(), 3, "blocked within the same transaction");
    tx.commit().await.expect("committed");

    let mut reader = house.ledger.read().await.expect("a snapshot");
    let blocked = |scope| [scope].into_iter();
    for scope in blocked(Some(NoticeScope::Anonymized)) {
        let set = reader.blocked_records(scope).await.expect("read");
        assert_eq!(set.into_iter().collect::<std::collections::BTreeSet<_>>(), [records[1], records[3]].into());
    }
    assert_eq!(reader.blocked_records(Some(NoticeScope::Pseudonymized)).await.expect("read").len(), 3);
    assert_eq!(reader.stopped_patients(&provider(), None).await.expect("read"), [patient(7), patient(9)].into());
    assert_eq!(reader.stopped_patients(&provider(), Some(NoticeScope::Pseudonymized)).await.expect("read").len(), 3);

    let mut tx = house.begin().await;
    tx.move_opt_out(&stopped.id, OptOutState::Effective, OptOutState::Withdrawn).await.expect("withdrawn");
    tx.move_opt_out(&waiting.id, OptOutState::Received, OptOutState::Rejected).await.expect("rejected");
    assert!(matches!(
        tx.move_opt_out(&waiting.id, OptOutState::Received, OptOutState::Effective).await,
        Err(LedgerError::OtherState { .. })
    ));
    tx.hold_record(records[0], "link-uncertain", None).await.expect("held");
    tx.commit().await.expect("committed");
    let mut later = house.ledger.read().await.expect("a snapshot");
    assert_eq!(later.blocked_records(Some(NoticeScope::Anonymized)).await.expect("read"), [records[0]].into());
    assert_eq!(reader.blocked_records(None).await.expect("read").len(), 3, "the older snapshot is as it was");
    let mut tx = house.begin().await;
    tx.release_record(records[0], "link-uncertain").await.expect("released");
    tx.commit().await.expect("committed");
    assert_eq!(house.ledger.read().await.expect("a snapshot").blocked_records(None).await.expect("read"), [records[2]].into());
    assert_eq!(house.ledger.integrity().await.expect("checked").discrepancies, []);
}

#[tokio::test]
async fn notices_and_contacts_are_kept_once_a_day_and_patient() {
    let house = House::new().await;
    let mut tx = house.begin().await;
    tx.add_notice(&provider(), NoticeScope::ALL, "2025-04-01".parse().expect("a date")).await.expect("added");
    let list = [contact(1, "2025-05-01"), contact(1, "2025-06-01"), contact(2, "2025-05-01")];
    assert_eq!(tx.add_contacts(&provider(), &list).await.expect("added"), 3);
    assert_eq!(tx.add_contacts(&provider(), &list).await.expect("added"), 0);
    tx.commit().await.expect("committed");
    let mut reader = house.ledger.read().await.expect("a snapshot");
    assert_eq!(reader.notices(&provider()).await.expect("read")[0].scopes, NoticeScope::ALL);
    let contacts = reader.contacts(&provider()).await.expect("read");
    assert_eq!(contacts[&patient(1)], list[..2]);
    assert_eq!(house.ledger.integrity().await.expect("checked").discrepancies, []);
}

fn package(sequence: i64, manifest: u8, state: PackageState) -> NewPackage {
    NewPackage {
        id: PackageId::new(),
        provider: Some(provider()),
        sequence: Some(sequence),
        kind: Some("ssmix2".into()),
        period_from: Some("2025-01-01".parse().expect("a date")),
        period_to: Some("2025-12-31".parse().expect("a date")),
        state,
        manifest_sha256: [manifest; 32],
        directory: format!("inbox/{sequence}.azp"),
        reason: None,
    }
}

#[tokio::test]
async fn a_package_comes_once_and_a_refused_one_leaves_its_number_free() {
    let house = House::new().await;
    let mut tx = house.begin().await;
    let bad = package(1, 1, PackageState::Quarantined);
    tx.add_package(&bad).await.expect("added");
    let good = package(1, 2, PackageState::Accepted);
    tx.add_package(&good).await.expect("the number is free");
    assert!(matches!(tx.add_package(&package(2, 2, PackageState::Accepted)).await, Err(LedgerError::AlreadyThere { .. })));
    assert!(matches!(tx.add_package(&package(1, 3, PackageState::Accepted)).await, Err(LedgerError::AlreadyThere { .. })));
    assert!(matches!(
        tx.move_package(bad.id, PackageState::Quarantined, PackageState::Accepted, None).await,
        Err(LedgerError::AlreadyThere { .. })
    ));
    tx.move_package(good.id, PackageState::Accepted, PackageState::Ledgered, None).await.expect("moved");
    tx.count_package(good.id, 90, 10, 12_345).await.expect("counted");
    let unknown = NewPackage { provider: None, sequence: None, kind: None, ..package(0, 9, PackageState::Quarantined) };
    tx.add_package(&unknown).await.expect("what cannot be read is kept, too");
    tx.commit().await.expect("committed");
    let mut reader = house.ledger.read().await.expect("a snapshot");
    assert_eq!(reader.last_sequence(&provider()).await.expect("read"), Some(1));
    assert_eq!(reader.package_by_manifest(&[2; 32]).await.expect("read").expect("there").rows, Some(12_345));
    assert_eq!(reader.packages(&[PackageState::Quarantined]).await.expect("read").len(), 2);
    assert_eq!(reader.history(&good.id.to_string()).await.expect("read").len(), 3);
}

// control: CUS-06
#[tokio::test]
async fn an_asset_row_has_the_eleven_fields_of_the_guideline_and_its_history_comes_from_the_journal() {
    let house = House::new().await;
    let mut tx = house.begin().await;
    let commit = tx.next_commit_seq(1).await.expect("a number");
    let assets: Vec<_> = (0..250).map(|_| asset("measurement", Some(provider()), commit)).collect();
    tx.add_assets(&assets).await.expect("added");
    tx.commit().await.expect("committed");
    let id = assets[200].0.id;
    let mut tx = house.begin().await;
    tx.doom_assets(&[id], "erasure").await.expect("doomed");
    tx.commit().await.expect("committed");
    let mut tx = house.begin().await;
    assert!(matches!(tx.doom_assets(&[id], "again").await, Err(LedgerError::OtherState { .. })));
    tx.assets_gone(&[id], "erasure").await.expect("gone");
    tx.commit().await.expect("committed");

    let mut reader = house.ledger.read().await.expect("a snapshot");
    let row = reader.asset(id).await.expect("read").expect("the row stays");
    assert_eq!((row.number, row.state), (201, AssetState::Gone));
    let custody = &row.custody;
    for field in [
        &row.name,
        &row.kind,
        &custody.format,
        &row.path,
        &custody.copies,
        &custody.device,
        &custody.business,
        &custody.responsible,
        &custody.access,
    ] {
        assert!(!field.is_empty());
    }
    let history = reader.history(&id.to_string()).await.expect("read");
    let words: Vec<_> = history.iter().map(|e| serde_json::to_value(&e.event).expect("json")["event"].clone()).collect();
    assert_eq!(words, ["asset_added", "asset_moved", "asset_moved"]);
    assert!(reader.key(id).await.expect("read").is_none(), "its key is gone with it");
    let live = reader.live_files().await.expect("read");
    assert_eq!(live.len(), 249);
    assert_eq!(live[0].1, assets[0].1.clone().expect("a key"));
    let filter = AssetFilter { state: Some(AssetState::Gone), ..AssetFilter::default() };
    assert_eq!(reader.assets(&filter).await.expect("read").len(), 1);
    assert_eq!(house.ledger.integrity().await.expect("checked").discrepancies, []);
}

#[tokio::test]
async fn keys_move_to_a_newer_epoch_and_versions_never_go_back() {
    let house = House::new().await;
    let mut tx = house.begin().await;
    let assets = [asset("death", Some(provider()), 1), asset("death", None, 1)];
    tx.add_assets(&assets).await.expect("added");
    tx.set_versions(&(1..=5_000).map(|n| (RecordId(n), 2)).collect::<Vec<_>>()).await.expect("set");
    tx.set_versions(&[(RecordId(1), 1), (RecordId(2), 3)]).await.expect("set");
    tx.commit().await.expect("committed");
    let mut newer = assets[0].1.clone().expect("a key");
    newer.epoch = 2;
    newer.bytes = vec![9; 60];
    let mut tx = house.begin().await;
    tx.replace_keys(&[(assets[0].0.id, newer.clone())]).await.expect("replaced");
    assert!(tx.replace_keys(&[(AssetId::new(), newer.clone())]).await.is_err());
    tx.clear_versions(&[RecordId(3), RecordId(77_777)]).await.expect("cleared");
    tx.commit().await.expect("committed");
    let mut reader = house.ledger.read().await.expect("a snapshot");
    assert_eq!(reader.key(assets[0].0.id).await.expect("read"), Some(newer.clone()));
    assert_eq!(reader.keys(Some(&newer.scope)).await.expect("read").len(), 1);
    assert_eq!(reader.keys(None).await.expect("read").len(), 2);
    let versions = reader.versions().await.expect("read");
    assert_eq!((versions[&RecordId(1)], versions[&RecordId(2)], versions.len()), (2, 3, 4_999));
}

#[tokio::test]
async fn a_data_set_goes_from_application_to_delivery_and_a_void_approval_counts_no_more() {
    let house = House::new().await;
    let id = DatasetId::new();
    let new = NewDataset {
        id,
        kind: ReleaseKind::Anonymized,
        profile: "kind = \"anonymized\"".into(),
        purpose: "diabetes".into(),
        recipient: "univ".into(),
        project: "p1".into(),
        maker: "maker".into(),
    };
    let mut tx = house.begin().await;
    tx.add_dataset(&new).await.expect("planned");
    tx.move_dataset(id, DatasetState::Application, DatasetState::InReview, None).await.expect("moved");
    tx.add_review(id, "member-1", ReviewDecision::Approve, b"signature").await.expect("reviewed");
    assert!(tx.add_review(id, "member-1", ReviewDecision::Reject, b"signature").await.is_err());
    tx.move_dataset(id, DatasetState::InReview, DatasetState::Building, None).await.expect("moved");
    let files = [asset("x", None, 1), asset("y", None, 1)];
    tx.add_assets(&files).await.expect("added");
    let build = Build {
        data_asset: files[0].0.id,
        report_asset: files[1].0.id,
        data_sha256: [1; 32],
        report_sha256: [2; 32],
        counts: counts(&[("persons", 10)]),
    };
    tx.dataset_built(id, &build).await.expect("built");
    tx.add_approval(id, "officer-1", b"s1").await.expect("approved");
    assert!(tx.add_approval(id, "officer-1", b"s1").await.is_err(), "one a person");
    assert_eq!(tx.void_approvals(id, "opt-out-hit").await.expect("voided"), 1);
    assert_eq!(tx.void_approvals(id, "opt-out-hit").await.expect("none left"), 0);
    tx.add_approval(id, "officer-1", b"s2").await.expect("approved again");
    tx.name_package(id, "p1-0001.azp").await.expect("named");
    tx.add_outbox("p1-0001", "delivery", "univ", "{}").await.expect("added");
    tx.move_outbox("p1-0001", OutboxState::Pending, OutboxState::Done).await.expect("done");
    tx.commit().await.expect("committed");
    let mut reader = house.ledger.read().await.expect("a snapshot");
    let found = reader.dataset(id).await.expect("read").expect("there");
    assert_eq!((found.state, found.counts), (DatasetState::Building, Some(build.counts)));
    assert_eq!(reader.approvals(id).await.expect("read").len(), 1);
    assert_eq!(reader.reviews(id).await.expect("read")[0].decision, ReviewDecision::Approve);
    assert_eq!(reader.outbox(Some(OutboxState::Done)).await.expect("read").len(), 1);
    assert_eq!(house.ledger.integrity().await.expect("checked").discrepancies, []);
}

#[tokio::test]
async fn the_latest_linkage_run_is_the_current_one_and_a_clerk_has_one_word_on_a_pair() {
    let house = House::new().await;
    let mut tx = house.begin().await;
    let maps = [asset("map", None, 1), asset("map", None, 2)];
    tx.add_assets(&maps).await.expect("added");
    for (map, _) in &maps {
        tx.add_linkage_run(RunId::new(), "exact-1", map.id, &counts(&[("links", 4)])).await.expect("added");
    }
    tx.say_of_records(RecordId(2), RecordId(1), ClerkSays::Same, Some("card")).await.expect("said");
    tx.say_of_records(RecordId(1), RecordId(2), ClerkSays::Different, Some("relatives")).await.expect("said otherwise");
    assert!(tx.say_of_records(RecordId(1), RecordId(1), ClerkSays::Same, None).await.is_err(), "one record");
    tx.set_setting("notice_wait_days", "30").await.expect("set");
    tx.set_setting("notice_wait_days", "45").await.expect("set");
    assert!(tx.set_setting("journal.origin", "x").await.is_err());
    tx.commit().await.expect("committed");
    let mut reader = house.ledger.read().await.expect("a snapshot");
    assert_eq!(reader.current_linkage().await.expect("read").expect("there").map_asset, maps[1].0.id);
    assert_eq!(reader.linkage_runs().await.expect("read").len(), 2);
    let words = reader.linkage_words().await.expect("read");
    assert_eq!(words.iter().map(|w| (w.record_a.0, w.record_b.0, w.says)).collect::<Vec<_>>(), [(1, 2, ClerkSays::Different)]);
    assert_eq!((words[0].clerk.as_str(), words[0].reason.as_deref()), ("tester", Some("relatives")));
    assert_eq!(reader.setting("notice_wait_days").await.expect("read").as_deref(), Some("45"));
    assert_eq!(house.ledger.integrity().await.expect("checked").discrepancies, []);
}
