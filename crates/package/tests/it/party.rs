//! Parties and packages for tests.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use package::{Draft, Finished, PackageError, Period, Purpose, Writer, tree};
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

    pub fn identities(&self) -> &[Identity] {
        std::slice::from_ref(&self.identity)
    }
}

fn make(name: &str, days: &str) -> Party {
    let dir = tempfile::tempdir().expect("a directory");
    let (key, cert) = (dir.path().join("key.pem"), dir.path().join("cert.pem"));
    let subject = format!("/CN={name}");
    let request = dir.path().join("request.pem");
    let args = ["req", "-newkey", "rsa:3072", "-nodes", "-subj", &subject];
    run("openssl", &[&args[..], &["-keyout", text(&key), "-out", text(&request)]].concat());
    // A period of a day less than none is how the program makes a certificate that has expired.
    let args = ["x509", "-req", "-in", text(&request), "-signkey", text(&key), "-days", days, "-out", text(&cert)];
    run("openssl", &args);
    let identity = Identity::from_files(&key, &cert, None).expect("a key and its certificate");
    Party { identity, key, cert, _dir: dir }
}

macro_rules! parties {
    ($($name:ident $days:literal),+) => { $(pub fn $name() -> &'static Party {
        static PARTY: OnceLock<Party> = OnceLock::new();
        PARTY.get_or_init(|| make(stringify!($name), $days))
    })+ };
}

parties!(hospital "30", producer "30", stranger "30", expired "-1");

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

pub fn run(program: &str, args: &[&str]) {
    let out = Command::new(program).args(args).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

pub fn draft() -> Draft {
    let day = |d| jiff::civil::date(2024, 4, d);
    Draft {
        purpose: Purpose::Provision,
        sender: "1319999991".to_owned(),
        sequence: 1,
        kind: "ssmix2".to_owned(),
        period: Period { from: day(1), to: day(30) },
        dataset: None,
    }
}

/// A tree whose files are larger and smaller than a block, a part and nothing.
pub fn a_tree(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("123/456/123456/-/ADT-00/empty".to_owned(), Vec::new()),
        ("123/456/123456/-/ADT-00/small".to_owned(), b"MSH|^~\\&|".to_vec()),
        ("123/456/123456/20240401/OML-11/block".to_owned(), vec![b'b'; 512]),
        ("900/000/9000000777/20240401/OML-11/large".to_owned(), (0..200_000u32).map(|i| (i * 7) as u8).collect()),
        (format!("900/000/9000000777/20240401/OML-11/{}", "n".repeat(180)), b"a long name".to_vec()),
        ("900/000/9000000777/20240401/所見/日本語".to_owned(), "名前".as_bytes().to_vec()),
    ];
    files.sort();
    for (name, content) in &files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, content).expect("written");
    }
    files
}

pub fn a_package(out: &Path, recipient: &Certificate, signer: &Identity) -> Result<Finished, PackageError> {
    let tree = tempfile::tempdir().expect("a directory");
    a_tree(tree.path());
    let mut writer = Writer::create(out, "1319999991-000001", draft(), recipient)?;
    writer.add_payload(|w: &mut dyn Write| tree::write_tar(tree.path(), |_| true, w))?;
    writer.count("files", 6);
    writer.finish(signer)
}

/// Everything of a payload, as the one who ingests it reads it.
pub fn read_payload(
    dir: &Path,
    entry: &package::PayloadEntry,
    identity: &Identity,
) -> Result<Vec<(String, Vec<u8>)>, PackageError> {
    let mut reader = package::payload_reader(dir, entry, identity)?;
    let mut files = Vec::new();
    tree::walk_tar::<PackageError>(&mut reader, &tree::Limits::default(), &mut |member| {
        let mut content = Vec::new();
        member.content.read_to_end(&mut content)?;
        files.push((member.path.to_owned(), content));
        Ok(())
    })?;
    Ok(files)
}
