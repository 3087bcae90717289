//! The words of a text are conserved: each word of generated articles, in every kind of structure, is in the article, or a rule takes it
//! away. The rules that take words silently are those of [`SILENT`]; the writer gets a message of all others.
//!
//! `PROPTEST_CASES=20000` tests more articles, `PROPTEST_RNG_SEED` others.

mod other;
mod templates;

use std::fmt::Write as _;
use std::path::Path;

use gazetted::article::address::Addresses;
use gazetted::article::{self, Reading, Rules, Verdict, html};
use gazetted::config::Clean;
use gazetted::folder::SourceFormat;
use proptest::prelude::*;
use proptest::sample::select;
use url::Url;

use crate::invariants::tags;
use crate::properties::config;
use templates::{BLOCKS, HTML, INLINE, OPEN_ENDS, OPEN_HTML, TEXT};

/// What happens to a word. Templates have the sign of the fate in place of the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Readers see it in the text or the title, once.
    Shown,
    /// It is in the HTML, and readers see it when they ask for it: the text of a picture, the title of a link.
    Attribute,
    /// A rule of [`SILENT`] takes it away.
    Taken,
    /// It is shown, or a message names the place at which something is left out.
    Reported,
}

/// The signs of templates.
const SIGNS: [(char, Fate); 4] =
    [('◆', Fate::Shown), ('◈', Fate::Attribute), ('◇', Fate::Taken), ('◊', Fate::Reported)];
/// In place of an inline part.
const INLINE_SLOT: char = '▣';
/// In place of blocks.
const BLOCK_SLOT: char = '▤';

/// The rules that take words away without a message. A template with such a word names the rule by its index.
const SILENT: [&str; 9] = [
    "a comment of HTML, Obsidian, kramdown, org, CriticMarkup, MDX or a template language",
    "front matter, except for the title",
    "a class, an id, a style, an event handler, a tag of a heading in org",
    "text that browsers hide: `hidden`, `display: none`, `visibility: hidden`, `aria-hidden`",
    "an element that is no text: script, style, form, button, frame, navigation, SVG, template, noscript, object",
    "the name of a language, of a paragraph or of a footnote",
    "a tag of a template that says how and not what: `{% if %}`, `{% assign %}`, `{{ site.title }}`",
    "the address of a link or a picture",
    "a section, a cell, a container, a span, errors and warnings in org, a notebook or Quarto that are not for the public",
];

/// A part of a text.
#[derive(Debug, Clone, Copy)]
struct Template {
    text: &'static str,
    /// Index of the rule of [`SILENT`], if it has words that are taken away.
    reason: Option<usize>,
}

const fn part(text: &'static str) -> Template {
    Template { text, reason: None }
}

const fn taken(reason: usize, text: &'static str) -> Template {
    Template { text, reason: Some(reason) }
}

/// A block with what fills its slots.
#[derive(Debug, Clone)]
struct Block {
    template: Template,
    inlines: Vec<Template>,
    blocks: Vec<Block>,
}

fn block(leaves: &'static [Template], inlines: &'static [Template]) -> impl Strategy<Value = Block> {
    let filled = move |blocks: BoxedStrategy<Vec<Block>>| {
        (select(leaves), prop::collection::vec(select(inlines), 1..4), blocks)
            .prop_map(|(template, inlines, blocks)| Block { template, inlines, blocks })
    };
    let leaf = filled(Just(Vec::new()).boxed());
    leaf.prop_recursive(3, 8, 3, move |inner| filled(prop::collection::vec(inner, 1..3).boxed()))
}

/// Writes templates, with a new word for each sign.
#[derive(Debug, Default)]
struct Writer {
    words: Vec<(String, Fate)>,
}

impl Writer {
    fn word(&mut self, fate: Fate) -> String {
        let number = self.words.len();
        let letter = |at: usize| char::from(b"abcdefghijklmnopqrstuvwxyz"[at % 26]);
        let letters = [letter(number * 7), letter(number * 7 + 11)].map(String::from).concat();
        let word = format!("wq{number}{letters}");
        self.words.push((word.clone(), fate));
        word
    }

