//! A server process that cannot outlive the harness.
//!
//! Each runs under a small shell that holds one end of a pipe; the other end is
//! ours alone. When we drop it, or are killed in whatever way, the pipe closes
//! and the shell kills the server. No process IDs to poll and no signal handler.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

const GUARD: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -KILL "$server"; } 2>/dev/null &
guard=$!
exec 3<&-
wait "$server"
status=$?
kill "$guard" 2>/dev/null
exit "$status"
"#;

/// How many of its last log lines an error shows.
const LOG_TAIL: usize = 30;

/// A running server; it is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program`, its output going to `<folder>/<name>.log`.
    pub(super) fn start(program: &Path, args: &[String], folder: &Path) -> Result<Self> {
        let name = program.file_name().context("a program has a name")?.to_string_lossy();
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let child = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard"])
            .arg(program)
            .args(args)
            .current_dir(folder)
            // Out of the terminal's group, so that Ctrl-C ends us first and them through us.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.into_owned(), child, log })
    }

    /// An error with the end of the log where the process has ended.
    pub(super) fn check_running(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended by itself ({status}):\n{}", self.name, self.log_tail());
        }
        Ok(())
    }

    /// The last lines of its log.
    pub(super) fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // The guard has nothing left to do but to end; a failure to wait changes nothing.
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_dropped_process_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(Path::new("/bin/sleep"), &["600".into()], folder.path());
        let process = process.unwrap();
        let sleeping = server_of(&process);
        drop(process);
        assert!(!Path::new(&format!("/proc/{sleeping}")).exists(), "{sleeping} still runs");
    }

    /// Its process ID, once the shell has started both it and the guard.
    fn server_of(process: &Process) -> String {
        let shell = process.child.id();
        loop {
            let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
            if let [server, _guard] = *children.unwrap().split_whitespace().collect::<Vec<_>>() {
                return server.to_owned();
            }
            std::thread::yield_now();
        }
    }

    /// Runs itself once more as a harness with a server, and ends that as nothing can prevent.
    #[test]
    fn a_killed_harness_leaves_nothing_running() {
        const IS_HARNESS: &str = "LEASTROLE_E2E_TO_BE_KILLED";
        if std::env::var_os(IS_HARNESS).is_some() {
            return serve_for_long();
        }
        let mut harness = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg("harness::process::tests::a_killed_harness_leaves_nothing_running")
            .env(IS_HARNESS, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(harness.stdout.take().unwrap()).lines();
        let server = lines.find_map(|line| Some(line.unwrap().strip_prefix("server ")?.to_owned()));
        let server = PathBuf::from(format!("/proc/{}", server.unwrap()));
        assert!(server.exists());
        harness.kill().unwrap();
        harness.wait().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while server.exists() && !is_zombie(&server) {
            assert!(Instant::now() < deadline, "{} still runs", server.display());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn serve_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(Path::new("/bin/sleep"), &["600".into()], folder.path());
        // Not dropped before this harness is killed, which would end the server as well.
        let process = process.unwrap();
        println!("\nserver {}", server_of(&process));
        std::thread::sleep(Duration::from_mins(10));
    }

    /// Ended, and nobody there to notice.
    fn is_zombie(process: &Path) -> bool {
        fs::read_to_string(process.join("stat")).is_ok_and(|stat| stat.contains(") Z "))
    }

    #[test]
    fn an_ended_process_is_reported_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut process =
            Process::start(Path::new("/bin/ls"), &["/nowhere-at-all".into()], folder.path())
                .unwrap();
        let error = loop {
            if let Err(error) = process.check_running() {
                break error.to_string();
            }
        };
        assert!(error.contains("nowhere-at-all"), "{error}");
    }
}
