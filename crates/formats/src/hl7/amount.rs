use std::borrow::Cow;

/// A relation that stands before a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

/// A number as a laboratory writes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount {
    /// The number.
    pub number: f64,
    /// The relation before (or, in Japanese, behind) it.
    pub operator: Option<Operator>,
    /// Whether more was done than reading digits: full-width characters, a comma, words.
    pub doubtful: bool,
}

/// Reads `0.05`, `< 0.05`, `>=500`, `７．２`, `1,32`, `1,320`, `0.05未満`. `None` when it is no number.
///
/// A comma before exactly three digits at the end is taken for a thousands mark, any other single comma for a decimal
/// comma; both are doubtful.
pub fn amount(text: &str) -> Option<Amount> {
    let text = text.trim();
    if let Some(number) = plain(text) {
        return Some(Amount { number, operator: None, doubtful: false });
    }
    let narrow = narrow(text);
    let mut doubtful = matches!(narrow, Cow::Owned(_));
    let (mut operator, mut rest) = leading_operator(narrow.trim());
    for (word, meaning) in
        [("以上", Operator::GreaterOrEqual), ("以下", Operator::LessOrEqual), ("未満", Operator::Less), ("超", Operator::Greater)]
    {
        if let (None, Some(before)) = (operator, rest.strip_suffix(word)) {
            (operator, rest, doubtful) = (Some(meaning), before, true);
        }
    }
    let rest = rest.trim();
    if let Some(number) = plain(rest) {
        return Some(Amount { number, operator, doubtful });
    }
    let number = comma(rest)?;
    Some(Amount { number, operator, doubtful: true })
}

fn leading_operator(text: &str) -> (Option<Operator>, &str) {
    for (mark, operator) in [
        ("<=", Operator::LessOrEqual),
        ("=<", Operator::LessOrEqual),
        ("≦", Operator::LessOrEqual),
        ("≤", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("=>", Operator::GreaterOrEqual),
        ("≧", Operator::GreaterOrEqual),
        ("≥", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("=", Operator::Equal),
    ] {
        if let Some(rest) = text.strip_prefix(mark) {
            return (Some(operator), rest);
        }
    }
    (None, text)
}

/// Digits with a sign and a point, and nothing else: `inf`, `nan`, `1e5` and `0x1` are no laboratory's numbers.
fn plain(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let fits = !digits.is_empty()
        && digits.len() <= 32
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().any(|b| b.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

fn comma(text: &str) -> Option<f64> {
    let (before, behind) = text.split_once(',')?;
    let groups: Vec<&str> = behind.split(',').collect();
    let whole = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let (last, middle) = groups.split_last()?;
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    if middle.iter().chain([&last]).all(|g| g.len() == 3 && whole(g)) {
        let joined = format!("{before}{}{last}{}{fraction}", middle.concat(), if fraction.is_empty() { "" } else { "." });
        return plain(&joined);
    }
    if groups.len() == 1 && fraction.is_empty() && whole(behind) {
        return plain(&format!("{before}.{behind}"));
    }
    None
}

/// Full-width ASCII made half-width.
fn narrow(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let wide = |c: char| matches!(c, '\u{FF01}'..='\u{FF5E}' | '\u{3000}' | '\u{2212}' | '〜');
    if !text.chars().any(wide) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|c| match c {
                '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
                '\u{3000}' => ' ',
                '\u{2212}' => '-',
                '〜' => '~',
                other => other,
            })
            .collect(),
    )
}

/// Bounds of a reference range.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Range {
    /// Lower bound.
    pub low: Option<f64>,
    /// Upper bound.
    pub high: Option<f64>,
}

/// Reads `6.7-8.3`, `<85`, `>=40`, `3.3～8.6`, `-2.0-2.0`. `None` when it is no range of numbers.
pub fn range(text: &str) -> Option<Range> {
    let narrow = narrow(text.trim());
    let text = narrow.trim();
    let (operator, rest) = leading_operator(text);
    if let Some(operator) = operator {
        let bound = plain(rest.trim())?;
        return Some(match operator {
            Operator::Less | Operator::LessOrEqual => Range { low: None, high: Some(bound) },
            Operator::Greater | Operator::GreaterOrEqual => Range { low: Some(bound), high: None },
            Operator::Equal => Range { low: Some(bound), high: Some(bound) },
        });
    }
    for (at, mark) in text.char_indices().skip(1) {
        if !matches!(mark, '-' | '~') {
            continue;
        }
        let (low, high) = (text[..at].trim(), text[at + 1..].trim());
        if let (true, Some(high)) = (low.is_empty(), plain(high)) {
            return Some(Range { low: None, high: Some(high) });
        }
        match (plain(low), plain(high)) {
            (Some(low), Some(high)) => return Some(Range { low: Some(low), high: Some(high) }),
            (Some(low), None) if high.is_empty() => return Some(Range { low: Some(low), high: None }),
            _ => {}
        }
    }
    let amount = amount(text)?;
    match amount.operator? {
        Operator::Less | Operator::LessOrEqual => Some(Range { low: None, high: Some(amount.number) }),
        Operator::Greater | Operator::GreaterOrEqual => Some(Range { low: Some(amount.number), high: None }),
        Operator::Equal => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_laboratories_write_them() {
        let cases = [
            ("7.4", 7.4, None, false),
            ("-0.5", -0.5, None, false),
            ("+3", 3.0, None, false),
            (" 5 ", 5.0, None, false),
            ("< 0.05", 0.05, Some(Operator::Less), false),
            (">=500", 500.0, Some(Operator::GreaterOrEqual), false),
            ("≦3", 3.0, Some(Operator::LessOrEqual), false),
            ("７．２", 7.2, None, true),
            ("−１．５", -1.5, None, true),
            ("＜０．０５", 0.05, Some(Operator::Less), true),
            ("1,32", 1.32, None, true),
            ("1,320", 1320.0, None, true),
            ("1,234,567", 1_234_567.0, None, true),
            ("0.05未満", 0.05, Some(Operator::Less), true),
            ("100以上", 100.0, Some(Operator::GreaterOrEqual), true),
        ];
        for (text, number, operator, doubtful) in cases {
            assert_eq!(amount(text), Some(Amount { number, operator, doubtful }), "{text}");
        }
    }

    #[test]
    fn words_and_odd_forms_are_no_numbers() {
        for text in ["", "検体凝固", "(±)", "NaN", "inf", "1e5", "0x10", "1.2.3", "--1", ".", "-", "1,2,3", "1:128", "陽性", "+-"]
        {
            assert_eq!(amount(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_have_the_bounds_they_state() {
        let both = |l, h| Some(Range { low: Some(l), high: Some(h) });
        assert_eq!(range("6.7-8.3"), both(6.7, 8.3));
        assert_eq!(range("３．３～８．６"), both(3.3, 8.6));
        assert_eq!(range("3.3〜8.6"), both(3.3, 8.6));
        assert_eq!(range("-2.0-2.0"), both(-2.0, 2.0));
        assert_eq!(range("-5--1"), both(-5.0, -1.0));
        assert_eq!(range("<85"), Some(Range { low: None, high: Some(85.0) }));
        assert_eq!(range(">= 40"), Some(Range { low: Some(40.0), high: None }));
        assert_eq!(range("60以上"), Some(Range { low: Some(60.0), high: None }));
        assert_eq!(range("-30"), None, "a lone number may be a bound or a value");
        for text in ["", "(-)", "陰性", "-", "~", "A-B"] {
            assert_eq!(range(text), None, "{text}");
        }
    }
}
