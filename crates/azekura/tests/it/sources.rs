//! FHIR, DPC files, claims and checkups come in as SS-MIX2 does, and make one history of a person: on the real program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::kit::{House, PROVIDER, files, text};

/// Patients of the samples as the provider's charts number them.
const CHARTS: [&str; 4] = ["123", "456", "789", "1011"];

fn samples(which: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(which)
}

fn tree(which: &str) -> Vec<(String, Vec<u8>)> {
    files(&samples(which), |_| true)
}

/// Everything in the files with one word for another of the same meaning to their readers.
fn changed(files: &[(String, Vec<u8>)], from: &[u8], to: &[u8]) -> Vec<(String, Vec<u8>)> {
    let swap = |bytes: &[u8]| {
        let (mut out, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            if bytes[at..].starts_with(from) {
                out.extend_from_slice(to);
                at += from.len();
            } else {
                out.push(bytes[at]);
                at += 1;
            }
        }
        out
    };
    files.iter().map(|(name, content)| (name.clone(), swap(content))).collect()
}

/// Patients without a chart, by the ids that `azekura formats convert` gives them.
fn ids(house: &House, from: &str, which: &str) -> Vec<String> {
    let out = house.path().join(format!("{}-ids", which.replace('/', "-")));
    house.run(&["formats", "convert", "--from", from, text(&samples(which)), "--out", text(&out)]).done();
    let mut reader = csv::Reader::from_path(out.join("identity.csv")).expect("identity");
    let at = reader.headers().expect("a heading").iter().position(|h| h == "local_patient_id").expect("a column");
    reader.records().map(|r| r.expect("a row")[at].to_owned()).collect()
}

/// The id of whom the sample claims know by a card, with this birth date.
fn card_of(house: &House, birth: &str) -> String {
    let out = house.path().join("claims-ids");
    house.run(&["formats", "convert", "--from", "receipt", text(&samples("receipt/clean")), "--out", text(&out)]).done();
    let mut reader = csv::Reader::from_path(out.join("identity.csv")).expect("identity");
    let mut at = |name: &str| reader.headers().expect("a heading").iter().position(|h| h == name).expect("a column");
    let (id, born) = (at("local_patient_id"), at("birth_date"));
    let mut rows = reader.records().map(|r| r.expect("a row")).filter(|r| &r[born] == birth && r[id].starts_with("insured-"));
    rows.next().expect("by a card")[id].to_owned()
}

fn told() -> House {
    let house = House::new();
    let mut patients: Vec<String> = CHARTS.map(str::to_owned).to_vec();
    patients.extend(ids(&house, "checkup", "checkup/clean"));
    patients.extend(["0000012345", "9000000777"].map(str::to_owned));
    house.notified(&patients.iter().map(String::as_str).collect::<Vec<_>>());
    house
}

fn take_in(house: &House, package: &Path) -> Value {
    let received = house.receive(&[package]);
    assert_eq!(received[0]["state"], "accepted", "{received:?}");
    house.on(&["ingest"]).done()[0].clone()
}

fn one(house: &House, statement: &str) -> String {
    let rows = house.sql(statement);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0]["n"].to_string().trim_matches('"').to_owned()
}

fn number(house: &House, statement: &str) -> f64 {
    one(house, statement).parse().unwrap_or(f64::NAN)
}

/// The record of a chart number: its rows, whichever way a source writes the number.
const OF_A: &str =
    "person_id = (select person_id from person where year_of_birth = 1958 and month_of_birth = 3 and day_of_birth = 14 limit 1)";

