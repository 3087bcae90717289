//! Plain text -> headline, paragraphs, verse, lists. Only `clean` may remove lines.

use crate::model::text::{escape, escape_html};
use chrono::{DateTime, Utc};

use super::boilerplate::{self, Line, Removed};
use super::front_matter::{Field, Header};
use super::problem::Problem;
use super::reading::{ParsedBody, Rules};
use super::summary::{ends_sentence, is_cjk, is_real};
use super::unicode::without_direction_marks;
use super::web_address;
use crate::config::Clean;
use crate::model::entry::Person;

/// A block of a text with a layout of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Prose.
    Paragraph(String),
    /// Lines whose breaks are content.
    Verse(Vec<String>),
    /// A list: items without their markers.
    List {
        /// Whether the markers were numbers.
        ordered: bool,
        /// Text of each item.
        items: Vec<String>,
    },
    /// Code, or a table drawn in characters: spaces are content.
    Preformatted(String),
}

impl Block {
    /// The text without layout; line feeds separate lines of verse and items of a list.
    pub fn plain(&self) -> String {
        match self {
            Self::Paragraph(text) | Self::Preformatted(text) => text.clone(),
            Self::Verse(lines) => lines.join("\n"),
            Self::List { items, .. } => items.join("\n"),
        }
    }

    /// The text on one line; a slash separates lines of verse, as is customary.
    fn in_one_line(&self) -> String {
        match self {
            Self::Verse(lines) => lines.join(" / "),
            other => other.plain(),
        }
    }
}

/// The result of reading a plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextDocument {
    /// The headline, if there is one.
    pub title: Option<String>,
    /// Description of where the headline was found.
    pub title_source: &'static str,
    /// The authors in a byline.
    pub authors: Vec<Person>,
    /// The date on a line of its own.
    pub published: Option<DateTime<Utc>>,
    /// The text.
    pub blocks: Vec<Block>,
    /// Lines removed as website boilerplate.
    pub removed: Vec<Removed>,
    /// Problems to report to the author.
    pub problems: Vec<Problem>,
}

/// The source of a title that stays in the text.
pub const FIRST_SENTENCE: &str = "first sentence";

/// Reads the text of a file after its front matter; `first_line` is the number of the text's first line.
pub fn read(text: &str, first_line: usize, header: &Header, rules: &Rules) -> ParsedBody {
    let clean = if header.clean == Some(false) { Clean::Off } else { rules.clean };
    let document = parse(text, first_line, header.title.as_deref(), clean, rules.timezone);
    let TextDocument { title, authors, published, .. } = document;
    let header = Header { title, published, authors, ..Header::default() };
    let header = header.with_source(Field::Title, document.title_source);
    let header = header.with_source(Field::Authors, "byline in the text");
    ParsedBody {
        header: header.with_source(Field::Published, "date in the text"),
        html: to_html(&document.blocks),
        paragraphs: document.blocks.iter().map(Block::in_one_line).collect(),
        problems: document.problems.into_iter().chain(references(text, first_line)).collect(),
        removed: document.removed,
    }
}

/// Reports HTML character references in a plain text, which stay as they are.
fn references(text: &str, first_line: usize) -> Option<Problem> {
    const MARKS: [&str; 6] = ["&nbsp;", "&amp;", "&quot;", "&#8217;", "&#39;", "&mdash;"];
    let (line, mark) = text.lines().enumerate().find_map(|(index, line)| {
        MARKS.iter().find(|mark| line.contains(**mark)).map(|mark| (first_line + index, *mark))
    })?;
    let message =
        format!("`{mark}` is shown literally in a plain text: write the character, or rename the file to .html");
    Some(Problem::at(line, message))
}

