use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use omop::{
    Columns, DrugExposureRow, Head, MeasurementRow, PersonRow, SourceFileRow, SourceState, Table, VisitEventRow, type_concept,
};
use terms::{AssetId, RecordId, days_from_civil, micros_from_civil};

use super::columns::{boolean, date, int8, int64, text};
use super::precedence::{Deaths, Drugs, Visits};
use super::{Precedence, Rows, Stamp, assemble, kept_tables};

const PERSON: RecordId = RecordId(4_611);

fn day(text: &str) -> i32 {
    let n: Vec<u32> = text.split('-').map(|p| p.parse().expect("a number")).collect();
    days_from_civil(n[0] as i32, n[1], n[2]).expect("a day")
}

fn at(day: i32, hour: u32) -> i64 {
    micros_from_civil(day, hour, 0, 0, 0).expect("a time")
}

/// What one package says of one person, unit by unit.
#[derive(Default)]
struct Package {
    columns: Columns,
}

impl Package {
    fn file(&mut self, key: &str, ts: i64, state: SourceState) -> Head<'static> {
        let head =
            Head { record_id: 0, source_key: Box::leak(key.to_owned().into_boxed_str()), source_ts: ts, source_state: state };
        let content = (state == SourceState::Live).then_some(b"MSH|".as_slice());
        let data_type = key.split('|').next().unwrap_or_default();
        self.columns.source_file.push(&head, &SourceFileRow { data_type, content, ..Default::default() });
        head
    }

    fn event(&mut self, key: &str, event: &str, day: i32, hour: u32, admitted_at: Option<i64>) -> &mut Self {
        let head = self.file(key, at(day, hour), SourceState::Live);
        let row =
            VisitEventRow { event, event_date: day, event_datetime: Some(at(day, hour)), admitted_at, ..Default::default() };
        self.columns.visit_event.push(&head, &row);
        self
    }

    fn value(&mut self, key: &str, ts: i64, day: i32, value: f64) -> &mut Self {
        let head = self.file(key, ts, SourceState::Live);
        let row = MeasurementRow { measurement_date: day, value_as_number: Some(value), ..Default::default() };
        self.columns.measurement.push(&head, &row);
        self
    }

    fn drug(&mut self, key: &str, order: Option<&str>, kind: i32, day: i32) -> &mut Self {
        let head = self.file(key, at(day, 9), SourceState::Live);
        let row = DrugExposureRow {
            drug_exposure_start_date: day,
            drug_exposure_end_date: day,
            drug_type_concept_id: kind,
            order_key: order,
            ..Default::default()
        };
        self.columns.drug_exposure.push(&head, &row);
        self
    }

    fn rows(mut self, seq: i64) -> Rows {
        let mut rows = Rows::new();
        for (table, batch) in self.columns.finish() {
            rows.entry(table)
                .or_default()
                .push(omop::to_lake(table, &batch, &[Some(PERSON)], AssetId::new(), seq, seq).expect("a lake batch"));
        }
        rows
    }
}

fn stamp(seq: i64) -> Stamp {
    Stamp { asset: AssetId::new(), source_seq: seq, commit_seq: seq }
}

fn alone(package: Package) -> BTreeMap<Table, RecordBatch> {
    assemble(&Rows::new(), &package.rows(1), &stamp(1), &Precedence::default()).expect("assembled")
}

/// What the lake gives back of a commit: the kept tables only.
fn stored(out: &BTreeMap<Table, RecordBatch>) -> Rows {
    kept_tables().filter_map(|t| Some((t, vec![out.get(&t)?.clone()]))).collect()
}

fn numbers(out: &BTreeMap<Table, RecordBatch>) -> Vec<f64> {
    use arrow::array::AsArray as _;
    out.get(&Table::Measurement).map_or(Vec::new(), |b| {
        b.column_by_name("value_as_number").expect("a column").as_primitive::<arrow::datatypes::Float64Type>().values().to_vec()
    })
}

const KEY: &str = "OML-11|20240401|000000000000601";

#[test]
fn of_two_live_files_of_a_unit_the_later_one_stands() {
    let mut p = Package::default();
    p.value(KEY, 20, day("2024-04-01"), 2.0).value(KEY, 10, day("2024-04-01"), 1.0);
    assert_eq!(numbers(&alone(p)), [2.0]);
}

