//! Articles and the site as Markdown, for programs that read text: an article at `/articles/<slug>.md`, the site at `/llms.txt`
//! (llmstxt.org). They hold what pages hold, without drafts, private comments and the rest of front matter.

use serde_json::json;

use super::feed::fragment::Fragment;
use super::feed::{Channel, Feed, Item, opml};
use super::markdown::from_html;
use super::words::machine_date;
use crate::model::entry::Entry;

/// Media type of Markdown (RFC 7763).
pub const MEDIA_TYPE: &str = "text/markdown; charset=utf-8";

/// Path of the list for programs.
pub const SITE_PATH: &str = "llms.txt";

/// An article in Markdown, with its title, dates, authors and address as front matter.
pub fn article(channel: &Channel, entry: &Entry) -> String {
    let item = Item::new(channel, entry);
    let authors: Vec<&str> = item.authors.iter().map(|person| person.name.as_str()).collect();
    let mut keys = vec![
        ("date", json!(machine_date(item.published))),
        ("updated", json!(machine_date(item.updated))),
        ("authors", json!(authors)),
        ("url", json!(item.url)),
    ];
    if let Some(title) = item.stated_title {
        keys.insert(0, ("title", json!(title)));
    }
    if let Some(language) = item.language {
        keys.push(("lang", json!(language)));
    }
    if !item.tags.is_empty() {
        keys.push(("tags", json!(item.tags)));
    }
    // JSON is YAML.
    let keys: Vec<String> = keys.into_iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
    let title = item.stated_title.map(|title| from_html(&format!("<h1>{}</h1>", escape(title)))).unwrap_or_default();
    let text = from_html(&entry.content.html);
    let media = item.enclosures.iter().map(|media| format!("- <{}>\n", media.url)).collect::<Vec<_>>().concat();
    let parts = [title, text, media];
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    format!("---\n{}---\n\n{}", keys.concat(), parts.join("\n"))
}

/// The site in Markdown: its title, its newest articles, its feeds.
pub fn site(channel: &Channel, feed: &Feed<'_>) -> String {
    let line = |entry: &Entry| {
        let item = Item::new(channel, entry);
        let summary = item.summary.map(|summary| format!(": {}", inline(summary))).unwrap_or_default();
        let text = format!("- [{}]({}){summary}\n", inline(item.title), channel.url(&article_path(&entry.slug)));
        Fragment { text, prefixes: Vec::new() }
    };
    let articles: String = feed.fragments("llms", line).iter().map(|line| line.text.as_str()).collect();
    let other = |name: &str, path: &str| format!("- [{name}]({})\n", channel.url(path));
    let others = [
        other("All articles by year", "archive/"),
        other("All feeds, as OPML", opml::PATH),
        other("Sitemap", super::sitemap::PATH),
    ];
    let list = if articles.is_empty() { String::new() } else { format!("## Articles\n\n{articles}\n") };
    format!("# {}\n\n> {}\n\n{list}## Optional\n\n{}", inline(&feed.title), inline(&feed.description), others.concat())
}

/// Path of an article in Markdown.
pub fn article_path(slug: &str) -> String {
    format!("articles/{slug}.md")
}

/// A plain text as Markdown of one line.
fn inline(text: &str) -> String {
    from_html(&escape(text)).trim_end().to_owned()
}

fn escape(text: &str) -> String {
    crate::model::text::escape_html(text)
}
