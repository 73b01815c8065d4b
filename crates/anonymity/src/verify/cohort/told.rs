//! What the report says, against what is there: everything in it that tables and policy say too.

use std::collections::BTreeSet;

use super::{CohortVerified, Flat, OTHER, Tables, number, visits};
use crate::classes::{Bucket, Histogram};
use crate::profile::{Attacker, Privacy, Profile, Treatment};
use crate::report::{ColumnReport, PrivacyReport, Report, TableReport};

/// Parts of a report that only whoever had the data before can count.
const UNSEEN: [&str; 12] = [
    "report.persons_before",
    "report.privacy.before",
    "report.privacy.steps.persons",
    "report.privacy.calendar",
    "report.privacy.events (before, codes, coarser, bare, taken_out, rows_taken_out, loss)",
    "report.privacy.found (codes, visit_days, dated_codes, calendar_codes)",
    "report.months (deaths_by_year, deaths_left_out)",
    "report.cumulative",
    "report.effects",
    "report.tables.rows_before",
    "report.tables.columns (filled_before, changed, codes but those after)",
    "report.tables_left_out",
];

/// Sizes by which a report counts classes together: the last of each, none for what is larger than all.
const ENDS: [Option<u64>; 9] = [Some(1), Some(2), Some(4), Some(9), Some(19), Some(49), Some(99), Some(999), None];

/// Classes by size.
fn histogram(sizes: &[usize]) -> Histogram {
    let mut sizes: Vec<u64> = sizes.iter().map(|n| *n as u64).collect();
    sizes.sort_unstable();
    // Everybody in a row, from the smallest class on: the one in the middle.
    let everybody: Vec<u64> = sizes.iter().flat_map(|n| (0..*n).map(move |_| *n)).collect();
    let mut buckets = Vec::new();
    let mut from = 1;
    for to in ENDS {
        let of: Vec<u64> = sizes.iter().copied().filter(|n| *n >= from && to.is_none_or(|to| *n <= to)).collect();
        buckets.push(Bucket { from, to, classes: of.len() as u64, persons: of.iter().sum() });
        from = to.map_or(from, |to| to + 1);
    }
    Histogram {
        persons: everybody.len() as u64,
        classes: sizes.len() as u64,
        smallest: sizes.first().copied().unwrap_or(0),
        median: everybody.get(everybody.len().saturating_sub(1) / 2).copied().unwrap_or(0),
        buckets,
    }
}

/// Holds a report against policy and tables; `sizes` are those of the classes.
pub(super) fn check(profile: &Profile, tables: &Tables, report: &Report, sizes: &[usize], out: &mut CohortVerified) {
    out.unchecked.extend(UNSEEN.map(str::to_owned));
    let application = &profile.application;
    out.same("report.format", report.format == "azekura-report/1");
    let named = (&report.profile, &report.version, report.kind) == (&profile.name, &profile.version, profile.kind);
    out.same("report.profile", named);
    out.same("report.purpose", report.purpose == application.purpose);
    out.same("report.recipient", report.recipient == application.recipient);
    out.same("report.project", report.project == application.project);
    out.same("report.beside", report.beside == profile.beside);
    out.same("report.values", report.values == profile.values);
    out.same("report.persons_after", report.persons_after == out.persons);
    // Of pseudonymized data nobody is left out.
    let fewer = profile.kind.is_anonymized() && report.persons_before > report.persons_after;
    out.same("report.persons_before", fewer || report.persons_before == report.persons_after);
    out.same("report.tables_left_out", report.tables_left_out.iter().all(|t| !profile.tables.contains_key(t)));

    let told: Vec<&String> = report.tables.iter().map(|t| &t.name).collect();
    let once: BTreeSet<&String> = told.iter().copied().collect();
    out.same("report.tables", told.len() == once.len() && once.iter().all(|name| profile.tables.contains_key(*name)));
    for (name, decided) in &profile.tables {
        let place = format!("report.tables.{name}");
        let (Some(said), Some(table)) = (report.tables.iter().find(|t| t.name == *name), tables.get(name)) else {
            out.same(place, false);
            continue;
        };
        out.same(format!("{place}.reason"), said.reason == decided.reason);
        of_table(profile, &place, said, table, out);
    }

    out.same("report.privacy", report.privacy.is_some() == profile.kind.is_anonymized());
    if let (Some(said), Some(privacy)) = (&report.privacy, &profile.privacy) {
        of_classes(report, said, privacy, sizes, out);
    }
    if let Some(most) = report.cumulative.as_ref().map(|c| c.most) {
        out.same("report.cumulative.most", (0.0..=1.0).contains(&most));
    }
    visits::told(profile, tables, report, out);
}

fn of_table(profile: &Profile, place: &str, said: &TableReport, table: &Flat, out: &mut CohortVerified) {
    let rows = table.rows.len() as u64;
    out.same(format!("{place}.rows_after"), said.rows_after == rows);
    out.same(format!("{place}.rows_before"), said.rows_before >= rows);
    out.same(format!("{place}.columns"), said.columns.iter().map(|c| &c.name).eq(&table.header));
    for column in &said.columns {
        of_column(profile, &format!("{place}.{}", column.name), (&said.name, column), table, out);
    }
    let columns = profile.tables[&said.name].columns.iter();
    let of_results: Vec<&String> = columns.filter(|(_, t)| matches!(t, Treatment::Value { .. })).map(|(c, _)| c).collect();
    out.same(format!("{place}.results"), said.results.is_some() != of_results.is_empty());
    if let Some(results) = &said.results {
        let numbers = of_results.into_iter().filter(|c| *c == "value_as_number").filter_map(|c| table.column(c)).flatten();
        let shown = numbers.filter(|cell| number(cell).is_some()).count();
        out.same(format!("{place}.results.numbers"), results.exact + results.top + results.bottom == shown);
    }
}

