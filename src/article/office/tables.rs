//! Tables of office documents.

use super::blocks::{OfficeBlock, html_of};

/// A cell of a table.
#[derive(Debug)]
pub struct OfficeCell {
    pub blocks: Vec<OfficeBlock>,
    /// Number of columns and rows that it takes.
    pub columns: usize,
    pub rows: usize,
}

/// Appends a table. Each row says whether it is one of the heading. A table of one cell only frames a text, which becomes part of the others.
pub fn table_of(mut rows: Vec<(bool, Vec<OfficeCell>)>, blocks: &mut Vec<OfficeBlock>) {
    if let [(_, cells)] = &mut rows[..]
        && let [cell] = &mut cells[..]
    {
        blocks.append(&mut cell.blocks);
        return;
    }
    let is_empty = rows.iter().all(|(_, cells)| cells.iter().all(|cell| cell.blocks.is_empty()));
    if is_empty {
        return;
    }
    let mut html = String::from("<table>\n");
    let heads = rows.iter().take_while(|(is_head, _)| *is_head).count();
    // A heading without rows below it is none.
    let heads = if heads == rows.len() { 0 } else { heads };
    for (index, (_, cells)) in rows.iter().enumerate() {
        html.push_str(match index {
            0 if heads > 0 => "<thead>\n",
            0 => "<tbody>\n",
            _ if index == heads => "</thead>\n<tbody>\n",
            _ => "",
        });
        html.push_str("<tr>");
        for cell in cells {
            push_cell(&mut html, cell, if index < heads { "th" } else { "td" });
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n");
    blocks.push(OfficeBlock::Whole(html));
}

fn push_cell(html: &mut String, cell: &OfficeCell, name: &str) {
    let number = |name: &str, value: usize| if value > 1 { format!(" {name}=\"{value}\"") } else { String::new() };
    html.push_str(&format!("<{name}{}{}>", number("colspan", cell.columns), number("rowspan", cell.rows)));
    match &cell.blocks[..] {
        [] => {}
        [OfficeBlock::Paragraph(text, _) | OfficeBlock::Picture(text) | OfficeBlock::Caption(text)] => {
            html.push_str(text);
        }
        blocks => html.push_str(html_of(blocks).trim_end()),
    }
    html.push_str(&format!("</{name}>"));
}
