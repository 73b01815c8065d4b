//! When two records are one person. Each rule demands something that only the person has, beside what a household or a namesake shares.
//!
//! A key is shared (`keys::of`) whenever a rule joins: all rules but [`Rule::BirthDate`] and [`Rule::RareName`] demand the same birth
//! date and a contact in common, `BirthDate` demands the same reading or writing and a contact, `RareName` the same reading or writing and birth date.

use serde::Serialize;

use crate::compare::{Birth, Names, Pair, Part, SexMatch};
use crate::keys::Frequencies;
use crate::names::NONE;
use crate::people::Record;

/// Why a pair was joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A clerk's decision.
    Fact,
    /// Name, birth date and sex agree, and telephone, home or card.
    Exact,
    /// The same personal card and birth date, and nothing in the names of a twin.
    Card,
    /// Written the same and read otherwise, or read almost the same; birth date, sex and a contact agree.
    Variant,
    /// One letter of the family name differs; the rest as in `Exact`.
    Typo,
    /// Another family name, the same given name, birth date, sex and contact.
    NameChange,
    /// The birth date is one place off or missing; the rest as in `Exact`.
    BirthDate,
    /// The sex differs; the rest as in `Exact`.
    Sex,
    /// No contact in common, but name and birth date are too rare for a namesake.
    RareName,
}

impl Rule {
    /// All rules.
    pub const ALL: [Rule; 9] = [
        Rule::Fact,
        Rule::Exact,
        Rule::Card,
        Rule::Variant,
        Rule::Typo,
        Rule::NameChange,
        Rule::BirthDate,
        Rule::Sex,
        Rule::RareName,
    ];

    /// The code of the rule in the catalogue of messages.
    pub const fn code(self) -> &'static str {
        match self {
            Rule::Fact => "linkage-rule-fact",
            Rule::Exact => "linkage-rule-exact",
            Rule::Card => "linkage-rule-card",
            Rule::Variant => "linkage-rule-variant",
            Rule::Typo => "linkage-rule-typo",
            Rule::NameChange => "linkage-rule-name-change",
            Rule::BirthDate => "linkage-rule-birth-date",
            Rule::Sex => "linkage-rule-sex",
            Rule::RareName => "linkage-rule-rare-name",
        }
    }

    /// How sure the rule is, for the order in which pairs join. An order of trust, not a measured probability.
    fn trust(self) -> f32 {
        match self {
            Rule::Fact => 1.0,
            Rule::Exact => 0.9990,
            Rule::Card => 0.9985,
            Rule::Variant => 0.9970,
            Rule::Typo => 0.9960,
            Rule::RareName => 0.9950,
            Rule::Sex => 0.9940,
            Rule::BirthDate => 0.9930,
            Rule::NameChange => 0.9900,
        }
    }
}

/// The rule that joins a pair and its confidence, if one does. `limit`: namesakes to be expected by chance.
pub(crate) fn decide(pair: &Pair, a: &Record, b: &Record, frequencies: &Frequencies, limit: f64) -> Option<(Rule, f32)> {
    let rule = rule(pair, || strangers(a, b, frequencies) < limit)?;
    let more = pair.contacts().saturating_sub(1) + u32::from(pair.own_card);
    Some((rule, (rule.trust() + 0.0002 * more as f32).min(0.9999)))
}

fn rule(pair: &Pair, rare: impl Fn() -> bool) -> Option<Rule> {
    let Names { given, family, given_written_otherwise: otherwise, .. } = pair.names;
    let full = given == Part::Same && family == Part::Same;
    let alike = given <= Part::Like && family <= Part::Like;
    let contact = pair.contacts() > 0;
    let one_sex = pair.sex != SexMatch::Different;
    let same_birth = pair.birth == Birth::Same;
    if pair.other_branch && (!full || otherwise) {
        return None;
    }
    if same_birth && one_sex {
        if full && contact && !(pair.same_provider && otherwise) {
            return Some(Rule::Exact);
        }
        let twin = given == Part::Different && family <= Part::Near;
        if pair.own_card && !twin && given != Part::Missing {
            return Some(Rule::Card);
        }
    }
    // two numbers at one provider are mostly two persons: only strong agreement joins them
    if pair.same_provider {
        return None;
    }
    if same_birth && one_sex && contact {
        if alike {
            return Some(Rule::Variant);
        }
        if given <= Part::Like && family == Part::Near {
            return Some(Rule::Typo);
        }
        if given == Part::Same && !otherwise && pair.sex == SexMatch::Same {
            return Some(Rule::NameChange);
        }
    }
    if full && !otherwise && contact && same_birth {
        return Some(Rule::Sex);
    }
    let named = alike && !otherwise && (pair.names.read_same || pair.names.written_same);
    if named && one_sex && contact && matches!(pair.birth, Birth::Near | Birth::Missing) {
        return Some(Rule::BirthDate);
    }
    if named && one_sex && same_birth && rare() {
        return Some(Rule::RareName);
    }
    None
}

/// The fewest strangers to be expected over the names and birth dates that both records have.
fn strangers(a: &Record, b: &Record, frequencies: &Frequencies) -> f64 {
    let mut fewest = f64::INFINITY;
    for &birth in a.births.iter().filter(|x| b.births.contains(x)) {
        for x in &a.names {
            for y in &b.names {
                if x.read.whole == y.read.whole && x.read.whole != NONE {
                    let split = if x.read.joined() { y.read } else { x.read };
                    fewest = fewest.min(frequencies.strangers_read(split, birth));
                }
                if x.written.whole == y.written.whole && x.written.whole != NONE {
                    let split = if x.written.joined() { y.written } else { x.written };
                    fewest = fewest.min(frequencies.strangers_written(split, birth));
                }
            }
        }
    }
    fewest
}

/// Two records that cannot be one person, whatever lies between them: another birth date and another given name, or the same birth date
/// and family name with another given name (twins).
pub(crate) fn contradict(names: Names, birth: Birth, sex: SexMatch) -> bool {
    match birth {
        // a reading alone against a writing may be a guessed reading of it
        Birth::Same => names.given == Part::Different && names.family <= Part::Like && !names.one_unwritten,
        Birth::Near => names.given == Part::Different || (sex == SexMatch::Different && names.given != Part::Same),
        Birth::Different => names.given == Part::Different || sex == SexMatch::Different,
        Birth::Missing => false,
    }
}
