//! Who used what through which binding: every need beside every rule that allows it.
//!
//! A rule counts as used by whomever it allows something that was done, also where another
//! rule allows it too: the authorizer stops at the first, and which that is says nothing
//! about the others.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use foldhash::HashMap;
use k8s_openapi::api::rbac::v1::{PolicyRule, Subject};

use super::parties::{Doubt, Need, Parties, Party};
use crate::eks::{AuditPolicy, Concerning};
use crate::policy::{exact, is_namespace_itself, is_unlogged};
use crate::rbac::{
    Atom, Binding, Evaluator, Grant, Lists, ObjectId, Objects, Requester, ResourceAtom,
    builtin_objects, lists, rule_covers,
};
use crate::usage::Usage;

/// One subject of one binding.
#[derive(Debug)]
pub struct Holding<'a> {
    /// The binding.
    pub binding: Binding<'a>,
    /// The subject.
    pub subject: &'a Subject,
    /// The identities of the log that it is, by their index.
    pub members: Vec<usize>,
    /// Why the log cannot judge it, if it cannot.
    pub doubt: Option<Doubt>,
    /// What was used through it, rule by rule.
    pub uses: Vec<Use>,
    /// Which of the uses are of which rule, by its holder and its place there: there may be
    /// as many as rules. Rules that say the same have theirs in common.
    pub(super) by_rule: HashMap<(&'a ObjectId, usize), Range<usize>>,
    /// What of the audit policy is about it: once for all who are alike to the policy.
    pub(super) audited: BTreeSet<Concerning>,
    /// Kubernetes itself makes the binding with this subject.
    pub is_default: bool,
}

/// One need that one rule allows to one member.
#[derive(Clone, Debug)]
pub struct Use {
    /// The identity, by its index.
    pub party: usize,
    /// The need, by its index in the party.
    pub need: usize,
    /// What to grant for it: no more than the rule does, and as wide as the policies ask.
    pub granted: Atom,
}

/// Where the holdings and the grants of one binding stand.
#[derive(Clone, Debug, Default)]
struct Span {
    holdings: Range<usize>,
    grants: Range<usize>,
}

/// A set of objects beside the usage of a log.
#[derive(Debug)]
pub struct Review<'a> {
    /// The identities of the log.
    pub parties: Parties<'a>,
    /// Every subject of every binding, in the order of the bindings.
    pub holdings: Vec<Holding<'a>>,
    evaluator: &'a Evaluator<'a>,
    grants: Vec<Grant<'a>>,
    by_binding: BTreeMap<&'a ObjectId, Span>,
    usage: &'a Usage,
    audit_policy: &'a AuditPolicy,
}

impl<'a> Review<'a> {
    /// Holds the objects of `evaluator` against `parties`.
    pub fn new(
        objects: &'a Objects,
        evaluator: &'a Evaluator<'a>,
        parties: Parties<'a>,
        usage: &'a Usage,
        audit_policy: &'a AuditPolicy,
    ) -> Self {
        let mut review = Self {
            parties,
            holdings: Vec::new(),
            evaluator,
            grants: evaluator.grants().collect(),
            by_binding: BTreeMap::new(),
            usage,
            audit_policy,
        };
        for binding in objects.bindings() {
            review.add(binding);
        }
        review.attribute();
        review
    }

    /// The objects prepared for questions.
    pub fn evaluator(&self) -> &'a Evaluator<'a> {
        self.evaluator
    }

    /// The holdings of one binding.
    pub fn holdings_of(&self, binding: &ObjectId) -> &[Holding<'a>] {
        &self.holdings[self.range_of(binding)]
    }

    /// Where the holdings of one binding stand.
    pub fn range_of(&self, binding: &ObjectId) -> Range<usize> {
        self.by_binding.get(binding).map(|span| span.holdings.clone()).unwrap_or_default()
    }

    /// Everything granted, in the order of the bindings.
    pub fn grants(&self) -> &[Grant<'a>] {
        &self.grants
    }

    /// What one binding grants.
    pub fn grants_of(&self, binding: &ObjectId) -> &[Grant<'a>] {
        let span = self.by_binding.get(binding).map(|span| span.grants.clone());
        &self.grants[span.unwrap_or_default()]
    }

