//! A picture -> the same in smaller widths, in WebP. Pure.

use std::io::Cursor;

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use webp::Encoder;

use super::renditions::MAX_PIXELS;

/// Memory that a decoder may take, in bytes: four for each pixel, and as much again.
const MAX_MEMORY: u64 = MAX_PIXELS * 8;
/// Quality of the encoder, of 100.
const QUALITY: f32 = 78.0;
/// A picture that is this many times wider is first reduced by averaging, which takes less time and memory.
const COARSE: u32 = 3;

/// Scales a picture to widths in pixels. A result is `None` where the picture itself is as small or better.
///
/// # Errors
/// It cannot be read: another format, damaged, animated, or too large. The error says which.
pub fn scale(bytes: &[u8], widths: &[u32]) -> Result<Vec<Option<Vec<u8>>>, String> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    let format =
        reader.format().filter(|format| matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP));
    let format = format.ok_or("not a JPEG, PNG or WebP")?;
    if is_animated(bytes) {
        return Err("it is animated".to_owned());
    }
    let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(format!("more than {MAX_PIXELS} pixels"));
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_MEMORY);
    decoder.set_limits(limits).map_err(|error| error.to_string())?;
    let turn = decoder.orientation().map_err(|error| error.to_string())?;
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| profile.get(16..20) == Some(b"RGB "));
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    let has_alpha = picture.color().has_alpha();
    let mut picture = if has_alpha {
        DynamicImage::ImageRgba8(picture.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(picture.into_rgb8())
    };
    picture.apply_orientation(turn);
    // The bytes of screenshots and drawings are often fewer without loss.
    let may_be_exact = format == ImageFormat::Png;
    let smaller = |width: &u32| {
        let scaled = scaled(&picture, *width)?;
        let webp = encoded(&scaled, may_be_exact, profile.as_deref())?;
        (webp.len() < bytes.len()).then_some(webp)
    };
    Ok(widths.iter().map(smaller).collect())
}

/// The picture in a width; `None` if it is not wider.
fn scaled(picture: &DynamicImage, width: u32) -> Option<DynamicImage> {
    if picture.width() <= width {
        return None;
    }
    let height = |width: u32| {
        let height = u64::from(picture.height()) * u64::from(width) / u64::from(picture.width());
        u32::try_from(height).unwrap_or(u32::MAX).max(1)
    };
    let coarse = (picture.width() > COARSE * width).then(|| picture.thumbnail_exact(2 * width, height(2 * width)));
    Some(coarse.as_ref().unwrap_or(picture).resize_exact(width, height(width), FilterType::CatmullRom))
}

/// A picture in WebP, with its colour profile. `None` if it is too large for the format.
fn encoded(picture: &DynamicImage, may_be_exact: bool, profile: Option<&[u8]>) -> Option<Vec<u8>> {
    let encoder = Encoder::from_image(picture).ok()?;
    let lossy = encoder.encode_simple(false, QUALITY).ok()?;
    let exact = if may_be_exact { encoder.encode_simple(true, QUALITY).ok() } else { None };
    let webp = match exact {
        Some(exact) if exact.len() < lossy.len() => exact.to_vec(),
        _ => lossy.to_vec(),
    };
    match profile {
        Some(profile) => with_profile(&webp, (picture.width(), picture.height()), profile),
        None => Some(webp),
    }
}

/// Adds a colour profile to a picture in WebP (RFC 9649 section 2.7).
fn with_profile(webp: &[u8], (width, height): (u32, u32), profile: &[u8]) -> Option<Vec<u8>> {
    const PROFILE: u8 = 0x20;
    const ALPHA: u8 = 0x10;
    let chunks = webp.get(12..)?;
    let (flags, chunks) = match chunks.get(..4)? {
        b"VP8X" => (*chunks.get(8)?, chunks.get(18..)?),
        // The stream without loss says in its head whether it has an alpha channel.
        b"VP8L" => (if chunks.get(12)? & 0x10 > 0 { ALPHA } else { 0 }, chunks),
        _ => (0, chunks),
    };
    let mut bytes = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0".to_vec();
    bytes.extend([flags | PROFILE, 0, 0, 0]);
    for side in [width, height] {
        bytes.extend(&(side - 1).to_le_bytes()[..3]);
    }
    bytes.extend(b"ICCP");
    bytes.extend(u32::try_from(profile.len()).ok()?.to_le_bytes());
    bytes.extend(profile);
    bytes.extend(vec![0; profile.len() % 2]);
    bytes.extend(chunks);
    let size = u32::try_from(bytes.len() - 8).ok()?.to_le_bytes();
    bytes[4..8].copy_from_slice(&size);
    Some(bytes)
}

