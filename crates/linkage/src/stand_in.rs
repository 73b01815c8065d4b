//! Rows that name nobody: test patients, placeholders, newborns before they have a name, unnamed people.

use std::sync::LazyLock;

use serde::Serialize;
use terms::{civil_from_days, days_from_civil};

use crate::hash::FastSet;

/// Why a record is linked with nothing. In the order in which one reason covers another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unlinkable {
    /// No name, or a text that says that the name is not known.
    Unnamed,
    /// A newborn under the mother's name, until the name is registered (see `Options::newborns`).
    Newborn,
    /// A birth date that fills a field (1900-01-01, 9999-…), or the specimen name of forms.
    Placeholder,
    /// A patient made to try the system.
    TestPatient,
}

impl Unlinkable {
    /// All reasons.
    pub const ALL: [Unlinkable; 4] = [Self::Unnamed, Self::Newborn, Self::Placeholder, Self::TestPatient];

    /// The code of the reason in the catalogue of messages.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unnamed => "linkage-unlinked-unnamed",
            Self::Newborn => "linkage-unlinked-newborn",
            Self::Placeholder => "linkage-unlinked-placeholder",
            Self::TestPatient => "linkage-unlinked-test-patient",
        }
    }
}

impl Unlinkable {
    /// As bits of a row's flags, 1 to 4.
    pub(crate) const fn bits(self) -> u8 {
        match self {
            Self::Unnamed => 1,
            Self::Newborn => 2,
            Self::Placeholder => 3,
            Self::TestPatient => 4,
        }
    }

    /// From the bits of a row's flags.
    pub(crate) fn from_flags(flags: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.bits() == flags & crate::row::flag::REASON)
    }
}

