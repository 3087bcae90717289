//! The way from the page of an article: the folders above it, and the articles before and after it.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;
use serde_json::json;

use super::{Link, Pages};
use crate::model::collection::{Neighbour, Surroundings};
use crate::model::site_page::Permalink;
use crate::model::taxonomy::Term;
use crate::render::words;

/// A link to the article before or after another one.
#[derive(Debug, Serialize)]
struct NeighbourLink<'a> {
    title: &'a str,
    address: String,
    language: &'a str,
    direction: &'static str,
}

impl Pages {
    /// What the template of an article needs of its surroundings.
    pub(super) fn around(&self, surroundings: &Surroundings) -> Value {
        let link = |neighbour: &Option<Neighbour>| {
            neighbour.as_ref().map(|neighbour| self.neighbour_link(neighbour)).map(|link| Value::from(Serde(link)))
        };
        let above: Vec<Link> = surroundings.sections.iter().map(|term| self.section_link(term)).collect();
        context! {
            folders => Value::from(Serde(above)),
            older => link(&surroundings.older),
            newer => link(&surroundings.newer),
        }
    }

    /// The feeds of the innermost folder of an article: their path and their title.
    pub(super) fn section_feeds(&self, surroundings: &Surroundings) -> Option<(String, String)> {
        let term = surroundings.sections.last()?;
        Some((term.view.path(), self.channel.title_of(&term.view, &term.name)))
    }

    /// JSON-LD of the breadcrumbs of an article (schema.org `BreadcrumbList`).
    pub(super) fn breadcrumbs(&self, surroundings: &Surroundings, title: &str) -> serde_json::Value {
        let site = Link { name: self.channel.title.clone(), address: self.channel.base_url.clone(), count: None };
        let links = std::iter::once(site).chain(surroundings.sections.iter().map(|term| self.section_link(term)));
        let mut crumbs: Vec<serde_json::Value> = (1..)
            .zip(links)
            .map(|(position, link)| {
                json!({ "@type": "ListItem", "position": position, "name": link.name, "item": link.address })
            })
            .collect();
        crumbs.push(json!({ "@type": "ListItem", "position": crumbs.len() + 1, "name": title }));
        json!({ "@type": "BreadcrumbList", "itemListElement": crumbs })
    }

    fn section_link(&self, term: &Term) -> Link {
        Link { name: term.name.clone(), address: self.channel.url(&term.view.path()), count: None }
    }

    fn neighbour_link<'a>(&'a self, neighbour: &'a Neighbour) -> NeighbourLink<'a> {
        NeighbourLink {
            title: &neighbour.title,
            address: self.channel.permalink(&Permalink::Article(neighbour.slug.clone())),
            language: neighbour.language.as_deref().unwrap_or(&self.channel.language),
            direction: neighbour.language.as_deref().map_or("auto", words::direction),
        }
    }
}
