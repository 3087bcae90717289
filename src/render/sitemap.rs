//! Sitemaps: the addresses of all articles, for search engines (sitemaps.org protocol 0.9, standards 147).

use chrono::{DateTime, Utc};

use crate::model::site_page::Permalink;
use crate::model::text::escape;
use crate::render::feed::Channel;
use crate::render::words::machine_date;

/// Path of the whole, or of the list of its parts.
pub const PATH: &str = "sitemap.xml";

pub const MEDIA_TYPE: &str = "application/xml; charset=utf-8";

/// Path of a part.
pub fn part_path(number: u32) -> String {
    format!("sitemap-{number}.xml")
}

/// The number of a part, by its path.
pub fn part_at(path: &str) -> Option<u32> {
    let number = path.strip_prefix("sitemap-")?.strip_suffix(".xml")?.parse().ok()?;
    (part_path(number) == path).then_some(number)
}

/// Maximum number of pages of years in a sitemap.
pub const MAX_LISTS: usize = 200;

/// Renders a list of articles after the pages at `lists`, which the first document lists: the front page, those of languages, and those of years.
pub fn articles(channel: &Channel, articles: &[(Permalink, DateTime<Utc>)], lists: &[String]) -> String {
    let mut xml = start("urlset");
    for path in lists {
        xml.push_str(&format!("<url><loc>{}</loc></url>\n", escape(&channel.url(path))));
    }
    for (place, updated) in articles {
        let (address, updated) = (escape(&channel.permalink(place)), machine_date(*updated));
        xml.push_str(&format!("<url><loc>{address}</loc><lastmod>{updated}</lastmod></url>\n"));
    }
    xml.push_str("</urlset>\n");
    xml
}

/// Renders the list of this many parts.
pub fn parts(channel: &Channel, parts: u32) -> String {
    let mut xml = start("sitemapindex");
    for number in 1..=parts {
        xml.push_str(&format!("<sitemap><loc>{}</loc></sitemap>\n", escape(&channel.url(&part_path(number)))));
    }
    xml.push_str("</sitemapindex>\n");
    xml
}

fn start(element: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<{element} xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Slug;
    use crate::render::feed::tests::channel;

    #[test]
    fn each_document_lists_absolute_addresses() {
        let slug = |text: &str| Slug::new(text).unwrap();
        let places = [Permalink::Article(slug("a-b")), Permalink::Page(slug("about"))];
        let places = places.map(|place| (place, DateTime::UNIX_EPOCH));
        let xml = articles(&channel(), &places, &[String::new(), "archive/".into()]);
        let expected = "<url><loc>https://example.org/</loc></url>\n<url><loc>https://example.org/archive/</loc></url>\n\
            <url><loc>https://example.org/articles/a-b</loc><lastmod>1970-01-01T00:00:00Z</lastmod></url>\n\
            <url><loc>https://example.org/about</loc><lastmod>1970-01-01T00:00:00Z</lastmod></url>\n</urlset>\n";
        assert!(xml.ends_with(expected), "{xml}");
        assert!(!articles(&channel(), &[], &[]).contains("<url>"));
        let xml = parts(&channel(), 2);
        assert!(
            xml.contains("<sitemap><loc>https://example.org/sitemap-2.xml</loc></sitemap>\n</sitemapindex>"),
            "{xml}"
        );
        for (path, number) in
            [("sitemap-1.xml", Some(1)), ("sitemap-01.xml", None), ("sitemap-.xml", None), ("sitemap-x.xml", None)]
        {
            assert_eq!(part_at(path), number, "{path}");
        }
    }
}
