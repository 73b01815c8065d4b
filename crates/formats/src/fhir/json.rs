//! Where the parts of an object stand in its JSON, so that what stays of it stays byte for byte. For text that a parser has taken already.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// The end of the string that begins here.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    at += 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The end of the value that begins here.
fn value_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0usize;
    loop {
        match bytes.get(at) {
            Some(b'"') => at = string_end(bytes, at)?,
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            Some(b',' | b'}' | b']') if depth == 0 => return Some(at),
            None if depth == 0 => return Some(at),
            None => return None,
            Some(_) => at += 1,
        }
        if depth == 0 && matches!(bytes.get(at - 1), Some(b'"' | b'}' | b']')) {
            return Some(at);
        }
    }
}

/// The value of an object's member; `None` when there is none or several.
pub fn member(bytes: &[u8], name: &str) -> Option<Range<usize>> {
    let mut found = None;
    let mut at = skip_blanks(bytes, 0);
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    at = skip_blanks(bytes, at + 1);
    while bytes.get(at) == Some(&b'"') {
        let end = string_end(bytes, at)?;
        // A name can be written with escapes.
        let key: String = serde_json::from_slice(&bytes[at..end]).ok()?;
        at = skip_blanks(bytes, end);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        let from = skip_blanks(bytes, at + 1);
        let to = value_end(bytes, from)?;
        if key == name && found.replace(from..to).is_some() {
            return None;
        }
        at = skip_blanks(bytes, to);
        if bytes.get(at) == Some(&b',') {
            at = skip_blanks(bytes, at + 1);
        }
    }
    found
}

/// The elements of the list that is there.
pub fn elements(bytes: &[u8], list: &Range<usize>) -> Option<Vec<Range<usize>>> {
    let mut at = list.start;
    if bytes.get(at) != Some(&b'[') {
        return None;
    }
    at = skip_blanks(bytes, at + 1);
    let mut out = Vec::new();
    while at + 1 < list.end {
        let to = value_end(bytes, at)?;
        // Blanks behind a number or a word are none of it.
        let end = at + bytes[at..to].trim_ascii_end().len();
        out.push(at..end);
        at = skip_blanks(bytes, to);
        if bytes.get(at) == Some(&b',') {
            at = skip_blanks(bytes, at + 1);
        }
    }
    Some(out)
}

/// The bytes with some elements of a list as something else: `None` is left out, with the comma before it.
pub fn replaced(bytes: &[u8], elements: &[Range<usize>], parts: &[Option<Vec<u8>>]) -> Vec<u8> {
    let (Some(first), Some(last)) = (elements.first(), elements.last()) else { return bytes.to_vec() };
    let mut out = bytes[..first.start].to_vec();
    let mut any = false;
    for (n, (element, part)) in elements.iter().zip(parts).enumerate() {
        let Some(part) = part else { continue };
        if any {
            out.extend_from_slice(&bytes[elements[n - 1].end..element.start]);
        }
        any = true;
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&bytes[last.end..]);
    out
}

/// Whether a key stands twice in one object, at any depth: parsers take one of the two, and not all the same one.
pub fn has_key_twice(bytes: &[u8]) -> bool {
    struct Twice<'t>(&'t mut bool);

    impl<'de> DeserializeSeed<'de> for Twice<'_> {
        type Value = ();
        fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
            from.deserialize_any(self)
        }
    }

    impl<'de> Visitor<'de> for Twice<'_> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }
        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }
        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }
        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }
        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }
        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
            while list.next_element_seed(Twice(self.0))?.is_some() {}
            Ok(())
        }
        fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
            let mut keys = HashSet::new();
            while let Some(key) = object.next_key::<String>()? {
                *self.0 |= !keys.insert(key);
                object.next_value_seed(Twice(self.0))?;
            }
            Ok(())
        }
    }

    let mut twice = false;
    let read = Twice(&mut twice).deserialize(&mut serde_json::Deserializer::from_slice(bytes));
    read.is_ok() && twice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_that_a_parser_finds() {
        let texts = [
            r#"{"a":1,"entry":[ {"x":"]}\"","y":[1,{"z":[]}]} , {"b":null}, 5 , "s,]" ],"c":"entry"}"#,
            r#" {"\u0065ntry" : [] }"#,
            r#"{"entry":[{}]}"#,
        ];
        for text in texts {
            let bytes = text.as_bytes();
            let list = member(bytes, "entry").expect("a list");
            let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
            let found = elements(bytes, &list).expect("elements");
            let naive = value["entry"].as_array().expect("a list");
            let parsed: Vec<serde_json::Value> =
                found.iter().map(|r| serde_json::from_slice(&bytes[r.clone()]).expect("a value")).collect();
            assert_eq!(&parsed, naive);
            // Whatever is left out, the rest is a list of the others.
            for mask in 0..1usize << found.len() {
                let keep = |n: usize| mask >> n & 1 == 1;
                let parts: Vec<_> = found.iter().enumerate().map(|(n, r)| keep(n).then(|| bytes[r.clone()].to_vec())).collect();
                let rest: serde_json::Value = serde_json::from_slice(&replaced(bytes, &found, &parts)).expect("JSON");
                let wanted: Vec<_> = naive.iter().enumerate().filter(|(n, _)| keep(*n)).map(|(_, v)| v.clone()).collect();
                assert_eq!(rest["entry"].as_array(), Some(&wanted));
            }
        }
        assert_eq!(member(br#"{"entry":[],"entry":[]}"#, "entry"), None);
        assert_eq!(member(br#"["entry"]"#, "entry"), None);
    }

    #[test]
    fn a_key_that_stands_twice_is_found_at_any_depth_however_it_is_spelt() {
        for twice in [r#"{"a":1,"a":1}"#, r#"[{"b":[{"a":{},"c":2,"\u0061":null}]}]"#, r#"{"x":{"":1.5,"":true}}"#] {
            assert!(has_key_twice(twice.as_bytes()), "{twice}");
        }
        for once in [r#"{"a":{"a":[{"a":1},{"a":-2}]},"b":"a"}"#, "[]", r#"{"a":1,"a""#, ""] {
            assert!(!has_key_twice(once.as_bytes()), "{once}");
        }
    }
}
