use unicode_normalization::UnicodeNormalization;

use crate::days_from_civil;

/// Beginning of the written form of an insured person's id in lists and on the command line.
const WRITTEN: &str = "insured:";

/// Somebody whom a source knows by the insurance: an insurer has no patient numbers, nor has a checkup or a pharmacy's claim.
///
/// The person is card (insurer, symbol, number) with birth, sex and name in katakana. The branch number tells the members of a family apart
/// only where birth or name is missing: claims before 2021 and checkups have none, and somebody who said no under one of them is the same
/// person in the other. It names a person: it never prints itself.
#[derive(Clone, Copy, Default)]
pub struct Insured<'a> {
    /// 保険者番号; of whom public expense pays alone, the payer's number.
    pub insurer: &'a str,
    /// 記号.
    pub symbol: &'a str,
    /// 番号; of whom public expense pays alone, the recipient's number.
    pub number: &'a str,
    /// 枝番.
    pub branch: &'a str,
    /// Days since 1970-01-01.
    pub birth: Option<i32>,
    /// `1` male, `2` female, empty when it is not stated.
    pub sex: &'a str,
    /// Name in katakana; where the source has none, the name as it has it.
    pub kana: &'a str,
}

/// What is compared of a number or symbol: letters and digits, full width as half, without leading zeros where it is digits alone.
fn card(text: &str) -> String {
    let plain: String = text.nfkc().filter(|c| c.is_alphanumeric() && *c != 'ー').flat_map(char::to_uppercase).collect();
    match plain.bytes().all(|b| b.is_ascii_digit()) {
        true => plain.trim_start_matches('0').to_owned(),
        false => plain,
    }
}

/// What is compared of a name: hiragana as katakana, half width as full, small letters as large, no blanks and long marks.
fn name(text: &str) -> String {
    const SMALL: &str = "ァィゥェォッャュョヮヵヶ";
    const LARGE: &str = "アイウエオツヤユヨワカケ";
    let katakana = |c: char| match c {
        'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
        other => other,
    };
    let large = |c: char| SMALL.chars().position(|s| s == c).and_then(|n| LARGE.chars().nth(n)).unwrap_or(c);
    text.nfkc().filter(|c| c.is_alphanumeric() && *c != 'ー').flat_map(char::to_uppercase).map(|c| large(katakana(c))).collect()
}

/// FNV-1a over 128 bits: the same everywhere and always, no secret.
fn hash(parts: &[&str]) -> u128 {
    let mut hash = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D_u128;
    // 0xFF is no byte of UTF-8: parts cannot run into each other.
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0xFF])) {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013B);
    }
    hash
}

impl Insured<'_> {
    /// The local id: `insured-` and 32 hexadecimal digits, the same however the source pads and writes what it is made of. `None` where nothing
    /// tells one person from the next: no card, or neither birth nor name beside one that a whole family has.
    pub fn local_id(&self) -> Option<String> {
        let [insurer, symbol, number] = [self.insurer, self.symbol, self.number].map(card);
        let kana = name(self.kana);
        if (insurer.is_empty() && symbol.is_empty() && number.is_empty()) || (self.birth.is_none() && kana.is_empty()) {
            return None;
        }
        let whole = self.birth.is_some() && !kana.is_empty();
        let branch = if whole { String::new() } else { card(self.branch) };
        let birth = self.birth.map(|day| day.to_string()).unwrap_or_default();
        let hash = hash(&[&insurer, &symbol, &number, &branch, &birth, self.sex.trim(), &kana]);
        Some(format!("insured-{hash:032x}"))
    }

    /// Whether a list can name whoever it is: insurer and number, birth, sex, and a name in kana without kanji. With less the id is another one
    /// than that of the same person on a list, and so it is where a character could not be read (U+FFFD, 〓).
    pub fn is_listable(&self) -> bool {
        let is_kana = |c: char| matches!(c, 'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ｦ'..='ﾝ');
        // 々 and 〇 too.
        let is_kanji =
            |c: char| matches!(c, '々'..='〇' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}');
        let unread = [self.insurer, self.symbol, self.number, self.kana].iter().any(|text| text.contains(['\u{FFFD}', '〓']));
        !unread
            && !card(self.insurer).is_empty()
            && !card(self.number).is_empty()
            && self.birth.is_some()
            && matches!(self.sex.trim(), "1" | "2")
            && self.kana.chars().any(is_kana)
            && !self.kana.chars().any(is_kanji)
    }
}

/// Whether somebody means to write an insured person's id.
pub(crate) fn is_written(text: &str) -> bool {
    text.nfkc().take(WRITTEN.len()).collect::<String>().eq_ignore_ascii_case(WRITTEN)
}

/// The local id of `insured:保険者番号:記号:番号:枝番:生年月日:性別:カナ氏名`, as lists have it: the first four as the standard identifier of an
/// insured person (`JP_Insurance_memberID`), the birth as `19711102` or `1971-11-02`, the sex as `1` or `2`.
pub(crate) fn read_written(text: &str) -> Option<String> {
    let text: String = text.nfkc().collect();
    let parts: Vec<&str> = text.get(WRITTEN.len()..)?.split(':').map(str::trim).collect();
    let [insurer, symbol, number, branch, birth, sex, kana] = parts.try_into().ok()?;
    let digits: String = birth.chars().filter(|c| *c != '-').collect();
    if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(sex, "1" | "2") || name(kana).is_empty() {
        return None;
    }
    let birth = days_from_civil(digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?)?;
    Insured { insurer, symbol, number, branch, birth: Some(birth), sex, kana }.local_id()
}

