//! Whose code a source value of the lake is.
//!
//! Readers write the codes of a column's usual systems bare, any other as `SYSTEM:CODE`; modifiers of a disease stand behind it, each
//! after a `+`. The sender's own codes (`L:`, `99…:`, a URL) and words (`text:`, `UNCODED`) are of no system.

use omop::Table;

use crate::editions::icd10_with_dot;
use crate::kind::Kind;

/// A code system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum System {
    /// ICD-10, with a dot or without: `E11.9`, `E119`.
    Icd10,
    /// 傷病名マスター, 7 digits.
    Disease,
    /// 病名管理番号, 8 digits.
    DiseaseManagement,
    /// 病名交換用コード, 4 characters.
    DiseaseExchange,
    /// 医薬品マスター, 9 digits that begin with 6.
    Drug,
    /// 個別医薬品コード, 12 characters.
    Yj,
    /// HOT7: what is prescribed.
    Hot7,
    /// HOT9: and of which company.
    Hot9,
    /// HOT13: and in which package.
    Hot13,
    /// 医科診療行為マスター, 9 digits that begin with 1.
    Act,
    /// 点数表区分番号: `K718-2`.
    Section,
    /// 特定器材マスター, 9 digits that begin with 7.
    Device,
    /// コメントマスター, 9 digits that begin with 8.
    Comment,
    /// JLAC10, 15 or 17 characters.
    Jlac10,
    /// Items of the specific health checkups, 17 characters in the form of JLAC10; bare, those whose analyte begins with `9N`.
    Checkup,
    /// LOINC.
    Loinc,
    /// SNOMED CT.
    Snomed,
}

/// A source value as a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coded<'v> {
    /// Its system.
    pub system: System,
    /// The code, without the system's name before it.
    pub code: &'v str,
    /// Codes of modifiers behind a disease, joined by `+`; mostly empty.
    pub modifiers: &'v str,
}

impl<'v> Coded<'v> {
    /// Modifiers one by one, in their order.
    pub fn each_modifier(&self) -> impl Iterator<Item = &'v str> {
        self.modifiers.split('+').filter(|m| !m.is_empty())
    }
}

/// What a column's bare codes are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    /// A diagnosis.
    Disease,
    /// The claims' disease code alone.
    Receipt,
    Icd10,
    Drug,
    Act,
    Device,
    Test,
    /// A diagnosis, suspected, or an item of a checkup.
    Observation,
}

impl Column {
    fn of(table: Table, column: &str) -> Option<Column> {
        Some(match (table, column) {
            (Table::ConditionOccurrence, "condition_source_value") => Column::Disease,
            (Table::ConditionOccurrence, "receipt_code") => Column::Receipt,
            (Table::ConditionOccurrence | Table::Observation, "icd10") => Column::Icd10,
            (Table::Death, "cause_source_value") => Column::Disease,
            (Table::Observation, "observation_source_value") => Column::Observation,
            (Table::DrugExposure, "drug_source_value") => Column::Drug,
            (Table::ProcedureOccurrence, "procedure_source_value") => Column::Act,
            (Table::DeviceExposure, "device_source_value") => Column::Device,
            (Table::Measurement, "measurement_source_value") => Column::Test,
            _ => return None,
        })
    }
}

