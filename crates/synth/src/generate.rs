use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use serde_json::json;

use crate::chart::{Chart, Fault};
use crate::course;
use crate::day::Iso;
use crate::dice::Dice;
use crate::options::{Options, Progress, Summary, SynthError};
use crate::population::{self, BLOCK};
use crate::provider::Provider;
use crate::registration::{self, Patient};
use crate::sources::{Case, Desk};
use crate::storage::Storage;
use crate::truth::{self, Closed, Lists};

/// Writes the storages, lists and truth files into `out`, which must not exist or be empty. `progress` is called from the
/// calling thread after each block of persons, in order.
///
/// # Errors
/// [`SynthError`]. What was written before a failure stays where it is.
pub fn generate(options: &Options, out: &Path, mut progress: impl FnMut(Progress)) -> Result<Summary, SynthError> {
    options.check()?;
    let failed = |source| SynthError::Write { path: out.to_path_buf(), source };
    match fs::read_dir(out) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(SynthError::NotEmpty { path: out.to_path_buf() });
            }
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => fs::create_dir_all(out).map_err(failed)?,
        Err(e) => return Err(failed(e)),
    }
    let providers: Vec<Provider> = (0..options.providers).map(|n| Provider::new(options.seed, n)).collect();
    let mut files = Files::create(out, &providers).map_err(failed)?;
    let mut desk = Desk::open(options, out, &providers).map_err(failed)?;
    let mut summary = Summary { providers: providers.iter().map(|p| p.id.clone()).collect(), ..Summary::default() };
    let mut patients = vec![0_u64; providers.len()];
    in_order(options, out, &providers, |persons, lists| {
        files.append(&lists)?;
        if let Some(desk) = &mut desk {
            desk.append(&lists.pieces)?;
        }
        summary.persons += persons;
        summary.patients += lists.patients.iter().sum::<u64>();
        summary.files += lists.files;
        summary.bytes += lists.bytes;
        summary.contacted += lists.contacted;
        summary.opt_outs += lists.opted_out;
        summary.faults += lists.fault_files;
        for (total, more) in patients.iter_mut().zip(&lists.patients) {
            *total += more;
        }
        progress(Progress { persons: summary.persons, files: summary.files });
        Ok(())
    })
    .map_err(failed)?;
    files.finish().map_err(failed)?;
    desk.map_or(Ok(()), Desk::finish).map_err(failed)?;
    describe(options, out, &providers, &patients).map_err(failed)?;
    Ok(summary)
}

