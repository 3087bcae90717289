//! What is exported of a text in org, by its settings and tags.

use super::line::{header_arguments, heading, key};

/// Keywords of tasks at the start of a heading.
const TASKS: [&str; 6] = ["TODO", "DONE", "NEXT", "WAITING", "CANCELLED", "CANCELED"];

/// What is shown of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    Whole,
    /// Its heading, and those of its sections that are selected.
    Muted,
    /// Its heading, and nothing below.
    HeadingAlone,
    Hidden,
}

/// What is shown of a block of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CodeExport {
    pub shows_code: bool,
    /// Not stated for most blocks.
    pub shows_results: Option<bool>,
}

impl Default for CodeExport {
    fn default() -> Self {
        Self { shows_code: true, shows_results: None }
    }
}

/// The settings of a text.
#[derive(Debug, Default)]
pub(super) struct ExportRules {
    excluded: Vec<String>,
    selected: Vec<String>,
    /// What is shown of archived sections; their heading, if nothing is stated.
    archived: Option<Visibility>,
    /// The language, or nothing, and the header arguments of all its blocks.
    header_arguments: Vec<(String, String)>,
    /// Of each section in turn, the last one first, what the selection of sections leaves; `None` if nothing is selected.
    selection: Option<Vec<Visibility>>,
}

impl ExportRules {
    pub(super) fn of(text: &str) -> Self {
        let mut rules = Self { excluded: vec!["noexport".to_owned()], ..Self::default() };
        for line in text.lines() {
            let Some((key, value)) = key(line.trim_start()) else { continue };
            let tags = value.split([' ', ':', '\t']).filter(|tag| !tag.is_empty()).map(str::to_owned);
            match key.as_str() {
                "exclude_tags" => rules.excluded.extend(tags),
                "select_tags" => rules.selected.extend(tags),
                "property" => rules.header_arguments.extend(header_arguments(&format!(":{value}"))),
                "options" if value.contains("arch:nil") => rules.archived = Some(Visibility::Hidden),
                "options" if value.contains("arch:t") => rules.archived = Some(Visibility::Whole),
                _ => {}
            }
        }
        if rules.selected.is_empty() {
            rules.selected.push("export".to_owned());
        }
        rules.select(text);
        rules
    }

    /// Decides what a selection leaves of each section. Of the sections above a selected one, the headings stay.
    fn select(&mut self, text: &str) {
        let headings: Vec<(usize, bool)> = text
            .lines()
            .filter_map(heading)
            .map(|(depth, title)| (depth, has_any(tags_of(title).1, &self.selected)))
            .collect();
        if !headings.iter().any(|(_, is_selected)| *is_selected) {
            return;
        }
        // From the last one on, the depths of sections with a selected one below.
        let mut above: usize = 0;
        let mut holds: Vec<bool> = Vec::with_capacity(headings.len());
        for (depth, is_selected) in headings.iter().rev() {
            let has_selected = *depth < above;
            if *is_selected || has_selected {
                above = *depth;
            }
            holds.push(has_selected);
        }
        let mut selected: Option<usize> = None;
        let mut selection = Vec::with_capacity(headings.len());
        for ((depth, is_selected), holds) in headings.into_iter().zip(holds.into_iter().rev()) {
            selected = selected.filter(|outer| depth > *outer).or(is_selected.then_some(depth));
            selection.push(match selected {
                Some(_) => Visibility::Whole,
                None if holds => Visibility::Muted,
                None => Visibility::Hidden,
            });
        }
        selection.reverse();
        self.selection = Some(selection);
    }

    /// Whether only some sections are shown.
    pub(super) fn is_selective(&self) -> bool {
        self.selection.is_some()
    }

    /// The words of the next heading, without task, priority and tags, and what is shown of its section.
    pub(super) fn heading(&mut self, title: &str) -> (String, Visibility) {
        let (mut words, tags) = tags_of(title);
        if let Some((_, rest)) = words.split_once(' ').filter(|(first, _)| TASKS.contains(first)) {
            words = rest.trim_start();
        }
        if words.starts_with("[#") && words.get(3..4) == Some("]") {
            words = words[4..].trim_start();
        }
        let selection = self.selection.as_mut().and_then(Vec::pop).unwrap_or(Visibility::Whole);
        let is_comment = words == "COMMENT" || words.starts_with("COMMENT ");
        let is_archived = has_any(tags, &["ARCHIVE".to_owned()]);
        let visibility = match self.archived.unwrap_or(Visibility::HeadingAlone) {
            _ if is_comment || has_any(tags, &self.excluded) => Visibility::Hidden,
            archived if is_archived && archived != Visibility::Whole && selection != Visibility::Hidden => archived,
            _ => selection,
        };
        (words.to_owned(), visibility)
    }

    /// Passes lines that look like headings and are within a block.
    pub(super) fn pass_headings(&mut self, count: usize) {
        if let Some(selection) = &mut self.selection {
            selection.truncate(selection.len().saturating_sub(count));
        }
    }

    /// What the whole text says of code in a language.
    pub(super) fn code_export(&self, language: &str) -> Option<CodeExport> {
        let mut arguments = self.header_arguments.iter().rev().filter(|(of, _)| of.is_empty() || of == language);
        arguments.find_map(|(_, arguments)| exported(arguments))
    }
}

/// What header arguments say that is shown, `:exports results`.
pub(super) fn exported(arguments: &str) -> Option<CodeExport> {
    let mut words = arguments.split_whitespace();
    words.find(|word| *word == ":exports")?;
    let (shows_code, shows_results) = match words.next()? {
        "none" => (false, false),
        "results" => (false, true),
        "code" => (true, false),
        "both" => (true, true),
        _ => return None,
    };
    Some(CodeExport { shows_code, shows_results: Some(shows_results) })
}

/// The words and the tags, `:a:b:`, of a heading.
fn tags_of(title: &str) -> (&str, &str) {
    let is_tags = |tags: &str| tags.len() > 2 && tags.starts_with(':') && tags.ends_with(':');
    match title.rsplit_once(char::is_whitespace) {
        Some((words, tags)) if is_tags(tags) => (words.trim_end(), tags),
        None if is_tags(title) => ("", title),
        _ => (title, ""),
    }
}

fn has_any(tags: &str, names: &[String]) -> bool {
    tags.split(':').any(|tag| !tag.is_empty() && names.iter().any(|name| name == tag))
}
