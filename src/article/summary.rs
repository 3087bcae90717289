//! Makes the summary of an article.

/// Maximum length of a generated summary, in characters.
const LENGTH: usize = 300;

/// Returns the writer's summary, or else the first real paragraph, cut at the end of a sentence. Empty if it would only repeat the
/// title or the whole text (standards 54).
pub fn of(stated: Option<&str>, paragraphs: &[String], title: &str) -> String {
    if let Some(stated) = stated.map(one_line).filter(|stated| !stated.is_empty()) {
        return stated;
    }
    let paragraph = paragraphs.iter().find(|paragraph| is_real(paragraph)).or_else(|| paragraphs.first());
    let summary = paragraph.map(|paragraph| cut(&one_line(paragraph))).unwrap_or_default();
    let whole = paragraphs.len() == 1 && paragraphs[0].chars().count() <= LENGTH;
    if whole || summary == title { String::new() } else { summary }
}

/// Maximum length of the first words of a text that has no title, in characters.
const FIRST_WORDS: usize = 60;

/// The first words of a text, cut at the end of a sentence or a word. `None` if it has no words.
pub fn first_words(paragraphs: &[String]) -> Option<String> {
    let text = one_line(paragraphs.iter().find(|paragraph| paragraph.chars().any(char::is_alphanumeric))?);
    let Some((limit, _)) = text.char_indices().nth(FIRST_WORDS) else { return Some(text) };
    let is_end = |(at, c): &(usize, char)| {
        let next = text[at + c.len_utf8()..].chars().next();
        matches!(c, '。' | '！' | '？') || (matches!(c, '.' | '!' | '?' | '…') && next.is_none_or(char::is_whitespace))
    };
    let sentence = text[..limit].char_indices().filter(is_end).map(|(at, c)| at + c.len_utf8()).find(|end| *end >= 15);
    if let Some(end) = sentence {
        return Some(text[..end].to_owned());
    }
    let words = text[..limit].rfind(char::is_whitespace).unwrap_or(limit);
    Some(format!("{}…", text[..words].trim_end_matches(|c: char| !c.is_alphanumeric())))
}

/// Folds white space as HTML does.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cuts to the longest sequence of whole sentences that fits, or else of whole words with an ellipsis.
fn cut(text: &str) -> String {
    let Some((limit, _)) = text.char_indices().nth(LENGTH) else { return text.to_owned() };
    let mut sentences = text[..limit].char_indices().filter_map(|(at, c)| {
        let after = at + c.len_utf8();
        let (end, next) = skip_closing(text, after);
        let ends = matches!(c, '。' | '！' | '？')
            || (matches!(c, '.' | '!' | '?' | '…') && next.is_none_or(char::is_whitespace));
        (ends && end <= limit).then_some(end)
    });
    // A very short first sentence ("No.") is not enough.
    if let Some(end) = sentences.rfind(|end| *end >= 40) {
        return text[..end].to_owned();
    }
    let words = text[..limit].rfind(char::is_whitespace).unwrap_or(limit);
    format!(
        "{}…",
        text[..words].trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '–' | '—' | '-'))
    )
}

/// Skips closing quotes and brackets; returns the new position and the character there. More of them than a summary has are not
/// all skipped: otherwise each character of the summary would cost the length of the text.
fn skip_closing(text: &str, from: usize) -> (usize, Option<char>) {
    let rest = &text[from..];
    let is_closing = |c: &char| matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']');
    let closing: usize = rest.chars().take_while(is_closing).take(LENGTH + 1).map(char::len_utf8).sum();
    (from + closing, rest[closing..].chars().next())
}

/// Whether a text is a paragraph of prose rather than a heading, a label or a caption.
pub fn is_real(text: &str) -> bool {
    let characters = text.chars().count();
    let words = text.split_whitespace().count();
    let ideographs = text.chars().filter(|c| is_cjk(*c)).count();
    (characters >= 60 && words >= 9) || ideographs >= 25 || (characters >= 40 && words >= 7 && ends_sentence(text))
}

