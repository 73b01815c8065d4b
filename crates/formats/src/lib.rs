//! What providers send → rows of OMOP and identity facts as Arrow, and findings for whatever could not be read.
//!
//! The story of a file: a [`Reader`] is given the members of a container one by one ([`Member`]), collects them by
//! patient, decodes ([`charset`]), splits ([`hl7`]) and maps them ([`ssmix2`]), and hands out [`Chunk`]s: patients, tables
//! of candidate rows, findings, counts. A chunk can travel between processes as a frame ([`Chunk::write_ipc`]).
//!
//! * [`charset`]: bytes → text; ISO 2022, CP932, EUC-JP, UTF-8, with the dirt that occurs;
//! * [`hl7`]: segments, fields, components, escapes, times, numbers;
//! * [`ssmix2`]: the SS-MIX2 standardized storage, and vital signs of the extended storage;
//! * [`receipt`]: electronic claims; [`dpc`]: DPC survey files; [`checkup`]: checkup archives and CSV by a mapping; [`fhir`]: FHIR R4 of Japan;
//! * [`written`], [`days`]: text and dates of administrative files; `lines`, `columns`, `rows`, `units`, `seen`, `home`: what their readers share;
//! * [`detect`]: what a file is; [`AnyReader`]: each file to the reader of its kind;
//! * [`without`]: files as they came, without some people, for their sender; [`Known`]: under which ids else they are known;
//! * [`convert`]: a directory or tar → CSV files, for use without the platform.
//!
//! Reading never fails for what is in a file: dirt in one record never loses the next. Errors are for the reading
//! itself (input broken off, output refused).
//!
//! Invariant: knows neither where files come from nor what is valid in the end. Findings can name people; errors do not.

mod any;
pub mod charset;
pub mod checkup;
mod chunk;
mod columns;
mod convert;
pub mod days;
mod detect;
pub mod dpc;
pub mod fhir;
mod findings;
pub mod hl7;
mod home;
mod ipc;
mod known;
mod lines;
mod numbers;
mod places;
mod reader;
pub mod receipt;
mod rows;
mod seen;
pub mod ssmix2;
mod units;
pub mod without;
pub mod written;

pub use any::{AnyPrescan, AnyReader, ForLake};
pub use chunk::{Chunk, Counts, Patient};
pub use convert::{CODES as CONVERT_CODES, ConvertError, Summary, convert, convert_with, formats_at, lines_of, read_at};
pub use detect::{Format, detect};
pub use findings::CODES as ADMIN_CODES;
pub use home::Home;
pub use known::{Known, carry};
pub use reader::{Member, Output, ReadError, Reader};
pub use ssmix2::CODES;
