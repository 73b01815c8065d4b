//! Source values: whose system, whether of its form, which diagnosis, which test.

/// The form that the codes of a column have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Icd10,
    Disease,
    Drug,
    Jlac10,
    Act,
    Device,
    Unit,
}

impl Form {
    pub(crate) fn by_name(name: &str) -> Option<Form> {
        Some(match name {
            "ICD10" => Form::Icd10,
            "DISEASE" => Form::Disease,
            "DRUG" => Form::Drug,
            "JLAC10" => Form::Jlac10,
            "ACT" => Form::Act,
            "DEVICE" => Form::Device,
            "UNIT" => Form::Unit,
            _ => return None,
        })
    }

    /// Whether a source value has the form of its system. Of the sender's own codes and of words nothing is known: none.
    pub(crate) fn holds(self, value: &str) -> Option<bool> {
        if self == Form::Unit {
            return Some(value.is_ascii() && !value.bytes().any(|b| b.is_ascii_whitespace()));
        }
        if is_local(value) {
            return None;
        }
        let (system, code) = split(value);
        let digits = |lengths: &[usize]| lengths.contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        let alnum = |lengths: &[usize]| lengths.contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
        match system {
            "" => {}
            "ICD10" => return Some(is_icd10(code)),
            "JLAC10" | "CHECKUP" => return Some(alnum(&[15, 17])),
            "HOT9" => return Some(digits(&[9])),
            "HOT7" => return Some(digits(&[7])),
            "HOT13" => return Some(digits(&[13])),
            "YJ" => return Some(alnum(&[12])),
            "RECEIPT" => return Some(digits(&[7, 9])),
            _ => return None,
        }
        Some(match self {
            Form::Icd10 => is_icd10(code),
            // Code of the claims' disease master, management number, or exchange code.
            // Modifiers stand behind it.
            Form::Disease => {
                let code = code.split('+').next().unwrap_or_default();
                let digits = matches!(code.len(), 7 | 8) && code.bytes().all(|b| b.is_ascii_digit());
                let exchange = code.len() == 4 && code.bytes().all(|b| b.is_ascii_alphanumeric());
                digits || exchange || is_icd10(code)
            }
            Form::Drug => digits(&[7, 9, 13]) || alnum(&[12]),
            Form::Jlac10 => alnum(&[15, 17]) || is_form1(code),
            Form::Act => digits(&[9]) || is_section(code),
            Form::Device => digits(&[9]),
            Form::Unit => true,
        })
    }
}

/// System and code of a source value; the system of a bare code is empty.
fn split(value: &str) -> (&str, &str) {
    value.split_once(':').unwrap_or(("", value))
}

/// Whether a source value is the sender's own code, or words.
pub(crate) fn is_local(value: &str) -> bool {
    match value.split_once(':') {
        None => false,
        Some((system, _)) => {
            matches!(system, "L" | "text" | "UNCODED" | "http" | "https" | "urn") || system.starts_with("99") || system.is_empty()
        }
    }
}

/// Whether words stand where a code should: they may say who somebody is.
pub(crate) fn is_words(value: &str) -> bool {
    value.starts_with("text:")
}

