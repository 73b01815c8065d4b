use std::fs;
use std::io::{Read, Write};

use jiff::{SignedDuration, Timestamp};
use seal::{SealError, cms};

use crate::party::{elliptic, openssl, path, recipient, sender, try_openssl};

/// Content longer than several parts, not a multiple of any.
pub fn content() -> Vec<u8> {
    (0..300_017u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn decrypt(sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    cms::decrypt_small(sealed, &recipient().identity, 1 << 30)
}

// control: CRY-03
#[test]
fn what_openssl_seals_the_reader_opens() {
    let dir = tempfile::tempdir().expect("a directory");
    let (plain, sealed) = (dir.path().join("plain"), dir.path().join("sealed"));
    for bytes in [content(), Vec::new(), b"x".to_vec()] {
        fs::write(&plain, &bytes).expect("written");
        // The program cannot write an empty content as a stream.
        let streams = if bytes.is_empty() { &[&[][..]][..] } else { &[&["-stream"][..], &[]] };
        for stream in streams {
            for identifier in [&["-keyid"][..], &[]] {
                let mut args = vec!["cms", "-encrypt", "-binary", "-aes-256-gcm"];
                args.extend(*stream);
                args.extend(identifier);
                args.extend(["-recip", path(&recipient().cert), "-keyopt", "rsa_padding_mode:oaep"]);
                args.extend(["-keyopt", "rsa_oaep_md:sha256"]);
                args.extend(["-in", path(&plain), "-outform", "DER", "-out", path(&sealed)]);
                openssl(&args);
                let opened = decrypt(&fs::read(&sealed).expect("readable")).expect("opens");
                assert!(opened == bytes, "{stream:?} {identifier:?}");
            }
        }
    }
}

#[test]
fn what_the_writer_seals_openssl_opens() {
    let dir = tempfile::tempdir().expect("a directory");
    let (sealed, out) = (dir.path().join("sealed"), dir.path().join("out"));
    for bytes in [content(), Vec::new(), vec![7; 65_536], vec![7; 131_073]] {
        let mut writer = cms::EncryptWriter::new(Vec::new(), recipient().certificate()).expect("begun");
        bytes.chunks(777).for_each(|c| writer.write_all(c).expect("into memory"));
        let der = writer.finish().expect("finished");
        fs::write(&sealed, &der).expect("written");
        openssl(&[
            "cms",
            "-decrypt",
            "-inform",
            "DER",
            "-in",
            path(&sealed),
            "-recip",
            path(&recipient().cert),
            "-inkey",
            path(&recipient().key),
            "-out",
            path(&out),
        ]);
        assert!(fs::read(&out).expect("readable") == bytes);
        assert!(decrypt(&der).expect("opens") == bytes);
    }
}

#[test]
fn a_second_recipient_is_passed_over_and_a_package_for_others_is_not_ours() {
    let dir = tempfile::tempdir().expect("a directory");
    let (plain, sealed) = (dir.path().join("plain"), dir.path().join("sealed"));
    fs::write(&plain, b"for both").expect("written");
    let oaep = ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"];
    let head = ["cms", "-encrypt", "-binary", "-aes-256-gcm", "-in", path(&plain), "-outform", "DER", "-out", path(&sealed)];
    let mut args = head.to_vec();
    for party in [elliptic(), sender(), recipient()] {
        args.extend(["-recip", path(&party.cert)]);
        if party.cert != elliptic().cert {
            args.extend(oaep);
        }
    }
    openssl(&args);
    assert_eq!(decrypt(&fs::read(&sealed).expect("readable")).expect("opens"), b"for both");

    let for_sender = cms::encrypt_small(b"for the sender", sender().certificate()).expect("sealed");
    assert!(matches!(decrypt(&for_sender), Err(SealError::NotForUs)));
}

// control: CRY-04
#[test]
fn algorithms_that_the_policy_does_not_list_are_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let (plain, sealed) = (dir.path().join("plain"), dir.path().join("sealed"));
    fs::write(&plain, b"content").expect("written");
    let seal = |cipher: &str, options: &[&str]| {
        let mut args = vec!["cms", "-encrypt", "-binary", "-stream", cipher, "-recip", path(&recipient().cert)];
        options.iter().for_each(|option| args.extend(["-keyopt", option]));
        args.extend(["-in", path(&plain), "-outform", "DER", "-out", path(&sealed)]);
        openssl(&args);
        decrypt(&fs::read(&sealed).expect("readable")).expect_err("refused")
    };
    let good = ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256"];
    assert!(matches!(seal("-aes-256-gcm", &[]), SealError::Pkcs1v15Refused));
    assert!(matches!(seal("-aes-256-gcm", &["rsa_padding_mode:oaep"]), SealError::AlgorithmRefused { .. }), "SHA-1");
    let mixed = ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha1"];
    assert!(matches!(seal("-aes-256-gcm", &mixed), SealError::AlgorithmRefused { .. }), "MGF1 with SHA-1");
    let label = ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_oaep_label:00"];
    assert!(matches!(seal("-aes-256-gcm", &label), SealError::AlgorithmRefused { .. }), "a label");
    assert!(matches!(seal("-aes-128-gcm", &good), SealError::AlgorithmRefused { .. }));
    match seal("-aes-256-cbc", &good) {
        SealError::AlgorithmRefused { found, .. } => assert!(found.contains("without authentication")),
        other => panic!("{other}"),
    }
}

#[test]
fn a_recipient_whose_key_cannot_unseal_is_refused_before_anything_is_written() {
    let refused = cms::EncryptWriter::new(Vec::new(), elliptic().certificate());
    assert!(matches!(refused.err(), Some(SealError::WeakKey { .. })));
}

#[test]
fn signatures_of_openssl_hold_here_and_ours_hold_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let (plain, signed, out) = (dir.path().join("plain"), dir.path().join("signed"), dir.path().join("out"));
    fs::write(&plain, b"{\"manifest\":1}\n").expect("written");
    for party in [sender(), elliptic()] {
        for stream in [&["-stream"][..], &[], &["-keyid"]] {
            let mut args = vec!["cms", "-sign", "-binary", "-nodetach"];
            args.extend(stream);
            args.extend(["-signer", path(&party.cert), "-inkey", path(&party.key), "-in", path(&plain)]);
            args.extend(["-outform", "DER", "-out", path(&signed)]);
            openssl(&args);
            let der = fs::read(&signed).expect("readable");
            assert_eq!(cms::verify(&der, party.certificate()).expect("holds"), b"{\"manifest\":1}\n");
            assert_eq!(cms::claimed_content(&der).expect("readable"), b"{\"manifest\":1}\n");
        }
        fs::write(&signed, cms::sign(b"content\r\n\n", &party.identity).expect("signed")).expect("written");
        let (cert, signed, out_path) = (path(&party.cert), path(&signed), path(&out));
        openssl(&[
            "cms",
            "-verify",
            "-inform",
            "DER",
            "-in",
            signed,
            "-CAfile",
            cert,
            "-certfile",
            cert,
            "-binary",
            "-out",
            out_path,
        ]);
        assert_eq!(fs::read(&out).expect("readable"), b"content\r\n\n");
    }
}

