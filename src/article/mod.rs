//! The bytes of one file -> an article and its problems. Pure: uses no clock and no catalog; only [`load`], [`measure`] and [`folder_data`]
//! open a file, by its path below the watched folder.

pub mod address;
mod assemble;
pub mod boilerplate;
mod bookmark;
mod caption;
pub mod conflict;
mod credit;
pub mod date;
pub mod dialect;
pub mod encoding;
pub mod folder_data;
mod foreign;
pub mod front_matter;
pub mod html;
pub mod language;
mod line;
pub mod linked_data;
pub mod load;
pub mod loose_date;
pub mod lost;
pub mod markdown;
pub mod measure;
mod name;
mod office;
pub mod old_address;
pub mod page;
mod photo;
pub mod phrases;
mod problem;
mod reading;
pub mod recording;
pub mod section;
pub mod summary;
mod syntax;
mod tag_view;
pub mod tex;
pub mod text;
pub mod unicode;
pub mod web_address;

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;

use crate::config::Clean;
use crate::folder::{self, Folder, SourceFormat};
use crate::model::text::path_line;
use assemble::assemble;
use dialect::Dialect;
use front_matter::inherited::Inherited;
use front_matter::{Field, Header};
pub use line::{fragment, line};
use photo::Photo;
pub use problem::{Problem, panic_as_problem};
pub use reading::{Article, Description, ParsedBody, Reading, Rules, Verdict};
pub use syntax::notices;

/// Version of the rules that turn bytes into an article. Increase it when a change of the rules changes the article of an
/// unchanged file: the daemon then reads every file again.
pub const VERSION: u32 = 13;

/// Number of characters at the start of a text that are searched for a first word.
const FIRST_WORDS: usize = 200;
/// Maximum length of a marker of a merge conflict in a message, in characters.
const MOST_OF_MARKER: usize = 60;

/// Reads the file at `path` below the watched folder, which has these bytes. The tags of a recording are read from the file itself.
/// `inherited` is what other files say of it.
///
/// Never fails: a panic becomes [`Verdict::Broken`], see [`panic_as_problem`].
pub fn read_file(
    folder: &Folder,
    bytes: &[u8],
    path: &Path,
    format: SourceFormat,
    inherited: &Inherited,
    rules: &Rules,
) -> Reading {
    let reading = panic_as_problem(|| match format {
        SourceFormat::Audio => match inherited.hold(rules.timezone) {
            Some(reason) => reason.into(),
            None => recording::read(folder, path, rules),
        },
        SourceFormat::Bookmark => bookmark::read(bytes, path, inherited, *rules),
        SourceFormat::Photo => photo::read(folder, path, inherited, *rules),
        SourceFormat::Document => office::read(bytes, path, inherited, *rules),
        _ => {
            let is_note = format == SourceFormat::Markdown && may_be_note(bytes) && folder.is_in_vault(path);
            let photo = photo::beside(folder, path, *rules);
            read_with(bytes, (path, format), inherited, *rules, (photo, is_note))
        }
    });
    let mut reading = reading.unwrap_or_else(|problem| Verdict::Broken(problem).into());
    // The last good version of a broken file stays, unless its folder says that it is not public.
    if matches!(reading.verdict, Verdict::Broken(_)) && !inherited.is_empty() && !inherited.shows_drafts() {
        reading = inherited.hold(rules.timezone).map_or(reading, Reading::from);
    }
    match folder.draft_folder(path).filter(|_| !inherited.shows_drafts()) {
        Some(name) => draft_in(name, reading.verdict).into(),
        None => reading,
    }
}

/// The verdict on a file in a folder of drafts. The recordings that it names wait for it.
fn draft_in(name: &OsStr, verdict: Verdict) -> Verdict {
    let enclosures = match verdict {
        Verdict::Publish(article) => article.enclosures,
        Verdict::Draft(_, enclosures) | Verdict::Withheld(_, enclosures) => enclosures,
        Verdict::Bio(_) | Verdict::Empty | Verdict::Broken(_) => Vec::new(),
    };
    let name = path_line(Path::new(name));
    let message =
        format!("a draft: it is in the folder `{name}`; move it out, or name that folder in articles.include");
    Verdict::Draft(Problem::of_file(message), enclosures)
}

