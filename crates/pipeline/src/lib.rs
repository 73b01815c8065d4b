//! pipeline
pub mod assemble;
