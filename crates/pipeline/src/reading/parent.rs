use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use formats::Chunk;

use super::{CHUNK, SUMMARY, Summary, Task};
use crate::error::Error;

/// The program that serves as child: `azekura` itself, called again with a hidden command.
#[derive(Debug, Clone)]
pub struct Child {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Child {
    /// This program, called again.
    ///
    /// # Errors
    /// When the system does not say what program this is.
    pub fn this_program() -> Result<Child, Error> {
        // Linux's own name of it also stands while another version is being installed in its place.
        let running = PathBuf::from("/proc/self/exe");
        let program =
            if running.exists() { running } else { std::env::current_exe().map_err(Error::io("finding this program"))? };
        Ok(Child { program, arguments: vec!["parse-package".to_owned()] })
    }
}

/// Longest summary that is taken from a child: lists of contacts of 3 million patients fit.
const SUMMARY_LIMIT: u64 = 1 << 30;

/// Bytes that a pipe to or from the process may hold: as many as anybody may ask for.
const PIPE: usize = 1 << 20;

fn feed(mut to: impl Write, task: &[u8], mut cipher: File, twice: bool) -> io::Result<()> {
    to.write_all(&(task.len() as u64).to_le_bytes())?;
    to.write_all(task)?;
    io::copy(&mut cipher, &mut to)?;
    if twice {
        cipher.rewind()?;
        io::copy(&mut cipher, &mut to)?;
    }
    to.flush()
}

/// How long a child whose output broke off is waited for, before it is ended: what it says by its end tells whose fault it was.
const GRACE: Duration = Duration::from_secs(5);

/// Has one payload read by a child process and takes its chunks as they come.
///
/// # Errors
/// [`Error::ReaderKilled`] when the system ended the child; [`Error::Reader`] when it fails or says something that is not of the
/// protocol; what `take` returns.
pub fn read_payload(
    child: &Child,
    task: &Task,
    cipher: &Path,
    mut take: impl FnMut(Chunk) -> Result<(), Error>,
) -> Result<Summary, Error> {
    let cipher = File::open(cipher).map_err(Error::io("opening a payload"))?;
    let twice = task.is_read_twice();
    let task = zeroize::Zeroizing::new(serde_json::to_vec(task).map_err(|e| Error::Reader(e.to_string()))?);
    // Nothing of our surroundings is the child's: no variable, no error output that could show what it reads.
    let mut process = Command::new(&child.program)
        .args(&child.arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(Error::io("starting the reading process"))?;
    let (Some(to), Some(from)) = (process.stdin.take(), process.stdout.take()) else {
        return Err(Error::Reader("no pipe to the process".to_owned()));
    };
    // Fewer turns between the two processes; where the system does not give as much, it goes on with what there is.
    let _ = (rustix::pipe::fcntl_setpipe_size(&to, PIPE), rustix::pipe::fcntl_setpipe_size(&from, PIPE));
    let feeder = std::thread::spawn(move || feed(to, &task, cipher, twice));
    let result = frames(BufReader::with_capacity(1 << 20, from), &mut take);
    // With its output closed a living child ends by itself, or is ended.
    let (status, ended_by_us) = end_of(&mut process, matches!(result, Err(Broken::Ours(_)))).map_err(Error::io(WAITING))?;
    // A child that has seen enough closes its input: the broken pipe is no error of its own. That the payload could not be read
    // is, and what the child makes of the half it got is not what the package holds.
    match feeder.join() {
        Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => return Err(Error::io("reading a payload")(error)),
        _ => {}
    }
    if let (Some(signal), false) = (status.signal(), ended_by_us) {
        return Err(Error::ReaderKilled(signal));
    }
    match result {
        Ok(Some(summary)) if status.success() => Ok(summary),
        Err(Broken::Ours(error) | Broken::Output(error)) => Err(error),
        Ok(_) => Err(Error::Reader(format!("it ended without a result ({status})"))),
    }
}

const WAITING: &str = "waiting for the reading process";

/// How the child ended, and whether it had to be ended.
fn end_of(process: &mut std::process::Child, at_once: bool) -> io::Result<(ExitStatus, bool)> {
    let until = Instant::now() + if at_once { Duration::ZERO } else { GRACE };
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok((status, false));
        }
        if Instant::now() >= until {
            process.kill()?;
            return Ok((process.wait()?, true));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Why no summary came.
enum Broken {
    /// What takes the rows failed.
    Ours(Error),
    /// The child's output is cut off, or not of the protocol.
    Output(Error),
}

fn frames(mut from: impl Read, take: &mut impl FnMut(Chunk) -> Result<(), Error>) -> Result<Option<Summary>, Broken> {
    let bad = |what: &str| Broken::Output(Error::Reader(format!("{what} is not of the protocol")));
    let pipe = |e: io::Error| match e.kind() {
        io::ErrorKind::UnexpectedEof => Broken::Output(Error::Reader("its output breaks off".to_owned())),
        _ => Broken::Ours(Error::io("reading from the reading process")(e)),
    };
    let mut summary = None;
    loop {
        let mut kind = [0u8];
        match from.read(&mut kind) {
            Ok(0) => return Ok(summary),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(pipe(e)),
        }
        match kind[0] {
            CHUNK if summary.is_none() => {
                let chunk = Chunk::read_ipc(&mut from).map_err(|e| Broken::Output(Error::Reader(e.to_string())))?;
                take(chunk.ok_or_else(|| bad("an empty chunk"))?).map_err(Broken::Ours)?;
            }
            SUMMARY if summary.is_none() => {
                let mut length = [0u8; 8];
                from.read_exact(&mut length).map_err(pipe)?;
                let length = u64::from_le_bytes(length);
                if length > SUMMARY_LIMIT {
                    return Err(bad("the length of the summary"));
                }
                let mut body = Vec::new();
                (&mut from).take(length).read_to_end(&mut body).map_err(pipe)?;
                summary = Some(serde_json::from_slice(&body).map_err(|_| bad("the summary"))?);
            }
            _ => return Err(bad("a frame")),
        }
    }
}
