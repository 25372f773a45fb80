//! What a policy never logs, in words. In: the rules. Out: a line for each that hides
//! requests of workloads and people; those about the control plane alone are left out.

use super::{AuditPolicy, GroupResources, Level, Rule, Target};
use crate::eks::is_control_plane;

impl AuditPolicy {
    /// Requests that leave no event, such as `core events` or `get /healthz*`.
    pub fn hidden(&self) -> Vec<String> {
        let hides = |rule: &&Rule| rule.level == Level::None && !rule.is_of_control_plane();
        let mut hidden: Vec<String> = self.rules.iter().filter(hides).map(Rule::describe).collect();
        if !self.rules.iter().any(Rule::is_catch_all) {
            hidden.push("whatever no rule matches".to_owned());
        }
        hidden
    }
}

impl Rule {
    fn is_of_control_plane(&self) -> bool {
        let users = !self.users.is_empty()
            && self.users.iter().all(|user| user == "kubelet" || is_control_plane(user));
        let groups = !self.user_groups.is_empty()
            && self
                .user_groups
                .iter()
                .all(|group| matches!(&**group, "system:nodes" | "system:masters"));
        users || groups
    }

    fn is_catch_all(&self) -> bool {
        let for_all = self.users.is_empty() && self.user_groups.is_empty() && self.verbs.is_empty();
        for_all && matches!(self.target, Target::All)
    }

    fn describe(&self) -> String {
        let mut parts = Vec::new();
        if !self.verbs.is_empty() {
            parts.push(self.verbs.join(", "));
        }
        parts.push(self.target.describe());
        let who: Vec<&str> =
            self.users.iter().chain(&self.user_groups).map(String::as_str).collect();
        if !who.is_empty() {
            parts.push(format!("by {}", who.join(", ")));
        }
        parts.join(" ")
    }
}

impl Target {
    fn describe(&self) -> String {
        match self {
            Self::All => "everything".to_owned(),
            Self::Urls(urls) => urls.join(", "),
            Self::Resources { namespaces, groups } => {
                let groups: Vec<String> = groups.iter().map(GroupResources::describe).collect();
                let what =
                    if groups.is_empty() { "all resources".to_owned() } else { groups.join(", ") };
                let places: Vec<&str> = namespaces
                    .iter()
                    .map(|namespace| if namespace.is_empty() { "no namespace" } else { namespace })
                    .collect();
                if places.is_empty() { what } else { format!("{what} in {}", places.join(", ")) }
            }
        }
    }
}

impl GroupResources {
    fn describe(&self) -> String {
        let group = if self.group.is_empty() { "core" } else { &self.group };
        let resources =
            if self.resources.is_empty() { "all".to_owned() } else { self.resources.join(", ") };
        if self.resource_names.is_empty() {
            format!("{group} {resources}")
        } else {
            format!("{group} {resources} named {}", self.resource_names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eks_hides_probes_and_core_events() {
        assert_eq!(AuditPolicy::eks().hidden(), ["/healthz*, /version, /swagger*", "core events"]);
    }

    #[test]
    fn a_policy_without_a_last_rule_hides_the_rest() {
        let policy = AuditPolicy::parse(
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n  verbs: [get]\n  \
             namespaces: [a, '']\n  users: [bob]\n  resources:\n  - group: apps\n    resources: [deployments]\n    \
             resourceNames: [web]\n- level: Metadata\n  verbs: [list]\n",
        );
        assert_eq!(
            policy.unwrap().hidden(),
            [
                "get apps deployments named web in a, no namespace by bob",
                "whatever no rule matches",
            ]
        );
    }
}
