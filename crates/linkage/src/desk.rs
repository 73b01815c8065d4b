//! The clerk's desk over a folder of results: the queue, who the two are, and words that the next run obeys.
//!
//! Words stand in a table of their own, `decisions.csv`, one row a clerk and pair. It is written whole and put in place, so a clerk's word is
//! there or it is not; a run that finds words about records that are gone lets them go too.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::clerk::{self, Case, FIELDS, Reason, Rule, Says, Standing, WEIGHTS};
use crate::columns::{ALL, ColumnMap};
use crate::engine::Decision;
use crate::error::LinkageError;
use crate::facts::read_columns;
use crate::files;
use crate::folder;
use crate::lines::Records;
use crate::parts;
use crate::row::{NO_BRANCH, NO_DAY, Row};
use crate::state::{LabelFact, State};
use crate::write::field;

const FILE: &str = "decisions.csv";
const COLUMNS_OF_WORDS: [&str; 6] = ["record_id_l", "record_id_r", "clerk", "says", "reason", "at"];

/// A clerk's word about two records.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    says: Says,
    reason: Reason,
    /// Seconds since 1970.
    at: u64,
}

/// Words by pair and clerk.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Words(BTreeMap<(String, String), BTreeMap<String, Word>>);

impl Words {
    /// Words of a folder; none where nobody has said any.
    pub fn read(folder: &Path) -> Result<Words, LinkageError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(Words::default());
        }
        let mut words = Words::default();
        for (row, [left, right, clerk, says, reason, at]) in (1..).zip(read_columns(&path, COLUMNS_OF_WORDS, "decisions")?) {
            let unreadable = || LinkageError::DecisionUnreadable { row };
            let word = Word {
                says: says.parse().map_err(|_| unreadable())?,
                reason: reason.parse().map_err(|_| unreadable())?,
                at: at.parse().map_err(|_| unreadable())?,
            };
            words.0.entry((left, right)).or_default().insert(clerk, word);
        }
        Ok(words)
    }

    fn save(&self, folder: &Path) -> Result<(), LinkageError> {
        let written = || -> std::io::Result<()> {
            let new = folder.join(folder::NEW_WORDS);
            let mut text = COLUMNS_OF_WORDS.join(",").into_bytes();
            text.push(b'\n');
            for ((left, right), words) in &self.0 {
                for (clerk, word) in words {
                    for part in [left, right, clerk] {
                        text.extend_from_slice(&field(part.as_bytes()));
                        text.push(b',');
                    }
                    writeln!(text, "{},{},{}", word.says.code(), word.reason.code(), word.at)?;
                }
            }
            let mut file = folder::create(&new)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&new, folder.join(FILE))?;
            File::open(folder)?.sync_all()
        };
        written().map_err(|_| LinkageError::FileUnwritable)
    }

    /// Lets words go that are about records which are not there.
    pub fn forget(folder: &Path, there: impl Fn(&str) -> bool) -> Result<(), LinkageError> {
        let mut words = Words::read(folder)?;
        let before = words.0.len();
        words.0.retain(|(a, b), _| there(a) && there(b));
        if words.0.len() < before { words.save(folder) } else { Ok(()) }
    }

    fn standing(&self, rule: Rule, pair: &(String, String)) -> Standing {
        rule.standing(self.0.get(pair).into_iter().flat_map(BTreeMap::values).map(|w| w.says))
    }

    /// The records that they are about.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.keys().flat_map(|(left, right)| [left.as_str(), right.as_str()])
    }

    /// On how many pairs something else holds by one rule than by another.
    pub fn changed(&self, before: Rule, now: Rule) -> u64 {
        let held = |standing| Some(standing).filter(|s| matches!(s, Standing::Same | Standing::Different));
        self.0.keys().filter(|pair| held(self.standing(before, pair)) != held(self.standing(now, pair))).count() as u64
    }

    /// What holds by these words.
    pub fn facts(&self, rule: Rule) -> Vec<LabelFact> {
        let fact = |pair: &(String, String)| {
            let must = match self.standing(rule, pair) {
                Standing::Same => true,
                Standing::Different => false,
                _ => return None,
            };
            Some(LabelFact { must, left: pair.0.clone(), right: pair.1.clone() })
        };
        self.0.keys().filter_map(fact).collect()
    }
}

/// A pair in the queue and what was said of it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Queued {
    /// The pair with its evidence.
    #[serde(flatten)]
    pub case: Case<String>,
    /// What the words about it come to.
    pub standing: Standing,
    /// Who has said something of it.
    pub clerks: BTreeSet<String>,
}

/// What a record says of a person, by column: as the source has it, or as linkage reads it.
pub type Side = Vec<(&'static str, String)>;

/// A folder's desk. Several clerks may sit at one folder; each word is taken under the folder's lock.
pub struct Desk {
    folder: PathBuf,
    state: State,
    queue: Vec<Case<String>>,
    /// When the run was saved that is looked at.
    saved: Option<SystemTime>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({} pairs)", self.queue.len())
    }
}

