//! Lines that are known, and how to recognise their like.
//!
//! Mostly, what stands in a line is what stood in the last one that began like it, but for
//! the audit ID, the times, and what does not decide. Where that is so, the pieces need not be
//! looked for one by one: each is compared with the one that is expected, which also tells
//! where it ends.

use std::hash::{BuildHasher, Hasher};

use memchr::memchr3;

use super::cursor::Cursor;
use super::key::write_options;
use super::recent::Pieces;
use super::{ANNOTATIONS, Frame, OBJECT};

/// How many begins of lines are told apart.
const SLOTS: usize = 16 * 1024;
/// How many lines are known that begin alike: there may be other outcomes, and other callers
/// of the same name.
const WAYS: usize = 4;
/// Bytes behind the URI that count as begin: the verb and, mostly, the username.
const REACH: usize = 96;
/// Longer lines are not worth their place: bytes that decide, other than the numbered pieces.
const LONGEST: usize = 2 * 1024;

/// A line that was recognised.
#[derive(Clone, Copy, Debug)]
pub struct Likeness<'a> {
    /// What is remembered of its like; nothing where it only says that a request came in.
    pub known: Option<usize>,
    /// The time of the stage.
    pub staged: &'a [u8],
    /// Length of the line in bytes, without its line break.
    pub len: usize,
}

/// Where the numbered pieces of a line are remembered, if they are.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    pub(super) caller: Option<u32>,
    pub(super) annotations: Option<u32>,
}

/// Known lines by how they begin.
#[derive(Debug)]
pub(super) struct Templates {
    /// Callers choose how lines begin: the hash is seeded.
    seed: foldhash::fast::RandomState,
    /// Places in `all`, small to be at hand.
    slots: Vec<u16>,
    /// By slot; the first is for all that are free.
    all: Vec<Ways>,
    bytes: usize,
    /// That of the line in hand, while it is not recognised.
    slot: Option<usize>,
}

/// What decides in a line, in its order. Small, for there are thousands, and each is wanted
/// once in a while.
#[derive(Debug)]
struct Template {
    /// From the stage to the end of the path; then from the URI to the user; then what is
    /// between the user agent and the bodies or times, but for an object that is passed over;
    /// then what matters of the query.
    text: Box<[u8]>,
    path_end: u16,
    user_start: u16,
    options_start: u16,
    /// Whether an object reference stands there of which nothing decides.
    passes_object: bool,
    /// Whether anything of the query can matter.
    reads_query: bool,
    has_bodies: bool,
    /// Places of numbered pieces.
    caller: u32,
    annotations: u32,
    known: u32,
}

/// Those that begin alike; free ways are the last.
type Ways = [Option<Template>; WAYS];

/// What is known of a line, the time of its stage and what follows it.
type Recognised<'a> = (usize, &'a [u8], &'a [u8]);

/// How a line begins.
struct Begin<'a> {
    /// From the stage to the end of the path.
    to_path: &'a [u8],
    /// With its question mark.
    query: &'a [u8],
    /// Behind the URI and its quote.
    rest: &'a [u8],
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            seed: foldhash::fast::RandomState::default(),
            slots: vec![0; SLOTS],
            all: vec![[const { None }; WAYS]],
            bytes: 0,
            slot: None,
        }
    }
}

impl Templates {
    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.slots.fill(0);
        self.all.truncate(1);
        self.bytes = 0;
        self.slot = None;
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// See [`Recent::recognise`](super::Recent::recognise); `pieces` are callers and
    /// reasons.
    #[inline]
    pub(super) fn recognise<'a>(
        &mut self,
        bytes: &'a [u8],
        pieces: [&Pieces; 2],
    ) -> Option<Likeness<'a>> {
        self.slot = None;
        let mut cursor = Cursor { rest: bytes };
        cursor.head()?;
        if cursor.literal(b"RequestReceived\"").is_some() {
            let staged = Cursor::times_at_end(cursor.rest_of_line()?.strip_suffix(b"}")?)?;
            return Some(Likeness { known: None, staged, len: bytes.len() - cursor.rest.len() });
        }
        let begin = Begin::of(&mut cursor)?;
        let slot = self.slot_of(&begin);
        self.slot = Some(slot);
        let ways = &mut self.all[usize::from(self.slots[slot])];
        let (way, (known, staged, rest)) = recognised(ways, &begin, pieces)
            .or_else(|| recognised_by_another(ways, &begin, pieces))?;
        self.slot = None;
        if way > 0 {
            // Those that come more often are found sooner.
            ways.swap(way, way - 1);
        }
        Some(Likeness { known: Some(known), staged, len: bytes.len() - rest.len() })
    }

    #[inline]
    fn slot_of(&self, begin: &Begin<'_>) -> usize {
        let mut hasher = self.seed.build_hasher();
        hasher.write(begin.to_path);
        hasher.write(&begin.rest[..begin.rest.len().min(REACH)]);
        let [low, high, ..] = hasher.finish().to_le_bytes();
        usize::from(u16::from_le_bytes([low, high])) % SLOTS
    }

    /// See [`Recent::know`](super::Recent::know).
    pub(super) fn know(&mut self, frame: &Frame<'_>, places: Places, known: usize) {
        let Some(slot) = self.slot else { return };
        let Some(template) = Template::of(frame, places, known) else { return };
        if self.slots[slot] == 0 {
            let Ok(place) = u16::try_from(self.all.len()) else { return };
            self.slots[slot] = place;
            self.all.push([const { None }; WAYS]);
            self.bytes += size_of::<Ways>();
        }
        let ways = &mut self.all[usize::from(self.slots[slot])];
        let way = ways.iter().position(Option::is_none).unwrap_or(WAYS - 1);
        self.bytes += template.text.len();
        self.bytes -= ways[way].replace(template).map_or(0, |former| former.text.len());
    }
}

