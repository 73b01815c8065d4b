//! What stands in a data set: tables as Parquet and CSV, data dictionary, profile, and the statement of what kind of
//! information it is.

use std::io::Write;

use anonymity::{Processed, Profile, Report};
use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::Int32Type;
use messages::{Lang, Message};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use terms::{DatasetId, ReleaseKind};

use super::order::Order;
use crate::error::Error;

/// Who writes tables, as their files say.
pub(super) const CREATED_BY: &str = "azekura";

fn parquet(batch: &RecordBatch) -> Result<Vec<u8>, Error> {
    let trouble = |e: parquet::errors::ParquetError| Error::Inconsistent(format!("a table cannot be written: {e}"));
    let level = ZstdLevel::try_new(3).map_err(trouble)?;
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(level)).set_created_by(CREATED_BY.to_owned()).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).map_err(trouble)?;
    writer.write(batch).map_err(trouble)?;
    writer.close().map_err(trouble)?;
    Ok(bytes)
}

fn csv(batch: &RecordBatch) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    arrow::csv::WriterBuilder::new().with_header(true).build(&mut bytes).write(batch)?;
    if batch.num_rows() == 0 {
        let names: Vec<String> = batch.schema().fields().iter().map(|f| f.name().clone()).collect();
        bytes = format!("{}\n", names.join(",")).into_bytes();
    }
    Ok(bytes)
}

/// The statement of the kind, in both languages.
pub(super) fn statement(id: DatasetId, kind: ReleaseKind, order: &Order) -> String {
    said(id, kind, order.recipient(), order.purpose())
}

fn said(id: DatasetId, kind: ReleaseKind, recipient: &str, purpose: &str) -> String {
    let code = match kind {
        ReleaseKind::Pseudonymized => "core-statement-pseudonymized",
        ReleaseKind::LinkableAnonymized => "core-statement-linkable",
        ReleaseKind::LinkageQuery => "core-statement-linkage-query",
        ReleaseKind::LinkageKeys => "core-statement-linkage-keys",
        ReleaseKind::Anonymized | ReleaseKind::NonIdentifying => "core-statement-anonymized",
    };
    let message = Message::new(code).with("id", id).with("recipient", recipient).with("purpose", purpose);
    format!("{}\n\n{}\n", message.text(Lang::Ja), message.text(Lang::En))
}

/// Writes a list that goes with a linkable data set as one tar.
///
/// # Errors
/// When the writer refuses.
pub(super) fn write_list(to: &mut dyn Write, statement: &str, order: &str, table: &str, csv: &[u8]) -> Result<(), Error> {
    let mut tar = tar::Builder::new(to);
    member(&mut tar, "STATEMENT.txt", statement.as_bytes())?;
    member(&mut tar, "order.toml", order.as_bytes())?;
    member(&mut tar, &format!("csv/{table}.csv"), csv)?;
    tar.into_inner().map_err(Error::io("writing the data set"))?.flush().map_err(Error::io("writing the data set"))
}

/// Writes bytes as a member of a tar.
fn member<W: Write>(tar: &mut tar::Builder<W>, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o444);
    tar.append_data(&mut header, name, bytes).map_err(Error::io("writing the data set"))
}

/// By what the tables were made, beside the profile.
pub(super) struct MadeBy<'a> {
    /// Masters and vocabularies that concepts were filled from.
    pub(super) loaded: &'a crate::masters::Loaded,
    /// Which of several sources counted.
    pub(super) history: &'a crate::assemble::Precedence,
}

/// Writes a data set as one tar.
///
/// # Errors
/// When a table cannot be encoded or the writer refuses.
pub(super) fn write(
    to: &mut dyn Write,
    (id, kind): (DatasetId, ReleaseKind),
    (profile, profile_text): (&Profile, &str),
    processed: &Processed,
    by: &MadeBy<'_>,
) -> Result<(), Error> {
    let loaded = by.loaded;
    let mut tar = tar::Builder::new(to);
    let mut add = |name: String, bytes: &[u8]| member(&mut tar, &name, bytes);
    let application = &profile.application;
    add("STATEMENT.txt".to_owned(), said(id, kind, &application.recipient, &application.purpose).as_bytes())?;
    add("profile.toml".to_owned(), profile_text.as_bytes())?;
    for (lang, name) in [(Lang::Ja, "dictionary.ja.csv"), (Lang::En, "dictionary.en.csv")] {
        let mut text = anonymity::dictionary::dictionary(profile, processed.tables(), lang);
        text.push_str(&counting(by.history, &|table| processed.tables().contains_key(table), lang));
        add(name.to_owned(), text.as_bytes())?;
    }
    add("NOTES.txt".to_owned(), notes().as_bytes())?;
    if !loaded.used.is_empty() {
        add("masters.csv".to_owned(), &masters(loaded)?)?;
        add("own_concepts.csv".to_owned(), &own_concepts(loaded, processed)?)?;
    }
    for (name, batch) in processed.tables() {
        add(format!("parquet/{name}.parquet"), &parquet(batch)?)?;
        add(format!("csv/{name}.csv"), &csv(batch)?)?;
    }
    tar.into_inner().map_err(Error::io("writing the data set"))?.flush().map_err(Error::io("writing the data set"))
}

/// Lines of the dictionary about whole tables: which of several sources counted.
fn counting(history: &crate::assemble::Precedence, has: &dyn Fn(&str) -> bool, lang: Lang) -> String {
    use crate::assemble::Precedence;
    let orders = [
        ("visit_occurrence", "core-dictionary-visits", Precedence::words(&history.visits)),
        ("drug_exposure", "core-dictionary-drugs", Precedence::words(&history.drugs)),
        ("death", "core-dictionary-deaths", Precedence::words(&history.deaths)),
    ];
    let there = orders.into_iter().filter(|(table, ..)| has(table));
    there
        .map(|(table, code, order)| {
            let text = messages::Message::new(code).with("order", order).text(lang).replace('"', "\"\"");
            format!("{table},*,,,,\"{text}\"\n")
        })
        .collect()
}

