//! Which users and groups the IAM identities of a cluster become: the `aws-auth`
//! `ConfigMap`, or what `aws eks describe-access-entry` prints. In: the text of either. Out:
//! a list of principals. Never says what an access policy allows: it is not in there.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::IamArn;
use crate::rbac::manifests::{ManifestError, values};

/// One IAM role or user and what it is to Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Principal {
    /// The canonical ARN, without path.
    pub arn: String,
    /// The username, perhaps with `{{SessionName}}` in it.
    pub username: String,
    /// Its groups.
    pub groups: Vec<String>,
}

/// Why a mapping cannot be used.
#[derive(Debug, Error)]
pub enum MappingError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ManifestError),
    /// A list of ARNs tells nobody's groups.
    #[error(
        "it lists ARNs alone: use the output of `aws eks describe-access-entry` of each, which has \
         the groups"
    )]
    OnlyArns,
    /// It is something else.
    #[error("it holds neither an aws-auth ConfigMap nor access entries")]
    NothingFound,
    /// A part has not the form it must have.
    #[error("{part}: {message}")]
    Malformed {
        /// The part, as `mapRoles`.
        part: &'static str,
        /// What is wrong.
        message: String,
    },
}

/// Reads principals from the text of a `ConfigMap` or of access entries, as YAML or JSON.
///
/// # Errors
/// Where there is none, or a part cannot be understood.
pub fn principals(source: &str, bytes: &[u8]) -> Result<Vec<Principal>, MappingError> {
    let mut found = Vec::new();
    let mut only_arns = false;
    for value in values(source, bytes)? {
        let items = match value {
            Value::Array(items) => items,
            Value::Object(mut fields) => match fields.remove("items") {
                Some(Value::Array(items)) => items,
                _ => vec![Value::Object(fields)],
            },
            other => vec![other],
        };
        for item in items {
            only_arns |= item.get("accessEntries").is_some();
            read(source, &item, &mut found)?;
        }
    }
    found.sort();
    found.dedup();
    match (found.is_empty(), only_arns) {
        (false, _) => Ok(found),
        (true, true) => Err(MappingError::OnlyArns),
        (true, false) => Err(MappingError::NothingFound),
    }
}

#[derive(Deserialize)]
struct Mapped {
    #[serde(alias = "rolearn", alias = "userarn")]
    arn: String,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    groups: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessEntry {
    principal_arn: String,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    kubernetes_groups: Option<Vec<String>>,
}

fn read(source: &str, item: &Value, found: &mut Vec<Principal>) -> Result<(), MappingError> {
    let entry = item.get("accessEntry").unwrap_or(item);
    if entry.get("principalArn").is_some() {
        let entry: AccessEntry = typed("accessEntry", entry)?;
        found.extend(principal(&entry.principal_arn, entry.username, entry.kubernetes_groups));
    }
    let data = item.get("data");
    for part in ["mapRoles", "mapUsers"] {
        let Some(Value::String(text)) = data.and_then(|data| data.get(part)) else { continue };
        for value in values(source, text.as_bytes())? {
            let mapped: Option<Vec<Mapped>> = typed(part, &value)?;
            for mapped in mapped.into_iter().flatten() {
                found.extend(principal(&mapped.arn, mapped.username, mapped.groups));
            }
        }
    }
    Ok(())
}

fn typed<'v, T: Deserialize<'v>>(part: &'static str, value: &'v Value) -> Result<T, MappingError> {
    T::deserialize(value)
        .map_err(|error| MappingError::Malformed { part, message: error.to_string() })
}

/// Nothing for what is no role or user: EKS ignores such an entry as well.
fn principal(
    arn: &str,
    username: Option<String>,
    groups: Option<Vec<String>>,
) -> Option<Principal> {
    let parsed = IamArn::parse(arn)?;
    let username = username.filter(|name| !name.is_empty());
    Some(Principal {
        arn: parsed.without_path(),
        username: username.unwrap_or_else(|| parsed.default_username()),
        groups: groups.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, Vec<String>)> {
        let found = principals("test", text.as_bytes()).unwrap();
        found.into_iter().map(|it| (it.arn, it.username, it.groups)).collect()
    }

    #[test]
    fn the_config_map_gives_roles_and_users() {
        let text = "
apiVersion: v1
kind: ConfigMap
metadata: {name: aws-auth, namespace: kube-system}
data:
  mapRoles: |
    - rolearn: arn:aws:iam::111122223333:role/team/ci-deployer
      username: ci:{{SessionName}}
      groups: [deployers]
    - rolearn: not an ARN
  mapUsers: |
    - userarn: arn:aws:iam::111122223333:user/alice
      username: alice
";
        assert_eq!(
            read(text),
            [
                (
                    "arn:aws:iam::111122223333:role/ci-deployer".to_owned(),
                    "ci:{{SessionName}}".to_owned(),
                    vec!["deployers".to_owned()]
                ),
                ("arn:aws:iam::111122223333:user/alice".to_owned(), "alice".to_owned(), Vec::new()),
            ]
        );
    }

    #[test]
    fn access_entries_are_read_one_after_the_other() {
        let text = r#"
{"accessEntry": {"principalArn": "arn:aws:iam::111122223333:role/b", "kubernetesGroups": ["x"], "username": "b"}}
{"accessEntry": {"principalArn": "arn:aws:iam::111122223333:role/a", "kubernetesGroups": []}}
"#;
        let names: Vec<String> = read(text).into_iter().map(|(_, name, _)| name).collect();
        let default = "arn:aws:sts::111122223333:assumed-role/a/{{SessionName}}";
        assert_eq!(names, [default, "b"]);
    }

    #[test]
    fn what_tells_no_groups_is_refused_with_a_hint() {
        let error = |text: &str| principals("test", text.as_bytes()).unwrap_err().to_string();
        assert!(error(r#"{"accessEntries": ["arn:aws:iam::1:role/a"]}"#).contains("describe-acc"));
        assert!(error("kind: Pod").contains("neither"));
        assert!(error("data: {mapRoles: '{}'}").contains("mapRoles"));
    }
}
