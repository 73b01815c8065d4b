//! `AZEKURA_FAILPOINT=SPEC` with SPEC `NAME=ACTION` (first time the named step is reached), `NAME#N=ACTION` (N-th time)
//! or `#N=ACTION` (N-th step of any name, counted in this process). ACTION is `kill` (SIGKILL at once), `error` (the
//! step fails), `full` (it fails as on a full disk, from then on always), `readonly` (the same as on a disk that is
//! read-only), `powerloss` (what was not synced is forgotten, then SIGKILL) or `stop` (SIGSTOP: somebody else has time). `AZEKURA_FAILPOINT_TRACE=FILE` appends the name of every step, so that a test can count
//! them. `AZEKURA_POWERLOSS_DIR=DIR` (same file system) is where the simulation keeps what it may have to bring back.

use std::io;
use std::path::Path;

/// A step at which a test may break the process. Costs nothing in release builds.
///
/// # Errors
/// Only when the environment asks for it, in a build with debug assertions.
#[inline]
pub fn failpoint(name: &str) -> io::Result<()> {
    #[cfg(debug_assertions)]
    return armed::reach(name);
    #[cfg(not(debug_assertions))]
    {
        let _ = name;
        Ok(())
    }
}

macro_rules! simulated {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),+) -> $ret:ty = $none:expr;)+) => {
        $($(#[$doc])* pub(crate) fn $name($($arg: &Path),+) -> $ret {
            #[cfg(debug_assertions)]
            return armed::$name($($arg),+);
            #[cfg(not(debug_assertions))]
            { $(let _ = $arg;)+ $none }
        })+
    };
}

simulated! {
    /// A new name, not durable yet.
    created(path) -> () = ();
    /// The content of a file is durable.
    file_synced(path) -> () = ();
    /// The names in a directory are durable.
    dir_synced(dir) -> () = ();
    /// A name is about to move.
    renaming(from, to) -> io::Result<()> = Ok(());
    /// A name is about to go.
    removing(path) -> io::Result<()> = Ok(());
    /// A directory is about to go with all that is in it; whether the simulation took it away already.
    removing_tree(path) -> io::Result<bool> = Ok(false);
}

#[cfg(debug_assertions)]
mod armed {
    use std::collections::HashMap;
    use std::fs::{self, OpenOptions};
    use std::io::{self, Write};
    use std::path::{Path, PathBuf};
    use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
    use std::{env, process};

    #[derive(Clone, Copy, PartialEq)]
    enum Action {
        Kill,
        Error,
        /// Every step fails from then on, with this number of the system.
        Refuse(i32),
        PowerLoss,
        Stop,
    }

    const NO_SPACE: i32 = 28;
    const READ_ONLY: i32 = 30;

    /// How a name comes back to what the disk would still hold.
    enum Undo {
        Created(PathBuf),
        Renamed { from: PathBuf, to: PathBuf, replaced: Option<PathBuf> },
        Removed { path: PathBuf, kept: PathBuf },
    }

    #[derive(Default)]
    struct State {
        hits: u64,
        by_name: HashMap<String, u64>,
        refusing: Option<i32>,
        undo: Vec<Undo>,
        unsynced: Vec<PathBuf>,
        kept: u64,
    }

    struct Plan {
        name: Option<String>,
        nth: u64,
        action: Action,
    }

