//! Models as they are written: `k:5`, `dl:3`, `cl:4:3`, …

use super::{Convex, Estimator, Ground, Models, Monotone, Opaque, Whole};
use crate::table::TableError;

/// How each model is written.
pub const FORMS: &[&str] = &[
    "k:K",
    "kmap:K",
    "kmap:K:poisson:ALPHA",
    "kmap:K:ztpoisson:ALPHA",
    "dl:L",
    "el:L",
    "eg:L",
    "cl:C:L",
    "t:T",
    "to:T",
    "th:T",
    "dd:DELTA",
    "bl:BETA",
    "be:BETA",
    "ak:ALPHA:K",
    "dp:LEAST:MOST",
    "ar:SHARE",
    "su:SHARE",
    "pu:SHARE",
];

fn name(written: &str) -> &str {
    written.split(':').next().unwrap_or_default()
}

pub(super) fn is_sensitive(written: &str) -> bool {
    matches!(name(written), "dl" | "el" | "eg" | "cl" | "t" | "to" | "th" | "dd" | "bl" | "be" | "ak")
}

pub(super) fn needs_table(written: &str) -> bool {
    name(written) == "dp" || (name(written) == "kmap" && written.split(':').count() == 2)
}

pub(super) fn is_presence(written: &str) -> bool {
    name(written) == "dp"
}

pub(super) fn needs_size(written: &str) -> bool {
    name(written) == "pu" || (name(written) == "kmap" && written.split(':').count() > 2)
}

impl Models {
    /// Reads models, each as one of [`FORMS`].
    ///
    /// # Errors
    /// A name that is none, arguments that do not fit, or no model at all.
    pub fn parse<S: AsRef<str>>(written: &[S]) -> Result<Self, TableError> {
        let mut models = Models::default();
        for text in written {
            models.add(text.as_ref())?;
        }
        if models.written.is_empty() { Err(TableError::ModelMissing) } else { Ok(models) }
    }

    fn add(&mut self, text: &str) -> Result<(), TableError> {
        let parts: Vec<&str> = text.split(':').collect();
        let forms: Vec<&str> = FORMS.iter().copied().filter(|f| name(f) == parts[0]).collect();
        if forms.is_empty() {
            return Err(TableError::ModelUnknown { text: text.to_owned() });
        }
        let unfit = || TableError::ModelArguments { model: text.to_owned(), form: forms.join(", ") };
        let bad = |reason| TableError::ModelValue { model: text.to_owned(), reason };
        let number = |at: usize| parts.get(at).and_then(|p| p.parse::<f64>().ok()).filter(|x| x.is_finite()).ok_or_else(unfit);
        let count = |at: usize| parts.get(at).and_then(|p| p.parse::<u64>().ok()).ok_or_else(unfit);
        let at_least_one = |x: u64| if x >= 1 { Ok(x) } else { Err(bad("at least 1")) };
        let share = |x: f64| if (0.0..=1.0).contains(&x) { Ok(x) } else { Err(bad("between 0 and 1")) };
        let positive = |x: f64| if x > 0.0 { Ok(x) } else { Err(bad("more than 0")) };
        let l = |x: f64| if x >= 1.0 { Ok(x) } else { Err(bad("at least 1")) };
        let closeness = |t: f64, ground| share(t).map(|t| Convex::Closeness { t, ground });
        if !forms.iter().any(|f| f.split(':').count() == parts.len()) {
            return Err(unfit());
        }
        match parts[0] {
            "k" => self.monotone.push(Monotone::KAnonymity { k: at_least_one(count(1)?)? }),
            "kmap" if parts.len() == 2 => self.monotone.push(Monotone::KMap { k: at_least_one(count(1)?)? }),
            "kmap" => {
                let by = match parts[2] {
                    "poisson" => Estimator::Poisson,
                    "ztpoisson" => Estimator::ZeroTruncated,
                    _ => return Err(unfit()),
                };
                let alpha = positive(share(number(3)?)?)?;
                let k = at_least_one(count(1)?)?;
                if k > crate::risk::kmap::MOST_K {
                    return Err(bad("at most 1000000"));
                }
                self.monotone.push(Monotone::KMapEstimated { k, alpha, by });
            }
            "dl" => self.monotone.push(Monotone::DistinctDiversity { l: at_least_one(count(1)?)? }),
            "el" => self.convex.push(Convex::EntropyDiversity { l: l(number(1)?)? }),
            "eg" => self.opaque.push(Opaque::GrassbergerDiversity { l: l(number(1)?)? }),
            "cl" => {
                let (c, l) = (positive(number(1)?)?, at_least_one(count(2)?)? as usize);
                self.convex.push(Convex::RecursiveDiversity { c, l });
            }
            "t" => self.convex.push(closeness(number(1)?, Ground::Equal)?),
            "to" => self.convex.push(closeness(number(1)?, Ground::Ordered)?),
            "th" => self.convex.push(closeness(number(1)?, Ground::Hierarchical)?),
            "dd" => self.convex.push(Convex::DeltaDisclosure { delta: positive(number(1)?)? }),
            "bl" => self.convex.push(Convex::BasicLikeness { beta: positive(number(1)?)? }),
            "be" => self.convex.push(Convex::EnhancedLikeness { beta: positive(number(1)?)? }),
            "ak" => {
                let (alpha, k) = (share(number(1)?)?, at_least_one(count(2)?)?);
                self.convex.push(Convex::Alpha { alpha });
                self.monotone.push(Monotone::KAnonymity { k });
            }
            "dp" => {
                let (least, most) = (share(number(1)?)?, share(number(2)?)?);
                if least > most {
                    return Err(bad("the first no more than the second"));
                }
                self.convex.push(Convex::PresenceAtMost { most });
                self.opaque.push(Opaque::PresenceAtLeast { least });
            }
            "ar" => self.whole.push(Whole::AverageRisk { most: share(number(1)?)? }),
            "su" => self.whole.push(Whole::SampleUniques { most: share(number(1)?)? }),
            "pu" => self.whole.push(Whole::PopulationUniques { most: share(number(1)?)? }),
            _ => return Err(TableError::ModelUnknown { text: text.to_owned() }),
        }
        self.written.push(text.to_owned());
        Ok(())
    }
}
