//! Writes synthetic storages without the rest of the platform: `storage OUT PERSONS [PROVIDERS] [SEED] [KINDS]`.
//!
//! For measurements; nothing in the storages is wrong on purpose. `azekura synth` is the command for everything else.

use std::error::Error;
use std::path::Path;

use synth::{Options, generate};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [out, persons, rest @ ..] = &arguments[..] else {
        return Err("usage: storage OUT PERSONS [PROVIDERS] [SEED] [KINDS]".into());
    };
    let options = Options {
        persons: persons.parse()?,
        providers: rest.first().map_or(Ok(1), |n| n.parse())?,
        seed: rest.get(1).map_or(Ok(1), |n| n.parse())?,
        faults: 0.0,
        kinds: rest.get(2).map_or(Ok(Vec::new()), |k| k.split(',').map(str::parse).collect())?,
        ..Options::default()
    };
    let summary = generate(&options, Path::new(out), |_| ())?;
    println!("{} patients, {} files, {} bytes", summary.patients, summary.files, summary.bytes);
    Ok(())
}
