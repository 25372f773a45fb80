//! Grows the real logs of `testdata/` to any size, as the same busy cluster would go on
//! writing them.
//!
//! A few megabytes come in and are cut into [`Line`]s once; copies of them go out one
//! line at a time, so memory does not grow with the size asked for. Every copy has audit
//! IDs, times, tokens and resource versions of its own. The same options always give the
//! same bytes.

mod facts;
mod line;
mod turns;

use std::io::{self, Read, Write};
use std::path::Path;

use clap::ValueEnum;
use flate2::read::MultiGzDecoder;

use facts::Facts;
use line::Line;
use turns::{Turn, turns};

const LOGS: &str = "testdata/logs/cluster-shop";
/// Microseconds between the end of one copy and the begin of the next.
const PAUSE: i64 = 1_000_000;

/// What is grown, and what it is made to hold more of.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Growth {
    /// Which of the two recordings is repeated
    #[arg(long, value_enum, default_value_t = Log::Both)]
    pub(crate) log: Log,
    /// Which events are kept
    #[arg(long, value_enum, default_value_t = Only::All)]
    pub(crate) only: Only,
    /// About as many service accounts as this, each in namespaces of its own
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) identities: u64,
    /// About as many distinct needs as this with `--names exact`, if the log is long enough
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) needs: u64,
}

/// The recordings of one workload under two audit policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Log {
    /// Level Metadata for everything
    Metadata,
    /// The audit policy of EKS
    EksPolicy,
    /// One after the other
    Both,
}

/// Which events are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// All of them
    All,
    /// Those that are not of the control plane
    Workloads,
    /// Of these, the requests for one object by its name
    Named,
}

/// A log without end.
pub(crate) struct Amplifier {
    lines: Vec<Line>,
    /// Microseconds that one copy takes on the cluster's clock.
    period: i64,
}

impl Amplifier {
    /// Cuts the recordings into lines that can be written again and again.
    pub(crate) fn new(growth: Growth) -> Self {
        let texts: Vec<String> = growth.log.files().iter().map(|file| original(file)).collect();
        let mut events = Vec::new();
        let mut period = 0;
        for text in &texts {
            let read: Vec<Event<'_>> = text.lines().map(Event::read).collect();
            let moments = || read.iter().flat_map(|event| event.facts.moments());
            let (Some(first), Some(last)) = (moments().min(), moments().max()) else { continue };
            let begin = period + events.first().map_or(first, |it: &Event<'_>| it.begin);
            let kept = read.into_iter().filter(|event| event.facts.is_kept(growth.only));
            events.extend(kept.map(|event| Event { shift: begin - first, begin, ..event }));
            period += last - first + PAUSE;
        }
        assert!(!events.is_empty(), "no event is left to repeat");
        Self { lines: lines(&events, growth), period }
    }

    /// Writes whole lines until they come to `size` bytes.
    pub(crate) fn write(&self, out: &mut impl Write, size: u64) -> io::Result<()> {
        let mut written = 0;
        let mut text = Vec::new();
        let mut copy = 0;
        while written < size {
            for line in &self.lines {
                text.clear();
                line.write(copy, self.period, &mut text)?;
                out.write_all(&text)?;
                written += text.len() as u64;
                if written >= size {
                    break;
                }
            }
            copy += 1;
        }
        out.flush()
    }
}

/// A recorded event.
struct Event<'t> {
    text: &'t str,
    facts: Facts,
    /// Microseconds to add to its times in the first copy.
    shift: i64,
    /// When its recording begins in the first copy.
    begin: i64,
}

impl<'t> Event<'t> {
    fn read(text: &'t str) -> Self {
        let facts = serde_json::from_str(text).expect("an audit event");
        Self { text, facts, shift: 0, begin: 0 }
    }
}

impl Log {
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Metadata => &["metadata.ndjson.gz"],
            Self::EksPolicy => &["eks-policy.ndjson.gz"],
            Self::Both => &["metadata.ndjson.gz", "eks-policy.ndjson.gz"],
        }
    }
}

fn original(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(LOGS).join(file);
    let file = std::fs::File::open(path).expect("the log in testdata");
    let mut text = String::new();
    MultiGzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    text
}

/// The events as lines, with service accounts and objects multiplied as asked for.
fn lines(events: &[Event<'_>], growth: Growth) -> Vec<Line> {
    let ids = || events.iter().map(|event| &*event.facts.audit_id);
    let accounts: Vec<_> = events.iter().map(|event| event.facts.service_account()).collect();
    let objects: Vec<_> = events.iter().map(|event| event.facts.object()).collect();
    let accounts = turns(accounts.into_iter().zip(ids()));
    let objects = turns(objects.into_iter().zip(ids()));
    let tenants = growth.identities.div_ceil(accounts.groups.max(1)).max(1);
    let needs = growth.needs / tenants;
    events
        .iter()
        .zip(accounts.by_event.into_iter().zip(objects.by_event))
        .map(|(event, (account, object))| {
            let tenant = account.filter(|_| tenants > 1).map(|turn| turn.among(tenants));
            // Objects in proportion to their requests: every request then finds a new one.
            let variants = |turn: &Turn| needs * turn.size() / objects.members.max(1);
            let variant = object.filter(|turn| variants(turn) > 1);
            let variant = variant.map(|turn| turn.among(variants(&turn)));
            Line::new(event.text, &event.facts, event.shift, tenant, variant)
        })
        .collect()
}
