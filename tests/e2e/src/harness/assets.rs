//! Finds the binaries of the control plane. Never builds them: `tests/apiserver/build` does.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A folder with `etcd`, `kube-apiserver` and `kube-controller-manager`.
#[derive(Clone, Debug)]
pub struct Assets(PathBuf);

impl Assets {
    /// Asks `tests/apiserver/build` where they are; it builds what is missing.
    pub fn find() -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../apiserver/build");
        let output = Command::new(&script)
            .stderr(std::process::Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run {}", script.display()))?;
        ensure!(output.status.success(), "{} failed", script.display());
        Ok(Self(String::from_utf8(output.stdout)?.trim_end().into()))
    }

    /// The path of one of them.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The version that kube-apiserver reports, such as `v1.36.3`.
    pub fn version(&self) -> Result<String> {
        let output = Command::new(self.binary("kube-apiserver")).arg("--version").output()?;
        let line = String::from_utf8(output.stdout)?;
        Ok(line.trim().trim_start_matches("Kubernetes ").to_owned())
    }
}
