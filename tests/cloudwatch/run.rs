//! Runs the program against a server.
//!
//! A process of its own, with nothing of the tester's environment. [`Run::spawn`] is all
//! that knows how it is started; the cases see a [`Run`] and an [`Outcome`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::events::{SINCE, UNTIL};

/// A command line with its environment.
pub(crate) struct Run {
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    home: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// What the summary says, if it came to one.
    pub(crate) result: Option<Found>,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Found {
    /// Audit events that count, each as often as it was counted.
    pub(crate) events: u64,
    /// The objects that the events are about.
    pub(crate) names: BTreeSet<String>,
    /// Events of each stream.
    pub(crate) streams: BTreeMap<String, u64>,
}

impl Run {
    /// Reads the cluster `prod` from the server at `url`, faster than AWS would allow.
    pub(crate) fn new(url: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut run = Self { arguments: Vec::new(), environment: BTreeMap::new(), home };
        run = run
            .arg("--cluster", "prod")
            .arg("--region", "us-east-1")
            .arg("--max-tps", "200")
            .arg("--endpoint-url", url)
            .arg("--since", SINCE)
            .arg("--until", UNTIL);
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            // Whatever would leave the machine ends here.
            ("HTTP_PROXY", "http://127.0.0.1:1"),
            ("HTTPS_PROXY", "http://127.0.0.1:1"),
            ("NO_PROXY", "127.0.0.1"),
        ] {
            run = run.env(name, value);
        }
        let home = run.home.path().to_str().unwrap().to_owned();
        run.env("HOME", &home)
    }

    /// At the speed that AWS allows in `region`.
    pub(crate) fn region(self, region: &str) -> Self {
        self.arg("--region", region).without_arg("--max-tps")
    }

    /// Sets a flag, instead of an earlier one of the same name.
    pub(crate) fn arg(mut self, flag: &str, value: &str) -> Self {
        self = self.without_arg(flag);
        self.arguments.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    pub(crate) fn without_arg(mut self, flag: &str) -> Self {
        if let Some(at) = self.arguments.iter().position(|argument| argument == flag) {
            self.arguments.drain(at..at + 2);
        }
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    pub(crate) fn without_credentials(self) -> Self {
        self.without_env("AWS_ACCESS_KEY_ID").without_env("AWS_SECRET_ACCESS_KEY")
    }

    /// Writes a file below the home folder and gives its path.
    pub(crate) fn home_file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs to the end.
    pub(crate) fn go(&self) -> Outcome {
        self.outcome(self.spawn().wait_with_output().unwrap())
    }

    /// Runs to the end, which is to be a good one.
    pub(crate) fn good(&self) -> Found {
        let outcome = self.go();
        assert_eq!(outcome.status, 0, "{}", outcome.stderr);
        outcome.result.unwrap()
    }

    /// Runs to the end, which is to be exit status 2 without any roles, and gives what
    /// was said.
    pub(crate) fn bad(&self) -> String {
        let outcome = self.go();
        assert_eq!(outcome.status, 2, "{}", outcome.stderr);
        outcome.assert_gave_nothing();
        outcome.stderr
    }

    /// Starts it.
    pub(crate) fn spawn(&self) -> Child {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.command(&arguments).spawn().unwrap()
    }

    /// What `generate` prints for the log at `path`, in the time of this run.
    pub(crate) fn generate_offline(&self, path: &Path) -> String {
        let range = ["--since", SINCE, "--until", UNTIL, path.to_str().unwrap()];
        let output = self.command(&range).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// `generate`, as it stands ready to be started.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leastrole"));
        command
            .args(["generate", "--names", "exact", "--summary-json"])
            .arg(self.summary())
            .args(arguments)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn outcome(&self, output: Output) -> Outcome {
        Outcome {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            result: fs::read(self.summary()).ok().map(|json| Found::of(&json)),
        }
    }

    fn summary(&self) -> PathBuf {
        self.home.path().join("summary.json")
    }
}

impl Outcome {
    /// Neither roles nor a summary: a part of a log is not passed off as the whole.
    pub(crate) fn assert_gave_nothing(&self) {
        assert_eq!(self.stdout, "", "a run that failed printed roles");
        assert!(self.result.is_none(), "a run that failed gave a summary");
    }
}

impl Found {
    fn of(summary: &[u8]) -> Self {
        let summary: Value = serde_json::from_slice(summary).unwrap();
        let list = |value: &Value| value.as_array().unwrap().clone();
        let needs = list(&summary["identities"]).into_iter().flat_map(|it| list(&it["needs"]));
        let stream = |stream: &Value| {
            assert_eq!(stream.as_object().unwrap().len(), 2, "as docs/summary.md has it");
            (stream["name"].as_str().unwrap().to_owned(), stream["events"].as_u64().unwrap())
        };
        Self {
            events: summary["events"]["used"].as_u64().unwrap(),
            names: needs.map(|need| need["name"].as_str().unwrap().to_owned()).collect(),
            streams: list(&summary["input"]["streams"]).iter().map(stream).collect(),
        }
    }
}
