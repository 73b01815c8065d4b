use std::collections::BTreeSet;

use quality::{CheckName, Rules};

const HEADER: &str = "check,table,field,code,sex,from,to,low,high,ref,threshold,fatal,severity,owner\n";

fn refused(line: &str) -> (u64, &'static str) {
    let error = Rules::parse(&format!("{HEADER}{line}\n")).expect_err("a line that is refused");
    (error.line, error.column)
}

#[test]
fn two_thousand_checks_are_shipped_and_every_kind_of_check_is_among_them() {
    let rules = Rules::shipped().expect("the shipped rules are read");
    assert!(rules.checks().len() >= 2_000, "{}", rules.checks().len());
    let ids: BTreeSet<&str> = rules.checks().iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids.len(), rules.checks().len(), "each check has a name of its own");
    let names: BTreeSet<CheckName> = rules.checks().iter().map(|c| c.name).collect();
    assert_eq!(names.len(), CheckName::ALL.len());
}

#[test]
fn a_rule_that_cannot_be_run_or_cannot_fail_is_refused_with_line_and_column() {
    for (line, column) in [
        ("noSuchCheck,person,,,,,,,,,0,,error,vendor", "check"),
        ("isRequired,no_table,x,,,,,,,,0,,error,vendor", "table"),
        ("isRequired,identity,family_name,,,,,,,,0,,error,vendor", "table"),
        ("isRequired,person,no_column,,,,,,,,0,,error,vendor", "field"),
        ("measureValueCompleteness,person,day_of_birth,,,,,,,,100,,error,vendor", "threshold"),
        ("measureValueCompleteness,person,day_of_birth,,,,,,,,,,error,vendor", "threshold"),
        ("plausibleValueLow,person,day_of_birth,,,,,,,,0,,error,vendor", "low"),
        ("plausibleValueLow,person,day_of_birth,,,,,2020-01-01,,,0,,error,vendor", "low"),
        ("plausibleUnit,measurement,unit_source_value,3D010,,,,,,mg/dL,0,,error,vendor", "ref"),
        ("plausibleAge,condition_occurrence,condition_source_value,E11,,50,10,,,,0,,error,vendor", "from"),
        ("plausibleStartBeforeEnd,visit_occurrence,visit_end_date,,,,,,,no_column,0,,error,vendor", "ref"),
        ("isRequired,person,year_of_birth,,X,,,,,,0,,error,vendor", "sex"),
        ("isRequired,person,year_of_birth,,,,,,,,0,,grave,vendor", "severity"),
        ("isRequired,person,year_of_birth,,,,,,,,0,,error,somebody", "owner"),
        ("isRequired,person", "check"),
        ("isRequired,person,year_of_birth,,,,,,,,5,4,error,vendor", "fatal"),
        ("isRequired,person,year_of_birth,,,,,,,,5,100,error,vendor", "fatal"),
        ("personConflict,person,day_of_birth,,,,,,,,0,,error,vendor", "field"),
        ("monthGap,procedure_occurrence,procedure_date,160019410,,,,,,,0,,error,vendor", "code"),
    ] {
        assert_eq!(refused(line), (2, column), "{line}");
    }
    let twice = format!(
        "{HEADER}isRequired,person,year_of_birth,,,,,,,,0,,error,vendor\nisRequired,person,year_of_birth,,,,,,,,5,,note,vendor\n"
    );
    assert_eq!(Rules::parse(&twice).expect_err("the same check twice").line, 3);
    assert_eq!(Rules::parse("check,table\n").expect_err("another header").line, 1);
    assert_eq!((Rules::parse("").is_err(), Rules::parse(HEADER).is_err()), (true, true), "no rule at all");
    let forms = format!(
        "{HEADER}codeForm,condition_occurrence,icd10,ICD10,,,,,,,0,,error,vendor\n\
         codeForm,condition_occurrence,icd10,DISEASE,,,,,,,0,,error,vendor\n"
    );
    let two = Rules::parse(&forms).expect_err("two forms of one column: one would never be asked");
    assert_eq!((two.line, two.column), (3, "code"));
}

#[test]
fn a_refusal_names_the_line_that_an_editor_shows_also_after_empty_lines_and_cells_of_several_lines() {
    let off = "isRequired,person,day_of_birth,,,,,,,,off,,note,vendor\n";
    let shipped = || Rules::shipped().expect("rules");
    let good = "isRequired,person,year_of_birth,,,,,,,,7,,note,vendor\n";
    let wide = "isRequired,person,gender_concept_id,,,,,,,\"a\nb\",7,,note,vendor\n";
    for (before, line) in [("", 2), ("\n\n", 4), ("\r\n", 3), (good, 3), (wide, 4)] {
        let refused = shipped().with(&format!("{HEADER}{before}{off}")).expect_err("nothing to take away");
        assert_eq!((refused.line, refused.column), (line, "threshold"), "{before:?}");
    }
    let form = |name: &str| format!("codeForm,condition_occurrence,icd10,{name},,,,,,,0,,error,vendor\n");
    for (between, line) in [("", 3), ("\n\n\n", 6), (wide, 5)] {
        let text = format!("{HEADER}{}{between}{}", form("ICD10"), form("DISEASE"));
        let two = Rules::parse(&text).expect_err("two forms of one column");
        assert_eq!((two.line, two.column), (line, "code"), "{between:?}");
        let two = shipped().with(&text).expect_err("two forms of one column");
        assert_eq!((two.line, two.column), (line, "code"), "{between:?}");
    }
    let own = format!("{HEADER}\n\n{}", form("DISEASE"));
    assert_eq!(shipped().with(&own).expect_err("the shipped form stands").line, 4);
    assert_eq!(Rules::parse(&format!("{HEADER}\n{}", "isRequired,person\n")).expect_err("too short").line, 3);
    let counts = quality::counts("month,patients\n\n2026-04,12\n\n2026-05,many1\n").expect_err("no number");
    assert_eq!(counts.0, 5);
}

#[test]
fn own_rules_take_the_place_of_shipped_ones_and_take_checks_away() {
    let shipped = Rules::shipped().expect("rules");
    let count = shipped.checks().len();
    let own = format!(
        "{HEADER}isRequired,person,year_of_birth,,,,,,,,7,,note,vendor\n\
         isRequired,person,gender_concept_id,,,,,,,,off,,note,vendor\n\
         plausibleAge,condition_occurrence,condition_source_value,E11,,1,130,,,,1,,note,records\n"
    );
    let rules = shipped.with(&own).expect("own rules");
    assert_eq!(rules.checks().len(), count, "one replaced, one away, one more");
    let find = |id: &str| rules.checks().iter().find(|c| c.id == id);
    assert_eq!(find("person.year_of_birth.isRequired").expect("replaced").threshold, 7.0);
    assert!(find("person.gender_concept_id.isRequired").is_none());
    let nothing = format!("{HEADER}isRequired,person,day_of_birth,,,,,,,,off,,note,vendor\n");
    let refused = Rules::shipped().expect("rules").with(&nothing).expect_err("there is no such check to take away");
    assert_eq!((refused.line, refused.column), (2, "threshold"));
    assert!(find("condition_occurrence.condition_source_value.plausibleAge.E11.1").is_some());
}

#[test]
fn no_text_of_rules_makes_the_reader_panic() {
    bolero::check!().with_type::<String>().with_iterations(3_000).for_each(|text| {
        let _ = Rules::parse(text);
        let _ = Rules::parse(&format!("{HEADER}{text}"));
        let _ = quality::counts(text);
    });
}
