//! From the paths that a user gives to the inputs behind them.
//!
//! Folders are walked in sorted order, and what is reached twice is read once.
//! What cannot be reached is kept beside the rest: it never stops the others.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::damage::Damage;
use super::input::Input;

/// A log as named on the command line: a file, a folder, or `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogPath {
    /// The standard input.
    Stdin,
    /// A file, or a folder with everything below it.
    Path(PathBuf),
}

impl FromStr for LogPath {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "-" { Self::Stdin } else { Self::Path(text.into()) })
    }
}

impl From<PathBuf> for LogPath {
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::Path(path) }
    }
}

/// Everything that is to be read.
#[derive(Debug, Default)]
pub struct Inputs {
    /// In the order given, folders sorted.
    pub found: Vec<Input>,
    /// Name and reason of what could not be reached.
    pub unreachable: Vec<(String, Damage)>,
}

impl Inputs {
    /// The inputs behind `paths`.
    pub fn find(paths: &[LogPath]) -> Self {
        let mut inputs = Self::default();
        let mut visited = BTreeSet::new();
        for path in paths {
            match path {
                LogPath::Stdin if visited.insert(PathBuf::from("-")) => {
                    inputs.found.push(Input::stdin());
                }
                LogPath::Stdin => {}
                LogPath::Path(path) => inputs.add(path, &mut visited),
            }
        }
        inputs
    }

    /// A named path: whatever it is, it is read, a pipe as well as a file.
    fn add(&mut self, path: &Path, visited: &mut BTreeSet<PathBuf>) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.walk(path, visited),
            Ok(metadata) => self.add_file(path, &metadata, visited),
            Err(error) => self.miss(path, &error),
        }
    }

    /// Reads `folder` and the folders below it. Links are followed, each target
    /// once, so that a loop of links ends.
    fn walk(&mut self, folder: &Path, visited: &mut BTreeSet<PathBuf>) {
        let mut waiting = vec![folder.to_path_buf()];
        while let Some(folder) = waiting.pop() {
            if !visited.insert(identity(&folder)) {
                continue;
            }
            let mut folders = Vec::new();
            for path in self.entries(&folder) {
                match fs::metadata(&path) {
                    Ok(metadata) if metadata.is_dir() => folders.push(path),
                    Ok(metadata) if metadata.is_file() => self.add_file(&path, &metadata, visited),
                    // A socket or a pipe within a folder is not a log.
                    Ok(_) => {}
                    Err(error) => self.miss(&path, &error),
                }
            }
            waiting.extend(folders.into_iter().rev());
        }
    }

    fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        let listed = fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>());
        let mut entries: Vec<PathBuf> = listed.unwrap_or_else(|error| {
            self.miss(folder, &error);
            Vec::new()
        });
        entries.sort();
        entries
    }

    fn add_file(&mut self, path: &Path, metadata: &Metadata, visited: &mut BTreeSet<PathBuf>) {
        if visited.insert(identity(path)) {
            self.found.push(Input::file(path.to_path_buf(), metadata.len()));
        }
    }

    fn miss(&mut self, path: &Path, error: &io::Error) {
        let name = path.to_string_lossy().into_owned();
        self.unreachable.push((name, Damage::Unreadable(error.to_string())));
    }
}

/// The same for every way to write the path; a pipe has only the one it came by.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(inputs: &Inputs, root: &Path) -> Vec<String> {
        let root = format!("{}/", root.display());
        inputs.found.iter().map(|input| input.name().replace(&root, "")).collect()
    }

    #[test]
    fn folders_are_walked_in_order_and_nothing_is_read_twice() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["b/deep", "a"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for file in ["b/deep/3", "b/2", "a/1", "z", "b/10"] {
            fs::write(root.path().join(file), file).unwrap();
        }
        std::os::unix::fs::symlink(root.path(), root.path().join("b/loop")).unwrap();
        std::os::unix::fs::symlink(root.path().join("nowhere"), root.path().join("b/gone"))
            .unwrap();
        let paths = [
            root.path().join("z").into(),
            root.path().to_path_buf().into(),
            root.path().join("a/../a/1").into(),
            LogPath::Stdin,
            PathBuf::from("-").into(),
        ];
        let inputs = Inputs::find(&paths);
        assert_eq!(names(&inputs, root.path()), ["z", "a/1", "b/10", "b/2", "b/deep/3", "-"]);
        assert_eq!(inputs.unreachable.len(), 1, "{:?}", inputs.unreachable);
        assert!(inputs.unreachable[0].0.ends_with("b/gone"));
    }

    #[test]
    fn what_is_not_there_is_named_beside_the_rest() {
        let inputs = Inputs::find(&["/nowhere/at/all".parse().unwrap(), LogPath::Stdin]);
        assert_eq!(inputs.found.len(), 1);
        assert_eq!(inputs.unreachable[0].0, "/nowhere/at/all");
    }
}
