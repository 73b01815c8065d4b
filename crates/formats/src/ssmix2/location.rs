//! Folder and file names of the storage.
//!
//! `<root>/<id[0..3]>/<id[3..6]>/<id>/<care date|->/<data type>/<id>_<date>_<type>_<order>_<timestamp>_<department>_<flag>`;
//! in the extended storage a folder without the department part stands in place of the file.

use std::ops::Range;

use omop::SourceState;

/// What a path says of a file.
#[derive(Clone, Copy)]
pub struct Location<'a> {
    /// Patient id of the name.
    pub patient: &'a str,
    /// `YYYYMMDD` or `-`.
    pub date: &'a str,
    /// `OMP-01`, or the type of an extended storage folder.
    pub kind: &'a str,
    /// Order number.
    pub order: &'a str,
    /// Seventeen digits.
    pub stamp: &'a str,
    /// Live, deleted, superseded.
    pub state: SourceState,
    /// Whether the file belongs to the extended storage.
    pub extended: bool,
}

/// Where the parts of a [`Location`] stand in its path, so that a path is read once and kept.
#[derive(Clone)]
pub struct Spans {
    parts: [Range<u32>; 5],
    state: SourceState,
    extended: bool,
}

impl Spans {
    /// The parts, from the same path.
    pub fn of<'a>(&self, path: &'a str) -> Location<'a> {
        let part = |i: usize| path.get(self.parts[i].start as usize..self.parts[i].end as usize).unwrap_or("");
        Location {
            patient: part(0),
            date: part(1),
            kind: part(2),
            order: part(3),
            stamp: part(4),
            state: self.state,
            extended: self.extended,
        }
    }
}

/// A folder that does not say what the name says.
#[derive(Clone, Copy)]
pub struct Difference<'a> {
    /// Which part.
    pub part: Part,
    /// What the folder says.
    pub folder: &'a str,
    /// What the name says.
    pub name: &'a str,
}

/// Parts of a path that folders and names both state.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The patient id: a matter of whose the file is.
    Patient,
    /// The two folders of its first six characters.
    Levels,
    /// The care date.
    Date,
    /// The data type.
    Kind,
}

impl Part {
    /// Word for findings.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Patient => "patient id",
            Part::Levels => "id[0..6]",
            Part::Date => "care date",
            Part::Kind => "data type",
        }
    }
}

impl<'a> Location<'a> {
    /// Reads the name of a file of the standardized storage, or of the folder that stands for one in the extended
    /// storage; `None` when neither follows the naming rule.
    pub fn of(path: &'a str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        standard(name).or_else(|| path.rsplit('/').skip(1).take(3).find_map(extended))
    }

    /// Where the parts stand in `path`, which this was read from.
    pub fn spans(&self, path: &str) -> Spans {
        let base = path.as_ptr() as usize;
        let span = |part: &str| {
            let start = (part.as_ptr() as usize).saturating_sub(base) as u32;
            start..start + part.len() as u32
        };
        Spans {
            parts: [span(self.patient), span(self.date), span(self.kind), span(self.order), span(self.stamp)],
            state: self.state,
            extended: self.extended,
        }
    }

    /// Where folders and name differ. Folders that are not there are not missed: a part of a tree can be read too.
    pub fn differences(&self, path: &'a str) -> Vec<Difference<'a>> {
        let mut folders = path.rsplit('/').skip(1).filter(|f| !f.is_empty());
        if self.extended {
            // The folder that bears the name is passed over with what may stand between it and the file.
            for folder in folders.by_ref() {
                if extended(folder).is_some() {
                    break;
                }
            }
        }
        let mut out = Vec::new();
        let mut differs = |part, folder: Option<&'a str>, name: &'a str| match folder {
            Some(folder) if folder != name => {
                out.push(Difference { part, folder, name });
                true
            }
            _ => false,
        };
        let kind = differs(Part::Kind, folders.next(), self.kind);
        let date = differs(Part::Date, folders.next(), self.date);
        if kind && date {
            // No folders of a storage at all: what stands above them says nothing of the patient.
            return out;
        }
        if !differs(Part::Patient, folders.next(), self.patient) {
            let level = |from: usize| self.patient.get(from..from + 3).unwrap_or("");
            if self.patient.len() >= 6 && self.patient.is_ascii() {
                let _ = differs(Part::Levels, folders.next(), level(3)) || differs(Part::Levels, folders.next(), level(0));
            }
        }
        out
    }
}

fn digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

fn date(text: &str) -> bool {
    text == "-" || digits(text, 8)
}

fn flag(text: &str) -> Option<SourceState> {
    match text {
        "0" => Some(SourceState::Deleted),
        "1" => Some(SourceState::Live),
        "2" => Some(SourceState::Superseded),
        _ => None,
    }
}

fn standard(name: &str) -> Option<Location<'_>> {
    let mut parts = name.split('_');
    let mut next = || parts.next();
    let (patient, day, kind, order, stamp, _department, state) = (next()?, next()?, next()?, next()?, next()?, next()?, next()?);
    if parts.next().is_some() || patient.is_empty() || order.is_empty() || !date(day) || !digits(stamp, 17) {
        return None;
    }
    let fits = match kind.as_bytes() {
        [a, b, c] => [a, b, c].iter().all(|x| x.is_ascii_uppercase()),
        [a, b, c, b'-', d, e] => [a, b, c].iter().all(|x| x.is_ascii_uppercase()) && [d, e].iter().all(|x| x.is_ascii_digit()),
        _ => false,
    };
    fits.then_some(())?;
    Some(Location { patient, date: day, kind, order, stamp, state: flag(state)?, extended: false })
}

