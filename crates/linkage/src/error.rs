use messages::Message;
use terms::RecordId;

/// Why linkage could not run. Names columns and record ids, never a value.
#[derive(Debug, thiserror::Error)]
pub enum LinkageError {
    /// A column that linkage needs is not there.
    #[error("{code}: {table} has no column {column}. Name it so, or say with a column map (--map) what it is called", code = self.code())]
    ColumnMissing {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
    },
    /// A column has a type that does not hold the value.
    #[error("{code}: column {column} of {table} cannot be read as {wanted}. Write it so", code = self.code())]
    ColumnType {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// The type that was expected.
        wanted: &'static str,
    },
    /// A row belongs to no record.
    #[error("{code}: row {row} of {table} has no record id. Every row needs one", code = self.code())]
    RecordWithoutId {
        /// Which table.
        table: &'static str,
        /// Number of the row in its table or batch, from 1.
        row: usize,
    },
    /// Clerks' facts say that two records are and are not one person.
    #[error("{code}: records {left} and {right} must not be one person, but other facts make them one. Withdraw one of the facts",
        code = self.code())]
    FactsContradict {
        /// The smaller record id of the cannot-link fact.
        left: RecordId,
        /// The larger record id.
        right: RecordId,
    },
    /// A file cannot be opened or read.
    #[error("{code}: the file cannot be read. Check that it exists and may be read", code = self.code())]
    FileUnreadable,
    /// A file cannot be written.
    #[error("{code}: a file of the results cannot be written. Check the folder, its rights and the free space", code = self.code())]
    FileUnwritable,
    /// A CSV file without a header line.
    #[error("{code}: the CSV file is empty. It needs a header line", code = self.code())]
    CsvEmpty,
    /// A CSV file whose first line is blank.
    #[error("{code}: the first line of the CSV file is blank. It has to be the header line: take the blank lines before it out",
        code = self.code())]
    CsvBlank,
    /// A CSV file is not in UTF-8.
    #[error("{code}: the CSV file is not UTF-8 at line {line}. Convert it first, for example with iconv -f CP932 -t UTF-8",
        code = self.code())]
    CsvEncoding {
        /// About where, from 1.
        line: usize,
    },
    /// A CSV row has more or fewer fields than the header.
    #[error("{code}: data row {row} of the CSV file has more or fewer fields than the header. Quote fields that hold commas",
        code = self.code())]
    CsvFields {
        /// Number of the data row, from 1.
        row: usize,
    },
    /// A CSV record that does not end.
    #[error("{code}: the CSV file has a record without end. Look for a quotation mark that is not closed", code = self.code())]
    CsvEndless,
    /// A table of columns names one that is not ours.
    #[error("{code}: entry {entry} of the column map is none of the columns that linkage reads. The README lists them", code = self.code())]
    MapUnknown {
        /// Which entry, from 1.
        entry: usize,
    },
    /// A column map that is no TOML.
    #[error("{code}: the column map cannot be read. It is TOML with a table [columns] of texts", code = self.code())]
    MapUnreadable,
    /// The folder holds no earlier run, or one of another version.
    #[error("{code}: the folder holds no earlier run that this version can continue. Link all people into it first", code = self.code())]
    StateUnreadable,
    /// The folder holds an earlier run whose persons and facts cannot be carried on.
    #[error("{code}: the folder holds results of an earlier run that this version cannot read. Name another folder, or delete this one if \
             its persons and facts are no longer needed", code = self.code())]
    FolderTaken,
    /// Another run works in the folder.
    #[error("{code}: another run works in the folder. Wait until it has ended", code = self.code())]
    FolderBusy,
    /// A run has changed the folder since the clerk's desk was opened.
    #[error("{code}: another run has changed the folder meanwhile. Open the queue again", code = self.code())]
    FolderChanged,
    /// A fact that is neither `must`, `cannot` nor `withdraw`, or names no record.
    #[error("{code}: row {row} of the facts is not kind,record_id_l,record_id_r with the kind must, cannot or withdraw", code = self.code())]
    FactUnreadable {
        /// Number of the data row, from 1.
        row: usize,
    },
    /// Clerks' facts about records of a table contradict each other.
    #[error("{code}: row {row} of the facts contradicts facts before it, in this table or stated earlier. Withdraw one of them (kind withdraw)",
        code = self.code())]
    FactRowsContradict {
        /// Number of the data row from 1 with which the facts begin to contradict each other.
        row: usize,
    },
    /// Facts and decisions that stand already contradict each other.
    #[error("{code}: records {left} and {right} must not be one person, but other facts or decisions that stand make them one. Withdraw one \
             of these (--facts with the kind withdraw, or decide --as withdraw)", code = self.code())]
    StandingFactsContradict {
        /// Id of one record, as its table writes it.
        left: String,
        /// Id of the other.
        right: String,
    },
    /// The table of clerks' decisions in the folder has a row that is none.
    #[error("{code}: row {row} of decisions.csv in the folder is no decision. Restore the file from a copy, or take the row out",
        code = self.code())]
    DecisionUnreadable {
        /// Number of the data row, from 1.
        row: usize,
    },
    /// A clerk decided about a record that is not there, or about one record.
    #[error("{code}: the two have to be two records of this folder. Look their ids up with azekura link queue", code = self.code())]
    DecisionUnknownRecord,
    /// A decision of nobody.
    #[error("{code}: a decision needs the name of the clerk", code = self.code())]
    DecisionWithoutClerk,
    /// A decision against other decisions.
    #[error("{code}: the decision contradicts others: it would make one person of records that clerks keep apart, or part records that \
             clerks join. Take one of them back first (--as withdraw)", code = self.code())]
    DecisionContradicts,
    /// A Parquet file cannot be read.
    #[error("{code}: the Parquet file cannot be read. It may be cut off, encrypted, or compressed by other than Snappy or Zstandard", code = self.code())]
    ParquetUnreadable,
    /// A bound on memory below what stays in memory whatever waits on disk.
    #[error("{code}: the bound on memory is too small for these records. Allow at least about {least} MiB", code = self.code())]
    MemoryTooSmall {
        /// Mebibytes with which the step that failed would have begun.
        least: u64,
    },
    /// A bound on memory where an earlier run has to be continued.
    #[error("{code}: a bound on memory holds for the first run in a folder only. Name a new folder, or leave the bound out", code = self.code())]
    MemoryEarlierRun,
    /// A temporary file cannot be written.
    #[error("{code}: a temporary file in the folder of the results cannot be written. Make room on its disk, or allow more memory",
        code = self.code())]
    SpillUnwritable,
    /// A temporary file is not as it was written.
    #[error("{code}: a temporary file of the run was changed or damaged on disk; nothing was written. Check the disk and run again",
        code = self.code())]
    SpillChanged,
    /// A record id stands twice in a CSV file.
    #[error("{code}: the record id of data row {row} stood in the file before. Give every record its own id", code = self.code())]
    CsvIdTwice {
        /// Number of the data row, from 1.
        row: usize,
    },
}

