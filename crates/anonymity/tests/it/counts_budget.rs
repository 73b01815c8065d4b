//! The accountant: nothing is let through that is not left, and a budget that does not follow from itself is not believed.

use anonymity::counts::{Budget, CountsError, Decimal, Mechanism, Spending, Unit};
use serde_json::{Value, json};

use super::release::Dice;

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

fn asked(mechanism: Mechanism, parameter: &str, delta: &str) -> Spending {
    Spending {
        date: "2026-11-28".to_owned(),
        purpose: "a test".to_owned(),
        mechanism,
        parameter: decimal(parameter),
        delta: decimal(delta),
        question_sha256: "ab".repeat(32),
    }
}

fn budget(unit: Unit, total: &str, delta: &str) -> Budget {
    Budget::new("holding", unit, decimal(total), decimal(delta)).expect("a budget")
}

fn code(budget: Result<Budget, CountsError>) -> &'static str {
    budget.expect_err("refused").message().code
}

#[test]
fn ten_tenths_are_one_and_the_smallest_further_part_is_refused() {
    let mut spent = budget(Unit::Epsilon, "1", "0");
    for _ in 0..10 {
        spent = spent.spend(asked(Mechanism::Laplace, "0.1", "0")).expect("left");
    }
    assert_eq!(spent.left(), Decimal::ZERO);
    assert_eq!(code(spent.spend(asked(Mechanism::Laplace, "0.000000001", "0"))), "anonymity-budget-spent");
    // Floats would say that three tenths are more than 0.3, and that 0.1 + 0.7 is less than 0.8.
    let mut three = budget(Unit::Epsilon, "0.3", "0");
    for _ in 0..3 {
        three = three.spend(asked(Mechanism::Laplace, "0.1", "0")).expect("left");
    }
    let eight = budget(Unit::Epsilon, "0.799999999", "0").spend(asked(Mechanism::Laplace, "0.1", "0")).expect("left");
    assert_eq!(code(eight.spend(asked(Mechanism::Laplace, "0.7", "0"))), "anonymity-budget-spent");
}

#[test]
fn in_rho_a_laplace_costs_half_its_square_and_a_gaussian_itself() {
    let start = budget(Unit::Rho, "0.5", "0.00001");
    let one = start.spend(asked(Mechanism::Laplace, "0.1", "0.000001")).expect("left");
    assert_eq!((one.spent(), one.spent_delta()), (decimal("0.005"), decimal("1e-6")));
    let two = one.spend(asked(Mechanism::Gaussian, "0.495", "0")).expect("left");
    assert_eq!(two.left(), Decimal::ZERO);
    assert_eq!(code(start.spend(asked(Mechanism::Laplace, "1.000000001", "0"))), "anonymity-budget-spent");
    assert_eq!(code(budget(Unit::Epsilon, "9", "0").spend(asked(Mechanism::Gaussian, "0.1", "0"))), "anonymity-budget-unit");
    assert_eq!(code(one.spend(asked(Mechanism::Laplace, "0.1", "0.00001"))), "anonymity-budget-delta-spent");
    assert_eq!(
        code(budget(Unit::Rho, "1", "0").spend(asked(Mechanism::Gaussian, "0.1", "1e-9"))),
        "anonymity-budget-delta-spent"
    );
    assert_eq!(code(start.spend(asked(Mechanism::Gaussian, "0", "0"))), "anonymity-counts-parameter-range");
}

#[test]
fn whatever_is_asked_in_whatever_order_no_more_than_the_total_is_spent() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        // All in billionths, counted once more as whole numbers.
        let total = 1 + dice.roll(5_000_000_000);
        let billionths = |n: u64| format!("{}.{:09}", n / 1_000_000_000, n % 1_000_000_000);
        let (mut budget, mut naive) = (budget(Unit::Epsilon, &billionths(total), "0"), 0);
        for _ in 0..30 {
            let more = 1 + dice.roll(700_000_000);
            match budget.spend(asked(Mechanism::Laplace, &billionths(more), "0")) {
                Ok(after) => {
                    naive += more;
                    budget = after;
                }
                Err(_) => assert!(naive + more > total, "{more} of {total} was left after {naive}"),
            }
            assert!(naive <= total);
            assert_eq!(budget.spent(), decimal(&billionths(naive)));
        }
        assert_eq!(Budget::parse(&budget.bytes()).expect("a budget"), budget);
    }
}

#[test]
fn a_budget_that_was_changed_cut_or_is_of_another_format_is_refused_with_the_reason() {
    let spent = budget(Unit::Rho, "1", "0.001")
        .spend(asked(Mechanism::Laplace, "0.4", "0.0001"))
        .and_then(|b| b.spend(asked(Mechanism::Gaussian, "0.3", "0")))
        .and_then(|b| b.spend(asked(Mechanism::Laplace, "0.2", "0.0001")))
        .expect("a budget");
    let whole: Value = serde_json::from_slice(&spent.bytes()).expect("json");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value = whole.clone();
        change(&mut value);
        code(Budget::parse(value.to_string().as_bytes()))
    };
    let cut = |value: &mut Value| drop(value["entries"].as_array_mut().and_then(Vec::pop));
    assert_eq!(changed(&|v| v["spent"] = json!("0.1")), "anonymity-budget-sum");
    assert_eq!(changed(&|v| v["spent_delta"] = json!("0")), "anonymity-budget-sum");
    assert_eq!(changed(&cut), "anonymity-budget-sum");
    assert_eq!(changed(&|v| v["entries"] = json!([])), "anonymity-budget-sum");
    assert_eq!(changed(&|v| v["entries"][0]["spent"] = json!("0.01")), "anonymity-budget-entry");
    assert_eq!(changed(&|v| v["entries"][0]["parameter"] = json!("0.1")), "anonymity-budget-entry");
    assert_eq!(changed(&|v| v["entries"][2]["number"] = json!(2)), "anonymity-budget-entry");
    assert_eq!(changed(&|v| drop(v["entries"].as_array_mut().map(|e| e.remove(0)))), "anonymity-budget-entry");
    assert_eq!(changed(&|v| v["total"] = json!("0.35")), "anonymity-budget-entry", "more than there ever was");
    assert_eq!(changed(&|v| v["format"] = json!("azekura-budget/2")), "anonymity-budget-format");
    assert_eq!(changed(&|v| v["format"] = json!(1)), "anonymity-budget-unreadable");
    assert_eq!(changed(&|v| v["total"] = json!(1.0)), "anonymity-budget-unreadable", "a float is no exact number");
    assert_eq!(changed(&|v| v["total"] = json!("-1")), "anonymity-budget-unreadable");
    assert_eq!(changed(&|v| v["note"] = json!("x")), "anonymity-budget-unreadable");
    assert_eq!(changed(&|v| v["holding"] = json!(" ")), "anonymity-budget-empty");
    let bytes = spent.bytes();
    assert_eq!(code(Budget::parse(&bytes[..bytes.len() / 2])), "anonymity-budget-unreadable");
    assert_eq!(code(Budget::parse(b"")), "anonymity-budget-unreadable");
    assert_eq!(Budget::parse(whole.to_string().as_bytes()).expect("unchanged"), spent);
    assert_eq!(spent.after(0).map(|b| b.bytes()), Some(budget(Unit::Rho, "1", "0.001").bytes()));
    assert_eq!(spent.after(4), None);
}
