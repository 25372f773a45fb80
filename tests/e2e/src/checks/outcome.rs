//! What a check found: counts, and disagreements with the server.

use std::fmt;

/// Allowed in the first run, refused in the second, and nothing said so.
pub(super) const NEWLY_REFUSED: &str = "newly refused";
/// Refused in the first run, allowed in the second.
pub(super) const NEWLY_ALLOWED: &str = "newly allowed";

/// How many disagreements are shown; all are counted.
const SHOWN: usize = 40;

/// Counts in the order in which they were taken, and disagreements.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    counts: Vec<(String, usize)>,
    disagreements: Vec<String>,
}

impl Outcome {
    /// Notes a count.
    pub fn count(&mut self, what: &str, number: usize) {
        self.counts.push((what.to_owned(), number));
    }

    /// Adds to a count that other parts of the check add to as well.
    pub fn add(&mut self, what: &str, number: usize) {
        match self.counts.iter_mut().find(|(counted, _)| counted == what) {
            Some((_, count)) => *count += number,
            None => self.count(what, number),
        }
    }

    /// Notes that the server and we differ.
    pub fn disagree(&mut self, how: String) {
        self.disagreements.push(how);
    }

    /// Notes that the server and we differ, and counts what in.
    pub(super) fn disagree_in(&mut self, what: &str, how: &str) {
        self.add(what, 1);
        self.disagree(format!("{what}: {how}"));
    }

    /// Takes over what a part of the check found, its counts under a name of their own.
    pub fn append(&mut self, part: &str, other: Self) {
        let named =
            other.counts.into_iter().map(|(what, number)| (format!("{part}{what}"), number));
        self.counts.extend(named);
        let named = other.disagreements.into_iter().map(|how| format!("{part}{how}"));
        self.disagreements.extend(named);
    }

    /// Takes over what another round of the check found, its counts added up.
    pub fn absorb(&mut self, round: &str, other: Self) {
        for (what, number) in other.counts {
            self.add(&what, number);
        }
        self.disagreements
            .extend(other.disagreements.into_iter().map(|how| format!("{round}{how}")));
    }

    /// Whether there was no disagreement.
    pub fn agrees(&self) -> bool {
        self.disagreements.is_empty()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, number) in &self.counts {
            writeln!(f, "  {number:>7} {what}")?;
        }
        writeln!(f, "  {:>7} disagreements", self.disagreements.len())?;
        for disagreement in self.disagreements.iter().take(SHOWN) {
            writeln!(f, "    {disagreement}")?;
        }
        Ok(())
    }
}
