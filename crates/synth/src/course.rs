//! What happens to a patient at a provider, in the order of time.

use std::io;

use crate::chart::{Chart, Diagnosis, Discharge, Outcome, Place};
use crate::clinic::{DISEASES, Disease, Drug, Panel, disease, drug};
use crate::day::{Day, Moment};
use crate::dice::Dice;
use crate::facts::Stay;
use crate::population::Person;
use crate::provider::PAEDIATRICS;

/// What the course left behind that the truth file tells.
#[derive(Default)]
pub struct Course {
    /// A stay that had not ended when the data ended.
    pub open_stay: bool,
    /// Stays in hospital.
    pub stays: u32,
}

/// What a person suffers from, whichever provider sees it. Chronic diseases first.
fn diseases(seed: u64, person: &Person, on: Day) -> Vec<&'static Disease> {
    let mut dice = Dice::of(seed, [8, person.index, 0]);
    let age = person.age(on);
    let sex = if person.female { 'F' } else { 'M' };
    DISEASES
        .iter()
        .filter(|d| (d.ages.0..=d.ages.1).contains(&age) && (d.sex == 'A' || d.sex == sex))
        .filter(|d| dice.chance(d.share))
        .collect()
}

/// The diseases of a person that this provider of several looks after.
fn here(chart: &Chart<'_>) -> Vec<&'static Disease> {
    let all = diseases(chart.options.seed, chart.person, chart.options.data_to);
    let mut dice = Dice::of(chart.options.seed, [9, chart.person.index, chart.patient.provider_at as u64]);
    let mut mine: Vec<&Disease> = all.into_iter().filter(|d| dice.chance(if d.chronic { 0.8 } else { 0.7 })).collect();
    mine.truncate(9);
    if mine.is_empty() {
        mine.push(disease(if chart.person.age(chart.patient.first) < 1 { "R560" } else { "J069" }));
    }
    mine
}

fn clinic_hour(dice: &mut Dice, day: Day) -> Moment {
    // No clinics on Sundays: 1970-01-04 was one.
    let day = if (day - 3).rem_euclid(7) == 0 { day + 1 } else { day };
    Moment::at(day, 8 * 60 + 30 + dice.between(0, 420)).plus(i64::from(dice.below(60)) * 1_000)
}

/// Writes the whole course.
///
/// # Errors
/// What the disk says.
pub fn run(chart: &mut Chart<'_>) -> io::Result<Course> {
    let mut course = Course::default();
    let mine = here(chart);
    let (first, last) = (chart.patient.first, chart.patient.last);
    let last_day = chart.options.data_to.min(chart.person.death.unwrap_or(Day::MAX));
    // On the day of a death nobody comes to the clinic: the hour is known of those alone who die in a bed.
    let last_visit = match chart.person.death {
        Some(death) if first < death => last_day.min(death - 1),
        _ => last_day,
    };
    chart.basics()?;
    for (nth, d) in mine.iter().filter(|d| d.chronic).enumerate() {
        let on = if chart.patient.established {
            first - chart.dice.between(0, 2_000)
        } else {
            first + chart.dice.between(0, 40).min(last - first)
        };
        let on = on.max(chart.person.birth);
        let free_text = chart.dice.chance(0.02);
        let sensitive = d.icd.starts_with('C') && chart.dice.chance(0.2);
        chart.diagnoses.push(Diagnosis {
            disease: d,
            suspected: false,
            on,
            end: None,
            outcome: Outcome::Open,
            timing: 'O',
            main: nth == 0,
            free_text,
            sensitive,
        });
    }
    outpatient(chart, &mine, last_visit)?;
    episodes(chart, &mine, last_visit)?;
    stays(chart, &mine, last_day, &mut course)?;
    if chart.dice.chance(0.25) {
        let at = Moment::at(last, 9 * 60);
        chart.attending_doctor(at, &Place::outpatient(mine[0].department))?;
    }
    if chart.person.death.is_some_and(|d| d <= last)
        && let Some(d) = chart.diagnoses.iter_mut().find(|d| d.disease.chronic && !d.suspected && d.outcome == Outcome::Open)
    {
        (d.end, d.outcome) = (chart.person.death, Outcome::Died);
    }
    chart.diagnoses.sort_by_key(|d| d.on);
    chart.diagnosis_list()?;
    Ok(course)
}

/// Visits for what does not go away.
fn outpatient(chart: &mut Chart<'_>, mine: &[&'static Disease], last_day: Day) -> io::Result<()> {
    let chronic: Vec<&'static Disease> = mine.iter().copied().filter(|d| d.chronic).collect();
    let Some(main) = chronic.first().copied() else { return Ok(()) };
    // Each disease has its drugs, changed seldom.
    let mut drugs: Vec<&'static Drug> = Vec::new();
    for d in &chronic {
        for nth in 0..d.drugs.len().min(2) {
            if nth == 0 || chart.dice.chance(0.4) {
                let key = *chart.dice.pick(d.drugs);
                let chosen = drug(key);
                if !drugs.iter().any(|x| x.key == chosen.key) {
                    drugs.push(chosen);
                }
            }
        }
    }
    drugs.truncate(6);
    let mut panels: Vec<Panel> = Vec::new();
    for panel in chronic.iter().flat_map(|d| d.panels) {
        if !panels.contains(panel) {
            panels.push(*panel);
        }
    }
    let interval = *chart.dice.pick(&[28, 35, 56, 56, 84, 91, 91]);
    let step = ((f64::from(interval) / chart.options.density) as i32).max(3);
    let mut day = chart.patient.first;
    let mut nth = 0_u32;
    while day <= chart.patient.last.min(last_day) {
        let at = clinic_hour(&mut chart.dice, day);
        if at.day() > last_day {
            break;
        }
        let department = if nth % 4 == 3 { chronic[nth as usize / 4 % chronic.len()].department } else { main.department };
        let place = Place::outpatient(department);
        chart.reception(at, department)?;
        if !drugs.is_empty() && chart.dice.chance(0.85) {
            let seen = chart.soon(at, 60);
            chart.prescription(seen, &place, &drugs, interval)?;
        }
        if !panels.is_empty() && (nth == 0 || chart.dice.chance(0.42)) {
            let seen = chart.soon(at, 20);
            chart.laboratory(seen, &place, &panels, &chronic)?;
            suspicion(chart, at.day());
        }
        examinations(chart, at, &place, &chronic)?;
        if !main.drugs.is_empty() && chart.dice.chance(0.05) {
            let key = *chart.dice.pick(main.drugs);
            let next = drug(key);
            if !drugs.iter().any(|x| x.key == next.key) {
                drugs[0] = next;
            }
        }
        nth += 1;
        day += step + chart.dice.between(-step / 8, step / 5);
    }
    Ok(())
}