    /// A member and its need behind a use.
    pub fn need(&self, used: &Use) -> (&Party<'a>, &Need<'a>) {
        let party = &self.parties.all()[used.party];
        (party, &party.needs[used.need])
    }

    /// Whether the objects allow the need to the party, whatever username it comes with,
    /// or every caller may do it.
    pub fn covers(&self, party: &Party<'_>, need: &Need<'_>) -> bool {
        need.by_default || is_allowed(self.evaluator, party, need.atom)
    }

    /// Whether some binding is meant for the party: names it, or a group that Kubernetes does
    /// not fill by itself.
    pub fn is_bound(&self, party: usize) -> bool {
        let is_own = |holding: &&Holding<'_>| {
            let name = &holding.subject.name;
            holding.subject.kind != "Group"
                || !name.starts_with("system:")
                || name.starts_with("system:serviceaccounts:")
        };
        self.holdings.iter().filter(is_own).any(|holding| holding.members.contains(&party))
    }

    /// Whether a use of `cell` by the subject of `holding` could not be in the log.
    pub fn is_unlogged(&self, holding: &Holding<'_>, cell: &Atom) -> bool {
        holding.audited.iter().any(|rules| self.leaves_out(rules, cell))
    }

    /// Whether the audit policy leaves `cell` out of the log by these of its rules.
    pub(super) fn leaves_out(&self, rules: &Concerning, cell: &Atom) -> bool {
        is_unlogged(rules, cell, self.usage, self.audit_policy)
    }

    /// The rules of the audit policy that are about the members of a subject, or somebody
    /// like it, where the binding is.
    fn audited(
        &self,
        binding: &Binding<'_>,
        subject: &Subject,
        members: &[usize],
    ) -> BTreeSet<Concerning> {
        let namespace = &binding.id.namespace;
        let rules = |requester: &Requester| {
            let Requester { username, groups } = requester;
            self.audit_policy.concerning(username, groups, namespace)
        };
        if members.is_empty() {
            return BTreeSet::from([rules(&stand_in(binding, subject))]);
        }
        let members = members.iter().map(|&member| &self.parties.all()[member]);
        members.flat_map(|party| &party.requesters).map(rules).collect()
    }

    fn add(&mut self, binding: Binding<'a>) {
        let first = self.holdings.len();
        for subject in binding.subjects {
            let members = self.parties.members(&binding, subject);
            let doubt = self.parties.doubt(&binding, subject, &members);
            let is_default = is_default(&binding, subject);
            let audited = self.audited(&binding, subject, &members);
            self.holdings.push(Holding {
                binding,
                subject,
                members,
                doubt,
                uses: Vec::new(),
                by_rule: HashMap::default(),
                audited,
                is_default,
            });
        }
        let holdings = first..self.holdings.len();
        self.by_binding.insert(binding.id, Span { holdings, grants: 0..0 });
    }

    fn attribute(&mut self) {
        let mut first = 0;
        for grants in self.grants.chunk_by(|one, next| one.binding.id == next.binding.id) {
            let end = first + grants.len();
            if let Some(span) = self.by_binding.get_mut(grants[0].binding.id) {
                span.grants = first..end;
            }
            first = end;
        }
        for span in self.by_binding.values() {
            let grants = &self.grants[span.grants.clone()];
            for holding in &mut self.holdings[span.holdings.clone()] {
                holding.attribute(grants, self.parties.all());
            }
        }
    }
}

impl<'a> Holding<'a> {
    /// Notes what its members used of the grants of its binding.
    fn attribute(&mut self, grants: &[Grant<'a>], parties: &[Party<'_>]) {
        if self.members.is_empty() {
            return;
        }
        let mut known: HashMap<Lists<'_>, Range<usize>> = HashMap::default();
        for grant in grants {
            let range = known.entry(lists(grant.rule)).or_insert_with(|| {
                let first = self.uses.len();
                for &party in &self.members {
                    let Party { needs, index, .. } = &parties[party];
                    for need in index.about(grant.rule) {
                        let granted = granted(grant, &needs[need]).into_iter();
                        self.uses.extend(granted.map(|granted| Use { party, need, granted }));
                    }
                }
                first..self.uses.len()
            });
            if range.start < range.end {
                self.by_rule.insert((grant.holder, grant.rule_index), range.clone());
            }
        }
    }
}