/// Reads the bytes of the file at `path`, which is relative to the watched folder, without any other file.
///
/// Never fails: a file that cannot be read gets a [`Verdict`], and one that is only unusual gets a [`Problem`].
pub fn read(bytes: &[u8], path: &Path, format: SourceFormat, rules: &Rules) -> Reading {
    read_with(bytes, (path, format), &Inherited::default(), *rules, (None, false))
}

/// Whether a text has marks that mean something else in a vault of Obsidian than elsewhere.
fn may_be_note(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [b"%%", b"[[", b"=="];
    bytes.windows(2).any(|pair| marks.contains(&pair))
}

/// `photo` is the one that the text belongs to; `is_note` says that it lies in a vault of Obsidian.
fn read_with(
    bytes: &[u8],
    (path, format): (&Path, SourceFormat),
    inherited: &Inherited,
    rules: Rules,
    (photo, is_note): (Option<Photo>, bool),
) -> Reading {
    let encoding::Decoded { text, problem } = match encoding::decode(bytes, format) {
        Ok(decoded) => decoded,
        Err(problem) => return Verdict::Broken(problem).into(),
    };
    let text = unicode::tidy(&text);
    if let Some(problem) = conflict_problem(&text, format) {
        return Verdict::Broken(problem).into();
    }
    let text = match foreign::as_markdown(&text, path) {
        Ok(text) => text,
        Err(problem) => return Verdict::Broken(problem).into(),
    };
    let mut split = match front_matter::split(&text, format, inherited, rules.timezone) {
        Ok(split) => split,
        Err(reason) => return reason.into(),
    };
    if let Some(problem) = template_problem(&text, split.body, format) {
        return Verdict::Withheld(problem, Vec::new()).into();
    }
    split.problems.extend(problem.into_iter().chain(unicode::garbled(&text)));
    if section::author_at(path, format).is_some() && !section::is_stated_entry(&split.header, &split.of_folder) {
        return bio(&text, split.problems, [&split.header, &split.of_folder], format, rules).into();
    }
    let header = &split.header;
    // The source is checked before anything else is done with it; the resulting HTML is checked below.
    let exceeds_limits = match format {
        SourceFormat::Html => html::is_crowded(split.body),
        SourceFormat::Markdown => markdown::exceeds_limits(split.body),
        _ => false,
    };
    if exceeds_limits {
        return Verdict::Broken(html::too_much()).into();
    }
    let mut body = match format {
        SourceFormat::Text => text::read(split.body, split.body_line, header, &rules),
        SourceFormat::Markdown if is_note => markdown::read_note(split.body, split.body_line, header.title.as_deref()),
        SourceFormat::Markdown => markdown::read(split.body, split.body_line, header.title.as_deref()),
        SourceFormat::Html => {
            // A page with front matter is a source file of a static site generator.
            let (page, left_out) = match split.body_line {
                1 => (Cow::Borrowed(split.body), None),
                line => dialect::plain(split.body, Dialect::Html, line),
            };
            split.problems.extend(left_out);
            // A page with front matter was written by hand or by a generator, not saved from the web.
            let clean = if split.body_line > 1 || header.clean == Some(false) { Clean::Off } else { rules.clean };
            match html::read(&page, header.title.as_deref(), rules.timezone, clean) {
                Ok(body) => body.below(split.body_line),
                Err(reason) => return reason.into(),
            }
        }
        // `read_file` has others read these.
        _ => ParsedBody::default(),
    };
    if result_exceeds_limits(&body.html, format) {
        return Verdict::Broken(html::too_much()).into();
    }
    if let Some(photo) = photo {
        photo.complete(&mut split.header, &mut body, &date::file_name(path, rules.timezone).title());
    }
    if body.html.trim().is_empty() || (body.paragraphs.is_empty() && html::shows_nothing(&body.html)) {
        // A Markdown file with a title and a link is a link post.
        match stated_link(&split.header).filter(|_| format == SourceFormat::Markdown) {
            Some(link) => body = bookmark::link(&link),
            None => return Verdict::Empty.into(),
        }
    }
    assemble((split.header, split.of_folder), split.problems, body, path, format, rules)
}

/// The verdict on a file that describes an author, by its text, the problems of its front matter and the keys that hold for it.
fn bio(text: &str, problems: Vec<Problem>, headers: [&Header; 2], format: SourceFormat, rules: Rules) -> Verdict {
    if headers.iter().any(|header| header.expires.is_some()) {
        let message = "`expires`: the description of an author does not end on a date: remove the key, or the file (held until \
                       then)";
        return Verdict::Withheld(Problem::of_file(message), Vec::new());
    }
    Verdict::Bio(Box::new(section::read_bio(text, problems, format, rules)))
}

