//! `peer-hl7-parser DIR [SECONDS]`: the crate hl7-parser on all files below DIR.
//!
//! Per message: decode from ISO-2022-JP (hl7-parser takes text), parse, and visit every subcomponent. Nothing is mapped. Files are
//! read into memory first; time is that of this thread on a core.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

fn load(path: &Path, files: &mut Vec<Vec<u8>>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_type()?.is_dir() {
            load(&entry.path(), files)?;
        } else {
            files.push(std::fs::read(entry.path())?);
        }
    }
    Ok(())
}

fn on_core() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}

/// Bytes in all subcomponents, `None` when the message cannot be parsed.
fn walk(text: &str) -> Option<usize> {
    let message = hl7_parser::Message::parse_with_lenient_newlines(text, true).ok()?;
    let mut bytes = 0;
    for segment in message.segments() {
        for field in segment.fields() {
            for repeat in field.repeats() {
                for component in repeat.components() {
                    bytes += component.subcomponents().map(|s| s.value.len()).sum::<usize>();
                }
            }
        }
    }
    Some(bytes)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: peer-hl7-parser DIR [SECONDS]")?;
    let seconds: u64 = args.next().map_or(Ok(5), |s| s.parse())?;
    let mut files = Vec::new();
    load(path.as_ref(), &mut files)?;
    if files.is_empty() {
        return Err("no files".into());
    }
    let (mut bytes, mut messages, mut failed) = (0u64, 0u64, 0u64);
    let start = Instant::now();
    let before = on_core();
    while start.elapsed() < Duration::from_secs(seconds) {
        for file in &files {
            bytes += file.len() as u64;
            messages += 1;
            let (text, _, _) = encoding_rs::ISO_2022_JP.decode(file);
            match walk(text.trim_end()) {
                Some(visited) => _ = black_box(visited),
                None => failed += 1,
            }
        }
    }
    let wall = start.elapsed().as_secs_f64();
    let time = before.zip(on_core()).map_or(wall, |(before, after)| after - before);
    println!(
        "{:.1} MB/s, {:.0} messages/s; {messages} messages of {} bytes in the mean, {failed} not parsed, {time:.2} s on a core",
        bytes as f64 / 1e6 / time,
        messages as f64 / time,
        bytes / messages
    );
    Ok(())
}
