//! What is generated, looked at from outside with code of its own.

#[path = "it/checkup.rs"]
mod checkup;
#[path = "it/claims.rs"]
mod claims;
#[path = "it/dpc.rs"]
mod dpc;
#[path = "it/fhir.rs"]
mod fhir;
#[path = "it/kinds.rs"]
mod kinds;
#[path = "it/tree.rs"]
mod tree;
#[path = "it/truth.rs"]
mod truth;
#[path = "it/world.rs"]
mod world;

#[test]
fn every_code_has_a_text_in_both_languages() {
    for code in synth::CODES {
        assert!(messages::has(messages::Lang::En, code) && messages::has(messages::Lang::Ja, code), "{code}");
    }
}
