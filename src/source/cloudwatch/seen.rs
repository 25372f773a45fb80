//! Which events of a window have come already.
//!
//! Pages overlap at equal timestamps, and a window that is cut or starts over is read
//! again in part: each event must count once. A window is short, so its memory is too.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use super::page::LogEvent;

/// The events of one window, and of the window that it was cut from.
#[derive(Debug, Default)]
pub(super) struct Seen {
    own: HashSet<u128>,
    before: Option<Arc<Seen>>,
}

impl Seen {
    /// Events that come after those of `before`.
    pub(super) fn after(before: Arc<Seen>) -> Self {
        Self { own: HashSet::new(), before: Some(before) }
    }

    /// Notes the event and says whether it is the first time.
    ///
    /// `GetLogEvents` has no names for events. There, what has the same two times and
    /// the same text is the same: audit events carry an ID of their own in the text.
    pub(super) fn is_new(&mut self, event: &LogEvent) -> bool {
        let key = match &event.id {
            Some(id) => fingerprint(id),
            None => fingerprint((event.time, event.ingested, &event.message)),
        };
        let known = self.before.as_ref().is_some_and(|before| before.has(key));
        !known && self.own.insert(key)
    }

    /// Events of this window, without those from before it was cut off.
    pub(super) fn len(&self) -> usize {
        self.own.len()
    }

    fn has(&self, key: u128) -> bool {
        let mut next = Some(self);
        while let Some(seen) = next {
            if seen.own.contains(&key) {
                return true;
            }
            next = seen.before.as_deref();
        }
        false
    }
}

/// Two hashes with secret keys: whoever writes the log cannot make two events alike.
fn fingerprint(event: impl std::hash::Hash) -> u128 {
    static KEYS: LazyLock<(RandomState, RandomState)> = LazyLock::new(Default::default);
    u128::from(KEYS.0.hash_one(&event)) << 64 | u128::from(KEYS.1.hash_one(&event))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: Option<&str>, time: i64, message: &str) -> LogEvent {
        LogEvent {
            id: id.map(str::to_owned),
            stream: None,
            time: Some(time),
            ingested: Some(time + 5),
            message: message.to_owned(),
        }
    }

    #[test]
    fn an_event_with_a_name_is_known_by_it_alone() {
        let mut seen = Seen::default();
        assert!(seen.is_new(&event(Some("1"), 7, "same")));
        assert!(seen.is_new(&event(Some("2"), 7, "same")));
        assert!(!seen.is_new(&event(Some("1"), 7, "same")));
    }

    #[test]
    fn an_event_without_a_name_is_known_by_times_and_text() {
        let mut seen = Seen::default();
        assert!(seen.is_new(&event(None, 7, "a")));
        assert!(seen.is_new(&event(None, 7, "b")));
        assert!(seen.is_new(&event(None, 8, "a")));
        assert!(!seen.is_new(&event(None, 7, "b")));
    }

    #[test]
    fn parts_of_a_window_know_what_came_before_the_cut() {
        let mut whole = Seen::default();
        assert!(whole.is_new(&event(Some("1"), 7, "")));
        let mut half = Seen::after(Arc::new(whole));
        assert!(half.is_new(&event(Some("2"), 7, "")));
        let mut quarter = Seen::after(Arc::new(half));
        for known in ["1", "2"] {
            assert!(!quarter.is_new(&event(Some(known), 7, "")), "{known}");
        }
        assert!(quarter.is_new(&event(Some("3"), 7, "")));
    }
}