#[test]
fn claims_dpc_and_checkups_of_one_person_are_one_history_in_which_nothing_counts_twice() {
    let house = told();
    let dpc = take_in(&house, &house.package_of("dpc", 1, &tree("dpc/clean")));
    assert_eq!(dpc["patients_in"], 4, "{dpc}");
    house.on(&["link"]).done();
    let before: Vec<f64> = ["visit_occurrence", "drug_exposure"].map(|t| house.count(t) as f64).to_vec();
    assert!(before.iter().all(|n| *n > 0.0));

    let claims = take_in(&house, &house.package_of("receipt", 2, &tree("receipt/clean")));
    // Of the pharmacy's and the dentist's claims, which name a card alone, two are of people who were told as the checkup writes their card.
    assert_eq!((&claims["patients_in"], &claims["patients_refused"]), (&6.into(), &1.into()), "{claims}");
    let checkups = take_in(&house, &house.package_of("checkup", 3, &tree("checkup/clean")));
    assert_eq!(checkups["patients_in"], 3, "{checkups}");
    house.on(&["link"]).done();

    // A: chart 123 in claims, 0000000123 in DPC files, and a checkup by card and name, are one person.
    assert_eq!(
        number(&house, "select count(distinct person_id) n from person where year_of_birth = 1958 and month_of_birth = 3"),
        1.0
    );
    // The stay that form 1, D, EF and the claim tell of is one.
    let stays = format!("select count(*) n from visit_occurrence where visit_concept_id = 9201 and {OF_A}");
    assert_eq!(number(&house, &stays), 1.0);
    let dates = format!(
        "select cast(visit_start_date as varchar) || ' ' || cast(visit_end_date as varchar) n from visit_occurrence where visit_concept_id = 9201 and {OF_A}"
    );
    assert_eq!(one(&house, &dates), "2024-06-10 2024-06-21");
    // The day in July that EFg and the claim tell of is one visit; the pharmacy's, of the same day, is another.
    let july = format!("select count(*) n from visit_occurrence where visit_start_date = date '2024-07-05' and {OF_A}");
    assert_eq!(number(&house, &july), 2.0);
    // Amounts: in June the DPC claim alone, 44,682 points; the bundles of D and the lines of EF keep their points and no amount.
    let paid = format!("select sum(total_charge) n from cost where visit_start = date '2024-06-10' and {OF_A}");
    assert_eq!(number(&house, &paid), 446_820.0);
    let told = format!("select count(*) n from cost where total_charge is null and points is not null and {OF_A}");
    assert!(number(&house, &told) > 0.0);
    // Drugs: those of DPC files count before those of claims, and all of them stay.
    let drugs = |which: &str| number(&house, &format!("select count(*) n from drug_exposure where {which} and {OF_A}"));
    assert!(drugs("counted") > 0.0 && drugs("not counted") > 0.0);
    // Suspected diagnoses are observations, whatever source tells of them.
    let suspected = format!("select count(*) n from observation where qualifier_source_value = 'suspected' and {OF_A}");
    assert!(number(&house, &suspected) > 0.0);
    let conditions = "select count(*) n from condition_occurrence where condition_source_value like '%8002%'";
    assert_eq!(number(&house, conditions), 0.0);
    assert_eq!(house.faults(), Vec::<String>::new());

    // The same deliveries once more say the same once more.
    let rows = house.rows();
    take_in(&house, &house.package_of("dpc", 4, &tree("dpc/clean")));
    take_in(&house, &house.package_of("receipt", 5, &tree("receipt/clean")));
    take_in(&house, &house.package_of("checkup", 6, &tree("checkup/clean")));
    assert_eq!(house.rows(), rows);
    // A second reading finds nothing to do.
    assert_eq!(house.on(&["ingest"]).done().as_array().map(Vec::len), Some(0));
}

