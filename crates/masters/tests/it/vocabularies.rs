//! Concepts of a code: the operator's map, Athena, and the way over ICD-10.

use masters::{Filter, Kept, MasterError, Origin, Resolver, System, Validity, Vocabulary};
use omop::Table;

use crate::files::{Disease, act, day, diseases, drug, edition, hot, masters};

const CONCEPTS: &str = "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\tconcept_code\tvalid_start_date\tvalid_end_date\tinvalid_reason\n\
1\t\"Quoted\" name\tCondition\tICD10\tcode\t\tI10\t19700101\t20991231\t\n\
2\tx\tCondition\tICD10\tcode\t\tE14.3\t19700101\t20991231\t\n\
3\tx\tCondition\tICD10\tcode\t\tK29.7\t19700101\t20991231\t\n\
11\tx\tCondition\tSNOMED\tfinding\tS\t111\t19700101\t20991231\t\n\
12\tx\tObservation\tSNOMED\tfinding\tS\t112\t19700101\t20991231\t\n\
13\tx\tCondition\tSNOMED\tfinding\tS\t113\t19700101\t20200101\tU\n\
14\tx\tCondition\tSNOMED\tfinding\t\t114\t19700101\t20991231\t\n\
21\tx\tDrug\tRxNorm\tdrug\tS\t211\t19700101\t20991231\t\n\
31\tx\tMeasurement\tLOINC\tlab\tS\t718-7\t19700101\t20991231\t\n\
41\tx\tDrug\tNDC\tdrug\t\t411\t19700101\t20991231\t\n";

const RELATIONS: &str = "concept_id_1\tconcept_id_2\trelationship_id\tvalid_start_date\tvalid_end_date\tinvalid_reason\n\
1\t11\tMaps to\t20200101\t20991231\t\n\
1\t12\tMaps to\t20200101\t20991231\t\n\
1\t13\tMaps to\t20200101\t20991231\t\n\
1\t14\tMaps to\t20200101\t20200102\tD\n\
2\t14\tMaps to\t20200101\t20991231\t\n\
3\t11\tIs a\t20200101\t20991231\t\n\
31\t31\tMaps to\t20200101\t20991231\t\n\
41\t21\tMaps to\t20200101\t20991231\t\n";

const MAP: &str = "source_code,source_concept_id,source_vocabulary_id,source_code_description,target_concept_id,target_vocabulary_id,valid_start_date,valid_end_date,invalid_reason\n\
8899001,0,JP_DISEASE,\"a, \"\"b\"\"\",12,SNOMED,2020-01-01,20221231,\n\
8899003,1999999003,JP_DISEASE,x,11,SNOMED,1970-01-01,2099-12-31,\n\
8899003,1999999003,JP_DISEASE,x,12,SNOMED,1970-01-01,2099-12-31,\n\
8899002,0,JP_DISEASE,x,13,SNOMED,1970-01-01,2099-12-31,\n\
8899004,0,JP_DISEASE,x,0,None,1970-01-01,2099-12-31,\n\
8899006,0,JP_DISEASE,x,11,SNOMED,1970-01-01,2099-12-31,\n\
8899007,0,JP_DISEASE,x,12,SNOMED,1970-01-01,2099-12-31,\n\
8899016,0,JP_DISEASE,x,11,SNOMED,1970-01-01,2099-12-31,\n\
8899017,0,JP_DISEASE,x,12,SNOMED,1970-01-01,2099-12-31,\n\
8899005,0,JP_DISEASE,x,11,SNOMED,1970-01-01,2099-12-31,D\n\
620000001,0,JP_DRUG_RECE,x,21,RxNorm,1970-01-01,2099-12-31,\n\
1000001,0,HOT,x,21,RxNorm,1970-01-01,2099-12-31,\n\
3Z0100000023271,0,JLAC10,x,31,LOINC,1970-01-01,2099-12-31,\n";

