//! What a file is: by its name, and by its first bytes.

use std::fmt;
use std::str::FromStr;

use crate::{dpc, ssmix2};

/// Formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// SS-MIX2 standardized storage.
    Ssmix2,
    /// Electronic claims.
    Receipt,
    /// DPC survey files.
    Dpc,
    /// Checkup archives, documents, and CSV by a mapping.
    Checkup,
    /// FHIR R4: NDJSON and Bundles.
    Fhir,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 5] = [Format::Ssmix2, Format::Receipt, Format::Dpc, Format::Checkup, Format::Fhir];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Ssmix2 => "ssmix2",
            Format::Receipt => "receipt",
            Format::Dpc => "dpc",
            Format::Checkup => "checkup",
            Format::Fhir => "fhir",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Format::ALL.map(Format::as_str).join(", ");
        Format::ALL.into_iter().find(|f| f.as_str() == text).ok_or(format!("unknown format; known are: {known}"))
    }
}

/// Bytes that [`detect`] looks at: the more, the surer.
pub const LOOKED_AT: usize = 4096;

/// The format of a file, `None` when it is none that is read.
pub fn detect(path: &str, beginning: &[u8]) -> Option<Format> {
    let upper = path.to_ascii_uppercase();
    let bytes = beginning.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(beginning).trim_ascii_start();
    if ssmix2::patient_of(path).is_some() || bytes.starts_with(b"MSH|") {
        return Some(Format::Ssmix2);
    }
    if upper.ends_with(".UKE") || upper.ends_with(".HEN") || is_claim(bytes) {
        return Some(Format::Receipt);
    }
    if bytes.starts_with(b"PK\x03\x04") || upper.ends_with(".ZIP") || is_checkup_xml(&upper, bytes) {
        return Some(Format::Checkup);
    }
    if !upper.ends_with(".CSV")
        && (upper.ends_with(".TXT") || memchr::memchr(b'\t', bytes).is_some())
        && dpc::kind_of(path, beginning).is_some()
    {
        return Some(Format::Dpc);
    }
    if upper.ends_with(".NDJSON") || (bytes.starts_with(b"{") && memchr::memmem::find(bytes, b"\"resourceType\"").is_some()) {
        return Some(Format::Fhir);
    }
    // A CSV file is one by its mapping, and a mapping is a part of the delivery.
    [".CSV", ".TSV", ".TOML"].iter().any(|end| upper.ends_with(end)).then_some(Format::Checkup)
}

fn is_claim(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\"").unwrap_or(bytes);
    [&b"IR"[..], b"UK", b"YK", b"HM"]
        .iter()
        .any(|r| bytes.strip_prefix(*r).is_some_and(|rest| rest.starts_with(b",") || rest.starts_with(b"\",")))
}

fn is_checkup_xml(upper: &str, bytes: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [b"ClinicalDocument", b"tokuteikenshin", b"0000161103"];
    upper.ends_with(".XSD")
        || upper.ends_with(".XML")
        || (bytes.starts_with(b"<") && marks.iter().any(|m| memchr::memmem::find(bytes, m).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_name_or_by_their_first_bytes() {
        for (path, bytes, format) in [
            ("a/RECEIPTC.UKE", &b""[..], Some(Format::Receipt)),
            ("x", b"\xEF\xBB\xBFIR,1,13,1", Some(Format::Receipt)),
            ("x", b"\"YK\",\"1\"", Some(Format::Receipt)),
            ("EFn_139999991_2406.txt", b"", Some(Format::Dpc)),
            ("a.zip", b"PK\x03\x04", Some(Format::Checkup)),
            ("h.xml", b"<?xml", Some(Format::Checkup)),
            ("m.csv", b"a,b", Some(Format::Checkup)),
            ("x", b"MSH|^~\\&|", Some(Format::Ssmix2)),
            ("x", b"{\"resourceType\":\"Patient\"}", Some(Format::Fhir)),
            ("expected.json", b"{\"stays\":[]}", None),
            ("README.md", b"# DPC", None),
            ("x", b"\0\x01\x02", None),
        ] {
            assert_eq!(detect(path, bytes), format, "{path}");
        }
        assert_eq!("dpc".parse::<Format>(), Ok(Format::Dpc));
        assert!("word".parse::<Format>().is_err());
    }
}
