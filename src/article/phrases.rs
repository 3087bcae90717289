//! Phrases that websites put around articles, in many languages, from `phrases.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// How strongly a line indicates a website's boilerplate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Occurs only in comment forms.
    Solo,
    /// Indicates a comment form together with another known line.
    Strong,
    /// Removed only together with stronger phrases, since it may be content.
    Weak,
    /// The name of a sharing service.
    Share,
}

static PHRASES: LazyLock<HashMap<String, Weight>> = LazyLock::new(|| entries().collect());

fn entries() -> impl Iterator<Item = (String, Weight)> {
    include_str!("phrases.txt").lines().filter_map(|line| {
        let (class, phrase) = line.trim().split_once(' ')?;
        let weight = match class {
            "solo" => Weight::Solo,
            "strong" => Weight::Strong,
            "weak" => Weight::Weak,
            "share" => Weight::Share,
            _ => return None,
        };
        Some((folded(phrase), weight))
    })
}

/// Looks up a whole line, without case and surrounding punctuation.
pub fn weigh(line: &str) -> Option<Weight> {
    // Longer lines match no phrase and need no folding.
    if line.len() > 300 {
        return None;
    }
    PHRASES.get(&folded(line)).copied()
}

/// Folds a line for comparison: NFC, lower case, without surrounding punctuation.
pub fn folded(line: &str) -> String {
    let lower: String = line.nfc().flat_map(char::to_lowercase).collect();
    lower.trim_matches(|c: char| !c.is_alphanumeric()).replace('’', "'")
}

/// The id that GitHub makes of the words of a heading.
pub fn heading_id(words: &str) -> String {
    let words = words.trim().to_lowercase();
    let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ') || is_combining_mark(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Returns the phrases, folded.
#[cfg(test)]
pub fn phrases() -> Vec<String> {
    entries().map(|(phrase, _)| phrase).collect()
}
