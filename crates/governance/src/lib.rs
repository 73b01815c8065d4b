//! The rules of the house, and nothing else: who may come in, who said no, and what has to have happened before a data
//! set may leave.
//!
//! * [`notice`]: per person and scope, whether the notice and its waiting period allow the person's data in;
//! * [`opt_out`]: a request that provision stop, from its receipt to its withdrawal, and what it takes out of the house;
//! * [`admission`]: both together, asked once a person when a package comes in;
//! * [`application`], [`review`], [`approval`], [`dataset`]: the way of a data set from application to delivery. Each
//!   state is a type, and the next step is a method of the right state only, so a delivery without a committee's
//!   decision and two officers' signatures does not compile;
//! * [`Refusal`]: every guard's reason, with a code that the message catalogue has in Japanese and English.
//!
//! Invariant: pure. No clock, no storage, no cryptography (whoever calls hands in the check of a signature), and no
//! personal data: a person is what the caller is asking about, never an argument.

pub mod admission;
pub mod application;
pub mod approval;
pub mod dataset;
pub mod notice;
pub mod opt_out;
mod refusal;
pub mod review;

pub use refusal::{CODES, Refusal};
