//! Health checkups: archives of 特定健診 and 特定保健指導 (CDA R2 XML, as directory or zip), and CSV by a mapping file.
//!
//! * `archive`: a zip in memory; names, sizes and ratios are checked before anything is unpacked;
//! * `document`: one XML document → facts; document type declarations are refused, depth is bounded;
//! * `rows`: facts → rows;
//! * `mapping`: what the columns of a house layout mean, as TOML;
//! * `table`: a CSV file by its mapping;
//! * `reader`: what a file is, and whether an index says as many documents as there are;
//! * `without`: files without the documents and records of some people.

mod archive;
mod document;
mod mapping;
mod reader;
mod rows;
mod table;
mod without;

pub use archive::{ArchiveFault, Entry, entries};
pub use document::{Document, Fault, Item, read_document};
pub use mapping::{Mapping, MappingError};
pub use reader::{CheckupReader, Options, Prescan};
pub(crate) use without::Beside;
