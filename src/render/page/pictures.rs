//! Pictures of a page: their size, so that the text does not move while they load, and their smaller forms. Feeds have neither: readers
//! scale pictures themselves.

use super::body::with_tags;
use crate::folder::renditions;
use crate::model::entry::Media;
use crate::model::text::escape;

/// Width of the column of text, for the choice of a form: that of the style sheet, else nearly all of the screen.
const COLUMN: &str = "(min-width: 41rem) 38rem, 92vw";
/// The same for the cover of an episode.
const COVER: &str = "8rem";

/// The pictures of an article, and whether this site has smaller forms of them.
pub struct Pictures<'a> {
    pub media: Vec<&'a Media>,
    /// What addresses of own media files start with; `None` if there are no smaller forms.
    pub scaled: Option<&'a str>,
}

impl Pictures<'_> {
    /// Adds sizes and smaller forms to the pictures in the HTML of an article. Those behind the first one are loaded when they come into
    /// view; so is the first one with `is_below`.
    pub fn within(&self, html: &str, is_below: bool) -> String {
        let mut is_later = is_below;
        with_tags(html, |adapted, tag| {
            if !tag.starts_with("<img ") {
                adapted.push_str(tag);
                return;
            }
            adapted.push_str("<img");
            adapted.push_str(&self.attributes(tag, is_later));
            adapted.push_str(&tag["<img".len()..]);
            is_later = true;
        })
    }

    /// The attributes that a tag lacks.
    fn attributes(&self, tag: &str, is_later: bool) -> String {
        let has = |name: &str| tag.contains(&format!(" {name}=\""));
        let mut attributes = String::new();
        let address = attribute(tag, "src").map(|address| address.replace("&amp;", "&")).unwrap_or_default();
        if let Some(media) = self.media.iter().find(|media| media.url == address)
            && let Some((width, height)) = media.size
        {
            if !has("width") && !has("height") {
                attributes.push_str(&format!(" width=\"{width}\" height=\"{height}\""));
            }
            if !has("srcset")
                && let Some(forms) = self.forms(media)
            {
                attributes.push_str(&format!(" srcset=\"{}\" sizes=\"{COLUMN}\"", escape(&forms)));
            }
        }
        if is_later && !has("loading") {
            attributes.push_str(" loading=\"lazy\" decoding=\"async\"");
        }
        attributes
    }

    /// The `srcset` and the `sizes` of the cover above the text or beside the player of an episode.
    pub fn of_cover(&self, cover: &Media, is_episode: bool) -> Option<(String, &'static str)> {
        Some((self.forms(cover)?, if is_episode { COVER } else { COLUMN }))
    }

    /// Value of `srcset` (HTML section 4.8.2.2): the smaller forms, then the picture itself.
    fn forms(&self, media: &Media) -> Option<String> {
        let size = media.size?;
        if !media.url.starts_with(self.scaled?) {
            return None;
        }
        let form = |width: u32| format!("{}/{} {width}w", media.url, renditions::name(width));
        let forms: Vec<String> = renditions::widths(&media.media_type, size).map(form).collect();
        (!forms.is_empty()).then(|| format!("{}, {} {}w", forms.join(", "), media.url, size.0))
    }
}

/// The value of an attribute, as it is written.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = tag.split_once(&format!(" {name}=\""))?;
    Some(behind.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(url: &str, size: Option<(u32, u32)>) -> Media {
        Media { url: url.to_owned(), media_type: "image/jpeg".to_owned(), size, ..Media::default() }
    }

    #[test]
    fn pictures_have_sizes_and_smaller_forms() {
        let own = picture("https://a.example/media/a.jpg", Some((1_000, 500)));
        let small = picture("https://a.example/media/s.jpg?a&b", Some((100, 50)));
        let other = picture("https://b.example/media/a.jpg", Some((1_000, 500)));
        let unknown = picture("https://a.example/media/u.jpg", None);
        let media = vec![&own, &small, &other, &unknown];
        let with = |scaled, html: &str| Pictures { media: media.clone(), scaled }.within(html, false);
        let scaled = Some("https://a.example/media/");
        let forms = "srcset=\"https://a.example/media/a.jpg/480.webp 480w, https://a.example/media/a.jpg/800.webp 800w, https://a.example/media/a.jpg 1000w\"";
        let html = "<p><img src=\"https://a.example/media/a.jpg\" alt=\"A\"></p>";
        let sized = "<p><img width=\"1000\" height=\"500\"";
        let rest = "src=\"https://a.example/media/a.jpg\" alt=\"A\"></p>";
        assert_eq!(with(scaled, html), format!("{sized} {forms} sizes=\"{COLUMN}\" {rest}"));
        assert_eq!(with(None, html), format!("{sized} {rest}"), "no smaller forms");
        // Behind the first picture.
        let lazy = "loading=\"lazy\" decoding=\"async\"";
        for (tag, expected) in [
            (
                "<img src=\"https://a.example/media/s.jpg?a&amp;b\">",
                format!("<img width=\"100\" height=\"50\" {lazy} src=\"https://a.example/media/s.jpg?a&amp;b\">"),
            ),
            (
                "<img src=\"https://b.example/media/a.jpg\">",
                format!("<img width=\"1000\" height=\"500\" {lazy} src=\"https://b.example/media/a.jpg\">"),
            ),
            (
                "<img src=\"https://a.example/media/u.jpg\">",
                format!("<img {lazy} src=\"https://a.example/media/u.jpg\">"),
            ),
            (
                "<img src=\"https://a.example/media/a.jpg\" srcset=\"x 2x\" width=\"5\">",
                format!("<img {lazy} src=\"https://a.example/media/a.jpg\" srcset=\"x 2x\" width=\"5\">"),
            ),
            ("<img loading=\"eager\" src=\"x\">", "<img loading=\"eager\" src=\"x\">".to_owned()),
        ] {
            let html = with(scaled, &format!("<img src=\"y\">{tag}"));
            assert_eq!(html, format!("<img src=\"y\">{expected}"));
        }
        assert_eq!(
            Pictures { media: vec![], scaled }.within("<img src=\"y\">", true),
            format!("<img {lazy} src=\"y\">")
        );
    }
}
