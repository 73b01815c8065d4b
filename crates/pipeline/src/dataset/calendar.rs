//! When the codes of a data set are in use, from the masters that are loaded: what fixes a date is treated by `anonymity`.

use std::collections::{BTreeMap, BTreeSet};

use anonymity::calendar::{Span, Validity};
use arrow::array::{AsArray as _, RecordBatch};
use masters::Resolver;
use omop::Table;

/// The days of every code of the tables' columns of source values that stands in a master; of one that does not, nothing is known.
pub(super) fn validity(resolver: &Resolver, tables: &BTreeMap<String, RecordBatch>) -> Validity {
    let mut validity = Validity::default();
    for (name, batch) in tables {
        let Some(table) = Table::by_name(name) else { continue };
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let texts = array.as_string_opt::<i32>().filter(|_| field.name().ends_with("_source_value"));
            let codes: BTreeSet<&str> = texts.into_iter().flatten().flatten().map(str::trim).collect();
            for code in codes {
                if let Some((from, to)) = resolver.in_use(table, field.name(), code) {
                    validity.add(&format!("{name}.{}", field.name()), code, Span { from, to });
                }
            }
        }
    }
    validity
}
