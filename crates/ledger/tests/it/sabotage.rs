//! Edits behind the ledger's back, each found and named.

use ledger::*;
use terms::*;

use crate::house::*;

/// A ledger with a row in every table that is vouched for.
async fn full() -> (House, AssetId) {
    let house = House::new().await;
    let mut tx = house.begin().await;
    tx.add_party(&party(PartyKind::Provider, "1319999991")).await.expect("added");
    tx.add_party(&party(PartyKind::Officer, "tanaka")).await.expect("added");
    tx.replace_certificate(PartyKind::Provider, "1319999991", b"another").await.expect("replaced");
    tx.add_notice(&provider(), NoticeScope::ALL, "2025-04-01".parse().expect("a date")).await.expect("added");
    tx.add_contacts(&provider(), &[contact(1, "2025-05-01"), contact(2, "2025-05-02")]).await.expect("added");
    tx.add_opt_out(&NewOptOut {
        provider: provider(),
        patient: patient(1),
        scopes: NoticeScope::ALL.to_vec(),
        requester: Requester::Person,
        relation: None,
        stated_on: "2026-01-05".parse().expect("a date"),
        erase: false,
        everywhere: false,
        state: OptOutState::Effective,
    })
    .await
    .expect("added");
    let records = tx.resolve_records(&provider(), &[patient(1), patient(2), patient(3)]).await.expect("resolved");
    tx.hold_record(records[1], "review", None).await.expect("held");
    let assets = [asset("measurement", Some(provider()), 1), asset("report", None, 1)];
    tx.add_assets(&assets).await.expect("added");
    tx.commit().await.expect("committed");
    let mut tx = house.begin().await;
    let id = DatasetId::new();
    tx.add_dataset(&NewDataset {
        id,
        kind: ReleaseKind::Anonymized,
        profile: "x = 1".into(),
        purpose: "p".into(),
        recipient: "univ".into(),
        project: "p1".into(),
        maker: "maker".into(),
    })
    .await
    .expect("planned");
    tx.add_review(id, "member-1", ReviewDecision::Approve, b"s").await.expect("reviewed");
    tx.add_approval(id, "tanaka", b"s").await.expect("approved");
    tx.add_outbox("o1", "delivery", "univ", "{}").await.expect("added");
    tx.add_linkage_run(RunId::new(), "exact-1", assets[0].0.id, &counts(&[])).await.expect("added");
    tx.say_of_records(records[0], records[2], ClerkSays::Same, Some("card")).await.expect("said");
    tx.commit().await.expect("committed");
    (house, assets[0].0.id)
}

// control: LOG-02
#[tokio::test]
async fn rows_that_were_edited_added_or_removed_by_sql_are_found_and_named() {
    let (house, _) = full().await;
    let clean = house.ledger.integrity().await.expect("checked");
    assert_eq!(clean.discrepancies, []);
    assert!(clean.rows >= 18 && clean.entries == 17, "{clean:?}");

    for (sql, back, expected) in [
        (
            "update party set certificate = x'00' where id = 'tanaka'",
            "update party set certificate = cast('certificate of tanaka' as blob) where id = 'tanaka'",
            "Edited party officer/tanaka",
        ),
        ("update opt_out set state = 'withdrawn'", "update opt_out set state = 'effective'", "Edited opt_out"),
        ("update asset set sha256 = zeroblob(32) where number = 1", "", "Edited asset"),
        ("update dataset set state = 'released'", "update dataset set state = 'application'", "Edited dataset"),
        ("delete from party_certificate", "", "Removed party_certificate"),
        ("update approval set officer = 'sato'", "update approval set officer = 'tanaka'", "Edited approval"),
        (
            "insert into approval values ('a', (select id from dataset), 'sato', x'01', '2026-01-01T00:00:00Z', null)",
            "delete from approval where id = 'a'",
            "Added approval a",
        ),
        (
            "insert into setting values ('notice_wait_days', '0')",
            "delete from setting where key = 'notice_wait_days'",
            "Added setting notice_wait_days",
        ),
        ("delete from review", "", "Removed review"),
        (
            "update record set provider = '1319999992' where record_id = (select min(record_id) from record)",
            "update record set provider = '1319999991'",
            "Batch record",
        ),
        ("insert into contact values ('1319999991', zeroblob(32), '2020-01-01', 'visit', 'person', 4)", "", "Batch contact"),
        ("delete from record_hold", "", "Removed record_hold"),
        ("update outbox set target = 'elsewhere'", "update outbox set target = 'univ'", "Edited outbox o1"),
        ("update linkage_word set says = 'different'", "update linkage_word set says = 'same'", "Edited linkage_word"),
        ("delete from notice", "", "Removed notice"),
        ("update linkage_run set current = 0", "", "Edited linkage_run"),
        ("insert into record values (5, '1319999991', zeroblob(32), 9999)", "", "Batch record"),
    ] {
        house.behind(sql).await;
        let found = house.ledger.integrity().await.expect("checked").discrepancies;
        let named: Vec<_> = found
            .iter()
            .map(|d| match d {
                Discrepancy::Edited { table, key } => format!("Edited {table} {key}"),
                Discrepancy::Added { table, key } => format!("Added {table} {key}"),
                Discrepancy::Removed { table, key } => format!("Removed {table} {key}"),
                Discrepancy::BatchChanged { table, .. } => format!("Batch {table}"),
                other => format!("{other:?}"),
            })
            .collect();
        assert!(named.iter().any(|n| n.starts_with(expected)), "{sql}: {named:?}");
        assert!(found.iter().all(|d| !d.to_string().is_empty() && d.message().text(messages::Lang::Ja) != d.to_string()));
        if !back.is_empty() {
            house.behind(back).await;
            let after = house.ledger.integrity().await.expect("checked").discrepancies.len();
            assert!(after < found.len(), "put back: {sql}");
        }
    }
}

