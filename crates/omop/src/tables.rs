//! Schemas, and the generated row types and builders (`build.rs`, from `data/*.csv`).

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, FixedSizeBinaryArray, Float64Builder, Int8Builder, Int32Builder,
    Int64Array, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use terms::{AssetClass, AssetId, RecordId};

/// Arrow type of a column, by the data type that the definition gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Concept ids and small integers.
    Int32,
    /// Row ids, record ids.
    Int64,
    /// Numbers with fraction.
    Float64,
    /// Days since 1970-01-01.
    Date32,
    /// Microseconds since 1970-01-01T00:00 local time.
    Timestamp,
    /// Text.
    Utf8,
    /// Yes or no.
    Boolean,
    /// Bytes.
    Binary,
}

impl Kind {
    /// The Arrow type.
    pub fn data_type(self) -> DataType {
        match self {
            Kind::Int32 => DataType::Int32,
            Kind::Int64 => DataType::Int64,
            Kind::Float64 => DataType::Float64,
            Kind::Date32 => DataType::Date32,
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Kind::Utf8 => DataType::Utf8,
            Kind::Boolean => DataType::Boolean,
            Kind::Binary => DataType::Binary,
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct FieldDef {
    /// Name.
    pub name: &'static str,
    /// Arrow type.
    pub kind: Kind,
    /// Whether every row has a value.
    pub required: bool,
    /// First sentence of the model's guidance.
    pub guidance: &'static str,
}

impl FieldDef {
    fn field(&self) -> Field {
        Field::new(self.name, self.kind.data_type(), !self.required)
    }
}

/// Where a candidate row comes from, and what the source says of its state. Which candidates are valid in the end is
/// not the reader's to say.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// In a reader's output the number of the patient in its chunk; in the lake the record id.
    pub record_id: i64,
    /// Key of the unit that the source replaces as a whole (SS-MIX2: `data type|care date|order number`).
    pub source_key: &'a str,
    /// Time of the unit, microseconds since 1970-01-01 local time.
    pub source_ts: i64,
    /// What the source says of the unit.
    pub source_state: SourceState,
}

/// What a source says of a unit of its own (SS-MIX2: the condition flag of the file name).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(i8)]
pub enum SourceState {
    /// Deleted.
    Deleted = 0,
    /// Valid.
    #[default]
    Live = 1,
    /// Replaced by a later unit of the same key.
    Superseded = 2,
}

impl TryFrom<i8> for SourceState {
    type Error = i8;
    fn try_from(value: i8) -> Result<Self, i8> {
        match value {
            0 => Ok(Self::Deleted),
            1 => Ok(Self::Live),
            2 => Ok(Self::Superseded),
            other => Err(other),
        }
    }
}

#[derive(Default)]
struct HeadColumns {
    record_id: Int64Builder,
    source_key: StringBuilder,
    source_ts: TimestampMicrosecondBuilder,
    source_state: Int8Builder,
}

impl HeadColumns {
    fn push(&mut self, head: &Head<'_>) {
        self.record_id.append_value(head.record_id);
        self.source_key.append_value(head.source_key);
        self.source_ts.append_value(head.source_ts);
        self.source_state.append_value(head.source_state as i8);
    }

    fn len(&self) -> usize {
        use arrow::array::ArrayBuilder as _;
        self.record_id.len()
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.record_id.finish()),
            Arc::new(self.source_key.finish()),
            Arc::new(self.source_ts.finish()),
            Arc::new(self.source_state.finish()),
        ]
    }
}

#[allow(clippy::expect_used)]
fn batch(table: Table, columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(table.candidate_schema(), columns).expect("builders and schema are made from the same definition")
}

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// Names of the columns that stand before a table's own in the lake.
pub const HEAD: [&str; 7] = ["record_id", "source_key", "source_ts", "source_state", "asset_id", "source_seq", "commit_seq"];

fn head_fields(lake: bool) -> Vec<Field> {
    let mut fields = vec![
        Field::new("record_id", DataType::Int64, false),
        Field::new("source_key", DataType::Utf8, false),
        Field::new("source_ts", DataType::Timestamp(TimeUnit::Microsecond, None), false),
        Field::new("source_state", DataType::Int8, false),
    ];
    if lake {
        fields.push(Field::new("asset_id", DataType::FixedSizeBinary(16), false));
        fields.push(Field::new("source_seq", DataType::Int64, false));
        fields.push(Field::new("commit_seq", DataType::Int64, false));
    }
    fields
}

impl Table {
    /// The table of this name.
    pub fn by_name(name: &str) -> Option<Table> {
        Table::ALL.iter().copied().find(|t| t.name() == name)
    }