// control: CRY-07
#[test]
fn only_the_pinned_certificate_within_its_period_signs() {
    let signed = cms::sign(b"content", &sender().identity).expect("signed");
    assert!(matches!(cms::verify(&signed, recipient().certificate()), Err(SealError::WrongSigner)));
    let year = SignedDuration::from_hours(24 * 365);
    let certificate = sender().certificate();
    assert!(matches!(cms::verify_at(&signed, certificate, Timestamp::now() + year), Err(SealError::Expired { .. })));
    assert!(matches!(cms::verify_at(&signed, certificate, Timestamp::now() - year), Err(SealError::NotYetValid { .. })));
}

#[test]
fn a_forger_with_a_certificate_of_the_same_name_and_number_is_found() {
    // The forger's certificate repeats issuer, serial number and key identifier of the sender's.
    let dir = tempfile::tempdir().expect("a directory");
    let (key, cert) = (dir.path().join("key.pem"), dir.path().join("cert.pem"));
    let x509 = openssl::x509::X509::from_der(&sender().certificate().der().expect("DER")).expect("a certificate");
    let serial = x509.serial_number().to_bn().expect("a number").to_hex_str().expect("hexadecimal").to_string();
    openssl(&[
        "req",
        "-x509",
        "-nodes",
        "-newkey",
        "rsa:2048",
        "-days",
        "30",
        "-subj",
        "/CN=sender",
        "-set_serial",
        &format!("0x{serial}"),
        "-keyout",
        path(&key),
        "-out",
        path(&cert),
    ]);
    let forger = seal::Identity::from_files(&key, &cert, None).expect("a key and its certificate");
    let signed = cms::sign(b"content", &forger).expect("signed");
    assert!(matches!(cms::verify(&signed, sender().certificate()), Err(SealError::BadSignature)));
}