fn examinations(chart: &mut Chart<'_>, at: Moment, place: &Place, chronic: &[&Disease]) -> io::Result<()> {
    use crate::chart::Examination;
    let department = chronic.first().map_or(0, |d| d.department);
    let later = at.later(40);
    if matches!(department, 1) && chart.dice.chance(0.15) || chart.dice.chance(0.012) {
        let finding = if chronic.iter().any(|d| d.icd == "I489") { "心房細動" } else { "正常洞調律" };
        chart.examine(later, place, Examination::Heart, finding)?;
    }
    if matches!(department, 6) && chart.dice.chance(0.15) || chart.dice.chance(0.02) {
        chart.examine(later, place, Examination::Chest, "")?;
    }
    if matches!(department, 2 | 3) && chart.dice.chance(0.05) {
        chart.examine(later, place, Examination::Endoscopy, "慢性胃炎。悪性所見なし。")?;
    }
    Ok(())
}

/// A test is paid for when there is a diagnosis for it; a suspicion is one, and is struck off at the end of the month.
fn suspicion(chart: &mut Chart<'_>, on: Day) {
    if !chart.dice.chance(0.16) {
        return;
    }
    let icd = *chart.dice.pick(&["E119", "C169", "C189", "B181", "B182", "E039", "K802", "I209", "C349", "E785", "D509", "N189"]);
    let disease = disease(icd);
    if chart.diagnoses.iter().any(|d| std::ptr::eq(d.disease, disease)) {
        return;
    }
    let end = on + chart.dice.between(0, 29);
    let open = end > chart.options.data_to || chart.dice.chance(0.2);
    chart.diagnoses.push(Diagnosis {
        disease,
        suspected: true,
        on,
        end: (!open).then_some(end),
        outcome: if open { Outcome::Open } else { Outcome::Struck },
        timing: 'O',
        main: false,
        free_text: false,
        sensitive: false,
    });
}