#[test]
fn a_unit_that_a_later_package_says_is_deleted_is_gone_and_does_not_come_back_with_an_older_package() {
    let mut first = Package::default();
    first.value(KEY, 10, day("2024-04-01"), 1.0);
    let one = assemble(&Rows::new(), &first.rows(1), &stamp(1), &Precedence::default()).expect("assembled");
    assert_eq!(numbers(&one), [1.0]);

    let mut third = Package::default();
    third.file(KEY, 30, SourceState::Deleted);
    let three = assemble(&stored(&one), &third.rows(3), &stamp(3), &Precedence::default()).expect("assembled");
    assert!(numbers(&three).is_empty());
    let files = &three[&Table::SourceFile];
    assert_eq!(int8(files, "source_state").expect("states").values().as_ref(), &[2, 0], "both files are still counted");
    assert_eq!(files.column_by_name("content").expect("bytes").null_count(), 2, "and neither keeps its bytes");

    let mut second = Package::default();
    second.value(KEY, 20, day("2024-04-01"), 2.0);
    let late = assemble(&stored(&three), &second.rows(2), &stamp(4), &Precedence::default()).expect("assembled");
    assert!(numbers(&late).is_empty(), "package 2 arrives after package 3 and changes nothing");
}

#[test]
fn a_snapshot_replaces_the_whole_registration() {
    let mut p = Package::default();
    for (key, ts, year) in [("ADT-00|-|999999999999999", 10, 1958), ("ADT-00|-|000000000000001", 20, 1959)] {
        let head = p.file(key, ts, SourceState::Live);
        p.columns.person.push(&head, &PersonRow { year_of_birth: year, ..Default::default() });
    }
    let out = alone(p);
    assert_eq!(out[&Table::Person].num_rows(), 1);
    assert_eq!(super::columns::int32(&out[&Table::Person], "year_of_birth").expect("years").value(0), 1959);
}

#[test]
fn a_stay_runs_from_admission_to_its_own_discharge_and_its_rows_belong_to_it() {
    let (start, end) = (day("2024-05-10"), day("2024-05-24"));
    let mut p = Package::default();
    p.event("ADT-12|20240401|1", "reception", day("2024-04-01"), 9, None)
        .event("ADT-22|20240510|1", "admission", start, 10, Some(at(start, 10)))
        .event("ADT-42|20240516|1", "transfer", day("2024-05-16"), 13, None)
        .event("ADT-52|20240524|1", "discharge", end, 10, Some(at(start, 10)))
        .value("OML-11|20240401|1", 1, day("2024-04-01"), 1.0)
        .value("OML-11|20240511|1", 1, day("2024-05-11"), 2.0)
        .value("OML-11|20240517|1", 1, day("2024-05-17"), 3.0)
        .value("OML-11|20240601|1", 1, day("2024-06-01"), 4.0);
    let out = alone(p);
    let visits = &out[&Table::VisitOccurrence];
    assert_eq!(date(visits, "visit_start_date").expect("days").values().as_ref(), &[day("2024-04-01"), start]);
    assert_eq!(date(visits, "visit_end_date").expect("days").values().as_ref(), &[day("2024-04-01"), end]);
    assert!(!boolean(visits, "open_stay").expect("flags").value(1));
    let m = &out[&Table::Measurement];
    let visit: Vec<Option<i64>> = int64(m, "visit_occurrence_id").expect("ids").iter().collect();
    assert_eq!(visit, [Some(1), Some(2), Some(2), None]);
    let part: Vec<Option<i64>> = int64(m, "visit_detail_id").expect("ids").iter().collect();
    assert_eq!(part, [None, Some(1), Some(2), None], "before and after the transfer");
    assert_eq!(int64(m, "measurement_id").expect("ids").values().as_ref(), &[1, 2, 3, 4]);
}

