//! Repairs sets of codes and prints what was found and lost: `events DATA.csv[.gz unpacked] PERSON CODES K M THREADS [--tree HIERARCHY.csv]…`,
//! or `events --made PERSONS CODES_A_PERSON KINDS K M THREADS`.
//!
//! For measuring. CODES are columns, separated by commas; a tree is a hierarchy file of the usual form (code;form;…;*).

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use anonymity::events::{Forest, GONE, Histories, Rule, counted, loss, repair};
use rand::{RngExt, SeedableRng};

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (forest, mut histories, rest) = if arguments.first().is_some_and(|a| a == "--made") {
        let (forest, histories) = made(arguments[1].parse()?, arguments[2].parse()?, arguments[3].parse()?)?;
        (forest, histories, &arguments[4..])
    } else {
        let tree = arguments.iter().position(|a| a == "--tree").map(|at| &arguments[at + 1]);
        let (forest, histories) = read(&arguments[0], &arguments[1], &arguments[2], tree)?;
        (forest, histories, &arguments[3..])
    };
    let (k, known, threads) = (rest[0].parse()?, rest[1].parse()?, rest[2].parse()?);
    let rule = Rule { k, singles: k, known, threads };
    println!("{} persons, {} codes of persons, {} nodes", histories.persons(), histories.codes.len(), forest.len());
    let began = Instant::now();
    let found = counted(&forest, &histories, &rule);
    println!("counted in {:.2} s: {found:?}", began.elapsed().as_secs_f64());
    if arguments.iter().any(|a| a == "--globally") {
        let (lost, seconds) = globally(&forest, &histories, &rule);
        println!("codes raised for everybody: loss {lost:.6} in {seconds:.2} s");
    }
    let began = Instant::now();
    repair(&forest, &mut histories, &rule);
    println!("repaired in {:.2} s", began.elapsed().as_secs_f64());
    let gone = histories.shown.iter().filter(|n| **n == GONE).count();
    let raised = histories.shown.iter().zip(&histories.codes).filter(|(n, c)| n != c && **n != GONE).count();
    println!("after: {:?}", counted(&forest, &histories, &rule));
    println!("taken out {gone}, coarser {raised}, loss {:.6}", loss(&forest, &histories));
    let peak = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", peak.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default());
    Ok(())
}

fn read(path: &str, person: &str, columns: &str, tree: Option<&String>) -> Result<(Forest, Histories), Failed> {
    let mut names: HashMap<String, u32> = HashMap::new();
    let mut parents: Vec<u32> = Vec::new();
    let mut node = |name: String, parents: &mut Vec<u32>| {
        *names.entry(name).or_insert_with(|| {
            parents.push(GONE);
            parents.len() as u32 - 1
        })
    };
    if let Some(tree) = tree {
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').has_headers(false).from_path(tree)?;
        for row in reader.records() {
            let row = row?;
            let forms: Vec<&str> = row.iter().filter(|f| *f != "*").collect();
            for two in forms.windows(2).filter(|two| two[0] != two[1]) {
                let (below, above) = (node(two[0].to_owned(), &mut parents), node(two[1].to_owned(), &mut parents));
                parents[below as usize] = above;
            }
        }
    }
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_path(path)?;
    let header = reader.headers()?.clone();
    let at = |name: &str| header.iter().position(|h| h == name).ok_or_else(|| format!("no column {name}"));
    let person = at(person)?;
    let columns = columns.split(',').map(at).collect::<Result<Vec<_>, _>>()?;
    let mut persons: BTreeMap<String, u32> = BTreeMap::new();
    let mut pairs = Vec::new();
    for row in reader.records() {
        let row = row?;
        let next = persons.len() as u32;
        let person = *persons.entry(row[person].to_owned()).or_insert(next);
        for code in columns.iter().map(|c| &row[*c]).filter(|c| !c.is_empty() && *c != "?") {
            pairs.push((person, node(code.to_owned(), &mut parents)));
        }
    }
    let mut is_code = vec![false; parents.len()];
    pairs.iter().for_each(|(_, code)| is_code[*code as usize] = true);
    let columns = vec![0; parents.len()];
    let forest = Forest::new(parents, &is_code, &columns).map_err(|e| format!("{e:?}"))?;
    Ok((forest, Histories::new(persons.len(), pairs)))
}