/// Illnesses that pass.
fn episodes(chart: &mut Chart<'_>, mine: &[&'static Disease], last_day: Day) -> io::Result<()> {
    for d in mine.iter().copied().filter(|d| !d.chronic) {
        let on = chart.dice.between(chart.patient.first, chart.patient.last);
        if on > last_day {
            continue;
        }
        let place = Place::outpatient(if chart.person.age(on) < 13 { PAEDIATRICS } else { d.department });
        let visits = 1 + i32::from(chart.dice.chance(0.45 * chart.options.density.min(1.5)));
        let mut end = on;
        for nth in 0..visits {
            let again = on + nth * chart.dice.between(4, 10);
            let at = clinic_hour(&mut chart.dice, again);
            if at.day() > last_day {
                break;
            }
            end = at.day();
            chart.reception(at, place.department)?;
            let given: Vec<&'static Drug> = d.drugs.iter().take(if nth == 0 { 3 } else { 1 }).map(|key| drug(key)).collect();
            let seen = chart.soon(at, 60);
            let days = chart.dice.between(3, 7);
            chart.prescription(seen, &place, &given, days)?;
            if nth == 0 && !d.panels.is_empty() && chart.dice.chance(0.7) {
                let seen = chart.soon(at, 20);
                chart.laboratory(seen, &place, d.panels, &[d])?;
            }
        }
        let end = (end + chart.dice.between(3, 14)).min(last_day);
        chart.diagnoses.push(Diagnosis {
            disease: d,
            suspected: false,
            on,
            end: Some(end.max(on)),
            outcome: Outcome::Recovered,
            timing: 'O',
            main: false,
            free_text: chart.dice.chance(0.03),
            sensitive: false,
        });
    }
    Ok(())
}

