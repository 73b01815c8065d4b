//! Masters in the form in which they are issued, with invented rows: what is read, what is refused, and what a code means on a day.

mod codes;
mod editions;
mod files;
mod filling;
mod lookups;
mod reference;
mod vocabularies;
