//! The clerk at a terminal: what waits, two records side by side with what speaks for and against, and the clerk's word.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;

use ledger::{Actor, Mode};
use linkage::{Case, ColumnMap, Desk, LinkageError, Reason, Says, Side, Standing};
use messages::{Lang, Message};
use pipeline::Instance;
use seal::Passphrase;
use serde::Serialize;
use terms::RecordId;
use unicode_width::UnicodeWidthStr as _;

use super::instance::{Access, actor, runtime};
use super::link::column_map;
use crate::failure::Failure;
use crate::output::{Outcome, Shown};

/// Pairs of the queue that are listed without `--limit`.
const LISTED: usize = 20;

/// What a clerk does.
#[derive(clap::Subcommand)]
pub enum Command {
    /// List the pairs that wait for a word, the most valuable first.
    Queue {
        #[command(flatten)]
        place: Place,
        /// How many.
        #[arg(long, value_name = "N", default_value_t = LISTED)]
        limit: usize,
    },
    /// Show two records side by side with the evidence for and against.
    Show {
        #[command(flatten)]
        place: Place,
        left: String,
        right: String,
    },
    /// Say what two records are. A word holds when enough clerks say the same, from the next azekura link on.
    Decide {
        #[command(flatten)]
        place: Place,
        left: String,
        right: String,
        /// same, different, unsure, or withdraw for taking back what was said.
        #[arg(long = "as", value_name = "WORD")]
        says: String,
        /// On what it rests: name, name-change, birth-date, card, home, phone, relatives, namesakes, document, provider, other.
        #[arg(long, value_name = "REASON")]
        reason: Option<Reason>,
    },
    /// Go through the queue at the terminal, pair by pair.
    Clerk {
        #[command(flatten)]
        place: Place,
    },
}

/// At which desk, and who.
#[derive(clap::Args)]
pub struct Place {
    /// Folder of an earlier azekura link.
    #[arg(long, value_name = "DIR", conflicts_with = "instance", required_unless_present = "instance")]
    out: Option<PathBuf>,
    /// Directory of the instance.
    #[arg(long, value_name = "DIR")]
    instance: Option<PathBuf>,
    /// The clerk's name. Of an instance it is who acts, as the journal will say.
    #[arg(long, visible_alias = "actor", value_name = "NAME")]
    clerk: Option<String>,
    /// The table of people, to show its rows as they stand there (folders only, CSV).
    #[arg(long, value_name = "FILE", requires = "out")]
    people: Option<PathBuf>,
    /// TOML with a table [columns]: our name = "name in the table".
    #[arg(long, value_name = "FILE", requires = "people")]
    map: Option<PathBuf>,
}

/// A pair with all that a clerk may want to know, whichever desk it lies on.
#[derive(Serialize)]
struct Sheet {
    left: String,
    right: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Case<String>>,
    left_values: Side,
    right_values: Side,
}

/// A row of the queue, whichever desk it lies on.
#[derive(Serialize)]
struct Waiting {
    #[serde(flatten)]
    case: Case<String>,
    standing: Standing,
    clerks: Vec<String>,
}

/// Where the clerk sits.
enum At {
    Folder { desk: Box<Desk>, raw: Option<(PathBuf, ColumnMap)>, rows: HashMap<String, Side> },
    Instance { root: PathBuf, passphrase: Passphrase, runtime: tokio::runtime::Runtime },
}

fn refused(error: LinkageError) -> Failure {
    Failure::Refused(error.message())
}

fn named(case: Case<i64>) -> Case<String> {
    let Case { left, right, probability, reason, value, levels, weights } = case;
    Case { left: left.to_string(), right: right.to_string(), probability, reason, value, levels, weights }
}

fn record(id: &str) -> Result<RecordId, Failure> {
    id.parse().map(RecordId).map_err(|_| Failure::Refused(Message::new("core-clerk-no-records")))
}

impl At {
    fn open(place: &Place, access: &Access) -> Result<At, Failure> {
        match (&place.out, &place.instance) {
            (_, Some(root)) => {
                Ok(At::Instance { root: root.clone(), passphrase: access.passphrase(false)?, runtime: runtime()? })
            }
            (Some(out), None) => {
                let map = place.map.as_deref().map(column_map).transpose()?.unwrap_or_default();
                let raw = place.people.clone().map(|people| (people, map));
                Ok(At::Folder { desk: Box::new(Desk::open(out).map_err(refused)?), raw, rows: HashMap::new() })
            }
            (None, None) => Err(Failure::Usage("--out DIR or --instance DIR".to_owned())),
        }
    }

