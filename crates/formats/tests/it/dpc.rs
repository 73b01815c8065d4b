//! DPC survey files.

use std::collections::BTreeSet;

use formats::Member;
use formats::dpc::{Amounts, DpcReader, Options, Prescan};
use serde_json::Value;

use crate::harness::{File, Outcome, Row, expected, other_samples, physical_lines, read_by, sample, tree};

fn read(files: &[File]) -> Outcome {
    let mut prescan = Prescan::default();
    for (ordinal, (path, bytes)) in files.iter().enumerate() {
        let size = bytes.len() as u64;
        let member = Member { path, payload: 1, ordinal: ordinal as u64, size, content: &mut bytes.as_slice() };
        prescan.member(member, bytes).expect("looked at");
    }
    read_by(&mut DpcReader::new(Options { amounts: Amounts::of([], prescan), ..Options::default() }), files)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str().and_then(|s| s.parse().ok())).unwrap_or(f64::NAN)
}

fn of<'a>(outcome: &'a Outcome, table: &str, patient: &str) -> Vec<&'a Row> {
    outcome.of(table).into_iter().filter(|r| r.patient == patient).collect()
}

fn codes_of(rows: &[&Row], role: &str) -> Vec<String> {
    rows.iter()
        .filter(|r| r.get("condition_status_source_value") == role)
        .map(|r| r.get("condition_source_value").to_owned())
        .collect()
}

#[test]
fn the_files_of_a_hospital_say_what_the_sample_says() {
    let outcome = read(&tree(&other_samples("dpc/clean")));
    assert_eq!(outcome.counts.records_unread, 0, "{:?}", outcome.codes());
    for stay in expected("dpc/expected.json")["stays"].as_array().expect("a list") {
        let id = text(&stay["data_id"]);
        let person = of(&outcome, "identity", id);
        assert!(person.iter().any(|r| r.get("birth_date") == text(&stay["birth_date"]) && r.get("sex") == text(&stay["sex"])));
        assert!(person.iter().any(|r| r.get("postal_code") == text(&stay["postal"])));
        let events: Vec<&Row> = of(&outcome, "visit_event", id).into_iter().filter(|r| r.get("origin") == "form1").collect();
        let event = |word: &str| events.iter().find(|r| r.get("event") == word).copied().expect("an event");
        assert_eq!(event("admission").get("event_date"), text(&stay["admission"]));
        assert_eq!(event("admission").get("admitted_from"), text(&stay["route"]));
        assert_eq!(event("discharge").get("event_date"), text(&stay["discharge"]));
        assert_eq!(event("discharge").get("discharged_to"), text(&stay["destination"]));
        assert_eq!(of(&outcome, "death", id).len(), usize::from(stay["died"] == true));
        let observed = |source: &str| {
            let rows = of(&outcome, "observation", id);
            rows.into_iter().find(|r| r.get("observation_source_value") == source).map(|r| r.get("value_as_string").to_owned())
        };
        assert_eq!(observed("A000020-5").as_deref(), Some(text(&stay["plan"])));
        assert_eq!(observed("A000030-3").as_deref(), Some(text(&stay["outcome"])));
        assert_eq!(observed("JCS0010-2").as_deref().unwrap_or("0"), text(&stay["jcs_adm"]));
        assert_eq!(observed("A001020-2").as_deref(), stay["smoking_index"].as_str());
        assert_eq!(observed("DPC").as_deref(), Some(text(&stay["dpc"])));
        assert_eq!(observed("D-30").as_deref(), Some(text(&stay["coefficient"])));
        let measured = |source: &str| {
            let rows = of(&outcome, "measurement", id);
            rows.into_iter()
                .find(|r| r.get("measurement_source_value") == source)
                .map(|r| r.get("value_as_number").parse::<f64>())
        };
        for (source, name) in [("A001010-2", "height_cm"), ("A001010-3", "weight_adm_kg"), ("A001010-4", "weight_dis_kg")] {
            assert_eq!(measured(source), Some(Ok(number(&stay[name]))), "{name}");
        }
        let conditions = of(&outcome, "condition_occurrence", id);
        for (role, name) in [("A006010", "main"), ("A006020", "trigger"), ("A006030", "resource")] {
            assert_eq!(codes_of(&conditions, role), [text(&stay[name])]);
        }
        for (role, name) in [("A006040", "comorbidities"), ("A006050", "complications")] {
            let wanted: Vec<&str> = stay[name].as_array().expect("a list").iter().map(text).collect();
            assert_eq!(codes_of(&conditions, role), wanted);
        }
        let procedures = of(&outcome, "procedure_occurrence", id);
        for operation in stay["operations"].as_array().expect("a list") {
            assert!(procedures.iter().any(|r| {
                r.get("procedure_source_value") == text(&operation["k"])
                    && r.get("procedure_date") == text(&operation["date"])
                    && r.get("modifier_source_value").contains(&format!("anaesthesia:{}", text(&operation["anesthesia"])))
            }));
        }
        let costs = of(&outcome, "cost", id);
        for act in stay["ef_acts"].as_array().expect("a list") {
            let (code, date, count) = (text(&act["code"]), text(&act["date"]), number(&act["count"]));
            let source = format!("EF:{}:{code}", text(&act["category"]));
            let points = number(&act["points"]) * count;
            let cost = costs.iter().find(|r| r.get("revenue_code_source_value") == source).expect("an amount of the act");
            assert_eq!(cost.get("points").parse(), Ok(points));
            assert!(cost.get("total_charge").is_empty(), "D counts here, EF does not");
            if code.starts_with('1') {
                let row = procedures.iter().find(|r| r.get("procedure_source_value") == code).expect("the act");
                assert_eq!((row.get("procedure_date"), row.get("quantity").parse()), (date, Ok(count)));
            }
            for detail in act["details"].as_array().expect("a list") {
                let drugs = of(&outcome, "drug_exposure", id);
                let row = drugs.iter().find(|r| r.get("drug_source_value") == text(&detail[0])).expect("the drug");
                assert_eq!(row.get("drug_exposure_start_date"), date);
                assert_eq!(row.get("quantity").parse(), Ok(number(&detail[1]) * count));
                assert_eq!(row.get("dose_unit_source_value"), text(&detail[2]));
            }
        }
        let days: f64 = costs
            .iter()
            .filter(|r| r.get("revenue_code_source_value").starts_with("D:"))
            .map(|r| r.get("points").parse::<f64>().expect("points"))
            .sum();
        let wanted: f64 =
            stay["per_diem"].as_array().expect("a list").iter().map(|p| number(&p["points"]) * number(&p["days"])).sum();
        assert_eq!(days, wanted);
        let nursed: BTreeSet<String> = of(&outcome, "observation", id)
            .iter()
            .filter(|r| r.get("observation_source_value") == "ASS0021")
            .map(|r| r.get("observation_date").to_owned())
            .collect();
        assert_eq!(nursed.len() as f64, number(&stay["nursing_days"]));
    }
    assert!(
        outcome
            .of("insurance")
            .iter()
            .any(|r| r.get("insured_symbol") == "江01" && r.get("as_written") == "江０１|２３４５６７|02")
    );
}

