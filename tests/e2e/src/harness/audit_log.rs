//! Reads the audit log while the server writes it.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

/// An event is written before or soon after its response: longer means never.
const PATIENCE: Duration = Duration::from_secs(5);

/// The audit log of a cluster, read from where it was read last.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    offset: u64,
    /// The lines read so far, as written.
    lines: Vec<String>,
}

impl AuditLog {
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), offset: 0, lines: Vec::new() }
    }

    /// All lines written so far.
    pub fn lines(&mut self) -> Result<&[String]> {
        self.read_on()?;
        Ok(&self.lines)
    }

    /// Leaves out all that has been written so far.
    pub fn skip_to_end(&mut self) -> Result<()> {
        self.read_on()?;
        self.lines.clear();
        Ok(())
    }

    /// Waits until `found` accepts the log as complete, or until nothing more can be expected.
    /// Says whether it did.
    pub fn wait_until(&mut self, mut found: impl FnMut(&[String]) -> bool) -> Result<bool> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if found(self.lines()?) {
                return Ok(true);
            }
            if Instant::now() > deadline {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn read_on(&mut self) -> Result<()> {
        let Ok(mut file) = File::open(&self.path) else { return Ok(()) };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut reader = BufReader::new(file);
        let mut line = String::new();
        // A line without its end is still being written.
        while reader.read_line(&mut line)? > 0 && line.ends_with('\n') {
            self.offset += line.len() as u64;
            self.lines.push(line.trim_end().to_owned());
            line.clear();
        }
        Ok(())
    }
}
