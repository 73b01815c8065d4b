use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use omop::{
    Columns, DrugExposureRow, Head, MeasurementRow, PersonRow, SourceFileRow, SourceState, Table, VisitEventRow, type_concept,
};
use terms::{AssetId, RecordId, days_from_civil, micros_from_civil};

use super::columns::{boolean, date, int8, int64, text};
use super::{Rows, Stamp, assemble, kept_tables};

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
    assemble(&Rows::new(), &package.rows(1), &stamp(1)).expect("assembled")
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
    let one = assemble(&Rows::new(), &first.rows(1), &stamp(1)).expect("assembled");
    assert_eq!(numbers(&one), [1.0]);

    let mut third = Package::default();
    third.file(KEY, 30, SourceState::Deleted);
    let three = assemble(&stored(&one), &third.rows(3), &stamp(3)).expect("assembled");
    assert!(numbers(&three).is_empty());
    let files = &three[&Table::SourceFile];
    assert_eq!(int8(files, "source_state").expect("states").values().as_ref(), &[2, 0], "both files are still counted");
    assert_eq!(files.column_by_name("content").expect("bytes").null_count(), 2, "and neither keeps its bytes");

    let mut second = Package::default();
    second.value(KEY, 20, day("2024-04-01"), 2.0);
    let late = assemble(&stored(&three), &second.rows(2), &stamp(4)).expect("assembled");
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
    let one = assemble(&Rows::new(), &first.rows(1), &stamp(1)).expect("assembled");
    let both = assemble(&stored(&one), &second.rows(2), &stamp(2)).expect("assembled");
    assert_eq!(at_once.keys().collect::<Vec<_>>(), both.keys().collect::<Vec<_>>());
    for (table, batch) in &at_once {
        let names: Vec<usize> = (0..batch.num_columns()).filter(|i| *i != 4 && *i != 5 && *i != 6).collect();
        assert_eq!(batch.project(&names).expect("columns"), both[table].project(&names).expect("columns"), "{}", table.name());
    }
}
