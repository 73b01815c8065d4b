//! What a hospital does in its own way in files beside the storage.

use crate::day::Month;
use crate::dice::Dice;
use crate::options::Options;
use crate::provider::Provider;

/// How the claims system writes the chart number, which is not always how the chart does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartNumber {
    /// Without leading zeros.
    Digits,
    /// Ten digits with leading zeros.
    Padded10,
    /// As the chart.
    AsChart,
}

impl ChartNumber {
    /// The word in `truth-sources.json`.
    pub const fn word(self) -> &'static str {
        match self {
            ChartNumber::Digits => "digits",
            ChartNumber::Padded10 => "padded10",
            ChartNumber::AsChart => "as_chart",
        }
    }

    /// A number of the chart, as the claims have it.
    pub fn of(self, local_id: &str) -> String {
        let digits = local_id.trim_start_matches('0');
        match self {
            ChartNumber::Digits => digits.to_owned(),
            ChartNumber::Padded10 => format!("{digits:0>10}"),
            ChartNumber::AsChart => local_id.to_owned(),
        }
    }
}

/// The habits of one hospital.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// Chart numbers in claims.
    pub chart_number: ChartNumber,
    /// Month from which FHIR has glucose in mmol/L; mg/dL before.
    pub molar_from: Month,
    /// Films are billed as devices.
    pub films: bool,
}

impl Habits {
    /// The first three hospitals are as different as can be; those of further ones are drawn.
    pub fn new(options: &Options, provider: &Provider, at: usize) -> Self {
        let mut dice = Dice::of(options.seed, [20, at as u64, 0]);
        let all = [ChartNumber::Digits, ChartNumber::Padded10, ChartNumber::AsChart];
        let drawn = *dice.pick(&all);
        let months = (options.data_to - options.data_from) / 30;
        Self {
            chart_number: all.get(at).copied().unwrap_or(drawn),
            molar_from: Month::of(options.data_from).plus(dice.between(months / 3, months * 2 / 3)),
            films: !provider.style.dispensing && at % 3 == 2,
        }
    }
}