#[test]
fn which_of_two_sources_came_first_makes_no_difference() {
    let kinds = ["dpc", "receipt", "checkup"];
    let counts = [[0, 1, 2], [2, 1, 0]].map(|order| {
        let house = told();
        for (sequence, at) in (1..).zip(order) {
            let kind: &str = kinds[at];
            take_in(&house, &house.package_of(kind, sequence, &tree(&format!("{kind}/clean"))));
        }
        house.on(&["link"]).done();
        let sum = number(&house, "select sum(total_charge) n from cost");
        let counted = number(&house, "select count(*) n from drug_exposure where counted");
        let visits = house.sql("select visit_concept_id c, cast(visit_start_date as varchar) s, cast(visit_end_date as varchar) e from visit_occurrence order by 1, 2, 3");
        (house.rows(), sum.to_string(), counted.to_string(), visits)
    });
    assert_eq!(counts[0], counts[1]);
}

#[test]
fn a_corrected_claim_replaces_the_one_of_an_earlier_package_and_a_returned_one_takes_it_away() {
    let house = told();
    let claims: Vec<_> = tree("receipt/clean").into_iter().filter(|(name, _)| name.ends_with("RECEIPTC.UKE")).collect();
    take_in(&house, &house.package_of("receipt", 1, &claims));
    house.on(&["link"]).done();
    let amount = format!("select sum(total_charge) n from cost where {OF_A}");
    assert_eq!(number(&house, &amount), 3_480.0);
    let rows = house.rows();

    // 348 points become 349: the same claim, as it was billed again.
    let corrected = changed(&changed(&claims, b",348,", b",349,"), b",348\r", b",349\r");
    assert_ne!(corrected, claims);
    take_in(&house, &house.package_of("receipt", 2, &corrected));
    assert_eq!(number(&house, &amount), 3_490.0);
    assert_eq!(house.rows(), rows);

    // Sent back by the payer, and not billed again.
    let returned: Vec<_> = corrected.iter().map(|(name, content)| (name.replace(".UKE", ".HEN"), content.clone())).collect();
    take_in(&house, &house.package_of("receipt", 3, &returned));
    assert_eq!(number(&house, "select count(*) n from cost"), 0.0);
    assert_eq!(number(&house, "select count(*) n from procedure_occurrence"), 0.0);
    // Who the people are is known all the same.
    assert!(number(&house, "select count(*) n from person") >= 3.0);
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn resources_come_in_under_the_hospitals_own_numbers_and_one_entered_in_error_later_goes() {
    let house = told();
    let ours = changed(&tree("fhir-jp/handmade/bulk"), b"1311234567", PROVIDER.as_bytes());
    let taken = take_in(&house, &house.package_of("fhir", 1, &ours));
    assert_eq!(taken["patients_in"], 2, "{taken}");
    house.on(&["link"]).done();
    let rows = house.rows();
    let count = |house: &House| number(house, "select count(*) n from measurement");
    let before = count(&house);
    assert!(before > 0.0);

    // The same export again, in which every observation was entered in error.
    let observations = changed(&ours, b"\"status\":\"final\"", b"\"status\":\"entered-in-error\"");
    assert_ne!(observations, ours);
    take_in(&house, &house.package_of("fhir", 2, &observations));
    assert!(count(&house) < before);
    take_in(&house, &house.package_of("fhir", 3, &ours));
    assert_eq!(house.rows(), rows);
}

#[test]
fn of_who_said_no_nothing_comes_in_with_a_file_of_many_and_the_package_is_destroyed() {
    let house = told();
    // By her chart number, and by the card that the pharmacy's claim alone knows her by.
    for id in ["0000000456", &card_of(&house, "1971-11-02")] {
        house.on(&["opt-out", "--provider", PROVIDER, "--patient", id]).done();
    }
    let taken = take_in(&house, &house.package_of("receipt", 1, &tree("receipt/clean")));
    assert_eq!((&taken["patients_in"], &taken["destroyed"]), (&4.into(), &true.into()), "{taken}");
    let dpc = take_in(&house, &house.package_of("dpc", 2, &tree("dpc/clean")));
    assert_eq!((&dpc["patients_in"], &dpc["destroyed"]), (&3.into(), &true.into()), "{dpc}");
    house.on(&["link"]).done();
    let hers = "select count(*) n from person where year_of_birth = 1971";
    assert_eq!(number(&house, hers), 0.0);
    let (receipt, rejections) = house.receipt(1);
    assert!(rejections.contains("456"), "{rejections}");
    assert!(receipt["findings"].is_number() || receipt.is_object());
    for hidden in ["東雲", "シノノメ", "有明", "アリアケ", "汐留"] {
        assert!(!house.all_said().contains(hidden), "{hidden}");
    }
}

#[test]
fn what_cannot_be_read_in_one_file_is_told_to_its_sender_and_the_others_come_in() {
    let house = told();
    let mut dirty = tree("receipt/clean");
    dirty.push(("storage/NOTES.UKE".to_owned(), b"ZZ,1,2\r\nnonsense\r\n\xff\xfe\r\n".to_vec()));
    dirty
        .push(("storage/RECEIPTX.UKE".to_owned(), fs::read(samples("dpc/clean/K_source_139999991_2406.txt")).expect("readable")));
    let taken = take_in(&house, &house.package_of("receipt", 1, &dirty));
    assert_eq!(taken["patients_in"], 6, "{taken}");
    assert!(taken["findings"].as_u64().unwrap_or(0) > 3, "{taken}");
    // Two payloads would be read without knowing of each other.
    let two = house.payloads_of("receipt", 2, &[tree("receipt/clean"), tree("receipt/clean")]);
    let received = house.receive(&[&two]);
    assert_eq!(received[0]["reason"], "core-package-payloads");
}

/// Lines of the sample EFn file that are the first patient's, behind its heading, as a file.
fn stay(changes: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let bytes = fs::read(samples("dpc/clean/EFn_139999991_2406.txt")).expect("readable");
    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    let of_a = |line: &&&[u8]| line.windows(10).any(|w| w == b"0000000123");
    let (heading, lines): (&[u8], Vec<&[u8]>) = (lines[0], lines.iter().filter(of_a).copied().collect());
    let mut file = vec![("storage/EFn.txt".to_owned(), lines.concat())];
    for (from, to) in changes {
        file = changed(&file, from.as_bytes(), to.as_bytes());
    }
    file[0].1.splice(0..0, heading.iter().copied());
    file
}

#[test]
fn a_stay_goes_on_with_its_acts_and_a_month_sent_again_takes_no_discharge_away() {
    let house = told();
    let june = stay(&[("20240621\t20240610", "00000000\t20240610")]);
    take_in(&house, &house.package_of("dpc", 1, &june));
    house.on(&["link"]).done();
    let stays = "select cast(visit_start_date as varchar) || ' ' || cast(visit_end_date as varchar) || ' ' || cast(open_stay as varchar) n from visit_occurrence";
    assert_eq!(one(&house, stays), "2024-06-10 2024-06-14 true");
    for table in ["procedure_occurrence", "drug_exposure"] {
        assert_eq!(number(&house, &format!("select count(*) n from {table} where visit_occurrence_id is null")), 0.0, "{table}");
    }
    let july = stay(&[
        ("20240621\t20240610", "20240703\t20240610"),
        ("\t20240611\t", "\t20240701\t"),
        ("\t20240614\t", "\t20240702\t"),
        ("\t20240610\t01", "\t20240701\t01"),
    ]);
    take_in(&house, &house.package_of("dpc", 2, &july));
    assert_eq!(one(&house, stays), "2024-06-10 2024-07-03 false");
    let rows = house.rows();
    take_in(&house, &house.package_of("dpc", 3, &june));
    assert_eq!(one(&house, stays), "2024-06-10 2024-07-03 false");
    assert_eq!(house.rows(), rows);
}

#[test]
fn a_chart_number_padded_otherwise_is_the_same_claim_and_the_same_diagnoses() {
    let house = told();
    let claims: Vec<_> = tree("receipt/clean").into_iter().filter(|(name, _)| name.ends_with("RECEIPTC.UKE")).collect();
    let padded = changed(&claims, b",123,", b",0000000123,");
    assert_ne!(padded, claims);
    take_in(&house, &house.package_of("receipt", 1, &claims));
    house.on(&["link"]).done();
    let rows = house.rows();
    let amount = "select sum(total_charge) n from cost";
    let paid = number(&house, amount);
    take_in(&house, &house.package_of("receipt", 2, &padded));
    assert_eq!((house.rows(), number(&house, amount)), (rows.clone(), paid));
    // Both ways in one delivery: the later one stands.
    let both = [claims, vec![("storage/OTHER.UKE".to_owned(), padded[0].1.clone())]].concat();
    take_in(&house, &house.package_of("receipt", 3, &both));
    assert_eq!((house.rows(), number(&house, amount)), (rows, paid));
}

#[test]
fn a_checkup_in_its_archive_and_beside_it_is_one() {
    let measured = |files: &[(String, Vec<u8>)]| {
        let house = told();
        let taken = take_in(&house, &house.package_of("checkup", 1, files));
        house.on(&["link"]).done();
        (house.count("measurement"), house.count("observation"), taken["findings"].as_u64().unwrap_or(0))
    };
    let all = tree("checkup/clean");
    let beside: Vec<_> = all.iter().filter(|(name, _)| !name.ends_with(".zip")).cloned().collect();
    let (both, alone) = (measured(&all), measured(&beside));
    assert!(alone.0 > 0);
    assert_eq!((both.0, both.1), (alone.0, alone.1));
    assert!(both.2 > alone.2, "it is told");
}

#[test]
fn a_resource_counts_once_wherever_it_stands_and_folders_have_names_of_their_own() {
    let ours = changed(&tree("fhir-jp/handmade/bulk"), b"1311234567", PROVIDER.as_bytes());
    let measured = |house: &House| house.count("measurement");
    let house = told();
    take_in(&house, &house.package_of("fhir", 1, &ours));
    house.on(&["link"]).done();
    let once = measured(&house);
    // The same in a bundle beside the bulk files, and as a line that comes twice.
    let lines = |name: &str| -> Vec<Value> {
        let (_, bytes) = ours.iter().find(|(n, _)| n.ends_with(name)).expect("a file");
        let lines = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty());
        lines.map(|l| serde_json::from_slice(l).expect("JSON")).collect()
    };
    let entries: Vec<Value> = [lines("Patient.ndjson"), lines("Observation.ndjson")]
        .concat()
        .into_iter()
        .enumerate()
        .map(|(n, resource)| serde_json::json!({ "fullUrl": format!("urn:uuid:00000000-0000-4000-8000-{n:012}"), "resource": resource }))
        .collect();
    let bundle = serde_json::json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
    let mut nameless = lines("Observation.ndjson").remove(0);
    nameless.as_object_mut().expect("an object").remove("id");
    let twice = format!("{nameless}\n{nameless}\n");
    let mut more = ours.clone();
    more.push(("storage/bundle.json".to_owned(), bundle.to_string().into_bytes()));
    take_in(&house, &house.package_of("fhir", 2, &more));
    assert_eq!(measured(&house), once);
    more.push(("storage/Nameless.ndjson".to_owned(), twice.into_bytes()));
    take_in(&house, &house.package_of("fhir", 3, &more));
    assert!(measured(&house) <= once + 3 && measured(&house) > once, "the nameless one once, with its parts");

    // Two servers with the same ids: a delivery of one takes nothing of the other away.
    let house = told();
    let of = |folder: &str, files: &[(String, Vec<u8>)]| -> Vec<(String, Vec<u8>)> {
        files.iter().map(|(name, content)| (name.replace("storage/", &format!("storage/{folder}/")), content.clone())).collect()
    };
    let two = [of("a", &ours), of("b", &changed(&ours, b"2024-04-01", b"2024-05-01"))].concat();
    take_in(&house, &house.package_of("fhir", 1, &two));
    house.on(&["link"]).done();
    let both = measured(&house);
    assert!(both > once);
    take_in(&house, &house.package_of("fhir", 2, &of("a", &ours)));
    assert_eq!(measured(&house), both);
}

