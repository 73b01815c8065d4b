use rand::{CryptoRng, RngExt as _};

use crate::table::{Input, Key as _, TableError};

/// Keeps each record of a table with a chance, before anything is counted.
///
/// # Errors
/// A chance that is none; nobody kept.
pub fn sample<R: CryptoRng>(mut input: Input, share: f64, rng: &mut R) -> Result<Input, TableError> {
    if !(share > 0.0 && share <= 1.0) {
        return Err(TableError::SampleRange);
    }
    let all = input.rows;
    for count in &mut input.counts {
        *count = (0..*count).filter(|_| rng.random::<f64>() < share).count() as u32;
    }
    let mut kept = input.counts.iter().map(|c| *c > 0);
    input.keys.retain(|_| kept.next().unwrap_or(false));
    input.counts.retain(|c| *c > 0);
    input.rows = input.counts.iter().map(|c| u64::from(*c)).sum();
    if input.rows == 0 {
        return Err(TableError::NobodyLeft { rows: all });
    }
    forget(&mut input);
    Ok(input)
}

/// Forgets values that no record has any more: a model that compares with all values of a column would count them.
fn forget(input: &mut Input) {
    for column in input.columns.iter_mut().filter(|c| c.hierarchy.is_none()) {
        let mut new: Vec<Option<u32>> = vec![None; column.values.len()];
        let mut values = Vec::new();
        for key in &mut input.keys {
            let old = key.get(column.field) as usize;
            let code = *new[old].get_or_insert_with(|| {
                values.push(std::mem::take(&mut column.values[old]));
                values.len() as u32 - 1
            });
            *key = key.without(u128::mask(column.field)).with(column.field, code);
        }
        column.values = values;
    }
}
