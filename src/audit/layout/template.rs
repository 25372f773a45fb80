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
use super::{ANNOTATIONS, Frame, OBJECT, SOURCE_IPS};

/// How many begins of lines are told apart.
const SLOTS: usize = 4 * 1024;
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
    pub(super) who: Option<u32>,
    pub(super) client: Option<u32>,
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

/// What decides in a line, in its order.
#[derive(Debug)]
struct Template {
    /// From the stage to the end of the path; then from the URI to the user; then what is
    /// between the user agent and the bodies or times, but for an object that is passed over.
    text: Box<[u8]>,
    path_end: u16,
    user_start: u16,
    /// Whether an object reference stands there of which nothing decides.
    passes_object: bool,
    /// What matters of the query, where anything can.
    options: Option<Box<[u8]>>,
    has_bodies: bool,
    /// Places of numbered pieces.
    who: u32,
    client: u32,
    annotations: u32,
    known: usize,
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

    /// See [`Recent::recognise`](super::Recent::recognise); `pieces` are callers, clients and
    /// reasons.
    #[inline]
    pub(super) fn recognise<'a>(
        &mut self,
        bytes: &'a [u8],
        pieces: [&Pieces; 3],
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
        self.bytes += template.text_bytes();
        self.bytes -= ways[way].replace(template).map_or(0, |former| former.text_bytes());
    }
}

/// Which of the ways the line goes.
#[inline]
fn recognised<'a>(
    ways: &Ways,
    begin: &Begin<'a>,
    pieces: [&Pieces; 3],
) -> Option<(usize, Recognised<'a>)> {
    let mut templates = ways.iter().flatten().enumerate();
    templates.find_map(|(way, template)| Some((way, template.recognise(begin, pieces)?)))
}

/// The same where the caller and client are others than those expected, of which the same
/// matters: each pod of a service account has a token, a name and an address of its own. A
/// few of them have a way each; where there are more, one makes room.
#[cold]
fn recognised_by_another<'a>(
    ways: &mut Ways,
    begin: &Begin<'a>,
    pieces: [&Pieces; 3],
) -> Option<(usize, Recognised<'a>)> {
    if ways.iter().any(Option::is_none) {
        return None;
    }
    let [callers, clients, _] = pieces;
    let (who, client) = begin.who_and_client()?;
    let (who, client) = (callers.find(who)?, clients.find(client)?);
    ways.iter_mut().enumerate().rev().find_map(|(way, template)| {
        let template = template.as_mut()?;
        if !callers.are_alike(who, template.who) || !clients.are_alike(client, template.client) {
            return None;
        }
        (template.who, template.client) = (who, client);
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
        cursor.take(memchr3(b'?', b'"', b'\n', cursor.rest)?);
        let to_path = &from_stage[..from_stage.len() - cursor.rest.len()];
        let query = if cursor.rest.starts_with(b"?") {
            cursor.string()?
        } else {
            cursor.literal(b"\"")?;
            b""
        };
        Some(Self { to_path, query, rest: cursor.rest })
    }

    fn who_and_client(&self) -> Option<(&'a [u8], &'a [u8])> {
        let mut cursor = Cursor { rest: self.rest };
        cursor.literal(b",\"verb\":\"")?;
        cursor.word()?;
        cursor.literal(b",\"user\":")?;
        let who = cursor.passed(Cursor::caller)?;
        cursor.literal(SOURCE_IPS)?;
        Some((who, cursor.passed(Cursor::client)?))
    }
}

impl Template {
    /// Nothing where it is not worth it.
    fn of(frame: &Frame<'_>, places: Places, known: usize) -> Option<Self> {
        let mut options = Vec::new();
        frame.write_options(&mut options)?;
        let passes_object = frame.has_object() && !frame.selects();
        let object = if passes_object { b"" } else { frame.object };
        let verb = [b",\"verb\":\"", frame.verb, b"\",\"user\":"].concat();
        let text = [frame.to_path, &verb, object, frame.whole_status].concat();
        let template = Self {
            path_end: u16::try_from(frame.to_path.len()).ok()?,
            user_start: u16::try_from(frame.to_path.len() + verb.len()).ok()?,
            text: text.into(),
            passes_object,
            options: frame.is_query_read().then(|| options.into()),
            has_bodies: frame.has_bodies,
            who: places.who?,
            client: places.client?,
            annotations: places.annotations?,
            known,
        };
        (template.text_bytes() <= LONGEST).then_some(template)
    }

    fn text_bytes(&self) -> usize {
        self.text.len() + self.options.as_ref().map_or(0, |options| options.len())
    }

    /// Nothing where something that decides is not the same.
    #[inline]
    fn recognise<'a>(
        &self,
        begin: &Begin<'a>,
        [callers, clients, reasons]: [&Pieces; 3],
    ) -> Option<Recognised<'a>> {
        let (to_user, behind_client) = self.text.split_at(self.user_start.into());
        let (to_path, verb) = to_user.split_at(self.path_end.into());
        if begin.to_path != to_path {
            return None;
        }
        let mut cursor = Cursor { rest: begin.rest };
        cursor.known(verb)?;
        cursor.known(callers.at(self.who)?)?;
        cursor.literal(SOURCE_IPS)?;
        cursor.known(clients.at(self.client)?)?;
        if self.passes_object {
            cursor.literal(OBJECT)?;
            cursor.object_name(false)?;
        }
        cursor.known(behind_client)?;
        if let Some(known) = &self.options {
            let mut options = Vec::new();
            write_options(begin.query, &mut options)?;
            if **known != *options {
                return None;
            }
        }
        let staged = self.end(&mut cursor, reasons.at(self.annotations)?)?;
        cursor.is_at_end().then_some((self.known, staged, cursor.rest))
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
