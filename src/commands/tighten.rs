//! `leastrole tighten`: given RBAC and logs in, the same RBAC without what was not used.

use anyhow::{Context, anyhow, bail};

use super::compared::Compared;
use super::{ExitStatus, given};
use crate::cli::Tighten;
use crate::output::{self, Format, Target};
use crate::rbac::manifests::{Loaded, Manifests};
use crate::rbac::{Evaluator, Object};
use crate::review::Review;
use crate::tighten::{Choices, Proof, Tightened, clean, prove, tighten};
use crate::usage::Usage;

pub(super) fn run(flags: &Tighten) -> anyhow::Result<ExitStatus> {
    let compared = Compared::read(&flags.comparing, flags.output.quiet)?;
    refuse_short(&compared.usage, flags.cutting.unused_for)?;
    let (tightened, text) = compared.reviewed(|review, all| {
        let choices =
            Choices { split: flags.cutting.split, drop_unused: flags.cutting.drop_unused_bindings };
        let tightened = tighten(review, &compared.loaded, all, choices);
        let text = text(flags, &tightened)?;
        let proof = proved(review, &compared.loaded, &tightened, &text)?;
        if !flags.output.quiet {
            given::warn_of_left_out(&compared.loaded);
            let (read, plan) = (compared.summary(), &compared.plan);
            // Nobody may be listening; the manifests are for someone else.
            let _ = output::print_tighten_summary(&read, plan, review, &tightened, proof);
        }
        anyhow::Ok((tightened, text))
    })?;
    print(flags, &compared.loaded, &tightened, &text)?;
    let is_unread = compared.is_unread(&flags.comparing);
    Ok(if is_unread { ExitStatus::Findings } else { ExitStatus::Clean })
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
