//! People in households, with what changes in their lives: names, homes, cards.

use crate::day::{Day, age, birthday, year};
use crate::dice::Dice;
use crate::numbers;
use crate::options::Options;
use crate::provider::Provider;
use crate::tables::{self, PREFECTURES, TOWNS};

/// Persons that are made together; their households lie inside.
pub const BLOCK: u64 = 64;

/// A name as its bearer writes it, with its reading.
#[derive(Clone)]
pub struct Written {
    /// Kanji, kana or Latin letters.
    pub text: String,
    /// Katakana.
    pub kana: String,
}

impl From<tables::Name> for Written {
    fn from(name: tables::Name) -> Self {
        Self { text: name.written.to_owned(), kana: name.kana.to_owned() }
    }
}

/// Where a household lives.
#[derive(Clone)]
pub struct Home {
    /// Place of the prefecture in the table.
    pub prefecture_at: usize,
    /// City and the first three digits of its postal codes.
    pub city: (&'static str, &'static str),
    /// Last four digits of the postal code.
    pub postal: u32,
    /// Town.
    pub town: &'static str,
    /// 丁目, 番, 号
    pub number: (u32, u32, u32),
    /// Building and room.
    pub building: Option<String>,
    /// Land line, if there is one.
    pub phone: Option<String>,
}

/// An insurance card, or the paper of public assistance.
#[derive(Clone)]
pub struct Card {
    /// Law (法別番号), 0 for municipal insurance.
    pub law: u8,
    /// Insurer number, 6 or 8 digits.
    pub insurer: String,
    /// Symbol.
    pub symbol: String,
    /// Number.
    pub number: String,
    /// Branch.
    pub branch: Option<String>,
    /// Whether the person is the insured one.
    pub own: bool,
}

/// A person.
pub struct Person {
    /// Number of the person in the whole population, from 0.
    pub index: u64,
    /// Number of the household.
    pub household: u64,
    /// Sex.
    pub female: bool,
    /// Birth date.
    pub birth: Day,
    /// Given name.
    pub given: Written,
    /// Family names with the day each begins.
    pub families: Vec<(Day, Written)>,
    /// Homes with the day each begins.
    pub homes: Vec<(Day, Home)>,
    /// Cards with the day each begins; none for people who pay themselves.
    pub cards: Vec<(Day, Option<Card>)>,
    /// Mobile number.
    pub mobile: Option<String>,
    /// Day of death.
    pub death: Option<Day>,
    /// One of twins.
    pub twin: bool,
    /// From abroad: written in Latin letters.
    pub foreign: bool,
    /// For children born in the period: the mother, by her place in the block, and which of the twins.
    pub newborn_of: Option<(usize, u32)>,
}

/// What is in force on a day.
pub fn at<T>(history: &[(Day, T)], on: Day) -> &T {
    let place = history.iter().rposition(|(from, _)| *from <= on).unwrap_or(0);
    &history[place].1
}

impl Person {
    /// Age in years on a day.
    pub fn age(&self, on: Day) -> i32 {
        age(self.birth, on)
    }
}

struct Member {
    female: bool,
    age: i32,
    child: bool,
    spouse: bool,
}

fn members(dice: &mut Dice) -> Vec<Member> {
    let one = |female, age| Member { female, age, child: false, spouse: false };
    let kind = dice.weighted([0.22, 0.19, 0.20, 0.08, 0.25, 0.06].into_iter());
    match kind {
        0 => vec![one(dice.chance(0.66), 66 + (dice.unit() * dice.unit() * 33.0) as i32)],
        1 => vec![one(dice.chance(0.48), dice.between(19, 65))],
        2 => {
            let husband = 64 + (dice.unit() * dice.unit() * 30.0) as i32;
            let wife = husband - dice.between(-2, 7);
            vec![one(false, husband), Member { spouse: true, ..one(true, wife.max(60)) }]
        }
        3 => {
            let husband = dice.between(24, 62);
            vec![one(false, husband), Member { spouse: true, ..one(true, (husband - dice.between(-3, 6)).max(20)) }]
        }
        _ => {
            let mother = dice.between(23, 52);
            let mut all = if kind == 4 {
                vec![one(false, mother + dice.between(-2, 6)), Member { spouse: true, ..one(true, mother) }]
            } else {
                vec![one(true, mother)]
            };
            let most = (mother - 22).min(19);
            for _ in 0..1 + dice.weighted([0.45, 0.42, 0.13].into_iter()) {
                // Every fifth youngest is born in the last years.
                let age = if mother < 42 && dice.chance(0.25) { dice.between(0, 2) } else { dice.between(0, most.max(0)) };
                all.push(Member { child: true, ..one(dice.chance(0.487), age) });
            }
            all
        }
    }
}

