//! The stages of reading, each on its own and all together.
//!
//! `cargo bench --bench stages`; throughput is in inflated bytes.

mod amplify;

use std::hint::black_box;
use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use amplify::{Amplifier, Growth, Log, Only};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use flate2::Compression;
use flate2::write::GzEncoder;
use leastrole::audit::Event;
use leastrole::decode::{Consumer, Dialect, Framing, LineLedger, Origin, Tally, UsageRow, decode};
use leastrole::pipeline::{ReadOptions, read};
use leastrole::source::{Block, Blocks, Buffers, Input, Inputs, Progress};

const SIZE: usize = 64 << 20;
const BLOCK: usize = 1 << 20;
const LIMIT: usize = 16 << 20;

/// Looks at every event, and keeps only a sum.
#[derive(Default)]
struct Sum(u64);

impl Consumer for Sum {
    fn event(&mut self, event: &Event<'_>) {
        self.0 += event.request_uri.len() as u64 + u64::from(event.code());
    }

    fn usage_row(&mut self, _: &UsageRow<'_>) {}
}

/// A log of [`SIZE`] bytes under the audit policy of EKS.
fn grown() -> String {
    let growth = Growth { log: Log::EksPolicy, only: Only::All, identities: 0, needs: 0 };
    let mut log = Vec::new();
    Amplifier::new(growth).write(&mut log, SIZE as u64).expect("memory");
    String::from_utf8(log).expect("UTF-8")
}

fn gzip(log: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(log).expect("memory");
    encoder.finish().expect("memory")
}

fn open(bytes: &Arc<[u8]>) -> Box<dyn Read + Send> {
    let input = Input::stream("log", Box::new(Cursor::new(Arc::clone(bytes))));
    input.open(&Arc::new(Progress::default())).expect("memory")
}

/// Calls `each` with every block of `bytes`.
fn for_each_block(bytes: &Arc<[u8]>, mut each: impl FnMut(&Block)) {
    let buffers = Buffers::new(2, BLOCK);
    let mut framing = Framing::new(BLOCK, LIMIT);
    let mut blocks = Blocks::new(open(bytes), BLOCK, &buffers);
    while let Some(block) = blocks.next(&mut framing) {
        each(&block);
        buffers.put(block.into_buffer());
    }
}

fn blocks(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, bytes: &Arc<[u8]>) {
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            for_each_block(bytes, |block| {
                black_box(block.bytes().len());
            });
        });
    });
}

fn decoding(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, bytes: &Arc<[u8]>) {
    let dialect = Arc::new(Dialect::Plain);
    let mut read = Vec::new();
    for_each_block(bytes, |block| read.push(block.clone()));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let (mut sum, mut tally) = (Sum::default(), Tally::default());
            let (dialect, lines) = (Arc::clone(&dialect), LineLedger::default());
            let origin = Origin { name: "log".into(), dialect, record_limit: LIMIT, lines };
            for block in &read {
                decode(block, &origin, &mut sum, &mut tally);
            }
            assert!(tally.malformed == 0 && tally.not_audit == 0, "{tally:?}");
            (sum.0, tally)
        });
    });
}

fn whole(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    parts: &[Arc<[u8]>],
    threads: usize,
) {
    let options = ReadOptions { threads, ..ReadOptions::default() };
    group.bench_function(format!("{name}, {threads} threads"), |bencher| {
        bencher.iter(|| {
            let stream = |part: &Arc<[u8]>| Box::new(Cursor::new(Arc::clone(part)));
            let found = parts.iter().map(|part| Input::stream("log", stream(part))).collect();
            let inputs = Inputs { found, unreachable: Vec::new() };
            read(inputs, &options, Sum::default).expect("threads").1
        });
    });
}

fn stages(criterion: &mut Criterion) {
    let log = grown();
    let lines: Vec<&str> = log.lines().collect();
    let size = log.len();
    let export: String =
        lines.iter().flat_map(|line| ["2026-11-20T09:15:02.113Z ", *line, "\n"]).collect();
    let messages: Vec<_> =
        lines.iter().map(|line| serde_json::json!({"timestamp": 1, "message": line})).collect();
    let wrapped = serde_json::json!({"events": messages}).to_string();
    let parts: Vec<Arc<[u8]>> = lines
        .chunks(lines.len() / 16 + 1)
        .map(|part| gzip(part.join("\n").as_bytes()).into())
        .collect();
    let stored: Arc<[u8]> = gzip(log.as_bytes()).into();
    let [log, export, wrapped] =
        [log, export, wrapped].map(|text| Arc::<[u8]>::from(text.into_bytes()));

    let mut group = criterion.benchmark_group("stages");
    group.sample_size(10).throughput(Throughput::Bytes(size as u64));
    blocks(&mut group, "blocks of lines", &log);
    blocks(&mut group, "blocks of one opened value", &wrapped);
    blocks(&mut group, "inflate", &stored);
    decoding(&mut group, "decode lines", &log);
    decoding(&mut group, "decode S3 export lines", &export);
    decoding(&mut group, "decode messages in one value", &wrapped);
    for threads in [1, 2] {
        whole(&mut group, "plain", std::slice::from_ref(&log), threads);
        whole(&mut group, "one gzip", std::slice::from_ref(&stored), threads);
        whole(&mut group, "16 gzip parts", &parts, threads);
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
