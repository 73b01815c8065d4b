//! The report as a page, Japanese beside English.

use std::fmt::Write;

use messages::{Lang, Message};

use crate::drift::Drift;
use crate::report::Report;

fn both(code: &'static str) -> String {
    said(&Message::new(code))
}

fn said(message: &Message) -> String {
    let text = |lang| escape(&message.text(lang));
    format!("<span lang=ja>{}</span> <span lang=en>{}</span>", text(Lang::Ja), text(Lang::En))
}

/// What moved since the run before, a sentence each.
fn drift(drift: &Drift) -> String {
    let percent = |share: f64| format!("{:.2}", share * 100.0);
    let number = |n: f64| format!("{n:.2}");
    let mut sentences = Vec::new();
    if drift.records_gone() {
        let [before, now] = drift.records.map(grouped);
        sentences.push(Message::new("linkage-drift-records").with("before", before).with("now", now));
    }
    if drift.linked_moved {
        let [before, now] = drift.linked.map(percent);
        sentences.push(Message::new("linkage-drift-linked").with("before", before).with("now", now));
    }
    for (code, shape) in [("linkage-drift-histogram", drift.histogram), ("linkage-drift-sizes", drift.person_sizes)] {
        if shape.moved {
            let message = Message::new(code).with("chi_square", format!("{:.0}", shape.chi_square));
            sentences.push(message.with("freedom", shape.freedom).with("largest", percent(shape.largest)));
        }
    }
    for m in &drift.weights {
        let message = Message::new("linkage-drift-weight").with("of", &m.of).with("before", number(m.before));
        sentences.push(message.with("now", number(m.now)).with("z", number(m.z)));
    }
    for m in &drift.institutions {
        let message = Message::new("linkage-drift-institution").with("of", &m.of).with("before", percent(m.before));
        sentences.push(message.with("now", percent(m.now)).with("z", number(m.z)));
    }
    if drift.new_institutions + drift.gone_institutions > 0 {
        let message = Message::new("linkage-drift-institutions").with("new", drift.new_institutions);
        sentences.push(message.with("gone", drift.gone_institutions));
    }
    if sentences.is_empty() {
        sentences.push(Message::new("linkage-drift-nothing"));
    }
    let mut out = format!("<h2>{}</h2><ul>", said(&Message::new("linkage-drift-title").with("run", drift.run)));
    for sentence in &sentences {
        let _ = write!(out, "<li>{}</li>", said(sentence));
    }
    let _ = write!(out, "</ul><p>{}</p>", both("linkage-drift-test"));
    out
}

fn decision(code: &str) -> &'static str {
    match code {
        "must" => "linkage-decision-must",
        "cannot" => "linkage-decision-cannot",
        "link" => "linkage-decision-link",
        "cut" => "linkage-decision-cut",
        _ => "linkage-decision-review",
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A table under its heading; neither where there are no rows.
fn rows(out: &mut String, title: &'static str, rows: impl IntoIterator<Item = (String, String)>) {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = write!(out, "<h2>{}</h2><table>", both(title));
    for (name, value) in rows {
        let _ = write!(out, "<tr><th scope=row>{name}</th><td>{value}</td></tr>");
    }
    out.push_str("</table>");
}

/// Bars of candidate pairs by probability, on a logarithmic scale.
fn histogram(counts: &[u64]) -> String {
    let top = counts.iter().copied().max().unwrap_or(1).max(2) as f64;
    let mut out = String::from("<svg viewBox='0 0 404 90' role=img aria-hidden=true>");
    for (at, count) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
        let height = ((*count as f64 + 1.0).ln() / (top + 1.0).ln() * 80.0).max(1.0);
        let _ = write!(out, "<rect x='{}' y='{:.1}' width='3' height='{height:.1}'/>", at * 4, 84.0 - height);
    }
    out.push_str("<line x1='0' y1='85' x2='404' y2='85' stroke='currentColor'/></svg>");
    out
}

