//! The order of processing: decide who stays, treat every column of theirs, coarsen, number anew, report.

use std::collections::BTreeMap;

use arrow::array::{AsArray, Int64Array};
use arrow::compute::{filter_record_batch, take};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use rand::CryptoRng;
use rand::seq::SliceRandom;

use crate::attack::{self, Found};
use crate::calendar::{Calendar, Validity};
use crate::effects::effects;
use crate::events;
use crate::persons::Persons;
use crate::profile::{Attacker, Kind, Profile, TableProfile};
use crate::report::{MonthsReport, Report};
use crate::run::Run;
use crate::stay::Stay;
use crate::treat::window::Window;
use crate::treat::{dates, edges, ids};
use crate::{AnonymityError, Anonymized, Dataset, Identified, Pseudonymized, identifiers, months, visits};

/// Which person ids leave.
pub enum PersonIds {
    /// New ones. For anonymized data there is nothing else, and which is whose is nowhere kept; but for linkable data, whose ids are random
    /// numbers and are told ([`Processed::Linkable`]).
    New,
    /// Those of the project, old id → id of the project; persons without one get the next. Pseudonymized data only.
    OfProject(BTreeMap<i64, i64>),
}

/// A treated data set.
pub enum Processed {
    /// 匿名加工
    Anonymized(Dataset<Anonymized>),
    /// 連結可能匿名加工
    Linkable {
        /// The data set.
        data: Dataset<Anonymized>,
        /// Old person id → id in this provision: to be kept apart, more strictly than the data, until the keys are attached.
        ids: BTreeMap<i64, i64>,
    },
    /// 仮名加工
    Pseudonymized {
        /// The data set.
        data: Dataset<Pseudonymized>,
        /// Old person id → id of the project: to be kept apart, more strictly than the data, or not at all.
        ids: BTreeMap<i64, i64>,
    },
}

impl Processed {
    /// The tables by name.
    pub fn tables(&self) -> &BTreeMap<String, RecordBatch> {
        match self {
            Processed::Anonymized(data) | Processed::Linkable { data, .. } => data.tables(),
            Processed::Pseudonymized { data, .. } => data.tables(),
        }
    }

    /// What it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Processed::Anonymized(_) => Kind::Anonymized,
            Processed::Linkable { .. } => Kind::LinkableAnonymized,
            Processed::Pseudonymized { .. } => Kind::Pseudonymized,
        }
    }
}

/// Treats tables as the profile says. Tables that the profile does not name are left out. Rows come out in random order of
/// persons, since an order can tell what an id no longer does.
///
/// # Errors
/// Where the profile is below the floor of its kind, does not fit the tables (each column needs a treatment, each treatment
/// a column of its type), where too many persons would be left out, or nobody remained.
pub fn process<R: CryptoRng>(
    profile: &Profile,
    input: &Dataset<Identified>,
    person_ids: PersonIds,
    rng: &mut R,
) -> Result<(Processed, Report), AnonymityError> {
    process_and_tell(profile, input, person_ids, rng).map(|(processed, report, _)| (processed, report))
}