/// Whether `evaluator` allows `need` to the party under each of its usernames.
pub fn is_allowed(evaluator: &Evaluator<'_>, party: &Party<'_>, need: &Atom) -> bool {
    party.requesters.iter().all(|requester| evaluator.authorize(requester, need).is_allowed())
}

/// What of the grant stands for the need: what the policies would grant for it where the
/// grant has all of that, else the need as it is where it has that; else nothing. What
/// every caller holds anyway uses a rule that names it, but no wildcard.
fn granted(grant: &Grant<'_>, need: &Need<'_>) -> Vec<Atom> {
    if need.by_default && !spells_out(grant.rule, need.atom) {
        return Vec::new();
    }
    let scope = grant.namespace();
    let mut found = Vec::new();
    for &target in &need.targets {
        let in_scope = scope.is_empty() || scope == target.namespace();
        let says_too_much = scope.is_empty() && is_place(need.atom, target);
        let atom = if in_scope && !says_too_much && rule_covers(grant.rule, target) {
            target.clone()
        } else if grant.allows(need.atom) {
            in_place(grant, need.atom)
        } else {
            continue;
        };
        if !found.contains(&atom) {
            found.push(atom);
        }
    }
    found
}

/// The need as the grant says it: a namespace by its place, where the rule stands in it and
/// names none.
fn in_place(grant: &Grant<'_>, need: &Atom) -> Atom {
    let by_place = exact(need);
    let says_so = !grant.namespace().is_empty() && rule_covers(grant.rule, &by_place);
    if says_so { by_place.into_owned() } else { need.clone() }
}

/// Whether the rule says what is needed in so many words, and not by a wildcard.
fn spells_out(rule: &PolicyRule, need: &Atom) -> bool {
    let has = |list: Option<&Vec<String>>, word: &str| {
        list.is_some_and(|list| list.iter().any(|item| item == word))
    };
    has(Some(&rule.verbs), need.verb())
        && match need {
            Atom::Url(url) => has(rule.non_resource_urls.as_ref(), &url.path),
            Atom::Resource(atom) => {
                has(rule.api_groups.as_ref(), &atom.group)
                    && has(rule.resources.as_ref(), &atom.resource)
            }
        }
}

/// Whether `target` names a namespace by its place alone: in the whole cluster the same
/// rule would mean every namespace.
fn is_place(need: &Atom, target: &Atom) -> bool {
    matches!(need, Atom::Resource(atom) if is_namespace_itself(atom)) && *exact(need) == *target
}

fn is_default(binding: &Binding<'_>, subject: &Subject) -> bool {
    let builtin = builtin_objects().find(binding.id);
    let subjects = builtin.and_then(|(_, object)| object.role_ref_and_subjects());
    subjects.is_some_and(|(_, subjects)| {
        let is_it = |own: &Subject| {
            (&own.kind, &own.name, &own.namespace)
                == (&subject.kind, &subject.name, &subject.namespace)
        };
        subjects.iter().any(is_it)
    })
}

/// The same grant where a binding gives it.
pub fn in_namespace(grant: &Atom, namespace: &str) -> Atom {
    match grant {
        Atom::Resource(atom) => ResourceAtom { namespace: namespace.into(), ..atom.clone() }.into(),
        Atom::Url(_) => grant.clone(),
    }
}

/// Someone of that name or in that group, for a subject that is not in the log.
fn stand_in<'b>(binding: &Binding<'b>, subject: &'b Subject) -> Requester {
    let own = |group: &str| [group.to_owned(), "system:authenticated".to_owned()];
    match (subject.kind.as_str(), binding.username(subject)) {
        ("ServiceAccount", Some(username)) => {
            Requester::new(username, own("system:serviceaccounts"))
        }
        (_, Some(username)) => Requester::new(username, ["system:authenticated"]),
        (_, None) => Requester::new("", own(&subject.name)),
    }
}
