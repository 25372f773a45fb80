//! The summary: everything a run found, as data. The same values make the text on
//! stderr and the file of `--summary-json`, whose keys are stable and documented in
//! `docs/summary.md`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::manifest::{Manifest, access};
use super::read_summary::ReadSummary;
use crate::audit::Basis;
use crate::decode::Tally;
use crate::policy::{IdentityPlan, Outside, Plan, Proof};
use crate::rbac::{Atom, ResourceAtom, UrlAtom};
use crate::usage::{Evidence, Identity, Usage};

/// All that one run of `generate` found.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// The version of this layout.
    pub schema: u32,
    /// The version of the program.
    pub leastrole: &'static str,
    /// What was read, and what of.
    #[serde(flatten)]
    pub read: ReadSummary,
    /// Needs over all identities.
    pub needs: NeedSummary,
    /// Grants over all identities.
    pub grants: GrantSummary,
    /// What the authorizer refused.
    pub denied: DeniedSummary,
    /// What the audit policy never logs, in words; empty where the log shows that the
    /// cluster has another policy than the one of EKS.
    pub unlogged: Vec<String>,
    /// By identity, in order.
    pub identities: Vec<IdentitySummary>,
}

/// Needs over all identities.
#[derive(Debug, Serialize)]
pub struct NeedSummary {
    /// All.
    pub total: usize,
    /// Those that the printed objects allow: all, or the run failed.
    pub covered: usize,
}

/// Grants over all identities, in single permissions.
#[derive(Debug, Serialize)]
pub struct GrantSummary {
    /// All.
    pub total: usize,
    /// Those without a need, a listed widening or an assumption behind them: none, or
    /// the run failed.
    pub beyond_needs: usize,
    /// Those wider than any need, by a named policy.
    pub widened: usize,
    /// Those granted on the user's word.
    pub assumed: usize,
}

/// What the authorizer refused.
#[derive(Debug, Serialize)]
pub struct DeniedSummary {
    /// Requests.
    pub requests: u64,
    /// Those whose permission is granted all the same: with `--include-denied`, or because
    /// it was allowed at another time.
    pub granted: u64,
}

/// One identity.
#[derive(Debug, Serialize)]
pub struct IdentitySummary {
    /// `ServiceAccount`, `IAMRole`, `IAMUser` or `User`.
    pub kind: &'static str,
    /// `namespace:name`, ARN or username.
    pub name: String,
    /// The RBAC subject it is bound as.
    pub subject: SubjectSummary,
    /// The usernames it was seen with, 64 at most.
    pub usernames: Vec<String>,
    /// The groups it was seen with, 64 at most.
    pub groups: Vec<String>,
    /// Its programs, 8 at most.
    pub user_agents: Vec<String>,
    /// The file that holds its objects, with `-o DIR/`.
    pub manifest: Option<String>,
    /// Its objects, as `kind namespace/name`.
    pub objects: Vec<String>,
    /// What it needs.
    pub needs: Vec<EvidenceSummary>,
    /// How many permissions it is granted.
    pub grants: usize,
    /// Grants wider than any need.
    pub widenings: Vec<WideningSummary>,
    /// What the log could not show.
    pub blind_spots: Vec<BlindSpotSummary>,
    /// What it was refused.
    pub denied: Vec<EvidenceSummary>,
    /// What to decide on.
    pub advice: Vec<AdviceSummary>,
    /// Needs that every caller holds anyway.
    pub default_grants: usize,
    /// Needs left out by `--namespace` or `--succeeded-only`.
    pub left_out: usize,
    /// `system-masters` or `other-authorizer`, where that allowed its requests.
    pub outside_rbac: Vec<&'static str>,
    /// How to put an IAM role into its group.
    pub access: Option<AccessSummary>,
}

/// An RBAC subject.
#[derive(Debug, Serialize)]
pub struct SubjectSummary {
    /// `ServiceAccount`, `User` or `Group`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, for service accounts.
    pub namespace: Option<String>,
}

/// A permission.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Permission {
    Resource { verb: String, group: String, resource: String, namespace: String, name: String },
    Url { verb: String, path: String },
}