/// Whether a canonical id is that of an insured person.
pub(crate) fn is_canonical(id: &str) -> bool {
    id.strip_prefix("INSURED").is_some_and(|hash| hash.len() == 32 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PatientIdRule;

    const B: Insured<'_> = Insured {
        insurer: "  139998",
        symbol: "江０１",
        number: "２３４５６７",
        branch: "02",
        birth: Some(670),
        sex: "2",
        kana: "アリアケハナコ",
    };

    #[test]
    fn a_person_has_one_id_however_claims_and_checkups_write_the_card() {
        let id = B.local_id().expect("an id");
        for same in [
            Insured { insurer: "00139998", symbol: "江01", number: "234567", branch: "", ..B },
            Insured { symbol: "江・01", number: "0234567", kana: "ｱﾘｱｹ ﾊﾅｺ", ..B },
            Insured { symbol: "江－０１", kana: "ありあけ　はなこ", ..B },
        ] {
            assert_eq!(same.local_id().as_deref(), Some(id.as_str()));
        }
        for other in [
            Insured { number: "234568", ..B },
            Insured { symbol: "江012", number: "34567", ..B },
            Insured { birth: Some(671), ..B },
            Insured { sex: "1", ..B },
            Insured { kana: "アリアケハナエ", ..B },
            Insured { birth: None, ..B },
            Insured { birth: None, branch: "03", ..B },
        ] {
            assert_ne!(other.local_id(), Some(id.clone()));
        }
        assert_ne!(Insured { birth: None, ..B }.local_id(), Insured { birth: None, branch: "03", ..B }.local_id());
        assert_eq!(Insured { insurer: "", symbol: "", number: "", ..B }.local_id(), None);
        assert_eq!(Insured { birth: None, kana: " ", ..B }.local_id(), None);
        assert_eq!(Insured { kana: "シヨウジ キヨウコ", ..B }.local_id(), Insured { kana: "ショウジ・キョウコ", ..B }.local_id());
    }

    #[test]
    fn lists_name_an_insured_person_by_card_birth_sex_and_name() {
        let rule = PatientIdRule::Digits;
        let by_hash = rule.canonical(&B.local_id().expect("an id")).expect("valid");
        for written in [
            "insured:139998:江01:234567:02:1971-11-02:2:アリアケ ハナコ",
            "insured:00139998:江０１:２３４５６７::19711102:2:ｱﾘｱｹﾊﾅｺ",
            " Insured：139998：江01：234567：：１９７１１１０２：２：アリアケハナコ",
        ] {
            assert_eq!(rule.canonical(written).expect("valid"), by_hash, "{written}");
            assert_eq!(PatientIdRule::Insured.canonical(written).expect("valid"), by_hash);
        }
        // What is no such id is no other id either: under it nobody would be found.
        for bad in [
            "insured:139998:江01:234567:02:1971-11-02:2",
            "insured:139998:江01:234567:02:S46.11.02:2:アリアケハナコ",
            "insured:139998:江01:234567:02:1971-11-31:2:アリアケハナコ",
            "insured:139998:江01:234567:02:1971-11-02:女:アリアケハナコ",
            "insured:139998:江01:234567:02:1971-11-02:2:",
            "insured:139998:江01:234567:02:1971-11-02::アリアケハナコ",
            "insured:::::1971-11-02:2:アリアケハナコ",
            "insured:",
        ] {
            assert!(rule.canonical(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn whom_no_list_can_name_is_known() {
        for listable in
            [B, Insured { symbol: "", branch: "", ..B }, Insured { kana: "ｱﾘｱｹ", ..B }, Insured { kana: "ありあけ", ..B }]
        {
            assert!(listable.is_listable());
        }
        for not in [
            Insured { birth: None, ..B },
            Insured { sex: "", ..B },
            Insured { sex: "9", ..B },
            Insured { kana: "", ..B },
            Insured { kana: "有明　花子", ..B },
            Insured { kana: "有明　はなこ", ..B },
            Insured { kana: "佐々木", ..B },
            Insured { kana: "アリ〓ケ", ..B },
            Insured { kana: "アリ\u{FFFD}ケ", ..B },
            Insured { symbol: "\u{FFFD}", ..B },
            Insured { insurer: " ", ..B },
            Insured { number: "", ..B },
        ] {
            assert!(!not.is_listable());
        }
    }

    #[test]
    fn an_insurers_people_have_no_chart_number() {
        let rule = PatientIdRule::Insured;
        for bad in ["123", "0000000123", "insured-12", "1319999991/123", "A01"] {
            assert!(rule.canonical(bad).is_err(), "{bad}");
        }
        assert!(rule.canonical(&B.local_id().expect("an id")).is_ok());
    }
}
