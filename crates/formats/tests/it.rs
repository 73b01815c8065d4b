//! What the reader promises, on real samples, on dirt, and on arbitrary bytes.

#[path = "it/harness.rs"]
mod harness;

#[path = "it/checkup.rs"]
mod checkup;
#[path = "it/convert.rs"]
mod convert;
#[path = "it/decoder.rs"]
mod decoder;
#[path = "it/dirt.rs"]
mod dirt;
#[path = "it/dpc.rs"]
mod dpc;
#[path = "it/fhir.rs"]
mod fhir;
#[path = "it/frames.rs"]
mod frames;
#[path = "it/properties.rs"]
mod properties;
#[path = "it/receipt.rs"]
mod receipt;
#[path = "it/rules.rs"]
mod rules;
#[path = "it/samples.rs"]
mod samples;
#[path = "it/twice.rs"]
mod twice;
#[path = "it/twins.rs"]
mod twins;
#[path = "it/units.rs"]
mod units;
#[path = "it/whose.rs"]
mod whose;
#[path = "it/without.rs"]
mod without;
#[path = "it/without_doubt.rs"]
mod without_doubt;
#[path = "it/without_fhir.rs"]
mod without_fhir;