#[test]
fn signatures_without_a_signer_by_two_or_over_weak_digests_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let (plain, signed) = (dir.path().join("plain"), dir.path().join("signed"));
    fs::write(&plain, b"content").expect("written");
    let sign = |options: &[&str]| {
        let mut args =
            vec!["cms", "-sign", "-binary", "-nodetach", "-in", path(&plain), "-outform", "DER", "-out", path(&signed)];
        args.extend(["-signer", path(&sender().cert), "-inkey", path(&sender().key)]);
        args.extend(options);
        openssl(&args);
        cms::verify(&fs::read(&signed).expect("readable"), sender().certificate()).expect_err("refused")
    };
    assert!(matches!(sign(&["-md", "sha1"]), SealError::AlgorithmRefused { .. }));
    let two = ["-signer", path(&recipient().cert), "-inkey", path(&recipient().key)];
    assert!(matches!(sign(&two), SealError::Malformed(_)));

    // A SignedData with content and nobody who signed it.
    openssl(&["crl2pkcs7", "-nocrl", "-certfile", path(&sender().cert), "-outform", "DER", "-out", path(&signed)]);
    let nobody = fs::read(&signed).expect("readable");
    assert!(cms::verify(&nobody, sender().certificate()).is_err());
    // Detached: the content is not inside.
    let detached = ["cms", "-sign", "-binary", "-in", path(&plain), "-outform", "DER", "-out", path(&signed)];
    openssl(&[&detached[..], &["-signer", path(&sender().cert), "-inkey", path(&sender().key)]].concat());
    assert!(matches!(cms::verify(&fs::read(&signed).expect("readable"), sender().certificate()), Err(SealError::Malformed(_))));
}

#[test]
fn a_reader_gives_the_same_bytes_whatever_the_size_of_the_reads() {
    let bytes = content();
    let sealed = cms::encrypt_small(&bytes, recipient().certificate()).expect("sealed");
    for size in [1usize, 7, 65_536, 1 << 20] {
        let mut reader = cms::DecryptReader::new(sealed.as_slice(), &recipient().identity).expect("begun");
        let (mut out, mut buffer) = (Vec::new(), vec![0; size]);
        loop {
            match reader.read(&mut buffer).expect("readable") {
                0 => break,
                n => out.extend_from_slice(&buffer[..n]),
            }
        }
        assert!(out == bytes, "reads of {size}");
    }
}

#[test]
fn an_encrypted_private_key_opens_with_its_passphrase_alone_and_never_asks() {
    let dir = tempfile::tempdir().expect("a directory");
    let key = dir.path().join("key.pem");
    openssl(&["pkey", "-in", path(&sender().key), "-aes256", "-passout", "pass:secret", "-out", path(&key)]);
    let load = |text: Option<&str>| {
        let passphrase = text.map(|t| seal::Passphrase::new(t).expect("usable"));
        seal::Identity::from_files(&key, &sender().cert, passphrase.as_ref())
    };
    assert!(load(Some("secret")).is_ok());
    assert!(matches!(load(Some("wrong")), Err(SealError::KeyUnreadable { .. })));
    assert!(matches!(load(None), Err(SealError::KeyUnreadable { .. })));
    let mismatch = seal::Identity::from_files(&sender().key, &recipient().cert, None);
    assert!(matches!(mismatch, Err(SealError::KeyCertificateMismatch)));
    assert!(!try_openssl(&["pkey", "-in", path(&key), "-passin", "pass:wrong"]).status.success());
}