const OPEN: &str = "drop trigger entry_is_kept; drop trigger entry_stays; drop trigger node_is_kept; drop trigger node_stays;
    drop trigger checkpoint_is_kept; drop trigger checkpoint_stays;";

async fn grown() -> House {
    let house = House::new().await;
    for commit in 0..30 {
        let mut tx = house.begin().await;
        for n in 0..20 {
            tx.set_setting(&format!("s{commit}"), &n.to_string()).await.expect("set");
        }
        tx.commit().await.expect("committed");
    }
    assert_eq!(house.ledger.verify(&[], |_| ()).await.expect("verified").faults, []);
    house
}

// control: LOG-05
#[tokio::test]
async fn a_journal_entry_that_was_changed_removed_or_added_is_found_and_named() {
    use JournalFault as F;
    // 601 entries: commits end at 1, 21, 41 …
    for (sql, expected) in [
        ("update entry set body = replace(body, 'tester', 'nobody') where seq = 300", F::EntriesChanged { from: 281, to: 301 }),
        ("delete from entry where seq = 300", F::EntryMissing { seq: 300 }),
        ("delete from entry where seq = 600", F::CheckpointBeyond { size: 601, entries: 600 }),
        ("delete from entry where seq = 0", F::EntryMissing { seq: 0 }),
        ("update entry set body = body || char(10) where seq = 5", F::EntryMalformed { seq: 5 }),
        (
            "insert into entry select 601, null, replace(body, '\"seq\":600', '\"seq\":601') from entry where seq = 600",
            F::EntriesUnsigned { from: 601, to: 602 },
        ),
        (
            "update node set hash = zeroblob(32) where level = 8 and idx = 1",
            F::NodeWrong { at: ::journal::NodeAt { level: 8, index: 1 } },
        ),
        ("delete from node where level = 9", F::NodeWrong { at: ::journal::NodeAt { level: 9, index: 0 } }),
        ("insert into node values (20, 0, zeroblob(32))", F::NodeWrong { at: ::journal::NodeAt { level: 20, index: 0 } }),
        ("update checkpoint set note = upper(note) where size = 41", F::CheckpointWrong { size: 41 }),
        (
            "update checkpoint set note = (select note from checkpoint where size = 21) where size = 41",
            F::CheckpointWrong { size: 41 },
        ),
        ("delete from checkpoint where size = 601", F::EntriesUnsigned { from: 581, to: 601 }),
        ("delete from checkpoint; delete from entry; delete from node", F::Empty),
    ] {
        let house = grown().await;
        house.behind(OPEN).await;
        house.behind(sql).await;
        let found = house.ledger.verify(&[], |_| ()).await.expect("verified");
        assert!(found.faults.contains(&expected), "{sql}: {:?}", found.faults);
        if !sql.contains("node") && !sql.contains("size = 41") {
            let integrity = house.ledger.integrity().await.expect("checked");
            assert!(integrity.discrepancies.iter().any(|d| matches!(d, Discrepancy::Journal(_))), "{sql}");
        }
    }
}

#[tokio::test]
async fn a_journal_that_was_cut_back_cleanly_is_found_by_whoever_kept_a_checkpoint() {
    let house = grown().await;
    let kept = house.ledger.read().await.expect("a snapshot").checkpoint().await.expect("read").expect("there");
    house.behind(OPEN).await;
    house.behind("delete from checkpoint where size > 581; delete from entry where seq >= 581").await;
    assert_eq!(house.ledger.verify(&[], |_| ()).await.expect("verified").faults, [], "nothing here tells it");
    let found = house.ledger.verify(&[kept], |_| ()).await.expect("verified");
    assert_eq!(found.faults, [JournalFault::OlderCheckpointDiffers { size: 601 }]);
    let stranger = ::journal::Signer::new("x", &[1; 32]).expect("a name").checkpoint(1, ::journal::Hash::EMPTY).expect("made");
    assert!(matches!(house.ledger.verify(&[stranger], |_| ()).await, Err(LedgerError::Journal { .. })));
}

#[tokio::test]
async fn a_ledger_whose_journal_lost_its_end_takes_no_further_change_and_gives_no_proof() {
    let house = grown().await;
    house.behind(OPEN).await;
    house.behind("delete from entry where seq = 600").await;
    let mut tx = house.begin().await;
    tx.set_setting("a", "1").await.expect("set");
    assert!(matches!(tx.commit().await, Err(LedgerError::Journal { .. })), "who was at it when it happened");
    assert!(house.ledger.prove(3, None).await.is_err());
    let house = house.reopen(Mode::Writer).await;
    assert!(matches!(house.ledger.begin(&actor(), "test").await, Err(LedgerError::Journal { .. })), "who comes later");
}

#[tokio::test]
async fn an_index_of_histories_that_hides_an_entry_is_found() {
    let (house, asset) = full().await;
    house.behind(OPEN).await;
    house.behind(&format!("update entry set subject = null where subject = '{asset}'")).await;
    let found = house.ledger.integrity().await.expect("checked").discrepancies;
    assert!(matches!(found[..], [Discrepancy::SubjectChanged { .. }]), "{found:?}");
}
