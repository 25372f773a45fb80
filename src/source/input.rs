//! One input: what it is called and how it is opened.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::peel::peel;

/// A stream of bytes with a name: a file, the standard input, or any reader.
pub struct Input {
    name: Arc<str>,
    origin: Origin,
    size: u64,
}

enum Origin {
    File(PathBuf),
    Stdin,
    Stream(Box<dyn Read + Send>),
}

impl Input {
    /// A file of `size` bytes, opened when its turn comes.
    pub fn file(path: PathBuf, size: u64) -> Self {
        Self { name: path.to_string_lossy().into(), origin: Origin::File(path), size }
    }

    /// The standard input.
    pub fn stdin() -> Self {
        Self { name: "-".into(), origin: Origin::Stdin, size: 0 }
    }

    /// Bytes from elsewhere. A reader that waits (for a network, say) must not
    /// wait for work on the thread pool that reads it.
    pub fn stream(name: &str, stream: Box<dyn Read + Send>) -> Self {
        Self { name: name.into(), origin: Origin::Stream(stream), size: 0 }
    }

    /// What to call it in messages.
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// Stored bytes, 0 where unknown.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The inflated bytes. What is read from storage is counted in `progress`.
    ///
    /// # Errors
    ///
    /// The operating system's, and a [`Flaw`](super::Flaw) for a format that is not read.
    pub fn open(self, progress: &Arc<Progress>) -> io::Result<Box<dyn Read + Send>> {
        let stream: Box<dyn Read + Send> = match self.origin {
            Origin::File(path) => Box::new(File::open(path)?),
            Origin::Stdin => Box::new(io::stdin()),
            Origin::Stream(stream) => stream,
        };
        peel(Box::new(Metered { stream, progress: Arc::clone(progress) }))
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// How far the reading has come, to be looked at from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    /// Stored bytes read so far.
    pub done: AtomicU64,
    /// Stored bytes in all, as far as their number is known beforehand.
    pub total: AtomicU64,
}

struct Metered {
    stream: Box<dyn Read + Send>,
    progress: Arc<Progress>,
}

impl Read for Metered {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(out)?;
        self.progress.done.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
