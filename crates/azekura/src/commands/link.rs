use std::path::PathBuf;

use ledger::Mode;
use linkage::{Change, ColumnMap, LinkageError, Options, Report};
use messages::Message;

use super::instance::{Access, Where};
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

/// Links the records of an instance (`--instance`), or of a file into a folder (`PEOPLE --out DIR`), or continues in such a folder
/// (`--out DIR` with `--add`, `--remove`, `--facts`, or with none of them to obey what clerks decided since).
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    clerk: Option<super::clerk::Command>,
    /// Table of people: CSV in UTF-8, or Parquet when its name ends in .parquet.
    #[arg(value_name = "PEOPLE", requires = "out", conflicts_with_all = ["instance", "add", "remove", "facts"])]
    people: Option<PathBuf>,
    /// Folder of the results.
    #[arg(long, value_name = "DIR", conflicts_with = "instance")]
    out: Option<PathBuf>,
    /// Threads; all cores without it. The results do not depend on it.
    #[arg(long, value_name = "N", requires = "out")]
    threads: Option<usize>,
    /// Memory that the process may take, as 2GiB or 500MiB; what does not fit waits in sealed temporary files in the folder of the results. For
    /// the first run in a folder.
    #[arg(long, value_name = "SIZE", requires = "people", value_parser = memory)]
    memory: Option<u64>,
    /// What clerks decided enters the learning of the model, beside being obeyed.
    #[arg(long, requires = "people")]
    supervised: bool,
    /// Pairs at least this probable are joined; without it as in the folder's earlier run.
    #[arg(long, value_name = "P", requires = "people")]
    threshold: Option<f64>,
    /// TOML with a table [columns]: our name = "name in the table", "" for a column that is not there.
    #[arg(long, value_name = "FILE", requires = "out")]
    map: Option<PathBuf>,
    /// Clerks who have to say the same of two records before it holds; without it as in the folder's earlier run.
    #[arg(long, value_name = "N", requires = "people", value_parser = clap::value_parser!(u8).range(1..=9))]
    clerks: Option<u8>,
    /// Records to add to, or to correct in, the folder's earlier run.
    #[arg(long, value_name = "FILE", requires = "out")]
    add: Option<PathBuf>,
    /// Records to withdraw: a table with the column record_id.
    #[arg(long, value_name = "FILE", requires = "out")]
    remove: Option<PathBuf>,
    /// Take records back that were withdrawn (--remove) in an earlier run. Without it they stay out wherever they stand again, and are counted.
    #[arg(long, requires = "out")]
    again: bool,
    /// Clerks' decisions: a table kind,record_id_l,record_id_r with the kind must, cannot or withdraw.
    #[arg(long, value_name = "FILE", requires = "out")]
    facts: Option<PathBuf>,
    /// Directory of the instance.
    #[arg(long, value_name = "DIR")]
    instance: Option<PathBuf>,
    /// Who acts, as the journal will say.
    #[arg(long, value_name = "NAME", requires = "instance")]
    actor: Option<String>,
}

/// Bytes of a size such as 2GiB; a number alone is bytes.
fn memory(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "TiB" => Some(1 << 40),
        _ => None,
    };
    let size = digits.trim().parse().ok().zip(unit).and_then(|(count, unit): (u64, u64)| count.checked_mul(unit));
    size.ok_or_else(|| "a size in bytes, KiB, MiB, GiB or TiB, such as 2GiB".to_owned())
}

pub fn run(args: Args, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    if let Some(command) = args.clerk {
        return super::clerk::run(command, access, shown);
    }
    if let Some(instance) = args.instance {
        return in_instance(Where { instance, actor: args.actor }, access, shown);
    }
    let Some(out) = &args.out else {
        return Err(Failure::Usage("azekura link needs --instance DIR, or PEOPLE --out DIR".to_owned()));
    };
    let map = match &args.map {
        Some(path) => column_map(path)?,
        None => ColumnMap::default(),
    };
    // a table alone has no later row that could name a newborn, so the one child that fits is taken
    let mut options = Options { newborns: true, ..Options::default() };
    if let Some(threads) = args.threads {
        options.threads = threads.max(1);
    }
    options.memory = args.memory;
    options.supervised = args.supervised;
    options.again = args.again;
    if let Some(threshold) = args.threshold {
        if !(threshold > 0.0 && threshold <= 1.0) {
            return Err(Failure::Usage("--threshold is a probability above 0 and up to 1".to_owned()));
        }
        options.threshold = Some(threshold);
    }
    if let Some(clerks) = args.clerks {
        options.clerks = Some(linkage::Rule { to_join: clerks, to_part: clerks });
    }
    let report = match &args.people {
        Some(people) => linkage::link_file(people, out, &map, &options).map_err(refused)?,
        None => {
            let change = Change { add: args.add.clone(), remove: args.remove.clone(), facts: args.facts.clone() };
            linkage::continue_run(out, &change, &map, &options).map_err(refused)?
        }
    };
    let mut lines = vec![line(&report)];
    lines.extend(report.words_changed.map(|n| Message::new("linkage-rule-changed").with("count", n)));
    lines.extend(report.memory_message());
    let told = [
        ("linkage-withdrawn-stay-out", report.withdrawn_left_out),
        ("linkage-withdrawn-back", report.withdrawn_back),
        ("linkage-unknown-removals", report.removals_without_record),
        ("linkage-unknown-facts", report.facts_without_record + report.withdrawals_without_fact),
    ];
    lines.extend(told.into_iter().filter(|(_, n)| *n > 0).map(|(code, n)| Message::new(code).with("count", n)));
    shown.result(&report, &lines);
    Ok(Outcome::Done)
}

fn line(report: &Report) -> Message {
    Message::new("core-linked").with("records", report.records).with("persons", report.persons).with("rule", report.rule)
}

fn refused(error: LinkageError) -> Failure {
    Failure::Refused(error.message())
}

pub(super) fn column_map(path: &std::path::Path) -> Result<ColumnMap, Failure> {
    let unreadable = || refused(LinkageError::MapUnreadable);
    let text = std::fs::read_to_string(path).map_err(|_| unreadable())?;
    let table: toml::Table = text.parse().map_err(|_| unreadable())?;
    let columns = table.get("columns").and_then(toml::Value::as_table).ok_or_else(unreadable)?;
    let pair = |(ours, theirs): (&'_ String, &'_ toml::Value)| theirs.as_str().map(|t| (ours.clone(), t.to_owned()));
    let pairs: Vec<(String, String)> = columns.iter().map(pair).collect::<Option<_>>().ok_or_else(unreadable)?;
    ColumnMap::new(pairs.iter().map(|(o, t)| (o.as_str(), t.as_str()))).map_err(refused)
}

fn in_instance(place: Where, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    let linked = access.with(&place, Mode::Writer, async |i| Ok(pipeline::link::link(i).await?))?;
    let line =
        Message::new("core-linked").with("records", linked.records).with("persons", linked.persons).with("rule", &linked.rule);
    let mut lines = vec![line];
    if linked.doubtful > 0 {
        lines.push(Message::new("core-link-doubtful").with("count", linked.doubtful));
    }
    shown.result(&linked, &lines);
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_size_is_read_with_its_unit_and_nothing_else_is_taken_for_one() {
        let sizes = ["2GiB", "500MiB", "7", "1 KiB"].map(super::memory);
        assert_eq!(sizes, [2 << 30, 500 << 20, 7, 1 << 10].map(Ok));
        for text in ["", "GiB", "2GB", "-1MiB", "1.5GiB", "99999999999TiB"] {
            assert!(super::memory(text).is_err(), "{text}");
        }
    }
}
