//! What a release risks.
//!
//! * [`population`]: uniques of the population from a sample (Pitman, Zayatz, the rule of Dankar et al.);
//! * [`snb`]: the same by the slide negative binomial;
//! * [`measure`]: the risk of a table for prosecutor, journalist and marketer;
//! * [`suda`]: small sets of columns by which a record is alone;
//! * [`attempts`]: the chance that somebody tries;
//! * [`assess`]: all of it for one table;
//! * [`kmap`]: how small a sample class may be when only the sampling fraction is known;
//! * [`special`]: special functions that these need.

pub mod assess;
pub mod attempts;
pub mod kmap;
pub mod measure;
pub mod population;
pub mod snb;
pub mod special;
pub mod suda;
