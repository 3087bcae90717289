//! The picture that other sites and messengers show beside a link to a page that has none of its own.

use std::io::Cursor;

use bytes::Bytes;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageFormat, ImageReader, Limits, Rgb, RgbImage, Rgba, RgbaImage};

use super::look::{Look, SitePicture};
use crate::config::Colour;

/// The sign of the program on its colour, for a site without pictures and colour of its own.
const BUILT_IN: &[u8] = include_bytes!("share.png");
/// Its colour.
const BUILT_IN_ACCENT: Colour = Colour([0xB3, 0x41, 0x1B]);

/// The ground of other pictures.
const WHITE: Colour = Colour([0xFF; 3]);
/// Contrast of the sign with its ground (WCAG 2.2 section 1.4.3).
const READABLE: f64 = 4.5;

/// Contrast of a pixel that is seen on its ground.
const SEEN: f64 = 1.5;
/// A picture is seen if one of this many pixels is.
const MIN_SEEN: u64 = 50;

/// Path below the base address.
const PATH: &str = "share.png";

/// Width and height, in the form that all of them show whole (Open Graph: 1.91 to 1).
const SIZE: (u32, u32) = (1200, 630);
/// The part of it that the picture of the site may take.
const INNER: (u32, u32) = (720, 380);
/// A small icon is enlarged at most this many times.
const MAX_GROWTH: u32 = 3;
/// Height of the stripe in the colour of the site.
const STRIPE: u32 = 28;
/// Maximum width and height of the picture of the site: scaling takes 16 bytes for each pixel of its width.
const MAX_SIDE: u32 = 8_192;
/// Memory that reading the picture of the site may take, in bytes.
const MAX_MEMORY: u64 = 128 << 20;

/// The share picture of a site: its logo or icon, or else the built-in sign, in its colour. `None` if it has an icon or logo, and
/// none that can be read here, as a drawing.
pub fn picture(look: &Look) -> Option<SitePicture> {
    // White is to be read on it.
    let accent = look.accent.map(|accent| accent.readable_on(&[WHITE], READABLE));
    let own = [&look.logo, &look.icon_png].into_iter().flatten().find_map(|picture| decoded(&picture.bytes));
    let bytes = match own {
        Some(own) => encoded(&with_stripe(&own, accent.unwrap_or(BUILT_IN_ACCENT)))?,
        None if look.has_icon() || look.logo.is_some() => return None,
        None => match accent {
            Some(accent) => encoded(&recoloured(decoded(BUILT_IN)?.into_rgb8(), accent))?,
            None => Bytes::from_static(BUILT_IN),
        },
    };
    Some(SitePicture { path: PATH, media_type: "image/png", hash: blake3::hash(&bytes), bytes, size: Some(SIZE) })
}

fn decoded(bytes: &[u8]) -> Option<DynamicImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    reader.limits(limits);
    reader.decode().ok()
}

fn encoded(picture: &RgbImage) -> Option<Bytes> {
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).ok()?;
    Some(png.into_inner().into())
}

/// A picture in the middle of a white page, with a stripe below; one that white hides is on the colour of the stripe.
fn with_stripe(picture: &DynamicImage, accent: Colour) -> RgbImage {
    let (width, height) = SIZE;
    let limit = |inner: u32, own: u32| inner.min(own.saturating_mul(MAX_GROWTH)).max(1);
    let picture =
        picture.resize(limit(INNER.0, picture.width()), limit(INNER.1, picture.height()), FilterType::CatmullRom);
    let picture = picture.into_rgba8();
    let ground = if is_hidden_by_white(&picture) { accent } else { WHITE };
    let stripe = |_, y| if y + STRIPE < height { Rgb(ground.0) } else { Rgb(accent.0) };
    let mut page = DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, stripe)).into_rgba8();
    let middle = |whole: u32, part: u32| i64::from(whole.saturating_sub(part) / 2);
    let place = (middle(width, picture.width()), middle(height - STRIPE, picture.height()));
    imageops::overlay(&mut page, &picture, place.0, place.1);
    DynamicImage::ImageRgba8(page).into_rgb8()
}

/// Whether next to nothing of a picture is seen on white.
fn is_hidden_by_white(picture: &RgbaImage) -> bool {
    let (mut all, mut seen) = (0_u64, 0_u64);
    for Rgba([red, green, blue, alpha]) in picture.pixels() {
        let is_seen = Colour([*red, *green, *blue]).contrast(WHITE) >= SEEN;
        all += u64::from(*alpha);
        seen += if is_seen { u64::from(*alpha) } else { 0 };
    }
    all > 0 && seen * MIN_SEEN < all
}

