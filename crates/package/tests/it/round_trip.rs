use std::fs;
use std::io::Write;

use package::{PackageError, Writer, open_manifest, payload_reader, tree};

use crate::party::{a_package, a_tree, draft, hospital, producer, read_payload, run, text};

// control: CRY-02
#[test]
fn what_the_hospital_sends_the_producer_reads_and_nothing_of_it_is_readable_on_the_way() {
    let out = tempfile::tempdir().expect("a directory");
    let made = a_package(out.path(), producer().certificate(), &hospital().identity).expect("made");
    assert_eq!(made.path, out.path().join("1319999991-000001.azp"));
    assert_eq!(fs::read_dir(out.path()).expect("listable").count(), 1, "nothing is left beside it");

    let opened = open_manifest(&made.path, producer().identities(), hospital().certificate()).expect("opens");
    assert_eq!(opened.manifest, made.manifest);
    assert_eq!(opened.manifest_sha256, made.manifest_sha256);
    let tree = tempfile::tempdir().expect("a directory");
    let files = read_payload(&made.path, &opened.manifest.payloads[0], &producer().identity).expect("reads");
    assert!(files == a_tree(tree.path()), "the same files in the order of their names");

    for entry in fs::read_dir(&made.path).expect("listable") {
        let bytes = fs::read(entry.expect("an entry").path()).expect("readable");
        for clear in [&b"1319999991"[..], b"MSH|", b"9000000777", b"ustar", "名前".as_bytes()] {
            assert!(!bytes.windows(clear.len()).any(|w| w == clear), "{clear:?} is readable");
        }
    }
}

#[test]
fn a_package_made_with_openssl_and_tar_alone_is_accepted() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    fs::create_dir_all(at("tree")).expect("made");
    let files = a_tree(&at("tree"));
    let package = at("hand.azp");
    fs::create_dir(&package).expect("made");
    let oaep = ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"];
    let encrypt = |from: &std::path::Path, to: &std::path::Path| {
        let head = ["cms", "-encrypt", "-binary", "-stream", "-aes-256-gcm", "-recip", text(&producer().cert)];
        run("openssl", &[&head[..], &oaep, &["-in", text(from), "-outform", "DER", "-out", text(to)]].concat());
    };
    for format in ["gnu", "pax", "posix"] {
        run("tar", &[&format!("--format={format}"), "-C", text(&at("tree")), "-cf", text(&at("plain.tar")), "."]);
        let payload = package.join("payload-0001.p7m");
        encrypt(&at("plain.tar"), &payload);
        let sha = |path: &std::path::Path| hex::encode(seal::hash::sha256(&fs::read(path).expect("readable")));
        let size = |path: &std::path::Path| fs::metadata(path).expect("there").len();
        let manifest = serde_json::json!({
            "format": "azekura-package/1", "purpose": "provision", "sender": "1319999991", "sequence": 1, "kind": "ssmix2",
            "recipient_key": producer().certificate().fingerprint().expect("a fingerprint"),
            "period": {"from": "2024-04-01", "to": "2024-04-30"}, "created": "2024-05-01T09:00:00+09:00",
            "payloads": [{
                "name": "payload-0001.p7m", "plain_size": size(&at("plain.tar")), "plain_sha256": sha(&at("plain.tar")),
                "cipher_size": size(&payload), "cipher_sha256": sha(&payload),
            }],
        });
        fs::write(at("manifest.json"), manifest.to_string()).expect("written");
        let signer = ["-signer", text(&hospital().cert), "-inkey", text(&hospital().key)];
        let (json, signed) = (at("manifest.json"), at("manifest.signed"));
        let sign = ["cms", "-sign", "-binary", "-nodetach", "-in", text(&json), "-outform", "DER", "-out", text(&signed)];
        run("openssl", &[&sign[..], &signer].concat());
        encrypt(&signed, &package.join("manifest.p7m"));

        let opened = open_manifest(&package, producer().identities(), hospital().certificate()).expect("opens");
        let mut read = read_payload(&package, &opened.manifest.payloads[0], &producer().identity).expect("reads");
        read.sort();
        assert!(read == files, "{format}");
    }
}

#[test]
fn a_package_with_several_payloads_holds_each_apart() {
    let out = tempfile::tempdir().expect("a directory");
    let mut writer = Writer::create(out.path(), "two", draft(), producer().certificate()).expect("begun");
    for n in 0..3u8 {
        writer
            .add_payload(|w: &mut dyn Write| -> Result<(), PackageError> {
                let mut tar = tree::TarWriter::new(w);
                tar.add_bytes(format!("file-{n}").as_ref(), &[n; 1000])?;
                tar.finish().map(drop)
            })
            .expect("added");
    }
    let made = writer.finish(&hospital().identity).expect("finished");
    for (n, entry) in made.manifest.payloads.iter().enumerate() {
        let files = read_payload(&made.path, entry, &producer().identity).expect("reads");
        assert_eq!(files, [(format!("file-{n}"), vec![n as u8; 1000])]);
    }
    // One in the place of the other is found, although both are ours and authentic.
    fs::rename(made.path.join("payload-0001.p7m"), made.path.join("x")).expect("moved");
    fs::rename(made.path.join("payload-0002.p7m"), made.path.join("payload-0001.p7m")).expect("moved");
    let exchanged = read_payload(&made.path, &made.manifest.payloads[0], &producer().identity);
    assert_eq!(exchanged.expect_err("refused").code(), "package-hash-mismatch");
}

