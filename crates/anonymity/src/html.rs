//! The report as a page: one file, no script, no network, prints on paper. Its first page is for a committee member who has
//! never seen a data set.

mod earlier;
mod effects;
mod texts;

use askama::Template;
use messages::{Lang, Message};

use crate::attack::Found;
use crate::calendar::CalendarReport;
use crate::classes::{Bucket, Histogram};
use crate::dictionary::described;
use crate::events::EventsReport;
use crate::profile::{Attacker, Kind, Treatment};
use crate::report::{ColumnReport, PrivacyReport, Report, StepReport, TableReport};
use crate::treat::results::ResultCounts;
use crate::visits::{Uniques, VisitsReport};

pub use texts::TEXTS;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    lang: Lang,
}

/// A bar of the picture, in its own units.
struct Bar {
    x: f64,
    label: String,
    before: f64,
    after: f64,
    persons_before: u64,
    persons_after: u64,
}

const BAR_HEIGHT: f64 = 150.0;
const BAR_STEP: f64 = 78.0;

impl Page<'_> {
    fn t(&self, code: &'static str) -> String {
        Message::new(code).text(self.lang)
    }

    fn language(&self) -> &'static str {
        match self.lang {
            Lang::Ja => "ja",
            Lang::En => "en",
        }
    }

    fn kind(&self) -> String {
        self.t(match self.report.kind {
            Kind::Anonymized => "anonymity-report-kind-anonymized",
            Kind::LinkableAnonymized => "anonymity-report-kind-linkable",
            Kind::Pseudonymized => "anonymity-report-kind-pseudonymized",
        })
    }

    fn quasi_identifiers(&self, privacy: &PrivacyReport) -> String {
        let separator = match self.lang {
            Lang::Ja => "、",
            Lang::En => ", ",
        };
        let names: Vec<String> = privacy.quasi_identifiers.iter().map(|name| self.plain(name)).collect();
        names.join(separator)
    }

    /// A column as people call it, where they do.
    fn plain(&self, column: &str) -> String {
        match column {
            "person.gender_concept_id" => self.t("anonymity-column-sex"),
            "person.year_of_birth" => self.t("anonymity-column-year-of-birth"),
            "person.month_of_birth" => self.t("anonymity-column-month-of-birth"),
            other => other.to_owned(),
        }
    }

    fn summary(&self) -> String {
        let report = self.report;
        match &report.privacy {
            Some(privacy) => Message::new("anonymity-report-summary-anonymized")
                .with("persons", grouped(&report.persons_after))
                .with("qi", self.quasi_identifiers(privacy))
                .with("others", privacy.after.smallest.saturating_sub(1))
                .with("left", if privacy.suppressed == 0 { "none" } else { "some" })
                .with("suppressed", grouped(&privacy.suppressed))
                .with("before", grouped(&report.persons_before)),
            None => Message::new("anonymity-report-summary-pseudonymized").with("persons", grouped(&report.persons_after)),
        }
        .text(self.lang)
    }

    fn has(&self, treatment: &Treatment) -> bool {
        self.report.tables.iter().flat_map(|t| &t.columns).any(|c| c.treatment == *treatment)
    }

    fn moved(&self) -> bool {
        self.has(&Treatment::Shift)
    }

    /// How true the dates of anonymized data are.
    fn dates(&self) -> Option<String> {
        let code = match () {
            () if !self.report.kind.is_anonymized() => return None,
            () if self.moved() => "anonymity-report-no-hours",
            () if self.has(&Treatment::Month) => "anonymity-report-dates-month",
            () if self.has(&Treatment::Year) => "anonymity-report-dates-year",
            () => "anonymity-report-dates-none",
        };
        Some(self.t(code))
    }

    /// How the ids of persons came about, where they say more than a row's number.
    fn person_ids(&self) -> Option<String> {
        (self.report.kind == Kind::LinkableAnonymized).then(|| self.t("anonymity-report-ids-linkable"))
    }

    /// What true months tell, and what was done about it.
    fn months(&self) -> Vec<String> {
        let (Some(told), Some(privacy)) = (&self.report.months, &self.report.privacy) else { return Vec::new() };
        let deaths = Message::new("anonymity-report-deaths")
            .with("k", privacy.k)
            .with("by_year", grouped(&told.deaths_by_year))
            .with("left_out", grouped(&told.deaths_left_out));
        let stays = Message::new("anonymity-report-stays-alone").with("persons", grouped(&told.stays_alone));
        [deaths, stays].map(|m| m.text(self.lang)).into()
    }

    fn beside(&self) -> Vec<String> {
        let line = |id: &String| Message::new("anonymity-report-beside").with("id", id).text(self.lang);
        self.report.beside.iter().map(line).collect()
    }

    /// How many an attacker finds, in words, for those who read no further: who knows least, and who finds most. Of who did not try nothing is said.
    fn found_summary(&self) -> Option<String> {
        let found = &self.report.privacy.as_ref()?.found;
        let least = found.iter().find(|f| f.attacker == Attacker::Demographics)?;
        let most = found.iter().reduce(|most, f| if f.share > most.share { f } else { most })?;
        let told = [Some(least), found.iter().find(|f| f.attacker == Attacker::Codes), Some(most)];
        let mut lines: Vec<String> = Vec::new();
        for (n, found) in told.iter().enumerate().filter_map(|(n, f)| Some((n, (*f)?))) {
            if told[..n].iter().flatten().all(|f| f.attacker != found.attacker) {
                let share = format!("{:.1}", found.share * 100.0);
                lines.push(Message::new(summary_of(found.attacker)).with("share", share).text(self.lang));
            }
        }
        Some(lines.join(if self.lang == Lang::Ja { "" } else { " " }))
    }

    fn attacker(&self, found: &Found) -> String {
        self.t(match found.attacker {
            Attacker::Demographics => "anonymity-attacker-demographics",
            Attacker::Codes => "anonymity-attacker-codes",
            Attacker::VisitDays => "anonymity-attacker-visit-days",
            Attacker::DatedCodes => "anonymity-attacker-dated-codes",
            Attacker::CalendarCodes => "anonymity-attacker-calendar-codes",
        })
    }

    fn share(&self, found: &Found) -> String {
        let [low, high] = found.interval.map(|end| end * 100.0);
        format!("{:.1} % ({low:.1}–{high:.1})", found.share * 100.0)
    }

    fn percent(&self, share: &f64) -> String {
        format!("{:.1} %", share * 100.0)
    }

    fn calendar(&self, calendar: &CalendarReport) -> String {
        let text = Message::new("anonymity-report-calendar")
            .with("rows", grouped(&calendar.rows))
            .with("persons", grouped(&calendar.persons))
            .with("coarser", grouped(&calendar.coarser))
            .with("other", grouped(&calendar.other))
            .with("share", format!("{:.0}", calendar.least_open * 100.0));
        text.text(self.lang)
    }

    fn visits(&self, visits: &VisitsReport) -> Vec<String> {
        let k = self.report.privacy.as_ref().map_or(0, |p| p.k);
        let share = |of: u64| format!("{:.1}", of as f64 / visits.persons.max(1) as f64 * 100.0);
        let of = |code, uniques: Uniques| {
            let text = Message::new(code).with("persons", grouped(&visits.persons)).with("alone", share(uniques.alone));
            text.with("few", share(uniques.few)).with("k", k).text(self.lang)
        };
        let spacing = if visits.moved { "anonymity-report-visits-days" } else { "anonymity-report-visits-months" };
        let mut lines = vec![of("anonymity-report-visits-count", visits.count), of(spacing, visits.spacing)];
        lines.extend(visits.open_edge.then(|| self.t("anonymity-report-visits-edge")));
        lines
    }

    fn events(&self, events: &EventsReport) -> Vec<String> {
        let promise =
            Message::new(if events.within_classes { "anonymity-report-events-classes" } else { "anonymity-report-events" })
                .with("known", events.known)
                .with("k", events.k)
                .with("persons", grouped(&events.before.persons))
                .with("pairs", grouped(&events.before.pairs));
        let cost = Message::new("anonymity-report-events-cost")
            .with("codes", grouped(&events.codes))
            .with("coarser", grouped(&events.coarser))
            .with("bare", grouped(&events.bare))
            .with("out", grouped(&events.taken_out))
            .with("loss", format!("{:.1}", events.loss * 100.0));
        [promise, cost].map(|m| m.text(self.lang)).into()
    }

    fn n(&self, number: impl std::borrow::Borrow<u64>) -> String {
        grouped(number.borrow())
    }

    fn rows(&self) -> u64 {
        self.report.tables.iter().map(|t| t.rows_after).sum()
    }

    fn classes_help(&self, privacy: &PrivacyReport) -> String {
        Message::new("anonymity-report-classes-help").with("qi", self.quasi_identifiers(privacy)).text(self.lang)
    }

    fn bars(&self, privacy: &PrivacyReport) -> Vec<Bar> {
        let most = [&privacy.before, &privacy.after].iter().flat_map(|h| &h.buckets).map(|b| b.persons).max().unwrap_or(0).max(1);
        let persons = |h: &Histogram, n: usize| h.buckets.get(n).map_or(0, |b| b.persons);
        let height = |persons: u64| persons as f64 / most as f64 * BAR_HEIGHT;
        privacy
            .after
            .buckets
            .iter()
            .enumerate()
            .map(|(n, bucket)| {
                let (before, after) = (persons(&privacy.before, n), persons(&privacy.after, n));
                Bar {
                    x: n as f64 * BAR_STEP,
                    label: range(bucket),
                    before: height(before),
                    after: height(after),
                    persons_before: before,
                    persons_after: after,
                }
            })
            .collect()
    }

    /// Where k stands in the picture: at the first bucket that may hold people.
    fn line(&self, privacy: &PrivacyReport) -> f64 {
        let k = u64::from(privacy.k);
        let index = privacy.after.buckets.iter().position(|b| b.to.is_none_or(|t| t >= k)).unwrap_or(0);
        index as f64 * BAR_STEP - 6.0
    }

    fn step(&self, step: &StepReport) -> String {
        format!("{}: {}", self.plain(&step.column), described(&step.to, self.report.kind, None).text(self.lang))
    }

    fn treatment(&self, column: &ColumnReport) -> String {
        let thresholds = self.report.privacy.as_ref().map(|p| (p.rare_persons, p.extreme_persons, p.shift_days));
        described(&column.treatment, self.report.kind, thresholds).text(self.lang)
    }

    fn codes(&self, column: &ColumnReport) -> String {
        let Some(c) = &column.codes else { return String::new() };
        let combined = match c.combined {
            0 => String::new(),
            n => Message::new("anonymity-report-codes-combined").with("rows", n).text(self.lang),
        };
        let counts = Message::new("anonymity-report-codes")
            .with("before", c.codes_before)
            .with("after", c.codes_after)
            .with("rolled", c.rolled_up)
            .with("rare", c.rare)
            .with("local", c.local)
            .with("words", c.words)
            .text(self.lang);
        counts + &combined
    }

    fn results(&self, r: &ResultCounts) -> String {
        Message::new("anonymity-report-results")
            .with("exact", r.exact)
            .with("banded", r.banded)
            .with("top", r.top)
            .with("bottom", r.bottom)
            .with("emptied", r.emptied)
            .with("text_rare", r.text_rare)
            .with("text_emptied", r.text_emptied)
            .with("concept_rare", r.concept_rare)
            .text(self.lang)
    }

    fn rules(&self) -> Vec<(String, String)> {
        let rule = |r: &crate::profile::ValueRule| {
            let parts = [
                r.band.map(|w| Message::new("anonymity-report-value-band").with("width", w)),
                r.bottom.map(|b| Message::new("anonymity-report-value-bottom").with("bound", b)),
                r.top.map(|b| Message::new("anonymity-report-value-top").with("bound", b)),
            ];
            let words: Vec<String> = parts.into_iter().flatten().map(|m| m.text(self.lang)).collect();
            (format!("{} ({})", r.name, r.code), words.join(" / "))
        };
        self.report.values.iter().map(rule).collect()
    }

    fn left_out_tables(&self) -> String {
        Message::new("anonymity-report-left-out-tables").with("tables", self.report.tables_left_out.join(", ")).text(self.lang)
    }

    fn lost_rows(&self, table: &TableReport) -> u64 {
        table.rows_before.saturating_sub(table.rows_after)
    }
}

/// What the summary says of an attacker.
const fn summary_of(attacker: Attacker) -> &'static str {
    match attacker {
        Attacker::Demographics => "anonymity-report-found-summary",
        Attacker::Codes => "anonymity-report-found-codes",
        Attacker::VisitDays => "anonymity-report-found-visit-days",
        Attacker::DatedCodes => "anonymity-report-found-dated-codes",
        Attacker::CalendarCodes => "anonymity-report-found-calendar-codes",
    }
}

fn range(bucket: &Bucket) -> String {
    match bucket.to {
        Some(to) if to == bucket.from => bucket.from.to_string(),
        Some(to) => format!("{}–{}", bucket.from, to),
        None => format!("{}–", grouped(&bucket.from)),
    }
}

/// A number in groups of three digits.
fn grouped(number: &u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The report as an HTML page in a language.
pub fn report_html(report: &Report, lang: Lang) -> String {
    // Rendering to a String fails only where a value's Display does, and those are numbers and texts.
    Page { report, lang }.render().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_shown_in_groups_of_three() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(super::grouped(&number), shown);
        }
    }
}