fn home(prefecture_at: usize, dice: &mut Dice) -> Home {
    let prefecture = &PREFECTURES[prefecture_at];
    let town = *dice.pick(&TOWNS[..]);
    Home {
        prefecture_at,
        city: *dice.pick(&prefecture.cities),
        postal: dice.below(100),
        town,
        number: (1 + dice.below(6), 1 + dice.below(40), 1 + dice.below(25)),
        building: dice.chance(0.35).then(|| {
            let name = *dice.pick(&["コーポ", "ハイツ", "メゾン", "グリーンハイツ", "サンライズ", "パレス"]);
            let of = *dice.pick(&["あおば", "みどり", "若葉", "旭", "Ａ", "Ｂ"]);
            format!("{name}{of}{}", wide(&format!("{}", 100 * (1 + dice.below(9)) + 1 + dice.below(9))))
        }),
        phone: dice.chance(0.7).then(|| numbers::landline(prefecture.area, dice)),
    }
}

/// ASCII digits and letters in full width.
pub fn wide(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '!'..='~' => char::from_u32(c as u32 + 0xFEE0).unwrap_or(c),
            c => c,
        })
        .collect()
}

/// A household's insurance, before it is spread over its members.
fn card(prefecture: u8, dice: &mut Dice) -> Option<Card> {
    let law = [0, 1, 6, 31, 34, 12, 255][dice.weighted([0.30, 0.32, 0.22, 0.06, 0.035, 0.035, 0.02].into_iter())];
    let (insurer, symbol, number) = match law {
        255 => return None,
        0 => {
            let symbol = if dice.chance(0.5) { String::new() } else { (*dice.pick(&["国", "国保", "市", "区"])).to_owned() };
            (numbers::municipal_insurer(prefecture, dice), symbol, format!("{:07}", dice.below(10_000_000)))
        }
        12 => (numbers::insurer(12, prefecture, dice), String::new(), format!("{:07}", dice.below(10_000_000))),
        law => (
            numbers::insurer(law, prefecture, dice),
            format!("{}", 1_000 + dice.below(99_000)),
            format!("{}", 1 + dice.below(9_999)),
        ),
    };
    Some(Card { law, insurer, symbol, number, branch: None, own: true })
}

fn late_elderly(prefecture: u8, dice: &mut Dice) -> Card {
    Card {
        law: 39,
        insurer: numbers::insurer(39, prefecture, dice),
        symbol: String::new(),
        number: format!("{:08}", dice.below(100_000_000)),
        branch: None,
        own: true,
    }
}

/// The people of one block, `count` of them.
pub fn block(options: &Options, providers: &[Provider], block: u64, count: u64) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::with_capacity(count as usize);
    let mut household = 0;
    while (people.len() as u64) < count {
        let mut dice = Dice::of(options.seed, [3, block, household]);
        let room = count as usize - people.len();
        move_in(options, providers, (block * BLOCK, household), room, &mut people, &mut dice);
        household += 1;
    }
    people
}

