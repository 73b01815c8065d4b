//! The report of a table's release as a page: one file, no script, no network; a plain summary first.

use askama::Template;
use messages::{Lang, Message};

use super::report::{ColumnLevels, ReleaseReport, SizeCount};
use crate::search::Effort;

/// Codes of the texts that the report is made of.
pub const TEXTS: &[&str] = &[
    "anonymity-release-title",
    "anonymity-release-summary",
    "anonymity-release-summary-rows",
    "anonymity-release-exact",
    "anonymity-release-estimated",
    "anonymity-release-stopped",
    "anonymity-release-heuristic",
    "anonymity-release-asked",
    "anonymity-release-models",
    "anonymity-release-metric",
    "anonymity-release-score",
    "anonymity-release-rows",
    "anonymity-release-smallest",
    "anonymity-release-suppressed",
    "anonymity-release-smallest-population",
    "anonymity-release-risk",
    "anonymity-release-average",
    "anonymity-release-before",
    "anonymity-release-after",
    "anonymity-release-column",
    "anonymity-release-level",
    "anonymity-release-level-of",
    "anonymity-release-values",
    "anonymity-release-columns",
    "anonymity-release-left-out",
    "anonymity-release-histogram",
    "anonymity-release-size",
    "anonymity-release-transforms",
    "anonymity-release-sampled",
    "anonymity-release-again",
    "anonymity-release-done",
    "anonymity-verify-holds",
    "anonymity-verify-fails",
    "anonymity-verify-unchecked",
    "anonymity-risk-line",
];

#[derive(Template)]
#[template(path = "release.html")]
struct Page<'a> {
    report: &'a ReleaseReport,
    lang: Lang,
}

/// Sizes of a bar's classes, and its rows before and after.
struct Bar {
    label: String,
    before: u64,
    after: u64,
    width_before: f64,
    width_after: f64,
}

const BUCKETS: &[(u32, u32)] = &[(1, 1), (2, 2), (3, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, 999), (1000, u32::MAX)];

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

    fn summary(&self) -> String {
        let r = self.report;
        let names: Vec<&str> = r.columns.iter().map(|c| c.name.as_str()).collect();
        let separator = if self.lang == Lang::Ja { "、" } else { ", " };
        Message::new(if r.by_person { "anonymity-release-summary" } else { "anonymity-release-summary-rows" })
            .with("released", r.released)
            .with("rows", r.rows)
            .with("classes", r.classes)
            .with("others", r.smallest_class.saturating_sub(1))
            .with("suppressed", r.suppressed)
            .with("qi", names.join(separator))
            .text(self.lang)
    }

    fn proof(&self) -> String {
        let r = self.report;
        let code = match r.effort {
            Effort::Exact => return self.t("anonymity-release-exact"),
            Effort::Estimated => return self.t("anonymity-release-estimated"),
            Effort::Stopped => "anonymity-release-stopped",
            Effort::Heuristic => "anonymity-release-heuristic",
        };
        let number = |x: f64| format!("{x:.4}");
        Message::new(code).with("bound", number(r.score - r.gap)).with("score", number(r.score)).text(self.lang)
    }

    fn score(&self) -> String {
        format!("{:.6}", self.report.score)
    }

    /// The greatest and the mean chance of a prosecutor, in percent.
    fn chances(&self, sizes: &[SizeCount]) -> (String, String) {
        let rows: u64 = sizes.iter().map(|s| u64::from(s.size) * s.classes).sum();
        let classes: u64 = sizes.iter().map(|s| s.classes).sum();
        let smallest = sizes.iter().map(|s| s.size).min().unwrap_or(1);
        let percent = |x: f64| format!("{:.1} %", x * 100.0);
        (percent(1.0 / f64::from(smallest)), percent(classes as f64 / rows.max(1) as f64))
    }

    fn level(&self, column: &ColumnLevels) -> String {
        Message::new("anonymity-release-level-of").with("level", column.level).with("top", column.top).text(self.lang)
    }

    fn left_out(&self) -> String {
        Message::new("anonymity-release-left-out").with("columns", self.report.left_out.join(", ")).text(self.lang)
    }

    fn transforms(&self) -> String {
        let loss = |t: &crate::micro::Transformed| match t.sse_per_sst {
            Some(loss) => format!("{} (SSE/SST {loss})", t.written),
            _ => t.written.clone(),
        };
        self.report.transforms.iter().map(loss).collect::<Vec<_>>().join(", ")
    }

    fn sampled(&self, sampled: &super::Sampled) -> String {
        Message::new("anonymity-release-sampled").with("rows", sampled.rows).with("share", sampled.share).text(self.lang)
    }

    fn models(&self) -> String {
        self.report.models.join(", ")
    }

    fn bars(&self) -> Vec<Bar> {
        let rows = |sizes: &[SizeCount], (from, to): (u32, u32)| -> u64 {
            let inside = sizes.iter().filter(|s| s.size >= from && s.size <= to);
            inside.map(|s| u64::from(s.size) * s.classes).sum()
        };
        let share = |rows: u64| rows as f64 / self.report.rows.max(1) as f64 * 100.0;
        BUCKETS
            .iter()
            .map(|bucket| {
                let (before, after) = (rows(&self.report.before, *bucket), rows(&self.report.after, *bucket));
                let label = match *bucket {
                    (from, to) if from == to => from.to_string(),
                    (from, u32::MAX) => format!("{from}–"),
                    (from, to) => format!("{from}–{to}"),
                };
                Bar { label, before, after, width_before: share(before), width_after: share(after) }
            })
            .collect()
    }
}

/// The report as an HTML page in a language.
pub fn release_html(report: &ReleaseReport, lang: Lang) -> String {
    // Rendering to a String fails only where a value's Display does, and those are numbers and texts.
    Page { report, lang }.render().unwrap_or_default()
}
