//! The views of a site: one for each sub-folder, tag, author, series and language, and their addresses.
//!
//! The key of a view is its name with case, accents and punctuation folded, so that `Café`, `CAFÉ` and `cafe` are one tag with one
//! permanent address. Keys keep their script, so that addresses are readable in every language.

use std::path::{Component, Path};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::model::entry::{Person, SeriesPart};
use crate::model::language;

/// Maximum length of a key, in characters; longer ones are cut and get a hash.
const LONGEST: usize = 80;

/// Characters that are not percent-encoded in an address (RFC 3986 section 2.3).
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'/').remove(b'.').remove(b'_').remove(b'~');

/// The property that articles of a view share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ViewKind {
    /// The folder, at any depth.
    Section = 1,
    /// A tag.
    Tag = 2,
    /// An author.
    Author = 3,
    /// A series of articles.
    Series = 4,
    /// A language; only where the articles of the site are in several.
    Language = 5,
}

impl ViewKind {
    /// In the order of display.
    pub const ALL: [Self; 5] = [Self::Section, Self::Tag, Self::Author, Self::Series, Self::Language];

    /// The one of five values that belongs to this kind, in the order of display.
    pub fn choose<T>(self, [section, tag, author, series, language]: [T; 5]) -> T {
        match self {
            Self::Section => section,
            Self::Tag => tag,
            Self::Author => author,
            Self::Series => series,
            Self::Language => language,
        }
    }

    /// First path segment of these views.
    pub fn root(self) -> &'static str {
        self.choose(["sections", "tags", "authors", "series", "languages"])
    }
}

/// The articles of one folder, tag, author, series or language.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct View {
    /// The shared property.
    pub kind: ViewKind,
    /// The folded name; slashes separate folders.
    pub key: String,
}

impl View {
    /// Returns the view of a name in any spelling; `None` if the folded name is empty.
    pub fn named(kind: ViewKind, name: &str) -> Option<Self> {
        let key = match kind {
            ViewKind::Section => {
                let parts: Vec<String> = name.split('/').map(fold).filter(|part| !part.is_empty()).collect();
                parts.join("/")
            }
            ViewKind::Tag | ViewKind::Author | ViewKind::Series => fold(name),
            ViewKind::Language => language::key(name.trim_end_matches('/'))?,
        };
        (!key.is_empty()).then_some(Self { kind, key })
    }

    /// Returns the view at a path below the site's address, such as `tags/x` or `sections/a/b`, percent-encoded or not. The name need
    /// not be folded, so that people can type it.
    pub fn at(path: &str) -> Option<Self> {
        let path = percent_decode_str(path).decode_utf8().ok()?;
        let (root, name) = path.split_once('/')?;
        let kind = ViewKind::ALL.into_iter().find(|kind| kind.root() == root)?;
        let is_one = kind == ViewKind::Section || !name.trim_end_matches('/').contains('/');
        Self::named(kind, name).filter(|_| is_one)
    }

    /// Its name in a list of views; the parent path distinguishes folders of the same name.
    pub fn label(&self, name: &str) -> String {
        match self.key.rsplit_once('/') {
            Some((above, _)) => format!("{above}/{name}"),
            None => name.to_owned(),
        }
    }

    /// Path of its page below the site's address, percent-encoded, with a trailing slash.
    pub fn path(&self) -> String {
        format!("{}/{}/", self.kind.root(), utf8_percent_encode(&self.key, PATH))
    }
}

/// A view that contains an article, with the article's spelling of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The view.
    pub view: View,
    /// The name as the article spells it: a tag, an author's name, the last part of a folder's path; the tag of a language.
    pub name: String,
}

/// Returns all views of an article with these tags and authors, of this series and in this language, at `path` below the watched folder, each
/// once.
pub fn terms(
    path: &Path,
    tags: &[String],
    authors: &[Person],
    series: Option<&SeriesPart>,
    language: Option<&str>,
) -> Vec<Term> {
    let mut terms = Vec::new();
    if let Some(folder) = folder_of(path) {
        let mut walked = String::new();
        for part in folder.components() {
            let Component::Normal(part) = part else { continue };
            let name = part.to_string_lossy();
            walked.push('/');
            walked.push_str(&name);
            terms.extend(term(ViewKind::Section, &walked, &name));
        }
    }
    terms.extend(tags.iter().filter_map(|tag| term(ViewKind::Tag, tag, tag)));
    terms.extend(authors.iter().filter_map(|person| term(ViewKind::Author, &person.name, &person.name)));
    terms.extend(series.and_then(|part| term(ViewKind::Series, &part.series, &part.series)));
    terms.extend(language.and_then(|tag| {
        let view = View::named(ViewKind::Language, tag)?;
        Some(Term { name: language::tag(&view.key), view })
    }));
    // There are few of them: a thousand tags at most.
    let mut each_once: Vec<Term> = Vec::with_capacity(terms.len());
    for term in terms {
        if !each_once.iter().any(|known| known.view == term.view) {
            each_once.push(term);
        }
    }
    each_once
}

