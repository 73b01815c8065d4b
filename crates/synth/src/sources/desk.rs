//! Puts the pieces of all patients into files, in order.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::habits::Habits;
use super::{ClaimFile, Kind, Piece, Pieces, checkup};
use crate::clinic::LABS;
use crate::day::{Compact, Day};
use crate::encode::{self, Dirt, Encoding};
use crate::options::Options;
use crate::provider::Provider;

/// Names and headers of the truth files.
pub const TRUTH: [(&str, &str); 4] = [
    ("truth-claims.csv", "person,provider,local_patient_id,chart_number,month,billed,claim_type,admission,days,points,state\n"),
    ("truth-diagnoses.csv", "person,provider,local_patient_id,icd10,disease_code,suspected,claim_only,start,end,claims\n"),
    ("truth-stays.csv", "person,provider,local_patient_id,admission,discharge,days,icd10,outcome\n"),
    ("truth-checkups.csv", "person,provider,local_patient_id,date,insurer,hba1c\n"),
];

/// The open files.
pub struct Desk<'a> {
    out: &'a Path,
    providers: &'a [Provider],
    truth: Vec<BufWriter<File>>,
    /// Claims and points of each file so far.
    claims: BTreeMap<ClaimFile, (u64, u64)>,
    /// Files that have their first line.
    begun: BTreeSet<PathBuf>,
    /// Documents of each archive of checkups: provider, receiver, day.
    archives: BTreeMap<(usize, String, Day), u64>,
}

/// Bytes as administrative files have them.
fn cp932(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode::encode(text, Encoding::Cp932, Dirt::default(), &mut bytes);
    bytes
}

impl<'a> Desk<'a> {
    /// None when only storages are wanted.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(options: &Options, out: &'a Path, providers: &'a [Provider]) -> io::Result<Option<Self>> {
        if options.kinds.is_empty() {
            return Ok(None);
        }
        let mut truth = Vec::new();
        for (name, header) in TRUTH {
            let mut file = BufWriter::new(File::create_new(out.join(name))?);
            file.write_all(header.as_bytes())?;
            truth.push(file);
        }
        describe(options, out, providers)?;
        Ok(Some(Self { out, providers, truth, claims: BTreeMap::new(), begun: BTreeSet::new(), archives: BTreeMap::new() }))
    }

    /// The pieces of a block.
    ///
    /// # Errors
    /// What the disk says.
    pub fn append(&mut self, pieces: &Pieces) -> io::Result<()> {
        for (file, text) in self.truth.iter_mut().zip(&pieces.truth) {
            file.write_all(text.as_bytes())?;
        }
        // One opening a file and block.
        let mut all: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
        for piece in &pieces.all {
            match piece {
                Piece::Claim { file, text, points } => {
                    let bytes = all.entry(self.claim_path(*file)).or_default();
                    let sums = match self.claims.entry(*file) {
                        Entry::Occupied(sums) => sums.into_mut(),
                        Entry::Vacant(new) => {
                            bytes.extend(cp932(&head(*file, &self.providers[file.provider_at])));
                            new.insert((0, 0))
                        }
                    };
                    sums.0 += 1;
                    sums.1 += points;
                    bytes.extend(cp932(&format!("RE,{}{text}", sums.0)));
                }
                Piece::Lines { provider_at, kind, name, head, text } => {
                    let path = self.folder(*provider_at, *kind).join(name);
                    let bytes = all.entry(path.clone()).or_default();
                    if self.begun.insert(path) {
                        bytes.extend(cp932(head));
                    }
                    match kind {
                        Kind::Fhir => bytes.extend(text.as_bytes()),
                        _ => bytes.extend(cp932(text)),
                    }
                }
                Piece::Document { provider_at, receiver, sent, text } => {
                    let count = self.archives.entry((*provider_at, receiver.clone(), *sent)).or_default();
                    *count += 1;
                    let name = format!("h{}{}01{count:06}.xml", self.providers[*provider_at].id, Compact(*sent));
                    let path = self.archive(*provider_at, receiver, *sent).join("DATA").join(name);
                    all.insert(path, text.clone().into_bytes());
                }
            }
        }
        all.iter().try_for_each(|(path, bytes)| append(path, bytes))
    }

    /// What closes files.
    ///
    /// # Errors
    /// What the disk says.
    pub fn finish(mut self) -> io::Result<()> {
        for (file, (count, points)) in &self.claims {
            append(&self.claim_path(*file), format!("GO,{count},{points},99\r\n\x1a").as_bytes())?;
        }
        for ((at, receiver, sent), count) in &self.archives {
            let text = checkup::index(&self.providers[*at].id, receiver, *sent, *count);
            append(&self.archive(*at, receiver, *sent).join("ix08_V08.xml"), text.as_bytes())?;
        }
        self.truth.iter_mut().try_for_each(|file| file.flush())
    }

    fn folder(&self, at: usize, kind: Kind) -> PathBuf {
        self.out.join(&self.providers[at].id).join(kind.word())
    }

    fn archive(&self, at: usize, receiver: &str, sent: Day) -> PathBuf {
        let name = format!("{}_{receiver}_{}0_1", self.providers[at].id, Compact(sent));
        self.folder(at, Kind::Checkup).join(name)
    }

    fn claim_path(&self, file: ClaimFile) -> PathBuf {
        let body = if file.body == 2 { "kokuho" } else { "shaho" };
        let name = if file.returned { "RECEIPTC.HEN" } else { "RECEIPTC.UKE" };
        self.folder(file.provider_at, Kind::Receipt).join(file.billed.to_string()).join(body).join(name)
    }
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
}

/// The IR record.
fn head(file: ClaimFile, provider: &Provider) -> String {
    let (prefecture, institution) = (&provider.id[..2], &provider.id[3..]);
    let phone: String = provider.phone.chars().filter(char::is_ascii_digit).collect();
    format!("IR,{},{prefecture},1,{institution},,{},{},00,{phone}\r\n", file.body, provider.name, file.billed)
}

/// `truth-sources.json`: what each provider writes in its own way.
fn describe(options: &Options, out: &Path, providers: &[Provider]) -> io::Result<()> {
    let kinds: Vec<_> = options.kinds.iter().map(|k| k.word()).collect();
    let all: Vec<_> = providers
        .iter()
        .enumerate()
        .map(|(at, p)| {
            let habits = Habits::new(options, p, at);
            let local = LABS.iter().zip(&p.labs).filter(|(_, l)| l.only_local);
            json!({
                "id": p.id,
                "kinds": kinds,
                "claims_chart_number": habits.chart_number.word(),
                "drugs_in_outpatient_claims": p.style.dispensing,
                "fhir_glucose_mmol_from": habits.molar_from.to_string(),
                "fhir_local_labs": local.map(|(lab, l)| json!({"code": l.code, "jlac10": lab.jlac10})).collect::<Vec<_>>(),
            })
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&all)?;
    text.push('\n');
    fs::write(out.join("truth-sources.json"), text)
}
