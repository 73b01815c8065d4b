//! Whatever breaks, the same command again leads to the same end. Every command of the main job is killed, loses power, meets an
//! error, a full and a read-only disk: at least once at each kind of step it comes to, at a spread of all its steps, and is
//! killed at moments of no choosing.
//!
//! `AZEKURA_CRASH_ONLY=NAME` looks at the commands alone whose name begins so.

mod breaks;
mod disks;
mod state;
mod steps;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use breaks::Tally;
use ledger::{Event, Hex32, Mode};
use pipeline::Instance;
use seal::Passphrase;
use state::{State, differences, state};
use steps::{Row, Step, row};

use crate::kit::{House, PROVIDER};

/// Breaks of a kind at a spread of all steps of a command, besides one at each kind of step.
const SPREAD: usize = 4;
/// Kills of each command at moments of no choosing.
const MOMENTS: usize = 6;

fn the_row() -> &'static Row {
    static ROW: OnceLock<Row> = OnceLock::new();
    ROW.get_or_init(row)
}

/// A fixed sequence: a failure comes again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n.max(1)
    }
}

type Work<'a> = Vec<Box<dyn Fn() + Send + Sync + 'a>>;

/// Does all of it on two threads, and gives what failed.
fn do_all(work: &Work<'_>) -> Vec<String> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(one) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(one)) {
                        let text = why.downcast_ref::<String>().cloned();
                        let text = text.or_else(|| why.downcast_ref::<&str>().map(|t| (*t).to_owned())).unwrap_or_default();
                        failed.lock().expect("no panic while held").push(text);
                    }
                }
            });
        }
    });
    failed.into_inner().expect("no panic while held")
}

fn steps_wanted(row: &Row) -> Vec<&Step> {
    let only = std::env::var("AZEKURA_CRASH_ONLY").unwrap_or_default();
    row.steps.iter().filter(|s| s.name.starts_with(&only)).collect()
}

fn breaks_of<'a>(step: &'a Step, dice: &mut Dice, tally: &'a Tally, work: &mut Work<'a>) {
    for action in ["kill", "powerloss", "error", "full"] {
        for (name, often) in step.names() {
            // A removal that a power loss may take back is one move, however much is removed.
            let in_one = action == "powerloss" && name == "remove_tree.part";
            let nth = if in_one { 1 } else { dice.below(often) + 1 };
            work.push(Box::new(move || breaks::at(step, &format!("{name}#{nth}"), action, tally)));
        }
    }
    for action in ["kill", "powerloss", "readonly"] {
        for part in 0..SPREAD.min(step.points.len()) {
            let width = step.points.len() / SPREAD.min(step.points.len());
            let nth = part * width + dice.below(width) + 1;
            work.push(Box::new(move || breaks::at(step, &format!("#{nth}"), action, tally)));
        }
    }
    for _ in 0..MOMENTS {
        let moment = step.took.mul_f64(dice.below(1_000) as f64 / 1_000.0);
        work.push(Box::new(move || breaks::after(step, moment, tally)));
    }
}

#[test]
fn whatever_breaks_the_same_command_again_leads_to_the_same_end() {
    let began = Instant::now();
    let row = the_row();
    let tally = Tally::default();
    let mut work: Work<'_> = Vec::new();
    let mut dice = Dice(20_260_401);
    for step in steps_wanted(row) {
        breaks_of(step, &mut dice, &tally, &mut work);
    }
    let failed = do_all(&work);
    let n = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    let (killed, moments) = (n(&tally.killed), n(&tally.at_moments));
    println!(
        "{} breaks, {killed} ended by SIGKILL: {moments} at moments, {} after a power loss; {} were through before; {:?}",
        n(&tally.breaks),
        n(&tally.power_lost),
        n(&tally.escaped),
        began.elapsed()
    );
    assert!(failed.is_empty(), "{} of {} breaks:\n{}", failed.len(), work.len(), failed.join("\n\n"));
    if std::env::var_os("AZEKURA_CRASH_ONLY").is_none() {
        assert!(killed >= 200 && moments >= 80, "{killed} kills, {moments} of them at moments");
    }
}