/// Finds the headline and the layout, and removes boilerplate. `known_title` is the title in the front matter; if there is one, the
/// text is not searched for a headline.
pub fn parse(
    text: &str,
    first_line: usize,
    known_title: Option<&str>,
    clean: Clean,
    timezone: chrono_tz::Tz,
) -> TextDocument {
    if is_code(text) {
        let blocks = vec![Block::Preformatted(text.trim_matches('\n').to_owned())];
        return TextDocument { blocks, ..TextDocument::default() };
    }
    let mut lines: Vec<Line> = text
        .split('\n')
        .enumerate()
        .map(|(index, line)| Line { number: first_line + index, text: tidy(line) })
        .collect();
    trim_blank(&mut lines);
    let mut document = TextDocument::default();
    if known_title.is_none() {
        let lines_before = lines.len();
        document.title = take_title(&mut lines);
        let is_line = lines.len() < lines_before || lines_before == 1;
        document.title_source = if is_line { "first line" } else { FIRST_SENTENCE };
    }
    let title = known_title.or(document.title.as_deref()).unwrap_or_default();
    if clean != Clean::Off {
        let cleaned = boilerplate::clean(title, &lines, timezone);
        if clean == Clean::Safe {
            lines = cleaned.lines;
            document.authors = cleaned.authors;
            document.published = cleaned.published;
        }
        document.removed = cleaned.removed;
        document.problems.extend(cleaned.problem);
    }
    document.blocks = blocks(&lines);
    document
}

// --- characters -----------------------------------------------------------------------------------------------------

/// Folds white space. Keeps no-break spaces within numbers and beside certain punctuation marks.
fn tidy(line: &str) -> String {
    let characters: Vec<char> = line.trim().chars().collect();
    let mut tidied = String::with_capacity(line.len());
    let mut index = 0;
    while index < characters.len() {
        let start = index;
        while index < characters.len() && characters[index].is_whitespace() {
            index += 1;
        }
        if index == start {
            tidied.push(characters[index]);
            index += 1;
            continue;
        }
        let (before, after) = (tidied.chars().next_back(), characters.get(index).copied());
        let single = characters[start];
        let binds = index == start + 1 && matches!(single, '\u{A0}' | '\u{202F}') && binds_between(before, after);
        let ideographic =
            index == start + 1 && single == '\u{3000}' && before.is_some_and(is_cjk) && after.is_some_and(is_cjk);
        tidied.push(if binds || ideographic { single } else { ' ' });
    }
    tidied
}

fn binds_between(before: Option<char>, after: Option<char>) -> bool {
    let digit = |c: Option<char>| c.is_some_and(char::is_numeric);
    digit(before) && digit(after) || after.is_some_and(|c| ":;!?»%€".contains(c)) || before == Some('«')
}

// --- headline -------------------------------------------------------------------------------------------------------

fn trim_blank(lines: &mut Vec<Line>) {
    let start = lines.iter().position(|line| !line.text.is_empty()).unwrap_or(lines.len());
    lines.drain(..start);
    let end = lines.iter().rposition(|line| !line.text.is_empty()).map_or(0, |last| last + 1);
    lines.truncate(end);
}

/// Returns the first line if it looks like a headline, and removes it from the text; otherwise returns the first sentence, which
/// stays in the text.
fn take_title(lines: &mut Vec<Line>) -> Option<String> {
    let is_rule = |line: &Line| {
        let sign = line.text.bytes().next().filter(|sign| b"=-~*#".contains(sign));
        line.text.len() >= 3 && sign.is_some_and(|sign| line.text.bytes().all(|byte| byte == sign))
    };
    // A title between two lines of one sign.
    let is_framed = matches!(lines.as_slice(), [over, title, under, ..] if is_rule(over)
        && is_rule(under)
        && over.text.as_bytes()[0] == under.text.as_bytes()[0]
        && !title.text.is_empty()
        && !is_rule(title));
    if is_framed {
        lines.remove(0);
    }
    let first = lines.first()?.text.clone();
    let next = lines.get(1).map(|line| line.text.as_str());
    let is_line_of = |line: &str, sign: u8| line.len() >= 3 && line.bytes().all(|byte| byte == sign);
    let underlined = is_framed || next.is_some_and(|line| b"=-~".iter().any(|sign| is_line_of(line, *sign)));
    let short = first.chars().count() <= 200;
    let stands_alone = next.is_none_or(str::is_empty);
    let runs_on = next.and_then(|line| line.chars().next()).is_some_and(char::is_lowercase);
    let no_stop = !first.ends_with(['.', '。']) && !runs_on;
    if underlined || (short && (stands_alone || no_stop)) {
        let title = without_direction_marks(&first);
        if lines.len() > 1 {
            lines.drain(..=usize::from(underlined));
            trim_blank(lines);
        }
        return Some(title);
    }
    let stop = first.char_indices().take(101).find(|(at, c)| {
        let next = first[at + c.len_utf8()..].chars().next();
        matches!(c, '。' | '！' | '？') || (matches!(c, '.' | '!' | '?') && next.is_none_or(char::is_whitespace))
    });
    stop.map(|(at, c)| without_direction_marks(first[..at + c.len_utf8()].trim_end_matches(['.', '。'])))
}

