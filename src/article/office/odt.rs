//! The text of an `.odt` (OpenDocument 1.3, ISO 26300), as LibreOffice, Collabora and Google Docs write it.

use std::collections::HashMap;

use super::blocks::{ListItem, OfficeBlock, html_of};
use super::inline::{BREAK, InlineText, TextLook, is_of_code};
use super::parts::{OfficeError, OfficeParts, OfficeText, note_reference, picture_at};
use super::tables::{OfficeCell, table_of};
use super::xml::{OfficeElement, OfficeNode, read};

/// Maximum number of styles that build on each other.
const MAX_CHAIN: usize = 20;
/// Maximum number of repeated spaces, cells or rows that count.
const MOST_REPEATED: usize = 100;

/// Reads the text.
pub fn text(parts: &OfficeParts<'_>) -> Result<OfficeText, OfficeError> {
    let content = read(&parts.get("content.xml")?.ok_or(OfficeError::Damaged)?)?;
    let styles = parts.get("styles.xml")?.map(|bytes| read(&bytes)).transpose()?;
    let roots = [Some(&content), styles.as_ref()];
    let groups = roots.into_iter().flatten().flat_map(OfficeElement::elements);
    let groups = groups.filter(|group| matches!(group.name.as_str(), "office:automatic-styles" | "office:styles"));
    let all: Vec<&OfficeElement> = groups.flat_map(OfficeElement::elements).collect();
    let of_kind = |name: &str| {
        let styles = all.iter().filter(|style| style.name == name);
        // Those of the text precede those that all texts have.
        let mut by_name = HashMap::new();
        for style in styles.rev() {
            by_name.extend(style.attribute("style:name").map(|name| (name, *style)));
        }
        by_name
    };
    let mut reader = OdtReader {
        parts,
        styles: of_kind("style:style"),
        lists: of_kind("text:list-style"),
        text: OfficeText::default(),
        notes: Vec::new(),
        counters: HashMap::new(),
    };
    let body = content.child("office:body").and_then(|body| body.child("office:text")).ok_or(OfficeError::Damaged)?;
    let blocks = reader.blocks(body);
    reader.text.blocks = blocks;
    let mut next = 0;
    while let Some(note) = reader.notes.get(next).copied() {
        next += 1;
        let html = html_of(&reader.blocks(note));
        reader.text.note_texts.push(html);
    }
    let meta = parts.get("meta.xml")?.and_then(|bytes| read(&bytes).ok());
    if let Some(meta) = meta.as_ref().and_then(|meta| meta.child("office:meta")) {
        let field =
            |name: &str| meta.child(name).map(|field| field.text().trim().to_owned()).filter(|text| !text.is_empty());
        let keywords = meta.elements().filter(|element| element.name == "meta:keyword").map(OfficeElement::text);
        let keywords: Vec<String> = keywords.collect();
        reader.text.stated_title = field("dc:title");
        reader.text.author = field("meta:initial-creator").or_else(|| field("dc:creator"));
        reader.text.keywords = Some(keywords.join(";")).filter(|keywords| !keywords.is_empty());
        reader.text.language = field("dc:language");
    }
    Ok(reader.text)
}

struct OdtReader<'a> {
    parts: &'a OfficeParts<'a>,
    styles: HashMap<&'a str, &'a OfficeElement>,
    lists: HashMap<&'a str, &'a OfficeElement>,
    text: OfficeText,
    notes: Vec<&'a OfficeElement>,
    /// The number of the last item of a list that others continue, by its id or style and the depth.
    counters: HashMap<(String, usize), u32>,
}

/// Where a paragraph is in lists.
#[derive(Debug, Default, Clone)]
struct ListPlace<'a> {
    style: Option<&'a str>,
    depth: usize,
    /// The number of the item, if it has one; taken by its first paragraph.
    number: Option<u32>,
    /// The next paragraph is the first of its item.
    is_first: bool,
    is_in_list: bool,
}

impl<'a> OdtReader<'a> {
    fn blocks(&mut self, parent: &'a OfficeElement) -> Vec<OfficeBlock> {
        let mut blocks = Vec::new();
        self.push_blocks(parent, &mut ListPlace::default(), &mut blocks);
        blocks
    }

