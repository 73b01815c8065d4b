//! Each file to the reader of its kind: what a directory, a tar file or a package holds is read in two passes, the first of which finds what
//! the rows of one file depend on in another (claims that were sent again, patients whom resources name, mappings).

use std::collections::{HashMap, HashSet};
use std::io::Read as _;

use messages::{Finding, Message as Text, Place, Severity};

use crate::checkup::Mapping;
use crate::detect::{LOOKED_AT, detect};
use crate::seen::ByItself;
use crate::{Chunk, Counts, Format, Home, Member, Output, ReadError, Reader, checkup, dpc, fhir, receipt, ssmix2};

fn kind(from: Option<Format>, path: &str, beginning: &[u8]) -> Option<Format> {
    from.or_else(|| detect(path, beginning))
}

/// First bytes of a file. The file goes on behind them.
fn beginning(member: &mut Member<'_>) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let read = (&mut *member.content).take(LOOKED_AT as u64).read_to_end(&mut bytes);
    read.map_err(|source| ReadError::Input { payload: member.payload, ordinal: member.ordinal, source })?;
    Ok(bytes)
}

/// Hashes what passes.
struct Hashed<R> {
    inner: R,
    hash: [u64; 2],
    bytes: u64,
}

impl<R> Hashed<R> {
    fn key(&self) -> u128 {
        let [a, b] = self.hash;
        u128::from(a) << 64 | u128::from(b ^ self.bytes)
    }
}

impl<R: std::io::Read> std::io::Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        for byte in &buffer[..n] {
            let word = u64::from(*byte) + 1;
            self.hash[0] = (self.hash[0] ^ word).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(5);
            self.hash[1] = (self.hash[1].wrapping_add(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31);
        }
        self.bytes += n as u64;
        Ok(n)
    }
}

/// The first pass over all files.
pub struct AnyPrescan {
    from: Option<Format>,
    ssmix2: ssmix2::Prescan,
    receipt: receipt::Prescan,
    checkup: checkup::Prescan,
    fhir: fhir::Prescan,
    dpc: dpc::Prescan,
    /// Of each file its hash, and where it was met last. The others of its kind are left out.
    met: HashMap<u128, (u32, u64), ByItself>,
    again: HashSet<(u32, u64)>,
}

impl AnyPrescan {
    /// The pass over files of one format, or of whichever each is.
    pub fn new(from: Option<Format>) -> Self {
        Self {
            from,
            ssmix2: ssmix2::Prescan::new(terms::PatientIdRule::default()),
            receipt: receipt::Prescan::default(),
            checkup: checkup::Prescan::default(),
            fhir: fhir::Prescan::default(),
            dpc: dpc::Prescan::default(),
            met: HashMap::default(),
            again: HashSet::new(),
        }
    }

    /// The same before [`AnyReader::for_lake`].
    pub fn for_lake(from: Format, lake: &ForLake<'_>) -> Self {
        Self { receipt: receipt::Prescan::of(lake.home()), ..Self::new(Some(from)) }
    }

    /// Looks at a file.
    ///
    /// # Errors
    /// When the input fails.
    pub fn member(&mut self, mut member: Member<'_>) -> Result<(), ReadError> {
        let bytes = beginning(&mut member)?;
        let Some(format) = kind(self.from, member.path, &bytes) else {
            return Ok(());
        };
        let (path, payload, ordinal, size) = (member.path, member.payload, member.ordinal, member.size);
        let mut content = Hashed { inner: bytes.as_slice().chain(member.content), hash: [1, 2], bytes: 0 };
        let file = Member { path, payload, ordinal, size, content: &mut content };
        match format {
            // Its files have versions of their own.
            Format::Ssmix2 => return self.ssmix2.member(file),
            Format::Receipt => self.receipt.member(file)?,
            Format::Dpc => self.dpc.member(file, &bytes)?,
            Format::Checkup => self.checkup.member(file)?,
            Format::Fhir => self.fhir.member(file)?,
        }
        std::io::copy(&mut content, &mut std::io::sink()).map_err(|source| ReadError::Input { payload, ordinal, source })?;
        // A mapping belongs to the file beside it, and two files may have equal ones.
        // Ids of FHIR are those of a folder: in another folder the same says something else.
        let mut key = content.key();
        if format == Format::Fhir {
            key ^= crate::seen::key(&[path.rsplit_once('/').map_or("", |(folder, _)| folder).as_bytes()]);
        }
        let mapping = path.to_ascii_lowercase().ends_with(".toml");
        // The later one is read: of claims the last one stands.
        if content.bytes > 0
            && !mapping
            && let Some(before) = self.met.insert(key, (payload, ordinal))
        {
            self.again.insert(before);
        }
        Ok(())
    }
}

