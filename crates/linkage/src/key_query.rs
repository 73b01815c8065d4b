//! What a person is asked for by when a linkage key is wanted: one card, the name in kana, birth and sex.
//!
//! The body that keeps the history of insured numbers (履歴照会・回答システム) gives one key a person. It finds a person by any card that it
//! knows, best by one with a branch number (枝番), which alone tells members of one household apart. Source: NDB guideline and the papers of
//! its committee on identifiers ID1, ID4 and ID5 (digits in full width and not filled with zeros; a branch since 2020 to 2022).

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::contact::{self, Card};
use crate::error::LinkageError;
use crate::normalise::{Normaliser, Raw};
use crate::people::{Columns, at};
use crate::text;

/// Width of digits, letters and kana.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Width {
    /// １２３ カナ: what the hashes of the public databases are made of.
    #[default]
    Full,
    /// 123 ｶﾅ
    Half,
}

/// What becomes of zeros before a symbol or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zeros {
    /// They go: hashes of filled numbers are others.
    #[default]
    Strip,
    /// They stay as the institution wrote them.
    Keep,
}

/// How the body wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Form {
    /// Width.
    pub width: Width,
    /// Zeros before symbols and numbers.
    pub zeros: Zeros,
    /// Whether who has no card is asked for by name, birth and sex alone.
    pub without_card: bool,
}

/// Class of an insurer, by its number: the first two of eight digits (法別番号), or six digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// 協会けんぽ (01)
    Association,
    /// 船員保険 (02)
    Seamen,
    /// 日雇特例 (03, 04)
    DayLabour,
    /// 組合管掌健康保険 (06)
    Society,
    /// 自衛官 (07)
    SelfDefense,
    /// 共済組合 (31 to 34)
    MutualAid,
    /// 後期高齢者医療 (39)
    LateElderly,
    /// 特定健康保険組合, 特例退職共済 (63, 72 to 75)
    Retired,
    /// 国民健康保険 of a municipality or prefecture (six digits, 67)
    National,
    /// 国民健康保険組合 (six digits, the third being 3)
    NationalSociety,
    /// No card of an insurance.
    None,
}

impl Class {
    /// Code of its name in the catalogue of messages.
    pub const fn code(self) -> &'static str {
        match self {
            Class::Association => "linkage-insurer-association",
            Class::Seamen => "linkage-insurer-seamen",
            Class::DayLabour => "linkage-insurer-day-labour",
            Class::Society => "linkage-insurer-society",
            Class::SelfDefense => "linkage-insurer-self-defense",
            Class::MutualAid => "linkage-insurer-mutual-aid",
            Class::LateElderly => "linkage-insurer-late-elderly",
            Class::Retired => "linkage-insurer-retired",
            Class::National => "linkage-insurer-national",
            Class::NationalSociety => "linkage-insurer-national-society",
            Class::None => "linkage-insurer-none",
        }
    }

    /// Codes of all names.
    pub const CODES: [&'static str; 11] = [
        "linkage-insurer-association",
        "linkage-insurer-seamen",
        "linkage-insurer-day-labour",
        "linkage-insurer-society",
        "linkage-insurer-self-defense",
        "linkage-insurer-mutual-aid",
        "linkage-insurer-late-elderly",
        "linkage-insurer-retired",
        "linkage-insurer-national",
        "linkage-insurer-national-society",
        "linkage-insurer-none",
    ];

    fn of(insurer: u32) -> Class {
        match insurer / 1_000_000 {
            _ if insurer == 0 => Class::None,
            0 if insurer / 1_000 % 10 == 3 => Class::NationalSociety,
            0 | 67 => Class::National,
            1 => Class::Association,
            2 => Class::Seamen,
            3 | 4 => Class::DayLabour,
            6 => Class::Society,
            7 => Class::SelfDefense,
            31..=34 => Class::MutualAid,
            39 => Class::LateElderly,
            _ => Class::Retired,
        }
    }
}

