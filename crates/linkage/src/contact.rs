//! Telephone, home and insurance card as keys: equal keys, equal things.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use crate::text::plain;

/// A key: 64 bits of a value. Only ever compared inside one run.
pub(crate) fn key(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish().max(1)
}

/// Digits of a telephone number with 0 for +81; `None` when it is too short, too long or a filler.
pub(crate) fn phone(raw: &str) -> Option<u64> {
    let text = plain(raw);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let national = match digits.strip_prefix("81") {
        Some(rest) if text.starts_with('+') => format!("0{}", rest.trim_start_matches('0')),
        _ => digits,
    };
    let filler =
        |d: &str| d.bytes().skip(1).collect::<std::collections::BTreeSet<_>>().len() <= 2 && d.len() >= 9 && tail_is_one(d);
    ((9..=11).contains(&national.len()) && national.starts_with('0') && !filler(&national)).then(|| key(("phone", national)))
}

fn tail_is_one(digits: &str) -> bool {
    let tail = digits.as_bytes().get(3..).unwrap_or_default();
    tail.windows(2).all(|w| w[0] == w[1])
}

/// Seven digits of a postal code, no filler.
fn postal(raw: &str) -> Option<String> {
    let digits: String = plain(raw).chars().filter(char::is_ascii_digit).collect();
    let filler = digits.bytes().all(|b| b == b'0') || digits.bytes().all(|b| b == b'9');
    (digits.len() == 7 && !filler).then_some(digits)
}

const PREFECTURES: &str = "北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県 東京都 神奈川県 新潟県 富山県 石川県 福井県 \
山梨県 長野県 岐阜県 静岡県 愛知県 三重県 滋賀県 京都府 大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県 岡山県 広島県 山口県 徳島県 香川県 愛媛県 高知県 福岡県 \
佐賀県 長崎県 熊本県 大分県 宮崎県 鹿児島県 沖縄県";

const DIGITS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

/// A number written with characters up to 九十九, `None` for anything else.
fn number(text: &[char]) -> Option<u32> {
    let digit = |c: &char| DIGITS.iter().position(|d| d == c).map(|d| d as u32);
    match text.iter().position(|&c| c == '十') {
        Some(at) => {
            let tens = if at == 0 {
                1
            } else if at == 1 {
                digit(&text[0])?
            } else {
                return None;
            };
            let ones = match &text[at + 1..] {
                [] => 0,
                [one] => digit(one)?,
                _ => return None,
            };
            Some(tens * 10 + ones)
        }
        None => text.iter().try_fold(0u32, |sum, c| sum.checked_mul(10)?.checked_add(digit(c)?)).filter(|_| !text.is_empty()),
    }
}

/// Numerals before 丁目, 番, 号, 条 as digits; elsewhere they belong to a name (三鷹) and stay.
fn arabic(text: &str) -> Vec<char> {
    let chars: Vec<char> = text.chars().collect();
    let numeral = |c: &char| DIGITS.contains(c) || *c == '十';
    let (mut out, mut at) = (Vec::with_capacity(chars.len()), 0);
    while at < chars.len() {
        let run = chars[at..].iter().take_while(|c| numeral(c)).count();
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
    out
}

/// Place name and the numbers after it, the building left out. `None` without place or number.
fn home(raw: &str) -> Option<(String, Vec<u32>)> {
    let text = plain(raw);
    let text = text.trim_start_matches(|c: char| c == '〒' || c == '-' || c == ' ' || c.is_ascii_digit());
    let text = PREFECTURES.split(' ').find_map(|p| text.strip_prefix(p)).unwrap_or(text);
    let text = text.replace("大字", "").replace("番地", "番");
    let chars = arabic(&text);
    let mut place = String::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c.is_ascii_digit() && !before_jo(&chars[at..]) {
            break;
        }
        match c {
            ' ' | '字' => {}
            'ヶ' | 'ケ' | 'が' | 'ガ' | 'ヵ' | 'ゖ' => place.push('ケ'),
            'ノ' | '之' | 'の' => place.push('の'),
            other => place.push(crate::variants::class(other)),
        }
        at += 1;
    }
    let mut numbers = Vec::new();
    while numbers.len() < 3 && chars.get(at).is_some_and(char::is_ascii_digit) {
        let len = chars[at..].iter().take_while(|c| c.is_ascii_digit()).count();
        numbers.push(chars[at..at + len].iter().collect::<String>().parse().ok()?);
        at += len;
        if chars.get(at) == Some(&'丁') {
            at += 2;
        } else if chars.get(at).is_some_and(|c| matches!(c, '番' | '号')) {
            at += 1;
        }
        if chars.get(at).is_some_and(|c| matches!(c, '-' | '‐' | '‑' | '–' | '—' | '―' | '−' | 'ー' | 'の' | 'ノ'))
        {
            at += 1;
        }
    }
    (!place.is_empty() && !numbers.is_empty()).then_some((place, numbers))
}

fn before_jo(chars: &[char]) -> bool {
    chars.iter().find(|c| !c.is_ascii_digit()) == Some(&'条')
}

