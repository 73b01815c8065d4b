//! The lines of the lists and truth files.

use std::fmt::Write;

use terms::{NoticeScope, PatientIdRule, Requester};

use crate::chart::Flaw;
use crate::course::Course;
use crate::day::{Day, Iso};
use crate::dice::Dice;
use crate::options::Options;
use crate::population::{Person, at};
use crate::provider::Provider;
use crate::registration::{Patient, Registration};
use crate::sources::Pieces;

/// Header of `contacts.csv`.
pub const CONTACTS: &str = "patient,date,addressee,method\n";
/// Header of `opt-outs.csv`.
pub const OPT_OUTS: &str = "patient,requester,scope,date\n";
/// Header of `truth.csv`.
pub const TRUTH: &str = "person,household,provider,local_patient_id,canonical_id,family,given,family_kana,given_kana,\
true_family,true_given,true_family_kana,true_given_kana,sex,birth_date,death_date,postal_code,address,phone,\
insurer_number,insured_symbol,insured_number,insured_branch,first_day,last_day,notified_on,files,earlier_names,flags\n";
/// Header of `truth-opt-outs.csv`.
pub const TRUTH_OPT_OUTS: &str = "person,provider,patient,canonical_id,requester,scope,date,when,erase,everywhere\n";
/// Header of `truth-faults.csv`.
pub const FAULTS: &str = "provider,path,fault\n";
/// Header of `truth-dirt.csv`.
pub const DIRT: &str = "provider,path,dirt\n";

/// What one block of people adds to each list.
#[derive(Default)]
pub struct Lists {
    /// By provider.
    pub contacts: Vec<String>,
    /// By provider.
    pub opt_outs: Vec<String>,
    /// `truth.csv`
    pub truth: String,
    /// `truth-opt-outs.csv`
    pub truth_opt_outs: String,
    /// `truth-faults.csv`
    pub faults: String,
    /// `truth-dirt.csv`
    pub dirt: String,
    /// Patients by provider.
    pub patients: Vec<u64>,
    /// Patients in contact lists.
    pub contacted: u64,
    /// Opt-outs in the lists of providers.
    pub opted_out: u64,
    /// Files wrong on purpose.
    pub fault_files: u64,
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
    /// What goes into files beside the storages.
    pub pieces: Pieces,
}

/// What is known of one patient when the chart is closed.
pub struct Closed<'a> {
    /// Who.
    pub person: &'a Person,
    /// As whom.
    pub patient: &'a Patient,
    /// Where.
    pub provider: &'a Provider,
    /// What happened.
    pub course: Course,
    /// Files of the chart.
    pub files: u64,
    /// Whether a file of a wrong patient touches this one.
    pub set_aside: bool,
}

