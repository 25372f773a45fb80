//! Jobs and commands that the documents show and no test can run: their YAML is YAML, and
//! their flags are flags of the program.

use serde_json::Value;

use super::markdown::{documents, split};
use crate::conformance_rbac::yaml;

#[test]
fn the_flags_of_jobs_and_shell_blocks_exist() {
    let reference = std::fs::read_to_string("docs/reference.md").unwrap();
    let known = |flag: &str| {
        let flag = flag.split('=').next().unwrap();
        reference.contains(&format!("{flag}`")) || reference.contains(&format!("{flag} <"))
    };
    let (mut jobs, mut flags) = (0, 0);
    for (path, text) in documents() {
        for block in split(&text).1 {
            let lines = block.lines.join("\n");
            let mut commands = Vec::new();
            match block.kind.as_str() {
                "yaml" => {
                    jobs += 1;
                    collect(&yaml(&lines), &mut commands);
                }
                "sh" => commands.push(lines),
                _ => {}
            }
            let commands = commands.iter().map(|command| command.replace("\\\n", " "));
            for line in commands.flat_map(|it| it.lines().map(str::to_owned).collect::<Vec<_>>()) {
                let words = line.split_whitespace().skip_while(|word| *word != "leastrole");
                let own = words.take_while(|word| !matches!(*word, "|" | "||" | "&&" | ">"));
                for flag in own.filter(|word| word.starts_with("--")) {
                    assert!(known(flag), "{}:{}: {flag}", path.display(), block.line);
                    flags += 1;
                }
            }
        }
    }
    assert!(jobs >= 2 && flags >= 20, "{jobs} jobs, {flags} flags");
}

/// All texts in a document.
fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, texts)),
        _ => {}
    }
}
