//! What a `console` block shows is what the program prints.
//!
//! A line `$ COMMAND` is run by a shell in a folder of its own where `testdata` is; the
//! lines below it are what it prints, both streams together. A line `...` stands for any
//! number of lines. The blocks of one document are run in order, in the same folder.

use std::path::Path;
use std::process::Command;

use super::markdown::{Block, documents, split};

#[test]
fn console_blocks_show_what_the_program_prints() {
    let mut failures = Vec::new();
    let mut commands = 0;
    for (path, text) in documents() {
        let blocks = split(&text).1.into_iter().filter(|block| block.kind == "console");
        let folder = tempfile::tempdir().unwrap();
        let testdata = std::env::current_dir().unwrap().join("testdata");
        std::os::unix::fs::symlink(testdata, folder.path().join("testdata")).unwrap();
        for (line, command, expected) in blocks.flat_map(|block| steps(&block)) {
            commands += 1;
            let printed = run(&command, folder.path());
            let lines: Vec<&str> = printed.lines().map(str::trim_end).collect();
            let expected: Vec<&str> = expected.iter().map(|line| line.trim_end()).collect();
            if !matches(&expected, &lines) {
                failures.push(format!("{}:{line}: $ {command}\n{printed}", path.display()));
            }
        }
    }
    assert!(failures.is_empty(), "printed otherwise than shown:\n{}", failures.join("\n"));
    assert!(commands > 0, "no console block was found");
}

/// The commands of a block, each with its line and what it is shown to print.
fn steps(block: &Block) -> Vec<(usize, String, Vec<String>)> {
    let mut steps: Vec<(usize, String, Vec<String>)> = Vec::new();
    for (number, line) in (block.line..).zip(&block.lines) {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((number, command.to_owned(), Vec::new())),
            (None, Some((_, command, shown))) => match command.strip_suffix('\\') {
                Some(begun) if shown.is_empty() => *command = format!("{begun}{}", line.trim()),
                _ => shown.push(line.clone()),
            },
            (None, None) => panic!("a console block starts with `$ `, not with {line:?}"),
        }
    }
    steps
}

fn run(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_leastrole"));
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .env("PATH", format!("{}:{path}", program.parent().unwrap().display()))
        .env("LC_ALL", "C")
        .current_dir(folder)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Whether the printed lines are the shown ones, `...` standing for any number.
fn matches(shown: &[&str], printed: &[&str]) -> bool {
    match shown {
        [] => printed.is_empty(),
        [first, rest @ ..] if first.trim() == "..." => {
            (0..=printed.len()).any(|left_out| matches(rest, &printed[left_out..]))
        }
        [first, rest @ ..] => printed.first() == Some(first) && matches(rest, &printed[1..]),
    }
}

#[test]
fn dots_stand_for_any_number_of_lines() {
    let printed = ["a", "b", "c"];
    assert!(matches(&["a", "...", "c"], &printed));
    assert!(matches(&["...", "a", "b", "c", "..."], &printed));
    assert!(!matches(&["a", "...", "b"], &printed));
    assert!(!matches(&["a", "b"], &printed));
}