/// What the check looks at: the parts of a name after `text::plain` (kana not yet folded), dates in days since 1970-01-01.
pub(crate) struct Row<'a> {
    pub written: [&'a str; 2],
    pub read: [&'a str; 2],
    pub latin: &'a str,
    pub birth: Option<i32>,
    pub seen: Option<i32>,
    /// Whether there is a telephone, a home or a card.
    pub reachable: bool,
}

const TEST_BEGINNINGS: [&str; 6] = ["テスト", "ﾃｽﾄ", "てすと", "ダミー", "だみー", "サンプル"];
const TEST_WORDS: [&str; 10] = ["試験", "研修", "練習", "架空", "仮患者", "ダミ", "TEST", "DUMMY", "TESTPATIENT", "動作確認"];
/// Words that somebody is called as well (健秀, 史憲, 徳明; 見本 is a family name, Sample another): they count where nothing else makes the
/// row a person's.
const TEST_NAMES: [&str; 5] = ["シケン", "ケンシュウ", "ケンシユウ", "見本", "SAMPLE"];
const NAMELESS_NAMES: [&str; 1] = ["トクメイ"];
const NAMELESS: [&str; 11] =
    ["不明", "フメイ", "氏名不詳", "シメイフショウ", "名無", "名前なし", "匿名", "未登録", "UNKNOWN", "未記入", "無名"];
const SPECIMENS: [&str; 8] =
    ["山田太郎", "山田花子", "ヤマダタロウ", "ヤマダハナコ", "日本太郎", "厚生太郎", "健康太郎", "保険太郎"];
const BABY: [&str; 8] = ["ベビー", "ベビ-", "ベイビー", "ベイビ-", "べびー", "新生児", "シンセイジ", "BABY"];

/// Pieces of every text that [`reason`] could stumble over (birth dates aside), in the spelling of `text::plain`.
const SUSPECT: [&str; 47] = [
    "テスト",
    "てすと",
    "ダミ",
    "だみ",
    "サンプル",
    "試験",
    "研修",
    "練習",
    "見本",
    "架空",
    "仮患者",
    "シケン",
    "ケンシ",
    "TEST",
    "DUMMY",
    "SAMPLE",
    "動作",
    "不明",
    "フメイ",
    "氏名",
    "シメイ",
    "名",
    "匿",
    "トクメイ",
    "未",
    "UNKNOWN",
    "山田",
    "ヤマダ",
    "日本",
    "ニホン",
    "厚生",
    "健康",
    "保険",
    "ベビ",
    "ベイビ",
    "べび",
    "新生",
    "シンセイジ",
    "BABY",
    "第",
    "児",
    "の子",
    "ノ子",
    "ノコ",
    "?",
    "ヤマタ",
    "太郎",
];

/// Whether [`reason`] has to be asked about a row with this name part. A quick look that may say yes too often, never no.
pub(crate) fn suspect(plain: &str) -> bool {
    static BEGINNINGS: LazyLock<FastSet<char>> = LazyLock::new(|| SUSPECT.iter().filter_map(|s| s.chars().next()).collect());
    let beginnings = &*BEGINNINGS;
    let may_begin = plain.char_indices().filter(|(_, c)| beginnings.contains(c));
    may_begin.into_iter().any(|(at, _)| SUSPECT.iter().any(|s| plain[at..].starts_with(s)))
}

/// Whether a text names somebody: some letter that is known.
pub(crate) fn names_somebody(plain: &str) -> bool {
    plain.chars().any(|c| c.is_alphanumeric() && c != crate::text::UNKNOWN) && !plain.chars().all(|c| c.is_ascii_digit())
}

/// Why the row names nobody, if so.
pub(crate) fn reason(row: &Row<'_>) -> Option<Unlinkable> {
    let texts = || row.written.iter().chain(&row.read).chain([&row.latin]).copied();
    let words = || texts().flat_map(|t| t.split([' ', '・'])).filter(|w| !w.is_empty());
    if words().any(|w| TEST_BEGINNINGS.iter().any(|t| w.starts_with(t)) || TEST_WORDS.contains(&w)) {
        return Some(Unlinkable::TestPatient);
    }
    // what is somebody's name as well is taken for one wherever that somebody could be reached
    let nobodys = !row.reachable;
    if nobodys && words().any(|w| TEST_NAMES.contains(&w)) {
        return Some(Unlinkable::TestPatient);
    }
    let whole = |parts: &[&str]| parts.concat().replace(' ', "");
    if nobodys && words().any(|w| NAMELESS_NAMES.contains(&w)) {
        return Some(Unlinkable::Unnamed);
    }
    if words().any(|w| NAMELESS.contains(&w)) || NAMELESS.contains(&&*whole(&row.written)) || !texts().any(names_somebody) {
        return Some(Unlinkable::Unnamed);
    }
    if row.birth.is_some_and(filler_date) {
        return Some(Unlinkable::Placeholder);
    }
    let specimen = SPECIMENS.contains(&&*whole(&row.written)) || SPECIMENS.contains(&&*whole(&row.read));
    if specimen && !row.reachable && row.birth.is_none_or(|b| matches!(civil_from_days(b), (_, 1, 1))) {
        return Some(Unlinkable::Placeholder);
    }
    if newborn(row) {
        return Some(Unlinkable::Newborn);
    }
    None
}

/// Which child of the mother a newborn's name says it is: 第1子, 第二児, ベビー2, ベビーB. Expects letters as they are compared (long-vowel
/// marks dropped in readings).
pub(crate) fn child(letters: &[char]) -> Option<u32> {
    let number = |c: char| match c {
        '一' => Some(1),
        '二' => Some(2),
        '三' => Some(3),
        '四' => Some(4),
        '五' => Some(5),
        '六' => Some(6),
        // a word ends before it: BABYA, ベビーB
        'A'..='F' => Some(c as u32 - 'A' as u32 + 1),
        other => other.to_digit(10),
    };
    let run = |from: usize| letters[from..].iter().map_while(|&c| c.to_digit(10)).reduce(|n, d| (n * 10 + d).min(99));
    if let Some(at) = letters.iter().rposition(|&c| c == '第') {
        return run(at + 1).or_else(|| letters.get(at + 1).copied().and_then(number));
    }
    let digits = letters.iter().rev().take_while(|c| c.is_ascii_digit()).count();
    if digits > 0 {
        return run(letters.len() - digits);
    }
    let (&last, before) = letters.split_last()?;
    let marked = |end: &str| before.iter().rev().zip(end.chars().rev()).filter(|(a, b)| **a == *b).count() == end.chars().count();
    ["ベビー", "ベビ", "ベイビー", "ベイビ", "BABY", "新生児", "児"].into_iter().any(marked).then(|| number(last)).flatten()
}

fn newborn(row: &Row<'_>) -> bool {
    let texts = || row.written.iter().chain(&row.read).chain([&row.latin]).copied();
    if texts().any(|t| BABY.iter().any(|b| t.contains(b))) {
        return true;
    }
    let given = row.written[1].rsplit(' ').next().unwrap_or_default();
    let numbered = given
        .strip_suffix('子')
        .or_else(|| given.strip_suffix('児'))
        .and_then(|g| g.rsplit_once('第'))
        .is_some_and(|(_, n)| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit() || "一二三四五六".contains(c)));
    let young = matches!((row.birth, row.seen), (Some(b), Some(s)) if (0..=90).contains(&(s.saturating_sub(b))));
    let of_mother = ["の子", "ノ子", "児", "ノコ"].iter().any(|end| given.ends_with(end) && given.chars().count() > 2);
    numbered || given == "児" || ["男児", "女児"].iter().any(|end| given.ends_with(end)) || (young && of_mother)
}

/// Whether a birth date only fills its field.
pub(crate) fn filler_date(days: i32) -> bool {
    let (year, ..) = civil_from_days(days);
    !(1870..=2150).contains(&year) || Some(days) == days_from_civil(1900, 1, 1)
}