/// As [`process`], and tells which persons are in the result, by the ids of the input and in no order that says more, and the number of each
/// one's class ([`crate::joint`]; 0 where no classes are promised): for whoever must know whether somebody who says no later is in it, and
/// what a later release tells beside this one.
///
/// # Errors
/// As [`process`].
pub fn process_and_tell<R: CryptoRng>(
    profile: &Profile,
    input: &Dataset<Identified>,
    person_ids: PersonIds,
    rng: &mut R,
) -> Result<(Processed, Report, BTreeMap<i64, u32>), AnonymityError> {
    crate::floor::check(profile)?;
    let given = match (person_ids, profile.kind) {
        (PersonIds::New, _) => BTreeMap::new(),
        (PersonIds::OfProject(map), Kind::Pseudonymized) => map,
        (PersonIds::OfProject(_), Kind::Anonymized | Kind::LinkableAnonymized) => {
            return Err(AnonymityError::IdsGivenForAnonymized);
        }
    };
    let mut tables: BTreeMap<String, RecordBatch> = BTreeMap::new();
    for (name, table) in &profile.tables {
        if let Some(batch) = input.tables().get(name) {
            check_columns(name, table, batch)?;
            tables.insert(name.clone(), batch.clone());
        }
    }
    let persons = Persons::of(&tables)?;
    if persons.len() == 0 {
        return Err(AnonymityError::NobodyLeft { persons: 0 });
    }
    if profile.moves_dates() {
        for (name, batch) in &mut tables {
            *batch = edges::without_placeholders(profile, name, batch)?;
        }
        edges::check(profile, &tables, &persons)?;
    }
    let run = Run { profile, persons: &persons, shifts: dates::shifts(persons.len(), shift_days(profile), rng) };
    if let Some(window) = Window::of(&profile.cohort, shift_days(profile))?.filter(|_| profile.moves_dates()) {
        for (name, batch) in &mut tables {
            let rows = persons.rows(name, batch)?;
            *batch = window.cut(name, &profile.tables[name], batch, &rows, &run.shifts)?;
        }
    }
    let calendar = Calendar { profile, validity: input.validity(), persons: &persons, shifts: &run.shifts };
    let mut stay = match (&profile.privacy, profile.kind) {
        (Some(privacy), Kind::Anonymized | Kind::LinkableAnonymized) => run.who_stays(&calendar.mend(&tables)?.0, privacy)?,
        _ => Stay { steps: vec![Some(0); persons.len()], classes: Vec::new(), privacy: None },
    };
    let stays: Vec<bool> = stay.steps.iter().map(Option::is_some).collect();
    let fell_on = match &profile.privacy {
        Some(privacy) if profile.kind.is_anonymized() => effects(profile, &tables, &persons, &stays, u64::from(privacy.k))?,
        _ => Vec::new(),
    };
    let staying: Vec<i64> = persons.ids.iter().zip(&stays).filter(|(_, s)| **s).map(|(id, _)| *id).collect();
    if staying.is_empty() {
        return Err(AnonymityError::NobodyLeft { persons: persons.len() });
    }
    let class = |person: usize| stay.classes.get(person).copied().unwrap_or(0);
    let of = persons.ids.iter().enumerate().filter(|(person, _)| stays[*person]);
    let inside: BTreeMap<i64, u32> = of.map(|(person, id)| (*id, class(person))).collect();
    let id_map = match profile.kind {
        Kind::LinkableAnonymized => ids::of_a_provision(&staying, rng),
        _ => ids::of_persons(&staying, &given, rng),
    };

    let mut filtered = BTreeMap::new();
    let mut told = MonthsReport::default();
    for (name, batch) in &tables {
        let mut batch = in_random_order(&persons.keep(name, batch, &stays)?, rng)?;
        if let (true, Some(privacy), Some(treatment)) = (name == "death", &profile.privacy, months::of_deaths(profile)) {
            let (dated, told_of) =
                months::deaths(&batch, &persons.rows(name, &batch)?, treatment, privacy.k, (&mut told, false))?;
            batch = filter_record_batch(&dated, &told_of)?;
        }
        filtered.insert(name.clone(), batch);
    }
    let mut given = filtered.clone();
    if profile.kind.is_anonymized() && !input.validity().is_empty() {
        let (mended, dated) = calendar.mend(&filtered)?;
        filtered = mended;
        if let Some(report) = &mut stay.privacy {
            report.calendar = Some(dated);
        }
    }
    let mut leading = events::Leading::new();
    for (name, batch) in &filtered {
        let rows = persons.rows(name, batch)?;
        let leaders = run.leading_codes(name, &profile.tables[name], batch, &rows)?;
        leading.insert(name.clone(), (rows, leaders));
    }
    if let (Some(privacy), Some(report)) = (&profile.privacy, &mut stay.privacy) {
        report.events = events::combinations(&run, privacy, &mut leading, &mut filtered, &mut given, &stay.classes, &mut told)?;
    }
    let mut row_ids: BTreeMap<&str, ids::RowIds> = BTreeMap::new();
    for (name, batch) in filtered.iter().filter(|(name, _)| *name != "person") {
        let own = batch.column_by_name(&format!("{name}_id")).and_then(|c| c.as_primitive_opt::<Int64Type>());
        if let Some(column) = own {
            row_ids.insert(name, ids::RowIds::new(column, &leading[name].0, rng));
        }
    }
    let mut out = BTreeMap::new();
    let mut reports = Vec::new();
    for (name, (rows, mut leaders)) in leading {
        let (table, batch) = (&profile.tables[&name], &filtered[&name]);
        let before = tables[&name].num_rows() as u64;
        run.units_of_codes(table, batch, &rows, &mut leaders)?;
        let given = (&given[&name], before);
        let (treated, report) = run.table(&name, table, batch, &rows, &leaders, &stay.steps, (&id_map, &row_ids), given)?;
        out.insert(name.clone(), treated);
        reports.push(report);
    }
    identifiers::check(&out)?;
    if let Some(report) = &mut stay.privacy {
        report.visits = visits::visits(profile, &out);
        report.visits.iter().try_for_each(|of| visits::within(profile, of))?;
        report.found = attack::experiment(profile, &out, input.validity(), rng)?;
        within_found(profile, &report.found, input.validity())?;
    }
    told.stays_alone = out.get("visit_occurrence").map_or(0, months::stays_alone);
    let report = Report {
        format: "azekura-report/1".to_owned(),
        profile: profile.name.clone(),
        version: profile.version.clone(),
        kind: profile.kind,
        purpose: profile.application.purpose.clone(),
        recipient: profile.application.recipient.clone(),
        project: profile.application.project.clone(),
        beside: profile.beside.clone(),
        persons_before: persons.len() as u64,
        persons_after: staying.len() as u64,
        privacy: stay.privacy,
        months: (profile.kind == Kind::LinkableAnonymized || months::of_deaths(profile).is_some()).then_some(told),
        values: profile.values.clone(),
        cumulative: None,
        effects: fell_on,
        tables: reports,
        tables_left_out: input.tables().keys().filter(|t| !profile.tables.contains_key(*t)).cloned().collect(),
    };
    let processed = match profile.kind {
        Kind::Anonymized => Processed::Anonymized(Dataset::treated(out)),
        Kind::LinkableAnonymized => Processed::Linkable { data: Dataset::treated(out), ids: id_map },
        Kind::Pseudonymized => Processed::Pseudonymized { data: Dataset::treated(out), ids: id_map },
    };
    Ok((processed, report, inside))
}

