//! Chunks between processes: the one that parses hostile bytes, and the one that holds the keys.
//!
//! A frame is `AZKCHNK1`, the length of a JSON header (little-endian, 4 bytes), the header, then one Arrow stream a
//! table, each with its length in the header. The reading side checks lengths, table names and schemas before it builds
//! anything, and takes texts only by codes that it knows.

use std::io::{Read, Write};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;
use messages::{Finding, Message, Place, Severity};
use omop::Table;
use serde::{Deserialize, Serialize};

use crate::{Chunk, Counts, Patient, ReadError, findings, ssmix2};

const MAGIC: &[u8; 8] = b"AZKCHNK1";
/// More than any header has: a chunk holds some 16 MiB of source, and every finding names its place.
const MOST_HEADER: u32 = 1 << 28;
/// More than any table of a chunk has.
const MOST_TABLE: u64 = 1 << 30;
/// Bytes that are allocated on a length's word alone.
const MOST_AHEAD: usize = 4 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    patients: Vec<Patient>,
    tables: Vec<(String, u64)>,
    findings: Vec<Line>,
    counts: Counts,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    severity: String,
    code: String,
    args: Vec<(String, String)>,
    file: Option<String>,
    segment: Option<String>,
    field: Option<String>,
}

impl Line {
    fn new(finding: &Finding) -> Self {
        Self {
            severity: finding.severity.as_str().to_owned(),
            code: finding.message.code.to_owned(),
            args: finding.message.args.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            file: finding.place.file.clone(),
            segment: finding.place.segment.clone(),
            field: finding.place.field.clone(),
        }
    }

    fn finding(self) -> Result<Finding, ReadError> {
        let known = |lists: [&'static [&'static str]; 2], name: &str| lists.into_iter().flatten().copied().find(|k| *k == name);
        let severity = [Severity::Info, Severity::Warning, Severity::Error, Severity::Fatal]
            .into_iter()
            .find(|s| s.as_str() == self.severity)
            .ok_or(ReadError::Frame("severity"))?;
        let mut message =
            Message::new(known([ssmix2::CODES, findings::CODES], &self.code).ok_or(ReadError::Frame("code of a finding"))?);
        for (name, value) in self.args {
            message = message
                .with(known([ssmix2::ARGS, findings::ARGS], &name).ok_or(ReadError::Frame("argument of a finding"))?, value);
        }
        Ok(Finding { severity, message, place: Place { file: self.file, segment: self.segment, field: self.field } })
    }
}

impl Chunk {
    /// Writes the chunk as one frame.
    ///
    /// # Errors
    /// When the pipe or the encoding fails.
    pub fn write_ipc(&self, w: &mut dyn Write) -> Result<(), ReadError> {
        let mut streams = Vec::with_capacity(self.tables.len());
        for (table, batch) in &self.tables {
            let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
            writer.write(batch)?;
            streams.push((table.name().to_owned(), writer.into_inner()?));
        }
        let header = Header {
            patients: self.patients.clone(),
            tables: streams.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect(),
            findings: self.findings.iter().map(Line::new).collect(),
            counts: self.counts.clone(),
        };
        let header = serde_json::to_vec(&header).map_err(std::io::Error::from)?;
        let length = u32::try_from(header.len()).ok().filter(|n| *n <= MOST_HEADER).ok_or(ReadError::Frame("header too long"))?;
        w.write_all(MAGIC)?;
        w.write_all(&length.to_le_bytes())?;
        w.write_all(&header)?;
        for (_, bytes) in &streams {
            w.write_all(bytes)?;
        }
        Ok(())
    }

    /// Reads the next frame; `None` at the end, which must fall between two frames.
    ///
    /// # Errors
    /// [`ReadError::Frame`] when the bytes are no frame of this version, or rows refer to patients that are not there.
    pub fn read_ipc(r: &mut dyn Read) -> Result<Option<Chunk>, ReadError> {
        let mut start = [0u8; 12];
        let mut filled = 0;
        while filled < start.len() {
            match r.read(&mut start[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(ReadError::Frame("broken off")),
                Ok(n) => filled += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        let (magic, length) = start.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(ReadError::Frame("start"));
        }
        let length = u32::from_le_bytes(length.try_into().unwrap_or_default());
        if length > MOST_HEADER {
            return Err(ReadError::Frame("header too long"));
        }
        let header = part(r, u64::from(length))?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| ReadError::Frame("header"))?;
        let mut tables: Vec<(Table, RecordBatch)> = Vec::new();
        for (name, length) in header.tables {
            let table = Table::by_name(&name).ok_or(ReadError::Frame("table name"))?;
            if length > MOST_TABLE || tables.iter().any(|(t, _)| *t == table) {
                return Err(ReadError::Frame("table"));
            }
            let bytes = Buffer::from_vec(part(r, length)?);
            // Arrow's reader checks most, not all, of what a stream says of itself before it slices by it.
            let patients = header.patients.len();
            let batch = std::panic::catch_unwind(|| batch(table, &bytes, patients)).map_err(|_| ReadError::Frame("table"))??;
            tables.push((table, batch));
        }
        let findings = header.findings.into_iter().map(Line::finding).collect::<Result<_, _>>()?;
        Ok(Some(Chunk { patients: header.patients, tables, findings, counts: header.counts }))
    }
}

/// Reads exactly so many bytes, allocating no more than a little before they come.
fn part(r: &mut dyn Read, length: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(usize::MAX).min(MOST_AHEAD));
    r.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(ReadError::Frame("broken off")) }
}

/// Whether every message of an Arrow stream lies within its bytes. Arrow's reader allocates what a message claims before
/// it looks whether that is there, and memory that cannot be had ends the process.
fn within(bytes: &[u8]) -> bool {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_le_bytes);
    let mut at = 0;
    loop {
        let Some(mut length) = word(at) else { return at == bytes.len() };
        at += 4;
        if length == u32::MAX {
            let Some(next) = word(at) else { return false };
            (length, at) = (next, at + 4);
        }
        if length == 0 {
            return true;
        }
        let Some(head) = at.checked_add(length as usize).and_then(|end| bytes.get(at..end)) else { return false };
        let body = arrow::ipc::root_as_message(head).ok().and_then(|m| usize::try_from(m.bodyLength()).ok());
        match body.and_then(|body| (at + head.len()).checked_add(body)) {
            Some(end) if end <= bytes.len() => at = end,
            _ => return false,
        }
    }
}

/// The one batch of a stream; its columns are parts of these bytes.
fn batch(table: Table, bytes: &Buffer, patients: usize) -> Result<RecordBatch, ReadError> {
    use arrow::array::AsArray as _;
    if !within(bytes) {
        return Err(ReadError::Frame("table"));
    }
    let (mut decoder, mut rest) = (StreamDecoder::new(), bytes.clone());
    let mut batch = None;
    while !rest.is_empty() {
        if let Some(next) = decoder.decode(&mut rest)?
            && batch.replace(next).is_some()
        {
            return Err(ReadError::Frame("more than one batch"));
        }
        if decoder.schema().is_some_and(|schema| schema != table.candidate_schema()) {
            return Err(ReadError::Frame("schema"));
        }
    }
    decoder.finish()?;
    let batch = batch.ok_or(ReadError::Frame("empty table"))?;
    let numbers = batch.column(0).as_primitive::<arrow::datatypes::Int64Type>();
    if !numbers.values().iter().all(|n| usize::try_from(*n).is_ok_and(|n| n < patients)) {
        return Err(ReadError::Frame("patient number"));
    }
    Ok(batch)
}
