//! The real binary: arguments and input go in, what it said and how it ended come out.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// One run to be.
pub(crate) struct Program {
    command: Command,
    input: Vec<u8>,
}

/// What a run said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit status; nothing where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// `leastrole ARGS...`, free of what the environment of the tests may ask for.
pub(crate) fn leastrole<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leastrole"));
    command.args(args);
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Program { command, input: Vec::new() }
}

/// `leastrole generate ARGS... -` with `log` on standard input.
pub(crate) fn generate(args: &[&str], log: impl Into<Vec<u8>>) -> Program {
    leastrole([&["generate"], args, &["-"]].concat()).input(log)
}

impl Program {
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    pub(crate) fn env(mut self, key: &str, value: &str) -> Self {
        self.command.env(key, value);
        self
    }

    pub(crate) fn folder(mut self, path: &Path) -> Self {
        self.command.current_dir(path);
        self
    }

    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self
    }

    pub(crate) fn run(self) -> Ran {
        self.run_after(|_| ())
    }

    /// Does something to the program before it gets its input.
    pub(crate) fn run_after(mut self, meddle: impl FnOnce(&mut Child)) -> Ran {
        let mut child = self.command.spawn().expect("the binary starts");
        meddle(&mut child);
        let mut stdin = child.stdin.take().expect("standard input is piped");
        let feed = std::thread::spawn(move || {
            // A program that ended early leaves its input unread.
            let _ = stdin.write_all(&self.input);
        });
        let output = child.wait_with_output().expect("the binary ends");
        feed.join().expect("the input was written");
        Ran::from(output)
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ran {
    /// The same run, which must have ended well.
    #[track_caller]
    pub(crate) fn clean(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }
}

/// What `--summary-json` says about a run of `generate ARGS... -`, and the run.
#[track_caller]
pub(crate) fn summarized(args: &[&str], log: impl Into<Vec<u8>>) -> (Value, Ran) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("summary.json");
    let path_text = path.to_str().expect("the path is UTF-8");
    let ran = generate(&[args, &["--summary-json", path_text]].concat(), log).run().clean();
    let json = std::fs::read(&path).expect("the summary was written");
    (serde_json::from_slice(&json).expect("the summary is JSON"), ran)
}

/// What a summary says about one identity, by its `name`.
#[track_caller]
pub(crate) fn identity<'s>(summary: &'s Value, name: &str) -> &'s Value {
    let identities = summary["identities"].as_array().expect("a list of identities");
    let found = identities.iter().find(|identity| identity["name"] == name);
    found.unwrap_or_else(|| panic!("no identity {name} in {identities:#?}"))
}
