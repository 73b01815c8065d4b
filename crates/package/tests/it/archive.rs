//! Archives from someone we do not trust.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use package::tree::{self, Limits, Summary, Walk};
use package::{PackageError, tree::walk_tar};
use tar::{EntryType, Header};

use crate::party::{a_tree, run, text};

fn walk_with(bytes: &[u8], limits: &Limits) -> Result<Vec<(String, Vec<u8>)>, PackageError> {
    let mut files = Vec::new();
    let mut reader = bytes;
    let summary = walk_tar::<PackageError>(&mut reader, limits, &mut |member| {
        let mut content = Vec::new();
        member.content.read_to_end(&mut content)?;
        assert_eq!(content.len() as u64, member.size);
        files.push((member.path.to_owned(), content));
        Ok(())
    })?;
    assert_eq!(summary.files, files.len() as u64);
    Ok(files)
}

fn walk(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, PackageError> {
    walk_with(bytes, &Limits::default())
}

fn code(bytes: &[u8]) -> &'static str {
    walk(bytes).map_or_else(|error| error.code(), |_| "accepted")
}

/// A member with a name that well-behaved programs would not write.
fn member(name: &[u8], kind: EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let mut out = header.as_bytes().to_vec();
    out.extend(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    [&members.concat()[..], &[0; 1024]].concat()
}

fn file(name: &[u8]) -> Vec<u8> {
    member(name, EntryType::Regular, b"content")
}

#[test]
fn names_that_lead_out_of_the_archive_are_refused() {
    for name in [
        &b"../x"[..],
        b"a/../../x",
        b"..",
        b"a/..",
        b"/etc/passwd",
        b"//x",
        b"\\windows",
        b"a\\..\\..\\x",
        b"C:x",
        b"C:\\x",
        b"./../x",
    ] {
        assert_eq!(code(&archive(&[file(name)])), "package-path-traversal", "{}", String::from_utf8_lossy(name));
        assert_eq!(code(&archive(&[member(name, EntryType::Directory, b""), file(b"x")])), "package-path-traversal");
    }
    for name in [&b""[..], b".", b"a\nb", b"a\x1bb", b"\x7f"] {
        assert_eq!(code(&archive(&[file(name)])), "package-path-refused", "{name:?}");
    }
    for name in [&b"...."[..], b"a..b", b"..a", b"a/..b/c", b"./a//b", "日本".as_bytes(), b"\x83\x5c"] {
        assert_eq!(code(&archive(&[file(name)])), "accepted", "{name:?}");
    }
}

#[test]
fn links_and_special_files_are_refused() {
    for (kind, expected) in [
        (EntryType::Symlink, "package-symlink"),
        (EntryType::Link, "package-symlink"),
        (EntryType::GNULongLink, "package-symlink"),
        (EntryType::Char, "package-special-file"),
        (EntryType::Block, "package-special-file"),
        (EntryType::Fifo, "package-special-file"),
        (EntryType::GNUSparse, "package-expanding"),
        (EntryType::new(b'Z'), "package-tar-malformed"),
    ] {
        assert_eq!(code(&archive(&[file(b"first"), member(b"x", kind, b"")])), expected, "{kind:?}");
    }
}

#[test]
fn a_name_that_stands_twice_is_refused_however_it_is_written() {
    for (first, second) in [(&b"a/b"[..], &b"a/b"[..]), (b"a/b", b"./a//b"), (b"a/b", b"a/./b")] {
        assert_eq!(code(&archive(&[file(first), file(b"between"), file(second)])), "package-duplicate-path");
    }
    assert_eq!(code(&archive(&[file(b"a"), member(b"a/", EntryType::Directory, b"")])), "package-duplicate-path");
    let twice =
        archive(&[member(b"a/", EntryType::Directory, b""), file(b"a/b"), member(b"a", EntryType::Directory, b""), file(b"a/c")]);
    assert_eq!(code(&twice), "accepted");
}

#[test]
fn an_archive_that_grows_beyond_its_bounds_is_refused() {
    let limits = Limits { members: 3, member_bytes: 100, total_bytes: 150, path_bytes: 20, depth: 3 };
    let code = |bytes: &[u8]| walk_with(bytes, &limits).map_or_else(|error| error.code(), |_| "accepted");
    let of = |name: &[u8], n: usize| member(name, EntryType::Regular, &vec![1; n]);
    assert_eq!(code(&archive(&[of(b"a", 100), of(b"b", 50)])), "accepted");
    assert_eq!(code(&archive(&[of(b"a", 101)])), "package-expanding");
    assert_eq!(code(&archive(&[of(b"a", 100), of(b"b", 51)])), "package-expanding");
    assert_eq!(code(&archive(&[of(b"a", 1), of(b"b", 1), of(b"c", 1), of(b"d", 1)])), "package-expanding");
    assert_eq!(code(&archive(&[of(&[b'n'; 21], 1)])), "package-path-refused");
    assert_eq!(code(&archive(&[of(b"a/b/c/d", 1)])), "package-path-refused");

    // A header that promises eight exabytes, in the notation that GNU uses for large numbers.
    let mut huge = Header::new_gnu();
    huge.set_path("huge").expect("a name");
    huge.set_size(u64::MAX / 2);
    huge.set_cksum();
    assert_eq!(code(&archive(&[huge.as_bytes().to_vec()])), "package-expanding");
    // An extension header that would be read into memory.
    let long = member(b"././@LongLink", EntryType::GNULongName, &vec![b'x'; 70_000]);
    assert_eq!(code(&archive(&[long, file(b"x")])), "package-expanding");
    let many: Vec<_> = (0..9).map(|_| member(b"x", EntryType::XHeader, b"12 a=bcdefg\n")).chain([file(b"x")]).collect();
    assert_eq!(code(&archive(&many)), "package-expanding");
    let sparse = member(b"x", EntryType::XHeader, b"22 GNU.sparse.major=1\n");
    assert_eq!(code(&archive(&[sparse, file(b"x")])), "package-expanding");
}

#[test]
fn what_is_not_an_archive_or_not_a_whole_one_is_refused() {
    assert_eq!(code(b""), "package-truncated");
    assert_eq!(code(&[0; 1024]), "package-empty");
    assert_eq!(code(&archive(&[member(b"only/", EntryType::Directory, b"")])), "package-empty");
    assert_eq!(code(&[0x1F, 0x8B, 8, 0].repeat(200)), "package-not-tar");
    assert_eq!(code(&b"PK\x03\x04".repeat(200)), "package-not-tar");
    let whole = archive(&[file(b"a"), file(b"b")]);
    for length in (0..whole.len() - 1024).step_by(64) {
        assert_eq!(code(&whole[..length]), "package-truncated", "{length}");
    }
    assert_eq!(code(&[&whole[..], b"x"].concat()), "package-tar-malformed");
    let mut wrong = whole.clone();
    wrong[1024] ^= 1;
    assert_eq!(code(&wrong), "package-tar-malformed");
    assert_eq!(
        code(&archive(&[file(b"a"), member(b"x", EntryType::XHeader, b"99 path=short\n"), file(b"x")])),
        "package-tar-malformed"
    );
    assert_eq!(code(&archive(&[file(b"a"), member(b"x", EntryType::XHeader, b"9 path=a\n")])), "package-tar-malformed");
    assert_eq!(code(&archive(&[member(b"x", EntryType::XGlobalHeader, b"9 path=a\n"), file(b"x")])), "package-not-tar");
}

#[test]
fn the_error_of_the_stream_is_the_cause_whatever_the_receiver_made_of_it() {
    struct Fails<'a>(&'a [u8]);
    impl Read for Fails<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Err(seal::SealError::TagMismatch.into());
            }
            self.0.read(buffer)
        }
    }
    let whole = archive(&[member(b"a", EntryType::Regular, &[1; 5000])]);
    let mut reader = Fails(&whole[..2000]);
    let result: Result<Summary, PackageError> = walk_tar(&mut reader, &Limits::default(), &mut |member| {
        // A receiver that takes the failure for the end of the file.
        let _ = member.content.read_to_end(&mut Vec::new());
        Ok(())
    });
    assert_eq!(result.expect_err("refused").code(), "package-tag-mismatch");
}

