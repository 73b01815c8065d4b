use terms::RecordId;

/// Why linkage could not run. Names columns and record ids, never a value.
#[derive(Debug, thiserror::Error)]
pub enum LinkageError {
    /// A column that linkage needs is not there.
    #[error("{code}: {table} has no column {column}. Pass the table with its lake schema", code = self.code())]
    ColumnMissing {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
    },
    /// A column has a type that does not hold the value.
    #[error("{code}: column {column} of {table} cannot be read as {wanted}. Pass the table with its lake schema", code = self.code())]
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
        /// Number of the row in its batch, from 0.
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
    /// A CSV file cannot be read.
    #[error("{code}: the CSV file cannot be read near line {line}. It has to be UTF-8 with a header line and as many fields in every line",
        code = self.code())]
    CsvUnreadable {
        /// About where, from 1; 0 when the place is not known.
        line: usize,
    },
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
            LinkageError::CsvUnreadable { .. } => "linkage-csv-unreadable",
            LinkageError::CsvIdTwice { .. } => "linkage-csv-id-twice",
        }
    }
}
