//! Which of several sources counts where they tell of one visit, of the drugs of one month, of one death (`[history]` in `azekura.toml`).
//!
//! The order is that of an instance, not of a package: rows that came in under another one would count by it until they come again. So it is
//! settled with the first rows that come in (`ingest`).

use serde::{Deserialize, Serialize};

use super::sources::Source;

/// Who tells of visits beside the hospital's own events, which always stand first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visits {
    /// Encounters of FHIR.
    Fhir,
    /// 様式1 of DPC.
    Form1,
    /// Lines of acts: EF, E, F, D, H.
    Acts,
    /// Claims.
    Claims,
    /// Checkups and tables by a mapping.
    Checkups,
}

/// Who tells of drugs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drugs {
    /// The hospital's own orders, dispensings and administrations (SS-MIX2).
    Chart,
    /// FHIR.
    Fhir,
    /// DPC files, and tables by a mapping.
    Dpc,
    /// Claims.
    Claims,
}

/// Who tells of a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deaths {
    /// A chart, FHIR or 様式1 that states the day; of several the earliest.
    Stated,
    /// A discharge by death.
    Discharges,
    /// A claim, which often has no more than the last day it counts; of several the latest.
    Claims,
}

/// The orders; who stands first counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Precedence {
    /// Of visits.
    pub visits: Vec<Visits>,
    /// Of the drugs of a calendar month.
    pub drugs: Vec<Drugs>,
    /// Of deaths.
    pub deaths: Vec<Deaths>,
}

impl Default for Precedence {
    fn default() -> Self {
        Precedence {
            visits: vec![Visits::Fhir, Visits::Form1, Visits::Acts, Visits::Claims, Visits::Checkups],
            drugs: vec![Drugs::Chart, Drugs::Fhir, Drugs::Dpc, Drugs::Claims],
            deaths: vec![Deaths::Stated, Deaths::Discharges, Deaths::Claims],
        }
    }
}

/// How high something stands in an order: the first highest, from 1.
fn height<T: PartialEq>(order: &[T], of: &T) -> u8 {
    order.iter().rev().position(|o| o == of).map_or(0, |n| n as u8 + 1)
}

impl Precedence {
    /// Whether each source stands in its order once.
    ///
    /// # Errors
    /// The setting that does not have them all.
    pub fn check(&self) -> Result<(), String> {
        fn whole<T: PartialEq>(name: &str, order: &[T], all: &[T]) -> Result<(), String> {
            let good = order.len() == all.len() && all.iter().all(|one| order.contains(one));
            if good { Ok(()) } else { Err(format!("history.{name} must name each of its {} sources once", all.len())) }
        }
        let all = Precedence::default();
        whole("visits", &self.visits, &all.visits)?;
        whole("drugs", &self.drugs, &all.drugs)?;
        whole("deaths", &self.deaths, &all.deaths)
    }

    /// The words of an order, first to last.
    pub fn words<T: Serialize>(order: &[T]) -> String {
        let word = |one: &T| serde_json::to_value(one).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        order.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    /// All orders in one line, as the ledger keeps them.
    pub fn line(&self) -> String {
        let Precedence { visits, drugs, deaths } = self;
        format!("visits: {}; drugs: {}; deaths: {}", Self::words(visits), Self::words(drugs), Self::words(deaths))
    }

    /// How high who told of a visit stands; `origin` is the word of the readers.
    pub(super) fn of_visit(&self, origin: &str) -> u8 {
        height(
            &self.visits,
            &match origin {
                "fhir" => Visits::Fhir,
                "form1" => Visits::Form1,
                "act" => Visits::Acts,
                "claim" => Visits::Claims,
                _ => Visits::Checkups,
            },
        )
    }

    /// The same of drugs.
    pub(super) fn of_drug(&self, source: Source) -> u8 {
        height(
            &self.drugs,
            &match source {
                Source::Chart => Drugs::Chart,
                Source::Fhir => Drugs::Fhir,
                Source::Acts | Source::Bundle | Source::Survey => Drugs::Dpc,
                Source::Claim => Drugs::Claims,
            },
        )
    }

    /// The same of deaths.
    pub(super) fn of_death(&self, source: Deaths) -> u8 {
        height(&self.deaths, &source)
    }
}
