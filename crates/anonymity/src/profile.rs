//! The processing profile: part of the application, read by the committee, and the program that treats the tables.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::AnonymityError;

/// The format that this version reads.
pub const FORMAT: &str = "azekura-profile/1";

/// What the data set is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 匿名加工医療情報
    Anonymized,
    /// 連結可能匿名加工医療情報: anonymized, and its persons can be found again in public databases by a key that is attached later
    LinkableAnonymized,
    /// 仮名加工医療情報
    Pseudonymized,
}

impl Kind {
    /// Word in the profile.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Anonymized => "anonymized",
            Kind::LinkableAnonymized => "linkable_anonymized",
            Kind::Pseudonymized => "pseudonymized",
        }
    }

    /// Whether the rules of anonymized information hold.
    pub const fn is_anonymized(self) -> bool {
        matches!(self, Kind::Anonymized | Kind::LinkableAnonymized)
    }
}

/// A processing profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Always [`FORMAT`].
    pub format: String,
    /// Name.
    pub name: String,
    /// Version, raised with every change.
    pub version: String,
    /// What the data set is to be.
    pub kind: Kind,
    /// Ids of data sets of the same recipient that this one may go beside although whoever holds both can join them: the committee decides on
    /// that too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
    /// Who asks for it, and for what.
    pub application: Application,
    /// Whose data, and of which time.
    #[serde(default)]
    pub cohort: Cohort,
    /// Classes and thresholds; anonymized only, and needed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// How results of measurements are treated, by code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueRule>,
    /// The tables of the data set. What is not named here is not in it.
    pub tables: BTreeMap<String, TableProfile>,
}

/// The application that the profile is part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Id of who is to receive the data set.
    pub recipient: String,
    /// Project.
    pub project: String,
    /// Purpose of use.
    pub purpose: String,
}

/// Whose data, and of which time. This crate passes it through: whoever selects the rows reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cohort {
    /// First day, `YYYY-MM-DD`.
    pub from: Option<String>,
    /// Last day, `YYYY-MM-DD`.
    pub to: Option<String>,
    /// Providers; all when empty.
    pub providers: Vec<String>,
    /// Persons who have a condition whose source value begins with one of these; everybody when empty.
    pub conditions: Vec<String>,
    /// Persons who have a drug whose source value begins with one of these; everybody when empty.
    pub drugs: Vec<String>,
    /// Persons who have a measurement whose source value begins with one of these; everybody when empty.
    pub measurements: Vec<String>,
}

/// Classes and thresholds of anonymized data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// Every person shares the quasi-identifiers with at least `k - 1` others.
    pub k: u32,
    /// Columns that others can know of a person, as `table.column`.
    pub quasi_identifiers: Vec<String>,
    /// What is made coarser for people whose class is too small, in this order, before they are left out.
    #[serde(default)]
    pub coarsen: Vec<Step>,
    /// The largest share of persons that may be left out; beyond it the profile does not fit the data.
    pub most_suppressed: f64,
    /// A code that fewer persons have is rare.
    pub rare_persons: u32,
    /// Values beyond the value that this many persons reach are top- or bottom-coded.
    pub extreme_persons: u32,
    /// Largest shift of a person's dates in days; drawn once a person, never 0, the same for all dates of the person. Only where dates are
    /// shifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_days: Option<u16>,
    /// Of the shifts that a person's dates can have had, or of the days of a month or year, the share that codes which are not in use at all times
    /// have to leave open.
    #[serde(default = "half")]
    pub least_days_open: f64,
    /// Codes that others can know of a person; needed where the data set shows any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Events>,
    /// The largest share of persons that an attacker of the experiment may be expected to find; beyond it nothing is made. An attacker without
    /// a share is reported and stops nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub most_found: BTreeMap<Attacker, f64>,
    /// The largest share of the persons with visits whose number of visits, or whose days between them, nobody else has; beyond it nothing is made.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub most_unique: BTreeMap<Alike, f64>,
}

/// What visits are alike in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alike {
    /// Their number.
    VisitCount,
    /// The days between them; where dates are cut, their months or years.
    VisitSpacing,
}

impl Alike {
    /// Its word in the profile.
    pub const fn as_str(self) -> &'static str {
        match self {
            Alike::VisitCount => "visit_count",
            Alike::VisitSpacing => "visit_spacing",
        }
    }
}

/// Codes of a person that others can know: whoever knows some of them finds at least `k` persons with all of them, or nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// How many codes of one person somebody can know: 2 or 3.
    pub known: u32,
    /// Persons that have a combination, if anybody has it; [`Privacy::k`] where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<u32>,
    /// Columns of codes, as `table.column`; each is treated as `code`.
    pub columns: Vec<String>,
    /// Whether combinations are counted among the persons of one class of quasi-identifiers, and not among all: for who knows sex and birth
    /// too. It costs many codes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub within_classes: bool,
}

/// Who tries to find persons in a data set that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attacker {
    /// Knows the quasi-identifiers.
    Demographics,
    /// Knows them, and two codes.
    Codes,
    /// Knows them, and the days of two stays or visits.
    VisitDays,
    /// Knows them, and two codes with the day of each.
    DatedCodes,
    /// Knows as much, and when codes are in use.
    CalendarCodes,
}

impl Attacker {
    /// All, from who knows least.
    pub const ALL: [Attacker; 5] =
        [Attacker::Demographics, Attacker::Codes, Attacker::VisitDays, Attacker::DatedCodes, Attacker::CalendarCodes];

