//! The reader's end: lines as a stream of bytes.
//!
//! In: batches, and word that all have come. Out: their bytes. The end of the stream
//! is reported only when the read was whole; otherwise reading fails.

use std::io::{self, Read};

use tokio::sync::mpsc::Receiver;

use super::error::FetchError;
use super::save::Saver;

/// What comes over the channel.
#[derive(Debug)]
pub(super) enum Delivery {
    /// Lines, whole ones.
    Lines(String),
    /// All of them have come.
    Whole,
    /// No more will come, and some are missing.
    Failed(FetchError),
}

/// Batches that may wait for the reader, of about a megabyte each.
pub(super) const WAITING: usize = 8;

/// Gives the lines of a read as they come. Waits on the network.
pub(super) struct LineReader {
    deliveries: Receiver<Delivery>,
    current: String,
    at: usize,
    saver: Option<Saver>,
    /// How the stream ended, once it has.
    end: Option<Result<(), FetchError>>,
}

impl LineReader {
    pub(super) fn new(deliveries: Receiver<Delivery>, saver: Option<Saver>) -> Self {
        Self { deliveries, current: String::new(), at: 0, saver, end: None }
    }

    /// Waits for the next batch, or for the end.
    fn advance(&mut self) -> Result<(), FetchError> {
        match self.deliveries.blocking_recv() {
            Some(Delivery::Lines(lines)) => {
                if let Some(saver) = &mut self.saver {
                    saver.write(&lines)?;
                }
                self.current = lines;
                self.at = 0;
            }
            Some(Delivery::Whole) => {
                if let Some(saver) = self.saver.take() {
                    saver.publish()?;
                }
                self.end = Some(Ok(()));
            }
            Some(Delivery::Failed(error)) => return Err(error),
            None => return Err(FetchError::broken(&"no more events came")),
        }
        Ok(())
    }
}

impl Read for LineReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.current.len() {
            match &self.end {
                Some(Ok(())) => return Ok(0),
                Some(Err(error)) => return Err(io::Error::other(error.clone())),
                None => {}
            }
            if let Err(error) = self.advance() {
                // What was saved so far goes: it is not whole.
                self.saver = None;
                self.end = Some(Err(error));
            }
        }
        let rest = &self.current.as_bytes()[self.at..];
        let taken = rest.len().min(out.len());
        out[..taken].copy_from_slice(&rest[..taken]);
        self.at += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::channel;

    fn reader(deliveries: Vec<Delivery>) -> LineReader {
        let (sender, receiver) = channel(WAITING);
        deliveries.into_iter().for_each(|delivery| sender.try_send(delivery).unwrap());
        LineReader::new(receiver, None)
    }

    fn lines(text: &str) -> Delivery {
        Delivery::Lines(text.to_owned())
    }

    #[test]
    fn batches_are_one_stream() {
        let mut text = String::new();
        let mut reader = reader(vec![lines("a\nb\n"), lines(""), lines("c\n"), Delivery::Whole]);
        assert_eq!(reader.read_to_string(&mut text).unwrap(), 6);
        assert_eq!(text, "a\nb\nc\n");
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), 0);
    }

    #[test]
    fn a_read_that_failed_or_died_is_no_end() {
        for deliveries in
            [vec![lines("a\n"), Delivery::Failed(FetchError::NoRegion)], vec![lines("a\n")]]
        {
            let mut text = String::new();
            let mut reader = reader(deliveries);
            assert!(reader.read_to_string(&mut text).is_err());
            assert_eq!(text, "a\n");
            assert!(reader.read(&mut [0; 8]).is_err(), "and stays so");
        }
    }
}
