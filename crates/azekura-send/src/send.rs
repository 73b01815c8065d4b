//! From a tree to a package.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use messages::Message;
use package::lists::{self, OptOut};
use package::tree::{Found, TarWriter, Walk};
use package::{Draft, Finished, PackageError, Purpose, Writer};
use seal::{Certificate, Identity, Passphrase, SealError};
use terms::{CanonicalPatientId, PatientIdRule, SourceKind};

use crate::also;
use crate::args::Args;
use crate::many::{Filtered, format_of};
use crate::people::{Doorkeeper, Verdict, named_by};

/// Where the tree stands in the archive.
const STORAGE: &str = "storage";

/// What a payload may hold before another begins: with the files of the patient that it ends with it stays under the 32 GiB that
/// a payload may have.
pub const MOST_BYTES: u64 = 24 << 30;

/// What was sent, and what stayed at home.
pub struct Sent {
    finished: Finished,
    counts: Counts,
    /// People of the opt-outs of whom no file was met: a wrong id, or a patient who has nothing here.
    opt_outs_elsewhere: usize,
    /// Whether what is in files of many people was looked through.
    of_many: bool,
}

#[derive(Default)]
struct Counts {
    people: HashSet<CanonicalPatientId>,
    opted_out: HashSet<CanonicalPatientId>,
    not_contacted: HashSet<CanonicalPatientId>,
    files: u64,
    bytes: u64,
    files_left_out: u64,
    files_of_nobody: u64,
    records_left_out: u64,
}

impl Sent {
    /// For machines.
    pub fn to_json(&self) -> serde_json::Value {
        let Sent { finished: Finished { path, manifest, manifest_sha256 }, counts, opt_outs_elsewhere, .. } = self;
        serde_json::json!({
            "ok": true,
            "package": path,
            "provider": manifest.sender,
            "sequence": manifest.sequence,
            "kind": manifest.kind,
            "manifest_sha256": manifest_sha256.iter().map(|b| format!("{b:02x}")).collect::<String>(),
            "payloads": manifest.payloads.len(),
            "people": (manifest.kind == SourceKind::Ssmix2.to_string()).then_some(counts.people.len()),
            "files": counts.files,
            "bytes": counts.bytes,
            "people_opted_out": counts.opted_out.len(),
            "opt_outs_elsewhere": opt_outs_elsewhere,
            "records_left_out": counts.records_left_out,
            "people_not_contacted": counts.not_contacted.len(),
            "files_left_out": counts.files_left_out,
            "files_of_nobody": counts.files_of_nobody,
        })
    }

    /// For people.
    pub fn message(&self) -> Message {
        if self.of_many {
            return Message::new("package-send-filtered")
                .with("path", self.finished.path.display())
                .with("files", self.counts.files)
                .with("bytes", self.counts.bytes)
                .with("opted-out", self.counts.opted_out.len())
                .with("records", self.counts.records_left_out)
                .with("files-left-out", self.counts.files_left_out);
        }
        Message::new("package-send-done")
            .with("path", self.finished.path.display())
            .with("people", self.counts.people.len())
            .with("files", self.counts.files)
            .with("bytes", self.counts.bytes)
            .with("opted-out", self.counts.opted_out.len())
            .with("not-contacted", self.counts.not_contacted.len())
            .with("of-nobody", self.counts.files_of_nobody)
    }

    /// What somebody should look at.
    pub fn warning(&self) -> Option<Message> {
        let count = self.opt_outs_elsewhere;
        (count > 0).then(|| Message::new("package-send-opt-outs-elsewhere").with("count", count))
    }
}

