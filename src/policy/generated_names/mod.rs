//! Whether the name of an object looks made by a machine: such names are new on every
//! run, so a grant by name would not survive one. In: a resource and a name. Out: the
//! pattern that the name follows, or nothing. Judges by form alone; names that a
//! person may well have chosen stay as they are.

mod forms;

use std::fmt;

use forms::{
    SUFFIX_LENGTH, all, cut, holds_uuid, is_address, is_address_name, is_aks_node, is_content_hash,
    is_digest, is_digit, is_hex, is_instance_id, is_jumbled, is_suffix, is_template_hash, is_time,
    is_varied, is_written,
};

/// What a generated name looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pattern {
    /// `sh.helm.release.v1.web.v3`
    HelmRelease,
    /// `web.17f3a9bc2d8e1234`, the time of an Event in nanoseconds
    EventTime,
    /// `csr-x2x9k`, `node-csr-...`
    SigningRequest,
    /// `pvc-4d4d4d4d-0b7c-4a4a-8f8f-000000000001`
    Uuid,
    /// `ip-10-0-1-17.eu-west-1.compute.internal`, also behind the name of a static pod
    NodeName,
    /// `web-6d4cf56db6-x2x9k`
    ReplicaSetPod,
    /// `web-6d4cf56db6` of a `ControllerRevision`
    ControllerRevision,
    /// `web-6d4cf56db6`
    PodTemplateHash,
    /// `backup-29919435`, also with a pod's suffix
    Timestamp,
    /// `web-config-7g2bk5m4t9`, the suffix of kustomize generators
    ContentHash,
    /// `build-3f2a1b4c`
    HexDigest,
    /// `run-m5r4q`
    GenerateName,
}

/// The pattern that the name of an object of this resource follows, if it looks generated.
///
/// `resource` may carry a subresource; where names of a kind are generated as a rule
/// (pods, jobs), less evidence is asked for than elsewhere.
pub fn generated(resource: &str, name: &str) -> Option<Pattern> {
    let name = Name::new(resource, name);
    RULES.iter().find(|(_, matches)| matches(&name)).map(|(pattern, _)| *pattern)
}

impl Pattern {
    /// A stable kebab-case label.
    pub fn label(self) -> &'static str {
        match self {
            Self::HelmRelease => "helm-release",
            Self::EventTime => "event-time",
            Self::SigningRequest => "signing-request",
            Self::Uuid => "uuid",
            Self::NodeName => "node-name",
            Self::ReplicaSetPod => "replicaset-pod",
            Self::ControllerRevision => "controller-revision",
            Self::PodTemplateHash => "pod-template-hash",
            Self::Timestamp => "timestamp",
            Self::ContentHash => "content-hash",
            Self::HexDigest => "hex-digest",
            Self::GenerateName => "generate-name",
        }
    }
}

/// Reads on after "the name".
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HelmRelease => "is that of one revision of a Helm release",
            Self::EventTime => "ends in the time of an Event",
            Self::SigningRequest => "is that of one certificate signing request",
            Self::Uuid => "holds a UUID",
            Self::NodeName => "is or holds the name of a node",
            Self::ReplicaSetPod => "is that of a pod of a ReplicaSet",
            Self::ControllerRevision => "ends in the hash of a revision",
            Self::PodTemplateHash => "ends in the hash of a pod template",
            Self::Timestamp => "ends in a point in time, as those of CronJobs do",
            Self::ContentHash => "ends in a hash of the content, as kustomize writes it",
            Self::HexDigest => "ends in a hexadecimal digest",
            Self::GenerateName => "ends in a random suffix, as generateName gives it",
        })
    }
}

/// The first rule that matches names the pattern, so the narrow ones come first.
const RULES: &[Rule] = &[
    (Pattern::HelmRelease, is_helm_release),
    (Pattern::EventTime, ends_in_event_time),
    (Pattern::SigningRequest, is_signing_request),
    (Pattern::Uuid, |name| holds_uuid(name.text)),
    (Pattern::NodeName, holds_node_name),
    (Pattern::ReplicaSetPod, is_replicaset_pod),
    (Pattern::ControllerRevision, |name| {
        name.resource == "controllerrevisions" && is_template_hash(name.last)
    }),
    (Pattern::PodTemplateHash, ends_in_template_hash),
    (Pattern::Timestamp, ends_in_time),
    (Pattern::ContentHash, |name| is_content_hash(name.last)),
    (Pattern::HexDigest, |name| is_digest(name.last)),
    (Pattern::GenerateName, ends_in_random_suffix),
];

