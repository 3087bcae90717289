//! Reads XML as it is found: the entries of a document as small trees. Reading never fails; each kind of fault is counted.
//!
//! A bare `&`, an undeclared entity, a character that XML forbids, an undeclared prefix, or a missing end tag costs at most the part
//! that it is in, never the document.

use std::borrow::Cow;
use std::fmt;

use crate::article::html::resolve_references;
use crate::model::text::xml_legal;

/// Elements nested deeper than this are read as their text.
const MAX_DEPTH: usize = 200;
/// Maximum number of prefixes that count at one place.
const MOST_PREFIXES: usize = 200;
/// Maximum length of a character reference, in bytes.
const LONGEST_REFERENCE: usize = 40;

/// Namespaces by which elements are named, each with the usual prefix. Those of feeds themselves have none.
const NAMESPACES: [(&str, &str); 14] = [
    ("http://www.w3.org/2005/atom", "atom"),
    ("http://purl.org/atom/ns#", "atom"),
    ("http://purl.org/rss/1.0/modules/content/", "content"),
    ("http://purl.org/rss/1.0/", ""),
    ("http://my.netscape.com/rdf/simple/0.9/", ""),
    ("http://channel.netscape.com/rdf/simple/0.9/", ""),
    ("http://purl.org/dc/elements/1.1/", "dc"),
    ("http://purl.org/dc/terms/", "dcterms"),
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf"),
    ("http://rssnamespace.org/feedburner/ext/1.0", "feedburner"),
    ("http://www.w3.org/2007/app", "app"),
    ("http://purl.org/atom/app#", "app"),
    ("http://www.w3.org/1999/xhtml", "xhtml"),
    ("http://www.itunes.com/dtds/podcast-1.0.dtd", "itunes"),
];

/// A fault that was read over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    BareAmpersand,
    UnknownEntity,
    Control,
    BareLess,
    MissingEnd,
    StrayEnd,
    CutOff,
}

/// All faults of one kind in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlFault {
    pub kind: FaultKind,
    /// Line of the first one.
    pub line: usize,
    pub count: usize,
}

impl fmt::Display for XmlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FaultKind::BareAmpersand => "a bare `&` was read as text",
            FaultKind::UnknownEntity => "an undeclared entity was read as text",
            FaultKind::Control => "a control character was skipped",
            FaultKind::BareLess => "a bare `<` was read as text",
            FaultKind::MissingEnd => "an end tag that is missing was assumed",
            FaultKind::StrayEnd => "an end tag without a start was skipped",
            FaultKind::CutOff => "the file ends within an element; save it again",
        };
        f.write_str(what)?;
        if self.count > 1 { write!(f, " (and {} more)", self.count - 1) } else { Ok(()) }
    }
}

/// An element with its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XmlElement<'a> {
    /// In lower case, with the usual prefix of its namespace: `title`, `dc:date`.
    pub name: String,
    /// By names in lower case with their prefixes as written.
    pub attributes: Vec<(String, String)>,
    pub children: Vec<XmlNode<'a>>,
    /// The source between its tags.
    pub source: &'a str,
    /// The end of the document cut it off.
    pub is_cut: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum XmlNode<'a> {
    Text(Cow<'a, str>),
    Element(XmlElement<'a>),
}

/// A document: its entries, and the elements beside them.
#[derive(Debug, Clone, Default)]
pub struct XmlDocument<'a> {
    /// Name of the first element, without prefix, and its attributes.
    pub root: Option<XmlElement<'a>>,
    /// Elements outside of entries that hold no entry, with the text of each.
    pub head: Vec<XmlElement<'a>>,
    pub entries: Vec<XmlElement<'a>>,
    pub faults: Vec<XmlFault>,
}

impl<'a> XmlElement<'a> {
    pub fn elements(&self) -> impl Iterator<Item = &XmlElement<'a>> {
        self.children.iter().filter_map(|child| match child {
            XmlNode::Element(element) => Some(element),
            XmlNode::Text(_) => None,
        })
    }

    /// The children with one of the names, in the order of the names.
    pub fn all<'b>(&'b self, names: &'b [&str]) -> impl Iterator<Item = &'b XmlElement<'a>> {
        names.iter().flat_map(|name| self.elements().filter(move |element| element.name == *name))
    }

    /// The text of the first whole child with a name that has any, without the spaces around it.
    pub fn field(&self, name: &str) -> Option<String> {
        let whole = self.elements().filter(|element| element.name == name && !element.is_cut);
        whole.map(|element| element.text().trim().to_owned()).find(|text| !text.is_empty())
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.attributes.iter().find(|(key, _)| key == name);
        attribute.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// All text in it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut rest: Vec<&XmlNode<'_>> = self.children.iter().rev().collect();
        while let Some(node) = rest.pop() {
            match node {
                XmlNode::Text(part) => text.push_str(part),
                XmlNode::Element(element) => rest.extend(element.children.iter().rev()),
            }
        }
        text
    }

    /// Its content as HTML: the text, or the markup in it without the prefixes of its names.
    pub fn markup(&self) -> String {
        if self.elements().next().is_some() { without_prefixes(self.source) } else { self.text() }
    }
}

