mod budget;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anonymity::counts::{
    Counted, CountsError, CountsReport, Decimal, Mechanism, Persons, Question, Spending, Stratum, counts_html, rand, read,
    release,
};
use anonymity::table::TableError;
use messages::Message;

use self::budget::Held;
use super::anonymize::apart;
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    /// What a data holding may give away.
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    make: Option<Make>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make the budget of a data holding, or show what is left of it.
    #[command(subcommand)]
    Budget(budget::Command),
}

#[derive(clap::Args)]
struct Make {
    /// The table: CSV with a header row.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The column that says whose row it is.
    #[arg(long, value_name = "COLUMN", conflicts_with = "rows_are_persons")]
    person: Option<String>,
    /// Every row is another person: without --person somebody has to say so.
    #[arg(long)]
    rows_are_persons: bool,
    /// Columns to count by.
    #[arg(long, value_name = "A,B", value_delimiter = ',', required = true)]
    by: Vec<String>,
    /// The values of a column, known without a look at the data: all their cells are released, empty ones too. Once a column;
    /// values with commas in double quotes.
    #[arg(long, value_name = "A=x,y,z")]
    values: Vec<String>,
    /// The noise: laplace (with --epsilon) or gaussian (with --rho).
    #[arg(long, value_name = "NOISE", value_parser = ["laplace", "gaussian"])]
    mechanism: String,
    /// ε of Laplace noise: smaller is safer and less exact.
    #[arg(long, value_name = "E", allow_negative_numbers = true)]
    epsilon: Option<String>,
    /// ρ of Gaussian noise.
    #[arg(long, value_name = "R", allow_negative_numbers = true, conflicts_with = "epsilon")]
    rho: Option<String>,
    /// The chance that a cell of one person alone shows, where values are taken from the data.
    #[arg(long, value_name = "D", allow_negative_numbers = true)]
    delta: Option<String>,
    /// The budget of the data holding; what the table spends is written there before the table is made.
    #[arg(long, value_name = "FILE")]
    budget: PathBuf,
    /// What the table is for: the budget keeps it.
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    /// Cells that a person counts in at most; noise grows with it.
    #[arg(long, value_name = "C", default_value_t = 1)]
    most_cells: u32,
    /// What is counted: persons or rows.
    #[arg(long, value_name = "WHAT", default_value = "persons", value_parser = ["persons", "rows"])]
    count: String,
    /// With --count rows: rows of a person that count in a cell at most; noise grows with it.
    #[arg(long, value_name = "M")]
    most_rows: Option<u32>,
    /// Leave out noisy counts below this.
    #[arg(long, value_name = "T")]
    suppress: Option<u64>,
    /// Show noisy counts below 0 as 0.
    #[arg(long)]
    non_negative: bool,
    /// Totals by each single column too, made of the noisy cells. Only with --values for every column.
    #[arg(long)]
    marginals: bool,
    /// Separator of the table; found without it.
    #[arg(long, value_name = "CHAR")]
    sep: Option<char>,
    /// Where the table goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the report goes (JSON); a page of the same name ends in .html.
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
}

fn refused(error: CountsError) -> Failure {
    Failure::Refused(error.message())
}

/// `COLUMN=x,y,z` of every `--values`, by column. Values are one line of CSV, so that they may hold commas in quotes.
fn given(values: &[String]) -> Result<BTreeMap<String, Vec<String>>, CountsError> {
    let mut given = BTreeMap::new();
    for text in values {
        let form = || CountsError::ValuesForm { text: text.chars().take(40).collect() };
        let (column, list) = text.split_once('=').ok_or_else(form)?;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(list.as_bytes());
        let lines: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().map_err(|_| form())?;
        let [line] = &lines[..] else { return Err(form()) };
        if given.insert(column.to_owned(), line.iter().map(str::to_owned).collect()).is_some() {
            return Err(CountsError::ValuesTwice { column: column.to_owned() });
        }
    }
    Ok(given)
}

