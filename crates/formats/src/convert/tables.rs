use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, filter_record_batch, take};
use arrow::csv::{Writer, WriterBuilder};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use omop::{Table, type_concept};

use terms::PatientIdRule;

use super::ConvertError;
use crate::{Patient, ReadError};

/// Tables that are written: OMOP's, and who the persons are.
fn written() -> impl Iterator<Item = Table> {
    Table::ALL.iter().copied().filter(|t| t.is_omop() || matches!(t, Table::Identity | Table::Insurance))
}

struct Sheet {
    path: PathBuf,
    schema: SchemaRef,
    writer: Writer<BufWriter<fs::File>>,
    rows: u64,
}

/// CSV files being written.
pub struct Tables {
    sheets: BTreeMap<Table, Sheet>,
    persons: HashMap<String, i64>,
    set_aside: HashSet<String>,
    /// Persons that have their one row in `person` and in `death`.
    once: HashSet<(Table, i64)>,
    /// Ids of doctors, departments and places, by the readers' ids.
    shared: HashMap<(&'static str, i64), i64>,
    shared_counts: HashMap<&'static str, i64>,
    /// Rows that wait for the end, their persons numbered already: what several sources tell of one person is put
    /// together, and visits come in the order of their numbers.
    held: BTreeMap<Table, Vec<RecordBatch>>,
}

impl Tables {
    /// Creates the files, each with its header.
    pub fn create(out_dir: &Path) -> Result<Self, ConvertError> {
        let mut sheets = BTreeMap::new();
        for table in written() {
            let path = out_dir.join(format!("{}.csv", table.name()));
            let schema = schema(table);
            let file = fs::File::create_new(&path).map_err(|source| ConvertError::Write { path: path.clone(), source })?;
            let mut writer = WriterBuilder::new().with_header(true).build(BufWriter::new(file));
            writer.write(&RecordBatch::new_empty(schema.clone())).map_err(ReadError::from)?;
            sheets.insert(table, Sheet { path, schema, writer, rows: 0 });
        }
        Ok(Self {
            sheets,
            persons: HashMap::new(),
            set_aside: HashSet::new(),
            once: HashSet::new(),
            shared: HashMap::new(),
            shared_counts: HashMap::new(),
            held: BTreeMap::new(),
        })
    }

    /// Numbers of the patients of a chunk, in the order in which they were first met.
    pub fn persons(&mut self, patients: &[Patient]) -> Vec<i64> {
        patients
            .iter()
            .map(|p| {
                if p.set_aside.is_some() {
                    self.set_aside.insert(p.local_id.clone());
                }
                let next = self.persons.len() as i64 + 1;
                // `123` of a claim and `0000000123` of a DPC file are one patient.
                let rule = PatientIdRule::default();
                let id = rule.canonical(&p.local_id).map_or_else(|_| p.local_id.clone(), |c| c.reveal().to_owned());
                *self.persons.entry(id).or_insert(next)
            })
            .collect()
    }

    /// Patients met, and those of them who are set aside.
    pub fn patients(&self) -> (u64, u64) {
        (self.persons.len() as u64, self.set_aside.len() as u64)
    }

    /// Keeps a batch until the end, its persons numbered.
    pub fn hold(&mut self, table: Table, batch: &RecordBatch, persons: &[i64]) -> Result<(), ConvertError> {
        let numbers = batch.column(0).as_primitive::<Int64Type>();
        let of = |n: &i64| usize::try_from(*n).ok().and_then(|n| persons.get(n)).copied().unwrap_or_default();
        let ids: Int64Array = numbers.values().iter().map(of).collect::<Vec<_>>().into();
        let mut columns = batch.columns().to_vec();
        columns[0] = Arc::new(ids);
        let batch = RecordBatch::try_new(batch.schema(), columns).map_err(ReadError::from)?;
        self.held.entry(table).or_default().push(batch);
        Ok(())
    }

    /// Writes a batch whose persons are numbered already.
    pub fn write_known(&mut self, table: Table, batch: &RecordBatch) -> Result<(), ConvertError> {
        let themselves: Vec<i64> = (0..=self.persons.len() as i64).collect();
        self.write_now(table, batch, &themselves)
    }