/// The folder that an article lies in. One called `index` is what its folder is about, and lies in the one above.
fn folder_of(path: &Path) -> Option<&Path> {
    let stem = path.file_name()?.to_str().and_then(|name| name.split('.').next());
    if stem == Some("index") { path.parent()?.parent() } else { path.parent() }
}

/// The view of a folder, by its path below the watched folder.
pub fn section(path: &Path) -> Option<Term> {
    term(ViewKind::Section, &path.to_string_lossy(), &path.file_name()?.to_string_lossy())
}

fn term(kind: ViewKind, whole: &str, name: &str) -> Option<Term> {
    let name = crate::model::text::xml_legal(name).trim().to_owned();
    Some(Term { view: View::named(kind, whole)?, name }).filter(|term| !term.name.is_empty())
}

/// A name with everything folded that people write now so and now so. Never empty for a name that is not.
///
/// Accents go from Latin and Greek letters only: elsewhere a mark makes another letter. `C`, `C++` and `C#` stay three.
pub fn fold(name: &str) -> String {
    let plain = name.trim().trim_start_matches('#');
    // As most names of folders and tags: one word.
    if !plain.is_empty() && plain.len() <= LONGEST && plain.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return plain.to_ascii_lowercase();
    }
    // Most names are ASCII, which nothing decomposes.
    if plain.is_ascii() {
        folded(plain.chars().map(|c| c.to_ascii_lowercase()), name)
    } else {
        folded(plain.nfkd().flat_map(char::to_lowercase), name)
    }
}

/// The same of the letters that a name is made of.
fn folded(letters: impl Iterator<Item = char>, name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    let mut base = ' ';
    let mut chars = letters.peekable();
    if chars.peek() == Some(&'.') {
        key.push_str("dot-");
    }
    for c in chars {
        if is_combining_mark(c) {
            if !goes(base, c) {
                key.push(c);
            }
            continue;
        }
        match c {
            '+' if base.is_alphanumeric() || base == '+' => key.push_str("-plus"),
            '#' if base.is_alphanumeric() => key.push_str("-sharp"),
            '&' => key.push_str("-and-"),
            '\''
            | '\u{2019}'
            | '\u{200B}'..='\u{200C}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{640}'
            | '\u{FE00}'..='\u{FE0F}' => {
                continue;
            }
            '\u{200D}' if base.is_alphanumeric() => continue,
            c if parts(c) => key.push('-'),
            c => push_plain(&mut key, c),
        }
        base = c;
    }
    let key = key.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    shortened(if key.is_ascii() { key } else { key.nfc().collect() }, name)
}

fn shortened(key: String, name: &str) -> String {
    if key.is_empty() && !name.trim().is_empty() {
        let codes: Vec<String> = name.trim().chars().take(LONGEST / 8).map(|c| format!("{:x}", u32::from(c))).collect();
        return format!("u-{}", codes.join("-"));
    }
    if key.chars().count() <= LONGEST {
        return key;
    }
    let start: String = key.chars().take(LONGEST - 9).collect();
    format!("{}-{}", start.trim_end_matches('-'), &blake3::hash(key.as_bytes()).to_hex()[..8])
}

/// Whether a mark on a letter counts for nothing.
fn goes(base: char, mark: char) -> bool {
    let accent = ('\u{300}'..='\u{36F}').contains(&mark);
    match base {
        'a'..='z' | '\u{DF}'..='\u{24F}' | '\u{370}'..='\u{3FF}' | '\u{1E00}'..='\u{1FFF}' => accent,
        // The dots of ё, which most people leave out.
        '\u{435}' => mark == '\u{308}',
        // Vowels that are written for learners only, and how a character is to look.
        _ => matches!(mark, '\u{FE00}'..='\u{FE0F}' | '\u{591}'..='\u{5C7}' | '\u{64B}'..='\u{652}' | '\u{670}'),
    }
}

/// Letters that no decomposition makes plain.
fn push_plain(key: &mut String, c: char) {
    match c {
        'ß' => key.push_str("ss"),
        'æ' => key.push_str("ae"),
        'œ' => key.push_str("oe"),
        'þ' => key.push_str("th"),
        'ø' => key.push('o'),
        'ł' => key.push('l'),
        'đ' | 'ð' => key.push('d'),
        'ħ' => key.push('h'),
        'ŧ' => key.push('t'),
        'ı' => key.push('i'),
        'ς' => key.push('σ'),
        c => key.push(c),
    }
}

