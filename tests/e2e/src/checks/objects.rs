//! Objects: the server takes every object that `generate` prints and keeps it as it is.
//!
//! In: what the golden cases of `testdata` print; the recorded logs under `testdata/logs`
//! with every flag that changes what is granted; and a made-up log in which every hostile
//! string is a user and a name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Outcome;
use super::generated::{Document, Generated};
use crate::harness::{Assets, Client, Cluster, Settings};

const LOGS: [&str; 2] = ["cluster-shop/metadata.ndjson.gz", "cluster-shop/eks-policy.ndjson.gz"];

const FLAGS: [&[&str]; 10] = [
    &[],
    &["--names", "exact"],
    &["--names", "any"],
    &["--scope", "cluster"],
    &["--verbs", "informer"],
    &["--include-system"],
    &["--include-denied"],
    &["--succeeded-only"],
    &["--keep-default-grants"],
    &["--assume", "events-write,events-repeat,events-read,probes"],
];

/// Runs the check.
pub fn run(assets: &Assets) -> Result<Outcome> {
    let cluster = Cluster::start(assets, &Settings::default())?;
    let mut check = Check { admin: cluster.admin(), namespaces: BTreeSet::new() };
    let mut outcome = Outcome::default();
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let golden = golden_outputs(&testdata)?;
    ensure!(!golden.is_empty(), "no golden cases");
    for (case, documents) in &golden {
        check.objects(case, documents, &mut outcome)?;
    }
    for log in LOGS.map(|log| testdata.join("logs").join(log)) {
        for flags in FLAGS {
            check.output(&log, flags, &mut outcome)?;
        }
        check.output(&log, &["--explain"], &mut outcome)?;
    }
    let folder = tempfile::tempdir()?;
    let log = hostile_log(&testdata.join("names/yaml.txt"), folder.path())?;
    check.output(&log, &["--names", "exact"], &mut outcome)?;
    Ok(outcome)
}

struct Check {
    admin: Client,
    namespaces: BTreeSet<String>,
}

impl Check {
    fn output(&mut self, log: &Path, flags: &[&str], outcome: &mut Outcome) -> Result<()> {
        let generated = Generated::from_file(log, flags)?;
        self.objects(&flags.join(" "), &generated.documents, outcome)
    }

    /// `source` tells in a disagreement where they come from.
    fn objects(
        &mut self,
        source: &str,
        documents: &[Document],
        outcome: &mut Outcome,
    ) -> Result<()> {
        outcome.add("outputs", 1);
        for document in documents {
            self.make_namespace(document)?;
            outcome.add("objects", 1);
            match self.object(document) {
                Ok(difference) if difference.is_empty() => {
                    outcome.add("accepted by dry run and read back equal", 1);
                }
                Ok(difference) => outcome.disagree(format!("{source}: read back {difference}")),
                Err(error) => outcome.disagree(format!("{source}: {error:#}\n{}", document.text)),
            }
        }
        Ok(())
    }

    fn make_namespace(&mut self, document: &Document) -> Result<()> {
        let namespace = document.object["metadata"]["namespace"].as_str();
        if let Some(name) = namespace
            && self.namespaces.insert(name.to_owned())
            && self.admin.get(&format!("/api/v1/namespaces/{name}"))?.status == 404
        {
            let object = json!({ "metadata": { "name": name } });
            self.admin.post("/api/v1/namespaces", &object)?.ok()?;
        }
        Ok(())
    }

    /// What differs between the object as printed and as stored.
    fn object(&self, document: &Document) -> Result<String> {
        // Objects of the outputs before are in the way: a roleRef cannot be changed.
        self.admin.delete(&document.target()?)?;
        document.apply(&self.admin, "&dryRun=All").context("dry run")?;
        document.apply(&self.admin, "").context("apply")?;
        let stored = self.admin.get(&document.target()?)?.ok()?;
        let mut difference = String::new();
        let printed = &document.object;
        for field in ["rules", "subjects", "roleRef", "aggregationRule"] {
            if printed[field] != stored[field] {
                write!(difference, "{field}: {} for {}; ", stored[field], printed[field])?;
            }
        }
        for field in ["name", "namespace", "labels", "annotations"] {
            let (printed, stored) = (&printed["metadata"][field], &stored["metadata"][field]);
            if printed != stored {
                write!(difference, "{field}: {stored} for {printed}; ")?;
            }
        }
        Ok(difference)
    }
}

/// The objects that `generate` prints in each golden case, by case: those of stdout, and
/// those of the files in a folder that it was told to write.
fn golden_outputs(testdata: &Path) -> Result<BTreeMap<String, Vec<Document>>> {
    let mut outputs = BTreeMap::new();
    for case in fs::read_dir(testdata)? {
        let case = case?.path();
        let Ok(args) = fs::read_to_string(case.join("args")) else { continue };
        if !args.lines().any(|line| line.starts_with("generate ")) {
            continue;
        }
        let mut files = vec![case.join("stdout.yaml"), case.join("stdout.json")];
        for file in fs::read_dir(case.join("out")).into_iter().flatten() {
            files.push(file?.path());
        }
        files.retain(|file| file.is_file() && !file.ends_with("kustomization.yaml"));
        let mut documents = Vec::new();
        for file in files {
            documents.extend(Document::read_all(&fs::read_to_string(&file)?)?);
        }
        if !documents.is_empty() {
            outputs.insert(case.display().to_string(), documents);
        }
    }
    Ok(outputs)
}

/// A log in which each of the strings is the username of a caller and, where it can be,
/// the name of what it gets.
fn hostile_log(strings: &Path, folder: &Path) -> Result<PathBuf> {
    let mut log = String::new();
    let text = fs::read_to_string(strings)?;
    for (number, line) in text.lines().enumerate() {
        let string: String = serde_json::from_str(line).context("not a JSON string")?;
        writeln!(log, "{}", event(&string, &format!("plain-{number}"), "configmaps"))?;
        writeln!(log, "{}", event("collector", &string, "secrets"))?;
    }
    ensure!(!log.is_empty(), "no strings");
    let path = folder.join("hostile.ndjson");
    fs::write(&path, log)?;
    Ok(path)
}

fn event(username: &str, name: &str, resource: &str) -> Value {
    let mut path = format!("/api/v1/namespaces/shop/{resource}/");
    for byte in name.bytes() {
        // Infallible: a String takes anything.
        let _ = write!(path, "%{byte:02X}");
    }
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata",
        "auditID": format!("{resource}-{name}"), "stage": "ResponseComplete",
        "requestURI": path, "verb": "get",
        "user": { "username": username, "groups": ["system:authenticated"] },
        "userAgent": "e2e", "responseStatus": { "code": 200 },
        "requestReceivedTimestamp": "2026-11-20T09:00:00.000000Z",
        "stageTimestamp": "2026-11-20T09:00:00.000000Z",
        "annotations": { "authorization.k8s.io/decision": "allow",
                         "authorization.k8s.io/reason": "RBAC: allowed" },
    })
}
