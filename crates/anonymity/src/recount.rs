//! A second reading of a result, as naive as possible: it shares no code with what made the result, and knows the result,
//! the profile's promises, and nothing else. The build check and the tests ask it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array, AsArray, Date32Array, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use arrow::util::display::array_value_to_string;

use crate::calendar::Validity;
use crate::profile::{Events, Profile, Treatment};
use crate::treat::OTHER;

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recount {
    /// Persons.
    pub persons: usize,
    /// Persons of the smallest class of equal quasi-identifiers; none without persons.
    pub smallest_class: Option<usize>,
    /// Codes, concepts and classes that fewer persons have than the profile promises, by table and column: a concept of a
    /// result and one that follows a code with the code that it stands beside, others by themselves.
    pub rare_codes: BTreeMap<String, usize>,
    /// Cells with a time of day, by table and column.
    pub times_of_day: BTreeMap<String, usize>,
    /// Cells with a local code, by table and column, of whatever treatment.
    pub local_codes: BTreeMap<String, usize>,
    /// Combinations of codes, each with what stands beside it, that fewer persons have than the profile promises.
    pub few_combinations: usize,
    /// Persons of moved dates, or visits (and rows without one) of cut ones, whose codes leave fewer shifts or days open than the profile promises.
    pub few_days: usize,
    /// Shares of the persons with visits whose number of visits, and whose days between them (months or years, where dates are cut), nobody else has.
    pub unique_visits: BTreeMap<&'static str, f64>,
    /// Of true months (or years): dates of death, as they are told, that fewer persons have than a class.
    pub few_deaths: usize,
}

impl Recount {
    /// What is not as the profile of anonymized data promises: columns, and what was counted, as words of this type; none where all is.
    pub fn against(&self, profile: &Profile) -> Vec<String> {
        let columns =
            [("rare_codes", &self.rare_codes), ("times_of_day", &self.times_of_day), ("local_codes", &self.local_codes)];
        let mut out: Vec<String> = columns
            .iter()
            .flat_map(|(what, found)| found.iter().map(move |(column, cells)| format!("{what} {column}: {cells}")))
            .collect();
        let k = profile.privacy.as_ref().map_or(0, |p| p.k as usize);
        for (alike, most) in profile.privacy.iter().flat_map(|p| &p.most_unique) {
            if let Some(unique) = self.unique_visits.get(alike.as_str()).filter(|unique| *unique > most) {
                out.push(format!("unique {}: {:.1} %", alike.as_str(), unique * 100.0));
            }
        }
        if let Some(smallest) = self.smallest_class.filter(|smallest| *smallest < k) {
            out.push(format!("smallest_class: {smallest}"));
        }
        for (what, found) in
            [("few_combinations", self.few_combinations), ("few_days", self.few_days), ("few_deaths", self.few_deaths)]
        {
            if found > 0 {
                out.push(format!("{what}: {found}"));
            }
        }
        out
    }
}

fn person_of(batch: &RecordBatch, row: usize) -> Option<i64> {
    let column = batch.column_by_name("person_id")?.as_primitive_opt::<Int64Type>()?;
    Some(column.value(row))
}

fn cell(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let array = batch.column_by_name(column)?;
    if array.is_null(row) { None } else { array_value_to_string(array, row).ok() }
}

/// Whether a cell names a code of some institution's own table, whatever column it stands in.
fn has_local(cell: &str) -> bool {
    cell.split('+')
        .chain(cell.split_whitespace())
        .filter_map(|part| part.split_once(':'))
        .map(|(system, _)| system.trim().to_uppercase().replace('９', "9").replace('Ｌ', "L"))
        .any(|system| system == "L" || system.starts_with("99"))
}

