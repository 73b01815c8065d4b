//! The report of a run: counts, the model, what it expects of itself. No value of any person, and no record id.

use std::collections::BTreeMap;
use std::path::Path;

use messages::Message;
use serde::Serialize;

use crate::blocks::PassReport;
use crate::drift::{Drift, Past};
use crate::engine::{Decision, Outcome, Stage};
use crate::forms::Forms;
use crate::model::Model;
use crate::options::Options;
use crate::row::{NO_DAY, Row, flag};
use crate::stand_in::Unlinkable;
use crate::supervision::Supervision;
use crate::usage;

/// What a run did, safe to show.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name and version of the model's form.
    pub rule: &'static str,
    /// 1 for the first run in a folder, then 2, 3, …
    pub run: u32,
    /// Records that were looked at.
    pub records: u64,
    /// Persons they are.
    pub persons: u64,
    /// Candidate pairs that were compared.
    pub candidates: u64,
    /// Pairs by what became of them.
    pub decisions: BTreeMap<&'static str, u64>,
    /// Records that name nobody, by reason.
    pub unlinked: BTreeMap<&'static str, u64>,
    /// Persons by their number of records (the last key counts that many and more).
    pub person_sizes: BTreeMap<u64, u64>,
    /// Persons with more than 30 records: worth a look.
    pub oversized: u64,
    /// Threshold of joining and lower end of the review band.
    pub thresholds: [f64; 2],
    /// What the model expects of all pairs at or above the threshold: precision, and recall among candidate pairs. It is what the model
    /// believes, not a measurement.
    pub expected_precision: f64,
    /// See `expected_precision`.
    pub expected_recall: f64,
    /// Candidate pairs by percent of probability, 0 to 100.
    pub histogram: Vec<u64>,
    /// The passes of blocking.
    pub passes: Vec<PassReport>,
    /// Telephones, homes and cards that are no evidence because too many persons carry them.
    pub shared_contacts: [u64; 3],
    /// Rows that stood in the table a second time, the same in every field.
    pub repeated_rows: u64,
    /// Facts about records that are not there.
    pub facts_without_record: u64,
    /// Ids of records to withdraw that are no record's.
    pub removals_without_record: u64,
    /// Records of the table that were withdrawn in an earlier run and therefore left out.
    pub withdrawn_left_out: u64,
    /// Records that were withdrawn in an earlier run and are back, as was asked for.
    pub withdrawn_back: u64,
    /// Facts to withdraw that nobody had stated.
    pub withdrawals_without_fact: u64,
    /// Where a run asks for another number of clerks than the one before: pairs on which something else holds for that reason.
    pub words_changed: Option<u64>,
    /// Insurer numbers whose check digit does not fit.
    pub wrong_check_digits: u64,
    /// Rows whose birth date is missing or cannot be one.
    pub without_birth_date: u64,
    /// Filled fields by column (first runs only).
    pub filled: BTreeMap<&'static str, u64>,
    /// Share of missing birth dates, telephones, homes, cards and written names by institution.
    pub institutions: BTreeMap<String, [f64; 5]>,
    /// Share of an institution's records that have birth date and sex wrong, as the model believes; of those with a hundred pairs at least.
    pub errors: BTreeMap<String, [f64; 2]>,
    /// Records by institution.
    pub institution_records: BTreeMap<String, u64>,
    /// What changed since the run before in the folder.
    pub drift: Option<Drift>,
    /// Pairs that clerks decided and that entered the learning of the model.
    pub supervision: Supervision,
    /// Rounds of learning.
    pub rounds: u32,
    /// The model: numbers only.
    model: Model,
    /// Stages with their seconds.
    pub stages: Vec<Stage>,
    /// All stages.
    pub wall_seconds: f64,
    /// All stages, all threads.
    pub cpu_seconds: f64,
    /// Peak memory of the process.
    pub peak_memory_bytes: u64,
    /// The bound on memory that was asked for, in bytes.
    pub memory_bound: Option<u64>,
    /// The step in which the process took more than that.
    pub memory_passed: Option<&'static str>,
    /// Threads.
    pub threads: usize,
}

/// Largest person size that is counted by itself.
const SIZES: u64 = 31;

/// What is counted over rows, pairs and persons, one after the other.
#[derive(Default)]
pub(crate) struct Counted {
    records: u64,
    unlinked: BTreeMap<&'static str, u64>,
    institutions: BTreeMap<u32, [u64; 6]>,
    wrong_check_digits: u64,
    decisions: BTreeMap<&'static str, u64>,
    /// Pairs that were joined at or above the threshold, and their probabilities added up.
    above: u64,
    sure: f64,
    sizes: BTreeMap<u64, u64>,
}

impl Counted {
    pub fn row(&mut self, row: &Row) {
        self.records += 1;
        if let Some(reason) = Unlinkable::from_flags(row.flags) {
            *self.unlinked.entry(reason.code()).or_insert(0) += 1;
        }
        let counts = self.institutions.entry(row.institution).or_default();
        let missing = [row.birth == NO_DAY, row.phone == 0, !row.has_home(), !row.has_card(), row.fk == 0 && row.gk == 0];
        for (count, missing) in counts.iter_mut().zip(missing) {
            *count += u64::from(missing);
        }
        counts[5] += 1;
        self.wrong_check_digits += u64::from(row.flags & flag::WRONG_CHECK_DIGIT != 0);
    }

