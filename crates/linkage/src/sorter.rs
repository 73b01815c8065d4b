//! Items that memory may not hold all: in the order in which they came ([`Tape`]), or sorted ([`Sorter`]). What fits stays in memory; the
//! rest waits in a [`Spill`], in sorted runs that are merged when they are read.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::LinkageError;
use crate::spill::{CHUNK, Spill};

/// What can wait on disk.
pub(crate) trait Item: Sized {
    /// Its bytes.
    fn put(&self, out: &mut Vec<u8>);
    /// From its bytes, which it takes off the front.
    fn take(rest: &mut &[u8]) -> Option<Self>;
    /// Bytes that it holds in memory beside its own size.
    fn beside(&self) -> usize {
        0
    }
}

/// Takes so many bytes off the front.
pub(crate) fn bytes<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    Some(taken)
}

pub(crate) fn four(rest: &mut &[u8]) -> Option<u32> {
    bytes(rest, 4)?.try_into().ok().map(u32::from_le_bytes)
}

pub(crate) fn eight(rest: &mut &[u8]) -> Option<u64> {
    bytes(rest, 8)?.try_into().ok().map(u64::from_le_bytes)
}

/// Items in the order in which they were added, written once and read as often as need be.
pub(crate) struct Tape<T> {
    spill: Arc<Spill>,
    /// Number of each chunk, and how many items there are up to its end.
    chunks: Vec<(usize, u64)>,
    len: u64,
    open: Zeroizing<Vec<u8>>,
    items: PhantomData<fn() -> T>,
}

impl<T: Item> Tape<T> {
    pub fn new(directory: &Path) -> Result<Self, LinkageError> {
        Ok(Self::on(Arc::new(Spill::new(directory)?)))
    }

    fn on(spill: Arc<Spill>) -> Self {
        Self { spill, chunks: Vec::new(), len: 0, open: Zeroizing::default(), items: PhantomData }
    }

    pub fn push(&mut self, item: &T) -> Result<(), LinkageError> {
        item.put(&mut self.open);
        self.len += 1;
        if self.open.len() >= CHUNK { self.close() } else { Ok(()) }
    }

    /// Seals what is not sealed yet; to be called before reading.
    pub fn close(&mut self) -> Result<(), LinkageError> {
        if !self.open.is_empty() {
            self.chunks.push((self.spill.append(&self.open)?, self.len));
            self.open.clear();
        }
        Ok(())
    }

    /// Closed for good: it holds no memory to write with.
    fn ended(mut self) -> Result<Self, LinkageError> {
        self.close()?;
        self.open = Zeroizing::default();
        Ok(self)
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// The items from the one with this number on.
    pub fn from(&self, start: u64) -> Reader<T> {
        let at = self.chunks.partition_point(|(_, end)| *end <= start);
        let first = if at == 0 { 0 } else { self.chunks[at - 1].1 };
        let chunks: Vec<usize> = self.chunks[at..].iter().map(|(chunk, _)| *chunk).collect();
        Reader {
            spill: Arc::clone(&self.spill),
            chunks: chunks.into_iter(),
            plain: Zeroizing::default(),
            at: 0,
            skip: start - first,
            items: PhantomData,
        }
    }

    /// All items.
    pub fn iter(&self) -> Reader<T> {
        self.from(0)
    }

    #[cfg(test)]
    pub fn spill(&self) -> &Spill {
        &self.spill
    }
}

/// Reads a tape.
pub(crate) struct Reader<T> {
    spill: Arc<Spill>,
    chunks: std::vec::IntoIter<usize>,
    plain: Zeroizing<Vec<u8>>,
    at: usize,
    skip: u64,
    items: PhantomData<fn() -> T>,
}

impl<T: Item> Reader<T> {
    fn step(&mut self) -> Result<Option<T>, LinkageError> {
        loop {
            while self.at >= self.plain.len() {
                let Some(chunk) = self.chunks.next() else { return Ok(None) };
                (self.plain, self.at) = (self.spill.open(chunk)?, 0);
            }
            let mut rest = &self.plain[self.at..];
            let item = T::take(&mut rest).ok_or(LinkageError::SpillChanged)?;
            self.at = self.plain.len() - rest.len();
            if self.skip == 0 {
                return Ok(Some(item));
            }
            self.skip -= 1;
        }
    }
}

impl<T: Item> Iterator for Reader<T> {
    type Item = Result<T, LinkageError>;
    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// Collects items and gives them back sorted.
pub(crate) struct Sorter<T> {
    directory: PathBuf,
    /// Bytes that may be held.
    most: usize,
    held: Vec<T>,
    weight: usize,
    spill: Option<Arc<Spill>>,
    runs: Vec<Tape<T>>,
}

/// Runs that are merged at a time, at least.
const FEWEST_RUNS: usize = 8;

impl<T: Item + Ord> Sorter<T> {
    /// An empty one that holds `most` bytes and spills the rest to the disk of `directory`.
    pub fn new(directory: &Path, most: usize) -> Self {
        Self { directory: directory.to_owned(), most, held: Vec::new(), weight: 0, spill: None, runs: Vec::new() }
    }

