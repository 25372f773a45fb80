//! A log group that answers as CloudWatch Logs does, with its habits to be chosen.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::events::Record;
use super::server::{Call, Reply};

/// One log group.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) group: &'static str,
    pub(crate) streams: Mutex<Vec<Stream>>,
    pub(crate) habits: Habits,
    /// Set by tests to say that something has happened.
    pub(crate) flag: AtomicBool,
}

/// A log stream. Its events have the names `STREAM#0` and so on.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) records: Vec<Record>,
}

/// What a page is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    pub(crate) page_events: usize,
    pub(crate) page_bytes: usize,
    /// Empty pages, each with a token, before every page with events.
    pub(crate) empty_pages: usize,
    /// Events that a page repeats from the one before.
    pub(crate) overlap: usize,
    /// Events come in an order that has nothing to do with their times.
    pub(crate) shuffled: bool,
    /// `logStreamNamePrefix` does nothing, as with moto.
    pub(crate) ignores_prefix: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            page_events: 50,
            page_bytes: 1 << 20,
            empty_pages: 0,
            overlap: 0,
            shuffled: false,
            ignores_prefix: false,
        }
    }
}

pub(crate) const GROUP: &str = "/aws/eks/prod/cluster";

impl Service {
    pub(crate) fn new(streams: Vec<(&str, Vec<Record>)>, habits: Habits) -> Self {
        let streams = streams
            .into_iter()
            .map(|(name, records)| Stream { name: name.to_owned(), records })
            .collect();
        Self { group: GROUP, streams: Mutex::new(streams), habits, flag: AtomicBool::new(false) }
    }

    pub(crate) fn raise(&self) {
        self.flag.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    pub(crate) fn reply(&self, call: &Call) -> Reply {
        if call.text("logGroupName") != Some(self.group) {
            return missing("The specified log group does not exist.");
        }
        match &*call.operation {
            "DescribeLogStreams" => self.describe(call),
            "FilterLogEvents" => self.filter(call),
            "GetLogEvents" => self.get(call),
            other => panic!("nobody should call {other}"),
        }
    }

    fn describe(&self, call: &Call) -> Reply {
        let prefix = call.text("logStreamNamePrefix").unwrap_or_default();
        let from: usize = call.text("nextToken").map_or(0, |token| token.parse().unwrap());
        let streams = self.streams.lock().unwrap();
        let all: Vec<&Stream> =
            streams.iter().filter(|stream| stream.name.starts_with(prefix)).collect();
        let listed: Vec<Value> =
            all.iter().skip(from).take(50).map(|stream| listing(stream)).collect();
        let to = from + listed.len();
        let mut answer = json!({"logStreams": listed});
        if to < all.len() {
            answer["nextToken"] = json!(to.to_string());
        }
        Reply::Ok(answer)
    }

    /// Both ends of the range are inclusive.
    fn filter(&self, call: &Call) -> Reply {
        let prefix = match call.text("logStreamNamePrefix") {
            Some(prefix) if !self.habits.ignores_prefix => prefix,
            _ => "",
        };
        let (start, end) = (call.number("startTime").unwrap(), call.number("endTime").unwrap());
        let streams = self.streams.lock().unwrap();
        let events = streams
            .iter()
            .filter(|stream| stream.name.starts_with(prefix))
            .flat_map(|stream| stream.events(start, end + 1))
            .collect();
        let events = self.ordered(events);
        let (page, next) =
            match self.page(&events, call.text("nextToken"), &format!("{start}..{end}")) {
                Ok(page) => page,
                Err(reply) => return reply,
            };
        let mut answer = json!({
            "events": page.iter().map(Event::filtered).collect::<Vec<Value>>(),
            "searchedLogStreams": [],
        });
        if let Some(next) = next {
            answer["nextToken"] = json!(next);
        }
        Reply::Ok(answer)
    }

    /// The end of the range is exclusive; at the end the token comes back.
    fn get(&self, call: &Call) -> Reply {
        assert_eq!(call.body["startFromHead"], true);
        let name = call.text("logStreamName").unwrap();
        let (start, end) = (call.number("startTime").unwrap(), call.number("endTime").unwrap());
        let streams = self.streams.lock().unwrap();
        let Some(stream) = streams.iter().find(|stream| stream.name == name) else {
            return missing("The specified log stream does not exist.");
        };
        let events = self.ordered(stream.events(start, end).collect());
        let range = format!("{start}..{end}/{name}");
        let last = format!("{range} {} 0", events.len());
        let token = call.text("nextToken");
        let (page, next) = if token == Some(&last) {
            (&events[..0], None)
        } else {
            match self.page(&events, token, &range) {
                Ok(page) => page,
                Err(reply) => return reply,
            }
        };
        Reply::Ok(json!({
            "events": page.iter().map(Event::output).collect::<Vec<Value>>(),
            "nextForwardToken": next.unwrap_or(last),
            "nextBackwardToken": "b/0",
        }))
    }

    fn ordered<'a>(&self, mut events: Vec<Event<'a>>) -> Vec<Event<'a>> {
        let shuffled = |time: i64| time * 7_919 % 10_007;
        let by = |event: &Event<'_>| {
            let time = event.record.time;
            if self.habits.shuffled { shuffled(time) } else { time }
        };
        events.sort_by_key(by);
        events
    }

    /// The page that `token` leads to and the token of the next one. A token is good
    /// for one range.
    fn page<'e, 'a>(
        &self,
        events: &'e [Event<'a>],
        token: Option<&str>,
        range: &str,
    ) -> Result<(&'e [Event<'a>], Option<String>), Reply> {
        let (from, empties) = match token {
            None => (0, 0),
            Some(token) => {
                let mut parts = token.split(' ');
                if parts.next() != Some(range) {
                    return Err(bad_token());
                }
                let mut number = || parts.next().unwrap().parse::<usize>().unwrap();
                (number(), number())
            }
        };
        if empties < self.habits.empty_pages {
            return Ok((&events[..0], Some(format!("{range} {from} {}", empties + 1))));
        }
        let mut bytes = 0;
        let fits = |event: &&Event<'_>| {
            bytes += event.record.message.len() + 26;
            bytes <= self.habits.page_bytes
        };
        let count = events[from..].iter().take(self.habits.page_events).take_while(fits).count();
        let to = (from + count.max(1)).min(events.len());
        let page = &events[from.saturating_sub(self.habits.overlap)..to];
        Ok((page, (to < events.len()).then(|| format!("{range} {to} 0"))))
    }
}