#[test]
fn a_package_of_another_kind_stays_out_and_one_that_may_hold_who_said_no_is_not_kept() {
    let house = told();
    for (sequence, kind, which) in [(1, "receipt", "dpc/clean"), (1, "fhir", "receipt/clean"), (1, "dpc", "checkup/clean")] {
        let received = house.receive(&[&house.package_of(kind, sequence, &tree(which))]);
        assert_eq!(
            (&received[0]["state"], &received[0]["reason"]),
            (&"quarantined".into(), &"core-package-nobody".into()),
            "{which}"
        );
    }
    // A claim whose month cannot be read is nobody's to the reader, and may be hers.
    house.on(&["opt-out", "--provider", PROVIDER, "--patient", "456", "--erase"]).done();
    let claims: Vec<_> = tree("receipt/clean").into_iter().filter(|(name, _)| name.ends_with("RECEIPTY.UKE")).collect();
    let ids = ids(&house, "receipt", "receipt/clean");
    house.notified(&ids.iter().map(String::as_str).filter(|id| *id != "456").collect::<Vec<_>>());
    let taken = take_in(&house, &house.package_of("receipt", 1, &claims));
    assert_eq!((&taken["patients_refused"], &taken["destroyed"]), (&0.into(), &true.into()), "{taken}");
}