    /// The text of a template whose slots are filled in their order. The inline parts repeat.
    fn fill(&mut self, block: &Block) -> String {
        let mut inlines = block.inlines.iter().cycle();
        let mut output = String::new();
        for line in block.template.text.split_inclusive('\n') {
            for (at, c) in line.char_indices() {
                if let Some((_, fate)) = SIGNS.iter().find(|(sign, _)| *sign == c) {
                    let word = self.word(*fate);
                    output.push_str(&word);
                } else if c == INLINE_SLOT {
                    let inline = inlines.next().map_or("◆", |inline| inline.text);
                    let inline = Block { template: part(inline), inlines: Vec::new(), blocks: Vec::new() };
                    let text = self.fill(&inline);
                    output.push_str(&text);
                } else if c == BLOCK_SLOT {
                    let inside = self.document(&block.blocks);
                    output.push_str(&indented(&inside, &line[..at]));
                } else {
                    output.push(c);
                }
            }
        }
        output
    }

    fn document(&mut self, blocks: &[Block]) -> String {
        let texts: Vec<String> = blocks.iter().map(|block| self.fill(block)).collect();
        if texts.is_empty() { self.word(Fate::Shown) } else { texts.join("\n\n") }
    }
}

/// Puts what stands before the first line before the others as well, with blanks in place of the mark of an item.
fn indented(text: &str, before: &str) -> String {
    let next: String = match before.strip_prefix("[^") {
        Some(_) => "    ".to_owned(),
        None => before.chars().map(|c| if matches!(c, '>' | ' ') { c } else { ' ' }).collect(),
    };
    let is_markup = before.trim_end().ends_with('>') && before.contains('<');
    let next = if is_markup { "" } else { next.as_str() };
    text.lines().enumerate().fold(String::new(), |mut output, (number, line)| {
        let _ = match number {
            0 => write!(output, "{line}"),
            _ => write!(output, "\n{}", format!("{next}{line}").trim_end()),
        };
        output
    })
}

fn read(text: &str, path: &str, format: SourceFormat) -> Reading {
    let rules = Rules { clean: Clean::Safe, timezone: chrono_tz::UTC };
    article::read(text.as_bytes(), Path::new(path), format, &rules)
}

/// The text of safe HTML without its tags.
fn visible(html: &str) -> String {
    let mut text = html.to_owned();
    for tag in tags(html) {
        text = text.replacen(tag, "", 1);
    }
    text
}

/// Checks the fate of each word.
fn check(text: &str, words: &[(String, Fate)], path: &str, format: SourceFormat) -> Result<(), TestCaseError> {
    let reading = read(text, path, format);
    let Verdict::Publish(article) = &reading.verdict else {
        return Err(TestCaseError::fail(format!("{:?}\n{text}", reading.verdict)));
    };
    let permalink = Url::parse("https://site.example/articles/storm").unwrap();
    let safe = html::sanitise(&article.html, &Addresses::of_page(&permalink)).to_string();
    let shown = format!("{}\n{}", article.title, visible(&safe));
    let is_reported = |word: &str| {
        // A long text is cut in the report.
        reading.removed.iter().any(|removed| removed.text.contains(word) || removed.text.ends_with('…'))
    };
    for (word, fate) in words {
        let count = shown.matches(word.as_str()).count();
        let is_right = match fate {
            Fate::Shown => count == 1,
            Fate::Attribute => safe.contains(word.as_str()),
            Fate::Taken => count == 0,
            Fate::Reported => count == 1 || !reading.problems.is_empty() || is_reported(word),
        };
        prop_assert!(
            is_right,
            "{word} is {fate:?}, and shown {count} times\n--- text\n{text}\n--- title\n{}\n--- article\n{safe}",
            article.title
        );
    }
    Ok(())
}

/// Front matter with words, in each syntax; or none.
const HEADS: [Template; 7] = [
    part(""),
    taken(1, "---\ntitle: ◆\ndescription: ◇\nlayout: ◇\n---\n"),
    taken(1, "+++\ntitle = \"◆\"\ntemplate = \"◇\"\n[extra]\nsubtitle = \"◇\"\n+++\n"),
    taken(1, "{\"title\": \"◆\", \"series\": [\"◇\"]}\n\n"),
    taken(1, "---\ntitle: |\n  ◆\n# ◇\ntags:\n- ◇\n---\n"),
    taken(1, "Title: ◆\nDate: 2024-05-01\nModel: ◇\n\n"),
    taken(1, "<!--\n.. title: ◆\n.. slug: ◇\n.. category: ◇\n-->\n\n"),
];

fn article(head: Template, blocks: &[Block]) -> (String, Vec<(String, Fate)>) {
    let mut writer = Writer::default();
    let head = writer.fill(&Block { template: head, inlines: Vec::new(), blocks: Vec::new() });
    let body = writer.document(blocks);
    let last = [writer.word(Fate::Shown), writer.word(Fate::Shown)].join(" ");
    (format!("{head}{body}\n\n{last}\n"), writer.words)
}

