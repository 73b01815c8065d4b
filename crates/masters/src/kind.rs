//! Which masters there are, and what a file's name says of it.

use unicode_normalization::UnicodeNormalization;

use crate::dates;

/// A code master.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// 傷病名マスター, `b_YYYYMMDD.txt`.
    Disease,
    /// 修飾語マスター, `z_YYYYMMDD.txt`.
    Modifier,
    /// 医薬品マスター, `y_ALLYYYYMMDD.csv`.
    Drug,
    /// 医科診療行為マスター, `s_ALLYYYYMMDD.csv`.
    Act,
    /// 特定器材マスター, `t_ALLYYYYMMDD.csv`.
    Device,
    /// コメントマスター, `c_ALLYYYYMMDD.csv`.
    Comment,
    /// 医薬品HOTコードマスター of MEDIS, `MEDISYYYYMMDD.TXT`.
    Hot,
    /// JLAC10, as a CSV that somebody exports from the sheet of the JSLM: a header row with `code` and `name`, and `valid_from` and
    /// `valid_to` where there are such days (`YYYYMMDD`, `YYYY-MM-DD` or `YYYY/MM/DD`; both are valid days), in any order, other
    /// columns beside them; codes of 15 or 17 characters, with hyphens between their parts or without.
    Jlac10,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 8] =
        [Kind::Disease, Kind::Modifier, Kind::Drug, Kind::Act, Kind::Device, Kind::Comment, Kind::Hot, Kind::Jlac10];

    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Disease => "disease",
            Kind::Modifier => "modifier",
            Kind::Drug => "drug",
            Kind::Act => "act",
            Kind::Device => "device",
            Kind::Comment => "comment",
            Kind::Hot => "hot",
            Kind::Jlac10 => "jlac10",
        }
    }

    /// The master of this name.
    pub fn by_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.name() == name)
    }

    /// Under which `source_vocabulary_id` its codes stand in a `source_to_concept_map`.
    pub const fn vocabulary_id(self) -> &'static str {
        match self {
            Kind::Disease => "JP_DISEASE",
            Kind::Modifier => "JP_MODIFIER",
            Kind::Drug => "JP_DRUG_RECE",
            Kind::Act => "JP_ACT",
            Kind::Device => "JP_DEVICE",
            Kind::Comment => "JP_COMMENT",
            Kind::Hot => "HOT",
            Kind::Jlac10 => "JLAC10",
        }
    }

    /// What stands in column 2 of each of its rows.
    pub(crate) const fn letter(self) -> Option<&'static str> {
        match self {
            Kind::Disease => Some("B"),
            Kind::Modifier => Some("Z"),
            Kind::Drug => Some("Y"),
            Kind::Act => Some("S"),
            Kind::Device => Some("T"),
            Kind::Comment => Some("C"),
            Kind::Hot | Kind::Jlac10 => None,
        }
    }

    pub(crate) fn by_letter(letter: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.letter() == Some(letter))
    }

    /// Whether its files are always whole: only the others come as `ALL` and as differences.
    const fn always_full(self) -> bool {
        matches!(self, Kind::Disease | Kind::Modifier | Kind::Hot | Kind::Jlac10)
    }
}

/// Whether a file has all of a master's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// All rows.
    Full,
    /// What changed since the edition before.
    Difference,
}

/// What a file's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub kind: Option<Kind>,
    pub all: bool,
    pub date: Option<i32>,
}

impl Named {
    /// Of a name, or of a path: what stands before the last `/` or `\` is not looked at. Full-width and upper-case letters are
    /// letters.
    pub(crate) fn of(file_name: &str) -> Named {
        let name: String = file_name.nfkc().flat_map(char::to_lowercase).collect();
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let after = |prefix: &str| name.strip_prefix(prefix);
        let letters = [
            ("b_", Kind::Disease),
            ("z_", Kind::Modifier),
            ("y_", Kind::Drug),
            ("s_", Kind::Act),
            ("t_", Kind::Device),
            ("c_", Kind::Comment),
        ];
        let lettered = letters.into_iter().find(|(prefix, _)| after(prefix).is_some());
        let kind = lettered.map(|(_, kind)| kind);
        let kind = kind.or(after("medis").or(after("hot")).map(|_| Kind::Hot));
        let kind = kind.or(after("jlac10").map(|_| Kind::Jlac10));
        // `ALL` counts where the issuer writes it: `small_` has it too.
        let all = lettered.is_some_and(|(prefix, _)| after(prefix).is_some_and(|rest| rest.starts_with("all")));
        let runs = name.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 8);
        let date = runs.filter_map(dates::compact).next();
        Named { kind, all, date }
    }

    pub(crate) fn extent(self, kind: Kind) -> Extent {
        if self.all || kind.always_full() { Extent::Full } else { Extent::Difference }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_master_it_is_and_of_which_day() {
        let day = terms::days_from_civil(2024, 6, 1);
        for (name, kind, all) in [
            ("b_20240601.txt", Some(Kind::Disease), false),
            ("Ｂ＿２０２４０６０１．ＴＸＴ", Some(Kind::Disease), false),
            ("Y_ALL20240601.CSV", Some(Kind::Drug), true),
            ("/in/all/y_20240601.csv", Some(Kind::Drug), false),
            ("s_all20240601.csv", Some(Kind::Act), true),
            ("MEDIS20240601.TXT", Some(Kind::Hot), false),
            ("JLAC10_20240601.csv", Some(Kind::Jlac10), false),
            ("ck_ALL20240601.csv", None, false),
            ("h_ALL20240601.csv", None, false),
        ] {
            assert_eq!(Named::of(name), Named { kind, all, date: day }, "{name}");
        }
        assert_eq!(Named::of("b_new.txt").date, None);
        assert_eq!(Named::of("b_20241301.txt").date, None);
    }
}
