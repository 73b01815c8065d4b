//! One row of people as linkage sees it: numbers only, 72 bytes.

use crate::forms::{Form, NONE};

/// No birth date, no day.
pub(crate) const NO_DAY: i32 = i32::MIN;
/// No branch number.
pub(crate) const NO_BRANCH: u8 = u8::MAX;

/// A row after normalisation. Equal values are equal numbers; 0 (or [`NO_DAY`], [`NO_BRANCH`]) where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    /// Family and given name as written, and as read. A name without a break stands in the family name.
    pub fk: Form,
    pub gk: Form,
    pub fy: Form,
    pub gy: Form,
    /// Days since 1970-01-01.
    pub birth: i32,
    /// The day on which the row was true.
    pub seen: i32,
    pub institution: Form,
    pub postal: u32,
    /// Hash of the place name without prefecture; in a row in parts the number of their text.
    pub place: u32,
    pub symbol: u32,
    pub insurer: u32,
    /// Up to three numbers of an address (丁目, 番, 号), see `contact::numbers`.
    pub numbers: u64,
    /// Digits behind a leading 1.
    pub phone: u64,
    /// Digits, or a hash with the highest bit where there are letters.
    pub number: u64,
    /// 1 male, 2 female.
    pub sex: u8,
    pub branch: u8,
    /// [`flag`]s.
    pub flags: u8,
    /// Contacts that too many persons carry: they are no evidence. [`crowd`] bits.
    pub crowd: u8,
}

/// What a row is besides its values.
pub(crate) mod flag {
    /// Linked with nothing: bits 0 and 1 say why (see `stand_in`).
    pub const REASON: u8 = 0b0000_0111;
    /// A newborn under the mother's name: linked on the terms of newborns only.
    pub const BABY: u8 = 0b0000_1000;
    /// The name as written, or as read, came in one piece.
    pub const JOINED_WRITTEN: u8 = 0b0001_0000;
    pub const JOINED_READ: u8 = 0b0010_0000;
    /// The check digit of the insurer number does not fit.
    pub const WRONG_CHECK_DIGIT: u8 = 0b0100_0000;
    /// The given name as read is one that several persons bear. Set by each run.
    pub const KNOWN_NAME: u8 = 0b1000_0000;
}

/// Which contact is shared by too many.
pub(crate) mod crowd {
    pub const PHONE: u8 = 1;
    pub const HOME: u8 = 2;
    pub const CARD: u8 = 4;
}

impl Default for Row {
    fn default() -> Self {
        Row {
            fk: NONE,
            gk: NONE,
            fy: NONE,
            gy: NONE,
            birth: NO_DAY,
            seen: NO_DAY,
            institution: NONE,
            postal: 0,
            place: 0,
            symbol: 0,
            insurer: 0,
            numbers: 0,
            phone: 0,
            number: 0,
            sex: 0,
            branch: NO_BRANCH,
            flags: 0,
            crowd: 0,
        }
    }
}

impl Row {
    /// Whether the row takes part in linkage.
    pub fn linkable(&self) -> bool {
        self.flags & flag::REASON == 0
    }

    pub fn is_baby(&self) -> bool {
        self.flags & flag::BABY != 0
    }

    pub fn has_card(&self) -> bool {
        self.insurer != 0 && self.number != 0
    }

    pub fn has_home(&self) -> bool {
        self.numbers != 0 && (self.place != 0 || self.postal != 0)
    }

    /// Whether the card is one person's without a branch number (法別 39, late-elderly).
    pub fn own_card(&self) -> bool {
        self.has_card() && self.insurer / 1_000_000 == 39
    }

    /// Whether address and identifier stand in parts: `place` is then the number of their text, see `parts`.
    pub fn is_parted(&self) -> bool {
        self.numbers & crate::parts::MARK != 0
    }

    /// The numbers of the row's texts.
    pub fn forms(&self) -> [Form; 6] {
        [self.fk, self.gk, self.fy, self.gy, self.institution, if self.is_parted() { self.place } else { NONE }]
    }

    /// Key of the card as a whole.
    pub fn card(&self) -> u64 {
        use crate::hash::mix;
        mix(mix(u64::from(self.insurer), u64::from(self.symbol)), self.number)
    }

    pub fn home(&self) -> u64 {
        crate::hash::mix(u64::from(self.place), self.numbers)
    }
}
