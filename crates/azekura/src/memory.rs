//! What this process keeps of memory that it does not need any more.

/// Asks the C library's allocator to give large buffers back. By default it has eight arenas a core: batches of rows, which are
/// made in one thread and freed in another, leave holes in each that stay, and a fifth to a quarter of the memory of `ingest` was such holes.
/// One arena a core has fewer; the two sizes are where the allocator's own rule ends up, fixed so that they do not depend on what
/// was freed before.
///
/// To be called before the first thread starts.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn give_back_large_buffers() {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let arenas = i32::try_from(threads.max(2)).unwrap_or(i32::MAX);
    for (what, value) in [(libc::M_MMAP_THRESHOLD, 32 << 20), (libc::M_TRIM_THRESHOLD, 64 << 20), (libc::M_ARENA_MAX, arenas)] {
        // SAFETY: `mallopt` takes two numbers, no pointer, and changes nothing but settings of the allocator that every later
        // allocation reads; it may be called at any time, and an unknown setting is refused by its return value.
        #[allow(unsafe_code)]
        let _ = unsafe { libc::mallopt(what, value) };
    }
}

/// Elsewhere the allocator is left as it is.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back_large_buffers() {}