/// Whether a character parts words. What is neither a letter nor punctuation (an emoji) is a name of its own.
fn parts(c: char) -> bool {
    if c.is_alphanumeric() {
        return false;
    }
    matches!(c,
        '\0'..='\u{BF}' | '\u{D7}' | '\u{F7}' | '\u{2000}'..='\u{200C}' | '\u{200E}'..='\u{206F}' | '\u{2E00}'..='\u{2E7F}'
        | '\u{3000}'..='\u{303F}' | '\u{30FB}' | '\u{FE10}'..='\u{FE6F}' | '\u{FEFF}' | '\u{589}' | '\u{5BE}' | '\u{60C}' | '\u{61B}'
        | '\u{61F}' | '\u{66A}'..='\u{66D}' | '\u{6D4}' | '\u{964}' | '\u{965}' | '\u{1680}')
        || c.is_whitespace()
        || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Content;
    use crate::model::entry::Person;

    #[test]
    fn case_accents_and_punctuation_count_for_nothing() {
        for (names, key) in [
            (&["Café", "CAFÉ", "cafe", " cafe\u{301} ", "Ｃａｆé"][..], "cafe"),
            (&["Straße", "STRASSE", "strasse"], "strasse"),
            (&["Łódź", "lodz"], "lodz"),
            (&["İstanbul", "istanbul"], "istanbul"),
            (&["New York", "new-york", "new_york", "New  York!"], "new-york"),
            (&["Αθήνα", "ΑΘΗΝΑ", "αθηνα"], "αθηνα"),
            (&["Ёлка", "елка"], "елка"),
            (&["日本語", "日本語 "], "日本語"),
            (&["東京・大阪", "東京、大阪"], "東京-大阪"),
            (&["#rust", "Rust"], "rust"),
            (&["مُحَمَّد", "محمد"], "محمد"),
            (&["🎉", "🎉\u{FE0F}"], "🎉"),
            (&["rock'n'roll", "Rock’n’Roll"], "rocknroll"),
            (&["R&D", "r & d"], "r-and-d"),
        ] {
            for name in names {
                assert_eq!(fold(name), key, "{name}");
            }
        }
    }

    #[test]
    fn what_differs_stays_apart() {
        let names =
            ["C", "C++", "C#", ".net", "net", "й", "и", "が", "か", "!!!", "???", "ñandú", "日", "曰", "हिन्दी", "हनद"];
        let mut keys: Vec<String> = names.iter().map(|name| fold(name)).collect();
        assert!(keys.iter().all(|key| !key.is_empty()));
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), names.len(), "{keys:?}");
        let (one, other) = ("word ".repeat(40) + "a", "word ".repeat(40) + "b");
        assert_ne!(fold(&one), fold(&other));
        assert!(fold(&one).chars().count() <= LONGEST);
    }

    #[test]
    fn folding_twice_is_folding_once() {
        for name in ["C++", "!!!", "R&D", ".net", "Łódź", "日本", &"long name ".repeat(50), "u-21", "🎉", "हिन्दी", "--"]
        {
            assert_eq!(fold(&fold(name)), fold(name), "{name}");
        }
    }

    #[test]
    fn paths_lead_back_to_their_views() {
        for (kind, name) in [
            (ViewKind::Tag, "日本 語"),
            (ViewKind::Section, "News/Foot ball"),
            (ViewKind::Author, "Zoë Ø"),
            (ViewKind::Tag, "a/b"),
            (ViewKind::Language, "zh-TW"),
        ] {
            let view = View::named(kind, name).unwrap();
            assert!(view.path().is_ascii());
            assert_eq!(View::at(&view.path()), Some(view));
        }
        assert_eq!(View::at("tags/RUST"), View::named(ViewKind::Tag, "rust"));
        assert_eq!(View::at("languages/pt-BR/"), View::named(ViewKind::Language, "pt"));
        assert_eq!(View::at("tags/a/b"), None, "a tag has one part");
        assert_eq!(View::at("tags/"), None);
        assert_eq!(View::at("pages/x"), None);
        assert_eq!(View::named(ViewKind::Section, "/Nouvelles/Été/").unwrap().path(), "sections/nouvelles/ete/");
    }

    #[test]
    fn an_article_is_in_each_view_once() {
        let content = Content {
            tags: vec!["Rust".into(), "rust".into(), "C++".into(), "  ".into()],
            authors: vec![Person { name: "Ann".into(), ..Person::default() }],
            series: Some(SeriesPart { series: "The Sea".into(), part: None }),
            ..Content::default()
        };
        let series = content.series.as_ref();
        let terms = terms(Path::new("news/Sport/a.md"), &content.tags, &content.authors, series, Some("pt-BR"));
        let found: Vec<(String, &str)> = terms.iter().map(|term| (term.view.path(), term.name.as_str())).collect();
        let expected = [
            ("sections/news/", "news"),
            ("sections/news/sport/", "Sport"),
            ("tags/rust/", "Rust"),
            ("tags/c-plus-plus/", "C++"),
            ("authors/ann/", "Ann"),
            ("series/the-sea/", "The Sea"),
            ("languages/pt/", "pt"),
        ];
        assert_eq!(found, expected.map(|(path, name)| (path.to_owned(), name)));
        let sections = |path: &str| super::terms(Path::new(path), &[], &[], None, None).len();
        assert_eq!((sections("news/storm/index.md"), sections("news/index.fr.md"), sections("index.md")), (1, 0, 0));
    }
}
