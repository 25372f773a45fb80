//! gzip as logs hold it: one member or many glued together, cut anywhere.
//!
//! Bytes in, inflated bytes out. All data before a flaw is given out first.

use std::io::{self, BufRead, Read};

use crc32fast::Hasher;
use flate2::bufread::{DeflateDecoder, GzDecoder};

use super::damage::{Damage, Flaw};
use super::peel::Positioned;

/// Reads every member of a gzip stream.
#[derive(Debug)]
pub(super) struct Members<R> {
    state: State<R>,
    /// Whether a member was read to its end before the current one.
    past_first: bool,
}

#[derive(Debug)]
enum State<R> {
    Between(R),
    Within(Box<Member<R>>),
    Done,
}

/// A member past its header.
#[derive(Debug)]
struct Member<R> {
    body: DeflateDecoder<R>,
    checksum: Hasher,
    /// What went wrong after bytes that had to be given out first.
    failed: Option<io::Error>,
}

impl<R: BufRead + Positioned> Members<R> {
    pub(super) fn new(stored: R) -> Self {
        Self { state: State::Between(stored), past_first: false }
    }

    /// Starts the next member, or ends where none follows. Zeros after a member
    /// are padding, as gzip itself holds.
    fn advance(&mut self, mut stored: R) -> io::Result<()> {
        if self.past_first {
            skip_zeros(&mut stored)?;
            match stored.fill_buf()?.first() {
                None => return Ok(()),
                Some(0x1f) => {}
                Some(_) => return Err(flaw(Damage::TrailingGarbage, &stored)),
            }
        }
        let mut header = GzDecoder::new(stored);
        if header.header().is_none()
            && let Err(error) = header.read(&mut [0])
        {
            return Err(blame(&error, self.past_first, header.get_ref()));
        }
        self.state = State::Within(Box::new(Member::new(header.into_inner())));
        Ok(())
    }
}

impl<R: BufRead + Positioned> Read for Members<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Between(stored) => self.advance(stored)?,
                State::Within(mut member) => match member.read(out) {
                    Ok(0) => {
                        self.past_first = true;
                        self.state = State::Between(member.body.into_inner());
                    }
                    Ok(read) => {
                        self.state = State::Within(member);
                        return Ok(read);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                        self.state = State::Within(member);
                        return Err(error);
                    }
                    Err(error) => return Err(blame(&error, false, member.body.get_ref())),
                },
            }
        }
    }
}

impl<R: BufRead> Member<R> {
    fn new(stored: R) -> Self {
        Self { body: DeflateDecoder::new(stored), checksum: Hasher::new(), failed: None }
    }

    /// As [`Read::read`], but what was inflated before an error is not lost with it.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let before = self.body.total_out();
        let read = self.body.read(out);
        let inflated = usize::try_from(self.body.total_out() - before).unwrap_or_default();
        self.checksum.update(&out[..inflated]);
        match read {
            Ok(0) => self.check_end().map(|()| 0),
            Err(error) if inflated > 0 => {
                self.failed = Some(error);
                Ok(inflated)
            }
            other => other,
        }
    }

    /// Reads the checksum and the length at the end of the member.
    fn check_end(&mut self) -> io::Result<()> {
        let mut end = [0; 8];
        self.body.get_mut().read_exact(&mut end)?;
        let sum = self.checksum.clone().finalize().to_le_bytes();
        let amount = self.body.total_out().to_le_bytes();
        let agrees = end[..4] == sum && end[4..] == amount[..4];
        if agrees { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}

/// What `error` says of the stored data. A `follower` is no member until its header is read.
fn blame(error: &io::Error, follower: bool, stored: &impl Positioned) -> io::Error {
    if let Some(inner) = Flaw::of(error) {
        return inner.clone().into();
    }
    let damage = match error.kind() {
        io::ErrorKind::UnexpectedEof => Damage::GzipCut,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if follower => {
            Damage::TrailingGarbage
        }
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Damage::GzipCorrupt,
        _ => Damage::Unreadable(error.to_string()),
    };
    flaw(damage, stored)
}

fn skip_zeros(stored: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffered = stored.fill_buf()?;
        let zeros = buffered.iter().take_while(|byte| **byte == 0).count();
        let all = zeros == buffered.len();
        stored.consume(zeros);
        if !all || zeros == 0 {
            return Ok(());
        }
    }
}