#[test]
fn every_fault_of_the_dirty_samples_is_told_and_costs_no_other_line() {
    let clean = read(&[sample("dpc/clean/EFn_139999991_2406.txt")]);
    let rows = |o: &Outcome| o.of("procedure_occurrence").len() + o.of("drug_exposure").len() + o.of("cost").len();
    for (name, code, lost) in [
        ("EFn_column_count", "formats-columns", 0),
        ("EFn_duplicate_rows", "dpc-double-line", 0),
        ("EFn_empty", "formats-empty", rows(&clean)),
        ("EFn_invalid_dates", "formats-date", 1),
        ("EFn_mixed_encoding", "dpc-short", 0),
        ("EFn_no_header", "", 0),
        ("EFn_trailing_eof_and_blank_lines", "formats-blank-lines", 0),
        ("EFn_utf8_bom", "", 0),
    ] {
        let file = sample(&format!("dpc/dirty/{name}.txt"));
        let outcome = read(std::slice::from_ref(&file));
        assert_eq!(outcome.counts.records, physical_lines(&file.1), "{name}");
        if code.is_empty() {
            assert_eq!(outcome.codes(), [""; 0], "{name}");
        } else {
            assert!(outcome.codes().contains(&code), "{name}: {:?}", outcome.codes());
        }
        assert_eq!(rows(&outcome), rows(&clean) - lost, "{name}");
    }
    let open = read(&[sample("dpc/dirty/EFn_in_hospital_not_discharged.txt")]);
    assert!(!open.of("visit_event").iter().any(|r| r.get("event") == "discharge"));
    let odd = read(&[sample("dpc/dirty/FF1_unknown_code_and_bad_values.txt")]);
    for code in ["dpc-unknown-code", "formats-date"] {
        assert!(odd.codes().contains(&code), "{:?}", odd.codes());
    }
    let kana = read(&[sample("dpc/dirty/FF1_halfwidth_kana_and_vendor_chars.txt")]);
    assert_eq!(kana.findings.len(), 0, "{:?}", kana.codes());
}

