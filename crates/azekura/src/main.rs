//! `azekura`: the operator's command, the engines' command, and the demo.
//!
//! The tree of commands is the tree of files under `commands/`. A command reads its arguments, calls one function of
//! `pipeline` (or of an engine), and shows what came back, as text or with `--json`. Rules live below, never here.

mod commands;
mod demo;
mod failure;
mod memory;
mod output;
mod synthesis;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    memory::give_back_large_buffers();
    // First of all: OpenSSL set up by others would clean up at exit, as SQLCipher does (see `Ledger::close`).
    openssl::init();
    // Core dumps would hold keys and people.
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    let filter = tracing_subscriber::EnvFilter::try_from_env("AZEKURA_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();

    let cli = commands::Cli::parse();
    let shown = output::Shown { json: cli.json, lang: cli.lang };
    let code = match commands::run(cli, &shown) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            shown.failure(&error);
            ExitCode::from(error.exit_status())
        }
    };
    wait_for_database_threads();
    code
}

/// Where a ledger did not open (a full disk), the threads of its connections may still be closing them. SQLCipher gives its memory back when
/// the process ends, under their feet: they end first.
fn wait_for_database_threads() {
    let named = |task: std::io::Result<std::fs::DirEntry>| {
        let name = task.and_then(|t| std::fs::read_to_string(t.path().join("comm")));
        name.is_ok_and(|name| name.starts_with("sqlx-sqlite"))
    };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while std::fs::read_dir("/proc/self/task").is_ok_and(|mut tasks| tasks.any(named)) && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