/// Persons of a class of insurers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Persons.
    pub persons: u64,
    /// Of them with a row in the list.
    pub asked: u64,
    /// With a branch number.
    pub with_branch: u64,
    /// With a name in kana, a birth and a sex.
    pub with_name: u64,
    /// Whose insurer number has a check digit that does not fit.
    pub wrong_check_digit: u64,
}

/// One person of the list.
struct Asked {
    id: i64,
    card: Option<Written>,
    name: Option<Named>,
}

/// The list. Holds names and prints none.
pub struct KeyQuery {
    asked: Vec<Asked>,
    coverage: BTreeMap<Class, Coverage>,
}

impl std::fmt::Debug for KeyQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyQuery({} persons)", self.asked.len())
    }
}

/// A card as the list shows it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Written {
    insurer: String,
    symbol: String,
    number: String,
    branch: String,
}

/// A name as the list shows it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    kana: String,
    birth: String,
    sex: String,
}

/// What makes one card better than another: a branch, a check digit that fits, the latest validity, the latest statement.
type Rank = (bool, bool, Reverse<i32>, Reverse<i32>, Reverse<i64>);

/// What the best of several would be replaced by.
fn better<R: Ord, T: Ord>(slot: &mut Option<(R, T)>, rank: R, value: T) {
    let new = (rank, value);
    if slot.as_ref().is_none_or(|old| new < *old) {
        *slot = Some(new);
    }
}

type BestCard = Option<(Rank, (Written, Card))>;
type BestName = Option<((bool, bool, Reverse<i64>), Named)>;

/// Who the ids of a provision are, from the tables `identity` and `insurance` with their lake schema. `ids` says which record has which
/// id; several records of one person have one. Of several cards the best stands: with a branch, right, latest; of several names the latest
/// in kana with birth and sex. Who is not named (a newborn under its mother's name and on her card, a stand-in) is not asked for: the key
/// would be somebody else's; nor do cards of such records count where another record names the person. Nor is who has a card without
/// branch and not kana, birth and sex, as a household has one such card; and who has no card of an insurance only where `form` says so, and
/// all three are known.
///
/// # Errors
/// [`LinkageError::ColumnMissing`], [`LinkageError::ColumnType`], [`LinkageError::RecordWithoutId`].
pub fn key_query(
    identity: &[RecordBatch],
    insurance: &[RecordBatch],
    ids: &HashMap<i64, i64>,
    form: Form,
) -> Result<KeyQuery, LinkageError> {
    let mut persons: BTreeMap<i64, (BestCard, BestName)> = ids.values().map(|id| (*id, (None, None))).collect();
    let mut normaliser = Normaliser::new();
    let mut named = HashSet::new();
    for batch in identity {
        named.extend(names(&mut persons, ids, form, &mut normaliser, &Columns { table: "identity", batch })?);
    }
    for batch in insurance {
        cards(&mut persons, ids, &named, form, &Columns { table: "insurance", batch })?;
    }
    let mut query = KeyQuery { asked: Vec::new(), coverage: BTreeMap::new() };
    for (id, (card, name)) in persons {
        let (card, name) = (card.map(|(_, c)| c), name.map(|(_, n)| n));
        let of = query.coverage.entry(Class::of(card.as_ref().map_or(0, |(_, c)| c.insurer))).or_default();
        let full = name.as_ref().is_some_and(|n| !n.kana.is_empty() && !n.birth.is_empty() && !n.sex.is_empty());
        let asked = match &card {
            Some((_, card)) => full || (card.branch.is_some() && name.is_some()),
            None => full && form.without_card,
        };
        of.persons += 1;
        of.asked += u64::from(asked);
        of.with_branch += u64::from(card.as_ref().is_some_and(|(_, c)| c.branch.is_some()));
        of.with_name += u64::from(full);
        of.wrong_check_digit += u64::from(card.as_ref().is_some_and(|(_, c)| c.wrong_check_digit));
        if asked {
            query.asked.push(Asked { id, card: card.map(|(w, _)| w), name });
        }
    }
    Ok(query)
}

