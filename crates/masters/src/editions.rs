//! Several editions side by side: the row of a code on a day.

use std::collections::HashMap;

use crate::edition::{Details, Edition, Icd10, Row};
use crate::error::MasterError;
use crate::kind::{Extent, Kind};

/// Whether a code may be used on the day that it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Validity {
    /// The edition in force on the day has it, and its dates allow it.
    InForce,
    /// It was listed only after the day.
    NotYet,
    /// It was abolished before the day, or the edition in force has it no more.
    NoLonger,
    /// No edition of the day or before it has it; a later one has, and does not say that it was not yet listed.
    LaterEdition,
}

/// A row that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved<'m> {
    /// The row.
    pub row: &'m Row,
    /// Day of its edition, days since 1970-01-01.
    pub edition: i32,
    /// Whether it holds on the day.
    pub validity: Validity,
}

/// What a row can be found by, beside its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// Diseases and modifiers by 交換用コード.
    Exchange,
    /// Diseases and modifiers by 管理番号.
    Management,
    /// Drugs and HOT rows by 薬価基準収載医薬品コード.
    PriceStandard,
    /// HOT rows by YJ.
    Yj,
    /// HOT rows by the claims' code.
    Claim,
    /// Acts by 点数表区分番号.
    Section,
}

impl Key {
    /// Its values in a row.
    fn of(self, row: &Row) -> [Option<&str>; 2] {
        match (self, &row.details) {
            (Key::Exchange, Details::Disease { exchange: v, .. } | Details::Modifier { exchange: v, .. })
            | (Key::Management, Details::Disease { management: v, .. } | Details::Modifier { management: v, .. })
            | (Key::PriceStandard, Details::Drug { price_standard: v, .. } | Details::Hot { price_standard: v, .. })
            | (Key::Yj, Details::Hot { yj: v, .. })
            | (Key::Section, Details::Act { section: v, .. }) => [v.as_deref(), None],
            (Key::Claim, Details::Hot { claim: [a, b], .. }) => [a.as_deref(), b.as_deref().filter(|b| a.as_deref() != Some(*b))],
            _ => [None, None],
        }
    }

    const fn all_of(kind: Kind) -> &'static [Key] {
        match kind {
            Kind::Disease | Kind::Modifier => &[Key::Exchange, Key::Management],
            Kind::Drug => &[Key::PriceStandard],
            Kind::Act => &[Key::Section],
            Kind::Hot => &[Key::PriceStandard, Key::Yj, Key::Claim],
            Kind::Device | Kind::Comment | Kind::Jlac10 => &[],
        }
    }
}

/// An edition, and where rows stand by their other keys.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub edition: Edition,
    /// By key: number of the row, which of its values, sorted by that value and then by the row.
    places: Vec<(Key, Vec<(u32, u8)>)>,
}

impl Loaded {
    fn new(edition: Edition) -> Loaded {
        let rows = &edition.rows;
        let places = Key::all_of(edition.kind).iter().map(|key| {
            let mut places: Vec<(u32, u8)> = Vec::with_capacity(rows.len());
            for (number, row) in (0u32..).zip(rows) {
                let values = key.of(row);
                places.extend([0u8, 1].into_iter().filter(|n| values[usize::from(*n)].is_some()).map(|n| (number, n)));
            }
            places.sort_by(|a, b| value_at(rows, *key, *a).cmp(value_at(rows, *key, *b)).then(a.0.cmp(&b.0)));
            (*key, places)
        });
        let places = places.collect();
        Loaded { edition, places }
    }

    /// Rows with this value, in the order of their codes.
    fn by(&self, key: Key, value: &str) -> Vec<&Row> {
        let Some((_, places)) = self.places.iter().find(|(k, _)| *k == key) else { return Vec::new() };
        let rows = &self.edition.rows;
        let from = places.partition_point(|place| value_at(rows, key, *place) < value);
        let found = places[from..].iter().take_while(|place| value_at(rows, key, **place) == value);
        found.map(|(number, _)| &rows[*number as usize]).collect()
    }
}

fn value_at(rows: &[Row], key: Key, (number, which): (u32, u8)) -> &str {
    key.of(&rows[number as usize])[usize::from(which)].unwrap_or("")
}

/// Where the edition in which something was found stands to the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    InForce,
    Earlier,
    Later,
}

/// The editions that are loaded.
#[derive(Debug, Default)]
pub struct Masters {
    /// By day, of each kind.
    editions: HashMap<Kind, Vec<Loaded>>,
}

impl Masters {
    /// None.
    pub fn new() -> Masters {
        Masters::default()
    }

    /// Takes an edition in.
    ///
    /// # Errors
    /// [`MasterError::OnlyDifference`] for one that is not whole, [`MasterError::SameDay`] where there is one of its day.
    pub fn add(&mut self, edition: Edition) -> Result<(), MasterError> {
        if edition.extent == Extent::Difference {
            return Err(MasterError::OnlyDifference { file_name: edition.file_name });
        }
        let editions = self.editions.entry(edition.kind).or_default();
        match editions.binary_search_by_key(&edition.date, |loaded| loaded.edition.date) {
            Ok(at) => {
                let loaded = editions[at].edition.file_name.clone();
                Err(MasterError::SameDay { kind: edition.kind, loaded })
            }
            Err(at) => {
                editions.insert(at, Loaded::new(edition));
                Ok(())
            }
        }
    }