/// A permission and what stands behind it.
#[derive(Debug, Serialize)]
pub struct EvidenceSummary {
    /// The permission.
    #[serde(flatten)]
    pub permission: Permission,
    /// How many requests.
    pub requests: u64,
    /// The first event's time.
    pub first: Option<String>,
    /// The last event's time.
    pub last: Option<String>,
    /// How the log proves it.
    pub bases: Vec<&'static str>,
    /// `never-succeeded`, `bypass`, `granted-outside-rbac`, `delegated`.
    pub tags: Vec<&'static str>,
    /// Who allowed it, in the authorizer's words, 4 at most.
    pub allowed_by: Vec<String>,
    /// The earliest event.
    pub sample: Option<SampleSummary>,
}

/// One event to look up. All of it is written by the caller.
#[derive(Debug, Serialize)]
pub struct SampleSummary {
    /// The audit ID.
    pub audit_id: String,
    /// The request URI.
    pub uri: String,
    /// The user agent.
    pub user_agent: String,
    /// The HTTP status code.
    pub code: u16,
}

/// A grant wider than any need.
#[derive(Debug, Serialize)]
pub struct WideningSummary {
    /// What is granted.
    #[serde(flatten)]
    pub grant: Permission,
    /// The policies that made it wider.
    pub causes: Vec<String>,
    /// The needs that it stands for.
    pub needs: Vec<Permission>,
}

/// What the log could not show.
#[derive(Debug, Serialize)]
pub struct BlindSpotSummary {
    /// `events-write`, `events-read` or `probes`.
    pub class: &'static str,
    /// Why the identity probably needs it.
    pub why: &'static str,
    /// What it takes.
    pub permissions: Vec<Permission>,
    /// Whether it was granted.
    pub assumed: bool,
}

/// What to decide on.
#[derive(Debug, Serialize)]
pub struct AdviceSummary {
    /// Stable kebab-case code.
    pub code: &'static str,
    /// The request behind it.
    pub about: String,
    /// What the code means.
    pub meaning: &'static str,
    /// What would settle it; an empty name stands for one that the log does not tell.
    pub wanted: Vec<Permission>,
    /// How many requests.
    pub requests: u64,
}

/// How to put an IAM role into its group.
#[derive(Debug, Serialize)]
pub struct AccessSummary {
    /// The group.
    pub group: String,
    /// For a role with an access entry.
    pub update_access_entry: String,
    /// For a role without one.
    pub create_access_entry: String,
    /// The item of `mapRoles`, as YAML.
    pub aws_auth: String,
}

impl Summary {
    /// Puts a run's results together.
    pub fn new(
        tally: &Tally,
        usage: &Usage,
        plan: &Plan,
        proof: Proof,
        manifests: &[Manifest],
    ) -> Self {
        let manifests: BTreeMap<&Identity, &Manifest> =
            manifests.iter().map(|manifest| (&manifest.identity, manifest)).collect();
        Self {
            schema: 1,
            leastrole: env!("CARGO_PKG_VERSION"),
            read: ReadSummary::new(tally, usage, plan),
            needs: NeedSummary { total: proof.needs, covered: proof.covered },
            grants: GrantSummary {
                total: proof.grants,
                beyond_needs: proof.beyond,
                widened: proof.widened,
                assumed: proof.assumed,
            },
            denied: DeniedSummary::new(plan),
            unlogged: plan.hidden.clone(),
            identities: plan
                .identities
                .iter()
                .map(|identity| {
                    let manifest = manifests.get(&identity.identity).copied();
                    IdentitySummary::new(identity, manifest)
                })
                .collect(),
        }
    }
}

impl DeniedSummary {
    fn new(plan: &Plan) -> Self {
        let mut summary = Self { requests: 0, granted: 0 };
        for identity in &plan.identities {
            for (atom, evidence) in &identity.denied {
                let is_granted = identity.needs.contains_key(atom);
                summary.requests += evidence.requests();
                summary.granted += if is_granted { evidence.requests() } else { 0 };
            }
        }
        summary
    }
}

pub(super) fn text(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn strings<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    values.map(str::to_owned).collect()
}

