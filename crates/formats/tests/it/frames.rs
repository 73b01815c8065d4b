//! Chunks between processes.

use formats::{Chunk, ReadError};

use crate::harness::{Outcome, read, read_with, samples, tree};

fn frames() -> Vec<u8> {
    let files = tree(&samples("handmade"));
    let mut bytes = Vec::new();
    let mut reader = formats::ssmix2::Ssmix2Reader::new(formats::ssmix2::Options { chunk_bytes: 1, ..Default::default() });
    let mut take = |chunk: Chunk| chunk.write_ipc(&mut bytes);
    for (ordinal, (path, content)) in files.iter().enumerate() {
        let member = formats::Member {
            path,
            payload: 1,
            ordinal: ordinal as u64,
            size: content.len() as u64,
            content: &mut content.as_slice(),
        };
        formats::Reader::member(&mut reader, member, &mut take).expect("a member");
    }
    formats::Reader::finish(&mut reader, &mut take).expect("the end");
    bytes
}

#[test]
fn chunks_come_out_of_their_frames_as_they_went_in() {
    let files = tree(&samples("handmade"));
    let bytes = frames();
    let mut pipe = bytes.as_slice();
    let mut outcome = Outcome::default();
    let mut chunks = 0;
    while let Some(chunk) = Chunk::read_ipc(&mut pipe).expect("a frame") {
        chunks += 1;
        outcome.add(chunk);
    }
    let direct = read_with(&files, formats::ssmix2::Options { chunk_bytes: 1, ..Default::default() });
    assert!(chunks > 2, "small chunks were asked for");
    assert_eq!(outcome.text(), direct.text());
    assert_eq!(outcome.counts, direct.counts);
    assert_eq!(outcome.rows.len(), direct.rows.len());
    assert_ne!(read(&files).text(), "");
}

#[test]
fn a_frame_that_breaks_off_is_an_error_and_not_an_end() {
    let bytes = frames();
    for length in [1, 7, 11, 12, 40, bytes.len() / 3, bytes.len() - 1] {
        let mut pipe = &bytes[..length];
        let result = loop {
            match Chunk::read_ipc(&mut pipe) {
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        assert!(matches!(result, Err(ReadError::Frame(_) | ReadError::Arrow(_))), "at {length}");
    }
    assert!(Chunk::read_ipc(&mut &[][..]).expect("an end").is_none());
}

#[test]
fn arbitrary_and_damaged_frames_do_not_panic() {
    let good = frames();
    bolero::check!().with_type::<(Vec<u8>, u32, u8)>().for_each(|(noise, at, change)| {
        let _ = Chunk::read_ipc(&mut noise.as_slice());
        let mut damaged = good.clone();
        let at = *at as usize % damaged.len();
        damaged[at] ^= change;
        let mut pipe = damaged.as_slice();
        while let Ok(Some(_)) = Chunk::read_ipc(&mut pipe) {}
    });
}