/// Makes the blocks on several threads and hands them to `take` in the order of their numbers.
fn in_order(
    options: &Options,
    out: &Path,
    providers: &[Provider],
    mut take: impl FnMut(u64, Lists) -> io::Result<()>,
) -> io::Result<()> {
    let blocks = options.persons.div_ceil(BLOCK);
    let threads = options.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)).max(1);
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (send, receive) = mpsc::sync_channel(threads * 4);
    thread::scope(|scope| {
        for _ in 0..threads {
            let (send, next, stop) = (send.clone(), &next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= blocks || send.send((number, block(options, out, providers, number))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let (mut waiting, mut due, mut result) = (BTreeMap::new(), 0, Ok(()));
        for (number, made) in receive {
            waiting.insert(number, made);
            while let Some(made) = waiting.remove(&due) {
                if result.is_ok() {
                    result = made.and_then(|lists| take(persons_in(options, due), lists));
                    if result.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                due += 1;
            }
        }
        result
    })
}

fn persons_in(options: &Options, block: u64) -> u64 {
    BLOCK.min(options.persons - block * BLOCK)
}

/// The people of one block at all their providers.
fn block(options: &Options, out: &Path, providers: &[Provider], number: u64) -> io::Result<Lists> {
    let people = population::block(options, providers, number, persons_in(options, number));
    let patients = registration::patients(options, providers, &people);
    let plans = plans(options, providers, &patients, number);
    let mut storages: Vec<Storage> = providers.iter().map(|p| Storage::new(&out.join(&p.id).join("storage"))).collect();
    let mut lists = Lists::new(providers.len());
    for (i, patient) in patients.iter().enumerate() {
        let (provider, person) = (&providers[patient.provider_at], &people[patient.person_at]);
        let storage = &mut storages[patient.provider_at];
        let before = storage.files;
        let mut chart = Chart::new(options, provider, person, patient, storage)?;
        let course = course::run(&mut chart)?;
        let mut set_aside = plans.iter().any(|p| p.fault == Fault::WrongPatient && p.other == Some(i));
        for plan in plans.iter().filter(|p| p.patient == i) {
            set_aside |= plan.fault == Fault::WrongPatient;
            // With nobody else here, the file names a number that nobody has.
            let other = plan.other.map_or("9999999999", |at| patients[at].local_id.as_str());
            chart.plant(plan.fault, other)?;
        }
        lists.flaws(provider, &chart.faults, &chart.dirt);
        Case { options, provider, person, patient, facts: &chart.facts }.write(&mut lists.pieces);
        let files = storage.files - before;
        lists.patient(options, &Closed { person, patient, provider, course, files, set_aside });
    }
    lists.files = storages.iter().map(|s| s.files).sum();
    lists.bytes = storages.iter().map(|s| s.bytes).sum();
    Ok(lists)
}

/// A fault to plant in the chart of a patient of the block.
struct Plan {
    patient: usize,
    fault: Fault,
    other: Option<usize>,
}

/// Where faults go: one of each kind at each provider in the first block that has patients of it, others by chance.
fn plans(options: &Options, providers: &[Provider], patients: &[Patient], number: u64) -> Vec<Plan> {
    let mut plans = Vec::new();
    if options.faults <= 0.0 {
        return plans;
    }
    let mut dice = Dice::of(options.seed, [11, number, 0]);
    for at in 0..providers.len() {
        let here: Vec<usize> = (0..patients.len()).filter(|&i| patients[i].provider_at == at).collect();
        let mut plan = |patient: usize, fault: Fault, dice: &mut Dice| {
            // The one whose id is used is set aside too: rather not someone with another fault.
            let stranger = |&i: &usize| patients[i].person_at != patients[patient].person_at;
            let mut others: Vec<usize> = here.iter().skip(Fault::ALL.len()).copied().filter(stranger).collect();
            if others.is_empty() {
                others = here.iter().copied().filter(stranger).collect();
            }
            let other = (!others.is_empty()).then(|| *dice.pick(&others));
            plans.push(Plan { patient, fault, other });
        };
        if number == 0 && !here.is_empty() {
            for (k, fault) in Fault::ALL.into_iter().enumerate() {
                plan(here[k % here.len()], fault, &mut dice);
            }
        }
        for &patient in &here {
            if dice.chance(options.faults) {
                let fault = *dice.pick(&Fault::ALL);
                plan(patient, fault, &mut dice);
            }
        }
    }
    plans
}

/// The lists and truth files, open for appending.
struct Files {
    contacts: Vec<BufWriter<File>>,
    opt_outs: Vec<BufWriter<File>>,
    truth: [BufWriter<File>; 4],
}

impl Files {
    fn create(out: &Path, providers: &[Provider]) -> io::Result<Self> {
        let open = |path: &Path, header: &str| {
            let mut file = BufWriter::new(File::create_new(path)?);
            file.write_all(header.as_bytes())?;
            io::Result::Ok(file)
        };
        let (mut contacts, mut opt_outs) = (Vec::new(), Vec::new());
        for provider in providers {
            let directory = out.join(&provider.id);
            fs::create_dir_all(directory.join("storage"))?;
            contacts.push(open(&directory.join("contacts.csv"), truth::CONTACTS)?);
            opt_outs.push(open(&directory.join("opt-outs.csv"), truth::OPT_OUTS)?);
        }
        let truth = [
            open(&out.join("truth.csv"), truth::TRUTH)?,
            open(&out.join("truth-opt-outs.csv"), truth::TRUTH_OPT_OUTS)?,
            open(&out.join("truth-faults.csv"), truth::FAULTS)?,
            open(&out.join("truth-dirt.csv"), truth::DIRT)?,
        ];
        Ok(Self { contacts, opt_outs, truth })
    }

    fn append(&mut self, lists: &Lists) -> io::Result<()> {
        for (file, text) in self.contacts.iter_mut().zip(&lists.contacts).chain(self.opt_outs.iter_mut().zip(&lists.opt_outs)) {
            file.write_all(text.as_bytes())?;
        }
        for (file, text) in self.truth.iter_mut().zip([&lists.truth, &lists.truth_opt_outs, &lists.faults, &lists.dirt]) {
            file.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        self.contacts.into_iter().chain(self.opt_outs).chain(self.truth).try_for_each(|mut file| file.flush())
    }
}

/// `providers.json`
fn describe(options: &Options, out: &Path, providers: &[Provider], patients: &[u64]) -> io::Result<()> {
    let all: Vec<_> = providers
        .iter()
        .zip(patients)
        .map(|(p, patients)| {
            json!({
                "id": p.id,
                "name": p.name,
                "prefecture": p.prefecture.name,
                "storage": format!("{}/storage", p.id),
                "contacts": format!("{}/contacts.csv", p.id),
                "opt_outs": format!("{}/opt-outs.csv", p.id),
                "patient_id_rule": "digits",
                "patient_ids": format!("{:?}", p.style.ids).to_lowercase(),
                "character_set": p.style.character_set.0,
                "encodings": p.style.encodings.iter().map(|(e, share)| json!({"encoding": format!("{e:?}").to_lowercase(), "share": share})).collect::<Vec<_>>(),
                "local_labs": crate::clinic::LABS.iter().zip(&p.labs).filter(|(_, l)| l.only_local)
                    .map(|(lab, l)| json!({"code": l.code, "system": p.mark, "jlac10": lab.jlac10})).collect::<Vec<_>>(),
                "period": {"from": Iso(options.data_from).to_string(), "to": Iso(options.data_to).to_string()},
                "notice_from": Iso(options.notice_from).to_string(),
                "patients": patients,
            })
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&all)?;
    text.push('\n');
    fs::write(out.join("providers.json"), text)
}