fn cards(
    persons: &mut BTreeMap<i64, (BestCard, BestName)>,
    ids: &HashMap<i64, i64>,
    named: &HashSet<i64>,
    form: Form,
    columns: &Columns<'_>,
) -> Result<(), LinkageError> {
    let records = columns.ids()?;
    let [insurer, symbol, number, branch] =
        ["insurer_number", "insured_symbol", "insured_number", "insured_branch"].map(|c| columns.text(c));
    let (insurer, symbol, number, branch) = (insurer?, symbol?, number?, branch?);
    let [from, to] = ["valid_from", "valid_to"].map(|c| columns.typed(c, DataType::Date32, "date"));
    let (from, to) = (from?, to?);
    let (from, to) = (from.as_primitive::<Date32Type>(), to.as_primitive::<Date32Type>());
    let seen = columns.typed("source_ts", DataType::Timestamp(TimeUnit::Microsecond, None), "timestamp")?;
    let seen = seen.as_primitive::<TimestampMicrosecondType>();
    for (row, record) in records.into_iter().enumerate() {
        let Some(record) = record else { continue };
        let Some((card_slot, name)) = ids.get(&record).and_then(|id| persons.get_mut(id)) else { continue };
        if name.is_some() && !named.contains(&record) {
            continue;
        }
        let raw = (at(&insurer, row), at(&symbol, row), at(&number, row), at(&branch, row));
        let card = contact::card(raw.0, raw.1, raw.2, raw.3);
        if card.number == 0 {
            continue;
        }
        let branch = card.branch.map_or_else(String::new, |b| format!("{b:02}"));
        let written = Written {
            insurer: form.digits(&insurer_digits(card.insurer)),
            symbol: form.code(raw.1),
            number: form.code(raw.2),
            branch: form.digits(&branch),
        };
        let rank = (
            card.branch.is_none(),
            card.wrong_check_digit,
            // No end is the latest end, no beginning the earliest beginning.
            Reverse(if to.is_valid(row) { to.value(row) } else { i32::MAX }),
            Reverse(if from.is_valid(row) { from.value(row) } else { i32::MIN }),
            Reverse(if seen.is_valid(row) { seen.value(row) } else { i64::MIN }),
        );
        better(card_slot, rank, (written, card));
    }
    Ok(())
}

/// Gives the records that name their person.
fn names(
    persons: &mut BTreeMap<i64, (BestCard, BestName)>,
    ids: &HashMap<i64, i64>,
    form: Form,
    normaliser: &mut Normaliser,
    columns: &Columns<'_>,
) -> Result<Vec<i64>, LinkageError> {
    let records = columns.ids()?;
    let births = columns.typed("birth_date", DataType::Date32, "date")?;
    let births = births.as_primitive::<Date32Type>();
    let seen = columns.typed("source_ts", DataType::Timestamp(TimeUnit::Microsecond, None), "timestamp")?;
    let seen = seen.as_primitive::<TimestampMicrosecondType>();
    let [family, given, family_kana, given_kana, latin, sex] =
        ["family_name", "given_name", "family_kana", "given_kana", "latin_name", "sex"].map(|c| columns.text(c));
    let (family, given, family_kana, given_kana, latin, sex) = (family?, given?, family_kana?, given_kana?, latin?, sex?);
    let mut named = Vec::new();
    for (row, record) in records.into_iter().enumerate() {
        let Some(record) = record else { continue };
        let Some((_, name_slot)) = ids.get(&record).and_then(|id| persons.get_mut(id)) else { continue };
        let birth = births.is_valid(row).then(|| births.value(row));
        let (code, word) = match at(&sex, row) {
            "male" => ("1", 1),
            "female" => ("2", 2),
            _ => ("", 0),
        };
        let raw = Raw {
            family: at(&family, row),
            given: at(&given, row),
            family_kana: at(&family_kana, row),
            given_kana: at(&given_kana, row),
            latin: at(&latin, row),
            birth,
            sex: word,
            ..Raw::default()
        };
        let known = normaliser.row(&raw);
        if !known.linkable() || known.is_baby() {
            continue;
        }
        named.push(record);
        let parts = [raw.family_kana, raw.given_kana].map(|part| text::katakana_of(&text::plain(part)));
        let kana = parts.iter().filter(|p| !p.is_empty()).cloned().collect::<Vec<_>>().join(" ");
        let kana = if text::is_kana(&kana) { kana } else { String::new() };
        let birth = birth.map_or_else(String::new, |day| {
            let (year, month, day) = terms::civil_from_days(day);
            format!("{year:04}{month:02}{day:02}")
        });
        let rank = (
            kana.is_empty(),
            birth.is_empty() || code.is_empty(),
            Reverse(if seen.is_valid(row) { seen.value(row) } else { i64::MIN }),
        );
        better(name_slot, rank, Named { kana: form.kana(&kana), birth: form.digits(&birth), sex: form.digits(code) });
    }
    Ok(named)
}

