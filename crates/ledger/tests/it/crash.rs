//! Processes that die, and disks that are full: what was acknowledged is there, what was not left no trace.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use ledger::*;

use crate::house::*;

/// What the child does is in this variable; the tests start this very binary again with it.
const ROLE: &str = "LEDGER_TEST_CHILD";
const DIR: &str = "LEDGER_TEST_DIR";

fn child(role: &str, dir: &Path) -> Command {
    let mut command = Command::new(env::current_exe().expect("this test"));
    command.args(["--exact", "crash::the_child_of_the_other_tests", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env(DIR, dir).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Does nothing when the suite runs it; the work is in the role that another test gives.
#[tokio::test]
async fn the_child_of_the_other_tests() {
    let (Ok(role), Ok(dir)) = (env::var(ROLE), env::var(DIR)) else { return };
    if role == "create" {
        Ledger::create(&path(Path::new(&dir)), &KEY, &SEED, "azekura.test/journal").await.expect("made");
        return;
    }
    let ledger = Ledger::open(&path(Path::new(&dir)), &KEY, &SEED, Mode::Writer).await.expect("opens");
    let say = |text: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).expect("the parent listens");
    };
    match role.as_str() {
        "one" => match one(&ledger, 1).await {
            Ok(committed) => say(format!("committed {}", committed.next_seq)),
            Err(error) => say(format!("refused {error}")),
        },
        "forever" => {
            for n in 0.. {
                let committed = one(&ledger, n).await.expect("committed");
                say(format!("committed {}", committed.next_seq));
            }
        }
        "fill" => loop {
            if let Err(error) = one(&ledger, 7).await {
                say(format!("refused {}", error.message().code));
                break;
            }
        },
        other => panic!("no role {other}"),
    }
}

/// A commit with several kinds of rows in it.
async fn one(ledger: &Ledger, n: u64) -> Result<Committed, LedgerError> {
    let mut tx = ledger.begin(&actor(), "crash").await?;
    tx.set_setting("last", &n.to_string()).await?;
    let commit = tx.next_commit_seq(1).await?;
    tx.add_assets(&[asset("measurement", Some(provider()), commit), asset("death", None, commit)]).await?;
    let patients: Vec<_> = (n * 20..n * 20 + 30).map(patient).collect();
    tx.resolve_records(&provider(), &patients).await?;
    tx.commit().await
}

/// The words after a prefix in what the child said (its test harness says things, too).
fn heard(line: &str, word: &str) -> Option<String> {
    line.split_once(word).map(|(_, rest)| rest.trim().to_owned())
}

fn lines(child: &mut Child) -> Vec<String> {
    let out = child.stdout.take().expect("piped");
    BufReader::new(out).lines().map_while(Result::ok).collect()
}

async fn sound(house: House) -> (House, u64) {
    let house = House { ledger: Ledger::open(&path(house.dir.path()), &KEY, &SEED, Mode::Writer).await.expect("opens"), ..house };
    let verified = house.ledger.verify(&[], |_| ()).await.expect("verified");
    assert_eq!(verified.faults, []);
    assert_eq!(house.ledger.integrity().await.expect("checked").discrepancies, []);
    (house, verified.entries)
}

/// Gives up the parent's own handle, so that the child can be the writer.
async fn let_go(house: House) -> House {
    let reader = Ledger::open(&path(house.dir.path()), &KEY, &SEED, Mode::Reader).await.expect("opens");
    house.ledger.close().await;
    House { dir: house.dir, ledger: reader }
}

#[tokio::test]
async fn a_process_that_dies_between_write_and_commit_leaves_nothing_and_after_it_everything() {
    for (point, expected) in [("ledger.commit.before", 1), ("ledger.commit.after", 5)] {
        let house = let_go(House::new().await).await;
        let mut died = child("one", house.dir.path()).env("AZEKURA_FAILPOINT", format!("{point}=kill")).spawn().expect("started");
        assert!(!died.wait().expect("ended").success(), "{point}");
        let (house, entries) = sound(house).await;
        assert_eq!(entries, expected, "{point}");
        let mut reader = house.ledger.read().await.expect("a snapshot");
        let rows = reader.assets(&AssetFilter::default()).await.expect("read").len();
        assert_eq!(rows, if expected == 1 { 0 } else { 2 }, "{point}");
        assert_eq!(reader.commit_seq().await.expect("read"), i64::from(expected != 1), "no number is used up either");
        drop(reader);
        one(&house.ledger, 1).await.expect("the same again goes through");
        assert_eq!(house.ledger.verify(&[], |_| ()).await.expect("verified").faults, []);
    }
}

#[tokio::test]
async fn a_commit_that_the_disk_refuses_is_an_error_and_no_half_commit() {
    for action in ["error", "full"] {
        let house = let_go(House::new().await).await;
        let mut refused = child("one", house.dir.path())
            .env("AZEKURA_FAILPOINT", format!("ledger.commit.before={action}"))
            .spawn()
            .expect("started");
        let said = lines(&mut refused);
        assert!(refused.wait().expect("ended").success());
        assert!(said.iter().any(|line| heard(line, "refused").is_some()), "{said:?}");
        assert_eq!(sound(house).await.1, 1, "{action}");
    }
}

// SIGXFSZ ignored and a limit on file size: the kernel refuses the write as a full disk does.
#[tokio::test]
async fn a_disk_that_fills_up_is_a_clear_error_and_the_ledger_stays_sound() {
    let house = let_go(House::new().await).await;
    let inner = child("fill", house.dir.path());
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 800; exec \"$0\" \"$@\""]).arg(inner.get_program()).args(inner.get_args());
    shell.env(ROLE, "fill").env(DIR, house.dir.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut filled = shell.spawn().expect("started");
    let said = lines(&mut filled);
    assert!(filled.wait().expect("ended").success(), "{said:?}");
    assert!(said.iter().any(|line| heard(line, "refused").as_deref() == Some("ledger-disk")), "{said:?}");
    let (house, entries) = sound(house).await;
    assert!(entries > 1, "it worked until the disk was full");
    one(&house.ledger, 8).await.expect("and works again when there is room");
}

