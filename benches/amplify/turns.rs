//! Takes turns: which of many likenesses an event shows in which copy of the log.

use std::collections::BTreeMap;

/// An event's place among those of its group, with so many likenesses to choose from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    place: u64,
    size: u64,
    choices: u64,
}

impl Turn {
    /// How many requests its group makes in one copy.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The same with `choices` likenesses.
    pub(crate) fn among(self, choices: u64) -> Self {
        Self { choices, ..self }
    }

    /// The likeness in this copy, from 0. Every likeness has its turn before one comes
    /// again, and in every round other events show it.
    pub(crate) fn choice(&self, copy: u64) -> u64 {
        let asked = copy * self.size + self.place;
        (asked + asked / self.choices) % self.choices
    }
}

/// The turns of a whole recording.
pub(crate) struct Turns {
    /// By event; none where it has no group.
    pub(crate) by_event: Vec<Option<Turn>>,
    /// How many groups there are.
    pub(crate) groups: u64,
    /// How many requests they hold.
    pub(crate) members: u64,
}

/// Gives every request its place in its group. The stages of one request have one audit
/// ID, and stay together.
pub(crate) fn turns<'i, G: Ord>(
    events: impl Iterator<Item = (Option<G>, &'i str)> + Clone,
) -> Turns {
    let mut groups: BTreeMap<G, BTreeMap<&str, u64>> = BTreeMap::new();
    for (group, id) in events.clone() {
        if let Some(group) = group {
            let members = groups.entry(group).or_default();
            let next = members.len() as u64;
            members.entry(id).or_insert(next);
        }
    }
    let turn = |(group, id): (Option<G>, &str)| {
        let members = groups.get(&group?)?;
        Some(Turn { place: *members.get(id)?, size: members.len() as u64, choices: 1 })
    };
    Turns {
        by_event: events.map(turn).collect(),
        groups: groups.len() as u64,
        members: groups.values().map(|members| members.len() as u64).sum(),
    }
}
