//! Digests as entries: one for each day, week or month that is over and in which articles were published.

use std::sync::Arc;

use chrono::TimeDelta;
use url::Url;
use uuid::Uuid;

use super::feed::{Channel, Feed};
use super::words::{direction, fill};
use crate::article::fragment;
use crate::model::digest::{DatedArticles, DigestKind, DigestPeriod};
use crate::model::entry::{ArticleId, Content, Entry, SitePage};
use crate::model::site_page::DIGESTS;
use crate::model::text::{escape, escape_html};

/// Maximum number of titles in the summary of a digest.
const MAX_TITLES: usize = 8;

/// The path of the page of a kind, and of its feeds with a file name behind it.
pub fn path(kind: DigestKind) -> String {
    format!("{DIGESTS}/{}/", kind.name())
}

/// The name of a kind in the language of the site.
pub fn name(channel: &Channel, kind: DigestKind) -> &'static str {
    let texts = &channel.words().texts;
    kind.choose([&texts.digest_daily, &texts.digest_weekly, &texts.digest_monthly])
}

/// The feed of a kind.
pub fn feed<'a>(channel: &'a Channel, kind: DigestKind, entries: &'a [Arc<Entry>]) -> Feed<'a> {
    Feed::made(channel, path(kind), format!("{} – {}", name(channel, kind), channel.title), entries)
}

/// The entries of a kind, newest first. The oldest articles may be some of their period only: it is left out then.
pub fn entries(channel: &Channel, kind: DigestKind, articles: &DatedArticles) -> Vec<Arc<Entry>> {
    let is_same = |one: &Entry, other: &Entry| kind.period_at(one.published) == kind.period_at(other.published);
    let mut periods: Vec<&[Entry]> = articles.entries.chunk_by(is_same).collect();
    if articles.is_cut && periods.len() > 1 {
        periods.pop();
    }
    let entry = |articles: &[Entry]| entry(channel, kind.period_at(articles.first()?.published), articles);
    periods.into_iter().filter_map(entry).map(Arc::new).collect()
}

/// The entry of a period with its articles, newest first. It is published when the period is over, and never updated: an article that is
/// corrected later is no reason to read the digest again.
pub fn entry(channel: &Channel, period: DigestPeriod, articles: &[Entry]) -> Option<Entry> {
    let page = Url::parse(&channel.base_url).ok()?;
    let main = Uuid::parse_str(&channel.id).unwrap_or(Uuid::NAMESPACE_URL);
    let id = Uuid::new_v5(&main, format!("{}{}", path(period.kind), period.name()).as_bytes());
    let end = period.end();
    let titles: Vec<&str> = articles.iter().map(|article| article.content.title.as_str()).take(MAX_TITLES).collect();
    let more = if articles.len() > titles.len() { " …" } else { "" };
    let html: String = articles.iter().map(|article| part(channel, article)).collect();
    Some(Entry {
        id: ArticleId::new(id.urn().to_string()),
        guid: None,
        slug: period.slug()?,
        published: end,
        updated: end,
        revised: end,
        content: Content {
            title: title(channel, period),
            summary: format!("{}{more}", titles.join(" · ")),
            html: fragment(&html, &page),
            page: Some(SitePage { is_digest: true, ..SitePage::default() }),
            ..Content::default()
        },
    })
}

/// The days of a period, in the language of the site.
fn title(channel: &Channel, period: DigestPeriod) -> String {
    let words = channel.words();
    let day = |date| words.day(date).people;
    let (first, last) = (day(period.start()), day(period.end() - TimeDelta::days(1)));
    if first == last { first } else { fill(&words.texts.range, &[("from", &first), ("until", &last)]) }
}

/// An article in a digest: its title with a link, and its summary, or its text if it is too short to have one.
fn part(channel: &Channel, article: &Entry) -> String {
    let content = &article.content;
    let language = content.language.as_deref().filter(|language| *language != channel.language);
    let language = language
        .map(|language| format!(" lang=\"{}\" dir=\"{}\"", escape_html(language), direction(language)))
        .unwrap_or_default();
    let address = escape_html(&channel.permalink(&article.permalink()));
    let title = escape(&content.title);
    let text = match escape(&content.summary) {
        // The title of a note is its first words.
        summary if summary.is_empty() && content.is_untitled => String::new(),
        summary if summary.is_empty() => format!("<div{language}>{}</div>", content.html),
        summary => format!("<p{language}>{summary}</p>"),
    };
    format!("<h2{language}><a href=\"{address}\">{title}</a></h2>{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::feed::tests::{channel, entry};

    fn dated(slug: &str, date: &str) -> Entry {
        Entry { published: date.parse().unwrap(), ..Arc::unwrap_or_clone(entry(slug, &format!("<{slug}>"))) }
    }

    #[test]
    fn articles_are_grouped_by_period() {
        let articles = DatedArticles {
            entries: vec![
                dated("c", "2026-11-22T23:00:00Z"),
                dated("b", "2026-11-16T00:00:00Z"),
                dated("a", "2026-11-15T23:59:59Z"),
            ],
            is_cut: false,
            ..DatedArticles::default()
        };
        let digests = entries(&channel(), DigestKind::Weekly, &articles);
        let titles: Vec<&str> = digests.iter().map(|digest| digest.content.title.as_str()).collect();
        assert_eq!(titles, ["16 November 2026 to 22 November 2026", "9 November 2026 to 15 November 2026"]);
        assert_eq!(digests[0].published.to_rfc3339(), "2026-11-23T00:00:00+00:00");
        assert_eq!(digests[0].content.summary, "<c> · <b>");
        assert_eq!(digests[0].permalink().path(), "digest/weekly/2026-w47");
        assert!(
            digests[1].content.html.starts_with("<h2><a href=\"https://example.org/articles/a\">&lt;a&gt;</a></h2><p>"),
            "{}",
            digests[1].content.html
        );
        assert_ne!(digests[0].id, digests[1].id);
        let cut = DatedArticles { is_cut: true, ..articles };
        assert_eq!(entries(&channel(), DigestKind::Weekly, &cut).len(), 1, "the older week may lack articles");
        let one = entries(&channel(), DigestKind::Daily, &cut);
        assert_eq!(
            one.iter().map(|digest| &*digest.content.title).collect::<Vec<_>>(),
            ["22 November 2026", "16 November 2026"]
        );
    }
}
