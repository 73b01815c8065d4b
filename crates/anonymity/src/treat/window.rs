//! The period of a data set whose dates are moved.
//!
//! Rows come cut at the first and the last day of the period. Moved as they are, the first day of somebody who was there
//! before the period began would be that day and the shift, and so tell the shift, and with it every true date of the
//! person. What leaves is therefore cut once more after the move, to the days that every shift leaves whole: from the first
//! day plus the largest shift to the last day less the largest shift. What begins within and ends outside ends at the window's last day: a true end
//! there tells the shift as much as a beginning does.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, BooleanArray, Date32Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::Date32Type;

use super::dates;
use crate::AnonymityError;
use crate::profile::{Cohort, TableProfile, Treatment};

/// First and last day of what leaves, after the move; open where the period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    first: Option<i32>,
    last: Option<i32>,
}

impl Window {
    /// The window of a cohort whose dates move by up to `most` days; `None` where the period is open on both sides.
    ///
    /// # Errors
    /// [`AnonymityError::PeriodTooShort`] when no day is left, [`AnonymityError::PeriodUnreadable`].
    pub fn of(cohort: &Cohort, most: u16) -> Result<Option<Window>, AnonymityError> {
        let day = |text: &Option<String>| match text.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => Date32Type::parse(text).map(Some).ok_or(AnonymityError::PeriodUnreadable),
        };
        let most = i32::from(most);
        let first = day(&cohort.from)?.map(|d| d.saturating_add(most));
        let last = day(&cohort.to)?.map(|d| d.saturating_sub(most));
        if first.zip(last).is_some_and(|(first, last)| first > last) {
            return Err(AnonymityError::PeriodTooShort { days: most });
        }
        Ok((first.is_some() || last.is_some()).then_some(Window { first, last }))
    }

    /// The rows of a table whose day is within the window after the move; the first column that the profile moves says which
    /// day that is, and the others are held within it. Of observation periods the part within it. Dates are not moved yet.
    ///
    /// # Errors
    /// None that these types can raise; Arrow's.
    pub fn cut(
        self,
        name: &str,
        table: &TableProfile,
        batch: &RecordBatch,
        rows: &[u32],
        shifts: &[i32],
    ) -> Result<RecordBatch, AnonymityError> {
        let schema = batch.schema();
        let moved: Vec<usize> = schema
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| matches!(table.columns.get(field.name()), Some(Treatment::Shift)))
            .map(|(at, _)| at)
            .collect();
        let Some(day) = moved.first().and_then(|at| dates::dates(batch.column(*at))) else { return Ok(batch.clone()) };
        if name == "observation_period" {
            return self.part(batch, &moved, rows, shifts);
        }
        let inside: BooleanArray = (0..batch.num_rows())
            .map(|row| {
                let after = (!day.is_null(row)).then(|| day.value(row).saturating_add(shifts[rows[row] as usize]));
                Some(after.is_none_or(|d| self.first.is_none_or(|f| d >= f) && self.last.is_none_or(|l| d <= l)))
            })
            .collect();
        let mut columns = batch.columns().to_vec();
        for at in &moved[1..] {
            let Some(days) = dates::dates(batch.column(*at)) else { continue };
            let held = |day: i32, shift: i32| {
                let day = self.first.map_or(day, |first| day.max(first.saturating_sub(shift)));
                self.last.map_or(day, |last| day.min(last.saturating_sub(shift)))
            };
            let held = days.iter().zip(rows).map(|(day, person)| day.map(|day| held(day, shifts[*person as usize])));
            columns[*at] = Arc::new(held.collect::<Date32Array>()) as ArrayRef;
        }
        Ok(filter_record_batch(&RecordBatch::try_new(schema, columns)?, &inside)?)
    }

    fn part(self, batch: &RecordBatch, moved: &[usize], rows: &[u32], shifts: &[i32]) -> Result<RecordBatch, AnonymityError> {
        let mut columns = batch.columns().to_vec();
        for at in moved {
            let Some(days) = dates::dates(batch.column(*at)) else { continue };
            let end = batch.schema().field(*at).name().ends_with("end_date");
            let bounded: Date32Array = days
                .iter()
                .zip(rows)
                .map(|(day, person)| {
                    let shift = shifts[*person as usize];
                    let bound = |edge: Option<i32>| edge.map(|e| e.saturating_sub(shift));
                    day.map(|day| match end {
                        true => bound(self.last).map_or(day, |last| day.min(last)),
                        false => bound(self.first).map_or(day, |first| day.max(first)),
                    })
                })
                .collect();
            columns[*at] = Arc::new(bounded) as ArrayRef;
        }
        let batch = RecordBatch::try_new(batch.schema(), columns)?;
        let ends: Vec<&Date32Array> = moved.iter().filter_map(|at| dates::dates(batch.column(*at))).collect();
        let [start, end] = ends[..] else { return Ok(batch) };
        let whole: BooleanArray = start.iter().zip(end.iter()).map(|(s, e)| Some(s <= e)).collect();
        Ok(filter_record_batch(&batch, &whole)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u16 = 30;
    /// 2020-01-01 and 2020-12-31.
    const PERIOD: (i32, i32) = (18262, 18627);

    fn cohort(from: &str, to: &str) -> Cohort {
        Cohort { from: Some(from.to_owned()), to: Some(to.to_owned()), ..Default::default() }
    }

    fn table(columns: &[&str]) -> TableProfile {
        let mut table: TableProfile =
            serde_json::from_value(serde_json::json!({ "reason": "r", "columns": {} })).expect("a table");
        table.columns.extend(columns.iter().map(|c| ((*c).to_owned(), Treatment::Shift)));
        table
    }

    fn batch(columns: &[(&str, Vec<i32>)]) -> RecordBatch {
        let columns = columns.iter().map(|(name, days)| (*name, Arc::new(Date32Array::from(days.clone())) as ArrayRef));
        RecordBatch::try_from_iter(columns).expect("a batch")
    }

    fn days(batch: &RecordBatch, at: usize) -> Vec<i32> {
        dates::dates(batch.column(at)).expect("dates").values().to_vec()
    }

    #[test]
    fn the_edges_of_the_period_do_not_tell_the_shift() {
        let window = Window::of(&cohort("2020-01-01", "2020-12-31"), MOST).expect("long enough").expect("a window");
        // Somebody who is there every day, and whose observation period comes cut at the edges.
        for shift in [-30, -1, 1, 30] {
            let every: Vec<i32> = (PERIOD.0..=PERIOD.1).collect();
            let rows = vec![0; every.len()];
            let cut = window
                .cut("measurement", &table(&["measurement_date"]), &batch(&[("measurement_date", every)]), &rows, &[shift])
                .expect("cut");
            let after: Vec<i32> = days(&cut, 0).iter().map(|d| d + shift).collect();
            assert_eq!((after[0], after[after.len() - 1]), (PERIOD.0 + 30, PERIOD.1 - 30), "moved by {shift}");
            assert_eq!(after.len(), 366 - 60);

            let names = ["observation_period_start_date", "observation_period_end_date"];
            let periods = batch(&[(names[0], vec![PERIOD.0, 18400]), (names[1], vec![PERIOD.1, 18410])]);
            let cut = window.cut("observation_period", &table(&names), &periods, &[0, 0], &[shift]).expect("cut");
            let moved = (days(&cut, 0)[0] + shift, days(&cut, 1)[0] + shift);
            assert_eq!(moved, (PERIOD.0 + 30, PERIOD.1 - 30), "moved by {shift}");
            assert_eq!((days(&cut, 0)[1], days(&cut, 1)[1]), (18400, 18410), "well within, it stays as it is");
        }
    }

    // control: PRC-05
    #[test]
    fn no_end_of_what_began_within_tells_the_shift() {
        let window = Window::of(&cohort("2020-01-01", "2020-12-31"), MOST).expect("long enough").expect("a window");
        let names = ["visit_start_date", "visit_end_date"];
        for shift in [-30, -1, 1, 30] {
            // Still there on the last day of the source, or longer; and one that began before it.
            let stays = batch(&[(names[0], vec![18500, 18500, 18400]), (names[1], vec![PERIOD.1, PERIOD.1 + 400, 18250])]);
            let cut = window.cut("visit_occurrence", &table(&names), &stays, &[0, 0, 0], &[shift]).expect("cut");
            let ends: Vec<i32> = days(&cut, 1).iter().map(|d| d + shift).collect();
            assert_eq!(ends, [PERIOD.1 - 30, PERIOD.1 - 30, PERIOD.0 + 30], "moved by {shift}");
            assert_eq!(days(&cut, 0), [18500, 18500, 18400], "what lies within stays as it is");
        }
    }

    #[test]
    fn what_lies_outside_after_the_move_leaves_in_no_part() {
        let window = Window::of(&cohort("2020-01-01", "2020-12-31"), MOST).expect("long enough").expect("a window");
        let names = ["observation_period_start_date", "observation_period_end_date"];
        let before = batch(&[(names[0], vec![PERIOD.0]), (names[1], vec![PERIOD.0 + 10])]);
        assert_eq!(window.cut("observation_period", &table(&names), &before, &[0], &[-5]).expect("cut").num_rows(), 0);
    }

    #[test]
    fn a_period_that_the_shifts_use_up_is_refused() {
        let refused = |from, to| Window::of(&cohort(from, to), MOST).expect_err("refused").code();
        assert_eq!(refused("2020-01-01", "2020-02-29"), "anonymity-period-short");
        assert_eq!(refused("1 January", "2020-02-29"), "anonymity-period-unreadable");
        assert_eq!(Window::of(&Cohort::default(), MOST).expect("open"), None);
    }
}
