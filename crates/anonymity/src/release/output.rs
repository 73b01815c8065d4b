use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write;

use rand::CryptoRng;

use super::question::Spelled;
use super::report::{ColumnLevels, PopulationCounted, Reference, ReleaseReport, SizeCount, Used};
use super::{Prepared, Question};
use crate::micro::{Transformed, Transforms, apply};
use crate::models::Convex;
use crate::search::{Check, Effort, Evaluator, Found, Limits, Problem};
use crate::table::{Field, Groups, Hierarchy, Input, Key, Role, TableError};

/// A found release of a table.
#[derive(Debug)]
pub struct Release<'a> {
    input: &'a Input,
    question: &'a Question,
    found: Found,
    /// Generalised quasi-identifiers of classes that are suppressed.
    gone: HashSet<u128>,
    before: Vec<u32>,
    after: Vec<u32>,
    /// Persons of the population in each class, where they were counted.
    persons: Vec<u32>,
}

/// Turns what a search found into a release.
///
/// # Errors
/// Nothing that meets the models, not enough time, nobody left.
pub fn answer<'a>(
    input: &'a Input,
    question: &'a Question,
    prepared: &Prepared,
    (found, effort): (Option<Found>, Effort),
    limits: Limits,
) -> Result<Release<'a>, TableError> {
    let Some(found) = found else {
        if effort == Effort::Stopped
            && let Some(time) = limits.time
        {
            return Err(TableError::NotFoundInTime { seconds: time.as_secs_f64() });
        }
        let top = match prepared {
            Prepared::Narrow(p) => top(p),
            Prepared::Wide(p) => top(p),
        };
        if top.1.classes == 0 && top.1.suppressed <= top.0 {
            return Err(TableError::NobodyLeft { rows: input.rows });
        }
        if top.1.suppressed <= top.0
            && let Some(model) = question.models.about_everybody()
        {
            return Err(TableError::PresenceNotMet { model: model.to_owned() });
        }
        return Err(TableError::NotMet { least: top.1.suppressed, allowed: top.0, rows: input.rows });
    };
    if found.check.classes == 0 {
        return Err(TableError::NobodyLeft { rows: input.rows });
    }
    let (gone, before, after, persons) = match prepared {
        Prepared::Narrow(p) => classes(p, &found.node),
        Prepared::Wide(p) => classes(p, &found.node),
    };
    Ok(Release { input, question, found, gone, before, after, persons })
}

fn top<K: Key>(problem: &Problem<K>) -> (u64, Check) {
    let node = problem.lattice.top();
    (problem.allowed, Evaluator::new(problem).check_from(&problem.base, &vec![0; node.len()], &node))
}

/// Keys of the suppressed classes, class sizes of the input, class sizes of the release and their persons in the population.
fn classes<K: Key>(problem: &Problem<K>, node: &[u8]) -> (HashSet<u128>, Vec<u32>, Vec<u32>, Vec<u32>) {
    let mut evaluator = Evaluator::new(problem);
    let before: Groups<K> = evaluator.release(&vec![0; node.len()]).0;
    let (classes, out) = evaluator.release(node);
    let gone = classes.keys.iter().zip(&out).filter(|(_, out)| **out).map(|(k, _)| k.wide()).collect();
    // A class that only the population has is none of the release.
    let released = |at: &usize| !out[*at] && classes.counts[*at] > 0;
    let after = (0..classes.len()).filter(released).map(|at| classes.counts[at]).collect();
    let persons = (0..classes.population.len()).filter(released).map(|at| classes.population[at]).collect();
    (gone, before.counts, after, persons)
}