#[test]
fn a_stay_without_discharge_is_open_until_the_last_contact_and_says_so() {
    let start = day("2024-05-10");
    let mut p = Package::default();
    p.event("ADT-22|20240510|1", "admission", start, 10, None).value(KEY, 1, day("2024-05-20"), 1.0);
    let out = alone(p);
    let visits = &out[&Table::VisitOccurrence];
    assert_eq!(date(visits, "visit_end_date").expect("days").value(0), day("2024-05-20"));
    assert!(boolean(visits, "open_stay").expect("flags").value(0));
}

#[test]
fn planned_events_make_no_visit() {
    let mut p = Package::default();
    p.event("ADT-21|20240510|1", "admission_planned", day("2024-05-10"), 10, None);
    assert!(!alone(p).contains_key(&Table::VisitOccurrence));
}

#[test]
fn of_order_dispensing_and_administration_all_are_kept_and_one_is_counted() {
    let d = day("2024-05-10");
    let mut p = Package::default();
    p.drug("OMP-01|20240510|1", Some("A"), type_concept::PRESCRIPTION, d)
        .drug("OMP-11|20240510|1", Some("A"), type_concept::DISPENSING, d)
        .drug("OMP-02|20240510|2", Some("B"), type_concept::ORDER, d)
        .drug("OMP-12|20240510|2", Some("B"), type_concept::ADMINISTRATION, d)
        .drug("OMP-01|20240510|3", Some("C"), type_concept::PRESCRIPTION, d)
        .drug("OMP-01|20240510|4", None, type_concept::PRESCRIPTION, d);
    let out = alone(p);
    let drugs = &out[&Table::DrugExposure];
    let counted: Vec<(String, bool)> = (0..drugs.num_rows())
        .map(|r| {
            let key = text(drugs, "source_key").expect("keys").value(r)[..6].to_owned();
            (key, boolean(drugs, "counted").expect("flags").value(r))
        })
        .collect();
    assert_eq!(drugs.num_rows(), 6);
    assert_eq!(counted.iter().filter(|(_, c)| *c).count(), 4);
    assert!(counted.iter().all(|(k, c)| *c == (k == "OMP-11" || k == "OMP-12") || k == "OMP-01"));
}

#[test]
fn observation_periods_are_contacts_split_at_gaps_over_a_year() {
    let mut p = Package::default();
    for (n, d) in ["2020-01-01", "2020-12-31", "2022-01-01", "2022-01-02"].iter().enumerate() {
        p.value(&format!("OML-11|x|{n}"), 1, day(d), 1.0);
    }
    let out = alone(p);
    let periods = &out[&Table::ObservationPeriod];
    assert_eq!(
        date(periods, "observation_period_start_date").expect("days").values().as_ref(),
        &[day("2020-01-01"), day("2022-01-01")]
    );
    assert_eq!(
        date(periods, "observation_period_end_date").expect("days").values().as_ref(),
        &[day("2020-12-31"), day("2022-01-02")]
    );
    let kinds = super::columns::int32(periods, "period_type_concept_id").expect("types");
    assert!(kinds.iter().all(|k| k == Some(type_concept::DERIVED_PERIOD)));
}

#[test]
fn assembling_in_two_packages_or_in_one_makes_the_same_rows() {
    let build = |p: &mut Package, half: usize| {
        let start = day("2024-05-10");
        if half != 2 {
            p.event("ADT-22|20240510|1", "admission", start, 10, Some(at(start, 10)));
        }
        if half != 1 {
            p.value("OML-11|20240511|1", 1, day("2024-05-11"), 2.0)
                .event("ADT-52|20240524|1", "discharge", day("2024-05-24"), 10, Some(at(start, 10)))
                .drug("OMP-12|20240512|2", Some("B"), type_concept::ADMINISTRATION, day("2024-05-12"));
        }
    };
    let (mut whole, mut first, mut second) = (Package::default(), Package::default(), Package::default());
    build(&mut whole, 0);
    build(&mut first, 1);
    build(&mut second, 2);
    let at_once = alone(whole);
    let one = assemble(&Rows::new(), &first.rows(1), &stamp(1), &Precedence::default()).expect("assembled");
    let both = assemble(&stored(&one), &second.rows(2), &stamp(2), &Precedence::default()).expect("assembled");
    assert_eq!(at_once.keys().collect::<Vec<_>>(), both.keys().collect::<Vec<_>>());
    for (table, batch) in &at_once {
        let names: Vec<usize> = (0..batch.num_columns()).filter(|i| *i != 4 && *i != 5 && *i != 6).collect();
        assert_eq!(batch.project(&names).expect("columns"), both[table].project(&names).expect("columns"), "{}", table.name());
    }
}