    /// A judged pair; pairs have to come in their order.
    pub fn pair(&mut self, decision: Decision, probability: f32, options: &Options) {
        *self.decisions.entry(decision.code()).or_insert(0) += 1;
        if f64::from(probability) >= options.threshold() && decision == Decision::Link {
            self.above += 1;
            self.sure += f64::from(probability);
        }
    }

    /// Persons of so many records.
    pub fn persons(&mut self, records: u64, persons: u64) {
        if persons > 0 {
            *self.sizes.entry(records.min(SIZES)).or_insert(0) += persons;
        }
    }
}

/// What a report says of all pairs together.
pub(crate) struct Pairs {
    pub model: Model,
    pub passes: Vec<PassReport>,
    pub supervision: Supervision,
    pub candidates: u64,
    pub histogram: Vec<u64>,
    pub shared: [u64; 3],
    pub expected_pairs: f64,
}

pub(crate) fn make(rows: &[Row], forms: &Forms, outcome: &Outcome, persons: &[u64], options: &Options) -> Report {
    let mut counted = Counted::default();
    let mut sorted = persons.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).for_each(|person| counted.persons(person.len() as u64, 1));
    outcome.judged.iter().for_each(|j| counted.pair(j.decision, j.probability, options));
    rows.iter().for_each(|row| counted.row(row));
    let pairs = Pairs {
        model: outcome.trained.model.clone(),
        passes: outcome.passes.clone(),
        supervision: outcome.supervision,
        candidates: outcome.candidates,
        histogram: outcome.histogram.clone(),
        shared: outcome.shared,
        expected_pairs: outcome.expected_pairs,
    };
    of(counted, pairs, forms, options)
}

/// The report of what was counted.
pub(crate) fn of(counted: Counted, pairs: Pairs, forms: &Forms, options: &Options) -> Report {
    let Counted { records, unlinked, institutions, wrong_check_digits, decisions, above, sure, sizes } = counted;
    let without_birth_date = institutions.values().map(|c| c[0]).sum();
    let share = |c: [u64; 6]| [0, 1, 2, 3, 4].map(|at| (c[at] as f64 / c[5].max(1) as f64 * 1e4).round() / 1e4);
    Report {
        errors: pairs.model.rates.shares(),
        rule: crate::RULE,
        run: 1,
        records,
        persons: sizes.values().sum(),
        candidates: pairs.candidates,
        decisions,
        unlinked,
        oversized: sizes.get(&SIZES).copied().unwrap_or(0),
        person_sizes: sizes,
        thresholds: [options.threshold(), options.review()],
        expected_precision: if above > 0 { sure / above as f64 } else { 1.0 },
        expected_recall: if pairs.expected_pairs > 0.0 { (sure / pairs.expected_pairs).min(1.0) } else { 1.0 },
        histogram: pairs.histogram,
        passes: pairs.passes,
        shared_contacts: pairs.shared,
        repeated_rows: 0,
        facts_without_record: 0,
        removals_without_record: 0,
        withdrawals_without_fact: 0,
        withdrawn_left_out: 0,
        withdrawn_back: 0,
        words_changed: None,
        wrong_check_digits,
        without_birth_date,
        filled: BTreeMap::new(),
        institution_records: institutions.iter().map(|(form, c)| (forms.text(*form), c[5])).collect(),
        drift: None,
        supervision: pairs.supervision,
        institutions: institutions.into_iter().map(|(form, c)| (forms.text(form), share(c))).collect(),
        rounds: pairs.model.rounds,
        model: pairs.model,
        stages: Vec::new(),
        wall_seconds: 0.0,
        cpu_seconds: 0.0,
        peak_memory_bytes: 0,
        memory_bound: None,
        memory_passed: None,
        threads: options.threads,
    }
}

impl Report {
    /// Says what moved since the run before, whose report stands in the folder.
    pub(crate) fn hold_against(&mut self, folder: &Path) {
        let before = std::fs::read_to_string(folder.join("report.json")).ok().and_then(|text| Past::read(&text));
        let now = Past {
            run: self.run,
            records: self.records,
            linked: self.records - self.person_sizes.get(&1).copied().unwrap_or(0),
            histogram: self.histogram.clone(),
            person_sizes: self.person_sizes.clone(),
            institutions: self.institutions.clone(),
            institution_records: self.institution_records.clone(),
            model: Some(self.model.clone()),
        };
        self.drift = before.filter(|b| b.run < self.run).map(|before| Drift::between(&before, &now));
    }

    pub(crate) fn finish(&mut self, stages: Vec<Stage>) {
        self.wall_seconds = stages.iter().map(|s| s.wall_seconds).sum();
        self.cpu_seconds = stages.iter().map(|s| s.cpu_seconds).sum();
        self.stages = stages;
        self.peak_memory_bytes = usage::peak_bytes();
    }

    /// What to say where the process took more memory than the bound that was asked for.
    pub fn memory_message(&self) -> Option<Message> {
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        let (step, bound) = self.memory_passed.zip(self.memory_bound)?;
        let message = Message::new("linkage-memory-passed").with("step", step).with("bound", mebibytes(bound));
        Some(message.with("peak", mebibytes(self.peak_memory_bytes)))
    }

    /// As JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
