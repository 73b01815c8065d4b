//! Reading samples and made-up files into something that can be compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use formats::ssmix2::{Options, Prescan, Ssmix2Reader};
use formats::{Chunk, Counts, Member, Patient, Reader};
use messages::Finding;
use omop::Table;

/// A file: path in the storage, bytes.
pub type File = (String, Vec<u8>);

/// Everything that a reader handed out. `tables` holds each row as its table and its stated columns.
#[derive(Default)]
pub struct Outcome {
    pub patients: Vec<Patient>,
    pub rows: Vec<Row>,
    pub findings: Vec<Finding>,
    pub counts: Counts,
}

/// A row as text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub patient: String,
    pub table: &'static str,
    pub columns: BTreeMap<String, String>,
}

impl Row {
    pub fn get(&self, column: &str) -> &str {
        self.columns.get(column).map_or("", String::as_str)
    }
}

pub fn samples(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/ssmix2").join(below)
}

/// Every file below a directory, in the order of names.
pub fn tree(root: &Path) -> Vec<File> {
    let mut out = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let below = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
                out.push((below, std::fs::read(&path).expect("a file")));
            }
        }
    }
    out.sort();
    out
}

/// Reads files as one payload, with a prescan, chunk by chunk of `chunk_bytes`.
pub fn read_with(files: &[File], options: Options) -> Outcome {
    let mut reader = Ssmix2Reader::new(options);
    let mut out = Outcome::default();
    let mut take = |chunk: Chunk| {
        out.add(chunk);
        Ok(())
    };
    for (ordinal, (path, bytes)) in files.iter().enumerate() {
        let member =
            Member { path, payload: 1, ordinal: ordinal as u64, size: bytes.len() as u64, content: &mut bytes.as_slice() };
        reader.member(member, &mut take).expect("a member is read");
    }
    reader.finish(&mut take).expect("the end is read");
    out
}

pub fn prescan(files: &[File]) -> std::collections::BTreeSet<String> {
    let mut prescan = Prescan::new(Options::default().patient_id_rule);
    for (ordinal, (path, bytes)) in files.iter().enumerate() {
        let member =
            Member { path, payload: 1, ordinal: ordinal as u64, size: bytes.len() as u64, content: &mut bytes.as_slice() };
        prescan.member(member).expect("a member is looked at");
    }
    prescan.finish()
}

pub fn read(files: &[File]) -> Outcome {
    read_with(files, Options { set_aside: prescan(files), ..Options::default() })
}

impl Outcome {
    pub fn add(&mut self, chunk: Chunk) {
        for (table, batch) in &chunk.tables {
            rows(*table, batch, &chunk.patients, &mut self.rows);
        }
        self.patients.extend(chunk.patients);
        self.findings.extend(chunk.findings);
        self.counts.add(&chunk.counts);
    }

    pub fn of(&self, table: &str) -> Vec<&Row> {
        self.rows.iter().filter(|r| r.table == table).collect()
    }

    pub fn codes(&self) -> Vec<&'static str> {
        self.findings.iter().map(|f| f.message.code).collect()
    }

    pub fn finding(&self, code: &str) -> &Finding {
        self.findings.iter().find(|f| f.message.code == code).unwrap_or_else(|| panic!("{code} among {:?}", self.codes()))
    }

    /// Rows (but those of `source_file`), findings and counts as text, in an order of their own.
    pub fn text(&self) -> String {
        let mut lines: Vec<String> = self
            .rows
            .iter()
            .filter(|r| r.table != "source_file")
            .map(|r| {
                let columns: Vec<String> =
                    r.columns.iter().filter(|(name, _)| !name.ends_with("_ts")).map(|(k, v)| format!("{k}={v}")).collect();
                format!("{} {} {}", r.patient, r.table, columns.join("; "))
            })
            .collect();
        lines.sort();
        let mut findings: Vec<String> = self
            .findings
            .iter()
            .map(|f| {
                let place = [&f.place.segment, &f.place.field].map(|p| p.as_deref().unwrap_or("-")).join(" ");
                let file = f.place.file.as_deref().unwrap_or("-").rsplit('/').next().unwrap_or("-").to_owned();
                let args: Vec<String> = f.message.args.iter().map(|(k, v)| format!("{k}={v}")).collect();
                format!("{} {} {file} {place} {}", f.severity.as_str(), f.message.code, args.join("; ")).trim_end().to_owned()
            })
            .collect();
        findings.sort();
        let counts: Vec<String> = self.counts.without_row.iter().map(|(k, v)| format!("{k}={v}")).collect();
        format!("# rows\n{}\n# findings\n{}\n# without row\n{}\n", lines.join("\n"), findings.join("\n"), counts.join("\n"))
    }
}

