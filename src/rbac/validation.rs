//! Whether the API server would accept an object.
//!
//! An object comes in, every reason to refuse it goes out, each with its field. The rules are
//! those of `pkg/apis/rbac/validation/validation.go` and of object metadata. Never changes an
//! object, and never says whether it is wise.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    LabelSelector, LabelSelectorRequirement, ObjectMeta,
};
use thiserror::Error;

use super::names::{
    is_annotation_key, is_dns_label, is_dns_subdomain, is_label_key, is_label_value, is_rbac_name,
};
use super::objects::{Kind, Object, ObjectId, RBAC_GROUP};
use super::rules::items;

/// The limit on the bytes of all annotation keys and values of an object.
pub const MAX_ANNOTATION_BYTES: usize = 256 * 1024;

/// At which point of its life an object is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As written by its author: the API server will fill in an `apiGroup` that is left out.
    Submitted,
    /// With every default spelled out, as the API server stores it and as we print it.
    Stored,
}

/// One reason to refuse an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{object}: {field}: {fault}")]
pub struct Invalid {
    /// The object.
    pub object: ObjectId,
    /// The field, as `rules[0].verbs`.
    pub field: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Fault {
    /// The field must be there and not be empty.
    #[error("must be set")]
    Missing,
    /// The field must not be set here.
    #[error("must not be set")]
    Forbidden,
    /// Not a path segment.
    #[error("{0:?} is no valid name: it may not be `.` or `..`, nor hold `/` or `%`")]
    Name(String),
    /// Not a DNS-1123 label.
    #[error("{0:?} is no valid namespace: at most 63 of a-z, 0-9 and inner `-`")]
    Namespace(String),
    /// Not a DNS-1123 subdomain.
    #[error("{0:?} is no valid service account name: at most 253 of a-z, 0-9, inner `-` and `.`")]
    ServiceAccountName(String),
    /// Not a qualified name.
    #[error("{0:?} is no valid key: [prefix/]name, at most 63 letters, digits and inner `-_.`")]
    Key(String),
    /// Not a label value.
    #[error("{0:?} is no valid label value: at most 63 letters, digits and inner `-_.`")]
    LabelValue(String),
    /// More annotations than an object may carry.
    #[error("{0} bytes of keys and values are more than {MAX_ANNOTATION_BYTES}")]
    AnnotationBytes(usize),
    /// Not one of the values that the field can take.
    #[error("{0:?} is not supported here")]
    Unsupported(String),
    /// URLs are of no namespace.
    #[error("a Role cannot grant non-resource URLs: use a ClusterRole")]
    NamespacedUrls,
    /// A rule is about resources or about URLs.
    #[error("cannot stand beside apiGroups, resources or resourceNames: use two rules")]
    UrlsWithResources,
    /// Too many or too few values for the operator of a label selector.
    #[error("does not fit the operator {0:?}")]
    SelectorValues(String),
}

/// Everything that the API server would refuse `object` for.
pub fn validate(object: &Object, form: Form) -> Vec<Invalid> {
    let mut check = Check { object, form, found: Vec::new() };
    check.metadata(object.metadata());
    for (index, rule) in object.rules().iter().enumerate() {
        check.rule(&format!("rules[{index}]"), rule);
    }
    if let Object::ClusterRole(role) = object {
        check.aggregation(role);
    }
    if let Some((role_ref, subjects)) = object.role_ref_and_subjects() {
        check.role_ref(role_ref);
        for (index, subject) in subjects.iter().enumerate() {
            check.subject(&format!("subjects[{index}]"), subject);
        }
    }
    check.found
}

struct Check<'a> {
    object: &'a Object,
    form: Form,
    found: Vec<Invalid>,
}

