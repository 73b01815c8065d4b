//! Telephone, home and insurance card as numbers: equal numbers, equal things. Written for speed: every row has one of each.

use std::sync::LazyLock;

use crate::hash::{self, FastSet, mix};
use crate::text::plain;
use crate::variants;

/// Digits of a text in any width, `None` when there are none or more than 18.
fn digits(raw: &str) -> Option<(u64, u32)> {
    let (mut value, mut count) = (0u64, 0u32);
    for c in raw.chars() {
        let digit = match c {
            '0'..='9' => c as u32 - '0' as u32,
            '０'..='９' => c as u32 - '０' as u32,
            _ => continue,
        };
        count += 1;
        if count > 18 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    (count > 0).then_some((value, count))
}

/// A telephone number as its digits behind a leading 1, with 0 for +81; 0 when it is too short, too long or a filler.
pub(crate) fn phone(raw: &str) -> u64 {
    let Some((mut value, mut count)) = digits(raw) else { return 0 };
    let start = raw.trim_start();
    if start.starts_with('+') || start.starts_with('＋') {
        let mut scale = 10u64.pow(count.saturating_sub(2));
        if value / scale != 81 {
            return 0;
        }
        value %= scale;
        count -= 2;
        // +81 (0)90 …
        scale /= 10;
        if scale > 0 && value / scale == 0 {
            count -= 1;
        }
        count += 1;
    }
    let first = 10u64.pow(count.saturating_sub(1));
    if !(9..=11).contains(&count) || value / first != 0 || one_digit(value, count - 3) {
        return 0;
    }
    10u64.pow(count) + value
}

/// Whether the last `count` digits are all the same: a filler.
fn one_digit(value: u64, count: u32) -> bool {
    let last = value % 10;
    (0..count).all(|at| value / 10u64.pow(at) % 10 == last)
}

/// Whether the number is a mobile telephone's, which is one person's more often than a home's.
pub(crate) fn is_mobile(phone: u64) -> bool {
    (100_000_000_000..200_000_000_000).contains(&phone) && matches!(phone / 100_000_000 % 1000, 60 | 70 | 80 | 90)
}

/// Seven digits of a postal code behind a leading 1; 0 for none and for fillers.
pub(crate) fn postal(raw: &str) -> u32 {
    match digits(raw) {
        Some((value, 7)) if !one_digit(value, 7) => 10_000_000 + value as u32,
        _ => 0,
    }
}

const PREFECTURES: &str = "北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県 東京都 神奈川県 新潟県 富山県 石川県 福井県 \
山梨県 長野県 岐阜県 静岡県 愛知県 三重県 滋賀県 京都府 大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県 岡山県 広島県 山口県 徳島県 香川県 愛媛県 高知県 福岡県 \
佐賀県 長崎県 熊本県 大分県 宮崎県 鹿児島県 沖縄県";

static PREFECTURE: LazyLock<FastSet<u64>> = LazyLock::new(|| {
    let hash = |name: &str| name.chars().fold(0, |state, c| mix(state, c as u64));
    PREFECTURES.split(' ').map(hash).collect()
});

/// A character of an address: one width, one script, one dash. `None` when only the whole rules of Unicode will do.
fn simple(c: char) -> Option<char> {
    Some(match c {
        '０'..='９' | 'Ａ'..='Ｚ' => char::from_u32(c as u32 - 0xfee0)?,
        'ａ'..='ｚ' => char::from_u32(c as u32 - 0xfee0 - 32)?,
        'a'..='z' => c.to_ascii_uppercase(),
        '0'..='9' | 'A'..='Z' => c,
        '　' | ' ' => ' ',
        '-' | '－' | '‐' | '‑' | '–' | '—' | '―' | '−' => '-',
        'ー' | 'ァ'..='ヺ' | 'ぁ'..='ゖ' | '々' | '〇' => c,
        '\u{4e00}'..='\u{9fff}' => c,
        _ => return None,
    })
}

fn numeral(c: char) -> Option<u32> {
    Some(match c {
        '〇' => 0,
        '一' => 1,
        '二' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        '十' => 10,
        _ => return None,
    })
}

/// A number written with characters, up to 九十九 or as digits in a row, `None` for anything else.
fn number(text: &[char]) -> Option<u32> {
    let at = |i: usize| text.get(i).and_then(|c| numeral(*c));
    match text.iter().position(|&c| c == '十') {
        Some(ten) if ten <= 1 && text.len() <= ten + 2 => {
            let tens = if ten == 0 { 1 } else { at(0)? };
            let ones = if text.len() == ten + 2 { at(ten + 1)? } else { 0 };
            (tens < 10 && ones < 10).then_some(tens * 10 + ones)
        }
        Some(_) => None,
        None if text.is_empty() => None,
        None => text.iter().try_fold(0u32, |sum, c| sum.checked_mul(10)?.checked_add(numeral(*c)?)),
    }
}

/// Numerals before 丁目, 番, 号, 条 as digits; elsewhere they belong to a name (三鷹) and stay.
fn arabic(chars: &mut Vec<char>) {
    if !chars.iter().any(|c| numeral(*c).is_some()) {
        return;
    }
    let mut out = Vec::with_capacity(chars.len());
    let mut at = 0;
    while at < chars.len() {
        let run = chars[at..].iter().take_while(|c| numeral(**c).is_some()).count();
        let end = at + run;
        let counted = match chars.get(end) {
            Some('丁') => chars.get(end + 1) == Some(&'目'),
            Some('番' | '号' | '条') => true,
            _ => false,
        };
        match number(&chars[at..end]).filter(|_| run > 0 && counted) {
            Some(n) => out.extend(n.to_string().chars()),
            None => out.extend(&chars[at..end]),
        }
        at = end;
        if let Some(c) = chars.get(at) {
            out.push(*c);
            at += 1;
        }
    }
    *chars = out;
}

/// Hash of the place name of an address without its prefecture, and the numbers after it; the building is left out. (0, 0) without
/// either. `buffer` is only there to be used again.
pub(crate) fn home(raw: &str, buffer: &mut Vec<char>) -> (u32, u64) {
    buffer.clear();
    buffer.extend(raw.chars().map_while(simple));
    let is_simple = raw.chars().nth(buffer.len()).is_none();
    let (home, whole) = numbered(buffer);
    // what is not simple in the name of a building has no say; anywhere else it takes the whole rules of Unicode
    if is_simple || (!whole && home != (0, 0)) {
        return home;
    }
    buffer.clear();
    buffer.extend(plain(raw).chars().map(|c| simple(c).unwrap_or(c)));
    numbered(buffer).0
}

/// The same of simple letters, and whether all of them had a say.
fn numbered(buffer: &mut Vec<char>) -> ((u32, u64), bool) {
    arabic(buffer);
    let mut chars = &buffer[..];
    while let [first, rest @ ..] = chars {
        if !matches!(first, '〒' | '-' | ' ') && !first.is_ascii_digit() {
            break;
        }
        chars = rest;
    }
    for len in [3, 4] {
        let Some(head) = chars.get(..len).filter(|h| matches!(h[len - 1], '都' | '道' | '府' | '県')) else { continue };
        if PREFECTURE.contains(&head.iter().fold(0, |state, c| mix(state, *c as u64))) {
            chars = &chars[len..];
            break;
        }
    }
    let (mut place, mut letters, mut at) = (0u64, 0u32, 0);
    // digits before 条 belong to the name of a place; where a run of digits ends is looked up once
    let mut counted = 0;
    while let Some(&c) = chars.get(at) {
        if c.is_ascii_digit() && at >= counted {
            counted = at + chars[at..].iter().take_while(|c| c.is_ascii_digit()).count();
            if chars.get(counted) != Some(&'条') {
                break;
            }
        }
        let letter = match c {
            '大' if chars.get(at + 1) == Some(&'字') => {
                at += 2;
                continue;
            }
            ' ' | '字' => {
                at += 1;
                continue;
            }
            'ヶ' | 'ケ' | 'が' | 'ガ' | 'ヵ' | 'ゖ' | 'け' => 'ケ',
            'ノ' | '之' | 'の' => 'の',
            other => variants::class(other),
        };
        place = mix(place, letter as u64);
        letters += 1;
        at += 1;
    }
    let (mut packed, mut count) = (0u64, 0u32);
    while count < 3 && chars.get(at).is_some_and(char::is_ascii_digit) {
        let mut value = 0u64;
        while let Some(digit) = chars.get(at).and_then(|c| c.to_digit(10)) {
            value = (value * 10 + u64::from(digit)).min(0xffff);
            at += 1;
        }
        packed |= value << (16 * count);
        count += 1;
        match (chars.get(at), chars.get(at + 1)) {
            (Some('丁'), _) | (Some('番'), Some('地')) => at += 2,
            (Some('番' | '号'), _) => at += 1,
            _ => {}
        }
        if matches!(chars.get(at), Some('-' | 'ー' | 'の' | 'ノ')) {
            at += 1;
        }
    }
    let home = if letters == 0 || count == 0 { (0, 0) } else { ((place as u32).max(1), packed | u64::from(count) << 48) };
    (home, at >= chars.len())
}

/// The numbers of an address, see [`home`].
pub(crate) fn numbers(packed: u64) -> ([u16; 3], usize) {
    ([packed as u16, (packed >> 16) as u16, (packed >> 32) as u16], (packed >> 48) as usize & 3)
}

/// A card in numbers.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Card {
    pub insurer: u32,
    pub symbol: u32,
    pub number: u64,
    pub branch: Option<u8>,
    pub wrong_check_digit: bool,
}

