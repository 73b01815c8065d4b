use std::io::{self, BufReader, BufWriter, Read, Write};

use formats::ssmix2::{Options, Prescan, Ssmix2Reader};
use formats::{AnyPrescan, AnyReader, Chunk, ForLake, Format, Member, ReadError, Reader as _};
use messages::Message;
use package::PackageError;
use package::tree::{self, Limits};
use seal::Identity;
use terms::SourceKind;

use super::ahead::{Ahead, read_ahead};
use super::{CHUNK, Mode, SUMMARY, Summary, Task};
use crate::error::Error;
use crate::lists;

/// Longest task that is taken: the ids of everybody who is set aside fit.
const TASK_LIMIT: u64 = 256 << 20;

/// Where the records of a payload stand; its lists stand beside it.
const STORAGE: &str = "storage/";

/// Serves as the child: one task from standard input, frames to standard output.
///
/// # Errors
/// When the parent went away or the task is not of the protocol. What is wrong with the payload is in the summary.
pub fn serve(from: impl Read + Send, to: impl Write) -> Result<(), Error> {
    let pipe = || Error::io("talking to the parent");
    let mut from = BufReader::with_capacity(1 << 18, from);
    let mut to = BufWriter::with_capacity(1 << 20, to);
    let mut length = [0u8; 8];
    from.read_exact(&mut length).map_err(pipe())?;
    let length = u64::from_le_bytes(length);
    if length > TASK_LIMIT {
        return Err(Error::Reader("the task is too long".to_owned()));
    }
    let mut task = zeroize::Zeroizing::new(Vec::new());
    (&mut from).take(length).read_to_end(&mut task).map_err(pipe())?;
    let task: Task = serde_json::from_slice(&task).map_err(|_| Error::Reader("the task is not of the protocol".to_owned()))?;
    let identity = Identity::from_pem(task.key.as_bytes(), task.certificate.as_bytes(), None)?;

    let summary = read(&task, &identity, from, &mut to)?;
    let body = serde_json::to_vec(&summary).map_err(|e| Error::Reader(e.to_string()))?;
    to.write_all(&[SUMMARY]).map_err(pipe())?;
    to.write_all(&(body.len() as u64).to_le_bytes()).map_err(pipe())?;
    to.write_all(&body).map_err(pipe())?;
    to.flush().map_err(pipe())
}

/// Why the walk through the archive stopped.
enum Stop {
    /// Something is wrong with the payload.
    Package(PackageError),
    /// The parent went away, or rows could not be encoded.
    Read(ReadError),
    /// A list beside the records cannot be read.
    List,
    /// A file that is neither a record nor one of the two lists: it may be a list of those who said no under another name.
    Beside,
}

impl From<PackageError> for Stop {
    fn from(error: PackageError) -> Self {
        Stop::Package(error)
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        match error {
            // The stream below the reader is the archive: its errors are the package's.
            ReadError::Input { source, .. } => Stop::Package(PackageError::from(source)),
            other => Stop::Read(other),
        }
    }
}

/// The format of a kind of payload that is no SS-MIX2 storage.
fn format_of(kind: SourceKind) -> Option<Format> {
    match kind {
        SourceKind::Ssmix2 => None,
        SourceKind::Fhir => Some(Format::Fhir),
        SourceKind::Dpc => Some(Format::Dpc),
        SourceKind::Receipt => Some(Format::Receipt),
        SourceKind::Checkup => Some(Format::Checkup),
    }
}

fn read(task: &Task, identity: &Identity, mut cipher: impl Read + Send, to: &mut dyn Write) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    let read = match format_of(task.kind) {
        None => opened(task, task.mode, identity, cipher, |plain| walk(task, plain, to, &mut summary)),
        Some(format) => {
            let mut prescan = AnyPrescan::for_lake(format, &for_lake(task));
            let first = (&mut cipher).take(task.entry.cipher_size);
            let scanned = match task.is_read_twice() {
                true => opened(task, task.mode, identity, first, |plain| scan(task, plain, &mut prescan)),
                false => Ok(()),
            };
            let mode = if task.is_read_twice() { Mode::Read } else { task.mode };
            scanned.and_then(|()| {
                opened(task, mode, identity, cipher, |plain| match task.mode {
                    Mode::Check => look(task, format, prescan, plain, &mut summary),
                    Mode::Read => rows(task, format, prescan, plain, to, &mut summary),
                })
            })
        }
    };
    match read {
        Ok(()) => {}
        Err(Stop::Package(error)) => summary.refused = Some(error.message().into()),
        Err(Stop::Beside) => summary.refused = Some(Message::new("core-package-beside").into()),
        Err(Stop::List) => summary.refused = Some(Message::new("core-package-list").into()),
        Err(Stop::Read(error)) => return Err(Error::Reader(error.to_string())),
    }
    Ok(summary)
}

fn opened(
    task: &Task,
    mode: Mode,
    identity: &Identity,
    cipher: impl Read + Send,
    work: impl FnOnce(&mut Ahead) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let opened = match mode {
        Mode::Check => package::payload_stream(cipher, &task.entry, identity),
        Mode::Read => package::payload_stream_again(cipher, &task.entry, identity),
    };
    read_ahead(opened?, work)
}