fn is_icd10(code: &str) -> bool {
    let bytes = code.as_bytes();
    let head = matches!(bytes, [a, b, c, ..] if a.is_ascii_uppercase() && b.is_ascii_digit() && c.is_ascii_alphanumeric());
    let tail = code.get(3..).unwrap_or_default();
    let tail = tail.strip_prefix('.').unwrap_or(tail);
    head && tail.len() <= 4 && tail.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// A payload of 様式1 and the place of an item in it: `A001010-2`.
fn is_form1(code: &str) -> bool {
    let Some((payload, item)) = code.split_once('-') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    payload.len() == 7 && payload.starts_with(|c: char| c.is_ascii_uppercase()) && digits(&payload[1..]) && digits(item)
}

/// Number of a section of the fee schedule: `K718-2`, `D005`.
fn is_section(code: &str) -> bool {
    let bytes = code.as_bytes();
    matches!(bytes, [a, b, c, d, ..] if a.is_ascii_uppercase() && [b, c, d].iter().all(|x| x.is_ascii_digit()))
        && bytes[4..].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

/// The ICD-10 category (`E11`) of a code, with its system before it or not.
pub(crate) fn icd_category(value: &str) -> Option<[u8; 3]> {
    let (system, code) = split(value);
    if !matches!(system, "" | "ICD10") || !is_icd10(code) {
        return None;
    }
    let bytes = code.as_bytes();
    // Bare codes of other masters can begin like one: a category is alone, or has its dot, or up to two more characters.
    let alone = bytes.len() <= 5 || bytes[3] == b'.';
    bytes[2].is_ascii_digit().then_some(())?;
    alone.then(|| [bytes[0], bytes[1], bytes[2]])
}

/// Whether a category is in a rule's code: itself, or a block `A00-B99`.
pub(crate) fn in_block(category: [u8; 3], code: &str) -> bool {
    match code.split_once('-') {
        Some((from, to)) => (from.as_bytes()..=to.as_bytes()).contains(&&category[..]),
        None => code.as_bytes() == category,
    }
}

/// A test by its analyte and, where the rule names them, its materials: `3D010/019,022`.
#[derive(Debug, Clone)]
pub(crate) struct Analyte {
    analyte: String,
    materials: Vec<String>,
}

impl Analyte {
    pub(crate) fn parse(code: &str) -> Analyte {
        let (analyte, materials) = code.split_once('/').unwrap_or((code, ""));
        let materials = materials.split(',').filter(|m| !m.is_empty()).map(str::to_owned).collect();
        Analyte { analyte: analyte.to_owned(), materials }
    }

    /// Whether a source value is this test. JLAC10: analyte 5, identification 4, material 3, method 3, result 2.
    pub(crate) fn is(&self, value: &str) -> bool {
        let (system, code) = split(value);
        matches!(system, "" | "JLAC10" | "CHECKUP")
            && matches!(code.len(), 15 | 17)
            && code.starts_with(&self.analyte)
            && (self.materials.is_empty() || code.get(9..12).is_some_and(|m| self.materials.iter().any(|x| x == m)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_held_to_the_form_of_their_system() {
        for (form, value, holds) in [
            (Form::Icd10, "E11.9", Some(true)),
            (Form::Icd10, "11.9", Some(false)),
            (Form::Disease, "8830417", Some(true)),
            (Form::Disease, "ICD10:I10", Some(true)),
            (Form::Disease, "5409005+4012", Some(true)),
            (Form::Disease, "高血圧", Some(false)),
            (Form::Drug, "620007329", Some(true)),
            (Form::Drug, "YJ:1124009F1", Some(false)),
            (Form::Drug, "99H:12", None),
            (Form::Jlac10, "3A010000002327101", Some(true)),
            (Form::Jlac10, "3A0100000023271", Some(true)),
            (Form::Jlac10, "3A01000000232710", Some(false)),
            (Form::Jlac10, "A001010-2", Some(true)),
            (Form::Jlac10, "A00é10-2", Some(false)),
            (Form::Act, "K718-2", Some(true)),
            (Form::Act, "160000310", Some(true)),
            (Form::Act, "16000031", Some(false)),
            (Form::Device, "text:ステント", None),
            (Form::Unit, "mg/dL", Some(true)),
            (Form::Unit, "㎎／㎗", Some(false)),
        ] {
            assert_eq!(form.holds(value), holds, "{form:?} {value}");
        }
    }

    #[test]
    fn categories_and_tests_are_found_in_codes() {
        assert_eq!(icd_category("ICD10:E11.9"), Some(*b"E11"));
        assert_eq!(icd_category("E119"), Some(*b"E11"));
        assert_eq!((icd_category("8830417"), icd_category("99X:E11")), (None, None));
        assert!(in_block(*b"C61", "C00-D48") && !in_block(*b"E11", "C00-D48") && in_block(*b"E11", "E11"));
        let glucose = Analyte::parse("3D010/019,022");
        assert!(glucose.is("3D010000002227101") && !glucose.is("3D010000000127101") && !glucose.is("L:3D010"));
        assert!(Analyte::parse("9N001").is("9N001000000000001"));
    }
}
