//! The tables of names and places under `data/`, written for this generator from general knowledge.

use std::sync::LazyLock;

use crate::dice::Dice;

/// A written name and its reading.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// As written, mostly kanji.
    pub written: &'static str,
    /// Katakana.
    pub kana: &'static str,
}

/// A prefecture with the cities that patients live in.
pub struct Prefecture {
    /// Number 1 to 47 of the prefecture.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
    /// Telephone area code of its capital.
    pub area: &'static str,
    /// Share of the population.
    pub weight: f64,
    /// Cities with the first three digits of their postal codes.
    pub cities: Vec<(&'static str, &'static str)>,
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|l| !l.is_empty() && !l.starts_with('#'))
}

fn number(text: Option<&str>) -> f64 {
    text.and_then(|t| t.parse().ok()).unwrap_or(0.0)
}

static SURNAMES: LazyLock<Vec<(Name, f64)>> = LazyLock::new(|| {
    lines(include_str!("../data/surnames.txt"))
        .map(|line| {
            let mut words = line.split(' ');
            let (written, kana) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            (Name { written, kana }, number(words.next()))
        })
        .collect()
});

/// Given names of one sex, each with its weight in the five cohorts.
type Given = Vec<(Name, [f64; 5])>;

static GIVEN: LazyLock<[Given; 2]> = LazyLock::new(|| {
    let of = |sex: &str| {
        lines(include_str!("../data/given.txt"))
            .filter_map(|line| {
                let mut words = line.split(' ');
                (words.next() == Some(sex)).then(|| {
                    let (written, kana) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
                    (Name { written, kana }, std::array::from_fn(|_| number(words.next())))
                })
            })
            .collect()
    };
    [of("M"), of("F")]
});

static FOREIGN: LazyLock<Vec<(Name, Name, bool)>> = LazyLock::new(|| {
    lines(include_str!("../data/foreign.txt"))
        .filter_map(|line| {
            let mut parts = line.split('|');
            let mut name = || Some(Name { written: parts.next()?, kana: parts.next()? });
            Some((name()?, name()?, parts.next()? == "F"))
        })
        .collect()
});

/// Prefectures that people live in.
pub static PREFECTURES: LazyLock<Vec<Prefecture>> = LazyLock::new(|| {
    lines(include_str!("../data/places.txt"))
        .map(|line| {
            let mut parts = line.split('|');
            let mut next = || parts.next().unwrap_or("");
            Prefecture {
                number: next().parse().unwrap_or(13),
                name: next(),
                area: next(),
                weight: number(Some(next())),
                cities: next().split(' ').filter_map(|c| c.split_once(':')).collect(),
            }
        })
        .collect()
});

/// Names of towns and quarters.
pub static TOWNS: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("../data/towns.txt").split_whitespace().collect());

/// A surname, by how common it is.
pub fn surname(dice: &mut Dice) -> Name {
    SURNAMES[dice.weighted(SURNAMES.iter().map(|(_, w)| *w))].0
}

/// A given name of the time a person was born in.
pub fn given(female: bool, birth_year: i32, dice: &mut Dice) -> Name {
    let cohort = match birth_year {
        ..=1949 => 0,
        1950..=1969 => 1,
        1970..=1989 => 2,
        1990..=2009 => 3,
        _ => 4,
    };
    let table = &GIVEN[usize::from(female)];
    table[dice.weighted(table.iter().map(|(_, w)| w[cohort]))].0
}

/// Family and given name of a foreign resident, in Latin letters with a reading.
pub fn foreign(female: bool, dice: &mut Dice) -> (Name, Name) {
    let at = dice.weighted(FOREIGN.iter().map(|(_, _, f)| if *f == female { 1.0 } else { 0.0 }));
    (FOREIGN[at].0, FOREIGN[at].1)
}

/// Characters with several written forms: the common one first, then those of registers.
pub const VARIANTS: &[(char, &[char])] = &[
    ('高', &['髙']),
    ('崎', &['﨑', '嵜']),
    ('辺', &['邊', '邉']),
    ('斎', &['齋', '斉', '齊']),
    ('沢', &['澤']),
    ('浜', &['濱', '濵']),
    ('島', &['嶋', '嶌']),
    ('桜', &['櫻']),
    ('広', &['廣']),
    ('国', &['國']),
    ('真', &['眞']),
    ('恵', &['惠']),
    ('竜', &['龍']),
    ('吉', &['𠮷']),
    ('富', &['冨']),
    ('滝', &['瀧']),
    ('関', &['關']),
    ('黒', &['黑']),
    ('曽', &['曾']),
    ('徳', &['德']),
];

/// A name with the first character that has other forms written in one of them, if there is any.
pub fn register_form(name: &str, dice: &mut Dice) -> Option<String> {
    let (at, forms) =
        name.char_indices().find_map(|(i, c)| VARIANTS.iter().find(|(common, _)| *common == c).map(|(_, forms)| (i, *forms)))?;
    let form = *dice.pick(forms);
    Some(name.char_indices().map(|(i, c)| if i == at { form } else { c }).collect())
}

/// A name with every register form put back to the common one.
pub fn common_form(name: &str) -> String {
    name.chars().map(|c| VARIANTS.iter().find(|(_, forms)| forms.contains(&c)).map_or(c, |(common, _)| *common)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_reading_in_katakana_and_a_weight() {
        let katakana = |t: &str| !t.is_empty() && t.chars().all(|c| ('ァ'..='ー').contains(&c) || c == ' ');
        assert!(SURNAMES.len() > 150 && SURNAMES.iter().all(|(n, w)| katakana(n.kana) && *w > 0.0));
        for table in GIVEN.iter() {
            assert!(table.len() > 40 && table.iter().all(|(n, w)| katakana(n.kana) && w.iter().sum::<f64>() > 0.0));
            for cohort in 0..5 {
                assert!(table.iter().filter(|(_, w)| w[cohort] > 0.0).count() > 10);
            }
        }
        assert!(
            FOREIGN.iter().all(|(f, g, _)| katakana(f.kana) && katakana(g.kana) && f.written.is_ascii() && g.written.is_ascii())
        );
        for p in PREFECTURES.iter() {
            assert!(
                (1..=47).contains(&p.number) && p.weight > 0.0 && p.cities.len() > 1,
                "{} {} {}",
                p.number,
                p.weight,
                p.cities.len()
            );
        }
    }

    #[test]
    fn a_name_written_as_in_the_register_has_a_common_form() {
        let mut dice = Dice::of(1, [0; 3]);
        let written = register_form("高橋", &mut dice).expect("高 has another form");
        assert_eq!((written.as_str(), common_form(&written).as_str()), ("髙橋", "高橋"));
        assert_eq!(register_form("林", &mut dice), None);
    }
}
