//! The blocks of an office document -> HTML.

use crate::model::text::escape;

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfficeBlock {
    /// Its HTML, and its text without markup.
    Paragraph(String, String),
    /// A paragraph in the style of titles.
    Title(String),
    /// From 1.
    Heading(u8, String),
    Quotation(String),
    /// A line or several lines of code.
    Code(String),
    /// A paragraph of pictures.
    Picture(String),
    Caption(String),
    Item(ListItem),
    /// Another paragraph of the last item.
    InItem(String),
    /// A table.
    Whole(String),
}

/// The first paragraph of an item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListItem {
    /// From 0.
    pub depth: usize,
    /// Its number, if the list has numbers.
    pub number: Option<u32>,
    pub html: String,
}

/// Maximum depth of lists.
pub const MAX_LISTS: usize = 9;

/// Joins the blocks. Items become lists, and lines of code and quotations that follow each other become one.
pub fn html_of(blocks: &[OfficeBlock]) -> String {
    let mut html = String::new();
    let mut lists: Vec<&'static str> = Vec::new();
    let mut blocks = blocks.iter().peekable();
    while let Some(block) = blocks.next() {
        if !matches!(block, OfficeBlock::Item(_) | OfficeBlock::InItem(_)) {
            close_lists(&mut html, &mut lists, 0);
        }
        match block {
            OfficeBlock::Title(text) | OfficeBlock::Paragraph(text, _) | OfficeBlock::Caption(text) => {
                html.push_str(&format!("<p>{text}</p>\n"));
            }
            OfficeBlock::Heading(level, text) => {
                // The title of the article is its first heading.
                let level = level.saturating_add(1).min(6);
                html.push_str(&format!("<h{level}>{text}</h{level}>\n"));
            }
            OfficeBlock::Quotation(first) => {
                html.push_str(&format!("<blockquote>\n<p>{first}</p>\n"));
                while let Some(OfficeBlock::Quotation(next)) =
                    blocks.next_if(|next| matches!(next, OfficeBlock::Quotation(_)))
                {
                    html.push_str(&format!("<p>{next}</p>\n"));
                }
                html.push_str("</blockquote>\n");
            }
            OfficeBlock::Code(first) => {
                html.push_str(&format!("<pre><code>{}\n", escape(first)));
                while let Some(OfficeBlock::Code(next)) = blocks.next_if(|next| matches!(next, OfficeBlock::Code(_))) {
                    html.push_str(&escape(next));
                    html.push('\n');
                }
                html.push_str("</code></pre>\n");
            }
            OfficeBlock::Picture(picture) => match blocks.next_if(|next| matches!(next, OfficeBlock::Caption(_))) {
                Some(OfficeBlock::Caption(caption)) => {
                    html.push_str(&format!("<figure>{picture}<figcaption>{caption}</figcaption></figure>\n"));
                }
                _ => html.push_str(&format!("<p>{picture}</p>\n")),
            },
            OfficeBlock::Item(item) => push_item(&mut html, &mut lists, item),
            OfficeBlock::InItem(text) => html.push_str(&format!("\n<p>{text}</p>")),
            OfficeBlock::Whole(table) => html.push_str(table),
        }
    }
    close_lists(&mut html, &mut lists, 0);
    html
}

fn push_item(html: &mut String, lists: &mut Vec<&'static str>, item: &ListItem) {
    let depth = item.depth.min(MAX_LISTS - 1) + 1;
    let kind = if item.number.is_some() { "ol" } else { "ul" };
    close_lists(html, lists, depth);
    if lists.len() == depth && lists.last() == Some(&kind) {
        html.push_str("</li>\n");
    } else {
        close_lists(html, lists, depth - 1);
        while lists.len() < depth {
            let is_own = lists.len() + 1 == depth;
            let start = item.number.filter(|number| is_own && *number != 1);
            let (kind, start) = if is_own { (kind, start) } else { ("ul", None) };
            let start = start.map(|number| format!(" start=\"{number}\"")).unwrap_or_default();
            // A level that is skipped has an item without text.
            html.push_str(&format!("\n<{kind}{start}>\n{}", if is_own { "" } else { "<li>" }));
            lists.push(kind);
        }
    }
    html.push_str(&format!("<li>{}", item.html));
}

/// Ends lists until so many are open.
fn close_lists(html: &mut String, lists: &mut Vec<&'static str>, depth: usize) {
    while lists.len() > depth {
        let kind = lists.pop().unwrap_or("ul");
        html.push_str(&format!("</li>\n</{kind}>\n"));
    }
}

/// The plain texts of the paragraphs at the start that have the form `Key: value`, or stand between two lines of `---`, and their number.
pub fn keys_at_start(blocks: &[OfficeBlock]) -> (String, usize) {
    let mut lines = Vec::new();
    let mut is_fenced = false;
    for block in blocks {
        let OfficeBlock::Paragraph(_, text) = block else { break };
        let line = text.trim();
        let is_fence = line.len() >= 3 && line.chars().all(|c| matches!(c, '-' | '–' | '—'));
        if is_fence || is_fenced {
            let ends = is_fenced && is_fence;
            lines.push(if is_fence { "---".to_owned() } else { line.to_owned() });
            if ends {
                break;
            }
            is_fenced = true;
        } else if is_key(line) {
            lines.push(line.to_owned());
        } else {
            break;
        }
    }
    let count = lines.len();
    (lines.join("\n"), count)
}

/// Whether a line has the form `Key: value`.
fn is_key(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, value)| {
        let is_word =
            !key.is_empty() && key.len() <= 40 && key.chars().all(|c| c.is_alphanumeric() || " _-.".contains(c));
        is_word && value.starts_with(' ') && !line.contains('\n')
    })
}
