use std::collections::BTreeMap;
use std::path::PathBuf;

use ::masters::{State, System, Validity};
use jiff::civil::Date;
use ledger::Mode;
use messages::{Lang, Message};
use pipeline::masters::Added;
use serde::Serialize;
use terms::ProviderId;

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

/// Lines of a file that are named.
const NAMED: usize = 5;
/// Codes of a table that nothing that is loaded has, which are shown.
const UNKNOWN: usize = 20;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Load files as their issuers hand them out: b_20240601.txt, y_ALL20240601.csv, MEDIS20240601.TXT, jlac10_20240601.csv, Athena's
    /// CONCEPT.csv with CONCEPT_RELATIONSHIP.csv, source_to_concept_map.csv. All of them or none.
    Load {
        #[command(flatten)]
        place: Where,
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Day of masters whose names have none.
        #[arg(long, value_name = "YYYY-MM-DD")]
        date: Option<Date>,
        /// Take the place of an edition of the same master and day.
        #[arg(long)]
        replace: bool,
    },
    /// Take away what was loaded by mistake. Data sets that were made stay as they are. An edition on which files with only what changed
    /// rest is taken away with --force alone.
    Remove {
        #[command(flatten)]
        place: Where,
        /// Which master, as `azekura masters list` names it; or vocabulary, or source-to-concept-map.
        #[arg(long)]
        kind: String,
        /// Day of the edition.
        #[arg(long, value_name = "YYYY-MM-DD")]
        date: Option<Date>,
        /// Although files with only what changed rest on it: they rest on the edition before it then.
        #[arg(long)]
        force: bool,
        /// Why: it stands in the journal.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// What is loaded.
    List {
        #[command(flatten)]
        place: Where,
    },
    /// What a code means on a day.
    Show {
        #[command(flatten)]
        place: Where,
        /// The code: of a master, ICD-10, or with its system before it (HOT9:103835401).
        code: String,
        /// The day; today when none is given.
        #[arg(long, value_name = "YYYY-MM-DD")]
        day: Option<Date>,
    },
    /// How far the codes of a provider's rows in the lake are known.
    Coverage {
        #[command(flatten)]
        place: Where,
        /// Whose rows.
        #[arg(long, value_name = "ID")]
        provider: ProviderId,
    },
}

pub fn run(command: Command, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::Load { place, files, date, replace } => {
            let added =
                access.with(&place, Mode::Writer, async |i| Ok(pipeline::masters::add(i, &files, date, replace).await?))?;
            let lines: Vec<Message> = added.iter().flat_map(said).collect();
            shown.result(&added, &lines);
            Ok(Outcome::Done)
        }
        Command::Remove { place, kind, date, force, reason } => {
            let kind = if kind == "source-to-concept-map" { "source to concept map".to_owned() } else { kind };
            let removed = access
                .with(&place, Mode::Writer, async |i| Ok(pipeline::masters::remove(i, &kind, date, force, &reason).await?))?;
            let mut lines = vec![Message::new("masters-removed").with("file", &removed.used.file_name)];
            lines.extend(
                removed
                    .resting
                    .iter()
                    .map(|r| Message::new("masters-resting").with("file", &r.used.file_name).with("count", r.unmatched)),
            );
            shown.result(&removed, &lines);
            Ok(Outcome::Done)
        }
        Command::List { place } => {
            let all = access.with(&place, Mode::Reader, async |i| Ok(pipeline::masters::list(i).await?))?;
            let line = |u: &pipeline::masters::Used| {
                let line = Message::new("masters-line").with("kind", &u.kind).with("date", u.date.as_deref().unwrap_or("–"));
                line.with("file", &u.file_name).with("rows", u.rows)
            };
            let mut lines: Vec<Message> = all.iter().map(line).collect();
            if all.is_empty() {
                lines.push(Message::new("masters-none"));
            }
            shown.result(&all, &lines);
            Ok(Outcome::Done)
        }
        Command::Show { place, code, day } => {
            let day = day.unwrap_or_else(pipeline::notices::today);
            let meanings = access.with(&place, Mode::Reader, async |i| {
                let loaded = pipeline::masters::load(i).await?;
                Ok(meanings(&loaded, &code, day))
            })?;
            let mut lines: Vec<Message> = meanings.iter().map(|m| m.message(shown.lang)).collect();
            if meanings.is_empty() {
                lines.push(Message::new("masters-unknown").with("code", &code));
            }
            shown.result(&meanings, &lines);
            Ok(if meanings.is_empty() { Outcome::FoundWrong } else { Outcome::Done })
        }
        Command::Coverage { place, provider } => {
            let all = access.with(&place, Mode::Writer, async |i| {
                let bar = shown.bar(0, Message::new("masters-coverage"));
                let all = pipeline::masters::coverage(i, &provider, &|rows| bar.set_position(rows)).await?;
                bar.finish_and_clear();
                Ok(all)
            })?;
            coverage(&all, shown);
            Ok(Outcome::Done)
        }
    }
}

