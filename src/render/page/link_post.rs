//! Link posts: articles about the page that they lead to, whose titles lead there.

use crate::model::entry::Content;

/// Maximum length of the text of a link post, in characters without markup. An article with a longer one was published elsewhere first.
const LONGEST: usize = 500;

/// Whether an article is about the page that it leads to.
pub fn is_one(content: &Content) -> bool {
    let has_host =
        content.link.as_deref().and_then(|link| url::Url::parse(link).ok()).is_some_and(|url| url.has_host());
    has_host && !content.is_untitled && !content.plays() && is_short(&content.html)
}

/// Whether the text of a safe fragment of HTML is short. Each start and end of a tag is a `<` or `>`, since texts and attributes escape both.
fn is_short(html: &str) -> bool {
    let texts = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    let mut length = 0;
    texts.into_iter().all(|text| {
        length += text
            .split('&')
            .map(|part| part.split_once(';').map_or(part, |(_, rest)| rest))
            .map(|part| part.chars().count())
            .sum::<usize>();
        length <= LONGEST
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::{Media, SafeHtml};

    #[test]
    fn a_short_text_with_a_link_is_a_link_post() {
        let content = |html: String| Content {
            title: "A".into(),
            link: Some("https://a.example/b".into()),
            html: SafeHtml::from_sanitiser(html),
            ..Content::default()
        };
        let long = "x".repeat(LONGEST);
        assert!(is_one(&content(format!("<p><a href=\"https://a.example/{long}\">{long}</a></p>"))));
        assert!(!is_one(&content(format!("<p>{long}</p><p>y</p>"))));
        let short = content("<p>Worth reading &amp; short.</p>".into());
        assert!(is_one(&short));
        assert!(!is_one(&Content { link: None, ..short.clone() }));
        assert!(!is_one(&Content { is_untitled: true, ..short.clone() }));
        let recording = Media { media_type: "audio/mpeg".into(), ..Media::default() };
        assert!(!is_one(&Content { enclosures: vec![recording], ..short }));
    }
}
