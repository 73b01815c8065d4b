//! The hospitals: who is in the play, and what they send.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use jiff::civil::Date;
use messages::Message;
use synth::Options;
use terms::{ProviderId, SourceKind};

use super::keys::{Pair, Use};
use super::place::{Place, copy_tree};
use super::programs::{Programs, Said, option};
use super::samples;
use super::truth::Truth;
use super::voice::Voice;
use super::world::{Flaw, Sent, Unfit};
use crate::failure::Failure;
use crate::synthesis;

/// Synthetic hospitals.
const HOSPITALS: u32 = 3;
/// How much the hospitals write about each person: about fifteen files for each patient. The demo is about people; what
/// bulk costs is measured elsewhere.
const DENSITY: f64 = 0.5;
/// Members of the committee (control RVW-06: five at least).
pub const MEMBERS: usize = 5;
/// Days that the calendar of the hospitals needs between the notice and today: people are told within 60 days of it and
/// decide within 100, and the waiting period is 30.
const CALENDAR_DAYS: i64 = 130;

/// A hospital.
pub struct Hospital {
    /// Its code.
    pub id: ProviderId,
    /// Where its storage and lists lie.
    pub root: PathBuf,
    /// Its keys.
    pub keys: Pair,
}

/// Everybody who takes part.
pub struct Cast {
    /// Three synthetic hospitals and the one with the samples.
    pub hospitals: Vec<Hospital>,
    /// Hospitals that send the samples of the other kinds.
    pub others: Vec<(Hospital, Vec<(SourceKind, PathBuf)>)>,
    /// Since when they give notice.
    pub notice_from: Date,
    /// First and last day of what they send.
    pub period: (Date, Date),
    /// Two officers.
    pub officers: Vec<Pair>,
    /// The committee.
    pub members: Vec<Pair>,
    /// Who receives the data sets.
    pub recipient: Pair,
    /// Who does not.
    pub stranger: Pair,
    /// Who is who.
    pub truth: Truth,
    /// The same of the packages that do not hold.
    pub later: Truth,
    /// Local ids of the samples.
    pub samples: BTreeSet<String>,
}

fn date(day: synth::Day) -> Result<Date, Failure> {
    let date = Date::new(1970, 1, 1).and_then(|epoch| epoch.checked_add(jiff::Span::new().days(day)));
    Ok(date.context("a day of the generator")?)
}

/// The calendar of the generator; where the clock stands before it is over, all of it that much earlier.
fn calendar(options: Options) -> Result<Options, Failure> {
    let today = pipeline::notices::today();
    let since = today.since(date(options.notice_from)?).context("counting days")?.get_days();
    let early = (CALENDAR_DAYS - i64::from(since)).max(0);
    let back = |day: synth::Day| day - synth::Day::try_from(early).unwrap_or(synth::Day::MAX);
    Ok(Options {
        data_from: back(options.data_from),
        data_to: back(options.data_to),
        notice_from: back(options.notice_from),
        ..options
    })
}