/// The masters and vocabularies that concepts were filled from; not the names of their files, which the operator may have given.
fn masters(loaded: &crate::masters::Loaded) -> Result<Vec<u8>, Error> {
    let mut out = ::csv::Writer::from_writer(Vec::new());
    let trouble = |e: ::csv::Error| Error::Inconsistent(e.to_string());
    out.write_record(["kind", "date", "sha256"]).map_err(trouble)?;
    for used in &loaded.used {
        let date = used.date.as_deref().unwrap_or_default();
        out.write_record([used.kind.as_str(), date, &used.sha256]).map_err(trouble)?;
    }
    out.into_inner().map_err(|e| Error::Inconsistent(e.to_string()))
}

/// The codes of the concepts of our own that rows of the data set have, and of no other.
fn own_concepts(loaded: &crate::masters::Loaded, processed: &Processed) -> Result<Vec<u8>, Error> {
    let mut ids = std::collections::BTreeSet::new();
    for batch in processed.tables().values() {
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let concepts = column.as_primitive_opt::<Int32Type>().filter(|_| field.name().ends_with("_concept_id"));
            ids.extend(concepts.into_iter().flat_map(|c| c.iter().flatten()));
        }
    }
    let mut out = ::csv::Writer::from_writer(Vec::new());
    let trouble = |e: ::csv::Error| Error::Inconsistent(e.to_string());
    out.write_record(["concept_id", "vocabulary_id", "concept_code"]).map_err(trouble)?;
    for id in ids {
        if let Some((vocabulary, code)) = loaded.local.code(id) {
            out.write_record([&id.to_string(), vocabulary, code]).map_err(trouble)?;
        }
    }
    out.into_inner().map_err(|e| Error::Inconsistent(e.to_string()))
}

/// How the rows came about, for whoever analyses them.
fn notes() -> String {
    let message = Message::new("core-dataset-notes");
    format!("{}\n\n{}\n", message.text(Lang::Ja), message.text(Lang::En))
}

/// The report as it is kept: both pages and the numbers behind them, so that officers sign one thing.
#[derive(Serialize, Deserialize)]
struct Pages<R> {
    ja: String,
    en: String,
    /// The pages that go with the data set, where they say less: Japanese, English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaving: Option<[String; 2]>,
    report: R,
}

/// Writes the report of a build.
///
/// # Errors
/// When it cannot be encoded.
pub(super) fn write_report(to: &mut dyn Write, report: &Report) -> Result<(), Error> {
    let pages = |report: &Report| [Lang::Ja, Lang::En].map(|lang| anonymity::report_html(report, lang));
    // What others have is not the recipient's to know.
    let others = report.cumulative.as_ref().is_some_and(|c| c.anybody.is_some());
    let leaving = others.then(|| {
        let mut less = report.clone();
        less.cumulative.iter_mut().for_each(|c| c.anybody = None);
        pages(&less)
    });
    write_pages(to, pages(report), leaving, report)
}

/// Writes both pages of a report (Japanese, English) and what they were made of; `leaving` stands for them where the report leaves.
///
/// # Errors
/// When it cannot be encoded.
pub(super) fn write_pages(
    to: &mut dyn Write,
    pages: [String; 2],
    leaving: Option<[String; 2]>,
    report: &impl Serialize,
) -> Result<(), Error> {
    let [ja, en] = pages;
    serde_json::to_writer(to, &Pages { ja, en, leaving, report })
        .map_err(|e| Error::Inconsistent(format!("the report cannot be written: {e}")))
}

/// The page of a kept report in a language, with a name for its file; the one that leaves, or the one that officers read.
///
/// # Errors
/// When it is no report.
pub(super) fn report_page(bytes: &[u8], lang: Lang, leaves: bool) -> Result<(String, Vec<u8>), Error> {
    let pages: Pages<serde::de::IgnoredAny> =
        serde_json::from_slice(bytes).map_err(|_| Error::Inconsistent("a report is malformed".to_owned()))?;
    let [ja, en] = pages.leaving.filter(|_| leaves).unwrap_or([pages.ja, pages.en]);
    let page = match lang {
        Lang::Ja => ja,
        Lang::En => en,
    };
    Ok((format!("report.{lang}.html"), page.into_bytes()))
}

/// The numbers of a kept report, as they leave with a data set of tables; none of a list, whose numbers say why somebody is not on it. What it
/// tells beside earlier data sets stands on the pages alone, where small numbers are masked.
pub(super) fn report_numbers(bytes: &[u8]) -> Option<Vec<u8>> {
    let pages: Pages<Report> = serde_json::from_slice(bytes).ok()?;
    let mut report = pages.report;
    report.cumulative = None;
    Some(report.to_json().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_says_which_source_counted() {
        let history: crate::assemble::Precedence =
            toml::from_str("drugs = [\"claims\", \"chart\", \"fhir\", \"dpc\"]").expect("an order");
        let lines = counting(&history, &|table| table != "death", Lang::En);
        assert!(lines.contains("drug_exposure,*,,,,\"") && lines.contains(": claims, chart, fhir, dpc."), "{lines}");
        assert!(lines.contains(": fhir, form1, acts, claims, checkups.") && !lines.contains("death,"), "{lines}");
        assert!(counting(&history, &|_| true, Lang::Ja).contains("stated, discharges, claims"));
    }
}
