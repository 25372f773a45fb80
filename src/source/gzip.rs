//! gzip as logs hold it: one member or many glued together, cut anywhere.
//!
//! Bytes in, inflated bytes out. All data before a flaw is given out first.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

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
    Within(Box<GzDecoder<R>>),
    Done,
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
        self.state = State::Within(Box::new(GzDecoder::new(stored)));
        Ok(())
    }

    fn blame(&self, member: &GzDecoder<R>, error: &io::Error) -> io::Error {
        if let Some(inner) = Flaw::of(error) {
            return inner.clone().into();
        }
        let damage = match error.kind() {
            io::ErrorKind::UnexpectedEof => Damage::GzipCut,
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                let unstarted = member.header().is_none() && self.past_first;
                if unstarted { Damage::TrailingGarbage } else { Damage::GzipCorrupt }
            }
            _ => Damage::Unreadable(error.to_string()),
        };
        flaw(damage, member.get_ref())
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
                        self.state = State::Between(member.into_inner());
                    }
                    Ok(read) => {
                        self.state = State::Within(member);
                        return Ok(read);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                        self.state = State::Within(member);
                        return Err(error);
                    }
                    Err(error) => return Err(self.blame(&member, &error)),
                },
            }
        }
    }
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
