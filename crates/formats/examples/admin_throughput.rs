//! Bytes to OMOP rows on one core, for claims, DPC, checkups and FHIR: `admin_throughput KIND FILE [MEGABYTES]`.
//!
//! KIND is receipt, dpc, checkup or fhir. The file's patients are repeated under other ids until so many megabytes are
//! there (in memory), and given to the reader once. Claims and DPC: text files with their header and trailer taken once.

use std::time::Instant;

use formats::{Chunk, Member, Reader, checkup, dpc, fhir, receipt};

/// Seconds that this thread has had on a core: a busy machine does not change it.
fn on_core() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}

/// The body of a file again and again, the ids in it made new ones each time.
fn repeated(head: &[u8], body: &[u8], ids: &[&str], wanted: usize) -> Vec<u8> {
    let mut out = head.to_vec();
    let mut round = 0usize;
    while out.len() < wanted {
        round += 1;
        let mut rest = body;
        'body: while !rest.is_empty() {
            for (n, id) in ids.iter().enumerate() {
                if let Some(after) = rest.strip_prefix(id.as_bytes()) {
                    out.extend_from_slice(format!("{:010}", round * 7 + n).as_bytes());
                    // What follows the digits of an id says where it stands.
                    out.extend_from_slice(id.trim_start_matches(|c: char| c.is_ascii_digit()).as_bytes());
                    rest = after;
                    continue 'body;
                }
            }
            out.push(rest[0]);
            rest = &rest[1..];
        }
    }
    out
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: admin_throughput receipt|dpc|checkup|fhir FILE [MEGABYTES]";
    let kind = args.next().ok_or(usage)?;
    let path = args.next().ok_or(usage)?;
    let megabytes: usize = args.next().map_or(Ok(256), |m| m.parse())?;
    let bytes = std::fs::read(&path)?;
    let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
    let lines = |from: usize, to: usize| {
        let all: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
        all[from.min(all.len())..all.len().saturating_sub(to).max(from.min(all.len()))].concat()
    };
    let wanted = megabytes << 20;
    let (mut reader, content, times): (Box<dyn Reader>, Vec<u8>, usize) = match kind.as_str() {
        // Charts of the samples; the header is the first line, the trailer and the end mark the last two.
        "receipt" => {
            let head = bytes.split_inclusive(|b| *b == b'\n').next().unwrap_or_default();
            let charts = ["123,,,", "456,,,", "1011,,,"];
            (Box::new(receipt::ReceiptReader::default()), repeated(head, &lines(1, 2), &charts, wanted), 1)
        }
        "dpc" => {
            let head = bytes.split_inclusive(|b| *b == b'\n').next().unwrap_or_default();
            let ids = ["0000000123", "0000000456", "0000000789"];
            (Box::new(dpc::DpcReader::default()), repeated(head, &lines(1, 0), &ids, wanted), 1)
        }
        "checkup" => (Box::new(checkup::CheckupReader::default()), bytes.clone(), wanted / bytes.len().max(1)),
        "fhir" => (Box::new(fhir::FhirReader::default()), repeated(b"", &bytes, &[], wanted), 1),
        _ => return Err(usage.into()),
    };
    let (mut rows, mut findings, mut records) = (0u64, 0u64, 0u64);
    let mut take = |chunk: Chunk| {
        rows += chunk.counts.rows;
        records += chunk.counts.records;
        findings += chunk.findings.len() as u64;
        Ok(())
    };
    let (start, before) = (Instant::now(), on_core());
    for ordinal in 0..times {
        let size = content.len() as u64;
        let member = Member { path: &name, payload: 1, ordinal: ordinal as u64, size, content: &mut content.as_slice() };
        reader.member(member, &mut take)?;
    }
    reader.finish(&mut take)?;
    let wall = start.elapsed().as_secs_f64();
    let time = before.zip(on_core()).map_or(wall, |(before, after)| after - before);
    let total = content.len() as f64 * times as f64;
    println!(
        "{kind} {name}: {:.0} MB, {:.1} MB/s, {:.0} records/s, {:.0} rows/s, {findings} findings, {time:.2} s on a core, {wall:.2} s in all",
        total / 1e6,
        total / 1e6 / time,
        records as f64 / time,
        rows as f64 / time
    );
    Ok(())
}
