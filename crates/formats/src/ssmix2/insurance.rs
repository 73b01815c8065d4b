//! IN1 → insurance (identity class) and the kind of plan.

use omop::{InsuranceRow, PayerPlanPeriodRow};

use super::codes::Coded;
use super::sheet::Sheet;
use crate::hl7::{Field, Segment};

/// One insurance. Symbol, number and branch of the insured go to the identity class only; clinical tables get the kind
/// of plan.
pub fn insurance(sheet: &mut Sheet<'_>, in1: Segment<'_>) {
    let plan = Coded::of(in1.field(2), &["JHSD0001"]);
    let (symbol, number, branch) = insured(in1.field(10));
    let from = sheet.time(in1, 12);
    let to = sheet.time(in1, 13);
    let kind = in1.field(15).component(1).code();
    let insurer = in1.field(3).component(1).text();
    sheet.insurance(&InsuranceRow {
        set_id: in1.field(1).code(),
        plan_code: plan.code,
        plan_kind: kind,
        insurer_number: insurer.as_deref(),
        insured_symbol: symbol.as_deref(),
        insured_number: number.as_deref(),
        insured_branch: branch.as_deref(),
        valid_from: from.map(|t| t.day),
        valid_to: to.map(|t| t.day),
        relation: in1.field(17).component(1).code(),
        as_written: None,
    });
    // Where a bound is not stated, the day of the file is the one day on which the plan is known to have been valid.
    let start = from.map_or(sheet.file_day, |t| t.day);
    let plan_source = plan.source_value(&["JHSD0001"]);
    sheet.payer_plan(PayerPlanPeriodRow {
        payer_plan_period_start_date: start,
        payer_plan_period_end_date: to.map_or(sheet.file_day, |t| t.day).max(start),
        plan_source_value: plan_source.as_deref(),
        plan_source_concept_id: Some(0),
        payer_source_value: kind,
        ..Default::default()
    });
}

type Part = Option<String>;

/// IN1-10: `symbol~number~branch`, the same with `^`, with `・` between, or one value, which is the number.
fn insured(field: Field<'_>) -> (Part, Part, Part) {
    let text = |f: Field<'_>| f.text().map(|t| t.into_owned());
    let repetitions: Vec<Field<'_>> = field.repetitions().collect();
    let parts: Vec<Part> = if repetitions.len() > 1 {
        repetitions.into_iter().map(text).collect()
    } else {
        let components: Vec<Part> = field.components().map(text).collect();
        match components.as_slice() {
            [Some(one)] => one.split(['・', '･']).map(|p| Some(p.trim().to_owned()).filter(|p| !p.is_empty())).collect(),
            _ => components,
        }
    };
    match parts.as_slice() {
        [] => (None, None, None),
        [number] => (None, number.clone(), None),
        [symbol, number] => (symbol.clone(), number.clone(), None),
        [symbol, number, branch, ..] => (symbol.clone(), number.clone(), branch.clone()),
    }
}