#[test]
fn a_resource_that_is_another_patients_after_a_correction_is_no_more_the_first_ones() {
    let house = told();
    let ours = changed(&tree("fhir-jp/handmade/bulk"), b"1311234567", PROVIDER.as_bytes());
    let by_year = |house: &House| -> Vec<String> {
        let rows = house.sql(
            "select p.year_of_birth y, count(*) n from measurement m join person p on p.person_id = m.person_id group by 1 order by 1",
        );
        rows.iter().map(|r| r["n"].to_string()).collect()
    };
    take_in(&house, &house.package_of("fhir", 1, &ours));
    house.on(&["link"]).done();
    let before = by_year(&house);
    assert_eq!(before.len(), 2, "{before:?}");
    let observations = |files: &[(String, Vec<u8>)]| -> Vec<(String, Vec<u8>)> {
        let swap = |f: &[(String, Vec<u8>)]| {
            changed(
                &changed(&changed(f, b"Patient/p1", b"Patient/XX"), b"Patient/p2", b"Patient/p1"),
                b"Patient/XX",
                b"Patient/p2",
            )
        };
        let (of, rest): (Vec<_>, Vec<_>) = files.iter().cloned().partition(|(name, _)| name.ends_with("Observation.ndjson"));
        [rest, swap(&of)].concat()
    };
    take_in(&house, &house.package_of("fhir", 2, &observations(&ours)));
    let after = by_year(&house);
    assert_eq!(after, before.iter().rev().cloned().collect::<Vec<_>>());
    take_in(&house, &house.package_of("fhir", 3, &ours));
    assert_eq!(by_year(&house), before);
    assert_eq!(house.faults(), Vec::<String>::new());
}

