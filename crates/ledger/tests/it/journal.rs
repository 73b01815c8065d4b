//! The journal is verified by the program, and by a verifier in another language that knows nothing of it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ledger::*;

use crate::house::*;

fn python(key: &str, arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/verify_journal.py");
    Command::new("python3").arg(script).args(["--key", key]).args(arguments).output().expect("python3 runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A journal of some hundred entries in commits of different sizes.
async fn grown() -> (House, String) {
    let house = House::new().await;
    let mut older = String::new();
    for commit in 0..40 {
        let mut tx = house.begin().await;
        for n in 0..=commit {
            tx.set_setting(&format!("s{commit}"), &n.to_string()).await.expect("set");
        }
        tx.commit().await.expect("committed");
        if commit == 20 {
            older = house.ledger.read().await.expect("a snapshot").checkpoint().await.expect("read").expect("there");
        }
    }
    (house, older)
}

// control: LOG-05
#[tokio::test]
async fn an_untouched_journal_verifies_here_and_outside() {
    let (house, older) = grown().await;
    let mut told = 0;
    let found = house.ledger.verify(std::slice::from_ref(&older), |n| told = n).await.expect("verified");
    assert_eq!(found.faults, []);
    assert_eq!((found.entries, found.checkpoints, told), (821, 41, 821));
    let dir = house.dir.path().join("export");
    assert_eq!(house.ledger.export(&dir).await.expect("exported"), 821);
    let kept = house.dir.path().join("kept.txt");
    fs::write(&kept, &older).expect("written");
    let (dir, kept) = (dir.to_str().expect("text"), kept.to_str().expect("text"));
    let key = house.ledger.verifier_key();
    let output = python(key, &["export", dir, "--older", kept]);
    assert!(output.status.success() && said(&output).contains("821 entries hold"), "{}", said(&output));
    assert!(house.ledger.export(Path::new(dir)).await.is_err(), "an export overwrites nothing");
}

#[tokio::test]
async fn an_export_that_was_touched_is_found_by_the_outside_verifier() {
    let (house, _) = grown().await;
    let dir = house.dir.path().join("export");
    house.ledger.export(&dir).await.expect("exported");
    let entries = dir.join("entries.jsonl");
    let good = fs::read_to_string(&entries).expect("read");
    let lines: Vec<&str> = good.lines().collect();
    let key = house.ledger.verifier_key();
    let text = dir.to_str().expect("text").to_owned();
    let refused = |content: String, what: &str| {
        fs::write(&entries, content).expect("written");
        let output = python(key, &["export", &text]);
        assert_eq!(output.status.code(), Some(1), "{what}: {}", said(&output));
        assert!(said(&output).starts_with("WRONG"), "{what}");
    };
    refused(good.replacen("tester", "teste2", 1), "a changed entry");
    refused(lines.iter().enumerate().filter(|(n, _)| *n != 300).map(|(_, l)| format!("{l}\n")).collect(), "a removed entry");
    refused(lines[..820].iter().map(|l| format!("{l}\n")).collect(), "a cut end");
    refused(format!("{good}{{\"seq\":821,}}\n"), "an added entry");
    refused(good.trim_end().to_owned(), "no last line break");
    fs::write(&entries, &good).expect("written");
    assert!(python(key, &["export", &text]).status.success());

    let checkpoint = dir.join("checkpoint.txt");
    let note = fs::read_to_string(&checkpoint).expect("read");
    fs::write(&checkpoint, note.replace("\n821\n", "\n820\n")).expect("written");
    assert_eq!(python(key, &["export", &text]).status.code(), Some(1));
    fs::write(&checkpoint, &note).expect("written");
    let stranger = House::new().await;
    let other = ::journal::Signer::new("azekura.test/journal", &[9; 32]).expect("a name");
    assert_eq!(python(other.verifier_key(), &["export", &text]).status.code(), Some(1), "another key");
    assert_eq!(python("nonsense", &["export", &text]).status.code(), Some(1));
    let elsewhere = stranger.ledger.read().await.expect("a snapshot").checkpoint().await.expect("read").expect("there");
    let kept = dir.join("elsewhere.txt");
    fs::write(&kept, elsewhere).expect("written");
    let output = python(key, &["export", &text, "--older", kept.to_str().expect("text")]);
    assert_eq!(output.status.code(), Some(1), "a checkpoint of another history: {}", said(&output));
}

#[tokio::test]
async fn a_proof_of_one_entry_holds_here_and_outside_and_for_no_other_entry() {
    let (house, older) = grown().await;
    let key = house.ledger.verifier_key().to_owned();
    let file = house.dir.path().join("proof.json");
    let name = file.to_str().expect("text").to_owned();
    for seq in [0, 1, 255, 256, 511, 777, 820] {
        let proof = house.ledger.prove(seq, Some(&older)).await.expect("proved");
        proof.check(&key).expect("holds");
        fs::write(&file, serde_json::to_string_pretty(&proof).expect("json")).expect("written");
        let output = python(&key, &["proof", &name]);
        assert!(output.status.success() && said(&output).contains("only grew"), "{}", said(&output));

        let sabotages: [fn(&mut Proof); 6] = [
            |p| p.entry = p.entry.replace("test", "toast"),
            |p| p.seq = (p.seq + 1) % 821,
            |p| p.inclusion.swap(0, 1),
            |p| drop(p.inclusion.pop()),
            |p| p.checkpoint = p.checkpoint.replace("821", "822"),
            |p| p.consistency.as_mut().expect("there").hashes.reverse(),
        ];
        for (n, sabotage) in sabotages.iter().enumerate() {
            let mut changed = proof.clone();
            sabotage(&mut changed);
            assert!(changed.check(&key).is_err(), "sabotage {n} of {seq}");
            fs::write(&file, serde_json::to_string(&changed).expect("json")).expect("written");
            assert_eq!(python(&key, &["proof", &name]).status.code(), Some(1), "sabotage {n} of {seq}");
        }
    }
    assert!(matches!(house.ledger.prove(821, None).await, Err(LedgerError::NotFound { .. })));
    fs::write(&file, "[1, 2]").expect("written");
    assert_eq!(python(&key, &["proof", &name]).status.code(), Some(1));
}
