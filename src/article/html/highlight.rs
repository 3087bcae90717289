//! Code of a safe fragment, with the classes of its parts.

use std::iter;
use std::ops::Range;

use super::tokens::{TokenKind, tokens};
use crate::article::syntax::{self, CodePart};

/// The references that the sanitiser writes in texts.
const REFERENCES: [(&str, char); 5] =
    [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&nbsp;", '\u{a0}'), ("&quot;", '"')];

/// Elements that begin and end a line.
const LINES: [&str; 4] = ["br", "div", "li", "p"];

/// A block of code in a known language.
#[derive(Debug)]
struct CodeBlock {
    grammar: &'static str,
    code: String,
    /// Where its texts begin in the code, and where they stand in the fragment.
    texts: Vec<(usize, Range<usize>)>,
    /// It is not coloured.
    is_plain: bool,
}

/// Puts each part with a class into a `<span class="…">`. Without these, the result is the same fragment: nothing else changes.
/// `None` if no part has a class.
pub fn highlighted(html: &str) -> Option<String> {
    if !html.contains("class=\"language-") {
        return None;
    }
    let blocks = blocks(html);
    let codes: Vec<(&'static str, &str)> = blocks.iter().map(|block| (block.grammar, block.code.as_str())).collect();
    let parts = if codes.is_empty() { return None } else { syntax::parts(&codes) };
    if parts.iter().all(Vec::is_empty) {
        return None;
    }
    let mut output = String::with_capacity(html.len() * 2);
    let mut copied = 0;
    for (block, parts) in blocks.iter().zip(&parts) {
        let mut parts = parts.as_slice();
        for (at, text) in &block.texts {
            output.push_str(&html[copied..text.start]);
            parts = write(&mut output, &html[text.clone()], *at, parts);
            copied = text.end;
        }
    }
    output.push_str(&html[copied..]);
    Some(output)
}

/// The blocks of code: each `<pre>` whose class, or that of a `<code>` in it, names a known language.
fn blocks(html: &str) -> Vec<CodeBlock> {
    let mut blocks = Vec::new();
    let mut open: Option<(Option<&'static str>, CodeBlock)> = None;
    for token in tokens(html) {
        match (token.kind, &mut open) {
            (TokenKind::Start(tag), open) if tag.name == "pre" || tag.name == "code" => {
                let class = tag.attribute("class").unwrap_or_default();
                let grammar = class.strip_prefix("language-").and_then(syntax::grammar);
                match open {
                    Some((known, _)) => *known = known.or(grammar),
                    None if tag.name == "pre" => {
                        *open = Some((
                            grammar,
                            CodeBlock { grammar: "", code: String::new(), texts: Vec::new(), is_plain: false },
                        ));
                    }
                    None => {}
                }
            }
            (TokenKind::End(tag), open) if tag.name == "pre" => {
                let closed = open.take().filter(|(_, block)| !block.is_plain);
                let closed = closed.and_then(|(grammar, block)| Some(CodeBlock { grammar: grammar?, ..block }));
                blocks.extend(closed);
            }
            // In a table or a formula, a `<span>` would change what browsers read.
            (TokenKind::Start(tag) | TokenKind::Foreign(tag), Some((_, block)))
                if ["table", "math"].contains(&&*tag.name) =>
            {
                block.is_plain = true;
            }
            (TokenKind::Start(tag) | TokenKind::End(tag), Some((_, block)))
                if LINES.contains(&&*tag.name) && (tag.name == "br" || !block.code.ends_with('\n')) =>
            {
                block.code.push('\n');
            }
            (TokenKind::Text(text), Some((_, block))) => {
                block.texts.push((block.code.len(), token.range));
                block.code.extend(pieces(text.source).map(|(_, character)| character));
            }
            _ => {}
        }
    }
    blocks
}

/// The characters of a text, each with its source.
fn pieces(text: &str) -> impl Iterator<Item = (&str, char)> {
    let mut rest = text;
    iter::from_fn(move || {
        let first = rest.chars().next()?;
        let reference = REFERENCES.iter().find(|(reference, _)| first == '&' && rest.starts_with(reference));
        let (length, character) =
            reference.map_or((first.len_utf8(), first), |(reference, character)| (reference.len(), *character));
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some((piece, character))
    })
}

/// Writes a text that starts at `at` in the code of its block. Returns the parts that remain.
fn write<'a>(output: &mut String, text: &str, mut at: usize, mut parts: &'a [CodePart]) -> &'a [CodePart] {
    let mut open = None;
    for (piece, character) in pieces(text) {
        while let Some((_, others)) = parts.split_first().filter(|(part, _)| part.range.end <= at) {
            parts = others;
        }
        let part = parts.first().filter(|part| part.range.start <= at);
        // Browsers ignore a line feed at the start of a `<pre>`, but not one in a `<span>`.
        let class = part.map(|part| part.class).filter(|_| at > 0 || character != '\n');
        if class != open {
            output.push_str(if open.is_some() { "</span>" } else { "" });
            if let Some(class) = class {
                output.push_str(&format!("<span class=\"{}\">", class.name()));
            }
            open = class;
        }
        output.push_str(piece);
        at += character.len_utf8();
    }
    output.push_str(if open.is_some() { "</span>" } else { "" });
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::article::address::Addresses;
    use crate::article::html::sanitise;

    /// A fragment without the elements that have been added.
    fn without_classes(html: &str) -> String {
        let (mut plain, mut added) = (String::new(), Vec::new());
        for token in tokens(html) {
            let source = &html[token.range];
            let is_added = match &token.kind {
                TokenKind::Start(tag) if tag.name == "span" => {
                    added.push(tag.find("class").is_some());
                    added.last().copied()
                }
                TokenKind::End(tag) if tag.name == "span" => added.pop(),
                _ => None,
            };
            plain.push_str(if is_added == Some(true) { "" } else { source });
        }
        plain
    }

    fn safe(html: &str) -> String {
        sanitise(html, &Addresses::of_page(&Url::parse("https://a.example/").unwrap())).to_string()
    }

    #[test]
    fn code_gets_classes() {
        for (html, expected) in [
            (
                "<pre><code class=\"language-rust\">if a &lt; 1 {}</code></pre>",
                "<pre><code class=\"language-rust\"><span class=\"k\">if</span> a &lt; <span class=\"n\">1</span> {}</code></pre>",
            ),
            (
                "<pre><code class=\"language-js\">// low<br>1</code></pre>",
                "<pre><code class=\"language-js\"><span class=\"c\">// low</span><br><span class=\"n\">1</span></code></pre>",
            ),
            // A generator has put its own elements into the code.
            (
                "<pre class=\"language-js\"><code><span>/* a</span> <b>b */</b> 1</code></pre>",
                "<pre class=\"language-js\"><code><span><span class=\"c\">/* a</span></span><span class=\"c\"> </span><b><span class=\"c\">b */</span></b> <span class=\"n\">1</span></code></pre>",
            ),
            (
                "<pre>\n\n<code class=\"language-toml\"># a</code></pre>",
                "<pre>\n\n<code class=\"language-toml\"><span class=\"c\"># a</span></code></pre>",
            ),
        ] {
            assert_eq!(highlighted(html).as_deref(), Some(expected));
            assert_eq!(without_classes(expected), html);
        }
        for html in [
            "<pre><code>if</code></pre>",
            "<pre><code class=\"language-mermaid\">if</code></pre>",
            "<p><code class=\"language-rust\">if</code></p>",
            "<pre><code class=\"language-rust\">a</code></pre>",
            "<pre class=\"language-c\"><table><tbody><tr><td>1</td></tr></tbody></table></pre>",
            "<pre class=\"language-js\">// <math><mi>x</mi></math></pre>",
        ] {
            assert_eq!(highlighted(html), None, "{html}");
        }
    }

    #[test]
    fn only_classes_are_added_to_odd_texts() {
        let texts = "[-+#\"'`/*<>&;(){}\\[\\]\\\\$=a1 \n\u{e9}\u{1f600}\u{a0}]{0,60}";
        let languages = prop::sample::select(vec!["js", "html", "bash", "toml", "diff", "php"]);
        let inner = prop::sample::select(vec![
            "",
            "<b>",
            "</b>",
            "<br>",
            "<div>",
            "</div>",
            "<span>",
            "</code>",
            "<pre>",
            "&amp;amp;",
            "&#34;",
        ]);
        proptest!(ProptestConfig::with_cases(60), |(language in languages, parts in prop::collection::vec((texts, inner), 1..4))| {
            let code: String = parts.iter().flat_map(|(text, tag)| [text.as_str(), tag]).collect();
            let html = safe(&format!("<p>a</p><pre><code class=\"language-{language}\">{code}</code></pre><p>b</p>"));
            if let Some(highlighted) = highlighted(&html) {
                prop_assert_eq!(without_classes(&highlighted), html);
            }
        });
    }
}
