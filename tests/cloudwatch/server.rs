//! An HTTP server of one thread per connection: enough of HTTP/1.1 for the SDK.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// One call, as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `FilterLogEvents` and so on.
    pub(crate) operation: String,
    pub(crate) body: Value,
    /// How many calls of the same operation came before.
    pub(crate) nth: usize,
    /// The key that signed it.
    pub(crate) access_key: String,
}

impl Call {
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.body[field].as_str()
    }

    pub(crate) fn number(&self, field: &str) -> Option<i64> {
        self.body[field].as_i64()
    }

    /// Whether it asks for events.
    pub(crate) fn is_page(&self) -> bool {
        self.operation != "DescribeLogStreams"
    }
}

/// What becomes of a call.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Ok(Value),
    /// Status, code, message.
    Error(u16, &'static str, &'static str),
    /// The connection is closed without an answer.
    Reset,
    /// The connection is closed half-way through an answer.
    Half,
}

pub(crate) fn throttled() -> Reply {
    Reply::Error(400, "ThrottlingException", "Rate exceeded")
}

type Handler = dyn Fn(&Call) -> Reply + Send + Sync;

/// A server on a free port of loopback. It lives until the test program ends.
pub(crate) struct Server {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    handler: Box<Handler>,
    calls: Mutex<Vec<Call>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            calls: Mutex::default(),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(&stream.unwrap()));
            }
        });
        Self { url, shared }
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// The calls for events so far.
    pub(crate) fn pages(&self) -> Vec<Call> {
        self.calls().into_iter().filter(Call::is_page).collect()
    }

    /// The most calls that were ever being answered together.
    pub(crate) fn most_running(&self) -> usize {
        self.shared.most_running.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some((head, body)) = request(&mut reader) {
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_running.fetch_max(running, Ordering::SeqCst);
            let reply = (self.handler)(&self.note(&head, &body));
            self.running.fetch_sub(1, Ordering::SeqCst);
            if !answer(stream, &reply) {
                return;
            }
        }
    }

    fn note(&self, head: &str, body: &[u8]) -> Call {
        let header = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim())
                .unwrap_or_default()
        };
        let operation = header("x-amz-target").rsplit('.').next().unwrap().to_owned();
        let access_key = header("authorization")
            .split_once("Credential=")
            .and_then(|(_, rest)| rest.split('/').next())
            .unwrap_or_default()
            .to_owned();
        let mut calls = self.calls.lock().unwrap();
        let nth = calls.iter().filter(|call| call.operation == operation).count();
        let body = serde_json::from_slice(body).unwrap();
        let call = Call { operation, body, nth, access_key };
        calls.push(call.clone());
        call
    }
}

/// Head and body of the next request, if there is one.
fn request(reader: &mut BufReader<&TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// Whether the connection stays open.
fn answer(mut stream: &TcpStream, reply: &Reply) -> bool {
    let (status, body) = match reply {
        Reply::Ok(body) => (200, body.to_string()),
        Reply::Error(status, code, message) => {
            (*status, serde_json::json!({"__type": code, "message": message}).to_string())
        }
        Reply::Reset => return false,
        Reply::Half => (200, "{\"events\":[".repeat(1_000)),
    };
    let head = format!(
        "HTTP/1.1 {status} -\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let cut = if matches!(reply, Reply::Half) { body.len() / 2 } else { body.len() };
    let sent =
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body.as_bytes()[..cut]));
    sent.is_ok() && cut == body.len()
}