/// The check digit of an insurer number fits (weights 2, 1 from the right, digit sums, modulo 10).
fn check_digit_fits(insurer: u64) -> bool {
    let weighted = |at: u32| {
        let n = insurer / 10u64.pow(at) % 10 * if at % 2 == 1 { 2 } else { 1 };
        n / 10 + n % 10
    };
    insurer > 0 && (0..8).map(weighted).sum::<u64>() % 10 == 0
}

/// Laws (first two of eight digits, 法別番号) whose cards are medical insurance. All others pay for a person beside or instead of an
/// insurance (12: public assistance) and their numbers are given anew by each office, so they say nothing of who someone is.
const INSURANCE_LAWS: [u64; 18] = [0, 1, 2, 3, 4, 6, 7, 31, 32, 33, 34, 39, 63, 67, 72, 73, 74, 75];

/// The card of an insurer number, symbol, number and branch; all 0 when there is nothing to compare or it is no insurance.
pub(crate) fn card(insurer: &str, symbol: &str, number: &str, branch: &str) -> Card {
    let Some((insurer, count)) = digits(insurer) else { return Card::default() };
    if count > 8 || !INSURANCE_LAWS.contains(&(insurer / 1_000_000)) {
        return Card::default();
    }
    let number = card_number(number);
    if number == 0 {
        return Card::default();
    }
    let branch = digits(branch).and_then(|(value, _)| u8::try_from(value).ok()).filter(|b| *b < 100);
    Card { insurer: insurer as u32, symbol: card_symbol(symbol), number, branch, wrong_check_digit: !check_digit_fits(insurer) }
}

