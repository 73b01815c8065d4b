//! A producer, a researcher, and data sets on their way.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use package::tree::TarWriter;
use package::{Draft, PackageError, Period, Purpose, Writer};
use seal::Identity;
use serde_json::Value;
use tempfile::TempDir;

pub struct Party {
    pub key: PathBuf,
    pub cert: PathBuf,
    pub identity: Identity,
    _dir: TempDir,
}

fn make(name: &str) -> Party {
    let dir = tempfile::tempdir().expect("a directory");
    let (key, cert) = (dir.path().join("key.pem"), dir.path().join("cert.pem"));
    let subject = format!("/CN={name}");
    let args = [
        "req",
        "-x509",
        "-newkey",
        "rsa:3072",
        "-nodes",
        "-days",
        "30",
        "-subj",
        &subject,
        "-keyout",
        text(&key),
        "-out",
        text(&cert),
    ];
    let out = Command::new("openssl").args(args).output().expect("the openssl program");
    assert!(out.status.success(), "{out:?}");
    let identity = Identity::from_files(&key, &cert, None).expect("a key and its certificate");
    Party { key, cert, identity, _dir: dir }
}

macro_rules! parties {
    ($($name:ident),+) => { $(pub fn $name() -> &'static Party {
        static PARTY: OnceLock<Party> = OnceLock::new();
        PARTY.get_or_init(|| make(stringify!($name)))
    })+ };
}

parties!(producer, researcher, stranger);

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// What writes a payload.
pub type Payload<'a> = &'a dyn Fn(&mut dyn Write) -> Result<(), PackageError>;

/// A data set for the researcher, of what `write` puts into its payloads.
pub fn data_set(out: &Path, payloads: &[Payload<'_>]) -> PathBuf {
    let day = jiff::civil::date(2024, 4, 1);
    let draft = Draft {
        purpose: Purpose::Dataset,
        sender: "producer".to_owned(),
        sequence: 1,
        kind: "omop".to_owned(),
        period: Period { from: day, to: day },
        dataset: Some("0190a6a0-0000-7000-8000-000000000001".to_owned()),
    };
    let mut writer = Writer::create(out, "data-set", draft, researcher().identity.certificate()).expect("begun");
    for write in payloads {
        writer.add_payload(|w: &mut dyn Write| write(w)).expect("added");
    }
    writer.finish(&producer().identity).expect("finished").path
}

/// A payload of plain files.
pub fn files(files: &'static [(&str, &str)]) -> impl Fn(&mut dyn Write) -> Result<(), PackageError> {
    move |w| {
        let mut tar = TarWriter::new(w);
        for (name, content) in files {
            tar.add_bytes(name.as_ref(), content.as_bytes())?;
        }
        tar.finish().map(drop)
    }
}

pub fn command(package: &Path, party: &Party, from: &Party, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_azekura-open"));
    command.arg(package).args(["--key", text(&party.key), "--cert", text(&party.cert), "--from", text(&from.cert)]);
    command.args(["--out", text(out), "--json"]).env("LANG", "C.UTF-8");
    command
}

pub fn json(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {out:?}"))
}

/// The code with which it is refused, or `opened`. Nothing may be left where the content would be.
pub fn outcome(package: &Path, party: &Party, from: &Party) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let out = command(package, party, from, &dir.path().join("out")).output().expect("the program");
    if out.status.success() {
        return "opened".to_owned();
    }
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert_eq!(fs::read_dir(dir.path()).expect("listable").count(), 0, "something was left behind");
    json(&out)["code"].as_str().expect("a code").to_owned()
}