impl Package {
    /// An event as claims, DPC files, FHIR and checkups tell it: (class, first day of the stay).
    fn told(&mut self, origin: &str, event: &str, on: i32, class: &str, admitted: Option<i32>, last: Option<i32>) -> &mut Self {
        let key = format!("{origin}|{event}|{on}|{class}");
        let head = self.file(&key, 0, SourceState::Live);
        let row = VisitEventRow {
            event,
            event_date: on,
            patient_class: Some(class),
            admitted_at: admitted.map(|d| at(d, 0)),
            last_day: last,
            origin: Some(origin),
            ..Default::default()
        };
        self.columns.visit_event.push(&head, &row);
        self
    }

    fn amount(&mut self, key: &str, class: &str, start: i32, points: f64) -> &mut Self {
        let head = self.file(key, 0, SourceState::Live);
        let row = omop::CostRow {
            visit_start: Some(start),
            visit_class: Some(class),
            points: Some(points),
            total_charge: Some(points * 10.0),
            ..Default::default()
        };
        self.columns.cost.push(&head, &row);
        self
    }
}

/// First day, last day, concept, and whether the stay is open.
fn visits_of(out: &BTreeMap<Table, RecordBatch>) -> Vec<(i32, i32, i32, bool)> {
    let batch = &out[&Table::VisitOccurrence];
    let (starts, ends) = (date(batch, "visit_start_date").expect("days"), date(batch, "visit_end_date").expect("days"));
    let (kinds, open) =
        (super::columns::int32(batch, "visit_concept_id").expect("kinds"), boolean(batch, "open_stay").expect("flags"));
    (0..batch.num_rows()).map(|r| (starts.value(r), ends.value(r), kinds.value(r), open.value(r))).collect()
}

#[test]
fn a_stay_that_several_sources_tell_of_is_one_and_is_closed_by_the_first_that_knows_its_end() {
    let (start, end) = (day("2024-06-10"), day("2024-06-21"));
    let mut p = Package::default();
    p.event("ADT-22|20240610|1", "admission", start, 10, Some(at(start, 10)))
        .told("claim", "admission", start, "I", Some(start), Some(day("2024-06-30")))
        .told("act", "admission", start, "I", Some(start), None)
        .told("form1", "discharge", end, "I", Some(start), None);
    let inpatient = omop::concept::INPATIENT_VISIT;
    assert_eq!(visits_of(&alone(p)), [(start, end, inpatient, false)]);
    // Without form 1 nobody knows the end: the claim's last day is none.
    let mut p = Package::default();
    p.told("claim", "admission", start, "I", Some(start), Some(day("2024-06-30"))).told(
        "claim",
        "admission",
        start,
        "I",
        Some(start),
        Some(day("2024-07-31")),
    );
    assert_eq!(visits_of(&alone(p)), [(start, day("2024-07-31"), inpatient, true)]);
}

#[test]
fn a_stay_that_begins_when_another_ends_is_another_and_one_within_it_is_not() {
    let days = ["2024-06-10", "2024-06-21", "2024-06-30"].map(day);
    let mut p = Package::default();
    p.told("form1", "discharge", days[1], "I", Some(days[0]), None)
        .told("form1", "discharge", days[2], "I", Some(days[1]), None)
        .told("claim", "discharge", days[2], "I", Some(day("2024-06-22")), None);
    let found = visits_of(&alone(p));
    assert_eq!(found.iter().map(|v| (v.0, v.1)).collect::<Vec<_>>(), [(days[0], days[1]), (days[1], days[2])]);
}