/// The built-in picture on another colour: it has one colour and white, and shades between them at the edges.
fn recoloured(mut picture: RgbImage, accent: Colour) -> RgbImage {
    let ground = u32::from(BUILT_IN_ACCENT.0[1]);
    for pixel in picture.pixels_mut() {
        let white = u32::from(pixel.0[1]).saturating_sub(ground) * 255 / (255 - ground);
        let mixed = |own: u8| (u32::from(own) * (255 - white) + 255 * white) / 255;
        pixel.0 = accent.0.map(|own| u8::try_from(mixed(own)).unwrap_or(u8::MAX));
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(look: &Look) -> RgbImage {
        let picture = picture(look).unwrap();
        assert_eq!(picture.size, Some(SIZE));
        let pixels = decoded(&picture.bytes).unwrap().into_rgb8();
        assert_eq!(pixels.dimensions(), SIZE);
        pixels
    }

    fn png(width: u32, height: u32, colour: [u8; 3]) -> SitePicture {
        let bytes = encoded(&RgbImage::from_pixel(width, height, Rgb(colour))).unwrap();
        SitePicture { path: "icon.png", media_type: "image/png", hash: blake3::hash(&bytes), bytes, size: None }
    }

    #[test]
    fn a_site_without_a_look_has_the_sign_of_the_program_in_its_colour() {
        assert_eq!(pixels(&Look::default()).get_pixel(5, 5).0, BUILT_IN_ACCENT.0);
        let blue = Look { accent: Some(Colour([0, 0x40, 0xC0])), ..Look::default() };
        let pixels = pixels(&blue);
        assert_eq!(pixels.get_pixel(5, 5).0, [0, 0x40, 0xC0]);
        assert!(pixels.pixels().any(|pixel| pixel.0 == [255; 3]), "its sign is white");
    }

    #[test]
    fn the_icon_or_the_logo_stands_in_the_middle() {
        let green = [0, 0x80, 0];
        let icon = Look { icon_png: Some(png(64, 64, green)), ..Look::default() };
        let of_icon = pixels(&icon);
        let (x, y) = (SIZE.0 / 2, (SIZE.1 - STRIPE) / 2);
        assert_eq!(of_icon.get_pixel(x, y).0, green);
        // Enlarged three times, and not more.
        assert_eq!([95, 97].map(|right| of_icon.get_pixel(x + right, y).0), [green, [255; 3]]);
        assert_eq!(of_icon.get_pixel(5, SIZE.1 - 5).0, BUILT_IN_ACCENT.0);
        let red = [0xC0, 0, 0];
        let logo = Look { logo: Some(png(4000, 100, red)), ..icon };
        assert_eq!(pixels(&logo).get_pixel(x, y).0, red);
    }

    #[test]
    fn a_white_logo_stands_on_the_colour_of_the_site() {
        let blue = Some(Colour([0, 0x40, 0xC0]));
        let white = Look { logo: Some(png(400, 100, [0xFA; 3])), accent: blue, ..Look::default() };
        assert_eq!(pixels(&white).get_pixel(5, 5).0, [0, 0x40, 0xC0]);
        let grey = Look { logo: Some(png(400, 100, [0x90; 3])), accent: blue, ..Look::default() };
        assert_eq!(pixels(&grey).get_pixel(5, 5).0, [0xFF; 3]);
    }

    #[test]
    fn a_picture_that_cannot_be_read_gives_way_to_the_next() {
        let film = SitePicture { bytes: Bytes::from_static(b"GIF89a"), ..png(1, 1, [0; 3]) };
        let look = Look { logo: Some(film), icon_png: Some(png(64, 64, [0, 0x80, 0])), ..Look::default() };
        assert_eq!(pixels(&look).get_pixel(SIZE.0 / 2, (SIZE.1 - STRIPE) / 2).0, [0, 0x80, 0]);
    }

    #[test]
    fn the_sign_is_seen_on_any_colour() {
        let white = pixels(&Look { accent: Some(WHITE), ..Look::default() });
        assert!(Colour(white.get_pixel(5, 5).0).contrast(WHITE) >= READABLE);
    }

    #[test]
    fn a_site_whose_sign_only_browsers_can_draw_has_none() {
        let svg = Bytes::from_static(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
        let drawing = SitePicture { media_type: "image/svg+xml", bytes: svg, ..png(1, 1, [0; 3]) };
        assert_eq!(picture(&Look { icon: Some(drawing.clone()), ..Look::default() }), None);
        assert_eq!(picture(&Look { logo: Some(drawing), ..Look::default() }), None);
        let wide = png(MAX_SIDE + 1, 1, [0; 3]);
        assert_eq!(
            picture(&Look { icon_png: Some(wide), ..Look::default() }),
            None,
            "scaling it would take much memory"
        );
        let broken = SitePicture { bytes: Bytes::from_static(b"\x89PNG"), ..png(1, 1, [0; 3]) };
        assert_eq!(picture(&Look { icon_png: Some(broken), ..Look::default() }), None);
    }
}