impl IdentitySummary {
    fn new(plan: &IdentityPlan, manifest: Option<&Manifest>) -> Self {
        let objects = manifest.map_or(&[][..], |manifest| &manifest.objects);
        Self {
            kind: plan.identity.kind(),
            name: plan.identity.name(),
            subject: SubjectSummary {
                kind: plan.subject.kind.clone(),
                name: plan.subject.name.clone(),
                namespace: plan.subject.namespace.clone(),
            },
            usernames: strings(plan.facts.usernames.iter()),
            groups: strings(plan.facts.groups.iter()),
            user_agents: strings(plan.facts.user_agents.iter()),
            manifest: manifest.map(|manifest| manifest.file.clone()),
            objects: objects.iter().map(|object| object.id().to_string()).collect(),
            needs: plan.needs.iter().map(EvidenceSummary::new).collect(),
            grants: plan.grants.len(),
            widenings: plan
                .widenings()
                .map(|(atom, grant)| WideningSummary {
                    grant: Permission::of(atom),
                    causes: grant.causes.iter().map(ToString::to_string).collect(),
                    needs: grant.needs.iter().map(Permission::of).collect(),
                })
                .collect(),
            blind_spots: plan
                .blind_spots
                .iter()
                .map(|spot| BlindSpotSummary {
                    class: spot.class.label(),
                    why: spot.why,
                    permissions: spot.atoms.iter().map(Permission::of).collect(),
                    assumed: spot.assumed,
                })
                .collect(),
            denied: plan.denied.iter().map(EvidenceSummary::new).collect(),
            advice: plan
                .advice
                .iter()
                .map(|(advice, evidence)| AdviceSummary {
                    code: advice.code.label(),
                    about: advice.about.to_string(),
                    meaning: advice.code.meaning(),
                    wanted: advice.wanted.iter().map(Permission::of).collect(),
                    requests: evidence.requests(),
                })
                .collect(),
            default_grants: plan.defaults,
            left_out: plan.left_out,
            outside_rbac: plan.outside_rbac().map(Outside::label).collect(),
            access: access_summary(plan),
        }
    }
}

fn access_summary(plan: &IdentityPlan) -> Option<AccessSummary> {
    let (group, arn) = (plan.group.as_deref()?, plan.identity.name());
    let access = access(plan, &arn, group)?;
    Some(AccessSummary {
        group: group.to_owned(),
        update_access_entry: access.update_command(None),
        create_access_entry: access.create_command(None),
        aws_auth: access.aws_auth(),
    })
}

impl Permission {
    pub(super) fn of(atom: &Atom) -> Self {
        match atom {
            Atom::Resource(ResourceAtom { namespace, group, resource, name, verb }) => {
                Self::Resource {
                    verb: verb.to_string(),
                    group: group.to_string(),
                    resource: resource.to_string(),
                    namespace: namespace.to_string(),
                    name: name.to_string(),
                }
            }
            Atom::Url(UrlAtom { path, verb }) => {
                Self::Url { verb: verb.to_string(), path: path.to_string() }
            }
        }
    }
}

impl EvidenceSummary {
    pub(super) fn new((atom, evidence): (&Atom, &Evidence)) -> Self {
        Self {
            permission: Permission::of(atom),
            requests: evidence.requests(),
            first: text(evidence.first),
            last: text(evidence.last),
            bases: evidence.bases.iter().map(Basis::label).collect(),
            tags: evidence.tags().collect(),
            allowed_by: strings(evidence.deciders.iter()),
            sample: evidence.sample.as_ref().map(|sample| SampleSummary {
                audit_id: sample.audit_id.to_string(),
                uri: sample.uri.to_string(),
                user_agent: sample.user_agent.to_string(),
                code: sample.code,
            }),
        }
    }
}

impl From<&Permission> for Atom {
    fn from(permission: &Permission) -> Self {
        match permission {
            Permission::Resource { verb, group, resource, namespace, name } => ResourceAtom {
                namespace: namespace.as_str().into(),
                group: group.as_str().into(),
                resource: resource.as_str().into(),
                name: name.as_str().into(),
                verb: verb.as_str().into(),
            }
            .into(),
            Permission::Url { verb, path } => {
                UrlAtom { path: path.as_str().into(), verb: verb.as_str().into() }.into()
            }
        }
    }
}
