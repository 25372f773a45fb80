//! What must hold for any bytes at all.

use std::fmt;
use std::sync::LazyLock;

use leastrole::pipeline::ReadOptions;
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::collect::{cluster_log, options, read_bytes, testdata};
use super::line_numbers::wrong_lines;

/// Every shape, and some lines of a real log in two layouts.
static LOGS: LazyLock<Vec<Log>> = LazyLock::new(|| {
    let table = std::fs::read_to_string(testdata("shapes/expected.tsv")).expect("the table");
    let names = table.lines().skip(1).filter_map(|line| line.split('\t').next());
    let shape = |name: &str| {
        let bytes = std::fs::read(testdata("shapes").join(name)).expect("a shape");
        Log { name: name.to_owned(), bytes }
    };
    let mut logs: Vec<Log> = names.map(shape).collect();
    let log = cluster_log("eks-policy.ndjson.gz");
    let lines: Vec<_> = log.lines().take(30).collect();
    logs.push(Log { name: "lines".to_owned(), bytes: lines.join("\n").into_bytes() });
    logs.push(Log { name: "glued".to_owned(), bytes: lines.concat().into_bytes() });
    let frame = compress_to_vec(lines.join("\n").as_bytes(), CompressionLevel::Fastest);
    logs.push(Log { name: "zstd".to_owned(), bytes: frame });
    logs
});

#[derive(Clone)]
struct Log {
    name: String,
    bytes: Vec<u8>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn log() -> impl Strategy<Value = Log> {
    (0..LOGS.len()).prop_map(|index| LOGS[index].clone())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn a_log_cut_and_spoiled_anywhere_is_survived(
        log in log(),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        record_limit in 64_usize..100_000,
        block_size in 1_usize..20_000,
    ) {
        let (from, to) = (from.index(log.bytes.len()), to.index(log.bytes.len()));
        let mut log = log.bytes[from.min(to)..from.max(to)].to_vec();
        for (at, byte) in flips {
            if !log.is_empty() {
                let at = at.index(log.len());
                log[at] = byte;
            }
        }
        let options = ReadOptions { record_limit, block_size, ..options(1) };
        let (collected, tally) = read_bytes(&log, &options);
        let mut problems = tally.problems().values().flat_map(|kind| &kind.examples);
        let abandoned = problems.any(|problem| problem.cause.is_of_input());
        prop_assert!(abandoned || tally.bytes == log.len() as u64, "{tally:?}");
        prop_assert!(tally.salvaged <= tally.audit_events);
        if tally.inflated == log.len() as u64 {
            prop_assert_eq!(wrong_lines(&tally, &log), [""; 0]);
        }
        let again = read_bytes(&log, &ReadOptions { threads: 3, ..options.clone() });
        prop_assert_eq!((collected, tally), again);
    }

    #[test]
    fn blocks_of_any_size_give_the_same(log in log(), block_size in 1_usize..20_000, threads in 1_usize..4) {
        let whole = read_bytes(&log.bytes, &options(1));
        let blocks = read_bytes(&log.bytes, &ReadOptions { block_size, ..options(threads) });
        prop_assert_eq!(whole, blocks);
    }
}
