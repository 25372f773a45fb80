//! The closed loop for kube-controller-manager: each of its controllers under its own
//! service account, first with the default bindings, then with what `generate
//! --include-system` derives and without any of them.

mod scenario;

use std::collections::BTreeSet;

use anyhow::Result;
use leastrole::audit::{Event, request};
use leastrole::rbac::Atom;

use super::advice::Advice;
use super::generated::{Generated, items};
use super::outcome::{NEWLY_ALLOWED, NEWLY_REFUSED};
use super::rights::wait_for_authorizer;
use super::{Options, Outcome, under_each_policy};
use crate::harness::{Assets, AuditPolicy, Client, Cluster, Settings};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// All default ones but those that need a cloud, a kubelet, or more patience than we have.
const CONTROLLERS: &str = "*,-cronjob-controller";

/// Roles inside a namespace go with it, so whoever empties it cannot live by them.
const KEPT: &str = "system:controller:namespace-controller";

/// Who was refused what; names are left out, as many are generated.
type Refusals = BTreeSet<(String, String)>;

/// What one run left.
pub(super) struct Rehearsal {
    pub(super) log: Vec<String>,
    /// What the controllers did not do in time.
    pub(super) missed: Vec<&'static str>,
}

impl Rehearsal {
    pub(super) fn dump(&self, options: &Options, name: &str) -> Result<()> {
        if let Some(folder) = &options.dump {
            std::fs::write(folder.join(format!("{name}.ndjson")), self.log.join("\n"))?;
        }
        Ok(())
    }
}

/// Runs the check.
pub fn run(assets: &Assets, options: &Options) -> Result<Outcome> {
    under_each_policy(|audit, outcome| close(assets, options, audit, outcome))
}

fn close(
    assets: &Assets,
    options: &Options,
    audit: AuditPolicy,
    outcome: &mut Outcome,
) -> Result<()> {
    let settings = Settings { audit, ..Settings::default() };
    let first = rehearse(assets, &settings, None)?;
    first.dump(options, &format!("controllers-{audit:?}"))?;
    let flags = ["--include-system"];
    let generated = Generated::with_assumptions(&first.log, &flags, audit, outcome)?;
    // All of the second is logged, so that every refusal is seen.
    let second = rehearse(assets, &Settings::default(), Some(&generated))?;
    second.dump(options, &format!("controllers-{audit:?}-again"))?;
    compare(&first, &second, Advice::of(&generated), outcome);
    Ok(())
}

fn rehearse(
    assets: &Assets,
    settings: &Settings,
    generated: Option<&Generated>,
) -> Result<Rehearsal> {
    let mut cluster = Cluster::start(assets, settings)?;
    let admin = cluster.admin();
    scenario::create_namespaces(&admin)?;
    if let Some(generated) = generated {
        remove_default_bindings(&admin)?;
        generated.apply(&admin)?;
        wait_for_authorizer(&admin)?;
    }
    let mut log = cluster.audit_log();
    log.skip_to_end()?;
    cluster.start_controllers(CONTROLLERS)?;
    let missed = scenario::play(&admin)?;
    cluster.check_running()?;
    Ok(Rehearsal { log: log.lines()?.to_vec(), missed })
}

/// Those that give kube-controller-manager or one of its controllers anything.
fn remove_default_bindings(admin: &Client) -> Result<()> {
    for place in [
        format!("{RBAC}/clusterrolebindings"),
        format!("{RBAC}/namespaces/kube-system/rolebindings"),
        format!("{RBAC}/namespaces/kube-public/rolebindings"),
    ] {
        let list = admin.get(&place)?.ok()?;
        for binding in items(&list["items"]) {
            let ours = items(&binding["subjects"]).any(|subject| {
                subject["namespace"] == "kube-system"
                    || subject["name"] == "system:kube-controller-manager"
            }) && binding["roleRef"]["name"] != KEPT;
            if let Some(name) = binding["metadata"]["name"].as_str().filter(|_| ours) {
                admin.delete(&format!("{place}/{name}"))?.ok()?;
            }
        }
    }
    Ok(())
}

/// Whoever was refused something in the second run must have been in the first.
pub(super) fn compare(
    first: &Rehearsal,
    second: &Rehearsal,
    mut advice: Advice,
    outcome: &mut Outcome,
) {
    outcome.add(NEWLY_REFUSED, 0);
    outcome.add(NEWLY_ALLOWED, 0);
    for missed in &first.missed {
        outcome.disagree(format!("not done in the first run: {missed}"));
    }
    let before = refusals(&first.log).map(|(refusal, _)| refusal).collect::<Refusals>();
    let mut after = Refusals::new();
    let mut taken = BTreeSet::new();
    for (refusal, line) in refusals(&second.log) {
        let (user, what) = &refusal;
        if before.contains(&refusal) || after.contains(&refusal) {
        } else if let Some(code) = advice.take(line) {
            outcome.add(&format!("newly refused as advised ({code})"), 1);
            taken.insert(code);
        } else {
            outcome.disagree_in(NEWLY_REFUSED, &format!("{user}: {what}"));
        }
        after.insert(refusal);
    }
    for missed in &second.missed {
        // They write what the advice is about, and no more than that.
        let code = match *missed {
            scenario::AGGREGATED => "hold-or-escalate",
            scenario::SIGNED => "sign-signer",
            _ => "",
        };
        if taken.contains(code) {
            outcome.add("no longer done, as advised", 1);
        } else {
            outcome.disagree(format!("no longer done: {missed}"));
        }
    }
    outcome.count("events of the first run", first.log.len());
    outcome.count("events of the second run", second.log.len());
    outcome.count("refused in both runs", before.intersection(&after).count());
    for (user, what) in before.difference(&after) {
        outcome.disagree_in(NEWLY_ALLOWED, &format!("{user}: {what}"));
    }
}

fn refusals(log: &[String]) -> impl Iterator<Item = ((String, String), &String)> {
    log.iter().filter(|line| line.contains(r#""code":403"#)).filter_map(|line| {
        let event = Event::parse(line).ok()?;
        let mut atom = request(&event).ok()?;
        if let Atom::Resource(atom) = &mut atom {
            atom.name = "".into();
        }
        Some(((event.user.username.to_string(), atom.to_string()), line))
    })
}