/// One more household, cut to the room there is.
fn move_in(
    options: &Options,
    providers: &[Provider],
    (base, household): (u64, u64),
    room: usize,
    people: &mut Vec<Person>,
    dice: &mut Dice,
) {
    let (from, to) = (options.data_from, options.data_to);
    let near = dice.pick(providers).prefecture_at;
    let prefecture_at = if dice.chance(0.93) { near } else { dice.weighted(PREFECTURES.iter().map(|p| p.weight)) };
    let prefecture = PREFECTURES[prefecture_at].number;
    let foreign = dice.chance(0.02);
    let mut homes = vec![(Day::MIN, home(prefecture_at, dice))];
    if dice.chance(0.12) {
        homes.push((dice.between(from, to), home(prefecture_at, dice)));
    }
    let household_card = card(prefecture, dice);
    let later_card = dice.chance(0.2).then(|| (dice.between(from, to), card(prefecture, dice)));
    // Before branch numbers, and still at some insurers, a card has none.
    let branches = dice.chance(0.88);
    let mut family: Written = tables::surname(dice).into();
    if dice.chance(0.35)
        && let Some(written) = tables::register_form(&family.text, dice)
    {
        family.text = written;
    }

    let mut all = members(dice);
    if let Some(i) = all.iter().position(|m| m.child)
        && dice.chance(0.04)
    {
        let (female, age) = (all[i].female, all[i].age);
        all.insert(i + 1, Member { female: if dice.chance(0.7) { female } else { !female }, age, child: true, spouse: false });
    }
    all.truncate(room);
    let first = people.len();
    let mut branch = 0;
    let mut last_child: Option<(i32, Day)> = None;
    for member in &all {
        let index = base + people.len() as u64;
        // A sibling of the same age right behind is the twin: same day.
        let (birth, twin) = match last_child {
            Some((age, birth)) if member.child && age == member.age => (birth, true),
            _ => (to - member.age * 365 - member.age / 4 - dice.between(1, 364), false),
        };
        if twin && let Some(other) = people.last_mut() {
            other.twin = true;
        }
        if member.child {
            last_child = Some((member.age, birth));
        }
        let born = year(birth);
        let (mut own_family, mut given): (Written, Written) = if foreign {
            let (f, g) = tables::foreign(member.female, dice);
            (f.into(), g.into())
        } else {
            (family.clone(), tables::given(member.female, born, dice).into())
        };
        // No two people of a household share a given name.
        while !foreign && people[first..].iter().any(|p| p.given.text == given.text) {
            given = tables::given(member.female, born, dice).into();
        }
        let mut families = Vec::new();
        if member.spouse && member.age < 60 && !foreign && dice.chance(0.16) {
            families.push((Day::MIN, tables::surname(dice).into()));
            families.push((dice.between(from + 90, to - 30), own_family.clone()));
        } else {
            if foreign && member.child {
                own_family = people.get(first).map_or(own_family, |head| at(&head.families, to).clone());
            }
            families.push((Day::MIN, own_family));
        }
        let mut cards: Vec<(Day, Option<Card>)> = Vec::new();
        branch += 1;
        let own = branch == 1;
        let member_card = |card: &Option<Card>| {
            card.clone().map(|mut c| {
                c.branch = (branches && !matches!(c.law, 12 | 39)).then(|| format!("{branch:02}"));
                c.own = own || matches!(c.law, 0 | 12);
                c
            })
        };
        cards.push((Day::MIN, member_card(&household_card)));
        if let Some((day, card)) = &later_card {
            cards.push((*day, member_card(card)));
        }
        let assisted = cards.iter().any(|(_, c)| c.as_ref().is_some_and(|c| c.law == 12));
        if !assisted && member.age >= 75 {
            // At 75 everyone moves to the insurance of the late elderly.
            let at_75 = birthday(birth, 75);
            cards.retain(|(day, _)| *day < at_75);
            cards.push((at_75, Some(late_elderly(prefecture, dice))));
        }
        let yearly = match member.age {
            ..65 => 0.002,
            65..75 => 0.018,
            75..85 => 0.04,
            _ => 0.11,
        };
        let death = (birth < from && dice.chance(yearly * 3.0)).then(|| dice.between(from + 60, to));
        let mother = (first..people.len()).find(|&i| people[i].female && people[i].age(birth) >= 16);
        let newborn_of = (birth >= from).then_some(mother).flatten().map(|mother| (mother, if twin { 2 } else { 1 }));
        people.push(Person {
            index,
            household: base + household,
            female: member.female,
            birth,
            given,
            families,
            homes: homes.clone(),
            cards,
            mobile: (member.age >= 13 && dice.chance(if member.age < 75 { 0.85 } else { 0.35 })).then(|| numbers::mobile(dice)),
            death,
            twin,
            foreign,
            newborn_of,
        });
    }
}
