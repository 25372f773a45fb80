//! From a stream to blocks of some hundred kilobytes.
//!
//! Where a block may end is for the [`Cutter`] to say, who knows what the bytes
//! mean; this side reads, keeps the place, and holds no more than one block and
//! its remainder at a time.

use std::io::{self, Read};

use super::buffers::Buffers;
use super::damage::Flaw;

/// How the bytes of a block hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Whole lines.
    Lines,
    /// Whole values and what stands between them, with no regard to lines.
    Values,
}

/// What to do with the front of what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// So many bytes are a block.
    Block(usize, Layout),
    /// So many bytes are accounted for and go no further.
    Skip(usize),
    /// So many bytes in all must be read before it can be said.
    More(usize),
}

/// Says where a block may end.
pub trait Cutter {
    /// What to do with `unread`, which is never empty and starts `offset` bytes into
    /// the inflated stream; `ended` if nothing follows. [`Cut::Block`] and
    /// [`Cut::Skip`] take at least one byte.
    fn cut(&mut self, unread: &[u8], offset: u64, ended: bool) -> Cut;
}

/// Bytes that can be decoded on their own.
#[derive(Clone, Debug)]
pub struct Block {
    buffer: Vec<u8>,
    len: usize,
    /// Where the first byte stands in the inflated stream.
    pub offset: u64,
    /// How the bytes hang together.
    pub layout: Layout,
}

impl Block {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// The buffer, to be used again.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

/// Reads a stream block by block.
pub struct Blocks<'b, R> {
    stream: R,
    buffers: &'b Buffers,
    /// The size to fill a block to.
    size: usize,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are read and not yet given out.
    filled: usize,
    /// How far to fill before the next cut.
    target: usize,
    /// Inflated bytes given out or skipped so far.
    offset: u64,
    ended: bool,
    flaw: Option<Flaw>,
}

impl<'b, R: Read> Blocks<'b, R> {
    /// Blocks of about `size` bytes, in buffers of that size from `buffers`.
    pub fn new(stream: R, size: usize, buffers: &'b Buffers) -> Self {
        Self {
            stream,
            buffers,
            size,
            buffer: buffers.take(),
            filled: 0,
            target: size,
            offset: 0,
            ended: false,
            flaw: None,
        }
    }

    /// The next block; none at the end of the stream, or of what can be read of it.
    pub fn next(&mut self, cutter: &mut impl Cutter) -> Option<Block> {
        loop {
            self.fill();
            if self.filled == 0 {
                return None;
            }
            match cutter.cut(&self.buffer[..self.filled], self.offset, self.ended) {
                Cut::Block(len, layout) => return Some(self.take(len, layout)),
                Cut::Skip(len) => self.skip(len),
                Cut::More(_) if self.ended => return Some(self.take(self.filled, Layout::Lines)),
                Cut::More(wanted) => self.target = wanted.max(self.filled + 1),
            }
        }
    }

    /// Inflated bytes given out or skipped so far.
    pub fn position(&self) -> u64 {
        self.offset
    }

    /// Why the stream ended before its end.
    pub fn flaw(&self) -> Option<&Flaw> {
        self.flaw.as_ref()
    }

    /// Gives the buffer back.
    pub fn close(self) {
        self.buffers.put(self.buffer);
    }

    fn fill(&mut self) {
        if self.buffer.len() < self.target {
            self.buffer.resize(self.target, 0);
        }
        while self.filled < self.target && !self.ended {
            match self.stream.read(&mut self.buffer[self.filled..self.target]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.flaw = Some(Flaw::from_io(&error));
                    self.ended = true;
                }
            }
        }
    }

    fn take(&mut self, len: usize, layout: Layout) -> Block {
        let offset = self.offset;
        let mut other = self.buffers.take();
        let small_of_large = self.buffer.len() > self.size && len <= other.len();
        let buffer = if small_of_large {
            other[..len].copy_from_slice(&self.buffer[..len]);
            self.skip(len);
            other
        } else {
            let rest = self.filled - len;
            if other.len() < rest {
                other.resize(rest, 0);
            }
            other[..rest].copy_from_slice(&self.buffer[len..self.filled]);
            self.offset += len as u64;
            self.filled = rest;
            std::mem::replace(&mut self.buffer, other)
        };
        self.target = self.size.max(self.filled);
        Block { buffer, len, offset, layout }
    }

    fn skip(&mut self, len: usize) {
        self.offset += len as u64;
        self.buffer.copy_within(len..self.filled, 0);
        self.filled -= len;
        self.target = self.size.max(self.filled);
        if self.buffer.len() > self.size && self.filled <= self.size {
            self.buffer.truncate(self.size);
            self.buffer.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts after the last full stop, skips what comes before a `>`.
    struct Sentences;

    impl Cutter for Sentences {
        fn cut(&mut self, unread: &[u8], _: u64, _: bool) -> Cut {
            if let Some(mark) = memchr::memchr(b'>', unread) {
                return Cut::Skip(mark + 1);
            }
            let stop = memchr::memrchr(b'.', unread);
            stop.map_or(Cut::More(unread.len() * 2), |stop| Cut::Block(stop + 1, Layout::Lines))
        }
    }

    fn read(text: &str, size: usize) -> Vec<(String, u64)> {
        let buffers = Buffers::new(2, size);
        let mut blocks = Blocks::new(text.as_bytes(), size, &buffers);
        let mut read = Vec::new();
        while let Some(block) = blocks.next(&mut Sentences) {
            let text = String::from_utf8(block.bytes().to_vec()).unwrap();
            read.push((text, block.offset));
            buffers.put(block.into_buffer());
        }
        assert_eq!(blocks.position(), text.len() as u64);
        blocks.close();
        read
    }

    #[test]
    fn every_size_gives_the_same_bytes_in_their_places() {
        let text = "skipped>One.\nTwo is longer.\nThree is the longest of all.\nFour\nno stop";
        for size in 1..80 {
            let blocks = read(text, size);
            let whole: String = blocks.iter().map(|(text, _)| text.as_str()).collect();
            assert!(text.ends_with(&whole), "block size {size}: {blocks:?}");
            for (block, offset) in blocks {
                let offset = usize::try_from(offset).unwrap();
                assert!(text[offset..].starts_with(&block), "block size {size}");
            }
        }
    }

    #[test]
    fn a_reader_that_fails_gives_what_it_had() {
        let failing = "One.".as_bytes().chain(Failing);
        let buffers = Buffers::new(2, 64);
        let mut blocks = Blocks::new(failing, 64, &buffers);
        assert_eq!(blocks.next(&mut Sentences).unwrap().bytes(), b"One.");
        assert!(blocks.next(&mut Sentences).is_none());
        assert!(blocks.flaw().is_some());
    }

    struct Failing;

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
}
