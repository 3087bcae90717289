//! Files that are no articles but templates of them, for a site generator or a note program: their text is full of places that only that
//! program fills.

use super::code::{Dialect, code_of};

/// Tags that only templates of pages have.
const PAGE_TAGS: [&str; 30] = [
    // Jinja, Nunjucks, Twig, Liquid, Tera.
    "{% extends ",
    "{%- extends ",
    "{% block ",
    "{%- block ",
    "{% macro ",
    "{%- macro ",
    "{% layout ",
    "{{ content }}",
    "{{content}}",
    "{{ content | safe }}",
    "{{{ content }}}",
    // Go.
    "{{ define ",
    "{{- define ",
    "{{define ",
    "{{ block \"",
    "{{- block \"",
    "{{ template \"",
    "{{ partial \"",
    "{{- partial \"",
    "{{ .Content",
    "{{ range ",
    "{{- range ",
    // Handlebars, EJS, ERB, PHP.
    "{{#each ",
    "{{> ",
    "<%= ",
    "<%- ",
    "<?php",
    "<?= ",
    // Blade and Thymeleaf.
    "@extends(",
    " th:text=",
];
/// Tags that generators fill in pages with front matter, and that make any other page a template.
const FILLED_TAGS: [&str; 14] = [
    "{% if ",
    "{%- if ",
    "{% for ",
    "{%- for ",
    "{% set ",
    "{%- set ",
    "{% import ",
    "{%- import ",
    "{% from ",
    "{% include ",
    "{%- include ",
    "{% assign ",
    "{% with ",
    "{{ super()",
];
/// Tags that only templates of notes and articles have.
const NOTE_TAGS: [&str; 7] = ["{% extends ", "{%- extends ", "{% block ", "<% tp.", "<%* ", "<%- tp.", "<%tp."];

/// Whether a text may have such a tag.
fn may_be_template(text: &str) -> bool {
    text.contains("{{")
        || text.contains("{%")
        || text.contains("<%")
        || text.contains("<?")
        || text.contains("@extends(")
        || text.contains(" th:")
}

/// Finds the first tag that shows a text to be a template: its line, from 1, and the tag. `head` is the text before the body.
pub fn find_template<'a>(head: &'a str, body: &'a str, dialect: Dialect) -> Option<(usize, &'a str)> {
    if !may_be_template(head) && !may_be_template(body) {
        return None;
    }
    let lines = |text: &str| text.matches('\n').count();
    if let Some((number, value)) =
        head.lines().enumerate().find_map(|(number, line)| Some((number, filled_value(line)?)))
    {
        return Some((number + 1, value));
    }
    let first = body.trim_start();
    let title = first.lines().next().and_then(|line| line.strip_prefix("# ")).filter(|title| is_filled(title));
    if let Some(title) = title.filter(|_| dialect == Dialect::Markdown) {
        return Some((1 + lines(head) + lines(&body[..body.len() - first.len()]), title.trim()));
    }
    if let Some((at, title)) = titled(body).filter(|_| dialect == Dialect::Html) {
        return Some((1 + lines(head) + lines(&body[..at]), title));
    }
    let tags: &[&str] = if dialect == Dialect::Html { &PAGE_TAGS } else { &NOTE_TAGS };
    let more: &[&str] = if dialect == Dialect::Html && head.is_empty() { &FILLED_TAGS } else { &[] };
    let mut found: Vec<(usize, &str)> =
        tags.iter().chain(more).flat_map(|tag| body.match_indices(tag).take(20).map(|(at, _)| (at, *tag))).collect();
    if found.is_empty() {
        return None;
    }
    found.sort_unstable();
    let code = code_of(body, dialect);
    let is_shown = |at: usize| {
        let is_page = dialect == Dialect::Html;
        let is_unseen = |open: &str, close: &str| is_page && is_within(body, at, open, close);
        !code.iter().any(|code| code.contains(&at)) && !is_unseen("<script", "</script") && !is_unseen("<!--", "-->")
    };
    let (at, tag) = found.into_iter().find(|(at, _)| is_shown(*at))?;
    Some((1 + lines(head) + lines(&body[..at]), tag.trim()))
}

/// Keys of which a program fills the value only in a template.
const FILLED_KEYS: [&str; 8] = ["title", "date", "created", "published", "updated", "modified", "id", "uid"];
/// Beginnings of the places that Obsidian fills in a template.
const NOTE_PLACES: [&str; 4] = ["{{date}}", "{{date:", "{{time", "{{title}}"];

