//! The words of the field as types: ids that must not be mixed up, the legal kinds of information, and the
//! classes under which information is sealed.
//!
//! Invariant: no input or output, no Arrow, no knowledge of storage. Whatever stands for a person prints nothing
//! of that person: `Debug` and `Display` of such types are redacted.

mod civil;
mod ids;
mod insured;
mod kinds;
mod patient_id;
mod redacted;

pub use civil::{Micros, civil_from_days, days_from_civil, micros_from_civil};
pub use ids::{
    AssetId, DatasetId, InvalidId, OfficerId, PackageId, PersonId, ProjectPersonId, ProviderId, RecipientId, RecordId, RunId,
};
pub use insured::Insured;
pub use kinds::{AssetClass, InformationKind, NoticeScope, ReleaseKind, Requester, Sex, SourceKind, UnknownTerm};
pub use patient_id::{CanonicalPatientId, PatientIdRule};
pub use redacted::Redacted;
