use std::fs;

use arrow::array::{Array as _, AsArray as _};
use lake::Blocked;
use messages::Message;
use omop::Table;

use super::absent::columns;
use super::{Promise, Verdict};
use crate::demo::below;
use crate::demo::world::World;
use crate::failure::Failure;

/// A suspected diagnosis is no diagnosis: none stands in `condition_occurrence`, in the lake or delivered, and they are in
/// `observation`.
pub struct Suspected;

/// MEDIS modifier の疑い, as it stands behind a disease code.
const MODIFIER: &str = "8002";

impl Promise for Suspected {
    fn name(&self) -> &'static str {
        "suspected-apart"
    }

    fn title(&self) -> &'static str {
        "demo-promise-suspected-apart"
    }

    fn check(&self, world: &World) -> Result<Verdict, Failure> {
        verdict(world, Table::ConditionOccurrence, "condition_source_value")
    }

    fn sabotage(&self, world: &World) -> Result<Verdict, Failure> {
        // The observations, taken for the diagnoses.
        verdict(world, Table::Observation, "observation_source_value")
    }
}

fn verdict(world: &World, table: Table, column: &str) -> Result<Verdict, Failure> {
    let in_lake = in_lake(world, table, column)?;
    let mut delivered = 0;
    for set in &world.sets {
        if set.csv_path(table.name()).is_file() {
            delivered += columns(set, table.name(), &[column])?.iter().flatten().filter(|code| is_suspected(code)).count();
        }
    }
    let apart = self::in_lake(world, Table::Observation, "observation_source_value")?;
    let written = written(world)?;
    let message = Message::new("demo-found-suspected")
        .with("written", written)
        .with("apart", apart)
        .with("lake", in_lake)
        .with("delivered", delivered);
    let kept = in_lake == 0 && delivered == 0 && apart > 0 && written > 0;
    Ok(if kept { Verdict::Kept(message) } else { Verdict::Broken(message) })
}

fn is_suspected(code: &str) -> bool {
    code.split('+').skip(1).any(|modifier| modifier.trim_start_matches('Z') == MODIFIER)
}

fn in_lake(world: &World, table: Table, column: &str) -> Result<usize, Failure> {
    let instance = &world.instance;
    let snapshot = world.wait(instance.lake.snapshot(&instance.ledger, None)).map_err(below)?;
    let mut count = 0;
    for batch in snapshot.scan(table, Blocked::Include).map_err(below)? {
        let batch = batch.map_err(below)?;
        let Some(codes) = batch.column_by_name(column).and_then(|c| c.as_string_opt::<i32>()) else { continue };
        count += (0..codes.len()).filter(|row| codes.is_valid(*row) && is_suspected(codes.value(*row))).count();
    }
    Ok(count)
}

/// How many files of diagnoses of a hundred patients name the modifier: the hospitals do write them.
fn written(world: &World) -> Result<usize, Failure> {
    let mut count = 0;
    for patient in world.truth.patients.iter().take(100) {
        let Ok(files) = fs::read_dir(patient.directory(&world.hospitals()).join("-").join("PPR-01")) else { continue };
        for file in files {
            let bytes = fs::read(file?.path())?;
            count += usize::from(bytes.windows(MODIFIER.len()).any(|w| w == MODIFIER.as_bytes()));
        }
    }
    Ok(count)
}