    /// Editions of a master, by day.
    pub fn editions(&self, kind: Kind) -> impl Iterator<Item = &Edition> {
        self.loaded(kind).iter().map(|loaded| &loaded.edition)
    }

    fn loaded(&self, kind: Kind) -> &[Loaded] {
        self.editions.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// What `find` finds in the edition in force on the day (the latest of the day or before it); where it finds nothing in the latest
    /// before that has it, then in the earliest after.
    fn first<'m, T>(&'m self, kind: Kind, day: i32, find: impl Fn(&'m Loaded) -> Option<T>) -> Option<(T, &'m Loaded, Place)> {
        let editions = self.loaded(kind);
        let until = editions.partition_point(|loaded| loaded.edition.date <= day);
        let before = editions[..until].iter().rev().enumerate();
        let before = before.map(|(n, loaded)| (loaded, if n == 0 { Place::InForce } else { Place::Earlier }));
        let after = editions[until..].iter().map(|loaded| (loaded, Place::Later));
        before.chain(after).find_map(|(loaded, place)| find(loaded).map(|found| (found, loaded, place)))
    }

    /// The row of a code on a day: of the edition in force, else of the latest before that has it, else of the earliest after.
    pub fn resolve(&self, kind: Kind, code: &str, day: i32) -> Option<Resolved<'_>> {
        let (row, loaded, place) = self.first(kind, day, |loaded| loaded.edition.row(code))?;
        Some(resolved(row, loaded, place, day))
    }

    /// Rows by another key on a day, of the edition that [`Masters::resolve`] would take, in the order of their codes. A value may stand
    /// in several rows: all are returned.
    pub fn resolve_by(&self, kind: Kind, key: Key, value: &str, day: i32) -> Vec<Resolved<'_>> {
        if value.is_empty() {
            return Vec::new();
        }
        self.all(kind, day, |loaded| loaded.by(key, value))
    }

    /// Rows whose code begins so, likewise.
    pub(crate) fn resolve_beginning(&self, kind: Kind, with: &str, day: i32) -> Vec<Resolved<'_>> {
        if with.is_empty() {
            return Vec::new();
        }
        self.all(kind, day, |loaded| loaded.edition.rows_beginning(with).iter().collect())
    }

    /// All rows of the first edition in which there are any.
    pub(crate) fn all<'m>(&'m self, kind: Kind, day: i32, find: impl Fn(&'m Loaded) -> Vec<&'m Row>) -> Vec<Resolved<'m>> {
        let found = self.first(kind, day, |loaded| Some(find(loaded)).filter(|rows| !rows.is_empty()));
        let Some((rows, loaded, place)) = found else { return Vec::new() };
        rows.into_iter().map(|row| resolved(row, loaded, place, day)).collect()
    }

    /// The disease of a code (7 digits), a management number (8 digits) or an exchange code (4 characters).
    pub fn diseases(&self, code: &str, day: i32) -> Vec<Resolved<'_>> {
        match code.len() {
            7 => self.resolve(Kind::Disease, code, day).into_iter().collect(),
            8 => self.resolve_by(Kind::Disease, Key::Management, code, day),
            4 => self.resolve_by(Kind::Disease, Key::Exchange, code, day),
            _ => Vec::new(),
        }
    }

    /// ICD-10 of a disease by code, management number or exchange code. None where several rows say different things.
    pub fn icd10_of(&self, code: &str, day: i32) -> Option<&Icd10> {
        agreed(&self.diseases(code, day))
    }
}

/// The ICD-10 that all rows have.
pub(crate) fn agreed<'m>(rows: &[Resolved<'m>]) -> Option<&'m Icd10> {
    let mut codes = rows.iter().map(|resolved| match &resolved.row.details {
        Details::Disease { icd10, .. } if icd10.cause.is_some() => Some(icd10),
        _ => None,
    });
    let first = codes.next()??;
    codes.all(|other| other == Some(first)).then_some(first)
}

fn resolved<'m>(row: &'m Row, loaded: &'m Loaded, place: Place, day: i32) -> Resolved<'m> {
    let validity = if row.abolished.is_some_and(|last| last < day) {
        Validity::NoLonger
    } else if row.listed.is_some_and(|first| first > day) {
        Validity::NotYet
    } else {
        match place {
            Place::InForce => Validity::InForce,
            Place::Earlier => Validity::NoLonger,
            Place::Later => Validity::LaterEdition,
        }
    };
    Resolved { row, edition: loaded.edition.date, validity }
}

/// An ICD-10 code with its dot, as the lake's `icd10` columns have it: `E119` and `E11.9` are `E11.9`, `I10` stays. None where it has
/// not the form of one.
pub fn icd10_with_dot(code: &str) -> Option<String> {
    let plain = match code.split_once('.') {
        None => code.to_owned(),
        Some((category, rest)) if category.len() == 3 && !rest.is_empty() => format!("{category}{rest}"),
        Some(_) => return None,
    };
    let bytes = plain.as_bytes();
    let fits = (3..=6).contains(&bytes.len())
        && bytes[0].is_ascii_uppercase()
        && bytes[1..3].iter().all(u8::is_ascii_digit)
        && bytes[3..].iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    if !fits {
        return None;
    }
    Some(match plain.split_at(3) {
        (_, "") => plain,
        (category, rest) => format!("{category}.{rest}"),
    })
}
