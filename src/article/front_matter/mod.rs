//! Front matter in all supported notations: YAML between `---`, TOML between `+++`, JSON, org's `#+KEY:`, the `Key: value` of
//! `MultiMarkdown` and Pelican. Also reads a page's `<meta>`, which has the same meaning.

mod about;
mod block;
mod file_list;
mod flat;
mod header;
pub mod inherited;
mod key;
mod lock;
mod media;
mod nikola;
mod page;
mod reader;
mod rights;
mod series;
mod target;
mod typo;
mod value;

use chrono_tz::Tz;

use super::credit;
use super::problem::Problem;
use crate::folder::SourceFormat;
pub use about::{about, bio};
use block::{FrontMatter, is_pair, key_of};
pub use header::{Field, Header, Held, Source, is_language};
use inherited::{Inherited, StatedKeys};
use key::Key;
pub use page::{PageKeys, is_key as is_page_key};
use reader::{HeaderReader, Hold, KeyPosition};
use value::Value;

/// Names in `<meta>` that front matter does not have, each with the key that it stands for. Of two names for one key, the earlier one
/// takes precedence.
const META_NAMES: [(&str, &str); 52] = [
    ("og:title", "title"),
    ("dc.title", "title"),
    ("article:published_time", "date"),
    ("article:published", "date"),
    ("article.published", "date"),
    ("og:published_time", "date"),
    ("og:article:published_time", "date"),
    ("datepublished", "date"),
    ("parsely-pub-date", "date"),
    ("sailthru.date", "date"),
    ("citation_publication_date", "date"),
    ("citation_online_date", "date"),
    ("citation_date", "date"),
    ("dc.date", "date"),
    ("dc:date", "date"),
    ("dc.date.issued", "date"),
    ("dc.date.created", "date"),
    ("dcterms.issued", "date"),
    ("dcterms.date", "date"),
    ("dcterms.created", "date"),
    ("dcsext.articlefirstpublished", "date"),
    ("cxenseparse:recs:publishtime", "date"),
    ("bt:pubdate", "date"),
    ("article_date_original", "date"),
    ("originalpublicationdate", "date"),
    ("ptime", "date"),
    ("article:modified_time", "modified"),
    ("og:updated_time", "modified"),
    ("og:modified_time", "modified"),
    ("datemodified", "modified"),
    ("dc.date.modified", "modified"),
    ("dcterms.modified", "modified"),
    ("bt:moddate", "modified"),
    ("byl", "author"),
    ("article:author_name", "author"),
    ("article:author", "author"),
    ("parsely-author", "author"),
    ("sailthru.author", "author"),
    ("citation_author", "author"),
    ("author_name", "author"),
    ("og:author", "author"),
    ("dc.creator", "author"),
    ("dc:creator", "author"),
    ("dcterms.creator", "author"),
    ("dc.contributor.author", "author"),
    ("og:description", "description"),
    ("article:tag", "tags"),
    ("og:locale", "lang"),
    ("og:image", "image"),
    ("og:image:url", "image"),
    ("og:image:secure_url", "image"),
    ("twitter:image", "image"),
];

/// Maximum number of lines that are searched for properties outside of front matter.
const MAX_PROPERTIES: usize = 50;
/// Names of the date at which a page of Notion was created, as [`lock::letters`] has them.
const CREATED: [&str; 5] = ["created", "createdat", "createdon", "createdtime", "datecreated"];

/// Maximum number of authors that the metadata of a page states.
const MAX_AUTHORS: usize = 100;

/// A file split into front matter and body.
#[derive(Debug)]
pub struct Split<'a> {
    /// The front matter, with the keys of a file beside the article; the default if there is none.
    pub header: Header,
    /// The keys of files for the whole folder, which give way to all that the article and its name say.
    pub of_folder: Header,
    /// The text after the front matter.
    pub body: &'a str,
    /// Line of the file that `body` starts on, from 1.
    pub body_line: usize,
    /// Problems to report to the writer.
    pub problems: Vec<Problem>,
}

/// Splits the front matter off a text and reads it.
///
/// An article whose front matter does not parse is published without its keys, unless the block mentions draft, private, published
/// or status: then it is held, since a draft must never leak.
///
/// # Errors
/// The reason why the article must not be published.
pub fn split<'a>(text: &'a str, format: SourceFormat, inherited: &Inherited, timezone: Tz) -> Result<Split<'a>, Held> {
    let mut stated = StatedKeys::default();
    let (mut split, hold) = split_own(text, format, &mut stated, timezone)?;
    if let Some(hold) = hold.filter(|_| !inherited.shows_drafts()) {
        return Err(hold.into_held(split.header.enclosures));
    }
    if !inherited.is_empty() {
        match inherited.read(stated, timezone) {
            Ok(headers) => {
                split.header.complete(headers.beside);
                split.of_folder = headers.folder;
            }
            Err(_) if inherited.shows_drafts() => {}
            Err(reason) => return Err(reason),
        }
    }
    Ok(split)
}

