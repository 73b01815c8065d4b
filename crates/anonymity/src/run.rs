//! One run of a profile over tables: every column of every table by its treatment, others after the one that leads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::compute::DatePart;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;

use crate::AnonymityError;
use crate::persons::Persons;
use crate::profile::{Profile, TableProfile, Treatment, split_column};
use crate::report::{ColumnReport, TableReport};
use crate::treat::codes::{self, Coded, Fate};
use crate::treat::{births, dates, drop, ids, numbers, results, texts, units};

/// What code columns and unit columns of a table became, which other columns follow.
#[derive(Default)]
pub(crate) struct Leaders {
    pub codes: BTreeMap<String, Coded>,
    unit: Option<(String, units::Standardised)>,
}

impl Leaders {
    /// What was found anew, but for some columns of codes.
    pub fn renew(&mut self, fresh: Leaders, but: impl Fn(&str) -> bool) {
        self.codes.extend(fresh.codes.into_iter().filter(|(column, _)| !but(column)));
        self.unit = fresh.unit;
    }

    /// Some of the rows.
    pub fn keep(&mut self, rows: &BooleanArray) -> Result<(), AnonymityError> {
        for coded in self.codes.values_mut() {
            coded.keep(rows)?;
        }
        if let Some((_, unit)) = &mut self.unit {
            unit.keep(rows)?;
        }
        Ok(())
    }
}

/// New person ids, and new row ids by table.
pub(crate) type NewIds<'a> = (&'a BTreeMap<i64, i64>, &'a BTreeMap<&'a str, ids::RowIds>);

pub(crate) struct Run<'a> {
    pub profile: &'a Profile,
    pub persons: &'a Persons,
    pub shifts: Vec<i32>,
}