/// Makes the package.
///
/// # Errors
/// The reason of the refusal; nothing is left behind then.
pub fn send(args: &Args) -> Result<Sent, Message> {
    let (signer, recipient) = keys(args).map_err(|e| PackageError::from(e).message())?;
    if inside(&args.out, &args.path) {
        return Err(Message::new("package-send-out-inside").with("path", args.out.display()));
    }
    let opt_outs = list(args.opt_outs.as_deref(), lists::read_opt_outs)?;
    let contacts = list(args.contacts.as_deref(), lists::read_contacts)?;
    let format = format_of(args.kind);
    // An insurer's people have no numbers of its own, an institution's have: taken for the other, nobody of a list would be found.
    let is_institution = args.provider.as_str().len() == 10 && args.provider.as_str().bytes().all(|b| b.is_ascii_digit());
    if format.is_some() && is_institution == args.insurer {
        let code = if args.insurer { "package-send-no-insurer" } else { "package-send-no-institution" };
        return Err(Message::new(code).with("provider", &args.provider));
    }
    if args.insurer {
        insured(args, opt_outs.as_deref())?;
    }
    let opt_outs = match opt_outs.filter(|list| !list.is_empty()) {
        Some(mut list) => {
            let rule = if args.insurer { PatientIdRule::Insured } else { PatientIdRule::Digits };
            let more = match format {
                Some(format) => also::in_files_of_many(&args.path, format, &args.provider, rule, &list)?,
                None => also::in_storage(&args.path, &list)?,
            };
            list.extend(more);
            Some(list)
        }
        none => none,
    };
    let keeper = Doorkeeper::new(contacts, opt_outs.as_deref());
    let keeper = if format.is_some() { keeper.for_files_of_many() } else { keeper };
    let filtered = match format.filter(|_| !keeper.opted_out().is_empty()) {
        Some(format) => {
            let rule = if args.insurer { PatientIdRule::Insured } else { PatientIdRule::Digits };
            let is_list = |path: &Path| lists::is_called_a_list(&path.to_string_lossy());
            Some(Filtered::of(&args.path, format, &args.provider, rule, keeper.opted_out().clone(), &is_list)?)
        }
        None => None,
    };
    package(args, &signer, &recipient, &keeper, opt_outs.as_deref(), filtered)
}

/// An insurer's people have no number: under one that stands in the list nobody would be found.
fn insured(args: &Args, opt_outs: Option<&[OptOut]>) -> Result<(), Message> {
    let wrong = opt_outs.unwrap_or_default().iter().position(|o| PatientIdRule::Insured.canonical(&o.patient).is_err());
    let Some(at) = wrong else { return Ok(()) };
    let list = args.opt_outs.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    Err(PackageError::ListMalformed { list, line: at as u64 + 2, what: "insured" }.message())
}

fn keys(args: &Args) -> Result<(Identity, Certificate), SealError> {
    let passphrase = args.key_passphrase_file.as_deref().map(Passphrase::from_file).transpose()?;
    let signer = Identity::from_files(&args.key, &args.cert, passphrase.as_ref())?;
    signer.certificate().check_signing_key()?;
    signer.certificate().check_period(Timestamp::now())?;
    Ok((signer, Certificate::from_file(&args.to)?))
}

/// Whether a package made in `out` would be part of the tree that is sent.
fn inside(out: &Path, tree: &Path) -> bool {
    let Ok(tree) = tree.canonicalize() else { return false };
    let Ok(out) = std::path::absolute(out) else { return false };
    out.ancestors().find_map(|dir| dir.canonicalize().ok()).is_some_and(|existing| existing.starts_with(tree))
}

fn list<T>(path: Option<&Path>, read: impl Fn(&str, File) -> Result<Vec<T>, PackageError>) -> Result<Option<Vec<T>>, Message> {
    let Some(path) = path else { return Ok(None) };
    let file = File::open(path).map_err(|source| PackageError::File { path: path.to_owned(), source }.message())?;
    read(&path.display().to_string(), file).map(Some).map_err(|e| e.message())
}

