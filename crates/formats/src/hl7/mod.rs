//! HL7 v2.5 messages as text: segments, fields, repetitions, components, by the delimiters that the message states.
//!
//! * [`Parser`] splits a message once and is used again for the next;
//! * [`Message`], [`Segment`], [`Field`] are views into the text;
//! * `escape` resolves `\F\`, `\.br\` and the others;
//! * [`Time`] reads time stamps; [`Amount`] reads numbers as laboratories write them.
//!
//! Reading never fails: what is not there is empty, and what is odd is counted for a finding.

mod amount;
mod escape;
mod message;
mod time;

pub use amount::{Amount, Operator, Range, amount, range};
pub use escape::unescape;
pub use message::{Delimiters, Field, Message, Parser, Segment};
pub use time::{Time, TimeFault};
