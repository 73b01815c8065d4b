//! Overall risk: the chance that somebody tries times the chance to succeed (section 3 of the definitions).

use serde::Serialize;

use crate::table::TableError;

/// People that one knows (Dunbar).
pub const ACQUAINTANCES: f64 = 150.0;

/// Chances that somebody tries, as far as they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Attempts {
    /// That a recipient tries on purpose, by motives, capacity and controls.
    pub deliberate: Option<f64>,
    /// Share of people who have what the table is about: that among the acquaintances of somebody who sees the table is one of them.
    pub prevalence: Option<f64>,
    /// That the table gets out: share of custodians with a breach in a year.
    pub breach: Option<f64>,
}

/// Attempt and success of one kind of attack.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Attack {
    /// Chance of the attempt.
    pub attempt: f64,
    /// Times the greatest chance of a record.
    pub most: f64,
    /// Times the mean chance.
    pub average: f64,
}

/// The overall risk of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overall {
    /// Whose chance of success was taken: `journalist` with a population table, else `prosecutor`.
    pub success: &'static str,
    /// On purpose.
    pub deliberate: Option<Attack>,
    /// Somebody recognises an acquaintance.
    pub inadvertent: Option<Attack>,
    /// The table gets out.
    pub breach: Option<Attack>,
    /// The greatest of them.
    pub most: f64,
    /// The greatest of the means.
    pub average: f64,
    /// Share of records whose greatest overall chance is above the threshold.
    pub at_risk: f64,
}

impl Attempts {
    /// Each option's chance.
    ///
    /// # Errors
    /// A chance that is none.
    fn chances(&self) -> Result<[Option<f64>; 3], TableError> {
        let chance = |option: &'static str, value: Option<f64>| match value {
            Some(p) if !(0.0..=1.0).contains(&p) => Err(TableError::ChanceRange { option }),
            other => Ok(other),
        };
        // 1 − (1 − p)^150, which keeps its digits where p is small.
        let known = |p: f64| if p >= 1.0 { 1.0 } else { -(ACQUAINTANCES * (-p).ln_1p()).exp_m1() };
        Ok([
            chance("--attempt", self.deliberate)?,
            chance("--prevalence", self.prevalence)?.map(known),
            chance("--breach", self.breach)?,
        ])
    }
}

/// The overall risk from the records and the chance of success of each class; nothing where no attempt has a chance. `average`: the
/// mean chance of success.
///
/// # Errors
/// A chance that is none.
pub fn overall(
    attempts: &Attempts,
    success: &'static str,
    average: f64,
    classes: &[(u64, f64)],
    threshold: f64,
) -> Result<Option<Overall>, TableError> {
    let chances = attempts.chances()?;
    let Some(likeliest) = chances.iter().flatten().copied().reduce(f64::max) else { return Ok(None) };
    let most = classes.iter().map(|(_, chance)| *chance).fold(0.0, f64::max);
    let records: u64 = classes.iter().map(|(f, _)| f).sum();
    let above: u64 = classes.iter().filter(|(_, chance)| likeliest * chance > threshold).map(|(f, _)| f).sum();
    let attack = |attempt: f64| Attack { attempt, most: attempt * most, average: attempt * average };
    let [deliberate, inadvertent, breach] = chances.map(|c| c.map(attack));
    Ok(Some(Overall {
        success,
        deliberate,
        inadvertent,
        breach,
        most: likeliest * most,
        average: likeliest * average,
        at_risk: above as f64 / records.max(1) as f64,
    }))
}
