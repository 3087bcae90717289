//! Tables of comma-separated values (RFC 4180).

use std::collections::HashMap;

/// The rows below the first, which has the names of the columns.
pub fn rows(text: &str) -> Vec<HashMap<String, String>> {
    let mut rows = lines(text.trim_start_matches('\u{FEFF}')).into_iter();
    let names = rows.next().unwrap_or_default();
    let row = |fields: Vec<String>| names.iter().map(|name| name.trim().to_lowercase()).zip(fields).collect();
    rows.map(row).collect()
}

fn lines(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => line.push(std::mem::take(&mut field)),
            '\r' if !is_quoted => {}
            '\n' if !is_quoted => {
                line.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut line));
            }
            c => field.push(c),
        }
    }
    if !field.is_empty() || !line.is_empty() {
        line.push(field);
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_have_commas_quotes_and_lines() {
        let rows = rows("\u{FEFF}post_id,Title\r\n1.a,\"A, \"\"B\"\"\nC\"\r\n2.b,\n3.c");
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0]["title"], "A, \"B\"\nC");
        assert_eq!((rows[1]["post_id"].as_str(), rows[1]["title"].as_str()), ("2.b", ""));
        assert_eq!(rows[2].get("title"), None);
    }
}
