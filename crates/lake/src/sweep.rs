use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use ledger::{Actor, Event, Ledger};
use terms::AssetId;

use crate::{Lake, LakeError, catalogue};

/// What a sweep found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Files that no commit ever made part of the lake.
    pub removed: u64,
    /// Scopes whose old keys an interrupted erasure had left.
    pub erasures: u64,
    /// Files of dead assets that were removed.
    pub doomed: u64,
    /// Living assets whose file is not there.
    pub missing: Vec<AssetId>,
}

impl Lake {
    /// Puts in order what a crash left: removes files without a key row, finishes erasures and compactions. To be
    /// called when the instance is opened for writing, before anything is staged.
    ///
    /// # Errors
    /// [`LakeError`] of the disk, the keys and the ledger.
    pub async fn sweep(&self, ledger: &Ledger, actor: &Actor) -> Result<SweepReport, LakeError> {
        let mut report = SweepReport::default();
        let mut reader = ledger.read().await?;
        let living = catalogue::live_files(&mut reader).await?;
        let doomed: BTreeSet<AssetId> = catalogue::doomed(&mut reader).await?.into_iter().map(|d| d.0).collect();
        drop(reader);
        let known: BTreeSet<AssetId> = living.iter().map(|f| f.asset).chain(doomed.iter().copied()).collect();
        for path in self.files_on_disk()? {
            let asset = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse::<AssetId>().ok());
            // Names that the lake gives. One that cannot be removed opens for nobody, and the next sweep tries again.
            if asset.is_some_and(|asset| !known.contains(&asset)) && durable::remove_file(&path).is_ok() {
                report.removed += 1;
            }
        }
        report.erasures = self.finish_erasures(ledger, actor).await?.len() as u64;
        report.doomed = doomed.len() as u64;
        report.missing = living.iter().filter(|f| !self.root().join(&f.path).is_file()).map(|f| f.asset).collect();
        if report.removed + report.erasures + report.doomed > 0 {
            let mut tx = ledger.begin(actor, "sweep the lake after an interruption").await?;
            tx.emit(Event::Swept { files: report.removed, erasures: report.erasures })?;
            tx.commit().await?;
        }
        Ok(report)
    }

    /// Every file under `lake/TABLE/PROVIDER/`.
    fn files_on_disk(&self) -> Result<Vec<PathBuf>, LakeError> {
        let failed = |e: io::Error| LakeError::io("listing", "lake", e);
        let mut files = Vec::new();
        // What is behind a link is not ours to clear.
        for table in list(self.root().join("lake"), fs::FileType::is_dir).map_err(failed)? {
            for provider in list(table, fs::FileType::is_dir).map_err(failed)? {
                files.extend(list(provider, fs::FileType::is_file).map_err(failed)?);
            }
        }
        Ok(files)
    }
}

/// Entries of a directory of one kind; links are of neither.
fn list(directory: PathBuf, kind: fn(&fs::FileType) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if kind(&entry.file_type()?) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
