//! What lies before the committee, by its first line: a processing profile, or the order for one of the two lists that attach public
//! databases to a linkable data set.

use anonymity::Profile;
use governance::application::{Application, Digest, Item};
use ledger::PartyKind;
use messages::Message;
use serde::Deserialize;
use terms::{DatasetId, RecipientId, ReleaseKind};

use super::plan::release_kind;
use crate::error::Error;

/// Format of an order for the list that a body is asked by.
const QUERY: &str = "azekura-linkage-query/1";
/// Format of an order for the list of keys that came back.
const KEYS: &str = "azekura-linkage-keys/1";

/// The one table of each list.
pub(super) const QUERY_TABLE: &str = "linkage_query";
pub(super) const KEYS_TABLE: &str = "linkage_keys";

/// What is to be made.
pub(super) enum Order {
    /// Tables, treated.
    Tables(Box<Profile>),
    /// Who is in a linkable data set: insurance card, name in kana, birth and sex by provision id.
    Query(Query),
    /// The keys that the body gave, by person id of the linkable data set.
    Keys(Keys),
}

/// Who asks, and for what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    recipient: String,
    project: String,
    purpose: String,
    reason: String,
}

/// What the minister, or who else keeps the public database, decided on the user's application there (control PDB-03).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    database: String,
    number: String,
    date: jiff::civil::Date,
}

/// An order for a query.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// Read before, to know what this is.
    #[serde(rename = "format")]
    _format: String,
    name: String,
    version: String,
    /// The linkable data set.
    pub(super) dataset: DatasetId,
    application: Asked,
    grant: Vec<Grant>,
    /// How the body wants it.
    #[serde(default)]
    pub(super) form: linkage::Form,
}

/// An order for keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    /// Read before, to know what this is.
    #[serde(rename = "format")]
    _format: String,
    name: String,
    version: String,
    /// The query that the body answered.
    pub(super) query: DatasetId,
    application: Asked,
}

/// The line of a text that says what it is.
#[derive(Deserialize)]
struct Format {
    #[serde(default)]
    format: String,
}

fn unreadable(error: &toml::de::Error) -> Error {
    Error::refused(Message::new("anonymity-profile-unreadable").with("reason", error))
}

fn complete(fields: &[(&'static str, &str)]) -> Result<(), Error> {
    match fields.iter().find(|(_, text)| text.trim().is_empty()) {
        Some((what, _)) => Err(Error::refused(Message::new("anonymity-profile-empty").with("what", what))),
        None => Ok(()),
    }
}

impl Order {
    /// Reads an order and holds it to the floor of its kind.
    ///
    /// # Errors
    /// Refusals with line and reason.
    pub(super) fn parse(text: &str) -> Result<Order, Error> {
        let format: Format = toml::from_str(text).map_err(|e| unreadable(&e))?;
        match format.format.as_str() {
            QUERY => {
                let query: Query = toml::from_str(text).map_err(|e| unreadable(&e))?;
                complete(&[("name", &query.name), ("version", &query.version)])?;
                if query.grant.is_empty() {
                    return complete(&[("grant", "")]).map(|()| Order::Query(query));
                }
                for grant in &query.grant {
                    complete(&[("grant.database", &grant.database), ("grant.number", &grant.number)])?;
                    if grant.date > crate::notices::today() {
                        return Err(Error::refused(Message::new("core-keys-grant-future").with("date", grant.date)));
                    }
                }
                Ok(Order::Query(query))
            }
            KEYS => {
                let keys: Keys = toml::from_str(text).map_err(|e| unreadable(&e))?;
                complete(&[("name", &keys.name), ("version", &keys.version)])?;
                Ok(Order::Keys(keys))
            }
            _ => Ok(Order::Tables(Box::new(super::parse_profile(text)?))),
        }
    }

    /// What it is in law.
    pub(super) fn kind(&self) -> ReleaseKind {
        match self {
            Order::Tables(profile) => release_kind(profile.kind),
            Order::Query(_) => ReleaseKind::LinkageQuery,
            Order::Keys(_) => ReleaseKind::LinkageKeys,
        }
    }

    /// The tables that it asks for.
    pub(super) fn tables(&self) -> Vec<String> {
        match self {
            Order::Tables(profile) => profile.tables.keys().cloned().collect(),
            Order::Query(_) => vec![QUERY_TABLE.to_owned()],
            Order::Keys(_) => vec![KEYS_TABLE.to_owned()],
        }
    }

    /// First and last day of the data, where it says.
    pub(super) fn period(&self) -> (Option<jiff::civil::Date>, Option<jiff::civil::Date>) {
        let date = |text: &Option<String>| text.as_deref().and_then(|t| t.parse().ok());
        match self {
            Order::Tables(profile) => (date(&profile.cohort.from), date(&profile.cohort.to)),
            Order::Query(_) | Order::Keys(_) => (None, None),
        }
    }

    /// Its profile, where it is one.
    pub(super) fn profile(&self) -> Option<&Profile> {
        match self {
            Order::Tables(profile) => Some(profile),
            Order::Query(_) | Order::Keys(_) => None,
        }
    }

    /// The data set or list that it goes with.
    pub(super) fn belongs_to(&self) -> Option<DatasetId> {
        match self {
            Order::Tables(_) => None,
            Order::Query(query) => Some(query.dataset),
            Order::Keys(keys) => Some(keys.query),
        }
    }

    /// Who is to get it, as written.
    pub(super) fn recipient(&self) -> &str {
        match self {
            Order::Tables(profile) => &profile.application.recipient,
            Order::Query(query) => &query.application.recipient,
            Order::Keys(keys) => &keys.application.recipient,
        }
    }

    /// What for.
    pub(super) fn purpose(&self) -> &str {
        match self {
            Order::Tables(profile) => &profile.application.purpose,
            Order::Query(query) => &query.application.purpose,
            Order::Keys(keys) => &keys.application.purpose,
        }
    }

    /// The application that it is part of.
    ///
    /// # Errors
    /// A refusal when the recipient's id is malformed.
    pub(super) fn application(&self, dataset: DatasetId, sha256: Digest) -> Result<Application, Error> {
        let written = self.recipient();
        let recipient: RecipientId = written.parse().map_err(|_| {
            Error::refused(Message::new("core-unknown-party").with("kind", receiver(self.kind())).with("id", written))
        })?;
        let (project, items) = match self {
            Order::Tables(profile) => {
                let items = profile.tables.iter().map(|(table, t)| Item { table: table.clone(), reason: t.reason.clone() });
                (profile.application.project.clone(), items.collect())
            }
            Order::Query(Query { application: asked, .. }) | Order::Keys(Keys { application: asked, .. }) => {
                let items = self.tables().into_iter().map(|table| Item { table, reason: asked.reason.clone() });
                (asked.project.clone(), items.collect())
            }
        };
        Ok(Application {
            dataset,
            kind: self.kind(),
            recipient,
            project,
            purpose: self.purpose().to_owned(),
            items,
            profile_sha256: sha256,
        })
    }
}

/// Who may get what: identified lists go to bodies alone, everything else to recipients.
pub(super) const fn receiver(kind: ReleaseKind) -> PartyKind {
    match kind {
        ReleaseKind::LinkageQuery => PartyKind::Body,
        ReleaseKind::Anonymized
        | ReleaseKind::LinkableAnonymized
        | ReleaseKind::Pseudonymized
        | ReleaseKind::NonIdentifying
        | ReleaseKind::LinkageKeys => PartyKind::Recipient,
    }
}
