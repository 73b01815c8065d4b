//! Records of an earlier run and records that come now become the records of a run.

use std::collections::HashSet;

use crate::forms::{Form, Forms};
use crate::options::Options;
use crate::row::Row;
use crate::state::State;
use crate::table::{Labels, Table, renumber};
use crate::withdrawn::Withdrawn;

/// Records that were withdrawn before and stand in a table again: left out, or back.
#[derive(Default, Clone, Copy)]
pub(crate) struct CameAgain {
    pub left_out: u64,
    pub back: u64,
}

/// Leaves withdrawn records out of a table unless they may come back.
pub(crate) fn let_in(table: &mut Table, withdrawn: &mut Withdrawn, options: &Options) -> CameAgain {
    let came: Vec<bool> = (0..table.labels.len()).map(|at| withdrawn.holds(table.labels.get(at))).collect();
    let count = came.iter().filter(|came| **came).count() as u64;
    if count == 0 {
        return CameAgain::default();
    }
    if options.again {
        let back = (0..table.labels.len()).zip(&came).filter(|(_, came)| **came);
        back.for_each(|(at, _)| withdrawn.back(table.labels.get(at)));
        return CameAgain { left_out: 0, back: count };
    }
    let (mut labels, mut rows) = (Labels::default(), Vec::with_capacity(table.rows.len()));
    for (at, _) in came.iter().enumerate().filter(|(_, came)| !**came) {
        labels.push_bytes(table.labels.get(at));
        rows.push(table.rows[at]);
    }
    // nor may their texts come in
    table.forms = compact(&table.forms, &mut rows);
    (table.labels, table.rows) = (labels, rows);
    CameAgain { left_out: count, back: 0 }
}

/// What a run works on.
pub(crate) struct Merged {
    pub labels: Labels,
    pub rows: Vec<Row>,
    pub forms: Forms,
    /// For each row its place in the earlier run, `u32::MAX` for a new or corrected one.
    pub as_it_was: Vec<u32>,
    /// For each row the place of its record in the earlier run, corrected or not; `u32::MAX` for a new one.
    pub earlier: Vec<u32>,
}

/// Old and new records in the order of their labels, without the withdrawn, and only the texts that they need.
pub(crate) fn merge(state: &State, added: Option<Table>, removed: &[String]) -> Merged {
    let (mut labels, mut rows) = (Labels::default(), Vec::with_capacity(state.rows.len()));
    let (mut as_it_was, mut earlier) = (Vec::new(), Vec::new());
    // numbers of texts: those of the earlier run first, those of the new rows behind
    let old_count = state.forms.len() as u32;
    let (new_labels, new_rows, new_forms) =
        added.map_or_else(|| (Labels::default(), Vec::new(), Forms::new()), |t| (t.labels, t.rows, t.forms));
    let mut forms = state.forms.clone();
    let numbers: Vec<Form> = (0..new_forms.len() as u32).map(|f| forms.number(&new_forms.text(f))).collect();
    let (mut old, mut new) = (0, 0);
    let withdrawn: HashSet<&[u8]> = removed.iter().map(String::as_bytes).collect();
    while old < state.labels.len() || new < new_labels.len() {
        let left = (old < state.labels.len()).then(|| state.labels.get(old));
        let right = (new < new_labels.len()).then(|| new_labels.get(new));
        let (label, row, place) = match (left, right) {
            (Some(l), Some(r)) if l > r => (r, None, u32::MAX),
            (None, Some(r)) => (r, None, u32::MAX),
            (Some(l), Some(r)) if l == r => (l, None, old as u32),
            (Some(l), _) => (l, Some(state.rows[old]), old as u32),
            (None, None) => break,
        };
        let from_new = right == Some(label);
        let from_old = left == Some(label);
        let corrected = from_new.then(|| {
            let mut row = new_rows[new];
            renumber(&mut row, &numbers);
            row
        });
        old += usize::from(from_old);
        new += usize::from(from_new);
        if withdrawn.contains(label) {
            continue;
        }
        let bare = |r: &Row| Row { crowd: 0, flags: r.flags & !crate::row::flag::KNOWN_NAME, ..*r };
        let same = |a: &Row, b: &Row| bare(a) == bare(b);
        let (row, unchanged) = match (row, corrected) {
            (Some(row), _) => (row, place),
            // a row that came again as it was is no change
            (None, Some(new)) if from_old && same(&state.rows[place as usize], &new) => (state.rows[place as usize], place),
            (None, Some(new)) => (new, u32::MAX),
            (None, None) => continue,
        };
        labels.push_bytes(label);
        rows.push(row);
        as_it_was.push(unchanged);
        earlier.push(place);
    }
    let changed = removed.len() + new_rows.len();
    let kept = as_it_was.iter().filter(|e| **e != u32::MAX).count();
    // what is withdrawn or corrected leaves no text behind
    if changed > 0 && kept < state.rows.len() || forms.len() as u32 > old_count {
        forms = compact(&forms, &mut rows);
    }
    Merged { labels, rows, forms, as_it_was, earlier }
}

/// Only the texts that rows need, in the order of the texts.
fn compact(forms: &Forms, rows: &mut [Row]) -> Forms {
    let mut used = vec![false; forms.len()];
    for row in rows.iter() {
        for form in row.forms() {
            used[form as usize] = true;
        }
    }
    let (kept, numbers) = forms.subset(&used);
    rows.iter_mut().for_each(|r| renumber(r, &numbers));
    kept
}
