//! What Azekura says to people, in Japanese and English, from one catalogue.
//!
//! An error or a finding is a code with arguments; the text is made from it at the edge, in the reader's language.
//! The texts are Fluent files, one an area, under `texts/en` and `texts/ja`; a test holds both languages to the same
//! codes and arguments.
//!
//! Invariant: does not know who raises a message.

mod catalogue;
mod finding;

pub use catalogue::{Lang, Message, UnknownLanguage, codes, has};
pub use finding::{Finding, Place, Severity};