    /// Its word in the profile.
    pub const fn as_str(self) -> &'static str {
        match self {
            Attacker::Demographics => "demographics",
            Attacker::Codes => "codes",
            Attacker::VisitDays => "visit_days",
            Attacker::DatedCodes => "dated_codes",
            Attacker::CalendarCodes => "calendar_codes",
        }
    }
}

/// One step of coarsening.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `table.column`, one of the quasi-identifiers.
    pub column: String,
    /// `drop`, `band` or `clamp`.
    pub to: Treatment,
}

/// A table of the data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableProfile {
    /// Why the study needs it.
    pub reason: String,
    /// A treatment for every column.
    pub columns: BTreeMap<String, Treatment>,
}

/// What happens to a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Treatment {
    /// As it is.
    Keep,
    /// Emptied: null, or where the model wants a value, 0 or an empty text.
    Drop,
    /// The person's new id: 1..n in random order.
    NewPersonId,
    /// A row's new id, or a reference to one: 1..n a table, in random order. References to rows that are not there are empty.
    NewId {
        /// The table whose rows the ids name.
        of: String,
    },
    /// A date, moved by the person's shift.
    Shift,
    /// A date, cut to the first of its month.
    Month,
    /// A date, cut to the first of its year.
    Year,
    /// A number, cut to the lower end of its band.
    Band {
        /// Width.
        width: f64,
    },
    /// A number, held within bounds.
    Clamp {
        /// Lower bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        least: Option<f64>,
        /// Upper bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        most: Option<f64>,
    },
    /// A number, top- and bottom-coded where fewer than `extreme_persons` reach it.
    Extremes,
    /// A code. Words instead of a code become その他.
    Code {
        /// Shorter forms that a rare code is brought to before it becomes その他.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rollup: Vec<Rollup>,
        /// Whether rare codes are treated.
        #[serde(default = "yes")]
        rare: bool,
        /// Whether local codes (code system `99…` or `L`) become その他: they fingerprint the hospital.
        #[serde(default = "yes")]
        local: bool,
        /// Code systems that are kept, the bare one being the empty text; all but local ones when empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        systems: Vec<String>,
    },
    /// As it is on rows where the code in another column is as it was, else emptied; a concept that fewer than `rare_persons`
    /// have beside the code is emptied too.
    Follow {
        /// The column with the code.
        code: String,
    },
    /// The spelling of a unit, brought to UCUM; emptied, with the value, when it is none that is known; emptied with its item.
    Unit,
    /// A result (number, operator, text or concept), treated by [`Profile::values`], `extreme_persons` and `rare_persons`.
    Value {
        /// The column with the code of the item.
        code: String,
    },
    /// A result in text: kept when it is of signs, short numbers and known words for results, or says the number that stands
    /// in the same row; else emptied.
    ResultText,
    /// Values brought to classes; those that fewer than `rare_persons` are in become `other`.
    Class {
        /// Value to class.
        map: BTreeMap<String, String>,
        /// What all others become.
        other: String,
    },
}

const fn half() -> f64 {
    0.5
}

const fn yes() -> bool {
    true
}

impl Treatment {
    /// Its word in the profile.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Treatment::Keep => "keep",
            Treatment::Drop => "drop",
            Treatment::NewPersonId => "new_person_id",
            Treatment::NewId { .. } => "new_id",
            Treatment::Shift => "shift",
            Treatment::Month => "month",
            Treatment::Year => "year",
            Treatment::Band { .. } => "band",
            Treatment::Clamp { .. } => "clamp",
            Treatment::Extremes => "extremes",
            Treatment::Code { .. } => "code",
            Treatment::Follow { .. } => "follow",
            Treatment::Unit => "unit",
            Treatment::Value { .. } => "value",
            Treatment::ResultText => "result_text",
            Treatment::Class { .. } => "class",
        }
    }
}

/// Shorter forms of the codes of one system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollup {
    /// Code system; the empty text for bare codes.
    pub system: String,
    /// Lengths that a rare code is cut to, longest first.
    pub lengths: Vec<usize>,
}

/// How the results of one item are treated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueRule {
    /// What it is, for readers of the profile.
    pub name: String,
    /// Beginning of the item's code; the longest that fits counts.
    pub code: String,
    /// Width of the bands that values are brought to; exact where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<f64>,
    /// Values below it become "less than"; a higher bound counts where fewer than `extreme_persons` are below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottom: Option<f64>,
    /// Values from it on become "or more"; a lower bound counts where fewer than `extreme_persons` reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<f64>,
}

impl Profile {
    /// Reads a profile and holds it to the floor of its kind ([`crate::floor`]).
    ///
    /// # Errors
    /// [`AnonymityError::ProfileUnreadable`] with line and reason, or what the floor refuses.
    pub fn parse(text: &str) -> Result<Profile, AnonymityError> {
        let profile: Profile = toml::from_str(text).map_err(|e| AnonymityError::ProfileUnreadable { reason: e.to_string() })?;
        crate::floor::check(&profile)?;
        Ok(profile)
    }

    /// Whether the dates of a person are moved.
    pub fn moves_dates(&self) -> bool {
        self.tables.values().flat_map(|t| t.columns.values()).any(|t| *t == Treatment::Shift)
    }

    /// The treatment of a column.
    pub fn treatment(&self, table: &str, column: &str) -> Option<&Treatment> {
        self.tables.get(table)?.columns.get(column)
    }
}

/// Table and column of `table.column`.
pub fn split_column(name: &str) -> Option<(&str, &str)> {
    name.split_once('.').filter(|(t, c)| !t.is_empty() && !c.is_empty())
}
