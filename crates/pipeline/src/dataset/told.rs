//! The page of a list: what officers read before they sign, and the less that goes with the list.

use messages::{Lang, Message};
use serde::Serialize;
use terms::{DatasetId, ReleaseKind};

use super::bridge::ClassCoverage;

/// What the page of a list says.
#[derive(Serialize)]
pub(super) struct Told<'a> {
    pub(super) kind: ReleaseKind,
    pub(super) dataset: DatasetId,
    pub(super) recipient: &'a str,
    pub(super) purpose: &'a str,
    pub(super) persons: u64,
    /// Persons of the data set, or of the query.
    pub(super) of: u64,
    pub(super) opted_out: u64,
    pub(super) relinked: u64,
    pub(super) unanswered: u64,
    pub(super) shared: u64,
    pub(super) coverage: &'a [ClassCoverage],
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Told<'_> {
    /// As a page in a language. In the one that leaves with keys, whoever holds the data set must not read why somebody has none: of the one
    /// row without a key it would say that its person said no.
    pub(super) fn page(&self, lang: Lang, leaves: bool) -> String {
        use std::fmt::Write as _;
        let t = |code: &'static str| escape(&Message::new(code).text(lang));
        let keys = self.kind == ReleaseKind::LinkageKeys;
        let title = t(if keys { "core-keys-page-keys" } else { "core-keys-page-query" });
        let mut page = String::new();
        // Writing to a String does not fail.
        let _ = write!(
            page,
            "<!doctype html><html lang={lang}><meta charset=utf-8><title>{title}</title>\
             <style>body{{font:1rem/1.6 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}\
             table{{border-collapse:collapse;margin:1rem 0}}th,td{{border-bottom:1px solid #ccc;padding:.25rem .75rem;text-align:left}}\
             td{{font-variant-numeric:tabular-nums}}td.n,th.n{{text-align:right}}</style><h1>{title}</h1>"
        );
        let note = t(if keys { "core-keys-page-keys-note" } else { "core-keys-page-query-note" });
        let _ = write!(page, "<p>{note}</p><table>");
        let mut line = |code: &'static str, value: String| {
            let _ = write!(page, "<tr><th scope=row>{}</th><td>{value}</td></tr>", t(code));
        };
        line("core-keys-page-dataset", self.dataset.to_string());
        line("core-keys-page-recipient", escape(self.recipient));
        line("core-keys-page-purpose", escape(self.purpose));
        line("core-keys-page-persons", format!("{} / {}", self.persons, self.of));
        if keys && leaves {
            line("core-keys-page-without", (self.of - self.persons).to_string());
        } else {
            line("core-keys-page-opted-out", self.opted_out.to_string());
            line("core-keys-page-relinked", self.relinked.to_string());
        }
        if keys && !leaves {
            line("core-keys-page-unanswered", self.unanswered.to_string());
        }
        if keys {
            line("core-keys-page-shared", self.shared.to_string());
        }
        page.push_str("</table>");
        if !self.coverage.is_empty() {
            let heads = ["persons", "asked", "branch", "name", "check-digit"].map(|h| match h {
                "persons" => t("core-keys-column-persons"),
                "asked" => t("core-keys-column-asked"),
                "branch" => t("core-keys-column-branch"),
                "name" => t("core-keys-column-name"),
                _ => t("core-keys-column-check-digit"),
            });
            let _ =
                write!(page, "<h2>{}</h2><table><tr><th scope=col>{}</th>", t("core-keys-coverage"), t("core-keys-column-class"));
            for head in heads {
                let _ = write!(page, "<th class=n scope=col>{head}</th>");
            }
            page.push_str("</tr>");
            for c in self.coverage {
                let _ = write!(page, "<tr><th scope=row>{}</th>", t(c.class.code()));
                for n in [c.of.persons, c.of.asked, c.of.with_branch, c.of.with_name, c.of.wrong_check_digit] {
                    let _ = write!(page, "<td class=n>{n}</td>");
                }
                page.push_str("</tr>");
            }
            page.push_str("</table>");
        }
        page.push_str("</html>\n");
        page
    }
}
