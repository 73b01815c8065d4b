//! Results in text: what may be shown of them.

use unicode_normalization::UnicodeNormalization;

/// Words that laboratories report besides signs and digits.
const WORDS: &[&str] = &[
    "陽性",
    "陰性",
    "弱陽性",
    "強陽性",
    "疑陽性",
    "偽陽性",
    "擬陽性",
    "判定保留",
    "保留",
    "正常",
    "異常",
    "異常なし",
    "異常あり",
    "所見なし",
    "所見あり",
    "なし",
    "あり",
    "有",
    "無",
    "検出",
    "検出せず",
    "検出されず",
    "未検出",
    "不検出",
    "以上",
    "以下",
    "未満",
    "超",
    "型",
    "多数",
    "少数",
    "少量",
    "中等量",
    "大量",
    "混濁",
    "清",
    "清澄",
    "透明",
    "黄色",
    "淡黄色",
    "黄褐色",
    "褐色",
    "赤色",
    "溶血",
    "乳び",
    "測定不能",
    "検体不足",
    "右",
    "左",
    "両側",
    "倍",
];

/// ASCII words of results, of bacteria and of units, in lower case. What is not among them can be a name.
const ASCII_WORDS: &[&str] = &[
    "positive",
    "negative",
    "pos",
    "neg",
    "normal",
    "abnormal",
    "reactive",
    "nonreactive",
    "non",
    "not",
    "detected",
    "trace",
    "few",
    "rare",
    "moderate",
    "many",
    "none",
    "clear",
    "cloudy",
    "turbid",
    "yellow",
    "brown",
    "weak",
    "weakly",
    "strong",
    "strongly",
    "high",
    "low",
    "equivocal",
    "indeterminate",
    "borderline",
    "present",
    "absent",
    "resistant",
    "intermediate",
    "susceptible",
    "sensitive",
    "hemolysis",
    "over",
    "under",
    "within",
    "above",
    "below",
    "type",
    "group",
    "grade",
    "class",
    "stage",
    "score",
    "titer",
    "ratio",
    "ab",
    "rh",
    "na",
    "nd",
    "ng",
    "ok",
    "wnl",
    "wild",
    "hetero",
    "homo",
    "mutant",
    "vre",
    "mrsa",
    "mssa",
    "esbl",
    "bcr",
    "abl",
    "coli",
    "aureus",
    "epidermidis",
    "pneumoniae",
    "pyogenes",
    "agalactiae",
    "faecalis",
    "faecium",
    "aeruginosa",
    "cloacae",
    "aerogenes",
    "oxytoca",
    "mirabilis",
    "marcescens",
    "freundii",
    "influenzae",
    "catarrhalis",
    "baumannii",
    "difficile",
    "albicans",
    "glabrata",
    "tropicalis",
    "tuberculosis",
    "avium",
    "pylori",
    "sp",
    "spp",
    "mg",
    "dl",
    "ml",
    "ul",
    "ng",
    "pg",
    "ug",
    "kg",
    "iu",
    "mmol",
    "umol",
    "nmol",
    "pmol",
    "meq",
    "mosm",
    "fl",
    "mm",
    "cm",
    "hg",
    "min",
    "sec",
    "hpf",
    "lpf",
    "mmhg",
    "ii",
    "iii",
    "iv",
    "vi",
    "igg",
    "igm",
    "iga",
    "ige",
];

/// A result as it may be shown: NFKC, trimmed, one spelling for a sign. None when it is anything but signs, one or two short
/// numbers, known words for results and codes of public systems: such text can hold names, telephone numbers, numbers of
/// patients, dates of birth.
pub fn result(text: &str) -> Option<String> {
    let text: String = text.nfkc().collect::<String>().trim().to_owned();
    let (system, bare) = super::codes::split(&text);
    if system.starts_with("99") || system.eq_ignore_ascii_case("L") {
        // An institution's own table tells the institution, and its codes mean nothing elsewhere; a sign means what it says.
        return sign(bare);
    }
    if let Some(sign) = sign(&text) {
        return Some(sign);
    }
    if text.is_empty() || text.chars().count() > 24 {
        return None;
    }
    (is_public(system, bare) || is_result(&text)).then_some(text)
}

