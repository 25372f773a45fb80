//! Reading CloudWatch Logs for a command: flags in, folded events out.

use std::process::exit;
use std::time::Instant;

use anyhow::{Context, anyhow};

use super::progress::Progress;
use crate::cli::{Live, Selecting};
use crate::decode::{Consumer, Tally};
use crate::output;
use crate::pipeline::{self, ReadOptions};
use crate::source::cloudwatch::{Fetch, FetchError, Query};
use crate::source::{Input, Inputs};
use crate::usage::Moment;

/// What is to be read, if CloudWatch Logs is asked for.
///
/// # Errors
/// Without a time to read from: an audit log may go back for years.
pub(super) fn query(live: &Live, selecting: &Selecting) -> anyhow::Result<Option<Query>> {
    let group = match (&live.cluster, &live.log_group) {
        (Some(cluster), _) => format!("/aws/eks/{cluster}/cluster"),
        (None, Some(group)) => group.clone(),
        (None, None) => return Ok(None),
    };
    let since = selecting.since.context(
        "how far back is CloudWatch Logs to be read?\nhint: --since 24h, or a time such as \
         --since 2026-11-20T09:00:00Z",
    )?;
    let timestamp = |moment: Moment| moment.timestamp().context("this time is out of range");
    Ok(Some(Query {
        group,
        stream_prefix: live.log_stream_prefix.clone(),
        region: live.region.clone(),
        profile: live.profile.clone(),
        endpoint_url: live.endpoint_url.clone(),
        since: timestamp(since)?,
        until: selecting.until.map_or_else(|| Ok(jiff::Timestamp::now()), timestamp)?,
        filter_pattern: live.filter_pattern.clone(),
        max_tps: live.max_tps,
        save: live.save.clone(),
    }))
}

/// Reads all of it. Ctrl-C ends the program at once, with nothing printed.
///
/// # Errors
/// Where anything is missing: a part is never passed off as the whole.
pub(super) fn read<C: Consumer>(
    query: Query,
    options: &ReadOptions,
    talk: bool,
    consumer: impl Fn() -> C,
) -> anyhow::Result<(Vec<C>, Tally)> {
    let name = query.group.clone();
    let mut fetch = Fetch::start(query, interrupted).map_err(|error| said(&error))?;
    if talk {
        // Nobody may be listening.
        let _ = output::print_estimate(&fetch.estimate());
    }
    let shown = progress(&fetch, talk);
    let stream = Input::stream(&name, fetch.reader());
    let inputs = Inputs { found: vec![stream], unreachable: Vec::new() };
    let read = pipeline::read(inputs, options, consumer);
    drop(shown);
    let totals = fetch.finish().map_err(|error| said(&error))?;
    let (consumers, mut tally) = read?;
    let streams = totals.streams.into_iter().map(|(name, stream)| (name, stream.events));
    tally.streams = streams.collect();
    Ok((consumers, tally))
}

#[expect(clippy::exit, reason = "128 + SIGINT, the shell's own code for it")]
fn interrupted() {
    exit(130);
}

fn said(error: &FetchError) -> anyhow::Error {
    match error.hint() {
        Some(hint) => anyhow!("{error}\nhint: {hint}"),
        None => anyhow!("{error}"),
    }
}

/// By the time covered, since nobody knows the bytes beforehand.
fn progress(fetch: &Fetch, wanted: bool) -> Progress {
    const PARTS: u64 = 1_000;
    let (seen, started) = (fetch.progress(), Instant::now());
    Progress::start(wanted, "{bar:30} {msg}", move |bar| {
        bar.set_length(PARTS);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1")]
        #[expect(clippy::cast_precision_loss, reason = "a thousand")]
        bar.set_position((seen.covered() * PARTS as f64) as u64);
        bar.set_message(output::progress_line(&seen, started.elapsed()));
    })
}