    /// Works on the instance, which others may use in between.
    fn with<T>(&self, who: &Actor, mode: Mode, work: impl AsyncFnOnce(&Instance) -> Result<T, Failure>) -> Result<T, Failure> {
        let At::Instance { root, passphrase, runtime } = self else {
            return Err(Failure::Usage("--instance DIR".to_owned()));
        };
        runtime.block_on(async {
            let instance = Instance::open(root, passphrase, mode, who.clone()).await?;
            let result = work(&instance).await;
            let left = if matches!(mode, Mode::Writer) { instance.leave().await } else { Ok(()) };
            instance.ledger.close().await;
            let result = result?;
            left?;
            Ok(result)
        })
    }

    fn queue(&self, who: &Actor) -> Result<Vec<Waiting>, Failure> {
        match self {
            At::Folder { desk, .. } => {
                let queue = desk.queue().map_err(refused)?.into_iter();
                Ok(queue
                    .map(|q| Waiting { case: q.case, standing: q.standing, clerks: q.clerks.into_iter().collect() })
                    .collect())
            }
            At::Instance { .. } => {
                let queue = self.with(who, Mode::Reader, async |i| Ok(pipeline::clerk::queue(i).await?))?.into_iter();
                let waiting = |q: pipeline::clerk::Queued| Waiting {
                    case: named(q.case),
                    standing: q.standing,
                    clerks: q.clerks.into_iter().collect(),
                };
                Ok(queue.map(waiting).collect())
            }
        }
    }

    fn sheet(&mut self, who: &Actor, left: &str, right: &str) -> Result<Sheet, Failure> {
        match self {
            At::Folder { desk, raw, rows } => {
                if let Some((people, map)) = raw
                    && !(rows.contains_key(left) && rows.contains_key(right))
                {
                    // the head of the queue with it: one pass over the table serves many pairs
                    let queue = desk.queue().map_err(refused)?;
                    let near = queue.into_iter().take(500).flat_map(|q| [q.case.left, q.case.right]);
                    let wanted: HashSet<String> = near.chain([left.to_owned(), right.to_owned()]).collect();
                    rows.extend(linkage::raw(people, map, &wanted).map_err(refused)?);
                }
                let side = |label: &str| rows.get(label).cloned().or_else(|| desk.read_as(label));
                let missing = || refused(LinkageError::DecisionUnknownRecord);
                Ok(Sheet {
                    left: left.to_owned(),
                    right: right.to_owned(),
                    evidence: desk.case(left, right).cloned(),
                    left_values: side(left).ok_or_else(missing)?,
                    right_values: side(right).ok_or_else(missing)?,
                })
            }
            At::Instance { .. } => {
                let (a, b) = (record(left)?, record(right)?);
                let (a, b) = (a.min(b), a.max(b));
                let pair = self.with(who, Mode::Writer, async |i| Ok(pipeline::clerk::show(i, a, b).await?))?;
                Ok(Sheet {
                    left: a.to_string(),
                    right: b.to_string(),
                    evidence: pair.case.map(named),
                    left_values: pair.left,
                    right_values: pair.right,
                })
            }
        }
    }

    fn say(&self, who: &Actor, left: &str, right: &str, says: Option<(Says, Reason)>) -> Result<Standing, Failure> {
        match self {
            At::Folder { desk, .. } => desk.say(who.as_str(), left, right, says).map_err(refused),
            At::Instance { .. } => {
                let (a, b) = (record(left)?, record(right)?);
                self.with(who, Mode::Writer, async |i| Ok(pipeline::clerk::say(i, a, b, says).await?))
            }
        }
    }
}

pub fn run(command: Command, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    match command {
        Command::Queue { place, limit } => {
            let who = actor(place.clerk.as_deref())?;
            let queue = At::open(&place, access)?.queue(&who)?;
            let mut lines = vec![Message::new("core-clerk-queue").with("count", queue.len())];
            lines.extend(queue.iter().take(limit).map(|waiting| line(waiting, shown.lang)));
            let listed: Vec<&Waiting> = queue.iter().take(limit).collect();
            shown.result(&serde_json::json!({ "waiting": queue.len(), "pairs": listed }), &lines);
        }
        Command::Show { place, left, right } => {
            let who = actor(place.clerk.as_deref())?;
            let sheet = At::open(&place, access)?.sheet(&who, &left, &right)?;
            if shown.json {
                shown.result(&sheet, &[]);
            } else {
                std::io::stdout().write_all(picture(&sheet, shown.lang).as_bytes())?;
            }
        }
        Command::Decide { place, left, right, says, reason } => {
            let who = named_clerk(&place)?;
            let word = match says.as_str() {
                "withdraw" => None,
                word => {
                    let says: Says = word.parse().map_err(|e| Failure::Usage(format!("--as: {e}, withdraw")))?;
                    let needed = || {
                        Failure::Usage(format!(
                            "--reason: {}",
                            Reason::ALL.iter().map(|r| r.code()).collect::<Vec<_>>().join(", ")
                        ))
                    };
                    Some((says, reason.ok_or_else(needed)?))
                }
            };
            let standing = At::open(&place, access)?.say(&who, &left, &right, word)?;
            let result = serde_json::json!({ "left": left, "right": right, "standing": standing });
            shown.result(&result, &[said(standing)]);
        }
        Command::Clerk { place } => return at_the_terminal(&place, access, shown),
    }
    Ok(Outcome::Done)
}

