//! A last look at what leaves: cells that look like what says who somebody is, whatever the treatment of their column.
//!
//! * My Number (個人番号): twelve digits whose last is their check digit (Order of the Ministry of Internal Affairs and Communications No. 85 of
//!   2014, Art. 5);
//! * numbers of insurers (保険者番号): eight digits whose last is their check digit (modulus 10, weights 2 and 1);
//! * telephone numbers and mail addresses.
//!
//! A check digit fits by chance, one My Number in eleven and one insurer's number in ten: a column is suspected where more of its numbers fit
//! than chance would have.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray as _;
use arrow::record_batch::RecordBatch;
use unicode_normalization::UnicodeNormalization as _;

use crate::AnonymityError;

/// What a cell looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Looks {
    /// 個人番号
    MyNumber,
    /// 保険者番号
    Insurer,
    /// A telephone number.
    Telephone,
    /// A mail address.
    Mail,
}

impl Looks {
    /// Its word in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Looks::MyNumber => "My Number",
            Looks::Insurer => "保険者番号",
            Looks::Telephone => "telephone",
            Looks::Mail => "mail",
        }
    }
}

/// Looks at every text of every table.
///
/// # Errors
/// The first column in which something is suspected.
pub fn check(tables: &BTreeMap<String, RecordBatch>) -> Result<(), AnonymityError> {
    for (table, batch) in tables {
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let Some(texts) = column.as_string_opt::<i32>() else { continue };
            let different: BTreeSet<&str> = texts.iter().flatten().collect();
            if let Some((looks, cells)) = suspected(&different) {
                return Err(AnonymityError::Identifying { table: table.clone(), column: field.name().clone(), looks, cells });
            }
        }
    }
    Ok(())
}

/// What the different cells of a column look like, and how many of them.
pub fn suspected(cells: &BTreeSet<&str>) -> Option<(Looks, usize)> {
    let mut plain: BTreeMap<Looks, usize> = BTreeMap::new();
    let mut checked: BTreeMap<Looks, [usize; 2]> = BTreeMap::new();
    for cell in cells {
        let text: String = cell.nfkc().map(|c| if matches!(c, '‐' | '−' | 'ー' | '–') { '-' } else { c }).collect();
        if is_mail(&text) {
            *plain.entry(Looks::Mail).or_default() += 1;
        }
        if is_telephone(&text) {
            *plain.entry(Looks::Telephone).or_default() += 1;
        }
        for run in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|r| r.bytes().all(|b| b.is_ascii_digit())) {
            let (looks, fits) = match run.len() {
                12 => (Looks::MyNumber, is_my_number(run)),
                8 => (Looks::Insurer, is_insurer(run)),
                _ => continue,
            };
            checked.entry(looks).or_default()[usize::from(fits)] += 1;
        }
    }
    if let Some(found) = plain.into_iter().next() {
        return Some(found);
    }
    checked.into_iter().find_map(|(looks, [not, fits])| {
        // Twelve digits are rarely anything else; eight digits are days and codes too, so it takes several that nearly all fit.
        let suspected = match looks {
            Looks::MyNumber => fits > not,
            _ => fits >= 8 && fits >= not * 9,
        };
        suspected.then_some((looks, fits))
    })
}

/// Letters and digits alone, without regard to width and case, so that a name is found whatever stands between its parts.
pub fn plain(text: &str) -> String {
    text.nfkc().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

fn digits(text: &str) -> Vec<u32> {
    text.bytes().map(|b| u32::from(b.wrapping_sub(b'0'))).collect()
}

/// Twelve digits with the check digit of My Number.
pub fn is_my_number(text: &str) -> bool {
    let digits = digits(text);
    if digits.len() != 12 || digits.iter().any(|d| *d > 9) {
        return false;
    }
    // From the lowest of the eleven: times 2 to 7, then 2 to 6.
    let weighted: u32 = digits[..11].iter().rev().zip(1_u32..).map(|(d, n)| d * if n <= 6 { n + 1 } else { n - 5 }).sum();
    let rest = weighted % 11;
    digits[11] == if rest <= 1 { 0 } else { 11 - rest }
}

/// Eight digits with the check digit of an insurer.
pub fn is_insurer(text: &str) -> bool {
    let digits = digits(text);
    if digits.len() != 8 || digits.iter().any(|d| *d > 9) {
        return false;
    }
    let doubled = |d: u32| if d >= 5 { 2 * d - 9 } else { 2 * d };
    let sum: u32 = digits[..7].iter().rev().enumerate().map(|(n, d)| if n % 2 == 0 { doubled(*d) } else { *d }).sum();
    digits[7] == (10 - sum % 10) % 10
}

fn is_mail(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || "<>()[],;".contains(c)).any(|word| {
        word.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && host.split('.').count() >= 2 && host.split('.').all(|part| !part.is_empty())
        })
    })
}

