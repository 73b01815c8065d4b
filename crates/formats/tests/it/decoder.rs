//! The decoder against `encoding_rs` on what both understand, and its repairs.

use encoding_rs::{EUC_JP, ISO_2022_JP, SHIFT_JIS};
use formats::charset::{Charset, Decoded, decode};

const HL7: [u8; 5] = *b"|^~\\&";

fn text(bytes: &[u8]) -> (String, Charset, formats::charset::Notes) {
    let mut spare = String::new();
    let Decoded { text, charset, notes } = decode(bytes, HL7, &mut spare);
    (text.into_owned(), charset, notes)
}

/// The two characters that the WHATWG decoder maps to full-width forms.
fn unified(text: &str) -> String {
    text.replace('\u{FF0D}', "\u{2212}").replace('\u{FF5E}', "\u{301C}")
}

/// A text of kanji, kana and ASCII from arbitrary numbers: characters that JIS X 0208 has.
fn japanese(numbers: &[u16]) -> String {
    const PLAIN: &[char] =
        &['A', 'z', '0', '|', '^', '&', '~', '\\', ' ', '\r', 'あ', 'ン', '漢', '字', '淫', '笠', 'α', '宮', '向', '−', '①'];
    numbers
        .iter()
        .map(|n| match n % 4 {
            0 => PLAIN[usize::from(*n) % PLAIN.len()],
            _ => {
                let pair = [0xB0 + (n / 94 % 32) as u8, 0xA1 + (n % 94) as u8];
                let decoded = EUC_JP.decode_without_bom_handling_and_without_replacement(&pair).unwrap_or_default();
                decoded.chars().next().unwrap_or('亜')
            }
        })
        .collect()
}

#[test]
fn text_that_was_encoded_rightly_is_decoded_as_encoding_rs_does() {
    bolero::check!().with_type::<Vec<u16>>().for_each(|numbers| {
        let original = japanese(numbers);
        let (jis, _, unmappable) = ISO_2022_JP.encode(&original);
        if !unmappable {
            let (found, _, notes) = text(&jis);
            assert_eq!(found, unified(&ISO_2022_JP.decode_without_bom_handling(&jis).0));
            assert_eq!((notes.undecodable, notes.returns_repaired, notes.gaiji), (0, 0, 0));
        }
        for encoding in [EUC_JP, SHIFT_JIS] {
            let (bytes, _, unmappable) = encoding.encode(&original);
            // Two bytes can be right in several encodings; real files have some text.
            if !unmappable && original.chars().filter(|c| !c.is_ascii()).count() > 40 {
                let (found, charset, _) = text(&bytes);
                let expected = if encoding == EUC_JP { Charset::EucJp } else { Charset::Cp932 };
                if charset == expected {
                    assert_eq!(found, unified(&encoding.decode_without_bom_handling(&bytes).0));
                }
            }
        }
    });
}

#[test]
fn messages_in_cp932_and_euc_jp_are_told_apart() {
    let message = "PID|0001||0000054321||与謝^晶子^^^^^L^I~ヨサノ^アキコ^^^^^L^P||19800101|F\rRXE||104195801^ミヤＢＭ錠^HOT9|1||TAB^錠^MR9P";
    for (encoding, charset) in [(SHIFT_JIS, Charset::Cp932), (EUC_JP, Charset::EucJp)] {
        let (found, as_what, notes) = text(&encoding.encode(message).0);
        assert_eq!((found.as_str(), as_what), (message, charset));
        assert_eq!(notes.undecodable, 0);
    }
    let (found, charset, _) = text(message.as_bytes());
    assert_eq!((found.as_str(), charset), (message, Charset::Utf8));
    let (half, charset, _) = text(&SHIFT_JIS.encode("PID|1||9||ｶｸｳ^ﾀﾛｳ").0);
    assert_eq!((half.as_str(), charset), ("PID|1||9||ｶｸｳ^ﾀﾛｳ", Charset::Cp932));
}

