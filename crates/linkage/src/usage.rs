//! What the process has used so far, where the system tells (Linux).

/// CPU seconds of all threads; 0 where the system does not tell.
pub(crate) fn cpu_seconds() -> f64 {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return 0.0 };
    // the second field is the name in brackets and may hold anything
    let rest = stat.rsplit_once(')').map_or("", |(_, r)| r);
    let ticks = |at: usize| rest.split_whitespace().nth(at).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
    // utime and stime, the 14th and 15th field of proc(5), in hundredths of a second on every Linux of today
    (ticks(11) + ticks(12)) / 100.0
}

/// Peak resident memory in bytes; 0 where the system does not tell.
pub(crate) fn peak_bytes() -> u64 {
    kibibytes("VmHWM:")
}

/// Resident memory in bytes now; 0 where the system does not tell.
pub(crate) fn resident_bytes() -> u64 {
    kibibytes("VmRSS:")
}

/// A line of the process's status, in bytes.
fn kibibytes(name: &str) -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024
}