    /// Writes a batch of candidate rows.
    pub fn write(&mut self, table: Table, batch: &RecordBatch, persons: &[i64]) -> Result<(), ConvertError> {
        if matches!(table, Table::Person | Table::Identity | Table::Death) {
            return self.hold(table, batch, persons);
        }
        self.write_now(table, batch, persons)
    }

    fn write_now(&mut self, table: Table, batch: &RecordBatch, persons: &[i64]) -> Result<(), ConvertError> {
        if !self.sheets.contains_key(&table) {
            return Ok(());
        }
        let batch = self.distinct(table, batch, persons)?;
        let numbers = batch.column(0).as_primitive::<Int64Type>();
        let of_person = |n: &i64| usize::try_from(*n).ok().and_then(|n| persons.get(n)).copied().unwrap_or_default();
        let person_ids: Int64Array = numbers.values().iter().map(of_person).collect::<Vec<_>>().into();
        let mut columns: Vec<ArrayRef> = Vec::new();
        let Some(sheet) = self.sheets.get(&table) else {
            return Ok(());
        };
        let schema = sheet.schema.clone();
        let first = sheet.rows as i64 + 1;
        for field in schema.fields() {
            let name = field.name().as_str();
            let column = batch.column_by_name(name);
            columns.push(match (name, column) {
                ("person_id", _) => Arc::new(person_ids.clone()),
                ("provider_id" | "care_site_id" | "location_id", Some(ids)) => self.dense(name, ids),
                (_, Some(_)) if table.row_id() == Some(name) => {
                    Arc::new(Int64Array::from_iter_values(first..first + batch.num_rows() as i64))
                }
                (_, Some(column)) => column.clone(),
                (_, None) => arrow::array::new_null_array(field.data_type(), batch.num_rows()),
            });
        }
        let Some(sheet) = self.sheets.get_mut(&table) else {
            return Ok(());
        };
        let out = RecordBatch::try_new(schema, columns).map_err(ReadError::from)?;
        sheet.rows += out.num_rows() as u64;
        sheet.writer.write(&out).map_err(|e| ConvertError::Write { path: sheet.path.clone(), source: std::io::Error::other(e) })
    }

    /// Rows that are written once: a person, a death, a doctor, a department, a place.
    fn distinct(&mut self, table: Table, batch: &RecordBatch, persons: &[i64]) -> Result<RecordBatch, ConvertError> {
        let key = match table {
            Table::Person | Table::Death | Table::Identity => "record_id",
            Table::Provider => "provider_id",
            Table::CareSite => "care_site_id",
            Table::Location => "location_id",
            _ => return Ok(batch.clone()),
        };
        let Some(ids) = batch.column_by_name(key) else {
            return Ok(batch.clone());
        };
        let by_person = key == "record_id";
        let fresh: Vec<bool> = ids
            .as_primitive::<Int64Type>()
            .values()
            .iter()
            .map(|id| {
                let person = || usize::try_from(*id).ok().and_then(|n| persons.get(n)).copied().unwrap_or_default();
                self.once.insert((table, if by_person { person() } else { *id }))
            })
            .collect();
        Ok(filter_record_batch(batch, &BooleanArray::from(fresh)).map_err(ReadError::from)?)
    }

    /// Small numbers for ids that are hashes.
    fn dense(&mut self, name: &str, ids: &ArrayRef) -> ArrayRef {
        let name = match name {
            "provider_id" => "provider_id",
            "care_site_id" => "care_site_id",
            _ => "location_id",
        };
        let ids = ids.as_primitive::<Int64Type>();
        let mut out = Vec::with_capacity(ids.len());
        for id in ids {
            out.push(id.map(|id| {
                *self.shared.entry((name, id)).or_insert_with(|| {
                    let count = self.shared_counts.entry(name).or_default();
                    *count += 1;
                    *count
                })
            }));
        }
        Arc::new(Int64Array::from(out))
    }

    /// Finishes the files; rows by table.
    pub fn finish(mut self) -> Result<BTreeMap<&'static str, u64>, ConvertError> {
        for (table, batches) in std::mem::take(&mut self.held) {
            let all = concat_batches(&table.candidate_schema(), &batches).map_err(ReadError::from)?;
            let all = match table {
                Table::Person | Table::Identity => put_together(&all).map_err(ReadError::from)?,
                Table::Death => one_death_each(&all).map_err(ReadError::from)?,
                _ => all,
            };
            self.write_known(table, &all)?;
        }
        let mut rows = BTreeMap::new();
        for (table, sheet) in self.sheets {
            let file = sheet.writer.into_inner();
            let synced = file.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|f| f.sync_all());
            synced.map_err(|source| ConvertError::Write { path: sheet.path, source })?;
            rows.insert(table.name(), sheet.rows);
        }
        Ok(rows)
    }
}