#[test]
fn a_package_that_was_not_finished_leaves_nothing_and_a_crash_is_cleared_by_the_next() {
    let out = tempfile::tempdir().expect("a directory");
    let mut writer = Writer::create(out.path(), "p", draft(), producer().certificate()).expect("begun");
    let failed = writer.add_payload(|w: &mut dyn Write| -> Result<(), PackageError> {
        w.write_all(b"half")?;
        Err(PackageError::TreeChanged)
    });
    assert!(failed.is_err());
    drop(writer);
    assert_eq!(fs::read_dir(out.path()).expect("listable").count(), 0);

    fs::create_dir(out.path().join("1319999991-000001.azp.new")).expect("made");
    fs::write(out.path().join("1319999991-000001.azp.new/payload-0001.p7m"), "left by a crash").expect("written");
    let made = a_package(out.path(), producer().certificate(), &hospital().identity).expect("made");
    assert_eq!(fs::read_dir(out.path()).expect("listable").count(), 1);
    let again = a_package(out.path(), producer().certificate(), &hospital().identity);
    assert_eq!(again.expect_err("refused").code(), "package-exists");

    let mut writer = Writer::create_replacing(out.path(), "1319999991-000001", draft(), producer().certificate()).expect("begun");
    writer.add_payload(|w: &mut dyn Write| -> Result<(), PackageError> { Ok(w.write_all(&[0; 1024])?) }).expect("added");
    let replaced = writer.finish(&hospital().identity).expect("replaced");
    assert_eq!(replaced.path, made.path);
    assert_ne!(replaced.manifest_sha256, made.manifest_sha256);
    assert_eq!(fs::read_dir(out.path()).expect("listable").count(), 1);
    let empty =
        Writer::create(out.path(), "empty", draft(), producer().certificate()).expect("begun").finish(&hospital().identity);
    assert_eq!(empty.expect_err("refused").code(), "package-empty");
}

#[test]
fn a_payload_stream_ends_only_when_everything_held() {
    let out = tempfile::tempdir().expect("a directory");
    let made = a_package(out.path(), producer().certificate(), &hospital().identity).expect("made");
    let mut entry = made.manifest.payloads[0].clone();
    let read = |entry: &package::PayloadEntry| {
        let mut reader = payload_reader(&made.path, entry, &producer().identity)?;
        std::io::copy(&mut reader, &mut std::io::sink()).map_err(PackageError::from)
    };
    assert_eq!(read(&entry).expect("holds"), entry.plain_size);
    entry.plain_sha256 = "0".repeat(64);
    assert_eq!(read(&entry).expect_err("refused").code(), "package-hash-mismatch");
    entry.plain_size -= 1;
    assert_eq!(read(&entry).expect_err("refused").code(), "package-expanding");
    entry.plain_size += 2;
    assert_eq!(read(&entry).expect_err("refused").code(), "package-hash-mismatch");
}

#[test]
fn a_payload_that_is_read_again_is_held_to_its_tag_and_its_plaintext() {
    let out = tempfile::tempdir().expect("a directory");
    let made = a_package(out.path(), producer().certificate(), &hospital().identity).expect("made");
    let mut entry = made.manifest.payloads[0].clone();
    let cipher = fs::read(made.path.join(&entry.name)).expect("readable");
    let read = |cipher: &[u8], entry: &package::PayloadEntry| {
        let mut reader = package::payload_stream_again(cipher, entry, &producer().identity)?;
        std::io::copy(&mut reader, &mut std::io::sink()).map_err(PackageError::from)
    };
    // The hash of the ciphertext was held when it was read the first time.
    entry.cipher_sha256 = "0".repeat(64);
    assert_eq!(read(&cipher, &entry).expect("holds"), entry.plain_size);
    for at in [cipher.len() / 2, cipher.len() - 1] {
        let mut changed = cipher.clone();
        changed[at] ^= 1;
        assert!(read(&changed, &entry).is_err(), "byte {at}");
    }
    assert!(read(&cipher[..cipher.len() - 1], &entry).is_err(), "cut off");
    entry.plain_sha256 = "0".repeat(64);
    assert_eq!(read(&cipher, &entry).expect_err("refused").code(), "package-hash-mismatch");
}
