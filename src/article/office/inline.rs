//! Runs of formatted text -> HTML with as few elements as possible.

use std::rc::Rc;

use crate::model::text::{escape, escape_attribute};

/// How a run of text looks.
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextLook {
    pub bold: bool,
    pub italic: bool,
    pub strike: bool,
    pub raised: bool,
    pub lowered: bool,
    pub marked: bool,
    pub code: bool,
    pub hidden: bool,
    /// Address of the link that it is part of.
    pub link: Option<Rc<str>>,
}

/// The text of a paragraph while it is put together.
#[derive(Debug, Default)]
pub struct InlineText {
    html: String,
    /// The text without markup.
    plain: String,
    look: TextLook,
    has_picture: bool,
}

impl InlineText {
    pub fn push(&mut self, text: &str, look: &TextLook) {
        if text.is_empty() || look.hidden {
            return;
        }
        // Spaces belong to the words before them, so that no element consists of a space.
        let takes_spaces = !(self.look.raised || self.look.lowered || self.look.code);
        let same = if takes_spaces && text.trim().is_empty() && look.link == self.look.link {
            self.look.clone()
        } else {
            look.clone()
        };
        self.turn(&same);
        self.html.push_str(&escape(text));
        self.plain.push_str(text);
    }

    /// Appends an element that is no text: a line break, a picture, the number of a footnote.
    pub fn push_element(&mut self, html: &str, look: &TextLook) {
        if !look.hidden {
            let link = TextLook { link: look.link.clone(), ..TextLook::default() };
            if html != BREAK {
                self.turn(&link);
            }
            self.html.push_str(html);
            self.plain.push_str(if html == BREAK { "\n" } else { "" });
            self.has_picture |= html.starts_with("<img");
        }
    }

    fn turn(&mut self, look: &TextLook) {
        if *look == self.look {
            return;
        }
        for name in elements(&self.look).iter().rev() {
            self.html.push_str(&format!("</{name}>"));
        }
        if self.look.link != look.link {
            self.html.push_str(if self.look.link.is_some() { "</a>" } else { "" });
            if let Some(address) = &look.link {
                self.html.push_str(&format!("<a href=\"{}\">", escape_attribute(address)));
            }
        }
        for name in elements(look) {
            self.html.push_str(&format!("<{name}>"));
        }
        self.look = look.clone();
    }

    /// Continues with another text, such as a paragraph whose mark is deleted.
    pub fn is_empty(&self) -> bool {
        self.plain.trim().is_empty() && !self.has_picture
    }

    /// Whether it is nothing but a picture.
    pub fn is_picture(&self) -> bool {
        self.has_picture && self.plain.trim().is_empty()
    }

    pub fn plain(&self) -> &str {
        &self.plain
    }

    /// The HTML, without spaces at its ends.
    pub fn finish(mut self) -> String {
        self.turn(&TextLook::default());
        let mut html = self.html.trim();
        // A break at the end shows nothing.
        while let Some(rest) = html.strip_suffix(BREAK) {
            html = rest.trim_end();
        }
        html.to_owned()
    }
}

pub const BREAK: &str = "<br>\n";

/// The elements of a look, the outermost first.
fn elements(look: &TextLook) -> Vec<&'static str> {
    let all = [
        (look.bold, "strong"),
        (look.italic, "em"),
        (look.strike, "del"),
        // Styles for code have a background.
        (look.marked && !look.code, "mark"),
        (look.raised, "sup"),
        (look.lowered, "sub"),
        (look.code, "code"),
    ];
    all.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect()
}

/// Whether a font is one of typewriters, in which people write code.
pub fn is_of_code(font: &str) -> bool {
    let font = font.trim_matches(['\'', '"', ' ']).to_ascii_lowercase();
    let names = ["courier", "consolas", "menlo", "monaco", "lucida console", "sf mono", "cascadia", "jetbrains mono"];
    names.iter().any(|name| font.starts_with(name))
        || font.ends_with(" mono")
        || font.contains(" mono ")
        || font.ends_with(" code")
}
