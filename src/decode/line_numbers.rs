//! On which line a problem is, although nobody counts the lines ahead of a block.
//!
//! Every piece of an input, decoded or skipped, comes in with the line breaks that it
//! holds, in any order; once all before a piece are in, the numbers asked for within it
//! are known. What is held is bounded by the pieces that are being worked on and by the
//! problems that are kept, never by the input.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use memchr::memchr_iter;

/// The lines of one input. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct LineLedger(Arc<Mutex<Stretches>>);

/// What is counted without a gap, by where it starts.
type Stretches = BTreeMap<u64, Stretch>;

#[derive(Debug)]
struct Stretch {
    end: u64,
    count: LineCount,
}

/// The line breaks of a piece of an input, and the numbers asked for within it.
#[derive(Debug, Default)]
pub(super) struct LineCount {
    breaks: u64,
    /// Each with the line breaks of the piece that stand before it.
    asked: Vec<(u64, LineNumber)>,
}

/// The number of a line, known once every line before it is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LineNumber(Arc<OnceLock<u64>>);

impl LineLedger {
    /// Takes in the `len` bytes at `offset`. No byte comes in twice.
    pub(super) fn add(&self, offset: u64, len: usize, count: LineCount) {
        let mut stretches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stretch = Stretch { end: offset + len as u64, count };
        if let Some(next) = stretches.remove(&stretch.end) {
            stretch.append(next);
        }
        match stretches.range_mut(..offset).next_back() {
            Some((_, before)) if before.end == offset => before.append(stretch),
            _ => {
                stretches.insert(offset, stretch);
            }
        }
        if let Some(first) = stretches.get_mut(&0) {
            first.count.settle();
        }
    }
}

impl Stretch {
    fn append(&mut self, next: Self) {
        self.end = next.end;
        self.count.append(next.count);
    }
}

impl LineCount {
    /// Counts in the line breaks of `bytes`.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        self.breaks += line_breaks(bytes);
    }

    /// Counts in one line, of which `last` is the last byte: its line break, if it has one.
    pub(super) fn pass_line(&mut self, last: Option<&u8>) {
        self.breaks += u64::from(last == Some(&b'\n'));
    }

    /// The number of the line that the piece is on after its bytes `before`.
    pub(super) fn number_after(&mut self, before: &[u8]) -> LineNumber {
        let number = LineNumber::default();
        self.asked.push((line_breaks(before), number.clone()));
        number
    }

    fn append(&mut self, next: Self) {
        if !next.asked.is_empty() {
            self.asked.retain(|(_, number)| number.is_wanted());
        }
        let before = self.breaks;
        self.asked.extend(next.asked.into_iter().map(|(breaks, it)| (before + breaks, it)));
        self.breaks += next.breaks;
    }

    /// Answers what was asked, now that the piece is known to start the input.
    fn settle(&mut self) {
        for (breaks, number) in self.asked.drain(..) {
            number.settle(breaks + 1);
        }
    }
}

impl LineNumber {
    /// The number, from 1; 0 while it is not known.
    pub(super) fn get(&self) -> u64 {
        self.0.get().copied().unwrap_or_default()
    }

    pub(super) fn settle(&self, number: u64) {
        // It is asked for once, so it cannot be known already.
        let _ = self.0.set(number);
    }

    /// Whether the problem that it was asked for is still kept.
    fn is_wanted(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

fn line_breaks(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "one\r\ntwo\n\nfour and no more\n\n\nseven\neight";

    /// The pieces of `TEXT` that end at `cuts`, by offset.
    fn pieces(cuts: &[usize]) -> Vec<(usize, &'static [u8])> {
        let mut ends = [cuts, &[TEXT.len()]].concat();
        ends.sort_unstable();
        ends.dedup();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let pieces = starts.zip(&ends).map(|(start, end)| (start, &TEXT.as_bytes()[start..*end]));
        pieces.filter(|(_, piece)| !piece.is_empty()).collect()
    }

    /// A piece's count, and the numbers of the lines that its bytes stand on.
    fn counted(piece: &[u8]) -> (LineCount, Vec<LineNumber>) {
        let mut count = LineCount::default();
        let numbers = (0..piece.len()).map(|at| count.number_after(&piece[..at])).collect();
        count.pass(piece);
        (count, numbers)
    }

    fn held(ledger: &LineLedger) -> usize {
        ledger.0.lock().unwrap().len()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pieces_in_any_order_give_the_same_numbers(
            pieces in prop::collection::vec(1..TEXT.len(), 0..12)
                .prop_flat_map(|cuts| Just(pieces(&cuts)).prop_shuffle())
        ) {
            let ledger = LineLedger::default();
            let mut asked = Vec::new();
            for (offset, piece) in pieces {
                let (count, numbers) = counted(piece);
                ledger.add(offset as u64, piece.len(), count);
                asked.extend((offset..).zip(numbers));
            }
            prop_assert_eq!((asked.len(), held(&ledger)), (TEXT.len(), 1));
            for (offset, number) in asked {
                let expected = 1 + TEXT[..offset].matches('\n').count() as u64;
                prop_assert_eq!(number.get(), expected, "byte {}", offset);
            }
        }
    }

    #[test]
    fn a_number_is_known_once_all_before_it_is_counted() {
        let ledger = LineLedger::default();
        let [first, second, third] = [&b"a\nb"[..], b"\n\n", b"c\nd"];
        let (count, of_third) = counted(third);
        ledger.add(5, third.len(), count);
        let (count, of_first) = counted(first);
        ledger.add(0, first.len(), count);
        assert_eq!(of_first.iter().map(LineNumber::get).collect::<Vec<_>>(), [1, 1, 2]);
        assert_eq!((of_third[0].get(), held(&ledger)), (0, 2));
        let (count, of_second) = counted(second);
        ledger.add(3, second.len(), count);
        assert_eq!(of_second.iter().map(LineNumber::get).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(of_third.iter().map(LineNumber::get).collect::<Vec<_>>(), [4, 4, 5]);
        assert_eq!(held(&ledger), 1);
    }

    #[test]
    fn a_line_without_a_break_is_not_counted() {
        let mut count = LineCount::default();
        for last in [Some(&b'\n'), Some(&b'\r'), None] {
            count.pass_line(last);
        }
        assert_eq!(count.breaks, 1);
    }

    #[test]
    fn what_waits_does_not_grow_with_the_input() {
        let ledger = LineLedger::default();
        let mut kept = Vec::new();
        for piece in 1..1000 {
            let (count, numbers) = counted(b"x\ny\n");
            ledger.add(4 * piece, 4, count);
            if piece % 100 == 0 {
                kept.extend(numbers.into_iter().last());
            }
        }
        let asked = ledger.0.lock().unwrap()[&4].count.asked.len();
        assert!((kept.len()..kept.len() + 8).contains(&asked), "{asked} for {}", kept.len());
        ledger.add(0, 4, counted(b"x\ny\n").0);
        let numbers: Vec<_> = kept.iter().map(LineNumber::get).collect();
        assert_eq!(numbers, [202, 402, 602, 802, 1002, 1202, 1402, 1602, 1802]);
    }
}
