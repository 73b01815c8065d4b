use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{LARGEST_PAYLOAD, PackageError, payload_name};

/// Format of the manifest, as it stands in it.
pub const FORMAT: &str = "azekura-package/1";
/// Count of a manifest that is 1 when its sender has left everybody out who stands in the list of those who said no, whatever holds them.
pub const FILTERED: &str = "filtered";
const MOST_PAYLOADS: usize = 9_999;
const MOST_COUNTS: usize = 64;

/// Which way a package goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// From a provider to the producer.
    Provision,
    /// From the producer to a recipient: a data set.
    Dataset,
    /// From the producer to a provider: what became of a provision.
    Receipt,
}

/// The days that the content covers, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
}

/// What the sender says of a package before its payloads are made.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Which way.
    pub purpose: Purpose,
    /// Id of the sender: the provider, or the producer.
    pub sender: String,
    /// Number of this package among the sender's of this kind, from 1 without gaps.
    pub sequence: u64,
    /// Format of the content: `ssmix2`, `omop`.
    pub kind: String,
    /// Days covered.
    pub period: Period,
    /// Id of the data set, for packages of that purpose.
    pub dataset: Option<String>,
}

/// What a package says about itself, under the sender's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// Which way.
    pub purpose: Purpose,
    /// Id of the sender.
    pub sender: String,
    /// SHA-256 of the recipient's certificate (DER), hexadecimal: a signed manifest cannot be sealed anew to somebody else.
    pub recipient_key: String,
    /// Number among the sender's packages of this kind.
    pub sequence: u64,
    /// Format of the content.
    pub kind: String,
    /// Days covered.
    pub period: Period,
    /// When it was made.
    pub created: Timestamp,
    /// Id of the data set, for packages of that purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// The payloads, `payload-0001.p7m` first.
    pub payloads: Vec<PayloadEntry>,
    /// What the sender counted: files, patients, those left out.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
}

/// One payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayloadEntry {
    /// `payload-NNNN.p7m`.
    pub name: String,
    /// Bytes of the tar archive.
    pub plain_size: u64,
    /// SHA-256 of the tar archive, hexadecimal.
    pub plain_sha256: String,
    /// Bytes of the file.
    pub cipher_size: u64,
    /// SHA-256 of the file, hexadecimal.
    pub cipher_sha256: String,
}

impl Manifest {
    /// Reads a manifest and holds it to its rules.
    ///
    /// # Errors
    /// [`PackageError::ManifestMalformed`] or [`PackageError::Empty`].
    pub fn parse(json: &[u8]) -> Result<Manifest, PackageError> {
        // The parser's words quote what it met; the place is enough.
        let manifest: Manifest = serde_json::from_slice(json).map_err(|error| {
            PackageError::ManifestMalformed(format!(
                "not the JSON of a manifest at line {} column {}",
                error.line(),
                error.column()
            ))
        })?;
        manifest.check()?;
        Ok(manifest)
    }

    /// As the JSON that is signed.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, PackageError> {
        self.check()?;
        let mut json = serde_json::to_vec_pretty(self).map_err(|e| PackageError::ManifestMalformed(e.to_string()))?;
        json.push(b'\n');
        Ok(json)
    }

    fn check(&self) -> Result<(), PackageError> {
        let wrong = |what: &str| Err(PackageError::ManifestMalformed(what.to_owned()));
        let word = |text: &str| {
            !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        if self.format != FORMAT {
            return wrong("its format is not azekura-package/1");
        }
        if !word(&self.sender) || !word(&self.kind) || self.dataset.as_ref().is_some_and(|id| !word(id)) {
            return wrong("sender, kind and data set are of 1 to 64 letters, digits, '-', '_' and '.'");
        }
        if (self.purpose == Purpose::Dataset) != self.dataset.is_some() {
            return wrong("a data set is named if and only if the package holds one");
        }
        if self.sequence == 0 {
            return wrong("sequence numbers begin with 1");
        }
        if self.period.to < self.period.from {
            return wrong("the period ends before it begins");
        }
        if !is_sha256(&self.recipient_key) {
            return wrong("recipient_key is not a SHA-256 in hexadecimal");
        }
        if self.payloads.is_empty() {
            return Err(PackageError::Empty);
        }
        if self.payloads.len() > MOST_PAYLOADS || self.counts.len() > MOST_COUNTS || !self.counts.keys().all(|k| word(k)) {
            return wrong("too many payloads or counts");
        }
        for (i, payload) in self.payloads.iter().enumerate() {
            if payload.name != payload_name(i + 1) {
                return wrong("payloads are named payload-0001.p7m, payload-0002.p7m and so on");
            }
            if payload.plain_size == 0 || payload.plain_size > LARGEST_PAYLOAD || payload.cipher_size <= payload.plain_size {
                return wrong("the sizes of a payload");
            }
            if !is_sha256(&payload.plain_sha256) || !is_sha256(&payload.cipher_sha256) {
                return wrong("a hash is not a SHA-256 in hexadecimal");
            }
        }
        Ok(())
    }
}

impl Manifest {
    /// Whether its sender left everybody out who had said no there.
    pub fn is_filtered(&self) -> bool {
        self.counts.get(FILTERED).is_some_and(|n| *n > 0)
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> serde_json::Value {
        let hash = "0".repeat(64);
        serde_json::json!({
            "format": FORMAT, "purpose": "provision", "sender": "1319999991", "recipient_key": hash, "sequence": 1, "kind": "ssmix2",
            "period": {"from": "2024-04-01", "to": "2024-04-30"}, "created": "2024-05-01T00:00:00Z",
            "payloads": [{"name": "payload-0001.p7m", "plain_size": 10, "plain_sha256": hash, "cipher_size": 500, "cipher_sha256": hash}],
        })
    }

    #[test]
    fn a_manifest_that_breaks_a_rule_is_refused() {
        Manifest::parse(good().to_string().as_bytes()).expect("a good one");
        let cases: &[(&str, serde_json::Value)] = &[
            ("/format", "azekura-package/2".into()),
            ("/sender", "../etc".into()),
            ("/sender", "".into()),
            ("/sequence", 0.into()),
            ("/sequence", (-1).into()),
            ("/purpose", "dataset".into()),
            ("/kind", "a b".into()),
            ("/recipient_key", "zz".into()),
            ("/period/to", "2024-03-31".into()),
            ("/period/to", "2024-13-01".into()),
            ("/payloads", serde_json::json!([])),
            ("/payloads/0/name", "../payload-0001.p7m".into()),
            ("/payloads/0/name", "payload-0002.p7m".into()),
            ("/payloads/0/plain_size", (LARGEST_PAYLOAD + 1).into()),
            ("/payloads/0/plain_size", 0.into()),
            ("/payloads/0/cipher_size", 9.into()),
            ("/payloads/0/cipher_sha256", "F".repeat(64).into()),
        ];
        for (place, value) in cases {
            let mut manifest = good();
            *manifest.pointer_mut(place).expect("a place") = value.clone();
            assert!(Manifest::parse(manifest.to_string().as_bytes()).is_err(), "{place} = {value}");
        }
        let mut surplus = good();
        surplus["surplus"] = 1.into();
        assert!(Manifest::parse(surplus.to_string().as_bytes()).is_err());
    }

    #[test]
    fn whatever_the_bytes_a_manifest_is_refused_or_keeps_its_rules() {
        bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
            if let Ok(manifest) = Manifest::parse(bytes) {
                assert!(manifest.check().is_ok());
            }
        });
    }
}
