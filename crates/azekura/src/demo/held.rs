//! The package that was put together wrongly as a whole: what the house sees in it, and what its hospital gets.

use std::path::PathBuf;

use anyhow::Context as _;
use messages::{Lang, Message};
use pipeline::Instance;
use pipeline::ingest::Taken;
use quality::{Head, report_html, results_csv};
use terms::{PackageId, ProviderId};

use super::hospitals::Cast;
use super::others::CARELESS;
use super::place::Place;
use super::programs::{Programs, option};
use super::voice::Voice;
use crate::commands::rows_csv;
use crate::failure::Failure;

/// Rows of a failed check that the hospital is shown.
const ROWS: usize = 1_000;

/// A package that was held back.
pub struct Held {
    /// Who sent it.
    pub provider: ProviderId,
    /// Which.
    pub package: PackageId,
    /// The report as its hospital opened it.
    pub opened: PathBuf,
}

/// Looks at the package that waits, tells its hospital, and sets it aside.
///
/// # Errors
/// When none waits, or a step is refused.
pub async fn look(
    place: &Place,
    programs: &Programs,
    instance: &Instance,
    cast: &Cast,
    taken: &[Taken],
    lang: Lang,
    voice: &Voice<'_>,
) -> Result<Held, Failure> {
    let waits = taken.iter().find(|t| t.provider.as_str() == CARELESS && t.waits.is_some());
    let waits = waits.context("a package that is held back")?;
    let rules = pipeline::quality::rules(instance)?;
    let batch =
        pipeline::quality::of_package(instance, waits.package, &rules, ROWS, true, "why a package waits", &|_| ()).await?;
    let head = Head {
        of: batch.provider.to_string(),
        day: pipeline::notices::today().to_string(),
        at_least: 1,
        unread: batch.numbers.unread(lang),
        counts: Vec::new(),
        before: None,
    };
    let files = [
        ("report.html", report_html(&batch.outcome, &head, lang).context("the report")?.into_bytes()),
        ("results.csv", results_csv(&batch.outcome).context("the results")?),
        ("rows.csv", rows_csv(&batch.outcome, &batch.numbers.patients).context("the rows")?),
    ];
    let package = pipeline::quality::send(instance, &batch.provider, batch.sequence, &files).await?;
    pipeline::quality::reject(instance, waits.package, "the years are of another era; the hospital was told").await?;

    let (hospital, _) = cast.others.iter().find(|(h, _)| h.id == batch.provider).context("who sent it")?;
    let opened = place.reports().join("quality");
    let mut arguments = vec![package.into_os_string()];
    arguments.extend(option("--key", &hospital.keys.key));
    arguments.extend(option("--cert", &hospital.keys.cert));
    arguments.extend(option("--from", instance.root.join("certificates").join("signing.pem")));
    arguments.extend(option("--out", &opened));
    let said = programs.open(arguments)?;
    if !said.done {
        return Err(anyhow::anyhow!("azekura-open refused: {}", said.code()).into());
    }
    voice.say(
        &Message::new("demo-told")
            .with("provider", &batch.provider)
            .with("fatal", batch.outcome.unfit().len())
            .with("path", opened.join("report.html").display()),
    );
    Ok(Held { provider: batch.provider, package: waits.package, opened })
}
