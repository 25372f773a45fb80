//! A range of CloudWatch's time in milliseconds, and how it is cut.

/// From `start` on and before `end`, milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Span {
    /// An `end` before `start` gives an empty span.
    pub(super) fn new(start: i64, end: i64) -> Self {
        Self { start, end: end.max(start) }
    }

    /// Milliseconds.
    pub(super) fn width(self) -> u64 {
        self.end.abs_diff(self.start)
    }

    pub(super) fn contains(self, time: i64) -> bool {
        (self.start..self.end).contains(&time)
    }

    /// What both have in common, perhaps nothing.
    pub(super) fn overlap(self, other: Self) -> Self {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// Equal parts that touch and together are the whole: `parts` of them, fewer
    /// where a part would be shorter than a millisecond, none of nothing.
    pub(super) fn cut(self, parts: u64) -> Vec<Self> {
        let width = self.width();
        let parts = parts.clamp(1, width.max(1));
        let edge = |part: u64| {
            let offset = u128::from(width) * u128::from(part) / u128::from(parts);
            self.start.saturating_add_unsigned(u64::try_from(offset).unwrap_or(width))
        };
        (0..parts)
            .map(|part| Self::new(edge(part), edge(part + 1)))
            .filter(|span| span.width() > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_touch_and_are_the_whole() {
        for (start, end, parts) in [(0, 10, 3), (5, 6, 4), (0, 1_000_003, 17), (-7, 7, 2)] {
            let whole = Span::new(start, end);
            let cut = whole.cut(parts);
            assert_eq!(cut.first().unwrap().start, start);
            assert_eq!(cut.last().unwrap().end, end);
            assert!(cut.windows(2).all(|pair| pair[0].end == pair[1].start), "{cut:?}");
            assert!(cut.iter().all(|part| part.width() > 0), "{cut:?}");
        }
    }

    #[test]
    fn no_part_is_shorter_than_a_millisecond() {
        assert_eq!(Span::new(0, 3).cut(100).len(), 3);
        assert!(Span::new(4, 4).cut(3).is_empty());
    }

    #[test]
    fn an_edge_belongs_to_the_later_part_alone() {
        let cut = Span::new(0, 10).cut(2);
        assert_eq!(cut.iter().filter(|part| part.contains(5)).count(), 1);
        assert!(cut[1].contains(5));
    }
}
