//! HTTP/1.1 over TLS that sends a request target exactly as given.
//!
//! Every client library tidies up what it sends; here the odd targets are the
//! point. One request at a time; a connection is kept open while the server lets it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Far above what any request here takes: a hung server must not hang the run.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Where a server listens and how it is trusted.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The loopback address.
    pub address: SocketAddr,
    /// Trusts the cluster's own authority.
    pub(super) tls: Arc<ClientConfig>,
}

/// A request as it goes over the wire.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    /// The method, any token.
    pub method: &'a str,
    /// The request target, sent as it is.
    pub target: &'a str,
    /// Header lines without line ends, beside `Host` and `Content-Length`.
    pub headers: &'a [String],
    /// The body; none where empty.
    pub body: &'a [u8],
    /// Where the length of the body is not known beforehand, do not read it but hang up:
    /// a watch has no end.
    pub skip_streams: bool,
}

/// A response.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body, de-chunked; empty where it was not read.
    pub body: Vec<u8>,
}

type Stream = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// A connection that is opened when needed.
#[derive(Debug)]
pub struct Connection {
    endpoint: Endpoint,
    stream: Option<Stream>,
}

impl Endpoint {
    /// A connection to it, not opened yet.
    pub fn connection(&self) -> Connection {
        Connection { endpoint: self.clone(), stream: None }
    }

    fn open(&self) -> Result<Stream> {
        let socket = TcpStream::connect_timeout(&self.address, TIMEOUT)?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let tls = ClientConnection::new(Arc::clone(&self.tls), name)?;
        Ok(BufReader::new(StreamOwned::new(tls, socket)))
    }
}

impl Connection {
    /// Sends a request and reads the response.
    ///
    /// A kept connection that the server has closed meanwhile is opened anew, once.
    pub fn send(&mut self, request: &Request<'_>) -> Result<Response> {
        if let Some(stream) = self.stream.take()
            && let Ok(response) = self.exchange(stream, request)
        {
            return Ok(response);
        }
        let stream = self.endpoint.open()?;
        self.exchange(stream, request)
            .with_context(|| format!("{} {}", request.method, request.target))
    }

    fn exchange(&mut self, mut stream: Stream, request: &Request<'_>) -> Result<Response> {
        write_request(stream.get_mut(), request)?;
        let head = loop {
            let head = Head::read(&mut stream)?;
            if head.status != 100 {
                break head;
            }
        };
        let mut response = Response { status: head.status, body: Vec::new() };
        let bodiless = request.method == "HEAD" || matches!(head.status, 204 | 304);
        let skipped = request.skip_streams && head.length.is_none() && !bodiless;
        if skipped || head.status == 101 {
            return Ok(response);
        }
        if !bodiless {
            head.read_body(&mut stream, &mut response.body)?;
        }
        if !head.close {
            self.stream = Some(stream);
        }
        Ok(response)
    }
}

fn write_request(stream: &mut impl Write, request: &Request<'_>) -> Result<()> {
    let mut bytes = Vec::with_capacity(512 + request.body.len());
    write!(bytes, "{} {} HTTP/1.1\r\nHost: localhost\r\n", request.method, request.target)?;
    for header in request.headers {
        write!(bytes, "{header}\r\n")?;
    }
    if !request.body.is_empty() {
        write!(bytes, "Content-Length: {}\r\n", request.body.len())?;
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(request.body);
    stream.write_all(&bytes)?;
    Ok(stream.flush()?)
}

/// What the head of a response says about its body.
#[derive(Debug, Default)]
struct Head {
    status: u16,
    length: Option<u64>,
    chunked: bool,
    close: bool,
}

impl Head {
    fn read(stream: &mut impl BufRead) -> Result<Self> {
        let line = read_line(stream)?;
        let status = line.split(' ').nth(1).context("a status line")?.parse()?;
        let mut head = Self { status, ..Self::default() };
        loop {
            let line = read_line(stream)?;
            let Some((name, value)) = line.split_once(':') else {
                ensure!(line.is_empty(), "not a header: {line}");
                return Ok(head);
            };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = Some(value.parse()?),
                "transfer-encoding" => head.chunked = value.eq_ignore_ascii_case("chunked"),
                "connection" => head.close = value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
    }

    fn read_body(&self, stream: &mut impl BufRead, body: &mut Vec<u8>) -> Result<()> {
        if self.chunked {
            while read_chunk(stream, body)? {}
        } else if let Some(length) = self.length {
            let read = stream.take(length).read_to_end(body)?;
            ensure!(read as u64 == length, "the response was cut");
        } else {
            stream.read_to_end(body)?;
        }
        Ok(())
    }
}

fn read_chunk(stream: &mut impl BufRead, body: &mut Vec<u8>) -> Result<bool> {
    let line = read_line(stream)?;
    let length = u64::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)?;
    stream.take(length).read_to_end(body)?;
    read_line(stream)?;
    Ok(length > 0)
}

fn read_line(stream: &mut impl BufRead) -> Result<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        bail!("the connection was closed");
    }
    Ok(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(mut bytes: &[u8]) -> Result<(u16, String)> {
        let head = Head::read(&mut bytes)?;
        let mut body = Vec::new();
        head.read_body(&mut bytes, &mut body)?;
        Ok((head.status, String::from_utf8(body)?))
    }

    #[test]
    fn bodies_are_read_in_each_framing() {
        for (response, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokrest", "ok"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
                "ok",
            ),
            ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", "ok"),
        ] {
            assert_eq!(parse(response.as_bytes()).unwrap(), (200, expected.to_owned()));
        }
        assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut").is_err());
        assert!(parse(b"").is_err());
    }

    #[test]
    fn the_target_goes_out_as_given() {
        let mut bytes = Vec::new();
        let request = Request { method: "GET", target: "//a/%2E%2e/./b?x#y", ..Request::default() };
        write_request(&mut bytes, &request).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, "GET //a/%2E%2e/./b?x#y HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
}