fn package(
    args: &Args,
    signer: &Identity,
    recipient: &Certificate,
    keeper: &Doorkeeper,
    opt_outs: Option<&[OptOut]>,
    filtered: Option<Filtered>,
) -> Result<Sent, Message> {
    let message = |e: PackageError| e.message();
    let of_many = filtered.is_some();
    let mut queue = Queue::new(&args.path, keeper, filtered).map_err(message)?;
    // When nobody is left to come, those who said no are told all the same.
    let said_no = opt_outs.is_some_and(|o| !o.is_empty());
    if !queue.has_more().map_err(message)? && !said_no {
        let left_out = queue.counts.files_left_out + queue.counts.files_of_nobody;
        return Err(match left_out {
            0 => PackageError::Empty.message(),
            files => Message::new("package-send-all-left-out").with("files", files),
        });
    }
    let draft = Draft {
        purpose: Purpose::Provision,
        sender: args.provider.to_string(),
        sequence: args.sequence,
        kind: args.kind.to_string(),
        period: args.period,
        dataset: None,
    };
    let name = format!("{}-{:06}", args.provider, args.sequence);
    let mut writer = Writer::create(&args.out, &name, draft, recipient).map_err(message)?;
    let mut payloads = 0;
    while payloads == 0 || queue.has_more().map_err(message)? {
        let payload = |w: &mut dyn Write| -> Result<(), PackageError> {
            let mut tar = TarWriter::new(w);
            if payloads == 0 {
                add_lists(&mut tar, &args.path, keeper, opt_outs)?;
            }
            queue.fill(&mut tar, enough(args.payload_bytes, payloads))?;
            tar.finish().map(drop)
        };
        writer.add_payload(payload).map_err(message)?;
        payloads += 1;
    }
    let mut counts = queue.end();
    counts.opted_out = keeper.persons(&counts.opted_out);
    // Of files of many people nobody counted who is in them.
    if format_of(args.kind).is_none() {
        writer.count("patients", counts.people.len() as u64);
    }
    writer.count("files", counts.files);
    writer.count("patients-opted-out", counts.opted_out.len() as u64);
    writer.count("patients-not-contacted", counts.not_contacted.len() as u64);
    writer.count("files-of-nobody", counts.files_of_nobody);
    // Whether all that is sent was held against a list of those who said no.
    let held_against = if format_of(args.kind).is_some() { of_many } else { opt_outs.is_some() };
    writer.count(package::FILTERED, u64::from(held_against));
    writer.count("records-left-out", counts.records_left_out);
    writer.count("files-left-out", counts.files_left_out);
    let finished = writer.finish(signer).map_err(message)?;
    let opt_outs_elsewhere = keeper.opted_out_but(&counts.opted_out);
    Ok(Sent { finished, counts, opt_outs_elsewhere, of_many })
}

/// How many bytes the next payload holds before another begins: a package has at most 9,999 payloads, so twice as many after
/// each thousand, up to the most that is safely under what a payload may hold.
fn enough(wanted: u64, payloads: u32) -> u64 {
    wanted.saturating_mul(1 << (payloads / 1_000).min(32)).min(MOST_BYTES)
}

/// The lists go first: whoever reads the archive knows who may come before the first of them comes.
fn add_lists(
    tar: &mut TarWriter<&mut dyn Write>,
    root: &Path,
    keeper: &Doorkeeper,
    opt_outs: Option<&[OptOut]>,
) -> Result<(), PackageError> {
    if let Some(contacts) = keeper.contacts_of(root)? {
        let mut csv = Vec::new();
        lists::write_contacts(&mut csv, &contacts)?;
        tar.add_bytes(Path::new(lists::CONTACTS), &csv)?;
    }
    if let Some(opt_outs) = opt_outs {
        let mut csv = Vec::new();
        lists::write_opt_outs(&mut csv, opt_outs)?;
        tar.add_bytes(Path::new(lists::OPT_OUTS), &csv)?;
    }
    Ok(())
}