fn of_column(profile: &Profile, place: &str, (name, said): (&str, &ColumnReport), table: &Flat, out: &mut CohortVerified) {
    out.same(format!("{place}.treatment"), profile.treatment(name, &said.name) == Some(&said.treatment));
    let cells = table.column(&said.name).unwrap_or_default();
    let rows = cells.len() as u64;
    let filled = cells.iter().filter(|cell| !cell.is_empty()).count() as u64;
    // A text that the model wants of every row is emptied to one without letters, which CSV does not tell from none.
    let wanted = said.name == "note_text" && said.filled_after == rows;
    out.same(format!("{place}.filled_after"), said.filled_after == filled || wanted);
    out.same(format!("{place}.filled_before"), said.filled_before <= rows);
    out.same(format!("{place}.changed"), said.changed <= rows);
    let coded = matches!(said.treatment, Treatment::Code { .. });
    out.same(format!("{place}.codes"), said.codes.is_some() == coded);
    if let Some(codes) = &said.codes {
        let concepts = said.name.ends_with("_concept_id");
        let shown: BTreeSet<&str> =
            cells.into_iter().filter(|cell| !cell.is_empty() && *cell != OTHER && !(concepts && *cell == "0")).collect();
        out.same(format!("{place}.codes_after"), codes.codes_after == shown.len());
    }
}

fn of_classes(report: &Report, said: &PrivacyReport, privacy: &Privacy, sizes: &[usize], out: &mut CohortVerified) {
    let place = |what: &str| format!("report.privacy.{what}");
    out.same(place("k"), said.k == privacy.k);
    out.same(place("quasi_identifiers"), said.quasi_identifiers == privacy.quasi_identifiers);
    out.same(place("rare_persons"), said.rare_persons == privacy.rare_persons);
    out.same(place("extreme_persons"), said.extreme_persons == privacy.extreme_persons);
    out.same(place("shift_days"), said.shift_days == privacy.shift_days);
    out.same(place("before.persons"), said.before.persons == report.persons_before);
    let found = histogram(sizes);
    for (what, holds) in [
        ("persons", said.after.persons == found.persons),
        ("classes", said.after.classes == found.classes),
        ("smallest", said.after.smallest == found.smallest),
        ("median", said.after.median == found.median),
        ("buckets", said.after.buckets == found.buckets),
    ] {
        out.same(place("after.") + what, holds);
    }
    let steps = said.steps.iter().map(|s| (&s.column, &s.to)).eq(privacy.coarsen.iter().map(|s| (&s.column, &s.to)));
    out.same(place("steps"), steps && said.steps.iter().all(|s| s.persons <= report.persons_before));
    let gone = report.persons_before.saturating_sub(report.persons_after);
    out.same(place("suppressed"), said.suppressed == gone);
    #[allow(clippy::cast_precision_loss)] // numbers of persons
    let within = gone as f64 <= privacy.most_suppressed * report.persons_before as f64;
    out.same(place("most_suppressed"), within);
    out.same(place("events"), said.events.is_some() == privacy.events.is_some());
    if let (Some(said), Some(events)) = (&said.events, &privacy.events) {
        out.same(place("events.known"), said.known == events.known);
        out.same(place("events.k"), said.k == events.k.unwrap_or(privacy.k));
        out.same(place("events.within_classes"), said.within_classes == events.within_classes);
        out.same(place("events.columns"), said.columns == events.columns);
    }
    // Who knows the quasi-identifiers finds one of each class.
    #[allow(clippy::cast_precision_loss)] // numbers of persons
    let share = found.classes as f64 / found.persons.max(1) as f64;
    let of = |attacker| said.found.iter().find(move |f| f.attacker == attacker);
    let demographics = of(Attacker::Demographics).is_some_and(|f| {
        let all = f.targets == f.persons;
        f.persons == found.persons && f.targets <= f.persons && (!all || (f.share - share).abs() < 1e-9)
    });
    out.same(place("found.demographics"), demographics);
    let possible = said.found.iter().all(|f| {
        let [low, high] = f.interval;
        f.persons <= report.persons_after && f.targets <= f.persons && low <= f.share + 1e-9 && f.share <= high + 1e-9
    });
    out.same(place("found"), possible);
    for (attacker, most) in &privacy.most_found {
        let within = of(*attacker).is_none_or(|f| f.interval[1] <= *most);
        out.same(place("found.") + attacker.as_str() + ".most_found", within);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_by_size_are_those_of_the_engine() {
        for sizes in [vec![], vec![1], vec![10, 10, 13, 20, 1_000], vec![2, 4, 5, 9, 49, 50, 99, 100, 999], vec![3, 3, 3]] {
            let keys = sizes.iter().zip(0..).flat_map(|(n, key)| std::iter::repeat_n(key, *n));
            assert_eq!(histogram(&sizes), crate::classes::histogram(keys), "{sizes:?}");
        }
    }
}
