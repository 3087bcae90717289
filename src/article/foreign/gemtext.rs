//! Gemtext, the markup of Gemini: each line stands for itself.

use super::markup::{escaped, fenced};

/// Converts gemtext. Front matter before it stays.
pub(super) fn as_markdown(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len() * 5 / 4);
    let mut lines = text.lines().peekable();
    if lines.peek() == Some(&"---") {
        // Front matter, up to its end.
        for (number, line) in lines.by_ref().enumerate() {
            markdown.push_str(line);
            markdown.push('\n');
            if number > 0 && line.trim_end() == "---" {
                break;
            }
        }
    }
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let code: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            markdown.push_str(&fenced("", &code.join("\n")));
        } else {
            markdown.push_str(&of_line(line));
            // A list or a quotation may continue in the next line.
            let next = lines.peek().copied().unwrap_or_default();
            let continues = |mark: &str| line.starts_with(mark) && next.starts_with(mark);
            markdown.push_str(if continues("* ") || continues(">") { "\n" } else { "\n\n" });
        }
    }
    let trimmed = markdown.trim_end().len();
    markdown.truncate(trimmed);
    markdown.push_str("\n\n");
    markdown
}

fn of_line(line: &str) -> String {
    if let Some(reference) = line.strip_prefix("=>") {
        let reference = reference.trim();
        let (address, words) = reference.split_once(char::is_whitespace).unwrap_or((reference, reference));
        let address = address.replace(['<', '>'], "");
        return if address.is_empty() { String::new() } else { format!("[{}](<{address}>)", escaped(words.trim())) };
    }
    let heading = line.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=3).contains(&heading) {
        return format!("{} {}", &line[..heading], escaped(line[heading..].trim()));
    }
    match (line.strip_prefix("* "), line.strip_prefix('>')) {
        (Some(item), _) => format!("* {}", escaped(item.trim())),
        (None, Some(quoted)) => format!("> {}", escaped(quoted.trim())),
        (None, None) => text_line(line),
    }
}

/// A line of text, which must not begin a list of Markdown.
fn text_line(line: &str) -> String {
    let text = escaped(line.trim());
    let is_item =
        text.starts_with(['-', '+']) || text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['.', ')']);
    match text.find(['-', '+', '.', ')']).filter(|_| is_item) {
        Some(at) => format!("{}\\{}", &text[..at], &text[at..]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_is_converted() {
        for (text, expected) in [
            ("# Title\nOne *line*\nTwo", "# Title\n\nOne \\*line\\*\n\nTwo\n\n"),
            ("* a\n* b\nc", "* a\n* b\n\nc\n\n"),
            ("> a\n> b", "> a\n> b\n\n"),
            ("=> gemini://a.example/b A page\n=> c.gmi", "[A page](<gemini://a.example/b>)\n\n[c.gmi](<c.gmi>)\n\n"),
            ("```\n# no title\n```\nx", "\n```\n# no title\n```\n\nx\n\n"),
            ("1. no item\n- none", "1\\. no item\n\n\\- none\n\n"),
            ("---\ntitle: A\n---\nText", "---\ntitle: A\n---\nText\n\n"),
        ] {
            assert_eq!(as_markdown(text), expected, "{text}");
        }
    }
}