fn field(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn canonical(local: &str) -> String {
    PatientIdRule::Digits.canonical(local).map_or_else(|_| local.to_owned(), |id| id.reveal().to_owned())
}

impl Lists {
    /// Empty lists for so many providers.
    pub fn new(providers: usize) -> Self {
        Self {
            contacts: vec![String::new(); providers],
            opt_outs: vec![String::new(); providers],
            patients: vec![0; providers],
            ..Self::default()
        }
    }

    /// Lists faults and dirt of a chart.
    pub fn flaws(&mut self, provider: &Provider, faults: &[Flaw], dirt: &[Flaw]) {
        for (list, flaws) in [(&mut self.faults, faults), (&mut self.dirt, dirt)] {
            for flaw in flaws {
                // Writing to a String does not fail, here and below.
                let _ = writeln!(list, "{},{},{}", provider.id, flaw.path, flaw.what);
            }
        }
        self.fault_files += faults.len() as u64;
    }

    /// One patient: contact, opt-outs, truth.
    pub fn patient(&mut self, options: &Options, closed: &Closed<'_>) {
        let Closed { person, patient, .. } = closed;
        let mut dice = Dice::of(options.seed, [10, patient.serial, patient.provider_at as u64]);
        self.patients[patient.provider_at] += 1;
        let canonical = canonical(&patient.local_id);
        // Some lists come from a desk that writes the ids in its own way.
        let written = |dice: &mut Dice| {
            if dice.chance(0.12) { canonical.clone() } else { patient.local_id.clone() }
        };
        let dead = person.death.is_some_and(|d| d < options.notice_from);
        let age = person.age(options.notice_from);
        let gone = options.data_to - patient.last;
        let reached = if dead {
            0.35
        } else if gone > 540 {
            0.7
        } else {
            0.94
        };
        let notified = dice.chance(reached).then(|| options.notice_from + dice.between(0, 60));
        if let Some(on) = notified {
            let addressee = if dead {
                "bereaved"
            } else if age < 16 {
                "guardian"
            } else {
                "person"
            };
            let method = if dead || gone > 300 || dice.chance(0.1) { "letter" } else { "counter" };
            let list = &mut self.contacts[patient.provider_at];
            let _ = writeln!(list, "{},{},{addressee},{method}", written(&mut dice), Iso(on));
            if !dead && dice.chance(0.15) {
                let _ = writeln!(list, "{},{},{addressee},counter", written(&mut dice), Iso(on + dice.between(1, 30)));
            }
            self.contacted += 1;
        }
        let opted = self.opt_out(options, closed, &canonical, (notified, dead, age), &mut dice);
        self.truth(options, closed, &canonical, notified, opted);
    }

    /// Whether and how this person says no: before the first package, or later.
    fn opt_out(
        &mut self,
        options: &Options,
        closed: &Closed<'_>,
        canonical: &str,
        (notified, dead, age): (Option<Day>, bool, i32),
        dice: &mut Dice,
    ) -> Option<bool> {
        let Closed { person, patient, provider, .. } = closed;
        let draw = dice.unit();
        // The dead do not ask; their families do, more often than the living.
        let (before, after) = if dead { (0.06, 0.09) } else { (0.022, 0.037) };
        if draw >= after {
            return None;
        }
        let early = draw < before;
        let requester = match dice.unit() {
            _ if dead => Requester::Bereaved,
            _ if age < 16 => Requester::Guardian,
            ..0.06 => Requester::Guardian,
            0.06..0.12 => Requester::Proxy,
            _ => Requester::Person,
        };
        let (anonymized, pseudonymized) = (NoticeScope::Anonymized, NoticeScope::Pseudonymized);
        let scope = match dice.unit() {
            ..0.72 => format!("{anonymized},{pseudonymized}"),
            0.72..0.9 => pseudonymized.to_string(),
            _ => anonymized.to_string(),
        };
        let from = notified.unwrap_or(options.notice_from);
        let on = if early {
            (from + dice.between(0, 25)).min(options.notice_from + 70)
        } else {
            options.notice_from + 71 + dice.between(0, 29)
        };
        // Not always with the zeros: whoever stopped as 123 must not come in as 0000000123.
        let id = if dice.chance(0.35) { canonical } else { &patient.local_id };
        if early {
            let _ = writeln!(self.opt_outs[patient.provider_at], "{id},{requester},{},{}", field(&scope), Iso(on));
            self.opted_out += 1;
        }
        let (erase, everywhere) = (!early && dice.chance(0.6), dice.chance(0.25));
        let _ = writeln!(
            self.truth_opt_outs,
            "{},{},{id},{canonical},{requester},{},{},{},{erase},{}",
            person.index,
            provider.id,
            field(&scope),
            Iso(on),
            if early { "before" } else { "after" },
            erase && everywhere
        );
        Some(early)
    }

    fn truth(&mut self, options: &Options, closed: &Closed<'_>, canonical: &str, notified: Option<Day>, opted: Option<bool>) {
        let Closed { person, patient, provider, course, files, .. } = closed;
        let Some(known) = patient.versions.last() else { return };
        let own = at(&person.families, options.data_to);
        let death = person.death.map_or(String::new(), |d| Iso(d).to_string());
        let notified_on = notified.map_or(String::new(), |d| Iso(d).to_string());
        let none = String::new();
        let card = known.card.as_ref();
        let branch = card.and_then(|c| c.branch.as_ref()).unwrap_or(&none);
        let [insurer, symbol, number] = card.map_or([&none, &none, &none], |c| [&c.insurer, &c.symbol, &c.number]);
        let earlier: Vec<String> = patient.versions[..patient.versions.len() - 1]
            .iter()
            .filter(|r| r.family.text != known.family.text || r.given.text != known.given.text)
            .map(|r| format!("{} {}", r.family.text, r.given.text))
            .collect();
        let line = [
            person.index.to_string().as_str(),
            &person.household.to_string(),
            &provider.id,
            &patient.local_id,
            canonical,
            &known.family.text,
            &known.given.text,
            &known.family.kana,
            &known.given.kana,
            &own.text,
            &person.given.text,
            &own.kana,
            &person.given.kana,
            if person.female { "female" } else { "male" },
            &Iso(person.birth).to_string(),
            &death,
            &known.postal,
            &known.address,
            known.phone.as_ref().unwrap_or(&none),
            insurer,
            symbol,
            number,
            branch,
            &Iso(patient.first).to_string(),
            &Iso(patient.last).to_string(),
            &notified_on,
            &files.to_string(),
            &earlier.join(";"),
            &flags(options, closed, known, notified, opted, course).join(" "),
        ]
        .map(field);
        self.truth.push_str(&line.join(","));
        self.truth.push('\n');
    }
}

/// What makes this patient difficult.
fn flags(
    options: &Options,
    closed: &Closed<'_>,
    known: &Registration,
    notified: Option<Day>,
    opted: Option<bool>,
    course: &Course,
) -> Vec<&'static str> {
    let Closed { person, patient, .. } = closed;
    let own = at(&person.families, options.data_to);
    let on = known.on.day();
    let stale = |days: Vec<Day>| days.iter().any(|&d| d > on && d <= patient.last);
    let turned = crate::day::birthday(person.birth, 75);
    let baby = |r: &Registration| r.given.text.contains("ベビー");
    let checks = [
        ("twin", person.twin),
        ("foreign", person.foreign),
        ("newborn", patient.versions.iter().any(baby)),
        ("still_baby", baby(known)),
        ("former_name", person.families.len() > 1),
        ("stale_name", stale(person.families.iter().map(|f| f.0).collect())),
        ("stale_address", stale(person.homes.iter().map(|h| h.0).collect())),
        ("stale_card", stale(person.cards.iter().map(|c| c.0).collect())),
        ("variant_kanji", !baby(known) && known.family.text != own.text && known.family.kana == own.kana),
        ("unwritable_kanji", known.family.text.contains('〓')),
        ("kana_differs", !baby(known) && (known.family.kana != own.kana || known.given.kana != person.given.kana)),
        ("second_id", patient.second),
        ("turned_75", (options.data_from..=options.data_to).contains(&turned)),
        ("public_assistance", known.card.as_ref().is_some_and(|c| c.law == 12)),
        ("no_card", known.card.is_none()),
        ("no_branch", known.card.as_ref().is_some_and(|c| c.branch.is_none() && !matches!(c.law, 12 | 39))),
        ("deceased", person.death.is_some()),
        ("stay", course.stays > 0),
        ("open_stay", course.open_stay),
        ("no_contact", notified.is_none()),
        ("opt_out_before", opted == Some(true)),
        ("opt_out_after", opted == Some(false)),
        ("set_aside", closed.set_aside),
    ];
    checks.into_iter().filter_map(|(flag, is)| is.then_some(flag)).collect()
}
