//! Keeps what is read, as gzip files of one event a line.
//!
//! In: the reader's lines. Out: files in the user's folder, all at once when the read
//! is whole, none of them otherwise. Until then they stand in a hidden folder there.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::batch::ENVELOPE;
use super::error::FetchError;
use super::query::Query;

/// Compressed bytes after which a new file is begun.
const PART: u64 = 64 << 20;

/// Writes the parts of one read.
pub(super) struct Saver {
    folder: PathBuf,
    /// What the files' names start with.
    stem: String,
    part_size: u64,
    /// Finished parts and the one being written, under their later names.
    hidden: TempDir,
    parts: usize,
    current: Option<GzEncoder<Counted>>,
    scraps: Scraps,
}

impl Saver {
    /// Makes the folder if need be.
    pub(super) fn open(folder: &Path, query: &Query, scraps: Scraps) -> Result<Self, FetchError> {
        let stem = stem(query);
        let first = folder.join(name(&stem, 1));
        if first.exists() {
            return Err(failure(&first, &"this range of time is saved there already"));
        }
        fs::create_dir_all(folder).map_err(|error| failure(folder, &error))?;
        let hidden = tempfile::Builder::new()
            .prefix(".leastrole-")
            .tempdir_in(folder)
            .map_err(|error| failure(folder, &error))?;
        scraps.set(Some(hidden.path().to_owned()));
        let folder = folder.to_owned();
        Ok(Self { folder, stem, part_size: PART, hidden, parts: 0, current: None, scraps })
    }

    /// Writes whole lines.
    pub(super) fn write(&mut self, lines: &str) -> Result<(), FetchError> {
        self.try_write(lines).map_err(|error| failure(&self.folder, &error))
    }

    /// Moves all parts to where they belong.
    pub(super) fn publish(mut self) -> Result<(), FetchError> {
        self.try_publish().map_err(|error| failure(&self.folder, &error))?;
        self.scraps.set(None);
        Ok(())
    }

    fn try_write(&mut self, lines: &str) -> io::Result<()> {
        let mut part = match self.current.take() {
            Some(part) => part,
            None => self.next_part()?,
        };
        for line in lines.split_inclusive('\n') {
            part.write_all(kept(line).as_bytes())?;
        }
        if part.get_ref().written < self.part_size {
            self.current = Some(part);
            return Ok(());
        }
        finish(part)
    }

    fn next_part(&mut self) -> io::Result<GzEncoder<Counted>> {
        self.parts += 1;
        let file = File::create_new(self.hidden.path().join(name(&self.stem, self.parts)))?;
        let counted = Counted { file: BufWriter::with_capacity(64 << 10, file), written: 0 };
        Ok(GzEncoder::new(counted, Compression::fast()))
    }

    fn try_publish(&mut self) -> io::Result<()> {
        if let Some(part) = self.current.take() {
            finish(part)?;
        }
        for part in 1..=self.parts {
            let name = name(&self.stem, part);
            fs::rename(self.hidden.path().join(&name), self.folder.join(&name))?;
        }
        Ok(())
    }
}

/// Where the unfinished files are, for whoever has to clean up in a hurry.
#[derive(Clone, Debug, Default)]
pub(super) struct Scraps(Arc<Mutex<Option<PathBuf>>>);

impl Scraps {
    fn set(&self, path: Option<PathBuf>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = path;
    }

    /// Removes them, as far as that is possible.
    pub(super) fn remove(&self) {
        if let Some(path) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// What is kept of a line: the event alone, except where its end was cut off. Such an
/// event has lost its own times, so that CloudWatch's stays before it.
fn kept(line: &str) -> &str {
    let event = line.get(ENVELOPE..).unwrap_or(line);
    if event.trim_end().ends_with('}') { event } else { line }
}

fn finish(part: GzEncoder<Counted>) -> io::Result<()> {
    let file = part.finish()?.file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

/// `aws-eks-prod-cluster_20261120T090000Z_20261121T090000Z`
fn stem(query: &Query) -> String {
    let readable = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let group: String = query.group.trim_matches('/').chars().map(readable).collect();
    let time = |time: jiff::Timestamp| {
        let text = format!("{time:.0}");
        text.replace(['-', ':'], "")
    };
    format!("{group}_{}_{}", time(query.since), time(query.until))
}

fn name(stem: &str, part: usize) -> String {
    format!("{stem}_{part:04}.ndjson.gz")
}

fn failure(path: &Path, error: &impl ToString) -> FetchError {
    FetchError::Save { path: path.to_owned(), detail: error.to_string() }
}

/// A file that knows its length.
struct Counted {
    file: BufWriter<File>,
    written: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn query() -> Query {
        let time = |text: &str| text.parse().unwrap();
        Query::cluster("prod", time("2026-11-20T09:00:00Z"), time("2026-11-21T09:00:00Z"))
    }

    fn saver(folder: &Path) -> Saver {
        Saver::open(folder, &query(), Scraps::default()).unwrap()
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn text(path: &Path) -> String {
        let mut text = String::new();
        GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        text
    }

    const LINE: &str = "2026-11-20T09:15:02.113Z {\"kind\":\"Event\"}\n";

    #[test]
    fn files_appear_when_the_read_is_whole_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut saver = saver(folder.path());
        saver.write(LINE).unwrap();
        assert!(files(folder.path()).iter().all(|name| name.starts_with('.')));
        saver.publish().unwrap();
        let name = "aws-eks-prod-cluster_20261120T090000Z_20261121T090000Z_0001.ndjson.gz";
        assert_eq!(files(folder.path()), [name]);
        assert_eq!(text(&folder.path().join(name)), "{\"kind\":\"Event\"}\n");
    }

    #[test]
    fn a_read_that_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut saver = saver(folder.path());
        saver.write(LINE).unwrap();
        drop(saver);
        assert!(files(folder.path()).is_empty());
    }

    #[test]
    fn a_read_that_is_interrupted_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let scraps = Scraps::default();
        let mut saver = Saver::open(folder.path(), &query(), scraps.clone()).unwrap();
        saver.write(LINE).unwrap();
        scraps.remove();
        assert!(files(folder.path()).is_empty());
        std::mem::forget(saver);
    }

    #[test]
    fn parts_are_rotated_and_hold_every_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut saver = saver(folder.path());
        saver.part_size = 1;
        for part in 0..3 {
            // More than the encoder holds back, whatever it does.
            let numbered = |i: u32| format!("{}{{{part}{i}}}", &LINE[..ENVELOPE]);
            let lines: Vec<String> = (0..20_000).map(numbered).collect();
            let lines = lines.join(
                "
",
            ) + "
";
            saver.write(&lines).unwrap();
        }
        saver.publish().unwrap();
        let names = files(folder.path());
        assert_eq!(names.len(), 3);
        let lines: usize =
            names.iter().map(|name| text(&folder.path().join(name)).lines().count()).sum();
        assert_eq!(lines, 60_000);
    }

    #[test]
    fn an_event_that_was_cut_off_keeps_the_time_it_has_left() {
        let cut = "2026-11-20T09:15:02.113Z {\"kind\":\"Event\",\"level[Truncated...]\n";
        assert_eq!(kept(cut), cut);
        assert_eq!(kept(LINE), "{\"kind\":\"Event\"}\n");
    }

    #[test]
    fn what_is_saved_already_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = saver(folder.path());
        first.write(LINE).unwrap();
        first.publish().unwrap();
        let second = Saver::open(folder.path(), &query(), Scraps::default());
        assert!(matches!(second.err(), Some(FetchError::Save { .. })));
    }
}