/// Holds what was found to the profile's shares. An attacker who is promised and did not try holds nothing.
fn within_found(profile: &Profile, found: &[Found], validity: &Validity) -> Result<(), AnonymityError> {
    let most = profile.privacy.iter().flat_map(|p| &p.most_found);
    for (attacker, most) in most {
        let attacker = *attacker;
        match found.iter().find(|f| f.attacker == attacker) {
            Some(found) if found.interval[1] > *most => {
                return Err(AnonymityError::TooManyFound { attacker, found: found.interval[1], most: *most });
            }
            Some(_) => {}
            None if attacker == Attacker::CalendarCodes && validity.is_empty() => {
                return Err(AnonymityError::AttackerUnknowing { attacker });
            }
            None => return Err(AnonymityError::AttackerUntried { attacker }),
        }
    }
    Ok(())
}

fn shift_days(profile: &Profile) -> u16 {
    profile.privacy.as_ref().and_then(|p| p.shift_days).unwrap_or(1)
}

fn check_columns(name: &str, table: &TableProfile, batch: &RecordBatch) -> Result<(), AnonymityError> {
    let schema = batch.schema();
    for field in schema.fields() {
        if !table.columns.contains_key(field.name()) {
            return Err(AnonymityError::ColumnUntreated { table: name.to_owned(), column: field.name().clone() });
        }
    }
    for column in table.columns.keys() {
        if schema.field_with_name(column).is_err() {
            return Err(AnonymityError::ColumnMissing { table: name.to_owned(), column: column.clone() });
        }
    }
    Ok(())
}

fn in_random_order<R: CryptoRng>(batch: &RecordBatch, rng: &mut R) -> Result<RecordBatch, AnonymityError> {
    let mut order: Vec<i64> = (0..batch.num_rows() as i64).collect();
    order.shuffle(rng);
    let order = Int64Array::from(order);
    let columns = batch.columns().iter().map(|c| take(c, &order, None)).collect::<Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}
