//! The `leastrole` program: parse, run, exit.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use leastrole::cli::Cli;
use leastrole::commands::{ExitStatus, run};
use leastrole::output::escape;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(status) => status.into(),
        Err(error) if is_broken_pipe(&error) => ExitStatus::Clean.into(),
        Err(error) => {
            let text = format!("{error:#}");
            let lines = text.lines().map(escape::visible).collect::<Vec<_>>().join("\n");
            anstream::eprintln!("error: {lines}");
            ExitStatus::Failure.into()
        }
    }
}

/// Whoever read our output had enough of it: nothing went wrong.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
    })
}
