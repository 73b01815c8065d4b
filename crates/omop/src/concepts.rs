//! Standard concept ids that Azekura writes without a vocabulary at hand. Everything else is concept 0 with its source
//! value kept, until a vocabulary is loaded.

use terms::Sex;

/// Concepts of the standard vocabularies, by what they mean.
pub mod concept {
    /// No matching concept.
    pub const NONE: i32 = 0;
    /// Inpatient visit.
    pub const INPATIENT_VISIT: i32 = 9201;
    /// Outpatient visit.
    pub const OUTPATIENT_VISIT: i32 = 9202;
    /// Emergency room visit.
    pub const EMERGENCY_VISIT: i32 = 9203;
    /// Pharmacy visit.
    pub const PHARMACY_VISIT: i32 = 581_458;
    /// Condition status: secondary diagnosis.
    pub const SECONDARY_DIAGNOSIS: i32 = 32908;
    /// Condition status: admission diagnosis.
    pub const ADMISSION_DIAGNOSIS: i32 = 32890;
    /// Condition status: discharge diagnosis.
    pub const DISCHARGE_DIAGNOSIS: i32 = 32896;
    /// Condition status: primary diagnosis.
    pub const PRIMARY_DIAGNOSIS: i32 = 32902;
    /// Operators of measurements.
    pub const LESS: i32 = 4171756;
    /// `<=`
    pub const LESS_OR_EQUAL: i32 = 4171754;
    /// `=`
    pub const EQUAL: i32 = 4172703;
    /// `>=`
    pub const GREATER_OR_EQUAL: i32 = 4171755;
    /// `>`
    pub const GREATER: i32 = 4172704;
    /// Allergy to drug.
    pub const DRUG_ALLERGY: i32 = 439224;
    /// Allergy to food.
    pub const FOOD_ALLERGY: i32 = 4188027;
}

/// Type concepts: from what kind of record a row comes.
pub mod type_concept {
    /// Claim.
    pub const CLAIM: i32 = 32810;
    /// Pharmacy claim.
    pub const PHARMACY_CLAIM: i32 = 32869;
    /// Patient self-report.
    pub const SELF_REPORT: i32 = 32865;
    /// EHR.
    pub const EHR: i32 = 32817;
    /// EHR administration record.
    pub const ADMINISTRATION: i32 = 32818;
    /// EHR dispensing record.
    pub const DISPENSING: i32 = 32825;
    /// EHR note.
    pub const NOTE: i32 = 32831;
    /// EHR order.
    pub const ORDER: i32 = 32833;
    /// EHR prescription.
    pub const PRESCRIPTION: i32 = 32838;
    /// EHR problem list.
    pub const PROBLEM_LIST: i32 = 32840;
    /// Lab.
    pub const LAB: i32 = 32856;
    /// Period while the person had contacts with the provider: algorithmically derived.
    pub const DERIVED_PERIOD: i32 = 32880;
}

/// Gender concept of a sex as registered; unknown is 0, as OMOP asks.
pub const fn gender_concept(sex: Sex) -> i32 {
    match sex {
        Sex::Male => 8507,
        Sex::Female => 8532,
        Sex::Other => 8521,
        Sex::Unknown => 0,
    }
}
