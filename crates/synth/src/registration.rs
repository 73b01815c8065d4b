//! What a provider knows of a person: the name as its reception wrote it, an address and a card that may be stale.

use std::fmt::Write;

use crate::day::{Compact, Day, Moment};
use crate::dice::Dice;
use crate::encode;
use crate::hl7::Message;
use crate::options::Options;
use crate::population::{Card, Home, Person, Written, at, wide};
use crate::provider::{CardStyle, Provider, Rare};
use crate::tables::{self, PREFECTURES};

/// One person at one provider.
pub struct Patient {
    /// Place of the person in the block.
    pub person_at: usize,
    /// Place of the provider.
    pub provider_at: usize,
    /// Serial number at the provider, from which the id is made.
    pub serial: u64,
    /// The id as the provider writes it.
    pub local_id: String,
    /// Whether this is a second id of the same person here.
    pub second: bool,
    /// First and last day of contact inside the period.
    pub first: Day,
    /// Last day.
    pub last: Day,
    /// Whether the person was a patient before the period.
    pub established: bool,
    /// Registrations, oldest first.
    pub versions: Vec<Registration>,
}

/// A registration as it stood from a day on.
pub struct Registration {
    /// Written down on.
    pub on: Moment,
    /// Family name and reading as written.
    pub family: Written,
    /// Given name and reading as written.
    pub given: Written,
    /// Address as one line, as written.
    pub address: String,
    /// Postal code.
    pub postal: String,
    /// Land line or mobile.
    pub phone: Option<String>,
    /// Card.
    pub card: Option<Card>,
    /// The PID segment.
    pub pid: String,
}

/// Which providers each person of a block goes to, and since when.
pub fn patients(options: &Options, providers: &[Provider], people: &[Person]) -> Vec<Patient> {
    let mut all = Vec::new();
    for (person_at, person) in people.iter().enumerate() {
        let mut dice = Dice::of(options.seed, [4, person.index, 0]);
        let near = at(&person.homes, options.data_to).prefecture_at;
        let wish = |p: &Provider| if p.prefecture_at == near { 1.0 } else { 0.15 };
        let mut chosen = vec![dice.weighted(providers.iter().map(wish))];
        let more = if person.age(options.data_to) >= 65 { 0.42 } else { 0.26 };
        for p in [more, 0.25] {
            if chosen.len() < providers.len() && dice.chance(p) {
                let free = |(i, p): (usize, &Provider)| if chosen.contains(&i) { 0.0 } else { wish(p) + 0.1 };
                let next = dice.weighted(providers.iter().enumerate().map(free));
                chosen.push(next);
            } else {
                break;
            }
        }
        for (nth, provider_at) in chosen.into_iter().enumerate() {
            let end = person.death.unwrap_or(options.data_to).min(options.data_to);
            let established = person.birth < options.data_from && dice.chance(0.6);
            let begin = options.data_from.max(person.birth);
            let first = match person.newborn_of {
                Some(_) if nth == 0 => person.birth,
                _ if established => begin + dice.between(0, 80),
                _ => dice.between(begin, end - 1),
            }
            .min(end);
            let last = if dice.chance(0.62) { end } else { dice.between(first, end) };
            let mut add = |serial: u64, second, first: Day, last: Day, dice: &mut Dice| {
                let provider = &providers[provider_at];
                let local_id = provider.local_ids.id(serial);
                let mut patient =
                    Patient { person_at, provider_at, serial, local_id, second, first, last, established, versions: Vec::new() };
                patient.versions = versions(person, people, provider, &patient, dice);
                all.push(patient);
            };
            add(person.index, false, first, last, &mut dice);
            if last - first > 200 && dice.chance(0.008) {
                // A second id at the same place: the first card was not found.
                let again = dice.between(first + 60, last);
                add(options.persons + person.index, true, again, last, &mut dice);
            }
        }
    }
    all
}