/// Whether the last character other than closing quotes and brackets ends a sentence.
pub fn ends_sentence(text: &str) -> bool {
    let bare = text.trim_end_matches(['"', '\'', '”', '’', '»', ')', ']', '*', '_', ' ', '」', '』', '）']);
    bare.ends_with(['.', '!', '?', '…', ':', ';', '。', '！', '？', '；', '：', '؟', '۔', '।'])
}

/// Whether a character belongs to a script without spaces between words.
pub fn is_cjk(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated(paragraphs: &[&str]) -> String {
        let paragraphs: Vec<String> = paragraphs.iter().map(|text| (*text).to_owned()).collect();
        of(None, &paragraphs, "Title")
    }

    const PROSE: &str = "The coastal bridge stayed closed on Wednesday as winds kept lorries and buses away.";

    #[test]
    fn the_writers_summary_takes_precedence() {
        assert_eq!(of(Some(" My \n words "), &[PROSE.to_owned()], "T"), "My words");
        assert_eq!(of(Some("  "), &[PROSE.to_owned(), PROSE.to_owned()], "T"), PROSE);
    }

    #[test]
    fn otherwise_the_first_real_paragraph() {
        assert_eq!(generated(&["Berlin", PROSE, "More."]), PROSE);
        assert_eq!(generated(&["Short", "words"]), "Short");
        assert_eq!(generated(&[PROSE]), "", "a short article is its own summary");
        assert_eq!(generated(&["Title", "x"]), "");
        assert_eq!(generated(&[]), "");
    }

    /// Each of the first characters once cost the length of the text.
    #[test]
    fn closing_brackets_without_end_are_not_all_skipped() {
        assert_eq!(skip_closing("a.)\" b", 2), (4, Some(' ')));
        let brackets = ")".repeat(100_000);
        assert_eq!(skip_closing(&brackets, 0), (LENGTH + 1, Some(')')));
        assert!(generated(&[&brackets]).chars().count() <= LENGTH + 1);
    }

    #[test]
    fn long_paragraphs_end_with_a_sentence_or_a_word() {
        let long = format!("{PROSE} {PROSE} {PROSE} {PROSE} {PROSE}");
        assert_eq!(generated(&[&long]), format!("{PROSE} {PROSE} {PROSE}"));
        let endless = "word ".repeat(100);
        let summary = generated(&[&endless]);
        assert!(summary.ends_with("word…") && summary.chars().count() <= 301, "{summary}");
        let cjk = "\u{4E00}".repeat(400);
        assert_eq!(generated(&[&cjk]).chars().count(), 301);
    }

    #[test]
    fn first_words_end_with_a_sentence_or_a_word() {
        for (text, expected) in [
            ("Just this.", Some("Just this.")),
            (
                "One sentence is here. Another one follows it, and it is much longer than the first.",
                Some("One sentence is here."),
            ),
            (
                "No end of a sentence within the first sixty characters of this text, sorry",
                Some("No end of a sentence within the first sixty characters of…"),
            ),
            (
                "Ok. Too short a sentence to be the words that stand for all of this text",
                Some("Ok. Too short a sentence to be the words that stand for all…"),
            ),
            (" \n ", None),
            ("— !", None),
        ] {
            assert_eq!(first_words(&["…".to_owned(), text.to_owned()]).as_deref(), expected, "{text}");
        }
        assert_eq!(first_words(&["\u{4E00}".repeat(80)]).unwrap().chars().count(), 61);
    }

    #[test]
    fn real_paragraphs() {
        assert!(is_real(PROSE));
        assert!(is_real("He came, he saw, and then he left again."));
        assert!(!is_real("Leave a reply"));
        assert!(!is_real("7"));
        assert!(is_real(&"字".repeat(25)));
    }
}
