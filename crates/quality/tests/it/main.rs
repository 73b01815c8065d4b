//! What the checks find, and what they leave alone; that each check can fail; that it all agrees with a plain reference.

mod house;
mod promises;
mod reference;
mod rules;
