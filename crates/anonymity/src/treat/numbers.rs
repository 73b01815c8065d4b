//! Numbers: bands, bounds, and extreme values as far as few persons reach them.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int32Array, Int64Array};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};

/// Bounds beyond which fewer than `k` persons have values: the `k`-th largest of the persons' largest values, where a
/// larger value exists, and the same below. `values` are (person, value). None when there are fewer than `k` persons:
/// then no value may be shown at all.
pub fn extremes(values: &[(u32, f64)], k: u32) -> Option<(Option<f64>, Option<f64>)> {
    let mut sorted: Vec<(u32, f64)> = values.to_vec();
    sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (mut least, mut most) = (Vec::new(), Vec::new());
    for person in sorted.chunk_by(|a, b| a.0 == b.0) {
        if let (Some(first), Some(last)) = (person.first(), person.last()) {
            least.push(first.1);
            most.push(last.1);
        }
    }
    let nth = (k.max(1) - 1) as usize;
    if most.len() <= nth {
        return None;
    }
    least.sort_unstable_by(f64::total_cmp);
    most.sort_unstable_by(|a, b| b.total_cmp(a));
    let (low, high) = (least[nth], most[nth]);
    Some(((least[0] < low).then_some(low), (most[0] > high).then_some(high)))
}

/// The lower end of the band that a value is in.
pub fn band_floor(value: f64, width: f64) -> f64 {
    (value / width).floor() * width
}

/// Applies `f` to every number of an integer or floating-point column; integers are rounded toward what `f` gives. None
/// for columns that hold no numbers.
pub fn map(array: &ArrayRef, f: impl Fn(f64) -> f64) -> Option<ArrayRef> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // `as` saturates; ids are not treated here
    Some(match array.data_type() {
        DataType::Int32 => {
            Arc::new(array.as_primitive::<Int32Type>().iter().map(|v| v.map(|v| f(f64::from(v)) as i32)).collect::<Int32Array>())
                as ArrayRef
        }
        DataType::Int64 => {
            Arc::new(array.as_primitive::<Int64Type>().iter().map(|v| v.map(|v| f(v as f64) as i64)).collect::<Int64Array>())
        }
        DataType::Float64 => Arc::new(array.as_primitive::<Float64Type>().iter().map(|v| v.map(&f)).collect::<Float64Array>()),
        _ => return None,
    })
}

/// The numbers of a column, with their rows; none for columns that hold no numbers.
pub fn numbers(array: &ArrayRef) -> Option<Vec<Option<f64>>> {
    #[allow(clippy::cast_precision_loss)]
    Some(match array.data_type() {
        DataType::Int32 => array.as_primitive::<Int32Type>().iter().map(|v| v.map(f64::from)).collect(),
        DataType::Int64 => array.as_primitive::<Int64Type>().iter().map(|v| v.map(|v| v as f64)).collect(),
        DataType::Float64 => array.as_primitive::<Float64Type>().iter().collect(),
        _ => return None,
    })
}