impl Make {
    fn question(&self) -> Result<Question, Failure> {
        let (mechanism, parameter) = match (self.mechanism.as_str(), &self.epsilon, &self.rho) {
            ("laplace", Some(epsilon), None) => (Mechanism::Laplace, epsilon),
            ("gaussian", None, Some(rho)) => (Mechanism::Gaussian, rho),
            _ => return Err(Failure::Usage("--mechanism laplace takes --epsilon, --mechanism gaussian takes --rho".to_owned())),
        };
        let persons = match &self.person {
            Some(column) => Persons::Column(column.clone()),
            None if self.rows_are_persons => Persons::Rows,
            None => return Err(refused(CountsError::NobodyProtected)),
        };
        let count = if self.count == "rows" { Counted::Rows } else { Counted::Persons };
        let most_rows = match (count, &persons, self.most_rows) {
            (Counted::Rows, Persons::Column(_), Some(most)) => most,
            (Counted::Rows, Persons::Rows, None) | (Counted::Persons, _, None) => 1,
            (Counted::Rows, Persons::Rows, Some(_)) => return Err(refused(CountsError::RowsArePersons)),
            (Counted::Rows, Persons::Column(_), None) | (Counted::Persons, _, Some(_)) => {
                return Err(refused(CountsError::RowsUnbounded));
            }
        };
        let mut values = given(&self.values).map_err(refused)?;
        let by = self.by.iter().map(|column| Stratum { column: column.clone(), values: values.remove(column) }).collect();
        // A column that stands twice in --by lost its values to its first place; the plan refuses it by its own name.
        if let Some(column) = values.into_keys().next() {
            return Err(refused(CountsError::ValuesForeign { column }));
        }
        Ok(Question {
            by,
            persons,
            count,
            most_cells: self.most_cells,
            most_rows,
            mechanism,
            parameter: parameter.parse().map_err(refused)?,
            delta: self.delta.as_deref().map(str::parse).transpose().map_err(refused)?,
            suppress: self.suppress,
            non_negative: self.non_negative,
            marginals: self.marginals,
        })
    }

    fn spending(&self, question: &Question) -> Result<Spending, Failure> {
        let columns: Vec<&str> = question.by.iter().map(|s| s.column.as_str()).collect();
        let json = serde_json::to_vec(question).map_err(anyhow::Error::from)?;
        Ok(Spending {
            date: jiff::Zoned::now().date().to_string(),
            purpose: self.purpose.clone().unwrap_or_else(|| columns.join(" × ")),
            mechanism: question.mechanism,
            parameter: question.parameter,
            delta: question.delta.unwrap_or(Decimal::ZERO),
            question_sha256: hex::encode(seal::hash::sha256(&json)),
        })
    }
}

/// Refuses a place where a file cannot appear while nothing is spent yet.
fn writable(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() || path.is_dir() {
        return Err(Failure::Usage(format!("{} cannot be written: its folder is missing, or it is one", path.display())));
    }
    Ok(())
}

pub fn run(args: Args, shown: &Shown) -> Result<Outcome, Failure> {
    match (args.command, args.make) {
        (Some(Command::Budget(command)), _) => budget::run(command, shown),
        (None, Some(make)) => table(&make, shown),
        (None, None) => Err(Failure::Usage("tables --data FILE --by A,B …, or tables budget create|show FILE".to_owned())),
    }
}

fn table(make: &Make, shown: &Shown) -> Result<Outcome, Failure> {
    let delimiter = match make.sep {
        Some(c) if c.is_ascii() => Some(c as u8),
        Some(_) => return Err(Failure::Usage("--sep: one ASCII character".to_owned())),
        None => None,
    };
    let page = make.report.with_extension("html");
    let written: [&Path; 3] = [&make.report, &page, &make.out];
    let [lock, seen] = budget::beside(&make.budget);
    apart(&[&make.data, &make.budget, &lock, &seen], &written)?;
    written.iter().try_for_each(|path| writable(path))?;
    let question = make.question()?;
    let plan = question.plan().map_err(refused)?;
    let spending = make.spending(&question)?;
    // A first look, so that a long read is not for nothing; what counts is the second, under the lock.
    Held::take(&make.budget)?.budget().spend(spending.clone()).map_err(refused)?;

    let name = make.data.display().to_string();
    let file = std::fs::File::open(&make.data)
        .map_err(|e| refused(TableError::Unreadable { file: name.clone(), reason: e.to_string() }.into()))?;
    let contributions = read(file, &name, delimiter, &question).map_err(refused)?;
    let mut rng = rand::rng();
    let counts = contributions.bounded(&question, &mut rng);

    // What is spent is on the disk before the first noise is drawn: a crash loses budget, never anybody's secret.
    let after = Held::take(&make.budget)?.spend(spending)?;
    let entry = after.entries().last().ok_or_else(|| anyhow::anyhow!("the budget did not keep what was spent"))?;
    let release = release(counts, &question, &plan, &mut rng);
    let report = CountsReport::new(&question, &plan, &release, &after, entry);
    let json = serde_json::to_vec_pretty(&report).map_err(anyhow::Error::from)?;
    let mut bytes = Vec::new();
    release.write(&mut bytes)?;
    // Each appears whole or not at all, the table last: without it there is no release.
    durable::write_atomic(&make.report, &json)?;
    durable::write_atomic(&page, counts_html(&report, &release, shown.lang).as_bytes())?;
    durable::write_atomic(&make.out, &bytes)?;
    let line = Message::new("anonymity-counts-done")
        .with("cells", report.cells)
        .with("totals", report.totals.len())
        .with("width", report.half_width_95)
        .with("unit", report.spent.unit.sign())
        .with("spent", report.spent.amount)
        .with("left", report.left.amount)
        .with("path", make.out.display());
    shown.result(&report, &[line]);
    Ok(Outcome::Done)
}
