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
use terms::CanonicalPatientId;

use crate::args::Args;
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
    /// People of the opt-outs whose records were not looked for, as the files are of many people each.
    not_filtered: usize,
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
}

impl Sent {
    /// For machines.
    pub fn to_json(&self) -> serde_json::Value {
        let Sent { finished: Finished { path, manifest, manifest_sha256 }, counts, opt_outs_elsewhere, not_filtered } = self;
        serde_json::json!({
            "ok": true,
            "package": path,
            "provider": manifest.sender,
            "sequence": manifest.sequence,
            "kind": manifest.kind,
            "manifest_sha256": manifest_sha256.iter().map(|b| format!("{b:02x}")).collect::<String>(),
            "payloads": manifest.payloads.len(),
            "people": counts.people.len(),
            "files": counts.files,
            "bytes": counts.bytes,
            "people_opted_out": counts.opted_out.len(),
            "opt_outs_elsewhere": opt_outs_elsewhere,
            "opt_outs_not_filtered": not_filtered,
            "people_not_contacted": counts.not_contacted.len(),
            "files_left_out": counts.files_left_out,
            "files_of_nobody": counts.files_of_nobody,
        })
    }

    /// For people.
    pub fn message(&self) -> Message {
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
        if self.not_filtered > 0 {
            return Some(Message::new("package-send-not-filtered").with("count", self.not_filtered));
        }
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
    let keeper = Doorkeeper::new(contacts, opt_outs.as_deref());
    let of_many = args.kind != terms::SourceKind::Ssmix2;
    let keeper = if of_many { keeper.for_files_of_many() } else { keeper };
    let sent = package(args, &signer, &recipient, &keeper, opt_outs.as_deref())?;
    let not_filtered = if of_many { opt_outs.map_or(0, |o| o.len()) } else { 0 };
    Ok(Sent { not_filtered, ..sent })
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
) -> Result<Sent, Message> {
    let message = |e: PackageError| e.message();
    let mut queue = Queue::new(&args.path, keeper).map_err(message)?;
    // When nobody is left to come, those who said no are told all the same.
    let said_no = opt_outs.is_some_and(|o| !o.is_empty());
    if queue.peek().map_err(message)?.is_none() && !said_no {
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
    while payloads == 0 || queue.peek().map_err(message)?.is_some() {
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
    let counts = queue.end();
    writer.count("patients", counts.people.len() as u64);
    writer.count("files", counts.files);
    writer.count("patients-opted-out", counts.opted_out.len() as u64);
    writer.count("patients-not-contacted", counts.not_contacted.len() as u64);
    writer.count("files-of-nobody", counts.files_of_nobody);
    let finished = writer.finish(signer).map_err(message)?;
    let opt_outs_elsewhere = keeper.opted_out_but(&counts.opted_out);
    Ok(Sent { finished, counts, opt_outs_elsewhere, not_filtered: 0 })
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
    counts: Counts,
    progress: ProgressBar,
}

impl<'a> Queue<'a> {
    fn new(root: &Path, keeper: &'a Doorkeeper) -> Result<Queue<'a>, PackageError> {
        // Drawn on a terminal only.
        let progress = ProgressBar::new_spinner();
        progress.set_style(
            ProgressStyle::with_template("{spinner} {human_pos}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        progress.enable_steady_tick(Duration::from_millis(200));
        Ok(Queue { root: root.to_owned(), walk: Walk::new(root)?, keeper, next: None, counts: Counts::default(), progress })
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