/// A package in which the observations are somebody else's, and what stands of them afterwards.
fn observations_of(files: &[(String, Vec<u8>)], patient: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (of, rest): (Vec<_>, Vec<_>) = files.iter().cloned().partition(|(name, _)| name.ends_with("Observation.ndjson"));
    [rest, changed(&changed(&of, b"Patient/p1", patient), b"Patient/p2", patient)].concat()
}

#[test]
fn a_resource_of_somebody_who_may_not_come_in_does_not_stay_with_the_first_patient() {
    let house = told();
    let ours = changed(&tree("fhir-jp/handmade/bulk"), b"1311234567", PROVIDER.as_bytes());
    take_in(&house, &house.package_of("fhir", 1, &ours));
    house.on(&["link"]).done();
    assert!(house.count("measurement") > 0);
    // A patient of whom no notice was given: in a file of many lines, as programs write one for people.
    let stranger = br#"{
  "resourceType": "Patient",
  "id": "p9",
  "identifier": [
    { "system": "urn:oid:1.2.392.100495.20.3.51.11311234567", "value": "0000099999" }
  ],
  "gender": "female",
  "birthDate": "1980-01-01"
}"#;
    let mut moved = observations_of(&ours, b"Patient/p9");
    moved.extend(changed(&[("storage/Patient-p9.json".to_owned(), stranger.to_vec())], b"1311234567", PROVIDER.as_bytes()));
    take_in(&house, &house.package_of("fhir", 2, &moved));
    assert_eq!(house.count("measurement"), 0, "none of them is left with those who may come in");
    assert_eq!(house.faults(), Vec::<String>::new());
}