fn extended(name: &str) -> Option<Location<'_>> {
    let mut front = name.splitn(3, '_');
    let (patient, day, rest) = (front.next()?, front.next()?, front.next()?);
    let mut back = rest.rsplitn(4, '_');
    let (state, stamp, order, kind) = (back.next()?, back.next()?, back.next()?, back.next()?);
    if patient.is_empty() || order.is_empty() || kind.is_empty() || !date(day) || !digits(stamp, 17) {
        return None;
    }
    Some(Location { patient, date: day, kind, order, stamp, state: flag(state)?, extended: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "0000012345_20240401_OMP-01_000000000000401_20240401103000140_01_1";

    #[test]
    fn names_of_both_storages_are_read() {
        let path = format!("1311234567/000/001/0000012345/20240401/OMP-01/{NAME}");
        let at = Location::of(&path).expect("a name");
        assert_eq!((at.patient, at.date, at.kind, at.order), ("0000012345", "20240401", "OMP-01", "000000000000401"));
        assert!(at.state == SourceState::Live && !at.extended);
        assert!(at.differences(&path).is_empty());
        let kind = "L_OBS^OBSERVATIONS^99ZL01";
        let path = format!("000/001/0000012345/20240510/{kind}/0000012345_20240510_{kind}_7_20240510235900001_1/main.hl7");
        let at = Location::of(&path).expect("a name");
        assert_eq!((at.kind, at.order, at.extended), (kind, "7", true));
        assert!(at.differences(&path).is_empty());
        assert!(Location::of("1_-_OMD_9_20240510235900001_-_0").is_some_and(|l| l.state == SourceState::Deleted));
    }

    #[test]
    fn names_that_do_not_follow_the_rule_are_none() {
        for name in [
            "0000054321_20240708_OMP-01_1.bak",
            "",
            "README.md",
            "1_20240401_OMP-01_4_20240401103000140_01_3",
            "1_20240401_OMP-1_4_20240401103000140_01_1",
            "1_2024041_OMP-01_4_20240401103000140_01_1",
            "1_20240401_OMP-01_4_2024040110300014_01_1",
            "_20240401_OMP-01_4_20240401103000140_01_1",
            "1_20240401_OMP-01__20240401103000140_01_1",
            "1_20240401_OMP-01_4_20240401103000140_01_1_1",
        ] {
            assert!(Location::of(name).is_none(), "{name}");
        }
    }

    #[test]
    fn folders_that_differ_are_named_and_missing_folders_are_not_missed() {
        let found = |path: &str| {
            let at = Location::of(path).expect("a name");
            at.differences(path).iter().map(|d| d.part.name()).collect::<Vec<_>>()
        };
        assert!(found(NAME).is_empty());
        assert!(found(&format!("OMP-01/{NAME}")).is_empty());
        assert_eq!(found(&format!("000/001/0000099999/20240401/OMP-01/{NAME}")), ["patient id"]);
        assert_eq!(found(&format!("000/009/0000012345/20240401/OMP-01/{NAME}")), ["id[0..6]"]);
        assert_eq!(found(&format!("000/001/0000012345/20240402/OMP-01/{NAME}")), ["care date"]);
        assert_eq!(found(&format!("000/001/0000012345/20240401/OMP-02/{NAME}")), ["data type"]);
        assert_eq!(found(&format!("home/user/data/{NAME}")), ["data type", "care date"]);
    }
}
