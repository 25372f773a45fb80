//! What the commands that read a log have in common: from flags to usage.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use wildmatch::WildMatch;

#[cfg(feature = "cloudwatch")]
use super::cloudwatch;
use super::progress::Progress;
use crate::audit::Settings;
use crate::cli::{Input, Judging, Reading, Selecting};
use crate::decode::Tally;
use crate::eks::AuditPolicy;
use crate::output;
use crate::pipeline::{self, ReadOptions};
use crate::policy::{Options, Plan};
#[cfg(feature = "cloudwatch")]
use crate::source::cloudwatch::Query;
use crate::source::{Inputs, LogPath};
use crate::usage::{Fold, Selection, Usage};

/// Where a log is.
pub(super) enum Source<'f> {
    /// In files and folders.
    Paths(&'f [PathBuf]),
    /// In CloudWatch Logs.
    #[cfg(feature = "cloudwatch")]
    Live(Query),
}

impl<'f> Source<'f> {
    /// What the flags say.
    #[cfg_attr(
        not(feature = "cloudwatch"),
        expect(
            unused_variables,
            clippy::unnecessary_wraps,
            reason = "only CloudWatch has a time range"
        )
    )]
    pub(super) fn of(input: &'f Input, selecting: &Selecting) -> anyhow::Result<Self> {
        #[cfg(feature = "cloudwatch")]
        if let Some(query) = cloudwatch::query(&input.live, selecting)? {
            return Ok(Self::Live(query));
        }
        Ok(Self::Paths(&input.logs))
    }
}

/// A log to read, and what of it.
pub(super) struct Log<'f> {
    pub(super) source: Source<'f>,
    pub(super) reading: &'f Reading,
    pub(super) selection: Selection,
    pub(super) settings: Settings,
    pub(super) quiet: bool,
}

impl Log<'_> {
    /// Folds the log into usage.
    pub(super) fn read(self) -> anyhow::Result<(Usage, Tally)> {
        let selection = Arc::new(self.selection);
        let options = ReadOptions {
            threads: self.reading.threads(),
            record_limit: self.reading.record_limit(),
            ..ReadOptions::default()
        };
        let fold = || Fold::new(Arc::clone(&selection), self.settings);
        let (folds, tally) = match self.source {
            Source::Paths(paths) => {
                let _shown = Progress::of_bytes(!self.quiet, &options.progress);
                let paths: Vec<LogPath> = paths.iter().cloned().map(LogPath::from).collect();
                pipeline::read(Inputs::find(&paths), &options, fold)?
            }
            #[cfg(feature = "cloudwatch")]
            Source::Live(query) => cloudwatch::read(query, &options, !self.quiet, fold)?,
        };
        let mut usage = Usage::default();
        folds.into_iter().for_each(|fold| usage.merge(fold.into_usage()));
        usage.settle();
        if usage.outcomes.total() == 0 {
            bail!(output::nothing_read(&tally));
        }
        Ok((usage, tally))
    }
}

/// What the flags say of the events to look at.
pub(super) fn settings(judging: &Judging) -> Settings {
    Settings { enforce_owner_references: judging.enforce_owner_references }
}

/// Whose events of which time are asked for.
pub(super) fn selection(flags: &Selecting) -> Selection {
    Selection {
        service_accounts: globs(&flags.service_accounts),
        users: globs(&flags.users),
        iam_roles: globs(&flags.iam_roles),
        include_system: flags.include_system,
        since: flags.since,
        until: flags.until,
    }
}

/// What counts as needed; the rest as by default.
pub(super) fn options(judging: &Judging) -> anyhow::Result<Options> {
    Ok(Options {
        names: judging.names,
        verbs: judging.verbs,
        succeeded_only: judging.succeeded_only,
        version: judging.kubernetes_version,
        group_template: judging.iam_group_template.clone(),
        assume: judging.assume.clone(),
        audit_policy: judging.audit_policy.as_deref().map(audit_policy).transpose()?,
        ..Options::default()
    })
}

/// Compiles globs.
pub(super) fn globs(patterns: &[String]) -> Vec<WildMatch> {
    patterns.iter().map(|pattern| WildMatch::new(pattern)).collect()
}

fn audit_policy(path: &Path) -> anyhow::Result<AuditPolicy> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the audit policy {}", path.display()))?;
    AuditPolicy::parse(&text)
        .with_context(|| format!("{} is not a usable audit policy", path.display()))
}

/// Refuses a run that would look like one that found nothing to be needed, and warns of
/// flags that changed nothing.
pub(super) fn check_plan(plan: &Plan) -> anyhow::Result<()> {
    if plan.identities.is_empty() {
        bail!(
            "no event is left to look at: all are of the control plane, not selected, outside the \
             time asked for, or came before authorization\nhint: --include-system, --since, and \
             the selecting flags decide that"
        );
    }
    for assumption in &plan.about_nobody {
        output::print_warning(&format!("--assume {assumption}: nobody in the log is called so"));
    }
    Ok(())
}
