//! zstd: one frame or many, with skippable frames in between.
//!
//! Bytes in, decompressed bytes out. All data before a flaw is given out first.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::damage::{Damage, Flaw};
use super::peel::Positioned;

/// What RFC 8878 asks of every decoder, and what `zstd -1` to `-19` stay within.
/// A frame may demand its window in memory, so this is also the memory bound.
const WINDOW: u64 = 8 << 20;

/// An empty last block and a checksum. The decoder keeps a window of data back until its
/// frame ends, so a frame that breaks is ended with these.
const END: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// Reads every frame of a zstd stream.
pub(super) struct Frames<R> {
    stored: R,
    decoder: FrameDecoder,
    within: bool,
    /// What broke the frame, once all before it is given out.
    failed: Option<io::Error>,
}

impl<R: BufRead + Positioned> Frames<R> {
    pub(super) fn new(stored: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        Self { stored, decoder, within: false, failed: None }
    }

    /// Starts the next frame; false where none follows.
    fn advance(&mut self) -> io::Result<bool> {
        loop {
            if self.stored.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.init(&mut self.stored) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => self.skip(u64::from(length))?,
                Err(error) => return Err(self.flaw(&error)),
            }
        }
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        io::copy(&mut self.stored.by_ref().take(length), &mut io::sink()).map(|_| ())
    }

    fn flaw(&self, error: &FrameDecoderError) -> io::Error {
        let damage = Damage::ZstdCorrupt(error.to_string());
        Flaw { damage, offset: self.stored.position() }.into()
    }
}

impl<R: BufRead + Positioned> Read for Frames<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        use ruzstd::decoding::BlockDecodingStrategy::UptoBlocks;
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if self.within && self.decoder.can_collect() > 0 {
                return self.decoder.read(out);
            }
            if self.within && !self.decoder.is_finished() {
                let decoded = self.decoder.decode_blocks(&mut self.stored, UptoBlocks(1));
                if let Err(error) = decoded {
                    let error = self.flaw(&error);
                    if self.decoder.decode_blocks(&END[..], UptoBlocks(1)).is_err() {
                        return Err(error);
                    }
                    self.failed = Some(error);
                }
                continue;
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            self.within = self.advance()?;
            if !self.within {
                return Ok(0);
            }
        }
    }
}