/// Keys of a home: place and numbers, and postal code and numbers (a merged municipality keeps its postal codes).
pub(crate) fn homes(address: &str, postal_code: &str) -> Vec<u64> {
    let Some((place, numbers)) = home(address) else { return Vec::new() };
    let by_code = postal(postal_code).map(|code| key(("postal", code, &numbers)));
    std::iter::once(key(("place", place, &numbers))).chain(by_code).collect()
}

/// A card: its key, the branch number that makes it personal, and whether it is personal without one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Card {
    pub key: u64,
    pub branch: Option<u8>,
    pub personal: bool,
}

/// The check digit of an insurer number fits (weights 2, 1 from the right, digit sums, modulo 10).
pub(crate) fn check_digit_fits(insurer: &str) -> bool {
    let weighted = |(at, b): (usize, u8)| {
        let n = u32::from(b - b'0') * if at % 2 == 1 { 2 } else { 1 };
        n / 10 + n % 10
    };
    !insurer.is_empty()
        && insurer.bytes().all(|b| b.is_ascii_digit())
        && insurer.bytes().rev().enumerate().map(weighted).sum::<u32>() % 10 == 0
}

/// Laws (first two of eight digits, 法別番号) whose cards are medical insurance. All others pay for a person beside or instead of an
/// insurance (12: public assistance) and their numbers are given anew by each office, so they say nothing of who someone is.
const INSURANCE_LAWS: [&str; 18] =
    ["00", "01", "02", "03", "04", "06", "07", "31", "32", "33", "34", "39", "63", "67", "72", "73", "74", "75"];

/// The card of an insurer number, symbol, number and branch. `None` when there is nothing to compare or it is no insurance.
pub(crate) fn card(insurer: &str, symbol: &str, number: &str, branch: &str) -> Option<Card> {
    let digits = |raw: &str| plain(raw).chars().filter(char::is_ascii_digit).collect::<String>();
    let insurer = format!("{:0>8}", digits(insurer));
    let law = insurer.get(..2).filter(|law| insurer.len() == 8 && INSURANCE_LAWS.contains(law))?;
    let number = plain(number).chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let number = number.trim_start_matches('0');
    let filler = number.len() >= 4 && number.bytes().all(|b| b == number.as_bytes()[0]);
    if number.is_empty() || filler {
        return None;
    }
    let symbol: String = plain(symbol).chars().filter(|c| c.is_alphanumeric()).map(crate::variants::class).collect();
    let branch = digits(branch).parse::<u8>().ok();
    Some(Card { key: key(("card", &insurer, symbol.trim_start_matches('0'), number)), branch, personal: law == "39" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_home_is_one_key_in_every_notation() {
        let all = [
            "群馬県高崎市仲町３丁目６０番１４号",
            "群馬県高崎市仲町三丁目60番14号",
            "高崎市仲町3丁目60-14",
            "群馬県 高崎市 仲町3−60ー14 コーポ仲町201",
            "群馬県高崎市仲町3丁目60の14",
        ];
        let place = |name: &str, numbers: &[u32]| Some((crate::text::kanji(name), numbers.to_vec()));
        for text in all {
            assert_eq!(home(text), place("高崎市仲町", &[3, 60, 14]), "{text}");
        }
        assert_eq!(home("三鷹市下連雀十二番3号"), place("三鷹市下連雀", &[12, 3]));
        assert_eq!(home("北海道札幌市中央区北三条西6丁目1"), place("札幌市中央区北3条西", &[6, 1]));
        assert_eq!(home("大字山手"), None);
        assert_eq!(homes("つつじヶ丘1-2", "")[0], homes("つつじが丘1番2号", "")[0]);
    }

    #[test]
    fn telephones_agree_in_digits_and_fillers_are_none() {
        assert_eq!(phone("090-1234-5678"), phone("+81 90 1234 5678"));
        assert_eq!(phone("０９０（１２３４）５６７８"), phone("09012345678"));
        for filler in ["000-0000-0000", "09000000000", "0999999999", "12345", "", "090-1234-56789"] {
            assert_eq!(phone(filler), None, "{filler}");
        }
    }

    #[test]
    fn a_card_is_one_whether_padded_widened_or_zero_filled() {
        let same = |a: Option<Card>, b: Option<Card>| a.map(|c| c.key) == b.map(|c| c.key) && a.is_some();
        assert!(same(card("138057", "", "0012345", ""), card("00138057", "", "１２３４５", "01")));
        assert!(same(card("06130018", "公立・東", "700", ""), card("06130018", "公立東", "700", "")));
        assert!(card("39131156", "", "12345678", "").is_some_and(|c| c.personal));
    }

    #[test]
    fn the_recipient_number_of_public_assistance_is_no_evidence() {
        assert!(card("12131156", "", "1234567", "").is_none());
        assert!(card("54136015", "", "1234567", "").is_none());
    }

    #[test]
    fn check_digits_are_verified() {
        assert!(check_digit_fits("06130016") ^ check_digit_fits("06130017"));
        assert!(!check_digit_fits(""));
        let fitting = (0..10).filter(|d| check_digit_fits(&format!("0613001{d}"))).count();
        assert_eq!(fitting, 1);
    }
}
