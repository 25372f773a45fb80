//! Needs that the audit policy could not have logged, or that come only in time: why an
//! identity probably has them, and what granting them would mean.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use wildmatch::WildMatch;

use super::Options;
use super::subjects::known_names;
use crate::eks::{AuditPolicy, Concerning, Level, is_control_plane};
use crate::rbac::{Atom, ResourceAtom, UrlAtom};
use crate::usage::{Evidence, Facts, Identity, Usage};

/// A class of requests that a log does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Writing core Events.
    EventsWrite,
    /// Patching Events where they are created, which programs do once one repeats
    /// (`recordEvent` in client-go `tools/record/event.go`, and in `tools/events`).
    EventsRepeat,
    /// Reading core Events.
    EventsRead,
    /// `/version` and `/healthz`, where the default bindings do not give them.
    Probes,
}

impl Class {
    /// Every class, in order.
    pub const ALL: [Self; 4] =
        [Self::EventsWrite, Self::EventsRepeat, Self::EventsRead, Self::Probes];

    /// The stable kebab-case name.
    pub fn label(self) -> &'static str {
        match self {
            Self::EventsWrite => "events-write",
            Self::EventsRepeat => "events-repeat",
            Self::EventsRead => "events-read",
            Self::Probes => "probes",
        }
    }
}

/// `--assume CLASS[=IDENTITY]`: a blind spot to grant.
#[derive(Clone, Debug)]
pub struct Assumption {
    /// The class.
    pub class: Class,
    /// Whose; without it, of everyone who probably has it.
    pub identity: Option<WildMatch>,
}

impl FromStr for Assumption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (class, identity) = match text.split_once('=') {
            Some((class, identity)) => (class, Some(WildMatch::new(identity))),
            None => (text, None),
        };
        let known = Class::ALL.into_iter().find(|known| known.label() == class);
        let class = known.ok_or_else(|| {
            let labels = Class::ALL.map(Class::label).join(", ");
            format!("`{class}` is no class of blind spots; there are: {labels}")
        })?;
        Ok(Self { class, identity })
    }
}

impl Assumption {
    /// Whether it is about somebody by name.
    pub(super) fn names(&self, identity: &Identity, facts: &Facts) -> bool {
        let own_names = known_names(identity, facts);
        let glob = self.identity.as_ref();
        glob.is_some_and(|glob| own_names.iter().any(|name| glob.matches(name)))
    }
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class.label())?;
        self.identity.iter().try_for_each(|identity| write!(f, "={identity}"))
    }
}

/// What one identity probably needs and the log cannot show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlindSpot {
    /// The class.
    pub class: Class,
    /// Why it is probable, in words; empty where only the user says so.
    pub why: &'static str,
    /// What it takes.
    pub atoms: BTreeSet<Atom>,
    /// The user had it granted.
    pub assumed: bool,
}

/// One identity, as far as blind spots depend on it.
#[derive(Clone, Copy)]
pub(super) struct Suspect<'a> {
    pub(super) identity: &'a Identity,
    pub(super) facts: &'a Facts,
    pub(super) needs: &'a std::collections::BTreeMap<Atom, Evidence>,
}

/// The blind spots of one identity, suspected or assumed.
pub(super) fn blind_spots(
    suspect: Suspect<'_>,
    usage: &Usage,
    options: &Options,
) -> Vec<BlindSpot> {
    let spot = |class: Class| {
        let why = suspect.why(class);
        let (named, assumed) = suspect.assumed(class, options);
        let atoms: BTreeSet<Atom> = suspect
            .atoms(class)
            .into_iter()
            .filter(|atom| !suspect.needs.contains_key(atom))
            .collect();
        let is_unlogged = |atom| suspect.is_unlogged(atom, usage, options);
        let is_unseen = class == Class::EventsRepeat || atoms.iter().any(is_unlogged);
        let concerns = named || (why.is_some() && is_unseen);
        (concerns && !atoms.is_empty()).then(|| BlindSpot {
            class,
            why: why.unwrap_or_default(),
            atoms,
            assumed,
        })
    };
    Class::ALL.into_iter().filter_map(spot).collect()
}

/// Whether no request for this atom could be in the log: the audit policy leaves them out,
/// by the rules about who would make it and where, and nothing in the log says that the
/// cluster has another.
pub fn is_unlogged(rules: &Concerning, atom: &Atom, usage: &Usage, policy: &AuditPolicy) -> bool {
    let was_seen = match atom {
        Atom::Resource(atom) => {
            usage.saw_core_events && atom.group.is_empty() && &*atom.resource == "events"
        }
        Atom::Url(_) => usage.saw_probes,
    };
    // Impersonation is audited as the request it stands before.
    let level = match atom.verb().rsplit_once(':') {
        Some((_, verb)) => policy.level_of(rules, &atom.with_verb(verb)),
        None => policy.level_of(rules, atom),
    };
    !was_seen && level == Level::None
}