/// Whether a PNG or a WebP is a film. Its smaller forms would stand still.
fn is_animated(bytes: &[u8]) -> bool {
    let is_film = bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 0x02 > 0);
    // The chunk stands before the picture (PNG third edition, section 11.3.6.1).
    let head = if bytes.starts_with(b"\x89PNG") { &bytes[..bytes.len().min(64 << 10)] } else { &[] };
    let picture = head.windows(4).position(|name| name == b"IDAT").unwrap_or(head.len());
    is_film || head[..picture].windows(4).any(|name| name == b"acTL")
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Rgb, Rgba};

    use super::*;

    fn bytes_of(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// A picture with a red left half, and noise so that it is not tiny.
    fn picture(width: u32, height: u32) -> DynamicImage {
        let noise = |x: u32, y: u32| u8::try_from((x * 7919 + y * 104_729) % 61).unwrap();
        let pixel = |x, y| if x < width / 2 { Rgb([200, noise(x, y), 20]) } else { Rgb([20, noise(x, y), 200]) };
        DynamicImage::ImageRgb8(ImageBuffer::from_fn(width, height, pixel))
    }

    fn decoded(webp: &[u8]) -> DynamicImage {
        image::load_from_memory_with_format(webp, ImageFormat::WebP).unwrap()
    }

    #[test]
    fn a_picture_is_scaled_to_each_smaller_width() {
        let jpeg = bytes_of(&picture(900, 600), ImageFormat::Jpeg);
        let forms = scale(&jpeg, &[100, 450, 900]).unwrap();
        let sizes: Vec<_> =
            forms.iter().flatten().map(|webp| (decoded(webp).width(), decoded(webp).height())).collect();
        assert_eq!(sizes, [(100, 66), (450, 300)], "none of its own width");
        let small = decoded(forms[0].as_ref().unwrap()).into_rgb8();
        assert!(small.get_pixel(5, 30)[0] > 150 && small.get_pixel(95, 30)[2] > 150, "the halves have their colours");
        assert!(forms.iter().flatten().all(|webp| webp.len() < jpeg.len()));
    }

    #[test]
    fn an_alpha_channel_and_a_turn_stay() {
        let clear = ImageBuffer::from_fn(300, 200, |x, y| {
            Rgba([0, u8::try_from((x * y) % 256).unwrap(), 0, if x < 150 { 0 } else { 255 }])
        });
        let png = bytes_of(&DynamicImage::ImageRgba8(clear), ImageFormat::Png);
        let form = decoded(scale(&png, &[100]).unwrap()[0].as_ref().unwrap()).into_rgba8();
        assert_eq!((form.get_pixel(5, 30)[3], form.get_pixel(95, 30)[3]), (0, 255));
        // Exif: turned by a quarter, so the red half is above.
        let mut jpeg = bytes_of(&picture(300, 200), ImageFormat::Jpeg);
        let exif = b"\xFF\xE1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        jpeg.splice(2..2, exif.iter().copied());
        let form = decoded(scale(&jpeg, &[100]).unwrap()[0].as_ref().unwrap()).into_rgb8();
        assert_eq!((form.width(), form.height()), (100, 150));
        assert!(form.get_pixel(50, 10)[0] > 150 && form.get_pixel(50, 140)[2] > 150);
    }

    #[test]
    fn a_colour_profile_stays() {
        let mut profile = vec![0; 131];
        profile[16..20].copy_from_slice(b"RGB ");
        for exact in [false, true] {
            let picture = picture(64, 48);
            let webp = encoded(&picture, exact, Some(&profile)).unwrap();
            let mut decoder = image::codecs::webp::WebPDecoder::new(Cursor::new(&webp)).unwrap();
            assert_eq!(decoder.icc_profile().unwrap().as_ref(), Some(&profile), "RFC 9649 section 2.7.1.4");
            assert_eq!(DynamicImage::from_decoder(decoder).unwrap().width(), 64);
        }
    }

    #[test]
    fn what_cannot_be_scaled_is_an_error() {
        let png = bytes_of(&picture(64, 48), ImageFormat::Png);
        for (bytes, why) in [(&png[..60], "stream"), (&b"GIF89a"[..], "JPEG"), (b"", "JPEG")] {
            assert!(scale(bytes, &[10]).is_err(), "{why}");
        }
        let mut film = png.clone();
        film.splice(33..33, *b"\0\0\0\x08acTL\0\0\0\x02\0\0\0\0....");
        assert_eq!(scale(&film, &[10]).unwrap_err(), "it is animated");
        // A header that promises more than there is takes no memory.
        let mut large = bytes_of(&picture(64, 48), ImageFormat::Jpeg);
        let sides = large.windows(4).position(|sides| sides == [0, 48, 0, 64]).unwrap();
        large[sides..sides + 4].fill(0xFF);
        assert_eq!(scale(&large, &[10]).unwrap_err(), "more than 50000000 pixels");
    }
}