fn flaw(damage: Damage, stored: &impl Positioned) -> io::Error {
    Flaw { damage, offset: stored.position() }.into()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::super::peel::peel;
    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(stored: Vec<u8>) -> (Vec<u8>, Option<Flaw>) {
        let mut out = Vec::new();
        let result = peel(Box::new(io::Cursor::new(stored))).unwrap().read_to_end(&mut out);
        (out, result.err().map(|error| Flaw::from_io(&error)))
    }

    #[test]
    fn members_glued_together_are_read_as_one() {
        let stored = [gzip(b"one "), gzip(b""), gzip(b"two")].concat();
        assert_eq!(inflate(stored), (b"one two".to_vec(), None));
    }

    #[test]
    fn zeros_after_a_member_are_padding() {
        let stored = [gzip(b"one"), vec![0; 100_000]].concat();
        assert_eq!(inflate(stored), (b"one".to_vec(), None));
    }

    #[test]
    fn what_precedes_broken_data_is_given_out_whatever_is_read_at_a_time() {
        let lines: Vec<_> =
            (0..2000).map(|line| format!("line {line} of {}\n", line * 7919)).collect();
        let text = lines.concat();
        let mut stored = gzip(text.as_bytes());
        let middle = stored.len() / 2;
        stored[middle..middle + 40].fill(0xff);
        let inflate = |size: usize| {
            let mut stream = peel(Box::new(io::Cursor::new(stored.clone()))).unwrap();
            let (mut out, mut part) = (Vec::new(), vec![0; size]);
            loop {
                match stream.read(&mut part) {
                    Ok(read) => out.extend_from_slice(&part[..read]),
                    Err(error) => return (out, Flaw::from_io(&error).damage),
                }
            }
        };
        let (whole, damage) = inflate(1 << 20);
        assert!(whole.len() > text.len() / 4, "{}", whole.len());
        assert_eq!(damage, Damage::GzipCorrupt);
        for size in [1, 7, 100, 4096] {
            assert_eq!(inflate(size), (whole.clone(), Damage::GzipCorrupt), "{size} at a time");
        }
    }

    #[test]
    fn what_precedes_a_flaw_is_given_out_and_the_flaw_is_placed() {
        let whole = gzip(&b"0123456789".repeat(1000));
        let cut = whole[..whole.len() - 9].to_vec();
        let (out, flaw) = inflate(cut.clone());
        assert!(out.starts_with(b"0123456789"));
        assert_eq!(flaw, Some(Flaw { damage: Damage::GzipCut, offset: cut.len() as u64 }));

        let end = whole.len() as u64;
        let (out, flaw) = inflate([&whole[..], b"garbage"].concat());
        assert_eq!(out.len(), 10_000);
        assert_eq!(flaw, Some(Flaw { damage: Damage::TrailingGarbage, offset: end }));

        let (out, flaw) =
            inflate([&whole[..], b"\x1f\x8cgarbage with the same first byte"].concat());
        assert_eq!(out.len(), 10_000);
        assert_eq!(flaw.map(|flaw| flaw.damage), Some(Damage::TrailingGarbage));

        let mut corrupt = whole;
        let checksum = corrupt.len() - 6;
        corrupt[checksum] ^= 1;
        let (_, flaw) = inflate(corrupt);
        assert_eq!(flaw.map(|flaw| flaw.damage), Some(Damage::GzipCorrupt));
    }
}
