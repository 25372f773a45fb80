//! What the documents point at is there: files, headings, tests, rows of tables.

use std::fs;
use std::path::{Path, PathBuf};

use super::markdown::{anchors, documents, spans, split};

#[test]
fn links_between_documents_lead_to_files_and_headings() {
    let broken: Vec<String> = documents()
        .iter()
        .flat_map(|(path, text)| links(text).map(move |link| (path, link)))
        .filter_map(|(path, (line, target))| {
            let cause = broken(path, target)?;
            Some(format!("{}:{line}: {target}: {cause}", path.display()))
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Targets of links in prose, with their lines.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let (prose, _) = split(text);
    prose.into_iter().flat_map(|(number, line)| {
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.map(move |(target, _)| (number, target))
    })
}

fn broken(document: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match file {
        "" => document.to_path_buf(),
        file => document.parent().unwrap().join(file),
    };
    if !path.exists() {
        return Some("no such file".to_owned());
    }
    if anchor.is_empty() {
        return None;
    }
    let found = anchors(&fs::read_to_string(path).unwrap());
    (!found.iter().any(|it| it == anchor)).then(|| format!("no such heading among {found:?}"))
}

#[test]
fn paths_tests_and_table_rows_that_are_named_exist() {
    let sources = contents(&["src", "tests"], "rs");
    let tables = contents(&["testdata/conformance"], "");
    let mut missing = Vec::new();
    for (path, text) in documents() {
        for (number, line) in split(&text).0 {
            for span in spans(line).filter(|span| !exists(span, &sources, &tables)) {
                missing.push(format!("{}:{number}: {span}", path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Whether a span names nothing in this repository, or something that is there.
fn exists(span: &str, sources: &str, tables: &str) -> bool {
    let folders = ["src/", "tests/", "testdata/", "docs/", "benches/", ".ci/"];
    if folders.iter().any(|folder| span.starts_with(folder)) && !span.contains(['<', '*', ' ']) {
        return Path::new(span).exists();
    }
    if is_test_name(span) {
        return sources.contains(&format!("fn {span}("));
    }
    if is_row(span) {
        return tables.lines().any(|line| {
            let line = line.trim_start_matches("- id: ");
            line.split('\t').next() == Some(span)
        });
    }
    true
}

/// Names of tests here are sentences.
fn is_test_name(span: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    span.split('_').count() > 3 && span.split('_').all(is_word)
}

/// `E48`: a row of a table in `testdata/conformance`.
fn is_row(span: &str) -> bool {
    let digits = span.trim_start_matches(['A', 'B', 'C', 'D', 'E']).trim_end_matches('b');
    digits.len() + 1 == span.trim_end_matches('b').len()
        && (2..=3).contains(&digits.len())
        && digits.chars().all(|c| c.is_ascii_digit())
}

/// All files of an extension (or any) below the folders, one after the other.
fn contents(folders: &[&str], extension: &str) -> String {
    let mut waiting: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    let mut text = String::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if extension.is_empty() || path.extension().is_some_and(|it| it == extension) {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    text
}
