//! Aggregated `ClusterRoles`, computed as the cluster's own controller would.
//!
//! A set of objects comes in; for each ClusterRole with an `aggregationRule` the plain
//! `ClusterRoles` whose rules it ends up with go out. Rules written by hand on an aggregated
//! role are overwritten by the controller, unless it selects none at all
//! (`pkg/controller/clusterroleaggregation`). Never copies a rule.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashSet, HashSetExt};
use k8s_openapi::api::rbac::v1::ClusterRole;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::objects::{ObjectId, Objects};
use super::rules::items;

/// The limit on the work of aggregation: roles tested against selectors and roles followed.
///
/// A thousand aggregated roles among ten thousand others stay below it.
pub const MAX_AGGREGATION_STEPS: usize = 20_000_000;

/// For each aggregated ClusterRole: the plain `ClusterRoles` it draws on, or nothing
/// where [`MAX_AGGREGATION_STEPS`] ran out before it was computed.
pub fn aggregate(objects: &Objects) -> BTreeMap<&ObjectId, Option<Vec<&ObjectId>>> {
    Aggregation::new(objects, MAX_AGGREGATION_STEPS).resolve()
}

/// The selectors of an aggregated ClusterRole; nothing for one that holds its own rules.
fn selectors(role: &ClusterRole) -> Option<&[LabelSelector]> {
    let aggregation = role.aggregation_rule.as_ref()?;
    Some(items(aggregation.cluster_role_selectors.as_ref()))
}

struct Aggregation<'a> {
    roles: Vec<(&'a ObjectId, &'a ClusterRole)>,
    /// What each aggregated role selects directly, by index into `roles`.
    selected: BTreeMap<usize, Vec<usize>>,
    steps_left: usize,
}

impl<'a> Aggregation<'a> {
    fn new(objects: &'a Objects, steps: usize) -> Self {
        let roles = objects.cluster_roles().collect();
        Self { roles, selected: BTreeMap::new(), steps_left: steps }
    }

    fn resolve(mut self) -> BTreeMap<&'a ObjectId, Option<Vec<&'a ObjectId>>> {
        let aggregated: Vec<usize> =
            (0..self.roles.len()).filter(|&role| selectors(self.roles[role].1).is_some()).collect();
        let complete = aggregated.iter().all(|&role| self.select(role).is_some());
        let mut sources = BTreeMap::new();
        for role in aggregated {
            let found = if complete { self.sources(role) } else { None };
            sources.insert(self.roles[role].0, found);
        }
        sources
    }

    /// Fills in what `role` selects, selector by selector, each in the order of names.
    fn select(&mut self, role: usize) -> Option<()> {
        let mut seen = BTreeSet::from([role]);
        let mut selected = Vec::new();
        for selector in selectors(self.roles[role].1)? {
            self.spend(self.roles.len())?;
            let matching = (0..self.roles.len())
                .filter(|&other| selects(selector, self.roles[other].1.metadata.labels.as_ref()));
            selected.extend(matching.filter(|&other| seen.insert(other)));
        }
        self.selected.insert(role, selected);
        Some(())
    }

    /// Follows selections through other aggregated roles, in any circle, to plain roles and
    /// to aggregated ones that kept their own rules.
    fn sources(&mut self, role: usize) -> Option<Vec<&'a ObjectId>> {
        let mut sources = Vec::new();
        let mut seen = HashSet::new();
        let mut to_visit = vec![role];
        while let Some(role) = to_visit.pop() {
            if !seen.insert(role) {
                continue;
            }
            if self.keeps_own_rules(role)? {
                sources.push(self.roles[role].0);
            }
            let found = self.selected_by(role);
            to_visit.extend(found.iter().rev());
            let steps = found.len();
            self.spend(steps)?;
        }
        Some(sources)
    }

    fn has_rules(&self, role: usize) -> bool {
        !items(self.roles[role].1.rules.as_ref()).is_empty()
    }

    fn selected_by(&self, role: usize) -> &[usize] {
        self.selected.get(&role).map_or(&[], Vec::as_slice)
    }

    /// Whether the rules written on a role are its rules: on a plain role, and on an
    /// aggregated one that selects no rule at all. The controller applies the union, and
    /// applying an empty list takes nothing away.
    fn keeps_own_rules(&mut self, role: usize) -> Option<bool> {
        if !self.selected.contains_key(&role) {
            return Some(true);
        }
        if !self.has_rules(role) {
            return Some(false);
        }
        let mut seen = HashSet::new();
        seen.insert(role);
        let mut to_visit = self.selected_by(role).to_vec();
        while let Some(other) = to_visit.pop() {
            if !seen.insert(other) {
                continue;
            }
            if self.has_rules(other) {
                return Some(false);
            }
            let found = self.selected_by(other);
            to_visit.extend(found);
            let steps = found.len();
            self.spend(steps)?;
        }
        Some(true)
    }

    fn spend(&mut self, steps: usize) -> Option<()> {
        self.steps_left = self.steps_left.checked_sub(steps)?;
        Some(())
    }
}

