//! The styles and the lists of a `.docx`.

use std::collections::HashMap;

use crate::article::office::inline::{TextLook, is_of_code};
use crate::article::office::xml::OfficeElement;

/// Maximum number of styles that build on each other.
const MAX_CHAIN: usize = 20;

/// The styles of a document by their ids.
#[derive(Debug, Default)]
pub struct DocxStyles<'a> {
    by_id: HashMap<&'a str, &'a OfficeElement>,
    /// The style of paragraphs that name none.
    usual: Option<&'a str>,
    /// What all texts have that no style says otherwise of.
    defaults: Option<&'a OfficeElement>,
}

/// What the style of a paragraph means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParagraphKind {
    Text,
    Title,
    Heading(u8),
    Quotation,
    Code,
    Caption,
    /// An entry of a table of contents.
    Contents,
}

impl<'a> DocxStyles<'a> {
    pub fn of(root: Option<&'a OfficeElement>) -> Self {
        let styles = root.into_iter().flat_map(OfficeElement::elements).filter(|element| element.name == "w:style");
        let by_id: HashMap<&str, &OfficeElement> =
            styles.filter_map(|style| Some((style.attribute("w:styleId")?, style))).collect();
        let is_usual = |style: &&&OfficeElement| {
            style.attribute("w:type") == Some("paragraph") && matches!(style.attribute("w:default"), Some("1" | "true"))
        };
        let usual = by_id.values().find(is_usual).and_then(|style| style.attribute("w:styleId"));
        let defaults = root.and_then(|root| root.child("w:docDefaults")?.child("w:rPrDefault")?.child("w:rPr"));
        Self { by_id, usual, defaults }
    }

    /// A style and those that it builds on, the nearest first.
    fn chain(&self, id: Option<&str>) -> Vec<&'a OfficeElement> {
        let (mut chain, mut next) = (Vec::new(), id);
        while let Some(style) = next.and_then(|id| self.by_id.get(id)).filter(|_| chain.len() < MAX_CHAIN) {
            chain.push(*style);
            next = style.attribute_of("w:basedOn", "w:val");
        }
        chain
    }

    /// The names of a style and those that it builds on, in lower case. The id stands for a style that is not described.
    fn names(&self, id: Option<&str>) -> Vec<String> {
        let chain = self.chain(id);
        let named = chain.iter().filter_map(|style| style.attribute_of("w:name", "w:val")).map(str::to_lowercase);
        let own = id.filter(|_| chain.is_empty()).map(str::to_lowercase);
        named.chain(own).collect()
    }

    pub fn kind(&self, properties: Option<&OfficeElement>) -> ParagraphKind {
        let id = properties.and_then(|properties| properties.attribute_of("w:pStyle", "w:val"));
        for name in self.names(id) {
            let kind = match name.as_str() {
                "title" => ParagraphKind::Title,
                "quote" | "intense quote" | "block text" | "quotations" => ParagraphKind::Quotation,
                "html preformatted" | "preformatted text" | "source code" | "code" | "macro text" => {
                    ParagraphKind::Code
                }
                "caption" | "image caption" | "table caption" | "figure" => ParagraphKind::Caption,
                _ if name.starts_with("toc ") => ParagraphKind::Contents,
                _ => {
                    let number = name.strip_prefix("heading ").or_else(|| name.strip_prefix("heading"));
                    match number.and_then(|number| number.trim().parse().ok()) {
                        Some(level @ 1..=9) => ParagraphKind::Heading(level),
                        _ => continue,
                    }
                }
            };
            return kind;
        }
        let chain = self.chain(id);
        let of_style = chain.iter().filter_map(|style| style.child("w:pPr"));
        let mut levels =
            properties.into_iter().chain(of_style).filter_map(|from| from.attribute_of("w:outlineLvl", "w:val"));
        match levels.next().and_then(|level| level.parse().ok()) {
            Some(level @ 0..=8) => ParagraphKind::Heading(level + 1),
            _ => ParagraphKind::Text,
        }
    }

    /// The number of the list and the depth of a paragraph in it.
    pub fn list(&self, properties: Option<&'a OfficeElement>) -> Option<(&'a str, usize)> {
        let id = properties.and_then(|properties| properties.attribute_of("w:pStyle", "w:val"));
        let chain = self.chain(id);
        let of_style = chain.iter().filter_map(|style| style.child("w:pPr"));
        let stated: Vec<&OfficeElement> =
            properties.into_iter().chain(of_style).filter_map(|from| from.child("w:numPr")).collect();
        let number = stated.iter().find_map(|list| list.attribute_of("w:numId", "w:val"))?;
        let depth = stated.iter().find_map(|list| list.attribute_of("w:ilvl", "w:val")?.parse().ok());
        (number != "0").then_some((number, depth.unwrap_or(0)))
    }

    /// The look of a run. What a paragraph's style says of all its text (a bold heading) is not the look of a run.
    pub fn look(&self, properties: Option<&OfficeElement>) -> TextLook {
        let id = properties.and_then(|properties| properties.attribute_of("w:rStyle", "w:val"));
        let mut look = TextLook::default();
        let mut chain = self.chain(id);
        chain.reverse();
        for style in chain.iter().filter_map(|style| style.child("w:rPr")) {
            apply(&mut look, style);
        }
        for name in self.names(id) {
            match name.as_str() {
                "strong" => look.bold = true,
                "emphasis" => look.italic = true,
                "html code" | "source text" | "verbatim char" | "code" | "inline code" | "html sample"
                | "html keyboard" => {
                    look.code = true;
                }
                _ => {}
            }
        }
        if let Some(properties) = properties {
            apply(&mut look, properties);
        }
        look
    }

    /// Whether the style of a paragraph hides its text.
    pub fn hides(&self, properties: Option<&OfficeElement>) -> bool {
        let id = properties.and_then(|properties| properties.attribute_of("w:pStyle", "w:val"));
        let styles = self.chain(id.or(self.usual));
        let looks = styles.iter().filter_map(|style| style.child("w:rPr")).chain(self.defaults);
        looks.filter_map(|look| look.child("w:vanish")).map(is_on).next().unwrap_or(false)
    }

    /// Whether the style of a table hides its text.
    pub fn hides_table(&self, table: &OfficeElement) -> bool {
        let id = table.child("w:tblPr").and_then(|properties| properties.attribute_of("w:tblStyle", "w:val"));
        let vanish = |style: &&OfficeElement| Some(is_on(style.child("w:rPr")?.child("w:vanish")?));
        self.chain(id).iter().find_map(vanish).unwrap_or(false)
    }
}

