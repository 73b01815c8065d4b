//! FHIR R4 in Japan: bulk NDJSON and Bundles (document, collection, transaction), JP Core, eCS and CLINS profiles.
//!
//! * `resource`: thin structs for what rows are made of; everything else is passed over;
//! * `codes`: code systems by OID and by URL → one name;
//! * `valid`: which resources say that something was; `rows`: these → rows;
//! * `patients`: references → patients, who come before or after what is about them;
//! * `reader`: lines and bundles;
//! * `without`: files without the resources of some people; `whose`: whom a resource names;
//!   `persons`: who is one person; `json`: where the parts of an object stand.
//!
//! Free text (narrative, notes, attachments) is not taken. Resources entered in error, cancelled, planned, negated or modified in an unknown way make no row.

mod codes;
mod json;
mod patients;
mod persons;
mod reader;
mod resource;
mod rows;
mod valid;
mod whose;
mod without;

pub use patients::Patients;
pub use reader::{FhirReader, Options, Prescan};
pub(crate) use without::Related;