#[test]
fn two_machines_write_the_same_archive_and_other_programs_read_it() {
    let (one, two) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let files = a_tree(one.path());
    fs::create_dir_all(two.path().join("900/000/9000000777/20240401/OML-11")).expect("made in another order");
    a_tree(two.path());
    let write = |dir: &std::path::Path| {
        let mut out = Vec::new();
        tree::write_tar(dir, |_| true, &mut out).expect("written");
        out
    };
    let bytes = write(one.path());
    assert!(bytes == write(two.path()));
    assert!(walk(&bytes).expect("reads") == files);

    let (path, unpacked) = (one.path().join("out.tar"), tempfile::tempdir().expect("a directory"));
    fs::write(&path, &bytes).expect("written");
    run("tar", &["-C", text(unpacked.path()), "-xf", text(&path)]);
    for (name, content) in &files {
        assert!(&fs::read(unpacked.path().join(name)).expect("unpacked") == content, "{name}");
    }
}

#[test]
fn a_path_of_any_length_comes_back_as_it_was_written() {
    let part = |letter: char, length: usize| -> String { std::iter::repeat_n(letter, length).collect() };
    for depth in 0..4 {
        for last in [1, 60, 99, 100, 101, 154, 155, 156, 255] {
            for letters in ["a", "診"] {
                let letter = letters.chars().next().expect("a letter");
                let dirs: Vec<String> = (0..depth).map(|n| part(letter, 40 / letters.len() + n)).collect();
                let path = [dirs, vec![part(letter, last / letters.len().min(last))]].concat().join("/");
                let mut tar = tree::TarWriter::new(Vec::new());
                tar.add_bytes(Path::new(&path), b"one").expect("written");
                tar.add_bytes(Path::new("after"), b"two").expect("written");
                let found = walk(&tar.finish().expect("finished")).expect("read");
                let wanted = [(path, b"one".to_vec()), ("after".to_owned(), b"two".to_vec())];
                assert_eq!(found, wanted);
            }
        }
    }
}

