//! Writes an audit log of any size, grown from the real ones in `testdata/`.
//!
//! `cargo run --release --example amplify -- --mb 1000 -o log.ndjson`

#[path = "../benches/amplify/mod.rs"]
mod amplify;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Parser;

use amplify::{Amplifier, Growth};

/// Grows a real audit log to a size
#[derive(Parser)]
struct Arguments {
    /// How much to write, in millions of bytes
    #[arg(long, value_name = "N", default_value_t = 100)]
    mb: u64,
    #[command(flatten)]
    growth: Growth,
    /// Write to a file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let out: Box<dyn Write> = match &arguments.output {
        Some(path) => Box::new(File::create(path)?),
        None => Box::new(io::stdout().lock()),
    };
    let mut out = BufWriter::with_capacity(1 << 20, out);
    Amplifier::new(arguments.growth).write(&mut out, arguments.mb * 1_000_000)
}
