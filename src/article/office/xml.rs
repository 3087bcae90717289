//! The XML of office documents as a tree. Names have the usual prefixes of their namespaces, whatever a document declares.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::parts::OfficeError;

/// Maximum number of elements of a part of a document.
const MOST_ELEMENTS: usize = 400_000;
/// Maximum number of attributes of a part of a document.
const MOST_ATTRIBUTES: usize = 1_600_000;
/// Maximum depth of elements.
const MAX_DEPTH: usize = 200;

/// The ends of the names of namespaces, in the forms of ECMA and ISO, each with the usual prefix.
const NAMESPACES: [(&str, &str); 20] = [
    ("/wordprocessingml/2006/main", "w"),
    ("/ooxml/wordprocessingml/main", "w"),
    ("/drawingml/2006/main", "a"),
    ("/ooxml/drawingml/main", "a"),
    ("/wordprocessingDrawing", "wp"),
    ("/officeDocument/2006/relationships", "r"),
    ("/ooxml/officeDocument/relationships", "r"),
    ("/package/2006/relationships", ""),
    ("/markup-compatibility/2006", "mc"),
    ("/officeDocument/2006/math", "m"),
    ("/metadata/core-properties", "cp"),
    ("//purl.org/dc/elements/1.1/", "dc"),
    (":opendocument:xmlns:office:1.0", "office"),
    (":opendocument:xmlns:text:1.0", "text"),
    (":opendocument:xmlns:style:1.0", "style"),
    (":opendocument:xmlns:table:1.0", "table"),
    (":opendocument:xmlns:drawing:1.0", "draw"),
    (":opendocument:xmlns:meta:1.0", "meta"),
    (":xsl-fo-compatible:1.0", "fo"),
    ("//www.w3.org/1999/xlink", "xlink"),
];

/// An element with its content.
#[derive(Debug, Default)]
pub struct OfficeElement {
    pub name: String,
    attributes: Vec<(String, String)>,
    pub children: Vec<OfficeNode>,
}

#[derive(Debug)]
pub enum OfficeNode {
    Text(String),
    Element(OfficeElement),
}

impl OfficeElement {
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            OfficeNode::Element(element) => Some(element),
            OfficeNode::Text(_) => None,
        })
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.elements().find(|element| element.name == name)
    }

    /// The first element of this name in it, at any depth.
    pub fn find(&self, name: &str) -> Option<&Self> {
        self.elements().find_map(|element| if element.name == name { Some(element) } else { element.find(name) })
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The attribute of the first child of this name.
    pub fn attribute_of(&self, child: &str, name: &str) -> Option<&str> {
        self.child(child)?.attribute(name)
    }

    /// All text in it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.push_text(&mut text);
        text
    }

    fn push_text(&self, text: &mut String) {
        for child in &self.children {
            match child {
                OfficeNode::Text(own) => text.push_str(own),
                OfficeNode::Element(element) => element.push_text(text),
            }
        }
    }
}

/// Reads a part of a document. A document type declaration is refused, so that no entity has a meaning of its own.
pub fn read(bytes: &[u8]) -> Result<OfficeElement, OfficeError> {
    let text = decode(bytes)?;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    let mut builder = TreeBuilder { open: vec![OfficeElement::default()], ..TreeBuilder::default() };
    loop {
        match reader.read_event().map_err(|_| OfficeError::Damaged)? {
            Event::Start(start) => {
                let element = builder.element(&start)?;
                builder.open.push(element);
                if builder.open.len() > MAX_DEPTH {
                    return Err(OfficeError::TooLarge);
                }
            }
            Event::Empty(start) => {
                let element = builder.element(&start)?;
                builder.add(OfficeNode::Element(element));
            }
            Event::End(_) => {
                let element = builder.open.pop().ok_or(OfficeError::Damaged)?;
                if builder.open.is_empty() {
                    return Err(OfficeError::Damaged);
                }
                builder.add(OfficeNode::Element(element));
            }
            Event::Text(text) => builder.add_text(&text.xml10_content().map_err(|_| OfficeError::Damaged)?),
            Event::CData(text) => builder.add_text(&text.xml10_content().map_err(|_| OfficeError::Damaged)?),
            Event::GeneralRef(reference) => builder.add_text(&resolved(&reference)?),
            Event::DocType(_) => return Err(OfficeError::Damaged),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let root = builder.open.pop().filter(|_| builder.open.is_empty());
    let children = root.map(|root| root.children).unwrap_or_default();
    let element = children.into_iter().find_map(|child| match child {
        OfficeNode::Element(element) => Some(element),
        OfficeNode::Text(_) => None,
    });
    element.ok_or(OfficeError::Damaged)
}

/// Programs write UTF-8; the standards allow UTF-16 as well.
fn decode(bytes: &[u8]) -> Result<String, OfficeError> {
    let (encoding, mark) = encoding_rs::Encoding::for_bom(bytes).unwrap_or((encoding_rs::UTF_8, 0));
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]);
    text.map(std::borrow::Cow::into_owned).ok_or(OfficeError::Damaged)
}