/// XHTML without the prefixes of its names: `<x:p>` becomes `<p>`.
fn without_prefixes(source: &str) -> String {
    let mut html = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('<') {
        let start = at + if rest[at..].starts_with("</") { 2 } else { 1 };
        html.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        if let Some((prefix, _)) = rest[..end].split_once(':') {
            rest = &rest[prefix.len() + 1..];
        }
    }
    html.push_str(rest);
    html
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.')
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || matches!(c, ':' | '_')
}

/// Elements of HTML without an end tag.
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Reads a document. `is_entry` says by its name whether an element is an entry.
pub fn read<'a>(text: &'a str, is_entry: &dyn Fn(&str) -> bool) -> XmlDocument<'a> {
    read_as(text, is_entry, &[])
}

/// As [`read`], of a page in HTML.
pub fn read_html<'a>(text: &'a str, is_entry: &dyn Fn(&str) -> bool) -> XmlDocument<'a> {
    read_as(text, is_entry, &VOID)
}

fn read_as<'a>(text: &'a str, is_entry: &dyn Fn(&str) -> bool, void: &'static [&'static str]) -> XmlDocument<'a> {
    let mut reader = DocumentReader {
        text,
        at: 0,
        open: Vec::new(),
        prefixes: Vec::new(),
        document: XmlDocument::default(),
        has_doctype: false,
        is_entry,
        void,
    };
    while reader.at < text.len() {
        reader.step();
    }
    reader.finish()
}

/// An element whose end was not read yet.
struct OpenElement<'a> {
    element: XmlElement<'a>,
    /// Its name as written.
    written: &'a str,
    /// Where its content starts.
    start: usize,
    /// Number of prefixes that were declared outside of it.
    prefixes: usize,
    is_entry: bool,
}

struct DocumentReader<'a, 'b> {
    text: &'a str,
    at: usize,
    open: Vec<OpenElement<'a>>,
    /// Declared prefixes, each with the usual one.
    prefixes: Vec<(&'a str, Cow<'static, str>)>,
    document: XmlDocument<'a>,
    has_doctype: bool,
    is_entry: &'b dyn Fn(&str) -> bool,
    /// Names of elements without an end tag.
    void: &'static [&'static str],
}

