//! A hospital and a producer to test with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use seal::{Certificate, Identity};
use serde_json::Value;
use tempfile::TempDir;

pub struct Party {
    pub key: PathBuf,
    pub cert: PathBuf,
    pub identity: Identity,
    _dir: TempDir,
}

impl Party {
    pub fn certificate(&self) -> &Certificate {
        self.identity.certificate()
    }
}

fn make(name: &str, days: &str) -> Party {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    let (key, cert, request) = (at("key.pem"), at("cert.pem"), at("request.pem"));
    let subject = format!("/CN={name}");
    let args = ["req", "-newkey", "rsa:3072", "-nodes", "-subj", &subject, "-keyout", text(&key), "-out", text(&request)];
    run("openssl", &args);
    // A period of a day less than none is how the program makes a certificate that has expired.
    run("openssl", &["x509", "-req", "-in", text(&request), "-signkey", text(&key), "-days", days, "-out", text(&cert)]);
    let identity = Identity::from_files(&key, &cert, None).expect("a key and its certificate");
    Party { key, cert, identity, _dir: dir }
}

macro_rules! parties {
    ($($name:ident $days:literal),+) => { $(pub fn $name() -> &'static Party {
        static PARTY: OnceLock<Party> = OnceLock::new();
        PARTY.get_or_init(|| make(stringify!($name), $days))
    })+ };
}

parties!(hospital "30", producer "30", expired "-1");

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

pub fn run(program: &str, args: &[&str]) {
    let out = Command::new(program).args(args).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// One SS-MIX2 file.
pub fn file(tree: &Path, patient: &str, content: &str) -> PathBuf {
    let dir = tree.join(&patient[..3]).join(&patient[3..6]).join(patient).join("20240602/OML-11");
    fs::create_dir_all(&dir).expect("made");
    let path = dir.join(format!("{patient}_20240602_OML-11_000000000001301_20240602120000005_09_1"));
    fs::write(&path, content).expect("written");
    path
}

pub fn command(tree: &Path, out: &Path) -> Command {
    let (hospital, producer) = (hospital(), producer());
    let mut command = Command::new(env!("CARGO_BIN_EXE_azekura-send"));
    command.args([
        "--provider",
        "1319999991",
        "--sequence",
        "1",
        "--kind",
        "ssmix2",
        "--period",
        "2024-04-01/2024-06-30",
        "--json",
    ]);
    command.args(["--key", text(&hospital.key), "--cert", text(&hospital.cert), "--to", text(&producer.cert)]);
    command.args(["--out", text(out), text(tree)]).env("LANG", "C.UTF-8");
    command
}

pub fn json(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {out:?}"))
}

/// Runs it; the result must be a package.
pub fn sent(command: &mut Command) -> Value {
    let out = command.output().expect("the program");
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    json(&out)
}

/// Runs it; the code of its refusal.
pub fn refused(command: &mut Command) -> String {
    let out = command.output().expect("the program");
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    json(&out)["code"].as_str().expect("a code").to_owned()
}
