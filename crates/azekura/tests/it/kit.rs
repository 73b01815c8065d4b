//! A house to test: an instance, its parties, packages, and the real program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock, PoisonError};

use package::tree::TarWriter;
use package::{Draft, Period, Purpose, Writer};
use seal::{Certificate, Identity};
use serde_json::Value;
use tempfile::TempDir;

pub const PROVIDER: &str = "1319999991";
pub const AZEKURA: &str = env!("CARGO_BIN_EXE_azekura");

/// A key with its certificate.
pub struct Party {
    pub key: PathBuf,
    pub cert: PathBuf,
    pub identity: Identity,
}

struct Keys {
    dir: TempDir,
    made: Mutex<()>,
}

/// The party of this name: made once for all tests, valid for `days` from now.
pub fn party(name: &str, days: &str) -> Party {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    let keys = KEYS.get_or_init(|| Keys { dir: tempfile::tempdir().expect("a directory"), made: Mutex::new(()) });
    let _one = keys.made.lock().unwrap_or_else(PoisonError::into_inner);
    let at = |ending: &str| keys.dir.path().join(format!("{name}.{ending}"));
    let (key, cert, request) = (at("key"), at("pem"), at("csr"));
    if !cert.exists() {
        let subject = format!("/CN={name}");
        openssl(&["req", "-newkey", "rsa:3072", "-nodes", "-subj", &subject, "-keyout", text(&key), "-out", text(&request)]);
        openssl(&["x509", "-req", "-in", text(&request), "-signkey", text(&key), "-days", days, "-out", text(&cert)]);
    }
    let identity = Identity::from_files(&key, &cert, None).expect("a key and its certificate");
    Party { key, cert, identity }
}

pub fn hospital() -> Party {
    party("hospital", "30")
}