    fn push_blocks(&mut self, parent: &'a OfficeElement, place: &mut ListPlace<'a>, blocks: &mut Vec<OfficeBlock>) {
        for element in parent.elements() {
            match element.name.as_str() {
                "text:p" | "text:h" => self.push_paragraph(element, place, blocks),
                "text:list" => self.push_list(element, place, blocks),
                "table:table" => self.push_table(element, blocks),
                "text:section" if is_shown_section(element) => self.push_blocks(element, place, blocks),
                "text:numbered-paragraph" | "office:text" => self.push_blocks(element, place, blocks),
                "draw:frame" | "draw:g" => {
                    let mut text = InlineText::default();
                    self.push_frame(element, &TextLook::default(), &mut text, blocks);
                    if !text.is_empty() {
                        blocks.push(OfficeBlock::Picture(text.finish()));
                    }
                }
                _ => {}
            }
        }
    }

    /// A style and those that it builds on, the nearest first.
    fn chain(&self, name: Option<&str>) -> Vec<&'a OfficeElement> {
        let (mut chain, mut next) = (Vec::new(), name);
        while let Some(style) = next.and_then(|name| self.styles.get(name)).filter(|_| chain.len() < MAX_CHAIN) {
            chain.push(*style);
            next = style.attribute("style:parent-style-name");
        }
        chain
    }

    /// Names of a style and those that it builds on, in lower case and with spaces.
    fn names(&self, name: Option<&str>) -> Vec<String> {
        let last = self.chain(name).last().and_then(|style| style.attribute("style:parent-style-name")).or(name);
        let chain = self.chain(name);
        let named = chain.iter().filter_map(|style| style.attribute("style:name")).chain(last);
        named.map(|name| name.replace("_20_", " ").to_lowercase()).collect()
    }

    fn look(&self, name: Option<&str>, of_parent: &TextLook) -> TextLook {
        let mut look = of_parent.clone();
        let mut chain = self.chain(name);
        chain.reverse();
        for properties in chain.iter().filter_map(|style| style.child("style:text-properties")) {
            apply(&mut look, properties);
        }
        for name in self.names(name) {
            match name.as_str() {
                "strong emphasis" => look.bold = true,
                "emphasis" => look.italic = true,
                "source text" | "teletype" | "user entry" => look.code = true,
                _ => {}
            }
        }
        look
    }

    fn push_paragraph(
        &mut self,
        paragraph: &'a OfficeElement,
        place: &mut ListPlace<'a>,
        blocks: &mut Vec<OfficeBlock>,
    ) {
        if hides_paragraph(paragraph) {
            return;
        }
        let style = paragraph.attribute("text:style-name");
        let names = self.names(style);
        let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
        // The look of all its text is that of its style; only what hides it and what it strikes matters here.
        let of_style = self.look(style, &TextLook::default());
        let is_plain = place.is_in_list
            || !(has(&["heading", "title", "subtitle", "quotations", "preformatted text"])
                || paragraph.name == "text:h");
        let is_automatic =
            style.is_some_and(|name| name.starts_with('P') && name[1..].bytes().all(|byte| byte.is_ascii_digit()));
        let look = if is_plain && is_automatic {
            of_style
        } else {
            TextLook { hidden: of_style.hidden, ..TextLook::default() }
        };
        let (mut text, mut boxes) = (InlineText::default(), Vec::new());
        self.push_inline(paragraph, &look, &mut text, &mut boxes);
        let level = paragraph.attribute("text:outline-level").and_then(|level| level.parse().ok());
        if !text.is_empty() {
            let plain = text.plain().to_owned();
            let block = match () {
                () if paragraph.name == "text:h" => OfficeBlock::Heading(level.unwrap_or(1_u8).max(1), text.finish()),
                () if has(&["title"]) => OfficeBlock::Title(text.finish()),
                () if place.is_first && place.is_in_list => {
                    OfficeBlock::Item(ListItem { depth: place.depth, number: place.number, html: text.finish() })
                }
                () if place.is_in_list => OfficeBlock::InItem(text.finish()),
                () if has(&["preformatted text", "source code"]) && !text.is_picture() => OfficeBlock::Code(plain),
                () if has(&["caption", "illustration", "figure", "table"]) => OfficeBlock::Caption(text.finish()),
                () if text.is_picture() => OfficeBlock::Picture(text.finish()),
                () if has(&["quotations"]) => OfficeBlock::Quotation(text.finish()),
                () => OfficeBlock::Paragraph(text.finish(), plain),
            };
            place.is_first = false;
            blocks.push(block);
        }
        blocks.append(&mut boxes);
    }

    fn push_inline(
        &mut self,
        parent: &'a OfficeElement,
        look: &TextLook,
        text: &mut InlineText,
        boxes: &mut Vec<OfficeBlock>,
    ) {
        for child in &parent.children {
            let element = match child {
                OfficeNode::Text(own) => {
                    text.push(&folded(own), look);
                    continue;
                }
                OfficeNode::Element(element) => element,
            };
            // A field that sets a variable may show nothing.
            if element.attribute("text:display") == Some("none") {
                continue;
            }
            match element.name.as_str() {
                "text:span" => {
                    let look = self.look(element.attribute("text:style-name"), look);
                    self.push_inline(element, &look, text, boxes);
                }
                "text:a" => {
                    let address = element.attribute("xlink:href").filter(|address| !address.starts_with('#'));
                    let look = TextLook { link: address.map(Into::into), ..look.clone() };
                    self.push_inline(element, &look, text, boxes);
                }
                "text:s" => {
                    let count = element.attribute("text:c").and_then(|count| count.parse().ok()).unwrap_or(1);
                    text.push(&" ".repeat(count.clamp(1, MOST_REPEATED)), look);
                }
                "text:tab" => text.push(" ", look),
                "text:line-break" => text.push_element(BREAK, look),
                "text:note" => self.push_note(element, look, text),
                "draw:frame" | "draw:g" | "draw:a" | "draw:custom-shape" => self.push_frame(element, look, text, boxes),
                "text:ruby" => {
                    if let Some(base) = element.child("text:ruby-base") {
                        self.push_inline(base, look, text, boxes);
                    }
                    if let Some(above) =
                        element.child("text:ruby-text").map(OfficeElement::text).filter(|above| !above.is_empty())
                    {
                        text.push(&format!(" ({above})"), look);
                    }
                }
                "text:hidden-text" if is_hidden_by_condition(element) => {}
                // Comments and marks.
                "office:annotation"
                | "office:annotation-end"
                | "text:hidden-paragraph"
                | "text:script"
                | "text:tracked-changes"
                | "office:forms"
                | "text:alphabetical-index-mark" => {}
                _ => self.push_inline(element, look, text, boxes),
            }
        }
    }

    fn push_note(&mut self, note: &'a OfficeElement, look: &TextLook, text: &mut InlineText) {
        if let Some(body) = note.child("text:note-body").filter(|_| !look.hidden) {
            self.notes.push(body);
            let number = self.text.number_of_note(&self.notes.len().to_string());
            text.push_element(&note_reference(number), &TextLook::default());
        }
    }

    fn push_frame(
        &mut self,
        frame: &'a OfficeElement,
        look: &TextLook,
        text: &mut InlineText,
        boxes: &mut Vec<OfficeBlock>,
    ) {
        if look.hidden || frame.attribute("draw:display") == Some("none") {
            return;
        }
        let words = ["svg:desc", "svg:title"]
            .iter()
            .find_map(|name| Some(frame.child(name)?.text()).filter(|words| !words.is_empty()));
        let words = words.unwrap_or_default();
        let mut is_shown = false;
        for child in frame.elements() {
            match child.name.as_str() {
                // Of several forms of a picture, the first that is known counts.
                "draw:image" if !is_shown => {
                    let Some(address) = child.attribute("xlink:href") else { continue };
                    let picture = if address.contains("://") {
                        Some(picture_at(address, &words))
                    } else {
                        self.parts.picture(address.trim_start_matches("./"), &words)
                    };
                    if let Some(picture) = picture {
                        text.push_element(&picture, look);
                        is_shown = true;
                    }
                }
                "draw:text-box" => boxes.extend(self.blocks(child)),
                "draw:object" => {
                    self.text.has_formulas = true;
                    is_shown = true;
                }
                "draw:frame" | "draw:g" => self.push_frame(child, look, text, boxes),
                "text:p" | "text:list" => {
                    boxes.extend(self.blocks(frame));
                    return;
                }
                _ => {}
            }
        }
        let has_picture = frame.child("draw:image").is_some();
        self.text.lost_pictures += usize::from(has_picture && !is_shown);
    }

    fn push_list(&mut self, list: &'a OfficeElement, outer: &ListPlace<'a>, blocks: &mut Vec<OfficeBlock>) {
        let style = list.attribute("text:style-name").or(outer.style);
        let depth = if outer.is_in_list { outer.depth + 1 } else { 0 };
        let level = style.and_then(|style| self.lists.get(style)).and_then(|style| {
            let wanted = (depth + 1).to_string();
            style.elements().find(|level| level.attribute("text:level") == Some(&wanted))
        });
        let is_numbered = level.is_some_and(|level| {
            level.name == "text:list-level-style-number"
                && level.attribute("style:num-format").is_some_and(|format| !format.is_empty())
        });
        let start = level.and_then(|level| level.attribute("text:start-value")?.parse().ok()).unwrap_or(1_u32);
        let key = |id: &str| (id.to_owned(), depth);
        let before = list.attribute("text:continue-list").map(key).and_then(|key| self.counters.get(&key).copied());
        let same_style = || self.counters.get(&key(style?)).copied();
        let continues = list.attribute("text:continue-numbering") == Some("true");
        let before = before.or_else(|| same_style().filter(|_| continues));
        let mut next = before.map_or(start, |last| last.saturating_add(1));
        for item in list.elements().filter(|item| matches!(item.name.as_str(), "text:list-item" | "text:list-header")) {
            if let Some(own) = item.attribute("text:start-value").and_then(|own| own.parse().ok()) {
                next = own;
            }
            let has_number = is_numbered && item.name == "text:list-item";
            let mut place =
                ListPlace { style, depth, number: has_number.then_some(next), is_first: true, is_in_list: true };
            self.push_blocks(item, &mut place, blocks);
            next = next.saturating_add(u32::from(has_number));
        }
        let ids = [list.attribute("xml:id"), style];
        for id in ids.into_iter().flatten().filter(|_| is_numbered) {
            self.counters.insert(key(id), next.saturating_sub(1));
        }
    }

    fn push_table(&mut self, table: &'a OfficeElement, blocks: &mut Vec<OfficeBlock>) {
        let style = self.chain(table.attribute("table:style-name"));
        let properties = style.iter().find_map(|style| style.child("style:table-properties"));
        if properties.and_then(|properties| properties.attribute("table:display")) == Some("false") {
            return;
        }
        let mut hidden = Vec::new();
        push_hidden_columns(table, &mut hidden);
        let mut rows = Vec::new();
        self.push_rows(table, false, &hidden, &mut rows);
        table_of(rows, blocks);
    }

    /// Appends the rows that are shown, without the cells of hidden columns.
    fn push_rows(
        &mut self,
        parent: &'a OfficeElement,
        is_head: bool,
        hidden: &[bool],
        rows: &mut Vec<(bool, Vec<OfficeCell>)>,
    ) {
        for element in parent.elements().filter(|element| !is_hidden_part(element)) {
            match element.name.as_str() {
                "table:table-header-rows" => self.push_rows(element, true, hidden, rows),
                "table:table-rows" | "table:table-row-group" => self.push_rows(element, is_head, hidden, rows),
                "table:table-row" => rows.push((is_head, self.cells(element, hidden))),
                _ => {}
            }
        }
    }

    fn cells(&mut self, row: &'a OfficeElement, hidden: &[bool]) -> Vec<OfficeCell> {
        let (mut cells, mut column) = (Vec::new(), 0);
        for cell in row.elements() {
            let number = |name: &str| cell.attribute(name).and_then(|number| number.parse().ok()).unwrap_or(1_usize);
            let (columns, rows) = (number("table:number-columns-spanned"), number("table:number-rows-spanned"));
            for _ in 0..number("table:number-columns-repeated").clamp(1, MOST_REPEATED) {
                let is_hidden = hidden.get(column).copied().unwrap_or_default();
                column += usize::from(matches!(cell.name.as_str(), "table:table-cell" | "table:covered-table-cell"));
                if cell.name == "table:table-cell" && !is_hidden {
                    let blocks = self.blocks(cell);
                    cells.push(OfficeCell { blocks, columns: columns.clamp(1, 1_000), rows: rows.clamp(1, 1_000) });
                }
            }
        }
        cells
    }
}

