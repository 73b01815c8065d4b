//! The shipped profiles, and what no profile may say.

use anonymity::profile::Treatment;
use anonymity::{Kind, Profile};
use omop::Table;

use super::ministry::shipped;

const ANONYMIZED: &str = include_str!("../../../../profiles/anonymized.toml");
const PSEUDONYMIZED: &str = include_str!("../../../../profiles/pseudonymized.toml");

#[test]
fn the_shipped_profiles_treat_every_column_of_their_tables() {
    for kind in ["anonymized", "linkable_anonymized", "pseudonymized", "local-government"] {
        let profile = shipped(kind);
        assert_eq!(profile.kind.as_str(), kind.replace("local-government", "anonymized"));
        for (name, table) in &profile.tables {
            let omop = Table::by_name(name).expect("a table of the model");
            let wanted: std::collections::BTreeSet<String> =
                omop.omop_schema().fields().iter().map(|f| f.name().clone()).collect();
            let treated: std::collections::BTreeSet<String> = table.columns.keys().cloned().collect();
            assert_eq!(treated, wanted, "{name}");
        }
    }
}

fn code(text: &str) -> &'static str {
    Profile::parse(text).map(|_| "accepted").unwrap_or_else(|e| e.code())
}

fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

// control: PRC-01
#[test]
fn a_profile_below_the_floor_of_its_kind_is_refused() {
    assert_eq!(code(ANONYMIZED), "accepted");
    for (from, to) in [
        ("measurement_date = \"shift\"", "measurement_date = \"keep\""),
        ("measurement_datetime = \"drop\"", "measurement_datetime = \"keep\""),
        ("measurement_time = \"drop\"", "measurement_time = \"keep\""),
        ("day_of_birth = \"drop\"", "day_of_birth = \"keep\""),
        ("person_source_value = \"drop\"", "person_source_value = \"keep\""),
        ("person_id = \"new_person_id\"", "person_id = \"keep\""),
        ("care_site_id = \"drop\"", "care_site_id = \"keep\""),
        ("range_low = \"drop\"", "range_low = \"keep\""),
        ("measurement_source_value = { code = {} }", "measurement_source_value = \"keep\""),
        ("measurement_source_value = { code = {} }", "measurement_source_value = { code = { rare = false } }"),
        ("measurement_source_value = { code = {} }", "measurement_source_value = { code = { local = false } }"),
        ("unit_source_value = \"unit\"", "unit_source_value = \"keep\""),
        ("gender_source_value = \"drop\"", "gender_source_value = \"keep\""),
        ("measurement_id = { new_id = { of = \"measurement\" } }", "measurement_id = \"keep\""),
        ("condition_concept_id = { follow = { code = \"condition_source_value\" } }", "condition_concept_id = \"keep\""),
        ("drug_source_concept_id = { follow = { code = \"drug_source_value\" } }", "drug_source_concept_id = \"keep\""),
        ("condition_type_concept_id = { code = {} }", "condition_type_concept_id = \"keep\""),
        ("route_concept_id = { code = {} }", "route_concept_id = { code = { rare = false } }"),
        ("unit_concept_id = \"drop\"", "unit_concept_id = \"keep\""),
        (
            "value_as_concept_id = { value = { code = \"measurement_source_value\" } }",
            "value_as_concept_id = { follow = { code = \"measurement_source_value\" } }",
        ),
        ("quantity = \"extremes\"", "quantity = \"keep\""),
        ("quantity = \"extremes\"", "quantity = { follow = { code = \"drug_source_value\" } }"),
        ("quantity = \"extremes\"", "quantity = { band = { width = 1e-9 } }"),
        (
            "value_as_number = { value = { code = \"measurement_source_value\" } }",
            "value_as_number = { band = { width = 1e-9 } }",
        ),
        ("value_as_number = { value = { code = \"measurement_source_value\" } }", "value_as_number = \"extremes\""),
        (
            "care_site_id = \"drop\"",
            "care_site_id = { class = { map = { \"a\" = \"A\", \"b\" = \"B\", \"c\" = \"B\", \"d\" = \"B\" }, other = \"C\" } }",
        ),
    ] {
        assert_eq!(code(&with(ANONYMIZED, from, to)), "anonymity-below-floor", "{to}");
    }
    for (from, to) in [
        ("person_source_value = \"drop\"", "person_source_value = \"keep\""),
        ("person_id = \"new_person_id\"", "person_id = \"keep\""),
        ("value_source_value = \"result_text\"", "value_source_value = \"keep\""),
        ("condition_source_value = { code = { rare = false, local = false } }", "condition_source_value = \"keep\""),
        ("drug_source_value = { code = { rare = false, local = false } }", "drug_source_value = \"keep\""),
        ("measurement_source_value = { code = { rare = false, local = false } }", "measurement_source_value = \"keep\""),
        ("unit_source_value = \"unit\"", "unit_source_value = \"keep\""),
        ("visit_source_value = \"drop\"", "visit_source_value = \"keep\""),
        ("gender_source_value = { code = { rare = false, local = false } }", "gender_source_value = \"keep\""),
    ] {
        assert_eq!(code(&with(PSEUDONYMIZED, from, to)), "anonymity-below-floor", "{to}");
    }
}

