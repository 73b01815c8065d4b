//! Statistical tables with noise: how many persons, or rows, there are in each cell of a few columns, so that
//! the table is nearly as likely without any one person as with that person.
//!
//! Two tables are neighbours where one has all rows of one person and the other has none of them. A person counts in at most C
//! cells, chosen at random for that person, and with at most M rows in each: so a person moves all counts together by at most
//! Δ1 = C·M in sum and Δ2² = C·M² in squares. To each count comes
//!
//! * discrete Laplace noise of scale Δ1/ε: (ε, 0), or
//! * discrete Gaussian noise of σ² = Δ2²/2ρ: ρ-zCDP, which is (ρ + 2√(ρ ln(1/δ)), δ) for every δ (Bun, Steinke 2016),
//!
//! drawn exactly, by integers alone (Canonne, Kamath, Steinke 2020).
//!
//! Where the values of all columns are given, every cell of their product is released, empty ones too. Where those of a column are
//! not, that a cell is there at all can tell of one person, and a cell is released only where its noisy count is above τ. With one
//! person more at most C cells are new, each with a count of at most M, so that the chance that any of them shows is at most
//! C·P(Z > τ − M); τ is the smallest whole number for which that is at most δ. For C = M = 1 and the continuous Laplace this is
//! τ = 1 + ln(1/2δ)/ε (Korolova et al. 2009; Wilson et al. 2020 for C cells); the argument is the same for any noise. The noise of
//! new cells is independent of that of the others, so but for an event of chance δ the table is as with the old cells alone: (ε, δ)
//! for Laplace, and δ-approximate ρ-zCDP (Bun, Steinke 2016, definition 8.1) for Gaussian noise. δ is spent with ε or ρ. A cell in
//! which nobody counts after the bounds must be no candidate: one person can bring any number of those.
//!
//! * [`Decimal`], [`Ratio`]: exact numbers; [`below`], [`exp_minus`]: exact coins;
//! * [`Noise`]: the two noises; `spread`: how far they go;
//! * [`Question`]: what is asked, [`Plan`]: the noise and the threshold that it takes;
//! * [`read`]: who is in which cell; [`Contributions::bounded`]: no more than C and M of each;
//! * [`release`]: noise, threshold, and what comes after it for free; [`CountsReport`], [`counts_html`]: what people read;
//! * [`Budget`]: what a data holding may give away, and what it gave.
//!
//! Invariants: no true count leaves this module but in [`TrueCounts`], which prints and serializes nothing; the randomness is handed in;
//! what was spent is known before the first noise is drawn.

mod bernoulli;
mod bound;
mod budget;
mod decimal;
mod error;
mod html;
mod noise;
mod question;
mod ratio;
mod read;
mod release;
mod report;
mod spread;

pub use bernoulli::{below, exp_minus};
pub use bound::TrueCounts;
pub use budget::{Budget, Entry, FORMAT as BUDGET_FORMAT, Spending, Unit};
pub use decimal::Decimal;
pub use error::{CODES, CountsError};
pub use html::{TEXTS, counts_html};
pub use noise::{Mechanism, Noise};
pub use question::{Counted, Persons, Plan, Question, Stratum};
// What is drawn with is a type of this crate's interface.
pub use rand;
pub use ratio::Ratio;
pub use read::{Contributions, read};
pub use release::{Line, Release, release};
pub use report::{CountsReport, Left, Spent, Total};
