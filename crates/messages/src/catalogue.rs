use std::str::FromStr;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use serde::{Deserialize, Serialize};
use unic_langid::langid;

/// A language that the catalogue has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Japanese.
    Ja,
    /// English.
    #[default]
    En,
}

/// A language that the catalogue does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the language is ja or en")]
pub struct UnknownLanguage;

impl std::fmt::Display for Lang {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Lang::Ja => "ja",
            Lang::En => "en",
        })
    }
}

impl FromStr for Lang {
    type Err = UnknownLanguage;
    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        match text {
            "ja" => Ok(Lang::Ja),
            "en" => Ok(Lang::En),
            _ => Err(UnknownLanguage),
        }
    }
}

type Bundle = FluentBundle<FluentResource>;

fn bundle(lang: Lang) -> &'static Bundle {
    static EN: LazyLock<Bundle> = LazyLock::new(|| load(Lang::En));
    static JA: LazyLock<Bundle> = LazyLock::new(|| load(Lang::Ja));
    match lang {
        Lang::En => &EN,
        Lang::Ja => &JA,
    }
}

fn source(lang: Lang) -> &'static str {
    match lang {
        Lang::En => include_str!(concat!(env!("OUT_DIR"), "/en.ftl")),
        Lang::Ja => include_str!(concat!(env!("OUT_DIR"), "/ja.ftl")),
    }
}

/// The texts are part of the program, and the tests below hold them to be well-formed and each code to be there once;
/// what a broken text would lose here is that one text, never the program.
fn load(lang: Lang) -> Bundle {
    let language = match lang {
        Lang::En => langid!("en"),
        Lang::Ja => langid!("ja"),
    };
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(source(lang).to_owned()).unwrap_or_else(|(good, _)| good);
    let _ = bundle.add_resource(resource);
    bundle
}

/// Whether the catalogue has a text for this code.
pub fn has(lang: Lang, code: &str) -> bool {
    bundle(lang).get_message(code).is_some_and(|m| m.value().is_some())
}

/// Every code of a language, in the order of the files.
pub fn codes(lang: Lang) -> Vec<String> {
    let resource = FluentResource::try_new(source(lang).to_owned()).unwrap_or_else(|(good, _)| good);
    resource
        .entries()
        .filter_map(|entry| match entry {
            fluent_syntax::ast::Entry::Message(m) => Some(m.id.name.to_owned()),
            _ => None,
        })
        .collect()
}

/// Something to say: a code of the catalogue and its arguments. Arguments that can name a person belong in findings
/// only, which are identity class.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Code of the catalogue.
    pub code: &'static str,
    /// Arguments by name.
    pub args: Vec<(&'static str, String)>,
}

impl Message {
    /// A message without arguments.
    pub const fn new(code: &'static str) -> Self {
        Self { code, args: Vec::new() }
    }

    /// The same message with one more argument.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// The text in a language; the code itself where the catalogue has none.
    pub fn text(&self, lang: Lang) -> String {
        let bundle = bundle(lang);
        let Some(pattern) = bundle.get_message(self.code).and_then(|m| m.value()) else {
            return self.code.to_owned();
        };
        let mut args = FluentArgs::new();
        for (name, value) in &self.args {
            args.set(*name, value.as_str());
        }
        let mut errors = Vec::new();
        bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn variables(lang: Lang) -> BTreeMap<String, BTreeSet<String>> {
        let mut out = BTreeMap::new();
        let mut current = String::new();
        for line in source(lang).lines() {
            if let Some((id, _)) = line.split_once('=')
                && !line.starts_with([' ', '#', '['])
            {
                current = id.trim().to_owned();
                assert!(out.insert(current.clone(), BTreeSet::new()).is_none(), "{current} stands twice in {lang:?}");
            }
            for (at, _) in line.match_indices("{ $").chain(line.match_indices("{$")) {
                let name: String = line[at..]
                    .trim_start_matches(['{', ' ', '$'])
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
                    .collect();
                if let Some(set) = out.get_mut(&current) {
                    set.insert(name);
                }
            }
        }
        out
    }

    #[test]
    fn both_languages_have_the_same_codes_with_the_same_arguments() {
        let (en, ja) = (variables(Lang::En), variables(Lang::Ja));
        let keys = |m: &BTreeMap<String, BTreeSet<String>>| m.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&en), keys(&ja), "each code has a text in both languages");
        for (code, names) in &en {
            assert_eq!(names, &ja[code], "{code} uses the same arguments in both languages");
        }
        assert!(en.len() > 5);
    }

    #[test]
    fn every_text_is_well_formed() {
        for lang in [Lang::En, Lang::Ja] {
            let parsed = FluentResource::try_new(source(lang).to_owned());
            assert!(parsed.is_ok(), "{lang:?}: {:?}", parsed.err().map(|(_, errors)| errors));
            for code in codes(lang) {
                assert!(has(lang, &code), "{code}");
            }
        }
    }

    #[test]
    fn a_message_reads_in_both_languages() {
        let message = Message::new("core-instance-not-empty").with("path", "vault");
        assert!(message.text(Lang::En).contains("vault"));
        assert!(message.text(Lang::Ja).contains("vault"));
        assert_ne!(message.text(Lang::En), message.text(Lang::Ja));
    }
}