impl System {
    /// All of them.
    pub const ALL: [System; 17] = [
        System::Icd10,
        System::Disease,
        System::DiseaseManagement,
        System::DiseaseExchange,
        System::Drug,
        System::Yj,
        System::Hot7,
        System::Hot9,
        System::Hot13,
        System::Act,
        System::Section,
        System::Device,
        System::Comment,
        System::Jlac10,
        System::Checkup,
        System::Loinc,
        System::Snomed,
    ];

    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            System::Icd10 => "ICD10",
            System::Disease => "disease",
            System::DiseaseManagement => "disease-management",
            System::DiseaseExchange => "disease-exchange",
            System::Drug => "drug",
            System::Yj => "YJ",
            System::Hot7 => "HOT7",
            System::Hot9 => "HOT9",
            System::Hot13 => "HOT13",
            System::Act => "act",
            System::Section => "section",
            System::Device => "device",
            System::Comment => "comment",
            System::Jlac10 => "JLAC10",
            System::Checkup => "CHECKUP",
            System::Loinc => "LOINC",
            System::Snomed => "SNOMED",
        }
    }

    /// Under which vocabulary id its codes are looked for. A disease by another key of its row is of the disease master; a section of the
    /// fee schedule stands under the id of the acts, whose codes look otherwise.
    pub const fn vocabulary_id(self) -> &'static str {
        match self {
            System::Icd10 => "ICD10",
            System::Disease | System::DiseaseManagement | System::DiseaseExchange => Kind::Disease.vocabulary_id(),
            System::Drug => Kind::Drug.vocabulary_id(),
            System::Yj => "YJ",
            System::Hot7 | System::Hot9 | System::Hot13 => Kind::Hot.vocabulary_id(),
            System::Act | System::Section => Kind::Act.vocabulary_id(),
            System::Device => Kind::Device.vocabulary_id(),
            System::Comment => Kind::Comment.vocabulary_id(),
            System::Jlac10 => Kind::Jlac10.vocabulary_id(),
            System::Checkup => "JP_CHECKUP",
            System::Loinc => "LOINC",
            System::Snomed => "SNOMED",
        }
    }

    /// What system a source value of a table's column is in, and its code. None for what is no code of a system that is known here, or
    /// has not the form of its system; none in columns that hold no codes of these systems.
    pub fn of<'v>(table: Table, column: &str, source_value: &'v str) -> Option<Coded<'v>> {
        let column = Column::of(table, column)?;
        let (prefix, rest) = source_value.split_once(':').unwrap_or(("", source_value));
        let (code, modifiers) = rest.split_once('+').unwrap_or((rest, ""));
        let system = match prefix {
            "" if source_value.starts_with(':') => return None,
            "" => bare(column, code)?,
            prefix => named(prefix, code)?,
        };
        if rest.len() > code.len() && !system.takes_modifiers() {
            return None;
        }
        Some(Coded { system, code, modifiers })
    }

    /// Whether it is a key of the disease master.
    pub const fn is_disease(self) -> bool {
        matches!(self, System::Disease | System::DiseaseManagement | System::DiseaseExchange)
    }

    const fn takes_modifiers(self) -> bool {
        matches!(self, System::Icd10 | System::Disease | System::DiseaseManagement | System::DiseaseExchange)
    }

    /// Whether a code has the form of the system.
    pub fn has_form(self, code: &str) -> bool {
        let bytes = code.as_bytes();
        let digits = |length: usize| bytes.len() == length && bytes.iter().all(u8::is_ascii_digit);
        let upper = |b: &u8| b.is_ascii_digit() || b.is_ascii_uppercase();
        match self {
            System::Icd10 => icd10_with_dot(code).is_some(),
            // 0000999 says that the disease has no code.
            System::Disease => digits(7) && code != "0000999",
            System::DiseaseManagement => digits(8),
            System::DiseaseExchange => bytes.len() == 4 && bytes.iter().all(upper),
            System::Drug => digits(9) && bytes[0] == b'6',
            System::Yj => {
                bytes.len() == 12
                    && bytes[..4].iter().all(u8::is_ascii_digit)
                    && bytes[7].is_ascii_uppercase()
                    && bytes.iter().all(upper)
            }
            System::Hot7 => digits(7),
            System::Hot9 => digits(9),
            System::Hot13 => digits(13),
            System::Act => digits(9) && bytes[0] == b'1',
            System::Section => is_section(bytes),
            System::Device => digits(9) && bytes[0] == b'7',
            System::Comment => digits(9) && bytes[0] == b'8',
            System::Jlac10 | System::Checkup => {
                matches!(bytes.len(), 15 | 17)
                    && bytes[0].is_ascii_digit()
                    && bytes[1].is_ascii_uppercase()
                    && bytes.iter().all(upper)
            }
            System::Loinc => code.split_once('-').is_some_and(|(number, check)| {
                let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                digits(number) && number.len() <= 7 && digits(check) && check.len() == 1
            }),
            System::Snomed => (6..=18).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit),
        }
    }
}

/// Number of a section of the fee schedule: a letter, three digits, and where there are branches and items those.
fn is_section(bytes: &[u8]) -> bool {
    matches!(bytes, [letter, a, b, c, rest @ ..]
        if letter.is_ascii_uppercase()
            && [a, b, c].iter().all(|d| d.is_ascii_digit())
            && rest.len() <= 8
            && rest.last() != Some(&b'-')
            && rest.iter().all(|r| r.is_ascii_alphanumeric() || *r == b'-'))
}

/// The first of these whose form the code has.
fn form(code: &str, systems: &[System]) -> Option<System> {
    systems.iter().copied().find(|system| system.has_form(code))
}

fn bare(column: Column, code: &str) -> Option<System> {
    let nine = [System::Drug, System::Device, System::Comment, System::Act];
    match column {
        // DPC files write ICD-10 bare; exchange codes, of which some look like one, stand behind their system's name.
        Column::Disease => form(code, &[System::Icd10, System::Disease, System::DiseaseManagement, System::DiseaseExchange]),
        Column::Receipt => form(code, &[System::Disease]),
        Column::Icd10 => form(code, &[System::Icd10]),
        Column::Observation => form(code, &[System::Icd10, System::Disease]).or_else(|| test(code)),
        Column::Drug => match code.as_bytes() {
            [b'1', ..] => form(code, &[System::Hot9, System::Hot7, System::Hot13]).or_else(|| form(code, &[System::Yj])),
            _ => form(code, &[System::Drug, System::Yj]),
        },
        Column::Act => form(code, &nine).or_else(|| form(code, &[System::Section])),
        Column::Device => form(code, &nine),
        Column::Test => test(code),
    }
}

fn test(code: &str) -> Option<System> {
    let system = form(code, &[System::Jlac10])?;
    Some(if code.starts_with("9N") { System::Checkup } else { system })
}

fn named(prefix: &str, code: &str) -> Option<System> {
    let systems: &[System] = match prefix {
        "ICD10" | "I10" => &[System::Icd10],
        "JLAC10" | "JC10" => &[System::Jlac10],
        "CHECKUP" => &[System::Checkup],
        "HOT7" => &[System::Hot7],
        "HOT9" | "HOT" => &[System::Hot9],
        "HOT13" => &[System::Hot13],
        "YJ" => &[System::Yj],
        "MDCDX2" => &[System::DiseaseManagement],
        "MDCDX1" => &[System::DiseaseExchange],
        "RECEIPT" => &[System::Disease, System::Drug, System::Device, System::Comment, System::Act],
        "LOINC" => &[System::Loinc],
        "SCT" => &[System::Snomed],
        _ => return None,
    };
    form(code, systems)
}