fn openssl(args: &[&str]) {
    let out = Command::new("openssl").args(args).output().expect("openssl");
    assert!(out.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The samples of the project.
pub fn samples(which: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/ssmix2").join(which)
}

/// Everything that names a patient of [`samples`] `synthetic-twins`: no program may print it.
pub const IDS: [&str; 3] = ["5072922811", "5073262811", "5073268075"];

/// What the program said.
pub struct Said {
    pub status: Option<i32>,
    pub json: Value,
    pub all: String,
}

impl Said {
    fn of(out: &Output) -> Said {
        let stdout = String::from_utf8_lossy(&out.stdout).into_owned();
        let json = serde_json::from_str(stdout.trim()).unwrap_or(Value::Null);
        Said { status: out.status.code(), json, all: stdout + &String::from_utf8_lossy(&out.stderr) }
    }

    /// The code of the refusal of a whole command.
    pub fn refused(&self) -> &str {
        assert_eq!(self.status, Some(1), "{}", self.all);
        self.json["error"].as_str().unwrap_or_else(|| panic!("no code: {}", self.all))
    }

    pub fn done(self) -> Value {
        assert_eq!(self.status, Some(0), "{}", self.all);
        self.json
    }
}

/// An instance in a directory of its own.
pub struct House {
    dir: TempDir,
    said: Mutex<String>,
}

/// Where houses stand: in memory where there is such a place, for what counts is the order of what is synced, and the
/// simulation of a power loss keeps the books about that.
fn roomy() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

impl House {
    /// An instance with a provider, a recipient, two officers and three members.
    pub fn new() -> House {
        static FIRST: OnceLock<House> = OnceLock::new();
        FIRST.get_or_init(House::furnished).copy()
    }

    fn furnished() -> House {
        let house = House::empty();
        house.run(&["init", "--passphrase-is-key", text(&house.instance())]).done();
        house.furnish();
        house
    }

    /// A place for an instance.
    pub fn empty() -> House {
        let house = House { dir: tempfile::tempdir_in(roomy()).expect("a directory"), said: Mutex::default() };
        // A random key of 256 bits: opening the keyring is cheap then.
        let mut key = [0; 32];
        openssl::rand::rand_bytes(&mut key).expect("random bytes");
        fs::write(house.dir.path().join("pass"), hex::encode(key) + "\n").expect("written");
        house
    }

    /// Registers a provider, a recipient, two officers and three members.
    pub fn furnish(&self) {
        let house = self;
        let add = |kind: &str, id: &str, cert: &Path| {
            house.run(&[kind, "add", "--instance", text(&house.instance()), "--id", id, "--cert", text(cert)]).done()
        };
        add("provider", PROVIDER, &hospital().cert);
        add("recipient", "recipient", &party("recipient", "30").cert);
        for officer in ["officer-1", "officer-2"] {
            add("officer", officer, &party(officer, "30").cert);
        }
        for member in ["member-1", "member-2", "member-3"] {
            add("member", member, &party(member, "30").cert);
        }
    }

    /// The same instance once more, elsewhere.
    pub fn copy(&self) -> House {
        let dir = tempfile::tempdir_in(roomy()).expect("a directory");
        let done = Command::new("cp").arg("-a").arg(self.dir.path().join(".")).arg(dir.path()).status().expect("cp");
        assert!(done.success());
        House { dir, said: Mutex::default() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Where a file of that name is in the house's folder, as an argument.
    pub fn at(&self, name: &str) -> String {
        text(&self.path().join(name)).to_owned()
    }

    /// Writes a file in the house's folder.
    pub fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path().join(name), content).expect("written");
    }

    /// Reads a file in the house's folder.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).expect("read")
    }

    pub fn instance(&self) -> PathBuf {
        self.dir.path().join("instance")
    }

    /// A command, ready to run.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(AZEKURA);
        command.arg("--json").args(args).env("AZEKURA_PASSPHRASE_FILE", self.dir.path().join("pass")).env("USER", "tester");
        command
    }

    /// Runs a command as it stands.
    pub fn run(&self, args: &[&str]) -> Said {
        let said = Said::of(&self.command(args).output().expect("the program"));
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push_str(&said.all);
        said
    }

    /// Runs a command on this instance.
    pub fn on(&self, args: &[&str]) -> Said {
        self.run(&self.with_instance(args))
    }

    /// The arguments with the instance behind them.
    pub fn with_instance<'a>(&self, args: &[&'a str]) -> Vec<&'a str> {
        let instance: &'static str = Box::leak(text(&self.instance()).to_owned().into_boxed_str());
        args.iter().copied().chain(["--instance", instance]).collect()
    }

    /// Waits until the instance, which this process had open itself, is free: a program that another test is just starting holds a copy of the lock
    /// until it has begun.
    pub fn let_go(&self) {
        let lock = self.instance().join("lock");
        for _ in 0..200 {
            if durable::Lock::exclusive(&lock).expect("a lock").is_some() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the instance stays locked");
    }

    /// All that any command said.
    pub fn all_said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notice to these patients from a day long past, with a contact each.
    pub fn notified(&self, patients: &[&str]) {
        self.notified_at(PROVIDER, patients);
    }

    /// The same at some provider.
    pub fn notified_at(&self, provider: &str, patients: &[&str]) {
        let list = self.dir.path().join(format!("contacts-{provider}.csv"));
        let rows: String = patients.iter().map(|p| format!("{p},2026-04-10,person,visit\n")).collect();
        fs::write(&list, format!("patient,date,addressee,method\n{rows}")).expect("written");
        let scope = "anonymized,pseudonymized";
        self.on(&["notice", "add", "--provider", provider, "--scope", scope, "--from", "2026-04-01", "--contacts", text(&list)])
            .done();
    }

    pub fn intake(&self) -> Certificate {
        Certificate::from_file(&self.instance().join("certificates/intake.pem")).expect("a certificate")
    }

    /// A package of what `fill` writes.
    pub fn package(&self, sequence: u64, fill: impl FnOnce(&mut dyn std::io::Write)) -> PathBuf {
        self.package_by(&hospital(), PROVIDER, &self.intake(), sequence, fill)
    }

    pub fn package_by(
        &self,
        sender: &Party,
        id: &str,
        to: &Certificate,
        sequence: u64,
        fill: impl FnOnce(&mut dyn std::io::Write),
    ) -> PathBuf {
        let mut writer = self.writer(id, to, sequence, "ssmix2");
        writer
            .add_payload(|w| {
                fill(w);
                Ok::<(), package::PackageError>(())
            })
            .expect("a payload");
        writer.finish(&sender.identity).expect("finished").path
    }

    /// A package of files of some kind.
    pub fn package_of(&self, kind: &str, sequence: u64, files: &[(String, Vec<u8>)]) -> PathBuf {
        self.payloads_of(kind, sequence, &[files.to_vec()])
    }

    /// The same by some hospital.
    pub fn package_from(&self, sender: &Party, id: &str, kind: &str, sequence: u64, files: &[(String, Vec<u8>)]) -> PathBuf {
        let mut writer = self.writer(id, &self.intake(), sequence, kind);
        let fill = |w: &mut dyn std::io::Write| {
            tar(w, files);
            Ok::<(), package::PackageError>(())
        };
        writer.add_payload(fill).expect("a payload");
        writer.finish(&sender.identity).expect("finished").path
    }

    /// The same by a sender who says that whoever said no there is left out.
    pub fn package_filtered(&self, kind: &str, sequence: u64, files: &[(String, Vec<u8>)]) -> PathBuf {
        self.package_counting(kind, sequence, files, &[(package::FILTERED, 1)])
    }

    /// A package whose manifest has counts.
    pub fn package_counting(&self, kind: &str, sequence: u64, files: &[(String, Vec<u8>)], counts: &[(&str, u64)]) -> PathBuf {
        let mut writer = self.writer(PROVIDER, &self.intake(), sequence, kind);
        let fill = |w: &mut dyn std::io::Write| {
            tar(w, files);
            Ok::<(), package::PackageError>(())
        };
        writer.add_payload(fill).expect("a payload");
        counts.iter().for_each(|(name, count)| writer.count(name, *count));
        writer.finish(&hospital().identity).expect("finished").path
    }

    fn writer(&self, id: &str, to: &Certificate, sequence: u64, kind: &str) -> Writer {
        let out = tempfile::tempdir_in(self.dir.path()).expect("a directory").keep();
        let date = |d: &str| d.parse().expect("a date");
        let draft = Draft {
            purpose: Purpose::Provision,
            sender: id.to_owned(),
            sequence,
            kind: kind.to_owned(),
            period: Period { from: date("2019-01-01"), to: date("2026-09-30") },
            dataset: None,
        };
        Writer::create(&out, &format!("{id}-{sequence:06}"), draft, to).expect("a package")
    }

    /// A package with a payload for each of these trees.
    pub fn payloads(&self, sequence: u64, trees: &[Vec<(String, Vec<u8>)>]) -> PathBuf {
        self.payloads_of("ssmix2", sequence, trees)
    }

    /// The same of some kind.
    pub fn payloads_of(&self, kind: &str, sequence: u64, trees: &[Vec<(String, Vec<u8>)>]) -> PathBuf {
        let mut writer = self.writer(PROVIDER, &self.intake(), sequence, kind);
        for files in trees {
            let fill = |w: &mut dyn std::io::Write| {
                tar(w, files);
                Ok::<(), package::PackageError>(())
            };
            writer.add_payload(fill).expect("a payload");
        }
        writer.finish(&hospital().identity).expect("finished").path
    }

    /// A package of a tree of files.
    pub fn tree(&self, sequence: u64, files: &[(String, Vec<u8>)]) -> PathBuf {
        self.package(sequence, |w| tar(w, files))
    }

    /// Receives packages; what became of each.
    pub fn receive(&self, packages: &[&Path]) -> Vec<Value> {
        let mut args = vec!["receive"];
        args.extend(packages.iter().map(|p| text(p)));
        let said = self.on(&args);
        let all = said.json.as_array().unwrap_or_else(|| panic!("{}", said.all)).clone();
        let good = all.iter().all(|r| r["state"] == "accepted");
        assert_eq!(said.status, Some(if good { 0 } else { 1 }), "{}", said.all);
        all
    }

    /// Rows of an answer.
    pub fn sql(&self, statement: &str) -> Vec<Value> {
        self.on(&["sql", "--purpose", "a test", statement]).done().as_array().expect("rows").clone()
    }

    /// How many rows each table shows, and a sum over what is in them that no order and no id changes.
    pub fn rows(&self) -> Vec<(String, String)> {
        let each = TABLES.map(|t| format!("select '{t}' as t, count(*) as n from {t}"));
        let rows = self.sql(&format!("select t, n from ({}) order by t", each.join(" union all ")));
        rows.iter().map(|r| (r["t"].as_str().unwrap_or("").to_owned(), r["n"].to_string())).collect()
    }

    pub fn count(&self, table: &str) -> u64 {
        self.rows().iter().find(|(t, _)| t == table).and_then(|(_, n)| n.parse().ok()).expect("a count")
    }

    /// Words and details of all entries of the journal.
    pub fn journal(&self) -> Vec<Value> {
        self.on(&["journal", "show", "--most", "100000"]).done().as_array().expect("entries").clone()
    }

    /// Whether some entry says this code.
    pub fn journalled(&self, code: &str) -> bool {
        self.journal().iter().any(|e| e["detail"].to_string().contains(&format!("\"{code}\"")))
    }

    pub fn faults(&self) -> Vec<String> {
        let found = self.on(&["journal", "verify"]);
        let faults: Vec<String> =
            found.json["faults"].as_array().expect("faults").iter().map(|f| f.as_str().unwrap_or("").to_owned()).collect();
        assert_eq!(found.status, Some(i32::from(!faults.is_empty())), "{}", found.all);
        faults
    }

    /// A data set, applied for and reviewed.
    pub fn planned(&self) -> String {
        self.planned_with(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/pseudonymized.toml"))
    }

    /// The same by another profile.
    pub fn planned_with(&self, profile: &Path) -> String {
        let id = self.on(&["dataset", "plan", "--profile", text(profile)]).done()["id"].as_str().expect("an id").to_owned();
        for member in ["member-1", "member-2", "member-3"] {
            let m = party(member, "30");
            let cert = m.cert.clone();
            self.on(&["dataset", "review", &id, "--decision", "approve", "--key", text(&m.key), "--cert", text(&cert)]).done();
        }
        id
    }

    pub fn make(&self, id: &str) -> Value {
        self.on(&["dataset", "make", id]).done()
    }

    pub fn approve(&self, id: &str) {
        for officer in ["officer-1", "officer-2"] {
            let o = party(officer, "30");
            self.on(&["dataset", "approve", id, "--key", text(&o.key), "--cert", text(&o.cert)]).done();
        }
    }

    pub fn dataset_state(&self, id: &str) -> String {
        let all = self.on(&["dataset", "list"]).done();
        let row = all.as_array().and_then(|a| a.iter().find(|d| d["id"] == id)).cloned().expect("the data set");
        row["state"].as_str().expect("a state").to_owned()
    }

    /// A delivered package or receipt, opened: names and contents of its files.
    pub fn open(&self, package: &Path, recipient: &Party) -> Vec<(String, Vec<u8>)> {
        let producer = Certificate::from_file(&self.instance().join("certificates/signing.pem")).expect("a certificate");
        let opened = package::open_manifest(package, std::slice::from_ref(&recipient.identity), &producer).expect("opens");
        let mut files = Vec::new();
        for entry in &opened.manifest.payloads {
            let mut reader = package::payload_reader(package, entry, &recipient.identity).expect("opens");
            package::tree::walk_tar::<package::PackageError>(&mut reader, &Default::default(), &mut |member| {
                let mut content = Vec::new();
                member.content.read_to_end(&mut content)?;
                files.push((member.path.to_owned(), content));
                Ok(())
            })
            .expect("holds");
        }
        files
    }

    pub fn receipt(&self, sequence: u64) -> (Value, String) {
        let place = self.instance().join(format!("outbox/{PROVIDER}/receipt-{sequence:06}.azp"));
        let files = self.open(&place, &hospital());
        let of = |name: &str| files.iter().find(|(n, _)| n == name).map(|(_, c)| c.clone()).expect("a file of a receipt");
        let rejections = String::from_utf8(of("rejections.csv")).expect("text");
        (serde_json::from_slice(&of("receipt.json")).expect("json"), rejections)
    }
}

const TABLES: [&str; 8] = [
    "person",
    "visit_occurrence",
    "condition_occurrence",
    "drug_exposure",
    "measurement",
    "observation",
    "procedure_occurrence",
    "observation_period",
];

/// A tar of these files under `storage/`; lists stand beside it.
pub fn tar(to: &mut dyn std::io::Write, files: &[(String, Vec<u8>)]) {
    let mut tar = TarWriter::new(to);
    for (name, content) in files {
        tar.add_bytes(Path::new(name), content).expect("added");
    }
    tar.finish().expect("finished");
}

/// The files of a sample tree as they stand in a package, of the patients that are wanted.
pub fn files(root: &Path, wanted: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    collect(root, root, &mut all);
    all.retain(|(name, _)| wanted(name));
    all.sort();
    all
}

fn collect(root: &Path, dir: &Path, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(dir).expect("listable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, all);
        } else {
            let name = path.strip_prefix(root).expect("inside");
            all.push((format!("storage/{}", text(name)), fs::read(&path).expect("readable")));
        }
    }
}
/// Files with a patient id for another of the same length, in names and contents.
pub fn renamed(files: &[(String, Vec<u8>)], from: &str, to: &str) -> Vec<(String, Vec<u8>)> {
    assert_eq!(from.len(), to.len());
    let swap = |bytes: &[u8]| {
        let mut out = bytes.to_vec();
        for at in 0..out.len().saturating_sub(from.len() - 1) {
            if out[at..].starts_with(from.as_bytes()) {
                out[at..at + from.len()].copy_from_slice(to.as_bytes());
            }
        }
        out
    };
    let place = |id: &str| format!("{}/{}/{id}/", &id[..3], &id[3..6]);
    files
        .iter()
        .map(|(name, content)| {
            let name = name.replace(&place(from), &place(to)).replace(from, to);
            (name, swap(content))
        })
        .collect()
}