#[test]
fn a_patient_in_a_file_of_many_lines_is_found_by_the_resources_of_other_files() {
    let house = told();
    let ours = changed(&tree("fhir-jp/handmade/bulk"), b"1311234567", PROVIDER.as_bytes());
    let (patients, mut rest): (Vec<_>, Vec<_>) = ours.iter().cloned().partition(|(name, _)| name.ends_with("Patient.ndjson"));
    for (n, line) in patients[0].1.split(|b| *b == b'\n').filter(|l| !l.is_empty()).enumerate() {
        let value: Value = serde_json::from_slice(line).expect("JSON");
        let pretty = serde_json::to_vec_pretty(&value).expect("JSON");
        rest.push((format!("storage/patient-{n}.json"), pretty));
    }
    let taken = take_in(&house, &house.package_of("fhir", 1, &rest));
    assert_eq!((&taken["patients_in"], &taken["patients_refused"]), (&2.into(), &0.into()), "{taken}");
}

#[test]
fn what_the_readers_have_to_say_passes_from_the_reading_process_whatever_it_is() {
    let house = told();
    let mut ours = changed(&tree("fhir-jp/handmade/bulk"), b"1311234567", PROVIDER.as_bytes());
    ours.push((
        "storage/Immunization.ndjson".to_owned(),
        br#"{"resourceType":"Immunization","id":"i1","patient":{"reference":"Patient/p1"},"status":"completed"}"#.to_vec(),
    ));
    ours.push((
        "storage/spoilt.json".to_owned(),
        br#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":7}},{"resource":"x"}]}"#.to_vec(),
    ));
    let taken = take_in(&house, &house.package_of("fhir", 1, &ours));
    assert_eq!((&taken["patients_in"], &taken["refused"]), (&2.into(), &Value::Null), "{taken}");
    let mut checkups = tree("checkup/clean");
    checkups.push(("storage/own.csv".to_owned(), b"a,b\n1,2\n".to_vec()));
    checkups.push(("storage/own.toml".to_owned(), b"this is no mapping".to_vec()));
    let taken = take_in(&house, &house.package_of("checkup", 2, &checkups));
    assert_eq!(&taken["refused"], &Value::Null, "{taken}");
}

#[test]
fn a_checkup_in_csv_with_its_mapping_comes_in() {
    let house = told();
    let patients = ids(&house, "checkup", "checkup/csv");
    house.notified(&patients.iter().map(String::as_str).collect::<Vec<_>>());
    let taken = take_in(&house, &house.package_of("checkup", 1, &tree("checkup/csv")));
    assert!(taken["patients_in"].as_u64().is_some_and(|n| n > 0), "{taken}");
    assert_eq!(&taken["patients_refused"], &0, "{taken}");
}

