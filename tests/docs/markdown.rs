//! The little of Markdown that the other tests read.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Every document: those at the top of the repository and those in `docs/`.
pub(super) fn documents() -> Vec<(PathBuf, String)> {
    let files = [".", "docs"].into_iter().flat_map(|folder| {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().clone())
    });
    let mut documents: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|it| it == "md")).collect();
    documents.sort();
    documents.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// A block of code and the word behind its fence.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) kind: String,
    /// Of its first line in the document, from 1.
    pub(super) line: usize,
    pub(super) lines: Vec<String>,
}

/// Splits a document into its lines of prose (by number) and its blocks of code.
pub(super) fn split(text: &str) -> (Vec<(usize, &str)>, Vec<Block>) {
    let (mut prose, mut blocks) = (Vec::new(), Vec::new());
    let mut open: Option<Block> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(kind)) => {
                open = Some(Block { kind: kind.to_owned(), line: number + 1, lines: Vec::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.lines.push(line.to_owned()),
            (None, None) => prose.push((number, line)),
        }
    }
    assert!(open.is_none(), "a block of code that starts and does not end");
    (prose, blocks)
}

/// The spans between single backticks.
pub(super) fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The anchors of a document's headings, as GitHub makes them.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let (prose, _) = split(text);
    let headings = prose.into_iter().filter_map(|(_, line)| heading(line));
    headings
        .map(|heading| {
            let anchor = anchor(heading);
            let count = seen.entry(anchor.clone()).or_default();
            *count += 1;
            if *count == 1 { anchor } else { format!("{anchor}-{}", *count - 1) }
        })
        .collect()
}

/// The text of a heading line.
pub(super) fn heading(line: &str) -> Option<&str> {
    let text = line.strip_prefix('#')?.trim_start_matches('#');
    text.strip_prefix(' ').map(str::trim)
}

/// The anchor of one heading, the first time it occurs.
pub(super) fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}
