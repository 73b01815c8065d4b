//! DPC survey files (退院患者調査): 様式1, 様式3, 様式4, D, E, F, EF (inpatient and outpatient), H, K.
//!
//! * `layouts`: which column says what, as data files chosen by kind of file and day of service;
//! * `reader`: what a file is, its lines, whose they are;
//! * `acts`: EF, E with F, D, H, 様式4 → procedures, drugs, devices, diagnoses of outpatients, amounts;
//! * `without`: files without the lines of some people;
//! * `form1`: 様式1, collected a stay → the stay, its diagnoses, operations, states.
//!
//! Amounts are told three times (claim, D, EF): `total_charge` stands only where none of the better ones is there, the
//! rest has its points alone, so that a sum over the table counts nothing twice.

mod acts;
mod amounts;
mod form1;
mod kinds;
mod layouts;
mod reader;
mod stays;
mod without;

pub use amounts::{Amounts, Prescan};
pub use kinds::kind_of;
pub use layouts::{Kind, LAYOUTS, Layout};
pub use reader::{DpcReader, Options};
pub(crate) use without::write_without;
