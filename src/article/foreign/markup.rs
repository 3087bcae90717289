//! Parts of Markdown that stand for the same text.

/// Plain text as Markdown that shows the same.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Two of them begin a comment of a note program, escaped or not.
            '%' => escaped.push_str("&#37;"),
            c if "\\`*_[]<>&#~|$^={}!".contains(c) => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A fenced block of code, whose fence is longer than any in the code.
pub(super) fn fenced(language: &str, code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("\n{fence}{language}\n{}\n{fence}\n\n", code.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_plain() {
        assert_eq!(escaped("a*b_[c] <d> 1 + 1 %"), "a\\*b\\_\\[c\\] \\<d\\> 1 + 1 &#37;");
        assert_eq!(fenced("rust", "a\n```\n"), "\n````rust\na\n```\n````\n\n");
    }
}
