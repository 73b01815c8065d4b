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
];

/// A result as it may be shown: NFKC, trimmed, one spelling for a sign. None when it is anything but signs, digits, short ASCII
/// words, codes of public systems and the usual words for results: such text can hold names.
pub fn result(text: &str) -> Option<String> {
    let text: String = text.nfkc().collect::<String>().trim().to_owned();
    let (system, bare) = super::codes::split(&text);
    if super::codes::is_local(system) {
        // An institution's own table tells the institution, and its codes mean nothing elsewhere; a sign means what it says.
        return sign(bare);
    }
    if let Some(sign) = sign(&text) {
        return Some(sign);
    }
    if text.is_empty() || text.chars().count() > 24 {
        return None;
    }
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if c.is_ascii() || "±≧≦→↑↓∞℃µμ・〜~".contains(c) {
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let word = WORDS.iter().filter(|w| rest.starts_with(**w)).max_by_key(|w| w.len())?;
        rest = &rest[word.len()..];
    }
    // ASCII words: one at most, so that no name in Latin letters passes as a result.
    let letters = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|w| w.len() > 3).count();
    (letters <= 1).then_some(text)
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
    use super::result;

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
