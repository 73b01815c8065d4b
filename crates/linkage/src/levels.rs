//! The vocabulary of comparison: for every field the levels of agreement, and the pattern that a pair of rows shows over all fields.

use crate::parts_levels::PartLevels;

/// Levels of a family or given name, reading and writing taken together.
pub(crate) mod name {
    pub const MISSING: u8 = 0;
    /// Read and written the same.
    pub const BOTH: u8 = 1;
    /// Read the same; not written, or not in the same script.
    pub const READ: u8 = 2;
    /// Read the same, written with other characters.
    pub const READ_ONLY: u8 = 3;
    /// Written the same, read otherwise or not read.
    pub const WRITTEN: u8 = 4;
    /// Read the same but for long vowels and voicing, nothing written against it.
    pub const FOLDED: u8 = 5;
    /// One letter of the reading off, nothing written against it.
    pub const EDIT: u8 = 6;
    /// As the two before, and written otherwise.
    pub const NEAR_WRITTEN_OTHERWISE: u8 = 7;
    /// Family and given name exchanged (only in the given name's place).
    pub const SWAPPED: u8 = 8;
    /// One is a newborn under the mother's name, the other has a name (only in the given name's place).
    pub const BABY: u8 = 9;
    /// Both are newborns under one mother's name.
    pub const BABIES: u8 = 10;
    /// Different, but with the first letter or character in common.
    pub const FIRST_LETTER: u8 = 11;
    pub const DIFFERENT: u8 = 12;
    pub const COUNT: usize = 13;
    pub const CODES: [&str; COUNT] = [
        "missing",
        "same",
        "read-same",
        "read-same-written-otherwise",
        "written-same",
        "vowels-or-voicing",
        "one-letter",
        "one-letter-written-otherwise",
        "exchanged",
        "newborn",
        "both-newborn",
        "first-letter",
        "different",
    ];
    /// Whether the names agree well enough to be one name.
    pub const fn same(level: u8) -> bool {
        matches!(level, BOTH | READ | READ_ONLY | WRITTEN | FOLDED | SWAPPED)
    }
}

pub(crate) mod birth {
    pub const MISSING: u8 = 0;
    pub const SAME: u8 = 1;
    pub const DAY: u8 = 2;
    pub const MONTH: u8 = 3;
    pub const YEAR: u8 = 4;
    /// Day and month exchanged, or one is 1 January of the same year.
    pub const EXCHANGED: u8 = 5;
    /// The same year, nothing else.
    pub const YEAR_ONLY: u8 = 6;
    pub const DIFFERENT: u8 = 7;
    pub const COUNT: usize = 8;
    pub const CODES: [&str; COUNT] =
        ["missing", "same", "day-differs", "month-differs", "year-differs", "day-month-exchanged", "only-year-same", "different"];
}

pub(crate) mod sex {
    pub const MISSING: u8 = 0;
    pub const SAME: u8 = 1;
    pub const DIFFERENT: u8 = 2;
    pub const COUNT: usize = 3;
    pub const CODES: [&str; COUNT] = ["missing", "same", "different"];
}

pub(crate) mod card {
    pub const MISSING: u8 = 0;
    /// Card and branch the same, or a card that is one person's.
    pub const OWN: u8 = 1;
    /// Card the same, a branch not known.
    pub const SAME: u8 = 2;
    /// Card the same, branch another.
    pub const OTHER_BRANCH: u8 = 3;
    /// One field of the card one digit off.
    pub const NEAR: u8 = 4;
    pub const INSURER: u8 = 5;
    pub const DIFFERENT: u8 = 6;
    pub const COUNT: usize = 7;
    pub const CODES: [&str; COUNT] = ["missing", "same-person", "same", "other-branch", "one-digit", "insurer-only", "different"];
}

