use std::collections::BTreeMap;
use std::marker::PhantomData;

use arrow::record_batch::RecordBatch;

/// Tables as they are: people in them can be identified.
pub enum Identified {}
/// 仮名加工: identifiable only together with other information.
pub enum Pseudonymized {}
/// 匿名加工: not identifiable, and not to be turned back.
pub enum Anonymized {}

/// Tables about people, and how far they have been treated. [`Identified`] ones anybody can make; the others only
/// [`crate::process`].
pub struct Dataset<K> {
    tables: BTreeMap<String, RecordBatch>,
    kind: PhantomData<K>,
}

impl Dataset<Identified> {
    /// Tables by name. Each holds a column `person_id` (64-bit integers), and its row ids are unique within a person.
    pub fn new(tables: BTreeMap<String, RecordBatch>) -> Self {
        Self { tables, kind: PhantomData }
    }
}

impl<K> Dataset<K> {
    pub(crate) fn treated(tables: BTreeMap<String, RecordBatch>) -> Self {
        Self { tables, kind: PhantomData }
    }

    /// The tables by name.
    pub fn tables(&self) -> &BTreeMap<String, RecordBatch> {
        &self.tables
    }

    /// The tables by name. What they are is from here on said by whoever holds them.
    pub fn into_tables(self) -> BTreeMap<String, RecordBatch> {
        self.tables
    }
}
