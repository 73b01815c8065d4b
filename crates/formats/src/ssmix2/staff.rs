//! Doctors and departments as they are met: one row each a patient, whatever number of files names them.
//!
//! Their ids are hashes of the provider's own codes, so that the same doctor has the same id in every package. Names of
//! doctors are never kept.

use std::collections::BTreeMap;

use omop::{CareSiteRow, Head, ProviderRow, SourceState};
use terms::Micros;

use super::sheet::Book;
use crate::hl7::{Field, Segment};
use crate::places::id_of;

#[derive(Default)]
struct Doctor {
    department: Option<String>,
    at: Micros,
}

/// Doctors and departments of one patient's files.
#[derive(Default)]
pub struct Staff {
    doctors: BTreeMap<String, Doctor>,
    departments: BTreeMap<String, (String, Micros)>,
}

impl Staff {
    /// Id of the doctor of an XCN field; `None` where only a name stands.
    pub fn doctor(&mut self, field: Field<'_>, department: Field<'_>, at: Micros) -> Option<i64> {
        let code = field.component(1).code()?;
        let department = department.component(1).code();
        match self.doctors.get_mut(code) {
            Some(known) => {
                if department.is_some() && (known.department.is_none() || at > known.at) {
                    known.department = department.map(str::to_owned);
                }
                known.at = known.at.max(at);
            }
            None => {
                self.doctors.insert(code.to_owned(), Doctor { department: department.map(str::to_owned), at });
            }
        }
        Some(id_of("provider", code))
    }

    /// Notes a department: its code and, where it is stated, its name.
    pub fn department(&mut self, field: Field<'_>, at: Micros) {
        let Some(code) = field.component(1).code() else {
            return;
        };
        let name = field.component(2).text().unwrap_or_default();
        match self.departments.get_mut(code) {
            Some(known) => {
                if known.0.is_empty() || (at > known.1 && !name.is_empty()) {
                    known.0 = name.into_owned();
                }
                known.1 = known.1.max(at);
            }
            None => {
                self.departments.insert(code.to_owned(), (name.into_owned(), at));
            }
        }
    }

    /// Notes who is named in an order, and gives the ordering doctor's id.
    pub fn order(&mut self, orc: Segment<'_>, at: Micros) -> Option<i64> {
        self.department(orc.field(17), at);
        self.doctor(orc.field(12), orc.field(17), at)
    }

    /// Writes the rows of a patient and forgets them.
    pub fn write(&mut self, patient: i64, facility: &str, book: &mut Book) {
        for (code, (name, at)) in std::mem::take(&mut self.departments) {
            let source = format!("{facility}|{code}");
            let key = format!("care_site|-|{code}");
            let head = Head { record_id: patient, source_key: &key, source_ts: at, source_state: SourceState::Live };
            book.columns.care_site.push(
                &head,
                &CareSiteRow {
                    care_site_id: id_of("care_site", &code),
                    care_site_name: (!name.is_empty()).then_some(name.as_str()),
                    care_site_source_value: Some(&source),
                    ..Default::default()
                },
            );
            book.rows += 1;
        }
        for (code, doctor) in std::mem::take(&mut self.doctors) {
            let key = format!("provider|-|{code}");
            let head = Head { record_id: patient, source_key: &key, source_ts: doctor.at, source_state: SourceState::Live };
            book.columns.provider.push(
                &head,
                &ProviderRow {
                    provider_id: id_of("provider", &code),
                    provider_source_value: Some(&code),
                    specialty_source_value: doctor.department.as_deref(),
                    care_site_id: doctor.department.as_deref().map(|d| id_of("care_site", d)),
                    ..Default::default()
                },
            );
            book.rows += 1;
        }
    }
}
