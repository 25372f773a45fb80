//! RBAC objects as manifests: YAML with comments, or a JSON list.

use serde::Serialize;
use serde_saphyr::SerializerOptions;

use super::{escape, explain};
use crate::eks::{IamArn, RoleAccess};
use crate::policy::{IdentityPlan, Outside, Plan, objects};
use crate::rbac::Object;
use crate::usage::Identity;

/// How manifests are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Many documents, with comments.
    #[default]
    Yaml,
    /// One `List`.
    Json,
}

/// The manifest of one identity.
#[derive(Debug)]
pub struct Manifest {
    /// Whose it is.
    pub identity: Identity,
    /// A file name for it, without folder.
    pub file: String,
    /// Its objects, roles first.
    pub objects: Vec<Object>,
    /// What is printed.
    pub text: String,
}

/// The manifests of all identities that are granted anything.
///
/// # Errors
/// Where a serializer fails, which no object here gives it cause to.
pub fn manifests(
    plan: &Plan,
    format: Format,
    with_evidence: bool,
) -> Result<Vec<Manifest>, anyhow::Error> {
    let granted = plan.identities.iter().filter(|identity| !identity.grants.is_empty());
    granted
        .map(|identity| {
            let objects = objects(identity);
            let text = match format {
                Format::Yaml => yaml(identity, &objects, with_evidence)?,
                Format::Json => json(&objects)?,
            };
            let extension = if format == Format::Yaml { "yaml" } else { "json" };
            Ok(Manifest {
                identity: identity.identity.clone(),
                file: file_name(&identity.object_name, extension),
                objects,
                text,
            })
        })
        .collect()
}

/// `leastrole:sa:shop:reader` in `sa-shop-reader.yaml`; object names are unique and so
/// are these, since only `:` is replaced by what stands for it nowhere else: `_`.
fn file_name(object_name: &str, extension: &str) -> String {
    let name = object_name.trim_start_matches("leastrole:").replace(':', "_");
    format!("{name}.{extension}")
}

/// One `List` of all objects.
pub(super) fn json<'a>(
    objects: impl IntoIterator<Item = &'a Object>,
) -> serde_json::Result<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct List<'a> {
        api_version: &'static str,
        kind: &'static str,
        items: Vec<&'a Object>,
    }
    let items = objects.into_iter().collect();
    let mut text = serde_json::to_string_pretty(&List { api_version: "v1", kind: "List", items })?;
    text.push('\n');
    Ok(text)
}

fn yaml(
    plan: &IdentityPlan,
    objects: &[Object],
    with_evidence: bool,
) -> Result<String, anyhow::Error> {
    let mut text = String::new();
    for (index, object) in objects.iter().enumerate() {
        let document = document(object)?;
        text.push_str("---\n");
        if index == 0 {
            text.push_str(&header(plan));
        }
        if with_evidence {
            explain::annotate(&document, object, objects, plan, &mut text);
        } else {
            text.push_str(&document);
        }
    }
    Ok(text)
}

/// One object as kubectl would print it.
pub(super) fn document(object: &Object) -> Result<String, serde_saphyr::ser::Error> {
    let mut options = SerializerOptions::default();
    options.prefer_block_scalars = false;
    let text = serde_saphyr::to_string_with_options(object, options)?;
    Ok(if text.contains(NOT_YAML) {
        text.split_inclusive('\n').map(escaped).collect()
    } else {
        text
    })
}

/// YAML has no place for these two as they are, and the serializer does not escape them.
const NOT_YAML: [char; 2] = ['\u{fffe}', '\u{ffff}'];

/// The line with its scalar in double quotes and escaped, where it has to be. Every
/// scalar is on one line, and every key is a plain word of ours.
fn escaped(line: &str) -> String {
    if !line.contains(NOT_YAML) {
        return line.to_owned();
    }
    let item = line.trim_start_matches(' ');
    let item = item.strip_prefix("- ").unwrap_or(item);
    let scalar = match item.split_once(": ") {
        Some((key, value)) if !key.contains(['"', '\'']) => value,
        _ => item,
    };
    let head = &line[..line.len() - scalar.len()];
    let scalar = scalar.trim_end_matches('\n');
    let quoted = match scalar.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(single) => serde_json::Value::from(single.replace("''", "'")).to_string(),
        None if scalar.starts_with('"') => scalar.to_owned(),
        None => serde_json::Value::from(scalar).to_string(),
    };
    let quoted = quoted.replace('\u{fffe}', "\\uFFFE").replace('\u{ffff}', "\\uFFFF");
    format!("{head}{quoted}\n")
}

fn header(plan: &IdentityPlan) -> String {
    let mut lines = vec![plan.identity.to_string()];
    lines.extend(plan.outside_rbac().map(Outside::note).map(str::to_owned));
    if let Some(group) = &plan.group {
        lines.push(format!(
            "bound through the group {group}, since usernames of sessions change; put the role in it"
        ));
        lines.extend(access_lines(plan, group));
    }
    lines.iter().map(|line| comment(line)).collect()
}

/// How to put the role into its group, either way.
fn access_lines(plan: &IdentityPlan, group: &str) -> Vec<String> {
    let arn = plan.identity.name();
    let Some(access) = access(plan, &arn, group) else { return Vec::new() };
    let mut lines = vec![
        "- with access entries (the second command where it has none yet):".to_owned(),
        format!("    {}", access.update_command(None)),
        format!("    {}", access.create_command(None)),
        "- with the aws-auth ConfigMap, under mapRoles:".to_owned(),
    ];
    lines.extend(access.aws_auth().lines().map(|line| format!("    {line}")));
    lines
}

/// The change that puts an IAM identity into its group.
pub(super) fn access<'a>(
    plan: &'a IdentityPlan,
    arn: &'a str,
    group: &'a str,
) -> Option<RoleAccess<'a>> {
    let role = IamArn::parse(arn)?;
    let facts = &plan.facts;
    Some(RoleAccess::new(role, facts.groups.iter(), group, facts.username_templates.iter()))
}

/// One comment line.
pub(super) fn comment(line: &str) -> String {
    format!("# {}", escape::visible(line)).trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};

    use super::*;

    #[test]
    fn characters_that_yaml_has_no_place_for_are_read_back() {
        let names = [
            "\u{fffe}",
            "a\u{ffff}b",
            "-\u{fffe}",
            "'\u{fffe}: #\"",
            "\\\u{ffff}\n",
            "x: \u{fffe}",
        ];
        let names: Vec<String> = names.map(str::to_owned).into();
        let pods = PolicyRule { resource_names: Some(names), ..PolicyRule::default() };
        let role = ClusterRole { rules: Some(vec![pods]), ..ClusterRole::default() };
        let text = document(&role.clone().into()).unwrap();
        assert!(!text.contains(NOT_YAML), "{text}");
        let read: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, serde_json::to_value(&role).unwrap(), "{text}");
    }
}