impl Run<'_> {
    fn rare(&self) -> u32 {
        self.profile.privacy.as_ref().map_or(0, |p| p.rare_persons)
    }

    fn extreme(&self) -> u32 {
        self.profile.privacy.as_ref().map_or(0, |p| p.extreme_persons)
    }

    pub fn leaders(
        &self,
        name: &str,
        table: &TableProfile,
        batch: &RecordBatch,
        rows: &[u32],
    ) -> Result<Leaders, AnonymityError> {
        let mut leaders = self.leading_codes(name, table, batch, rows)?;
        self.units_of_codes(table, batch, rows, &mut leaders)?;
        Ok(leaders)
    }

    /// Codes and units by themselves: a unit does not go with its code yet.
    pub fn leading_codes(
        &self,
        name: &str,
        table: &TableProfile,
        batch: &RecordBatch,
        rows: &[u32],
    ) -> Result<Leaders, AnonymityError> {
        let mut leaders = Leaders::default();
        for (column, treatment) in &table.columns {
            let array = batch.column_by_name(column);
            let unfit = |array: &ArrayRef| AnonymityError::TreatmentUnfit {
                table: name.to_owned(),
                column: column.clone(),
                treatment: treatment.as_str(),
                found: array.data_type().to_string(),
            };
            match (treatment, array) {
                (Treatment::Code { rollup, rare, local, systems }, Some(array)) => {
                    let rare = rare.then(|| self.rare()).filter(|n| *n > 0);
                    let rule = codes::Rule { rollup, rare, local: *local, systems };
                    let coded = if let Some(texts) = array.as_string_opt::<i32>() {
                        codes::treat(texts, rows, &rule)
                    } else if let Some(concepts) = array.as_primitive_opt::<Int32Type>() {
                        codes::treat_concepts(concepts, rows, rare)
                    } else {
                        return Err(unfit(array));
                    };
                    leaders.codes.insert(column.clone(), coded);
                }
                (Treatment::Unit, Some(array)) => {
                    let texts = array.as_string_opt::<i32>().ok_or_else(|| unfit(array))?;
                    leaders.unit = Some((column.clone(), units::treat(texts)));
                }
                _ => {}
            }
        }
        Ok(leaders)
    }

    /// A unit can name the item that a code no longer does: it goes with the code, and where few persons have the item in it.
    pub fn units_of_codes(
        &self,
        table: &TableProfile,
        batch: &RecordBatch,
        rows: &[u32],
        leaders: &mut Leaders,
    ) -> Result<(), AnonymityError> {
        let result = table.columns.values().find_map(|t| if let Treatment::Value { code } = t { Some(code) } else { None });
        let item = table.columns.values().find_map(|t| if let Treatment::Follow { code } = t { Some(code) } else { None });
        let (Some(code), Some((_, unit))) = (result.or(item), &mut leaders.unit) else { return Ok(()) };
        let Some(coded) = leaders.codes.get(code).filter(|_| batch.num_rows() == rows.len()) else { return Ok(()) };
        // Beside results only an item as it was has a value; of a drug the shorter code still has its dose.
        let goes = |fate: &Fate| if result.is_some() { *fate != Fate::Kept } else { *fate == Fate::Other };
        unit.empty(&coded.fates.iter().map(goes).collect::<Vec<_>>());
        let rare = self.rare();
        if rare > 0 {
            unit.empty_rare(&as_texts(&coded.array)?, rows, rare);
        }
        Ok(())
    }

    /// One treated column, before coarsening. Ids are replaced only where `ids` is given; results are treated with the
    /// table.
    #[allow(clippy::too_many_arguments)]
    pub fn column(
        &self,
        name: &str,
        table: &TableProfile,
        batch: &RecordBatch,
        column: &str,
        rows: &[u32],
        leaders: &Leaders,
        ids: Option<NewIds<'_>>,
    ) -> Result<ArrayRef, AnonymityError> {
        let missing = || AnonymityError::ColumnMissing { table: name.to_owned(), column: column.to_owned() };
        let array = batch.column_by_name(column).ok_or_else(missing)?;
        let moved = self.moved_birth(name, column, batch, rows);
        let array = moved.as_ref().unwrap_or(array);
        let treatment = table.columns.get(column).ok_or_else(missing)?;
        let schema = batch.schema();
        let field = schema.field_with_name(column)?;
        let unfit = || AnonymityError::TreatmentUnfit {
            table: name.to_owned(),
            column: column.to_owned(),
            treatment: treatment.as_str(),
            found: array.data_type().to_string(),
        };
        let no_date = || AnonymityError::DateNotDroppable { table: name.to_owned(), column: column.to_owned() };
        let empty = || drop::emptied(field, array.len()).ok_or_else(no_date);
        Ok(match treatment {
            Treatment::Keep => array.clone(),
            Treatment::Drop => empty()?,
            Treatment::NewPersonId => match ids {
                None => array.clone(),
                Some((persons, _)) => {
                    let old = array.as_primitive_opt::<Int64Type>().ok_or_else(unfit)?;
                    let new: Option<Vec<i64>> = old.values().iter().map(|id| persons.get(id).copied()).collect();
                    Arc::new(Int64Array::from(new.ok_or_else(unfit)?))
                }
            },
            Treatment::NewId { of } => {
                let old = array.as_primitive_opt::<Int64Type>().ok_or_else(unfit)?;
                match ids.and_then(|(_, rows_of)| rows_of.get(of.as_str())) {
                    Some(map) => map.replace(old, rows, field.is_nullable()),
                    None => ids::RowIds::default().replace(old, rows, field.is_nullable()),
                }
            }
            Treatment::Shift => dates::shifted(dates::dates(array).ok_or_else(unfit)?, rows, &self.shifts),
            Treatment::Month => dates::cut(dates::dates(array).ok_or_else(unfit)?, DatePart::Day)?,
            Treatment::Year => dates::cut(dates::dates(array).ok_or_else(unfit)?, DatePart::DayOfYear)?,
            Treatment::Band { width } => numbers::map(array, |v| numbers::band_floor(v, *width)).ok_or_else(unfit)?,
            Treatment::Clamp { least, most } => {
                numbers::map(array, |v| v.max(least.unwrap_or(f64::MIN)).min(most.unwrap_or(f64::MAX))).ok_or_else(unfit)?
            }
            Treatment::Extremes => {
                let values = numbers::numbers(array).ok_or_else(unfit)?;
                let known: Vec<(u32, f64)> = rows.iter().zip(values).filter_map(|(p, v)| Some((*p, v?))).collect();
                match numbers::extremes(&known, self.extreme()) {
                    None => empty()?,
                    Some((low, high)) => {
                        // One end may need a bound and the other none.
                        let bounded = |v: f64| {
                            let v = low.map_or(v, |low| v.max(low));
                            high.map_or(v, |high| v.min(high))
                        };
                        numbers::map(array, bounded).ok_or_else(unfit)?
                    }
                }
            }
            Treatment::Code { .. } => leaders.codes.get(column).ok_or_else(unfit)?.array.clone(),
            Treatment::Follow { code } => {
                let leader = leaders.codes.get(code).ok_or_else(unfit)?;
                let mut kept: Vec<bool> = leader.fates.iter().map(|f| *f == Fate::Kept).collect();
                if let (Some(concepts), 1..) = (array.as_primitive_opt::<Int32Type>(), self.rare()) {
                    let enough = codes::enough_together(&as_texts(&leader.array)?, concepts, rows, self.rare());
                    kept.iter_mut().zip(enough).for_each(|(kept, enough)| *kept &= enough);
                }
                zip(&BooleanArray::from(kept), array, &empty()?)?
            }
            Treatment::Unit => match &leaders.unit {
                Some((unit, standardised)) if unit == column => standardised.array.clone(),
                _ => return Err(unfit()),
            },
            // Set for the whole table at once.
            Treatment::Value { .. } => array.clone(),
            Treatment::ResultText => {
                let column = array.as_string_opt::<i32>().ok_or_else(unfit)?;
                let number = batch.column_by_name("value_as_number").and_then(|a| a.as_primitive_opt::<Float64Type>());
                let number = |row: usize| number.filter(|n| n.is_valid(row)).map(|n| n.value(row));
                let shown = |(row, text): (usize, Option<&str>)| {
                    texts::result(text?).or_else(|| number(row).and_then(|n| texts::of_number(text?, n)))
                };
                Arc::new(column.iter().enumerate().map(shown).collect::<arrow::array::StringArray>())
            }
            Treatment::Class { map, other } => {
                let column = array.as_string_opt::<i32>().ok_or_else(unfit)?;
                let classed: arrow::array::StringArray =
                    column.iter().map(|t| t.map(|t| map.get(t).unwrap_or(other).as_str())).collect();
                Arc::new(codes::treat_classes(&classed, rows, other, self.rare()))
            }
        })
    }

    /// A part of a birth after its person's shift, where dates are shifted.
    fn moved_birth(&self, name: &str, column: &str, batch: &RecordBatch, rows: &[u32]) -> Option<ArrayRef> {
        if !births::moves(self.profile, name, column) {
            return None;
        }
        let part = |name: &str| batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Int32Type>());
        let [year, month, day] = births::COLUMNS;
        let moved = births::moved(part(year)?, part(month), part(day), rows, &self.shifts);
        let at = births::COLUMNS.iter().position(|c| *c == column)?;
        moved.into_iter().nth(at).map(|array| Arc::new(array) as ArrayRef)
    }

    /// A treated table, and what was done to it: `given` is the table as it was, and how many rows it had with those who do not stay.
    #[allow(clippy::too_many_arguments)]
    pub fn table(
        &self,
        name: &str,
        table: &TableProfile,
        batch: &RecordBatch,
        rows: &[u32],
        leaders: &Leaders,
        steps: &[Option<usize>],
        (id_map, row_ids): NewIds<'_>,
        (given, rows_before): (&RecordBatch, u64),
    ) -> Result<(RecordBatch, TableReport), AnonymityError> {
        let schema = batch.schema();
        let mut columns = BTreeMap::new();
        for field in schema.fields() {
            let mut array = self.column(name, table, batch, field.name(), rows, leaders, Some((id_map, row_ids)))?;
            let coarsen = self.profile.privacy.iter().flat_map(|p| p.coarsen.iter().enumerate());
            for (n, step) in coarsen.filter(|(_, s)| split_column(&s.column) == Some((name, field.name().as_str()))) {
                let mask: BooleanArray = rows.iter().map(|p| Some(steps[*p as usize].is_some_and(|s| s > n))).collect();
                array = zip(&mask, &coarser(name, field.name(), batch, &array, &step.to)?, &array)?;
            }
            columns.insert(field.name().clone(), array);
        }
        let results = self.results(name, table, batch, rows, leaders, &mut columns)?;
        let mut reports = Vec::new();
        let mut arrays = Vec::new();
        for (field, before) in schema.fields().iter().zip(given.columns()) {
            let after = columns
                .remove(field.name())
                .ok_or_else(|| AnonymityError::ColumnMissing { table: name.to_owned(), column: field.name().clone() })?;
            reports.push(ColumnReport {
                name: field.name().clone(),
                treatment: table.columns[field.name()].clone(),
                filled_before: (before.len() - before.null_count()) as u64,
                filled_after: (after.len() - after.null_count()) as u64,
                changed: changed(before, &after)?,
                codes: leaders.codes.get(field.name()).map(|c| c.counts),
            });
            arrays.push(after);
        }
        let treated = RecordBatch::try_new(schema, arrays)?;
        let report = TableReport {
            name: name.to_owned(),
            reason: table.reason.clone(),
            rows_before,
            rows_after: treated.num_rows() as u64,
            columns: reports,
            results,
        };
        Ok((treated, report))
    }

    fn results(
        &self,
        name: &str,
        table: &TableProfile,
        batch: &RecordBatch,
        rows: &[u32],
        leaders: &Leaders,
        columns: &mut BTreeMap<String, ArrayRef>,
    ) -> Result<Option<results::ResultCounts>, AnonymityError> {
        let mut code_column = None;
        let mut found: BTreeMap<&'static str, &String> = BTreeMap::new();
        for (column, treatment) in &table.columns {
            let Treatment::Value { code } = treatment else { continue };
            let slot = match batch.column_by_name(column).map(|a| a.data_type().clone()) {
                Some(DataType::Float64) => "number",
                Some(DataType::Int32) if column == "value_as_concept_id" => "concept",
                Some(DataType::Int32) => "operator",
                Some(DataType::Utf8) => "text",
                other => {
                    return Err(AnonymityError::TreatmentUnfit {
                        table: name.to_owned(),
                        column: column.clone(),
                        treatment: treatment.as_str(),
                        found: other.map_or_else(String::new, |t| t.to_string()),
                    });
                }
            };
            let other_code = code_column.is_some_and(|c| c != code);
            if found.insert(slot, column).is_some() || other_code {
                return Err(AnonymityError::ValueColumnTwice { table: name.to_owned() });
            }
            code_column = Some(code);
        }
        let Some(coded) = code_column.and_then(|c| leaders.codes.get(c)) else { return Ok(None) };
        let Some(codes) = coded.array.as_string_opt::<i32>() else {
            return Err(AnonymityError::ValueColumnTwice { table: name.to_owned() });
        };
        let array = |slot: &str| found.get(slot).and_then(|c| batch.column_by_name(c));
        let unit = leaders.unit.as_ref().map(|(_, u)| u);
        let treated = results::treat(
            &results::Columns {
                codes,
                fates: &coded.fates,
                units: unit.and_then(|u| u.array.as_string_opt::<i32>()),
                unit_lost: unit.map(|u| u.lost.as_slice()),
                number: array("number").and_then(|a| a.as_primitive_opt::<Float64Type>()),
                operator: array("operator").and_then(|a| a.as_primitive_opt::<Int32Type>()),
                text: array("text").and_then(|a| a.as_string_opt::<i32>()),
                concept: array("concept").and_then(|a| a.as_primitive_opt::<Int32Type>()),
            },
            rows,
            &self.profile.values,
            self.extreme(),
            self.rare(),
        );
        let treated_of =
            [("number", treated.number), ("operator", treated.operator), ("text", treated.text), ("concept", treated.concept)];
        for (slot, array) in treated_of {
            if let Some(column) = found.get(slot) {
                columns.insert((*column).clone(), array);
            }
        }
        Ok(Some(treated.counts))
    }
}