/// A file that is sent.
struct Wanted {
    found: Found,
    people: BTreeSet<CanonicalPatientId>,
}

/// The files of the tree that are sent, in order.
struct Queue<'a> {
    root: PathBuf,
    walk: Walk,
    keeper: &'a Doorkeeper,
    next: Option<Wanted>,
    /// What is left of files of many people: they are not walked through once more.
    filtered: Option<Filtered>,
    counts: Counts,
    progress: ProgressBar,
}

impl<'a> Queue<'a> {
    fn new(root: &Path, keeper: &'a Doorkeeper, filtered: Option<Filtered>) -> Result<Queue<'a>, PackageError> {
        // Drawn on a terminal only.
        let progress = ProgressBar::new_spinner();
        progress.set_style(
            ProgressStyle::with_template("{spinner} {human_pos}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        progress.enable_steady_tick(Duration::from_millis(200));
        let mut counts = Counts::default();
        if let Some(filtered) = &filtered {
            counts.opted_out.extend(filtered.met().iter().cloned());
            (counts.records_left_out, counts.files_left_out) = (filtered.records_left_out, filtered.files_left_out);
        }
        Ok(Queue { root: root.to_owned(), walk: Walk::new(root)?, keeper, next: None, filtered, counts, progress })
    }

    /// Whether there is anything more to send.
    fn has_more(&mut self) -> Result<bool, PackageError> {
        match &self.filtered {
            Some(filtered) => Ok(!filtered.is_empty()),
            None => Ok(self.peek()?.is_some()),
        }
    }

    fn peek(&mut self) -> Result<Option<&Wanted>, PackageError> {
        while self.next.is_none() {
            let Some(found) = self.walk.next() else { return Ok(None) };
            let found = found?;
            // The producer would refuse the whole package for it.
            let path = found.path.to_string_lossy();
            let is_list =
                if self.keeper.is_for_files_of_many() { lists::is_called_a_list(&path) } else { lists::may_be_a_list(&path) };
            if is_list {
                return Err(PackageError::TreeList { root: self.root.clone() });
            }
            let people = named_by(&found.path);
            match self.keeper.judge(&people) {
                Verdict::Send => self.next = Some(Wanted { found, people }),
                Verdict::OptedOut => {
                    self.counts.files_left_out += 1;
                    self.counts.opted_out.extend(people);
                }
                Verdict::NotContacted => {
                    self.counts.files_left_out += 1;
                    self.counts.not_contacted.extend(people);
                }
                Verdict::OfNobody => self.counts.files_of_nobody += 1,
            }
        }
        Ok(self.next.as_ref())
    }

    /// Takes files into an archive until it holds enough and the next file is of somebody else.
    fn fill(&mut self, tar: &mut TarWriter<&mut dyn Write>, enough: u64) -> Result<(), PackageError> {
        if let Some(filtered) = &mut self.filtered {
            let (files, bytes) = filtered.fill(Path::new(STORAGE), tar)?;
            self.counts.files += files;
            self.counts.bytes += bytes;
            return Ok(());
        }
        let mut before: Option<BTreeSet<CanonicalPatientId>> = None;
        let begin = tar.files();
        while let Some(wanted) = self.peek()? {
            let another = before.as_ref().is_some_and(|people| *people != wanted.people);
            if another && tar.bytes() >= enough && tar.files() > begin {
                return Ok(());
            }
            let Some(Wanted { found, people }) = self.next.take() else { return Ok(()) };
            tar.add_found(&PathBuf::from(STORAGE).join(&found.path), &found)?;
            self.counts.files += 1;
            self.counts.bytes += found.size;
            self.progress.inc(1);
            if before.as_ref() != Some(&people) {
                self.counts.people.extend(people.iter().cloned());
                before = Some(people);
            }
        }
        Ok(())
    }

    fn end(self) -> Counts {
        self.progress.finish_and_clear();
        self.counts
    }
}