#[test]
fn the_two_doubtful_cells_are_mapped_as_said() {
    assert_eq!(text(b"\x1B$B!]!A\x1B(B").0, "\u{2212}\u{301C}");
    assert_eq!(text(b"\xA1\xDD\xA1\xC1\xB0\xA1").0, "\u{2212}\u{301C}亜");
    assert_eq!(text(b"\x81\x7C\x81\x60\x88\xE3\x8E\x74").0, "\u{2212}\u{301C}医師");
}

#[test]
fn every_set_of_japanese_hl7_is_understood() {
    assert_eq!(text(b"\x1B(I6^8\x1B(B|").0, "ｶﾞｸ|", "half-width kana, with 0x5E as a voiced mark");
    assert_eq!(text(b"\x1B(J\\~\x1B(B").0, "\\~", "Roman keeps the delimiters");
    assert_eq!(text(b"\x1B$(D0!\x1B(B").0, "丂", "JIS X 0212");
    assert_eq!(text(b"\x1B$@0!\x1B(B").0, "亜", "JIS C 6226");
    assert_eq!(text(b"\x1B$B-!\x1B(B").0, "①", "NEC row 13");
    assert_eq!(text(b"\x1B$B\x1B(B\x1B(Ba").0, "a", "empty runs and repeated returns are nothing");
    assert_eq!(text(b"\x1B$@0!\x1B$B0!\x1B(B").0, "亜亜", "a change of sets without return is no fault");
    for clean in [&b"\x1B(I6^8\x1B(B|"[..], b"\x1B$B\x1B(B\x1B(Ba", b"\x1B$@0!\x1B$B0!\x1B(B"] {
        let notes = text(clean).2;
        assert_eq!((notes.returns_repaired, notes.undecodable), (0, 0));
    }
}

#[test]
fn a_missing_return_never_shifts_what_follows() {
    for (bytes, expected) in [
        // odd number of bytes before the next designation
        (&b"|\x1B$BM?<U^\x1B$B!];R\x1B(B^|M"[..], "|与謝^−子^|M"),
        // even number: the delimiters would be a kanji
        (b"|\x1B$BM?<U^^\x1B$B!];R\x1B(B|M", "|与謝^^−子|M"),
        (b"|\x1B$BM?<U||19800101|M\rPV1|1", "|与謝||19800101|M\rPV1|1"),
        (b"NTE|1||\x1B$BM?<U\rPV1|1", "NTE|1||与謝\rPV1|1"),
        (b"NTE|1||\x1B$BM?<U", "NTE|1||与謝"),
        (b"|\x1B(I6^E^^|M\rPV1", "|ｶﾞﾅ^^|M\rPV1"),
        // A Greek letter begins like a subcomponent delimiter: the component behind it decides.
        (b"|\x1B$BM?<U&A^B\rX", "|与謝α^B\rX"),
    ] {
        let (found, _, notes) = text(bytes);
        assert_eq!(found, expected);
        assert_eq!(notes.returns_repaired, 1, "{expected}");
    }
}

#[test]
fn what_is_no_character_is_counted_and_never_dropped() {
    assert_eq!(text(b"\x1B$B\x7F\x7F\x1B(B").2.undecodable, 1);
    assert_eq!(text(b"a\x1B[1m").2.undecodable, 1);
    let (found, charset, notes) = text(b"\x88\xE3\x8E\x74\xF0\x40\x82\xA0\x82\xA0");
    assert_eq!((found.as_str(), charset, notes.gaiji), ("医師〓ああ", Charset::Cp932, 1));
    assert!(text(b"\x88\xE3\xFF\xFF\x80").2.undecodable > 0);
    let (mixed, charset, notes) = text(b"\x1B$BM?\x1B(B|\x88\xE3\x8E\x74|");
    assert_eq!((mixed.as_str(), charset), ("与|医師|", Charset::Iso2022));
    assert!(notes.eight_bit_in_iso2022);
}

#[test]
fn arbitrary_bytes_are_decoded_without_end_or_panic() {
    bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
        let (found, _, _) = text(bytes);
        assert!(found.len() <= bytes.len() * 4 + 16);
    });
}
