//! `azekura demo`: the whole main job on one machine, from synthetic hospitals to the recipient's disk, and then the list
//! of promises, each checked by reading what came out.
//!
//! * the stage: `place` (the directory), `keys`, `samples`, `others` and [`crate::synthesis`] (the hospitals), `programs` (the programs of
//!   hospital and researcher), `truth` (who is who), `voice` (what is said meanwhile)
//! * the story: `hospitals` (send), `house` (the instance: register, receive, ingest, link), `held` (what is wrong as a whole waits), `stops` (people say no later),
//!   `release` (data sets, to the recipient's disk)
//! * the proof: `world` (what can be looked at), `checks` (one promise a file), `summary`
//!
//! The story uses what an operator uses: the use cases of `pipeline`, and the two programs as they are installed. The
//! checks read results only, and each is also held against something spoilt, where it has to fail.
//!
//! Nothing of a person is shown, though nobody here exists.

mod checks;
mod held;
mod hospitals;
mod house;
mod keys;
mod others;
mod place;
mod programs;
mod release;
mod samples;
mod stops;
mod summary;
mod truth;
mod voice;
mod world;

use std::path::Path;
use std::time::Instant;

use messages::Message;

use crate::failure::Failure;
use crate::output::{Outcome, Shown};
use place::Place;
use programs::Programs;
use voice::Voice;
use world::World;

/// Runs the demo in a directory.
///
/// # Errors
/// What stopped the main job. A promise that does not hold is no error but [`Outcome::FoundWrong`].
pub fn run(out: &Path, persons: u32, seed: u64, shown: &Shown) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let place = Place::take(out)?;
    let programs = Programs::beside(place.temporary())?;
    let voice = Voice::new(shown);
    voice.say(&Message::new("demo-begin").with("persons", persons).with("path", place.root.display()));
    let runtime = crate::commands::runtime()?;
    let world = story(place, programs, runtime, persons, seed, shown, &voice)?;
    let results = checks::all(&world, &voice)?;
    let kept = results.iter().all(checks::Checked::good);
    let seconds = begun.elapsed().as_secs_f64();
    let summary = summary::Summary::of(&world, persons, seed, seconds, voice.into_steps(), results, shown.lang)?;
    shown.result(&summary, &summary.lines());
    Ok(if kept { Outcome::Done } else { Outcome::FoundWrong })
}

/// The main job, step by step.
fn story(
    place: Place,
    programs: Programs,
    runtime: tokio::runtime::Runtime,
    persons: u32,
    seed: u64,
    shown: &Shown,
    voice: &Voice<'_>,
) -> Result<World, Failure> {
    let heading = Message::new;
    let cast = voice.step("synth", heading("demo-step-synth"), || hospitals::make(&place, persons, seed, voice))?;
    let house = voice.step("init", heading("demo-step-init"), || house::make(&place, &cast, &runtime, voice))?;
    let (sent, unfit) = voice.step("send", heading("demo-step-send"), || {
        let sent = hospitals::send(&place, &programs, &cast, voice)?;
        hospitals::send_others(&place, &programs, &cast, voice).map(|()| sent)
    })?;
    let received = voice.step("receive", heading("demo-step-receive"), || {
        runtime.block_on(house::receive(&place, &house, &cast, &unfit, voice))
    })?;
    let taken = voice.step("ingest", heading("demo-step-ingest"), || runtime.block_on(house::ingest(&house, voice)))?;
    let held = voice.step("quality", heading("demo-step-quality"), || {
        runtime.block_on(held::look(&place, &programs, &house, &cast, &taken, shown.lang, voice))
    })?;
    let taken: Vec<_> = taken.into_iter().filter(pipeline::ingest::Taken::is_in).collect();
    let (of_others, taken) = taken.into_iter().partition(|t| cast.others.iter().any(|(h, _)| h.id == t.provider));
    voice.step("link", heading("demo-step-link"), || runtime.block_on(house::link(&house, voice)))?;
    let (stops, erased) =
        voice.step("opt-out", heading("demo-step-opt-out"), || runtime.block_on(stops::later(&house, &cast.truth, voice)))?;
    let mut sets = Vec::new();
    for kind in release::KINDS {
        let name = if kind == terms::ReleaseKind::Anonymized { "anonymized" } else { "pseudonymized" };
        let step = heading(if name == "anonymized" { "demo-step-anonymized" } else { "demo-step-pseudonymized" });
        sets.push(voice.step(name, step, || {
            runtime.block_on(release::release(&place, &programs, &house, &cast, kind, persons, shown.lang, voice))
        })?);
    }
    // The writer leaves; what is checked is what lies on the disk, and the log as it lay there until now.
    let log = place.instance().join("ledger.db-wal");
    if log.is_file() {
        std::fs::copy(log, place.copy("log")?.join("ledger.db-wal"))?;
    }
    runtime.block_on(house.ledger.close());
    let instance = runtime.block_on(world::open(&place, &place.instance(), ledger::Mode::Reader))?;
    let hospitals::Cast { truth, later, samples, recipient, stranger, .. } = cast;
    Ok(World {
        place,
        programs,
        truth,
        later,
        samples,
        stops,
        erased,
        sent,
        unfit,
        received,
        taken,
        of_others,
        held,
        sets,
        recipient,
        stranger,
        instance,
        runtime,
        found: world::Found::default(),
    })
}

/// An error of a library below, as a failure of the demo.
fn below(error: impl Into<pipeline::Error>) -> Failure {
    Failure::Pipeline(error.into())
}
