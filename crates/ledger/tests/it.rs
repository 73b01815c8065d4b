//! The ledger on real files under SQLCipher. Edits behind its back are made as an intruder with the key would: by SQL on
//! the same file, past the triggers.

#[path = "it/areas.rs"]
mod areas;
#[path = "it/crash.rs"]
mod crash;
#[path = "it/house.rs"]
mod house;
#[path = "it/journal.rs"]
mod journal;
#[path = "it/opening.rs"]
mod opening;
#[path = "it/sabotage.rs"]
mod sabotage;

#[test]
fn every_refusal_has_a_text_in_both_languages() {
    for code in ledger::CODES {
        assert!(messages::has(messages::Lang::En, code) && messages::has(messages::Lang::Ja, code), "{code}");
    }
}
