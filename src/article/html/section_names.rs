//! Ids that generators of sites make of the words of headings. They say nothing about what a part of a page is.

use super::elements::{PageElement, is_heading};
use super::tokens::{self, Token};

/// Maximum number of tokens in a heading whose words are compared.
const MOST_TOKENS: usize = 60;
/// Maximum number of elements that are searched for the signs of comments.
const MOST_SEARCHED: usize = 50;
/// What generators write before the words.
const PREFIXES: [&str; 6] = ["user-content-", "heading-", "section-", "sec-", "sec:", "h-"];

/// For each element, whether its id is made of the words of the heading that it is or that it starts with.
pub fn ids_of_headings(tokens: &[Token<'_>], elements: &[PageElement<'_>]) -> Vec<bool> {
    let mut are_of_headings = vec![false; elements.len()];
    // The first heading after the place that is read, and its letters.
    let mut heading: Option<(usize, String)> = None;
    for (index, element) in elements.iter().enumerate().rev() {
        let is_heading = is_heading(&element.tag.name);
        if is_heading {
            let content = tokens.get(element.tokens.clone()).filter(|content| content.len() <= MOST_TOKENS);
            heading = Some((index, letters(&content.map(tokens::text).unwrap_or_default())));
        }
        let Some(id) = element.tag.attribute("id") else { continue };
        let has_words = || {
            let first = heading.as_ref().filter(|(heading, _)| *heading < element.end);
            first.is_some_and(|(_, words)| !words.is_empty() && is_made_of(&id, words))
        };
        are_of_headings[index] = is_heading || (has_words() && !is_list_of_comments(elements, index, &id));
    }
    are_of_headings
}

/// Whether an id is made of words. A number may follow it, if several headings have the same words.
fn is_made_of(id: &str, words: &str) -> bool {
    let id = id.to_lowercase();
    let bare = PREFIXES.iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(&id);
    let numberless = bare.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['-', '_']);
    [&id, bare, numberless].iter().any(|id| letters(id) == words)
}

/// The letters and digits of a text, without the number of a section before it.
fn letters(text: &str) -> String {
    let text = text.trim_start_matches(|c: char| !c.is_alphabetic());
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a block with such an id holds the comments of readers all the same.
fn is_list_of_comments(elements: &[PageElement<'_>], index: usize, id: &str) -> bool {
    const MARK: &str = "comment";
    let element = &elements[index];
    let names = |element: &PageElement<'_>| {
        let value = |name| element.tag.attribute(name).unwrap_or_default().to_ascii_lowercase();
        format!("{} {}", value("class"), value("id"))
    };
    let is_section = element.tag.name == "section" || element.tag.has_class(&["section"]);
    let has_comments = |element: &PageElement<'_>| !is_heading(&element.tag.name) && names(element).contains(MARK);
    id.to_ascii_lowercase().contains(MARK)
        && (!is_section || elements[index + 1..element.end].iter().take(MOST_SEARCHED).any(has_comments))
}
