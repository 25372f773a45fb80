//! Flags of `who-can`, and those that it shares with `lookup`.

use std::path::PathBuf;

use clap::Args;

use super::{Given, Mapping, Reading, parse_time};
use crate::output::QueryFormat;
use crate::usage::Moment;

/// Flags of `who-can`.
#[derive(Args, Debug)]
pub(crate) struct WhoCan {
    /// The verb: get, list, create, impersonate, ...
    #[arg(value_name = "VERB")]
    pub(crate) verb: String,

    /// The resource or URL
    #[arg(value_name = "RESOURCE[/NAME]|URL")]
    pub(crate) target: String,

    #[command(flatten)]
    pub(crate) query: Query,

    /// The subresource, where it cannot be told from a name
    #[arg(long, value_name = "NAME")]
    pub(crate) subresource: Option<String>,

    /// The object's name, where it cannot be told from a subresource
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// In this namespace
    #[arg(short, long, value_name = "NS")]
    pub(crate) namespace: Option<String>,

    /// In any namespace, and who may in all of them [default]
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,

    /// Only who may in the whole cluster at once
    #[arg(long, conflicts_with_all = ["namespace", "all_namespaces"])]
    pub(crate) cluster_wide: bool,

    /// Only by what this user holds; `system:serviceaccount:NS:NAME` for a service account
    #[arg(long = "as", value_name = "USER")]
    pub(crate) as_user: Option<String>,

    /// Only by what members of this group hold, with `--as` or without; repeatable
    #[arg(long, value_name = "GROUP")]
    pub(crate) as_group: Vec<String>,
}

/// What questions about manifests have in common.
#[derive(Args, Debug)]
pub(crate) struct Query {
    #[command(flatten)]
    pub(crate) given: Given,
    #[command(flatten)]
    pub(crate) last_use: LastUse,
    #[command(flatten)]
    pub(crate) mapping: Mapping,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: QueryFormat,

    /// No progress bar and no hints
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// A log to tell when a right was last used.
#[derive(Args, Debug)]
#[command(next_help_heading = "Input")]
pub(crate) struct LastUse {
    /// Files or folders with audit logs: adds when a right was last used
    #[arg(value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) reading: Reading,

    /// Only events at or after this time, by the event's own clock
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) since: Option<Moment>,

    /// Only events before this time, by the event's own clock
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) until: Option<Moment>,
}
