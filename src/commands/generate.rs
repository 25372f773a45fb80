//! `leastrole generate`: logs in, proven roles out.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use wildmatch::WildMatch;

use super::{ExitStatus, progress};
use crate::audit::Settings;
use crate::cli::{Deciding, Generate, Selecting};
use crate::decode::Tally;
use crate::eks::AuditPolicy;
use crate::output::{self, Format, Summary, Target, Text};
use crate::pipeline::{self, ReadOptions};
use crate::policy::{self, Options, Plan, Proof};
use crate::rbac::manifests::Manifests;
use crate::source::Inputs;
use crate::usage::{Fold, Selection, Usage};

pub(super) fn run(flags: &Generate) -> anyhow::Result<ExitStatus> {
    if flags.output.explain && flags.output.format == Format::Json {
        bail!("--explain writes YAML comments; for evidence in JSON use --summary-json");
    }
    let options = options(&flags.deciding, &flags.selection)?;
    let (usage, tally) = read(flags)?;
    let plan = policy::plan(&usage, &options);
    let manifests = output::manifests(&plan, flags.output.format, flags.output.explain)?;
    let target = Target::of(flags.output.target.as_deref());
    let texts = output::rendered(&manifests, flags.output.format, &target)?;
    let proof = prove(&plan, &texts)?;
    let summary = Summary::new(&tally, &usage, &plan, proof, &manifests);
    report(flags, &summary)?;
    refuse_nothing(&summary)?;
    output::write(&texts, &target)?;
    let gated = flags.input.strict && !tally.problems().is_empty();
    Ok(if gated { ExitStatus::Findings } else { ExitStatus::Clean })
}

fn options(deciding: &Deciding, selecting: &Selecting) -> anyhow::Result<Options> {
    Ok(Options {
        names: deciding.names,
        scope: deciding.scope,
        verbs: deciding.verbs,
        namespaces: globs(&selecting.namespaces),
        include_denied: deciding.include_denied,
        succeeded_only: deciding.succeeded_only,
        keep_default_grants: deciding.keep_default_grants,
        version: deciding.kubernetes_version,
        group_template: deciding.iam_group_template.clone(),
        assume: deciding.assume.clone(),
        audit_policy: audit_policy(deciding.audit_policy.as_deref())?,
    })
}

fn audit_policy(path: Option<&Path>) -> anyhow::Result<AuditPolicy> {
    let Some(path) = path else { return Ok(AuditPolicy::eks()) };
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the audit policy {}", path.display()))?;
    AuditPolicy::parse(&text)
        .with_context(|| format!("{} is not a usable audit policy", path.display()))
}

fn globs(patterns: &[String]) -> Vec<WildMatch> {
    patterns.iter().map(|pattern| WildMatch::new(pattern)).collect()
}

/// Folds the logs into usage.
fn read(flags: &Generate) -> anyhow::Result<(Usage, Tally)> {
    let selection = Arc::new(selection(&flags.selection));
    let settings = Settings { enforce_owner_references: flags.deciding.enforce_owner_references };
    let shown = progress::Progress::start(!flags.output.quiet);
    let options = ReadOptions {
        threads: flags.input.threads(),
        record_limit: flags.input.record_limit(),
        progress: shown.counters(),
        ..ReadOptions::default()
    };
    let fold = || Fold::new(Arc::clone(&selection), settings);
    let inputs = Inputs::find(&flags.input.logs());
    let (folds, tally) = pipeline::read(inputs, &options, fold)?;
    drop(shown);
    let mut usage = Usage::default();
    folds.into_iter().for_each(|fold| usage.merge(fold.into_usage()));
    usage.settle();
    if usage.outcomes.total() == 0 {
        bail!(output::nothing_read(&tally));
    }
    Ok((usage, tally))
}

fn selection(flags: &Selecting) -> Selection {
    Selection {
        service_accounts: globs(&flags.service_accounts),
        users: globs(&flags.users),
        iam_roles: globs(&flags.iam_roles),
        include_system: flags.include_system,
        since: flags.since,
        until: flags.until,
    }
}

/// Proves the plan against the bytes that are about to be printed.
fn prove(plan: &Plan, texts: &[Text]) -> anyhow::Result<Proof> {
    let mut manifests = Manifests::default();
    for text in texts.iter().filter(|text| text.is_manifest) {
        manifests.read(&text.file, text.text.as_bytes()).context("the output does not parse")?;
    }
    let loaded = manifests.finish();
    policy::prove(plan, &loaded.objects).map_err(|mismatches| {
        let lines: Vec<String> = mismatches.iter().take(20).map(ToString::to_string).collect();
        anyhow!(
            "the output does not match the log, so nothing is printed; please report this bug:\n  {}",
            lines.join("\n  ")
        )
    })
}

fn report(flags: &Generate, summary: &Summary) -> anyhow::Result<()> {
    if let Some(path) = &flags.output.summary_json {
        let mut json = serde_json::to_vec_pretty(summary)?;
        json.push(b'\n');
        output::replace(path, &json)?;
    }
    if !flags.output.quiet {
        output::print_summary(summary)?;
    }
    Ok(())
}

/// A run that has nothing to say must not look like one that found nothing needed.
fn refuse_nothing(summary: &Summary) -> anyhow::Result<()> {
    if summary.identities.is_empty() {
        bail!(
            "no event is left to look at: all are of the control plane, not selected, outside the \
             time asked for, or came before authorization\nhint: --include-system, --since, and \
             the selecting flags decide that"
        );
    }
    Ok(())
}
