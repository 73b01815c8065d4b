//! What a provider is told, sealed to it: it can name patients, and nobody else reads it.

use ledger::Party;
use package::{Draft, Finished, Period, Purpose, Writer};
use seal::Certificate;

use crate::Instance;
use crate::error::Error;

/// Files: name and bytes.
pub type Files<'a> = &'a [(&'a str, Vec<u8>)];

/// Seals files to a provider as the package `name`, beside its place: one of the same name that was being made goes. `kind` is what the
/// package says of itself, `sequence` the number of the provider's package that it is about.
///
/// # Errors
/// When the provider's certificate cannot be used, or the package not be written.
pub(crate) fn seal(
    instance: &Instance,
    provider: &Party,
    (name, kind): (&str, &str),
    sequence: i64,
    period: Period,
    files: Files<'_>,
) -> Result<Finished, Error> {
    let certificate = Certificate::from_der(&provider.certificate)?;
    let draft = Draft {
        purpose: Purpose::Receipt,
        sender: instance.config.producer.name.clone(),
        sequence: u64::try_from(sequence).unwrap_or(1),
        kind: kind.to_owned(),
        period,
        dataset: None,
    };
    let trouble = || Error::io(format!("writing {name} for {}", provider.id));
    let mut writer = Writer::create_replacing(&instance.pending(&provider.id), name, draft, &certificate)?;
    writer.add_payload(|to| {
        let mut tar = tar::Builder::new(to);
        for (name, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o444);
            tar.append_data(&mut header, name, bytes.as_slice()).map_err(trouble())?;
        }
        tar.into_inner().map(drop).map_err(trouble())
    })?;
    Ok(writer.finish(&instance.keyring.producer()?)?)
}