#[test]
fn a_pharmacy_is_a_visit_of_its_own_and_an_outpatients_day_is_one_whoever_tells_of_it() {
    let on = day("2024-07-05");
    let mut p = Package::default();
    p.event("ADT-12|20240705|1", "reception", on, 9, None)
        .told("act", "reception", on, "O", None, None)
        .told("claim", "reception", on, "O", None, None)
        .told("claim", "reception", on, "P", None, None);
    // What happened that day happened at the hospital.
    p.value("OML-11|20240705|2", 1, on, 5.0);
    let out = alone(p);
    let kinds: Vec<i32> = visits_of(&out).into_iter().map(|v| v.2).collect();
    assert_eq!(kinds.len(), 2);
    let visit = int64(&out[&Table::Measurement], "visit_occurrence_id").expect("ids").value(0);
    assert_eq!(kinds[visit as usize - 1], omop::concept::OUTPATIENT_VISIT);
    assert!(kinds.contains(&omop::concept::PHARMACY_VISIT));
}

#[test]
fn of_one_month_and_class_the_claim_is_paid_and_before_it_comes_the_bundle_counts() {
    let on = day("2024-06-10");
    let lines = |p: &mut Package| {
        p.told("claim", "admission", on, "I", Some(on), None);
        p.amount("EFn|139999991|1||202406", "I", on, 100.0).amount("D|139999991|1||202406", "I", on, 70.0);
        p.amount("EFn|139999991|1||202407", "I", on, 30.0).amount("EFg|139999991|2||202406", "O", on, 5.0);
    };
    let charges = |out: &BTreeMap<Table, RecordBatch>| -> Vec<(String, Option<f64>)> {
        use arrow::array::{Array as _, AsArray as _};
        let batch = &out[&Table::Cost];
        let values = batch.column_by_name("total_charge").expect("a column").as_primitive::<arrow::datatypes::Float64Type>();
        let keys = text(batch, "source_key").expect("keys");
        (0..batch.num_rows()).map(|r| (keys.value(r).to_owned(), (!values.is_null(r)).then(|| values.value(r)))).collect()
    };
    let mut first = Package::default();
    lines(&mut first);
    let before = alone(first);
    let of = |all: &[(String, Option<f64>)], start: &str| all.iter().find(|(k, _)| k.starts_with(start)).and_then(|(_, c)| *c);
    let all = charges(&before);
    assert_eq!((of(&all, "EFn|139999991|1||202406"), of(&all, "D|"), of(&all, "EFg|")), (None, Some(700.0), Some(50.0)));
    assert_eq!(of(&all, "EFn|139999991|1||202407"), Some(300.0));
    let mut claim = Package::default();
    claim.amount("claim|dpc|1319999991|202406|1111|0a", "I", on, 90.0);
    let after = charges(&assemble(&stored(&before), &claim.rows(2), &stamp(2), &Precedence::default()).expect("assembled"));
    assert_eq!((of(&after, "claim|"), of(&after, "D|"), of(&after, "EFn|139999991|1||202406")), (Some(900.0), None, None));
    assert_eq!((of(&after, "EFn|139999991|1||202407"), of(&after, "EFg|")), (Some(300.0), Some(50.0)));
}

#[test]
fn of_the_drugs_of_a_month_those_of_the_first_source_count_and_all_stay() {
    let (june, july) = (day("2024-06-10"), day("2024-07-05"));
    let mut p = Package::default();
    p.drug("claim|medical|1319999991|202406|1112|0a", None, type_concept::CLAIM, june)
        .drug("EFn|139999991|1||202406", None, type_concept::CLAIM, june)
        .drug("MedicationRequest|-|m1", None, type_concept::PRESCRIPTION, june)
        .drug("OMP-01|20240610|1", Some("A"), type_concept::PRESCRIPTION, june)
        .drug("claim|medical|1319999991|202407|1112|0b", None, type_concept::CLAIM, july);
    let out = alone(p);
    let drugs = &out[&Table::DrugExposure];
    let (keys, counted) = (text(drugs, "source_key").expect("keys"), boolean(drugs, "counted").expect("flags"));
    let found: Vec<&str> = (0..drugs.num_rows()).filter(|r| counted.value(*r)).map(|r| keys.value(r)).collect();
    assert_eq!(drugs.num_rows(), 5);
    assert_eq!(found, ["OMP-01|20240610|1", "claim|medical|1319999991|202407|1112|0b"]);
}