impl Stream {
    /// Its events from `start` on and before `end`.
    fn events(&self, start: i64, end: i64) -> impl Iterator<Item = Event<'_>> {
        self.records
            .iter()
            .enumerate()
            .filter(move |(_, record)| (start..end).contains(&record.time))
            .map(|(number, record)| Event { stream: &self.name, number, record })
    }
}

/// An event on its way into a page.
struct Event<'a> {
    stream: &'a str,
    number: usize,
    record: &'a Record,
}

impl Event<'_> {
    /// As `GetLogEvents` has it.
    fn output(&self) -> Value {
        let Record { time, message } = self.record;
        json!({"timestamp": time, "message": message, "ingestionTime": time + 1_500})
    }

    /// As `FilterLogEvents` has it.
    fn filtered(&self) -> Value {
        let mut event = self.output();
        event["logStreamName"] = json!(self.stream);
        event["eventId"] = json!(format!("{}#{}", self.stream, self.number));
        event
    }
}

pub(crate) fn bad_token() -> Reply {
    Reply::Error(400, "InvalidParameterException", "The specified nextToken is invalid.")
}

fn missing(message: &'static str) -> Reply {
    Reply::Error(400, "ResourceNotFoundException", message)
}

fn listing(stream: &Stream) -> Value {
    let times = || stream.records.iter().map(|record| record.time);
    json!({
        "logStreamName": stream.name,
        "creationTime": times().min().unwrap_or_default(),
        "firstEventTimestamp": times().min(),
        "lastEventTimestamp": times().max(),
        "lastIngestionTime": times().max(),
        "arn": format!("arn:aws:logs:eu-west-1:111122223333:log-group:{GROUP}:log-stream:{}", stream.name),
        "storedBytes": 0,
    })
}
