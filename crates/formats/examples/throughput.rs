//! Bytes to OMOP rows on one core: `throughput PATH [SECONDS] [MIX]`.
//!
//! The files of PATH (a directory or a tar) are read into memory and given to the reader again and again, each round as
//! other patients, as a tar stream would. MIX is `all` or the data types to take, separated by commas.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use formats::ssmix2::{Options, Ssmix2Reader};
use formats::{Chunk, Member, Reader};

type Files = Vec<(String, Vec<u8>)>;

fn load(path: &Path) -> std::io::Result<Files> {
    let mut files = Files::new();
    if path.is_dir() {
        directory(path, "", &mut files)?;
        return Ok(files);
    }
    let mut archive = tar::Archive::new(std::fs::File::open(path)?);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() {
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            files.push((name, bytes));
        }
    }
    Ok(files)
}

fn directory(path: &Path, below: &str, files: &mut Files) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{below}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            directory(&entry.path(), &name, files)?;
        } else {
            files.push((name.trim_start_matches('/').to_owned(), std::fs::read(entry.path())?));
        }
    }
    Ok(())
}

/// Whether a file is a live one of the data types asked for, and whose.
fn wanted(path: &str, mix: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let parts: Vec<&str> = name.split('_').collect();
    let fits = parts.len() == 7 && parts[6] == "1" && (mix == "all" || mix.split(',').any(|m| m == parts[2]));
    fits.then(|| parts[0].to_owned())
}

/// The files of a round under other ids of the same lengths, so that PID-3 and path agree.
fn renamed(files: &[(String, Vec<u8>, String)], round: usize) -> Files {
    let ids: std::collections::BTreeSet<&String> = files.iter().map(|f| &f.2).collect();
    files
        .iter()
        .map(|(path, bytes, id)| {
            let number = ids.iter().position(|i| *i == id).unwrap_or_default() + ids.len() * round + 1_000_000;
            let new = format!("{number:0width$}", width = id.len());
            let new = &new[new.len() - id.len()..];
            let mut bytes = bytes.clone();
            let mut at = 0;
            while let Some(found) = memchr::memmem::find(&bytes[at..], id.as_bytes()) {
                bytes[at + found..at + found + id.len()].copy_from_slice(new.as_bytes());
                at += found + id.len();
            }
            let below = path.find(id.as_str()).map_or("", |at| &path[at..]).replace(id.as_str(), new);
            (format!("{}/{}/{below}", &new[..3], &new[3..6]), bytes)
        })
        .collect()
}

/// Seconds that this thread has had on a core: a busy machine does not change it.
fn on_core() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: throughput PATH [SECONDS] [MIX]")?;
    let seconds: u64 = args.next().map_or(Ok(5), |s| s.parse())?;
    let mix = args.next().unwrap_or_else(|| "all".to_owned());
    let files: Vec<(String, Vec<u8>, String)> =
        load(path.as_ref())?.into_iter().filter_map(|(p, b)| wanted(&p, &mix).map(|id| (p, b, id))).collect();
    if files.is_empty() {
        return Err("no live files of these data types".into());
    }
    let rounds: Vec<Files> = (0..200).map(|round| renamed(&files, round)).collect();
    let (mut bytes, mut messages, mut rows, mut aside) = (0u64, 0u64, 0u64, 0u64);
    let mut findings = std::collections::BTreeMap::<&str, u64>::new();
    let mut take = |chunk: Chunk| {
        rows += chunk.tables.iter().map(|(_, batch)| batch.num_rows() as u64).sum::<u64>();
        aside += chunk.counts.set_aside;
        for finding in &chunk.findings {
            *findings.entry(finding.message.code).or_default() += 1;
        }
        Ok(())
    };
    let start = Instant::now();
    let before = on_core();
    let mut reader = Ssmix2Reader::new(Options { keep_source: false, ..Options::default() });
    while start.elapsed() < Duration::from_secs(seconds) {
        for files in &rounds {
            for (path, content) in files {
                bytes += content.len() as u64;
                messages += 1;
                let size = content.len() as u64;
                let member = Member { path, payload: 1, ordinal: messages, size, content: &mut content.as_slice() };
                reader.member(member, &mut take)?;
            }
        }
        reader.finish(&mut take)?;
    }
    let wall = start.elapsed().as_secs_f64();
    let time = before.zip(on_core()).map_or(wall, |(before, after)| after - before);
    println!("{messages} messages of {} bytes in the mean, {time:.2} s on a core, {wall:.2} s in all", bytes / messages);
    println!("files of patients set aside: {aside}; findings: {findings:?}");
    println!("{:.1} MB/s, {:.0} messages/s, {:.0} rows/s", bytes as f64 / 1e6 / time, messages as f64 / time, rows as f64 / time);
    Ok(())
}
