//! The text of a `.docx` (ECMA-376, ISO 29500), as Word, LibreOffice, Google Docs and Pages write it.

mod styles;

use std::collections::HashMap;
use std::rc::Rc;

use super::blocks::{ListItem, OfficeBlock, html_of};
use super::inline::{BREAK, InlineText, TextLook};
use super::parts::{OfficeError, OfficeParts, OfficeText, note_reference, picture_at};
use super::tables::{OfficeCell, table_of};
use super::xml::{OfficeElement, OfficeNode, read};
use styles::{DocxLists, DocxStyles, ItemMark, ParagraphKind, is_on};

/// Reads the text.
pub fn text(parts: &OfficeParts<'_>) -> Result<OfficeText, OfficeError> {
    let main = main_part(parts)?;
    let document = read(&parts.get(&main)?.ok_or(OfficeError::Damaged)?)?;
    let (folder, name) = main.rsplit_once('/').unwrap_or(("", &main));
    let beside = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let part = |name: &str| parts.get(&beside(name))?.map(|bytes| read(&bytes)).transpose();
    let (styles, numbering) = (part("styles.xml")?, part("numbering.xml")?);
    let notes = [("w:footnote", part("footnotes.xml")?), ("w:endnote", part("endnotes.xml")?)];
    let relations_of = |name: &str| relations(parts, &beside(&format!("_rels/{name}.rels")), folder);
    let mut reader = DocxReader {
        parts,
        styles: DocxStyles::of(styles.as_ref()),
        lists: DocxLists::of(numbering.as_ref()),
        relations: relations_of(name)?,
        text: OfficeText::default(),
        fields: Vec::new(),
        carried: None,
    };
    let body = document.child("w:body").ok_or(OfficeError::Damaged)?;
    let blocks = reader.blocks(body);
    reader.text.blocks = blocks;
    let relations = [relations_of("footnotes.xml")?, relations_of("endnotes.xml")?];
    reader.read_notes(&notes, &relations);
    let core = parts.get("docProps/core.xml")?.and_then(|bytes| read(&bytes).ok());
    if let Some(core) = core {
        let field =
            |name: &str| core.child(name).map(|field| field.text().trim().to_owned()).filter(|text| !text.is_empty());
        reader.text.stated_title = field("dc:title");
        reader.text.author = field("dc:creator");
        reader.text.keywords = field("cp:keywords");
        reader.text.language = field("dc:language");
    }
    Ok(reader.text)
}

/// The part with the text, which most programs call `word/document.xml`.
fn main_part(parts: &OfficeParts<'_>) -> Result<String, OfficeError> {
    let package = parts.get("_rels/.rels")?.and_then(|bytes| read(&bytes).ok());
    let target = package.as_ref().and_then(|package| {
        let mut relations = package.elements();
        let main = relations
            .find(|relation| relation.attribute("Type").is_some_and(|kind| kind.ends_with("/officeDocument")))?;
        Some(main.attribute("Target")?.trim_start_matches('/').to_owned())
    });
    Ok(target.unwrap_or_else(|| "word/document.xml".to_owned()))
}

/// The targets of a part's relations by their ids: addresses, and names of files of the archive.
fn relations(
    parts: &OfficeParts<'_>,
    name: &str,
    folder: &str,
) -> Result<HashMap<String, RelationTarget>, OfficeError> {
    let Some(bytes) = parts.get(name)? else { return Ok(HashMap::new()) };
    let root = read(&bytes)?;
    let relation = |relation: &OfficeElement| {
        let (id, target) = (relation.attribute("Id")?.to_owned(), relation.attribute("Target")?);
        let target = match relation.attribute("TargetMode") {
            Some("External") => RelationTarget::Address(target.into()),
            _ => RelationTarget::Part(match target.strip_prefix('/') {
                Some(whole) => whole.to_owned(),
                None if folder.is_empty() => target.to_owned(),
                None => format!("{folder}/{target}"),
            }),
        };
        Some((id, target))
    };
    Ok(root.elements().filter_map(relation).collect())
}

