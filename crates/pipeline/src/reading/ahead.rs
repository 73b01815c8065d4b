use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes that travel at a time.
const BLOCK: usize = 256 << 10;
/// Blocks that may be ahead.
const BLOCKS: usize = 8;

/// A stream that another thread reads ahead: opening the seal and reading what was in it go on side by side.
pub(super) struct Ahead {
    full: Receiver<io::Result<Vec<u8>>>,
    empty: SyncSender<Vec<u8>>,
    block: Vec<u8>,
    at: usize,
    over: bool,
}

/// Reads `from` in a thread of its own while `work` takes what is read. An error of the stream comes to `work` where it
/// stands; when `work` ends early, the thread ends with it.
pub(super) fn read_ahead<T>(from: impl Read + Send, work: impl FnOnce(&mut Ahead) -> T) -> T {
    let (to_work, full) = sync_channel(BLOCKS);
    let (empty, used) = sync_channel(BLOCKS + 2);
    std::thread::scope(|scope| {
        scope.spawn(move || pump(from, &to_work, &used));
        // Dropped when the work is over: whoever still wants to hand a block over finds nobody.
        let mut ahead = Ahead { full, empty, block: Vec::new(), at: 0, over: false };
        work(&mut ahead)
    })
}

fn pump(mut from: impl Read, to: &SyncSender<io::Result<Vec<u8>>>, used: &Receiver<Vec<u8>>) {
    loop {
        let mut block = used.try_recv().unwrap_or_default();
        block.resize(BLOCK, 0);
        let mut filled = 0;
        let ended = loop {
            match from.read(&mut block[filled..]) {
                Ok(0) => break Some(Ok(())),
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => break Some(Err(error)),
            }
            if filled == block.len() {
                break None;
            }
        };
        block.truncate(filled);
        if !block.is_empty() && to.send(Ok(block)).is_err() {
            return;
        }
        match ended {
            None => {}
            Some(Ok(())) => return,
            Some(Err(error)) => {
                let _ = to.send(Err(error));
                return;
            }
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.block.len() && !self.over {
            let used = std::mem::take(&mut self.block);
            self.at = 0;
            // A full store of used blocks is no loss.
            let _ = self.empty.try_send(used);
            match self.full.recv() {
                Ok(Ok(block)) => self.block = block,
                Ok(Err(error)) => {
                    self.over = true;
                    return Err(error);
                }
                Err(_) => self.over = true,
            }
        }
        let rest = self.block.get(self.at..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a number of bytes, then an error or the end.
    struct Source {
        left: usize,
        fails: bool,
    }

    impl Read for Source {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.left == 0 && self.fails {
                return Err(io::Error::other("the tag does not hold"));
            }
            let n = buffer.len().min(self.left).min(70_001);
            for (i, byte) in buffer[..n].iter_mut().enumerate() {
                *byte = ((self.left - i) % 251) as u8;
            }
            self.left -= n;
            Ok(n)
        }
    }

    #[test]
    fn what_is_read_ahead_is_what_the_stream_gives_to_its_end_or_to_its_error() {
        for size in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 17, 30 * BLOCK] {
            for fails in [false, true] {
                let mut expected = Vec::new();
                let _ = Source { left: size, fails }.read_to_end(&mut expected);
                let (got, ended) = read_ahead(Source { left: size, fails }, |ahead| {
                    let mut got = Vec::new();
                    let ended = ahead.read_to_end(&mut got);
                    (got, ended)
                });
                assert!(got == expected && got.len() == size, "{size}");
                assert_eq!(ended.is_err(), fails, "an error is never taken for the end");
            }
        }
    }

    #[test]
    fn work_that_ends_early_does_not_wait_for_the_rest() {
        // It never ends.
        let first = read_ahead(io::repeat(7), |ahead| {
            let mut byte = [0];
            ahead.read_exact(&mut byte).map(|()| byte[0])
        });
        assert_eq!(first.ok(), Some(7));
    }
}
