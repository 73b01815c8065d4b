//! Electronic claims (レセプト電算処理システム, `.UKE`): medical, DPC, dental and pharmacy.
//!
//! * `forms`: where the fields of a record stand, a table for each kind of claim: the same two letters have another layout
//!   in each;
//! * `reader`: lines → claims; headers, trailers, what is unknown; and the scan that finds out which claim of several is
//!   the last;
//! * `claim`: the head of a claim (RE, HO, KO, SN, JD) → who, insurance, visits, the one amount of the claim;
//! * `acts`: lines of a claim (SI, IY, TO, SS, CD, SK, and pharmacy groups) → procedures, drugs, devices, texts;
//! * `without`: files without the claims of some people;
//! * `diagnoses`: SY, HS, SB, held until the end: every month repeats them.
//!
//! Facts: 記録条件仕様 as transcribed; how sure they are is said in this crate's README.

mod acts;
mod claim;
pub(crate) mod diagnoses;
mod diagnosis_records;
mod forms;
mod reader;
mod versions;
mod without;

pub use reader::{Options, Prescan, ReceiptReader};
pub use versions::Versions;
pub(crate) use without::write_without;
