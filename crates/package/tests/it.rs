//! The promises of `package`: what is sent arrives whole or not at all, and nothing hostile gets past the door.

#[path = "it/archive.rs"]
mod archive;
#[path = "it/party.rs"]
mod party;
#[path = "it/round_trip.rs"]
mod round_trip;
#[path = "it/spoilt.rs"]
mod spoilt;