#[test]
fn of_a_diagnosis_the_last_month_says_how_it_ended_also_where_an_earlier_one_comes_later() {
    let diagnosis = |month: &str, end: Option<i32>| {
        let mut p = Package::default();
        let head = p.file("claim-diagnosis|1319999991|8838708|19884", i64::from(day(month)) * 86_400_000_000, SourceState::Live);
        let row = omop::ConditionOccurrenceRow {
            condition_start_date: day("2024-06-10"),
            condition_end_date: end,
            ..Default::default()
        };
        p.columns.condition_occurrence.push(&head, &row);
        p
    };
    let ends = |out: &BTreeMap<Table, RecordBatch>| {
        let batch = &out[&Table::ConditionOccurrence];
        assert_eq!(batch.num_rows(), 1);
        let column = date(batch, "condition_end_date").expect("days");
        (!arrow::array::Array::is_null(column, 0)).then(|| column.value(0))
    };
    let cured = Some(day("2024-07-10"));
    let july =
        assemble(&Rows::new(), &diagnosis("2024-07-01", cured).rows(1), &stamp(1), &Precedence::default()).expect("assembled");
    let june =
        assemble(&stored(&july), &diagnosis("2024-06-01", None).rows(2), &stamp(2), &Precedence::default()).expect("assembled");
    assert_eq!(ends(&june), cured);
    // July once more, corrected: the later package of the same month stands.
    let corrected =
        assemble(&stored(&june), &diagnosis("2024-07-01", None).rows(3), &stamp(3), &Precedence::default()).expect("assembled");
    assert_eq!(ends(&corrected), None);
}

#[test]
fn another_precedence_marks_other_rows_and_the_shipped_one_is_the_documented() {
    let june = day("2024-06-10");
    let marks = |precedence: &Precedence| {
        let mut p = Package::default();
        p.drug("claim|medical|1319999991|202406|1112|0a", None, type_concept::CLAIM, june)
            .drug("EFn|139999991|1||202406", None, type_concept::CLAIM, june)
            .drug("OMP-01|20240610|1", Some("A"), type_concept::PRESCRIPTION, june)
            .told("form1", "discharge", day("2024-06-21"), "I", Some(june), None)
            .told("claim", "discharge", day("2024-06-20"), "I", Some(june), None);
        for (key, on, kind) in [
            ("FF1|139999991|1|1", "2024-06-21", type_concept::EHR),
            ("claim|dpc|1319999991|202406|1111|0a", "2024-06-30", type_concept::CLAIM),
        ] {
            let head = p.file(key, at(june, 1), SourceState::Live);
            let row = omop::DeathRow { death_date: day(on), death_type_concept_id: Some(kind), ..Default::default() };
            p.columns.death.push(&head, &row);
        }
        let out = assemble(&Rows::new(), &p.rows(1), &stamp(1), precedence).expect("assembled");
        let drugs = &out[&Table::DrugExposure];
        let (keys, counted) = (text(drugs, "source_key").expect("keys"), boolean(drugs, "counted").expect("flags"));
        let first = (0..drugs.num_rows()).find(|r| counted.value(*r)).map(|r| keys.value(r)[..3].to_owned());
        let death = date(&out[&Table::Death], "death_date").expect("days").value(0);
        (first.unwrap_or_default(), visits_of(&out)[0].1, death)
    };
    let (stay, claimed) = (day("2024-06-21"), day("2024-06-30"));
    assert_eq!(marks(&Precedence::default()), ("OMP".to_owned(), stay, stay));
    let other = Precedence {
        visits: vec![Visits::Claims, Visits::Checkups, Visits::Acts, Visits::Form1, Visits::Fhir],
        drugs: vec![Drugs::Dpc, Drugs::Claims, Drugs::Chart, Drugs::Fhir],
        deaths: vec![Deaths::Claims, Deaths::Discharges, Deaths::Stated],
    };
    assert_eq!(marks(&other), ("EFn".to_owned(), day("2024-06-20"), claimed));
    let claims = Precedence { drugs: vec![Drugs::Claims, Drugs::Dpc, Drugs::Chart, Drugs::Fhir], ..Precedence::default() };
    assert_eq!(marks(&claims).0, "cla");
}