fn vocabulary() -> Vocabulary {
    let mut vocabulary = Vocabulary::new();
    let filter = Filter::new(["ICD10", "LOINC"], ["SNOMED", "RxNorm"]);
    // Ten concepts, of which NDC is not asked for, and of SNOMED only the valid standard ones.
    assert_eq!(vocabulary.read_concepts(CONCEPTS.as_bytes(), &filter).unwrap(), Kept { rows: 10, kept: 7 });
    assert_eq!(vocabulary.read_relationships(RELATIONS.as_bytes()).unwrap(), Kept { rows: 8, kept: 5 });
    assert_eq!(vocabulary.read_source_to_concept_map(MAP.as_bytes()).unwrap(), Kept { rows: 13, kept: 12 });
    vocabulary
}

fn resolver() -> Resolver {
    let sheet = "code,name\n3Z010000002327101,架空検査\n";
    let twin =
        |code| Disease { code, management: "29000016", exchange: "QX16", icd: ["", "", "I10", ""], ..Disease::default() }.row();
    let diseases = [diseases(), vec![twin("8899016"), twin("8899017")]].concat();
    let masters = masters(vec![
        edition("b_20240601.txt", &diseases),
        edition("y_ALL20240401.csv", &[drug("620000001", "架空錠", "1124009F1010")]),
        edition("s_ALL20240601.csv", &[act("150999910", "架空手術", "K718-2")]),
        edition("MEDIS20240531.TXT", &[hot("1000001010101", "1124009F1010", "1124009F1030", ["620000001", ""])]),
        masters::read("JLAC10_20240401.csv", sheet.as_bytes()).unwrap(),
    ]);
    Resolver { masters, vocabulary: vocabulary() }
}

#[test]
fn the_operators_map_counts_on_its_days_and_goes_before_maps_to() {
    let vocabulary = vocabulary();
    let of = |code: &str, on: i32| vocabulary.standard("JP_DISEASE", code, on);
    let targets = of("8899001", day(2022, 12, 31));
    assert_eq!((targets.concepts, targets.origin), (vec![(12, "Observation")], Some(Origin::SourceToConceptMap)));
    assert_eq!(of("8899001", day(2023, 1, 1)).origin, None);
    assert_eq!(of("8899001", day(2019, 12, 31)).origin, None);
    // Several are all returned.
    assert_eq!(of("8899003", 0).concepts, [(11, "Condition"), (12, "Observation")]);
    // One that is not valid is not.
    let targets = of("8899002", 0);
    assert_eq!((targets.concepts.len(), targets.origin, targets.left_out.len()), (0, None, 1));
    // 0 says that there is none.
    let targets = of("8899004", 0);
    assert_eq!((targets.concepts.len(), targets.origin), (0, Some(Origin::SourceToConceptMap)));
    assert_eq!(of("8899005", 0).origin, None);
    assert_eq!(vocabulary.mapped_source("JP_DISEASE", "8899003", 0), Some(1_999_999_003));
    assert_eq!(vocabulary.mapped_source("JP_DISEASE", "8899001", day(2021, 1, 1)), None);
}

#[test]
fn targets_of_athena_are_standard_and_valid_or_left_out() {
    let vocabulary = vocabulary();
    assert_eq!(vocabulary.source("ICD10", "I10"), Some((1, "Condition")));
    assert_eq!(
        (vocabulary.source("ICD10", "I11"), vocabulary.source("SNOMED", "111"), vocabulary.source("NDC", "411")),
        (None, None, None)
    );
    let targets = vocabulary.standard("ICD10", "I10", 0);
    assert_eq!(targets.concepts, [(11, "Condition"), (12, "Observation")]);
    assert_eq!((targets.origin, targets.left_out.len()), (Some(Origin::MapsTo), 1));
    assert_eq!(vocabulary.standard("ICD10", "E14.3", 0).concepts, []);
    assert_eq!(vocabulary.standard("ICD10", "K29.7", 0).concepts, []);
    assert_eq!(vocabulary.standard("LOINC", "718-7", 0).concepts, [(31, "Measurement")]);
}