/// Whether a property that is on or off is on.
pub fn is_on(property: &OfficeElement) -> bool {
    !matches!(property.attribute("w:val"), Some("0" | "false" | "off" | "none"))
}

fn apply(look: &mut TextLook, properties: &OfficeElement) {
    for property in properties.elements() {
        let is_on = is_on(property);
        match property.name.as_str() {
            "w:b" => look.bold = is_on,
            "w:i" => look.italic = is_on,
            "w:strike" | "w:dstrike" => look.strike = is_on,
            "w:vanish" | "w:specVanish" | "w:webHidden" => look.hidden = is_on,
            "w:highlight" => look.marked = is_on,
            "w:vertAlign" => {
                look.raised = property.attribute("w:val") == Some("superscript");
                look.lowered = property.attribute("w:val") == Some("subscript");
            }
            "w:rFonts" => {
                let font = property.attribute("w:ascii").or_else(|| property.attribute("w:hAnsi"));
                look.code = font.map_or(look.code, is_of_code);
            }
            _ => {}
        }
    }
}

/// What stands before an item of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemMark {
    Bullet,
    Number(u32),
}

/// The lists of a document, and the numbers that their items have reached.
#[derive(Debug, Default)]
pub struct DocxLists<'a> {
    root: Option<&'a OfficeElement>,
    /// By the list that defines it and the depth, the number of the last item.
    counters: HashMap<(String, usize), u32>,
}

impl<'a> DocxLists<'a> {
    pub fn of(root: Option<&'a OfficeElement>) -> Self {
        Self { root, counters: HashMap::new() }
    }

    /// What stands before the next item of a list; `None` if nothing does.
    pub fn next(&mut self, list: &str, depth: usize) -> Option<ItemMark> {
        let named = |element: &str, key: &str, id: &str| {
            self.root?.elements().find(|found| found.name == element && found.attribute(key) == Some(id))
        };
        let number = named("w:num", "w:numId", list)?;
        let definition = number.attribute_of("w:abstractNumId", "w:val")?;
        let levels = named("w:abstractNum", "w:abstractNumId", definition)?;
        let depth_text = depth.to_string();
        let level =
            levels.elements().find(|level| level.name == "w:lvl" && level.attribute("w:ilvl") == Some(&depth_text))?;
        let overridden = number
            .elements()
            .find(|element| element.name == "w:lvlOverride" && element.attribute("w:ilvl") == Some(&depth_text));
        let own_start = overridden.and_then(|element| element.attribute_of("w:startOverride", "w:val"));
        let level = overridden.and_then(|element| element.child("w:lvl")).unwrap_or(level);
        match level.attribute_of("w:numFmt", "w:val") {
            Some("bullet") => return Some(ItemMark::Bullet),
            Some("none") => return None,
            _ => {}
        }
        // A list that states its own start does not continue another one of its definition.
        let id = if own_start.is_some() { format!("#{list}") } else { definition.to_owned() };
        let start = own_start.or_else(|| level.attribute_of("w:start", "w:val")).and_then(|start| start.parse().ok());
        let start: u32 = start.unwrap_or(1);
        let next = self.counters.get(&(id.clone(), depth)).map_or(start, |last| last.saturating_add(1));
        self.counters.retain(|(other, other_depth), _| *other != id || *other_depth <= depth);
        self.counters.insert((id, depth), next);
        Some(ItemMark::Number(next))
    }
}
