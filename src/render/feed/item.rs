//! An entry in the form that all formats render.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::channel::Channel;
use super::statements::LicenseLink;
use crate::config::License;
use crate::model::entry::{Entry, Episode, Media, Person};

/// An entry as all formats show it.
#[derive(Debug)]
pub struct Item<'a> {
    /// Permanent id.
    pub id: &'a str,
    /// The id in RSS and JSON Feed, which may be one from a feed published elsewhere.
    pub guid: &'a str,
    /// Plain text.
    pub title: &'a str,
    /// `None` if the article has no title; `title` has its first words then.
    pub stated_title: Option<&'a str>,
    /// Address of the article: on another site if it links there, else of its page.
    pub url: Cow<'a, str>,
    /// Address of its page, if `url` is on another site.
    pub page: Option<String>,
    /// Address of the page with its discussion.
    pub comments: Option<&'a str>,
    /// At least one.
    pub authors: &'a [Person],
    /// First publication.
    pub published: DateTime<Utc>,
    /// Last change of its content.
    pub updated: DateTime<Utc>,
    /// Plain text.
    pub summary: Option<&'a str>,
    /// HTML; `None` in a feed of summaries.
    pub html: Option<&'a str>,
    /// Plain texts.
    pub tags: &'a [String],
    /// BCP 47 tag, if it is not the channel's.
    pub language: Option<&'a str>,
    /// The cover.
    pub image: Option<&'a Media>,
    /// The other pictures.
    pub pictures: &'a [Media],
    /// Recordings come first: RSS carries one enclosure.
    pub enclosures: Vec<&'a Media>,
    pub episode: Option<&'a Episode>,
    /// Who holds its rights, if it says so itself.
    pub copyright: Option<&'a str>,
    /// Its licence, if it states one itself.
    pub license: Option<LicenseLink>,
    /// It states rights of its own, if only that it has no licence: those of the site do not hold for it.
    pub has_own_rights: bool,
}

impl<'a> Item<'a> {
    pub fn new(channel: &'a Channel, entry: &'a Entry) -> Self {
        let content = &entry.content;
        let page = channel.permalink(&entry.permalink());
        let summary = Some(content.summary.as_str()).filter(|summary| !summary.is_empty());
        // An article too short to have a summary is shown whole in a feed of summaries.
        let is_brief = content.brief || channel.limits.is_brief(u64::try_from(content.max_bytes()).unwrap_or(0));
        // The text of a digest is the summaries of its articles.
        let is_digest = content.page.as_ref().is_some_and(|page| page.is_digest);
        let is_whole = !is_brief || summary.is_none() || is_digest;
        let mut enclosures: Vec<&Media> = content.enclosures.iter().collect();
        enclosures.sort_by_key(|media| !media.plays());
        Self {
            id: &entry.id,
            guid: entry.guid.as_deref().unwrap_or(&entry.id),
            title: &content.title,
            stated_title: Some(content.title.as_str()).filter(|_| !content.is_untitled),
            url: content.link.as_deref().map_or(Cow::Owned(page.clone()), Cow::Borrowed),
            page: content.link.is_some().then_some(page),
            comments: content.comments.as_deref(),
            authors: if content.authors.is_empty() { std::slice::from_ref(&channel.author) } else { &content.authors },
            published: entry.published,
            updated: entry.updated,
            summary,
            html: is_whole.then_some(&*content.html),
            tags: &content.tags,
            language: content.language.as_deref().filter(|language| *language != channel.language),
            image: content.image.as_ref(),
            pictures: &content.pictures,
            enclosures,
            episode: content.episode.as_ref(),
            copyright: content.copyright.as_deref(),
            license: content
                .license
                .as_deref()
                .and_then(|text| Some(LicenseLink::from(&text.parse::<License>().ok()?))),
            has_own_rights: content.copyright.is_some() || content.license.is_some(),
        }
    }
}
