//! Whose code a source value is.

use masters::System;
use omop::Table;

const DISEASE: (Table, &str) = (Table::ConditionOccurrence, "condition_source_value");
const OBSERVATION: (Table, &str) = (Table::Observation, "observation_source_value");
const DRUG: (Table, &str) = (Table::DrugExposure, "drug_source_value");
const ACT: (Table, &str) = (Table::ProcedureOccurrence, "procedure_source_value");
const DEVICE: (Table, &str) = (Table::DeviceExposure, "device_source_value");
const TEST: (Table, &str) = (Table::Measurement, "measurement_source_value");

#[test]
fn bare_codes_depend_on_their_column_and_others_on_their_prefix() {
    for ((table, column), value, system, code) in [
        (DISEASE, "8830417", System::Disease, "8830417"),
        (DISEASE, "20054174", System::DiseaseManagement, "20054174"),
        (DISEASE, "MDCDX2:20054174", System::DiseaseManagement, "20054174"),
        (DISEASE, "MDCDX1:D682", System::DiseaseExchange, "D682"),
        // DPC files write ICD-10 bare; an exchange code that looks like one does not stand bare.
        (DISEASE, "D682", System::Icd10, "D682"),
        (DISEASE, "QX01", System::DiseaseExchange, "QX01"),
        (DISEASE, "ICD10:E11.9", System::Icd10, "E11.9"),
        (DISEASE, "RECEIPT:8830417", System::Disease, "8830417"),
        ((Table::ConditionOccurrence, "receipt_code"), "8830417", System::Disease, "8830417"),
        ((Table::ConditionOccurrence, "icd10"), "E11.9", System::Icd10, "E11.9"),
        ((Table::Death, "cause_source_value"), "C169", System::Icd10, "C169"),
        (OBSERVATION, "8830417", System::Disease, "8830417"),
        (OBSERVATION, "9N736000000000011", System::Checkup, "9N736000000000011"),
        (DRUG, "620007329", System::Drug, "620007329"),
        (DRUG, "108665201", System::Hot9, "108665201"),
        (DRUG, "HOT7:1086652", System::Hot7, "1086652"),
        (DRUG, "HOT13:1086652010101", System::Hot13, "1086652010101"),
        (DRUG, "YJ:2149039F1023", System::Yj, "2149039F1023"),
        (DRUG, "1124009F1030", System::Yj, "1124009F1030"),
        (DRUG, "RECEIPT:620007329", System::Drug, "620007329"),
        (ACT, "160000310", System::Act, "160000310"),
        (ACT, "K718-2", System::Section, "K718-2"),
        (ACT, "RECEIPT:160000310", System::Act, "160000310"),
        (DEVICE, "710010001", System::Device, "710010001"),
        (TEST, "3D046000001906202", System::Jlac10, "3D046000001906202"),
        (TEST, "3D0460000019062", System::Jlac10, "3D0460000019062"),
        (TEST, "JLAC10:3D046000001906202", System::Jlac10, "3D046000001906202"),
        (TEST, "CHECKUP:9N001000000000001", System::Checkup, "9N001000000000001"),
        (TEST, "9N001000000000001", System::Checkup, "9N001000000000001"),
        (TEST, "LOINC:718-7", System::Loinc, "718-7"),
    ] {
        let coded = System::of(table, column, value);
        assert_eq!(coded.map(|c| (c.system, c.code, c.modifiers)), Some((system, code, "")), "{column} {value}");
    }
}

#[test]
fn own_codes_words_and_unknown_prefixes_are_of_no_system() {
    for ((table, column), value) in [
        (DISEASE, "L:8830417"),
        (DISEASE, "99XYZ:8830417"),
        (DISEASE, "text:胃癌"),
        (DISEASE, "UNCODED"),
        (DISEASE, "UNCODED:8830417"),
        (DISEASE, "http://kasumi.jp/dx:8830417"),
        (DISEASE, "0000999"),
        (DISEASE, "0000999:胃の病"),
        (DISEASE, ":8830417"),
        (DISEASE, ""),
        (DISEASE, "XX:8830417"),
        (DISEASE, "MDCDX2:8830417"),
        (DISEASE, "ICD10:11.9"),
        (DISEASE, "ICD10:E1.19"),
        (DRUG, "YJ:1124009F1"),
        (DRUG, "62000732"),
        (DRUG, "GENERAL:1124009F1ZZZ"),
        (DRUG, "620007329+8002"),
        (ACT, "16000031"),
        (ACT, "JJ1017:160000310"),
        (DEVICE, "text:ステント"),
        (TEST, "A001010-2"),
        (TEST, "3A01000000232710"),
        (TEST, "８Ａ０１０"),
        (OBSERVATION, "FF4"),
        (OBSERVATION, "BU-5"),
        (OBSERVATION, "A006010-2"),
        ((Table::ConditionOccurrence, "stop_reason"), "8830417"),
        ((Table::VisitOccurrence, "visit_source_value"), "8830417"),
    ] {
        assert_eq!(System::of(table, column, value), None, "{column} {value}");
    }
}

#[test]
fn modifiers_of_a_disease_are_returned_apart() {
    let coded = System::of(DISEASE.0, DISEASE.1, "MDCDX2:20054178+2064+8002").unwrap();
    assert_eq!((coded.code, coded.modifiers), ("20054178", "2064+8002"));
    assert_eq!(coded.each_modifier().collect::<Vec<_>>(), ["2064", "8002"]);
    assert_eq!(System::of(OBSERVATION.0, OBSERVATION.1, "8838708+8002").unwrap().modifiers, "8002");
}

#[test]
fn any_text_has_a_system_of_its_form_or_none() {
    bolero::check!().with_type::<(u8, String)>().with_iterations(5_000).for_each(|(column, text)| {
        let columns = [DISEASE, OBSERVATION, DRUG, ACT, DEVICE, TEST];
        let (table, column) = columns[usize::from(*column) % columns.len()];
        for value in [text.clone(), format!("RECEIPT:{text}"), format!("YJ:{text}"), format!("8830417+{text}")] {
            if let Some(coded) = System::of(table, column, &value) {
                assert!(coded.system.has_form(coded.code) && value.contains(coded.code));
            }
        }
    });
}