    static PLAN: LazyLock<Option<Plan>> = LazyLock::new(|| parse(&env::var("AZEKURA_FAILPOINT").ok()?));
    static TRACE: LazyLock<Option<PathBuf>> = LazyLock::new(|| env::var_os("AZEKURA_FAILPOINT_TRACE").map(PathBuf::from));
    static KEEP: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let wanted = PLAN.as_ref().is_some_and(|p| p.action == Action::PowerLoss);
        env::var_os("AZEKURA_POWERLOSS_DIR").map(PathBuf::from).filter(|_| wanted)
    });
    static STATE: LazyLock<Mutex<State>> = LazyLock::new(Mutex::default);

    fn parse(spec: &str) -> Option<Plan> {
        let (place, action) = spec.rsplit_once('=')?;
        let (name, nth) = match place.split_once('#') {
            Some((name, nth)) => (name, nth.parse().ok()?),
            None => (place, 1),
        };
        let action = match action {
            "kill" => Action::Kill,
            "error" => Action::Error,
            "full" => Action::Refuse(NO_SPACE),
            "readonly" => Action::Refuse(READ_ONLY),
            "powerloss" => Action::PowerLoss,
            "stop" => Action::Stop,
            _ => return None,
        };
        Some(Plan { name: (!name.is_empty()).then(|| name.to_owned()), nth, action })
    }

    fn state() -> MutexGuard<'static, State> {
        STATE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn die() -> ! {
        let me = rustix::process::getpid();
        let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
        process::abort()
    }

    pub(super) fn reach(name: &str) -> io::Result<()> {
        if PLAN.is_none() && TRACE.is_none() {
            return Ok(());
        }
        if let Some(path) = TRACE.as_ref() {
            OpenOptions::new().create(true).append(true).open(path)?.write_all(format!("{name}\n").as_bytes())?;
        }
        let Some(plan) = PLAN.as_ref() else { return Ok(()) };
        let mut state = state();
        state.hits += 1;
        let of_name = {
            let count = state.by_name.entry(name.to_owned()).or_default();
            *count += 1;
            *count
        };
        if let Some(number) = state.refusing {
            return Err(io::Error::from_raw_os_error(number));
        }
        let here = match plan.name.as_deref() {
            Some(wanted) => wanted == name && plan.nth == of_name,
            None => plan.nth == state.hits,
        };
        if !here {
            return Ok(());
        }
        match plan.action {
            Action::Kill => die(),
            Action::Error => Err(io::Error::other(format!("failpoint {name}"))),
            Action::Refuse(number) => {
                state.refusing = Some(number);
                Err(io::Error::from_raw_os_error(number))
            }
            Action::Stop => {
                drop(state);
                let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
                Ok(())
            }
            Action::PowerLoss => {
                forget(&mut state);
                die()
            }
        }
    }

    /// What a disk shows after the power went: names that were not synced are as before, content that was not synced
    /// is not there.
    fn forget(state: &mut State) {
        for path in state.unsynced.drain(..) {
            if let Ok(file) = OpenOptions::new().write(true).open(&path) {
                let _ = file.set_len(0);
            }
        }
        while let Some(undo) = state.undo.pop() {
            let _ = match undo {
                Undo::Created(path) if path.is_dir() => fs::remove_dir_all(path),
                Undo::Created(path) => fs::remove_file(path),
                Undo::Renamed { from, to, replaced } => {
                    let back = fs::rename(&to, from);
                    replaced.map_or(back, |old| fs::rename(old, to))
                }
                Undo::Removed { path, kept } => fs::rename(kept, path),
            };
        }
    }

    /// Keeps the bytes behind a name that is about to be replaced or removed.
    fn keep(state: &mut State, path: &Path) -> io::Result<Option<PathBuf>> {
        let Some(dir) = KEEP.as_ref().filter(|_| path.is_file()) else { return Ok(None) };
        state.kept += 1;
        let kept = dir.join(format!("{}-{}", process::id(), state.kept));
        fs::hard_link(path, &kept)?;
        Ok(Some(kept))
    }

    pub(super) fn created(path: &Path) {
        if KEEP.is_some() {
            let mut state = state();
            state.undo.push(Undo::Created(path.to_owned()));
            if !path.is_dir() {
                state.unsynced.push(path.to_owned());
            }
        }
    }

    pub(super) fn file_synced(path: &Path) {
        if KEEP.is_some() {
            state().unsynced.retain(|p| p != path);
        }
    }

    pub(super) fn dir_synced(dir: &Path) {
        if KEEP.is_some() {
            let inside = |path: &Path| path.parent() == Some(dir);
            state().undo.retain(|undo| match undo {
                Undo::Created(path) | Undo::Removed { path, .. } => !inside(path),
                Undo::Renamed { to, .. } => !inside(to),
            });
        }
    }

    pub(super) fn renaming(from: &Path, to: &Path) -> io::Result<()> {
        if KEEP.is_some() {
            let mut state = state();
            let replaced = keep(&mut state, to)?;
            // What is not on the disk yet goes by its new name from here on.
            for path in &mut state.unsynced {
                if let Ok(inside) = path.strip_prefix(from) {
                    *path = if inside.as_os_str().is_empty() { to.to_owned() } else { to.join(inside) };
                }
            }
            state.undo.push(Undo::Renamed { from: from.to_owned(), to: to.to_owned(), replaced });
        }
        Ok(())
    }

    pub(super) fn removing(path: &Path) -> io::Result<()> {
        if KEEP.is_some() {
            let mut state = state();
            if let Some(kept) = keep(&mut state, path)? {
                state.undo.push(Undo::Removed { path: path.to_owned(), kept });
            }
        }
        Ok(())
    }

    pub(super) fn removing_tree(path: &Path) -> io::Result<bool> {
        let Some(dir) = KEEP.as_ref().filter(|_| path.is_dir()) else { return Ok(false) };
        let mut state = state();
        state.kept += 1;
        let kept = dir.join(format!("{}-{}", process::id(), state.kept));
        fs::rename(path, &kept)?;
        state.undo.push(Undo::Removed { path: path.to_owned(), kept });
        Ok(true)
    }
}
