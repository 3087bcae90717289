//! Content codings: bytes -> fewer bytes (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCoding {
    /// By Brotli.
    Brotli,
    /// By Zstandard.
    Zstd,
    /// By gzip.
    Gzip,
    /// Not at all.
    Identity,
}

/// Quality 5 takes twice the time of gzip for a sixth less; what is above takes ten times that.
const BROTLI_QUALITY: i32 = 5;

/// Bits of Brotli's window: no more than a document needs, since the encoder takes memory for all of it; the largest is what
/// every decoder knows.
fn brotli_window(length: usize) -> i32 {
    const LEAST: u32 = 16;
    const MOST: u32 = 22;
    (usize::BITS - length.leading_zeros()).clamp(LEAST, MOST).cast_signed()
}

/// A little smaller than gzip in the same time.
const ZSTD_LEVEL: i32 = 9;

/// The usual level: the next ones take twice the time for a hundredth.
const GZIP_LEVEL: u32 = 6;

impl ContentCoding {
    /// All, the one that makes the smallest bodies first: what a client gets that takes any.
    pub const ALL: [Self; 4] = [Self::Brotli, Self::Zstd, Self::Gzip, Self::Identity];

    /// Those that change anything, the one that most clients ask for first: in this order they are prepared.
    pub const CODED: [Self; 3] = [Self::Gzip, Self::Brotli, Self::Zstd];

    /// Value of `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }

    /// What the ETag of such a body ends with: each coding has its own (standards 85).
    pub fn mark(self) -> &'static str {
        match self {
            Self::Brotli => "-br",
            Self::Zstd => "-zst",
            Self::Gzip => "-gz",
            Self::Identity => "",
        }
    }

    /// The coded bytes; `None` if they would be no fewer.
    pub fn encode(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let coded = match self {
            Self::Identity => return None,
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::new(GZIP_LEVEL));
                encoder.write_all(bytes).and_then(|()| encoder.finish()).ok()?
            }
            Self::Brotli => {
                let parameters = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: brotli_window(bytes.len()),
                    size_hint: bytes.len(),
                    ..brotli::enc::BrotliEncoderParams::default()
                };
                let mut coded = Vec::with_capacity(bytes.len() / 3);
                brotli::BrotliCompress(&mut &bytes[..], &mut coded, &parameters).ok()?;
                coded
            }
            Self::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL).ok()?,
        };
        (coded.len() < bytes.len()).then_some(coded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_coded_can_be_decoded() {
        let text = "<p>words &amp; words</p>\n".repeat(200);
        let gzip = ContentCoding::Gzip.encode(text.as_bytes()).unwrap();
        let mut found = String::new();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_string(&mut found).unwrap();
        assert_eq!(found, text);
        let mut found = Vec::new();
        brotli::BrotliDecompress(&mut &ContentCoding::Brotli.encode(text.as_bytes()).unwrap()[..], &mut found).unwrap();
        assert_eq!(found, text.as_bytes());
        let found = zstd::decode_all(&ContentCoding::Zstd.encode(text.as_bytes()).unwrap()[..]).unwrap();
        assert_eq!(found, text.as_bytes());
    }

    #[test]
    fn what_cannot_be_made_smaller_stays() {
        let noise = blake3::hash(b"noise");
        for coding in ContentCoding::ALL {
            assert_eq!(coding.encode(noise.as_bytes()), None, "{}", coding.name());
        }
    }

    #[test]
    fn the_same_bytes_are_coded_the_same() {
        let text = "<p>words</p>".repeat(500);
        for coding in ContentCoding::CODED {
            assert_eq!(coding.encode(text.as_bytes()), coding.encode(text.as_bytes()));
        }
    }
}
