//! A set that stays small whatever the log holds.

use std::collections::BTreeSet;

/// The `N` smallest of the strings put in, and whether there were more. Which ones are
/// kept does not depend on the order of insertion or merging.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Few<const N: usize> {
    kept: BTreeSet<Box<str>>,
    more: bool,
}

impl<const N: usize> Few<N> {
    /// Adds a string.
    pub fn insert(&mut self, text: &str) {
        if self.kept.contains(text) {
            return;
        }
        self.kept.insert(text.into());
        self.shrink();
    }

    /// Adds all of another set.
    pub fn merge(&mut self, other: Self) {
        self.more |= other.more;
        self.kept.extend(other.kept);
        self.shrink();
    }

    /// The strings kept, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().map(|text| &**text)
    }

    /// Whether the string was kept.
    pub fn contains(&self, text: &str) -> bool {
        self.kept.contains(text)
    }

    /// The only string ever put in.
    pub fn single(&self) -> Option<&str> {
        match (self.kept.len(), self.more) {
            (1, false) => self.iter().next(),
            _ => None,
        }
    }

    /// Whether strings were dropped.
    pub fn has_more(&self) -> bool {
        self.more
    }

    fn shrink(&mut self) {
        while self.kept.len() > N {
            self.kept.pop_last();
            self.more = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn few(texts: &[&str]) -> Few<2> {
        let mut few = Few::default();
        texts.iter().for_each(|text| few.insert(text));
        few
    }

    #[test]
    fn the_smallest_stay_whatever_the_order() {
        assert_eq!(few(&["c", "a", "b"]), few(&["b", "c", "a"]));
        let mut merged = few(&["c", "d", "x"]);
        merged.merge(few(&["a"]));
        assert_eq!(merged.iter().collect::<Vec<_>>(), ["a", "c"]);
        assert!(merged.has_more());
        assert_eq!(few(&["a", "a"]).single(), Some("a"));
        assert_eq!(few(&["a", "b"]).single(), None);
    }
}
