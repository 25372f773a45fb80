//! The resources that every cluster serves: which group a plain name means, whether the
//! objects live in a namespace, and which subresources there are.
//!
//! As recorded from the discovery of kube-apiserver 1.36.3 with its default flags. Custom
//! resources and those of other servers are not here.

use std::sync::LazyLock;

/// One resource of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiResource {
    /// The name in rules and URLs, such as `deployments`.
    pub name: &'static str,
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// Whether its objects live in a namespace.
    pub is_namespaced: bool,
    singular: &'static str,
    short_names: &'static str,
    subresources: &'static str,
}

/// Parts of `nodes` that the kubelet serves and the API server only authorizes.
const KUBELET: [&str; 8] =
    ["checkpoint", "configz", "healthz", "log", "metrics", "pods", "spec", "stats"];

static RESOURCES: LazyLock<Vec<ApiResource>> = LazyLock::new(|| {
    include_str!("resources/kubernetes-1.36.tsv").lines().filter_map(parse).collect()
});

impl ApiResource {
    /// The resource that a person means by `name`: its own name, its singular or a short
    /// name. Without a group, the core group comes before others, as kubectl has it.
    pub fn find(name: &str, group: Option<&str>) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let is_meant = |resource: &&Self| {
            !name.is_empty()
                && group.is_none_or(|group| group == resource.group)
                && (resource.name == name
                    || resource.singular == name
                    || resource.short_names.split(',').any(|short| short == name))
        };
        RESOURCES.iter().find(is_meant).copied()
    }

    /// Whether `name` is a part of its objects, such as `exec` of pods.
    pub fn has_subresource(&self, name: &str) -> bool {
        let is_kubelets = self.name == "nodes" && KUBELET.contains(&name);
        is_kubelets || (!name.is_empty() && self.subresources.split(',').any(|own| own == name))
    }
}

fn parse(line: &'static str) -> Option<ApiResource> {
    let mut fields = line.split('\t');
    let mut field = || fields.next();
    Some(ApiResource {
        name: field()?,
        group: field()?,
        singular: field()?,
        short_names: field()?,
        is_namespaced: field()? == "namespaced",
        subresources: field()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_they_mean_to_kubectl() {
        for (name, group, expected) in [
            ("deployments", None, Some(("deployments", "apps"))),
            ("deploy", None, Some(("deployments", "apps"))),
            ("Pod", None, Some(("pods", ""))),
            ("events", None, Some(("events", ""))),
            ("events", Some("events.k8s.io"), Some(("events", "events.k8s.io"))),
            ("events", Some("shop.example.com"), None),
            ("orders", None, None),
            ("", None, None),
        ] {
            let found = ApiResource::find(name, group).map(|found| (found.name, found.group));
            assert_eq!(found, expected, "{name} {group:?}");
        }
        assert_eq!(RESOURCES.len(), 67);
    }

    #[test]
    fn subresources_are_known_by_their_resource() {
        let of = |name| ApiResource::find(name, None).unwrap();
        assert!(of("pods").has_subresource("exec"));
        assert!(of("serviceaccounts").has_subresource("token"));
        assert!(of("nodes").has_subresource("metrics"));
        assert!(!of("pods").has_subresource("web"));
        assert!(!of("configmaps").has_subresource(""));
        assert!(of("pods").is_namespaced && !of("nodes").is_namespaced);
    }
}