impl Desk {
    /// Opens the desk of an earlier run's folder.
    ///
    /// # Errors
    /// [`LinkageError::StateUnreadable`] when the folder holds no earlier run whose queue can be read.
    pub fn open(folder: &Path) -> Result<Desk, LinkageError> {
        // a run that was stopped halfway is ended first; one that works now ends by itself
        let lock = if folder::is_unsettled(folder) { folder::lock(folder).ok() } else { None };
        let saved = State::saved(folder);
        let state = State::load(folder)?;
        if let Some(lock) = lock {
            files::settle(folder, &lock, Some(&state))?;
        }
        let queue = queue(&folder.join("review.csv"))?;
        Ok(Desk { folder: folder.to_owned(), state, queue, saved })
    }

    /// How many clerks have to say the same.
    pub fn rule(&self) -> Rule {
        self.state.clerks
    }

    /// Pairs on which nothing holds yet, the most valuable first.
    ///
    /// # Errors
    /// When the words cannot be read.
    pub fn queue(&self) -> Result<Vec<Queued>, LinkageError> {
        let words = Words::read(&self.folder)?;
        // decided by a table of facts since the run
        let stated: HashSet<(&str, &str)> = self.state.facts.iter().map(|f| (f.left.as_str(), f.right.as_str())).collect();
        let queued = self.queue.iter().filter(|c| !stated.contains(&(c.left.as_str(), c.right.as_str())));
        let queued = queued.map(|case| {
            let pair = (case.left.clone(), case.right.clone());
            let clerks = words.0.get(&pair).into_iter().flat_map(BTreeMap::keys).cloned().collect();
            Queued { standing: words.standing(self.state.clerks, &pair), case: case.clone(), clerks }
        });
        Ok(queued.filter(|q| !matches!(q.standing, Standing::Same | Standing::Different)).collect())
    }

    /// A pair of the queue.
    pub fn case(&self, left: &str, right: &str) -> Option<&Case<String>> {
        let (left, right) = ordered(left, right);
        self.queue.iter().find(|c| (c.left.as_str(), c.right.as_str()) == (left, right))
    }

    /// Takes a clerk's word about two records; `None` takes back what this clerk said of them before.
    ///
    /// # Errors
    /// [`LinkageError::DecisionUnknownRecord`]; [`LinkageError::DecisionWithoutClerk`]; [`LinkageError::DecisionContradicts`] when it would make one person of what other words and
    /// facts keep apart, or the other way round; [`LinkageError::FolderBusy`].
    pub fn say(&self, who: &str, left: &str, right: &str, says: Option<(Says, Reason)>) -> Result<Standing, LinkageError> {
        let who = who.trim();
        if who.is_empty() {
            return Err(LinkageError::DecisionWithoutClerk);
        }
        let (left, right) = ordered(left, right);
        let there = |label: &str| self.state.labels.find(label.as_bytes()).is_some();
        if left == right || !there(left) || !there(right) {
            return Err(LinkageError::DecisionUnknownRecord);
        }
        let lock = folder::lock(&self.folder)?;
        // Records and facts may be others now.
        if State::saved(&self.folder) != self.saved {
            return Err(LinkageError::FolderChanged);
        }
        files::settle(&self.folder, &lock, Some(&self.state))?;
        let mut words = Words::read(&self.folder)?;
        let contradict = |words: &Words| {
            let facts = words.facts(self.state.clerks).into_iter().chain(self.state.facts.iter().cloned());
            clerk::contradiction(&facts.map(|f| (f.must, f.left, f.right)).collect::<Vec<_>>()).is_some()
        };
        let before = contradict(&words);
        let pair = (left.to_owned(), right.to_owned());
        let of_pair = words.0.entry(pair.clone()).or_default();
        match says {
            Some((says, reason)) => {
                let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
                of_pair.insert(who.to_owned(), Word { says, reason, at });
            }
            None => {
                of_pair.remove(who);
            }
        }
        if of_pair.is_empty() {
            words.0.remove(&pair);
        }
        let standing = words.standing(self.state.clerks, &pair);
        // Taking a word back is never refused; words that contradict each other already can be mended one by one.
        if says.is_some() && !before && contradict(&words) {
            return Err(LinkageError::DecisionContradicts);
        }
        words.save(&self.folder)?;
        Ok(standing)
    }

    /// What linkage knows of a record: values as it reads them. Addresses and symbols are kept as numbers only and are not here.
    pub fn read_as(&self, label: &str) -> Option<Side> {
        let row = self.state.rows.get(self.state.labels.find(label.as_bytes())?)?;
        Some(readable(row, &self.state))
    }
}

/// The two in the order of their ids.
fn ordered<'a>(left: &'a str, right: &'a str) -> (&'a str, &'a str) {
    if left <= right { (left, right) } else { (right, left) }
}

