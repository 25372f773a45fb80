//! `docs/reference.md`, rendered from the command line.

use std::env;
use std::fmt::Write;
use std::fs;

use clap::{Arg, Command, CommandFactory};
use leastrole::cli::Cli;

const PATH: &str = "docs/reference.md";
/// The variable that has the file written anew.
const UPDATE: &str = "UPDATE_DOCS";

#[test]
fn the_reference_is_what_the_command_line_says() {
    let rendered = reference();
    if env::var_os(UPDATE).is_some() {
        return fs::write(PATH, rendered).unwrap();
    }
    let written = fs::read_to_string(PATH).unwrap();
    let lines = written.lines().map(Some).chain([None]);
    let differing =
        (1..).zip(lines.zip(rendered.lines().map(Some).chain([None]))).find(|(_, (a, b))| a != b);
    assert!(
        written == rendered,
        "{PATH} is not what the command line says, from here on: {differing:?}\n\
         `{UPDATE}=1 cargo test docs` writes it anew"
    );
}

fn reference() -> String {
    let mut program = Cli::command();
    program.build();
    let mut text = format!(
        "# Reference\n\n<!-- Written by `{UPDATE}=1 cargo test docs` from src/cli/. -->\n\n{}.\n\n",
        program.get_about().unwrap()
    );
    text.push_str("Every command takes `--help`; `leastrole --version` prints the version.\n\n");
    text.push_str("| command | |\n| --- | --- |\n");
    for command in commands(&program) {
        let (name, about) = (command.get_bin_name().unwrap(), command.get_about().unwrap());
        let _ = writeln!(text, "| [`{name}`](#{}) | {about} |", name.replace(' ', "-"));
    }
    commands(&program).for_each(|command| write_command(command, &mut text));
    text
}

fn commands(program: &Command) -> impl Iterator<Item = &Command> {
    program.get_subcommands().filter(|command| command.get_name() != "help")
}

fn write_command(command: &Command, text: &mut String) {
    let about = command.get_long_about().or(command.get_about()).unwrap();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let name = command.get_bin_name().unwrap();
    let _ = write!(text, "\n## {name}\n\n{about}\n\n```text\n{usage}\n```\n");
    let mut heading = None;
    for argument in arguments(command) {
        if heading != Some(argument.get_help_heading()) {
            heading = Some(argument.get_help_heading());
            let title = argument.get_help_heading().unwrap_or("Arguments");
            let _ = write!(text, "\n### {title}\n");
        }
        write_argument(argument, text);
    }
}

/// By heading, in the order in which the headings come first.
fn arguments(command: &Command) -> Vec<&Arg> {
    let shown = |argument: &&Arg| {
        !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
    };
    let mut arguments: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    let headings: Vec<Option<&str>> = arguments.iter().map(|it| it.get_help_heading()).collect();
    let first = |argument: &&Arg| headings.iter().position(|it| *it == argument.get_help_heading());
    arguments.sort_by_key(first);
    arguments
}

fn write_argument(argument: &Arg, text: &mut String) {
    let help = argument.get_long_help().or(argument.get_help()).unwrap();
    let _ = write!(text, "\n#### `{}`\n\n{help}\n", usage(argument));
    let values = argument.get_possible_values();
    if !values.is_empty() {
        text.push('\n');
    }
    for value in values {
        let help = value.get_help().map(|help| format!(": {help}")).unwrap_or_default();
        let _ = writeln!(text, "- `{}`{help}", value.get_name());
    }
    for default in argument.get_default_values().iter().filter(|_| takes_value(argument)) {
        let _ = write!(text, "\nDefault: `{}`\n", default.display());
    }
}

fn takes_value(argument: &Arg) -> bool {
    argument.get_num_args().is_some_and(|range| range.takes_values())
}

/// `-n, --namespace <NS>`, or `<LOG>...`.
fn usage(argument: &Arg) -> String {
    if argument.is_positional() {
        return argument.to_string();
    }
    let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let mut usage = format!("{short}--{}", argument.get_long().unwrap());
    for name in argument.get_value_names().filter(|_| takes_value(argument)).unwrap_or_default() {
        let _ = write!(usage, " <{name}>");
    }
    usage
}
