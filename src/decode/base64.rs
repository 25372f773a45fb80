//! Base64 of gzip, as Lambda and Kinesis carry log records.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;

use super::problem::Cause;

/// How the base64 of a gzip header begins.
pub(super) const MAGIC: &str = "H4sI";

/// The text within, if it inflates to no more than `limit` bytes: a hostile
/// record must not grow a thousandfold.
pub(super) fn inflate(encoded: &str, limit: usize) -> Result<String, Cause> {
    let stored = STANDARD.decode(encoded.trim_end()).map_err(|_| Cause::EmbeddedGzip)?;
    let mut inflated = Vec::new();
    let mut bounded = MultiGzDecoder::new(&stored[..]).take(limit as u64 + 1);
    bounded.read_to_end(&mut inflated).map_err(|_| Cause::EmbeddedGzip)?;
    if inflated.len() > limit {
        return Err(Cause::RecordTooLong { limit });
    }
    String::from_utf8(inflated).map_err(|_| Cause::InvalidUtf8)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn inflates_within_the_limit_and_no_further() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&[b'x'; 1000]).unwrap();
        let record = STANDARD.encode(encoder.finish().unwrap());
        assert!(record.starts_with(MAGIC));
        assert_eq!(inflate(&record, 1000), Ok("x".repeat(1000)));
        assert_eq!(inflate(&record, 999), Err(Cause::RecordTooLong { limit: 999 }));
        assert_eq!(inflate(&record[..20], 1000), Err(Cause::EmbeddedGzip));
        assert_eq!(inflate("H4sI not base64", 1000), Err(Cause::EmbeddedGzip));
    }
}