#[derive(Debug, Clone)]
enum RelationTarget {
    Address(Rc<str>),
    Part(String),
}

/// A field, such as a link or the number of a page.
#[derive(Debug, Default)]
struct DocxField {
    instruction: String,
    /// Its result follows; before, there is only its instruction.
    has_result: bool,
}

struct DocxReader<'a> {
    parts: &'a OfficeParts<'a>,
    styles: DocxStyles<'a>,
    lists: DocxLists<'a>,
    relations: HashMap<String, RelationTarget>,
    text: OfficeText,
    /// Fields that are open.
    fields: Vec<DocxField>,
    /// The text of a paragraph whose end is deleted: the next paragraph continues it.
    carried: Option<InlineText>,
}

impl<'a> DocxReader<'a> {
    /// The blocks in the body, a cell, a note or a box.
    fn blocks(&mut self, parent: &'a OfficeElement) -> Vec<OfficeBlock> {
        let mut blocks = Vec::new();
        self.push_blocks(parent, &mut blocks);
        if let Some(carried) = self.carried.take().filter(|text| !text.is_empty()) {
            let plain = carried.plain().to_owned();
            blocks.push(OfficeBlock::Paragraph(carried.finish(), plain));
        }
        blocks
    }

    fn push_blocks(&mut self, parent: &'a OfficeElement, blocks: &mut Vec<OfficeBlock>) {
        for element in parent.elements() {
            match element.name.as_str() {
                "w:p" => self.push_paragraph(element, blocks),
                "w:tbl" => self.push_table(element, blocks),
                "w:sdt" if is_contents(element) => {}
                "w:sdt" => {
                    if let Some(content) = element.child("w:sdtContent") {
                        self.push_blocks(content, blocks);
                    }
                }
                "w:ins" | "w:moveTo" | "w:customXml" | "w:smartTag" => self.push_blocks(element, blocks),
                "mc:AlternateContent" => {
                    if let Some(chosen) = chosen(element) {
                        self.push_blocks(chosen, blocks);
                    }
                }
                _ => {}
            }
        }
    }

    fn push_paragraph(&mut self, paragraph: &'a OfficeElement, blocks: &mut Vec<OfficeBlock>) {
        let properties = paragraph.child("w:pPr");
        let (kind, mut boxes) = (self.styles.kind(properties), Vec::new());
        let mut text = self.carried.take().unwrap_or_default();
        let look = TextLook { hidden: self.styles.hides(properties), ..TextLook::default() };
        self.push_runs(paragraph, &look, &mut text, &mut boxes);
        let is_joined = properties.and_then(|properties| properties.child("w:rPr")?.child("w:del")).is_some();
        if is_joined {
            self.carried = Some(text);
        } else if !text.is_empty() && kind != ParagraphKind::Contents {
            let block = self.block(kind, properties, text);
            blocks.push(block);
        }
        blocks.append(&mut boxes);
    }

    fn block(&mut self, kind: ParagraphKind, properties: Option<&'a OfficeElement>, text: InlineText) -> OfficeBlock {
        let plain = text.plain().to_owned();
        match kind {
            ParagraphKind::Title => return OfficeBlock::Title(text.finish()),
            ParagraphKind::Heading(level) => return OfficeBlock::Heading(level, text.finish()),
            ParagraphKind::Code if !text.is_picture() => return OfficeBlock::Code(plain),
            ParagraphKind::Caption => return OfficeBlock::Caption(text.finish()),
            _ => {}
        }
        let item = self.styles.list(properties).and_then(|(list, depth)| Some((self.lists.next(list, depth)?, depth)));
        match item {
            Some((mark, depth)) => {
                let number = if let ItemMark::Number(number) = mark { Some(number) } else { None };
                OfficeBlock::Item(ListItem { depth, number, html: text.finish() })
            }
            None if text.is_picture() => OfficeBlock::Picture(text.finish()),
            None if kind == ParagraphKind::Quotation => OfficeBlock::Quotation(text.finish()),
            None => OfficeBlock::Paragraph(text.finish(), plain),
        }
    }