    pub fn push(&mut self, item: T) -> Result<(), LinkageError> {
        if self.held.capacity() == 0 {
            // the room that may be filled is asked for at once: growing would need it twice
            self.held.reserve_exact(self.most / size_of::<T>() + 1);
        }
        self.weight += size_of::<T>() + item.beside();
        self.held.push(item);
        if self.weight >= self.most { self.flush() } else { Ok(()) }
    }

    /// What is held becomes a run.
    fn flush(&mut self) -> Result<(), LinkageError> {
        if self.held.is_empty() {
            return Ok(());
        }
        self.held.sort_unstable();
        let mut run = self.run()?;
        for item in self.held.drain(..) {
            run.push(&item)?;
        }
        self.runs.push(run.ended()?);
        self.weight = 0;
        Ok(())
    }

    fn run(&mut self) -> Result<Tape<T>, LinkageError> {
        let spill = match &self.spill {
            Some(spill) => Arc::clone(spill),
            None => Arc::clone(self.spill.insert(Arc::new(Spill::new(&self.directory)?))),
        };
        Ok(Tape::on(spill))
    }

    /// All items, sorted; equal ones all.
    pub fn sorted(self) -> Result<Merged<T>, LinkageError> {
        merged(vec![self])
    }
}

/// The items of several sorters together, sorted.
pub(crate) fn merged<T: Item + Ord>(mut sorters: Vec<Sorter<T>>) -> Result<Merged<T>, LinkageError> {
    if let [alone] = &mut sorters[..]
        && alone.runs.is_empty()
    {
        alone.held.sort_unstable();
        let held = std::mem::take(&mut alone.held).into_iter();
        return Ok(Merged { held, readers: Vec::new(), heap: BinaryHeap::new() });
    }
    let mut runs = Vec::new();
    let mut least = usize::MAX;
    for sorter in &mut sorters {
        sorter.flush()?;
        sorter.held = Vec::new();
        least = least.min(sorter.most);
        runs.append(&mut sorter.runs);
    }
    // each run that is read holds a chunk, opened and sealed
    let width = (least / (2 * CHUNK)).max(FEWEST_RUNS);
    while runs.len() > width {
        let rest = runs.split_off(width);
        let mut longer = Tape::on(Arc::clone(&runs[0].spill));
        for item in merge(&runs)? {
            longer.push(&item?)?;
        }
        runs = rest;
        runs.push(longer.ended()?);
    }
    merge(&runs)
}

fn merge<T: Item + Ord>(runs: &[Tape<T>]) -> Result<Merged<T>, LinkageError> {
    let mut readers: Vec<Reader<T>> = runs.iter().map(Tape::iter).collect();
    let mut heap = BinaryHeap::with_capacity(readers.len());
    for (at, reader) in readers.iter_mut().enumerate() {
        if let Some(item) = reader.step()? {
            heap.push(Reverse((item, at)));
        }
    }
    Ok(Merged { held: Vec::new().into_iter(), readers, heap })
}

/// Sorted items, one after the other.
pub(crate) struct Merged<T> {
    held: std::vec::IntoIter<T>,
    readers: Vec<Reader<T>>,
    heap: BinaryHeap<Reverse<(T, usize)>>,
}

impl<T: Item + Ord> Merged<T> {
    fn step(&mut self) -> Result<Option<T>, LinkageError> {
        let Some(mut top) = self.heap.peek_mut() else { return Ok(self.held.next()) };
        let at = top.0.1;
        let item = match self.readers[at].step()? {
            // the next of the same run takes its place
            Some(next) => std::mem::replace(&mut *top, Reverse((next, at))).0.0,
            None => std::collections::binary_heap::PeekMut::pop(top).0.0,
        };
        Ok(Some(item))
    }
}

impl<T: Item + Ord> Iterator for Merged<T> {
    type Item = Result<T, LinkageError>;
    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

impl Item for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        eight(rest)
    }
}

impl<A: Item, B: Item> Item for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        Some((A::take(rest)?, B::take(rest)?))
    }
    fn beside(&self) -> usize {
        self.0.beside() + self.1.beside()
    }
}

