//! FHIR R4 in Japan: bulk NDJSON and Bundles (document, collection, transaction), JP Core, eCS and CLINS profiles.
//!
//! * `resource`: thin structs for what rows are made of; everything else is passed over;
//! * `codes`: code systems by OID and by URL → one name;
//! * `rows`: resources → rows;
//! * `patients`: references → patients, who come before or after what is about them;
//! * `reader`: lines and bundles.
//!
//! Free text (narrative, notes, attachments) is not taken. Resources entered in error and cancelled make no row.

mod codes;
mod patients;
mod reader;
mod resource;
mod rows;

pub use patients::Patients;
pub use reader::{FhirReader, Options, Prescan};