/// Whether a cell of a column of codes names a system that is not known to be public: its name can be the institution's. `allowed` are those
/// that the profile names for the column.
fn has_unknown(cell: &str, allowed: &[String]) -> bool {
    let public = "JLAC10 JC10 JLAC11 JC11 LOINC LN J-FAGY HOT7 HOT9 HOT13 YJ GENERAL ATC MDCDX1 MDCDX2 ICD10 I10 I10P ICD9 I9C SCT \
                  RECEIPT JJ1017 LENDO CHECKUP DPC MR9P UCUM EF E D";
    let known = |system: &str| {
        let number = system.trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '7');
        let table = ["HL7", "JHSD", "JHSR", "JHSE", "JSHR"].iter().any(|s| system.starts_with(s)) && number.len() <= 4;
        let item = (3..=5).contains(&system.len()) && system.parse::<u32>().is_ok() && !system.starts_with("99");
        public.split_whitespace().any(|p| p == system) || table || item || allowed.iter().any(|a| a == system)
    };
    let colons = |part: &str| part.bytes().filter(|b| *b == b':').count();
    let parts: Vec<&str> = cell.split(['+', ' ', '\t']).filter(|p| !p.is_empty()).collect();
    let of_a_name = |part: &str| parts.len() > 1 && colons(part) == 0 && !part.contains(|c: char| c.is_ascii_digit());
    let system = |part: &str| part.find(':').map(|at| part[..at].to_owned()).unwrap_or_default();
    let foreign = |part: &str| {
        let system = system(part);
        !system.is_empty() && (!known(&system) || (colons(part) > 1 && !allowed.contains(&system)))
    };
    parts.iter().any(|part| of_a_name(part) || foreign(part))
}

/// What is counted of a column: itself, or itself beside another, and what needs no count. None: it needs none.
fn counted<'a>(profile: &'a Profile, table: &str, column: &str, of_text: bool) -> Option<(Option<&'a str>, &'a str)> {
    let quasi = profile.privacy.iter().flat_map(|p| &p.quasi_identifiers).any(|q| *q == format!("{table}.{column}"));
    let concept = !of_text && column.ends_with("_concept_id") && column != "operator_concept_id";
    match profile.treatment(table, column)? {
        Treatment::Code { rare: false, .. } => None,
        Treatment::Class { other, .. } => Some((None, other)),
        Treatment::Code { .. } => Some((None, OTHER)),
        Treatment::Follow { code } | Treatment::Value { code } if concept => Some((Some(code), OTHER)),
        _ if concept && !quasi => Some((None, OTHER)),
        _ => None,
    }
}

/// Whether what stands in a column says more of a row's code in another: concepts, types, a status, a unit, a class, a second code; neither ids, dates,
/// numbers nor results.
fn says_more(profile: &Profile, table: &str, column: &str, own: &str) -> bool {
    let name = format!("{table}.{column}");
    let counted_otherwise = column == own || profile.privacy.iter().any(|p| p.quasi_identifiers.contains(&name));
    !counted_otherwise
        && match profile.treatment(table, column) {
            Some(Treatment::Follow { .. } | Treatment::Code { .. } | Treatment::Unit | Treatment::Class { .. }) => true,
            Some(_) | None => false,
        }
}

/// How many combinations of up to `known` codes of some columns, each with what stands beside it, fewer than `k` persons of a group have;
/// その他 is a code too, since it says that there is something, and so is a row without any code.
fn few_combinations(
    profile: &Profile,
    events: &Events,
    tables: &BTreeMap<String, RecordBatch>,
    groups: &BTreeMap<i64, usize>,
    k: usize,
) -> usize {
    let mut codes_of: BTreeMap<i64, BTreeSet<(&str, String)>> = BTreeMap::new();
    for name in &events.columns {
        let Some((table, column)) = name.split_once('.') else { continue };
        let Some(batch) = tables.get(table) else { continue };
        let schema = batch.schema();
        let more: Vec<&String> =
            schema.fields().iter().map(|f| f.name()).filter(|c| says_more(profile, table, c, column)).collect();
        let of_table: Vec<&str> =
            events.columns.iter().filter_map(|c| c.split_once('.')).filter(|(t, _)| *t == table).map(|(_, c)| c).collect();
        for row in 0..batch.num_rows() {
            let Some(person) = person_of(batch, row) else { continue };
            let beside: Vec<_> = more.iter().map(|column| cell(batch, column, row)).collect();
            if let Some(code) = cell(batch, column, row) {
                codes_of.entry(person).or_default().insert((name, format!("{code} {beside:?}")));
            } else if of_table.iter().all(|column| cell(batch, column, row).is_none()) {
                codes_of.entry(person).or_default().insert((table, format!("without a code {beside:?}")));
            }
        }
    }
    let mut numbers: BTreeMap<(&str, String), u32> = BTreeMap::new();
    let mut persons_of: HashMap<(usize, Vec<u32>), usize> = HashMap::new();
    for (person, codes) in codes_of {
        let next = |codes: &BTreeMap<_, u32>| codes.len() as u32;
        let mut mine = Vec::new();
        for code in codes {
            let number = next(&numbers);
            mine.push(*numbers.entry(code).or_insert(number));
        }
        mine.sort_unstable();
        let group = groups.get(&person).copied().unwrap_or(0);
        for (n, one) in mine.iter().enumerate() {
            *persons_of.entry((group, vec![*one])).or_default() += 1;
            for (m, two) in mine.iter().enumerate().skip(n + 1) {
                *persons_of.entry((group, vec![*one, *two])).or_default() += 1;
                for three in mine.iter().skip(m + 1).filter(|_| events.known >= 3) {
                    *persons_of.entry((group, vec![*one, *two, *three])).or_default() += 1;
                }
            }
        }
    }
    persons_of.values().filter(|persons| **persons < k).count()
}

