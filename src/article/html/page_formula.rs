//! Formulas that a page leaves to a script: `<script type="math/tex">`, and TeX in the elements that Pandoc, Sphinx and others write for
//! MathJax and KaTeX.

use super::tokens::{Tag, Token, TokenKind};
use crate::article::tex::{Placement, to_mathml};
use crate::model::text::escape;

/// Classes of elements with TeX between `\(` and `\)`, or `\[` and `\]`.
const FORMULAS: [&str; 2] = ["math", "arithmatex"];
/// Classes of what MathJax shows in place of its scripts.
const RENDERED: [&str; 8] = [
    "mathjax",
    "mathjax_chtml",
    "mathjax_display",
    "mathjax_preview",
    "mathjax_svg",
    "mathjax_svg_display",
    "mathjax_phtml",
    "mjx-chtml",
];
/// Maximum number of tokens in a formula that MathJax has rendered.
const MOST_RENDERED: usize = 4_000;
/// Maximum number of rendered formulas whose end is looked for in vain.
const MOST_OPEN: usize = 20;

/// Writes tokens of a page as they are, with MathML in place of its formulas. `None` if it has none.
pub fn with_formulas(text: &str, tokens: &[&Token<'_>]) -> Option<String> {
    let has_scripts = tokens.iter().any(|token| start(token).is_some_and(|tag| script_of(tag).is_some()));
    let mut output = String::with_capacity(text.len());
    let (mut at, mut has_formulas, mut open) = (0, false, 0);
    while at < tokens.len() {
        let tag = start(tokens[at]);
        if let Some(placement) = tag.and_then(script_of) {
            let (tex, next) = script(tokens, at);
            output.push_str(&formula(tex, placement));
            (at, has_formulas) = (next, true);
            continue;
        }
        if has_scripts && open < MOST_OPEN && tag.is_some_and(|tag| tag.has_class(&RENDERED)) {
            match end_of_element(tokens, at) {
                Some(end) => {
                    at = end;
                    continue;
                }
                None => open += 1,
            }
        }
        if let Some((mathml, next)) = element(tokens, at) {
            output.push_str(&mathml);
            (at, has_formulas) = (next, true);
            continue;
        }
        output.push_str(&text[tokens[at].range.clone()]);
        at += 1;
    }
    has_formulas.then_some(output)
}

fn start<'t>(token: &'t Token<'_>) -> Option<&'t Tag<'t>> {
    match &token.kind {
        TokenKind::Start(tag) => Some(tag),
        _ => None,
    }
}

/// The placement of the formula in a script, if a tag starts one.
fn script_of(tag: &Tag<'_>) -> Option<Placement> {
    if tag.name != "script" {
        return None;
    }
    let media_type = tag.attribute("type")?.to_ascii_lowercase();
    let (kind, mode) = media_type.split_once(';').unwrap_or((&media_type, ""));
    let placement = if mode.contains("display") { Placement::Block } else { Placement::Inline };
    (kind.trim() == "math/tex").then_some(placement)
}

/// The formula in the script that starts at an index, and the index after it.
fn script<'t>(tokens: &[&'t Token<'_>], at: usize) -> (&'t str, usize) {
    let tex = match tokens.get(at + 1).map(|token| &token.kind) {
        Some(TokenKind::RawText(text)) => Some(text.source),
        _ => None,
    };
    let end = at + 1 + usize::from(tex.is_some());
    let has_end =
        tokens.get(end).is_some_and(|token| matches!(&token.kind, TokenKind::End(tag) if tag.name == "script"));
    let tex = tex.unwrap_or_default().trim();
    // kramdown hides the signs of HTML from parsers of XML.
    let inside = tex.strip_prefix("% <![CDATA[").and_then(|tex| tex.strip_suffix("%]]>"));
    (inside.unwrap_or(tex).trim(), end + usize::from(has_end))
}

/// The MathML of a formula, or the formula as it is written if it cannot be read.
fn formula(tex: &str, placement: Placement) -> String {
    to_mathml(tex, placement).unwrap_or_else(|| match placement {
        Placement::Inline => escape(&format!("\\({tex}\\)")),
        Placement::Block => escape(&format!("\\[{tex}\\]")),
    })
}