/// Makes hospitals and keys.
///
/// # Errors
/// When the generator refuses, or the disk.
pub fn make(place: &Place, persons: u32, seed: u64, voice: &Voice<'_>) -> Result<Cast, Failure> {
    let options =
        calendar(Options { persons: u64::from(persons), providers: HOSPITALS, seed, density: DENSITY, ..Options::default() })?;
    let root = place.hospitals();
    let bar = voice.bar(u64::from(persons), Message::new("demo-bar-persons"));
    let made = synthesis::write_with(&options, &root, &|done| bar.set_position(done))?;
    bar.finish_and_clear();
    voice.say(
        &Message::new("demo-hospitals")
            .with("hospitals", made.providers.len())
            .with("persons", made.persons)
            .with("patients", made.patients)
            .with("files", made.files)
            .with("mib", made.bytes >> 20),
    );
    // A handful of other people, for the packages that do not hold.
    let few = Options { persons: 8, providers: 1, seed: seed.wrapping_add(1_000_003), faults: 0.0, ..options.clone() };
    synthesis::write_with(&few, &place.later(), &|_| ())?;

    let notice_from = date(options.notice_from)?;
    let samples = samples::write(&root.join(samples::PROVIDER), notice_from)?;
    voice.say(&Message::new("demo-samples").with("patients", samples.len()));

    let told = super::others::write(place, notice_from)?;
    let kinds = told.iter().map(|o| o.kinds.len()).sum::<usize>();
    voice.say(&Message::new("demo-others").with("hospitals", told.len()).with("kinds", kinds));

    let mut ids = made.providers.clone();
    ids.push(samples::PROVIDER.to_owned());
    let others = told.iter().map(|o| &o.id);
    let mut names: Vec<(String, Use)> = ids.iter().chain(others).map(|id| (id.clone(), Use::Packages)).collect();
    names.extend(["recipient", "stranger"].map(|n| (n.to_owned(), Use::Packages)));
    names.extend((1..=2).map(|n| (format!("officer-{n}"), Use::Decisions)));
    names.extend((1..=MEMBERS).map(|n| (format!("member-{n}"), Use::Decisions)));
    let mut pairs = Pair::make_all(&place.keys(), &names)?.into_iter();
    let mut next = || pairs.next().context("a key for everybody").map_err(Failure::from);
    let mut hospitals = Vec::new();
    for id in ids {
        let provider = id.parse().context("the code of a hospital")?;
        hospitals.push(Hospital { id: provider, root: root.join(&id), keys: next()? });
    }
    let mut others = Vec::new();
    for super::others::Others { id, root, kinds } in told {
        let id = id.parse().context("the code of a hospital")?;
        others.push((Hospital { id, root, keys: next()? }, kinds));
    }
    let (recipient, stranger) = (next()?, next()?);
    let officers = (0..2).map(|_| next()).collect::<Result<_, _>>()?;
    let members = (0..MEMBERS).map(|_| next()).collect::<Result<_, _>>()?;
    voice.say(&Message::new("demo-keys").with("count", names.len()).with("path", place.keys().display()));
    Ok(Cast {
        hospitals,
        others,
        notice_from,
        period: (date(options.data_from)?, date(options.data_to)?),
        officers,
        members,
        recipient,
        stranger,
        truth: Truth::read(&root)?,
        later: Truth::read(&place.later())?,
        samples,
    })
}

struct Parcel<'a> {
    hospital: &'a Hospital,
    sequence: u64,
    kind: SourceKind,
    to: PathBuf,
    tree: PathBuf,
    contacts: Option<PathBuf>,
    opt_outs: Option<PathBuf>,
}

impl Parcel<'_> {
    fn send(&self, place: &Place, programs: &Programs, cast: &Cast) -> Result<Said, Failure> {
        let mut arguments: Vec<OsString> = Vec::new();
        arguments.extend(option("--provider", self.hospital.id.as_str()));
        arguments.extend(option("--sequence", self.sequence.to_string()));
        arguments.extend(option("--kind", self.kind.as_str()));
        // The samples are older than what the generator writes.
        let old = self.hospital.id.as_str() == samples::PROVIDER || self.kind != SourceKind::Ssmix2;
        let from = if old { jiff::civil::date(2000, 1, 1) } else { cast.period.0 };
        arguments.extend(option("--period", format!("{from}/{}", cast.period.1)));
        arguments.extend(option("--key", &self.hospital.keys.key));
        arguments.extend(option("--cert", &self.hospital.keys.cert));
        arguments.extend(option("--to", &self.to));
        for (name, list) in [("--contacts", &self.contacts), ("--opt-outs", &self.opt_outs)] {
            arguments.extend(list.iter().flat_map(|l| option(name, l)));
        }
        arguments.extend(option("--out", place.outbox(self.hospital.id.as_str())));
        arguments.push(self.tree.clone().into());
        let said = programs.send(arguments)?;
        if !said.done {
            return Err(anyhow::anyhow!("azekura-send refused: {}", said.code()).into());
        }
        Ok(said)
    }
}