fn resolved(reference: &quick_xml::events::BytesRef<'_>) -> Result<String, OfficeError> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Ok(character.to_string());
    }
    let name = reference.decode().map_err(|_| OfficeError::Damaged)?;
    let text = quick_xml::escape::resolve_predefined_entity(&name).ok_or(OfficeError::Damaged)?;
    Ok(text.to_owned())
}

#[derive(Default)]
struct TreeBuilder {
    open: Vec<OfficeElement>,
    /// The usual prefixes by those that the document declares.
    prefixes: HashMap<String, &'static str>,
    elements: usize,
    attributes: usize,
}

impl TreeBuilder {
    fn element(&mut self, start: &BytesStart<'_>) -> Result<OfficeElement, OfficeError> {
        self.elements += 1;
        let mut attributes = Vec::new();
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| OfficeError::Damaged)?;
            let name = std::str::from_utf8(attribute.key.as_ref()).map_err(|_| OfficeError::Damaged)?;
            let value = std::str::from_utf8(&attribute.value).map_err(|_| OfficeError::Damaged)?;
            let value = quick_xml::escape::unescape(value).map_err(|_| OfficeError::Damaged)?.into_owned();
            if name == "xmlns" || name.starts_with("xmlns:") {
                let usual = NAMESPACES.iter().find(|(end, _)| value.ends_with(end)).map(|(_, prefix)| *prefix);
                let prefix = name.strip_prefix("xmlns:").unwrap_or_default();
                self.prefixes.extend(usual.map(|usual| (prefix.to_owned(), usual)));
            } else {
                attributes.push((name.to_owned(), value));
            }
        }
        self.attributes += attributes.len();
        if self.elements > MOST_ELEMENTS || self.attributes > MOST_ATTRIBUTES {
            return Err(OfficeError::TooLarge);
        }
        let name = start.name();
        let name = self.usual(std::str::from_utf8(name.as_ref()).map_err(|_| OfficeError::Damaged)?, true);
        let attributes = attributes.into_iter().map(|(name, value)| (self.usual(&name, false), value)).collect();
        Ok(OfficeElement { name, attributes, children: Vec::new() })
    }

    /// A name with the usual prefix. An attribute without a prefix has no namespace.
    fn usual(&self, name: &str, is_element: bool) -> String {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        if prefix.is_empty() && !is_element {
            return local.to_owned();
        }
        match self.prefixes.get(prefix) {
            Some(&"") => local.to_owned(),
            Some(usual) => format!("{usual}:{local}"),
            None => name.to_owned(),
        }
    }

    fn add(&mut self, node: OfficeNode) {
        if let Some(last) = self.open.last_mut() {
            last.children.push(node);
        }
    }

    fn add_text(&mut self, text: &str) {
        match self.open.last_mut().and_then(|last| last.children.last_mut()) {
            Some(OfficeNode::Text(before)) => before.push_str(text),
            _ if text.is_empty() => {}
            _ => self.add(OfficeNode::Text(text.to_owned())),
        }
    }
}
