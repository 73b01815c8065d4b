use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use seal::{Kdf, KeyScope, Keyring, KeyringOptions, Passphrase, SealError, cms};
use terms::AssetId;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).expect("usable")
}

fn make(path: &Path) -> Keyring {
    let options = KeyringOptions { kdf: Kdf::LIGHT, ..KeyringOptions::default() };
    Keyring::create_with(path, &passphrase("correct horse"), &options).expect("made")
}

fn open(path: &Path) -> Keyring {
    Keyring::open(path, &passphrase("correct horse")).expect("opens")
}

fn scope(text: &str) -> KeyScope {
    text.parse().expect("a scope")
}

#[test]
fn a_keyring_opens_again_with_everything_in_it_and_only_with_its_passphrase() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keyring.azk");
    let made = make(&path);
    let asset = AssetId::new();
    let (key, wrapped) = made.new_data_key(&scope("clinical/1319999991"), asset).expect("a key");

    let again = open(&path);
    assert_eq!(again.open_data_key(asset, &wrapped).expect("opens").bytes(), key.bytes());
    assert_eq!(again.ledger_key(), made.ledger_key());
    assert_eq!(again.journal_seed(), made.journal_seed());
    assert_ne!(*again.journal_seed(), *again.ledger_key());
    assert_eq!(again.hmac("patient", b"1").expect("hashed"), made.hmac("patient", b"1").expect("hashed"));
    assert_eq!(again.producer().expect("a producer").certificate(), made.producer().expect("a producer").certificate());

    let wrong = Keyring::open(&path, &passphrase("wrong horse"));
    assert!(matches!(wrong, Err(SealError::WrongPassphrase { .. })));
    assert!(matches!(Keyring::create(&path, &passphrase("x")), Err(SealError::KeyringExists { .. })));
}

// control: CRY-01
#[test]
fn nothing_secret_stands_in_the_keyring_file_or_in_its_debug_output() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keyring.azk");
    let keyring = make(&path);
    keyring.new_data_key(&scope("identity/1319999991"), AssetId::new()).expect("a key");
    let text = fs::read_to_string(&path).expect("readable");
    for clear in ["PRIVATE KEY", "identity", "1319999991", &hex::encode(*keyring.ledger_key())] {
        assert!(!text.contains(clear), "{clear} stands in the keyring file");
    }
    assert_eq!(format!("{keyring:?}"), format!("Keyring({})", path.display()));
    assert!(format!("{:?}", keyring.producer().expect("a producer")).starts_with("Identity([key], Certificate("));
}

#[test]
fn the_hash_of_one_purpose_says_nothing_about_another() {
    let dir = tempfile::tempdir().expect("a directory");
    let keyring = make(&dir.path().join("keyring.azk"));
    let patient = keyring.hmac("patient", b"0000000123").expect("hashed");
    assert_ne!(patient, keyring.hmac("opt-out", b"0000000123").expect("hashed"));
    assert_eq!(patient, keyring.keyed_hash("patient").expect("a hash").hash(b"0000000123").expect("hashed"));
}

// control: CUS-21
#[test]
fn a_data_key_opens_for_its_own_asset_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let keyring = make(&dir.path().join("keyring.azk"));
    let asset = AssetId::new();
    let (_, wrapped) = keyring.new_data_key(&scope("clinical/1"), asset).expect("a key");
    keyring.new_data_key(&scope("clinical/2"), asset).expect("a key");
    assert!(matches!(keyring.open_data_key(AssetId::new(), &wrapped), Err(SealError::WrappedKeyWrong)));
    let mut moved = wrapped.clone();
    moved.scope = scope("clinical/2");
    assert!(matches!(keyring.open_data_key(asset, &moved), Err(SealError::WrappedKeyWrong)));
    for at in 0..wrapped.bytes.len() {
        let mut changed = wrapped.clone();
        changed.bytes[at] ^= 1;
        assert!(matches!(keyring.open_data_key(asset, &changed), Err(SealError::WrappedKeyWrong)), "byte {at}");
    }
    let mut other = wrapped;
    other.algorithm = "AES-128-ECB".to_owned();
    assert!(matches!(keyring.open_data_key(asset, &other), Err(SealError::AlgorithmRefused { .. })));
}

