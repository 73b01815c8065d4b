//! A data set, from the application to the recipient's disk.

use std::fs;

use messages::{Lang, Message};
use pipeline::{Instance, dataset};
use terms::ReleaseKind;

use super::hospitals::Cast;
use super::place::Place;
use super::programs::{Programs, option};
use super::voice::Voice;
use super::world::DataSet;
use crate::failure::Failure;

/// The data sets of the demo.
pub const KINDS: [ReleaseKind; 2] = [ReleaseKind::Pseudonymized, ReleaseKind::Anonymized];

/// The shipped profiles.
const PSEUDONYMIZED: &str = include_str!("../../../../profiles/pseudonymized.toml");
const ANONYMIZED: &str = include_str!("../../../../profiles/anonymized.toml");

/// Persons under which ten-year bands leave too many alone.
const FEW: u32 = 3_000;
/// The last step by which the shipped profile makes birth years coarser, and two more for a demo with few people. k stays.
const LAST_STEP: &str = "  { column = \"person.year_of_birth\", to = { band = { width = 10 } } },\n";
const FURTHER_STEPS: &str = "  { column = \"person.year_of_birth\", to = { band = { width = 25 } } },\n  \
                             { column = \"person.year_of_birth\", to = { band = { width = 50 } } },\n  \
                             { column = \"person.year_of_birth\", to = \"drop\" },\n";

/// Persons under which chance decides whether classes of ten leave out more than a tenth: births move with the random shifts.
const VERY_FEW: u32 = 500;
/// The shipped profile's largest share of persons who may be left out, and the one for a demo with very few.
const MOST_SUPPRESSED: &str = "\nmost_suppressed = 0.1\n";
const MORE_SUPPRESSED: &str = "\nmost_suppressed = 0.3\n";

fn profile(kind: ReleaseKind, persons: u32) -> String {
    if kind == ReleaseKind::Pseudonymized {
        return PSEUDONYMIZED.to_owned();
    }
    let mut profile = ANONYMIZED.to_owned();
    if persons < FEW {
        profile = profile.replace(LAST_STEP, &format!("{LAST_STEP}{FURTHER_STEPS}"));
    }
    if persons < VERY_FEW {
        profile = profile.replace(MOST_SUPPRESSED, MORE_SUPPRESSED);
    }
    profile
}

/// Applies, reviews, makes, reports, approves, delivers and opens a data set.
///
/// # Errors
/// When a step is refused that should not be, and when the delivery on one approval is not.
#[allow(clippy::too_many_arguments)]
pub async fn release(
    place: &Place,
    programs: &Programs,
    instance: &Instance,
    cast: &Cast,
    kind: ReleaseKind,
    persons: u32,
    lang: Lang,
    voice: &Voice<'_>,
) -> Result<DataSet, Failure> {
    let file = place.profiles().join(format!("{kind}.toml"));
    fs::write(&file, profile(kind, persons))?;
    let planned = dataset::plan(instance, &file).await?;
    for member in &cast.members {
        dataset::review(instance, planned.id, governance::review::Decision::Approve, &member.identity()?).await?;
    }
    voice.say(&Message::new("demo-reviewed").with("id", planned.id).with("members", cast.members.len()));
    let made = dataset::make(instance, planned.id, None).await?;
    voice.say(
        &Message::new("demo-made")
            .with("persons", made.persons)
            .with("rows", made.rows)
            .with("opted", made.opted_out)
            .with("notified", made.not_notified)
            .with("suppressed", made.suppressed),
    );
    if let Some(smallest) = made.smallest_class {
        voice.say(&Message::new("demo-classes").with("smallest", smallest));
    }
    let report = dataset::report(instance, planned.id, Some(&place.reports().join(format!("{kind}.{lang}.html"))), lang).await?;

    let (first, others) = cast.officers.split_first().ok_or_else(|| anyhow::anyhow!("no officer"))?;
    dataset::approve(instance, planned.id, &first.identity()?).await?;
    let refused_with_one = match dataset::deliver(instance, planned.id).await {
        Err(pipeline::Error::Refused(refusal)) => refusal.0.code.to_owned(),
        Err(other) => return Err(other.into()),
        Ok(_) => return Err(Failure::Refused(Message::new("demo-delivered-with-one").with("id", planned.id))),
    };
    voice.say(&Message::new("demo-one-approval").with("code", &refused_with_one));
    for officer in others {
        dataset::approve(instance, planned.id, &officer.identity()?).await?;
    }
    let delivered = dataset::deliver(instance, planned.id).await?;
    voice.say(&Message::new("demo-delivered").with("recipient", &delivered.recipient).with("path", delivered.package.display()));

    let opened = place.received(kind.as_str());
    let producer = instance.root.join("certificates").join("signing.pem");
    let mut arguments = vec![delivered.package.clone().into_os_string()];
    arguments.extend(option("--key", &cast.recipient.key));
    arguments.extend(option("--cert", &cast.recipient.cert));
    arguments.extend(option("--from", &producer));
    arguments.extend(option("--out", &opened));
    let said = programs.open(arguments)?;
    if !said.done {
        return Err(anyhow::anyhow!("azekura-open refused: {}", said.code()).into());
    }
    voice.say(&Message::new("demo-opened").with("files", said.number("files")).with("path", opened.display()));
    Ok(DataSet { id: planned.id, kind, made, package: delivered.package, opened, report, refused_with_one })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_demo_with_few_people_changes_stands_in_the_shipped_profile() {
        assert_eq!((ANONYMIZED.matches(LAST_STEP).count(), ANONYMIZED.matches(MOST_SUPPRESSED).count()), (1, 1));
        assert!(profile(ReleaseKind::Anonymized, 300).contains(MORE_SUPPRESSED.trim()));
        assert_eq!(profile(ReleaseKind::Anonymized, FEW), ANONYMIZED);
    }
}
