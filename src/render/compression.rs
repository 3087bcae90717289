//! Compression by content codings (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The content coding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCoding {
    Brotli,
    Zstd,
    Gzip,
    /// Uncompressed.
    Identity,
}

/// Quality 5 takes twice the time of gzip and saves a sixth; higher ones take ten times as long.
const BROTLI_QUALITY: i32 = 5;

/// Bits of Brotli's window for a document of `length` bytes: the encoder allocates all of it, and not every decoder accepts a
/// larger one than the maximum here.
fn brotli_window(length: usize) -> i32 {
    const MIN: u32 = 16;
    const MAX: u32 = 22;
    (usize::BITS - length.leading_zeros()).clamp(MIN, MAX).cast_signed()
}

/// Takes the time of gzip for slightly smaller bodies.
const ZSTD_LEVEL: i32 = 9;

/// The default level; the next ones take twice the time and save a hundredth.
const GZIP_LEVEL: u32 = 6;

impl ContentCoding {
    /// All, smallest result first: the server's preference among equally acceptable codings.
    pub const ALL: [Self; 4] = [Self::Brotli, Self::Zstd, Self::Gzip, Self::Identity];

    /// Those that compress, in the order of preparation: the one that most clients accept first.
    pub const COMPRESSED: [Self; 3] = [Self::Gzip, Self::Brotli, Self::Zstd];

    /// Value of `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }

    /// End of the ETag of such a body (standards 85).
    pub fn etag_suffix(self) -> &'static str {
        match self {
            Self::Brotli => "-br",
            Self::Zstd => "-zst",
            Self::Gzip => "-gz",
            Self::Identity => "",
        }
    }

    /// Compresses. `None` if the result is not smaller.
    pub fn encode(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let compressed = match self {
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
                let mut compressed = Vec::with_capacity(bytes.len() / 3);
                brotli::BrotliCompress(&mut &bytes[..], &mut compressed, &parameters).ok()?;
                compressed
            }
            Self::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL).ok()?,
        };
        (compressed.len() < bytes.len()).then_some(compressed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn compressed_bytes_can_be_decompressed() {
        let text = "<p>words &amp; words</p>\n".repeat(200);
        let gzip = ContentCoding::Gzip.encode(text.as_bytes()).unwrap();
        let mut decompressed = String::new();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_string(&mut decompressed).unwrap();
        assert_eq!(decompressed, text);
        let mut decompressed = Vec::new();
        brotli::BrotliDecompress(&mut &ContentCoding::Brotli.encode(text.as_bytes()).unwrap()[..], &mut decompressed)
            .unwrap();
        assert_eq!(decompressed, text.as_bytes());
        let decompressed = zstd::decode_all(&ContentCoding::Zstd.encode(text.as_bytes()).unwrap()[..]).unwrap();
        assert_eq!(decompressed, text.as_bytes());
    }

    #[test]
    fn incompressible_bytes_are_not_compressed() {
        let noise = blake3::hash(b"noise");
        for coding in ContentCoding::ALL {
            assert_eq!(coding.encode(noise.as_bytes()), None, "{}", coding.name());
        }
    }

    #[test]
    fn compression_is_deterministic() {
        let text = "<p>words</p>".repeat(500);
        for coding in ContentCoding::COMPRESSED {
            assert_eq!(coding.encode(text.as_bytes()), coding.encode(text.as_bytes()));
        }
    }
}