/// First and last day on which what a column shows can have been in use, by going through all codes: each that is so, or has a length of the
/// profile's that makes it so, and is not hidden for what it is. Open where there is none, or one is of any day.
fn can_be_of(profile: &Profile, validity: &Validity, place: &str, shown: &str) -> (Option<i32>, Option<i32>) {
    let Some((table, column)) = place.split_once('.') else { return (None, None) };
    let Some(Treatment::Code { rollup, local, systems, .. }) = profile.treatment(table, column) else { return (None, None) };
    let system = |code: &str| code.find(':').map_or(String::new(), |at| code[..at].to_owned());
    let hidden = |code: &str| {
        let named = system(code);
        let several = code.contains(' ') && code.split(' ').all(|part| part.contains(':'));
        let words = code.len() > 129 || !code.is_ascii() || code.contains('@') || (code.contains(' ') && !several);
        words
            || named.eq_ignore_ascii_case("text")
            || (*local && (has_local(code) || has_unknown(code, systems)))
            || !(systems.is_empty() || systems.contains(&named))
    };
    let so = |code: &str| {
        let bare = shown.len().checked_sub(system(code).len() + usize::from(code.contains(':')));
        let cut = rollup.iter().filter(|r| r.system == system(code)).flat_map(|r| &r.lengths).any(|l| bare == Some(*l) && *l > 0);
        code == shown || (cut && code.len() > shown.len() && code.starts_with(shown))
    };
    let spans: Vec<_> = validity.codes(place).filter(|(code, _)| so(code) && !hidden(code)).map(|(_, span)| span).collect();
    let from = spans.iter().map(|s| s.from).collect::<Option<Vec<i32>>>().and_then(|all| all.into_iter().min());
    let to = spans.iter().map(|s| s.to).collect::<Option<Vec<i32>>>().and_then(|all| all.into_iter().max());
    (from, to)
}

/// Counts shifts one by one, and days of months and years, that are possible for what is shown: of persons whose dates were moved; else of the rows
/// of a visit in a month or year together, and of each row without a visit.
fn few_days(profile: &Profile, tables: &BTreeMap<String, RecordBatch>, validity: &Validity) -> usize {
    let Some(privacy) = &profile.privacy else { return 0 };
    let most = if profile.moves_dates() { i32::from(privacy.shift_days.unwrap_or(0)) } else { 0 };
    let mut possible: BTreeMap<i64, BTreeSet<i32>> = BTreeMap::new();
    let mut of_visit: BTreeMap<(i64, String, String), (usize, BTreeSet<i32>)> = BTreeMap::new();
    for name in validity.columns() {
        let Some((table, column)) = name.split_once('.') else { continue };
        let Some(batch) = tables.get(table) else { continue };
        let days: Vec<&Date32Array> = batch.columns().iter().filter_map(|c| c.as_primitive_opt::<Date32Type>()).collect();
        let mut looked_up: HashMap<String, (Option<i32>, Option<i32>)> = HashMap::new();
        for row in 0..batch.num_rows() {
            let day = days.iter().find(|d| d.is_valid(row)).map(|d| d.value(row));
            let (Some(day), Some(code), Some(person)) = (day, cell(batch, column, row), person_of(batch, row)) else { continue };
            let (from, to) = *looked_up.entry(code.clone()).or_insert_with(|| can_be_of(profile, validity, name, &code));
            if code == OTHER || (from.is_none() && to.is_none()) {
                continue;
            }
            let in_use = |day: i32| from.is_none_or(|from| day >= from) && to.is_none_or(|to| day <= to);
            if most > 0 {
                let all = || (-most..=most).filter(|shift| *shift != 0).collect();
                possible.entry(person).or_insert_with(all).retain(|shift| in_use(day - shift));
            } else {
                let year = profile.tables.get(table).is_some_and(|t| t.columns.values().any(|t| *t == Treatment::Year));
                let date = |day: i32| Date32Type::to_naive_date_opt(day).map(|date| date.to_string());
                let part = |day: i32| date(day).and_then(|d| d.get(..if year { 4 } else { 7 }).map(str::to_owned));
                let whole = || -> BTreeSet<i32> { (day - 366..=day + 366).filter(|d| part(*d) == part(day)).collect() };
                let visit = cell(batch, "visit_occurrence_id", row).unwrap_or_else(|| format!("{name} {row}"));
                let of = of_visit.entry((person, visit, part(day).unwrap_or_default())).or_insert_with(|| {
                    let days = whole();
                    (days.len(), days)
                });
                of.1.retain(|day| in_use(*day));
            }
        }
    }
    let least = privacy.least_days_open * f64::from(2 * most);
    let too_few = |(all, left): &&(usize, BTreeSet<i32>)| (left.len() as f64) < privacy.least_days_open * *all as f64;
    of_visit.values().filter(too_few).count() + possible.values().filter(|left| (left.len() as f64) < least).count()
}

