//! Names of authors as bylines and the metadata of pages state them.

use super::loose_date::{is_filler, is_part_of_date};
use super::phrases::folded;
use super::summary::one_line;

/// Words before the names in a byline.
const STARTS: [&str; 8] = ["By ", "BY ", "Von ", "Par ", "Por ", "Di ", "Door ", "Av "];
/// Words in names that are not capitalised.
const PARTICLES: [&str; 14] =
    ["von", "van", "de", "der", "den", "da", "dos", "di", "del", "la", "le", "al", "bin", "ten"];
/// Words and signs between names.
const SEPARATORS: [&str; 9] = [" and ", " und ", " et ", " e ", " y ", " en ", " och ", " & ", ", "];
/// News agencies, the only names of one word.
const AGENCIES: [&str; 8] = ["Reuters", "AFP", "AP", "DPA", "ANSA", "EFE", "TASS", "Xinhua"];
/// Signs that end the names in the byline of a page; a date, an office or a count of comments follows.
const ENDS: [char; 7] = ['|', '•', '·', '—', '–', '/', '('];
/// Labels without a name.
const NO_NAMES: [&str; 8] = ["admin", "administrator", "author", "staff", "editor", "anonymous", "unknown", "guest"];
/// Maximum length of the names in a byline, in characters.
const LONGEST: usize = 80;

/// Reads a line that is a byline: "By Ann Lee and Bo Ek". A name has at most five words, each capitalised or a particle.
pub fn byline(text: &str) -> Option<Vec<String>> {
    let rest = STARTS.iter().find_map(|start| text.strip_prefix(start))?.trim();
    names(rest)
}

/// Splits a byline from the date after it: "By Ann Lee, March 5, 2019".
pub fn dated_byline(text: &str) -> Option<(Vec<String>, &str)> {
    let end = end_before_date(text)?;
    let is_between = |c: char| c.is_whitespace() || c == ',' || c == '-' || ENDS.contains(&c);
    let (line, date) = (text[..end].trim_end_matches(is_between), text[end..].trim_start_matches(is_between));
    Some((byline(line)?, date))
}

/// Where the date in a text starts: before its first number, and before the names of a month and a weekday that stand before that.
fn end_before_date(text: &str) -> Option<usize> {
    let number = text.find(char::is_numeric)?;
    let after = text[number..].split(|c: char| !c.is_alphabetic()).find(|word| !word.is_empty()).unwrap_or_default();
    // In "Ann May 5 March 2019", the first month belongs to the name.
    let has_month_after = is_part_of_date(&after.to_lowercase());
    let mut end = number;
    loop {
        let before = text[..end].trim_end_matches(|c: char| !c.is_alphanumeric());
        let start = before.rfind(|c: char| !c.is_alphabetic()).map_or(0, |at| at + 1);
        let word = before.get(start..).unwrap_or_default().to_lowercase();
        let is_of_date = (is_part_of_date(&word) && !has_month_after) || (is_filler(&word) && before[start..] == word);
        if word.is_empty() || !is_of_date {
            return Some(end);
        }
        end = start;
    }
}

/// Reads a list of names.
fn names(text: &str) -> Option<Vec<String>> {
    if text.chars().count() > LONGEST || text.chars().any(char::is_numeric) || text.ends_with(['.', '!', '?', ':']) {
        return None;
    }
    let mut names = vec![text.to_owned()];
    for separator in SEPARATORS {
        names = names.iter().flat_map(|name| name.split(separator).map(str::to_owned).collect::<Vec<_>>()).collect();
    }
    let is_word = |word: &str| {
        PARTICLES.contains(&word) || word.chars().next().is_some_and(|c| c.is_alphabetic() && !c.is_lowercase())
    };
    let is_name = |name: &String| {
        let words: Vec<&str> = name.split_whitespace().collect();
        (1..=5).contains(&words.len())
            && words.iter().all(|word| is_word(word))
            && !PARTICLES.contains(words.last().unwrap_or(&""))
    };
    // A single word is a name only if it is that of a news agency: "By Monday" and "By Land and Sea" do not name a person.
    let is_whole = |name: &String| name.contains(' ') || !name.is_ascii() || AGENCIES.contains(&name.as_str());
    (names.iter().all(is_name) && names.iter().any(is_whole)).then_some(names)
}

/// Reads the text of an element that a page marks as its byline: with or without "By", and with a date or an office after it.
pub fn of_element(text: &str) -> Vec<String> {
    let line = one_line(text);
    let name = without_by(&line).trim_start_matches(|c: char| ENDS.contains(&c) || c.is_whitespace());
    let name = &name[..name.find(|c: char| ENDS.contains(&c)).unwrap_or(name.len())];
    let end = end_before_date(name).unwrap_or(name.len());
    let name = name[..end].trim().trim_end_matches([',', ';', ':', '-']).trim_end();
    let is_label = |name: &String| NO_NAMES.contains(&folded(name).as_str());
    // After the names, a comma separates the author's position.
    let first = name.split(", ").next().unwrap_or_default();
    let names = names(name).or_else(|| names(first)).unwrap_or_default();
    names.into_iter().filter(|name| !is_label(name)).collect()
}

