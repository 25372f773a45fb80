//! RBAC objects as manifests: YAML with comments, or a JSON list.

use serde::Serialize;

use super::{escape, explain, scalars};
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
                Format::Json => object_list(&objects)?,
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

/// Objects as YAML documents, in the order given.
///
/// # Errors
/// Where a serializer fails, which no object gives it cause to.
pub fn object_yaml<'a>(objects: impl IntoIterator<Item = &'a Object>) -> anyhow::Result<String> {
    let mut text = String::new();
    for object in objects {
        text.push_str("---\n");
        text.push_str(&scalars::yaml(object)?);
    }
    Ok(text)
}

/// One `List` of all objects.
///
/// # Errors
/// Where a serializer fails, which no object gives it cause to.
pub fn object_list<'a>(
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
    scalars::json(&List { api_version: "v1", kind: "List", items })
}

fn yaml(
    plan: &IdentityPlan,
    objects: &[Object],
    with_evidence: bool,
) -> Result<String, anyhow::Error> {
    let mut text = String::new();
    for (index, object) in objects.iter().enumerate() {
        let document = scalars::yaml(object)?;
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
