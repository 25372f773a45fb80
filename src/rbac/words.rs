//! How rules read in a sentence.

use k8s_openapi::api::rbac::v1::PolicyRule;

/// `get, list deployments.apps, pods/log "web"`.
pub fn rule_text(rule: &PolicyRule) -> String {
    let groups = rule.api_groups.iter().flatten();
    let resources = groups.flat_map(|group| {
        rule.resources.iter().flatten().map(|resource| resource_text(group, resource))
    });
    let urls = rule.non_resource_urls.iter().flatten();
    let urls = urls.map(|url| if url == "*" { "every URL".to_owned() } else { url.clone() });
    let targets: Vec<String> = resources.chain(urls).collect();
    let names: Vec<String> =
        rule.resource_names.iter().flatten().map(|name| format!(" {name:?}")).collect();
    format!("{} {}{}", rule.verbs.join(", "), targets.join(", "), names.concat())
}

/// `deployments.apps/scale`.
pub fn resource_text(group: &str, resource: &str) -> String {
    let (parent, subresource) = match resource.split_once('/') {
        Some((parent, subresource)) => (parent, format!("/{subresource}")),
        None => (resource, String::new()),
    };
    match group {
        "" => format!("{parent}{subresource}"),
        group => format!("{parent}.{group}{subresource}"),
    }
}