    /// Appends the runs of a paragraph, or of an element in it. Texts in boxes become blocks of their own.
    fn push_runs(
        &mut self,
        parent: &'a OfficeElement,
        look: &TextLook,
        text: &mut InlineText,
        boxes: &mut Vec<OfficeBlock>,
    ) {
        for element in parent.elements() {
            match element.name.as_str() {
                "w:r" => self.push_run(element, look, text, boxes),
                "w:hyperlink" => {
                    let target = element.attribute("r:id").and_then(|id| self.relations.get(id));
                    let link = match target {
                        Some(RelationTarget::Address(address)) => {
                            let part = element.attribute("w:anchor").map(|part| format!("#{part}")).unwrap_or_default();
                            Some(if address.contains('#') {
                                address.clone()
                            } else {
                                format!("{address}{part}").into()
                            })
                        }
                        _ => None,
                    };
                    let look = TextLook { link: link.or_else(|| look.link.clone()), ..look.clone() };
                    self.push_runs(element, &look, text, boxes);
                }
                "w:fldSimple" => {
                    let link = element.attribute("w:instr").and_then(address_of).map(Into::into);
                    let look = TextLook { link: link.or_else(|| look.link.clone()), ..look.clone() };
                    self.push_runs(element, &look, text, boxes);
                }
                "w:ins" | "w:moveTo" | "w:smartTag" | "w:customXml" | "w:dir" | "w:bdo" => {
                    self.push_runs(element, look, text, boxes);
                }
                "w:sdt" => {
                    if let Some(content) = element.child("w:sdtContent") {
                        self.push_runs(content, look, text, boxes);
                    }
                }
                "mc:AlternateContent" => {
                    if let Some(chosen) = chosen(element) {
                        self.push_runs(chosen, look, text, boxes);
                    }
                }
                "m:oMath" | "m:oMathPara" => {
                    self.text.has_formulas = true;
                    text.push(&element.text(), look);
                }
                _ => {}
            }
        }
    }

    fn push_run(
        &mut self,
        run: &'a OfficeElement,
        look: &TextLook,
        text: &mut InlineText,
        boxes: &mut Vec<OfficeBlock>,
    ) {
        let own = self.styles.look(run.child("w:rPr"));
        let link =
            self.fields.iter().rev().find(|field| field.has_result).and_then(|field| address_of(&field.instruction));
        let link = look.link.clone().or_else(|| link.map(Into::into));
        let look = TextLook { link, hidden: own.hidden || look.hidden, ..own };
        for child in run.elements() {
            // Between its start and its result, a field has only its instruction.
            let is_shown = self.fields.iter().all(|field| field.has_result);
            match child.name.as_str() {
                "w:fldChar" => self.note_field(child),
                "w:instrText" => {
                    if let Some(field) = self.fields.last_mut().filter(|field| !field.has_result) {
                        field.instruction.push_str(&child.text());
                    }
                }
                _ if is_shown => self.push_part(child, &look, text, boxes),
                _ => {}
            }
        }
    }

    fn note_field(&mut self, mark: &OfficeElement) {
        match mark.attribute("w:fldCharType") {
            Some("begin") => self.fields.push(DocxField::default()),
            Some("separate") => {
                if let Some(field) = self.fields.last_mut() {
                    field.has_result = true;
                }
            }
            Some("end") => {
                self.fields.pop();
            }
            _ => {}
        }
    }

