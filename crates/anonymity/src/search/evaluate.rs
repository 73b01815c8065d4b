use super::Problem;
use crate::metrics::{Gone, Released};
use crate::models::{Class, Judge, enforce};
use crate::table::{Field, Grouper, Groups, Key, Remap};

/// What is known of a node after its classes were looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Check {
    /// Records suppressed.
    pub suppressed: u64,
    /// Records that are suppressed at least at every node below and here.
    pub floor: u64,
    /// Classes released.
    pub classes: u64,
    /// Score, or infinity where more is suppressed than allowed.
    pub score: f64,
    /// What is added to the bound of every node below, or infinity where none of them is allowed.
    pub penalty: f64,
}

impl Check {
    /// Whether the node may be released.
    pub fn is_valid(&self) -> bool {
        self.score < f64::INFINITY
    }
}

/// Looks at nodes. Each thread has its own.
#[derive(Debug)]
pub struct Evaluator<'p, K> {
    problem: &'p Problem<K>,
    judge: Judge<'p>,
    grouper: Grouper,
    scratch: Groups<K>,
    classes: Groups<K>,
    gone: Vec<Gone>,
    cells: Cells,
}

/// Sensitive values by class.
#[derive(Debug, Default)]
struct Cells {
    class: Vec<u32>,
    starts: Vec<u32>,
    codes: Vec<u32>,
    counts: Vec<u32>,
}

impl<'p, K: Key> Evaluator<'p, K> {
    /// For a problem.
    pub fn new(problem: &'p Problem<K>) -> Self {
        Self {
            problem,
            judge: Judge::new(&problem.models, problem.sensitive.as_ref()),
            grouper: Grouper::default(),
            scratch: Groups::new(),
            classes: Groups::new(),
            gone: Vec::new(),
            cells: Cells::default(),
        }
    }

    /// Makes the groups of a node from those of a finer one.
    pub fn coarsen(&mut self, source: &Groups<K>, from: &[u8], to: &[u8], out: &mut Groups<K>) {
        let changed = from.iter().zip(to).zip(&self.problem.attributes).filter(|((f, t), _)| f != t);
        let remaps: Vec<Remap<'_>> = changed.map(|((f, t), a)| a.remap(*f, *t)).collect();
        self.grouper.regroup(source, &remaps, self.problem.most_groups(to), out);
    }

