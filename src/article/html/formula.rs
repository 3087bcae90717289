//! Formulas in MathML: only presentation elements of MathML Core, plain attributes and text are kept, and written again from the tokens.

use super::tokens::{Tag, Token, TokenKind};
use crate::model::text::{escape, escape_html};

/// Elements that are kept.
pub const ELEMENTS: [&str; 29] = [
    "math",
    "menclose",
    "merror",
    "mfenced",
    "mfrac",
    "mi",
    "mmultiscripts",
    "mn",
    "mo",
    "mover",
    "mpadded",
    "mphantom",
    "mprescripts",
    "mroot",
    "mrow",
    "ms",
    "mspace",
    "msqrt",
    "mstyle",
    "msub",
    "msubsup",
    "msup",
    "mtable",
    "mtd",
    "mtext",
    "mtr",
    "munder",
    "munderover",
    "semantics",
];
/// Attributes that are kept if their values are plain.
pub const ATTRIBUTES: [&str; 29] = [
    "accent",
    "accentunder",
    "columnalign",
    "columnspan",
    "depth",
    "dir",
    "display",
    "displaystyle",
    "fence",
    "form",
    "height",
    "largeop",
    "linethickness",
    "lspace",
    "mathvariant",
    "maxsize",
    "minsize",
    "movablelimits",
    "notation",
    "rowspan",
    "rspace",
    "scriptlevel",
    "separator",
    "stretchy",
    "symmetric",
    "voffset",
    "width",
    "open",
    "close",
];
/// Elements that are left out with their content: other forms of the formula, and what is not part of it.
const LEFT_OUT: [&str; 6] = ["annotation", "annotation-xml", "svg", "script", "style", "mglyph"];
/// Deepest nesting of elements.
const DEEPEST: usize = 60;
/// Longest value of an attribute.
const LONGEST_VALUE: usize = 40;

/// Writes the formula that starts at an index; also returns the index after it, and whether it has an end tag.
pub fn write(tokens: &[Token<'_>], start: usize, output: &mut String) -> (usize, bool) {
    let mut writer = FormulaWriter { output, open: Vec::new(), left_out: None };
    let mut nested = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match &token.kind {
            TokenKind::Foreign(tag) if at == start => writer.start(tag),
            TokenKind::Foreign(tag) => {
                nested += usize::from(tag.name == "math" && !tag.is_self_closing);
                writer.start(tag);
            }
            TokenKind::End(tag) if tag.name == "math" && nested == 0 => {
                writer.finish();
                return (at + 1, true);
            }
            TokenKind::End(tag) => {
                nested -= usize::from(tag.name == "math");
                writer.end(&tag.name);
            }
            TokenKind::Text(text) => writer.text(&text.resolved()),
            // An element of HTML ends the formula.
            TokenKind::Start(_) => {
                writer.finish();
                return (at, true);
            }
            TokenKind::RawText(_) | TokenKind::Comment(_) | TokenKind::Other => {}
        }
        if writer.open.is_empty() && writer.left_out.is_none() {
            return (at + 1, true);
        }
    }
    writer.finish();
    (tokens.len(), false)
}

struct FormulaWriter<'o> {
    output: &'o mut String,
    /// The elements that are open.
    open: Vec<&'static str>,
    /// The open element that is left out, and the number of its name that are open.
    left_out: Option<(&'static str, usize)>,
}

impl FormulaWriter<'_> {
    fn start(&mut self, tag: &Tag<'_>) {
        let known = |names: &'static [&'static str]| names.iter().copied().find(|name| *name == tag.name);
        if let Some((name, count)) = &mut self.left_out {
            *count += usize::from(tag.name == *name && !tag.is_self_closing);
            return;
        }
        if let Some(name) = known(&LEFT_OUT) {
            self.left_out = (!tag.is_self_closing).then_some((name, 1));
            return;
        }
        let is_root = self.open.is_empty();
        let Some(name) = known(&ELEMENTS).filter(|name| is_root == (*name == "math")) else { return };
        if self.open.len() >= DEEPEST {
            return;
        }
        self.output.push_str(&format!("<{name}"));
        for attribute in tag.attributes() {
            let value = attribute.value();
            let (is_text, value) = (attribute.name == "alttext" && is_root, value.trim());
            if is_text || (ATTRIBUTES.contains(&&*attribute.name) && is_plain(value)) {
                self.output.push_str(&format!(" {}=\"{}\"", attribute.name, escape_html(value)));
            }
        }
        self.output.push('>');
        if tag.is_self_closing {
            self.output.push_str(&format!("</{name}>"));
        } else {
            self.open.push(name);
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((left_out, count)) = &mut self.left_out {
            *count -= usize::from(name == *left_out);
            if *count == 0 {
                self.left_out = None;
            }
            return;
        }
        if let Some(depth) = self.open.iter().rposition(|open| *open == name).filter(|depth| *depth > 0) {
            self.close(depth);
        }
    }

    fn text(&mut self, text: &str) {
        if self.left_out.is_none() {
            self.output.push_str(&escape(text));
        }
    }

    /// Ends all elements above a depth.
    fn close(&mut self, depth: usize) {
        for name in self.open.drain(depth..).rev() {
            self.output.push_str(&format!("</{name}>"));
        }
    }

    fn finish(&mut self) {
        self.close(0);
    }
}

/// Whether a value is a word, a length, a number or a few of them.
fn is_plain(value: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " .-+%".contains(c);
    !value.is_empty() && value.len() <= LONGEST_VALUE && value.chars().all(is_plain)
}