/// Ten or eleven digits that begin with 0, in groups or (of a mobile telephone) in one.
fn is_telephone(text: &str) -> bool {
    let text = text.replace("+81-", "0").replace("+81", "0");
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "-()".contains(c))).any(|word| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let only = word.bytes().all(|b| b.is_ascii_digit() || b"-()".contains(&b));
        let mobile = ["070", "080", "090", "050"].iter().any(|start| word.starts_with(start));
        let grouped = word.bytes().filter(|b| b"-(".contains(b)).count() >= 1;
        only && word.trim_start_matches('(').starts_with('0')
            && (10..=11).contains(&digits)
            && (grouped || (mobile && digits == 11))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_the_published_rules() {
        // By hand: weights 6 5 4 3 2 7 6 5 4 3 2 from the left, eleven less the rest of the sum.
        assert!(is_my_number("123456789018") && is_my_number("023456789013"));
        assert!(!is_my_number("123456789012") && !is_my_number("12345678901"));
        // With weights 2 and 1 from the right, sums of digits, and what is missing to ten (claims master, record HO).
        assert!(is_insurer("06139463") && is_insurer("01130012"));
        assert!(!is_insurer("06139464") && !is_insurer("0613946"));
        for tens in 0..1_000_u32 {
            let fits = (0..10).filter(|last| is_insurer(&format!("0613{tens:03}{last}"))).count();
            assert_eq!(fits, 1, "one digit fits");
        }
    }

    #[test]
    fn what_says_who_somebody_is_is_seen_in_any_width_and_codes_are_not() {
        let looks = |cells: &[&str]| suspected(&cells.iter().copied().collect()).map(|(looks, _)| looks);
        for cell in ["123456789018", "１２３４５６７８９０１８", "No. 123456789018 です"] {
            assert_eq!(looks(&["LN:1234-5", cell]), Some(Looks::MyNumber), "{cell}");
        }
        for cell in [
            "03-1234-5678",
            "０９０－１２３４－５６７８",
            "09012345678",
            "(03)1234-5678",
            "+81-90-1234-5678",
            "電話 0466-12-3456 まで",
        ] {
            assert_eq!(looks(&[cell]), Some(Looks::Telephone), "{cell}");
        }
        for cell in ["taro@example.jp", "宛先 taro.k@mail.example.ac.jp", "ｔａｒｏ＠example.jp"] {
            assert_eq!(looks(&[cell]), Some(Looks::Mail), "{cell}");
        }
        let insurers: Vec<String> =
            (0..9_u32).map(|n| (0..10).map(|d| format!("0613{n}46{d}")).find(|t| is_insurer(t)).unwrap_or_default()).collect();
        assert_eq!(looks(&insurers.iter().map(String::as_str).collect::<Vec<_>>()), Some(Looks::Insurer));
        let codes = [
            "MDCDX2:20059184",
            "20059184",
            "3A010000002327101",
            "3399008H1020",
            "612345678",
            "LN:1751-7",
            "I10:E119",
            "2024-04-01",
            "20240401",
            "1-2",
            "100-200",
            "50-55",
            ">=201",
            "mg/dL",
            "10*3/uL",
            "HOT9:123456701",
            "その他",
            "JLAC10:3A015000002327101",
            "100000000001",
        ];
        assert_eq!(looks(&codes), None);
    }
}