    /// Groups rows after some fields became coarser, whatever they are.
    pub(super) fn regroup(&mut self, source: &Groups<K>, remaps: &[Remap<'_>], out: &mut Groups<K>) {
        self.grouper.regroup(source, remaps, u64::MAX, out);
    }

    /// Looks at a node through the groups of a finer one.
    pub fn check_from(&mut self, source: &Groups<K>, from: &[u8], node: &[u8]) -> Check {
        let mut scratch = std::mem::take(&mut self.scratch);
        self.coarsen(source, from, node, &mut scratch);
        let check = self.check(&scratch, node);
        self.scratch = scratch;
        check
    }

    /// What the metric is at a node when nothing is suppressed (for metrics without numbers a column).
    pub fn unsuppressed(&mut self, groups: &Groups<K>, node: &[u8]) -> f64 {
        let problem = self.problem;
        match problem.sensitive_field {
            None => problem.costs.unsuppressed(node, &problem.attributes, groups),
            Some(field) => {
                let remap = Remap { field, codes: None };
                self.grouper.regroup(groups, &[remap], u64::MAX, &mut self.classes);
                problem.costs.unsuppressed(node, &problem.attributes, &self.classes)
            }
        }
    }

    /// Looks at a node whose groups are at hand.
    pub fn check(&mut self, groups: &Groups<K>, node: &[u8]) -> Check {
        let problem = self.problem;
        if let Some(k) = problem.models.only_k()
            && groups.population.is_empty()
            && problem.sensitive_field.is_none()
        {
            let k = u32::try_from(k).unwrap_or(u32::MAX);
            let (mut suppressed, mut failing) = (0u64, 0usize);
            for count in &groups.counts {
                let fails = *count < k;
                suppressed += if fails { u64::from(*count) } else { 0 };
                failing += usize::from(fails);
            }
            let classes = (groups.len() - failing) as u64;
            if suppressed > problem.allowed {
                return Check { suppressed, floor: suppressed, classes, score: f64::INFINITY, penalty: f64::INFINITY };
            }
            self.gone.clear();
            self.gone.reserve(failing);
            for (index, count) in groups.counts.iter().enumerate() {
                if *count < k {
                    self.gone.push(Gone { index: index as u32, below: *count });
                }
            }
            return self.finish(groups, node, suppressed, suppressed, classes);
        }
        match problem.sensitive_field {
            None => self.judge_classes(groups, node, None),
            Some(field) => {
                let mut classes = std::mem::take(&mut self.classes);
                self.split(groups, field, &mut classes);
                let check = self.judge_classes(&classes, node, Some(field));
                self.classes = classes;
                check
            }
        }
    }

    /// Sorts cells (class and sensitive value) by class.
    fn split(&mut self, groups: &Groups<K>, field: Field, classes: &mut Groups<K>) {
        let cells = &mut self.cells;
        self.grouper.regroup_into(groups, &[Remap { field, codes: None }], u64::MAX, classes, &mut cells.class);
        cells.starts.clear();
        cells.starts.resize(classes.len() + 1, 0);
        for (class, count) in cells.class.iter().zip(&groups.counts) {
            // Cells of the population table alone are no sensitive values of the release.
            cells.starts[*class as usize + 1] += u32::from(*count > 0);
        }
        for at in 1..cells.starts.len() {
            cells.starts[at] += cells.starts[at - 1];
        }
        cells.codes.resize(groups.len(), 0);
        cells.counts.resize(groups.len(), 0);
        let mut next = std::mem::take(&mut cells.class);
        let mut free = cells.starts.clone();
        for ((class, key), count) in next.iter().zip(&groups.keys).zip(&groups.counts) {
            if *count > 0 {
                let at = free[*class as usize] as usize;
                free[*class as usize] += 1;
                cells.codes[at] = key.get(field);
                cells.counts[at] = *count;
            }
        }
        next.clear();
        cells.class = next;
    }

    fn judge_classes(&mut self, classes: &Groups<K>, node: &[u8], field: Option<Field>) -> Check {
        let problem = self.problem;
        self.gone.clear();
        let (mut suppressed, mut floor, mut released) = (0u64, 0u64, 0u64);
        for (index, size) in classes.counts.iter().enumerate() {
            if *size == 0 {
                continue;
            }
            let (codes, counts): (&[u32], &[u32]) = if field.is_some() {
                let part = self.cells.starts[index] as usize..self.cells.starts[index + 1] as usize;
                (&self.cells.codes[part.clone()], &self.cells.counts[part])
            } else {
                (&[], &[])
            };
            let population = classes.population.get(index).copied().map_or(0, u64::from);
            let verdict = self.judge.verdict(&Class { size: u64::from(*size), population, codes, counts });
            if verdict.holds {
                released += 1;
            } else {
                suppressed += u64::from(*size);
                floor += verdict.below;
                self.gone.push(Gone { index: index as u32, below: verdict.below as u32 });
            }
        }
        if floor > problem.allowed {
            return Check { suppressed, floor, classes: released, score: f64::INFINITY, penalty: f64::INFINITY };
        }
        if !problem.models.whole.is_empty() {
            let mut out = vec![false; classes.len()];
            for gone in &self.gone {
                out[gone.index as usize] = true;
            }
            let mut order: Vec<u32> =
                (0..classes.len() as u32).filter(|i| !out[*i as usize] && classes.counts[*i as usize] > 0).collect();
            order.sort_by_key(|i| classes.counts[*i as usize]);
            let kept = enforce(&problem.models, &order, &classes.counts, problem.population);
            self.gone.extend(order[..kept.classes].iter().map(|index| Gone { index: *index, below: 0 }));
            self.gone.sort_unstable_by_key(|g| g.index);
            suppressed += kept.records;
            released -= kept.classes as u64;
            if problem.models.whole_bounds() {
                floor = suppressed;
            }
        }
        // The lower bound of δ-presence is broken by a class of the population of which nobody is released.
        let nobody = problem.models.about_everybody().is_some()
            && (!self.gone.is_empty()
                || classes.counts.iter().zip(&classes.population).any(|(f, persons)| *f == 0 && *persons > 0));
        let check = self.finish(classes, node, suppressed, floor, released);
        Check { score: if nobody { f64::INFINITY } else { check.score }, ..check }
    }

    fn finish(&mut self, classes: &Groups<K>, node: &[u8], suppressed: u64, floor: u64, released: u64) -> Check {
        let problem = self.problem;
        if floor > problem.allowed {
            return Check { suppressed, floor, classes: released, score: f64::INFINITY, penalty: f64::INFINITY };
        }
        let what = Released { classes: released, suppressed };
        let (score, penalty) = problem.costs.score(node, &problem.attributes, classes, &self.gone, what);
        // Where nobody is left there is no release, whatever its loss.
        let score = if suppressed > problem.allowed || released == 0 { f64::INFINITY } else { score };
        Check { suppressed, floor, classes: released, score, penalty }
    }

    /// The classes of a node with, for each, whether it is suppressed. For writing the release.
    pub fn release(&mut self, node: &[u8]) -> (Groups<K>, Vec<bool>) {
        let problem = self.problem;
        let bottom = vec![0; node.len()];
        let mut groups = Groups::new();
        self.coarsen(&problem.base, &bottom, node, &mut groups);
        self.check(&groups, node);
        let classes = match problem.sensitive_field {
            None => groups,
            Some(field) => {
                let mut classes = Groups::new();
                self.grouper.regroup(&groups, &[Remap { field, codes: None }], u64::MAX, &mut classes);
                classes
            }
        };
        let mut out = vec![false; classes.len()];
        for gone in &self.gone {
            out[gone.index as usize] = true;
        }
        (classes, out)
    }
}
