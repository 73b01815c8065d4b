//! When two cells say the same: for counting persons and different sensitive values, never for what is written.

use unicode_normalization::UnicodeNormalization;

/// A cell without what does not tell it from another: width (NFKC), case, blanks around it and repeated, and of a number how
/// it is written (`1`, `1.0`, `+1`). A number with zeros before it is a code and stays itself.
pub fn plain(cell: &str) -> String {
    let text: String = cell.nfkc().flat_map(char::to_lowercase).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let number = text.strip_prefix('+').unwrap_or(&text);
    let digits = number.strip_prefix('-').unwrap_or(number);
    let code = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let written =
        digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match number.parse::<f64>() {
        // More digits than a number holds would make different values one.
        Ok(value) if written && !code && digits.len() <= 15 => (value + 0.0).to_string(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn spellings_of_one_value_are_one_and_codes_stay_apart() {
        for (one, other) in [
            ("HIV", "ＨＩＶ"),
            ("HIV", " hiv "),
            ("1", "1.0"),
            ("１", "+1.00"),
            ("0", "-0"),
            ("a  b", "a\u{3000}b"),
            (".5", "0.5"),
        ] {
            assert_eq!(plain(one), plain(other), "{one} {other}");
        }
        for (one, other) in [("007", "7"), ("A1", "A10"), ("1", "1a"), ("12345678901234567", "12345678901234568"), ("", "0")] {
            assert_ne!(plain(one), plain(other), "{one} {other}");
        }
    }
}