pub(crate) mod home {
    pub const MISSING: u8 = 0;
    pub const SAME: u8 = 1;
    /// One number of the address missing or off.
    pub const NEAR: u8 = 2;
    /// Place or postal code the same.
    pub const PLACE: u8 = 3;
    pub const DIFFERENT: u8 = 4;
    pub const COUNT: usize = 5;
    pub const CODES: [&str; COUNT] = ["missing", "same", "one-number", "place-only", "different"];
}

pub(crate) mod phone {
    pub const MISSING: u8 = 0;
    pub const MOBILE: u8 = 1;
    pub const LAND: u8 = 2;
    pub const NEAR: u8 = 3;
    /// Different, one of them not a mobile number: people have both.
    pub const DIFFERENT: u8 = 4;
    pub const DIFFERENT_MOBILES: u8 = 5;
    pub const COUNT: usize = 6;
    pub const CODES: [&str; COUNT] = ["missing", "same-mobile", "same-land-line", "one-digit", "different", "different-mobiles"];
}

/// Time between the two rows.
pub(crate) mod gap {
    pub const COUNT: usize = 5;
    pub const MISSING: u8 = 4;
}

/// What a pair shows, packed: equal patterns have equal evidence but for how rare the agreeing values are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Pattern(pub u32);

/// The fields of a pattern, unpacked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Levels {
    pub given: u8,
    pub family: u8,
    pub birth: u8,
    pub sex: u8,
    pub card: u8,
    pub home: u8,
    pub phone: u8,
    /// Both rows of one institution.
    pub one_place: u8,
    pub gap: u8,
    /// Name and birth date could well be another's, see `Frequencies::has_namesakes`. It is no evidence but a bound on what joins.
    pub namesakes: u8,
    /// How often the institutions of the two rows have birth dates and sexes wrong: steps of `rates::TIMES`, which shift what one person shows.
    pub birth_errors: u8,
    pub sex_errors: u8,
}

impl Levels {
    pub fn pack(self) -> Pattern {
        let Levels { given, family, birth, sex, card, home, phone, one_place, gap, namesakes, birth_errors, sex_errors } = self;
        let names = [(birth_errors, 2), (sex_errors, 2), (given, 4), (family, 4), (birth, 3), (sex, 2)];
        let others = [(card, 3), (home, 3), (phone, 3), (one_place, 1), (gap, 3), (namesakes, 1)];
        let fields = names.iter().chain(&others);
        Pattern(fields.fold(0, |bits, (level, width)| bits << width | u32::from(*level)))
    }
}

impl Pattern {
    /// The fields, of rows in parts in the words of other rows.
    pub fn levels(self) -> Levels {
        if let Some(parts) = PartLevels::of(self) {
            return parts.levels();
        }
        let mut bits = self.0;
        let mut take = |width: u32| {
            let level = bits & ((1 << width) - 1);
            bits >>= width;
            level as u8
        };
        let namesakes = take(1);
        let (gap, one_place, phone, home, card, sex) = (take(3), take(1), take(3), take(3), take(3), take(2));
        let (birth, family, given) = (take(3), take(4), take(4));
        let (sex_errors, birth_errors) = (take(2), take(2));
        Levels { given, family, birth, sex, card, home, phone, one_place, gap, namesakes, birth_errors, sex_errors }
    }

    /// The levels as codes of the catalogue (`linkage-level-…`): given and family name, birth date, sex, card, home, telephone.
    pub fn codes(self) -> [&'static str; 7] {
        if let Some(parts) = PartLevels::of(self) {
            return parts.codes();
        }
        let l = self.levels();
        let code = |codes: &[&'static str], level: u8| codes.get(usize::from(level)).copied().unwrap_or("");
        [
            code(&name::CODES, l.given),
            code(&name::CODES, l.family),
            code(&birth::CODES, l.birth),
            code(&sex::CODES, l.sex),
            code(&card::CODES, l.card),
            code(&home::CODES, l.home),
            code(&phone::CODES, l.phone),
        ]
    }
}
