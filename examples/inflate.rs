//! Inflates gzip files and throws the bytes away: with `leastrole`'s own reader, the time that
//! it cannot get below; with flate2 alone, what any program takes that uses it. Threads share
//! the files; one file is the work of one thread.
//!
//! `cargo run --release --example inflate -- --threads 2 --own FILE...`

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use clap::Parser;
use flate2::bufread::MultiGzDecoder;
use leastrole::source::Input;

/// As much as `leastrole` reads and inflates at a time.
const STORED: usize = 64 << 10;
const INFLATED: usize = 1 << 20;

/// Inflates gzip files and throws the bytes away
#[derive(Parser)]
struct Arguments {
    /// How many files are inflated at once
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    /// With the reader of leastrole
    #[arg(long)]
    own: bool,
    /// Files in gzip form
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> io::Result<()> {
    let Arguments { threads, own, files } = Arguments::parse();
    let next = AtomicUsize::new(0);
    let work = || -> io::Result<()> {
        let mut inflated = vec![0; INFLATED];
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            inflate(file, own, &mut inflated)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no panic"))
    })
}

fn inflate(file: &Path, own: bool, inflated: &mut [u8]) -> io::Result<()> {
    let mut reader: Box<dyn Read> = if own {
        Input::file(file.to_owned(), 0).open(&Arc::default())?
    } else {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(STORED, File::open(file)?)))
    };
    while reader.read(inflated)? > 0 {}
    Ok(())
}