/// Whether a row, a column or a group of them is hidden.
fn is_hidden_part(part: &OfficeElement) -> bool {
    matches!(part.attribute("table:visibility"), Some("collapse" | "filter"))
        || part.attribute("table:display") == Some("false")
}

/// Appends for each column whether it is hidden.
fn push_hidden_columns(parent: &OfficeElement, hidden: &mut Vec<bool>) {
    for element in parent.elements() {
        match element.name.as_str() {
            "table:table-column" => {
                let count = element.attribute("table:number-columns-repeated").and_then(|count| count.parse().ok());
                let count = count.unwrap_or(1_usize).clamp(1, MOST_REPEATED);
                hidden.extend(std::iter::repeat_n(is_hidden_part(element), count));
            }
            "table:table-columns" | "table:table-header-columns" | "table:table-column-group" => {
                let first = hidden.len();
                push_hidden_columns(element, hidden);
                if is_hidden_part(element) {
                    hidden[first..].fill(true);
                }
            }
            _ => {}
        }
    }
}

/// Whether a paragraph has a field that hides it (OpenDocument 1.3, 7.7.11). Paragraphs in its notes and boxes have their own.
fn hides_paragraph(paragraph: &OfficeElement) -> bool {
    paragraph.elements().any(|element| match element.name.as_str() {
        "text:hidden-paragraph" => is_hidden_by_condition(element),
        "text:p" | "text:h" => false,
        _ => hides_paragraph(element),
    })
}

