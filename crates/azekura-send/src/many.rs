//! Files of many people (FHIR, DPC, claims, checkups) without those who said no: `formats::without` says whose a record is.
//!
//! A file goes into the archive after its size, so each is read twice: once to know what is left of it, once to write that. Nothing of it
//! rests anywhere in between.

use std::collections::HashSet;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use formats::Format;
use formats::without::{Kept, Without, WithoutError};
use messages::Message;
use package::PackageError;
use package::tree::{Found, TarWriter, Walk};
use terms::{CanonicalPatientId, PatientIdRule, ProviderId, SourceKind};

/// What is left of a tree.
pub struct Filtered {
    without: Without,
    files: std::vec::IntoIter<Rest>,
    /// Lines, claims, resources, documents or records that are left out.
    pub records_left_out: u64,
    /// Files of which nothing is left.
    pub files_left_out: u64,
}

/// A file of which something is left.
struct Rest {
    found: Found,
    size: u64,
}

/// Counts bytes.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The refusal. A file of many people is named by its path; one that can be of a single person, whose name can be in the path, by its number.
fn refusal(error: WithoutError, number: usize) -> Message {
    match error {
        WithoutError::Nobodys { path, line, why } => {
            let lower = path.to_ascii_lowercase();
            let file = match lower.find(".zip/") {
                Some(at) => path[..at + 4].to_owned(),
                None if [".json", ".xml"].iter().any(|end| lower.ends_with(end)) => format!("#{number}"),
                None => path,
            };
            Message::new("package-send-nobodys").with("file", file).with("line", line).with("why", why)
        }
        WithoutError::Io(error) => PackageError::from(error).message(),
    }
}

/// The format of a kind whose files are of many people.
pub fn format_of(kind: SourceKind) -> Option<Format> {
    match kind {
        SourceKind::Ssmix2 => None,
        SourceKind::Fhir => Some(Format::Fhir),
        SourceKind::Dpc => Some(Format::Dpc),
        SourceKind::Receipt => Some(Format::Receipt),
        SourceKind::Checkup => Some(Format::Checkup),
    }
}

impl Filtered {
    /// Looks through a tree for those who said no.
    ///
    /// # Errors
    /// The refusal: something that nobody can be named for, with its file and line; as of reading.
    pub fn of(
        root: &Path,
        format: Format,
        provider: &ProviderId,
        rule: PatientIdRule,
        said_no: HashSet<CanonicalPatientId>,
        is_list: &dyn Fn(&Path) -> bool,
    ) -> Result<Filtered, Message> {
        let message = |e: PackageError| e.message();
        let mut without = Without::new(format, provider.as_str(), rule, said_no);
        let mut found = Vec::new();
        for one in Walk::new(root).map_err(message)? {
            let one = one.map_err(message)?;
            if is_list(&one.path) {
                return Err(PackageError::TreeList { root: root.to_owned() }.message());
            }
            found.push(one);
        }
        for look in 0..without.looks() {
            for (number, one) in (1..).zip(&found) {
                let mut file = one.open().map_err(message)?;
                let path = one.path.to_string_lossy();
                without.look(look, &path, &mut file).map_err(|e| refusal(e, number))?;
            }
        }
        let (mut files, mut records_left_out, mut files_left_out, mut people) = (Vec::new(), 0, 0, false);
        for (number, one) in (1..).zip(found) {
            let mut file = one.open().map_err(message)?;
            let mut counted = Counted(0);
            let kept = without.write(&one.path.to_string_lossy(), &mut file, &mut counted).map_err(|e| refusal(e, number))?;
            let Kept { left_out, people: somebody, others } = kept;
            records_left_out += left_out;
            people |= somebody;
            // Headings and totals alone are no file: nobody is in it any more.
            if left_out > 0 && !somebody && !others {
                files_left_out += 1;
            } else {
                files.push(Rest { found: one, size: counted.0 });
            }
        }
        // With nobody left, what goes is the list alone: the producer takes no package in that nobody is in.
        if records_left_out > 0 && !people {
            files_left_out += files.len() as u64;
            files.clear();
        }
        Ok(Filtered { without, files: files.into_iter(), records_left_out, files_left_out })
    }

    /// Whether nothing is left to be sent.
    pub fn is_empty(&self) -> bool {
        self.files.as_slice().is_empty()
    }

    /// Those of whom something was left out.
    pub fn met(&self) -> &HashSet<CanonicalPatientId> {
        self.without.met()
    }

    /// Takes what is left into an archive; gives the number of files and their bytes.
    ///
    /// # Errors
    /// [`PackageError::TreeChanged`] when a file is not what it was, or as of reading and writing.
    pub fn fill(&mut self, root: &Path, tar: &mut TarWriter<&mut dyn Write>) -> Result<(u64, u64), PackageError> {
        let (mut files, mut bytes) = (0, 0);
        for Rest { found, size } in self.files.by_ref() {
            let mut file = found.open()?.take(found.size);
            let path = found.path.to_string_lossy().into_owned();
            let without = &mut self.without;
            tar.add_written(&PathBuf::from(root).join(&found.path), size, &mut |out| {
                without.write(&path, &mut file, out).map(drop).map_err(|error| match error {
                    WithoutError::Io(error) => PackageError::from(error),
                    // It could be told whose everything was before.
                    WithoutError::Nobodys { .. } => PackageError::TreeChanged,
                })
            })?;
            files += 1;
            bytes += size;
        }
        Ok((files, bytes))
    }
}