/// Digits without leading zeros, or a hash where there are letters; 0 for none and for fillers (9999…).
fn card_number(raw: &str) -> u64 {
    let simple = raw.chars().all(|c| c.is_ascii_digit() || matches!(c, '０'..='９' | '-' | ' '));
    match digits(raw) {
        Some((value, _)) if simple => {
            let count = value.checked_ilog10().map_or(0, |l| l + 1);
            if count >= 4 && one_digit(value, count) { 0 } else { value }
        }
        _ => {
            let text: String = plain(raw).chars().filter(char::is_ascii_alphanumeric).collect();
            let text = text.trim_start_matches('0');
            if text.is_empty() { 0 } else { hash::bytes(text.as_bytes()) | 1 << 63 }
        }
    }
}

fn card_symbol(raw: &str) -> u32 {
    if raw.is_empty() {
        return 0;
    }
    let mut state = 0u64;
    let mut add = |c: char| {
        // leading zeros are written or not
        if state != 0 || c != '0' {
            state = mix(state, variants::class(c) as u64);
        }
    };
    if raw.chars().all(|c| simple(c).is_some()) {
        raw.chars().filter_map(simple).filter(|c| c.is_alphanumeric()).for_each(&mut add);
    } else {
        plain(raw).chars().filter(|c| c.is_alphanumeric()).for_each(&mut add);
    }
    if state == 0 { 0 } else { (state as u32).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> (u32, u64) {
        home(text, &mut Vec::new())
    }

    #[test]
    fn one_home_is_one_key_in_every_notation() {
        let all = [
            "群馬県高崎市仲町３丁目６０番１４号",
            "群馬県高崎市仲町三丁目60番14号",
            "高崎市仲町3丁目60-14",
            "群馬県 高崎市 仲町3−60ー14 コーポ仲町201",
            "群馬県高崎市仲町3丁目60の14",
            "〒370-0001 群馬県高崎市大字仲町3丁目60番地14",
        ];
        for text in all {
            assert_eq!(at(text), at(all[0]), "{text}");
            assert_eq!(numbers(at(text).1), ([3, 60, 14], 3), "{text}");
        }
        assert_eq!(numbers(at("三鷹市下連雀十二番3号").1), ([12, 3, 0], 2));
        assert_eq!(numbers(at("北海道札幌市中央区北三条西6丁目1").1), ([6, 1, 0], 2));
        assert_eq!(at("大字山手"), (0, 0));
        assert_eq!(at("つつじヶ丘1-2"), at("つつじが丘1番2号"));
        assert_ne!(at("三鷹市1-2"), at("3鷹市1-2"));
    }

    #[test]
    fn what_is_odd_behind_the_numbers_changes_no_home() {
        bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
            let alphabet = ["三鷹市", "1", "二", "丁目", "番", "-", "ノ", "カ", "・", "㈱", "\u{3099}", "①", " ", "条"];
            let text: String = bytes.iter().map(|b| alphabet[usize::from(*b) % alphabet.len()]).collect();
            // the whole rules from the start
            let mut letters: Vec<char> = plain(&text).chars().map(|c| simple(c).unwrap_or(c)).collect();
            if text.chars().all(|c| simple(c).is_some()) {
                letters = text.chars().filter_map(simple).collect();
            }
            assert_eq!(at(&text), numbered(&mut letters).0, "{text:?}");
        });
    }

    #[test]
    fn telephones_agree_in_digits_and_fillers_are_none() {
        assert_eq!(phone("090-1234-5678"), phone("+81 90 1234 5678"));
        assert_eq!(phone("090-1234-5678"), phone("+81 (0)90-1234-5678"));
        assert_eq!(phone("０９０（１２３４）５６７８"), phone("09012345678"));
        assert!(is_mobile(phone("09012345678")) && !is_mobile(phone("0312345678")));
        for filler in ["000-0000-0000", "09000000000", "0999999999", "12345", "", "090-1234-56789", "+1 212 555 0100", "+", "+8"]
        {
            assert_eq!(phone(filler), 0, "{filler}");
        }
    }

    #[test]
    fn a_card_is_one_whether_padded_widened_or_zero_filled() {
        let same = |a: Card, b: Card| (a.insurer, a.symbol, a.number) == (b.insurer, b.symbol, b.number) && a.number != 0;
        assert!(same(card("138057", "", "0012345", ""), card("00138057", "", "１２３４５", "01")));
        assert!(same(card("06130018", "公立・東", "700", ""), card("06130018", "公立東", "700", "")));
        assert_eq!(card("39131156", "", "12345678", "").insurer / 1_000_000, 39);
        assert_eq!(card("06130018", "1", "9999", "").number, 0);
    }

    #[test]
    fn the_recipient_number_of_public_assistance_is_no_evidence() {
        assert_eq!(card("12131156", "", "1234567", "").number, 0);
        assert_eq!(card("54136015", "", "1234567", "").number, 0);
    }

    #[test]
    fn check_digits_are_verified() {
        assert!(!check_digit_fits(0));
        let fitting = (0..10).filter(|d| check_digit_fits(6_130_010 + d)).count();
        assert_eq!(fitting, 1);
    }
}