impl Suspect<'_> {
    /// Whether the user named this identity for the class, and whether its blind spot is
    /// granted.
    fn assumed(&self, class: Class, options: &Options) -> (bool, bool) {
        let mut assumptions = options.assume.iter().filter(|it| it.class == class);
        let is_named = assumptions.clone().any(|it| it.names(self.identity, self.facts));
        (is_named, is_named || assumptions.any(|assumption| assumption.identity.is_none()))
    }

    fn is_unlogged(&self, atom: &Atom, usage: &Usage, options: &Options) -> bool {
        let username = self.facts.usernames.iter().next().unwrap_or_default();
        let groups: Vec<&str> = self.facts.groups.iter().collect();
        let policy = options.audit_policy();
        let rules = policy.concerning(username, &groups, atom.namespace());
        is_unlogged(&rules, atom, usage, policy)
    }

    fn uses_kubectl(&self) -> bool {
        self.facts.user_agents.iter().any(|agent| agent.starts_with("kubectl"))
    }

    fn is_controllers_own(&self) -> bool {
        self.facts.usernames.iter().any(is_control_plane)
    }

    fn resources(&self) -> impl Iterator<Item = &ResourceAtom> {
        self.needs.keys().filter_map(|atom| match atom {
            Atom::Resource(atom) => Some(atom),
            Atom::Url(_) => None,
        })
    }

    fn why(&self, class: Class) -> Option<&'static str> {
        let is_workload = matches!(self.identity, Identity::ServiceAccount { .. });
        let watches = self.resources().any(|atom| &*atom.verb == "watch");
        let writes = self.resources().any(writes_object);
        let inspects = self.resources().any(inspects);
        match class {
            Class::EventsWrite if is_workload && watches && writes => {
                Some("it watches and writes objects: a controller reports what it does as Events")
            }
            // kube-controller-manager watches for all of its controllers under its own name.
            Class::EventsWrite if is_workload && writes && self.is_controllers_own() => Some(
                "it is a controller of the control plane, and those report what they do as Events",
            ),
            Class::EventsRepeat => Some("it creates Events, and one that repeats is patched"),
            Class::EventsRead if self.uses_kubectl() && inspects => Some(
                "it looks at single objects with kubectl: `kubectl describe` reads their Events",
            ),
            Class::Probes if self.uses_kubectl() && !self.atoms(class).is_empty() => {
                Some("it impersonates with kubectl, which also reads /version as the other")
            }
            _ => None,
        }
    }

    /// Whether it was seen to patch Events like the one that it created.
    fn repeats_events_of(&self, created: &ResourceAtom) -> bool {
        let mut patched = self.resources().filter(|atom| is_event(atom, "patch"));
        patched.any(|it| (&it.group, &it.namespace) == (&created.group, &created.namespace))
    }

    fn atoms(&self, class: Class) -> BTreeSet<Atom> {
        match class {
            Class::EventsWrite => {
                let places = self.resources().filter(|atom| writes_object(atom)).map(event_home);
                places
                    .flat_map(|place| ["create", "patch"].map(|verb| event(place, verb)))
                    .collect()
            }
            Class::EventsRepeat => {
                let created = self.resources().filter(|atom| is_event(atom, "create"));
                let created = created.filter(|atom| !self.repeats_events_of(atom));
                created.map(|atom| Atom::from(atom.clone()).with_verb("patch")).collect()
            }
            Class::EventsRead => {
                let read = self.resources().filter(|atom| &*atom.verb == "get" && !is_part(atom));
                read.map(|atom| event(&atom.namespace, "list")).collect()
            }
            Class::Probes => {
                let modes = self.needs.keys().filter_map(|atom| {
                    atom.verb().strip_prefix("impersonate-on:")?.split(':').next()
                });
                modes.map(|mode| probe(&format!("impersonate-on:{mode}:get"))).collect()
            }
        }
    }
}

/// In either of the groups that serve Events.
fn is_event(atom: &ResourceAtom, verb: &str) -> bool {
    &*atom.resource == "events"
        && matches!(&*atom.group, "" | "events.k8s.io")
        && &*atom.verb == verb
}

fn is_part(atom: &ResourceAtom) -> bool {
    atom.resource.contains('/')
}

fn writes_object(atom: &ResourceAtom) -> bool {
    let is_events = &*atom.resource == "events";
    matches!(&*atom.verb, "create" | "update" | "patch" | "delete") && !is_events
}

/// What `kubectl describe` of a pod, a node or a workload leaves in the log.
fn inspects(atom: &ResourceAtom) -> bool {
    matches!((&*atom.verb, &*atom.resource), ("get", "pods" | "nodes") | ("list", "replicasets"))
}

/// Events live beside the object; those of cluster-scoped objects in `default`.
fn event_home(atom: &ResourceAtom) -> &str {
    if atom.namespace.is_empty() { "default" } else { &atom.namespace }
}

fn event(namespace: &str, verb: &str) -> Atom {
    ResourceAtom {
        namespace: namespace.into(),
        resource: "events".into(),
        verb: verb.into(),
        ..ResourceAtom::default()
    }
    .into()
}

fn probe(verb: &str) -> Atom {
    UrlAtom { path: "/version".into(), verb: verb.into() }.into()
}