fn rows(table: Table, batch: &RecordBatch, patients: &[Patient], out: &mut Vec<Row>) {
    assert_eq!(batch.schema(), table.candidate_schema(), "{}", table.name());
    let options = FormatOptions::default();
    let schema = batch.schema();
    let columns: Vec<(String, ArrayFormatter<'_>, &dyn Array)> = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .skip(1)
        .map(|(f, c)| (f.name().clone(), ArrayFormatter::try_new(c, &options).expect("a column"), c.as_ref()))
        .collect();
    let numbers = batch.column(0).as_primitive::<Int64Type>();
    for row in 0..batch.num_rows() {
        let patient = patients[usize::try_from(numbers.value(row)).expect("a number")].local_id.clone();
        // Zeros are "no matching concept" throughout; they would only be noise here.
        let stated = columns
            .iter()
            .filter(|(name, _, column)| column.is_valid(row) && name != "content")
            .map(|(name, format, _)| (name.clone(), format.value(row).to_string()))
            .filter(|(name, value)| !(name.ends_with("concept_id") && value == "0"))
            .filter(|(name, _)| (name != "source_state" || table == Table::SourceFile) && !hash(name, table))
            .collect();
        out.push(Row { patient, table: table.name(), columns: stated });
    }
}

/// Ids of doctors, departments and places are hashes; the rows that they name have the codes.
fn hash(name: &str, table: Table) -> bool {
    matches!(name, "provider_id" | "care_site_id" | "location_id") || table.row_id() == Some(name)
}

/// A made-up live file: its body behind an MSH and a PID of the patient.
pub fn file(kind: &str, date: &str, order: &str, message: &str, body: &str) -> File {
    let pid = "PID|0001||0000000001^^^^PI||試験^太郎^^^^^L^I||19800101|M";
    made(kind, date, order, "20240401120000000", 1, message, &format!("{pid}\r{body}"))
}

/// A made-up file in UTF-8, whatever its PID.
pub fn made(kind: &str, date: &str, order: &str, stamp: &str, flag: u8, message: &str, body: &str) -> File {
    let name = format!("0000000001_{date}_{kind}_{order}_{stamp}_01_{flag}");
    let msh = format!("MSH|^~\\&|HIS|SEND|GW|RCV|20240401120000||{message}|1|P|2.5||||||UNICODE UTF-8");
    (format!("000/000/0000000001/{date}/{kind}/{name}"), format!("{msh}\r{body}\r").into_bytes())
}

/// Samples of another kind than SS-MIX2.
pub fn other_samples(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(below)
}

/// Gives files to a reader, one after the other, to the end.
pub fn read_by(reader: &mut dyn Reader, files: &[File]) -> Outcome {
    let mut out = Outcome::default();
    let mut take = |chunk: Chunk| {
        out.add(chunk);
        Ok(())
    };
    for (ordinal, (path, bytes)) in files.iter().enumerate() {
        let member =
            Member { path, payload: 1, ordinal: ordinal as u64, size: bytes.len() as u64, content: &mut bytes.as_slice() };
        reader.member(member, &mut take).expect("a member is read");
    }
    reader.finish(&mut take).expect("the end is read");
    assert!(out.counts.balanced(), "{:?}", out.counts);
    out
}

/// One sample file.
pub fn sample(path: &str) -> File {
    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
    (name, std::fs::read(other_samples(path)).expect("a sample"))
}

/// A sample of expected values.
pub fn expected(path: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(other_samples(path)).expect("a sample")).expect("JSON")
}

/// Physical lines, counted in the plainest way. CR ends them where the beginning has no LF.
pub fn physical_lines(bytes: &[u8]) -> u64 {
    let beginning = &bytes[..bytes.len().min(64 << 10)];
    let end = if !beginning.contains(&b'\n') && beginning.contains(&b'\r') { b'\r' } else { b'\n' };
    let ends = bytes.iter().filter(|b| **b == end).count();
    (ends + usize::from(bytes.last().is_some_and(|b| *b != end))) as u64
}