// --- layout ---------------------------------------------------------------------------------------------------------

/// Whether a whole file is code: many lines are indented, and many look like code.
fn is_code(text: &str) -> bool {
    const STARTS: [&str; 12] =
        ["def ", "fn ", "#include", "//", "import ", "return", "if (", "for (", "class ", "var ", "let ", "const "];
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let indented = lines.iter().filter(|line| line.starts_with('\t') || line.starts_with("  ")).count();
    let code = lines.iter().map(|line| line.trim()).filter(|line| {
        line.ends_with(['{', '}', ';'])
            || line.contains("()")
            || line.contains("==")
            || STARTS.iter().any(|start| line.starts_with(start))
    });
    lines.len() >= 3 && indented * 10 >= lines.len() * 3 && code.count() * 10 >= lines.len() * 3
}

/// Longest word that is divided by a hyphen at a line break, in bytes.
const LONGEST_WORD: usize = 256;

/// Widest line of a block of verse, in characters.
const VERSE_WIDTH: usize = 70;

fn blocks(lines: &[Line]) -> Vec<Block> {
    let groups: Vec<Vec<&str>> = lines
        .split(|line| line.text.is_empty())
        .filter(|group| !group.is_empty())
        .map(|group| group.iter().map(|line| line.text.as_str()).collect())
        .collect();
    let wrap = Wrap::of(&groups);
    groups.iter().flat_map(|group| lay_out(group, &wrap)).collect()
}

fn lay_out(group: &[&str], wrap: &Wrap) -> Vec<Block> {
    if let Some(list) = list(group) {
        return vec![list];
    }
    if is_verse(group) {
        return vec![Block::Verse(group.iter().map(|line| (*line).to_owned()).collect())];
    }
    let mut paragraphs: Vec<String> = Vec::new();
    let mut previous: Option<&str> = None;
    for line in group {
        match (previous, paragraphs.last_mut()) {
            (Some(before), Some(paragraph)) if wrap.joins(before, line) => join(paragraph, line, wrap),
            _ => paragraphs.push((*line).to_owned()),
        }
        previous = Some(line);
    }
    paragraphs.into_iter().map(Block::Paragraph).collect()
}

/// Joins the next line of a wrapped text to a paragraph.
fn join(paragraph: &mut String, line: &str, wrap: &Wrap) {
    let cjk =
        paragraph.chars().next_back().is_some_and(is_cjk_or_mark) && line.chars().next().is_some_and(is_cjk_or_mark);
    let hyphenated = paragraph.ends_with('-') && paragraph.chars().rev().nth(1).is_some_and(char::is_alphabetic);
    if hyphenated {
        // A hyphen at a line break is removed if the joined word occurs elsewhere in the text.
        let head = last_word(paragraph.trim_end_matches('-'));
        let tail: String = line.chars().take_while(|c| c.is_alphanumeric()).collect();
        if head.is_some_and(|head| wrap.words.contains(&format!("{head}{tail}").to_lowercase())) {
            paragraph.pop();
        }
    } else if !cjk {
        paragraph.push(' ');
    }
    paragraph.push_str(line);
}

/// The text after the last white space, unless it is longer than any word: lines that all end with a hyphen are one.
fn last_word(text: &str) -> Option<&str> {
    let near = text.ceil_char_boundary(text.len().saturating_sub(LONGEST_WORD));
    let word = text[near..].rsplit(char::is_whitespace).next()?;
    (near == 0 || word.len() < text.len() - near).then_some(word)
}

fn is_cjk_or_mark(c: char) -> bool {
    is_cjk(c) || matches!(c, '、' | '。' | '，' | '「' | '」' | '『' | '』' | '（' | '）' | '！' | '？' | '：' | '；')
}

/// The properties of a text that decide which of its lines are joined.
struct Wrap {
    /// The width in columns; `None` if the text was not wrapped by a program.
    width: Option<usize>,
    has_long_paragraph: bool,
    words: std::collections::HashSet<String>,
}