impl Check<'_> {
    fn metadata(&mut self, metadata: &ObjectMeta) {
        self.name("metadata.name", metadata.name.as_deref().unwrap_or_default());
        self.namespace(metadata.namespace.as_deref().unwrap_or_default());
        for (key, value) in metadata.labels.iter().flatten() {
            self.label("metadata.labels", key, value);
        }
        if let Some(annotations) = &metadata.annotations {
            self.annotations(annotations);
        }
    }

    fn name(&mut self, field: &str, name: &str) {
        if name.is_empty() {
            self.fault(field, Fault::Missing);
        } else if !is_rbac_name(name) {
            self.fault(field, Fault::Name(name.to_owned()));
        }
    }

    fn namespace(&mut self, namespace: &str) {
        let field = "metadata.namespace";
        match (self.object.kind().is_namespaced(), namespace) {
            (true, "") => self.fault(field, Fault::Missing),
            (false, "") => {}
            (false, _) => self.fault(field, Fault::Forbidden),
            (true, namespace) if is_dns_label(namespace) => {}
            (true, namespace) => self.fault(field, Fault::Namespace(namespace.to_owned())),
        }
    }

    fn label(&mut self, field: &str, key: &str, value: &str) {
        if !is_label_key(key) {
            self.fault(field, Fault::Key(key.to_owned()));
        }
        if !is_label_value(value) {
            self.fault(&format!("{field}[{key:?}]"), Fault::LabelValue(value.to_owned()));
        }
    }

    fn annotations(&mut self, annotations: &BTreeMap<String, String>) {
        let field = "metadata.annotations";
        for key in annotations.keys().filter(|key| !is_annotation_key(key)) {
            self.fault(field, Fault::Key(key.clone()));
        }
        let bytes = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
        if bytes > MAX_ANNOTATION_BYTES {
            self.fault(field, Fault::AnnotationBytes(bytes));
        }
    }

    fn rule(&mut self, field: &str, rule: &PolicyRule) {
        if rule.verbs.is_empty() {
            self.fault(&format!("{field}.verbs"), Fault::Missing);
        }
        let lists = [
            ("apiGroups", items(rule.api_groups.as_ref())),
            ("resources", items(rule.resources.as_ref())),
            ("resourceNames", items(rule.resource_names.as_ref())),
        ];
        if items(rule.non_resource_urls.as_ref()).is_empty() {
            for (name, _) in lists[..2].iter().filter(|(_, list)| list.is_empty()) {
                self.fault(&format!("{field}.{name}"), Fault::Missing);
            }
            return;
        }
        let urls = format!("{field}.nonResourceURLs");
        if self.object.kind().is_namespaced() {
            self.fault(&urls, Fault::NamespacedUrls);
        }
        if lists.iter().any(|(_, list)| !list.is_empty()) {
            self.fault(&urls, Fault::UrlsWithResources);
        }
    }

    fn aggregation(&mut self, role: &ClusterRole) {
        let Some(aggregation) = &role.aggregation_rule else { return };
        let field = "aggregationRule.clusterRoleSelectors";
        let selectors = items(aggregation.cluster_role_selectors.as_ref());
        if selectors.is_empty() {
            self.fault(field, Fault::Missing);
        }
        for (index, selector) in selectors.iter().enumerate() {
            self.selector(&format!("{field}[{index}]"), selector);
        }
    }

    fn selector(&mut self, field: &str, selector: &LabelSelector) {
        for (key, value) in selector.match_labels.iter().flatten() {
            self.label(&format!("{field}.matchLabels"), key, value);
        }
        let expressions = items(selector.match_expressions.as_ref());
        for (index, expression) in expressions.iter().enumerate() {
            self.requirement(&format!("{field}.matchExpressions[{index}]"), expression);
        }
    }

    fn requirement(&mut self, field: &str, requirement: &LabelSelectorRequirement) {
        if !is_label_key(&requirement.key) {
            self.fault(&format!("{field}.key"), Fault::Key(requirement.key.clone()));
        }
        let values = items(requirement.values.as_ref());
        for value in values.iter().filter(|value| !is_label_value(value)) {
            self.fault(&format!("{field}.values"), Fault::LabelValue(value.clone()));
        }
        let operator = &requirement.operator;
        let fits = match operator.as_str() {
            "In" | "NotIn" => !values.is_empty(),
            "Exists" | "DoesNotExist" => values.is_empty(),
            _ => {
                let fault = Fault::Unsupported(operator.clone());
                return self.fault(&format!("{field}.operator"), fault);
            }
        };
        if !fits {
            self.fault(&format!("{field}.values"), Fault::SelectorValues(operator.clone()));
        }
    }

    fn role_ref(&mut self, role_ref: &RoleRef) {
        self.api_group("roleRef.apiGroup", role_ref.api_group.as_deref());
        match (self.object.kind(), role_ref.kind.as_str()) {
            (_, "ClusterRole") | (Kind::RoleBinding, "Role") => {}
            (_, kind) => self.fault("roleRef.kind", Fault::Unsupported(kind.to_owned())),
        }
        self.name("roleRef.name", &role_ref.name);
    }

    fn subject(&mut self, field: &str, subject: &Subject) {
        let name = format!("{field}.name");
        if subject.name.is_empty() {
            self.fault(&name, Fault::Missing);
        }
        let group_field = format!("{field}.apiGroup");
        let group = subject.api_group.as_deref().unwrap_or_default();
        match subject.kind.as_str() {
            "User" | "Group" => self.api_group(&group_field, Some(group)),
            "ServiceAccount" => {
                if !subject.name.is_empty() && !is_dns_subdomain(&subject.name) {
                    self.fault(&name, Fault::ServiceAccountName(subject.name.clone()));
                }
                if !group.is_empty() {
                    self.fault(&group_field, Fault::Unsupported(group.to_owned()));
                }
                let homeless = subject.namespace.as_deref().unwrap_or_default().is_empty();
                if homeless && !self.object.kind().is_namespaced() {
                    self.fault(&format!("{field}.namespace"), Fault::Missing);
                }
            }
            kind => self.fault(&format!("{field}.kind"), Fault::Unsupported(kind.to_owned())),
        }
    }

    /// The group of RBAC, which the API server fills in where it is left out.
    fn api_group(&mut self, field: &str, group: Option<&str>) {
        match (self.form, group.unwrap_or_default()) {
            (_, RBAC_GROUP) | (Form::Submitted, "") => {}
            (Form::Stored, "") => self.fault(field, Fault::Missing),
            (_, group) => self.fault(field, Fault::Unsupported(group.to_owned())),
        }
    }

    fn fault(&mut self, field: &str, fault: Fault) {
        self.found.push(Invalid { object: self.object.id(), field: field.to_owned(), fault });
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::rbac::v1::AggregationRule;

    use super::*;

    fn faults(role: ClusterRole) -> Vec<String> {
        let found = validate(&role.into(), Form::Stored);
        found.iter().map(ToString::to_string).collect()
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn keys_of_labels_and_annotations_are_checked() {
        let metadata = ObjectMeta {
            name: Some("r".to_owned()),
            labels: Some(map(&[("a/b/c", ""), ("ok", "")])),
            annotations: Some(map(&[("no spaces", "any value\n"), ("Example.IO/ok", "")])),
            ..ObjectMeta::default()
        };
        assert_eq!(
            faults(ClusterRole { metadata, ..ClusterRole::default() }),
            [
                "ClusterRole \"r\": metadata.labels: \"a/b/c\" is no valid key: [prefix/]name, \
                 at most 63 letters, digits and inner `-_.`",
                "ClusterRole \"r\": metadata.annotations: \"no spaces\" is no valid key: \
                 [prefix/]name, at most 63 letters, digits and inner `-_.`",
            ]
        );
    }

    #[test]
    fn selectors_of_an_aggregation_are_checked() {
        let requirement = |key: &str, operator: &str, values: &[&str]| LabelSelectorRequirement {
            key: key.to_owned(),
            operator: operator.to_owned(),
            values: Some(values.iter().map(|&value| value.to_owned()).collect()),
        };
        let selector = LabelSelector {
            match_labels: Some(map(&[("a", "b:c")])),
            match_expressions: Some(vec![
                requirement("a", "In", &["b"]),
                requirement("a", "NotIn", &[]),
                requirement("a", "Exists", &["b"]),
                requirement("a", "Gt", &["1"]),
                requirement("a b", "DoesNotExist", &[]),
            ]),
        };
        let role = ClusterRole {
            aggregation_rule: Some(AggregationRule {
                cluster_role_selectors: Some(vec![selector]),
            }),
            metadata: ObjectMeta { name: Some("r".to_owned()), ..ObjectMeta::default() },
            rules: None,
        };
        let fields: Vec<_> = validate(&role.into(), Form::Stored)
            .into_iter()
            .map(|found| found.field.replace("aggregationRule.clusterRoleSelectors[0].", ""))
            .collect();
        let expected = [
            "matchLabels[\"a\"]",
            "matchExpressions[1].values",
            "matchExpressions[2].values",
            "matchExpressions[3].operator",
            "matchExpressions[4].key",
        ];
        assert_eq!(fields, expected);
    }
}