#[test]
fn what_cannot_be_read_is_said_by_line_and_column() {
    let mut vocabulary = Vocabulary::new();
    let all = Filter::new(["ICD10"], ["SNOMED"]);
    let found = vocabulary.read_concepts(&b"concept_id\tdomain_id\n"[..], &all);
    assert!(matches!(found, Err(MasterError::Header { column: "vocabulary_id" })));
    let broken = CONCEPTS.replacen("\n2\t", "\n\nx\t", 1);
    let found = vocabulary.read_concepts(broken.as_bytes(), &all);
    assert!(matches!(found, Err(MasterError::Value { line: 4, column: "concept_id", .. })), "{found:?}");
    let cut = CONCEPTS.replacen("\t\tI10\t19700101\t20991231\t\n", "\n", 1);
    assert!(matches!(vocabulary.read_concepts(cut.as_bytes(), &all), Err(MasterError::NoColumn { line: 2, .. })));
    for (from, to, column) in [
        ("2020-01-01", "2020-13-01", "valid_start_date"),
        ("20221231", "never", "valid_end_date"),
        (",12,SNOMED", ",-1,SNOMED", "target_concept_id"),
        ("8899001,0,JP_DISEASE", "8899001,0,", "source_vocabulary_id"),
    ] {
        let found = vocabulary.read_source_to_concept_map(MAP.replacen(from, to, 1).as_bytes());
        assert!(matches!(&found, Err(MasterError::Value { line: 2, column: c, .. }) if *c == column), "{column}: {found:?}");
    }
    let found = vocabulary.read_source_to_concept_map(MAP.replacen("\"a", "\"a\"", 1).as_bytes());
    assert!(matches!(found, Err(MasterError::Quotes { line: 2 })));
    let found = vocabulary.read_relationships(&b"\xFF\n"[..]);
    assert!(matches!(found, Err(MasterError::NotUtf8 { line: 1 })));
    // Separated by tabs, with a mark, and with nothing in it.
    let tabs = "\u{FEFF}".to_owned() + &MAP.replace("\"a, \"\"b\"\"\"", "a").replace(',', "\t");
    assert_eq!(Vocabulary::new().read_source_to_concept_map(tabs.as_bytes()).unwrap().kept, 12);
    assert_eq!(Vocabulary::new().read_source_to_concept_map(&b""[..]).unwrap(), Kept::default());
}

#[test]
fn a_disease_has_the_concepts_of_its_own_code_else_those_of_its_icd10() {
    let resolver = resolver();
    let on = day(2024, 7, 1);
    let of = |value: &'static str| resolver.resolve(Table::ConditionOccurrence, "condition_source_value", value, on).unwrap();
    let own = of("8899003+8002");
    assert_eq!(
        (own.standard, own.by_icd10, own.source_concept_id),
        (vec![(11, "Condition"), (12, "Observation")], false, Some(1_999_999_003))
    );
    assert_eq!((own.icd10.as_deref(), own.name, own.modifiers), (Some("K29.7"), Some("架空胃炎"), "8002"));
    assert_eq!((own.validity, own.origin), (Some(Validity::InForce), Some(Origin::SourceToConceptMap)));
    // The operator's row of 8899001 is over, so its ICD-10 speaks.
    for value in ["8899001", "MDCDX2:29000001", "MDCDX1:QX01"] {
        let by = of(value);
        assert_eq!(
            (by.standard, by.by_icd10, by.origin),
            (vec![(11, "Condition"), (12, "Observation")], true, Some(Origin::MapsTo))
        );
        assert_eq!((by.icd10.as_deref(), by.name, by.source_concept_id), (Some("I10"), Some("架空高血圧症"), None), "{value}");
    }
    // Of a pair the cause alone; its concept is not standard.
    let pair = of("8899002");
    assert_eq!((pair.standard, pair.icd10.as_deref(), pair.left_out.len()), (vec![], Some("E14.3"), 2));
    // The operator says none.
    assert_eq!((of("8899004").standard, of("8899004").by_icd10), (vec![], false));
    // Two diseases with one exchange code: no name, no ICD-10, no concept.
    let two = of("MDCDX1:QX06");
    assert_eq!((two.standard, two.name, two.icd10), (vec![], None, None));
    // Nor is their ICD-10 asked where the operator maps them to different concepts.
    let twins = of("MDCDX1:QX16");
    assert_eq!((twins.standard, twins.icd10.as_deref(), twins.by_icd10), (vec![], Some("I10"), false));
    // Bare ICD-10.
    let icd = of("I10");
    assert_eq!(
        (icd.system, icd.source_concept_id, icd.icd10.as_deref(), icd.standard.len()),
        (System::Icd10, Some(1), Some("I10"), 2)
    );
    assert_eq!(of("K297").source_concept_id, Some(3));
    assert_eq!((of("8899999").standard, of("8899999").validity), (vec![], None));
    assert_eq!(of("8899005").validity, Some(Validity::NoLonger));
    assert_eq!(resolver.resolve(Table::ConditionOccurrence, "condition_source_value", "L:8899003", on), None);
}