impl Release<'_> {
    /// The released rows by their values, with how many there are of each. Suppressed rows are not among them.
    fn rows(&self) -> BTreeMap<Vec<&str>, u64> {
        let columns = &self.input.columns;
        let mut rows: BTreeMap<Vec<&str>, u64> = BTreeMap::new();
        for (key, count) in self.input.keys.iter().zip(&self.input.counts) {
            let (mut quasi, mut class) = (0, 0u128);
            let row: Vec<&str> = columns
                .iter()
                .map(|column| {
                    let code = key.get(column.field);
                    let Some(hierarchy) = &column.hierarchy else { return column.values[code as usize].as_str() };
                    let level = &hierarchy.levels[self.found.levels[quasi] as usize];
                    quasi += 1;
                    let coarse = level.of_leaf[code as usize];
                    class = class.with(column.field, coarse);
                    level.values[coarse as usize].as_str()
                })
                .collect();
            if !self.gone.contains(&class) {
                *rows.entry(row).or_default() += u64::from(*count);
            }
        }
        rows
    }

    /// Writes the release as CSV with the input's separator: rows in the order of their values, so that their order says nothing
    /// of the input's. Suppressed rows are not in it.
    ///
    /// # Errors
    /// What writing says.
    pub fn write(&self, out: impl Write) -> std::io::Result<()> {
        let mut writer = self.writer(out)?;
        for (row, count) in self.rows() {
            for _ in 0..count {
                writer.write_record(&row)?;
            }
        }
        writer.flush()
    }

    fn writer<W: Write>(&self, out: W) -> std::io::Result<csv::Writer<W>> {
        let mut writer = csv::WriterBuilder::new().delimiter(self.input.separator).from_writer(out);
        writer.write_record(self.input.columns.iter().map(|c| c.name.as_bytes()))?;
        Ok(writer)
    }

    /// The released rows after their kept columns were transformed, in the order of their values, and what was done.
    ///
    /// # Errors
    /// As [`apply`].
    pub fn transformed<R: CryptoRng>(
        &self,
        transforms: &Transforms,
        rng: &mut R,
    ) -> Result<(Vec<Vec<String>>, Vec<Transformed>), TableError> {
        let header: Vec<&str> = self.input.columns.iter().map(|c| c.name.as_str()).collect();
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (row, count) in self.rows() {
            for _ in 0..count {
                rows.push(row.iter().map(|cell| (*cell).to_owned()).collect());
            }
        }
        let done = apply(&header, &mut rows, transforms, self.question.models.fewest(), rng)?;
        rows.sort_unstable();
        Ok((rows, done))
    }

    /// Writes rows as [`Release::write`] does.
    ///
    /// # Errors
    /// What writing says.
    pub fn write_rows(&self, rows: &[Vec<String>], out: impl Write) -> std::io::Result<()> {
        let mut writer = self.writer(out)?;
        for row in rows {
            writer.write_record(row)?;
        }
        writer.flush()
    }

    /// The codes of each quasi-identifier, in the order of the table, that are in the output.
    fn shown(&self) -> std::vec::IntoIter<BTreeSet<u32>> {
        let quasi: Vec<_> = self.input.columns.iter().filter_map(|c| c.hierarchy.as_ref().map(|h| (c.field, h))).collect();
        let mut shown = vec![BTreeSet::new(); quasi.len()];
        for key in &self.input.keys {
            let coarse = |((field, hierarchy), level): (&(Field, &Hierarchy), &u8)| {
                (*field, hierarchy.levels[*level as usize].of_leaf[key.get(*field) as usize])
            };
            let codes: Vec<_> = quasi.iter().zip(&self.found.levels).map(coarse).collect();
            if !self.gone.contains(&codes.iter().fold(0u128, |class, (field, code)| class.with(*field, *code))) {
                for (shown, (_, code)) in shown.iter_mut().zip(codes) {
                    shown.insert(code);
                }
            }
        }
        shown.into_iter()
    }

    /// What the verifier needs of the whole table to recompute the models that compare with it; none where no model does.
    pub fn reference(&self) -> Option<Reference> {
        let models = &self.question.models;
        let compares = |m: &Convex| {
            matches!(
                m,
                Convex::Closeness { .. }
                    | Convex::DeltaDisclosure { .. }
                    | Convex::BasicLikeness { .. }
                    | Convex::EnhancedLikeness { .. }
            )
        };
        let column = self.input.columns.iter().find(|c| c.role == Role::Sensitive)?;
        if !models.convex.iter().any(compares) {
            return None;
        }
        let values = Spelled::of(&column.values);
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (key, count) in self.input.keys.iter().zip(&self.input.counts) {
            let value = values.of_code[key.get(column.field) as usize] as usize;
            *counts.entry(values.plain[value].clone()).or_default() += u64::from(*count);
        }
        let mut above = BTreeMap::new();
        if let (true, Some(hierarchy)) = (models.needs_tree(), &self.question.sensitive_hierarchy) {
            for (value, written) in values.plain.iter().zip(&values.written) {
                if let Some(leaf) = written.iter().find_map(|w| hierarchy.leaf(w.as_bytes())) {
                    above.insert(value.clone(), hierarchy.path(leaf).split_off(1));
                }
            }
        }
        Some(Reference { format: "azekura-reference/1".to_owned(), name: column.name.clone(), counts, above })
    }

    /// The report.
    pub fn report(&self, used: Used) -> ReleaseReport {
        let (found, input) = (&self.found, self.input);
        let quasi = input.columns.iter().filter_map(|c| c.hierarchy.as_ref());
        let sensitive = input.columns.iter().find(|c| c.role == Role::Sensitive).map(|c| c.name.clone());
        let mut shown = self.shown();
        ReleaseReport {
            format: "azekura-release/1".to_owned(),
            score: found.check.score,
            levels: found.levels.clone(),
            suppressed: found.check.suppressed,
            classes: found.check.classes,
            nodes_checked: found.checked,
            optimal: found.effort == Effort::Exact,
            gap: (found.check.score - found.bound).max(0.0),
            search_cpu_seconds: used.search_cpu.as_secs_f64(),
            wall_seconds: used.wall.as_secs_f64(),
            peak_rss_bytes: used.peak_rss,
            effort: found.effort,
            rows: input.rows,
            released: input.rows - found.check.suppressed,
            smallest_class: self.after.iter().copied().min().map_or(0, u64::from),
            models: self.question.models.written.clone(),
            metric: self.question.metric,
            suppression: self.question.suppression,
            population: self.question.persons(),
            population_table: self.question.population_table.as_ref().filter(|_| !self.persons.is_empty()).map(|table| {
                let smallest_class = self.persons.iter().copied().min().map_or(0, u64::from);
                PopulationCounted { rows: table.rows, by_person: table.by_person, smallest_class }
            }),
            columns: quasi
                .zip(&found.levels)
                .map(|(hierarchy, level)| {
                    let at = &hierarchy.levels[*level as usize];
                    ColumnLevels {
                        name: hierarchy.column.clone(),
                        level: *level,
                        top: (hierarchy.levels.len() - 1) as u8,
                        hierarchy_rows: hierarchy.rows() as u32,
                        // Values of suppressed rows alone would tell of them.
                        leaves: shown
                            .next()
                            .unwrap_or_default()
                            .into_iter()
                            .map(|code| (at.values[code as usize].clone(), at.leaves[code as usize]))
                            .collect(),
                        empty_is_category: hierarchy.empty_is_own(),
                    }
                })
                .collect(),
            sensitive,
            by_person: input.by_person,
            kept: input.columns.iter().filter(|c| c.role == Role::Kept).map(|c| c.name.clone()).collect(),
            left_out: input.left_out.clone(),
            transforms: Vec::new(),
            sampled: None,
            before: sizes(&self.before),
            after: sizes(&self.after),
            separator: char::from(input.separator),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

fn sizes(counts: &[u32]) -> Vec<SizeCount> {
    let mut by: BTreeMap<u32, u64> = BTreeMap::new();
    for count in counts.iter().filter(|c| **c > 0) {
        *by.entry(*count).or_default() += 1;
    }
    by.into_iter().map(|(size, classes)| SizeCount { size, classes }).collect()
}