impl Item for u32 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        four(rest)
    }
}

impl Item for Box<[u8]> {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.len() as u32).to_le_bytes());
        out.extend_from_slice(self);
    }
    fn take(rest: &mut &[u8]) -> Option<Self> {
        let len = four(rest)? as usize;
        Some(bytes(rest, len)?.into())
    }
    fn beside(&self) -> usize {
        // what the allocator takes for a small text
        self.len().next_multiple_of(16) + 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<T>(items: impl Iterator<Item = Result<T, LinkageError>>) -> Vec<T> {
        items.map(|i| i.expect("as written")).collect()
    }

    #[test]
    fn items_come_back_sorted_whatever_fits_into_memory_and_however_many_sorters_they_came_from() {
        let folder = tempfile::tempdir().expect("a folder");
        bolero::check!().with_type::<(Vec<u64>, u16, u8)>().for_each(|(some, most, sorters)| {
            let mut values = some.clone();
            values.extend((0..3_000).map(|at| crate::hash::mix(at, 3) % 700));
            let mut many: Vec<Sorter<(u64, Box<[u8]>)>> =
                (0..1 + sorters % 4).map(|_| Sorter::new(folder.path(), usize::from(*most))).collect();
            let item = |v: &u64| (*v, vec![7; *v as usize % 30].into_boxed_slice());
            let count = many.len();
            for (at, value) in values.iter().enumerate() {
                many[at % count].push(item(value)).expect("room");
            }
            values.sort_unstable();
            let naive: Vec<_> = values.iter().map(item).collect();
            assert_eq!(all(merged(many).expect("room")), naive);
        });
    }

    #[test]
    fn a_tape_is_read_from_any_of_its_items_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut tape: Tape<u64> = Tape::new(folder.path()).expect("a file");
        for n in 0..50_000 {
            tape.push(&(n * 3)).expect("room");
        }
        tape.close().expect("room");
        for start in [0, 1, 8_191, 8_192, 8_193, 49_999, 50_000] {
            assert_eq!(all(tape.from(start)), (start..50_000).map(|n| n * 3).collect::<Vec<_>>(), "{start}");
        }
        tape.spill().sabotage(200_000);
        let read: Result<Vec<u64>, LinkageError> = tape.iter().collect();
        assert!(matches!(read, Err(LinkageError::SpillChanged)));
    }

    #[test]
    fn a_sorter_whose_file_was_changed_gives_an_error_and_loses_nothing_in_silence() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sorter: Sorter<u64> = Sorter::new(folder.path(), 1_000);
        for n in 0..10_000 {
            sorter.push(n).expect("room");
        }
        sorter.runs[3].spill().sabotage(5_000);
        let read: Result<Vec<u64>, LinkageError> = sorter.sorted().and_then(Iterator::collect);
        assert!(matches!(read, Err(LinkageError::SpillChanged)));
    }
}
