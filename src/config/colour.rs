//! Colours as style sheets write them, and how well a text in one can be read on another (WCAG 2.2 section 1.4.3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text_form;

/// A colour without transparency: red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// Steps in which a colour is moved towards black or white.
const STEPS: u8 = 100;

impl Colour {
    const BLACK: Self = Self([0; 3]);
    const WHITE: Self = Self([255; 3]);

    /// Relative luminance (WCAG 2.2, "relative luminance").
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Contrast ratio with another colour, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// Returns the nearest shade that has at least a contrast ratio with each of these backgrounds, which are all light or all dark.
    #[must_use]
    pub fn readable_on(self, backgrounds: &[Self], ratio: f64) -> Self {
        let is_readable = |shade: &Self| backgrounds.iter().all(|background| shade.contrast(*background) >= ratio);
        let is_light = backgrounds.iter().all(|background| background.luminance() > 0.18);
        let target = if is_light { Self::BLACK } else { Self::WHITE };
        let shades = (0..=STEPS).map(|step| self.mixed(target, step));
        shades.into_iter().find(is_readable).unwrap_or(target)
    }

    /// Returns a colour between this one (`step` 0) and `target` (`step` [`STEPS`]).
    fn mixed(self, target: Self, step: u8) -> Self {
        let mix = |from: u8, to: u8| {
            let (from, to, step) = (u32::from(from), u32::from(to), u32::from(step));
            let mixed = (from * (u32::from(STEPS) - step) + to * step) / u32::from(STEPS);
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        Self([mix(self.0[0], target.0[0]), mix(self.0[1], target.0[1]), mix(self.0[2], target.0[2])])
    }
}

impl FromStr for Colour {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "not a colour: use one such as \"#0b7285\", \"#07a\" or \"teal\"";
        let text = text.trim().to_ascii_lowercase();
        let named = |name: &str| NAMES.binary_search_by_key(&name, |(name, _)| name).ok().map(|index| NAMES[index].1);
        let digits = text.strip_prefix('#').or_else(|| named(&text)).ok_or(expected)?;
        let digits = match digits.len() {
            3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
            6 => digits.to_owned(),
            _ => return Err(expected),
        };
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(expected);
        }
        let [_, red, green, blue] = u32::from_str_radix(&digits, 16).map_err(|_| expected)?.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_form::deserialize(deserializer)
    }
}

impl Serialize for Colour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text_form::serialize(self, serializer)
    }
}

