//! The three calls that are made, each until it succeeds or patience ends.
//!
//! In: which page of which window. Out: the page. Every attempt waits for its turn
//! and is counted; nothing here knows where windows come from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_cloudwatchlogs::Client;
use tokio::time::{Instant, sleep};

use super::connection::Connection;
use super::error::FetchError;
use super::fault::{Fault, Target};
use super::pace::Pace;
use super::page::{Page, Stream};
use super::patience::Patience;
use super::plan::Speeds;
use super::progress::FetchProgress;
use super::query::Query;
use super::quota::{Quota, Speed};
use super::window::Window;

/// Makes calls, at the speed that is allowed.
pub(super) struct Caller {
    connection: Connection,
    target: Target,
    speeds: Speeds,
    filter: Pace,
    get: Pace,
    describe: Pace,
    pub(super) progress: Arc<FetchProgress>,
    /// Of the latest calls, in microseconds.
    latency: AtomicU64,
}

/// What a page holds at most; the service also ends it at 1 MB.
const PAGE_EVENTS: i32 = 10_000;

impl Caller {
    pub(super) async fn open(
        query: &Query,
        progress: Arc<FetchProgress>,
    ) -> Result<Self, FetchError> {
        let connection = Connection::open(query).await?;
        let target = Target { query: query.clone(), region: connection.region().to_owned() };
        let quota = Quota::of(connection.region());
        let filter = Speed::new(quota.filter, query.max_tps);
        let get = Speed::new(quota.get, query.max_tps);
        Ok(Self {
            speeds: Speeds { filter, get: query.filter_pattern.is_none().then_some(get) },
            filter: Pace::new(filter),
            get: Pace::new(get),
            describe: Pace::new(Speed::new(quota.describe, query.max_tps)),
            connection,
            target,
            progress,
            latency: AtomicU64::new(0),
        })
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// How fast events can be read here. `GetLogEvents` knows no filter patterns.
    pub(super) fn speeds(&self) -> Speeds {
        self.speeds
    }

    /// The time between a call and its answer, lately. Waiting for a turn is no part
    /// of it.
    pub(super) fn latency(&self) -> Duration {
        Duration::from_micros(self.latency.load(Ordering::Relaxed))
    }

    /// The next page of `window`.
    pub(super) async fn page(&self, window: &Window) -> Result<Page, Fault> {
        let patience = Patience::long();
        if let Some(stream) = &window.stream {
            let call = |client| self.get_log_events(client, window, stream);
            return self.persist(&self.get, patience, call).await;
        }
        let call = |client| self.filter_log_events(client, window);
        self.persist(&self.filter, patience, call).await
    }

    /// All streams of the log group that have the prefix.
    pub(super) async fn streams(&self) -> Result<Vec<Stream>, FetchError> {
        let mut streams = Vec::new();
        let mut patience = Patience::short();
        let mut token = None;
        loop {
            let call = |client| self.describe_log_streams(client, token.clone());
            let (listed, next) = self.persist(&self.describe, patience, call).await?;
            streams.extend(listed);
            if next.is_none() || next == token {
                return Ok(streams);
            }
            token = next;
            patience = Patience::long();
        }
    }

    /// Makes a call until it succeeds.
    async fn persist<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        pace: &Pace,
        mut patience: Patience,
        call: impl Fn(Client) -> F,
    ) -> Result<T, Fault> {
        loop {
            pace.turn().await;
            let (client, generation) = self.connection.client();
            let start = Instant::now();
            self.progress.add_call();
            let fault = match call(client).await {
                Ok(answer) => {
                    self.note_latency(start.elapsed());
                    return Ok(answer);
                }
                Err(fault) => fault,
            };
            if matches!(fault, Fault::Throttled) {
                self.progress.add_throttled();
                pace.throttled();
            }
            let expired = matches!(fault, Fault::Expired(_));
            sleep(patience.after(fault)?).await;
            if expired {
                self.connection.renew(generation).await;
            }
        }
    }

    /// A sliding mean in which the latest call counts a quarter.
    fn note_latency(&self, latest: Duration) {
        let latest = u64::try_from(latest.as_micros()).unwrap_or(u64::MAX / 4);
        let before = self.latency.load(Ordering::Relaxed);
        let mean = if before == 0 { latest } else { (3 * before + latest) / 4 };
        self.latency.store(mean, Ordering::Relaxed);
    }

    /// Both ends of the range are inclusive.
    async fn filter_log_events(&self, client: Client, window: &Window) -> Result<Page, Fault> {
        let query = &self.target.query;
        let answer = client
            .filter_log_events()
            .log_group_name(&query.group)
            .log_stream_name_prefix(&query.stream_prefix)
            .set_filter_pattern(query.filter_pattern.clone())
            .start_time(window.span.start)
            .end_time(window.span.end - 1)
            .limit(PAGE_EVENTS)
            .set_next_token(window.token.clone())
            .send()
            .await
            .map_err(|error| self.target.fault(&error, None))?;
        let events = answer.events.unwrap_or_default();
        let next = answer.next_token.filter(|token| !token.is_empty());
        Ok(Page { events: events.into_iter().map(Into::into).collect(), next })
    }

    /// The end of the range is exclusive. The token of the page before comes back
    /// where there is nothing more.
    async fn get_log_events(
        &self,
        client: Client,
        window: &Window,
        stream: &str,
    ) -> Result<Page, Fault> {
        let answer = client
            .get_log_events()
            .log_group_name(&self.target.query.group)
            .log_stream_name(stream)
            .start_time(window.span.start)
            .end_time(window.span.end)
            .start_from_head(true)
            .limit(PAGE_EVENTS)
            .set_next_token(window.token.clone())
            .send()
            .await
            .map_err(|error| self.target.fault(&error, Some(stream)))?;
        let events = answer.events.unwrap_or_default();
        let next = answer.next_forward_token.filter(|next| Some(next) != window.token.as_ref());
        Ok(Page { events: events.into_iter().map(Into::into).collect(), next })
    }

    async fn describe_log_streams(
        &self,
        client: Client,
        token: Option<String>,
    ) -> Result<(Vec<Stream>, Option<String>), Fault> {
        let query = &self.target.query;
        let answer = client
            .describe_log_streams()
            .log_group_name(&query.group)
            .log_stream_name_prefix(&query.stream_prefix)
            .set_next_token(token)
            .send()
            .await
            .map_err(|error| self.target.fault(&error, None))?;
        let streams = answer.log_streams.unwrap_or_default();
        Ok((streams.into_iter().filter_map(Stream::from_listing).collect(), answer.next_token))
    }
}