impl<'a> DocumentReader<'a, '_> {
    fn step(&mut self) {
        let rest = &self.text[self.at..];
        if let Some(inside) = rest.strip_prefix("<![CDATA[") {
            let end = inside.find("]]>");
            self.skip_or_cut(end.map(|end| "<![CDATA[".len() + end + "]]>".len()));
            let text = self.legal(&inside[..end.unwrap_or(inside.len())]);
            self.push_text(text);
        } else if rest.starts_with("<!--") {
            self.skip_or_cut(rest.find("-->").map(|end| end + "-->".len()));
        } else if rest.starts_with("<?") {
            self.skip_or_cut(rest.find('>').map(|end| end + 1));
        } else if rest.starts_with("<!") {
            let is_first = self.document.root.is_none() && !std::mem::replace(&mut self.has_doctype, true);
            let length = if is_first { doctype_length(rest) } else { rest.find('>').map(|end| end + 1) };
            self.skip_or_cut(length);
        } else if let Some(inside) = rest.strip_prefix("</") {
            let name = &inside[..inside.find(|c: char| !is_name(c)).unwrap_or(inside.len())];
            let start = self.at;
            self.skip_or_cut(rest.find('>').map(|end| end + 1));
            self.end(name, start);
        } else if rest.starts_with('<') && rest[1..].starts_with(is_name_start) {
            self.start(&rest[1..]);
        } else {
            let bare = usize::from(rest.starts_with('<'));
            if bare > 0 {
                self.fault(FaultKind::BareLess, self.at);
            }
            let length = rest[bare..].find('<').map_or(rest.len(), |end| bare + end);
            let text = self.resolved(&rest[..length]);
            self.at += length;
            self.push_text(text);
        }
    }

    /// Skips bytes; without their number, the document ends within them.
    fn skip_or_cut(&mut self, length: Option<usize>) {
        if length.is_none() {
            self.fault(FaultKind::CutOff, self.at);
        }
        self.at = length.map_or(self.text.len(), |length| self.at + length);
    }

    fn fault(&mut self, kind: FaultKind, at: usize) {
        if let Some(fault) = self.document.faults.iter_mut().find(|fault| fault.kind == kind) {
            fault.count += 1;
        } else {
            let line = self.text[..at].matches('\n').count() + 1;
            self.document.faults.push(XmlFault { kind, line, count: 1 });
        }
    }

    fn start(&mut self, rest: &'a str) {
        let name = &rest[..rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())];
        let Some(length) = tag_length(&rest[name.len()..]) else {
            let Some(next) = rest.find('<') else { return self.skip_or_cut(None) };
            self.fault(FaultKind::BareLess, self.at);
            let text = self.resolved(&self.text[self.at..self.at + 1 + next]);
            self.at += 1 + next;
            return self.push_text(text);
        };
        let (inside, is_empty) = match rest[name.len()..name.len() + length].strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (&rest[name.len()..name.len() + length], false),
        };
        let start = self.at + 1 + name.len() + length + 1;
        let prefixes = self.prefixes.len();
        let attributes = self.attributes(inside);
        let written_name = self.canonical(name);
        let is_entry = (self.is_entry)(&written_name);
        let is_empty = is_empty || self.void.contains(&written_name.as_str());
        // An entry in an entry: the end of the first is missing.
        while is_entry && self.open.iter().any(|open| open.is_entry) {
            self.fault(FaultKind::MissingEnd, self.at);
            self.close(self.at, false);
        }
        let element = XmlElement { name: written_name, attributes, ..XmlElement::default() };
        if self.document.root.is_none() {
            self.document.root = Some(XmlElement { children: Vec::new(), ..element.clone() });
        }
        self.at = start;
        self.open.push(OpenElement { element, written: name, start, prefixes, is_entry });
        if is_empty || self.open.len() > MAX_DEPTH {
            self.close(start, false);
        }
    }

    fn attributes(&mut self, inside: &'a str) -> Vec<(String, String)> {
        let mut attributes = Vec::new();
        let mut rest = inside.trim_start();
        while let Some((name, after)) = rest.split_once('=') {
            let name = name.split_whitespace().next_back().unwrap_or_default();
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (value, after) = match quote {
                Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            if let Some(prefix) = name.strip_prefix("xmlns")
                && self.prefixes.len() < MOST_PREFIXES
            {
                self.prefixes.push((prefix.trim_start_matches(':'), usual_prefix(prefix, value)));
            }
            let value = self.resolved(value).into_owned();
            attributes.push((name.to_lowercase(), value));
            rest = after.trim_start();
        }
        attributes
    }

    /// The name of an element by its namespace; an undeclared prefix is taken for the usual one.
    fn canonical(&self, name: &str) -> String {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let declared = self.prefixes.iter().rev().find(|(declared, _)| *declared == prefix);
        let usual = declared.map_or(prefix, |(_, usual)| usual).to_lowercase();
        let is_atom = usual == "atom" && self.is_atom(local);
        let local = local.to_lowercase();
        if usual.is_empty() || is_atom { local } else { format!("{usual}:{local}") }
    }

    /// Whether the elements of Atom need no prefix here: the document is an Atom feed, or starts as one.
    fn is_atom(&self, local: &str) -> bool {
        self.document
            .root
            .as_ref()
            .map_or(matches!(local, "feed" | "entry"), |root| matches!(root.name.as_str(), "feed" | "entry"))
    }

    fn end(&mut self, name: &str, at: usize) {
        let Some(place) = self.open.iter().rposition(|open| open.written == name) else {
            return self.fault(FaultKind::StrayEnd, at);
        };
        while self.open.len() > place + 1 {
            self.fault(FaultKind::MissingEnd, at);
            self.close(at, false);
        }
        self.close(at, false);
    }

    /// Closes the innermost open element, whose content ends here.
    fn close(&mut self, at: usize, is_cut: bool) {
        let Some(OpenElement { mut element, start, prefixes, is_entry, .. }) = self.open.pop() else { return };
        element.source = self.text.get(start..at).unwrap_or_default();
        element.is_cut = is_cut;
        self.prefixes.truncate(prefixes);
        let is_in_entry = self.open.iter().any(|open| open.is_entry);
        match self.open.last_mut() {
            _ if is_entry => self.document.entries.push(element),
            Some(outer) if is_in_entry => outer.element.children.push(XmlNode::Element(element)),
            _ => self.document.head.push(element),
        }
    }

    fn push_text(&mut self, text: Cow<'a, str>) {
        if let Some(open) = self.open.last_mut()
            && !text.is_empty()
        {
            open.element.children.push(XmlNode::Text(text));
        }
    }

    fn legal(&mut self, text: &'a str) -> Cow<'a, str> {
        let legal = xml_legal(text);
        if legal.len() < text.len() {
            self.fault(FaultKind::Control, self.at);
        }
        legal
    }

    /// A text with its references as characters.
    fn resolved(&mut self, text: &'a str) -> Cow<'a, str> {
        let text = self.legal(text);
        if !text.contains('&') {
            return text;
        }
        let mut resolved = String::with_capacity(text.len());
        let mut rest: &str = &text;
        while let Some(at) = rest.find('&') {
            resolved.push_str(&rest[..at]);
            rest = &rest[at..];
            let near = &rest[1..rest.floor_char_boundary(LONGEST_REFERENCE)];
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '#';
            let length = near.find(|c| !is_part(c)).filter(|length| *length > 0 && near[*length..].starts_with(';'));
            let Some(length) = length else {
                self.fault(FaultKind::BareAmpersand, self.at);
                resolved.push('&');
                rest = &rest[1..];
                continue;
            };
            let (reference, after) = rest.split_at(length + 2);
            let characters = match reference {
                "&apos;" => Cow::Borrowed("'"),
                reference => resolve_references(reference),
            };
            if characters == reference {
                self.fault(FaultKind::UnknownEntity, self.at);
            }
            resolved.push_str(&xml_legal(&characters));
            rest = after;
        }
        resolved.push_str(rest);
        Cow::Owned(resolved)
    }

    fn finish(mut self) -> XmlDocument<'a> {
        if !self.open.is_empty() {
            self.fault(FaultKind::CutOff, self.text.len());
        }
        while !self.open.is_empty() {
            self.close(self.text.len(), true);
        }
        self.document.faults.sort_by_key(|fault| fault.line);
        self.document
    }
}

fn usual_prefix(written: &str, namespace: &str) -> Cow<'static, str> {
    let namespace = namespace.trim().to_lowercase();
    if let Some((_, usual)) = NAMESPACES.iter().find(|(known, _)| *known == namespace) {
        return Cow::Borrowed(usual);
    }
    if let Some(rest) = namespace.strip_prefix("http://wordpress.org/export/") {
        return Cow::Borrowed(if rest.contains("excerpt") { "excerpt" } else { "wp" });
    }
    // A namespace of its own for RSS, as some programs have, names nothing else.
    Cow::Owned(written.trim_start_matches(':').to_lowercase())
}

