//! Runs the checks and prints their counts.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Parser, ValueEnum};

use leastrole_e2e::checks::{self, Options, Outcome};
use leastrole_e2e::harness::Assets;

/// Lets a real kube-apiserver judge what leastrole believes about Kubernetes.
#[derive(Parser)]
struct Arguments {
    /// Which checks to run; all where none is named.
    checks: Vec<Check>,
    /// What everything made up is made up from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write what was observed into this folder.
    #[arg(long, value_name = "DIR")]
    dump: Option<PathBuf>,
    /// How many seconds the soak takes.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    soak: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Check {
    Attributes,
    Evaluator,
    Needs,
    Objects,
    ClosedLoop,
    Operator,
    Controllers,
    Soak,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("leastrole-e2e: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether all checks agree with the server.
fn run(arguments: Arguments) -> Result<bool> {
    let Arguments { mut checks, seed, dump, soak } = arguments;
    if checks.is_empty() {
        checks = Check::value_variants().to_vec();
    }
    if let Some(folder) = &dump {
        std::fs::create_dir_all(folder)?;
    }
    let options = Options { seed, dump, soak: Duration::from_secs(soak) };
    let assets = Assets::find()?;
    println!("kube-apiserver {}, seed {seed}", assets.version()?);
    let mut agrees = true;
    for check in checks {
        let started = Instant::now();
        let outcome = check.run(&assets, &options)?;
        println!("{check:?} ({:.0?})\n{outcome}", started.elapsed());
        agrees &= outcome.agrees();
    }
    Ok(agrees)
}

impl Check {
    fn run(self, assets: &Assets, options: &Options) -> Result<Outcome> {
        match self {
            Self::Attributes => checks::attributes::run(assets, options),
            Self::Evaluator => checks::evaluator::run(assets, options),
            Self::Needs => checks::needs::run(assets, options),
            Self::Objects => checks::objects::run(assets),
            Self::Controllers => checks::controllers::run(assets, options),
            Self::Operator => checks::operator::run(assets, options),
            Self::Soak => checks::closed_loop::soak::run(assets, options),
            Self::ClosedLoop => checks::closed_loop::run(assets, options),
        }
    }
}