/// One row a person: of each column the first value that any of the person's rows states. Zeros and "unknown" state nothing.
fn put_together(all: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let persons = all.column(0).as_primitive::<Int64Type>();
    let mut rows: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for (row, person) in persons.values().iter().enumerate() {
        rows.entry(*person).or_default().push(row as u32);
    }
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(all.num_columns());
    for (field, column) in all.schema().fields().iter().zip(all.columns()) {
        let numbers = column.as_primitive_opt::<arrow::datatypes::Int32Type>();
        let texts = column.as_string_opt::<i32>();
        let states = |row: &u32| {
            let row = *row as usize;
            column.is_valid(row)
                && !(field.name().ends_with("concept_id") && numbers.is_some_and(|n| n.value(row) == 0))
                && !(field.name() == "sex" && texts.is_some_and(|t| t.value(row) == "unknown"))
        };
        let chosen: UInt32Array = rows.values().map(|of| of.iter().find(|row| states(row)).or(of.first()).copied()).collect();
        columns.push(take(column.as_ref(), &chosen, None)?);
    }
    RecordBatch::try_new(all.schema(), columns)
}

/// One death a person, whichever file came first: charts and 様式1 before claims, which often have no more than the last day they count; of
/// several charts the earliest, of several claims the latest.
fn one_death_each(all: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let persons = all.column(0).as_primitive::<Int64Type>();
    let days = all.column_by_name("death_date").and_then(|c| c.as_primitive_opt::<arrow::datatypes::Date32Type>());
    let kinds = all.column_by_name("death_type_concept_id").and_then(|c| c.as_primitive_opt::<arrow::datatypes::Int32Type>());
    let mut best: BTreeMap<i64, ((bool, i32), u32)> = BTreeMap::new();
    for (row, person) in persons.values().iter().enumerate() {
        let day = days.map_or(0, |d| d.value(row));
        let claim = kinds.is_some_and(|k| k.is_valid(row) && k.value(row) == type_concept::CLAIM);
        let rank = (claim, if claim { day.saturating_neg() } else { day });
        let slot = best.entry(*person).or_insert((rank, row as u32));
        if rank < slot.0 {
            *slot = (rank, row as u32);
        }
    }
    let rows: UInt32Array = best.values().map(|(_, row)| *row).collect();
    arrow::compute::take_record_batch(all, &rows)
}

/// OMOP's own columns; for our tables `person_id` and theirs.
fn schema(table: Table) -> SchemaRef {
    if table.is_omop() {
        return table.omop_schema();
    }
    let mut fields = vec![Field::new("person_id", DataType::Int64, false)];
    fields.extend(table.fields().map(|f| Field::new(f.name, f.kind.data_type(), !f.required)));
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, Int32Array};

    use super::*;

    #[test]
    fn a_chart_says_when_somebody_died_before_a_claim_guesses_it() {
        let rows: [(i64, i32, i32); 7] = [
            (1, 105, type_concept::CLAIM),
            (1, 128, type_concept::EHR),
            (2, 128, type_concept::EHR),
            (2, 105, type_concept::CLAIM),
            (2, 127, type_concept::EHR),
            (3, 105, type_concept::CLAIM),
            (3, 120, type_concept::CLAIM),
        ];
        let column = |c: ArrayRef| c;
        let all = RecordBatch::try_from_iter([
            ("record_id", column(Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.0))))),
            ("death_date", column(Arc::new(Date32Array::from_iter_values(rows.iter().map(|r| r.1))))),
            ("death_type_concept_id", column(Arc::new(Int32Array::from_iter_values(rows.iter().map(|r| r.2))))),
        ])
        .expect("a batch");
        let one = one_death_each(&all).expect("chosen");
        let days = one.column(1).as_primitive::<arrow::datatypes::Date32Type>().values().to_vec();
        assert_eq!((one.num_rows(), days), (3, vec![128, 127, 120]));
    }
}
