//! Removes a website's boilerplate around a plain-text article: counters, share buttons, the comment form.
//!
//! Removes lines only in the head (before the first real paragraph) and in the tail, only whole known lines, and only if more than
//! one sign shows that the page was scraped. Each removed line is reported with its rule: T1 comment form at the end, H1 counter, H2
//! names of share buttons, H3 byline or date (moved, not lost), H4 repeated headline.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::credit;
use super::date;
use super::loose_date;
use super::phrases::{self, Weight};
use super::problem::Problem;
use super::summary::{ends_sentence, is_real};
use crate::model::entry::Person;

/// A line with normalised white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Line number in the file, from 1.
    pub number: usize,
    /// Empty for a blank line.
    pub text: String,
}

/// A removed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Name of the rule.
    pub rule: &'static str,
    /// Number in the file, from 1.
    pub line: usize,
    /// The text of the line.
    pub text: String,
}

/// Describes what a rule removes.
pub fn meaning(rule: &str) -> &'static str {
    match rule {
        "T1" => "a comment form at the end",
        "H1" => "a counter above the text",
        "H2" => "the name of a share button",
        "H3" => "a byline or date, which became the author or the date",
        "H4" => "the repeated headline",
        "W1" => "outside of the article in the page",
        "W2" => "named as something beside the article",
        "W3" => "a block of links, pictures or fields",
        "W4" => "a list below a heading such as \"Related articles\"",
        "W5" => "the teaser of another article",
        "W6" => "the name of the site or of a section above the article",
        _ => "a line of the website's boilerplate",
    }
}

/// A text without boilerplate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// The remaining lines.
    pub lines: Vec<Line>,
    /// The removed lines, in order.
    pub removed: Vec<Removed>,
    /// The authors in a byline.
    pub authors: Vec<Person>,
    /// The date on a line of its own.
    pub published: Option<DateTime<Utc>>,
    /// Set if too much would have been removed, so nothing was.
    pub problem: Option<Problem>,
}

/// Maximum number of lines of the head after the headline.
const HEAD_LINES: usize = 15;

/// Maximum percentage of characters that may be removed without proof of a comment form.
const MAX_REMOVED_PERCENT: usize = 30;

/// Maximum number of passes after the first; further ones would find nothing.
const MAX_PASSES: usize = 20;

/// Finds and removes boilerplate. `lines` do not include the headline, which is `title`.
pub fn clean(title: &str, lines: &[Line], timezone: Tz) -> Cleaned {
    let mut cleaned = one_pass(title, lines, timezone);
    // A removed line may uncover another one.
    for _ in 0..MAX_PASSES {
        let next = one_pass(title, &cleaned.lines, timezone);
        if next.removed.is_empty() {
            break;
        }
        cleaned.lines = next.lines;
        cleaned.removed.extend(next.removed);
        cleaned.published = cleaned.published.or(next.published);
        if cleaned.authors.is_empty() {
            cleaned.authors = next.authors;
        }
    }
    cleaned.removed.sort_by_key(|removed| removed.line);
    cleaned
}

fn one_pass(title: &str, lines: &[Line], timezone: Tz) -> Cleaned {
    let mut finder = Finder { lines, marks: vec![None; lines.len()], authors: Vec::new(), published: None };
    let form = finder.tail();
    finder.head(title, form.is_some(), timezone);
    finder.finish(form == Some(Form::Proven))
}

/// The degree of certainty that the tail is a comment form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Likely,
    /// Two lines indicate it, one of which occurs nowhere else.
    Proven,
}

struct Finder<'a> {
    lines: &'a [Line],
    /// The rule that removes each line.
    marks: Vec<Option<&'static str>>,
    authors: Vec<Person>,
    published: Option<DateTime<Utc>>,
}