fn versions(person: &Person, people: &[Person], provider: &Provider, patient: &Patient, dice: &mut Dice) -> Vec<Registration> {
    let mut days = vec![if patient.established { patient.first - dice.between(30, 900) } else { patient.first }];
    days[0] = days[0].max(person.birth);
    // What has changed since is noticed at a later visit, or not.
    let changes =
        person.homes.iter().map(|h| h.0).chain(person.families.iter().map(|f| f.0)).chain(person.cards.iter().map(|c| c.0));
    let changed = changes.filter(|&d| d > days[0] && d < patient.last).max();
    if let Some(changed) = changed
        && dice.chance(0.62)
    {
        days.push(dice.between(changed + 1, patient.last));
    }
    // Newborns come under the mother's name, until the registration is known.
    let baby = (person.newborn_of.is_some() && days[0] - person.birth < 14).then_some(()).and(person.newborn_of);
    if baby.is_some() && days.len() == 1 && patient.last > days[0] + 30 && dice.chance(0.65) {
        days.push(dice.between(days[0] + 15, (days[0] + 90).min(patient.last)));
    }
    let kana_slip = dice.chance(0.02);
    let common = dice.chance(0.3);
    let mut all: Vec<Registration> = Vec::new();
    for (nth, &on) in days.iter().enumerate() {
        let moment = match all.last() {
            None => Moment::at(on, 8 * 60 + dice.between(0, 500)),
            Some(before) => Moment::at(on, 8 * 60 + dice.between(0, 500)).max(before.on.later(7)),
        };
        let mut family = at(&person.families, on).clone();
        let mut given = person.given.clone();
        if let (Some((mother, which)), 0) = (baby, nth)
            && let Some(mother) = people.get(mother)
        {
            let number = if !person.twin {
                ""
            } else if which == 2 {
                "２"
            } else {
                "１"
            };
            family = at(&mother.families, on).clone();
            given = Written {
                text: format!("{}ベビー{number}", mother.given.text),
                kana: format!("{}ベビー", mother.given.kana),
            };
        }
        for name in [&mut family, &mut given] {
            name.text = written(&name.text, provider.style.rare, common);
            if provider.style.large_kana {
                name.kana = large(&name.kana);
            }
        }
        if kana_slip {
            family.kana = slip(&family.kana);
        }
        let home = at(&person.homes, on).clone();
        let card = match (baby, nth) {
            (Some((mother, _)), 0) => people.get(mother).and_then(|m| at(&m.cards, on).clone()).map(|c| Card { own: false, ..c }),
            _ => at(&person.cards, on).clone(),
        };
        let phone = if dice.chance(0.6) {
            home.phone.clone().or_else(|| person.mobile.clone())
        } else {
            person.mobile.clone().or_else(|| home.phone.clone())
        };
        let mut registration = Registration {
            on: moment.plus(i64::from(dice.below(60_000))),
            family,
            given,
            address: address(&home, provider.style.long_address),
            postal: format!("{}-{:04}", home.city.1, home.postal),
            phone,
            card,
            pid: String::new(),
        };
        registration.pid = pid(person, &registration, provider, &patient.local_id);
        all.push(registration);
    }
    all
}

/// A name in the characters that the provider's system has.
fn written(name: &str, rare: Rare, common: bool) -> String {
    if common {
        return tables::common_form(name);
    }
    let one = |c: char| match rare {
        _ if encode::in_guideline_repertoire(c) => c,
        Rare::Keep if encode::in_vendor_repertoire(c) => c,
        Rare::Common => tables::common_form(c.encode_utf8(&mut [0; 4])).chars().next().unwrap_or('〓'),
        _ => '〓',
    };
    name.chars().map(one).collect()
}

/// Small kana written large, as old systems do.
fn large(kana: &str) -> String {
    let pairs = ["ァア", "ィイ", "ゥウ", "ェエ", "ォオ", "ッツ", "ャヤ", "ュユ", "ョヨ"];
    let one = |c: char| pairs.iter().find(|p| p.starts_with(c)).and_then(|p| p.chars().nth(1)).unwrap_or(c);
    kana.chars().map(one).collect()
}

