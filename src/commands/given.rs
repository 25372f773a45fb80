//! What the commands that are given RBAC have in common: from paths to objects.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};

use crate::cli::{Given, Mapping};
use crate::eks::{Principal, principals};
use crate::output;
use crate::rbac::manifests::{Defect, Limit, Loaded, Manifests, Problem};
use crate::source::{Input, Inputs, LogPath, Progress};

/// Endings of manifests, as kubectl has them; in a folder everything else is left alone.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Reads the manifests. One that cannot be read stops the run: what it holds would be
/// missing from every answer.
pub(super) fn load(flags: &Given) -> anyhow::Result<Loaded> {
    let mut manifests = match flags.default_namespace.as_deref() {
        Some(namespace) => Manifests::in_namespace(namespace),
        None => Manifests::default(),
    };
    let mut unreadable: Vec<String> = Vec::new();
    for input in inputs(&flags.rbac)? {
        let name = input.name();
        let bytes = read(input).with_context(|| format!("cannot read {name}"))?;
        if let Err(error) = manifests.read(&name, &bytes) {
            unreadable.push(error.to_string());
        }
    }
    if !unreadable.is_empty() {
        bail!(
            "not everything that --rbac names can be read:\n  {}\nhint: name the files instead of \
             their folder to leave others out",
            unreadable.join("\n  ")
        );
    }
    let loaded = manifests.finish();
    if loaded.objects.is_empty() && loaded.problems.is_empty() {
        bail!("--rbac names no Role, ClusterRole, RoleBinding or ClusterRoleBinding");
    }
    Ok(loaded)
}

/// Says which objects no answer takes into account, a few of them by name.
pub(super) fn warn_of_left_out(loaded: &Loaded) {
    const SHOWN: usize = 5;
    let is_out = |problem: &&Problem| {
        matches!(problem.defect, Defect::Malformed { .. } | Defect::UnknownVersion { .. })
    };
    let left_out: Vec<&Problem> = loaded.problems.iter().filter(is_out).collect();
    for problem in left_out.iter().take(SHOWN) {
        output::print_warning(&format!("left out: {}: {}", problem.place, problem.defect));
    }
    if let Some(more @ 1..) = left_out.len().checked_sub(SHOWN) {
        output::print_warning(&format!("{more} more objects are left out: see `leastrole check`"));
    }
}

/// Reads who IAM identities are to Kubernetes.
pub(super) fn mapping(flags: &Mapping) -> anyhow::Result<Vec<Principal>> {
    let mut found = Vec::new();
    for path in &flags.aws_auth {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.display().to_string();
        let read = principals(&name, &bytes);
        found.extend(read.with_context(|| format!("{name} is not a usable mapping"))?);
    }
    Ok(found)
}

/// The files behind the paths; those of folders by their endings.
fn inputs(paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    let named: BTreeSet<String> =
        paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let paths: Vec<LogPath> = paths.iter().cloned().map(LogPath::from).collect();
    let found = Inputs::find(&paths);
    if let Some((name, damage)) = found.unreachable.first() {
        return Err(anyhow!("cannot read {name}: {damage}"));
    }
    let is_wanted = |input: &Input| {
        let name = input.name();
        let ending = Path::new(&*name).extension().and_then(OsStr::to_str);
        named.contains(&*name) || ending.is_some_and(|ending| ENDINGS.contains(&ending))
    };
    Ok(found.found.into_iter().filter(is_wanted).collect())
}

/// The bytes of one manifest, at most one more than the limit of all.
fn read(input: Input) -> anyhow::Result<Vec<u8>> {
    let limit = Limit::Bytes.value() as u64 + 1;
    let mut bytes = Vec::new();
    input.open(&Arc::new(Progress::default()))?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