/// Six digits of 国民健康保険, eight of all others.
pub(crate) fn insurer_digits(insurer: u32) -> String {
    if insurer < 1_000_000 { format!("{insurer:06}") } else { format!("{insurer:08}") }
}

impl Form {
    fn digits(self, text: &str) -> String {
        match self.width {
            Width::Full => text.chars().map(wide).collect(),
            Width::Half => text.to_owned(),
        }
    }

    /// A symbol or a number as an institution wrote it: without spaces, without zeros before what is only digits.
    fn code(self, raw: &str) -> String {
        let plain: String = text::plain(raw).chars().filter(|c| !c.is_whitespace()).collect();
        let digits = !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit());
        let short = if digits && self.zeros == Zeros::Strip { plain.trim_start_matches('0') } else { plain.as_str() };
        match self.width {
            Width::Full => short.chars().map(wide).collect(),
            Width::Half => narrow(short),
        }
    }

    fn kana(self, text: &str) -> String {
        match self.width {
            Width::Full => text.replace(' ', "\u{3000}"),
            Width::Half => narrow(text),
        }
    }
}

/// ASCII in full width.
fn wide(c: char) -> char {
    match c {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(c as u32 + 0xfee0).unwrap_or(c),
        other => other,
    }
}

/// Katakana in half width, its voice marks behind it.
fn narrow(text: &str) -> String {
    let half = |c: char| match c {
        '\u{3099}' => 'ﾞ',
        '\u{309a}' => 'ﾟ',
        '・' | '。' | '、' | '「' | '」' | 'ー' | 'ァ'..='ヺ' => {
            ('\u{ff61}'..='\u{ff9f}').find(|h| h.nfkc().eq(std::iter::once(c))).unwrap_or(c)
        }
        other => other,
    };
    text.nfd().map(half).collect()
}

impl KeyQuery {
    /// Columns of the list.
    pub const COLUMNS: [&'static str; 8] = [
        "provision_id",
        "insurer_number",
        "insured_symbol",
        "insured_number",
        "insured_branch",
        "name_kana",
        "birth_date",
        "sex",
    ];

    /// Ids of the persons that are asked for, in order.
    pub fn ids(&self) -> impl Iterator<Item = i64> {
        self.asked.iter().map(|a| a.id)
    }

    /// Persons by class of insurer.
    pub fn coverage(&self) -> &BTreeMap<Class, Coverage> {
        &self.coverage
    }

    /// Writes the list: CSV, UTF-8, a heading, one person a row in the order of the ids, which is random.
    ///
    /// # Errors
    /// When the writer refuses.
    pub fn write_csv(&self, to: &mut dyn Write) -> std::io::Result<()> {
        writeln!(to, "{}", Self::COLUMNS.join(","))?;
        for asked in &self.asked {
            let card = asked.card.as_ref().map(|c| [&c.insurer, &c.symbol, &c.number, &c.branch].map(String::as_str));
            let name = asked.name.as_ref().map(|n| [n.kana.as_str(), n.birth.as_str(), n.sex.as_str()]);
            let fields: Vec<String> =
                card.unwrap_or_default().iter().chain(&name.unwrap_or_default()).map(|f| quoted(f)).collect();
            writeln!(to, "{},{}", asked.id, fields.join(","))?;
        }
        to.flush()
    }
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}
