//! FHIR without somebody: by whichever number a list names them.

use formats::Format;
use formats::without::WithoutError;

use crate::harness::File;
use crate::without::without;

const OWN: &str = "http://hospital.example/mrn";
const HOSPITAL: &str = "urn:oid:1.2.392.100495.20.3.51.11319999991";
const ELSEWHERE: &str = "urn:oid:1.2.392.100495.20.3.51.11310000002";

fn patient(id: &str, numbers: &[(&str, &str)]) -> String {
    let all: Vec<String> = numbers
        .iter()
        .map(|(system, value)| match *system {
            "" => format!(r#"{{"value":"{value}"}}"#),
            system => format!(r#"{{"system":"{system}","value":"{value}"}}"#),
        })
        .collect();
    format!(r#"{{"resourceType":"Patient","id":"{id}","identifier":[{}]}}"#, all.join(","))
}

fn observation(id: &str, subject: &str) -> String {
    format!(r#"{{"resourceType":"Observation","id":"{id}","status":"final","subject":{{"reference":"{subject}"}}}}"#)
}

fn lines(path: &str, parts: &[String]) -> File {
    (path.to_owned(), (parts.join("\n") + "\n").into_bytes())
}

/// What is left, as one text.
fn rest(files: &[File], left: &[&str]) -> String {
    let kept = without(Format::Fhir, files, left).expect("filtered");
    kept.iter().map(|((_, bytes), _)| String::from_utf8_lossy(bytes).into_owned()).collect()
}

fn why(resource: &str) -> &'static str {
    let files = [lines("Patient.ndjson", &[patient("p2", &[(HOSPITAL, "789")])]), lines("x.ndjson", &[resource.to_owned()])];
    match without(Format::Fhir, &files, &["456"]) {
        Err(WithoutError::Nobodys { path, why, .. }) => {
            assert_eq!(path, "x.ndjson");
            why
        }
        _ => panic!("{resource} was taken"),
    }
}

// control: NOT-03
#[test]
fn whoever_is_left_out_by_one_number_is_left_out_by_all() {
    for hers in [
        vec![(OWN, "456")],
        vec![("", "456")],
        vec![(HOSPITAL, "111"), (HOSPITAL, "456")],
        vec![(HOSPITAL, "111"), (OWN, "456")],
        vec![(ELSEWHERE, "111"), (HOSPITAL, "456")],
        vec![(ELSEWHERE, "456")],
    ] {
        let all = [patient("p1", &hers), patient("p2", &[(HOSPITAL, "789")])];
        let of = [observation("HERS", "Patient/p1"), observation("his", "Patient/p2")];
        let files = [lines("Patient.ndjson", &all), lines("Observation.ndjson", &of)];
        let text = rest(&files, &["0456"]);
        assert_eq!(text, format!("{}\n{}\n", all[1], of[1]), "{hers:?}");
        let entries: Vec<String> =
            [("urn:uuid:a", &all[0]), ("urn:uuid:b", &of[0]), ("urn:uuid:c", &all[1]), ("urn:uuid:d", &of[1])]
                .map(|(url, r)| {
                    let r = r.replace("Patient/p1", "urn:uuid:a").replace("Patient/p2", "urn:uuid:c");
                    format!(r#"{{"fullUrl":"{url}","resource":{r}}}"#)
                })
                .to_vec();
        let bundle = format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(","));
        let text = rest(&[("b.json".to_owned(), bundle.into_bytes())], &["456"]);
        assert!(!text.contains("HERS") && !text.contains("\"p1\"") && text.contains("his"), "{hers:?}: {text}");
        // Within the resource itself, as its subject and not.
        for subject in ["#p1", "Patient/p2"] {
            let contained = observation("HERS", subject).replacen('{', &format!(r#"{{"contained":[{}],"#, all[0]), 1);
            let files = [lines("Patient.ndjson", &all[1..]), lines("Observation.ndjson", &[contained, of[1].clone()])];
            assert_eq!(rest(&files, &["456"]), format!("{}\n{}\n", all[1], of[1]), "{hers:?}");
        }
    }
}

#[test]
fn a_second_chart_leads_to_all_that_goes_by_the_first() {
    // In another file the same chart, without the second number; and a Patient that is linked by a number alone.
    let merged = patient("p1", &[(HOSPITAL, "111"), (HOSPITAL, "456")]);
    let link = r#""link":[{"other":{"identifier":{"system":"http://hospital.example/mrn","value":"456"}},"type":"seealso"}],"#;
    let linked = patient("p4", &[(HOSPITAL, "444")]).replacen('{', &format!("{{{link}"), 1);
    let files = [
        lines("a/Patient.ndjson", &[merged, linked]),
        lines("b/Patient.ndjson", &[patient("x", &[(HOSPITAL, "0111")]), patient("y", &[(HOSPITAL, "789")])]),
        lines("a/Observation.ndjson", &[observation("HERS", "Patient/p4")]),
        lines("b/Observation.ndjson", &[observation("HERS", "Patient/x"), observation("his", "Patient/y")]),
    ];
    let text = rest(&files, &["456"]);
    assert!(!text.contains("HERS") && text.contains("his") && text.contains("\"y\"") && !text.contains("\"p4\""), "{text}");
}

#[test]
fn a_number_in_place_of_a_reference_is_judged_or_refused() {
    let device = |patient: &str| format!(r#"{{"resourceType":"Device","id":"d","patient":{patient}}}"#);
    let number = |system: &str, value: &str| format!(r#"{{"identifier":{{"system":"{system}","value":"{value}"}}}}"#);
    let two = patient("p2", &[(HOSPITAL, "789"), (OWN, "A9")]);
    let hers = patient("p1", &[(HOSPITAL, "456"), (OWN, "A1")]);
    for (of, left) in
        [(number(OWN, "456"), true), (number(OWN, "A1"), true), (number(HOSPITAL, "456"), true), (number(OWN, "A9"), false)]
    {
        let files = [lines("Patient.ndjson", &[two.clone(), hers.clone()]), lines("Device.ndjson", &[device(&of)])];
        assert_eq!(rest(&files, &["456"]).contains("Device"), !left, "{of}");
    }
    assert_eq!(why(&device(&number(OWN, "A7"))), "fhir-number");
    for nobody in [r#"{"display":"a name"}"#, r##"{"reference":"#gone"}"##, r#"{"reference":5}"#, "{}", r#""Patient/p2""#] {
        assert!(!why(&device(nobody)).is_empty(), "{nobody}");
    }
    assert_eq!(why(&device(r#"{"reference":"urn:uuid:gone"}"#)), "fhir-patient-missing");
    // A Patient within a resource that no list could name, and a number that cannot be read.
    let nameless = observation("o", "Patient/p2").replacen('{', r#"{"contained":[{"resourceType":"Patient","id":"p"}],"#, 1);
    assert_eq!(why(&nameless), "formats-no-patient");
    assert_eq!(why(&patient("p3", &[(HOSPITAL, "1"), (OWN, "X")]).replace("\"X\"", "4.5")), "formats-no-patient");
}
