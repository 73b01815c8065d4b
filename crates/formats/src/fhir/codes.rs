//! Code systems by OID and by URL → one name (`fhir` guides of JAMI; older URLs mean the same).

/// Systems whose codes stand bare in their column.
const BARE: &[&str] = &["JLAC10", "HOT9"];

/// Where the systems are published that are known here.
const PUBLISHERS: &[&str] = &[
    "jpfhir.jp",
    "medis.or.jp",
    "mhlw.go.jp",
    "capstandard.jp",
    "hl7.jp",
    "hl7.org",
    "terminology.hl7.org",
    "loinc.org",
    "snomed.info",
];

/// The host of a URL.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let host = rest.split('/').next().unwrap_or(rest);
    Some(host.strip_prefix("www.").unwrap_or(host))
}

/// The one name of a system; the URL or OID itself where there is none, which nobody takes for a public one. A name that is neither is no
/// system of FHIR: whoever wrote it may have meant anything, so it is the sender's own, `L`.
pub fn system(url: &str) -> &str {
    let oid = url.strip_prefix("urn:oid:").unwrap_or(url);
    match oid {
        "1.2.392.200119.4.504" => return "JLAC10",
        "1.2.392.200119.4.403.1" | "1.2.392.100495.20.2.74" => return "HOT9",
        "1.2.392.200119.4.403.2" => return "HOT7",
        "1.2.392.200119.4.402.1" => return "HOT13",
        "1.2.392.100495.20.2.73" | "1.2.392.100495.20.1.73" => return "YJ",
        "1.2.392.100495.20.2.81" | "1.2.392.100495.20.1.81" => return "GENERAL",
        "1.2.392.200119.4.101.2" => return "MDCDX2",
        "1.2.392.200119.4.101.6" => return "MDCDX1",
        "1.2.392.200119.6.1005" => return "CHECKUP",
        _ => {}
    }
    // Items of the published tables of checkups, by their number.
    if let Some(item) = oid.strip_prefix("1.2.392.200119.6.").filter(|i| i.len() <= 5 && i.bytes().all(|b| b.is_ascii_digit())) {
        return item;
    }
    const ENDS: &[(&str, &str)] = &[
        ("master-JLAC10-17digits", "JLAC10"),
        ("JP_ObservationLabResultCode_CS", "JLAC10"),
        ("ObsLabResult_CoreLabo_CS", "JLAC10"),
        ("ObsLabResult_InfectionLabo_CS", "JLAC10"),
        ("LabResult_LocalCode_CS", "L"),
        ("LabResult_Uncoded_CS", "UNCODED"),
        ("master-HOT9", "HOT9"),
        ("MedicationCodeHOT9_CS", "HOT9"),
        ("master-HOT7", "HOT7"),
        ("master-HOT13", "HOT13"),
        ("YJ-code", "YJ"),
        ("MedicationGeneralOrderCode", "GENERAL"),
        ("master-disease-keyNumber", "MDCDX2"),
        ("master-disease-exCode", "MDCDX1"),
        ("masterB-disease", "RECEIPT"),
        ("ICD10-2013-full", "ICD10"),
        ("ICD10-JP", "ICD10"),
        ("ProcedureCodesMedical_CS", "RECEIPT"),
        ("loinc.org", "LOINC"),
        ("snomed.info/sct", "SCT"),
    ];
    let published = host(url).is_some_and(|host| PUBLISHERS.contains(&host));
    let known = ENDS.iter().find(|(end, _)| published && url.ends_with(end)).map(|(_, name)| *name);
    // A system that is none, and one whose name could pass for another, are the sender's own.
    let plain = url.is_empty() || ((url.contains("://") || url.starts_with("urn:")) && !url.contains(['+', ' ', '\t']));
    known.unwrap_or(if plain { url } else { "L" })
}

/// Source value of a code: the standard system of its column bare, any other as `SYSTEM:code`.
pub fn source_value(name: &str, code: &str) -> String {
    match name {
        "" => format!("L:{code}"),
        name if BARE.contains(&name) => code.to_owned(),
        name => format!("{name}:{code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oid_and_url_are_one_system() {
        assert_eq!(system("urn:oid:1.2.392.200119.4.504"), system("http://medis.or.jp/CodeSystem/master-JLAC10-17digits"));
        assert_eq!(system("urn:oid:1.2.392.100495.20.2.74"), system("http://medis.or.jp/CodeSystem/master-HOT9"));
        assert_eq!(source_value("HOT9", "104195801"), "104195801");
        assert_eq!(source_value("YJ", "2149"), "YJ:2149");
        assert_eq!(source_value("", "1"), "L:1");
    }

    #[test]
    fn what_only_ends_like_a_published_system_or_is_no_system_is_the_senders_own() {
        for own in
            ["http://kasumi-hospital.jp/master-HOT9", "http://kasumi.jp/loinc.org", "https://loinc.org.kasumi.jp/loinc.org"]
        {
            assert_eq!(system(own), own);
        }
        for own in ["KASUMIHOSPITAL+LN", "LN:KASUMI-BYOIN", "E", "HL71234", "0312", "http://kasumi.jp/a+LN", "urn:x y"] {
            assert_eq!(system(own), "L", "{own}");
        }
        for (url, name) in [("http://loinc.org", "LOINC"), ("https://www.loinc.org", "LOINC"), ("http://snomed.info/sct", "SCT")]
        {
            assert_eq!(system(url), name);
        }
        assert_eq!(system("1.2.392.200119.4.504"), "JLAC10", "an OID without its urn");
        assert_eq!(system(""), "");
    }
}