/// The problem of a text with a merge conflict.
fn conflict_problem(text: &str, format: SourceFormat) -> Option<Problem> {
    let (line, marker) = conflict::find(text, format)?;
    let marker: String = marker.chars().take(MOST_OF_MARKER).collect();
    let message =
        format!("`{marker}`: a merge conflict is not resolved: edit the text and remove the markers (held until then)");
    Some(Problem::at(line, message))
}

/// Whether the HTML of an article would take too much time or memory.
fn result_exceeds_limits(html: &str, format: SourceFormat) -> bool {
    match format {
        // `html::read` has checked the page already.
        SourceFormat::Html => false,
        SourceFormat::Text => html::is_too_long(html),
        _ => html::is_too_much(html),
    }
}

/// The address of a link post without text: it has a title and the key `link`, and not one such as `source`, which says where an article is from.
fn stated_link(header: &Header) -> Option<url::Url> {
    let key = &header.sources.get(&Field::Link)?.words;
    let is_link = key.to_ascii_lowercase().ends_with("`link`") && header.title.is_some();
    url::Url::parse(header.link.as_deref()?).ok().filter(|_| is_link)
}

/// Why a file is a template of pages or notes, if it is one.
fn template_problem(text: &str, body: &str, format: SourceFormat) -> Option<Problem> {
    let dialect = match format {
        SourceFormat::Markdown => Dialect::Markdown,
        SourceFormat::Html => Dialect::Html,
        _ => return None,
    };
    let head = &text[..text.len() - body.len()];
    let (line, tag) = dialect::find_template(head, body, dialect)?;
    let tag: String = tag.chars().take(MOST_OF_MARKER).collect();
    let message = format!(
        "`{tag}`: a template, which only a site generator or a note program can fill: move it out of the folder, or exclude it (held \
         until then)"
    );
    Some(Problem::remark(line, message))
}

/// Reads only the front matter of a Markdown file. The result equals that of [`read`] except for the text and what is derived from
/// it: the summary and the language. `None` if the two could differ otherwise, for example because the front matter has no title,
/// an expiry date, media or a problem, or because no text follows it.
pub fn head(bytes: &[u8], path: &Path, inherited: &Inherited, rules: &Rules) -> Option<Box<Article>> {
    let text = std::str::from_utf8(bytes).ok()?;
    // The text of other markup is converted first.
    let is_markdown = path.extension().is_some_and(|extension| !folder::is_foreign(extension));
    let fence = text.get(..4).filter(|_| is_markdown).filter(|fence| matches!(*fence, "---\n" | "+++\n"))?;
    let end = fence.len() - 1 + text.get(fence.len() - 1..)?.find(&format!("\n{fence}"))? + 1 + fence.len();
    let (head, rest) = text.split_at(end);
    let may_be_bio = section::author_at(path, SourceFormat::Markdown).is_some();
    if conflict::may_have_conflict(text) || folder::is_beside_photos(path) || may_be_bio {
        return None;
    }
    // A file without text is not published.
    if !rest.chars().take(FIRST_WORDS).any(char::is_alphanumeric) {
        return None;
    }
    let tidy = unicode::tidy(head);
    let split = front_matter::split(&tidy, SourceFormat::Markdown, inherited, rules.timezone).ok()?;
    if dialect::find_template(&tidy, rest, Dialect::Markdown).is_some() {
        return None;
    }
    let header = &split.header;
    let has_media =
        |header: &Header| header.image.is_some() || !header.enclosures.is_empty() || header.episode.is_some();
    let is_plain = !has_media(header) && !has_media(&split.of_folder);
    let expires = header.expires.or(split.of_folder.expires);
    if header.title.is_none() || !is_plain || expires.is_some() || !split.problems.is_empty() {
        return None;
    }
    match assemble(
        (split.header, split.of_folder),
        Vec::new(),
        ParsedBody::default(),
        path,
        SourceFormat::Markdown,
        *rules,
    )
    .verdict
    {
        Verdict::Publish(article) => Some(article),
        Verdict::Draft(..) | Verdict::Withheld(..) | Verdict::Bio(_) | Verdict::Empty | Verdict::Broken(_) => None,
    }
}
