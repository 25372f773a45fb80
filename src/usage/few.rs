//! A set that stays small whatever the log holds.

use smol_str::SmolStr;

/// The `N` smallest of the strings put in, and whether there were more. Which ones are
/// kept does not depend on the order of insertion or merging.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Few<const N: usize> {
    /// In order.
    kept: Vec<SmolStr>,
    more: bool,
}

impl<const N: usize> Few<N> {
    /// Adds a string.
    pub fn insert(&mut self, text: &str) {
        if !self.contains(text) {
            self.put(text.into());
        }
    }

    /// Adds all of another set.
    pub fn merge(&mut self, other: Self) {
        self.more |= other.more;
        other.kept.into_iter().for_each(|text| self.put(text));
    }

    /// The strings kept, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().map(SmolStr::as_str)
    }

    /// Whether the string was kept.
    pub fn contains(&self, text: &str) -> bool {
        self.find(text).is_ok()
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

    fn put(&mut self, text: SmolStr) {
        if let Err(place) = self.find(&text) {
            self.kept.insert(place, text);
            self.more |= self.kept.len() > N;
            self.kept.truncate(N);
        }
    }

    /// Where it is, or belongs.
    fn find(&self, text: &str) -> Result<usize, usize> {
        self.kept.binary_search_by(|kept| kept.as_str().cmp(text))
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