/// The named colours of CSS (CSS Color Module Level 4, section 6.1), in the order of their names.
#[rustfmt::skip]
const NAMES: [(&str, &str); 148] = [
    ("aliceblue", "f0f8ff"), ("antiquewhite", "faebd7"), ("aqua", "00ffff"), ("aquamarine", "7fffd4"),
    ("azure", "f0ffff"), ("beige", "f5f5dc"), ("bisque", "ffe4c4"), ("black", "000000"),
    ("blanchedalmond", "ffebcd"), ("blue", "0000ff"), ("blueviolet", "8a2be2"), ("brown", "a52a2a"),
    ("burlywood", "deb887"), ("cadetblue", "5f9ea0"), ("chartreuse", "7fff00"), ("chocolate", "d2691e"),
    ("coral", "ff7f50"), ("cornflowerblue", "6495ed"), ("cornsilk", "fff8dc"), ("crimson", "dc143c"),
    ("cyan", "00ffff"), ("darkblue", "00008b"), ("darkcyan", "008b8b"), ("darkgoldenrod", "b8860b"),
    ("darkgray", "a9a9a9"), ("darkgreen", "006400"), ("darkgrey", "a9a9a9"), ("darkkhaki", "bdb76b"),
    ("darkmagenta", "8b008b"), ("darkolivegreen", "556b2f"), ("darkorange", "ff8c00"), ("darkorchid", "9932cc"),
    ("darkred", "8b0000"), ("darksalmon", "e9967a"), ("darkseagreen", "8fbc8f"), ("darkslateblue", "483d8b"),
    ("darkslategray", "2f4f4f"), ("darkslategrey", "2f4f4f"), ("darkturquoise", "00ced1"), ("darkviolet", "9400d3"),
    ("deeppink", "ff1493"), ("deepskyblue", "00bfff"), ("dimgray", "696969"), ("dimgrey", "696969"),
    ("dodgerblue", "1e90ff"), ("firebrick", "b22222"), ("floralwhite", "fffaf0"), ("forestgreen", "228b22"),
    ("fuchsia", "ff00ff"), ("gainsboro", "dcdcdc"), ("ghostwhite", "f8f8ff"), ("gold", "ffd700"),
    ("goldenrod", "daa520"), ("gray", "808080"), ("green", "008000"), ("greenyellow", "adff2f"),
    ("grey", "808080"), ("honeydew", "f0fff0"), ("hotpink", "ff69b4"), ("indianred", "cd5c5c"),
    ("indigo", "4b0082"), ("ivory", "fffff0"), ("khaki", "f0e68c"), ("lavender", "e6e6fa"),
    ("lavenderblush", "fff0f5"), ("lawngreen", "7cfc00"), ("lemonchiffon", "fffacd"), ("lightblue", "add8e6"),
    ("lightcoral", "f08080"), ("lightcyan", "e0ffff"), ("lightgoldenrodyellow", "fafad2"), ("lightgray", "d3d3d3"),
    ("lightgreen", "90ee90"), ("lightgrey", "d3d3d3"), ("lightpink", "ffb6c1"), ("lightsalmon", "ffa07a"),
    ("lightseagreen", "20b2aa"), ("lightskyblue", "87cefa"), ("lightslategray", "778899"), ("lightslategrey", "778899"),
    ("lightsteelblue", "b0c4de"), ("lightyellow", "ffffe0"), ("lime", "00ff00"), ("limegreen", "32cd32"),
    ("linen", "faf0e6"), ("magenta", "ff00ff"), ("maroon", "800000"), ("mediumaquamarine", "66cdaa"),
    ("mediumblue", "0000cd"), ("mediumorchid", "ba55d3"), ("mediumpurple", "9370db"), ("mediumseagreen", "3cb371"),
    ("mediumslateblue", "7b68ee"), ("mediumspringgreen", "00fa9a"), ("mediumturquoise", "48d1cc"), ("mediumvioletred", "c71585"),
    ("midnightblue", "191970"), ("mintcream", "f5fffa"), ("mistyrose", "ffe4e1"), ("moccasin", "ffe4b5"),
    ("navajowhite", "ffdead"), ("navy", "000080"), ("oldlace", "fdf5e6"), ("olive", "808000"),
    ("olivedrab", "6b8e23"), ("orange", "ffa500"), ("orangered", "ff4500"), ("orchid", "da70d6"),
    ("palegoldenrod", "eee8aa"), ("palegreen", "98fb98"), ("paleturquoise", "afeeee"), ("palevioletred", "db7093"),
    ("papayawhip", "ffefd5"), ("peachpuff", "ffdab9"), ("peru", "cd853f"), ("pink", "ffc0cb"),
    ("plum", "dda0dd"), ("powderblue", "b0e0e6"), ("purple", "800080"), ("rebeccapurple", "663399"),
    ("red", "ff0000"), ("rosybrown", "bc8f8f"), ("royalblue", "4169e1"), ("saddlebrown", "8b4513"),
    ("salmon", "fa8072"), ("sandybrown", "f4a460"), ("seagreen", "2e8b57"), ("seashell", "fff5ee"),
    ("sienna", "a0522d"), ("silver", "c0c0c0"), ("skyblue", "87ceeb"), ("slateblue", "6a5acd"),
    ("slategray", "708090"), ("slategrey", "708090"), ("snow", "fffafa"), ("springgreen", "00ff7f"),
    ("steelblue", "4682b4"), ("tan", "d2b48c"), ("teal", "008080"), ("thistle", "d8bfd8"),
    ("tomato", "ff6347"), ("turquoise", "40e0d0"), ("violet", "ee82ee"), ("wheat", "f5deb3"),
    ("white", "ffffff"), ("whitesmoke", "f5f5f5"), ("yellow", "ffff00"), ("yellowgreen", "9acd32"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_written_as_in_style_sheets() {
        for (text, expected) in [
            ("#0b7285", "#0b7285"),
            ("#0B7", "#00bb77"),
            (" Teal ", "#008080"),
            ("aliceblue", "#f0f8ff"),
            ("yellowgreen", "#9acd32"),
            ("RebeccaPurple", "#663399"),
        ] {
            assert_eq!(text.parse::<Colour>().unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "#", "#12", "#12345", "#+1234", "#ggg", "bleu", "rgb(1, 2, 3)", "#12345678"] {
            assert!(text.parse::<Colour>().is_err(), "{text}");
        }
        assert!(NAMES.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn the_nearest_readable_shade_is_taken() {
        let colour = |text: &str| text.parse::<Colour>().unwrap();
        assert!((Colour::BLACK.contrast(Colour::WHITE) - 21.0).abs() < 1e-9);
        let (light, dark) = ([colour("#fdfcf9"), colour("#f4efe6")], [colour("#171614"), colour("#211f1c")]);
        assert_eq!(colour("#0b5563").readable_on(&light, 4.5), colour("#0b5563"), "it can be read as it is");
        for (name, _) in NAMES {
            let colour = colour(name);
            for backgrounds in [&light, &dark] {
                let shade = colour.readable_on(backgrounds, 4.5);
                let contrast = backgrounds.iter().map(|background| shade.contrast(*background)).fold(21.0, f64::min);
                assert!(contrast >= 4.5, "{name}: {shade} has {contrast}");
            }
        }
    }
}
