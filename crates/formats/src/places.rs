//! Prefectures of addresses, ICD-10 codes with their dot, and ids that are the same everywhere.

/// The prefectures of Japan.
const PREFECTURES: [&str; 47] = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
];

/// The prefecture that an address begins with.
pub fn prefecture(address: &str) -> Option<&'static str> {
    let address = address.trim_start();
    PREFECTURES.into_iter().find(|p| address.starts_with(p))
}

/// A positive id from a code (FNV-1a, 63 bits): the same everywhere, not a secret.
pub fn id_of(kind: &str, code: &str) -> i64 {
    let mut hash = 0xCBF2_9CE4_8422_2325u64;
    for b in kind.bytes().chain([0]).chain(code.bytes()) {
        hash = (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    ((hash >> 1) as i64).max(1)
}

/// An ICD-10 code with its dot (`K297` → `K29.7`); `None` when it is not of the form.
pub fn icd10_with_dot(code: &str) -> Option<String> {
    let plain: String = code.chars().filter(|c| *c != '.').map(|c| c.to_ascii_uppercase()).collect();
    let bytes = plain.as_bytes();
    let fits = (3..=6).contains(&bytes.len())
        && bytes[0].is_ascii_uppercase()
        && bytes[1].is_ascii_digit()
        && bytes[2..].iter().all(u8::is_ascii_alphanumeric);
    if !fits {
        return None;
    }
    Some(match plain.split_at(3) {
        (category, "") => category.to_owned(),
        (category, rest) => format!("{category}.{rest}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefectures_are_read_from_addresses() {
        for (address, name) in [
            ("静岡県静岡市駿河区", Some("静岡県")),
            ("東京都港区", Some("東京都")),
            ("京都府京都市", Some("京都府")),
            ("神奈川県横浜市", Some("神奈川県")),
            ("北海道札幌市", Some("北海道")),
            ("札幌市", None),
            ("横浜市県町", None),
            ("", None),
        ] {
            assert_eq!(prefecture(address), name, "{address}");
        }
    }

    #[test]
    fn icd_codes_get_their_dot() {
        assert_eq!(icd10_with_dot("K297").as_deref(), Some("K29.7"));
        assert_eq!(icd10_with_dot("E11").as_deref(), Some("E11"));
        assert_eq!(icd10_with_dot("K29.7").as_deref(), Some("K29.7"));
        for odd in ["", "胃炎", "20054174", "K"] {
            assert_eq!(icd10_with_dot(odd), None, "{odd}");
        }
    }
}