#[test]
fn a_second_process_on_an_instance_is_refused_and_disturbs_nothing() {
    let work: Work<'_> = steps_wanted(the_row())
        .into_iter()
        .map(|step| {
            let middle = step.points.len() / 2 + 1;
            Box::new(move || breaks::beside(step, &format!("#{middle}"))) as Box<dyn Fn() + Send + Sync>
        })
        .collect();
    let failed = do_all(&work);
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn a_disk_that_is_full_or_takes_no_writes_leaves_no_half_commit() {
    if !disks::mountable() {
        println!("this user may not mount: full and read-only disks are met at the failpoints alone");
        return;
    }
    let row = the_row();
    let refused = AtomicUsize::new(0);
    let mut work: Work<'_> = Vec::new();
    for step in steps_wanted(row) {
        work.push(Box::new(move || disks::read_only(step)));
        let refused = &refused;
        work.push(Box::new(move || {
            let met = [4, 40, 160, 640].into_iter().take_while(|left| !disks::full(step, *left)).count();
            refused.fetch_add(usize::from(met > 0), Ordering::Relaxed);
        }));
    }
    let failed = do_all(&work);
    println!("{} commands met a full disk", refused.load(Ordering::Relaxed));
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert_eq!(refused.load(Ordering::Relaxed), steps_wanted(row).len(), "commands that met no full disk");
}

/// A directory that is no leftover of ours is left as it is, an unfinished instance is none, and a finished one is kept.
#[test]
fn init_takes_over_its_own_leftover_and_nothing_else() {
    let house = House::empty();
    let dir = house.instance();
    let arg = dir.to_str().expect("a path in UTF-8").to_owned();
    let init = ["init", "--passphrase-is-key", arg.as_str()];
    fs::create_dir(&dir).expect("made");
    fs::write(dir.join("thesis.txt"), "x").expect("written");
    assert_eq!(house.run(&init).refused(), "core-instance-not-empty");
    fs::rename(dir.join("thesis.txt"), house.path().join("thesis.txt")).expect("moved");

    let mut command = house.command(&init);
    command.env("AZEKURA_FAILPOINT", "ledger.commit.after=kill");
    assert!(command.output().expect("the program").status.code().is_none());
    assert!(dir.join("ledger.db").is_file());
    assert_eq!(house.on(&["ingest"]).refused(), "core-instance-missing");
    // Something of somebody else has come into the leftover: not ours to clear.
    fs::write(dir.join("thesis.txt"), "x").expect("written");
    assert_eq!(house.run(&init).refused(), "core-instance-not-empty");
    assert!(dir.join("ledger.db").is_file());
    fs::remove_file(dir.join("thesis.txt")).expect("removed");
    house.run(&init).done();
    house.on(&["ingest"]).done();
    let ledger = fs::read(dir.join("keyring.azk")).expect("readable");
    assert_eq!(house.run(&init).refused(), "core-instance-not-empty");
    assert_eq!(fs::read(dir.join("keyring.azk")).expect("readable"), ledger);
}

#[test]
fn a_passphrase_that_somebody_could_guess_is_no_key() {
    let house = House::empty();
    fs::write(house.path().join("pass"), "correct horse battery staple\n").expect("written");
    let dir = house.instance();
    let arg = dir.to_str().expect("a path in UTF-8").to_owned();
    assert_eq!(house.run(&["init", "--passphrase-is-key", &arg]).refused(), "core-passphrase-no-key");
    assert!(!dir.exists());
    house.run(&["init", &arg]).done();
    let keyring = fs::read_to_string(dir.join("keyring.azk")).expect("readable");
    let keyring: serde_json::Value = serde_json::from_str(&keyring).expect("json");
    assert_eq!(keyring["cost"]["log_n"], 17, "the default cost stands");
}

/// What a look at the state has to find, each done to a copy of a finished house: where nothing is found there, a test
/// that compares states says nothing.
#[test]
fn the_comparison_of_states_finds_what_is_wrong() {
    let row = the_row();
    let delivered = row.steps.iter().find(|s| s.name == "deliver").expect("a delivery");
    let house = delivered.before.copy();
    assert!(delivered.is_done(&delivered.run(&house)));
    let end: &State = &delivered.end;
    assert_eq!(differences(end, &state(&house)), Vec::<String>::new());
    assert_ne!(differences(end, &state(&delivered.before.copy())), Vec::<String>::new(), "not delivered at all");

    let found = |what: &str, sabotage: &dyn Fn(&House)| {
        let copy = house.copy();
        sabotage(&copy);
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| differences(end, &state(&copy))));
        // What cannot be looked at is not the same either.
        assert!(found.is_err() || found.is_ok_and(|f| !f.is_empty()), "{what} was not found");
    };
    let sql = |statement: &'static str| move |house: &House| edit(house, statement);
    found("a row that was removed", &sql("delete from contact where date = (select max(date) from contact)"));
    found("a row that was removed", &sql("delete from notice"));
    found("a state that was changed", &sql("update dataset set state = 'released'"));
    found(
        "a file that is no part of the lake",
        &sql(
            "update asset set state = 'gone' where asset_id = (select min(asset_id) from asset where state = 'live' and table_name = 'measurement')",
        ),
    );
    found("an event that was said twice", &|house| {
        say(
            house,
            Event::Delivered {
                dataset: terms::DatasetId::new(),
                recipient: "recipient".to_owned(),
                package: "again".to_owned(),
                sha256: Hex32([0; 32]),
            },
        );
    });
    let stray = |place: &'static str| {
        move |house: &House| {
            let path = house.instance().join(place);
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            fs::write(path, "x").expect("written");
        }
    };
    found("a stray file of the lake", &stray("lake/measurement/1319999991/0190aaaa-0000-7000-8000-000000000000.parquet"));
    found("a stray sealed file", &stray("sealed/0190aaaa-0000-7000-8000-000000000000.azk"));
    found("a stray package", &stray("packages/left.azp/manifest.p7m"));
    found("a package that nobody finished", &stray("pending/recipient/left.azp.new/manifest.p7m"));
    found("a stray file of the instance", &stray("keyring.azk.new"));
    found("a receipt that is not there", &|house| {
        fs::remove_dir_all(house.instance().join(format!("outbox/{PROVIDER}/receipt-000001.azp"))).expect("removed");
    });
    found("a byte that was changed", &|house| {
        let dir = house.instance().join("outbox/recipient");
        let package = fs::read_dir(dir).expect("listable").next().expect("a package").expect("an entry").path();
        let path = package.join("payload-0001.p7m");
        let mut bytes = fs::read(&path).expect("readable");
        bytes[1_000] ^= 1;
        fs::write(path, bytes).expect("written");
    });
}

/// Edits the ledger of a house as somebody with its key could.
fn edit(house: &House, statement: &'static str) {
    on(house, Mode::Reader, async |instance| {
        use sqlx::Connection as _;
        let mut sql = state::connect(&instance, &house.instance()).await;
        let done = sqlx::query(statement).execute(&mut sql).await.expect(statement);
        assert!(done.rows_affected() > 0, "{statement}");
        sql.close().await.expect("closed");
        instance.ledger.close().await;
    });
}

/// Says one more event, as a program with a fault could.
fn say(house: &House, event: Event) {
    on(house, Mode::Writer, async |instance| {
        let mut tx = instance.ledger.begin(&instance.actor, "sabotage").await.expect("a transaction");
        tx.emit(event).expect("said");
        tx.commit().await.expect("committed");
        instance.ledger.close().await;
    });
}

fn on(house: &House, mode: Mode, work: impl AsyncFnOnce(Instance)) {
    let passphrase = Passphrase::from_file(&house.path().join("pass")).expect("a passphrase");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let actor = "tester".parse().expect("an actor");
        work(Instance::open(&house.instance(), &passphrase, mode, actor).await.expect("an instance")).await;
    });
}
