//! Articles whose names are near to an address that leads nowhere, for its 404.
//!
//! The work has a bound: the newest articles with a few names each, addresses and names of a limited length, and a limited number of
//! edits between them.

use percent_encoding::percent_decode_str;

use super::entry::Slug;

/// Maximum number of articles that are compared: the newest.
pub const MAX_CANDIDATES: usize = 1_000;
/// Maximum number of names of an article that are compared: its slug, and those of its title and its file.
pub const MAX_NAMES: usize = 3;
/// Maximum number of near articles.
pub const MAX_NEAR: usize = 3;
/// Maximum length of an address, in bytes.
const MAX_ADDRESS: usize = 1_000;
/// Maximum length of the name in an address, and of a name that it is compared with, in bytes.
const MAX_LENGTH: usize = 100;
/// Maximum number of words of a name that are compared.
const MAX_WORDS: usize = 12;
/// Maximum number of edits between two names; a fourth of the letters of a short one.
const MAX_EDITS: usize = 4;
/// Minimum number of letters of a name, and of a word that counts.
const MIN_LETTERS: usize = 3;
/// Share of the letters that two names must have in common words, of a thousand.
const MIN_SHARE: usize = 500;
/// Endings of pages in addresses. Whatever has another one is a file.
const ENDINGS: [&str; 5] = [".html", ".htm", ".md", ".markdown", ".txt"];

/// The names of an article as slugs. The first is the one by which it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleNames {
    pub slug: Slug,
    pub others: Vec<String>,
}

impl ArticleNames {
    fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.slug).chain(self.others.iter().map(String::as_str)).take(MAX_NAMES)
    }
}

/// The name in an address that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedName(String);

impl WantedName {
    /// The name in a path below the base address; `None` if it is that of a file or of a program, or too long or too short.
    pub fn of(path: &str) -> Option<Self> {
        if path.len() > MAX_ADDRESS {
            return None;
        }
        let mut parts = path.split('/').filter(|part| !part.is_empty() && *part != "index.html").rev();
        let last = parts.next()?;
        let bare = ENDINGS.iter().find_map(|ending| last.strip_suffix(ending)).unwrap_or(last);
        if bare.contains('.') || parts.any(|part| part.starts_with('.')) {
            return None;
        }
        let bare = percent_decode_str(bare).decode_utf8().ok()?;
        if bare.chars().count() > MAX_LENGTH {
            return None;
        }
        let words = slug::slugify(bare);
        // Numbers are dates and pages.
        let words = words.split('-').filter(|word| !word.bytes().all(|byte| byte.is_ascii_digit()));
        let name = words.collect::<Vec<_>>().join("-");
        (name.len() >= MIN_LETTERS && name.len() <= MAX_LENGTH).then_some(Self(name))
    }

    /// The nearest articles, of equally near ones the first.
    pub fn nearest<'a>(&self, articles: &'a [ArticleNames]) -> Vec<&'a Slug> {
        let near = |article: &'a ArticleNames| {
            let score = article.all().filter_map(|name| self.score(name)).max()?;
            Some((score, &article.slug))
        };
        let mut near: Vec<(usize, &Slug)> = articles.iter().take(MAX_CANDIDATES).filter_map(near).collect();
        near.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        near.into_iter().map(|(_, slug)| slug).take(MAX_NEAR).collect()
    }

    /// How near a name is, of a thousand; `None` if it is not.
    fn score(&self, name: &str) -> Option<usize> {
        if name.len() > MAX_LENGTH {
            return None;
        }
        let length = self.0.len().max(name.len());
        let limit = (self.0.len().min(name.len()) / 4).clamp(1, MAX_EDITS);
        let by_edits = edits(self.0.as_bytes(), name.as_bytes(), limit).map(|edits| 1_000 - 1_000 * edits / length);
        by_edits.max(share(&self.0, name).filter(|share| *share >= MIN_SHARE))
    }
}

/// The share of letters in words that two names have in common, of a thousand.
fn share(one: &str, other: &str) -> Option<usize> {
    let words = |name| -> Vec<&str> { str::split(name, '-').take(MAX_WORDS).collect() };
    let (one, other) = (words(one), words(other));
    let letters = |words: &[&str]| words.iter().map(|word| word.len()).sum::<usize>();
    let common = one.iter().filter(|word| word.len() >= MIN_LETTERS && other.contains(word));
    let common: usize = common.map(|word| word.len()).sum();
    (2_000 * common).checked_div(letters(&one) + letters(&other))
}