// control: DEL-01
#[test]
fn after_destruction_an_earlier_copy_of_a_wrapped_key_opens_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keyring.azk");
    let keyring = make(&path);
    let (erased, living, other) = (AssetId::new(), AssetId::new(), AssetId::new());
    let clinical = scope("clinical/1");
    let (_, earlier_copy) = keyring.new_data_key(&clinical, erased).expect("a key");
    let (key, before) = keyring.new_data_key(&clinical, living).expect("a key");
    let (_, of_other) = keyring.new_data_key(&scope("clinical/2"), other).expect("a key");

    assert_eq!(keyring.advance(&clinical).expect("a new epoch"), 2);
    assert_eq!(keyring.epochs(&clinical), [1, 2]);
    keyring.open_data_key(erased, &earlier_copy).expect("the old epoch still opens");
    let after = keyring.rewrap(living, &before).expect("rewrapped");
    assert_eq!(after.epoch, 2);
    assert_eq!(keyring.destroy_older(&clinical).expect("destroyed"), [1]);
    assert_eq!(keyring.destroy_older(&clinical).expect("again"), [0; 0]);

    for keyring in [&keyring, &open(&path)] {
        let gone = keyring.open_data_key(erased, &earlier_copy);
        assert!(matches!(gone, Err(SealError::KeyDestroyed { epoch: 1, .. })));
        assert!(keyring.rewrap(erased, &earlier_copy).is_err());
        assert_eq!(keyring.open_data_key(living, &after).expect("the living opens").bytes(), key.bytes());
        keyring.open_data_key(other, &of_other).expect("another provider is not touched");
    }
    // A number is never used again, or the earlier copy would meet a key of its epoch.
    assert_eq!(keyring.advance(&clinical).expect("a new epoch"), 3);
}

#[test]
fn a_second_process_that_knows_an_older_state_cannot_bring_destroyed_keys_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keyring.azk");
    let first = make(&path);
    let clinical = scope("clinical/1");
    first.new_data_key(&clinical, AssetId::new()).expect("a key");
    let second = open(&path);
    first.advance(&clinical).expect("a new epoch");
    first.destroy_older(&clinical).expect("destroyed");
    assert!(matches!(second.advance(&clinical), Err(SealError::KeyringChanged { .. })));
    assert_eq!(open(&path).epochs(&clinical), [2]);
}

#[test]
fn a_changed_keyring_file_is_refused_whatever_was_changed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keyring.azk");
    make(&path);
    let text = fs::read_to_string(&path).expect("readable");
    let mut file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let original = file.clone();
    let refused = |file: &serde_json::Value| {
        fs::write(&path, file.to_string()).expect("written");
        Keyring::open(&path, &passphrase("correct horse")).expect_err("refused").code()
    };
    file["generation"] = 7.into();
    assert_eq!(refused(&file), "seal-keyring-damaged");
    file = original.clone();
    file["sealed"] = "AAAA".into();
    assert_eq!(refused(&file), "seal-keyring-damaged");
    file = original.clone();
    file["surplus"] = 1.into();
    assert_eq!(refused(&file), "seal-keyring-damaged");
    // Parameters are bounded when they are read: neither cheap to guess nor able to eat the machine.
    for (n, r, p) in [(4, 8, 1), (40, 8, 1), (17, 4096, 1), (14, 1, 1), (20, 8, 1_000_000), (20, 32, 1)] {
        file = original.clone();
        file["cost"] = serde_json::json!({ "log_n": n, "r": r, "p": p });
        assert_eq!(refused(&file), "seal-keyring-damaged", "{n} {r} {p}");
    }
    fs::write(&path, "garbage").expect("written");
    assert_eq!(Keyring::open(&path, &passphrase("correct horse")).expect_err("refused").code(), "seal-keyring-damaged");
}

#[test]
fn intake_keys_rotate_and_a_destroyed_one_opens_no_package() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keyring.azk");
    let keyring = make(&path);
    let first = keyring.intake_certificate().expect("a certificate");
    let sealed = cms::encrypt_small(b"package", &first).expect("sealed");
    let opens = |keyring: &Keyring| {
        keyring.intake_identities().expect("keys").iter().find_map(|identity| cms::decrypt_small(&sealed, identity, 100).ok())
    };
    let now = Timestamp::now();
    assert!(!keyring.intake_rotation_due(now));
    assert!(keyring.intake_rotation_due(now + SignedDuration::from_hours(24 * 31)));

    let second = keyring.rotate_intake().expect("rotated");
    assert_ne!(first, second);
    assert_eq!(keyring.intake_certificate().expect("a certificate"), second);
    assert_eq!(opens(&keyring).expect("a package on its way still opens"), b"package");

    let gone = keyring.destroy_intake_before(now + SignedDuration::from_hours(1)).expect("destroyed");
    assert_eq!(gone, [first.fingerprint().expect("a fingerprint")]);
    let keyring = open(&path);
    assert_eq!(keyring.intake_certificates().expect("certificates"), [second]);
    assert!(opens(&keyring).is_none());
    // The newest stays whatever the date.
    assert!(keyring.destroy_intake_before(now + SignedDuration::from_hours(9)).expect("nothing to do").is_empty());
}

#[test]
fn the_producers_certificate_signs_and_the_intake_certificate_does_not_pretend_to() {
    let dir = tempfile::tempdir().expect("a directory");
    let keyring = make(&dir.path().join("keyring.azk"));
    let producer = keyring.producer().expect("a producer");
    let signed = cms::sign(b"manifest", &producer).expect("signed");
    assert_eq!(cms::verify(&signed, producer.certificate()).expect("holds"), b"manifest");
    let intake = keyring.intake_certificate().expect("a certificate");
    assert!(matches!(cms::verify(&signed, &intake), Err(SealError::WrongSigner)));
}