/// Whether a text has front matter.
pub fn has_any(text: &str, format: SourceFormat) -> bool {
    FrontMatter::find(text, format).is_some()
}

/// Reads what the article itself says. Also returns what keeps it from the public.
fn split_own<'a>(
    text: &'a str,
    format: SourceFormat,
    stated: &mut StatedKeys,
    timezone: Tz,
) -> Result<(Split<'a>, Option<Hold>), Held> {
    let none = Split {
        header: Header::default(),
        of_folder: Header::default(),
        body: text,
        body_line: 1,
        problems: Vec::new(),
    };
    let Some(block) = FrontMatter::find(text, format) else {
        let properties = if format == SourceFormat::Markdown { properties_below_heading(text) } else { Vec::new() };
        if let Some(problem) = unread_header(text, format, &properties) {
            return Err(Held::Broken(problem));
        }
        let header = creation(&properties, timezone).unwrap_or_default();
        return Ok((Split { header, ..none }, None));
    };
    let mut problems = Vec::new();
    let mut fields = match block.parse() {
        Ok(Some(fields)) => fields,
        Ok(None) => {
            let state = if block.is_fenced() { block.state_line() } else { None };
            let message = "the front matter cannot be read and may mark a draft: fix it (held until then)";
            return state.map_or(Ok((none, None)), |line| Err(Held::Broken(Problem::at(line, message))));
        }
        Err(problem) => {
            if let Some(line) = block.mentions_draft() {
                let reason = format!("{} (held, because line {line} may mark a draft)", problem.message);
                return Err(Held::Broken(Problem { message: reason, ..problem }));
            }
            let salvaged = block.salvage();
            if salvaged.is_empty() && format == SourceFormat::Text {
                return Ok((none, None));
            }
            problems.push(problem);
            salvaged
        }
    };
    // A second front matter is a mistake; it would be published as text.
    let second =
        FrontMatter::find(block.rest, format).filter(FrontMatter::is_fenced).and_then(|second| second.state_line());
    if let Some(line) = second {
        let message = "a second front matter follows the first and may mark a draft: merge the two (held until then)";
        return Err(Held::Broken(Problem::at(block.rest_line + line - 1, message)));
    }
    // Of two keys with one meaning, the one with the higher precedence wins, in any order.
    fields.sort_by_cached_key(|(name, _)| Key::rank(name));
    if !fields.iter().any(is_known) && (format == SourceFormat::Text || !block.is_fenced()) {
        return Ok((none, None));
    }
    let position = |name: &str| {
        let line = block.line_of(name);
        KeyPosition { line: Some(line), words: format!("front matter, line {line}"), is_elsewhere: false }
    };
    let keys = fields.iter().filter_map(|(name, _)| Key::of(name)).collect();
    let mut reader = HeaderReader::new(timezone, &position, keys);
    reader.problems = problems;
    for (key, value) in fields {
        stated.add(&key);
        reader.take(&key, value);
    }
    let HeaderReader { mut header, problems, hold, .. } = reader;
    header.join_media();
    let of_folder = Header::default();
    Ok((Split { header, of_folder, body: block.rest, body_line: block.rest_line, problems }, hold))
}

/// Whether a key has a meaning for every article, or makes a page of it.
fn is_known((key, value): &(String, Value)) -> bool {
    Key::of(key).is_some() || lock::is_about_publication(key) || PageKeys::decides(key, value)
}

/// Reads the `<meta>` elements of a page as front matter, as Pelican does. `meta` has the name and the content of each.
///
/// # Errors
/// The page is marked as a draft.
pub fn of_meta(meta: &[(String, String)], timezone: Tz) -> Result<Header, Held> {
    let position = |_: &str| KeyPosition { line: None, words: "`<meta>` of the page".into(), is_elsewhere: false };
    let mut reader = HeaderReader::new(timezone, &position, Vec::new());
    // The page's own metadata first, then that for social networks and catalogues.
    let plain = meta.iter().map(|(name, _)| (name.as_str(), name.as_str())).filter(|(name, _)| Key::of(name).is_some());
    let mut names: Vec<(&str, &str)> = Vec::new();
    for pair in plain.chain(META_NAMES) {
        if !names.contains(&pair) {
            names.push(pair);
        }
    }
    for (from, to) in names {
        let contents = meta.iter().filter(|(name, _)| name == from).map(|(_, content)| content.as_str());
        match Key::of(to) {
            // Excluded: the page's own identifiers; and `expires`, which is about HTTP caches.
            Some(
                Key::Id
                | Key::FeedGuid
                | Key::Address
                | Key::Clean
                | Key::Expires
                | Key::Slug
                | Key::SummaryOnly
                | Key::Pinned
                | Key::Comments,
            ) => {}
            Some(Key::Authors) => {
                let names = contents.flat_map(credit::all_of_metadata).take(MAX_AUTHORS).map(Value::Text).collect();
                reader.take(to, Value::List(names));
            }
            Some(Key::Published | Key::Updated) => {
                contents.for_each(|content| reader.take(to, Value::Text(separated_date(content))));
            }
            _ => contents.for_each(|content| reader.take(to, Value::Text(content.to_owned()))),
        }
    }
    match reader.hold {
        Some(hold) => Err(hold.into_held(Vec::new())),
        None => Ok(reader.header),
    }
}