/// Whether the labels match. An empty selector matches everything; one with an unknown
/// operator or the wrong number of values, nothing.
fn selects(selector: &LabelSelector, labels: Option<&BTreeMap<String, String>>) -> bool {
    let label = |key: &String| labels.and_then(|labels| labels.get(key));
    let wanted = selector.match_labels.iter().flatten();
    wanted.into_iter().all(|(key, value)| label(key) == Some(value))
        && items(selector.match_expressions.as_ref())
            .iter()
            .all(|requirement| meets(requirement, label(&requirement.key)))
}

fn meets(requirement: &LabelSelectorRequirement, label: Option<&String>) -> bool {
    let values = items(requirement.values.as_ref());
    let listed = label.is_some_and(|label| values.contains(label));
    match requirement.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed && !values.is_empty(),
        "Exists" => label.is_some() && values.is_empty(),
        "DoesNotExist" => label.is_none() && values.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::rbac::v1::AggregationRule;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use k8s_openapi::api::rbac::v1::PolicyRule;

    use super::*;

    fn role(name: &str, label: &str) -> ClusterRole {
        let labels = BTreeMap::from([("to".to_owned(), label.to_owned())]);
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(labels),
            ..ObjectMeta::default()
        };
        ClusterRole { metadata, ..ClusterRole::default() }
    }

    fn aggregated(name: &str, label: &str, selectors: Vec<LabelSelector>) -> ClusterRole {
        let rule = AggregationRule { cluster_role_selectors: Some(selectors) };
        ClusterRole { aggregation_rule: Some(rule), ..role(name, label) }
    }

    fn to(label: &str) -> LabelSelector {
        let labels = BTreeMap::from([("to".to_owned(), label.to_owned())]);
        LabelSelector { match_labels: Some(labels), ..LabelSelector::default() }
    }

    /// Which roles `role` draws on.
    fn sources(objects: &Objects, role: &str, steps: usize) -> Option<Vec<String>> {
        let sources = Aggregation::new(objects, steps).resolve();
        let (_, found) = sources.into_iter().find(|(id, _)| id.name == role).unwrap();
        Some(found?.into_iter().map(|id| id.name.clone()).collect())
    }

    fn unlimited(objects: &Objects, role: &str) -> Vec<String> {
        sources(objects, role, usize::MAX).unwrap()
    }

    #[test]
    fn aggregation_goes_through_other_aggregated_roles_and_round_circles() {
        let objects: Objects = [
            aggregated("admin", "admin", vec![to("admin"), to("edit")]),
            aggregated("edit", "edit", vec![to("admin"), to("view")]),
            role("a-view", "view"),
            role("z-admin", "admin"),
            role("other", "other"),
        ]
        .into_iter()
        .collect();
        assert_eq!(unlimited(&objects, "admin"), ["z-admin", "a-view"]);
        assert_eq!(unlimited(&objects, "edit"), ["z-admin", "a-view"]);
        assert_eq!(aggregate(&objects).len(), 2);
    }

    #[test]
    fn an_aggregated_role_that_selects_no_rule_keeps_its_own() {
        let with_rule =
            |role: ClusterRole| ClusterRole { rules: Some(vec![PolicyRule::default()]), ..role };
        let objects: Objects = [
            with_rule(aggregated("lone", "outer", vec![to("nothing")])),
            with_rule(aggregated("outer", "x", vec![to("outer")])),
        ]
        .into_iter()
        .collect();
        assert_eq!(unlimited(&objects, "outer"), ["lone"]);
        assert_eq!(unlimited(&objects, "lone"), ["lone"]);
    }

    #[test]
    fn an_empty_selector_selects_everything_and_no_selector_nothing() {
        let objects: Objects = [
            aggregated("all", "x", vec![LabelSelector::default()]),
            aggregated("none", "x", Vec::new()),
            role("one", "y"),
        ]
        .into_iter()
        .collect();
        assert_eq!(unlimited(&objects, "all"), ["one"]);
        assert!(unlimited(&objects, "none").is_empty());
    }

    #[test]
    fn expressions_match_as_label_selectors_do() {
        let meets = |operator: &str, values: &[&str], label: Option<&str>| {
            let requirement = LabelSelectorRequirement {
                key: "to".to_owned(),
                operator: operator.to_owned(),
                values: Some(values.iter().map(|&value| value.to_owned()).collect()),
            };
            meets(&requirement, label.map(str::to_owned).as_ref())
        };
        assert!(meets("In", &["a", "b"], Some("b")));
        assert!(!meets("In", &["a"], None));
        assert!(meets("NotIn", &["a"], None));
        assert!(!meets("NotIn", &["a"], Some("a")));
        assert!(!meets("NotIn", &[], Some("a")));
        assert!(meets("Exists", &[], Some("")));
        assert!(!meets("Exists", &["a"], Some("a")));
        assert!(meets("DoesNotExist", &[], None));
        assert!(!meets("Gt", &["1"], Some("2")));
    }

    #[test]
    fn running_out_of_steps_leaves_aggregated_roles_unresolved() {
        let objects: Objects =
            [aggregated("all", "x", vec![LabelSelector::default()]), role("one", "y")]
                .into_iter()
                .collect();
        assert_eq!(sources(&objects, "all", 1), None);
        assert_eq!(sources(&objects, "all", 2), None);
        assert_eq!(sources(&objects, "all", 3).unwrap(), ["one"]);
    }
}
