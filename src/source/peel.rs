//! Takes compression off a stream, layer by layer, going by content alone.

use std::io::{self, BufReader, Cursor, Read};

use super::damage::{Damage, Flaw};
use super::gzip::Members;
use super::zstd::Frames;

/// Layers of compression that are taken off: Firehose makes two.
const LAYERS: usize = 4;
/// As many bytes as tell all formats apart.
const MAGIC: usize = 8;
/// Compressed bytes read at a time.
const STORED_BUFFER: usize = 64 << 10;

/// Knows how many of its bytes were used so far.
pub(super) trait Positioned {
    fn position(&self) -> u64;
}

type Stream = Box<dyn Read + Send>;

/// Takes every layer of compression off `stream`.
///
/// # Errors
///
/// The stream's own, and a [`Flaw`] for a format that is recognised but not read.
pub(super) fn peel(mut stream: Stream) -> io::Result<Stream> {
    for _ in 0..=LAYERS {
        let magic = first_bytes(&mut stream)?;
        let format = Format::of(&magic);
        let whole: Stream = if magic.len() < MAGIC {
            Box::new(Cursor::new(magic))
        } else {
            Box::new(Cursor::new(magic).chain(stream))
        };
        stream = match format {
            Format::Plain => return Ok(whole),
            Format::Gzip => Box::new(Members::new(counted(whole))),
            Format::Zstd => Box::new(Frames::new(counted(whole))),
            Format::Refused(damage) => return Err(Flaw { damage, offset: 0 }.into()),
        };
    }
    let damage = Damage::UnsupportedFormat {
        what: "data compressed more than four times over",
        hint: "decompress it first",
    };
    Err(Flaw { damage, offset: 0 }.into())
}

enum Format {
    Plain,
    Gzip,
    Zstd,
    Refused(Damage),
}

impl Format {
    fn of(magic: &[u8]) -> Self {
        if magic.starts_with(b"\x1f\x8b") {
            return Self::Gzip;
        }
        if magic.starts_with(b"\x28\xb5\x2f\xfd") {
            return Self::Zstd;
        }
        let refused = REFUSED.iter().find(|(start, ..)| magic.starts_with(start));
        refused.map_or(Self::Plain, |&(_, what, hint)| {
            Self::Refused(Damage::UnsupportedFormat { what, hint })
        })
    }
}

/// First bytes, the format's name, and the way out.
const REFUSED: [(&[u8], &str, &str); 12] = [
    (b"BZh", "bzip2", "decompress it first: bunzip2 -c FILE | leastrole generate -"),
    (b"\xfd7zXZ\0", "xz", "decompress it first: xz -dc FILE | leastrole generate -"),
    (b"PK\x03\x04", "a zip archive", "unpack it and give the folder"),
    (
        b"PAR1",
        "Parquet",
        "have Athena write the rows as JSON: UNLOAD (SELECT ...) TO 's3://...' WITH (format = 'JSON')",
    ),
    (
        b"Obj\x01",
        "Avro",
        "have Athena write the rows as JSON: UNLOAD (SELECT ...) TO 's3://...' WITH (format = 'JSON')",
    ),
    (
        b"\xff\xfe",
        "UTF-16 text",
        "save it as UTF-8; PowerShell: Get-Content FILE | Out-File -Encoding utf8",
    ),
    (
        b"\xfe\xff",
        "UTF-16 text",
        "save it as UTF-8; PowerShell: Get-Content FILE | Out-File -Encoding utf8",
    ),
    (b"\x04\x22\x4d\x18", "lz4", "decompress it first: lz4 -dc FILE | leastrole generate -"),
    (b"events:\n", YAML, AS_JSON),
    (b"events:\r", YAML, AS_JSON),
    (b"- events", YAML, AS_JSON),
    (b"- '{\"", YAML, AS_JSON),
];

/// `--output yaml` and `yaml-stream`. Long events are folded over lines.
const YAML: &str = "output of the AWS CLI as YAML";
const AS_JSON: &str = "run the command again with --output json";

/// Up to [`MAGIC`] bytes. A flaw this early still leaves what came before it.
fn first_bytes(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let mut magic = Vec::with_capacity(MAGIC);
    stream.take(MAGIC as u64).read_to_end(&mut magic)?;
    Ok(magic)
}

struct Counted<R> {
    stream: R,
    read: u64,
}

fn counted(stream: Stream) -> BufReader<Counted<Stream>> {
    BufReader::with_capacity(STORED_BUFFER, Counted { stream, read: 0 })
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(out)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl<R: Read> Positioned for BufReader<Counted<R>> {
    fn position(&self) -> u64 {
        self.get_ref().read - self.buffer().len() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(data: &[u8], times: usize) -> Vec<u8> {
        (0..times).fold(data.to_vec(), |inner, _| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&inner).unwrap();
            encoder.finish().unwrap()
        })
    }

    fn read(stored: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        peel(Box::new(Cursor::new(stored)))?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn nested_gzip_is_peeled_four_deep_and_no_deeper() {
        for times in 0..=LAYERS {
            assert_eq!(read(gzip(b"the log", times)).unwrap(), b"the log", "{times} layers");
        }
        let error = Flaw::from_io(&read(gzip(b"the log", LAYERS + 1)).unwrap_err());
        assert!(matches!(error.damage, Damage::UnsupportedFormat { .. }), "{error:?}");
    }

    #[test]
    fn zstd_frames_are_read_one_after_the_other() {
        use ruzstd::encoding::{CompressionLevel, compress_to_vec};
        let frame = |data: &[u8]| compress_to_vec(data, CompressionLevel::Fastest);
        let skippable = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..]].concat();
        let stored = [frame(b"one "), skippable, frame(b"two")].concat();
        assert_eq!(read(stored).unwrap(), b"one two");
        let cut = frame(&b"0123456789abcdef".repeat(10_000));
        let error = Flaw::from_io(&read(cut[..cut.len() / 2].to_vec()).unwrap_err());
        assert!(matches!(error.damage, Damage::ZstdCorrupt(_)), "{error:?}");
    }

    #[test]
    fn a_broken_zstd_frame_gives_what_came_before_the_break() {
        use ruzstd::encoding::{CompressionLevel, compress_to_vec};
        let lines: Vec<_> = (0..50_000).map(|line| format!("line {line}\n")).collect();
        let text = lines.concat();
        let stored = compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
        let mut stream =
            peel(Box::new(Cursor::new(stored[..stored.len() * 3 / 4].to_vec()))).unwrap();
        let mut out = Vec::new();
        let error = Flaw::from_io(&stream.read_to_end(&mut out).unwrap_err());
        assert!(matches!(error.damage, Damage::ZstdCorrupt(_)), "{error:?}");
        assert!(out.len() > text.len() / 3, "{} of {}", out.len(), text.len());
        assert!(text.as_bytes().starts_with(&out));
    }

    #[test]
    fn foreign_formats_are_refused_with_a_way_out() {
        for (magic, what, hint) in REFUSED {
            let stored = [magic, &[0; 64]].concat();
            let error = Flaw::from_io(&read(stored).unwrap_err());
            assert!(error.to_string().contains(what), "{error}");
            assert!(error.to_string().contains(hint), "{error}");
        }
    }

    #[test]
    fn empty_and_short_streams_are_plain() {
        assert_eq!(read(Vec::new()).unwrap(), b"");
        assert_eq!(read(b"{}".to_vec()).unwrap(), b"{}");
    }
}
