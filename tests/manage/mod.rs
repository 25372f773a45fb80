//! The RBAC that is given: `check`, `tighten`, `who-can` and `lookup`, through the binary
//! where they can be.

mod cluster_shop;
mod conformance;
mod doubts;
mod formats;
mod gate;
mod properties;
mod questions;
mod regressions;
mod tightening;

use std::path::{Path, PathBuf};

use leastrole::rbac::Objects;
use leastrole::rbac::manifests::Manifests;
use serde_json::Value;

use crate::support::program::{Ran, leastrole};
use crate::support::testdata;

/// Manifests in a file of their own for as long as the test lasts.
pub(crate) struct Given {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

/// Manifests for `--rbac`.
pub(crate) fn given(manifests: &str) -> Given {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("rbac.yaml");
    std::fs::write(&path, manifests).expect("the manifests can be written");
    Given { _folder: folder, path }
}

impl Given {
    pub(crate) fn path(&self) -> &str {
        self.path.to_str().expect("the path is UTF-8")
    }
}

/// The log of cluster-shop at level Metadata.
pub(crate) fn shop_log() -> String {
    path_text(&testdata("logs/cluster-shop/metadata.ndjson.gz"))
}

pub(crate) fn path_text(path: &Path) -> String {
    path.to_str().expect("the path is UTF-8").to_owned()
}

/// `leastrole COMMAND --rbac MANIFESTS ARGS... -` with `log` on standard input.
#[track_caller]
pub(crate) fn run(command: &str, manifests: &str, args: &[&str], log: &str) -> Ran {
    let given = given(manifests);
    let args = [&[command, "--rbac", given.path()], args, &["-"]].concat();
    leastrole(args).input(log).run()
}

/// What `check` reports as JSON; its exit status must be 0 or 1.
#[track_caller]
pub(crate) fn report(manifests: &str, args: &[&str], log: &str) -> Value {
    let ran = run("check", manifests, &[&["--format", "json"], args].concat(), log);
    assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("the report is JSON")
}

/// The findings of a report: `CODE: SENTENCE`, without those on risks and on what else
/// allowed the requests.
pub(crate) fn sentences(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("a list of findings");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    findings
        .iter()
        .filter(|finding| {
            let code = text(finding, "code");
            !code.starts_with("risk-") && !code.starts_with("outside-")
        })
        .map(|finding| format!("{}: {}", text(finding, "code"), text(finding, "sentence")))
        .collect()
}

/// The codes of the findings of a report.
pub(crate) fn codes(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("a list of findings");
    findings.iter().map(|it| it["code"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Objects, whatever the API server would say of them.
pub(crate) fn load(manifests: &str) -> Objects {
    let mut reader = Manifests::default();
    reader.read("given", manifests.as_bytes()).expect("the manifests can be read");
    reader.finish().objects
}

/// A Role with these rules, as YAML flow, and its binding to `subject`, both called `name`.
pub(crate) fn role(namespace: &str, name: &str, rules: &str, subject: &str) -> String {
    format!(
        "---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: {name}, namespace: {namespace}}}
rules: {rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: {name}, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {name}}}
subjects: [{subject}]
"
    )
}

/// A ClusterRole with these rules, as YAML flow, and its binding to `subject`.
pub(crate) fn cluster_role(name: &str, rules: &str, subject: &str) -> String {
    format!(
        "---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {name}}}
rules: {rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: {name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {name}}}
subjects: [{subject}]
"
    )
}

/// The account `reader` of namespace `shop` as a subject.
pub(crate) const READER: &str = "{kind: ServiceAccount, name: reader, namespace: shop}";
/// Its username.
pub(crate) const READER_USER: &str = "system:serviceaccount:shop:reader";
