//! What is wrong with people here, what they get for it, and what is measured. General medical knowledge in small tables;
//! ICD-10 codes are real, JLAC10 codes follow the published composition, every other code has only the form of its master.

mod diseases;
mod drugs;
mod labs;

pub use diseases::{DISEASES, Disease, MODIFIER_SUSPECTED, disease};
pub use drugs::{DRUGS, Drug, INFUSIONS, Infusion, Usage, drug};
pub use labs::{LABS, Lab, Panel, Specimen, Value};