/// The text of a result whose number leaves beside it: the text may say that number in as many digits as it has.
pub fn of_number(text: &str, number: f64) -> Option<String> {
    let text: String = text.nfkc().collect::<String>().trim().to_owned();
    let bare = text.trim_start_matches(['<', '>', '=', '≦', '≧', '+', '~', ' ']).replace(',', "");
    let said: f64 = bare.parse().ok()?;
    (said.is_finite() && (said - number).abs() <= 1e-9 * said.abs().max(number.abs())).then_some(text)
}

/// `JSHR002:AB`: a system that anybody may use, a short code without words.
pub(super) fn is_public(system: &str, bare: &str) -> bool {
    let words = bare.split(|c: char| !c.is_ascii_alphabetic()).filter(|w| w.len() > 3);
    super::codes::is_public(system)
        && (1..=8).contains(&bare.len())
        && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && bare.bytes().filter(u8::is_ascii_digit).count() <= 6
        && words.into_iter().all(known)
}

fn known(word: &str) -> bool {
    ASCII_WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// A number within a text: its whole part, its fraction, and where it stands.
struct Number<'t> {
    whole: &'t str,
    fraction: &'t str,
    from: usize,
    to: usize,
}

impl Number<'_> {
    /// No number of a patient, no part of a telephone number: four digits before the point, no zero before them.
    fn is_short(&self) -> bool {
        self.whole.len() <= 4 && self.fraction.len() <= 6 && (self.whole == "0" || !self.whole.starts_with('0'))
    }

    fn is_year(&self) -> bool {
        self.whole.len() == 4 && ("1868"..="2100").contains(&self.whole)
    }
}

/// Words that are known, single letters (two at most), signs, and one or two numbers that make no date and no telephone number.
fn is_result(text: &str) -> bool {
    let mut numbers: Vec<Number<'_>> = Vec::new();
    let mut letters = 0;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let run = |test: fn(char) -> bool, of: &str| of.find(|c| !test(c)).unwrap_or(of.len());
        if c.is_ascii_digit() {
            let whole = run(|c| c.is_ascii_digit(), rest);
            let fraction = rest[whole..].strip_prefix('.').map_or(0, |f| run(|c| c.is_ascii_digit(), f));
            let to = at + whole + if fraction > 0 { 1 + fraction } else { 0 };
            numbers.push(Number { whole: &rest[..whole], fraction: &text[to - fraction..to], from: at, to });
            at = to;
        } else if c.is_ascii_alphabetic() {
            let length = run(|c| c.is_ascii_alphabetic(), rest);
            letters += usize::from(length == 1);
            if length > 1 && !known(&rest[..length]) {
                return false;
            }
            at += length;
        } else if " ()[]+-./:*^%<>=,~".contains(c) || "±≧≦→↑↓∞℃µμ・〜".contains(c) {
            at += c.len_utf8();
        } else if let Some(word) = WORDS.iter().filter(|w| rest.starts_with(**w)).max_by_key(|w| w.len()) {
            at += word.len();
        } else {
            return false;
        }
    }
    letters <= 2 && numbers.len() <= 2 && numbers.iter().all(Number::is_short) && !is_date(text, &numbers)
}