/// All readers.
pub struct AnyReader {
    from: Option<Format>,
    ssmix2: ssmix2::Ssmix2Reader,
    receipt: receipt::ReceiptReader,
    dpc: dpc::DpcReader,
    checkup: checkup::CheckupReader,
    fhir: fhir::FhirReader,
    again: HashSet<(u32, u64)>,
}

/// What a reader for a lake has to know.
pub struct ForLake<'a> {
    /// Whose patient numbers stand bare: the code of the institution that sends. Those of others carry theirs.
    pub institution: &'a str,
    /// How its patient numbers are made one.
    pub rule: terms::PatientIdRule,
    /// A chunk is handed out once so many rows wait.
    pub chunk_rows: usize,
}

impl ForLake<'_> {
    fn home(&self) -> Home {
        Home::of(self.institution, self.rule)
    }
}

impl AnyReader {
    /// A reader at the beginning of the second pass. The first institution that it meets is the one whose patient numbers stand bare.
    pub fn new(from: Option<Format>, prescan: AnyPrescan, mapping: Option<Mapping>) -> Self {
        Self::with(from, prescan, mapping, None)
    }

    /// The same for a lake that keeps what earlier deliveries said: rows come with their units ([`omop::Table::SourceFile`]), by which a
    /// later delivery replaces them.
    pub fn for_lake(from: Format, prescan: AnyPrescan, lake: &ForLake<'_>) -> Self {
        Self::with(Some(from), prescan, None, Some(lake))
    }

    fn with(from: Option<Format>, prescan: AnyPrescan, mapping: Option<Mapping>, for_lake: Option<&ForLake<'_>>) -> Self {
        let set_aside = prescan.ssmix2.finish();
        let claims = prescan.receipt.finish();
        let amounts = dpc::Amounts::of(claims.months(), prescan.dpc);
        let versions = Some(claims);
        let mappings = prescan.checkup.finish();
        let patients = prescan.fhir.finish();
        // One for all: whose charts stand bare does not depend on the kind of file.
        let home = for_lake.map_or_else(Home::default, ForLake::home);
        let lake = for_lake.is_some();
        let chunk_rows = for_lake.map_or(receipt::Options::default().chunk_rows, |lake| lake.chunk_rows);
        let claims = receipt::Options { chunk_rows, versions, lake, home: home.clone() };
        let surveys = dpc::Options { chunk_rows, amounts, lake, home: home.clone() };
        let checkups = checkup::Options { chunk_rows, lake, home: home.clone(), mapping, mappings, ..Default::default() };
        let resources = fhir::Options { chunk_rows, patients, lake, home, ..Default::default() };
        Self {
            from,
            again: prescan.again,
            ssmix2: ssmix2::Ssmix2Reader::new(ssmix2::Options { keep_source: false, set_aside, ..Default::default() }),
            receipt: receipt::ReceiptReader::new(claims),
            dpc: dpc::DpcReader::new(surveys),
            checkup: checkup::CheckupReader::new(checkups),
            fhir: fhir::FhirReader::new(resources),
        }
    }
}

impl Reader for AnyReader {
    fn member(&mut self, mut member: Member<'_>, out: &mut dyn Output) -> Result<(), ReadError> {
        if self.again.contains(&(member.payload, member.ordinal)) {
            let place = Place { file: Some(member.path.to_owned()), segment: None, field: None };
            let finding = Finding { severity: Severity::Warning, message: Text::new("formats-file-twice"), place };
            let counts = Counts { members: 1, bytes: member.size, read: 1, ..Counts::default() };
            return out.chunk(Chunk { patients: Vec::new(), tables: Vec::new(), findings: vec![finding], counts });
        }
        let bytes = beginning(&mut member)?;
        let format = kind(self.from, member.path, &bytes);
        let mut content = bytes.as_slice().chain(member.content);
        let file = Member {
            path: member.path,
            payload: member.payload,
            ordinal: member.ordinal,
            size: member.size,
            content: &mut content,
        };
        match format {
            Some(Format::Ssmix2) => self.ssmix2.member(file, out),
            Some(Format::Receipt) => self.receipt.member(file, out),
            Some(Format::Dpc) => self.dpc.member(file, out),
            Some(Format::Checkup) => self.checkup.member(file, out),
            Some(Format::Fhir) => self.fhir.member(file, out),
            None => {
                let place = Place { file: Some(member.path.to_owned()), segment: None, field: None };
                let finding = Finding { severity: Severity::Error, message: Text::new("formats-unknown-kind"), place };
                let counts = Counts { members: 1, bytes: member.size, unread: 1, ..Counts::default() };
                out.chunk(Chunk { patients: Vec::new(), tables: Vec::new(), findings: vec![finding], counts })
            }
        }
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<(), ReadError> {
        self.ssmix2.finish(out)?;
        self.receipt.finish(out)?;
        self.dpc.finish(out)?;
        self.checkup.finish(out)?;
        self.fhir.finish(out)
    }
}
