//! What was seen in earlier lines: pieces that come again and again, and lines that do.
//!
//! Who called and why it was decided so are the longest of what decides. Two events are
//! compared by the numbers of these pieces.

use indexmap::IndexMap;

use super::Frame;
use super::template::{Likeness, Places, Templates};

/// Callers choose the keys: the hash is seeded.
type Table<K, V> = IndexMap<K, V, foldhash::fast::RandomState>;

/// Longer pieces are not worth their place.
const LONGEST: usize = 64 * 1024;
/// After so many lines it is looked at anew which come again: tokens last for an hour, pods
/// for a day, and a log goes on.
const SEASON: u32 = 1 << 19;
/// What an entry takes besides its bytes.
const ENTRY_BYTES: usize = 64;

/// What was seen in earlier lines. It only makes the next one faster to read: what is read
/// is the same without.
#[derive(Debug, Default)]
pub struct Recent {
    /// From the user object to the user agent.
    pub(super) callers: Pieces,
    /// Annotation objects.
    pub(super) reasons: Pieces,
    templates: Templates,
    /// Lines since the season began.
    lines: u32,
}

impl Recent {
    /// What it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let pieces = [&self.callers, &self.reasons];
        let bytes = |pieces: &Pieces| pieces.usual_bytes + pieces.raw_bytes;
        pieces.map(bytes).iter().sum::<usize>() + self.templates.bytes()
    }

    /// Forgets what only helps to recognise lines. Numbers stay what they are, and the room is
    /// kept: as much will be needed again.
    fn begin_season(&mut self) {
        self.lines = 0;
        self.templates.clear();
        for pieces in [&mut self.callers, &mut self.reasons] {
            pieces.raw.clear();
            pieces.raw_bytes = 0;
        }
    }

    /// Recognises the line that `bytes` begin with: one that only says that a request came
    /// in, or one that is like a line that is known. [`Frame::split`] splits it as well, and
    /// all pieces of it that decide are the same as those of the known one.
    #[inline]
    pub fn recognise<'a>(&mut self, bytes: &'a [u8]) -> Option<Likeness<'a>> {
        self.lines += 1;
        if self.lines > SEASON {
            self.begin_season();
        }
        let Self { callers, reasons, templates, .. } = self;
        templates.recognise(bytes, [callers, reasons])
    }

    /// Knows the line that was not recognised last: it was split into these pieces, and of its
    /// like `known` is remembered.
    pub fn know(&mut self, frame: &Frame<'_>, places: Places, known: usize) {
        self.templates.know(frame, places, known);
    }
}

/// A piece of raw JSON.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// The same for all of which the same matters.
    pub(super) number: u32,
    /// Where it is remembered as it stands.
    pub(super) place: Option<u32>,
}

/// Pieces of one kind, numbered by what matters of them.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// As they stand in the line, many to one number: each token and pod of a service
    /// account is another.
    raw: Table<Box<[u8]>, u32>,
    /// What matters of them; the number is the place.
    usual: Table<Box<[u8]>, ()>,
    raw_bytes: usize,
    usual_bytes: usize,
}

impl Pieces {
    /// The piece at this place, as it stands in lines.
    #[inline]
    pub(super) fn at(&self, place: u32) -> Option<&[u8]> {
        self.raw.get_index(place as usize).map(|(raw, _)| &**raw)
    }

    /// Where this piece is remembered as it stands.
    pub(super) fn find(&self, raw: &[u8]) -> Option<u32> {
        u32::try_from(self.raw.get_index_of(raw)?).ok()
    }

    /// Whether the same matters of both.
    pub(super) fn are_alike(&self, place: u32, other: u32) -> bool {
        let number = |place: u32| self.raw.get_index(place as usize).map(|(_, number)| number);
        number(place) == number(other)
    }

    /// Numbers a piece, of which `usual` tells what matters; nothing where that cannot be
    /// told. What `comes_again` is remembered as it stands.
    pub(super) fn number(
        &mut self,
        raw: &[u8],
        comes_again: bool,
        usual: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<Piece> {
        if raw.len() > LONGEST {
            return None;
        }
        if let Some((place, _, number)) = self.raw.get_full(raw) {
            return Some(Piece { number: *number, place: u32::try_from(place).ok() });
        }
        let usual = usual()?;
        let place = self.usual.get_index_of(usual.as_slice()).unwrap_or_else(|| {
            self.usual_bytes += usual.len() + ENTRY_BYTES;
            self.usual.insert_full(usual.into(), ()).0
        });
        let number = u32::try_from(place).ok()?;
        if !comes_again {
            return Some(Piece { number, place: None });
        }
        self.raw_bytes += raw.len() + ENTRY_BYTES;
        let (place, _) = self.raw.insert_full(raw.into(), number);
        Some(Piece { number, place: u32::try_from(place).ok() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request for this resource by one of the pods of a service account.
    fn line(resource: &str, pod: u8) -> String {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"11111111-1111-4111-a111-111111111111","stage":"ResponseComplete","requestURI":"/api/v1/{resource}","verb":"list","user":{{"username":"system:serviceaccount:n:agent","extra":{{"authentication.kubernetes.io/pod-name":["agent-{pod}"]}}}},"sourceIPs":["10.0.0.{pod}"],"userAgent":"p","objectRef":{{"resource":"{resource}"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"2026-11-20T09:15:03.000001Z","stageTimestamp":"2026-11-20T09:15:03.000001Z","annotations":{{"authorization.k8s.io/decision":"allow"}}}}"#
        )
    }

    /// Reads a line as one that is known as 7 is; returns its key where it was split.
    fn read(recent: &mut Recent, line: &str) -> Option<Vec<u8>> {
        if let Some(likeness) = recent.recognise(line.as_bytes()) {
            assert_eq!((likeness.known, likeness.len), (Some(7), line.len()));
            return None;
        }
        let (frame, _) = Frame::split(line.as_bytes()).unwrap();
        let mut key = Vec::new();
        let places = frame.write_key(recent, &mut key).unwrap();
        recent.know(&frame, places, 7);
        Some(key)
    }

    #[test]
    fn lines_of_many_pods_are_recognised_once_the_pods_are_known() {
        let recent = &mut Recent::default();
        for pod in 1..=4 {
            assert!(read(recent, &line("pods", pod)).is_some(), "each has a way of its own");
        }
        assert!(read(recent, &line("pods", 1)).is_none());
        assert!(read(recent, &line("nodes", 5)).is_some());
        for pod in [5, 1, 2, 3, 4, 5] {
            assert!(read(recent, &line("pods", pod)).is_none(), "pod {pod}");
        }
        assert!(read(recent, &line("pods", 6)).is_some(), "never seen before");
    }

    #[test]
    fn a_new_season_forgets_lines_and_keeps_keys() {
        let recent = &mut Recent::default();
        let line = &line("pods", 1);
        let key = read(recent, line);
        let bytes = recent.bytes();
        assert!(key.is_some() && read(recent, line).is_none());
        recent.lines = SEASON;
        assert_eq!(read(recent, line), key);
        assert_eq!((recent.lines, recent.bytes()), (0, bytes));
        assert!(read(recent, line).is_none());
    }
}