/// The number of letters to insert, remove, replace or exchange with the next one between two names; `None` above a limit. Only the cells
/// of the table that lie within the limit are computed.
fn edits(one: &[u8], other: &[u8], limit: usize) -> Option<usize> {
    if one.len().abs_diff(other.len()) > limit {
        return None;
    }
    let far = limit + 1;
    let mut row: Vec<usize> = (0..=other.len()).map(|column| column.min(far)).collect();
    let (mut above, mut before) = (vec![far; row.len()], vec![far; row.len()]);
    for (index, letter) in (1..).zip(one) {
        (before, above, row) = (above, row, before);
        let first = usize::max(index, limit + 1) - limit;
        row[first - 1] = if first == 1 { index.min(far) } else { far };
        for column in first..=(index + limit).min(other.len()) {
            // The cell above the last one of a row has not been computed.
            let removed = if column == index + limit { far } else { above[column] + 1 };
            let replaced = above[column - 1] + usize::from(other[column - 1] != *letter);
            let is_exchanged =
                index > 1 && column > 1 && (one[index - 2], *letter) == (other[column - 1], other[column - 2]);
            let exchanged = if is_exchanged { before[column - 2] + 1 } else { far };
            row[column] = removed.min(replaced).min(row[column - 1] + 1).min(exchanged).min(far);
        }
    }
    Some(row[other.len()]).filter(|edits| *edits <= limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn articles() -> Vec<ArticleNames> {
        let article = |slug: &str, other: &str| ArticleNames {
            slug: Slug::new(slug).unwrap(),
            others: Some(other.to_owned()).filter(|other| !other.is_empty()).into_iter().collect(),
        };
        vec![
            article("harbour-light", ""),
            article("harbour-lights", ""),
            article("20240501", "the-day-of-the-great-storm"),
            article("storm", ""),
            article("tide-tables", ""),
        ]
    }

    fn nearest(path: &str) -> Vec<String> {
        let articles = articles();
        let wanted = WantedName::of(path);
        wanted.iter().flat_map(|wanted| wanted.nearest(&articles)).map(ToString::to_string).collect()
    }

    #[test]
    fn mistyped_and_moved_addresses_lead_to_near_articles() {
        for (path, expected) in [
            ("articles/harbuor-light", &["harbour-light", "harbour-lights"][..]),
            ("2024/05/01/strom.html", &["storm"]),
            ("2024/05/01/storms/index.html", &["storm"]),
            ("blog/great-storm-day", &["20240501", "storm"]),
            ("Tide%20Tables", &["tide-tables"]),
            ("notes/t%C3%ADde_tables.md", &["tide-tables"]),
            ("harbour", &["harbour-light", "harbour-lights"]),
            ("nothing-like-it", &[]),
            ("", &[]),
        ] {
            let found = nearest(path);
            if path == "blog/great-storm-day" {
                assert_eq!(found[0], expected[0], "{path}: {found:?}");
            } else {
                assert_eq!(found, expected, "{path}");
            }
        }
    }

    #[test]
    fn no_work_is_done_for_files_and_endless_addresses() {
        let long = "a".repeat(MAX_LENGTH + 1);
        let deep = format!("{}/storm", "a/".repeat(MAX_ADDRESS));
        for path in
            ["wp-login.php", "storm.png", "js/storm.js", ".env", ".git/storm", "2024/05", "ab", &long, &deep, "%FF%FE"]
        {
            assert_eq!(WantedName::of(path), None, "{path}");
        }
        // The limit is in letters, however long they are in an address.
        assert!(WantedName::of(&"%D0%B0".repeat(MAX_LENGTH - 1)).is_some());
        assert_eq!(WantedName::of(&"%D0%B0".repeat(MAX_LENGTH + 1)), None);
    }

    /// The whole table of edits.
    fn all_edits(one: &[u8], other: &[u8]) -> usize {
        let mut table = vec![vec![0; other.len() + 1]; one.len() + 1];
        for row in 0..=one.len() {
            for column in 0..=other.len() {
                table[row][column] = match (row, column) {
                    (0, other) => other,
                    (one, 0) => one,
                    _ => {
                        let exchanged = row > 1
                            && column > 1
                            && (one[row - 2], one[row - 1]) == (other[column - 1], other[column - 2]);
                        (table[row - 1][column - 1] + usize::from(one[row - 1] != other[column - 1]))
                            .min(table[row - 1][column] + 1)
                            .min(table[row][column - 1] + 1)
                            .min(if exchanged { table[row - 2][column - 2] + 1 } else { usize::MAX })
                    }
                };
            }
        }
        table[one.len()][other.len()]
    }

    proptest! {
        #[test]
        fn the_part_of_the_table_gives_what_all_of_it_gives(one in "[abc-]{0,12}", other in "[abc-]{0,12}", limit in 1_usize..6) {
            let whole = Some(all_edits(one.as_bytes(), other.as_bytes())).filter(|edits| *edits <= limit);
            prop_assert_eq!(edits(one.as_bytes(), other.as_bytes(), limit), whole);
        }
    }
}
