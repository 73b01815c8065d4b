//! Work in equal pieces on several threads. The answers come back in the order of the pieces, so that the number of threads shows in the
//! time alone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls `work` for every piece number below `pieces`; each thread has a state of its own, made by `state`.
pub(crate) fn pieces<S, R: Send>(
    threads: usize,
    pieces: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> R + Sync,
) -> Vec<R> {
    let threads = threads.clamp(1, pieces.max(1));
    if threads == 1 {
        let mut own = state();
        return (0..pieces).map(|piece| work(&mut own, piece)).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(pieces));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = state();
                loop {
                    let piece = next.fetch_add(1, Ordering::Relaxed);
                    if piece >= pieces {
                        return;
                    }
                    let answer = work(&mut own, piece);
                    // a poisoned lock means that another thread panicked: the scope passes that on
                    if let Ok(mut done) = done.lock() {
                        done.push((piece, answer));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_unstable_by_key(|(piece, _)| *piece);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// The same over slices of `size` items.
pub(crate) fn slices<T: Sync, R: Send>(threads: usize, items: &[T], size: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let size = size.max(1);
    let count = items.len().div_ceil(size);
    pieces(threads, count, || (), |(), piece| work(&items[piece * size..((piece + 1) * size).min(items.len())]))
}