#[tokio::test]
async fn whatever_moment_a_process_is_killed_at_what_it_acknowledged_is_there() {
    let mut house = let_go(House::new().await).await;
    let mut before = 1;
    for round in 0..12u64 {
        let mut running = child("forever", house.dir.path()).spawn().expect("started");
        thread::sleep(Duration::from_millis(30 + round * 23 % 170));
        running.kill().expect("killed");
        let acknowledged = lines(&mut running).iter().filter_map(|line| heard(line, "committed")?.parse::<u64>().ok()).max();
        running.wait().expect("ended");
        let (now, entries) = sound(house).await;
        assert!(entries >= acknowledged.unwrap_or(before), "acknowledged {acknowledged:?}, found {entries}");
        let mut reader = now.ledger.read().await.expect("a snapshot");
        let commits = reader.commit_seq().await.expect("read");
        assert_eq!(reader.assets(&AssetFilter::default()).await.expect("read").len() as i64, commits * 2);
        drop(reader);
        before = entries;
        house = let_go(now).await;
    }
    assert!(before > 1);
}

#[tokio::test]
async fn a_making_that_was_cut_short_is_made_to_the_end_by_the_same_command() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut died = child("create", dir.path()).env("AZEKURA_FAILPOINT", "ledger.commit.before=kill").spawn().expect("started");
    assert!(!died.wait().expect("ended").success());
    assert!(path(dir.path()).exists());
    assert!(child("create", dir.path()).spawn().expect("started").wait().expect("ended").success());
    assert!(!child("create", dir.path()).spawn().expect("started").wait().expect("ended").success(), "made only once");
    let ledger = Ledger::open(&path(dir.path()), &KEY, &SEED, Mode::Reader).await.expect("opens");
    assert_eq!(sound(House { dir, ledger }).await.1, 1);
}
