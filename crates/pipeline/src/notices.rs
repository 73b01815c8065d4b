//! Notices to individuals, and the contacts from which each person's waiting period runs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use governance::notice::{self, ContactKind, WaitDays};
use jiff::civil::Date;
use ledger::{Contact, Reader};
use messages::Message;
use serde::Serialize;
use terms::{NoticeScope, ProviderId};

use crate::Instance;
use crate::error::Error;
use crate::lists::Bad;
use crate::patients::Patients;
use crate::reading::ContactLine;

/// A notice to record.
pub struct New {
    /// Who notifies.
    pub provider: ProviderId,
    /// What the notice covers.
    pub scopes: Vec<NoticeScope>,
    /// Since when.
    pub from: Date,
    /// List of contacts (CSV: patient,date,addressee,method).
    pub contacts: Option<PathBuf>,
}

/// What was recorded.
#[derive(Debug, Serialize)]
pub struct Added {
    /// Id of the notice.
    pub notice: String,
    /// Contacts that were new.
    pub contacts: u64,
    /// Lines of the list that could not be read; the rest is recorded.
    pub bad_lines: u64,
    /// The first of these, from 1.
    pub bad_at: Vec<u64>,
}

/// Records a notice and the contacts since. What is recorded already is not recorded twice.
///
/// # Errors
/// A refusal when the provider is not registered; when the list cannot be opened.
pub async fn add(instance: &Instance, new: New) -> Result<Added, Error> {
    let mut lines = Vec::new();
    let mut bad = Bad::default();
    if let Some(path) = &new.contacts {
        let file = std::fs::File::open(path).map_err(Error::io(path.display().to_string()))?;
        (lines, bad) = crate::lists::contacts(file).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => Error::refused(
                Message::new("core-list-columns").with("path", path.display()).with("columns", "patient,date,addressee,method"),
            ),
            _ => Error::io(path.display().to_string())(error),
        })?;
    }
    let patients = Patients::of(instance, &mut instance.ledger.read().await?, &new.provider).await?;
    let (contacts, unusable) = usable(&patients, &lines)?;
    unusable.into_iter().for_each(|line| bad.add(line));
    bad.at.sort_unstable();
    let mut tx = instance.ledger.begin(&instance.actor, "record a notice").await?;
    // A command that is repeated, because nobody saw how it ended, says the same once more.
    let scopes: BTreeSet<NoticeScope> = new.scopes.iter().copied().collect();
    let same = |n: &ledger::Notice| n.from == new.from && n.scopes.iter().copied().collect::<BTreeSet<_>>() == scopes;
    let before = tx.read().notices(&new.provider).await?.into_iter().find(same);
    let known = before.is_some();
    let notice = match before {
        Some(before) => before,
        None => tx.add_notice(&new.provider, &new.scopes, new.from).await?,
    };
    let added = tx.add_contacts(&new.provider, &contacts).await?;
    if known && added == 0 {
        drop(tx);
    } else {
        tx.commit().await?;
    }
    Ok(Added { notice: notice.id, contacts: added, bad_lines: bad.lines, bad_at: bad.at })
}

/// Lines of a contact list as the ledger takes them, and which it cannot take.
pub(crate) fn usable(patients: &Patients, lines: &[ContactLine]) -> Result<(Vec<Contact>, Vec<u64>), Error> {
    let mut contacts = Vec::with_capacity(lines.len());
    let mut bad = Vec::new();
    for line in lines {
        match (patients.hash(&line.patient)?, line.date.parse()) {
            (Some(patient), Ok(date)) => {
                contacts.push(Contact { patient, date, method: line.method.clone(), addressee: line.addressee.clone() });
            }
            _ => bad.push(line.line),
        }
    }
    Ok((contacts, bad))
}

/// Everything that decides whether a provider's patients may come in today.
pub(crate) struct Gate {
    notices: Vec<notice::Notice>,
    contacts: std::collections::HashMap<ledger::PatientHmac, Vec<Contact>>,
    opt_outs: std::collections::HashMap<ledger::PatientHmac, Vec<(governance::opt_out::OptOutState, BTreeSet<NoticeScope>)>>,
    wait: WaitDays,
    today: Date,
}

impl Gate {
    /// The gate of a provider, as of `today`.
    pub(crate) async fn of(instance: &Instance, reader: &mut Reader, provider: &ProviderId, today: Date) -> Result<Gate, Error> {
        let settings = &instance.config.notice;
        let basis = Some(settings.shorter_wait_basis.as_str()).filter(|b| !b.trim().is_empty());
        let days = u16::try_from(settings.wait_days).unwrap_or(u16::MAX);
        let wait = WaitDays::new(days, basis).map_err(|r| Error::refused(r.message()))?;
        let notices = reader.notices(provider).await?;
        let notices =
            notices.into_iter().map(|n| notice::Notice { scopes: n.scopes.into_iter().collect(), from: n.from }).collect();
        let mut opt_outs: std::collections::HashMap<_, Vec<_>> = std::collections::HashMap::new();
        for one in reader.opt_outs().await?.into_iter().filter(|o| &o.provider == provider) {
            let state = governance::opt_out::OptOutState::by_name(one.state.as_str())
                .ok_or_else(|| Error::Inconsistent("an opt-out is in a state that governance does not know".to_owned()))?;
            opt_outs.entry(one.patient).or_default().push((state, one.scopes.into_iter().collect()));
        }
        Ok(Gate { notices, contacts: reader.contacts(provider).await?, opt_outs, wait, today })
    }

    /// Under which scopes a patient's data may come in.
    ///
    /// # Errors
    /// The reason when under none.
    pub(crate) fn admit(&self, patient: &ledger::PatientHmac) -> Result<BTreeSet<NoticeScope>, governance::Refusal> {
        let contacts: Vec<notice::Contact> = self
            .contacts
            .get(patient)
            .into_iter()
            .flatten()
            .map(|c| notice::Contact { date: c.date, kind: ContactKind::from_method(&c.method), scopes: None })
            .collect();
        let stops = self.opt_outs.get(patient).map_or(&[][..], Vec::as_slice);
        governance::admission::admit(&self.notices, &contacts, self.wait, self.today, stops)
    }
}

/// The day it is in Japan.
pub fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(9))).date()
}
