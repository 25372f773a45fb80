//! Runs the real `leastrole generate` and reads what it printed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::Outcome;
use super::rights::wait_for_authorizer;
use crate::harness::{AuditPolicy, Client};

const FIELD_MANAGER: &str = "fieldManager=leastrole-e2e&force=true";

/// What one run of `leastrole generate` printed.
#[derive(Clone, Debug)]
pub(super) struct Generated {
    /// The documents of stdout, as text.
    pub(super) documents: Vec<Document>,
    /// The file of `--summary-json`.
    pub(super) summary: Value,
}

/// One object as it was printed.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// The YAML, comments and all.
    pub(super) text: String,
    /// What an independent YAML reader makes of it.
    pub(super) object: Value,
}

impl Generated {
    /// Runs the binary on these log lines with default flags and `flags`.
    pub(super) fn from_lines(lines: &[String], flags: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("audit.log");
        fs::write(&log, lines.join("\n"))?;
        Self::from_file(&log, flags)
    }

    /// Runs the binary as its user would: where EKS does not log all, again with the classes
    /// that it named itself.
    pub(super) fn with_assumptions(
        log: &[String],
        flags: &[&str],
        audit: AuditPolicy,
        outcome: &mut Outcome,
    ) -> Result<Self> {
        let mut generated = Self::from_lines(log, flags)?;
        let classes = generated.blind_classes().join(",");
        if audit == AuditPolicy::Eks && !classes.is_empty() {
            let flags = [flags, &["--assume", &classes]].concat();
            generated = Self::from_lines(log, &flags)?;
            outcome.count(
                &format!("identities, with {classes} assumed"),
                generated.identities().count(),
            );
        } else {
            outcome.count("identities", generated.identities().count());
        }
        outcome.count("objects", generated.documents.len());
        Ok(generated)
    }

    /// Runs the binary on a log.
    pub(super) fn from_file(log: &Path, flags: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let summary = folder.path().join("summary.json");
        let output = Command::new(binary())
            .arg("generate")
            .args(flags)
            .arg("--quiet")
            .arg("--summary-json")
            .arg(&summary)
            .arg(log)
            .output()
            .with_context(|| format!("cannot run {}: build it first", binary().display()))?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "leastrole generate {flags:?}: {stderr}");
        let documents = Document::read_all(&String::from_utf8(output.stdout)?)?;
        let summary = serde_json::from_slice(&fs::read(&summary)?)?;
        Ok(Self { documents, summary })
    }

    /// The classes of blind spots that the summary names for anyone.
    pub(super) fn blind_classes(&self) -> Vec<String> {
        let spots = self.identities().flat_map(|identity| items(&identity["blind_spots"]));
        let mut classes: Vec<String> =
            spots.filter_map(|spot| spot["class"].as_str().map(str::to_owned)).collect();
        classes.sort();
        classes.dedup();
        classes
    }

    /// The identities of the summary.
    pub(super) fn identities(&self) -> impl Iterator<Item = &Value> {
        items(&self.summary["identities"])
    }

    /// Applies every object, as text, and waits until the authorizer knows of them.
    pub(super) fn take_effect(&self, admin: &Client) -> Result<()> {
        for document in &self.documents {
            document.apply(admin, "").with_context(|| document.text.clone())?;
        }
        wait_for_authorizer(admin)
    }
}

impl Document {
    /// Every object of some YAML or JSON, those of a List one by one.
    pub(super) fn read_all(text: &str) -> Result<Vec<Self>> {
        let mut documents = Vec::new();
        for text in text.split("\n---\n") {
            let object: Value = serde_saphyr::from_str(text).context("not YAML")?;
            if object["kind"] == "List" {
                let parts = items(&object["items"]);
                documents.extend(parts.map(|it| Self { text: it.to_string(), object: it.clone() }));
            } else if !object.is_null() {
                documents.push(Self { text: text.to_owned(), object });
            }
        }
        Ok(documents)
    }

    /// Server-side apply of the text; `query` is added to the target. Returns the object.
    pub(super) fn apply(&self, admin: &Client, query: &str) -> Result<Value> {
        let target = format!("{}?{FIELD_MANAGER}{query}", self.target()?);
        let body = Some(("application/apply-patch+yaml", self.text.clone()));
        admin.send("PATCH", &target, body)?.ok()
    }

    /// The path of the object.
    pub(super) fn target(&self) -> Result<String> {
        let plural = match self.object["kind"].as_str() {
            Some("Role") => "roles",
            Some("RoleBinding") => "rolebindings",
            Some("ClusterRole") => "clusterroles",
            Some("ClusterRoleBinding") => "clusterrolebindings",
            other => bail!("not an RBAC object: {other:?}"),
        };
        let metadata = &self.object["metadata"];
        let name = metadata["name"].as_str().context("an object has a name")?;
        let namespace = metadata["namespace"].as_str();
        let place = namespace.map(|it| format!("namespaces/{it}/")).unwrap_or_default();
        Ok(format!("/apis/rbac.authorization.k8s.io/v1/{place}{plural}/{name}"))
    }
}

/// The items of a JSON array; none of anything else.
pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// `LEASTROLE`, else what `cargo build` has made.
fn binary() -> PathBuf {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/leastrole");
    std::env::var_os("LEASTROLE").map_or_else(built, PathBuf::from)
}
