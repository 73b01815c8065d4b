use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::PersonMap;
use crate::visibility::Visibility;

/// `visible(record_id, commit_seq)`: the rule of what is hidden, as an expression of the engine.
pub(crate) struct Visible {
    rule: Arc<Visibility>,
    signature: Signature,
}

impl Visible {
    pub(crate) fn new(rule: Arc<Visibility>) -> Self {
        let arguments = vec![DataType::Int64, DataType::Int64];
        Self { rule, signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

/// `person_of(record_id)`: the person of a record, null when linkage does not know the record. Files are sorted by
/// record, so this is much cheaper than a join with the map.
pub(crate) struct PersonOf {
    map: PersonMap,
    signature: Signature,
    identity: Arc<()>,
}

impl PersonOf {
    pub(crate) fn new(map: PersonMap) -> Self {
        let signature = Signature::exact(vec![DataType::Int64], Volatility::Immutable);
        Self { map, signature, identity: Arc::new(()) }
    }
}

macro_rules! one_of_a_snapshot {
    ($name:ident, $field:ident) => {
        // Two are the same when they are of the same snapshot; none prints what it holds.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.$field, &other.$field)
            }
        }
        impl Eq for $name {}
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                Arc::as_ptr(&self.$field).cast::<()>().hash(state);
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

one_of_a_snapshot!(Visible, rule);
one_of_a_snapshot!(PersonOf, identity);

fn int64(value: &ColumnarValue, rows: usize) -> Result<Int64Array> {
    let array = value.to_array(rows)?;
    match array.as_primitive_opt::<Int64Type>() {
        Some(ids) => Ok(ids.clone()),
        None => exec_err!("record_id and commit_seq are 64-bit integers"),
    }
}

impl ScalarUDFImpl for Visible {
    fn name(&self) -> &str {
        "azekura_visible"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [records, commits] = args.args.as_slice() else { return exec_err!("record_id and commit_seq") };
        let (records, commits) = (int64(records, args.number_rows)?, int64(commits, args.number_rows)?);
        let mask = self.rule.mask(records.values(), commits.values());
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(mask, None))))
    }
}

impl ScalarUDFImpl for PersonOf {
    fn name(&self) -> &str {
        "azekura_person_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [records] = args.args.as_slice() else { return exec_err!("record_id") };
        let records = int64(records, args.number_rows)?;
        if records.null_count() > 0 {
            let persons = records.iter().map(|r| r.and_then(|r| self.map.person(terms::RecordId(r))).map(|p| p.0));
            return Ok(ColumnarValue::Array(Arc::new(persons.collect::<Int64Array>())));
        }
        Ok(ColumnarValue::Array(Arc::new(self.map.column(records.values()))))
    }
}