/// Looks for everybody's visits among those of all others.
fn unique_visits(profile: &Profile, tables: &BTreeMap<String, RecordBatch>) -> BTreeMap<&'static str, f64> {
    let mut of: BTreeMap<i64, (usize, BTreeSet<i32>)> = BTreeMap::new();
    let Some(batch) = tables.get("visit_occurrence") else { return BTreeMap::new() };
    let days = batch.column_by_name("visit_start_date").and_then(|c| c.as_primitive_opt::<Date32Type>());
    for row in 0..batch.num_rows() {
        if let Some(person) = person_of(batch, row) {
            let (count, all) = of.entry(person).or_default();
            *count += 1;
            all.extend(days.filter(|d| d.is_valid(row)).map(|d| d.value(row)));
        }
    }
    let from_first = |days: &BTreeSet<i32>| -> Vec<i32> {
        let first = days.first().copied().filter(|_| profile.moves_dates()).unwrap_or(0);
        days.iter().map(|day| day - first).collect()
    };
    let (mut counts, mut spacings) = (BTreeMap::new(), BTreeMap::new());
    for (count, days) in of.values() {
        *counts.entry(*count).or_insert(0_usize) += 1;
        *spacings.entry(from_first(days)).or_insert(0_usize) += 1;
    }
    let share = |alone: usize| alone as f64 / of.len().max(1) as f64;
    let alone = (counts.values().filter(|n| **n == 1).count(), spacings.values().filter(|n| **n == 1).count());
    BTreeMap::from([("visit_count", share(alone.0)), ("visit_spacing", share(alone.1))])
}

/// Reads the tables of a result again.
pub fn recount(profile: &Profile, tables: &BTreeMap<String, RecordBatch>) -> Recount {
    recount_with(profile, tables, &Validity::default())
}

/// Reads the tables of a result again, by what is known of when codes are in use: [`crate::Dataset::validity`] of the input.
pub fn recount_with(profile: &Profile, tables: &BTreeMap<String, RecordBatch>, validity: &Validity) -> Recount {
    Recount {
        few_days: few_days(profile, tables, validity),
        unique_visits: unique_visits(profile, tables),
        ..counts(profile, tables)
    }
}

