//! Thirty-two secret bytes: made at random, zeroed when dropped, hexadecimal inside the sealed keyring, never printed.

use std::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::SealError;

#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    pub(crate) fn random() -> Result<Secret, SealError> {
        let mut bytes = Zeroizing::new([0; 32]);
        openssl::rand::rand_priv_bytes(bytes.as_mut())?;
        Ok(Secret(bytes))
    }

    pub(crate) fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Secret {
        Secret(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Zeroizing::new([0u8; 64]);
        hex::encode_to_slice(self.bytes(), text.as_mut()).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(std::str::from_utf8(text.as_ref()).map_err(serde::ser::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        struct Hex;
        impl Visitor<'_> for Hex {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 hexadecimal digits")
            }
            // The text is not repeated in the error.
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret, E> {
                let mut bytes = Zeroizing::new([0u8; 32]);
                hex::decode_to_slice(text, bytes.as_mut()).map_err(|_| E::custom("not 64 hexadecimal digits"))?;
                Ok(Secret(bytes))
            }
        }
        deserializer.deserialize_str(Hex).map_err(|_| D::Error::custom("a key is not 64 hexadecimal digits"))
    }
}