/// What became of a file, in words.
fn said(added: &Added) -> Vec<Message> {
    let file = &added.used.file_name;
    if added.already {
        return vec![Message::new("masters-already").with("file", file)];
    }
    let line = Message::new("masters-added").with("file", file).with("kind", &added.used.kind);
    let mut lines = vec![line.with("date", added.used.date.as_deref().unwrap_or("–")).with("rows", added.used.rows)];
    if let Some([new, changed, gone]) = added.changes {
        let line = Message::new("masters-changes").with("new", new).with("changed", changed).with("gone", gone);
        lines.push(line.with("abolished", added.abolished));
    }
    if added.duplicates > 0 {
        lines.push(Message::new("masters-duplicates").with("count", added.duplicates));
    }
    if !added.bad_rows.is_empty() {
        lines.push(Message::new("masters-bad").with("count", added.bad_rows.len()));
        lines.extend(added.bad_rows.iter().take(NAMED).map(|amiss| amiss.message(file)));
    }
    if !added.doubts.is_empty() {
        lines.push(Message::new("masters-doubts").with("count", added.doubts.len()));
        lines.extend(added.doubts.iter().take(NAMED).map(|amiss| amiss.message(file)));
    }
    if !added.unmatched.is_empty() {
        let codes: Vec<&str> = added.unmatched.iter().take(NAMED).map(String::as_str).collect();
        lines.push(Message::new("masters-unmatched").with("count", added.unmatched.len()).with("codes", codes.join(", ")));
    }
    if let Some(replaced) = &added.replaced {
        lines.push(Message::new("masters-replaced").with("file", replaced));
    }
    if let Some((invalid, without, strange)) = &added.unused {
        if *invalid > 0 {
            lines.push(Message::new("masters-map-invalid").with("count", invalid));
        }
        if *without > 0 {
            lines.push(Message::new("masters-map-without").with("count", without));
        }
        if !strange.is_empty() {
            lines.push(Message::new("masters-map-strange").with("names", strange.join(", ")));
        }
    }
    if added.own_concepts > 0 {
        lines.push(Message::new("masters-own").with("count", added.own_concepts));
    }
    lines
}

/// What a code means in one table.
#[derive(Serialize)]
struct Meaning {
    system: &'static str,
    vocabulary: &'static str,
    code: String,
    name: Option<String>,
    icd10: Option<String>,
    /// All that are said. Rows get one where it is the only one said.
    standard: Vec<i32>,
    /// What is said as well, and is not loaded, not standard, or not valid.
    unusable: Vec<i32>,
    source_concept: Option<i32>,
    validity: Option<&'static str>,
}

impl Meaning {
    fn message(&self, lang: Lang) -> Message {
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
        let all = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
        let standard = match (&self.standard[..], &self.unusable[..]) {
            ([], []) => "–".to_owned(),
            ([one], []) => one.to_string(),
            (several, []) => Message::new("masters-several").with("ids", all(several)).text(lang),
            (usable, unusable) => {
                let usable = if usable.is_empty() { "–".to_owned() } else { all(usable) };
                Message::new("masters-unusable").with("ids", usable).with("unusable", all(unusable)).text(lang)
            }
        };
        let line =
            Message::new("masters-meaning").with("system", self.system).with("code", &self.code).with("name", or(&self.name));
        let source = self.source_concept.map_or_else(|| "–".to_owned(), |id| id.to_string());
        line.with("icd10", or(&self.icd10))
            .with("standard", standard)
            .with("source", source)
            .with("validity", self.validity.unwrap_or("–"))
    }
}

