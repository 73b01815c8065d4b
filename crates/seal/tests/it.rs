//! The promises of `seal`, proved from outside: with the real `openssl` program, with changed and cut bytes, with copies of old files.

#[path = "it/cms.rs"]
mod cms;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/keyring.rs"]
mod keyring;
#[path = "it/party.rs"]
mod party;
#[path = "it/sealed_file.rs"]
mod sealed_file;
