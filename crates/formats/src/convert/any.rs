//! Each file to the reader of its kind.

use std::io::Read as _;

use messages::{Finding, Message as Text, Place, Severity};

use crate::checkup::Mapping;
use crate::detect::{LOOKED_AT, detect};
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

/// The first pass over all files.
pub struct AnyPrescan {
    from: Option<Format>,
    ssmix2: ssmix2::Prescan,
    receipt: receipt::Prescan,
    checkup: checkup::Prescan,
    fhir: fhir::Prescan,
    bundle: bool,
    claims: bool,
}

impl AnyPrescan {
    pub fn new(from: Option<Format>) -> Self {
        Self {
            from,
            ssmix2: ssmix2::Prescan::new(super::PatientIdRule::default()),
            receipt: receipt::Prescan::default(),
            checkup: checkup::Prescan::default(),
            fhir: fhir::Prescan::default(),
            bundle: false,
            claims: false,
        }
    }

    pub fn member(&mut self, mut member: Member<'_>) -> Result<(), ReadError> {
        let bytes = beginning(&mut member)?;
        let Some(format) = kind(self.from, member.path, &bytes) else {
            return Ok(());
        };
        let mut content = bytes.as_slice().chain(member.content);
        let file = Member {
            path: member.path,
            payload: member.payload,
            ordinal: member.ordinal,
            size: member.size,
            content: &mut content,
        };
        match format {
            Format::Ssmix2 => self.ssmix2.member(file),
            Format::Receipt => {
                self.claims = true;
                self.receipt.member(file)
            }
            Format::Dpc => {
                self.bundle |= dpc::kind_of(member.path, &bytes) == Some(dpc::Kind::D);
                Ok(())
            }
            Format::Checkup => self.checkup.member(file),
            Format::Fhir => self.fhir.member(file),
        }
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
}

impl AnyReader {
    pub fn new(from: Option<Format>, prescan: AnyPrescan, mapping: Option<Mapping>) -> Self {
        let amounts = match (prescan.claims, prescan.bundle) {
            (true, _) => dpc::Amounts::Claim,
            (false, true) => dpc::Amounts::D,
            (false, false) => dpc::Amounts::Ef,
        };
        let set_aside = prescan.ssmix2.finish();
        let versions = Some(prescan.receipt.finish());
        let mappings = prescan.checkup.finish();
        let patients = prescan.fhir.finish();
        // One for all: whose charts stand bare does not depend on the kind of file.
        let home = Home::default();
        Self {
            from,
            ssmix2: ssmix2::Ssmix2Reader::new(ssmix2::Options { keep_source: false, set_aside, ..Default::default() }),
            receipt: receipt::ReceiptReader::new(receipt::Options { versions, home: home.clone(), ..Default::default() }),
            dpc: dpc::DpcReader::new(dpc::Options { amounts, home: home.clone(), ..Default::default() }),
            checkup: checkup::CheckupReader::new(checkup::Options { mapping, mappings, ..Default::default() }),
            fhir: fhir::FhirReader::new(fhir::Options { patients, home, ..Default::default() }),
        }
    }
}

impl Reader for AnyReader {
    fn member(&mut self, mut member: Member<'_>, out: &mut dyn Output) -> Result<(), ReadError> {
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
