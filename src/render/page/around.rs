//! The way from the page of an article: the folders above it, its translations, the articles before and after it, and its series.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;
use serde_json::json;

use super::{Link, Pages};
use crate::model::collection::{ArticleLine, Neighbour, SeriesPlace, Surroundings};
use crate::model::site_page::Permalink;
use crate::model::taxonomy::Term;
use crate::render::words::Words;

/// A link to the article before or after another one.
#[derive(Debug, Serialize)]
struct NeighbourLink<'a> {
    title: &'a str,
    address: String,
    language: &'a str,
    direction: &'static str,
}

/// A link to the same article in another language.
#[derive(Debug, Serialize)]
struct TranslationLink<'a> {
    /// The name of the language in itself, or the title of the article.
    name: String,
    address: String,
    language: &'a str,
    direction: &'static str,
}

impl Pages {
    /// What the template of an article needs of its surroundings.
    pub(super) fn around(&self, surroundings: &Surroundings, language: &str) -> Value {
        let link = |neighbour: &Option<Neighbour>| {
            neighbour.as_ref().map(|neighbour| self.neighbour_link(neighbour)).map(|link| Value::from(Serde(link)))
        };
        let above: Vec<Link> = surroundings.sections.iter().map(|term| self.section_link(term)).collect();
        context! {
            folders => Value::from(Serde(above)),
            older => link(&surroundings.older),
            newer => link(&surroundings.newer),
            translations => Value::from(Serde(self.translations(surroundings, language))),
        }
    }

    /// What the template of an article needs of its series.
    pub(super) fn series(&self, place: &SeriesPlace, words: &'static Words) -> Value {
        let SeriesPlace { term, parts, index } = place;
        let link = |index: Option<usize>| {
            let line = index.and_then(|index| parts.get(index));
            line.map(|line| Value::from(Serde(self.part_link(line))))
        };
        context! {
            name => term.name.as_str(),
            address => self.channel.url(&term.view.path()),
            number => (index + 1).to_string(),
            count => parts.len().to_string(),
            parts => self.lines(parts, words),
            older => link(index.checked_sub(1)),
            newer => link(Some(index + 1)),
        }
    }

    fn part_link<'a>(&'a self, line: &'a ArticleLine) -> NeighbourLink<'a> {
        let (language, direction) = self.language(line.language.as_deref());
        let address = self.channel.permalink(&Permalink::Article(line.slug.clone()));
        NeighbourLink { title: &line.title, address, language, direction }
    }

    /// The feeds of the innermost folder of an article: their path and their title.
    pub(super) fn section_feeds(&self, surroundings: &Surroundings) -> Option<(String, String)> {
        let term = surroundings.sections.last()?;
        Some((term.view.path(), self.channel.title_of(&term.view, &term.name)))
    }

    /// JSON-LD of the breadcrumbs of an article, which is the last of them.
    pub(super) fn article_breadcrumbs(&self, surroundings: &Surroundings, title: &str) -> serde_json::Value {
        let above: Vec<Link> = surroundings.sections.iter().map(|term| self.section_link(term)).collect();
        let above = above.iter().map(|link| (link.name.as_str(), Some(link.address.as_str())));
        self.breadcrumbs(above.chain([(title, None)]))
    }

    /// JSON-LD of breadcrumbs below the site: names and addresses (schema.org `BreadcrumbList`).
    pub(super) fn breadcrumbs<'a>(
        &'a self,
        below: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    ) -> serde_json::Value {
        let site = (self.channel.title.as_str(), Some(self.channel.base_url.as_str()));
        let crumb = |(position, (name, address)): (u32, (&str, Option<&str>))| json!({ "@type": "ListItem", "position": position, "name": name, "item": address });
        let crumbs: Vec<serde_json::Value> = (1..).zip(std::iter::once(site).chain(below)).map(crumb).collect();
        json!({ "@type": "BreadcrumbList", "itemListElement": crumbs })
    }

    /// JSON-LD that names the site (schema.org `WebSite`).
    pub(super) fn site_data(&self) -> serde_json::Value {
        json!({ "@type": "WebSite", "name": self.channel.title, "url": self.channel.base_url })
    }

    /// Links to an article in other languages than its own, one for each.
    fn translations<'a>(&'a self, surroundings: &'a Surroundings, own: &str) -> Vec<TranslationLink<'a>> {
        let mut links: Vec<TranslationLink<'_>> = Vec::new();
        for neighbour in &surroundings.translations {
            let NeighbourLink { title, address, language, direction } = self.neighbour_link(neighbour);
            if language != own && !language.is_empty() && links.iter().all(|link| link.language != language) {
                let name = Words::known(language).map_or(title, |words| &words.own_name);
                links.push(TranslationLink { name: name.to_owned(), address, language, direction });
            }
        }
        // `pt` and `pt-BR`, or `en` beside `en-GB`, have one name.
        let names: Vec<String> = links.iter().map(|link| link.name.clone()).collect();
        let own_name = Words::known(own).map(|words| words.own_name.as_str());
        for link in &mut links {
            let is_shared = names.iter().filter(|name| **name == link.name).count() > 1 || own_name == Some(&link.name);
            if let Some((_, region)) = link.language.split_once('-').filter(|_| is_shared) {
                link.name = format!("{} ({region})", link.name);
            }
        }
        links
    }

    fn section_link(&self, term: &Term) -> Link {
        Link { name: term.name.clone(), address: self.channel.url(&term.view.path()), count: None, language: None }
    }

    fn neighbour_link<'a>(&'a self, neighbour: &'a Neighbour) -> NeighbourLink<'a> {
        let (language, direction) = self.language(neighbour.language.as_deref());
        NeighbourLink {
            title: &neighbour.title,
            address: self.channel.permalink(&Permalink::Article(neighbour.slug.clone())),
            language,
            direction,
        }
    }
}