/// Reads a name from metadata: without "By", and `None` if it is an address or has no letters.
pub fn of_metadata(text: &str) -> Option<String> {
    let line = one_line(text);
    let name = without_by(&line);
    (name.chars().any(char::is_alphabetic) && !is_address(name)).then(|| name.to_owned())
}

/// Reads the names in metadata. A byline there may have several: "Von Ann Lee und Bo Ek".
pub fn all_of_metadata(text: &str) -> Vec<String> {
    let line = one_line(text);
    let first = line.split_whitespace().nth(1).unwrap_or_default();
    // "Von der Leyen" and "Di Maio" are names.
    let is_name = PARTICLES.contains(&first) || (line.starts_with("Di ") && !line.contains(" e "));
    let names = byline(&line).filter(|_| !is_name);
    names.unwrap_or_else(|| of_metadata(text).into_iter().collect())
}

/// A text without "By" at its start, in any case.
fn without_by(text: &str) -> &str {
    let text = text.trim();
    let rest = text.get(..3).filter(|start| matches!(start.to_ascii_lowercase().as_str(), "by " | "by:"));
    rest.map_or(text, |_| text[3..].trim_start())
}

/// Whether a text is an address or an account rather than a name.
fn is_address(text: &str) -> bool {
    let is_host = |text: &str| {
        let host = text.split('/').next().unwrap_or_default();
        text.contains('/') && host.contains('.') && !host.contains(' ')
    };
    text.contains("://") || text.starts_with(['/', '@', '#']) || text.starts_with("www.") || is_host(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_bylines_of_pages() {
        for (text, expected) in [
            ("Cora Diaz", &["Cora Diaz"][..]),
            ("By Cora Diaz", &["Cora Diaz"]),
            ("by: Cora Diaz", &["Cora Diaz"]),
            ("BY CORA DIAZ | 16 April 2015", &["CORA DIAZ"]),
            ("By Cora Diaz and\n  Bo van Ek", &["Cora Diaz", "Bo van Ek"]),
            ("By Cora Diaz, chief reporter", &["Cora Diaz"]),
            ("Cora Diaz • 3 comments", &["Cora Diaz"]),
            ("Cora Diaz 16.04.2015", &["Cora Diaz"]),
            ("By | Cora Diaz | 3 hours ago", &["Cora Diaz"]),
            ("By Cora Diaz March 5, 2019", &["Cora Diaz"]),
            ("By Cora Diaz on Tuesday, March 5, 2019", &["Cora Diaz"]),
            ("Cora Diaz, 5. März 2019", &["Cora Diaz"]),
            ("By Cora May 5 March 2019", &["Cora May"]),
            ("By April Diaz", &["April Diaz"]),
            ("admin", &[]),
            ("Share this story", &[]),
            ("See all posts by this author.", &[]),
            ("", &[]),
            ("By ", &[]),
        ] {
            assert_eq!(of_element(text), expected, "{text}");
        }
    }

    #[test]
    fn bylines_with_dates() {
        for (text, expected) in [
            ("By Cora Diaz March 5, 2019", Some("Cora Diaz: March 5, 2019")),
            ("By Cora Diaz and Bo Ek, 5 March 2019", Some("Cora Diaz, Bo Ek: 5 March 2019")),
            ("Von Cora Diaz | 5. März 2019, 10:20 Uhr", Some("Cora Diaz: 5. März 2019, 10:20 Uhr")),
            ("By Cora Diaz", None),
            ("By the sea in March 2019", None),
            ("By March 5, 2019", None),
        ] {
            let split = dated_byline(text).map(|(names, date)| format!("{}: {date}", names.join(", ")));
            assert_eq!(split.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn several_names_in_metadata() {
        for (text, expected) in [
            ("Von Ann Lee und Bob Ray", &["Ann Lee", "Bob Ray"][..]),
            ("By Ann Lee and Bob Ray", &["Ann Lee", "Bob Ray"]),
            ("Par Ann Lee", &["Ann Lee"]),
            ("Di Ann Lee e Bob Ray", &["Ann Lee", "Bob Ray"]),
            ("Ann Lee and Bob Ray", &["Ann Lee and Bob Ray"]),
            ("Von der Leyen", &["Von der Leyen"]),
            ("Di Maio Luigi", &["Di Maio Luigi"]),
            ("By Reuters", &["Reuters"]),
            ("@cora", &[]),
        ] {
            assert_eq!(all_of_metadata(text), expected, "{text}");
        }
    }

    #[test]
    fn names_in_metadata() {
        for (text, expected) in [
            ("By Cora Diaz", Some("Cora Diaz")),
            ("Byron Lee", Some("Byron Lee")),
            ("The Cape Post", Some("The Cape Post")),
            ("https://a.example/cora", None),
            ("www.a.example", None),
            ("facebook.com/cora", None),
            ("/authors/cora", None),
            ("@cora", None),
            ("日本太郎", Some("日本太郎")),
            ("By", Some("By")),
            ("-", None),
        ] {
            assert_eq!(of_metadata(text).as_deref(), expected, "{text}");
        }
    }
}
