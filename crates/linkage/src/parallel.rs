//! Work in equal pieces on several threads. The answers come back in the order of the pieces, so that the number of threads shows in the
//! time alone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads that are started at most: more than any machine has use for, and few enough that each gets its stack.
pub(crate) const MOST_THREADS: usize = 256;

/// Calls `work` for every piece number below `pieces`; each thread has a state of its own, made by `state`.
pub(crate) fn pieces<S, R: Send>(
    threads: usize,
    pieces: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> R + Sync,
) -> Vec<R> {
    let threads = threads.clamp(1, pieces.clamp(1, MOST_THREADS));
    if threads == 1 {
        let mut own = state();
        return (0..pieces).map(|piece| work(&mut own, piece)).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(pieces));
    let run = || {
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
    };
    std::thread::scope(|scope| {
        // this thread works too; where the system has no further thread to give, those there are do its share
        let others = 1..threads;
        others.map_while(|_| std::thread::Builder::new().spawn_scoped(scope, run).ok()).for_each(drop);
        run();
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_unstable_by_key(|(piece, _)| *piece);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// Two pieces of work, at the same time where there are two threads.
pub(crate) fn both<A: Send, B: Send>(threads: usize, one: impl Fn() -> A + Sync, other: impl Fn() -> B + Sync) -> (A, B) {
    enum Answer<A, B> {
        One(A),
        Other(B),
    }
    let work = |(): &mut (), at: usize| if at == 0 { Answer::One(one()) } else { Answer::Other(other()) };
    let mut answers = pieces(threads.min(2), 2, || (), work).into_iter();
    match (answers.next(), answers.next()) {
        (Some(Answer::One(a)), Some(Answer::Other(b))) => (a, b),
        // a thread that did not answer has panicked, and that was passed on
        _ => (one(), other()),
    }
}

/// The same over slices of `size` items.
pub(crate) fn slices<T: Sync, R: Send>(threads: usize, items: &[T], size: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let size = size.max(1);
    let count = items.len().div_ceil(size);
    pieces(threads, count, || (), |(), piece| work(&items[piece * size..((piece + 1) * size).min(items.len())]))
}

#[cfg(test)]
mod tests {
    #[test]
    fn any_number_of_threads_does_the_work_in_order() {
        for threads in [0, 1, 3, 1_000_000, usize::MAX] {
            let answers = super::pieces(threads, 1_000, || 1, |one, piece| piece + *one);
            assert_eq!(answers, (1..=1_000).collect::<Vec<_>>(), "{threads}");
            assert_eq!(super::both(threads, || 1, || "two"), (1, "two"), "{threads}");
        }
    }
}
