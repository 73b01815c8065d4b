use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use messages::Finding;
use omop::Table;
use serde::{Deserialize, Serialize};

/// What a reader hands out at a time: whole patients. It names people: it has no `Debug`.
pub struct Chunk {
    /// The patients; rows refer to them by their place here, in the column `record_id`.
    pub patients: Vec<Patient>,
    /// Candidate rows by table, each of [`Table::candidate_schema`].
    pub tables: Vec<(Table, RecordBatch)>,
    /// What could not be read, or was read with a doubt.
    pub findings: Vec<Finding>,
    /// What was met.
    pub counts: Counts,
}

/// One patient of a provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    /// The id as the provider writes it.
    pub local_id: String,
    /// Code of the reason for which the patient is set aside: no rows then but those of `source_file`.
    pub set_aside: Option<String>,
    /// Other numbers that institutions gave the patient: that of a chart that was merged with this one.
    pub also: Vec<String>,
}

/// What a reader met. Each file is in exactly one of `read`, `duplicate`, `superseded`, `deleted`, `set_aside`, `unread`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Files.
    pub members: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Live files that were read.
    pub read: u64,
    /// Live files that a later live file of the same key stands before; there is a finding for each.
    pub duplicate: u64,
    /// Files that the source has replaced.
    pub superseded: u64,
    /// Files that the source has deleted.
    pub deleted: u64,
    /// Live files of patients who are set aside.
    pub set_aside: u64,
    /// Files that could not be read; there is a finding for each.
    pub unread: u64,
    /// Physical records of line formats (DPC, claims, NDJSON, CSV) and resources or items of the others. Each is in
    /// exactly one of the next three.
    pub records: u64,
    /// Of these, understood: they made rows, or said what rows belong to, or are counted in `without_row`.
    pub records_read: u64,
    /// Of these, empty lines and end-of-file marks.
    pub records_blank: u64,
    /// Of these, what could not be read; there is a finding for each, or a summary with their count.
    pub records_unread: u64,
    /// Rows that came out, without those of `source_file`.
    pub rows: u64,
    /// Entries that were understood and make no row, by reason.
    pub without_row: BTreeMap<String, u64>,
}

impl Counts {
    /// Adds what another chunk met.
    pub fn add(&mut self, other: &Counts) {
        self.members += other.members;
        self.bytes += other.bytes;
        self.read += other.read;
        self.duplicate += other.duplicate;
        self.superseded += other.superseded;
        self.deleted += other.deleted;
        self.set_aside += other.set_aside;
        self.unread += other.unread;
        self.records += other.records;
        self.records_read += other.records_read;
        self.records_blank += other.records_blank;
        self.records_unread += other.records_unread;
        self.rows += other.rows;
        for (reason, n) in &other.without_row {
            *self.without_row.entry(reason.clone()).or_default() += n;
        }
    }

    /// Whether every file and every record is accounted for.
    pub fn balanced(&self) -> bool {
        self.members == self.read + self.duplicate + self.superseded + self.deleted + self.set_aside + self.unread
            && self.records == self.records_read + self.records_blank + self.records_unread
    }
}
