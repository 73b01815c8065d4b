//! Files of a storage on disk to OMOP rows, on one thread: `tree STORAGE [ROUNDS]`.
//!
//! Unlike `throughput` this includes finding, opening and reading the files. Rounds after the first find them in the page cache.

use std::path::Path;
use std::time::Instant;

use formats::ssmix2::{Options, Ssmix2Reader};
use formats::{Chunk, Member, Output, Reader};

#[derive(Default)]
struct Seen {
    files: u64,
    bytes: u64,
}

fn read(
    path: &Path,
    below: &str,
    reader: &mut dyn Reader,
    out: &mut dyn Output,
    seen: &mut Seen,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name =
            if below.is_empty() { name.to_string_lossy().into_owned() } else { format!("{below}/{}", name.to_string_lossy()) };
        if entry.file_type()?.is_dir() {
            read(&entry.path(), &name, reader, out, seen)?;
        } else {
            let mut file = std::fs::File::open(entry.path())?;
            let size = file.metadata()?.len();
            seen.files += 1;
            seen.bytes += size;
            reader.member(Member { path: &name, payload: 1, ordinal: seen.files, size, content: &mut file }, out)?;
        }
    }
    Ok(())
}

/// Seconds that this thread has had on a core: a busy machine does not change it, waiting for a disk is not in it.
fn on_core() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: tree STORAGE [ROUNDS]")?;
    let rounds: u64 = args.next().map_or(Ok(3), |s| s.parse())?;
    for round in 1..=rounds {
        let mut rows = 0u64;
        let mut take = |chunk: Chunk| {
            rows += chunk.tables.iter().map(|(_, batch)| batch.num_rows() as u64).sum::<u64>();
            Ok(())
        };
        let mut seen = Seen::default();
        let start = Instant::now();
        let before = on_core();
        let mut reader = Ssmix2Reader::new(Options { keep_source: false, ..Options::default() });
        read(path.as_ref(), "", &mut reader, &mut take, &mut seen)?;
        reader.finish(&mut take)?;
        let wall = start.elapsed().as_secs_f64();
        let time = before.zip(on_core()).map_or(wall, |(before, after)| after - before);
        println!(
            "round {round}: {} files, {} bytes, {rows} rows: {:.0} files/s by the clock ({wall:.2} s), {:.0} files/s of core time ({time:.2} s)",
            seen.files,
            seen.bytes,
            seen.files as f64 / wall,
            seen.files as f64 / time
        );
    }
    Ok(())
}
