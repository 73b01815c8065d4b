//! The catalogue of an instance: who there is, what was told to whom, who said no, which packages came, which sealed files
//! there are under which wrapped keys, which records they are about, and how far each data set is. Its asset rows are the
//! asset ledger (資産台帳) of the guidelines.
//!
//! One SQLite file under SQLCipher. [`Ledger::begin`] takes an actor and a purpose and gives a [`Tx`]; every function of it
//! that changes a row emits the typed [`Event`] that says so, with the row's SHA-256, and all of it, with the journal's tree
//! and a signed checkpoint, is one transaction of the database. [`Ledger::read`] gives a [`Reader`]: one whole snapshot.
//!
//! * ground: `open` (connections, settings, migrations, one writer), `tx`, `reader`, `event`, `row` (columns and digests), `words` (states)
//! * areas: `parties`, `notices`, `opt_outs`, `records`, `packages`, `assets`, `versions`, `linkage`, `datasets`, `outbox`, `settings`
//! * journal: `log`, `history`, `verify` ([`Ledger::verify`]), `prove` ([`Ledger::prove`], [`Ledger::export`]), `integrity` ([`Ledger::integrity`])
//!
//! Invariants: no change without an event; no personal data in an event (ids, keyed hashes, counts); knows neither formats nor HTTP.
//! Which step may follow which is governance's: the ledger only refuses a step whose beginning is not the present state.

mod assets;
mod datasets;
mod error;
mod event;
mod history;
mod integrity;
mod linkage;
mod log;
mod marks;
mod notices;
mod open;
mod opt_outs;
mod outbox;
mod packages;
mod parties;
mod prove;
mod reader;
mod records;
mod row;
mod settings;
mod standing;
mod tx;
mod verify;
mod versions;
mod words;

pub use assets::{Asset, AssetFilter, Custody, NewAsset};
pub use datasets::{Approval, Build, Dataset, NewDataset, Review};
pub use error::{CODES, LedgerError};
pub use event::{Actor, Counts, Entry, Event};
pub use integrity::{Discrepancy, Integrity};
pub use linkage::{LinkageRun, LinkageWord};
pub use notices::{Contact, Notice};
pub use open::{Ledger, Mode, check_purpose};
pub use opt_outs::{Blocked, NewOptOut, OptOut};
pub use outbox::OutboxRow;
pub use packages::{NewPackage, Package};
pub use parties::{FormerCertificate, NewParty, Party};
pub use prove::Proof;
pub use reader::Reader;
pub use records::RecordHold;
pub use row::{BatchMark, Hex32, PatientHmac, RowMark};
pub use standing::Standing;
pub use tx::{Committed, Tx};
pub use verify::{JournalFault, Verification};
pub use words::{
    AssetState, ClerkSays, DatasetState, OptOutState, OutboxState, PackageState, PartyKind, PartyStatus, ReviewDecision,
};