    /// Appends a part of a run.
    fn push_part(
        &mut self,
        part: &'a OfficeElement,
        look: &TextLook,
        text: &mut InlineText,
        boxes: &mut Vec<OfficeBlock>,
    ) {
        match part.name.as_str() {
            "w:t" => text.push(&part.text(), look),
            "w:tab" | "w:ptab" => text.push(" ", look),
            "w:noBreakHyphen" => text.push("\u{2011}", look),
            "w:cr" => text.push_element(BREAK, look),
            "w:br" if part.attribute("w:type").is_none_or(|kind| kind == "textWrapping") => {
                text.push_element(BREAK, look);
            }
            "w:footnoteReference" | "w:endnoteReference" => {
                if let Some(id) = part.attribute("w:id").filter(|_| !look.hidden) {
                    let kind = if part.name == "w:footnoteReference" { "w:footnote" } else { "w:endnote" };
                    let number = self.text.number_of_note(&format!("{kind} {id}"));
                    text.push_element(&note_reference(number), &TextLook::default());
                }
            }
            "w:drawing" | "w:pict" | "w:object" => self.push_drawing(part, look, text, boxes),
            "mc:AlternateContent" => {
                let chosen = chosen(part).into_iter().flat_map(OfficeElement::elements);
                for part in chosen {
                    self.push_part(part, look, text, boxes);
                }
            }
            "w:ruby" => {
                let base = part.child("w:rubyBase").map(plain_text).unwrap_or_default();
                let above = part.child("w:rt").map(plain_text).unwrap_or_default();
                text.push(&base, look);
                if !above.is_empty() {
                    text.push(&format!(" ({above})"), look);
                }
            }
            _ => {}
        }
    }

    fn push_drawing(
        &mut self,
        drawing: &'a OfficeElement,
        look: &TextLook,
        text: &mut InlineText,
        boxes: &mut Vec<OfficeBlock>,
    ) {
        if look.hidden || is_hidden_drawing(drawing) {
            return;
        }
        if let Some(content) = drawing.find("w:txbxContent") {
            let own = std::mem::take(&mut self.fields);
            let carried = self.carried.take();
            boxes.extend(self.blocks(content));
            (self.fields, self.carried) = (own, carried);
            return;
        }
        let id = drawing
            .find("a:blip")
            .and_then(|picture| picture.attribute("r:embed").or_else(|| picture.attribute("r:link")));
        let id = id.or_else(|| drawing.find("v:imagedata")?.attribute("r:id"));
        let properties = drawing.find("wp:docPr");
        let words = properties.and_then(|properties| properties.attribute("descr").filter(|words| !words.is_empty()));
        let words = words.unwrap_or_default();
        let picture = match id.and_then(|id| self.relations.get(id)) {
            Some(RelationTarget::Part(name)) => self.parts.picture(name, words),
            Some(RelationTarget::Address(address)) => Some(picture_at(address, words)),
            None => return,
        };
        match picture {
            Some(picture) => text.push_element(&picture, look),
            None => self.text.lost_pictures += 1,
        }
    }

    fn push_table(&mut self, table: &'a OfficeElement, blocks: &mut Vec<OfficeBlock>) {
        if self.styles.hides_table(table) {
            return;
        }
        let mut rows: Vec<(bool, Vec<OfficeCell>)> = Vec::new();
        // For each column, the cell that continues below.
        let mut above: HashMap<usize, (usize, usize)> = HashMap::new();
        for row in table_rows(table) {
            let properties = row.child("w:trPr");
            let is_gone = |properties: &OfficeElement| {
                properties.child("w:del").is_some() || properties.child("w:hidden").is_some_and(is_on)
            };
            if properties.is_some_and(is_gone) {
                continue;
            }
            let is_head = properties.and_then(|properties| properties.child("w:tblHeader")).is_some();
            let (mut cells, mut column) = (Vec::new(), 0);
            for cell in table_cells(row) {
                let properties = cell.child("w:tcPr");
                let span =
                    properties.and_then(|properties| properties.attribute_of("w:gridSpan", "w:val")?.parse().ok());
                let span = span.unwrap_or(1_usize).clamp(1, 1_000);
                let merge = properties.and_then(|properties| properties.child("w:vMerge"));
                let continues = merge.is_some_and(|merge| merge.attribute("w:val") != Some("restart"));
                if let Some((row, cell)) = above.get(&column).filter(|_| continues) {
                    if let Some(cell) = rows.get_mut(*row).and_then(|(_, cells)| cells.get_mut(*cell)) {
                        cell.rows += 1;
                    }
                } else {
                    if merge.is_some() {
                        above.insert(column, (rows.len(), cells.len()));
                    } else {
                        above.remove(&column);
                    }
                    let own = std::mem::take(&mut self.fields);
                    cells.push(OfficeCell { blocks: self.blocks(cell), columns: span, rows: 1 });
                    self.fields = own;
                }
                column += span;
            }
            rows.push((is_head, cells));
        }
        table_of(rows, blocks);
    }

