//! What is counted over all rows: contacts that too many carry, names and birth dates over persons, how strangers agree.

use super::{Room, good};
use crate::engine::{self, CONTACTS, StrangePairs};
use crate::error::LinkageError;
use crate::forms::{Form, Forms};
use crate::frequencies::{self, Counting, Counts, Frequencies};
use crate::hash::FastSet;
use crate::lexicon::Cuts;
use crate::model::Strangers;
use crate::options::Options;
use crate::parts_levels::PartLevels;
use crate::report;
use crate::row::{NO_DAY, Row};
use crate::sorter::{Sorter, Tape};

/// Rows with all their marks, and what was counted over them.
pub(super) struct Marked {
    pub rows: Tape<Row>,
    pub counts: Counts,
    pub frequencies: Frequencies,
    pub strangers: Strangers,
    /// What pairs of strangers in parts show.
    pub in_parts: Vec<PartLevels>,
    /// The institution of each row.
    pub institutions: Vec<Form>,
    pub shared: [u64; 3],
    pub counted: report::Counted,
}

/// `rows` as they were read; their names are cut here.
pub(super) fn count(rows: Tape<Row>, cuts: &Cuts, forms: &Forms, options: &Options, room: &Room) -> Result<Marked, LinkageError> {
    let buffers = room.buffers()?;
    // contacts by value, kind and birth date; one row for each person
    let mut contacts: Sorter<(u64, (u32, u32))> = room.sorter(buffers / 4);
    let mut persons: Sorter<(u64, Row)> = room.sorter(buffers / 2);
    for row in rows.iter() {
        let mut row = row?;
        cuts.cut(&mut row);
        if row.linkable() && row.birth != NO_DAY {
            for (kind, (_, key)) in (0u32..).zip(&CONTACTS) {
                let key = key(&row);
                if key != 0 {
                    contacts.push((key, (kind, row.birth as u32)))?;
                }
            }
        }
        if let Some(person) = frequencies::person(&row) {
            persons.push((person, row))?;
        }
    }
    let crowds = crowds(contacts, options)?;

    let mut counting = Counting::new(forms);
    let mut names: Sorter<(u64, u32)> = room.sorter(buffers / 4);
    let mut one_of_each: Tape<Row> = Tape::new(&room.directory)?;
    let mut last = None;
    for person in persons.sorted()? {
        let (key, row) = person?;
        if last.replace(key) == Some(key) {
            continue;
        }
        counting.add(&row, forms);
        for (name, birth) in frequencies::whole_names(&row) {
            names.push((name, birth as u32))?;
        }
        one_of_each.push(&row)?;
    }
    one_of_each.close()?;
    let mut wrong = None;
    let counts = counting.counts(good(names.sorted()?, &mut wrong).map(|(name, birth)| (name, birth as i32)), forms);
    if let Some(e) = wrong {
        return Err(e);
    }
    let frequencies = counts.of(forms);
    let mark = |row: &mut Row| {
        engine::mark_crowd(row, &crowds);
        engine::mark_known(row, &frequencies);
    };
    let (strangers, in_parts) = strangers(&one_of_each, mark, forms, room.sorter(buffers / 2))?;
    drop(one_of_each);

    let mut counted = report::Counted::default();
    let mut marked = Tape::new(&room.directory)?;
    let mut institutions = Vec::with_capacity(rows.len() as usize);
    for row in rows.iter() {
        let mut row = row?;
        cuts.cut(&mut row);
        mark(&mut row);
        counted.row(&row);
        institutions.push(row.institution);
        marked.push(&row)?;
    }
    marked.close()?;
    let shared = [0, 1, 2].map(|kind| crowds[kind].len() as u64);
    Ok(Marked { rows: marked, counts, frequencies, strangers, in_parts, institutions, shared, counted })
}

/// Contacts that more births carry than a household has, by kind.
fn crowds(contacts: Sorter<(u64, (u32, u32))>, options: &Options) -> Result<[FastSet<u64>; 3], LinkageError> {
    let limits = engine::limits(options);
    let mut crowds: [FastSet<u64>; 3] = Default::default();
    let mut last = None;
    let mut births = 0;
    for contact in contacts.sorted()? {
        let (key, (kind, birth)) = contact?;
        let before = last.replace((key, kind, birth));
        if before == last {
            continue;
        }
        births = if before.is_some_and(|(k, of, _)| (k, of) == (key, kind)) { births + 1 } else { 1 };
        if births > limits[kind as usize] {
            crowds[kind as usize].insert(key);
        }
    }
    Ok(crowds)
}

/// How strangers agree: the rows of the chosen pairs of persons are looked up in one sweep.
fn strangers(
    persons: &Tape<Row>,
    mark: impl Fn(&mut Row),
    forms: &Forms,
    mut sides: Sorter<(u64, Row)>,
) -> Result<(Strangers, Vec<PartLevels>), LinkageError> {
    let pairs = (0u64..).zip(engine::strange(persons.len()));
    let mut wanted: Vec<(u64, u64)> = pairs.flat_map(|(at, (a, b))| [(a, 2 * at), (b, 2 * at + 1)]).collect();
    wanted.sort_unstable();
    let mut wanted = wanted.into_iter().peekable();
    for (at, row) in (0u64..).zip(persons.iter()) {
        let mut row = row?;
        mark(&mut row);
        while let Some((_, side)) = wanted.next_if(|(person, _)| *person == at) {
            sides.push((side, row))?;
        }
    }
    let mut strange_pairs = StrangePairs::default();
    let mut left = None;
    for side in sides.sorted()? {
        let (_, row) = side?;
        match left.take() {
            None => left = Some(row),
            Some(other) => strange_pairs.add(&other, &row, forms),
        }
    }
    Ok(strange_pairs.measured(persons.len() as usize))
}
