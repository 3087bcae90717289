//! The phrases that websites put around articles, in many languages, as data: `boilerplate.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

/// How much a line says about where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It stands in a comment form and nowhere else.
    Solo,
    /// It proves a comment form together with another known line.
    Strong,
    /// It may be anybody's word.
    Weak,
    /// The name of a place to share things at.
    Share,
}

static PHRASES: LazyLock<HashMap<String, Weight>> = LazyLock::new(|| entries().collect());

fn entries() -> impl Iterator<Item = (String, Weight)> {
    include_str!("boilerplate.txt").lines().filter_map(|line| {
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

/// What is known of a line; the whole line counts, but not its case, nor signs and spaces around it.
pub fn weigh(line: &str) -> Option<Weight> {
    // No phrase is longer; most lines need not be folded at all.
    if line.len() > 300 {
        return None;
    }
    PHRASES.get(&folded(line)).copied()
}

/// A line as it is compared: normal form C, lower case, without what stands around its letters.
pub fn folded(line: &str) -> String {
    let lower: String = line.nfc().flat_map(char::to_lowercase).collect();
    lower.trim_matches(|c: char| !c.is_alphanumeric()).replace('’', "'")
}

/// Every phrase of the list as it is compared.
#[cfg(test)]
pub fn phrases() -> Vec<String> {
    entries().map(|(phrase, _)| phrase).collect()
}