    fn read_notes(
        &mut self,
        notes: &'a [(&str, Option<OfficeElement>); 2],
        relations: &[HashMap<String, RelationTarget>; 2],
    ) {
        let mut next = 0;
        // A note may refer to another one, which then follows it.
        while let Some(name) = self.text.notes.get(next).cloned() {
            next += 1;
            let html = notes.iter().zip(relations).find_map(|((kind, part), relations)| {
                let id = name.strip_prefix(kind)?.trim_start();
                let note =
                    part.as_ref()?.elements().find(|note| note.name == *kind && note.attribute("w:id") == Some(id))?;
                self.relations.clone_from(relations);
                Some(html_of(&self.blocks(note)))
            });
            self.text.note_texts.push(html.unwrap_or_default());
        }
    }
}

/// The rows of a table, also those in controls and those that were inserted.
fn table_rows(table: &OfficeElement) -> Vec<&OfficeElement> {
    flattened(table, "w:tr")
}

fn table_cells(row: &OfficeElement) -> Vec<&OfficeElement> {
    flattened(row, "w:tc")
}

fn flattened<'a>(parent: &'a OfficeElement, name: &str) -> Vec<&'a OfficeElement> {
    let of_one = |element: &'a OfficeElement| match element.name.as_str() {
        own if own == name => vec![element],
        "w:sdt" => element.child("w:sdtContent").map(|content| flattened(content, name)).unwrap_or_default(),
        "w:ins" | "w:customXml" => flattened(element, name),
        _ => Vec::new(),
    };
    // A cell may be deleted in a version that keeps track of changes.
    let is_gone = |cell: &&OfficeElement| {
        name == "w:tc" && cell.child("w:tcPr").is_some_and(|properties| properties.child("w:cellDel").is_some())
    };
    parent.elements().flat_map(of_one).filter(|cell| !is_gone(cell)).collect()
}

/// Whether a drawing is hidden: one of DrawingML by its properties, an older one by its style.
fn is_hidden_drawing(drawing: &OfficeElement) -> bool {
    let is_hidden = |properties: &OfficeElement| matches!(properties.attribute("hidden"), Some("1" | "true"));
    let is_invisible = |shape: &OfficeElement| {
        shape.attribute("style").is_some_and(|style| style.replace(' ', "").contains("visibility:hidden"))
    };
    drawing.find("wp:docPr").is_some_and(is_hidden) || drawing.find("v:shape").is_some_and(is_invisible)
}

/// The form of a content that this reader knows, of several that a program has written.
fn chosen(alternatives: &OfficeElement) -> Option<&OfficeElement> {
    let is_known =
        |choice: &&OfficeElement| ["a:blip", "w:txbxContent", "w:t"].iter().any(|name| choice.find(name).is_some());
    let choices =
        || alternatives.elements().filter(|element| element.name == "mc:Choice" || element.name == "mc:Fallback");
    choices().find(is_known).or_else(|| choices().next())
}

/// Whether a control holds a table of contents.
fn is_contents(control: &OfficeElement) -> bool {
    let gallery = control.child("w:sdtPr").and_then(|properties| properties.find("w:docPartGallery"));
    gallery.and_then(|gallery| gallery.attribute("w:val")) == Some("Table of Contents")
}

fn plain_text(element: &OfficeElement) -> String {
    let mut text = String::new();
    for child in &element.children {
        if let OfficeNode::Element(child) = child {
            text.push_str(&if child.name == "w:t" { child.text() } else { plain_text(child) });
        }
    }
    text
}

/// The address in the instruction of a field, as in `HYPERLINK "https://example.org" \l "part"`.
fn address_of(instruction: &str) -> Option<String> {
    let rest = instruction.trim().strip_prefix("HYPERLINK")?.trim_start();
    let address = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split_whitespace().next()?,
    };
    (!address.is_empty() && !address.starts_with('\\')).then(|| address.to_owned())
}