impl Wrap {
    fn of(groups: &[Vec<&str>]) -> Self {
        let prose = || groups.iter().filter(|group| group.len() > 1 && !is_verse(group) && list(group).is_none());
        let width = prose().flatten().map(|line| columns(line)).max().unwrap_or(0);
        let breaks: Vec<bool> =
            prose().flat_map(|group| group.windows(2).map(|pair| is_forced(pair[0], pair[1], width))).collect();
        let forced = breaks.iter().filter(|forced| **forced).count();
        let wrapped = breaks.len() >= 3 && forced * 10 >= breaks.len() * 7 && (40..=100).contains(&width);
        let words = if wrapped {
            let all = groups.iter().flatten().flat_map(|line| line.split_whitespace());
            all.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()).collect()
        } else {
            std::collections::HashSet::new()
        };
        let has_long_paragraph = groups.iter().flatten().any(|line| line.chars().count() >= 80 && is_real(line));
        Self { width: wrapped.then_some(width), has_long_paragraph, words }
    }

    /// Whether a program, not the author, made the break between two lines of a block.
    fn joins(&self, before: &str, after: &str) -> bool {
        if let Some(width) = self.width {
            return is_forced(before, after, width) || !ends_sentence(before);
        }
        self.has_long_paragraph && !ends_sentence(before) && after.chars().next().is_some_and(char::is_lowercase)
    }
}

/// The width of a line in columns; wide characters take two.
fn columns(line: &str) -> usize {
    line.chars().map(|c| 1 + usize::from(is_cjk_or_mark(c))).sum()
}

/// Whether the first word of the next line would not have fitted on this line.
fn is_forced(line: &str, next: &str, width: usize) -> bool {
    if line.chars().next_back().is_some_and(is_cjk_or_mark) {
        return columns(line) + 4 >= width;
    }
    let word = next.split_whitespace().next().unwrap_or_default();
    columns(line) + 1 + columns(word) > width
}

/// Whether lines are verse: many are broken before they are full, or all start with a capital letter and few end with a full stop.
fn is_verse(group: &[&str]) -> bool {
    let width = group.iter().map(|line| columns(line)).max().unwrap_or(0);
    if group.len() < 3 || width > VERSE_WIDTH || reads_as_prose(group) {
        return false;
    }
    let early = group.windows(2).filter(|pair| !is_forced(pair[0], pair[1], width)).count();
    let capital = |line: &&str| line.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(char::is_uppercase);
    let stops = group.iter().filter(|line| line.ends_with('.')).count();
    early * 2 >= group.len() - 1 || (group.iter().all(capital) && stops * 2 < group.len())
}

/// Whether each line is a paragraph, as in an interview: every line ends a sentence, and at least one is long.
fn reads_as_prose(group: &[&str]) -> bool {
    group.iter().all(|line| ends_sentence(line)) && group.iter().any(|line| is_real(line))
}