fn readable(row: &Row, state: &State) -> Side {
    let text = |form| state.forms.text(form);
    let day = |days: i32| {
        let (y, m, d) = terms::civil_from_days(days);
        format!("{y:04}-{m:02}-{d:02}")
    };
    let digits = |n: u64| n.to_string().get(1..).unwrap_or("").to_owned();
    let some = |n: u64, text: String| if n == 0 { String::new() } else { text };
    let sex = ["", "1", "2"].get(usize::from(row.sex)).copied().unwrap_or("");
    let letters = row.number >> 63 == 1;
    let parts = row.is_parted().then(|| parts::texts(row, &state.forms));
    let birth = match &parts {
        // what is no date may be one with a wrong digit, and is compared as it stands
        Some(parts) if row.birth == NO_DAY => {
            parts.iter().find(|(column, _)| *column == "birth_date").map(|(_, text)| text.clone())
        }
        _ if row.birth == NO_DAY => None,
        _ => Some(day(row.birth)),
    };
    let mut side = vec![
        ("institution_id", text(row.institution)),
        ("registered_on", if row.seen == NO_DAY { String::new() } else { day(row.seen) }),
        ("family_kanji", text(row.fk)),
        ("given_kanji", text(row.gk)),
        ("family_kana", text(row.fy)),
        ("given_kana", text(row.gy)),
        ("sex", sex.to_owned()),
        ("birth_date", birth.unwrap_or_default()),
        ("phone", some(row.phone, digits(row.phone))),
    ];
    match parts {
        // numbers of the row are marks and hashes then
        Some(parts) => side.extend(parts.into_iter().filter(|(column, _)| *column != "birth_date")),
        None => side.extend([
            ("postal_code", some(u64::from(row.postal), digits(u64::from(row.postal)))),
            ("insurer_number", some(u64::from(row.insurer), format!("{:08}", row.insurer))),
            ("insured_number", if letters || row.number == 0 { String::new() } else { row.number.to_string() }),
            ("insured_branch", if row.branch == NO_BRANCH { String::new() } else { format!("{:02}", row.branch) }),
        ]),
    }
    side
}

/// Rows of a CSV table of people as they stand there, for some records: one pass over the file.
///
/// # Errors
/// What [`LinkageError`] says of files and columns.
pub fn raw(people: &Path, map: &ColumnMap, records: &HashSet<String>) -> Result<HashMap<String, Side>, LinkageError> {
    let file = File::open(people).map_err(|_| LinkageError::FileUnreadable)?;
    let pieces = crate::lines::Pieces::new(file);
    let mut places = None;
    let mut found = HashMap::new();
    loop {
        let bytes = match pieces.next() {
            Ok(Some((_, bytes))) => bytes,
            Ok(None) => break,
            Err(crate::lines::PieceError::Unreadable) => return Err(LinkageError::FileUnreadable),
            Err(crate::lines::PieceError::Endless) => return Err(LinkageError::CsvEndless),
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| LinkageError::CsvEncoding { line: 1 })?;
        let mut rows = Records::new(text.strip_prefix('\u{feff}').unwrap_or(text));
        while rows.step().map_err(|_| LinkageError::CsvEndless)? {
            let Some(places) = &places else {
                let header: Vec<&str> = (0..rows.len()).map(|at| rows.field(at)).collect();
                places = Some(map.places(&header)?);
                continue;
            };
            let value = |at: Option<usize>| at.map_or("", |at| rows.field(at)).trim();
            let label = value(places[0]);
            if records.contains(label) {
                let side = ALL.into_iter().zip(places).skip(1).map(|(name, at)| (name, value(*at).to_owned())).collect();
                found.insert(label.to_owned(), side);
            }
        }
    }
    Ok(found)
}

/// The queue of a run, as it wrote it.
fn queue(path: &Path) -> Result<Vec<Case<String>>, LinkageError> {
    const HEAD: [&str; 5] = ["record_id_l", "record_id_r", "probability", "reason", "value"];
    let names: Vec<String> = WEIGHTS.iter().map(|w| format!("weight_{w}")).collect();
    let text = fs::read_to_string(path).map_err(|_| LinkageError::StateUnreadable)?;
    let mut rows = Records::new(&text);
    let unreadable = || LinkageError::StateUnreadable;
    let next = |rows: &mut Records<'_>| rows.step().map_err(|_| LinkageError::StateUnreadable);
    let wanted: Vec<&str> = HEAD.into_iter().chain(FIELDS).chain(names.iter().map(String::as_str)).collect();
    if !next(&mut rows)? || (0..rows.len()).map(|at| rows.field(at)).ne(wanted.iter().copied()) {
        return Err(unreadable());
    }
    let mut queue = Vec::new();
    while next(&mut rows)? {
        let number = |at: usize| rows.field(at).parse::<f64>().map_err(|_| LinkageError::StateUnreadable);
        let (levels, weights) = (HEAD.len(), HEAD.len() + FIELDS.len());
        queue.push(Case {
            left: rows.field(0).to_owned(),
            right: rows.field(1).to_owned(),
            probability: number(2)? as f32,
            reason: if rows.field(3) == Decision::Cut.code() { Decision::Cut } else { Decision::Review },
            value: number(4)?,
            levels: (levels..weights).map(|at| rows.field(at).to_owned()).collect(),
            weights: (weights..wanted.len()).map(|at| number(at).map(|n| n as f32)).collect::<Result<_, _>>()?,
        });
    }
    Ok(queue)
}
