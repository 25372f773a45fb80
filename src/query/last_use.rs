//! When a right was last used, and by whom.

use std::collections::BTreeSet;

use crate::rbac::Atom;
use crate::review::Party;
use crate::usage::Moment;

/// The use of a right in a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastUse {
    /// How many requests.
    pub requests: u64,
    /// The last of them.
    pub last: Option<Moment>,
    /// Who made them.
    pub by: BTreeSet<String>,
}

impl LastUse {
    /// Adds what the party did of what is meant.
    pub fn add(&mut self, party: &Party<'_>, is_meant: impl Fn(&Atom) -> bool) {
        for need in party.needs.iter().filter(|need| is_meant(need.atom)) {
            if let Some(evidence) = need.evidence {
                self.requests += evidence.requests();
                self.last = self.last.max(evidence.last);
                self.by.insert(party.plan.identity.to_string());
            }
        }
    }
}