impl LinkageError {
    /// The code of the error in the catalogue of messages.
    pub fn code(&self) -> &'static str {
        match self {
            LinkageError::ColumnMissing { .. } => "linkage-column-missing",
            LinkageError::ColumnType { .. } => "linkage-column-type",
            LinkageError::RecordWithoutId { .. } => "linkage-record-without-id",
            LinkageError::FactsContradict { .. } => "linkage-facts-contradict",
            LinkageError::FileUnreadable => "linkage-file-unreadable",
            LinkageError::FileUnwritable => "linkage-file-unwritable",
            LinkageError::CsvEmpty => "linkage-csv-empty",
            LinkageError::CsvBlank => "linkage-csv-blank",
            LinkageError::CsvEncoding { .. } => "linkage-csv-encoding",
            LinkageError::CsvFields { .. } => "linkage-csv-fields",
            LinkageError::CsvEndless => "linkage-csv-endless",
            LinkageError::MapUnknown { .. } => "linkage-map-unknown",
            LinkageError::MapUnreadable => "linkage-map-unreadable",
            LinkageError::StateUnreadable => "linkage-state-unreadable",
            LinkageError::FolderTaken => "linkage-folder-taken",
            LinkageError::FolderBusy => "linkage-folder-busy",
            LinkageError::FolderChanged => "linkage-folder-changed",
            LinkageError::FactUnreadable { .. } => "linkage-fact-unreadable",
            LinkageError::FactRowsContradict { .. } => "linkage-fact-rows-contradict",
            LinkageError::StandingFactsContradict { .. } => "linkage-standing-facts-contradict",
            LinkageError::DecisionUnreadable { .. } => "linkage-decision-unreadable",
            LinkageError::DecisionUnknownRecord => "linkage-decision-unknown-record",
            LinkageError::DecisionWithoutClerk => "linkage-decision-without-clerk",
            LinkageError::DecisionContradicts => "linkage-decision-contradicts",
            LinkageError::ParquetUnreadable => "linkage-parquet-unreadable",
            LinkageError::MemoryTooSmall { .. } => "linkage-memory-too-small",
            LinkageError::MemoryEarlierRun => "linkage-memory-earlier-run",
            LinkageError::SpillUnwritable => "linkage-spill-unwritable",
            LinkageError::SpillChanged => "linkage-spill-changed",
            LinkageError::CsvIdTwice { .. } => "linkage-csv-id-twice",
        }
    }

    /// The error as a message of the catalogue, to say in a language.
    pub fn message(&self) -> Message {
        let message = Message::new(self.code());
        match self {
            LinkageError::ColumnMissing { table, column } => message.with("table", table).with("column", column),
            LinkageError::ColumnType { table, column, wanted } => {
                message.with("table", table).with("column", column).with("wanted", wanted)
            }
            LinkageError::RecordWithoutId { table, row } => message.with("table", table).with("row", row),
            LinkageError::FactsContradict { left, right } => message.with("left", left).with("right", right),
            LinkageError::CsvEncoding { line } => message.with("line", line),
            LinkageError::CsvFields { row }
            | LinkageError::CsvIdTwice { row }
            | LinkageError::FactUnreadable { row }
            | LinkageError::DecisionUnreadable { row }
            | LinkageError::FactRowsContradict { row } => message.with("row", row),
            LinkageError::StandingFactsContradict { left, right } => message.with("left", left).with("right", right),
            LinkageError::MemoryTooSmall { least } => message.with("least", least),
            LinkageError::MapUnknown { entry } => message.with("entry", entry),
            _ => message,
        }
    }
}
