//! Flags of `tighten`.

use std::path::PathBuf;

use clap::Args;

use super::Comparing;
use super::time::parse_duration;
use crate::output::Format;

/// Flags of `tighten`.
#[derive(Args, Debug)]
pub(crate) struct Tighten {
    #[command(flatten)]
    pub(crate) comparing: Comparing,
    #[command(flatten)]
    pub(crate) cutting: Cutting,
    #[command(flatten)]
    pub(crate) output: TightenOutput,
}

/// How far to go.
#[derive(Args, Debug)]
#[command(next_help_heading = "Cutting")]
pub(crate) struct Cutting {
    /// Give each subject roles of its own where a role is shared, built in or bound too widely
    #[arg(long)]
    pub(crate) split: bool,

    /// Drop subjects and bindings of which nothing was used, and roles that this leaves empty
    #[arg(long)]
    pub(crate) drop_unused_bindings: bool,

    /// Refuse to remove anything on the strength of a shorter log
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) unused_for: Option<jiff::SignedDuration>,
}

/// What is printed.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct TightenOutput {
    /// Print what changes, as a unified diff
    #[arg(long, conflicts_with = "format")]
    pub(crate) diff: bool,

    /// How manifests are written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,

    /// Write to a file
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(crate) target: Option<PathBuf>,

    /// No summary and no progress bar
    #[arg(short, long)]
    pub(crate) quiet: bool,
}
