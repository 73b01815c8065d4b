//! FHIR R4 in Japan: bulk NDJSON and Bundles (document, collection, transaction), JP Core, eCS and CLINS profiles.
//!
//! * `resource`: thin structs for what rows are made of; everything else is passed over;
//! * `codes`: code systems by OID and by URL → one name;
//! * `rows`: resources → rows;
//! * `reader`: lines and bundles, references, patients who come after what is about them.
//!
//! Free text (narrative, notes, attachments) is not taken. Resources entered in error and cancelled make no row.

mod codes;
mod reader;
mod resource;
mod rows;

pub use reader::{FhirReader, Options, Patients, Prescan};
