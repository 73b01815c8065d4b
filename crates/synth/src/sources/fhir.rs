//! One patient as resources of a FHIR R4 bulk export (NDJSON, a file a type), to the profiles of JP Core 1.1.2.
//!
//! As in reality: the diagnoses are those of the chart, without what only the bill needs; some tests have a local code alone,
//! as in the storage; from some month on glucose is in mmol/L, because the laboratory changed.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::habits::Habits;
use super::{Case, Kind, Piece, Pieces};
use crate::chart::{Diagnosis, Discharge, Outcome};
use crate::clinic::{Drug, LABS, Lab, Usage};
use crate::day::{Day, Iso, Moment, Month};
use crate::facts::{Act, Event, Finding, Measured};
use crate::population::Person;
use crate::provider::DEPARTMENTS;

const HL7: &str = "http://terminology.hl7.org/CodeSystem";
const JP: &str = "http://jpfhir.jp/fhir/core";
const MEDIS: &str = "http://medis.or.jp/CodeSystem";
const LOCAL: &str = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_ObsLabResult_LocalCode_CS";

/// mg/dL of glucose in one mmol/L.
pub const GLUCOSE: f64 = 18.018;

/// `2024-04-01T09:45:00+09:00`
fn instant(at: Moment) -> String {
    let digits = at.digits(14).to_string();
    format!("{}T{}:{}:{}+09:00", Iso(at.day()), &digits[8..10], &digits[10..12], &digits[12..14])
}

fn coded(system: &str, code: &str, display: &str) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": display}]})
}

fn status(table: &str, code: &str) -> Value {
    json!({"coding": [{"system": format!("{HL7}/{table}"), "code": code}]})
}

/// Writes the resources.
pub fn write(case: &Case<'_>, into: &mut Pieces) {
    let mut export = Export { case, habits: case.habits(), lines: BTreeMap::new(), visits: BTreeMap::new() };
    export.patient();
    export.encounters();
    for (nth, diagnosis) in case.facts.diagnoses.iter().enumerate() {
        export.condition(nth, diagnosis);
    }
    for (nth, event) in case.facts.events.iter().enumerate().filter(|(_, e)| e.at.day() <= case.until()) {
        match &event.act {
            Act::Drugs(drugs, days) => {
                drugs.iter().enumerate().for_each(|(rp, drug)| export.request(nth, rp, event, drug, *days))
            }
            Act::Results(results) => results.iter().for_each(|r| export.observation(nth, event, r)),
            Act::Visit | Act::Infusion(_) | Act::Examination(_) => {}
        }
    }
    let provider_at = case.patient.provider_at;
    for (kind, text) in export.lines {
        into.all.push(Piece::Lines { provider_at, kind: Kind::Fhir, name: format!("{kind}.ndjson"), head: "", text });
    }
}

struct Export<'a> {
    case: &'a Case<'a>,
    habits: Habits,
    /// Lines by type.
    lines: BTreeMap<&'static str, String>,
    /// The encounter of each day as an outpatient.
    visits: BTreeMap<Day, String>,
}