/// A reading as a stranger would guess it.
fn slip(kana: &str) -> String {
    for (from, to) in
        [("ザキ", "サキ"), ("ジマ", "シマ"), ("ワラ", "ハラ"), ("オオ", "オ"), ("ヅ", "ズ"), ("ダ", "タ"), ("ガワ", "カワ")]
    {
        if kana.contains(from) {
            return kana.replacen(from, to, 1);
        }
    }
    kana.to_owned()
}

fn address(home: &Home, long: bool) -> String {
    let (chome, ban, go) = home.number;
    let mut text = format!("{}{}{}", PREFECTURES[home.prefecture_at].name, home.city.0, home.town);
    text += &if long {
        wide(&format!("{chome}丁目{ban}番{go}号"))
    } else {
        wide(&format!("{chome}-{ban}-{go}")).replace('－', "−")
    };
    if let Some(building) = &home.building {
        text.push_str(if long { "　" } else { "" });
        text.push_str(building);
    }
    text
}

/// Names as XPN repetitions: ideographic or Latin, then kana.
fn xpn(registration: &Registration, foreign: bool) -> String {
    let r = registration;
    format!(
        "{}^{}^^^^^L^{}~{}^{}^^^^^L^P",
        r.family.text,
        r.given.text,
        if foreign { 'A' } else { 'I' },
        r.family.kana,
        r.given.kana
    )
}

/// The id as PID-3 of this provider has it.
pub fn pid3(provider: &Provider, local_id: &str) -> String {
    if provider.style.bare_id { local_id.to_owned() } else { format!("{local_id}^^^^PI") }
}

fn pid(person: &Person, r: &Registration, provider: &Provider, local_id: &str) -> String {
    let mut message = Message::default();
    message
        .segment("PID")
        .put(1, "0001")
        .put(3, &pid3(provider, local_id))
        .put(5, &xpn(r, person.foreign))
        .fmt(7, format_args!("{}", Compact(person.birth)))
        .put(8, if person.female { "F" } else { "M" })
        .fmt(11, format_args!("^^^^{}^JPN^H^{}", r.postal, r.address))
        .put(13, &r.phone.as_ref().map_or(String::new(), |p| format!("^PRN^PH^^^^^^^^^{p}")))
        .fmt(33, format_args!("{}", r.on.digits(14)));
    message.text().to_owned()
}

/// Plan code, its name in table JHSD0001, and whether it is public expense.
fn plan(law: u8) -> (&'static str, &'static str, bool) {
    match law {
        0 => ("C0", "国民健康保険", false),
        1 => ("01", "全国健康保険協会管掌健康保険", false),
        6 => ("06", "組合管掌健康保険", false),
        31 => ("31", "国家公務員共済組合", false),
        34 => ("34", "日本私立学校振興・共済事業団", false),
        39 => ("39", "後期高齢者医療", false),
        _ => ("12", "生活保護法による医療扶助", true),
    }
}

/// The IN1 segment of a card.
pub fn in1(card: &Card, style: CardStyle, pad: bool, since: Day, message: &mut Message) {
    let (code, name, public) = plan(card.law);
    let insurer = if pad { format!("{:0>8}", card.insurer) } else { card.insurer.clone() };
    let branch = card.branch.as_deref().unwrap_or("");
    let mut of = String::new();
    let _ = match style {
        _ if public => write!(of, "{}", card.number),
        CardStyle::RepeatsWide => write!(of, "{}~{}~{}", wide(&card.symbol), wide(&card.number), wide(branch)),
        CardStyle::Components => write!(of, "{}^{}^{}", card.symbol, card.number, branch),
        CardStyle::Joined if card.symbol.is_empty() => write!(of, "{}", card.number),
        CardStyle::Joined => write!(of, "{}・{}", card.symbol, card.number),
    };
    message
        .segment("IN1")
        .put(1, "1")
        .fmt(2, format_args!("{code}^{name}^JHSD0001"))
        .put(3, &insurer)
        .put(10, of.trim_end_matches(['^', '~']))
        .fmt(12, format_args!("{}", Compact(since)))
        .put(15, if public { "PE" } else { "MI" })
        .put(17, if card.own { "SEL^本人^HL70063" } else { "CHD^家族^HL70063" });
}
