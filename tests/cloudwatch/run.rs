//! Runs the product against a server, as a process of its own.
//!
//! A process, since credentials come from the environment, which a test cannot set
//! for itself. [`Run::spawn`] and [`product`] are all that knows how the product is
//! started; the cases see a [`Run`] and an [`Outcome`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use leastrole::audit::Event;
use leastrole::source::cloudwatch::{Fetch, FetchError, Query};
use serde::{Deserialize, Serialize};
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
    pub(crate) stderr: String,
    /// What came of it, if it went well.
    pub(crate) result: Option<Found>,
}

/// What was read.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Found {
    /// Audit events, each as often as it was counted.
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
        let path = std::env::var("PATH").unwrap_or_default();
        for (name, value) in [
            ("PATH", &*path),
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

    /// Runs to the end, which is to be exit status 2, and gives what was said.
    pub(crate) fn bad(&self) -> String {
        let outcome = self.go();
        assert_eq!(outcome.status, 2, "{}", outcome.stderr);
        assert!(outcome.result.is_none(), "a read that failed gave a result");
        outcome.stderr
    }

    /// Starts it.
    pub(crate) fn spawn(&self) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "cloudwatch::run::product", "--ignored", "--nocapture"])
            .env_clear()
            .envs(&self.environment)
            .env(ARGUMENTS, self.arguments.join("\n"))
            .env(RESULT, self.result_file())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub(crate) fn outcome(&self, output: Output) -> Outcome {
        Outcome {
            status: output.status.code().unwrap_or(-1),
            stderr: String::from_utf8(output.stderr).unwrap(),
            result: fs::read(self.result_file())
                .ok()
                .map(|json| serde_json::from_slice(&json).unwrap()),
        }
    }

    fn result_file(&self) -> PathBuf {
        self.home.path().join("result.json")
    }
}

const ARGUMENTS: &str = "LEASTROLE_TEST_ARGUMENTS";
const RESULT: &str = "LEASTROLE_TEST_RESULT";
/// A file to wait for before the first line is read.
pub(crate) const STALL: &str = "LEASTROLE_TEST_STALL";

#[test]
#[ignore = "what `Run` starts, no test of its own"]
#[expect(clippy::exit, clippy::print_stderr, reason = "stands in for the program")]
fn product() {
    let arguments = std::env::var(ARGUMENTS).expect("started by `Run`");
    let arguments: Vec<&str> = arguments.split('\n').collect();
    let result = std::env::var(RESULT).unwrap();
    match read(query(&arguments)) {
        Ok(found) => {
            fs::write(result, serde_json::to_vec(&found).unwrap()).unwrap();
            std::process::exit(0);
        }
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            std::process::exit(2);
        }
    }
}

fn query(arguments: &[&str]) -> Query {
    let flag = |name: &str| {
        let at = arguments.iter().position(|argument| *argument == name)?;
        Some(arguments[at + 1].to_owned())
    };
    let time = |name| flag(name).unwrap().parse().unwrap();
    Query {
        region: flag("--region"),
        profile: flag("--profile"),
        endpoint_url: flag("--endpoint-url"),
        filter_pattern: flag("--filter-pattern"),
        max_tps: flag("--max-tps").map(|tps| tps.parse().unwrap()),
        save: flag("--save").map(Into::into),
        ..Query::cluster(&flag("--cluster").unwrap(), time("--since"), time("--until"))
    }
}

#[expect(clippy::exit, reason = "what the program does on Ctrl-C")]
fn read(query: Query) -> Result<Found, FetchError> {
    let mut fetch = Fetch::start(query, || std::process::exit(130))?;
    if let Ok(file) = std::env::var(STALL) {
        while !Path::new(&file).exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
    let mut found = Found { events: 0, names: BTreeSet::new(), streams: BTreeMap::new() };
    for line in BufReader::new(fetch.reader()).lines() {
        let Ok(line) = line else { break };
        let (_, event) = line.split_once(' ').unwrap();
        let event = Event::parse(event).unwrap_or_else(|_| Event::salvage(event).unwrap());
        found.events += 1;
        found.names.extend(event.object_ref.map(|object| object.name.to_string()));
    }
    let totals = fetch.finish()?;
    let streams = totals.streams.into_iter().map(|(name, totals)| (name, totals.events));
    found.streams = streams.collect();
    Ok(found)
}
