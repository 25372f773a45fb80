//! `leastrole who-can` and `leastrole lookup`: questions to given RBAC.

use super::{ExitStatus, given, log};
use crate::audit::Settings;
use crate::cli::{Lookup, Query, WhoCan};
use crate::eks::{IamArn, Principal};
use crate::output::{self, QueryFormat};
use crate::policy::{self, Options, Plan};
use crate::query::{Asked, Question, Typed, lookup, who_can};
use crate::rbac::manifests::Loaded;
use crate::rbac::{Evaluator, Object, Requester, builtin_objects, parse_service_account_username};
use crate::review::Parties;
use crate::usage::Selection;

/// The group whose members the API server refuses nothing.
const MASTERS: &str = "system:masters";

pub(super) fn run_who_can(flags: &WhoCan) -> anyhow::Result<ExitStatus> {
    let (mut loaded, mapping) = given(&flags.query)?;
    add_masters(&mut loaded, &mapping, &flags.as_group);
    let all = loaded.with_builtin_roles();
    let evaluator = Evaluator::new(&all);
    let typed = Typed {
        verb: &flags.verb,
        target: &flags.target,
        subresource: flags.subresource.as_deref(),
        name: flags.name.as_deref(),
    };
    let question = Question::new(&typed, asked(flags), &all)?;
    let selection = selection(&flags.query);
    let plan = plan(&flags.query, &selection)?;
    let parties = plan.as_ref().map(|plan| Parties::new(plan, &selection, &mapping));
    let requester = requester(flags, &mapping);
    let answer = who_can(&question, &evaluator, &mapping, requester.as_ref(), parties.as_ref());
    print(&flags.query, &output::who_can_text(&answer, flags.query.format)?)?;
    if answer.by_name > 0 && !flags.query.quiet {
        let hint = "more may for some names only: ask for RESOURCE/NAME";
        output::print_hint(&format!("{} {hint}", answer.by_name));
    }
    Ok(found(!answer.holders.is_empty()))
}

pub(super) fn run_lookup(flags: &Lookup) -> anyhow::Result<ExitStatus> {
    let (mut loaded, mapping) = given(&flags.query)?;
    let asked = [std::slice::from_ref(&flags.subject), &flags.as_group].concat();
    add_masters(&mut loaded, &mapping, &asked);
    let all = loaded.with_builtin_roles();
    let evaluator = Evaluator::new(&all);
    let selection = selection(&flags.query);
    let plan = plan(&flags.query, &selection)?;
    let parties = plan.as_ref().map(|plan| Parties::new(plan, &selection, &mapping));
    let looked = lookup(
        &flags.subject,
        flags.kind,
        &flags.as_group,
        &evaluator,
        &loaded,
        &mapping,
        parties.as_ref(),
    );
    print(&flags.query, &output::lookup_text(&looked, flags.query.format)?)?;
    Ok(found(looked.iter().any(|it| !it.held.is_empty())))
}

fn given(flags: &Query) -> anyhow::Result<(Loaded, Vec<Principal>)> {
    let loaded = given::load(&flags.given)?;
    if !flags.quiet {
        given::warn_of_left_out(&loaded);
    }
    Ok((loaded, given::mapping(&flags.mapping)?))
}

/// Adds the binding of `system:masters`, if IAM identities are mapped to that group or it
/// is asked about: manifests seldom bring it along, and its members may do everything.
fn add_masters(loaded: &mut Loaded, mapping: &[Principal], asked: &[String]) {
    let mapped = mapping.iter().flat_map(|principal| &principal.groups);
    if asked.iter().chain(mapped).any(|group| group == MASTERS) {
        let bindings = builtin_objects().iter().filter(|object| {
            let subjects = object.role_ref_and_subjects().map(|(_, subjects)| subjects);
            subjects.is_some_and(|subjects| subjects.iter().any(|it| it.name == MASTERS))
        });
        let missing: Vec<Object> =
            bindings.filter(|it| loaded.objects.find(&it.id()).is_none()).cloned().collect();
        loaded.objects.extend(missing);
    }
}

fn print(flags: &Query, text: &str) -> anyhow::Result<()> {
    match flags.format {
        QueryFormat::Table => output::print_styled(text),
        QueryFormat::Json => output::print(text),
    }
}

fn found(anything: bool) -> ExitStatus {
    if anything { ExitStatus::Clean } else { ExitStatus::Findings }
}

fn asked(flags: &WhoCan) -> Asked {
    match &flags.namespace {
        Some(namespace) => Asked::Namespace(namespace.clone()),
        None if flags.cluster_wide => Asked::ClusterWide,
        None => Asked::Anywhere,
    }
}

/// Everybody's use is wanted here, that of the control plane too.
fn selection(flags: &Query) -> Selection {
    let (since, until) = (flags.last_use.since, flags.last_use.until);
    Selection { include_system: true, since, until, ..Selection::default() }
}

/// What the log says, if there is one.
fn plan(flags: &Query, selection: &Selection) -> anyhow::Result<Option<Plan>> {
    if flags.last_use.logs.is_empty() {
        return Ok(None);
    }
    let (usage, tally) = log::Log {
        source: log::Source::Paths(&flags.last_use.logs),
        reading: &flags.last_use.reading,
        selection: selection.clone(),
        settings: Settings::default(),
        quiet: flags.quiet,
    }
    .read()?;
    if !flags.quiet {
        // Nobody may be listening; the answer is for someone else.
        let _ = output::print_problems(&tally);
    }
    let options = Options { keep_default_grants: true, ..Options::default() };
    Ok(Some(policy::plan(&usage, &options)))
}

/// Whom `--as` and `--as-group` mean.
fn requester(flags: &WhoCan, mapping: &[Principal]) -> Option<Requester> {
    let groups = flags.as_group.iter().cloned();
    let Some(name) = flags.as_user.as_deref() else {
        return (!flags.as_group.is_empty()).then(|| Requester::new("", groups));
    };
    let mut requester = match parse_service_account_username(name) {
        Some((namespace, name)) => Requester::service_account(namespace, name),
        None if name == "system:anonymous" => Requester::new(name, ["system:unauthenticated"]),
        None => user(name, mapping),
    };
    requester.groups.extend(groups);
    Some(requester)
}

/// A user by its name, or an IAM identity by its ARN.
fn user(name: &str, mapping: &[Principal]) -> Requester {
    let arn = IamArn::parse(name).map(|arn| arn.without_path());
    let mapped = || mapping.iter().filter(|it| arn.as_ref() == Some(&it.arn));
    let username = mapped().next().map_or(name, |it| it.username.as_str());
    let groups = mapped().flat_map(|it| it.groups.iter().cloned());
    Requester::new(username, groups.chain(["system:authenticated".to_owned()]))
}
