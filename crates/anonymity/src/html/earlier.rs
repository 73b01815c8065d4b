//! The part of the page that says what the recipient has already.

use messages::Message;

use super::{Page, grouped};
use crate::joint::Joint;
use crate::profile::Kind;
use crate::report::CumulativeReport;

impl Page<'_> {
    /// A number of people on a page that must not betray few of them.
    pub(super) fn masked(&self, persons: u64) -> String {
        let k = self.report.privacy.as_ref().map_or(0, |p| u64::from(p.k));
        if 0 < persons && persons < k { self.fewer(k) } else { grouped(&persons) }
    }

    pub(super) fn fewer(&self, k: u64) -> String {
        Message::new("anonymity-report-fewer").with("k", k).text(self.lang)
    }

    /// What the recipient has already, and what it tells beside this.
    pub(super) fn earlier(&self, told: &CumulativeReport) -> Vec<String> {
        let k = self.report.privacy.as_ref().map_or(0, |p| u64::from(p.k));
        let with = |code: &'static str, of: &Joint| {
            Message::new(code)
                .with("few", self.masked(of.few))
                .with("persons", grouped(&self.report.persons_after))
                .with("k", k)
                .with("smallest", self.masked(of.smallest.unwrap_or(0)))
                .with("most", format!("{:.1}", told.most * 100.0))
                .with("new", self.masked(of.few_new))
                .with("gone", self.masked(of.few_gone))
                .text(self.lang)
        };
        let mut lines = Vec::new();
        for one in &told.earlier {
            let persons = one.in_both.map_or_else(|| self.fewer(k), |n| grouped(&n));
            let line = Message::new("anonymity-report-earlier-line").with("id", &one.dataset).with("persons", persons);
            let more = [(one.seen, "anonymity-report-earlier-seen"), (!one.classes, "anonymity-report-earlier-unknown")];
            let more = more.into_iter().filter(|(told, _)| *told).map(|(_, code)| self.t(code));
            lines.push(std::iter::once(line.text(self.lang)).chain(more).collect::<Vec<_>>().join(" "));
        }
        if told.earlier.is_empty() {
            lines.push(self.t("anonymity-report-earlier-none"));
        }
        if matches!(self.report.kind, Kind::Pseudonymized) && !told.earlier.is_empty() {
            lines.push(self.t("anonymity-report-earlier-pseudonymized"));
        }
        if told.recipient.in_both > 0 {
            let few = if told.recipient.few > 0 { "anonymity-report-earlier-joint" } else { "anonymity-report-earlier-alike" };
            lines.push(with(few, &told.recipient));
            if told.recipient.few_new + told.recipient.few_gone > 0 {
                lines.push(with("anonymity-report-earlier-change", &told.recipient));
            }
        }
        lines.extend(told.anybody.iter().map(|all| with("anonymity-report-earlier-anybody", all)));
        lines
    }
}