/// The words that are shown or taken away, of which a message may say that they are removed. It does not quote attributes.
fn reported(words: Vec<(String, Fate)>) -> Vec<(String, Fate)> {
    let words = words.into_iter().filter(|(_, fate)| *fate != Fate::Attribute);
    words.map(|(word, fate)| (word, if fate == Fate::Shown { Fate::Reported } else { fate })).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_word_of_markdown_is_shown_or_a_rule_takes_it(
        head in select(&HEADS[..]),
        blocks in prop::collection::vec(block(&BLOCKS, &INLINE), 1..5),
    ) {
        let (text, words) = article(head, &blocks);
        check(&text, &words, "storm.md", SourceFormat::Markdown)?;
    }

    /// A page with front matter is the source of a generator, and nothing is removed from it.
    #[test]
    fn every_word_of_html_is_shown_or_a_rule_takes_it(
        head in select(&HEADS[..5]),
        blocks in prop::collection::vec(block(&HTML, &templates::HTML_INLINE), 1..5),
    ) {
        let (text, words) = article(head, &blocks);
        let words = if head.text.is_empty() { reported(words) } else { words };
        check(&text, &words, "storm.html", SourceFormat::Html)?;
    }

    #[test]
    fn every_word_of_a_saved_page_is_shown_or_reported(
        around in select(&templates::PAGES[..]),
        blocks in prop::collection::vec(block(&HTML, &templates::HTML_INLINE), 1..5),
    ) {
        let mut writer = Writer::default();
        let last = Block { template: part("<p>◆ ◆</p>"), inlines: Vec::new(), blocks: Vec::new() };
        let blocks = blocks.into_iter().chain([last]).collect();
        let page = Block { template: around, inlines: Vec::new(), blocks };
        let text = writer.fill(&page);
        let words = reported(writer.words);
        check(&text, &words, "storm.html", SourceFormat::Html)?;
    }

    #[test]
    fn every_word_of_plain_text_is_shown_or_reported(
        blocks in prop::collection::vec(block(&TEXT, &templates::TEXT_INLINE), 1..6),
    ) {
        let (text, words) = article(part("◆ ◆\n\n"), &blocks);
        check(&text, &words, "storm.txt", SourceFormat::Text)?;
    }
}

#[test]
fn the_rules_that_take_words_silently_are_documented() {
    let paper = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/writing.md");
    let paper = std::fs::read_to_string(paper).unwrap();
    for rule in SILENT {
        assert!(paper.contains(&format!("\n- {rule}\n")), "{rule}");
    }
}

/// Each template alone, so that none is left out by chance.
#[test]
fn every_template_conserves_its_words() {
    let alone = |template: Template, inline: Template| Block { template, inlines: vec![inline], blocks: Vec::new() };
    let sets: [(&[Template], &[Template], &str, SourceFormat); 5] = [
        (&OPEN_ENDS, &[], "storm.md", SourceFormat::Markdown),
        (&OPEN_HTML, &[], "storm.html", SourceFormat::Html),
        (&BLOCKS, &INLINE, "storm.md", SourceFormat::Markdown),
        (&HTML, &templates::HTML_INLINE, "storm.html", SourceFormat::Html),
        (&TEXT, &templates::TEXT_INLINE, "storm.txt", SourceFormat::Text),
    ];
    let mut failures = String::new();
    for (blocks, inlines, path, format) in sets {
        let of_blocks = blocks.iter().map(|template| alone(*template, part("◆")));
        let of_inlines = inlines.iter().map(|inline| alone(part("◆ ▣ ◆"), *inline));
        for block in of_blocks.chain(of_inlines) {
            let has_taken = |template: &Template| template.text.contains('◇');
            let template = if has_taken(&block.template) { block.template } else { block.inlines[0] };
            assert_eq!(
                has_taken(&template),
                template.reason.is_some_and(|reason| reason < SILENT.len()),
                "{template:?}"
            );
            let head = if format == SourceFormat::Text {
                part("◆ ◆ ◆ ◆\n\n")
            } else {
                part("---\ntitle: ◆\n---\n◆ ◆\n\n")
            };
            let (text, words) = article(head, &[block]);
            let is_open = blocks.len() + inlines.len() < 20;
            let text = if is_open { text.trim_end().rsplit_once("\n\n").unwrap().0.to_owned() } else { text };
            let words = if is_open { words[..words.len() - 2].to_vec() } else { words };
            if let Err(failure) = check(&text, &words, path, format) {
                let _ = writeln!(failures, "=== {failure}");
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
