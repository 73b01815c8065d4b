use std::collections::BTreeMap;
use std::marker::PhantomData;

use arrow::record_batch::RecordBatch;

use crate::calendar::Validity;

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
    validity: Validity,
    kind: PhantomData<K>,
}

impl Dataset<Identified> {
    /// Tables by name. Each holds a column `person_id` (64-bit integers), and its row ids are unique within a person.
    pub fn new(tables: BTreeMap<String, RecordBatch>) -> Self {
        Self { tables, validity: Validity::default(), kind: PhantomData }
    }

    /// With what is known of when codes are in use.
    #[must_use]
    pub fn with_validity(mut self, mut validity: Validity) -> Self {
        validity.complete(&self.tables);
        self.validity = validity;
        self
    }

    /// When codes are in use, those of the tables of which nothing is known among them.
    pub fn validity(&self) -> &Validity {
        &self.validity
    }
}

impl<K> Dataset<K> {
    pub(crate) fn treated(tables: BTreeMap<String, RecordBatch>) -> Self {
        Self { tables, validity: Validity::default(), kind: PhantomData }
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