/// The usual way (Apriori anonymisation, Terrovitis et al. 2008): a code goes up for everybody, of each pair that too few have the one that
/// loses less, until none is left. To compare with.
fn globally(forest: &Forest, histories: &Histories, rule: &Rule) -> (f64, f64) {
    let began = Instant::now();
    let mut histories = histories.clone();
    loop {
        let mut persons: BTreeMap<u32, u32> = BTreeMap::new();
        let mut pairs: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        for person in 0..histories.persons() {
            let mut nodes: Vec<u32> = histories.of(person).iter().copied().filter(|n| *n != GONE).collect();
            nodes.sort_unstable();
            nodes.dedup();
            for (at, node) in nodes.iter().enumerate() {
                *persons.entry(*node).or_default() += 1;
                nodes[at + 1..].iter().for_each(|other| *pairs.entry((*node, *other)).or_default() += 1);
            }
        }
        let lost = |node: u32| {
            let of = histories.codes.iter().zip(&histories.shown).filter(|(_, shown)| **shown == node);
            of.map(|(c, s)| forest.loss(*c, forest.parent(node)) - forest.loss(*c, *s)).sum::<f64>()
        };
        let few = pairs.iter().filter(|(_, n)| **n < rule.k && rule.known > 1).map(|(pair, _)| *pair);
        let alone = persons.iter().filter(|(_, n)| **n < rule.singles).map(|(node, _)| (*node, *node));
        let mut costs: BTreeMap<u32, f64> = BTreeMap::new();
        let mut up: BTreeMap<u32, u32> = BTreeMap::new();
        for (one, other) in alone.chain(few) {
            if !up.contains_key(&one) && !up.contains_key(&other) {
                let mut cost = |node: u32| *costs.entry(node).or_insert_with(|| lost(node));
                let raised = if cost(one) <= cost(other) { one } else { other };
                up.insert(raised, forest.parent(raised));
            }
        }
        if up.is_empty() {
            return (loss(forest, &histories), began.elapsed().as_secs_f64());
        }
        histories.shown.iter_mut().for_each(|n| *n = up.get(n).copied().unwrap_or(*n));
    }
}

/// Persons with codes drawn by a power law from groups of codes that belong together, as diseases do, under trees of ten.
fn made(persons: usize, codes: usize, kinds: u32) -> Result<(Forest, Histories), Failed> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let forms = kinds.div_ceil(10);
    let parents = (0..kinds).map(|c| kinds + c / 10).chain((0..forms).map(|f| kinds + forms + f / 10));
    let mut parents: Vec<u32> = parents.collect();
    parents.resize((kinds + forms + forms.div_ceil(10)) as usize, GONE);
    let is_code: Vec<bool> = (0..parents.len()).map(|n| n < kinds as usize).collect();
    let columns = vec![0; parents.len()];
    let forest = Forest::new(parents, &is_code, &columns).map_err(|e| format!("{e:?}"))?;
    let mut draw = || -> f64 { rng.random_range(0.0..1.0) };
    let mut pairs = Vec::with_capacity(persons * codes);
    for person in 0..persons as u32 {
        let groups = [draw(), draw(), draw()].map(|u| (u * u * 50.0) as u32);
        for _ in 0..codes {
            let rank = (f64::from(kinds).powf(draw()) - 1.0) as u32;
            let group = groups[(draw() * 3.0) as usize];
            // A code's place in its group: common ones are common to all, others are moved by the group.
            let code = if rank < kinds / 50 { rank } else { (rank + group * (kinds / 50)) % kinds };
            pairs.push((person, code));
        }
    }
    Ok((forest, Histories::new(persons, pairs)))
}
