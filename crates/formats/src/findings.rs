/// Every code of a finding of the readers of claims, DPC, checkups and FHIR.
pub const CODES: &[&str] = &[
    "formats-more",
    "formats-mixed-charset",
    "formats-undecodable",
    "formats-gaiji",
    "formats-line-too-long",
    "formats-file-too-long",
    "formats-empty",
    "formats-blank-lines",
    "formats-quotes",
    "formats-columns",
    "formats-date",
    "formats-date-style",
    "formats-out-of-era",
    "formats-sex",
    "formats-number",
    "formats-no-code",
    "formats-no-patient",
    "formats-charset-differs",
    "formats-unknown-kind",
    "formats-file-twice",
    "formats-link",
    "formats-tar-broken",
    "fhir-entry",
    "receipt-claim-twice",
    "receipt-cancelled",
    "receipt-unknown-record",
    "receipt-no-claim",
    "receipt-no-header",
    "receipt-late-head",
    "receipt-kind",
    "receipt-billed",
    "receipt-month",
    "receipt-admission",
    "receipt-points",
    "receipt-death-day",
    "receipt-code-form",
    "receipt-no-such-day",
    "receipt-no-days",
    "receipt-days-sum",
    "receipt-comma",
    "receipt-other-month",
    "receipt-not-dispensed",
    "receipt-group-size",
    "receipt-not-kept",
    "receipt-returned",
    "receipt-superseded",
    "receipt-other-kind",
    "receipt-no-trailer",
    "receipt-trailer",
    "dpc-unknown-file",
    "dpc-short",
    "dpc-double-line",
    "dpc-before-layouts",
    "dpc-k-layout",
    "dpc-detail-without-act",
    "dpc-detail-month",
    "dpc-death-day",
    "dpc-stay-twice",
    "dpc-stay-differs",
    "fhir-again",
    "dpc-unknown-code",
    "dpc-code-year",
    "dpc-icd",
    "fhir-not-a-resource",
    "fhir-patient-missing",
    "fhir-patient-twice",
    "fhir-no-person",
    "fhir-incomplete",
    "fhir-modifier",
    "fhir-type-not-read",
    "fhir-death-day",
    "checkup-again",
    "checkup-birth",
    "checkup-date",
    "checkup-no-date",
    "checkup-code-form",
    "checkup-answer",
    "checkup-doctype",
    "checkup-depth",
    "checkup-malformed",
    "checkup-unknown-document",
    "checkup-entry",
    "checkup-archive-directory",
    "checkup-archive-path",
    "checkup-archive-size",
    "checkup-archive-method",
    "checkup-no-mapping",
    "checkup-mapping-broken",
    "checkup-mapping-beside",
    "checkup-mapping-columns",
    "checkup-unmapped-columns",
    "checkup-open-quote",
    "checkup-double-column",
    "checkup-index-count",
];

/// Every name of an argument of such a finding. None of them is ever a value of the source, but for two letters of a record, the name of a
/// type of FHIR's, the place of an entry, and what is wrong in a mapping.
pub const ARGS: &[&str] =
    &["code", "count", "dates", "drugs", "entry", "expected", "found", "kind", "limit", "reason", "record", "type"];

#[cfg(test)]
mod tests {
    use super::ARGS;

    fn arguments(text: &str) -> impl Iterator<Item = &str> {
        text.split(".with(\"").skip(1).filter_map(|rest| rest.split('"').next())
    }

    fn sources(folder: &std::path::Path, all: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path, all);
            } else if path.extension().is_some_and(|e| e == "rs") {
                all.push(std::fs::read_to_string(&path).expect("a source"));
            }
        }
    }

    #[test]
    fn every_argument_of_a_finding_can_pass_from_the_reading_process() {
        let mut all = Vec::new();
        sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        let names: std::collections::BTreeSet<&str> = all.iter().flat_map(|text| arguments(text)).collect();
        assert!(names.len() > 15 && names.contains("entry"), "{names:?}");
        for name in names {
            assert!(ARGS.contains(&name) || crate::ssmix2::ARGS.contains(&name), "{name} is refused on the way");
        }
    }
}