/// A clerk who decides has a name; for looking the account's will do.
fn named_clerk(place: &Place) -> Result<Actor, Failure> {
    match &place.clerk {
        Some(name) => actor(Some(name)),
        None if place.instance.is_some() => actor(None),
        None => Err(refused(LinkageError::DecisionWithoutClerk)),
    }
}

fn said(standing: Standing) -> Message {
    Message::new(match standing {
        Standing::Open => "core-clerk-open",
        Standing::Waiting => "core-clerk-waiting",
        Standing::Disputed => "core-clerk-disputed",
        Standing::Same => "core-clerk-same",
        Standing::Different => "core-clerk-different",
    })
}

/// Of the codes of the catalogue the one that ends in a word.
fn code(prefix: &str, word: &str) -> Option<&'static str> {
    let word = word.replace('_', "-");
    linkage::CODES.iter().copied().find(|c| c.strip_prefix(prefix) == Some(word.as_str()))
}

fn text(prefix: &str, word: &str, lang: Lang) -> String {
    code(prefix, word).map_or_else(|| word.to_owned(), |c| Message::new(c).text(lang))
}

/// In percent; what is not sure is not shown as if it were.
fn percent(probability: f32) -> String {
    let shown = f64::from(probability) * 100.0;
    format!("{:.1}", if probability < 1.0 { shown.min(99.9) } else { shown })
}

fn line(waiting: &Waiting, lang: Lang) -> Message {
    let case = &waiting.case;
    Message::new("core-clerk-line")
        .with("left", plain(&case.left))
        .with("right", plain(&case.right))
        .with("percent", percent(case.probability))
        .with("reason", text("linkage-decision-", case.reason.code(), lang))
        .with("standing", said(waiting.standing).text(lang))
        .with("clerks", waiting.clerks.join(", "))
}

/// Fills a text with spaces up to a width of columns on a terminal, where a Japanese character takes two.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Nothing that a record says may move the cursor.
fn plain(text: &str) -> String {
    let moves =
        |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if moves(c) { '\u{fffd}' } else { c }).collect()
}

/// Two records side by side, then what speaks for one person (to the right) and against it (to the left).
fn picture(sheet: &Sheet, lang: Lang) -> String {
    let mut out = String::new();
    let values = |side: &Side, column: &str| side.iter().find(|(c, _)| *c == column).map_or(String::new(), |(_, v)| plain(v));
    let level = |column: &str| -> String {
        let field = match column {
            "family_kanji" | "family_kana" => "family",
            "given_kanji" | "given_kana" => "given",
            "postal_code" | "address" | "street_number" | "street" | "building" | "suburb" | "state" => "home",
            "insurer_number" | "insured_symbol" | "insured_number" | "insured_branch" | "personal_id" => "card",
            other => other,
        };
        let at = linkage::FIELDS.iter().position(|f| *f == field);
        let word = at.and_then(|at| sheet.evidence.as_ref().and_then(|e| e.levels.get(at)));
        word.map_or(String::new(), |w| text("linkage-level-", w, lang))
    };
    let columns: Vec<&str> = linkage::COLUMNS.into_iter().skip(1).chain(linkage::PART_COLUMNS).collect();
    let rows: Vec<[String; 4]> = columns
        .into_iter()
        .map(|c| [text("linkage-column-name-", c, lang), values(&sheet.left_values, c), values(&sheet.right_values, c), level(c)])
        .filter(|[_, left, right, _]| !(left.is_empty() && right.is_empty()))
        .collect();
    let head = [String::new(), plain(&sheet.left), plain(&sheet.right), String::new()];
    let width = |at: usize| rows.iter().chain([&head]).map(|r| r[at].width()).max().unwrap_or(0) + 2;
    let widths = [width(0), width(1), width(2)];
    for row in std::iter::once(&head).chain(&rows) {
        let cells: String = row.iter().zip(widths).map(|(cell, width)| padded(cell, width)).collect();
        out.push_str(format!("{cells}{}", row[3]).trim_end());
        out.push('\n');
    }
    let Some(evidence) = &sheet.evidence else {
        out.push_str(&Message::new("core-clerk-no-evidence").text(lang));
        out.push('\n');
        return out;
    };
    out.push('\n');
    const HALF: usize = 24;
    let names: Vec<String> = linkage::WEIGHTS.iter().map(|w| text("linkage-weight-", w, lang)).collect();
    let widest = names.iter().map(|n| n.width()).max().unwrap_or(0) + 2;
    let largest = evidence.weights.iter().fold(1.0f32, |most, w| most.max(w.abs()));
    for (name, weight) in names.iter().zip(&evidence.weights) {
        let cells = ((weight.abs() / largest * HALF as f32).round() as usize).min(HALF);
        let (left, right) = if *weight < 0.0 { (cells, 0) } else { (0, cells) };
        let bar = format!("{}{}│{}", " ".repeat(HALF - left), "█".repeat(left), "█".repeat(right));
        out.push_str(format!("{}{weight:>7.1} {bar}", padded(name, widest)).trim_end());
        out.push('\n');
    }
    let sum: f32 = evidence.weights.iter().sum();
    let reason = text("linkage-decision-", evidence.reason.code(), lang);
    let message = Message::new("core-clerk-sum")
        .with("bits", format!("{sum:.1}"))
        .with("percent", percent(evidence.probability))
        .with("reason", reason);
    out.push_str(&message.text(lang));
    out.push('\n');
    out
}

