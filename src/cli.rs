//! What can be typed. Holds text and flags and does nothing; `commands/` gives it meaning.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::output::Format;
use crate::policy::{Assumption, GroupTemplate, Names, Scope, Verbs};
use crate::source::LogPath;
use crate::usage::{Moment, Version};

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
    #[arg(value_name = "LOG", required = true)]
    pub(crate) logs: Vec<PathBuf>,

    /// Longest record that is read, in MiB
    ///
    /// Longer ones are counted as malformed, unless they are wrappers around many events.
    #[arg(long, value_name = "MIB", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) max_record: u32,

    /// Threads to read and parse with [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// Exit with status 1 if anything in the input could not be used
    #[arg(long)]
    pub(crate) strict: bool,
}

impl Input {
    pub(crate) fn logs(&self) -> Vec<LogPath> {
        self.logs.iter().cloned().map(LogPath::from).collect()
    }

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

    /// Only needs in this namespace; repeatable, takes `*` and `?`
    ///
    /// Needs on cluster-scoped objects, on all namespaces and on URLs are left out and counted.
    #[arg(short, long = "namespace", value_name = "NS")]
    pub(crate) namespaces: Vec<String>,

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
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Deciding {
    /// Which resource names are kept
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub(crate) names: Names,

    /// Where grants hold
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub(crate) scope: Scope,

    /// Which verbs are added
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub(crate) verbs: Verbs,

    /// Grant what the log cannot show: events-write, events-read or probes
    ///
    /// Without `=IDENTITY` it is granted to those for whom the summary names it. IDENTITY
    /// is `namespace:name`, a user, or an IAM name or ARN, and takes `*` and `?`.
    #[arg(long, value_name = "CLASS[=IDENTITY]", value_delimiter = ',')]
    pub(crate) assume: Vec<Assumption>,

    /// The cluster's audit policy, if it is not the one of EKS
    #[arg(long, value_name = "FILE")]
    pub(crate) audit_policy: Option<PathBuf>,

    /// Also grant what was refused
    #[arg(long)]
    pub(crate) include_denied: bool,

    /// Leave out needs whose requests never once succeeded
    #[arg(long)]
    pub(crate) succeeded_only: bool,

    /// Keep what every authenticated caller holds by default
    #[arg(long)]
    pub(crate) keep_default_grants: bool,

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
    #[arg(short, long = "output", value_name = "FILE|DIR/")]
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

/// A point in time, or a duration before now.
fn parse_time(text: &str) -> Result<Moment, String> {
    if let Some(moment) = Moment::parse(text) {
        return Ok(moment);
    }
    let hint =
        || format!("`{text}` is neither a time (2026-11-20T09:00:00Z) nor a duration (7d, 24h)");
    let span: jiff::SignedDuration = duration(text).ok_or_else(hint)?;
    let then = jiff::Timestamp::now().checked_sub(span).map_err(|_| hint())?;
    Moment::from_timestamp(then).ok_or_else(hint)
}

/// `90s`, `15m`, `24h`, `7d`, `2w`, and sums of them such as `1d12h`.
fn duration(text: &str) -> Option<jiff::SignedDuration> {
    let mut seconds = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = match rest[digits..].chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (seconds > 0).then(|| jiff::SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_add_up() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1d12h", 129_600), ("2w", 1_209_600)] {
            assert_eq!(duration(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "7", "d", "7y", "-1h", "99999999999999999999d", "0s"] {
            assert!(duration(text).is_none(), "{text}");
        }
    }
}