/// Number of bytes before the `>` of a tag, which may have one in the values of its attributes.
fn tag_length(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            // A value without its closing quote ends with the tag before the next one.
            (None, b'<') => return None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    // An odd quote: the tag ends at the first `>`.
    rest.find('>').filter(|_| quote.is_some())
}

/// Length of a declaration such as `<!DOCTYPE rss [ … ]>`.
fn doctype_length(rest: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b'>' if depth == 0 => return Some(at + 1),
            _ => {}
        }
    }
    rest.find('>').map(|end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> XmlDocument<'_> {
        read(text, &|name| matches!(name, "item" | "entry"))
    }

    fn field(text: &str, name: &str) -> Option<String> {
        document(text).entries[0].field(name)
    }

    fn faults(text: &str) -> Vec<(FaultKind, usize, usize)> {
        document(text).faults.into_iter().map(|fault| (fault.kind, fault.line, fault.count)).collect()
    }

    #[test]
    fn sound_documents_have_no_faults() {
        let text = "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a 'b>'>]><!-- <item> --><rss xmlns:d='http://purl.org/dc/elements/1.1/'>\
            <channel><title>F</title><item a='1 > 0'><title>A &amp; B &#8211; &lt;</title><d:date>x</d:date><e/><c><![CDATA[<b>&amp;]]></c>\
            </item></channel></rss>";
        let document = document(text);
        assert_eq!(document.faults, []);
        assert_eq!(document.root.unwrap().name, "rss");
        assert_eq!(
            document.head.iter().map(|element| element.name.as_str()).collect::<Vec<_>>(),
            ["title", "channel", "rss"]
        );
        let [entry] = &document.entries[..] else { panic!("one entry") };
        assert_eq!(entry.attribute("a"), Some("1 > 0"));
        let fields: Vec<_> = entry.elements().map(|child| (child.name.as_str(), child.text())).collect();
        let expected = [("title", "A & B – <"), ("dc:date", "x"), ("e", ""), ("c", "<b>&amp;")];
        assert_eq!(fields, expected.map(|(name, text)| (name, text.to_owned())));
    }

    #[test]
    fn faults_cost_only_their_part() {
        let rss = |item: &str| format!("<rss>\n<item>{item}</item></rss>");
        for (item, title, expected) in [
            ("<title>A & B</title>", "A & B", vec![(FaultKind::BareAmpersand, 2, 1)]),
            ("<title>a?b=1&copy=2&x</title>", "a?b=1&copy=2&x", vec![(FaultKind::BareAmpersand, 2, 2)]),
            ("<title>caf&eacute;&nbsp;&hellip;</title>", "café\u{A0}…", vec![]),
            ("<title>&foo; &#0; &#xFFFE;</title>", "&foo; \u{FFFD}", vec![(FaultKind::UnknownEntity, 2, 1)]),
            ("<title>a\u{1}b\u{8}c</title>", "abc", vec![(FaultKind::Control, 2, 1)]),
            ("<title>1 < 2 <3</title>", "1 < 2 <3", vec![(FaultKind::BareLess, 2, 2)]),
            ("<title>A</title></p>", "A", vec![(FaultKind::StrayEnd, 2, 1)]),
            ("<d><p>x<br>y</d><title>A</title>", "A", vec![(FaultKind::MissingEnd, 2, 2)]),
            ("<title>A</title><itunes:x>y</itunes:x>", "A", vec![]),
        ] {
            let text = rss(item);
            assert_eq!(field(&text, "title").as_deref(), Some(title), "{item}");
            assert_eq!(faults(&text), expected, "{item}");
        }
    }

    #[test]
    fn an_end_that_is_missing_loses_no_entry() {
        let names = |text: &str| -> Vec<(Option<String>, bool)> {
            document(text).entries.iter().map(|entry| (entry.field("title"), entry.is_cut)).collect()
        };
        let two = |text: &str, cut: bool| {
            assert_eq!(names(text), [(Some("A".into()), false), (Some("B".into()), cut)], "{text}");
        };
        two("<rss><item><title>A</title></item><item><title>B</title></item>", false);
        two("<rss><item><title>A</title><item><title>B</title></item></rss>", false);
        two("<rss><item><title>A</title></item><item><title>B</title>", true);
        two("<rss><item><title>A</title></item><item><title>B</title><link>https://a.exam", true);
        two("<rss><item><title>A</title></item><item><title>B</title><link", true);
        two("<rss><item><title>A</title></item><item><title>B</title><d><![CDATA[ <p>", true);
    }

    #[test]
    fn names_follow_the_namespace() {
        let atom = "<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:entry><a:title>A</a:title><dc:date>d</dc:date></a:entry></a:feed>";
        assert_eq!(field(atom, "title").as_deref(), Some("A"));
        assert_eq!(field(atom, "dc:date").as_deref(), Some("d"), "an undeclared prefix");
        let rss = "<rss xmlns:atom='http://www.w3.org/2005/Atom' xmlns='http://backend.userland.com/rss2'><item><atom:link/><title>A</title></item></rss>";
        assert_eq!(
            document(rss).entries[0].elements().map(|child| child.name.as_str()).collect::<Vec<_>>(),
            ["atom:link", "title"]
        );
        let inner = "<feed xmlns='http://www.w3.org/2005/Atom'><entry><content><x:div xmlns:x='http://www.w3.org/1999/xhtml'>a <x:b>b</x:b></x:div></content></entry></feed>";
        let html = document(inner).entries[0].all(&["content"]).next().unwrap().markup();
        assert_eq!(html, "<div xmlns:x='http://www.w3.org/1999/xhtml'>a <b>b</b></div>");
    }

    #[test]
    fn hostile_documents_take_linear_time() {
        document(&"<a>".repeat(200_000));
        document(&format!("<rss><item>{}", "<b c='".repeat(100_000)));
        document(&"<!".repeat(200_000));
        document(&"&".repeat(500_000));
        document(&format!("<rss>{}", "</x>".repeat(200_000)));
        assert_eq!(document(&format!("<item>{}x", "<a>".repeat(100_000))).entries[0].text(), "x");
    }
}
