//! The look of the site on its pages: icons, logo, style sheet, and the line at their end.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::config::{Colour, Crawlers};
use crate::render::crawlers;
use crate::render::feed::{Channel, blogroll, opml};
use crate::site::SitePicture;

/// The icon of the site in a browser's tab, unless it has one of its own.
pub const ICON: &str = include_str!("templates/icon.svg");
/// The same as PNG, without transparent corners, as home screens show it. Drawn from the SVG.
pub const ICON_PNG: &[u8] = include_bytes!("icon.png");
/// Width and height of that.
const ICON_SIZE: u32 = 180;

/// Path of an icon as SVG.
pub const ICON_PATH: &str = "icon.svg";
/// Path of an icon as PNG.
pub const ICON_PNG_PATH: &str = "icon.png";

/// The style sheet of all pages, without what a site adds.
pub const STYLE: &str = include_str!("templates/style.css");

/// Contrast of text with its background (WCAG 2.2 section 1.4.3).
const READABLE: f64 = 4.5;
/// `--paper` and `--tint` of the style sheet in its light form: the backgrounds of text in the colour of the site.
const LIGHT: [Colour; 2] = [Colour([0xFD, 0xFC, 0xF9]), Colour([0xF4, 0xEF, 0xE6])];
/// The same in its dark form.
const DARK: [Colour; 2] = [Colour([0x17, 0x16, 0x14]), Colour([0x21, 0x1F, 0x1C])];

/// A picture as pages load it.
#[derive(Debug, Serialize)]
struct PictureLink {
    address: String,
    media_type: &'static str,
    size: Option<(u32, u32)>,
    /// It stands in place of the title of the site.
    is_wide: bool,
}

/// The style sheet of a site. An own colour gets the nearest shade that can be read on each background.
pub fn style(channel: &Channel) -> String {
    let look = &channel.look;
    let mut style = STYLE.to_owned();
    if let Some(accent) = look.accent {
        let (light, dark) = (accent.readable_on(&LIGHT, READABLE), accent.readable_on(&DARK, READABLE));
        // Print stays black.
        style.push_str(&format!(
            "\n@media screen {{ :root {{ --accent: {light}; }} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ --accent: {dark}; }} }}\n"
        ));
    }
    if !look.style.is_empty() {
        style.push_str(&format!("\n{}\n", look.style.trim_end()));
    }
    style
}

/// The variables of templates about a site, which has the style sheet `style`.
pub fn variables(channel: &Channel, style: &str) -> Value {
    let (look, statements) = (&channel.look, &channel.statements);
    let link = |picture: &SitePicture| PictureLink {
        address: channel.asset_path(picture.path, &picture.hash),
        media_type: picture.media_type,
        size: picture.size,
        is_wide: picture.is_wide(),
    };
    let (drawing, png) = if look.has_icon() {
        (look.icon.as_ref().map(link), look.icon_png.as_ref().map(link))
    } else {
        let built_in = |path, bytes: &[u8], media_type, size| PictureLink {
            address: channel.asset_path(path, &blake3::hash(bytes)),
            media_type,
            size,
            is_wide: false,
        };
        let size = Some((ICON_SIZE, ICON_SIZE));
        (
            Some(built_in(ICON_PATH, ICON.as_bytes(), "image/svg+xml", None)),
            Some(built_in(ICON_PNG_PATH, ICON_PNG, "image/png", size)),
        )
    };
    context! {
        title => channel.title.as_str(),
        description => channel.description.as_str(),
        language => channel.language.as_str(),
        address => channel.base_url.as_str(),
        opml => channel.url(opml::PATH),
        style => channel.asset_path("style.css", &blake3::hash(style.as_bytes())),
        icon => Value::from(Serde(drawing)),
        icon_png => Value::from(Serde(png)),
        logo => Value::from(Serde(look.logo.as_ref().map(link))),
        share => channel.share(),
        copyright => statements.copyright.as_deref(),
        license => Value::from(Serde(&statements.license)),
        fediverse => statements.fediverse.as_deref(),
        me => Value::from(Serde(&statements.me)),
        robots => (statements.crawlers == Crawlers::None).then_some(crawlers::UNLISTED),
        blogroll => look.blogroll.as_ref().map(|_| context! {
            page => channel.url(blogroll::PAGE_PATH),
            list => channel.url(blogroll::PATH),
        }),
        footer => (!look.footer.is_empty()).then(|| Value::from_safe_string(look.footer.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backgrounds_are_those_of_the_style_sheet() {
        for (name, [paper, tint]) in [("light", LIGHT), ("dark", DARK)] {
            for (key, colour) in [("paper", paper), ("tint", tint)] {
                assert!(STYLE.contains(&format!("--{key}: {colour};")), "{name} --{key}: {colour}");
            }
        }
    }

    #[test]
    fn the_colours_of_code_can_be_read() {
        let (light, rest) = STYLE.split_once("@media (prefers-color-scheme: dark)").unwrap();
        let (dark, rules) = rest.split_once("\n}\n").unwrap();
        let rules: Vec<&str> = rules.lines().filter(|line| line.starts_with("pre ")).collect();
        for class in ["c", "k", "s", "n", "f", "t", "a", "i", "d"] {
            let is_of_class = |rule: &&&str| rule.split([' ', ',', '(', ')']).any(|word| word == format!(".{class}"));
            let rule = rules.iter().find(is_of_class).unwrap_or_else(|| panic!("no colour of {class}"));
            let key = rule.split_once("color: var(").and_then(|(_, key)| key.split_once(')')).unwrap().0;
            for (scheme, variables, [_, background]) in [("light", light, LIGHT), ("dark", dark, DARK)] {
                let (_, colour) = variables.split_once(&format!("{key}: ")).unwrap();
                let colour: Colour = colour.split(';').next().unwrap().parse().unwrap();
                let contrast = colour.contrast(background);
                assert!(contrast >= READABLE, "{scheme} {key}: {contrast}");
            }
        }
    }
}
