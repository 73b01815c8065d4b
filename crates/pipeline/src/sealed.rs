//! Assets that are not tables: data sets before they leave, reports, lists of who is in a data set. Each is a sealed
//! file under a key of its own; its row in the ledger is made by the caller's transaction.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

use durable::NewFile;
use ledger::{AssetFilter, AssetState, Custody, NewAsset};
use seal::sealed_file::{SealedReader, SealedWriter};
use seal::{KeyScope, WrappedKey};
use terms::{AssetClass, AssetId};

use crate::Instance;
use crate::error::Error;

/// Directory of sealed files in the instance.
pub(crate) const DIRECTORY: &str = "sealed";

fn path(instance: &Instance, asset: AssetId) -> PathBuf {
    instance.root.join(DIRECTORY).join(format!("{asset}.azk"))
}

/// A sealed file that no ledger row names yet.
pub(crate) struct Written {
    pub(crate) asset: NewAsset,
    pub(crate) key: WrappedKey,
    /// SHA-256 of what is sealed in it.
    pub(crate) plain_sha256: [u8; 32],
}

/// Counts and hashes what passes.
struct Hashed<W> {
    inner: W,
    sha: openssl::sha::Sha256,
    count: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.sha.update(&bytes[..n]);
        self.count += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Hashed<W> {
    fn new(inner: W) -> Self {
        Hashed { inner, sha: openssl::sha::Sha256::new(), count: 0 }
    }
}

/// Seals what `fill` writes, for what is of no single provider.
///
/// # Errors
/// What `fill` returns; when the disk refuses. Nothing is left then.
pub(crate) fn write(
    instance: &Instance,
    class: AssetClass,
    kind: &str,
    name: String,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<Written, Error> {
    write_in(instance, KeyScope { class, provider: None }, kind, name, fill)
}

/// Seals what `fill` writes under a key of a scope: an erasure that ends the scope's key epochs ends what was destroyed of it.
///
/// # Errors
/// As [`write`].
pub(crate) fn write_in(
    instance: &Instance,
    scope: KeyScope,
    kind: &str,
    name: String,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<Written, Error> {
    let id = AssetId::new();
    let path = path(instance, id);
    let (key, wrapped) = instance.keyring.new_data_key(&scope, id)?;
    let KeyScope { class, provider } = scope;
    let trouble = || Error::io(path.display().to_string());
    let file = Hashed::new(BufWriter::with_capacity(1 << 18, NewFile::create(&path).map_err(trouble())?));
    let mut plain = Hashed::new(SealedWriter::new(file, &key, id.as_bytes())?);
    fill(&mut plain)?;
    let plain_sha256 = plain.sha.finish();
    let file = plain.inner.finish()?;
    let (size, sha256) = (file.count, file.sha.finish());
    let file = file.inner.into_inner().map_err(|e| trouble()(e.into_error()))?;
    file.finish().map_err(trouble())?;
    let asset = NewAsset {
        id,
        name,
        kind: kind.to_owned(),
        class,
        provider,
        table: None,
        path: format!("{DIRECTORY}/{id}.azk"),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        sha256,
        rows: None,
        min_record: None,
        max_record: None,
        commit_seq: None,
        custody: Custody::usual(class),
    };
    Ok(Written { asset, key: wrapped, plain_sha256 })
}

/// Opens a sealed asset.
///
/// # Errors
/// When its key is gone or the file is not what was written.
pub(crate) async fn open(instance: &Instance, id: AssetId) -> Result<impl Read + use<>, Error> {
    let wrapped = instance.ledger.read().await?.key(id).await?;
    let wrapped = wrapped.ok_or_else(|| Error::Inconsistent("an asset has no key".to_owned()))?;
    let key = instance.keyring.open_data_key(id, &wrapped)?;
    let path = path(instance, id);
    let file = File::open(&path).map_err(Error::io(path.display().to_string()))?;
    Ok(SealedReader::new(BufReader::with_capacity(1 << 18, file), &key, id.as_bytes())?)
}

/// The whole of a sealed asset.
///
/// # Errors
/// As [`open`].
pub(crate) async fn read(instance: &Instance, id: AssetId) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    open(instance, id).await?.read_to_end(&mut bytes).map_err(|e| Error::Seal(e.into()))?;
    Ok(bytes)
}

/// Removes files that no row names: what a crash left between writing and committing.
///
/// # Errors
/// When the directory cannot be read or a file not removed.
pub(crate) async fn sweep(instance: &Instance) -> Result<(), Error> {
    let dir = instance.root.join(DIRECTORY);
    // A copy of an instance may lack what was empty.
    durable::create_dir(&dir).map_err(Error::io(dir.display().to_string()))?;
    let live = AssetFilter { state: Some(AssetState::Live), ..Default::default() };
    let known: std::collections::HashSet<String> =
        instance.ledger.read().await?.assets(&live).await?.into_iter().map(|a| a.path).collect();
    for entry in fs::read_dir(&dir).map_err(Error::io(dir.display().to_string()))? {
        let entry = entry.map_err(Error::io(dir.display().to_string()))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Names that we give: what else lies there is not ours.
        let own = name.split_once('.').is_some_and(|(id, _)| id.parse::<AssetId>().is_ok());
        if own && !known.contains(&format!("{DIRECTORY}/{name}")) {
            durable::remove_file(&entry.path()).map_err(Error::io(entry.path().display().to_string()))?;
        }
    }
    Ok(())
}