/// Stays in hospital: for what a disease needs, at birth, and the last one.
fn stays(chart: &mut Chart<'_>, mine: &[&'static Disease], last_day: Day, course: &mut Course) -> io::Result<()> {
    let (first, last) = (chart.patient.first, chart.patient.last);
    let mut plans: Vec<(Day, &'static Disease, bool)> = Vec::new();
    for d in mine {
        if chart.dice.chance(d.admission * 0.7) {
            plans.push((chart.dice.between(first, last), d, false));
        }
    }
    if chart.person.newborn_of.is_some() && first == chart.person.birth && !chart.patient.second {
        plans.push((first, disease("R560"), false));
    }
    if let Some(death) = chart.person.death
        && last >= death
        && !chart.patient.second
        && chart.dice.chance(0.8)
    {
        plans.push(((death - chart.dice.between(0, 25)).max(first), mine[0], true));
    }
    plans.sort_by_key(|p| p.0);
    let mut free_from = first;
    for (day, d, dies) in plans {
        let on = day.max(free_from);
        if on > last_day || on > chart.options.data_to {
            continue;
        }
        course.stays += 1;
        let out = stay(chart, on, d, dies, last_day, course)?;
        free_from = out + 5;
    }
    Ok(())
}

/// Minutes in which what is ordered is done, at most: a mixture runs for five hours from an hour after its order.
const TO_BE_DONE: i32 = 420;

/// One stay; returns the day it ends.
fn stay(chart: &mut Chart<'_>, on: Day, d: &'static Disease, dies: bool, last_day: Day, course: &mut Course) -> io::Result<Day> {
    let newborn = chart.person.age(on) < 1 && on - chart.person.birth < 2;
    let department = if chart.person.age(on) < 13 { PAEDIATRICS } else { d.department };
    let admitted = Moment::at(on, 9 * 60 + chart.dice.between(0, 600));
    let nights = if newborn { 5 } else { 2 + (chart.dice.unit() * chart.dice.unit() * 30.0) as i32 };
    let end = match chart.person.death {
        Some(death) if dies => death,
        _ => on + nights,
    };
    let left =
        Moment::at(end, if dies && end == on { 22 * 60 } else { 10 * 60 + chart.dice.between(0, 240) }).max(admitted.later(90));
    let open = left.day() > chart.options.data_to || (!dies && left.day() > last_day);
    let mut place = Place { department, bed: Some(chart.bed(department)) };
    let planned = !newborn && chart.dice.chance(0.4);
    if planned {
        let sent = Moment::at((on - 9).max(chart.patient.first.min(on)), 14 * 60);
        let bed = place.bed;
        if sent < admitted {
            chart.planned("ADT-21", sent, admitted, &Place { department, bed: None }, bed)?;
        }
    }
    chart.admission(admitted, &place)?;
    chart.diagnoses.push(Diagnosis {
        disease: d,
        suspected: false,
        on,
        end: (!open).then_some(left.day().min(chart.options.data_to)),
        outcome: if dies {
            Outcome::Died
        } else if open || d.chronic {
            Outcome::Open
        } else {
            Outcome::Recovered
        },
        timing: if chart.dice.chance(0.6) { 'H' } else { 'L' },
        main: true,
        free_text: false,
        sensitive: false,
    });
    // Nobody wrote down in the chart that a stay that is left open ended by death, and nothing is ordered after it all the same.
    let death = chart.person.death.filter(|&d| open && d < left.day() && d <= chart.options.data_to);
    let died = death.map(|d| Moment::at(d, 20 * 60).max(admitted)).or(dies.then_some(left));
    let end_of_data = left.min(Moment::at(chart.options.data_to, 20 * 60));
    let end_of_care = died.map_or(end_of_data, |died| end_of_data.min(died.later(-TO_BE_DONE)));
    if !newborn {
        let diet = [
            ("001", "常食", ""),
            ("002", "全粥食", ""),
            ("011", "糖尿病食", "１６００ｋｃａｌ"),
            ("012", "塩分制限食", "塩分６ｇ"),
        ];
        let diet = *chart.dice.pick(&diet);
        chart.meals(on, &place, diet)?;
        let mut at = admitted.later(70);
        let additive = chart.dice.below(6) as usize;
        for nth in 0..(nights / 2).clamp(1, (4.0 * chart.options.density).max(1.0) as i32) {
            if at >= end_of_care {
                break;
            }
            chart.injection(at, &place, (nth % 2 == 0).then_some(additive))?;
            at = Moment::at(at.day() + 1, 9 * 60 + 30 + chart.dice.between(0, 60));
        }
        let mut panels = vec![Panel::Chemistry, Panel::Blood, Panel::Inflammation];
        panels.extend(d.panels.iter().filter(|p| !panels.contains(p)).copied().collect::<Vec<_>>());
        let mut at = admitted.later(30);
        while at < end_of_care {
            chart.laboratory(at, &place, &panels, &[d])?;
            let next = at.day() + ((3.0 / chart.options.density) as i32).max(1) + chart.dice.between(0, 4);
            at = Moment::at(next, 6 * 60 + 30 + chart.dice.between(0, 50));
        }
    } else if chart.dice.chance(0.5) && admitted.later(1_500) < end_of_care {
        chart.laboratory(admitted.later(1_440), &place, &[Panel::Chemistry], &[])?;
    }
    if nights >= 5 && chart.dice.chance(0.3) {
        let at = Moment::at(on + 2, 13 * 60);
        if let (true, Some(from)) = (at < end_of_care, place.bed) {
            let to = chart.bed((department + 3) % crate::provider::DEPARTMENTS.len());
            if chart.dice.chance(0.4) {
                chart.planned("ADT-41", at.later(-300), at, &place, Some(to))?;
            }
            place.bed = Some(to);
            chart.transfer(at, from, &place)?;
        }
    }
    if nights >= 8 && !dies && chart.dice.chance(0.25) {
        let (away, back) = (Moment::at(on + 4, 10 * 60), Moment::at(on + 5, 17 * 60));
        if back < end_of_care {
            chart.leave(away, back, &place)?;
        }
    }
    let bed = place.bed;
    let mut note = |left, how| {
        chart.facts.stays.push(Stay { admitted, left, how, disease: d, department, bed, planned, newborn });
    };
    if open {
        course.open_stay = true;
        // Who bills knows of the death.
        note(died, died.map(|_| Discharge::Died));
        return Ok(left.day().max(chart.options.data_to));
    }
    let how = match chart.dice.unit() {
        _ if dies => Discharge::Died,
        0.0..0.14 => Discharge::Elsewhere(chart.dice.below(5)),
        0.14..0.155 => Discharge::AgainstAdvice,
        _ => Discharge::Home,
    };
    note(Some(left), Some(how));
    if !dies && chart.dice.chance(0.25) && left.later(-1_600) > admitted {
        chart.planned("ADT-51", left.later(-1_440), left, &place, None)?;
    }
    chart.discharge(admitted, left, how, &place)?;
    if how == Discharge::Home && !d.drugs.is_empty() {
        let drugs: Vec<&'static Drug> = d.drugs.iter().take(2).map(|key| drug(key)).collect();
        chart.prescription(left.later(-60), &place, &drugs, 14)?;
    }
    Ok(left.day())
}