pub(crate) fn coarser(
    table: &str,
    column: &str,
    batch: &RecordBatch,
    array: &ArrayRef,
    to: &Treatment,
) -> Result<ArrayRef, AnonymityError> {
    let unfit = || AnonymityError::TreatmentUnfit {
        table: table.to_owned(),
        column: column.to_owned(),
        treatment: to.as_str(),
        found: array.data_type().to_string(),
    };
    match to {
        Treatment::Drop => {
            let schema = batch.schema();
            drop::emptied(schema.field_with_name(column)?, array.len())
                .ok_or_else(|| AnonymityError::DateNotDroppable { table: table.to_owned(), column: column.to_owned() })
        }
        Treatment::Band { width } => numbers::map(array, |v| numbers::band_floor(v, *width)).ok_or_else(unfit),
        Treatment::Clamp { least, most } => {
            numbers::map(array, |v| v.max(least.unwrap_or(f64::MIN)).min(most.unwrap_or(f64::MAX))).ok_or_else(unfit)
        }
        _ => Err(unfit()),
    }
}

/// Every cell as text, for keys of classes.
pub(crate) fn as_texts(array: &ArrayRef) -> Result<Vec<Option<String>>, AnonymityError> {
    let texts = arrow::compute::cast(array, &DataType::Utf8)?;
    Ok(texts.as_string::<i32>().iter().map(|t| t.map(str::to_owned)).collect())
}

fn changed(before: &ArrayRef, after: &ArrayRef) -> Result<u64, AnonymityError> {
    if before.data_type() != after.data_type() {
        return Ok(before.len() as u64);
    }
    let different = arrow::compute::kernels::cmp::distinct(before, after)?;
    Ok(different.true_count() as u64)
}
