//! What can be typed. Holds text and flags and does nothing; `commands/` gives it meaning.

mod check;
mod lookup;
mod manifests;
mod tighten;
mod time;
mod who_can;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::output::Format;
use crate::policy::{Assumption, GroupTemplate, Names, Scope, Verbs};
#[cfg(feature = "cloudwatch")]
use crate::source::cloudwatch::AUDIT_STREAMS;
use crate::usage::{Moment, Version};

pub(crate) use self::check::Check;
pub(crate) use self::lookup::Lookup;
pub(crate) use self::manifests::{Comparing, Given, Mapping};
pub(crate) use self::tighten::Tighten;
use self::time::parse_time;
pub(crate) use self::who_can::{Query, WhoCan};

/// Turns Kubernetes audit logs into the smallest RBAC that still works, and proves it
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print roles and bindings for what was used
    ///
    /// Reads audit logs, finds for every identity what it needed, and prints the smallest
    /// Roles, ClusterRoles and bindings that cover it. Before anything is printed, all
    /// needs are checked against the output and all grants against the needs.
    ///
    /// Manifests go to stdout, the summary to stderr. Exit status: 0 done, 1 `--strict`
    /// found unreadable input, 2 trouble.
    Generate(Box<Generate>),
    /// Hold the RBAC you have against what was used
    ///
    /// Reports what the manifests do not cover, what they grant that was never used or more
    /// widely than it was used, and what is dangerous. docs/findings.md explains each code.
    ///
    /// The report goes to stdout, the summary to stderr. Exit status: 0 done, 1 `--fail-on`
    /// or `--strict` found something, 2 trouble.
    Check(Box<Check>),
    /// Print the RBAC you have without what was not used
    ///
    /// The same objects with the same names, each rule cut down to what was used of it. Before
    /// anything is printed, it is checked that all needs that were covered still are, and that
    /// nothing was added.
    ///
    /// Manifests or the difference go to stdout, the summary to stderr. Exit status: 0 done,
    /// 1 `--strict` found unreadable input, 2 trouble.
    Tighten(Box<Tighten>),
    /// Say who may do something, by manifests alone
    ///
    /// RESOURCE is a name as kubectl takes it (`pods`, `deploy`, `deployments.apps`), with a
    /// subresource or an object's name behind a slash (`pods/exec`, `pods/web`,
    /// `pods/exec/web`), or a URL path (`/metrics`).
    ///
    /// With a LOG, also when each last did it. Exit status: 0 somebody may, 1 nobody may,
    /// 2 trouble.
    WhoCan(Box<WhoCan>),
    /// Say what a user, group, service account or IAM role may do, by manifests alone
    ///
    /// SUBJECT is a name, `namespace:name` of a service account, a username or an ARN, and
    /// takes `*` and `?`.
    ///
    /// With a LOG, also when each right was last used. Exit status: 0 it holds something,
    /// 1 it holds nothing, 2 trouble.
    Lookup(Box<Lookup>),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Flags of `generate`.
#[derive(Args, Debug)]
pub(crate) struct Generate {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) selection: Selecting,
    /// Only needs in this namespace; repeatable, takes `*` and `?`
    ///
    /// Needs on cluster-scoped objects, on all namespaces and on URLs are left out and counted.
    #[arg(short, long = "namespace", value_name = "NS", help_heading = "Selecting")]
    pub(crate) namespaces: Vec<String>,
    #[command(flatten)]
    pub(crate) deciding: Deciding,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Where the log is.
#[derive(Args, Debug)]
#[command(next_help_heading = "Input")]
pub(crate) struct Input {
    /// Files or folders with audit logs, `-` for stdin
    ///
    /// Shape and compression are found from the content. Folders are walked.
    #[cfg_attr(
        feature = "cloudwatch",
        arg(value_name = "LOG", required_unless_present = "live", conflicts_with = "live")
    )]
    #[cfg_attr(not(feature = "cloudwatch"), arg(value_name = "LOG", required = true))]
    pub(crate) logs: Vec<PathBuf>,

    #[cfg(feature = "cloudwatch")]
    #[command(flatten)]
    pub(crate) live: Live,

    #[command(flatten)]
    pub(crate) reading: Reading,

    /// Exit with status 1 if anything in the input could not be used
    #[arg(long)]
    pub(crate) strict: bool,
}

/// How logs are read.
#[derive(Args, Debug)]
#[command(next_help_heading = "Input")]
pub(crate) struct Reading {
    /// Longest record that is read, in MiB
    ///
    /// Longer ones are counted as malformed, unless they are wrappers around many events.
    #[arg(long, value_name = "MIB", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) max_record: u32,

    /// Threads to read and parse with [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

/// The log of a cluster as CloudWatch Logs has it.
#[cfg(feature = "cloudwatch")]
#[derive(Args, Debug)]
#[command(next_help_heading = "CloudWatch Logs")]
pub(crate) struct Live {
    /// Read the audit log of this EKS cluster, since --since
    #[arg(long, value_name = "NAME", group = "live", conflicts_with = "log_group")]
    pub(crate) cluster: Option<String>,