impl Finder<'_> {
    /// T1: the last lines, if all of them are known phrases and at least one occurs only in comment forms.
    fn tail(&mut self) -> Option<Form> {
        let is_text = |line: &Line| !line.text.is_empty();
        let weight = |line: &Line| phrases::weigh(&line.text);
        let start =
            self.lines.iter().rposition(|line| is_text(line) && weight(line).is_none()).map_or(0, |last| last + 1);
        let weights: Vec<Weight> = self.lines[start..].iter().filter(|line| is_text(line)).filter_map(weight).collect();
        let others = self.lines[..start].iter().filter(|line| is_text(line)).count();
        let solo = weights.iter().filter(|weight| **weight == Weight::Solo).count();
        let strong = weights.iter().filter(|weight| **weight == Weight::Strong).count();
        // At least two lines have to remain: one here, and the headline, which is not among these lines.
        if others == 0 || !(solo >= 1 || (weights.len() >= 2 && strong >= 1)) {
            return None;
        }
        for (mark, line) in self.marks[start..].iter_mut().zip(&self.lines[start..]) {
            *mark = is_text(line).then_some("T1");
        }
        Some(if solo >= 1 && solo + strong >= 2 { Form::Proven } else { Form::Likely })
    }

    /// The end of the head: the number of lines before the first real paragraph. A text without a real paragraph has no head.
    fn head_end(&self) -> usize {
        let is_unmarked = |index: &usize| self.marks[*index].is_none();
        let line = (0..self.lines.len()).filter(is_unmarked).find(|index| is_real(&self.lines[*index].text));
        let mut block_start = 0;
        let mut block = None;
        for group in self.lines.split(|line| line.text.is_empty()) {
            let joined: Vec<&str> = group.iter().map(|line| line.text.as_str()).collect();
            // In narrow columns no single line is a paragraph, but a block of sentences is.
            let narrow = group.len() > 1
                && !group.iter().any(|line| is_real(&line.text))
                && group.iter().any(|line| ends_sentence(&line.text))
                && group.iter().all(|line| phrases::weigh(&line.text).is_none());
            if narrow && self.marks.get(block_start).is_some_and(Option::is_none) && is_real(&joined.join(" ")) {
                block = Some(block_start);
                break;
            }
            block_start += group.len() + 1;
        }
        line.into_iter().chain(block).min().map_or(0, |end| end.min(HEAD_LINES))
    }

    fn head(&mut self, title: &str, has_form: bool, timezone: Tz) {
        let end = self.head_end();
        let head: Vec<usize> = (0..end).filter(|index| !self.lines[*index].text.is_empty()).collect();
        if head.is_empty() {
            return;
        }
        if same_words(&self.lines[head[0]].text, title) {
            self.marks[head[0]] = Some("H4");
        }
        let shares: Vec<usize> = head
            .iter()
            .copied()
            .filter(|index| phrases::weigh(&self.lines[*index].text) == Some(Weight::Share))
            .collect();
        let has_share_names = shares.len() >= 2;
        if has_share_names {
            for index in shares {
                self.marks[index] = Some("H2");
            }
        }
        self.bylines(&head, has_form || has_share_names, timezone);
        // Each removal may leave another number on a line of its own.
        loop {
            let counters: Vec<usize> = head
                .iter()
                .copied()
                .filter(|index| self.marks[*index].is_none())
                .filter(|index| {
                    let text = self.lines[*index].text.as_str();
                    is_count_of_something(text)
                        || (self.stands_alone(*index) && is_counter(text, has_form || has_share_names))
                })
                .collect();
            if counters.is_empty() {
                return;
            }
            for index in counters {
                self.marks[index] = Some("H1");
            }
        }
    }

    /// H3: bylines and dates. A date alone may be the subject of the text, so it becomes metadata only next to a byline or other
    /// signs of a scraped page, or if it is labelled as the date of publication.
    fn bylines(&mut self, head: &[usize], scraped: bool, timezone: Tz) {
        for index in head.iter().copied() {
            let text = self.lines[index].text.as_str();
            let dated = || {
                let (names, date) = credit::dated_byline(text)?;
                Some((names, Some(loose_date::of_any_line(date, timezone)?)))
            };
            if self.marks[index].is_none()
                && let Some((names, date)) = credit::byline(text).map(|names| (names, None)).or_else(dated)
            {
                self.marks[index] = Some("H3");
                self.published = self.published.or(date);
                if self.authors.is_empty() {
                    self.authors = names.into_iter().map(|name| Person { name, ..Person::default() }).collect();
                }
            }
        }
        let trusted = scraped || !self.authors.is_empty();
        for index in head.iter().copied() {
            let text = self.lines[index].text.as_str();
            let is_labelled = || !text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(':');
            if self.marks[index].is_none()
                && let Some(date) =
                    if trusted { loose_date::of_any_line(text, timezone) } else { date::of_line(text, timezone) }
                && (trusted || is_labelled())
            {
                self.marks[index] = Some("H3");
                self.published = self.published.or(Some(date));
            }
        }
    }

    fn stands_alone(&self, index: usize) -> bool {
        let blank =
            |index: usize| self.lines.get(index).is_none_or(|line| line.text.is_empty() || self.marks[index].is_some());
        index.checked_sub(1).is_none_or(blank) && blank(index + 1)
    }

    /// Removes the marked lines, unless too little would remain.
    fn finish(self, proven: bool) -> Cleaned {
        let size = |text: &str| text.chars().count();
        let total: usize = self.lines.iter().map(|line| size(&line.text)).sum();
        let marked = || self.lines.iter().zip(&self.marks).filter_map(|(line, mark)| mark.map(|rule| (line, rule)));
        let doubtful: usize =
            marked().filter(|(_, rule)| !(proven && *rule == "T1")).map(|(line, _)| size(&line.text)).sum();
        let remains = self.lines.iter().zip(&self.marks).any(|(line, mark)| mark.is_none() && !line.text.is_empty());
        if marked().next().is_some() && (!remains || doubtful * 100 > total * MAX_REMOVED_PERCENT) {
            let message = "too many lines look like website boilerplate: none was removed; set `clean: false` if they belong to the text";
            let problem = Problem::at(marked().next().map_or(1, |(line, _)| line.number), message);
            return Cleaned {
                lines: self.lines.to_vec(),
                removed: Vec::new(),
                authors: Vec::new(),
                published: None,
                problem: Some(problem),
            };
        }
        let removed =
            marked().map(|(line, rule)| Removed { rule, line: line.number, text: line.text.clone() }).collect();
        let lines = self
            .lines
            .iter()
            .zip(&self.marks)
            .filter(|(_, mark)| mark.is_none())
            .map(|(line, _)| line.clone())
            .collect();
        Cleaned { lines, removed, authors: self.authors, published: self.published, problem: None }
    }
}

