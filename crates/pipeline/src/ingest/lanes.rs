use std::collections::VecDeque;

use formats::Chunk;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::reading::{Child, Mode, Summary, Task, read_payload};
use crate::spool::Spooled;

/// Payloads that are read at a time at most: each takes memory for a few chunks.
const MOST: usize = 4;

/// The payloads of a package, several of them read at a time by processes of their own. What they say comes in turn, so its
/// order depends on the package and on how many are read at a time, never on which was faster.
pub(crate) struct Lanes<'a> {
    child: &'a Child,
    spooled: &'a Spooled,
    tasks: Box<dyn Iterator<Item = Task> + Send + 'a>,
    lanes: VecDeque<Lane>,
    at_once: usize,
}

struct Lane {
    from: mpsc::Receiver<Chunk>,
    reading: JoinHandle<Result<Summary, Error>>,
}

/// What comes next of a package.
pub(crate) enum Next {
    /// Rows of some patients.
    Chunk(Box<Chunk>),
    /// A payload is over, and all its chunks came.
    Over(Summary),
}

impl<'a> Lanes<'a> {
    /// Reads the payloads of a package.
    ///
    /// # Errors
    /// A refusal when this version does not read their kind.
    pub(crate) fn of(
        child: &'a Child,
        spooled: &'a Spooled,
        mode: Mode,
        set_aside: &'a [String],
        chunk_bytes: usize,
    ) -> Result<Lanes<'a>, Error> {
        let at_once = std::thread::available_parallelism().map_or(1, usize::from).min(MOST);
        let tasks = Box::new(spooled.tasks(mode, set_aside, chunk_bytes)?);
        Ok(Lanes { child, spooled, tasks, lanes: VecDeque::new(), at_once })
    }

    /// What comes next; nothing when every payload is over.
    ///
    /// # Errors
    /// As of [`read_payload`]. The others should be stopped then.
    pub(crate) async fn next(&mut self) -> Result<Option<Next>, Error> {
        while self.lanes.len() < self.at_once
            && let Some(task) = self.tasks.next()
        {
            self.lanes.push_back(start(self.child, task, self.spooled));
        }
        let Some(mut lane) = self.lanes.pop_front() else { return Ok(None) };
        if let Some(chunk) = lane.from.recv().await {
            self.lanes.push_back(lane);
            return Ok(Some(Next::Chunk(Box::new(chunk))));
        }
        let summary = lane.reading.await.map_err(|_| Error::Reader("the thread that fed it ended".to_owned()))??;
        Ok(Some(Next::Over(summary)))
    }

    /// Ends what is still being read, and waits for it.
    pub(crate) async fn stop(self) {
        for Lane { from, reading } in self.lanes {
            // A thread that has rows finds nobody, and ends its process.
            drop(from);
            // What it says does not count any more.
            let _ = reading.await;
        }
    }
}

/// One payload in a child process, without holding up the runtime: one chunk is read while the one before is written, never
/// more than these two and one in the pipe.
fn start(child: &Child, task: Task, spooled: &Spooled) -> Lane {
    let (child, path) = (child.clone(), spooled.payload(&task.entry));
    let (to, from) = mpsc::channel(1);
    let reading = tokio::task::spawn_blocking(move || {
        let hand_over = |chunk| to.blocking_send(chunk).map_err(|_| Error::Reader("nobody takes the rows".to_owned()));
        read_payload(&child, &task, &path, hand_over)
    });
    Lane { from, reading }
}
