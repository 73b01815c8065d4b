use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use omop::Table;
use terms::AssetClass;

/// What the files of the lake hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LakeTable {
    /// Rows of a table of the model, by record.
    Rows(Table),
    /// Which records are one person: the result of a linkage run.
    RecordPerson,
}

/// No table of the lake has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the lake has no table of this name")]
pub struct UnknownTable;

impl LakeTable {
    /// Name as in SQL, in the ledger and in file names.
    pub const fn name(self) -> &'static str {
        match self {
            LakeTable::Rows(table) => table.name(),
            LakeTable::RecordPerson => "record_person",
        }
    }

    /// Under which class of key its files are sealed.
    pub const fn class(self) -> AssetClass {
        match self {
            LakeTable::Rows(table) => table.class(),
            LakeTable::RecordPerson => AssetClass::Linkage,
        }
    }

    /// Columns of a file; the first is `record_id`, by which the rows are sorted.
    pub fn schema(self) -> SchemaRef {
        static RECORD_PERSON: LazyLock<SchemaRef> = LazyLock::new(|| {
            Arc::new(Schema::new(vec![
                Field::new("record_id", DataType::Int64, false),
                Field::new("person_id", DataType::Int64, false),
            ]))
        });
        match self {
            LakeTable::Rows(table) => table.lake_schema(),
            LakeTable::RecordPerson => Arc::clone(&RECORD_PERSON),
        }
    }

    /// Whether its rows carry the commit that they came with, so that later commits can make them stale.
    pub(crate) const fn has_commits(self) -> bool {
        matches!(self, LakeTable::Rows(_))
    }

    /// Every table that can have files.
    pub fn all() -> impl Iterator<Item = LakeTable> {
        Table::ALL.iter().copied().map(LakeTable::Rows).chain([LakeTable::RecordPerson])
    }
}

impl From<Table> for LakeTable {
    fn from(table: Table) -> Self {
        LakeTable::Rows(table)
    }
}

impl FromStr for LakeTable {
    type Err = UnknownTable;
    fn from_str(name: &str) -> Result<Self, UnknownTable> {
        LakeTable::all().find(|t| t.name() == name).ok_or(UnknownTable)
    }
}

impl fmt::Display for LakeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