    /// The column with the day that a row belongs to: of what lasts the first one. None where rows are of no day.
    pub const fn date_column(self) -> Option<&'static str> {
        Some(match self {
            Table::ObservationPeriod => "observation_period_start_date",
            Table::VisitOccurrence => "visit_start_date",
            Table::VisitDetail => "visit_detail_start_date",
            Table::VisitEvent => "event_date",
            Table::ConditionOccurrence => "condition_start_date",
            Table::DrugExposure => "drug_exposure_start_date",
            Table::ProcedureOccurrence => "procedure_date",
            Table::DeviceExposure => "device_exposure_start_date",
            Table::Measurement => "measurement_date",
            Table::Observation => "observation_date",
            Table::Death => "death_date",
            Table::Note => "note_date",
            Table::Specimen => "specimen_date",
            Table::PayerPlanPeriod => "payer_plan_period_start_date",
            Table::Cost => "visit_start",
            _ => return None,
        })
    }

    /// Under which class of key the table's files are sealed.
    pub const fn class(self) -> AssetClass {
        match self {
            Table::Identity | Table::Insurance => AssetClass::Identity,
            Table::SourceFile => AssetClass::Source,
            _ => AssetClass::Clinical,
        }
    }

    /// Columns without those that stand before them: OMOP's except `person_id`, then ours.
    pub fn fields(self) -> impl Iterator<Item = &'static FieldDef> {
        self.omop_fields().iter().filter(|f| f.name != "person_id").chain(self.own_fields())
    }

    /// The table exactly as OMOP CDM v5.4 has it, `person_id` in its place and nothing of ours.
    pub fn omop_schema(self) -> SchemaRef {
        Arc::new(Schema::new(self.omop_fields().iter().map(FieldDef::field).collect::<Vec<_>>()))
    }

    /// What readers emit: `record_id` (the patient's number in the chunk), `source_key`, `source_ts`, `source_state`,
    /// then [`Table::fields`].
    pub fn candidate_schema(self) -> SchemaRef {
        let mut fields = head_fields(false);
        fields.extend(self.fields().map(FieldDef::field));
        Arc::new(Schema::new(fields))
    }

    /// What the lake keeps: [`HEAD`], then [`Table::fields`].
    pub fn lake_schema(self) -> SchemaRef {
        let mut fields = head_fields(true);
        fields.extend(self.fields().map(FieldDef::field));
        Arc::new(Schema::new(fields))
    }

    /// The name of the table's row id column, where it has one (`measurement_id` …).
    pub fn row_id(self) -> Option<&'static str> {
        let first = self.omop_fields().first()?;
        (first.name != "person_id" && first.name == format!("{}_id", self.name())).then_some(first.name)
    }
}

/// Turns a reader's batch into a lake batch: patient numbers become record ids, and the columns that are the same for
/// a whole commit are added. Rows of patients without a record id (`None`: who may not come in) are left out.
///
/// # Errors
/// When the batch is not of [`Table::candidate_schema`] or names a patient that is not in `records`.
pub fn to_lake(
    table: Table,
    batch: &RecordBatch,
    records: &[Option<RecordId>],
    asset: AssetId,
    source_seq: i64,
    commit_seq: i64,
) -> Result<RecordBatch, ArrowError> {
    use arrow::array::AsArray as _;
    use arrow::datatypes::Int64Type;
    if batch.schema().fields() != table.candidate_schema().fields() {
        return Err(ArrowError::SchemaError(format!("not a candidate batch of {}", table.name())));
    }
    let numbers = batch.column(0).as_primitive::<Int64Type>();
    let mut ids = Vec::with_capacity(batch.num_rows());
    let mut keep = Vec::with_capacity(batch.num_rows());
    for number in numbers.values() {
        let record = usize::try_from(*number).ok().and_then(|n| records.get(n)).ok_or_else(|| {
            ArrowError::InvalidArgumentError(format!("a row of {} names a patient that its chunk does not have", table.name()))
        })?;
        keep.push(record.is_some());
        ids.push(record.map_or(0, |r| r.0));
    }
    let rows = batch.num_rows();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(ids))];
    columns.extend_from_slice(&batch.columns()[1..4]);
    let asset = asset.as_bytes().as_slice();
    columns.push(Arc::new(
        FixedSizeBinaryArray::try_from_iter(std::iter::repeat_n(asset, rows))
            .or_else(|e| if rows == 0 { Ok(FixedSizeBinaryArray::new_null(16, 0)) } else { Err(e) })?,
    ));
    columns.push(Arc::new(Int64Array::from_value(source_seq, rows)));
    columns.push(Arc::new(Int64Array::from_value(commit_seq, rows)));
    columns.extend_from_slice(&batch.columns()[4..]);
    let out = RecordBatch::try_new(table.lake_schema(), columns)?;
    if keep.iter().all(|k| *k) {
        return Ok(out);
    }
    arrow::compute::filter_record_batch(&out, &keep.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_the_columns_of_the_published_model_in_its_order() {
        let mut csv = csv::Reader::from_reader(include_str!("../data/cdm54_field_level.csv").as_bytes());
        let mut published: std::collections::BTreeMap<String, Vec<String>> = Default::default();
        for row in csv.records() {
            let row = row.expect("a row");
            published.entry(row[0].to_owned()).or_default().push(row[1].to_owned());
        }
        for table in Table::ALL.iter().filter(|t| t.is_omop()) {
            let schema = table.omop_schema();
            let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            assert_eq!(published[table.name()], names, "{}", table.name());
        }
    }

    #[test]
    fn rows_of_patients_who_may_not_come_in_are_left_out() {
        let mut columns = Columns::default();
        for patient in 0..3 {
            let head = Head { record_id: patient, source_key: "k", source_ts: 0, source_state: SourceState::Live };
            columns.measurement.push(&head, &MeasurementRow { measurement_source_value: Some("3A010"), ..Default::default() });
        }
        let (table, batch) = columns.finish().remove(0);
        let out =
            to_lake(table, &batch, &[Some(RecordId(7)), None, Some(RecordId(9))], AssetId::new(), 1, 2).expect("a lake batch");
        let ids: &Int64Array = out.column(0).as_any().downcast_ref().expect("record ids");
        assert_eq!(ids.values().as_ref(), &[7, 9]);
        assert_eq!(out.schema(), Table::Measurement.lake_schema());
        assert!(
            to_lake(table, &batch, &[Some(RecordId(7))], AssetId::new(), 1, 2).is_err(),
            "a patient out of range is an error"
        );
    }

    #[test]
    fn identity_and_source_are_sealed_apart_from_clinical_rows() {
        assert_eq!(Table::Identity.class(), AssetClass::Identity);
        assert_eq!(Table::SourceFile.class(), AssetClass::Source);
        assert_eq!(Table::Measurement.class(), AssetClass::Clinical);
    }
}