/// Whether the numbers of a text can be a date, a time of day, or the parts of a telephone or postal number.
fn is_date(text: &str, numbers: &[Number<'_>]) -> bool {
    let Some(first) = numbers.first() else { return false };
    let era = text[..first.from].ends_with(['M', 'T', 'S', 'H', 'R', 'm', 't', 's', 'h', 'r']);
    if first.is_year() && first.fraction.len() == 2 || era && (numbers.len() > 1 || !first.fraction.is_empty()) {
        return true;
    }
    let Some(second) = numbers.get(1) else { return false };
    let between = &text[first.to..second.from];
    match between.trim() {
        "-" | "~" | "〜" => first.is_year() && second.whole.len() <= 2 || second.whole.len() >= 4,
        "/" | "." => first.is_year(),
        ":" => first.whole != "1",
        _ => false,
    }
}

/// `-`, `+`, `±`, `2+` and the like without the brackets and spaces by which hospitals write them differently.
fn sign(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = bare.strip_prefix('(').and_then(|b| b.strip_suffix(')')).unwrap_or(&bare);
    let bare = bare.replace('−', "-").replace("+-", "±").replace("+/-", "±");
    let digits = bare.chars().filter(char::is_ascii_digit).count();
    let signs = bare.chars().filter(|c| "+-±".contains(*c)).count();
    // A number with its sign is a number, and a sign stands alone or beside one digit.
    let one = (signs > 0 && digits == 0) || (digits == 1 && signs == 1 && bare.ends_with('+'));
    (one && signs + digits == bare.chars().count() && signs <= 4).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::{of_number, result};

    #[test]
    fn results_are_kept_and_sentences_are_not() {
        for (raw, shown) in [
            ("（－）", "-"),
            ("( - )", "-"),
            ("+/-", "±"),
            ("1+", "1+"),
            ("(2+)", "2+"),
            ("陽性(2+)", "陽性(2+)"),
            ("Ａ型", "A型"),
            ("<0.5", "<0.5"),
            ("E. coli", "E. coli"),
        ] {
            assert_eq!(result(raw).as_deref(), Some(shown), "{raw}");
        }
        for raw in ["山田太郎様の検体", "Taro Yamada here", "再検査を要する。担当：佐藤", "", "ヤマダ タロウ"]
        {
            assert_eq!(result(raw), None, "{raw}");
        }
    }

    #[test]
    fn names_telephone_numbers_numbers_of_patients_and_dates_are_no_results() {
        for raw in [
            "090-1234-5678",
            "(03)1234-5678",
            "1234-5678",
            "162-0052",
            "12345678",
            "00123",
            "Taro Abe",
            "Abe",
            "Dr. Sato",
            "Li Na",
            "T. Mori",
            "1950/3/1",
            "1950-03-01",
            "1950-03",
            "1950.03",
            "1950年3月",
            "19500301",
            "S25.3.1",
            "S25/3",
            "H12.5",
            "12:30",
            "a@b.jp",
            "ID 123",
            "JSHR002:12345678",
            "JSHR002:SATO",
            "tel:0312345678",
        ] {
            assert_eq!(result(raw), None, "{raw}");
        }
        for raw in
            ["120/80", "1:40", "10-20", "1280倍", "5.5", "1-4/HPF", "MRSA", "weakly positive", "P. aeruginosa", "AB", "320"]
        {
            assert_eq!(result(raw).as_deref(), Some(raw), "{raw}");
        }
    }

    #[test]
    fn a_text_may_say_the_number_that_leaves_beside_it_and_no_other() {
        assert_eq!(of_number("１２３４５６", 123_456.0).as_deref(), Some("123456"));
        assert_eq!(of_number("<1,200,000", 1_200_000.0).as_deref(), Some("<1,200,000"));
        assert_eq!(of_number("123456", 12.0), None);
        assert_eq!(of_number("090-1234-5678", 90.0), None);
    }

    #[test]
    fn the_table_of_one_hospital_does_not_leave_with_its_results() {
        for (raw, shown) in
            [("99XYZ:-", Some("-")), ("L:(1+)", Some("1+")), ("９９ＡＢ：＋", Some("+")), ("99XYZ:0012", None), ("99Q:A", None)]
        {
            assert_eq!(result(raw).as_deref(), shown, "{raw}");
        }
        assert_eq!(result("JSHR002:AB").as_deref(), Some("JSHR002:AB"), "a public table stays");
        assert_eq!(result("-5").as_deref(), Some("-5"), "a number is no sign");
    }
}
