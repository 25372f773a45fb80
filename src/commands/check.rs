//! `leastrole check`: given RBAC and logs in, findings out.

use anyhow::Context;

use super::ExitStatus;
use super::compared::Compared;
use crate::cli::Check;
use crate::findings::{Accepted, Baseline, Finding, findings};
use crate::output::{self, CheckReport, ReportFormat, Target};

pub(super) fn run(flags: &Check) -> anyhow::Result<ExitStatus> {
    let baseline = baseline(flags)?;
    let compared = Compared::read(&flags.comparing, flags.gate.quiet)?;
    let (report, is_gated) = compared.reviewed(|review, all| {
        let sorted = baseline.apply(findings(review, &compared.loaded, all));
        let read = compared.summary();
        let report = CheckReport::new(read, &compared.plan, review, &compared.loaded, &sorted);
        (report, fails(flags, &sorted))
    });
    if !flags.gate.quiet {
        // Nobody may be listening; the report is for someone else.
        let _ = output::print_check_summary(&report, &compared.plan);
    }
    for extra in &flags.gate.reports {
        output::replace(&extra.path, text(&report, extra.format)?.as_bytes())?;
    }
    print(flags, &report)?;
    let is_gated = is_gated || compared.is_unread(&flags.comparing);
    Ok(if is_gated { ExitStatus::Findings } else { ExitStatus::Clean })
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