impl Report {
    /// As a page.
    pub fn html(&self) -> String {
        let mut out = String::from(
            "<!doctype html><html lang=ja><meta charset=utf-8><meta name=viewport content='width=device-width'><title>名寄せ Record linkage</title>\
             <style>body{font:16px/1.6 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1c}table{border-collapse:collapse}\
             th,td{border-bottom:1px solid #ccc;padding:.25rem .75rem;text-align:left;vertical-align:top}td{text-align:right;font-variant-numeric:tabular-nums}\
             span[lang=en]{color:#555}svg{width:100%;max-width:808px}svg rect{fill:#0017c1}</style>",
        );
        let _ = write!(out, "<h1>{}</h1><p>{}</p>", both("linkage-report-title"), both("linkage-report-note"));
        let line = |code: &'static str, value: String| (both(code), value);
        let percent = |p: f64| format!("{:.2} %", p * 100.0);
        rows(
            &mut out,
            "linkage-report-overview",
            [
                line("linkage-report-rule", format!("{} · {}", escape(self.rule), self.run)),
                line("linkage-report-records", grouped(self.records)),
                line("linkage-report-persons", grouped(self.persons)),
                line("linkage-report-candidates", grouped(self.candidates)),
                line("linkage-report-thresholds", format!("{} / {}", self.thresholds[0], self.thresholds[1])),
                line("linkage-report-precision", percent(self.expected_precision)),
                line("linkage-report-recall", percent(self.expected_recall)),
                line("linkage-report-oversized", grouped(self.oversized)),
                line("linkage-report-no-birth", grouped(self.without_birth_date)),
                line("linkage-report-repeated", grouped(self.repeated_rows)),
                line("linkage-report-unknown-removals", grouped(self.removals_without_record)),
                line("linkage-report-withdrawn-again", [self.withdrawn_left_out, self.withdrawn_back].map(grouped).join(" / ")),
                line("linkage-report-unknown-facts", grouped(self.facts_without_record + self.withdrawals_without_fact)),
                line("linkage-report-check-digits", grouped(self.wrong_check_digits)),
                line("linkage-report-shared", self.shared_contacts.map(grouped).join(" / ")),
                line("linkage-report-supervision", [self.supervision.same, self.supervision.different].map(grouped).join(" / ")),
            ],
        );
        if let Some(moved) = &self.drift {
            out.push_str(&drift(moved));
        }
        let decisions = self.decisions.iter().map(|(code, n)| line(decision(code), grouped(*n)));
        rows(&mut out, "linkage-report-decisions", decisions);
        rows(&mut out, "linkage-report-unlinked", self.unlinked.iter().map(|(code, n)| line(code, grouped(*n))));
        let _ = write!(out, "<h2>{}</h2>{}", both("linkage-report-histogram"), histogram(&self.histogram));
        let tens = |at: usize| self.histogram.iter().skip(at * 10).take(if at == 9 { 11 } else { 10 }).sum::<u64>();
        rows(
            &mut out,
            "linkage-report-by-probability",
            (0..10).map(|at| (format!("{}–{} %", at * 10, at * 10 + 10), grouped(tens(at)))),
        );
        rows(&mut out, "linkage-report-sizes", self.person_sizes.iter().map(|(size, n)| (size.to_string(), grouped(*n))));
        let passes = self.passes.iter().map(|p| {
            let value = [p.blocks, p.estimated_pairs, p.pairs, p.capped_blocks, p.left_out_pairs].map(grouped).join(" / ");
            (escape(&p.key), value)
        });
        rows(&mut out, "linkage-report-passes", passes);
        let institutions = self.institutions.iter().map(|(name, shares)| (escape(name), shares.map(percent).join(" / ")));
        rows(&mut out, "linkage-report-institutions", institutions);
        let errors = self.errors.iter().map(|(name, shares)| (escape(name), shares.map(percent).join(" / ")));
        rows(&mut out, "linkage-report-errors", errors);
        let seconds = |s: f64| format!("{s:.2} s");
        let stages =
            self.stages.iter().map(|s| (escape(s.name), format!("{} / {}", seconds(s.wall_seconds), seconds(s.cpu_seconds))));
        let all = (both("linkage-report-total"), format!("{} / {}", seconds(self.wall_seconds), seconds(self.cpu_seconds)));
        let memory = (both("linkage-report-memory"), format!("{:.0} MiB", self.peak_memory_bytes as f64 / 1_048_576.0));
        rows(&mut out, "linkage-report-stages", stages.chain([all, memory]));
        if let Some(message) = self.memory_message() {
            let _ = write!(out, "<p>{}</p>", said(&message));
        }
        out.push_str("</html>\n");
        out
    }
}

fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
