//! Golden cases: every folder of `testdata/` with a file `args` is one run of the real
//! binary, with that folder as its working directory.
//!
//! | file | holds |
//! | --- | --- |
//! | `args` | the arguments in one line, cut at spaces; lines with `#` say why the case exists |
//! | `stdout.yaml`, or another ending for another command or `--format` | what is printed; no file, nothing printed |
//! | `stderr.txt` | what is said beside it; no file, nothing said |
//! | `exit` | the exit status, where it is not 0 |
//! | `summary.json` | what is written to `$SUMMARY`, where `args` names that |
//! | `out/` | what is written to `$OUT/`, where `args` names that |
//!
//! `UPDATE_GOLDEN=1 cargo test golden` writes what the binary says now into the files
//! and fails where that changed anything; `git diff` shows what is to be reviewed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::program::{Ran, leastrole};
use crate::support::testdata;

/// File names within a case and what is in them.
type Files = BTreeMap<PathBuf, String>;

#[test]
fn every_case_prints_what_it_is_expected_to() {
    let cases = cases();
    assert!(cases.len() >= 20, "only {} cases", cases.len());
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut failures = String::new();
    for case in cases {
        let (expected, found) = (expected(&case), run(&case));
        if expected != found {
            let name = case.file_name().unwrap_or_default().to_string_lossy();
            let _ = writeln!(failures, "\n==== {name}\n{}", difference(&expected, &found));
            if update {
                replace(&case, &expected, &found);
            }
        }
    }
    let hint = if update { "updated" } else { "see the head of tests/golden.rs to update" };
    assert!(failures.is_empty(), "{failures}\n{hint}");
}

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(testdata("")).expect("testdata can be listed");
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.expect("testdata can be listed").path())
        .filter(|path| path.join("args").is_file())
        .collect();
    cases.sort();
    cases
}

fn expected(case: &Path) -> Files {
    let mut files = Files::new();
    for name in STDOUT.into_iter().chain(["stderr.txt", "exit", "summary.json"]) {
        if let Ok(text) = fs::read_to_string(case.join(name)) {
            files.insert(name.into(), text);
        }
    }
    files.extend(folder(&case.join("out"), Path::new("out")));
    files
}

/// The files of a folder that may not be there, called as if it were `shown`.
fn folder(path: &Path, shown: &Path) -> Files {
    let Ok(entries) = fs::read_dir(path) else { return Files::new() };
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.expect("the folder can be listed");
        let text = fs::read_to_string(entry.path()).expect("the file can be read");
        (shown.join(entry.file_name()), text)
    };
    entries.map(file).collect()
}

fn run(case: &Path) -> Files {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| scratch.path().join(name).to_string_lossy().into_owned();
    let text = fs::read_to_string(case.join("args")).expect("args can be read");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let line = lines.next().expect("args has a line of arguments");
    assert_eq!(lines.next(), None, "{}: one line of arguments", case.display());
    let args: Vec<String> = line
        .split_whitespace()
        .map(|arg| arg.replace("$OUT", &place("out")).replace("$SUMMARY", &place("summary.json")))
        .collect();
    let stdout_name = stdout_name(&args);
    let Ran { code, stdout, stderr } = leastrole(args).folder(case).run();
    let exit = match code {
        Some(0) => String::new(),
        Some(code) => format!("{code}\n"),
        None => "a signal\n".to_owned(),
    };
    let summary = fs::read_to_string(place("summary.json")).unwrap_or_default();
    let said = [
        (stdout_name, without_version(&stdout)),
        ("stderr.txt", stderr),
        ("exit", exit),
        ("summary.json", without_version(&summary)),
    ];
    let mut files: Files = said
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| (name.into(), text))
        .collect();
    files.extend(folder(&scratch.path().join("out"), Path::new("out")));
    files
}

/// Names for what may be printed.
const STDOUT: [&str; 5] = ["stdout.yaml", "stdout.json", "stdout.txt", "stdout.md", "stdout.diff"];

/// The name that says what is in it.
fn stdout_name(args: &[String]) -> &'static str {
    let has = |arg: &str| args.iter().any(|it| it == arg);
    match args.first().map(String::as_str) {
        _ if has("json") => "stdout.json",
        _ if has("markdown") => "stdout.md",
        _ if has("--diff") => "stdout.diff",
        Some("generate" | "tighten") => "stdout.yaml",
        _ => "stdout.txt",
    }
}

/// A release must not change the files.
fn without_version(summary: &str) -> String {
    let version = format!("\"leastrole\": \"{}\"", env!("CARGO_PKG_VERSION"));
    summary.replacen(&version, "\"leastrole\": \"VERSION\"", 1)
}

fn replace(case: &Path, expected: &Files, found: &Files) {
    for name in expected.keys().filter(|name| !found.contains_key(*name)) {
        fs::remove_file(case.join(name)).expect("the file can be removed");
    }
    for (name, text) in found {
        let path = case.join(name);
        let parent = path.parent().expect("a file is in a folder");
        fs::create_dir_all(parent).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }
}

fn difference(expected: &Files, found: &Files) -> String {
    let mut text = String::new();
    let names: BTreeSet<&PathBuf> = expected.keys().chain(found.keys()).collect();
    for name in names {
        let (old, new) = (expected.get(name), found.get(name));
        if old != new {
            let _ = writeln!(text, "{}:", name.display());
            let side = |file: Option<&String>| file.map_or("", |text| text).to_owned();
            text.push_str(&hunk(&side(old), &side(new)));
        }
    }
    text
}

/// The lines in which two texts differ: `-` expected, `+` found, with the number of the
/// line expected there.
fn hunk(old: &str, new: &str) -> String {
    const SHOWN: usize = 40;
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let changes = changes(&old, &new);
    let mut text = String::new();
    for (number, sign, line) in changes.iter().take(SHOWN) {
        let _ = writeln!(text, "  {number:>4} {sign} {line}");
    }
    if changes.len() > SHOWN {
        let _ = writeln!(text, "       and {} lines more", changes.len() - SHOWN);
    }
    text
}

/// The fewest lines to take out and put in, by their longest common subsequence.
fn changes<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(usize, char, &'t str)> {
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for (i, line) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            common[i * width + j] = if line == other {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut changes = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            changes.push((i + 1, '-', old[i]));
            i += 1;
        } else {
            changes.push((i + 1, '+', new[j]));
            j += 1;
        }
    }
    changes
}

#[test]
fn a_difference_shows_only_the_lines_that_differ() {
    let lines = |old, new| hunk(old, new).lines().map(|line| line.trim().to_owned()).collect();
    let found: Vec<String> = lines("a\nb\nc\nd\ne", "a\nx\nd\nd\ne");
    assert_eq!(found, ["2 - b", "3 - c", "4 + x", "5 + d"]);
    let found: Vec<String> = lines("a\n", "a\na\n");
    assert_eq!(found, ["2 + a"]);
    assert_eq!(hunk("", ""), "");
}