/// The files of a payload of one of the formats in which a file is of many people, and to its end: nothing counts before tag, sizes and hashes
/// hold. The two lists beside them go to `lists`.
fn members(
    task: &Task,
    mut plain: &mut Ahead,
    lists: &mut dyn FnMut(&str, &mut dyn Read) -> Result<(), Stop>,
    take: &mut dyn FnMut(Member<'_>) -> Result<(), ReadError>,
) -> Result<(), Stop> {
    tree::walk_tar(&mut plain, &Limits::default(), &mut |member: tree::Member<'_>| -> Result<(), Stop> {
        let Some(path) = member.path.strip_prefix(STORAGE) else {
            return lists(member.path, member.content);
        };
        if package::lists::is_called_a_list(path) {
            return Err(Stop::Beside);
        }
        let tree::Member { ordinal, size, .. } = member;
        Ok(take(Member { path, payload: task.payload, ordinal, size, content: member.content })?)
    })?;
    io::copy(&mut plain, &mut io::sink()).map_err(PackageError::from)?;
    Ok(())
}

/// The first of two passes.
fn scan(task: &Task, plain: &mut Ahead, prescan: &mut AnyPrescan) -> Result<(), Stop> {
    members(task, plain, &mut |path, content| list(Mode::Read, path, content, &mut Summary::default()), &mut |member| {
        prescan.member(member)
    })
}

/// Rows that wait in the reader before they are given back.
const CHUNK_ROWS: usize = 50_000;

fn for_lake(task: &Task) -> ForLake<'_> {
    ForLake { institution: &task.provider, rule: task.rule, chunk_rows: CHUNK_ROWS }
}

/// The second pass.
fn rows(
    task: &Task,
    format: Format,
    prescan: AnyPrescan,
    plain: &mut Ahead,
    to: &mut dyn Write,
    summary: &mut Summary,
) -> Result<(), Stop> {
    let mut reader = AnyReader::for_lake(format, prescan, &for_lake(task));
    let mut emit = |chunk: Chunk| -> Result<(), ReadError> {
        to.write_all(&[CHUNK])?;
        chunk.write_ipc(to)
    };
    let (mut count, mut bytes) = (0, 0);
    members(task, plain, &mut |path, content| list(Mode::Read, path, content, &mut Summary::default()), &mut |member| {
        count += 1;
        bytes += member.size;
        reader.member(member, &mut emit)
    })?;
    (summary.members, summary.bytes) = (count, bytes);
    Ok(reader.finish(&mut emit)?)
}

/// A look at everything: whose it is, without keeping a row.
fn look(task: &Task, format: Format, prescan: AnyPrescan, plain: &mut Ahead, summary: &mut Summary) -> Result<(), Stop> {
    let mut reader = AnyReader::for_lake(format, prescan, &for_lake(task));
    let mut people = std::collections::BTreeSet::new();
    let mut note = |chunk: Chunk| -> Result<(), ReadError> {
        people.extend(chunk.patients.into_iter().map(|p| p.local_id));
        Ok(())
    };
    let (mut count, mut bytes) = (0, 0);
    members(task, plain, &mut |path, content| list(Mode::Check, path, content, summary), &mut |member| {
        count += 1;
        bytes += member.size;
        reader.member(member, &mut note)
    })?;
    reader.finish(&mut note)?;
    summary.members += count;
    summary.bytes += bytes;
    summary.patients.extend(people);
    Ok(())
}

fn walk(task: &Task, mut plain: &mut Ahead, to: &mut dyn Write, summary: &mut Summary) -> Result<(), Stop> {
    let mut prescan = Prescan::new(task.rule);
    let mut reader = Ssmix2Reader::new(Options {
        chunk_bytes: task.chunk_bytes,
        set_aside: task.set_aside.iter().cloned().collect(),
        patient_id_rule: task.rule,
        ..Options::default()
    });
    let mut emit = |chunk: Chunk| -> Result<(), ReadError> {
        to.write_all(&[CHUNK])?;
        chunk.write_ipc(to)
    };
    let mut last = String::new();
    tree::walk_tar(&mut plain, &Limits::default(), &mut |member: tree::Member<'_>| -> Result<(), Stop> {
        summary.bytes += member.size;
        let Some(path) = member.path.strip_prefix(STORAGE) else {
            return list(task.mode, member.path, member.content, summary);
        };
        if package::lists::may_be_a_list(path) {
            return Err(Stop::Beside);
        }
        summary.members += 1;
        let file = Member { path, payload: task.payload, ordinal: member.ordinal, size: member.size, content: member.content };
        match task.mode {
            Mode::Read => reader.member(file, &mut emit)?,
            Mode::Check => {
                if let Some(patient) = formats::ssmix2::patient_of(path)
                    && patient != last
                {
                    // Noted each time the files of another patient begin: twice for one is twice in the list.
                    summary.patients.push(patient.to_owned());
                    last.clear();
                    last.push_str(patient);
                }
                prescan.member(file)?;
            }
        }
        Ok(())
    })?;
    // Nothing counts before the end of the stream says that tag, sizes and hashes hold.
    io::copy(&mut plain, &mut io::sink()).map_err(PackageError::from)?;
    match task.mode {
        Mode::Check => summary.set_aside.extend(prescan.finish()),
        Mode::Read => reader.finish(&mut emit)?,
    }
    Ok(())
}

/// The two lists beside the records. Nothing else may be there.
fn list(mode: Mode, path: &str, content: &mut dyn Read, summary: &mut Summary) -> Result<(), Stop> {
    match path {
        _ if !matches!(path, "contacts.csv" | "opt-outs.csv") => return Err(Stop::Beside),
        _ if mode == Mode::Read => {}
        "contacts.csv" => {
            let (lines, bad) = lists::contacts(content).map_err(|_| Stop::List)?;
            summary.contacts.extend(lines);
            summary.bad_contacts += bad.lines;
        }
        "opt-outs.csv" => {
            let (lines, bad) = lists::opt_outs(content).map_err(|_| Stop::List)?;
            summary.opt_outs.extend(lines);
            summary.bad_opt_outs += bad.lines;
        }
        _ => {}
    }
    Ok(())
}