fn counts(profile: &Profile, tables: &BTreeMap<String, RecordBatch>) -> Recount {
    let mut out = Recount::default();
    let mut keys: BTreeMap<i64, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for batch in tables.values() {
        for row in 0..batch.num_rows() {
            if let Some(person) = person_of(batch, row) {
                keys.entry(person).or_default();
            }
        }
    }
    out.persons = keys.len();
    if let Some(privacy) = &profile.privacy {
        // Rows of a table, each as one: two people with the same values in other rows are not alike.
        for (table, batch) in tables {
            let prefix = format!("{table}.");
            let columns: BTreeSet<&str> = privacy.quasi_identifiers.iter().filter_map(|q| q.strip_prefix(&prefix)).collect();
            for row in (0..batch.num_rows()).filter(|_| !columns.is_empty()) {
                if let Some(key) = person_of(batch, row).and_then(|p| keys.get_mut(&p)) {
                    let cells: Vec<_> = columns.iter().map(|column| cell(batch, column, row)).collect();
                    key.entry(table.clone()).or_default().push(format!("{cells:?}"));
                }
            }
        }
        let mut classes: BTreeMap<&BTreeMap<String, Vec<String>>, usize> = BTreeMap::new();
        for rows in keys.values_mut().flat_map(BTreeMap::values_mut) {
            rows.sort();
        }
        for key in keys.values() {
            *classes.entry(key).or_default() += 1;
        }
        out.smallest_class = classes.values().min().copied();
        if let Some(events) = &privacy.events {
            let k = events.k.unwrap_or(privacy.k) as usize;
            let mut groups: BTreeMap<i64, usize> = BTreeMap::new();
            if events.within_classes {
                let numbers: BTreeMap<_, usize> = classes.keys().copied().zip(0..).collect();
                groups.extend(keys.iter().map(|(person, key)| (*person, numbers[key])));
            }
            out.few_combinations = few_combinations(profile, events, tables, &groups, k);
        }
    }
    let cut = matches!(profile.treatment("death", "death_date"), Some(Treatment::Month | Treatment::Year));
    if let (true, Some(privacy), Some(deaths)) = (cut && profile.kind.is_anonymized(), &profile.privacy, tables.get("death")) {
        let mut died: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        for row in 0..deaths.num_rows() {
            if let (Some(date), Some(person)) = (cell(deaths, "death_date", row), person_of(deaths, row)) {
                died.entry(date).or_default().insert(person);
            }
        }
        out.few_deaths = died.values().filter(|persons| persons.len() < privacy.k as usize).count();
    }
    for (name, batch) in tables {
        for field in batch.schema().fields() {
            let column = field.name();
            let place = format!("{name}.{column}");
            if matches!(field.data_type(), DataType::Timestamp(..)) || column == "measurement_time" {
                let filled = (0..batch.num_rows()).filter(|row| cell(batch, column, *row).is_some()).count();
                if filled > 0 {
                    out.times_of_day.insert(place.clone(), filled);
                }
            }
            let systems = match profile.treatment(name, column) {
                Some(Treatment::Code { local: true, systems, .. }) => Some(systems),
                _ => None,
            };
            let local = match field.data_type() {
                DataType::Utf8 => {
                    let leaks = |c: String| has_local(&c) || systems.is_some_and(|allowed| has_unknown(&c, allowed));
                    (0..batch.num_rows()).filter(|row| cell(batch, column, *row).is_some_and(leaks)).count()
                }
                _ => 0,
            };
            if local > 0 {
                out.local_codes.insert(place.clone(), local);
            }
            let Some((beside, free)) = counted(profile, name, column, field.data_type() == &DataType::Utf8) else { continue };
            let mut persons_of: BTreeMap<(Option<String>, String), BTreeSet<i64>> = BTreeMap::new();
            for row in 0..batch.num_rows() {
                if let (Some(code), Some(person)) = (cell(batch, column, row), person_of(batch, row)) {
                    let beside = beside.and_then(|b| cell(batch, b, row));
                    persons_of.entry((beside, code)).or_default().insert(person);
                }
            }
            let least = profile.privacy.as_ref().map_or(0, |p| p.rare_persons as usize);
            let few = persons_of.iter().filter(|((_, c), p)| c != free && c != "0" && p.len() < least).count();
            if few > 0 {
                out.rare_codes.insert(place, few);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::has_unknown;

    #[test]
    fn the_second_count_sees_a_name_behind_a_second_colon_or_a_plus() {
        for code in
            ["KASUMIHOSPITAL+LN:123", "LN:KASUMI-BYOIN:123", "RECEIPT:KASUMI:1", "LN:1+KASUMI", "http://kasumi.jp/loinc:1"]
        {
            assert!(has_unknown(code, &[]), "{code}");
        }
        for code in ["8838708+8002", "MDCDX2:20059184+8002", "LN:1234-5", "3A010000002327101", "ICD10:I10", "その他"] {
            assert!(!has_unknown(code, &[]), "{code}");
        }
    }
}