#[test]
fn details_of_an_f_file_take_the_day_of_their_act() {
    let e = "139999991\t0000000123\t20240621\t20240610\t33\t0001\tH1\t130003510\tG001\tN\t34\t0\t0\t0\t2\t06139992\t1111\t20240611\t01\t040\t1\tW\t1\t1\t030\r\n";
    let f = "139999991\t0000000123\t20240621\t20240610\t33\t0001\t001\tH1\t622043601\t\tN\t1\tA\t180\t0\t180\t0\t\r\n139999991\t0000000123\t20240621\t20240610\t33\t0002\t001\tH1\t622043601\t\tN\t1\tA\t180\t0\t180\t0\t\r\n";
    let outcome = read(&[("En_1_2406.txt".to_owned(), e.into()), ("Fn_1_2406.txt".to_owned(), f.into())]);
    let drugs = outcome.of("drug_exposure");
    assert_eq!((drugs.len(), drugs[0].get("drug_exposure_start_date"), drugs[0].get("quantity")), (1, "2024-06-11", "2.0"));
    assert!(outcome.codes().contains(&"dpc-detail-without-act"));
}

/// Lines of an E and an F file with this 順序番号, day, times and amount: a stay that goes on.
fn act_and_detail(sequence: &str, day: &str, times: u8, amount: &str, code: &str) -> (String, String) {
    let stay = "139999991\t0000000123\t00000000\t20240410\t33";
    let e = format!(
        "{stay}\t{sequence}\tH1\t130003510\tG001\tN\t34\t0\t0\t0\t{times}\t06139992\t1111\t{day}\t01\t040\t1\tW\t1\t1\t030\r\n"
    );
    let f = format!("{stay}\t{sequence}\t001\tH1\t{code}\t\tN\t{amount}\tA\t180\t0\t180\t0\t\r\n");
    (e, f)
}

