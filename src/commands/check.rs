//! `leastrole check`: given RBAC and logs in, findings out.

use anyhow::Context;

use super::{ExitStatus, given, log};
use crate::cli::Check;
use crate::findings::{Accepted, Baseline, Finding, findings};
use crate::output::{self, CheckReport, ReadSummary, ReportFormat, Target};
use crate::policy;
use crate::rbac::Evaluator;
use crate::review::{Parties, Review};

pub(super) fn run(flags: &Check) -> anyhow::Result<ExitStatus> {
    let loaded = given::load(&flags.given)?;
    let mapping = given::mapping(&flags.mapping)?;
    let baseline = baseline(flags)?;
    let selection = log::selection(&flags.selection);
    let mut options = log::options(&flags.judging)?;
    options.keep_default_grants = true;
    let (usage, tally) = log::Log {
        source: log::Source::of(&flags.input, &flags.selection)?,
        reading: &flags.input.reading,
        selection: selection.clone(),
        settings: log::settings(&flags.judging),
        quiet: flags.gate.quiet,
    }
    .read()?;
    let plan = policy::plan(&usage, &options);
    log::refuse_nothing(plan.identities.is_empty())?;

    let all = loaded.with_builtin_roles();
    let evaluator = Evaluator::new(&all);
    let parties = Parties::new(&plan, &selection, &mapping);
    let review = Review::new(&loaded.objects, &evaluator, parties, &usage, options.audit_policy());
    let sorted = baseline.apply(findings(&review, &loaded, &all));
    let read = ReadSummary::new(&tally, &usage, &plan);
    let report = CheckReport::new(read, &plan, &review, &loaded, &sorted);
    if !flags.gate.quiet {
        // Nobody may be listening; the report is for someone else.
        let _ = output::print_check_summary(&report, &plan);
    }
    for extra in &flags.gate.reports {
        output::replace(&extra.path, text(&report, extra.format)?.as_bytes())?;
    }
    print(flags, &report)?;
    let unread = flags.input.strict && !tally.problems().is_empty();
    let gated = unread || fails(flags, &sorted);
    Ok(if gated { ExitStatus::Findings } else { ExitStatus::Clean })
}

fn baseline(flags: &Check) -> anyhow::Result<Baseline> {
    let Some(path) = &flags.gate.baseline else { return Ok(Baseline::default()) };
    let text = std::fs::read(path)
        .with_context(|| format!("cannot read the baseline {}", path.display()))?;
    Baseline::parse(&text).with_context(|| format!("{} is not a usable baseline", path.display()))
}

fn fails(flags: &Check, sorted: &Accepted) -> bool {
    let is_gated =
        |finding: &Finding| flags.gate.fail_on.iter().any(|fail| fail.means(finding.code));
    sorted.open.iter().any(is_gated)
}

fn print(flags: &Check, report: &CheckReport) -> anyhow::Result<()> {
    let text = text(report, flags.gate.format)?;
    match Target::of(flags.gate.target.as_deref()) {
        Target::Stdout if flags.gate.format == ReportFormat::Table => output::print_styled(&text),
        Target::Stdout => output::print(&text),
        Target::File(path) | Target::Folder(path) => output::replace(&path, text.as_bytes()),
    }
}

fn text(report: &CheckReport, format: ReportFormat) -> anyhow::Result<String> {
    Ok(match format {
        ReportFormat::Table => output::table(report),
        ReportFormat::Json => output::json(report)?,
        ReportFormat::Sarif => output::json(&output::sarif(report))?,
        ReportFormat::Markdown => output::markdown(report),
    })
}