#[test]
fn a_tree_with_links_or_special_files_is_not_written() {
    let dir = tempfile::tempdir().expect("a directory");
    a_tree(dir.path());
    let link = dir.path().join("900/link");
    let refused = || tree::write_tar(dir.path(), |_| true, std::io::sink()).expect_err("refused").code();
    symlink("/etc/passwd", &link).expect("linked");
    assert_eq!(refused(), "package-tree-symlink");
    fs::remove_file(&link).expect("removed");
    symlink("/etc", &link).expect("linked");
    assert_eq!(refused(), "package-tree-symlink");
    fs::remove_file(&link).expect("removed");
    assert!(Command::new("mkfifo").arg(&link).status().expect("mkfifo").success());
    assert_eq!(refused(), "package-tree-special");
    fs::remove_file(&link).expect("removed");
    let root = dir.path().join("root");
    symlink(dir.path().join("900"), &root).expect("linked");
    assert_eq!(Walk::new(&root).err().map(|e| e.code()), Some("package-tree-symlink"));
    let mut short = tree::TarWriter::new(Vec::new());
    assert_eq!(short.add_stream("a".as_ref(), 10, &b"nine byte"[..]).expect_err("refused").code(), "package-tree-changed");
    assert_eq!(short.add_stream("b".as_ref(), 8, &b"nine byte"[..]).expect_err("refused").code(), "package-tree-changed");
}

#[test]
fn whatever_the_bytes_the_archive_reader_ends_without_panic() {
    bolero::check!().with_type::<(Vec<u8>, u8, u16, u8)>().for_each(|(bytes, kind, at, value)| {
        let _ = walk(bytes);
        let mut changed = archive(&[file(b"a/b"), member(b"x", EntryType::new(*kind), bytes), file(b"c")]);
        let at = usize::from(*at) % changed.len();
        changed[at] = *value;
        let _ = walk(&changed);
    });
}
