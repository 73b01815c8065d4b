//! Each way in which a package can be wrong has its own reason.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use package::{PackageError, SealedManifest, Writer, open_manifest};
use seal::cms;

use crate::party::{a_package, draft, expired, hospital, producer, read_payload, stranger};

fn good(out: &Path) -> PathBuf {
    a_package(out, producer().certificate(), &hospital().identity).expect("made").path
}

/// The code with which a package as a whole is refused, or `accepted`.
fn outcome(package: &Path) -> &'static str {
    let read = || -> Result<(), PackageError> {
        let opened = open_manifest(package, producer().identities(), hospital().certificate())?;
        for entry in &opened.manifest.payloads {
            read_payload(package, entry, &producer().identity)?;
        }
        Ok(())
    };
    read().map_or_else(|error| error.code(), |()| "accepted")
}

// control: TEC-21
#[test]
fn every_spoilt_package_is_refused_with_its_own_reason() {
    let out = tempfile::tempdir().expect("a directory");
    let spoilt = |name: &str, spoil: &dyn Fn(&Path)| {
        let dir = out.path().join(name);
        let package = good(&dir);
        assert_eq!(outcome(&package), "accepted");
        spoil(&package);
        outcome(&package)
    };
    let change = |file: &'static str, at: fn(usize) -> usize| {
        move |package: &Path| {
            let path = package.join(file);
            let mut bytes = fs::read(&path).expect("readable");
            let at = at(bytes.len());
            bytes[at] ^= 0x10;
            fs::write(&path, bytes).expect("written");
        }
    };
    let cut = |file: &'static str| {
        move |package: &Path| {
            let bytes = fs::read(package.join(file)).expect("readable");
            fs::write(package.join(file), &bytes[..bytes.len() / 2]).expect("written");
        }
    };
    assert_eq!(spoilt("bit", &change("payload-0001.p7m", |n| n / 2)), "package-tag-mismatch");
    // In the first header of the archive, where it is met as a broken checksum long before the tag.
    let head = |_| 900;
    assert_eq!(spoilt("header", &change("payload-0001.p7m", head)), "package-tag-mismatch");
    assert_eq!(spoilt("tag", &change("payload-0001.p7m", |n| n - 10)), "package-tag-mismatch");
    assert_eq!(spoilt("manifest-bit", &change("manifest.p7m", |n| n / 2)), "package-tag-mismatch");
    assert_eq!(spoilt("cut", &cut("payload-0001.p7m")), "package-truncated");
    assert_eq!(spoilt("manifest-cut", &cut("manifest.p7m")), "package-truncated");
    let longer = |package: &Path| {
        let path = package.join("payload-0001.p7m");
        let bytes = [fs::read(&path).expect("readable"), vec![0; 5]].concat();
        fs::write(path, bytes).expect("written");
    };
    assert_eq!(spoilt("longer", &longer), "package-hash-mismatch");
    let missing = |package: &Path| fs::remove_file(package.join("payload-0001.p7m")).expect("removed");
    assert_eq!(spoilt("missing", &missing), "package-payload-missing");
    let surplus = |package: &Path| fs::write(package.join("payload-0002.p7m"), "x").expect("written");
    assert_eq!(spoilt("surplus", &surplus), "package-undeclared");
    let no_manifest = |package: &Path| fs::remove_file(package.join("manifest.p7m")).expect("removed");
    assert_eq!(spoilt("no-manifest", &no_manifest), "package-not-a-package");
    let linked = |package: &Path| {
        let path = package.join("payload-0001.p7m");
        let away = package.with_file_name("away");
        fs::rename(&path, &away).expect("moved");
        symlink(&away, &path).expect("linked");
    };
    assert_eq!(spoilt("linked", &linked), "package-undeclared");
    let garbage = |package: &Path| fs::write(package.join("manifest.p7m"), vec![0xA5; 3000]).expect("written");
    assert_eq!(spoilt("garbage", &garbage), "package-malformed");
}

