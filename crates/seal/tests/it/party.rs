//! Parties for tests: a key, a certificate, and their PEM files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use seal::{Certificate, Identity};
use tempfile::TempDir;

pub struct Party {
    pub identity: Identity,
    pub key: PathBuf,
    pub cert: PathBuf,
    _dir: TempDir,
}

impl Party {
    pub fn certificate(&self) -> &Certificate {
        self.identity.certificate()
    }
}

fn make(name: &str, kind: &[&str]) -> Party {
    let dir = tempfile::tempdir().expect("a directory");
    let (key, cert) = (dir.path().join("key.pem"), dir.path().join("cert.pem"));
    let subject = format!("/CN={name}");
    let mut args = vec!["req", "-x509", "-nodes", "-days", "30", "-subj", &subject, "-keyout", path(&key), "-out", path(&cert)];
    args.extend(kind);
    openssl(&args);
    let identity = Identity::from_files(&key, &cert, None).expect("a key and its certificate");
    Party { identity, key, cert, _dir: dir }
}

/// The hospital.
pub fn sender() -> &'static Party {
    static PARTY: OnceLock<Party> = OnceLock::new();
    PARTY.get_or_init(|| make("sender", &["-newkey", "rsa:3072"]))
}

/// The producer.
pub fn recipient() -> &'static Party {
    static PARTY: OnceLock<Party> = OnceLock::new();
    PARTY.get_or_init(|| make("recipient", &["-newkey", "rsa:3072"]))
}

/// Someone with an elliptic key.
pub fn elliptic() -> &'static Party {
    static PARTY: OnceLock<Party> = OnceLock::new();
    PARTY.get_or_init(|| make("elliptic", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]))
}

pub fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Runs the real program, which must succeed.
pub fn openssl(args: &[&str]) {
    let out = try_openssl(args);
    assert!(out.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

pub fn try_openssl(args: &[&str]) -> Output {
    Command::new("openssl").args(args).output().expect("the openssl program")
}