/// A date of eight or fourteen digits, as catalogues write it, with separators: `2015-04-16 20:02:01`.
fn separated_date(text: &str) -> String {
    let digits = text.trim();
    let is_date = matches!(digits.len(), 8 | 14) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_date {
        return text.to_owned();
    }
    let day = format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..8]);
    match digits.len() {
        14 => format!("{day} {}:{}:{}", &digits[8..10], &digits[10..12], &digits[12..14]),
        _ => day,
    }
}

/// Detects unclosed front matter and draft marks in an unsupported form. Such a file is held, since it may be a draft.
fn unread_header<'a>(text: &'a str, format: SourceFormat, properties: &[(usize, &'a str)]) -> Option<Problem> {
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| line.trim().is_empty());
    let (number, first) = lines.next()?;
    let key = |line: &str| key_of(line).and_then(Key::of);
    let is_end = |(_, line): (usize, &str)| line.trim_end() == first.trim_end().get(..3).unwrap_or_default();
    if block::is_script(first) && lines.clone().any(is_end) {
        let message = "the front matter is a script, which cannot be read and may mark a draft: write it as YAML, between two lines of `---` \
                       (held until then)";
        return Some(Problem::at(number + 1, message));
    }
    if matches!(first.trim_end(), "---" | "+++") {
        let near: Vec<&str> = lines.clone().take(50).map(|(_, line)| line).collect();
        let has_known_key = near.iter().take_while(|line| !line.trim().is_empty()).any(|line| key(line).is_some())
            || near.iter().any(|line| key(line).is_some_and(Key::is_state));
        let message = if lines.clone().any(is_end) {
            "the front matter is longer than 64 KiB, so it is not read and may mark a draft: shorten it (held until then)"
        } else {
            "the front matter is not closed: end it with a line of the same three characters (held until then)"
        };
        return has_known_key.then(|| Problem::at(number + 1, message));
    }
    // A page starts with a tag, and its scripts may contain similar lines.
    if format == SourceFormat::Html && first.trim_start().starts_with('<') {
        return None;
    }
    let block = std::iter::once((number, first))
        .chain(lines)
        .take(MAX_PROPERTIES)
        .take_while(|(_, line)| !line.trim().is_empty());
    let json = first.trim_start().starts_with(['{', '"']);
    let mut block: Vec<(usize, &str)> = block.collect();
    block.extend_from_slice(properties);
    // In a plain text, a block is metadata only if each of its lines has a known key.
    if format == SourceFormat::Text && !json && !block.iter().all(|(_, line)| key(line).is_some()) {
        return None;
    }
    let (number, _) = block.into_iter().find(|(_, line)| marks_draft(line) || (json && has_state_key(line)))?;
    let message =
        "this may mark a draft, but it is not in front matter: put it between two lines of `---` (held until then)";
    Some(Problem::at(number + 1, message))
}

/// The first block below the heading, each line with its number from 0, if it consists of `Key: value`: the properties of a page of Notion.
fn properties_below_heading(text: &str) -> Vec<(usize, &str)> {
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| line.trim().is_empty());
    if !lines.next().is_some_and(|(_, line)| line.starts_with("# ")) {
        return Vec::new();
    }
    let is_blank = |line: &&str| line.trim().is_empty();
    let lines = lines.skip_while(|(_, line)| is_blank(line)).take(MAX_PROPERTIES);
    let block: Vec<(usize, &str)> = lines.take_while(|(_, line)| !is_blank(line)).collect();
    if block.iter().all(|(_, line)| is_pair(line)) { block } else { Vec::new() }
}

/// The date at which a page of Notion was created, by its properties.
fn creation(properties: &[(usize, &str)], timezone: Tz) -> Option<Header> {
    let (number, date) = properties.iter().find_map(|(number, line)| {
        let (name, date) = line.split_once(':')?;
        CREATED.contains(&lock::letters(name).as_str()).then_some((*number, date.trim()))
    })?;
    let position =
        |_: &str| KeyPosition { line: Some(number + 1), words: format!("line {}", number + 1), is_elsewhere: false };
    let mut reader = HeaderReader::new(timezone, &position, Vec::new());
    reader.take("created", Value::Text(date.to_owned()));
    reader.header.published.is_some().then_some(reader.header)
}