// control: PRC-01
#[test]
fn one_date_of_a_person_is_not_moved_where_another_is_cut() {
    for to in ["measurement_date = \"month\"", "measurement_date = \"year\""] {
        assert_eq!(code(&with(ANONYMIZED, "measurement_date = \"shift\"", to)), "anonymity-dates-mixed", "{to}");
    }
    assert_eq!(code(&ANONYMIZED.replace("= \"shift\"", "= \"month\"")), "accepted");
}

#[test]
fn bands_without_a_width_and_bounds_without_an_order_are_refused() {
    for (from, to) in [
        ("band = 5.0", "band = 0.0"),
        ("band = 5.0", "band = nan"),
        ("top = 201.0", "top = 201.0\nbottom = 300.0"),
        ("{ band = { width = 5 } }", "{ band = { width = -5 } }"),
        ("{ band = { width = 5 } }", "{ clamp = { least = 2000, most = 1900 } }"),
    ] {
        assert_eq!(code(&with(ANONYMIZED, from, to)), "anonymity-bound-unusable", "{to}");
    }
}

#[test]
fn thresholds_that_protect_nobody_are_refused() {
    for (from, to) in [
        ("\nk = 10", "\nk = 2"),
        ("rare_persons = 10", "rare_persons = 1"),
        ("extreme_persons = 10", "extreme_persons = 0"),
        ("shift_days = 182", "shift_days = 0"),
        ("most_suppressed = 0.1", "most_suppressed = 1.5"),
        ("\"person.year_of_birth\", \"person.month_of_birth\"]", "\"person.month_of_birth\"]"),
    ] {
        assert_eq!(code(&with(ANONYMIZED, from, to)), "anonymity-privacy-weak", "{to}");
    }
    assert_eq!(code(&with(PSEUDONYMIZED, "kind = \"pseudonymized\"", "kind = \"anonymized\"")), "anonymity-below-floor");
}

#[test]
fn words_that_the_profile_does_not_know_are_refused_with_their_line() {
    for (from, to) in [
        ("most_suppressed = 0.1", "most_suppresed = 0.1"),
        ("measurement_date = \"shift\"", "measurement_date = \"shifted\""),
        ("kind = \"anonymized\"", "kind = \"anonymous\""),
        ("{ code = {} }", "{ code = { rarely = true } }"),
    ] {
        let text = with(ANONYMIZED, from, to);
        let error = Profile::parse(&text).map(|_| ()).expect_err(to);
        assert_eq!(error.code(), "anonymity-profile-unreadable");
        assert!(error.to_string().contains("line"), "{error}");
    }
    assert_eq!(code(&with(ANONYMIZED, "azekura-profile/1", "azekura-profile/9")), "anonymity-profile-format");
    assert_eq!(code(&with(ANONYMIZED, "\npurpose = \"", "\npurpose = \"\" # ")), "anonymity-profile-empty");
}

// control: PDB-01
#[test]
fn in_a_linkable_data_set_no_date_is_moved_and_the_floor_of_anonymized_data_holds() {
    let text = include_str!("../../../../profiles/linkable.toml");
    assert_eq!(code(text), "accepted");
    let dates = ["visit_start_date", "condition_start_date", "measurement_date", "death_date"];
    for date in dates {
        let from = format!("{date} = \"month\"");
        assert_eq!(code(&with(text, &from, &format!("{date} = \"shift\""))), "anonymity-below-floor", "{date}");
        assert_eq!(code(&with(text, &from, &format!("{date} = \"keep\""))), "anonymity-below-floor", "{date}");
    }
    assert_eq!(code(&with(text, "k = 10\n", "k = 2\n")), "anonymity-privacy-weak");
    // Nor does the profile say that one is.
    assert!(!text.contains("shift_days =") && !text.contains("move together"));
    assert_eq!(code(&with(text, "rare_persons = 10", "shift_days = 182\nrare_persons = 10")), "anonymity-shift-unused");
}

#[test]
fn a_profile_that_moves_dates_says_by_how_much_at_most() {
    assert_eq!(code(&with(ANONYMIZED, "shift_days = 182\n", "")), "anonymity-privacy-weak");
    let by_month = ANONYMIZED.replace("\"shift\"", "\"month\"");
    assert_eq!(code(&with(&by_month, "shift_days = 182\n", "")), "accepted");
}

#[test]
fn a_profile_survives_being_written_and_read() {
    let profile = shipped("anonymized");
    let again = Profile::parse(&toml::to_string(&profile).expect("written")).map_err(|e| e.to_string()).expect("read");
    assert_eq!(profile, again);
    assert_eq!(profile.kind, Kind::Anonymized);
    assert_eq!(profile.treatment("person", "day_of_birth"), Some(&Treatment::Drop));
}

// control: LGV-07
#[test]
fn what_local_governments_provided_stands_among_twenty_without_moved_dates_or_deaths() {
    let profile = shipped("local-government");
    let privacy = profile.privacy.as_ref().expect("anonymized");
    assert_eq!((privacy.k, privacy.rare_persons, privacy.extreme_persons), (20, 20, 20));
    assert!(!profile.moves_dates() && !profile.tables.contains_key("death"));
    assert_eq!(profile.treatment("person", "month_of_birth"), Some(&Treatment::Drop));
    let dates = profile.tables.values().flat_map(|t| &t.columns).filter(|(c, t)| c.ends_with("_date") && **t != Treatment::Drop);
    assert!(dates.map(|(_, t)| t).all(|t| *t == Treatment::Month));
}