    /// Read this log group, since --since
    #[arg(long, value_name = "GROUP", group = "live")]
    pub(crate) log_group: Option<String>,

    /// What the names of the audit streams start with
    #[arg(long, value_name = "PREFIX", requires = "live", default_value = AUDIT_STREAMS)]
    pub(crate) log_stream_prefix: String,

    /// The AWS Region [default: of the environment or the profile]
    #[arg(long, value_name = "REGION", requires = "live")]
    pub(crate) region: Option<String>,

    /// The profile of the AWS configuration files
    #[arg(long, value_name = "NAME", requires = "live")]
    pub(crate) profile: Option<String>,

    /// Another address than the one of AWS
    #[arg(long, value_name = "URL", requires = "live")]
    pub(crate) endpoint_url: Option<String>,

    /// A filter pattern that CloudWatch Logs applies; what it leaves out is not looked at
    #[arg(long, value_name = "PATTERN", requires = "live")]
    pub(crate) filter_pattern: Option<String>,

    /// Calls a second [default: four fifths of what AWS allows in the Region]
    #[arg(long, value_name = "N", requires = "live")]
    pub(crate) max_tps: Option<f64>,

    /// Keep what is read in this folder, as gzip files that are a LOG for the next run
    #[arg(long, value_name = "DIR", requires = "live")]
    pub(crate) save: Option<PathBuf>,
}

impl Reading {
    pub(crate) fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(cores, usize::from)
    }

    /// In bytes.
    pub(crate) fn record_limit(&self) -> usize {
        self.max_record as usize * 1024 * 1024
    }
}

/// Whose needs are wanted.
#[derive(Args, Debug)]
#[command(next_help_heading = "Selecting")]
pub(crate) struct Selecting {
    /// Only this service account; repeatable, takes `*` and `?`
    #[arg(long = "serviceaccount", value_name = "NS:NAME")]
    pub(crate) service_accounts: Vec<String>,

    /// Only this user or IAM user; repeatable, takes `*` and `?`
    #[arg(long = "user", value_name = "NAME")]
    pub(crate) users: Vec<String>,

    /// Only this IAM role; repeatable, takes `*` and `?`
    #[arg(long = "iam-role", value_name = "NAME|ARN")]
    pub(crate) iam_roles: Vec<String>,

    /// Also the control plane's own identities
    #[arg(long)]
    pub(crate) include_system: bool,

    /// Only events at or after this time, by the event's own clock
    ///
    /// RFC 3339 (`2026-11-20T09:00:00Z`) or a time before now (`7d`, `24h`).
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) since: Option<Moment>,

    /// Only events before this time, by the event's own clock
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) until: Option<Moment>,
}

/// What becomes of the needs.
#[derive(Args, Debug)]
#[command(next_help_heading = "Deciding")]
pub(crate) struct Deciding {
    #[command(flatten)]
    pub(crate) judging: Judging,

    /// Where grants hold
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub(crate) scope: Scope,

    /// Also grant what was refused
    #[arg(long)]
    pub(crate) include_denied: bool,

    /// Keep what every authenticated caller holds by default
    #[arg(long)]
    pub(crate) keep_default_grants: bool,
}

/// What counts as needed.
#[derive(Args, Debug)]
#[command(next_help_heading = "Deciding")]
pub(crate) struct Judging {
    /// Which resource names are kept
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub(crate) names: Names,

    /// Which verbs are added
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub(crate) verbs: Verbs,

    /// Grant what the log cannot show: events-write, events-repeat, events-read or probes
    ///
    /// Without `=IDENTITY` it is granted to those for whom the summary names it. IDENTITY
    /// is `namespace:name`, a user, or an IAM name or ARN, and takes `*` and `?`.
    #[arg(long, value_name = "CLASS[=IDENTITY]", value_delimiter = ',')]
    pub(crate) assume: Vec<Assumption>,

    /// The cluster's audit policy, if it is not the one of EKS
    #[arg(long, value_name = "FILE")]
    pub(crate) audit_policy: Option<PathBuf>,

    /// Leave out needs whose requests never once succeeded
    #[arg(long)]
    pub(crate) succeeded_only: bool,

    /// The cluster runs the admission plugin OwnerReferencesPermissionEnforcement
    #[arg(long)]
    pub(crate) enforce_owner_references: bool,

    /// The cluster's version [default: from the log, else the newest known]
    #[arg(long, value_name = "X.Y")]
    pub(crate) kubernetes_version: Option<Version>,

    /// What the group of an IAM role is called: `{role}` and `{account}` are filled in
    #[arg(long, value_name = "TEMPLATE", default_value = "leastrole:{role}")]
    pub(crate) iam_group_template: GroupTemplate,
}

/// What is printed.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Write to a file, or with a slash at its end to a folder: a file per identity
    #[arg(short = 'o', long = "output", value_name = "FILE|DIR/")]
    pub(crate) target: Option<PathBuf>,

    /// How manifests are written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,

    /// Put the evidence beside each rule, as YAML comments
    #[arg(long)]
    pub(crate) explain: bool,

    /// Write the summary as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) summary_json: Option<PathBuf>,

    /// No summary and no progress bar
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
