use std::collections::BTreeMap;

use terms::ProviderId;

use crate::LakeTable;
use crate::snapshot::LakeFile;
use crate::visibility::Visibility;

/// How files are put together.
#[derive(Debug, Clone)]
pub struct Compaction {
    /// Also puts large files together and takes stale rows out of them; without it only small files are joined, until
    /// too many large ones lie over each other.
    pub everything: bool,
    /// Below this many bytes a file is small.
    pub small: u64,
    /// At this many bytes the next file begins.
    pub target: u64,
    /// Memory for reading the files of one merge, in bytes; as many merges run at a time as there are threads.
    pub memory: u64,
}

impl Default for Compaction {
    fn default() -> Self {
        Self { everything: false, small: 64 << 20, target: 160 << 20, memory: 192 << 20 }
    }
}

/// So many files may lie over each other before they are put together: what a read of one record opens at most.
const DEPTH: usize = 6;

/// Files of one table and provider to be put together.
pub(crate) struct Job {
    pub(crate) table: LakeTable,
    pub(crate) provider: Option<ProviderId>,
    pub(crate) files: Vec<LakeFile>,
}

/// Memory that reading a file takes: a batch of rows, a page and a dictionary of each column.
fn memory(file: &LakeFile) -> u64 {
    (file.size * 8).clamp(512 << 10, 8 << 20)
}

/// Sequences of files that do not overlap, which a merge reads one after the other.
fn chains(mut files: Vec<LakeFile>) -> Vec<Vec<LakeFile>> {
    files.sort_by_key(|f| (f.min_record, f.asset));
    let mut chains: Vec<Vec<LakeFile>> = Vec::new();
    for file in files {
        match chains.iter_mut().find(|c| c.last().is_some_and(|last| last.max_record < file.min_record)) {
            Some(chain) => chain.push(file),
            None => chains.push(vec![file]),
        }
    }
    chains
}

/// What is to be done; nothing when the files are in order.
pub(crate) fn plan(files: impl Iterator<Item = LakeFile>, rule: &Visibility, how: &Compaction) -> Vec<Job> {
    let mut groups: BTreeMap<(LakeTable, Option<ProviderId>), Vec<LakeFile>> = BTreeMap::new();
    for file in files.filter(|f| f.table != LakeTable::RecordPerson) {
        groups.entry((file.table, file.provider.clone())).or_default().push(file);
    }
    let mut jobs = Vec::new();
    for ((table, provider), files) in groups {
        let mut chosen = choose(files, rule, how);
        // As much at a time as the memory allows, the smallest first: what is large already is rewritten least.
        chosen.sort_by_key(|chain| chain.iter().map(|f| f.size).sum::<u64>());
        let mut left = how.memory;
        let mut taken = 0;
        for chain in &chosen {
            let needed = chain.iter().map(memory).max().unwrap_or(0);
            if taken >= 2 && needed > left {
                break;
            }
            left = left.saturating_sub(needed);
            taken += 1;
        }
        chosen.truncate(taken);
        let mut files: Vec<LakeFile> = chosen.into_iter().flatten().collect();
        files.sort_by_key(|f| (f.min_record, f.asset));
        if !files.is_empty() {
            jobs.push(Job { table, provider, files });
        }
    }
    jobs
}

fn choose(files: Vec<LakeFile>, rule: &Visibility, how: &Compaction) -> Vec<Vec<LakeFile>> {
    // A file that a merge closed as full must not be small, or the work would never end.
    let limit = how.small.min(how.target / 2);
    let small = |f: &LakeFile| f.size < limit;
    let stale = |f: &LakeFile| rule.touches_stale(f.min_record, f.max_record, f.commit_seq);
    let several_small = files.iter().filter(|f| small(f)).count() > 1;
    let depth = chains(files.clone()).len();
    if how.everything {
        let untidy = depth > 1 || several_small || files.iter().any(stale);
        return if untidy { chains(files) } else { Vec::new() };
    }
    if depth > DEPTH && !several_small {
        return chains(files);
    }
    if several_small {
        return chains(files.into_iter().filter(small).collect());
    }
    Vec::new()
}
