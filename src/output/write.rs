//! Manifests onto stdout, into a file or into a folder. Files appear whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::manifest::{Format, Manifest, object_list};

/// Where manifests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// One file.
    File(PathBuf),
    /// One file per identity, and a `kustomization.yaml` that names them.
    Folder(PathBuf),
}

impl Target {
    /// Reads `-o`: a folder where the path ends in a slash or is one already.
    pub fn of(path: Option<&Path>) -> Self {
        match path {
            None => Self::Stdout,
            Some(path) if path.as_os_str() == "-" => Self::Stdout,
            Some(path) if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                Self::Folder(path.to_owned())
            }
            Some(path) => Self::File(path.to_owned()),
        }
    }
}

/// A text on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its file name within a folder; `output` where it is the only one.
    pub file: String,
    /// Whether it holds RBAC objects.
    pub is_manifest: bool,
    /// The text.
    pub text: String,
}

/// The texts for a target.
///
/// # Errors
/// Where a serializer fails, which no manifest gives it cause to.
pub fn rendered(
    manifests: &[Manifest],
    format: Format,
    target: &Target,
) -> anyhow::Result<Vec<Text>> {
    if let Target::Folder(_) = target {
        let manifest = |manifest: &Manifest| Text {
            file: manifest.file.clone(),
            is_manifest: true,
            text: manifest.text.clone(),
        };
        let mut texts: Vec<Text> = manifests.iter().map(manifest).collect();
        texts.push(Text {
            file: "kustomization.yaml".to_owned(),
            is_manifest: false,
            text: kustomization(manifests)?,
        });
        return Ok(texts);
    }
    let text = match format {
        Format::Yaml => manifests.iter().map(|manifest| manifest.text.as_str()).collect(),
        Format::Json => object_list(manifests.iter().flat_map(|manifest| &manifest.objects))?,
    };
    Ok(vec![Text { file: "output".to_owned(), is_manifest: true, text }])
}

fn kustomization(manifests: &[Manifest]) -> anyhow::Result<String> {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Kustomization<'a> {
        api_version: &'static str,
        kind: &'static str,
        resources: Vec<&'a str>,
    }
    let resources = manifests.iter().map(|manifest| manifest.file.as_str()).collect();
    let kustomization = Kustomization {
        api_version: "kustomize.config.k8s.io/v1beta1",
        kind: "Kustomization",
        resources,
    };
    Ok(serde_saphyr::to_string(&kustomization)?)
}

/// Writes what [`rendered`] made.
pub fn write(texts: &[Text], target: &Target) -> anyhow::Result<()> {
    match target {
        Target::Stdout => {
            let mut stdout = io::stdout().lock();
            texts.iter().try_for_each(|it| stdout.write_all(it.text.as_bytes()))?;
            stdout.flush()?;
            Ok(())
        }
        Target::File(path) => texts.iter().try_for_each(|it| replace(path, it.text.as_bytes())),
        Target::Folder(folder) => {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            texts.iter().try_for_each(|it| replace(&folder.join(&it.file), it.text.as_bytes()))
        }
    }
}

/// Prints data as it is.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Prints a text for people, with its colours only where the terminal takes them.
pub fn print_styled(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// The text without its colours.
pub fn plain(styled: &str) -> String {
    anstream::adapter::strip_str(styled).to_string()
}

/// Puts `bytes` in place of `path` in one step, or leaves it as it was. What is there
/// and no regular file, such as a pipe or `/dev/null`, is written to instead.
pub fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let done = match regular(path) {
        Some(file) => swap(&file, bytes),
        None => std::fs::write(path, bytes),
    };
    done.with_context(|| format!("cannot write {}", path.display()))
}

/// The regular file at `path`, which may be a link to it or not be there yet. What the
/// system keeps does not count, even where it leads to a file, as `/dev/stdout` may: put
/// in its place, a file would be there for every program to come.
fn regular(path: &Path) -> Option<PathBuf> {
    if path.starts_with("/dev") || path.starts_with("/proc") {
        return None;
    }
    match path.canonicalize() {
        Ok(real) => real.is_file().then_some(real),
        Err(_) => Some(path.to_owned()),
    }
}

fn swap(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = builder().tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

/// Temporary files are private by default; a manifest is a file like any other, so
/// that only the umask limits it.
#[cfg(unix)]
fn builder() -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt;
    let mut builder = tempfile::Builder::new();
    builder.permissions(std::fs::Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn builder() -> tempfile::Builder<'static, 'static> {
    tempfile::Builder::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asked without writing: a mistake here would harm the machine that the tests run on.
    #[cfg(unix)]
    #[test]
    fn only_what_is_or_will_be_a_regular_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let (file, link, gone) = (folder.join("file"), folder.join("link"), folder.join("gone"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        assert_eq!(regular(&file), Some(file.clone()));
        assert_eq!(regular(&link), Some(file));
        assert_eq!(regular(&gone), Some(gone));
        assert_eq!(regular(&folder), None);
        for device in ["/dev/null", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            assert_eq!(regular(Path::new(device)), None, "{device}");
        }
    }
}
