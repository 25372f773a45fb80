//! `leastrole tighten`: given RBAC and logs in, the same RBAC without what was not used.

use anyhow::{Context, anyhow, bail};

use super::{ExitStatus, given, log};
use crate::cli::Tighten;
use crate::output::{self, Format, ReadSummary, Target};
use crate::policy;
use crate::rbac::manifests::{Loaded, Manifests};
use crate::rbac::{Evaluator, Object};
use crate::review::{Parties, Review};
use crate::tighten::{Choices, Proof, Tightened, clean, prove, tighten};
use crate::usage::Usage;

pub(super) fn run(flags: &Tighten) -> anyhow::Result<ExitStatus> {
    let loaded = given::load(&flags.given)?;
    let mapping = given::mapping(&flags.mapping)?;
    let selection = log::selection(&flags.selection);
    let mut options = log::options(&flags.judging)?;
    options.keep_default_grants = true;
    let (usage, tally) = log::Log {
        source: log::Source::of(&flags.input, &flags.selection)?,
        reading: &flags.input.reading,
        selection: selection.clone(),
        settings: log::settings(&flags.judging),
        quiet: flags.output.quiet,
    }
    .read()?;
    refuse_short(&usage, flags.cutting.unused_for)?;
    let plan = policy::plan(&usage, &options);
    log::refuse_nothing(plan.identities.is_empty())?;

    let all = loaded.with_builtin_roles();
    let evaluator = Evaluator::new(&all);
    let parties = Parties::new(&plan, &selection, &mapping);
    let review = Review::new(&loaded.objects, &evaluator, parties, &usage, options.audit_policy());
    let choices =
        Choices { split: flags.cutting.split, drop_unused: flags.cutting.drop_unused_bindings };
    let tightened = tighten(&review, &loaded, &all, choices);
    let text = text(flags, &tightened)?;
    let proof = proved(&review, &loaded, &tightened, &text)?;
    if !flags.output.quiet {
        let read = ReadSummary::new(&tally, &usage, &plan);
        // Nobody may be listening; the manifests are for someone else.
        let _ = output::print_tighten_summary(&read, &plan, &review, &tightened, proof);
    }
    print(flags, &loaded, &tightened, &text)?;
    let unread = flags.input.strict && !tally.problems().is_empty();
    Ok(if unread { ExitStatus::Findings } else { ExitStatus::Clean })
}

/// A log that is too short says nothing about what is used rarely.
fn refuse_short(usage: &Usage, least: Option<jiff::SignedDuration>) -> anyhow::Result<()> {
    let Some(least) = least else { return Ok(()) };
    let span = usage
        .first
        .zip(usage.last)
        .and_then(|(first, last)| Some(last.timestamp()?.duration_since(first.timestamp()?)));
    match span {
        Some(span) if span >= least => Ok(()),
        Some(span) => bail!(
            "the log covers {span:#}, less than --unused-for asks for ({least:#}); nothing is removed"
        ),
        None => bail!("the log tells no times, so --unused-for cannot be met; nothing is removed"),
    }
}

fn text(flags: &Tighten, tightened: &Tightened) -> anyhow::Result<String> {
    let objects = tightened.objects.iter();
    match flags.output.format {
        Format::Yaml => output::object_yaml(objects),
        Format::Json => Ok(output::object_list(objects)?),
    }
}

/// Proves the bytes that are about to be printed.
fn proved(
    review: &Review<'_>,
    loaded: &Loaded,
    tightened: &Tightened,
    text: &str,
) -> anyhow::Result<Proof> {
    let mut manifests = Manifests::default();
    manifests.read("output", text.as_bytes()).context("the output does not parse")?;
    let after = manifests.finish();
    let all = after.with_builtin_roles();
    let evaluator = Evaluator::new(&all);
    if after.objects.len() != tightened.objects.len() {
        bail!(
            "the output does not read back as it is, so nothing is printed; please report this bug"
        );
    }
    prove(review, &loaded.objects, &after.objects, &evaluator).map_err(|mismatches| {
        let lines: Vec<String> = mismatches.iter().take(20).map(ToString::to_string).collect();
        anyhow!(
            "the tightened objects are not what they must be, so nothing is printed; please report \
             this bug:\n  {}",
            lines.join("\n  ")
        )
    })
}

fn print(
    flags: &Tighten,
    loaded: &Loaded,
    tightened: &Tightened,
    text: &str,
) -> anyhow::Result<()> {
    let text = if flags.output.diff {
        let before: Vec<Object> = loaded.objects.iter().cloned().map(clean).collect();
        output::unified_diff(
            &output::object_yaml(&before)?,
            &output::object_yaml(tightened.objects.iter())?,
        )
    } else {
        text.to_owned()
    };
    match Target::of(flags.output.target.as_deref()) {
        Target::Stdout if flags.output.diff => output::print_styled(&text),
        Target::Stdout => output::print(&text),
        Target::File(path) | Target::Folder(path) => {
            output::replace(&path, output::plain(&text).as_bytes())
        }
    }
}