/// Which of the ways the line goes.
#[inline]
fn recognised<'a>(
    ways: &Ways,
    begin: &Begin<'a>,
    pieces: [&Pieces; 2],
) -> Option<(usize, Recognised<'a>)> {
    let mut templates = ways.iter().flatten().enumerate();
    templates.find_map(|(way, template)| Some((way, template.recognise(begin, pieces)?)))
}

/// The same where the caller is another than the one expected, of which the same matters:
/// each pod of a service account has a token, a name and an address of its own. A few of them
/// have a way each; where there are more, one makes room.
#[cold]
fn recognised_by_another<'a>(
    ways: &mut Ways,
    begin: &Begin<'a>,
    pieces: [&Pieces; 2],
) -> Option<(usize, Recognised<'a>)> {
    if ways.iter().any(Option::is_none) {
        return None;
    }
    let [callers, _] = pieces;
    let caller = callers.find(begin.caller()?)?;
    ways.iter_mut().enumerate().rev().find_map(|(way, template)| {
        let template = template.as_mut()?;
        if !callers.are_alike(caller, template.caller) {
            return None;
        }
        template.caller = caller;
        Some((way, template.recognise(begin, pieces)?))
    })
}

impl<'a> Begin<'a> {
    #[inline]
    fn of(cursor: &mut Cursor<'a>) -> Option<Self> {
        let from_stage = cursor.rest;
        cursor
            .literal(b"ResponseComplete\",\"requestURI\":\"")
            .or_else(|| cursor.literal(b"ResponseStarted\",\"requestURI\":\""))?;
        // A line that ends before has a path that no other has, and is not recognised.
        cursor.take(memchr3(b'?', b'"', b'\\', cursor.rest)?);
        let to_path = &from_stage[..from_stage.len() - cursor.rest.len()];
        let query = if cursor.rest.starts_with(b"?") {
            cursor.string()?
        } else {
            // Not where an escape stands, behind which another question mark starts no query.
            cursor.literal(b"\"")?;
            b""
        };
        Some(Self { to_path, query, rest: cursor.rest })
    }

    fn caller(&self) -> Option<&'a [u8]> {
        let mut cursor = Cursor { rest: self.rest };
        cursor.literal(b",\"verb\":\"")?;
        cursor.word()?;
        cursor.literal(b",\"user\":")?;
        cursor.passed(|cursor| cursor.caller().map(drop))
    }
}

impl Template {
    /// Nothing where it is not worth it.
    fn of(frame: &Frame<'_>, places: Places, known: usize) -> Option<Self> {
        let passes_object = frame.has_object() && !frame.selects();
        let object = if passes_object { b"" } else { frame.object };
        let verb = [b",\"verb\":\"", frame.verb, b"\",\"user\":"].concat();
        let mut text = [frame.to_path, &verb, object, frame.whole_status].concat();
        let options_start = text.len();
        frame.write_options(&mut text)?;
        if text.len() > LONGEST {
            return None;
        }
        Some(Self {
            path_end: u16::try_from(frame.to_path.len()).ok()?,
            user_start: u16::try_from(frame.to_path.len() + verb.len()).ok()?,
            options_start: u16::try_from(options_start).ok()?,
            text: text.into(),
            passes_object,
            reads_query: frame.is_query_read(),
            has_bodies: frame.has_bodies,
            caller: places.caller?,
            annotations: places.annotations?,
            known: u32::try_from(known).ok()?,
        })
    }

    /// Nothing where something that decides is not the same.
    #[inline]
    fn recognise<'a>(
        &self,
        begin: &Begin<'a>,
        [callers, reasons]: [&Pieces; 2],
    ) -> Option<Recognised<'a>> {
        let (text, known_options) = self.text.split_at(self.options_start.into());
        let (to_user, behind_client) = text.split_at(self.user_start.into());
        let (to_path, verb) = to_user.split_at(self.path_end.into());
        if begin.to_path != to_path {
            return None;
        }
        let mut cursor = Cursor { rest: begin.rest };
        cursor.known(verb)?;
        cursor.known(callers.at(self.caller)?)?;
        if self.passes_object {
            cursor.literal(OBJECT)?;
            cursor.object_name(false)?;
        }
        cursor.known(behind_client)?;
        if self.reads_query {
            let mut options = Vec::with_capacity(begin.query.len());
            write_options(begin.query, &mut options)?;
            if *known_options != *options {
                return None;
            }
        }
        let staged = self.end(&mut cursor, reasons.at(self.annotations)?)?;
        cursor.is_at_end().then_some((self.known as usize, staged, cursor.rest))
    }

    /// The time of the stage, where what follows the request ends in these annotations.
    #[inline]
    fn end<'a>(&self, cursor: &mut Cursor<'a>, annotations: &[u8]) -> Option<&'a [u8]> {
        if self.has_bodies {
            let line = cursor.is_at_bodies().then(|| cursor.rest_of_line())??;
            let before = line.strip_suffix(b"}")?.strip_suffix(annotations)?;
            return Cursor::times_at_end(before.strip_suffix(ANNOTATIONS)?);
        }
        let staged = cursor.times()?;
        cursor.literal(ANNOTATIONS)?;
        cursor.known(annotations)?;
        cursor.literal(b"}")?;
        Some(staged)
    }
}
