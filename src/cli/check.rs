//! Flags of `check`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::Comparing;
use crate::findings::FailOn;
use crate::output::ReportFormat;

/// Flags of `check`.
#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) comparing: Comparing,
    #[command(flatten)]
    pub(crate) gate: Gate,
}

/// What is printed, and what it leads to.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct Gate {
    /// Exit with status 1 on these findings: severities (that or worse), codes, `unused-*`, never
    #[arg(long, value_name = "CODE|SEVERITY", value_delimiter = ',', default_value = "error")]
    pub(crate) fail_on: Vec<FailOn>,

    /// Findings that are accepted: the JSON report of an earlier run
    ///
    /// What it accepts and no longer occurs is a finding of its own.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// How the report is written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReportFormat,

    /// Write the report to a file
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(crate) target: Option<PathBuf>,

    /// Also write the report in another format; repeatable
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    pub(crate) reports: Vec<Report>,

    /// No summary and no progress bar
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// `--report FORMAT=FILE`.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) format: ReportFormat,
    pub(crate) path: PathBuf,
}

impl FromStr for Report {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) =
            text.split_once('=').ok_or("it must be FORMAT=FILE, such as sarif=check.sarif")?;
        Ok(Self { format: ReportFormat::from_str(format, false)?, path: path.into() })
    }
}
