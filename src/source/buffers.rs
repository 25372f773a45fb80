//! Block buffers that are used again, so that a long log costs no more
//! allocations than a short one.

use std::sync::{Mutex, PoisonError};

/// A bounded store of idle buffers.
///
/// Taking never waits: where none is idle a new one is made, and a buffer that
/// finds the store full, or has grown for an unusually long record, is freed.
#[derive(Debug)]
pub struct Buffers {
    idle: Mutex<Vec<Vec<u8>>>,
    kept: usize,
    size: usize,
}

impl Buffers {
    /// A store that keeps up to `kept` buffers of `size` bytes.
    pub fn new(kept: usize, size: usize) -> Self {
        Self { idle: Mutex::new(Vec::new()), kept, size }
    }

    /// An initialised buffer of at least the store's size, with old contents.
    pub fn take(&self) -> Vec<u8> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().unwrap_or_else(|| vec![0; self.size])
    }

    /// Gives a buffer back.
    pub fn put(&self, buffer: Vec<u8>) {
        if buffer.len() != self.size {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.kept {
            idle.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_no_more_than_it_should_and_nothing_that_has_grown() {
        let buffers = Buffers::new(1, 4);
        buffers.put(vec![1; 4]);
        buffers.put(vec![2; 4]);
        buffers.put(vec![3; 8]);
        assert_eq!(buffers.take(), [1; 4]);
        assert_eq!(buffers.take(), [0; 4]);
    }
}