/// The MathML of the element with TeX that starts at an index, with its tags, and the index after it.
fn element(tokens: &[&Token<'_>], at: usize) -> Option<(String, usize)> {
    let tag = start(tokens[at]).filter(|tag| matches!(&*tag.name, "span" | "div" | "p") && tag.has_class(&FORMULAS))?;
    let (TokenKind::Text(text), TokenKind::End(end)) = (&tokens.get(at + 1)?.kind, &tokens.get(at + 2)?.kind) else {
        return None;
    };
    let text = text.resolved();
    let between = |open: &str, close: &str| text.trim().strip_prefix(open)?.strip_suffix(close).map(str::trim);
    let inline = between("\\(", "\\)").map(|tex| (tex, Placement::Inline));
    let (tex, placement) = inline.or_else(|| between("\\[", "\\]").map(|tex| (tex, Placement::Block)))?;
    let mathml = to_mathml(tex, placement).filter(|_| end.name == tag.name)?;
    let name = &tag.name;
    Some((format!("<{name}>{mathml}</{name}>"), at + 3))
}

/// The index after the element that starts at an index.
fn end_of_element(tokens: &[&Token<'_>], at: usize) -> Option<usize> {
    let name = &start(tokens[at])?.name;
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate().skip(at).take(MOST_RENDERED) {
        match &token.kind {
            TokenKind::Start(tag) if tag.name == *name => depth += 1,
            TokenKind::End(tag) if tag.name == *name => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(place + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::config::Clean;

    fn read(html: &str) -> crate::article::ParsedBody {
        crate::article::html::read(html, None, chrono_tz::UTC, Clean::Safe).expect("no draft")
    }

    #[test]
    fn formulas_for_scripts_become_mathml() {
        for (formula, is_block) in [
            ("<script type=\"math/tex\">E=m</script>", false),
            ("<script type='math/tex; mode=display'>E=m</script>", true),
            ("<script type=\"math/tex; mode=display\">% <![CDATA[\nE=m %]]></script>", true),
            ("<span class=\"math inline\">\\(E=m\\)</span>", false),
            ("<span class=\"math display\">\\[E=m\\]</span>", true),
            ("<span class=\"math notranslate nohighlight\">\\(E=m\\)</span>", false),
            ("<div class=arithmatex>\\[ E=m \\]</div>", true),
            (
                "<span class=MathJax_Preview>E</span><span class=MathJax><span>E<span>=m</span></span></span>\
                 <script type=\"math/tex\" id=MathJax-Element-1>E=m</script>",
                false,
            ),
        ] {
            let body = read(&format!("<p>It is {formula} here.</p>"));
            assert_eq!(body.html.matches("<math alttext=\"E=m\"").count(), 1, "{formula}: {}", body.html);
            assert_eq!(body.html.contains("display=\"block\""), is_block, "{formula}");
            assert!(!body.html.contains("script") && !body.html.contains("MathJax"), "{}", body.html);
            let is_inside = !formula.starts_with("<div");
            assert!(!is_inside || body.paragraphs == ["It is E=m here."], "{formula}: {:?}", body.paragraphs);
        }
    }

    #[test]
    fn what_is_no_formula_stays() {
        for html in [
            "<p>a <span class=math><em>E</em>=m</span></p>",
            "<p>a <span class=\"math inline\">\\(\\nosuchcommand\\)</span></p>",
            "<p>a <span class=math>maths</span></p>",
            "<p>a <span>\\(E=m\\)</span></p>",
            "<pre><code>&lt;script type=\"math/tex\">E=m&lt;/script></code></pre>",
            "<p>a <span class=MathJax>E=m</span></p>",
        ] {
            assert_eq!(read(html).html, html);
        }
        assert_eq!(
            read("<p>a <script type=math/tex>\\nosuchcommand</script></p>").html,
            "<p>a \\(\\nosuchcommand\\)</p>"
        );
    }
}
