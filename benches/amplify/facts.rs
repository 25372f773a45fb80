//! What has to be known of a recorded event in order to repeat it: read from its JSON,
//! no text is changed here.

use serde::Deserialize;

use super::Only;

/// The fields of an audit event that matter here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Facts {
    #[serde(rename = "auditID")]
    pub(crate) audit_id: String,
    verb: String,
    #[serde(rename = "requestURI")]
    pub(crate) request_uri: String,
    user: User,
    impersonated_user: Option<User>,
    #[serde(default)]
    pub(crate) object_ref: ObjectRef,
    request_received_timestamp: jiff::Timestamp,
    stage_timestamp: jiff::Timestamp,
}

#[derive(Debug, Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

/// The object that a request is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ObjectRef {
    pub(crate) resource: String,
    pub(crate) name: String,
}

impl Facts {
    /// When it was received and when this stage of it was reached, in microseconds.
    pub(crate) fn moments(&self) -> [i64; 2] {
        [self.request_received_timestamp, self.stage_timestamp].map(jiff::Timestamp::as_microsecond)
    }

    /// Namespace and name of the service account behind it, if that is not one of the
    /// control plane.
    pub(crate) fn service_account(&self) -> Option<(&str, &str)> {
        let account = self.username().strip_prefix("system:serviceaccount:")?;
        account.split_once(':').filter(|(namespace, _)| *namespace != "kube-system")
    }

    /// User, verb and path, where the path names one object.
    pub(crate) fn object(&self) -> Option<(&str, &str, &str)> {
        let ObjectRef { resource, name } = &self.object_ref;
        let path = self.request_uri.split('?').next()?;
        let is_named = !name.is_empty() && resource != "namespaces" && self.verb != "create";
        let named = || format!("{path}/").contains(&format!("/{resource}/{name}/"));
        (is_named && named()).then_some((self.username(), &*self.verb, path))
    }

    /// Whether it belongs into the log.
    pub(crate) fn is_kept(&self, only: Only) -> bool {
        match only {
            Only::All => true,
            Only::Workloads => self.is_workload(),
            Only::Named => self.is_workload() && self.object().is_some(),
        }
    }

    fn is_workload(&self) -> bool {
        !self.username().starts_with("system:") || self.service_account().is_some()
    }

    fn username(&self) -> &str {
        &self.impersonated_user.as_ref().unwrap_or(&self.user).username
    }
}