/// The value in a line `key: {{ … }}` of front matter, if only a program can fill it.
fn filled_value(line: &str) -> Option<&str> {
    let (key, value) = line.split_once([':', '='])?;
    let value = value.trim().trim_matches(['"', '\'']);
    let is_key = FILLED_KEYS.iter().any(|known| key.trim_end().eq_ignore_ascii_case(known));
    let is_place = NOTE_PLACES.iter().any(|place| value.starts_with(place));
    (is_filled(value) && (is_key || is_place)).then_some(value)
}

/// The place and the content of the `<title>` of a page, if only a program fills it.
fn titled(page: &str) -> Option<(usize, &str)> {
    let start = page.find("<title>")? + "<title>".len();
    let title = &page[start..start + page[start..].find("</title>")?];
    (is_filled(title)).then_some((start, title.trim()))
}

/// Whether a text consists of places that a program fills.
fn is_filled(text: &str) -> bool {
    let text = text.trim();
    let is_place = |open: &str, close: &str| text.starts_with(open) && text.ends_with(close);
    (is_place("{{", "}}") || is_place("<%", "%>") || is_place("{%", "%}")) && text.len() > 4
}

/// Whether a place is within an element, by the nearest signs before it.
fn is_within(text: &str, at: usize, open: &str, close: &str) -> bool {
    let before = &text[..at];
    before.rfind(open).is_some_and(|start| before[start..].find(close).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, dialect: Dialect) -> Option<(usize, &str)> {
        let head = text.find("\n---\n").map_or(0, |end| if text.starts_with("---\n") { end + 5 } else { 0 });
        find_template(&text[..head], &text[head..], dialect)
    }

    #[test]
    fn templates_of_pages_are_found() {
        for (text, expected) in [
            ("{% extends \"base.html\" %}\n{% block body %}x{% endblock %}", (1, "{% extends")),
            ("<p>a</p>\n{%- block body %}x", (2, "{%- block")),
            ("<title>x</title>\n<body>{{ content }}</body>", (2, "{{ content }}")),
            ("{{ define \"main\" }}<p>{{ .Content }}</p>", (1, "{{ define")),
            ("<% @posts.each %>\n<p><%= title %></p>", (2, "<%=")),
            ("<title>{{ page.title }}</title>", (1, "{{ page.title }}")),
            ("<p>x</p>\n{% if a %}<p>y</p>{% endif %}", (2, "{% if")),
            ("{% set x = 1 %}{% for y in x %}a{% endfor %}", (1, "{% set")),
            ("<ul>\n{{#each posts}}<li>{{title}}</li>{{/each}}</ul>", (2, "{{#each")),
        ] {
            assert_eq!(found(text, Dialect::Html), Some(expected), "{text}");
        }
        for text in [
            "<p>Write <code>{% extends \"x\" %}</code>.</p>",
            "<pre>{{ content }}</pre>",
            "<script>var t = '{{#each a}}';</script><p>Text</p>",
            "<!-- {{ content }} --><p>Text</p>",
            "---\ntitle: A\n---\n<p>{{ site.title }} {% include x %}</p>",
            "<p>Text</p>",
        ] {
            assert_eq!(found(text, Dialect::Html), None, "{text}");
        }
    }

    #[test]
    fn templates_of_notes_are_found() {
        for (text, expected) in [
            ("---\ntitle: x\ndate: {{date}}\n---\nText", (3, "{{date}}")),
            ("---\ntitle: \"{{ replace .Name }}\"\n---\nText", (2, "{{ replace .Name }}")),
            ("---\ncategories: a\nlast: {{date}}\n---\nText", (3, "{{date}}")),
            ("\n# {{title}}\n\nText", (2, "{{title}}")),
            ("# Note\n\n<% tp.file.cursor() %>", (3, "<% tp.")),
        ] {
            assert_eq!(found(text, Dialect::Markdown), Some(expected), "{text}");
        }
        for text in [
            "# Using {{ title }} in Jinja\n\nText",
            "Write `{% extends \"x\" %}` or\n\n```\n{% block a %}\n<% tp.x %>\n```\n",
            "---\ntitle: A {{ x }} B\n---\n{% if a %}Text{% endif %} {{ page.title }}",
            "---\ntitle: A\nnav:\n  key: \"{{ page.key }}\"\npermalink: \"{{ slug }}\"\n---\nText",
            "A <% sign and {{ braces }}.",
        ] {
            assert_eq!(found(text, Dialect::Markdown), None, "{text}");
        }
    }
}
