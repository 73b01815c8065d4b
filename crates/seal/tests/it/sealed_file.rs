use std::io::{Read, Write};

use seal::sealed_file::{SealedReader, SealedWriter};
use seal::{DataKey, SealError};

const CHUNK: usize = 64 * 1024;
const HEAD: usize = 15;

fn seal(key: &DataKey, context: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut writer = SealedWriter::new(Vec::new(), key, context).expect("begun");
    plain.chunks(1000).for_each(|c| writer.write_all(c).expect("into memory"));
    writer.finish().expect("finished")
}

fn open(key: &DataKey, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut out = Vec::new();
    SealedReader::new(sealed, key, context)?.read_to_end(&mut out)?;
    Ok(out)
}

// control: CRY-01
#[test]
fn a_sealed_file_opens_with_its_key_under_its_name_only() {
    let key = DataKey::ephemeral().expect("a key");
    for length in [0, 1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 200_000] {
        let plain: Vec<u8> = (0..length).map(|i| (i / 7) as u8).collect();
        let sealed = seal(&key, b"asset-1", &plain);
        assert!(open(&key, b"asset-1", &sealed).expect("opens") == plain, "{length}");
        assert!(matches!(open(&key, b"asset-2", &sealed), Err(SealError::TagMismatch)));
        let other = DataKey::ephemeral().expect("a key");
        assert!(matches!(open(&other, b"asset-1", &sealed), Err(SealError::TagMismatch)));
        assert!(length < 1000 || !sealed.windows(100).any(|w| plain.windows(100).next() == Some(w)));
    }
}

#[test]
fn a_sealed_file_that_was_changed_cut_or_reordered_does_not_open() {
    let key = DataKey::ephemeral().expect("a key");
    let plain = vec![9; 3 * CHUNK + 100];
    let sealed = seal(&key, b"a", &plain);
    let whole = CHUNK + 16;
    for at in [8, 14, HEAD, HEAD + whole - 1, HEAD + whole, sealed.len() - 1] {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(matches!(open(&key, b"a", &changed), Err(SealError::TagMismatch)), "byte {at}");
    }
    // Cut after whole chunks: what is there is authentic, but it is not all.
    for chunks in 1..=3 {
        assert!(matches!(open(&key, b"a", &sealed[..HEAD + chunks * whole]), Err(SealError::Truncated)), "{chunks} chunks");
    }
    for length in [0, 5, HEAD, HEAD + 10, HEAD + 100, sealed.len() - 1] {
        assert!(open(&key, b"a", &sealed[..length]).is_err(), "{length} bytes");
    }
    let exchanged =
        [&sealed[..HEAD], &sealed[HEAD + whole..HEAD + 2 * whole], &sealed[HEAD..HEAD + whole], &sealed[HEAD + 2 * whole..]];
    assert!(matches!(open(&key, b"a", &exchanged.concat()), Err(SealError::TagMismatch)));
    let repeated = [&sealed[..HEAD + whole], &sealed[HEAD..]].concat();
    assert!(matches!(open(&key, b"a", &repeated), Err(SealError::TagMismatch)));
    let longer = [&sealed[..], &sealed[HEAD..]].concat();
    assert!(open(&key, b"a", &longer).is_err());
}

#[test]
fn a_writer_that_was_not_finished_leaves_nothing_that_opens() {
    let key = DataKey::ephemeral().expect("a key");
    let mut sealed = Vec::new();
    let mut writer = SealedWriter::new(&mut sealed, &key, b"a").expect("begun");
    writer.write_all(&vec![1; 3 * CHUNK]).expect("written");
    drop(writer);
    assert!(matches!(open(&key, b"a", &sealed), Err(SealError::Truncated)));
}

#[test]
fn whatever_the_bytes_a_sealed_file_reader_ends_without_panic() {
    let key = DataKey::ephemeral().expect("a key");
    bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
        assert!(open(&key, b"a", bytes).is_err());
        assert!(open(&key, b"a", &[b"AZKSEAL1", bytes.as_slice()].concat()).is_err());
    });
}