#[test]
fn a_payload_swapped_for_one_that_is_sealed_to_us_as_well_is_refused() {
    let out = tempfile::tempdir().expect("a directory");
    let package = good(out.path());
    let path = package.join("payload-0001.p7m");
    let size = fs::metadata(&path).expect("there").len() as usize;
    let overhead = cms::encrypt_small(b"", producer().certificate()).expect("sealed").len();
    // Same size, right recipient, right tag: only the signed hash tells.
    let forged = (size - overhead - 40..size - overhead)
        .map(|n| cms::encrypt_small(&vec![0; n], producer().certificate()).expect("sealed"))
        .find(|sealed| sealed.len() == size);
    fs::write(&path, forged.expect("one of the size")).expect("written");
    assert!(["package-hash-mismatch", "package-expanding", "package-not-tar", "package-empty"].contains(&outcome(&package)));
}

// control: INT-05
#[test]
fn wrong_people_and_wrong_times_are_refused_with_their_own_reason() {
    let out = tempfile::tempdir().expect("a directory");
    let at = |name: &str| out.path().join(name);
    let by_stranger = a_package(&at("stranger"), producer().certificate(), &stranger().identity).expect("made").path;
    assert_eq!(outcome(&by_stranger), "package-signer-wrong");
    let for_stranger = a_package(&at("for-stranger"), stranger().certificate(), &hospital().identity).expect("made").path;
    assert_eq!(outcome(&for_stranger), "package-not-for-us");
    let signed_late = a_package(&at("late"), producer().certificate(), &expired().identity);
    assert_eq!(signed_late.expect_err("refused").code(), "package-certificate-expired");
    let sealed_late = a_package(&at("late"), expired().certificate(), &hospital().identity);
    assert_eq!(sealed_late.expect_err("refused").code(), "package-certificate-expired");

    let package = good(&at("good"));
    let sealed = SealedManifest::open(&package, producer().identities()).expect("opens");
    assert_eq!(sealed.claimed_sender(), "1319999991");
    let later = Timestamp::now() + SignedDuration::from_hours(24 * 60);
    let refused = sealed.verify_at(hospital().certificate(), later);
    assert_eq!(refused.expect_err("refused").code(), "package-certificate-expired");
}

#[test]
fn a_signed_manifest_that_was_sealed_anew_to_somebody_else_is_refused() {
    let out = tempfile::tempdir().expect("a directory");
    let package = good(out.path());
    // The producer passes the hospital's signed manifest on to the stranger as if it had been meant for them.
    let path = package.join("manifest.p7m");
    let signed = cms::decrypt_small(&fs::read(&path).expect("readable"), &producer().identity, 1 << 20).expect("opens");
    fs::write(&path, cms::encrypt_small(&signed, stranger().certificate()).expect("sealed")).expect("written");
    let refused = open_manifest(&package, stranger().identities(), hospital().certificate());
    assert_eq!(refused.expect_err("refused").code(), "package-wrong-recipient");
}

#[test]
fn one_of_several_keys_opens_and_a_manifest_that_lies_about_its_form_is_refused() {
    let out = tempfile::tempdir().expect("a directory");
    let package = good(out.path());
    let keys = [stranger().identity.clone(), producer().identity.clone()];
    assert_eq!(open_manifest(&package, &keys, hospital().certificate()).expect("opens").key, 1);

    let signed = cms::sign(b"{\"format\":\"azekura-package/1\"}", &hospital().identity).expect("signed");
    let sealed = cms::encrypt_small(&signed, producer().certificate()).expect("sealed");
    fs::write(package.join("manifest.p7m"), sealed).expect("written");
    assert_eq!(outcome(&package), "package-manifest-malformed");
}

#[test]
fn a_place_that_is_no_package_is_refused() {
    let out = tempfile::tempdir().expect("a directory");
    let package = good(out.path());
    let other = out.path().join("other-name");
    fs::rename(&package, &other).expect("moved");
    assert_eq!(outcome(&other), "package-not-a-package");
    let link = out.path().join("link.azp");
    symlink(&other, &link).expect("linked");
    assert_eq!(outcome(&link), "package-not-a-package");
    fs::write(out.path().join("file.azp"), "x").expect("written");
    assert_eq!(outcome(&out.path().join("file.azp")), "package-not-a-package");
    assert_eq!(outcome(&out.path().join("none.azp")), "package-file");
    drop(Writer::create(out.path(), "unfinished", draft(), producer().certificate()));
}