fn same_words(line: &str, title: &str) -> bool {
    !title.is_empty() && phrases::folded(line) == phrases::folded(title)
}

/// Whether a line is a bare number that is not content: "0" always, another number only on a scraped page, a year never.
fn is_counter(text: &str, scraped: bool) -> bool {
    let year = text.len() == 4 && text.parse().is_ok_and(|number: u32| (1900..=2099).contains(&number));
    let number = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    text == "0" || (number && scraped && !year)
}

/// Whether a line is a labelled counter: "12 comments", "3,456 views".
fn is_count_of_something(text: &str) -> bool {
    const THINGS: [&str; 12] = [
        "comment",
        "comments",
        "view",
        "views",
        "share",
        "shares",
        "kommentare",
        "commentaires",
        "comentarios",
        "commenti",
        "comentários",
        "reacties",
    ];
    let folded = phrases::folded(text);
    let mut words = folded.split_whitespace();
    let number =
        words.next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit() || b",.".contains(&byte)));
    number && words.next().is_some_and(|word| THINGS.contains(&word)) && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: &str =
        "The coastal bridge stayed closed on Wednesday as winds of more than 70 miles an hour kept lorries away.";
    const MORE: &str =
        "Drivers were told to use the inland road until the evening, when the wind is expected to fall at last.";

    fn lines(text: &str) -> Vec<Line> {
        text.lines().enumerate().map(|(index, line)| Line { number: index + 3, text: line.to_owned() }).collect()
    }

    /// Checks the removed lines, each as "rule text"; `%` and `&` stand for `REAL` and `MORE`.
    fn check(text: &str, expected: &[&str]) -> Cleaned {
        let text = text.replace('%', REAL).replace('&', MORE);
        let cleaned = clean("Title", &lines(&text), chrono_tz::UTC);
        let removed: Vec<String> =
            cleaned.removed.iter().map(|removed| format!("{} {}", removed.rule, removed.text)).collect();
        assert_eq!(removed, expected, "{text}");
        let again = clean("Title", &cleaned.lines, chrono_tz::UTC);
        assert_eq!(
            (again.removed.len(), again.lines),
            (0, cleaned.lines.clone()),
            "cleaning again changes nothing: {text}"
        );
        let remaining_bytes: usize = cleaned.lines.iter().map(|line| line.text.len()).sum();
        let removed_bytes: usize = cleaned.removed.iter().map(|removed| removed.text.len()).sum();
        assert_eq!(remaining_bytes + removed_bytes, text.lines().map(str::len).sum::<usize>(), "nothing else is lost");
        cleaned
    }

    #[test]
    fn comment_forms_are_removed_and_single_phrases_stay() {
        check(
            "%\n\nLeave a reply\n\nPlease enter your comment!\nPlease enter your name here",
            &["T1 Leave a reply", "T1 Please enter your comment!", "T1 Please enter your name here"],
        );
        check("%\n\nLeave a reply", &[]);
        check("%\n\nName\nEmail", &[]);
        check("%\n&\n\nLeave a comment\nName *", &["T1 Leave a comment", "T1 Name *"]);
        check("%\n\nYour email address will not be published.\n\n&", &[]);
        check("Leave a reply\nPost Comment", &[]);
    }

    #[test]
    fn counters_are_removed_where_they_are_not_content() {
        check("0\n\n%", &["H1 0"]);
        check("0\n%", &[]);
        check("7\n\n%", &[]);
        check("7\n\n%\n&\n\nLeave a reply\nPost Comment", &["H1 7", "T1 Leave a reply", "T1 Post Comment"]);
        check("1984\n\n%\n&\n\nLeave a reply\nPost Comment", &["T1 Leave a reply", "T1 Post Comment"]);
        check("12 comments\n%", &["H1 12 comments"]);
        check("3,456 Views\n%", &["H1 3,456 Views"]);
        check("0", &[]);
        check("No comment.\n\n%", &[]);
        check("0\nFacebook\nTwitter\n\n%\n&", &["H1 0", "H2 Facebook", "H2 Twitter"]);
        check("%\n\n0\n\n&", &[]);
    }

    #[test]
    fn share_names_are_removed_only_if_there_are_several() {
        check("Facebook\nTwitter\n\n%", &["H2 Facebook", "H2 Twitter"]);
        check("Facebook\n\n%", &[]);
        check("Facebook\nTwitter\n5\n", &[]);
    }

    #[test]
    fn bylines_and_dates_become_metadata() {
        let cleaned = check(
            "By Ann Lee and Bo van Ek\n5 November 2022\n\n%\n&",
            &["H3 By Ann Lee and Bo van Ek", "H3 5 November 2022"],
        );
        assert_eq!(
            cleaned.authors.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(),
            ["Ann Lee", "Bo van Ek"]
        );
        assert_eq!(cleaned.published.unwrap().to_string(), "2022-11-05 00:00:00 UTC");
        for line in [
            "By Ann Lee\n5. März 2019",
            "By Ann Lee\nMarch 5, 2019 10:20 AM EST",
            "By Ann Lee\nMar 5, 2019 at 10:20 am",
            "By Ann Lee\n5. März 2019, 10:20 Uhr",
            "By Ann Lee\nLe 5 mars 2019 à 10h20",
            "By Ann Lee, March 5, 2019",
            "By Ann Lee | March 5, 2019 10:20 am",
        ] {
            let removed: Vec<String> = line.lines().map(|line| format!("H3 {line}")).collect();
            let removed: Vec<&str> = removed.iter().map(String::as_str).collect();
            let cleaned = check(&format!("{line}\n\n%\n&"), &removed);
            let day = cleaned.published.map(|date| date.date_naive().to_string());
            assert_eq!((cleaned.authors[0].name.as_str(), day.as_deref()), ("Ann Lee", Some("2019-03-05")), "{line}");
        }
        check("5. März 2019\n\n%\n&", &[]);
        check("By Ann Lee\nThe storm of March 5, 2019\n\n%\n&", &["H3 By Ann Lee"]);
        for line in
            ["By the sea", "By Monday the 5th", "By 2024", "By and large", "By Ann.", "Von der Leyen spricht heute"]
        {
            check(&format!("{line}\n\n%"), &[]);
        }
    }

    #[test]
    fn a_repeated_headline_is_removed() {
        check("TITLE\n\n%", &["H4 TITLE"]);
        check("Title and more\n\n%", &[]);
    }

    #[test]
    fn nothing_is_removed_if_too_much_would_be() {
        let cleaned = check(&format!("{}\n{REAL}", "12 comments\n".repeat(9)), &[]);
        assert!(cleaned.problem.is_some());
    }

    #[test]
    fn the_list_of_phrases_has_no_duplicates() {
        let phrases = phrases::phrases();
        let distinct: std::collections::HashSet<_> = phrases.iter().collect();
        assert!(phrases.len() > 150 && distinct.len() == phrases.len(), "each phrase once");
        for phrase in ["Leave a Reply", "Kommentar abschicken", "Laisser un commentaire", "コメントを残す", "* Name:"]
        {
            assert!(phrases::weigh(phrase).is_some(), "{phrase}");
        }
        assert_eq!(phrases::weigh("Leave a reply to the king"), None);
        assert_eq!(phrases::weigh(""), None);
    }
}
