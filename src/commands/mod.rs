//! One file per command: what was typed comes in, an exit status goes out. Commands
//! call the stages in turn; they neither parse nor render.

mod check;
#[cfg(feature = "cloudwatch")]
mod cloudwatch;
mod compared;
mod generate;
mod given;
mod log;
mod progress;
mod query;
mod tighten;

use std::io::Write;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, Command};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Done.
    Clean,
    /// Done, and there is something the user asked to be gated on.
    Findings,
    /// Trouble: ours, or input that cannot be used at all.
    Failure,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Clean => 0,
            ExitStatus::Findings => 1,
            ExitStatus::Failure => 2,
        })
    }
}

/// Runs the command.
pub fn run(cli: Cli) -> anyhow::Result<ExitStatus> {
    match cli.command {
        Command::Check(flags) => check::run(&flags),
        Command::Generate(flags) => generate::run(&flags),
        Command::Lookup(flags) => query::run_lookup(&flags),
        Command::Tighten(flags) => tighten::run(&flags),
        Command::WhoCan(flags) => query::run_who_can(&flags),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "leastrole", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(ExitStatus::Clean)
        }
    }
}
