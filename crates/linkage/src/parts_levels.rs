//! The levels of a pair of rows in parts, and the pattern that they make.

use crate::levels::{Levels, Pattern, birth, card, gap, home, name, phone, sex};

/// Levels of agreement, from one slip on typing errors that grow. Fields with few letters know the first four alone.
pub(crate) mod level {
    pub const MISSING: u8 = 0;
    pub const SAME: u8 = 1;
    /// One slip; in streets, houses and suburbs two in longer ones.
    pub const NEAR: u8 = 2;
    pub const DIFFERENT: u8 = 3;
    /// Two slips.
    pub const ALIKE: u8 = 4;
    /// Half of the letters at least.
    pub const LOOSE: u8 = 5;
    /// Family and given name exchanged, day and month exchanged.
    pub const EXCHANGED: u8 = 6;
    pub const COUNT: usize = 8;
}
use level::{ALIKE, DIFFERENT, EXCHANGED, MISSING, NEAR, SAME};

/// Fields of a pair of such rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct PartLevels {
    pub given: u8,
    pub family: u8,
    pub birth: u8,
    pub id: u8,
    pub number: u8,
    pub street: u8,
    pub building: u8,
    pub suburb: u8,
    pub postal: u8,
    pub state: u8,
    pub phone: u8,
    pub sex: u8,
    /// See `Levels::namesakes`.
    pub namesakes: u8,
}

/// How many fields are scored.
pub(crate) const FIELDS: usize = 12;
/// Bits of each of them in a pattern.
const WIDTHS: [u32; FIELDS] = [3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2];
const NAMESAKES: u32 = 1 << 28;
/// Tells such a pattern from others.
const PATTERN: u32 = 1 << 31;

impl PartLevels {
    /// The scored fields: given and family name, birth date, identifier, address, telephone, sex.
    pub fn fields(&self) -> [u8; FIELDS] {
        let l = self;
        [l.given, l.family, l.birth, l.id, l.number, l.street, l.building, l.suburb, l.postal, l.state, l.phone, l.sex]
    }

    pub fn pack(&self) -> Pattern {
        let bits = self.fields().iter().zip(WIDTHS).fold(0, |bits, (level, width)| bits << width | u32::from(*level));
        let namesakes = u32::from(self.namesakes) * NAMESAKES;
        Pattern(bits | namesakes | PATTERN)
    }

    /// The fields of a pattern, if it is one of rows in parts.
    pub fn of(pattern: Pattern) -> Option<Self> {
        if pattern.0 & PATTERN == 0 {
            return None;
        }
        let mut bits = pattern.0 & (NAMESAKES - 1);
        let mut fields = [0u8; FIELDS];
        for (field, width) in fields.iter_mut().zip(WIDTHS).rev() {
            *field = (bits & ((1 << width) - 1)) as u8;
            bits >>= width;
        }
        let [given, family, birth, id, number, street, building, suburb, postal, state, phone, sex] = fields;
        let namesakes = u8::from(pattern.0 & NAMESAKES != 0);
        Some(Self { given, family, birth, id, number, street, building, suburb, postal, state, phone, sex, namesakes })
    }
}

impl PartLevels {
    /// In the words of other rows, for what looks at both alike.
    pub fn levels(&self) -> Levels {
        let name = |level: u8| match level {
            MISSING => name::MISSING,
            SAME => name::WRITTEN,
            NEAR | ALIKE => name::EDIT,
            EXCHANGED => name::SWAPPED,
            _ => name::DIFFERENT,
        };
        let places = [self.street, self.suburb, self.postal];
        Levels {
            given: name(self.given),
            family: name(self.family),
            birth: match self.birth {
                MISSING => birth::MISSING,
                SAME => birth::SAME,
                NEAR | ALIKE => birth::DAY,
                EXCHANGED => birth::EXCHANGED,
                _ => birth::DIFFERENT,
            },
            sex: match self.sex {
                MISSING => sex::MISSING,
                SAME => sex::SAME,
                _ => sex::DIFFERENT,
            },
            card: match self.id {
                MISSING => card::MISSING,
                SAME => card::OWN,
                NEAR => card::NEAR,
                _ => card::DIFFERENT,
            },
            home: match self.street {
                SAME if self.number == SAME => home::SAME,
                SAME | NEAR => home::NEAR,
                _ if places.contains(&SAME) => home::PLACE,
                _ if places.contains(&DIFFERENT) => home::DIFFERENT,
                _ => home::MISSING,
            },
            phone: match self.phone {
                MISSING => phone::MISSING,
                SAME => phone::LAND,
                NEAR => phone::NEAR,
                _ => phone::DIFFERENT,
            },
            one_place: 0,
            gap: gap::MISSING,
            namesakes: self.namesakes,
            birth_errors: 0,
            sex_errors: 0,
        }
    }

    /// Codes of the catalogue for name, birth date, sex, identifier, home and telephone, in the order of `clerk::FIELDS`.
    pub fn codes(&self) -> [&'static str; 7] {
        const NAMES: [&str; level::COUNT] =
            ["missing", "same", "one-letter", "different", "two-letters", "half-alike", "exchanged", "different"];
        const NUMBERS: [&str; level::COUNT] =
            ["missing", "same", "one-digit", "different", "two-digits", "different", "day-month-exchanged", "different"];
        let code = |codes: [&'static str; level::COUNT], level: u8| codes[usize::from(level) % level::COUNT];
        [
            code(NAMES, self.given),
            code(NAMES, self.family),
            code(NUMBERS, self.birth),
            code(NUMBERS, self.sex),
            code(NUMBERS, self.id),
            match self.levels().home {
                home::MISSING => "missing",
                home::SAME => "same",
                home::NEAR => "nearly",
                home::PLACE => "place-only",
                _ => "different",
            },
            code(NUMBERS, self.phone),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_unpack_to_what_was_packed_and_are_never_those_of_other_rows() {
        bolero::check!().with_type::<[u8; 13]>().for_each(|bytes| {
            let wide = |at: usize| bytes[at] % 7;
            let narrow = |at: usize| bytes[at] % 4;
            let levels = PartLevels {
                given: wide(0),
                family: wide(1),
                birth: wide(2),
                id: wide(3),
                number: narrow(4),
                street: narrow(5),
                building: narrow(6),
                suburb: narrow(7),
                postal: narrow(8),
                state: narrow(9),
                phone: narrow(10),
                sex: narrow(11),
                namesakes: bytes[12] % 2,
            };
            assert_eq!(PartLevels::of(levels.pack()), Some(levels));
            assert_eq!(PartLevels::of(levels.levels().pack()), None);
        });
    }
}