/// What a code means, by the columns in which it could stand: each meaning once.
fn meanings(loaded: &pipeline::masters::Loaded, code: &str, day: Date) -> Vec<Meaning> {
    let columns = [
        (omop::Table::ConditionOccurrence, "condition_source_value"),
        (omop::Table::DrugExposure, "drug_source_value"),
        (omop::Table::ProcedureOccurrence, "procedure_source_value"),
        (omop::Table::DeviceExposure, "device_source_value"),
        (omop::Table::Measurement, "measurement_source_value"),
    ];
    let mut all: BTreeMap<System, Meaning> = BTreeMap::new();
    for (table, column) in columns {
        let Some(found) = loaded.resolver.resolve(table, column, code, pipeline::quality::day_number(day)) else { continue };
        let vocabulary = found.system.vocabulary_id();
        let source_concept = found.source_concept_id.or_else(|| loaded.local.id(vocabulary, found.code));
        let said = !found.standard.is_empty() || !found.left_out.is_empty();
        let known = found.validity.is_some() || source_concept.is_some() || said;
        if !known {
            continue;
        }
        all.entry(found.system).or_insert_with(|| Meaning {
            system: found.system.name(),
            vocabulary,
            code: found.code.to_owned(),
            name: found.name.map(str::to_owned),
            icd10: found.icd10,
            standard: found.standard.iter().map(|(id, _)| *id).collect(),
            unusable: found.left_out.clone(),
            source_concept,
            validity: found.validity.map(word),
        });
    }
    all.into_values().collect()
}

fn word(validity: Validity) -> &'static str {
    match validity {
        Validity::InForce => "in force",
        Validity::NotYet => "not yet",
        Validity::NoLonger => "no longer",
        Validity::LaterEdition => "later edition",
    }
}

/// Of a table and a vocabulary: codes and rows, by how far they are known.
#[derive(Default, Serialize)]
struct Line {
    table: &'static str,
    vocabulary: &'static str,
    codes: u64,
    rows: u64,
    standard_codes: u64,
    standard_rows: u64,
    unclear_rows: u64,
    known_rows: u64,
    unknown_codes: u64,
    unknown_rows: u64,
    not_in_force_rows: u64,
}

fn coverage(all: &[::masters::Covered], shown: &Shown) {
    let mut lines: BTreeMap<(&str, &str), Line> = BTreeMap::new();
    for code in all {
        let (table, vocabulary) = (code.table.name(), code.vocabulary_id);
        let line = lines.entry((table, vocabulary)).or_insert_with(|| Line { table, vocabulary, ..Line::default() });
        line.codes += 1;
        line.rows += code.rows;
        line.not_in_force_rows += code.not_in_force;
        line.standard_rows += code.rows_in(State::Standard);
        line.unclear_rows += code.rows_in(State::Unclear);
        line.known_rows += code.rows_in(State::Known);
        line.unknown_rows += code.rows_in(State::Unknown);
        line.standard_codes += u64::from(code.rows_in(State::Standard) == code.rows);
        line.unknown_codes += u64::from(code.rows_in(State::Unknown) == code.rows);
    }
    let lines: Vec<Line> = lines.into_values().collect();
    let mut said: Vec<Message> = Vec::new();
    for line in &lines {
        let message = if line.vocabulary.is_empty() {
            Message::new("masters-coverage-own").with("table", line.table).with("codes", line.codes).with("rows", line.rows)
        } else {
            let percent = |n: u64| format!("{:.1}", 100.0 * n as f64 / line.rows.max(1) as f64);
            Message::new("masters-coverage-line")
                .with("table", line.table)
                .with("vocabulary", line.vocabulary)
                .with("codes", line.codes)
                .with("rows", line.rows)
                .with("standard", percent(line.standard_rows))
                .with("known", percent(line.standard_rows + line.unclear_rows + line.known_rows))
                .with("not_in_force", line.not_in_force_rows)
        };
        said.push(message);
    }
    // A code that has the form of its system names nobody; words and own codes are only counted.
    let mut unknown: Vec<&::masters::Covered> = all.iter().filter(|c| c.rows_in(State::Unknown) > 0).collect();
    unknown.sort_by(|a, b| (a.table, b.rows, &a.value).cmp(&(b.table, a.rows, &b.value)));
    let mut shown_of: BTreeMap<omop::Table, usize> = BTreeMap::new();
    unknown.retain(|code| {
        let count = shown_of.entry(code.table).or_default();
        *count += 1;
        *count <= UNKNOWN
    });
    for code in &unknown {
        let message = Message::new("masters-coverage-unknown").with("table", code.table.name()).with("code", &*code.value);
        said.push(message.with("rows", code.rows));
    }
    if lines.is_empty() {
        said.push(Message::new("masters-none"));
    }
    let unknown: Vec<(&str, &str, u64)> = unknown.iter().map(|c| (c.table.name(), &*c.value, c.rows)).collect();
    shown.result(&serde_json::json!({ "coverage": lines, "unknown": unknown }), &said);
}
