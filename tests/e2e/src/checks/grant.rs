//! The short notation for grants: `verbs;group;resource;names;scope`, or `url:verbs path`.
//!
//! `core` is the core group, `-` stands for no names, the scope is `ns` (the namespace of
//! the case) or `cl` (the cluster).

use anyhow::{Context, Result, bail};
use leastrole::rbac::{Atom, ResourceAtom, UrlAtom};
use serde_json::{Value, json};

/// One rule and where it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    /// The namespace; none for the whole cluster.
    pub(super) namespace: Option<String>,
    /// The rule as RBAC has it.
    pub(super) rule: Value,
}

impl Grant {
    /// Reads the notation; `namespace` is what `ns` stands for.
    pub(super) fn parse(text: &str, namespace: &str) -> Result<Self> {
        if let Some(rule) = text.strip_prefix("url:") {
            let (verbs, path) = rule.split_once(' ').context("a verb and a path")?;
            let rule = json!({ "verbs": list(verbs), "nonResourceURLs": [path] });
            return Ok(Self { namespace: None, rule });
        }
        let [verbs, group, resource, names, scope] = text.split(';').collect::<Vec<_>>()[..] else {
            bail!("not a grant: {text}");
        };
        let group = if group == "core" { "" } else { group };
        let mut rule =
            json!({ "verbs": list(verbs), "apiGroups": [group], "resources": [resource] });
        if names != "-" {
            rule["resourceNames"] = list(names.trim_matches(['[', ']'])).into();
        }
        let namespace = match scope {
            "ns" => Some(namespace.to_owned()),
            "cl" => None,
            _ => bail!("not a scope: {text}"),
        };
        Ok(Self { namespace, rule })
    }

    /// Every permission in it, one by one.
    pub(super) fn atoms(&self) -> Vec<Atom> {
        let strings = |field: &str| -> Vec<&str> {
            let values = self.rule[field].as_array().into_iter().flatten();
            values.filter_map(Value::as_str).collect()
        };
        let mut atoms = Vec::new();
        for verb in strings("verbs") {
            for path in strings("nonResourceURLs") {
                atoms.push(Atom::Url(UrlAtom { path: path.into(), verb: verb.into() }));
            }
            for resource in strings("resources") {
                let names = strings("resourceNames");
                let names = if names.is_empty() { vec![""] } else { names };
                atoms.extend(names.into_iter().map(|name| {
                    Atom::Resource(ResourceAtom {
                        namespace: self.namespace.as_deref().unwrap_or_default().into(),
                        group: strings("apiGroups").concat().into(),
                        resource: resource.into(),
                        name: name.into(),
                        verb: verb.into(),
                    })
                }));
            }
        }
        atoms
    }
}

fn list(text: &str) -> Vec<&str> {
    text.split(',').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notation_is_read() {
        let grant = Grant::parse("get,create;core;pods/exec;[p,q];ns", "shop").unwrap();
        assert_eq!(grant.namespace.as_deref(), Some("shop"));
        assert_eq!(
            grant.rule,
            json!({ "verbs": ["get", "create"], "apiGroups": [""],
                    "resources": ["pods/exec"], "resourceNames": ["p", "q"] })
        );
        assert_eq!(grant.atoms().len(), 4);
        let url = Grant::parse("url:get /metrics", "shop").unwrap();
        assert_eq!(url.atoms()[0].to_string(), "get /metrics");
        assert!(Grant::parse("get;core;pods;-;here", "shop").is_err());
    }
}