/// Whether a line outside of front matter marks a draft by its key and value: `Status: green` does not.
fn marks_draft(line: &str) -> bool {
    let Some((_, value)) = line.split_once([':', '=']) else { return false };
    let value = value.trim().trim_end_matches([',', ';', '}']).trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let yes = matches!(value.as_str(), "true" | "yes" | "on" | "1" | "t");
    let no = matches!(value.as_str(), "false" | "no" | "off" | "0" | "nil");
    match key_of(line).and_then(Key::of) {
        Some(Key::Draft) => yes,
        Some(Key::Public | Key::Published) => no,
        Some(Key::Status) => {
            matches!(value.as_str(), "draft" | "hidden" | "skip" | "private" | "unpublished" | "pending")
        }
        _ => false,
    }
}

/// Whether a line of invalid JSON has a key that decides about publication.
fn has_state_key(line: &str) -> bool {
    let quoted = line.split('"').skip(1).step_by(2);
    quoted.into_iter().any(|word| Key::of(word).is_some_and(|key| key.is_state() || key == Key::Published))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> (Header, Vec<Problem>) {
        let split = split(text, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC).expect("not held");
        (split.header, split.problems)
    }

    fn held(text: &str) -> String {
        match split(text, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC) {
            Err(Held::Draft(problem, _) | Held::Withheld(problem, _)) => format!("draft {problem}"),
            Err(Held::Broken(problem)) => format!("broken {problem}"),
            Ok(split) => panic!("not held: {:?}", split.header),
        }
    }

    const DATE: &str = "2024-05-01 10:00:00 UTC";

    /// The search for the next key was once repeated for each blank line. The text has so
    /// many lines that the old search took minutes.
    #[test]
    fn blank_lines_in_org_keys_are_passed_once() {
        let few = split(
            "#+TITLE: a\n\n \n#+AUTHOR: b\n\nText\n",
            SourceFormat::Markdown,
            &Inherited::default(),
            chrono_tz::UTC,
        )
        .expect("not held");
        assert_eq!((few.header.title.as_deref(), few.body_line), (Some("a"), 5));
        let many = format!("#+TITLE: a\n{}#+AUTHOR: b\n\nText\n", "\n".repeat(1 << 20));
        let split = split(&many, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC).expect("not held");
        assert_eq!((split.header.title, split.body_line), (None, 1), "the block is too long for front matter");
    }

    #[test]
    fn yaml() {
        let (header, problems) = header(
            "---\ntitle: 'A: title'\ndate: 2024-05-01T10:00:00Z\nlastmod: 2024-05-02\nauthor: Ann Lee and Bo Ek\ntags: [news, '#sea', news]\n\
             summary: |\n  Two\n  lines\nid: urn:uuid:1\nlink: https://example.org/a b\nlang: pt_BR\nslug: my-slug\nother: {a: [1]}\n---\nBody\n",
        );
        assert_eq!(problems, []);
        assert_eq!(header.title.as_deref(), Some("A: title"));
        assert_eq!(header.published.unwrap().to_string(), DATE);
        assert_eq!(header.updated.unwrap().to_string(), "2024-05-02 00:00:00 UTC");
        assert_eq!(header.authors.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["Ann Lee", "Bo Ek"]);
        assert_eq!(header.tags, ["news", "sea"]);
        assert_eq!(header.summary.as_deref(), Some("Two lines"));
        assert_eq!(header.id.as_deref(), Some("urn:uuid:1"));
        assert_eq!(header.link.as_deref(), Some("https://example.org/a%20b"));
        assert_eq!(header.language.as_deref(), Some("pt-BR"));
        assert_eq!(header.slug.as_deref(), Some("my-slug"));
    }

    #[test]
    fn toml_and_its_dates() {
        for date in ["2024-05-01T10:00:00Z", "2024-05-01 10:00:00", "\"2024-05-01 10:00\"", "2024-05-01T12:00:00+02:00"]
        {
            let (header, problems) = header(&format!(
                "+++\ntitle = \"T\"\ndate = {date}\nupdated = 2024-05-01\n[taxonomies]\ntags = [\"a\", \"b\"]\n[extra]\nx = 1\n+++\nBody"
            ));
            assert_eq!(problems, []);
            assert_eq!(header.published.unwrap().to_string(), DATE, "{date}");
            assert_eq!(header.updated.unwrap().to_string(), "2024-05-01 00:00:00 UTC");
            assert_eq!(header.tags, ["a", "b"]);
        }
        let (header, _) =
            header("+++\nauthors = [{name = \"Ann\", email = \"a@b.c\", url = \"https://a.b\"}, \"Bo\"]\n+++\nx");
        assert_eq!(header.authors[0].email.as_deref(), Some("a@b.c"));
        assert_eq!(header.authors[0].url.as_deref(), Some("https://a.b/"));
        assert_eq!(header.authors[1].name, "Bo");
    }

    #[test]
    fn texts_that_look_like_other_types_stay_texts() {
        for title in ["1984", "007", "no", "1.10", "2024-05-01", "1e3", "true"] {
            let (header, problems) = header(&format!("---\ntitle: {title}\n---\nBody"));
            assert_eq!((header.title.as_deref(), problems), (Some(title), vec![]));
        }
        let (header, _) = header("---\ntitle:\ntags:\nauthor: ~\n---\nBody");
        assert_eq!(header, Header::default());
    }

    #[test]
    fn lines_are_counted_in_the_file() {
        let text = "\n---\ntitle: T\ndate: soon\n---\nBody";
        let split = split(text, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC).unwrap();
        assert_eq!((split.body, split.body_line), ("Body", 6));
        assert_eq!(split.problems, [Problem::at(4, "date: `soon` is not a date such as 2024-05-01 10:00; ignored")]);
    }

    #[test]
    fn horizontal_rules_are_not_front_matter() {
        for text in [
            "---\n\nText\n\n---\n\nMore",
            "---\nno end",
            "---\n\ntitle: x",
            "text\n---\na: b\n---",
            "----\ntitle: x\n----\n",
        ] {
            let split = split(text, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC).unwrap();
            assert_eq!((split.body, split.header), (text, Header::default()));
        }
        let unknown = "---\nfoo: bar\n---\nBody";
        assert_eq!(split(unknown, SourceFormat::Text, &Inherited::default(), chrono_tz::UTC).unwrap().body, unknown);
        assert_eq!(split(unknown, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC).unwrap().body, "Body");
    }

    #[test]
    fn draft_keys_of_all_generators() {
        for line in [
            "draft: true",
            "draft: yes",
            "Draft: 'true'",
            "published: false",
            "publish: no",
            "private: true",
            "status: draft",
            "status: Hidden",
            "status: [published, draft]",
            "status: [\"[[Draft]]\"]",
            "draft: perhaps",
            "is-draft: true",
            "draft: [true]",
        ] {
            assert!(held(&format!("---\ntitle: T\n{line}\n---\nBody")).starts_with("draft 3: "), "{line}");
        }
        for line in [
            "status: [\"[[Published]]\"]",
            "status: [live]",
            "draft: false",
            "draft: no",
            "published: true",
            "status: published",
            "draft:",
            "publish: true",
        ] {
            header(&format!("---\ntitle: T\n{line}\n---\nBody"));
        }
    }

    #[test]
    fn slips_in_keys_about_time_hold_or_schedule() {
        for (key, date) in [
            ("dtae: 2099-01-01", "2099-01-01"),
            ("publised: 2099-01-01", "2099-01-01"),
            ("dat: 01.02.2019", "2019-02-01"),
        ] {
            let (header, problems) = header(&format!("---\ntitle: T\n{key}\n---\nx"));
            assert_eq!(header.published.map(|date| date.format("%F").to_string()).as_deref(), Some(date), "{key}");
            assert!(problems[0].to_string().starts_with("3: ") && problems[0].message.contains("is read as"), "{key}");
        }
        for key in
            ["permalnk: false", "darft: true", "publised: false", "expiryDat: 2020-01-01", "publihsDate: 2099-01-01"]
        {
            assert!(held(&format!("---\ntitle: T\n{key}\n---\nx")).starts_with("draft 3: "), "{key}");
        }
        for key in [
            "data: 2099-01-01",
            "update: 2099-01-01",
            "dtae: soon",
            "permalnk: /a/",
            "date: 2020-01-01\ndtae: 2099-01-01",
        ] {
            let (header, _) = header(&format!("---\ntitle: T\n{key}\n---\nx"));
            assert!(header.published.is_none_or(|date| date.to_string().starts_with("2020")), "{key}");
        }
    }

    #[test]
    fn nikola_has_states_among_its_tags() {
        for tags in ["draft", "a, Draft", "private, mathjax"] {
            assert!(held(&format!(".. title: T\n.. tags: {tags}\n\nText")).starts_with("draft 2: "), "{tags}");
            held(&format!("<!--\n.. title: T\n.. tags: {tags}\n-->\n\nText"));
        }
        assert_eq!(described(".. title: T\n.. tags: a, mathjax, drafting\n\nText"), "T|||a+drafting|\nText@3");
        // Other programs have no such tags.
        assert_eq!(described("---\ntitle: T\ntags: [draft, a]\n---\nText"), "T|||draft+a|Text@5");
    }

    #[test]
    fn scripts_and_long_front_matter_are_held() {
        for first in ["---js", "---javascript", "--- coffee"] {
            let text = format!("{first}\n{{ title: \"T\", draft: true }}\n---\nText");
            assert!(held(&text).contains("the front matter is a script"), "{first}");
        }
        let long = format!("---\ntitle: T\nnote: {}\n---\nText", "word ".repeat(20_000));
        assert!(held(&long).contains("longer than 64 KiB"));
        assert!(held(&long.replace("\n---\n", "\n")).contains("is not closed"));
        header("---js\n\nText without an end");
    }

    #[test]
    fn title_blocks_of_pandoc() {
        for (text, expected) in [
            (
                "% Low tide\n% Ann Byron; Bo Ek\n% 20 November 2024\n\nText",
                "Low tide|2024-11-20 00:00|Ann Byron+Bo Ek||\nText@4",
            ),
            ("% Low\n  tide\n% Ann Byron\n\nText", "Low tide||Ann Byron||\nText@4"),
            ("% Low tide\n%\n% 2024-11-20\nText", "Low tide|2024-11-20 00:00|||Text@4"),
            ("% of people vote\n\nText", "||||% of people vote\n\nText@1"),
            ("% a\n% b\n% c\n% d\n\nText", "||||% a\n% b\n% c\n% d\n\nText@1"),
            ("%% a %%\n%% b %%\n\nText", "||||%% a %%\n%% b %%\n\nText@1"),
        ] {
            assert_eq!(described(text), expected, "{text}");
        }
    }

    #[test]
    fn dates_and_names_of_note_programs() {
        for date in ["\"[[2024-05-01]]\"", "[[2024-05-01]]", "01.05.2024", "1.5.2024", "\"[[May 1st, 2024]]\""] {
            let (header, problems) = header(&format!("---\ntitle: T\ndate: {date}\n---\nText"));
            assert_eq!(
                header.published.map(|date| date.format("%F %R").to_string()).as_deref(),
                Some("2024-05-01 00:00"),
                "{date}"
            );
            assert_eq!(problems, []);
        }
        for (author, name, email) in [
            ("\n  - name: {given: Ann, family: Byron}", "Ann Byron", None),
            ("{given: Ann, family: Byron}", "Ann Byron", None),
            ("{name: {literal: The Tide Board}}", "The Tide Board", None),
            ("Ann Byron (ann@x.example)", "Ann Byron", Some("ann@x.example")),
            ("Ann Byron (the younger)", "Ann Byron (the younger)", None),
        ] {
            let (header, _) = header(&format!("---\ntitle: T\nauthor: {author}\n---\nText"));
            let person = &header.authors[0];
            assert_eq!(
                (person.name.as_str(), person.email.as_deref(), header.authors.len()),
                (name, email, 1),
                "{author}"
            );
        }
    }

    #[test]
    fn invalid_front_matter_loses_keys_but_leaks_no_draft() {
        let (header, problems) = header("---\ntitle: Foo: bar\ntags: [a, b]\ndate: 2024-05-01\n---\nBody");
        assert_eq!(header.title.as_deref(), Some("Foo: bar"));
        assert_eq!(header.tags, ["a", "b"]);
        assert!(header.published.is_some());
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].line, Some(2), "{problems:?}");
        assert!(
            held("---\ntitle: Foo: bar\ndraft: true\n---\nBody").starts_with("broken 2: the front matter is not YAML")
        );
        assert!(
            held("+++\ntitle = unquoted\nstatus = \"x\"\n+++\nBody")
                .starts_with("broken 2: the front matter is not TOML")
        );
    }

    #[test]
    fn unsupported_front_matter_leaks_no_draft() {
        assert!(held("---\ntitle: T\ndraft: true\n\nBody").starts_with("broken 1: the front matter is not closed"));
        assert!(held("+++\ntitle = \"T\"\n—--\nBody").starts_with("broken 1: "));
        assert!(held("Heading: T\nStatus: draft\n\nBody").starts_with("broken 2: "));
        assert!(
            held("{\n  \"title\": \"T\"\n  \"draft\": true\n}\nBody")
                .starts_with("broken 3: the front matter is not JSON")
        );
        header("A note: this is no header.\n\nstatus: quo");
        for text in [
            "---\ntitle = \"x\"\ndraft = true\n---\nBody",
            "+++\ntitle: x\ndraft: true\n+++\nBody",
            "---\n'title': x: y\n'draft': true\n---\nBody",
            "---\n\ntitle: T\ndraft: true\n\nBody",
            "---\n# a comment\n\ntitle: nb\nstatus: draft\n",
            "{\"title\": \"J\", \"draft\": true, }\n\nBody",
            "#+TITLE: T\n\n#+DRAFT: t\n\nBody",
            "draft: true\n\nBody",
        ] {
            held(text);
        }
        for text in [
            "# Status: what we know about the storm\n\nBody",
            "# Hidden: the lost city\n\nBody",
            "Status: green\nAll is well.\n",
            "{{< youtube abc >}}\n\nWords that are published.\n\n```json\n{\n  \"name\": \"x\"\n}\n```\n\nRest.",
            "{ this is a poem }\n\n{\n}\n",
        ] {
            let split = split(text, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC).expect("not held");
            assert_eq!(split.body, text);
        }
    }

    #[test]
    fn precedence_of_keys_does_not_depend_on_their_order() {
        let (header, _) = header(
            "---\nname: b\ncreated: 2020-01-01\nsubtitle: s\ntitle: A\ndate: 2024-05-01 10:00\nsummary: S\n---\nx",
        );
        assert_eq!((header.title.as_deref(), header.summary.as_deref()), (Some("A"), Some("S")));
        assert_eq!(header.published.unwrap().to_string(), DATE);
        let (header, _) = self::header("---\ndate: 2024-05-01\npublishDate: 2027-05-01\n---\nx");
        assert_eq!(header.published.unwrap().to_string(), "2027-05-01 00:00:00 UTC", "`publishDate` delays `date`");
        let (header, _) = self::header("---\nauthor:\n  name: Ann Lee\ntitle: Storm: the day after\n---\nx");
        assert_eq!(header.title.as_deref(), Some("Storm: the day after"));
        let (header, problems) = self::header("---\nsource:\n  - https://a.example/\ntags:\n  - a\n  - b\n---\nx");
        assert_eq!(
            (header.tags, header.link.as_deref(), problems),
            (vec!["a".into(), "b".into()], Some("https://a.example/"), vec![])
        );
    }

    #[test]
    fn properties_of_logseq_and_notion() {
        for (text, expected) in [
            ("title:: Low tide\npublic:: true\n\n- Text", "Low tide||||\n- Text@3"),
            ("title:: Low: tide\ntags:: [[sea]], #coast\n- Text", "Low: tide|||sea+coast|- Text@3"),
            ("date:: [[Nov 20th, 2024]]\ncollapsed:: true\nText", "|2024-11-20 00:00|||Text@3"),
            ("icon::\ntitle:: T\n", "T||||@3"),
            ("rating:: 5\nbook:: x\n\nText", "||||rating:: 5\nbook:: x\n\nText@1"),
            ("tags:: a\n\nText", "||||tags:: a\n\nText@1"),
            ("status:: active\n\nText", "||||status:: active\n\nText@1"),
            ("title:: T\nstatus:: active\n\nText", "T||||\nText@3"),
            ("std::vec is a type\n\nText", "||||std::vec is a type\n\nText@1"),
            ("title::x\n\nText", "||||title::x\n\nText@1"),
        ] {
            assert_eq!(described(text), expected, "{text}");
        }
        for text in [
            "title:: T\npublic:: false\n\n- Text",
            "public:: false\n- Text",
            "type:: note\nstatus:: draft\n\nText",
            "draft:: true",
            "# T\n\nStatus: Draft\n\nText",
            "# T\n\nCreated: May 1, 2024 10:00 AM\nOwner: Ann\nStatus: Draft\n\nText",
            "# T\nStatus: draft\n\nText",
        ] {
            held(text);
        }
        for (text, date) in [
            ("# T\n\nCreated: May 1, 2024 10:00 AM\nTags: a\n\nText", true),
            ("# T\nCreated time: 2024-05-01 10:00\n\nText", true),
            ("# T\n\nCreated: by hand\n\nText", false),
            ("# T\n\nDate: 2024-05-01 10:00\nPlace: the harbour\n\nText", false),
            ("# T\n\nCreated: 2024-05-01 10:00\nand prose\n\nText", false),
            ("# T\n\nText\n\nCreated: 2024-05-01 10:00\nStatus: draft", false),
            ("# T\n\nStatus: green\n\nText", false),
            ("# T\n\nStatus: draft, as we know it\n\nText", false),
            ("# T\n\n```\nStatus: draft\n```\n", false),
            ("# T\n\n    Status: draft\n", false),
            ("## T\n\nStatus: draft of a law\n\nText", false),
        ] {
            let split = split(text, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC).expect("not held");
            assert_eq!(split.header.published.map(|date| date.to_string()), date.then(|| DATE.to_owned()), "{text}");
            assert_eq!((split.body, split.problems), (text, vec![]));
        }
    }

    /// Title, date, authors, tags and body in one line.
    fn described(text: &str) -> String {
        let split = split(text, SourceFormat::Markdown, &Inherited::default(), chrono_tz::UTC).expect("not held");
        let names: Vec<&str> = split.header.authors.iter().map(|person| person.name.as_str()).collect();
        let date = split.header.published.map(|date| date.format("%F %R").to_string()).unwrap_or_default();
        let title = split.header.title.unwrap_or_default();
        assert_eq!(split.problems, [], "{text}");
        format!("{title}|{date}|{}|{}|{}@{}", names.join("+"), split.header.tags.join("+"), split.body, split.body_line)
    }

    #[test]
    fn all_notations_are_read() {
        for (text, expected) in [
            (
                "{\n  \"title\": \"T\",\n  \"date\": \"2024-05-01\",\n  \"tags\": [\"a\", \"b\"]\n}\n\nBody",
                "T|2024-05-01 00:00||a+b|\nBody@6",
            ),
            ("{\"title\": \"T\"}\n;;;\nBody", "T||||Body@3"),
            ("\"title\": \"T\",\n\"date\": \"2013/7/13 20:46:25\"\n;;;\nBody", "T|2013-07-13 20:46|||Body@4"),
            (
                "#+TITLE: T\n#+DATE: <2024-05-01 Wed 10:00>\n#+AUTHOR: Ann Lee\n#+FILETAGS: :a:b:\n#+OPTIONS: toc:nil\nBody",
                "T|2024-05-01 10:00|Ann Lee|a+b|Body@6",
            ),
            ("#+title: T\n#+hugo_tags: a b\n\nBody", "T|||a+b|\nBody@3"),
            (
                "Title: T: and more\nDate: 2024-05-01 10:20\nAuthors: Ann Lee, Bo Ek\nTags: a, b\n\nBody",
                "T: and more|2024-05-01 10:20|Ann Lee+Bo Ek|a+b|\nBody@5",
            ),
            ("Title: T\nDate: 2024-05-01\nSummary: long\n    and longer\n\nBody", "T|2024-05-01 00:00|||\nBody@5"),
            ("\n\n---\ntitle: T\n...\nBody", "T||||Body@6"),
            ("---\r\ntitle: T\r\n---\r\nBody", "T||||Body@4"),
            ("---\ntitle: a---b\n---\nBody", "a---b||||Body@4"),
            ("---\ntitle: T\ndate: git Last Modified\n---\nBody", "T||||Body@5"),
            (
                "Note: this is no header.\nDate: nor is this\n\nBody",
                "||||Note: this is no header.\nDate: nor is this\n\nBody@1",
            ),
            ("{{< figure >}}\nBody", "||||{{< figure >}}\nBody@1"),
            ("{\"a\": 1}\nBody", "||||{\"a\": 1}\nBody@1"),
            ("#+nothing\nBody", "||||#+nothing\nBody@1"),
            ("---\nauthor: Brecht, Bertolt\n---\n", "||Brecht, Bertolt||@4"),
            ("---\nauthors: Ann Lee; Bo Ek\ntags: a; b, c\n---\n", "||Ann Lee+Bo Ek|a+b, c|@5"),
        ] {
            assert_eq!(described(text), expected, "{text}");
        }
    }

    #[test]
    fn drafts_are_recognised_in_all_notations() {
        for text in [
            "{\"title\": \"T\", \"draft\": true}\nBody",
            "\"title\": \"T\",\n\"published\": false\n;;;\nBody",
            "#+TITLE: T\n#+DRAFT: t\n\nBody",
            "#+TITLE: T\n#+HUGO_DRAFT: true\nBody",
            "Title: T\nStatus: draft\n\nBody",
            "Title: T\nDate: 2024-05-01\nStatus: hidden\n\nBody",
        ] {
            assert!(held(text).starts_with("draft "), "{text}");
        }
    }

    #[test]
    fn updated_and_expiry_dates() {
        let (header, problems) =
            header("---\nlastmod: 2024-05-02\nexpiryDate: 2024-06-01\naliases: [/a, /b/]\nurl: /c/\n---\n");
        assert_eq!(problems, []);
        assert_eq!(header.updated.unwrap().to_string(), "2024-05-02 00:00:00 UTC");
        assert_eq!(header.expires.unwrap().to_string(), "2024-06-01 00:00:00 UTC");
        assert_eq!(header.addresses, ["/c/", "/a", "/b/"]);
        assert_eq!(header.sources[&Field::Updated].line, Some(2));
        assert_eq!(header.sources[&Field::Updated].words, "front matter, line 2: `lastmod`");
    }

    #[test]
    fn meta_elements_equal_front_matter() {
        let meta = |pairs: &[(&str, &str)]| {
            let owned: Vec<_> =
                pairs.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect();
            of_meta(&owned, chrono_tz::UTC)
        };
        let header = meta(&[
            ("og:title", "Other"),
            ("title", "T"),
            ("article:published_time", "2024-05-01T10:00:00Z"),
            ("tags", "a, b"),
            ("author", "https://a.example/ann"),
            ("dc.creator", "Ann Lee"),
            ("og:locale", "de_AT"),
            ("viewport", "width=device-width"),
            ("expires", "Tue, 01 Jan 1980 1:00:00 GMT"),
        ])
        .unwrap();
        assert_eq!((header.title.as_deref(), header.language.as_deref()), (Some("T"), Some("de-AT")));
        assert_eq!(header.published.unwrap().to_string(), DATE);
        assert_eq!((header.tags.len(), header.authors[0].name.as_str()), (2, "Ann Lee"));
        assert_eq!(header.expires, None);
        assert!(matches!(meta(&[("status", "draft")]), Err(Held::Draft(..))));
    }

    #[test]
    fn hostile_yaml_is_refused_early() {
        let nested = "[".repeat(40_000);
        header(&format!("---\ntitle: T\nx: {nested}\n---\nBody"));
        let bomb = "---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                    d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ntitle: T\n---\nBody";
        header(bomb);
    }
}