#[test]
fn chart_claims_dpc_files_checkups_and_fhir_of_one_hospital_are_one_history() {
    let house = House::new();
    let made = house.path().join("synth");
    let kinds = "receipt,dpc,fhir,checkup";
    let arguments = ["synth", "--persons", "120", "--providers", "1", "--seed", "5", "--kinds", kinds, "--out"];
    house.run(&[&arguments[..], &[text(&made)]].concat()).done();
    let rows = |name: &str| -> Vec<std::collections::BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(made.join(name)).expect("a truth");
        let heads = reader.headers().expect("a heading").clone();
        let row = |r: csv::StringRecord| heads.iter().map(str::to_owned).zip(r.iter().map(str::to_owned)).collect();
        reader.records().map(|r| row(r.expect("a row"))).collect()
    };
    let truth = rows("truth.csv");
    let provider = truth[0]["provider"].clone();
    let place = made.join(&provider);
    // Everybody is told, under the id that each source gives.
    let mut told: BTreeSet<String> = truth.iter().map(|r| r["canonical_id"].clone()).collect();
    for kind in kinds.split(',') {
        let out = house.path().join(format!("{kind}-ids"));
        house.run(&["formats", "convert", "--from", kind, text(&place.join(kind)), "--out", text(&out)]).done();
        let mut reader = csv::Reader::from_path(out.join("identity.csv")).expect("identity");
        let at = reader.headers().expect("a heading").iter().position(|h| h == "local_patient_id").expect("a column");
        told.extend(reader.records().map(|r| r.expect("a row")[at].to_owned()));
    }
    let sender = crate::kit::party("synth-hospital", "30");
    house.on(&["provider", "add", "--id", &provider, "--cert", text(&sender.cert)]).done();
    house.notified_at(&provider, &told.iter().map(String::as_str).collect::<Vec<_>>());
    for (sequence, kind) in (1..).zip(["ssmix2"].into_iter().chain(kinds.split(','))) {
        let tree = if kind == "ssmix2" { place.join("storage") } else { place.join(kind) };
        let package = house.package_from(&sender, &provider, kind, sequence, &crate::kit::files(&tree, |_| true));
        house.receive(&[&package]);
        let taken = house.on(&["ingest"]).json[0].clone();
        assert_eq!((&taken["waits"], &taken["refused"]), (&Value::Null, &Value::Null), "{kind} {taken}");
        assert!(taken["patients_in"].as_u64().is_some_and(|n| n > 0), "{kind} {taken}");
    }
    house.on(&["link"]).done();
    // Each stay is told by up to five sources, and is one.
    let aside = |r: &&std::collections::BTreeMap<String, String>| r["flags"].contains("set_aside");
    let held: BTreeSet<&str> = truth.iter().filter(aside).map(|r| r["local_patient_id"].as_str()).collect();
    let stays = rows("truth-stays.csv").iter().filter(|r| !held.contains(r["local_patient_id"].as_str())).count();
    assert!(stays > 3, "{stays}");
    assert_eq!(one(&house, "select count(*) as n from visit_occurrence where visit_concept_id = 9201"), stays.to_string());
    let counted = one(&house, "select count(*) as n from drug_exposure where counted");
    let all = one(&house, "select count(*) as n from drug_exposure");
    let number = |text: &str| text.parse::<u64>().expect("a number");
    assert!(number(&counted) > 0 && number(&counted) * 2 < number(&all), "{counted} of {all}");
    // A claim's diagnosis stands beside the chart's, and is never taken for it; one that is suspected is none.
    let suspected = rows("truth-diagnoses.csv").iter().filter(|r| r["suspected"] == "true").count();
    assert!(suspected > 0);
    assert!(number(&one(&house, "select count(*) as n from observation where observation_source_value like '%+8002%'")) > 0);
    assert_eq!(one(&house, "select count(*) as n from condition_occurrence where condition_source_value like '%+8002%'"), "0");
    assert_eq!(house.faults(), Vec::<String>::new());
}