/// Whether a part that a condition hides is hidden. LibreOffice states only that it is, so that a part without a statement is visible,
/// unless its condition is always true or missing.
fn is_hidden_by_condition(element: &OfficeElement) -> bool {
    if let Some(state) = element.attribute("text:is-hidden") {
        return state != "false";
    }
    let condition = element.attribute("text:condition").unwrap_or("1").trim();
    let condition = condition.split_once(':').map_or(condition, |(_, condition)| condition);
    let condition = condition.trim().trim_matches(['"', '(', ')']).to_ascii_lowercase();
    condition == "true" || condition.parse::<f64>().is_ok_and(|number| number != 0.0)
}

fn is_shown_section(section: &OfficeElement) -> bool {
    match section.attribute("text:display") {
        None | Some("true") => true,
        Some("condition") => !is_hidden_by_condition(section),
        Some(_) => false,
    }
}

/// White space as the standard reads it: several spaces and line breaks of the source are one space.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        let is_space = matches!(c, ' ' | '\t' | '\n' | '\r');
        if !is_space {
            folded.push(c);
        } else if !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded
}

fn apply(look: &mut TextLook, properties: &OfficeElement) {
    let value = |name: &str| properties.attribute(name);
    if let Some(weight) = value("fo:font-weight") {
        look.bold = weight == "bold" || weight.parse::<u32>().is_ok_and(|weight| weight >= 600);
    }
    if let Some(style) = value("fo:font-style") {
        look.italic = matches!(style, "italic" | "oblique");
    }
    if let Some(style) = value("style:text-line-through-style").or_else(|| value("style:text-line-through-type")) {
        look.strike = style != "none";
    }
    if let Some(position) = value("style:text-position") {
        let raised = position.split_whitespace().next().unwrap_or_default();
        look.raised = raised == "super" || raised.trim_end_matches('%').parse::<f64>().is_ok_and(|raised| raised > 0.0);
        look.lowered = raised == "sub" || raised.starts_with('-');
    }
    if let Some(display) = value("text:display") {
        look.hidden = display == "none";
    }
    if let Some(color) = value("fo:background-color") {
        look.marked = color != "transparent" && color != "#ffffff";
    }
    if let Some(font) = value("style:font-name").or_else(|| value("fo:font-family")) {
        look.code = is_of_code(font);
    }
}
