//! `leastrole generate`: logs in, proven roles out.

use anyhow::{Context, anyhow, bail};

use super::{ExitStatus, log};
use crate::cli::Generate;
use crate::output::{self, Format, Summary, Target, Text};
use crate::policy::{self, Options, Plan, Proof};
use crate::rbac::manifests::Manifests;

pub(super) fn run(flags: &Generate) -> anyhow::Result<ExitStatus> {
    if flags.output.explain && flags.output.format == Format::Json {
        bail!("--explain writes YAML comments; for evidence in JSON use --summary-json");
    }
    let options = options(flags)?;
    let (usage, tally) = log::Log {
        source: log::Source::of(&flags.input, &flags.selection)?,
        reading: &flags.input.reading,
        selection: log::selection(&flags.selection),
        settings: log::settings(&flags.deciding.judging),
        quiet: flags.output.quiet,
    }
    .read()?;
    let plan = policy::plan(&usage, &options);
    let manifests = output::manifests(&plan, flags.output.format, flags.output.explain)?;
    let target = Target::of(flags.output.target.as_deref());
    let texts = output::rendered(&manifests, flags.output.format, &target)?;
    let proof = prove(&plan, &texts)?;
    if !flags.output.quiet || flags.output.summary_json.is_some() {
        report(flags, &Summary::new(&tally, &usage, &plan, proof, &manifests))?;
    }
    log::check_plan(&plan)?;
    output::write(&texts, &target)?;
    let gated = flags.input.strict && !tally.problems().is_empty();
    Ok(if gated { ExitStatus::Findings } else { ExitStatus::Clean })
}

fn options(flags: &Generate) -> anyhow::Result<Options> {
    let deciding = &flags.deciding;
    Ok(Options {
        scope: deciding.scope,
        namespaces: log::globs(&flags.namespaces),
        include_denied: deciding.include_denied,
        keep_default_grants: deciding.keep_default_grants,
        ..log::options(&deciding.judging)?
    })
}

/// Proves the plan against the bytes that are about to be printed.
fn prove(plan: &Plan, texts: &[Text]) -> anyhow::Result<Proof> {
    let mut manifests = Manifests::default();
    for text in texts.iter().filter(|text| text.is_manifest) {
        manifests.read(&text.file, text.text.as_bytes()).context("the output does not parse")?;
    }
    policy::prove(plan, &manifests.into_objects()).map_err(|mismatches| {
        let lines: Vec<String> = mismatches.iter().take(20).map(ToString::to_string).collect();
        anyhow!(
            "the output does not match the log, so nothing is printed; please report this bug:\n  {}",
            lines.join("\n  ")
        )
    })
}

fn report(flags: &Generate, summary: &Summary) -> anyhow::Result<()> {
    if let Some(path) = &flags.output.summary_json {
        output::replace(path, output::json(summary)?.as_bytes())?;
    }
    if !flags.output.quiet {
        // Nobody may be listening; the manifests are for someone else.
        let _ = output::print_summary(summary);
    }
    Ok(())
}