impl Export<'_> {
    fn id(&self, what: &str) -> String {
        format!("{what}-{}", self.case.patient.serial)
    }

    fn subject(&self) -> Value {
        json!({"reference": format!("Patient/{}", self.id("pt"))})
    }

    fn put(&mut self, kind: &'static str, profile: &str, id: String, fields: Value) {
        let mut all = Map::new();
        all.insert("id".into(), json!(id));
        all.insert("meta".into(), json!({"profile": [format!("{JP}/StructureDefinition/{profile}")]}));
        if let Value::Object(fields) = fields {
            // What is not known is left out.
            all.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
        }
        let text = self.lines.entry(kind).or_default();
        // Writing to a String does not fail.
        // First, as every server writes it; the order of the others is that of the map.
        let _ = writeln!(text, "{{\"resourceType\":\"{kind}\",{}", &Value::Object(all).to_string()[1..]);
    }

    fn patient(&mut self) {
        let (case, person): (_, &Person) = (self.case, self.case.person);
        let Some(known) = case.patient.versions.last() else { return };
        let name = |family: &str, given: &str, script: &str| {
            json!({
                "extension": [{
                    "url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation",
                    "valueCode": script,
                }],
                "use": "official",
                "text": format!("{family} {given}"),
                "family": family,
                "given": [given],
            })
        };
        let script = if person.foreign { "ABC" } else { "IDE" };
        let mut identifiers = vec![json!({
            "system": format!("urn:oid:1.2.392.100495.20.3.51.1{}", case.provider.id),
            "value": case.patient.local_id,
        })];
        if let Some(card) = known.card.as_ref().filter(|c| c.law != 12) {
            let branch = card.branch.as_deref().unwrap_or("");
            identifiers.push(json!({
                "system": "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID",
                "value": format!("{:0>8}:{}:{}:{branch}", card.insurer, card.symbol, card.number),
            }));
        }
        let death = person.death.filter(|&d| d <= case.patient.last).map(|d| Iso(d).to_string());
        let fields = json!({
            "identifier": identifiers,
            "name": [
                name(&known.family.text, &known.given.text, script),
                name(&known.family.kana, &known.given.kana, "SYL"),
            ],
            "gender": if person.female { "female" } else { "male" },
            "birthDate": Iso(person.birth).to_string(),
            "deceasedDateTime": death,
            "address": [{"text": known.address, "postalCode": known.postal, "country": "JP"}],
        });
        self.put("Patient", "JP_Patient", self.id("pt"), fields);
    }

    fn encounters(&mut self) {
        let case = self.case;
        let department = |at: usize| {
            let (code, name) = DEPARTMENTS[at];
            coded("http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment", code, name)
        };
        let class = |code: &str| json!({"system": format!("{HL7}/v3-ActCode"), "code": code});
        let number = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no";
        let by = json!({"identifier": {"system": number, "value": case.provider.id}});
        for (nth, event) in case.facts.events.iter().enumerate() {
            if !matches!(event.act, Act::Visit) || event.at.day() > case.until() {
                continue;
            }
            let id = format!("{}-{nth}", self.id("am"));
            self.visits.insert(event.at.day(), id.clone());
            let fields = json!({
                "status": "finished",
                "class": class("AMB"),
                "subject": self.subject(),
                "period": {"start": instant(event.at), "end": instant(event.at.later(90))},
                "serviceType": department(event.department),
                "serviceProvider": by,
            });
            self.put("Encounter", "JP_Encounter", id, fields);
        }
        for (nth, stay) in case.facts.stays.iter().enumerate() {
            let how = stay.how.map(|how| match how {
                Discharge::Died => ("6", "原疾患による死亡"),
                Discharge::Home => ("1", "傷病が治癒・軽快"),
                _ => ("4", "不変"),
            });
            let mut period = json!({"start": instant(stay.admitted)});
            if let Some(left) = stay.left {
                period["end"] = json!(instant(left));
            }
            let disposition = "http://jpfhir.jp/fhir/Common/CodeSystem/discharge-disposition";
            let fields = json!({
                "status": if stay.left.is_some() { "finished" } else { "in-progress" },
                "class": class("IMP"),
                "subject": self.subject(),
                "period": period,
                "serviceType": department(stay.department),
                "serviceProvider": by,
                "hospitalization": how.map(|(code, name)| json!({"dischargeDisposition": coded(disposition, code, name)})),
            });
            self.put("Encounter", "JP_Encounter", format!("{}-{nth}", self.id("im")), fields);
        }
    }

    /// The encounter of an event, if there is one.
    fn encounter(&self, event: &Event) -> Value {
        let day = event.at.day();
        let id = if event.in_hospital {
            self.case.stay_of(day).map(|at| format!("{}-{at}", self.id("im")))
        } else {
            self.visits.get(&day).cloned()
        };
        id.map_or(Value::Null, |id| json!({"reference": format!("Encounter/{id}")}))
    }

    fn condition(&mut self, nth: usize, d: &Diagnosis) {
        let name = d.disease.name;
        let shown = if d.suspected && d.free_text { d.disease.suspected_name() } else { name.to_owned() };
        let mut code = json!({"text": shown});
        if !d.free_text {
            code["coding"] = json!([
                {"system": format!("{MEDIS}/master-disease-keyNumber"), "code": d.disease.numbers().0, "display": name},
                {"system": format!("{JP}/mhlw/CodeSystem/ICD10-2013-full"), "code": d.disease.icd, "display": name},
            ]);
        }
        let clinical = match d.outcome {
            Outcome::Recovered => "resolved",
            Outcome::Struck => "inactive",
            Outcome::Open | Outcome::Died => "active",
        };
        let fields = json!({
            "clinicalStatus": status("condition-clinical", clinical),
            "verificationStatus": status("condition-ver-status", if d.suspected { "provisional" } else { "confirmed" }),
            "category": [status("condition-category", "encounter-diagnosis")],
            "code": code,
            "subject": self.subject(),
            "onsetDateTime": Iso(d.on).to_string(),
            "recordedDate": Iso(d.on).to_string(),
            "abatementDateTime": d.end.filter(|_| clinical != "active").map(|end| Iso(end).to_string()),
        });
        self.put("Condition", "JP_Condition", format!("{}-{nth}", self.id("co")), fields);
    }

    fn request(&mut self, nth: usize, rp: usize, event: &Event, drug: &Drug, days: i32) {
        let amount = |value: u32| {
            let system = format!("{JP}/mhlw/CodeSystem/MedicationUnitMERIT9Code");
            json!({"value": value, "unit": drug.unit.1, "system": system, "code": drug.unit.0})
        };
        let (usage, text) = drug.usage.code();
        let regular = !matches!(drug.usage, Usage::AsNeeded | Usage::External);
        let supply =
            regular.then(|| json!({"value": days.max(1), "unit": "日", "system": "http://unitsofmeasure.org", "code": "d"}));
        let mut dispense = json!({"quantity": amount(crate::chart::total(drug, days))});
        if let Some(supply) = supply {
            dispense["expectedSupplyDuration"] = supply;
        }
        let class = if event.in_hospital { ("IHP", "入院処方") } else { ("OHP", "外来処方") };
        let external = drug.usage == Usage::External;
        let route = if external { ("TP", "局所") } else { ("PO", "口") };
        let fields = json!({
            "identifier": [
                {"system": format!("{JP}/mhlw/IdSystem/Medication-RPGroupNumber"), "value": (rp + 1).to_string()},
                {"system": format!("{JP}/mhlw/IdSystem/MedicationAdministrationIndex"), "value": "1"},
            ],
            "status": "completed",
            "intent": "order",
            "category": [coded(&format!("{JP}/CodeSystem/JP_MedicationCategoryMERIT9_CS"), class.0, class.1)],
            "medicationCodeableConcept": {
                "coding": [{"system": format!("{MEDIS}/master-HOT9"), "code": drug.hot9, "display": drug.name}],
                "text": drug.name,
            },
            "subject": self.subject(),
            "encounter": self.encounter(event),
            "authoredOn": instant(event.at),
            "dosageInstruction": [{
                "text": text,
                "timing": {"code": coded("http://jami.jp/CodeSystem/MedicationUsage", usage, text)},
                "route": coded(&format!("{JP}/CodeSystem/route-codes"), route.0, route.1),
                "doseAndRate": [{"doseQuantity": amount(drug.dose)}],
            }],
            "dispenseRequest": dispense,
        });
        self.put("MedicationRequest", "JP_MedicationRequest", format!("{}-{nth}-{rp}", self.id("mr")), fields);
    }

    fn observation(&mut self, nth: usize, event: &Event, r: &Measured) {
        let (lab, local) = (&LABS[r.lab], &self.case.provider.labs[r.lab]);
        let jlac = json!({"system": format!("{MEDIS}/master-JLAC10-17digits"), "code": lab.jlac10, "display": lab.name});
        let own = json!({"system": LOCAL, "code": local.code, "display": lab.name});
        let codings = if local.only_local {
            vec![own]
        } else if self.case.provider.style.local_beside {
            vec![jlac, own]
        } else {
            vec![jlac]
        };
        let molar = lab.key == "GLU" && Month::of(event.at.day()) >= self.habits.molar_from;
        let mut fields = json!({
            "status": if matches!(r.finding, Finding::Lost) { "cancelled" } else { "final" },
            "category": [coded(&format!("{JP}/CodeSystem/JP_SimpleObservationCategory_CS"), "laboratory", "検体検査")],
            "code": {"coding": codings, "text": lab.name},
            "subject": self.subject(),
            "encounter": self.encounter(event),
            "effectiveDateTime": instant(event.at),
        });
        match r.finding {
            Finding::Number(value, digits) => fields["valueQuantity"] = quantity(lab, value, digits, molar),
            Finding::Below(limit, digits) => {
                fields["valueQuantity"] = quantity(lab, limit, digits, molar);
                fields["valueQuantity"]["comparator"] = json!("<");
            }
            Finding::Sign(yes) => {
                let (code, name) = if yes { ("1", "陽性") } else { ("2", "陰性") };
                fields["valueCodeableConcept"] = coded("urn:oid:1.2.392.200119.6.2100", code, name);
            }
            Finding::Grade(grade) => {
                let all =
                    [("(-)", "1", "－"), ("(±)", "2", "±"), ("(1+)", "3", "＋"), ("(2+)", "4", "＋＋"), ("(3+)", "5", "＋＋＋")];
                let (_, code, name) = all.into_iter().find(|(g, ..)| *g == grade).unwrap_or(all[0]);
                fields["valueCodeableConcept"] = coded("urn:oid:1.2.392.200119.6.2102", code, name);
            }
            Finding::Lost => fields["dataAbsentReason"] = status("data-absent-reason", "error"),
        }
        let range = if self.case.person.female { lab.range.1 } else { lab.range.0 };
        if let Some((Ok(low), Ok(high))) = range.split_once('-').map(|(l, h)| (l.parse::<f64>(), h.parse::<f64>())) {
            let digits = range.split('-').map(|n| n.split_once('.').map_or(0, |(_, d)| d.len())).max().unwrap_or(0);
            let side = |value| quantity(lab, value, digits, molar);
            fields["referenceRange"] = json!([{"low": side(low), "high": side(high)}]);
        }
        self.put("Observation", "JP_Observation_LabResult", format!("{}-{nth}-{}", self.id("ob"), r.lab), fields);
    }
}

/// A value with its unit in UCUM; glucose in mmol/L when `molar`.
fn quantity(lab: &Lab, value: f64, digits: usize, molar: bool) -> Value {
    // Rounded as it is shown, so that the number has the digits of the chart.
    let shown = |value: f64, digits: usize| json!(format!("{value:.digits$}").parse::<f64>().unwrap_or(value));
    if molar {
        // What the laboratory reported in mg/dL has no digits after the point.
        let value = format!("{value:.digits$}").parse::<f64>().unwrap_or(value);
        let system = "http://unitsofmeasure.org";
        return json!({"value": shown(value / GLUCOSE, 2), "unit": "mmol/L", "system": system, "code": "mmol/L"});
    }
    let code = lab.unit.0.trim_start_matches('.');
    if code.is_empty() {
        return json!({"value": shown(value, digits)});
    }
    json!({"value": shown(value, digits), "unit": lab.unit.1, "system": "http://unitsofmeasure.org", "code": code})
}