#[test]
fn details_join_acts_of_their_own_month() {
    let (april_e, april_f) = act_and_detail("0001", "20240411", 2, "1", "622043601");
    let (may_e, may_f) = act_and_detail("0001", "20240520", 6, "1", "622043601");
    let file = |name: &str, bytes: &String| (name.to_owned(), bytes.clone().into_bytes());
    let told = |files: &[File]| {
        let outcome = read(files);
        let mut drugs: Vec<(String, String)> = outcome
            .of("drug_exposure")
            .iter()
            .map(|r| (r.get("drug_exposure_start_date").to_owned(), r.get("quantity").to_owned()))
            .collect();
        drugs.sort();
        (drugs, outcome.codes().into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    let both = vec![("2024-04-11".to_owned(), "2.0".to_owned()), ("2024-05-20".to_owned(), "6.0".to_owned())];
    let months = [file("En_1_2404.txt", &april_e), file("En_1_2405.txt", &may_e)];
    let all = [&months[..], &[file("Fn_1_2404.txt", &april_f), file("Fn_1_2405.txt", &may_f)]].concat();
    assert_eq!(told(&all).0, both);
    // Named otherwise: joined where there is no choice, told where there is.
    assert_eq!(told(&[months[0].clone(), file("Fn.txt", &april_f)]).0, both[..1]);
    let (drugs, codes) = told(&[months[0].clone(), months[1].clone(), file("Fn.txt", &april_f)]);
    assert_eq!((drugs, codes), (Vec::new(), vec!["dpc-detail-month".to_owned()]));
    // A month whose acts are there, but not this one: another month's is not taken.
    let (other_e, _) = act_and_detail("0009", "20240521", 1, "1", "622043601");
    let (drugs, codes) = told(&[months[0].clone(), file("En_1_2405.txt", &other_e), file("Fn_1_2405.txt", &may_f)]);
    assert_eq!((drugs, codes), (Vec::new(), vec!["dpc-detail-without-act".to_owned()]));
}

#[test]
fn half_a_device_is_no_count_and_not_none_of_it() {
    let device = |amount: &str| {
        let (e, f) = act_and_detail("0001", "20240411", 1, amount, "710010026");
        let outcome = read(&[("En_1_2404.txt".to_owned(), e.into()), ("Fn_1_2404.txt".to_owned(), f.into())]);
        outcome.of("device_exposure")[0].get("quantity").to_owned()
    };
    assert_eq!((device("2"), device("0.5"), device("1.5")), ("2".to_owned(), String::new(), String::new()));
}

#[test]
fn the_flags_of_april_2016_are_those_of_its_fiscal_year() {
    // EFg of FY2016: twelve positions, the fourth the outcome and the fifth the main disease of a diagnosis.
    let line = |day: &str| {
        format!(
            "139999991\t0000000123\t19580314\t{day}\tSY\t0001\t001\tH1\t8830052\t\tN\t0\t0\t0\t0\t0\t001310000000\t0\t0\t0\t1\t06139992\t1112\t{day}\t01\t040\t1\tW\t1\t2\t030\r\n"
        )
    };
    for day in ["20160401", "20160531", "20160601"] {
        let outcome = read(&[("EFg_139999991_1604.txt".to_owned(), line(day).into_bytes())]);
        let found = outcome.of("condition_occurrence");
        assert_eq!(found.len(), 1, "{day}: {:?}", outcome.codes());
        assert_eq!(found[0].get("condition_status_source_value"), "main", "{day}");
        assert!(outcome.of("identity").iter().any(|r| r.get("sex") == "male"), "{day}");
    }
}

#[test]
fn nobody_is_insured_before_the_birth_that_a_line_states() {
    let (path, bytes) = sample("dpc/clean/EFg_139999991_2407.txt");
    let starts = |born: &[u8; 8]| -> BTreeSet<String> {
        let mut changed = bytes.clone();
        let places: Vec<usize> = (0..bytes.len() - 8).filter(|at| &bytes[*at..at + 8] == b"19580314").collect();
        assert!(!places.is_empty());
        places.into_iter().for_each(|at| changed[at..at + 8].copy_from_slice(born));
        let outcome = read(&[(path.clone(), changed)]);
        let plans = of(&outcome, "payer_plan_period", "0000000123");
        plans.iter().map(|r| r.get("payer_plan_period_start_date").to_owned()).collect()
    };
    assert_eq!(starts(b"19580314"), ["2024-07-01".to_owned()].into());
    assert_eq!(starts(b"20240703"), ["2024-07-03".to_owned()].into(), "a newborn");
}

#[test]
fn a_count_or_an_amount_that_cannot_be_read_is_told_and_stands_for_nothing_else() {
    let (path, bytes) = sample("dpc/clean/EFn_139999991_2406.txt");
    let lines: Vec<Vec<u8>> = bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let fields = |line: &[u8]| line.split(|b| *b == b'\t').map(<[u8]>::to_vec).collect::<Vec<_>>();
    // The first drug, and its fields 12 (amount) and 21 (count).
    let at = lines.iter().position(|l| fields(l).get(8).is_some_and(|c| c.starts_with(b"6"))).expect("a drug");
    let with = |field: usize, to: &[u8]| {
        let mut line = fields(&lines[at]);
        line[field - 1] = to.to_vec();
        let outcome = read(&[(path.clone(), [lines[0].clone(), line.join(&b'\t')].concat())]);
        let drugs: Vec<String> = outcome.of("drug_exposure").iter().map(|r| r.get("quantity").to_owned()).collect();
        (drugs, outcome.codes().iter().filter(|c| **c == "formats-number").count())
    };
    assert_eq!(with(12, b"10"), with(12, b"\x82\x50\x82\x4f"), "in full width");
    assert_eq!(with(12, b"10").1, 0);
    assert_eq!(with(12, b"1O"), (vec![String::new()], 1), "no amount, not none of it");
    assert_eq!(with(21, b"x"), (Vec::new(), 1), "not once");
}

#[test]
fn any_bytes_are_rows_or_findings() {
    let files = tree(&other_samples("dpc/clean"));
    bolero::check!().with_type::<(u8, u16, u16, u8, u8, Vec<u8>)>().for_each(|(which, at, end, change, how, extra)| {
        let (path, bytes) = &files[usize::from(*which) % files.len()];
        let mut bytes = bytes.clone();
        let (at, end) = (usize::from(*at) % bytes.len(), usize::from(*end) % bytes.len());
        match how % 5 {
            0 => bytes[at] ^= change,
            1 => bytes[at] = b"\t\n\"0"[usize::from(*change) % 4],
            2 => bytes.truncate(at),
            3 => bytes.clone_from(extra),
            _ => drop(bytes.splice(at.min(end)..at.max(end), extra.iter().copied())),
        }
        let outcome = read(&[(path.clone(), bytes.clone())]);
        assert_eq!(outcome.counts.records, physical_lines(&bytes));
    });
}