#[test]
fn drugs_acts_and_tests_have_the_concepts_of_their_own_codes_alone() {
    let resolver = resolver();
    let on = day(2024, 7, 1);
    let drug = |value: &'static str| resolver.resolve(Table::DrugExposure, "drug_source_value", value, on).unwrap();
    assert_eq!((drug("620000001").standard, drug("620000001").name), (vec![(21, "Drug")], Some("架空錠")));
    // HOT7 speaks for the HOT9 and HOT13 that begin with it.
    for value in ["100000101", "HOT7:1000001", "HOT13:1000001010101"] {
        assert_eq!((drug(value).standard, drug(value).name), (vec![(21, "Drug")], Some("架空錠５ｍｇ")), "{value}");
    }
    // The YJ code of the same drug has none: none is taken from the claims' code or from ATC.
    assert_eq!((drug("YJ:1124009F1030").standard, drug("YJ:1124009F1030").name), (vec![], Some("架空錠５ｍｇ")));
    let act = resolver.resolve(Table::ProcedureOccurrence, "procedure_source_value", "K718-2", on).unwrap();
    assert_eq!((act.system, act.name, act.standard), (System::Section, Some("架空手術"), vec![]));
    let test = |value: &'static str| resolver.resolve(Table::Measurement, "measurement_source_value", value, on).unwrap();
    for value in ["3Z0100000023271", "3Z010000002327101", "3Z010000002327199"] {
        assert_eq!((test(value).standard, test(value).name), (vec![(31, "Measurement")], Some("架空検査")), "{value}");
    }
    // Another method is another test.
    assert_eq!((test("3Z010000002399901").standard, test("3Z010000002399901").name), (vec![], None));
    assert_eq!(test("LOINC:718-7").standard, [(31, "Measurement")]);
}

#[test]
fn any_text_is_read_as_a_vocabulary_or_refused() {
    bolero::check!().with_type::<(Vec<u8>, Vec<(u16, u8)>)>().with_iterations(2_000).for_each(|(noise, edits)| {
        for file in [CONCEPTS, RELATIONS, MAP] {
            let mut bytes = file.as_bytes().to_vec();
            for (at, byte) in edits {
                let at = usize::from(*at) % bytes.len();
                bytes[at] = *byte;
            }
            for bytes in [&bytes, noise] {
                let mut vocabulary = Vocabulary::new();
                let _ = vocabulary.read_concepts(&bytes[..], &Filter::new(["ICD10"], ["SNOMED"]));
                let _ = vocabulary.read_relationships(&bytes[..]);
                let _ = vocabulary.read_source_to_concept_map(&bytes[..]);
                let _ = vocabulary.standard("ICD10", "I10", 0);
                let _ = vocabulary.standard("JP_DISEASE", "8899003", 0);
            }
        }
    });
}