type Rule = (Pattern, fn(&Name<'_>) -> bool);

/// A name, cut at its last `-` or `.`.
struct Name<'a> {
    /// Without its subresource.
    resource: &'a str,
    text: &'a str,
    /// Empty where the name is one word.
    stem: &'a str,
    last: &'a str,
}

impl<'a> Name<'a> {
    fn new(resource: &'a str, text: &'a str) -> Self {
        let resource = resource.split('/').next().unwrap_or_default();
        let (stem, last) = cut(text);
        Self { resource, text, stem, last }
    }

    /// Whether objects of the resource get their names from controllers as a rule.
    fn is_usually_generated(&self) -> bool {
        USUALLY_GENERATED.binary_search(&self.resource).is_ok()
    }
}

fn is_helm_release(name: &Name<'_>) -> bool {
    name.text.starts_with("sh.helm.release.v1.")
        && name.last.strip_prefix('v').is_some_and(|revision| all(revision, is_digit))
}

/// client-go's event recorder: the object's name, a dot, the time in hexadecimal.
fn ends_in_event_time(name: &Name<'_>) -> bool {
    let time = name.text.rsplit_once('.').map_or("", |(_, time)| time);
    name.resource == "events" && (12..=16).contains(&time.len()) && all(time, is_hex)
}

fn is_signing_request(name: &Name<'_>) -> bool {
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    name.resource == "certificatesigningrequests"
        && (name.text.strip_prefix("csr-").is_some_and(is_suffix)
            || (name.text.strip_prefix("node-csr-"))
                .is_some_and(|digest| digest.len() >= 20 && all(digest, is_base64)))
}

/// The naming schemes of EC2 (by address and by instance), Fargate, hybrid nodes, GKE
/// and AKS, and bare addresses where the object belongs to a node.
fn holds_node_name(name: &Name<'_>) -> bool {
    let of_node = matches!(name.resource, "nodes" | "csinodes" | "ciliumnodes" | "leases");
    let before_domain = name.text.split('.').next().unwrap_or_default();
    is_address_name(before_domain)
        || is_instance_id(before_domain)
        || is_gke_node(name)
        || is_aks_node(name.last)
        || (of_node && is_address(name.text, '.'))
}

fn is_gke_node(name: &Name<'_>) -> bool {
    let (_, pool) = cut(name.stem);
    name.text.starts_with("gke-")
        && (pool.len() == 8 && all(pool, is_hex))
        && (name.last.len() == 4 && all(name.last, |b| b.is_ascii_alphanumeric()))
}

fn is_replicaset_pod(name: &Name<'_>) -> bool {
    let (deployment, hash) = cut(name.stem);
    !deployment.is_empty() && is_suffix(name.last) && is_template_hash(hash) && is_varied(hash)
}

fn ends_in_template_hash(name: &Name<'_>) -> bool {
    let expected = matches!(name.resource, "replicasets" | "pods");
    !name.stem.is_empty()
        && is_template_hash(name.last)
        && (expected || (name.last.len() >= 8 && is_varied(name.last)))
}

fn ends_in_time(name: &Name<'_>) -> bool {
    let time = if is_suffix(name.last) { cut(name.stem).1 } else { name.last };
    all(time, is_digit) && is_time(time, name.is_usually_generated())
}

fn ends_in_random_suffix(name: &Name<'_>) -> bool {
    /// The longest name that generateName makes; longer stems are cut, dash included.
    const LONGEST: usize = 63;
    if name.text.len() == LONGEST && name.text.is_ascii() && name.is_usually_generated() {
        return is_suffix(&name.text[LONGEST - SUFFIX_LENGTH..]);
    }
    let of_token = matches!(cut(name.stem).1, "token" | "dockercfg") && name.resource == "secrets";
    let expected = of_token || name.is_usually_generated();
    !name.stem.is_empty()
        && is_suffix(name.last)
        && if expected { !is_written(name.last) } else { is_jumbled(name.last) }
}

/// Resources whose objects are named by controllers as a rule, sorted.
const USUALLY_GENERATED: &[&str] = &[
    "analysisruns",
    "certificaterequests",
    "certificatesigningrequests",
    "ciliumendpoints",
    "controllerrevisions",
    "csistoragecapacities",
    "endpointslices",
    "installplans",
    "jobs",
    "machines",
    "nodeclaims",
    "pipelineruns",
    "pods",
    "replicasets",
    "resourceclaims",
    "resourceslices",
    "taskruns",
    "workflows",
];

#[cfg(test)]
mod tests;
