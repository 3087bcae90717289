//! Pages of articles by date: titles on lines, by year, by month and by archive.

use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::{Link, Pages};
use crate::model::collection::ArticleLine;
use crate::model::entry::Entry;
use crate::model::period::{DateRange, PeriodArticles, Rest};
use crate::model::site_page::Permalink;
use crate::render::feed::{self, Feed};
use crate::render::words::{self, Day, Words};

/// Path of the page of a period below the base address. Years have a place of their own: the number of an archive may look like one.
pub fn period_path(period: DateRange) -> String {
    match period {
        DateRange::All => "archive/".to_owned(),
        DateRange::Year(year) => format!("years/{year:04}/"),
        DateRange::Month(year, month) => format!("years/{year:04}/{month:02}/"),
    }
}

/// The period whose page is at a path, canonical or not.
pub fn period_at(path: &str) -> Option<DateRange> {
    match path.trim_end_matches('/') {
        "archive" | "years" => Some(DateRange::All),
        bare => bare.strip_prefix("years/").and_then(DateRange::parse),
    }
}

/// An article on one line.
#[derive(Debug, Serialize)]
struct LineView<'a> {
    title: &'a str,
    address: String,
    published: Day,
    language: &'a str,
    direction: &'static str,
}

/// Lines under one heading.
#[derive(Debug, Serialize)]
struct LineGroup<'a> {
    /// The year, if there are several.
    heading: Option<Link>,
    lines: Vec<LineView<'a>>,
}

impl Pages {
    /// The page of an archive.
    pub fn archive(&self, feed: &Feed<'_>, number: u32) -> String {
        let page = |number: u32| self.channel.url(&feed::archive_path(number));
        let words = self.channel.words();
        let texts = &words.texts;
        let above = [self.archive_link()];
        let dates = || feed.entries.iter().map(|entry| entry.published);
        let dates = dates().min().zip(dates().max()).map(|(oldest, newest)| (words.day(oldest), words.day(newest)));
        let mut head = self.head(&words::fill(&texts.archive_number, &[("number", &number.to_string())]), &feed.place);
        head.description = dates.as_ref().map(|(oldest, newest)| {
            words::fill(&texts.articles_range, &[("from", &oldest.people), ("until", &newest.people)])
        });
        head.data = Some(self.collection(&head, &above));
        let context = context! {
            older => (number > 1).then(|| page(number - 1)),
            newer => page(number + 1),
            dates => Value::from(Serde(dates)),
            lines => self.titles(feed.entries),
            above => Value::from(Serde(above)),
        };
        self.render("archive.html", &head, context)
    }

    /// The titles of entries, for the template of lines.
    pub(super) fn titles(&self, entries: &[Arc<Entry>]) -> Value {
        let lines: Vec<ArticleLine> = entries.iter().map(|entry| ArticleLine::from(&**entry)).collect();
        self.lines(&lines, self.channel.words())
    }

    /// Articles, for the template of lines.
    pub(super) fn lines(&self, lines: &[ArticleLine], words: &'static Words) -> Value {
        let lines: Vec<LineView<'_>> = lines.iter().map(|line| self.line(line, words)).collect();
        Value::from(Serde(lines))
    }

    /// The page of a year or a month, or the list of all years with the newest articles.
    pub fn period(&self, period: DateRange, listing: &PeriodArticles) -> String {
        let words = self.channel.words();
        let texts = &words.texts;
        let (name, above) = match period {
            DateRange::All => (texts.archive.clone(), Vec::new()),
            DateRange::Year(_) => (self.numbered(period), vec![self.archive_link()]),
            DateRange::Month(year, _) => {
                (self.numbered(period), vec![self.archive_link(), self.period_link(DateRange::Year(year), None)])
            }
        };
        let mut head = self.head(&name, &period_path(period));
        head.description = Some(texts.archives_lead.clone());
        head.data = Some(self.collection(&head, &above));
        let names_parts = listing.parts.len() > 1 && (period == DateRange::All || listing.rest.is_some());
        let parts = listing.parts.iter().filter(|_| names_parts);
        let parts: Vec<Link> = parts.map(|(part, count)| self.period_link(*part, Some(*count))).collect();
        let older = listing.rest.map(|rest| match rest {
            Rest::Part(part) => self.channel.url(&period_path(part)),
            Rest::Archive(number) => self.channel.url(&feed::archive_path(number)),
        });
        let archives = listing.archive.map(|newest| self.channel.url(&feed::archive_path(newest)));
        let context = context! {
            older,
            archives,
            parts => Value::from(Serde(parts)),
            groups => Value::from(Serde(self.line_groups(period, listing, words))),
            above => Value::from(Serde(above)),
        };
        self.render("period.html", &head, context)
    }

    /// The lines of a listing: by year where it holds all articles.
    fn line_groups<'a>(
        &'a self,
        period: DateRange,
        listing: &'a PeriodArticles,
        words: &'static Words,
    ) -> Vec<LineGroup<'a>> {
        let mut groups: Vec<(Option<DateRange>, LineGroup<'a>)> = Vec::new();
        for line in &listing.lines {
            let part = if period == DateRange::All { period.part_at(line.published) } else { None };
            if groups.last().is_none_or(|(last, _)| *last != part) {
                let heading = part.map(|part| self.period_link(part, None));
                groups.push((part, LineGroup { heading, lines: Vec::new() }));
            }
            if let Some((_, group)) = groups.last_mut() {
                group.lines.push(self.line(line, words));
            }
        }
        groups.into_iter().map(|(_, group)| group).collect()
    }

    fn line<'a>(&'a self, line: &'a ArticleLine, words: &'static Words) -> LineView<'a> {
        let (language, direction) = self.language(line.language.as_deref());
        LineView {
            title: &line.title,
            address: self.channel.permalink(&Permalink::Article(line.slug.clone())),
            published: words.day(line.published),
            language,
            direction,
        }
    }

    fn archive_link(&self) -> Link {
        let address = self.channel.url(&period_path(DateRange::All));
        Link { name: self.channel.words().texts.archive.clone(), address, count: None, language: None }
    }

    /// A link to a year or month, with the number of its articles.
    fn period_link(&self, period: DateRange, count: Option<u64>) -> Link {
        let name = match period {
            DateRange::All => self.channel.words().texts.archive.clone(),
            DateRange::Year(year) => year.to_string(),
            DateRange::Month(year, month) => format!("{year:04}-{month:02}"),
        };
        Link { name, address: self.channel.url(&period_path(period)), count, language: None }
    }

    /// The title of the page of a period.
    fn numbered(&self, period: DateRange) -> String {
        let number = self.period_link(period, None).name;
        words::fill(&self.channel.words().texts.archive_number, &[("number", &number)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_period_has_one_path() {
        for (period, path) in [
            (DateRange::All, "archive/"),
            (DateRange::Year(2026), "years/2026/"),
            (DateRange::Month(2026, 5), "years/2026/05/"),
        ] {
            assert_eq!(period_path(period), path);
            assert_eq!(period_at(path), Some(period));
            assert_eq!(period_at(path.trim_end_matches('/')), Some(period));
        }
        assert_eq!(period_at("years/"), Some(DateRange::All), "it redirects");
        for path in ["archive/2026/", "years/26/", "years/2026/5/", "years/x/", "yearsx"] {
            assert_eq!(period_at(path), None, "{path}");
        }
    }
}