/// Splits a list marker from the rest of the line.
fn item(line: &str) -> Option<(bool, &str)> {
    for mark in ["- ", "* ", "• ", "· "] {
        if let Some(rest) = line.strip_prefix(mark) {
            return Some((false, rest.trim_start()));
        }
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line[digits..].strip_prefix(['.', ')'])?;
    ((1..=3).contains(&digits) && rest.starts_with(' ')).then(|| (true, rest.trim_start()))
}

/// Whether the numbers of a list are 1, 2, 3 and so on. Other numbers are content: dates, a countdown, verses.
fn counts_up(group: &[&str]) -> bool {
    let number = |line: &&str| line.split(['.', ')']).next().and_then(|digits| digits.parse::<usize>().ok());
    let numbers = group.iter().filter(|line| item(line).is_some()).map(number);
    numbers.enumerate().all(|(index, number)| number == Some(index + 1))
}

fn list(group: &[&str]) -> Option<Block> {
    let marked = group.iter().filter(|line| item(line).is_some()).count();
    let (ordered, _) = item(group[0])?;
    let numbered = group.iter().any(|line| matches!(item(line), Some((true, _))));
    // Numbers on only some lines are content.
    if group.len() < 2 || marked * 10 < group.len() * 6 || (numbered && !(ordered && counts_up(group))) {
        return None;
    }
    let mut items: Vec<String> = Vec::new();
    for line in group {
        match (item(line), items.last_mut()) {
            (Some((_, text)), _) => items.push(text.to_owned()),
            (None, Some(last)) => {
                last.push(' ');
                last.push_str(line);
            }
            (None, None) => items.push((*line).to_owned()),
        }
    }
    Some(Block::List { ordered, items })
}

// --- HTML -----------------------------------------------------------------------------------------------------------

/// Converts a text to HTML; web addresses become links.
pub fn to_html(blocks: &[Block]) -> String {
    let mut html = String::new();
    for block in blocks {
        match block {
            Block::Paragraph(text) => html.push_str(&format!("<p>{}</p>\n", inline(text))),
            Block::Verse(lines) => {
                let lines: Vec<String> = lines.iter().map(|line| inline(line)).collect();
                html.push_str(&format!("<p>{}</p>\n", lines.join("<br>\n")));
            }
            Block::List { ordered, items } => {
                let tag = if *ordered { "ol" } else { "ul" };
                html.push_str(&format!("<{tag}>\n"));
                for item in items {
                    html.push_str(&format!("<li>{}</li>\n", inline(item)));
                }
                html.push_str(&format!("</{tag}>\n"));
            }
            Block::Preformatted(text) => html.push_str(&format!("<pre>{}</pre>\n", escape(text))),
        }
    }
    html
}

/// Escapes a text; web addresses in it become links.
pub fn inline(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    let mut at = 0;
    while let Some(address) = web_address::find(text, at) {
        html.push_str(&escape(&text[at..address.range.start]));
        let words = escape_html(&text[address.range.clone()]);
        html.push_str(&format!("<a href=\"{}\">{words}</a>", escape_html(&address.url)));
        at = address.range.end;
    }
    html.push_str(&escape(&text[at..]));
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> TextDocument {
        parse(text, 1, None, Clean::Safe, chrono_tz::UTC)
    }

    fn paragraphs(text: &str) -> Vec<String> {
        document(text).blocks.iter().map(Block::plain).collect()
    }

    fn title(text: &str) -> Option<String> {
        document(text).title
    }

    const REAL: &str =
        "The coastal bridge stayed closed on Wednesday as winds of more than 70 miles an hour kept lorries away.";

    #[test]
    fn the_first_line_or_sentence_is_the_headline() {
        assert_eq!(title("Storm\n\nText").as_deref(), Some("Storm"));
        assert_eq!(title("Storm\nText follows at once.").as_deref(), Some("Storm"));
        assert_eq!(title("Storm.\n\nText").as_deref(), Some("Storm."));
        assert_eq!(title("Storm\n=====\nText").as_deref(), Some("Storm"));
        assert_eq!(title("=====\nStorm\n=====\n\nText").as_deref(), Some("Storm"));
        assert_eq!(paragraphs("=====\nStorm\n=====\n\nText"), ["Text"]);
        assert_eq!(title("*******\n Storm.\n*******\nText").as_deref(), Some("Storm."));
        assert_eq!(title("Storm\n~~~~~~~~\nText").as_deref(), Some("Storm"));
        assert_eq!(title("It rained.\n***\nMore.").as_deref(), Some("It rained"));
        assert_eq!(title("One line only").as_deref(), Some("One line only"));
        assert_eq!(paragraphs("One line only"), ["One line only"]);
        assert_eq!(title("It rained. Then it stopped.\nThe end.").as_deref(), Some("It rained"));
        assert_eq!(title("The storm closed the bridge over the\nriver for two days. More.").as_deref(), None);
        assert_eq!(title(&"x".repeat(201)), None);
        assert_eq!(title("\u{202E}Right to left\u{202C}\n\nText").as_deref(), Some("Right to left"));
    }

    #[test]
    fn a_single_newline_ends_a_paragraph_unless_the_line_was_wrapped() {
        assert_eq!(paragraphs(&format!("T\n\n{REAL}\nSecond line begins here.")), [REAL, "Second line begins here."]);
        assert_eq!(
            paragraphs(&format!("T\n\n{REAL}\n\nThe adviser, Jake Sullivan\nsaid so.")),
            [REAL, "The adviser, Jake Sullivan said so."]
        );
        assert_eq!(paragraphs("T\n\nNo long paragraph, Jake\nsaid so."), ["No long paragraph, Jake", "said so."]);
    }

    /// Each line was once compared with everything before it.
    #[test]
    fn lines_that_all_end_with_a_hyphen_are_no_word() {
        assert_eq!(last_word("one two"), Some("two"));
        assert_eq!(last_word("two"), Some("two"));
        let long = "a".repeat(LONGEST_WORD + 1);
        assert_eq!((last_word(&long), last_word(&format!("b {long}"))), (None, None));
        assert_eq!(last_word(&format!("{long} b")), Some("b"));
        let line = "a".repeat(59) + "-\n";
        let text = paragraphs(&format!("Title\n\n{}", line.repeat(5_000))).concat();
        assert_eq!(text.len(), 5_000 * 60);
    }

    #[test]
    fn wrapped_lines_and_hyphenated_words_are_joined() {
        let text = "T\n\nThe council voted nine to two on Monday evening to buy the old rail-\n\
                    way yard and turn it into a park, and work on that park will start in\n\
                    March if the well-known railway company agrees to give up all of its\n\
                    rights in the coming weeks, officials of the council said on Tuesday.";
        let joined = &paragraphs(text)[0];
        assert!(
            joined.contains("old railway yard") && joined.contains("well-known") && !joined.contains('\n'),
            "{joined}"
        );
    }

    #[test]
    fn chinese_is_joined_without_spaces() {
        let line = "字".repeat(35);
        let text = format!("题\n\n{line}\n{line}\n{line}\n{line}");
        assert_eq!(paragraphs(&text), [line.repeat(4)]);
    }

    #[test]
    fn lists_verse_and_code_are_recognised() {
        let list = document("T\n\n- one\n- two\nwith more\n- three").blocks;
        assert_eq!(
            list,
            [Block::List { ordered: false, items: vec!["one".into(), "two with more".into(), "three".into()] }]
        );
        assert!(matches!(document("T\n\n1. one\n2. two").blocks[0], Block::List { ordered: true, .. }));
        for text in ["3. Mai: Konzert\n17. Mai: Lesung\n21. Mai: Ausflug", "3. three\n2. two\n1. one", "– Who?\n– Me."]
        {
            let words = paragraphs(&format!("T\n\n{text}")).join("\n");
            assert_eq!(words, text, "numbers that do not count up from 1 are text");
        }
        let song = "The wind is on the water,\nThe gulls have gone to land,\nAnd someone still is counting\nThe lights along the strand.";
        assert!(matches!(&document(&format!("T\n\n{song}")).blocks[..], [Block::Verse(lines)] if lines.len() == 4));
        assert_eq!(paragraphs("T\n\nHe came.\nShe saw it.\nThey left.").len(), 3, "short sentences are not verse");
        let code = "fn main() {\n    run();\n    let x = 1;\n}\n";
        assert_eq!(document(code).blocks, [Block::Preformatted(code.trim().to_owned())]);
    }

    #[test]
    fn white_space_is_folded_and_no_break_spaces_that_matter_stay() {
        assert_eq!(tidy(" a \u{A0} b\u{A0}c "), "a b c");
        assert_eq!(tidy("10\u{A0}000 100\u{202F}% «\u{A0}oui\u{A0}»"), "10\u{A0}000 100\u{202F}% «\u{A0}oui\u{A0}»");
        assert_eq!(tidy("a\tb\u{2003}c"), "a b c");
    }

    #[test]
    fn html_is_escaped_and_addresses_are_links() {
        let html = |text: &str| to_html(&[Block::Paragraph(text.into())]);
        assert_eq!(html("a < b & c"), "<p>a &lt; b &amp; c</p>\n");
        assert_eq!(
            html("See https://example.org/a?b&c, (http://x.y)."),
            "<p>See <a href=\"https://example.org/a?b&amp;c\">https://example.org/a?b&amp;c</a>, (<a href=\"http://x.y\">http://x.y</a>).</p>\n"
        );
        assert_eq!(html("https:// and https://"), "<p>https:// and https://</p>\n");
    }

    #[test]
    fn blank_texts_have_no_blocks() {
        for text in ["", "\n \n\t\n", "\u{A0}"] {
            assert!(document(text).blocks.is_empty() && document(text).title.is_none());
        }
    }
}
