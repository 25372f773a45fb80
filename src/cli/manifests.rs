//! Flags that say which RBAC is given.

use std::path::PathBuf;

use clap::Args;

use super::{Input, Judging, Selecting};

/// The RBAC that is there.
#[derive(Args, Debug)]
#[command(next_help_heading = "Manifests")]
pub(crate) struct Given {
    /// File or folder with RBAC manifests, `-` for stdin; repeatable
    ///
    /// YAML or JSON as kubectl prints or takes it, rendered charts too; other kinds of objects
    /// are skipped. Of folders, the files that end in .yaml, .yml or .json are read.
    #[arg(long, value_name = "PATH", required = true)]
    pub(crate) rbac: Vec<PathBuf>,

    /// Where objects without a namespace are, as with `kubectl apply -n`
    #[arg(long, value_name = "NS")]
    pub(crate) default_namespace: Option<String>,
}

/// Who IAM identities are to Kubernetes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Manifests")]
pub(crate) struct Mapping {
    /// The aws-auth config map, or what `aws eks describe-access-entry` prints; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) aws_auth: Vec<PathBuf>,
}

/// RBAC and a log, to be held against each other.
#[derive(Args, Debug)]
pub(crate) struct Comparing {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) given: Given,
    #[command(flatten)]
    pub(crate) mapping: Mapping,
    #[command(flatten)]
    pub(crate) selection: Selecting,
    #[command(flatten)]
    pub(crate) judging: Judging,
}
