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

/// Name of a file that claims or DPC files have everywhere (`RECEIPTC.UKE`, `EFn_139999991_2406.txt`): whoever may be in it is not in the name.
fn fixed_name(path: &str) -> Option<&str> {
    const DPC: [&str; 16] = ["FF1", "FF1N", "FF3", "FF4", "FF4N", "EFN", "EFG", "DN", "D", "EN", "E", "FN", "F", "HN", "H", "K"];
    let name = path.rsplit('/').next()?;
    let upper = name.to_ascii_uppercase();
    let (stem, end) = upper.rsplit_once('.')?;
    let digits = |text: &str, of: &[usize]| of.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let is_fixed = match end {
        "UKE" | "HEN" => {
            stem.strip_prefix("RECEIPT").is_some_and(|kind| kind.len() <= 1 && kind.bytes().all(|b| b.is_ascii_uppercase()))
        }
        "TXT" => match stem.split('_').collect::<Vec<_>>()[..] {
            [kind, institution, month] => DPC.contains(&kind) && digits(institution, &[9]) && digits(month, &[4, 6]),
            _ => false,
        },
        _ => false,
    };
    is_fixed.then_some(name)
}

/// The refusal. A file is named by its number, and by its name only where that is a fixed one: whoever names folders and files himself can put a
/// person's name there.
fn refusal(error: WithoutError, number: usize) -> Message {
    match error {
        WithoutError::Nobodys { path, line, why } => {
            let file = fixed_name(&path).map_or_else(|| format!("#{number}"), |name| format!("#{number} {name}"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_no_folder_and_no_file_that_can_be_a_person() {
        let said = |path: &str| {
            let error = WithoutError::Nobodys { path: path.to_owned(), line: 4, why: "formats-no-patient" };
            let message = refusal(error, 3);
            assert!(message.text(messages::Lang::En).contains("#3"));
            message.args.iter().find(|(name, _)| *name == "file").map(|(_, file)| file.to_string()).unwrap_or_default()
        };
        assert_eq!(said("0000000456/RECEIPTC.UKE"), "#3 RECEIPTC.UKE");
        assert_eq!(said("x/EFn_139999991_2406.txt"), "#3 EFn_139999991_2406.txt");
        for own in [
            "0000000456/a.ndjson",
            "0000000456.zip/DATA/h1.xml",
            "EFn_0000000456_2406.txt",
            "FF1_hanako_2406.txt",
            "hanako.UKE",
            "RECEIPTC_hanako.UKE",
            "hanako.csv",
        ] {
            assert_eq!(said(own), "#3", "{own}");
        }
    }
}
