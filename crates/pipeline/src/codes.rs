//! Refusals that come back from the reading process, as messages of the catalogue.

use messages::Message;
use serde::{Deserialize, Serialize};

/// A refusal as the child says it.
#[derive(Serialize, Deserialize, Clone)]
pub struct Said {
    code: String,
    args: Vec<(String, String)>,
}

impl From<Message> for Said {
    fn from(message: Message) -> Self {
        let args = message.args.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Said { code: message.code.to_owned(), args }
    }
}

/// Arguments that the texts about packages have. None of them can name a person.
const ARGS: &[&str] = &[
    "ordinal", "what", "limit", "number", "found", "bits", "least", "payload", "line", "list", "moment", "reason", "place", "on",
    "wanted",
];

/// The catalogue's own copy of what a child said: codes and arguments that are none are not passed on.
pub(crate) fn message(said: &Said) -> Message {
    let own: &[&str] = &["core-package-list", "core-package-beside"];
    let known = package::CODES.iter().chain(seal::CODES).chain(own).copied().find(|c| *c == said.code);
    let Some(code) = known else { return Message::new("core-package-refused") };
    let args = said.args.iter().filter_map(|(name, value)| Some((ARGS.iter().copied().find(|a| a == name)?, value)));
    args.fold(Message::new(code), |message, (name, value)| message.with(name, value))
}