/// Pair by pair: one letter for the word, one number for the reason.
fn at_the_terminal(place: &Place, access: &Access, shown: &Shown) -> Result<Outcome, Failure> {
    let who = named_clerk(place)?;
    let mut at = At::open(place, access)?;
    let mut input = std::io::stdin().lock();
    if shown.json {
        return Err(Failure::Usage("azekura link clerk talks to a person; programs take queue, show and decide".to_owned()));
    }
    let mut out = std::io::stdout();
    let mut words = 0u64;
    let queue: Vec<Waiting> = at.queue(&who)?.into_iter().filter(|w| !w.clerks.iter().any(|c| c == who.as_str())).collect();
    let mut ask = |out: &mut std::io::Stdout, message: &Message| -> Result<Option<String>, Failure> {
        write!(out, "{} ", message.text(shown.lang))?;
        out.flush()?;
        let mut line = String::new();
        Ok((input.read_line(&mut line)? > 0).then(|| line.trim().to_lowercase()))
    };
    'pairs: for (number, waiting) in (1u64..).zip(&queue) {
        let (left, right) = (waiting.case.left.as_str(), waiting.case.right.as_str());
        let head = Message::new("core-clerk-head").with("number", number).with("count", queue.len());
        writeln!(out, "\n{}  {}", head.text(shown.lang), said(waiting.standing).text(shown.lang))?;
        write!(out, "{}", picture(&at.sheet(&who, left, right)?, shown.lang))?;
        let says = loop {
            match ask(&mut out, &Message::new("core-clerk-ask"))?.as_deref() {
                Some("s") => break Says::Same,
                Some("d") => break Says::Different,
                Some("u") => break Says::Unsure,
                Some("n") => continue 'pairs,
                Some("q") | None => break 'pairs,
                Some(_) => {}
            }
        };
        let reasons: Vec<String> =
            (1..).zip(Reason::ALL).map(|(n, r)| format!("{n} {}", text("linkage-because-", r.code(), shown.lang))).collect();
        let reason = loop {
            let question = Message::new("core-clerk-ask-reason").with("reasons", reasons.join(", "));
            let Some(answer) = ask(&mut out, &question)? else { break 'pairs };
            let chosen = answer.parse::<usize>().ok().and_then(|n| Reason::ALL.get(n.checked_sub(1)?));
            if let Some(reason) = chosen {
                break *reason;
            }
        };
        match at.say(&who, left, right, Some((says, reason))) {
            Ok(standing) => {
                words += 1;
                writeln!(out, "{}", said(standing).text(shown.lang))?;
            }
            // one word that cannot stand is no reason to end the day
            Err(Failure::Refused(message)) => writeln!(out, "{}", message.text(shown.lang))?,
            Err(other) => return Err(other),
        }
    }
    writeln!(out, "\n{}", Message::new("core-clerk-done").with("count", words).text(shown.lang))?;
    Ok(Outcome::Done)
}