/// Every hospital makes its package; two make another one that must not come in.
///
/// # Errors
/// When a program refuses, or the disk.
pub fn send(place: &Place, programs: &Programs, cast: &Cast, voice: &Voice<'_>) -> Result<(Vec<Sent>, Vec<Unfit>), Failure> {
    let intake = place.instance().join("certificates").join("intake.pem");
    // Half of the hospitals keep at home whom they did not reach; from the others they come, and the door refuses them.
    let keeps = |at: usize| at.is_multiple_of(2) || at + 1 == cast.hospitals.len();
    let parcels: Vec<Parcel<'_>> = cast
        .hospitals
        .iter()
        .enumerate()
        .map(|(at, hospital)| Parcel {
            hospital,
            sequence: 1,
            kind: SourceKind::Ssmix2,
            to: intake.clone(),
            tree: hospital.root.join("storage"),
            contacts: keeps(at).then(|| hospital.root.join("contacts.csv")),
            opt_outs: Some(hospital.root.join("opt-outs.csv")),
        })
        .collect();
    let bar = voice.bar(parcels.len() as u64, Message::new("demo-bar-packages"));
    let said: Vec<_> = std::thread::scope(|scope| {
        let one = |parcel: &Parcel<'_>| {
            let said = parcel.send(place, programs, cast);
            bar.inc(1);
            said
        };
        let threads: Vec<_> = parcels.iter().map(|parcel| scope.spawn(move || one(parcel))).collect();
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    bar.finish_and_clear();
    let mut sent = Vec::new();
    for (at, (said, parcel)) in said.into_iter().zip(&parcels).enumerate() {
        let said = said.unwrap_or_else(|_| Err(anyhow::anyhow!("making a package broke off").into()))?;
        voice.say(
            &Message::new("demo-sent")
                .with("provider", &parcel.hospital.id)
                .with("patients", said.number("people"))
                .with("files", said.number("files"))
                .with("opted", said.number("people_opted_out"))
                .with("contact", said.number("people_not_contacted")),
        );
        sent.push(Sent { provider: parcel.hospital.id.clone(), said, with_contacts: keeps(at) });
    }

    let mut unfit = Vec::new();
    let tree = fs::read_dir(place.later())?.flatten().map(|e| e.path().join("storage")).find(|p| p.is_dir());
    let tree = tree.context("the storage of the packages that do not hold")?;
    for (flaw, hospital) in [Flaw::Spoilt, Flaw::Foreign].into_iter().zip(&cast.hospitals) {
        let to = if flaw == Flaw::Foreign { cast.stranger.cert.clone() } else { intake.clone() };
        let parcel =
            Parcel { hospital, sequence: 2, kind: SourceKind::Ssmix2, to, tree: tree.clone(), contacts: None, opt_outs: None };
        let said = parcel.send(place, programs, cast)?;
        let path = PathBuf::from(said.value.get("package").and_then(|p| p.as_str()).unwrap_or_default());
        if flaw == Flaw::Spoilt {
            flip_a_byte(&path.join("payload-0001.p7m"))?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        unfit.push(Unfit { flaw, provider: hospital.id.clone(), name });
    }
    voice.say(&Message::new("demo-unfit"));
    Ok((sent, unfit))
}

/// The hospitals of the samples make a package of each kind.
///
/// # Errors
/// When a program refuses, or the disk.
pub fn send_others(place: &Place, programs: &Programs, cast: &Cast, voice: &Voice<'_>) -> Result<(), Failure> {
    let to = place.instance().join("certificates").join("intake.pem");
    for (hospital, kinds) in &cast.others {
        for (sequence, (kind, tree)) in (1..).zip(kinds) {
            let contacts = Some(hospital.root.join("contacts.csv"));
            let (to, tree) = (to.clone(), tree.clone());
            let said =
                Parcel { hospital, sequence, kind: *kind, to, tree, contacts, opt_outs: None }.send(place, programs, cast)?;
            let message = Message::new("demo-sent-other").with("provider", &hospital.id).with("kind", kind);
            voice.say(&message.with("files", said.number("files")));
        }
    }
    Ok(())
}

/// Changes the byte in the middle of a file.
///
/// # Errors
/// When the disk refuses.
pub fn flip_a_byte(path: &std::path::Path) -> std::io::Result<()> {
    let mut bytes = fs::read(path)?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    fs::write(path, bytes)
}

/// Carries what lies in a hospital's outbox to the instance's inbox.
///
/// # Errors
/// When the disk refuses.
pub fn carry(place: &Place, provider: &ProviderId) -> std::io::Result<u64> {
    let mut carried = 0;
    for entry in fs::read_dir(place.outbox(provider.as_str()))? {
        let entry = entry?;
        copy_tree(&entry.path(), &place.instance().join("inbox").join(entry.file_name()))?;
        carried += 1;
    }
    Ok(carried)
}
