//! The checks of an own style sheet.

/// Returns the text of a style sheet.
///
/// # Errors
/// The line of what cannot be used, and why.
pub fn check(bytes: Vec<u8>) -> Result<String, (usize, String)> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = line_at(error.as_bytes(), error.utf8_error().valid_up_to());
        (line, "not in UTF-8: save it in this encoding".to_owned())
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let import = without_comments(text).to_ascii_lowercase().find("@import").map(|at| line_at(text.as_bytes(), at));
    match import {
        Some(line) => {
            let why = "`@import` loads nothing: pages take styles from this site only, and from one file; copy the rules into it";
            Err((line, why.to_owned()))
        }
        None => Ok(text.to_owned()),
    }
}

/// The line of a byte, from 1.
fn line_at(bytes: &[u8], at: usize) -> usize {
    bytes[..at].split(|byte| *byte == b'\n').count()
}

/// A style sheet with blanks in place of its comments.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        let (inside, after) = comment.split_once("*/").unwrap_or((comment, ""));
        plain.push_str(before);
        plain.extend(std::iter::repeat_n(' ', inside.len() + "/**/".len()));
        rest = after;
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_and_other_encodings_are_refused_with_their_line() {
        let check = |text: &[u8]| check(text.to_vec());
        assert_eq!(check("\u{feff}a { color: red }".as_bytes()).unwrap(), "a { color: red }");
        assert!(check(b"/* @import url(x) */ a {}\n/* open @import").is_ok());
        let (line, why) = check(b"/* a\n */\n@IMPORT url(https://fonts.example/x.css);").unwrap_err();
        assert!(line == 3 && why.starts_with("`@import` loads nothing"), "{line}: {why}");
        assert_eq!(check(b"a {}\n/* \xFF */").unwrap_err().0, 2);
    }
}
