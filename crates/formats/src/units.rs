//! What a lake is told of units: what a source replaces as a whole.

use std::collections::HashMap;

use omop::{Columns, Head, SourceFileRow, SourceState};
use terms::Micros;

use crate::Patient;
use crate::rows::At;
use crate::seen::{ByItself, key};

/// The units that were told of, for a lake in which a later delivery replaces what an earlier one said of a unit.
#[derive(Default)]
pub struct Units {
    /// Time of each unit of a patient, which all its rows have, and whether it was told of or only taken back.
    times: HashMap<u128, (Micros, bool), ByItself>,
    /// Patient in the chunk, key and time of the last row.
    last: (i64, String, Micros),
}

impl Units {
    /// Numbers of patients are new from now on.
    pub fn new_numbers(&mut self) {
        self.last = (-1, String::new(), 0);
    }

    /// Time of a unit; noted as a line of `source_file` where it is met for the first time.
    pub fn time(
        &mut self,
        at: &At<'_>,
        state: SourceState,
        patients: &[Patient],
        file: &Where<'_>,
        columns: &mut Columns,
    ) -> Micros {
        if self.last.0 == at.patient && self.last.1 == at.key && state == SourceState::Live {
            return self.last.2;
        }
        let patient = usize::try_from(at.patient).ok().and_then(|n| patients.get(n)).map_or("", |p| p.local_id.as_str());
        let unit = key(&[patient.as_bytes(), at.key.as_bytes()]);
        let live = state == SourceState::Live;
        let known = self.times.get(&unit).copied();
        let ts = known.map_or(at.ts, |(ts, _)| ts);
        if known.is_none_or(|(_, told)| live && !told) {
            self.times.insert(unit, (ts, live));
            let head = Head { record_id: at.patient, source_key: at.key, source_ts: ts, source_state: state };
            let row = SourceFileRow {
                data_type: at.key.split('|').next().unwrap_or(""),
                payload: file.payload,
                ordinal: file.ordinal,
                path: file.path,
                content: None,
            };
            columns.source_file.push(&head, &row);
        }
        if live {
            self.last.0 = at.patient;
            at.key.clone_into(&mut self.last.1);
            self.last.2 = ts;
        }
        ts
    }
}

/// Where a row was read.
pub struct Where<'a> {
    /// Number of the payload.
    pub payload: i32,
    /// Number of the file in it.
    pub ordinal: i64,
    /// Its path.
    pub path: &'a str,
}
