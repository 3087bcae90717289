//! The blocks of WordPress's editor, which comments around HTML delimit: `<!-- wp:name {"key":"value"} -->…<!-- /wp:name -->`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::library::{Footnote, NumberedParts, Pattern, WordPressPost};
use super::shortcode::is_for_members;
use crate::model::text::escape_html;

/// Maximum nesting of patterns.
const MAX_DEPTH: usize = 5;
/// Maximum number of patterns in a text.
const MOST_PATTERNS: usize = 1_000;

/// A text with its patterns and footnotes, without the blocks that not all readers may see.
#[derive(Debug, Default)]
pub struct ResolvedBlocks {
    pub text: String,
    /// Number of blocks that are left out.
    pub held_back: usize,
    /// What the export lacks.
    pub missing: BTreeSet<String>,
}

/// Resolves the blocks of a text. The comments around the others stay.
pub fn resolve(source: &str, post: &WordPressPost, library: &NumberedParts) -> ResolvedBlocks {
    let mut resolver = BlockResolver { post, library, patterns: 0, blocks: ResolvedBlocks::default() };
    resolver.add(source, 0);
    resolver.blocks
}

struct BlockResolver<'a> {
    post: &'a WordPressPost,
    library: &'a NumberedParts,
    /// Number of patterns that were added.
    patterns: usize,
    blocks: ResolvedBlocks,
}

impl BlockResolver<'_> {
    fn add(&mut self, source: &str, depth: usize) {
        let mut rest = source;
        // Blocks that are open within one that is left out, with that one.
        let mut hidden = 0_usize;
        while let Some(start) = rest.find("<!--") {
            let end = rest[start..].find("-->").map_or(rest.len(), |end| start + end + "-->".len());
            let (text, comment) = (&rest[..start], &rest[start..end]);
            rest = &rest[end..];
            if hidden == 0 {
                self.blocks.text.push_str(text);
            }
            let Some(mark) = BlockMark::of(comment) else {
                if hidden == 0 {
                    self.blocks.text.push_str(comment);
                }
                continue;
            };
            match mark {
                BlockMark { is_end: true, .. } if hidden > 0 => hidden -= 1,
                BlockMark { is_void: false, .. } if hidden > 0 => hidden += 1,
                _ if hidden > 0 => {}
                // What follows is for subscribers.
                BlockMark { name: "jetpack/paywall", .. } => {
                    self.blocks.held_back += 1;
                    return;
                }
                BlockMark { is_end: false, is_void: false, .. } if mark.is_hidden() => {
                    self.blocks.held_back += 1;
                    hidden = 1;
                }
                BlockMark { name: "block", is_void: true, .. } => self.add_pattern(&mark, depth),
                BlockMark { name: "footnotes", is_void: true, .. } if !mark.is_hidden() => {
                    let notes = footnotes(&self.post.footnotes);
                    self.blocks.text.push_str(&notes);
                }
                _ => self.blocks.text.push_str(comment),
            }
        }
        if hidden == 0 {
            self.blocks.text.push_str(rest);
        }
    }

    fn add_pattern(&mut self, mark: &BlockMark<'_>, depth: usize) {
        if mark.is_hidden() {
            self.blocks.held_back += 1;
            return;
        }
        let Some(number) = mark.attributes.get("ref").and_then(Value::as_u64) else { return };
        match self.library.pattern(number) {
            Some(Pattern::Public(pattern)) if depth < MAX_DEPTH && self.patterns < MOST_PATTERNS => {
                self.patterns += 1;
                self.add(pattern, depth + 1);
            }
            Some(Pattern::Public(_)) => {}
            Some(Pattern::HeldBack) => self.blocks.held_back += 1,
            None => drop(self.blocks.missing.insert(format!("pattern {number}"))),
        }
    }
}

/// The comment at the start or end of a block.
struct BlockMark<'a> {
    /// Without `core/`.
    name: &'a str,
    attributes: Value,
    is_end: bool,
    /// A block without content: `<!-- wp:name /-->`.
    is_void: bool,
}

impl<'a> BlockMark<'a> {
    fn of(comment: &'a str) -> Option<Self> {
        let inside = comment.strip_prefix("<!--")?.strip_suffix("-->").unwrap_or_default().trim();
        let (inside, is_end) = inside.strip_prefix('/').map_or((inside, false), |inside| (inside, true));
        let inside = inside.strip_prefix("wp:")?;
        let (inside, is_void) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        let attributes = serde_json::from_str(attributes.trim()).unwrap_or_default();
        Some(Self { name: name.strip_prefix("core/").unwrap_or(name), attributes, is_end, is_void })
    }

    /// Whether visitors do not see the block on any device.
    fn is_hidden(&self) -> bool {
        if is_for_members(self.name) {
            return true;
        }
        let is_hidden_everywhere = |visibility: &Value| {
            let devices = visibility.get("viewport").unwrap_or(visibility);
            let devices = ["mobile", "tablet", "desktop"].map(|device| devices.get(device).and_then(Value::as_bool));
            visibility.as_bool() == Some(false) || devices == [Some(false); 3]
        };
        if self.attributes.pointer("/metadata/blockVisibility").is_some_and(is_hidden_everywhere) {
            return true;
        }
        // The plug-in of this name.
        let Some(visibility) = self.attributes.get("blockVisibility") else { return false };
        let sets = visibility.get("controlSets").and_then(Value::as_array).into_iter().flatten();
        let mut roles = sets.filter_map(|set| set.pointer("/controls/userRole/visibilityByRole")?.as_str());
        visibility.get("hideBlock").and_then(Value::as_bool) == Some(true)
            || roles.any(|role| !matches!(role, "all" | "public" | "logged-out"))
    }
}

/// The notes below a text, each with a link back.
fn footnotes(notes: &[Footnote]) -> String {
    let note = |Footnote { id, content }: &Footnote| {
        let id = escape_html(id);
        format!("<li id=\"{id}\">{content} <a href=\"#{id}-link\">\u{21A9}\u{FE0E}</a></li>")
    };
    let notes: String = notes.iter().map(note).collect();
    if notes.is_empty() { notes } else { format!("\n<ol>{notes}</ol>\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text without the comments of blocks, and the number of blocks that are left out.
    fn visible(source: &str) -> (String, usize) {
        let ResolvedBlocks { text, held_back, .. } =
            resolve(source, &WordPressPost::default(), &NumberedParts::default());
        let text = text.split("<!--").map(|part| part.split_once("-->").map_or(part, |(_, text)| text)).collect();
        (text, held_back)
    }

    #[test]
    fn blocks_that_visitors_do_not_see_are_left_out() {
        let hidden = |text: &str| {
            format!("<!-- wp:paragraph {{\"metadata\":{{\"blockVisibility\":false}}}} -->{text}<!-- /wp:paragraph -->")
        };
        let block = |start: &str, name: &str| format!("a<!-- wp:{start} -->b<!-- /wp:{name} -->c");
        for (source, expected) in [
            (format!("a{}c", hidden("SECRET")), ("ac", 1)),
            (format!("a<!-- wp:group -->b{}c<!-- /wp:group -->d", hidden("SECRET")), ("abcd", 1)),
            (
                "a<!-- wp:group {\"metadata\":{\"name\":\"x\",\"blockVisibility\":false}} --><div><!-- wp:image /--><!-- wp:group -->SECRET\
                 <!-- /wp:group -->SECRET</div><!-- /wp:group -->c".to_owned(),
                ("ac", 1),
            ),
            ("a<!-- wp:group {\"metadata\":{\"blockVisibility\":false}} -->SECRET".to_owned(), ("a", 1)),
            ("a<!-- wp:group {\"metadata\":{\"blockVisibility\":false}} -->SECRET<!-- wp:".to_owned(), ("a", 1)),
            (block("paragraph {\"metadata\":{\"blockVisibility\":{\"viewport\":{\"mobile\":false}}}}", "paragraph"), ("abc", 0)),
            (
                block("paragraph {\"metadata\":{\"blockVisibility\":{\"viewport\":{\"mobile\":false,\"tablet\":false,\"desktop\":false}}}}", "paragraph"),
                ("ac", 1),
            ),
            (block("paragraph {\"metadata\":{\"blockVisibility\":true}}", "paragraph"), ("abc", 0)),
            (block("paragraph {\"blockVisibility\":{\"hideBlock\":true}}", "paragraph"), ("ac", 1)),
            (
                block("paragraph {\"blockVisibility\":{\"controlSets\":[{\"id\":1,\"controls\":{\"userRole\":{\"visibilityByRole\":\"logged-in\"}}}]}}", "paragraph"),
                ("ac", 1),
            ),
            (block("premium-content/subscriber-view", "premium-content/subscriber-view"), ("ac", 1)),
            (block("pmpro/membership {\"levels\":[\"1\"]}", "pmpro/membership"), ("ac", 1)),
            (block("ht/team-member", "ht/team-member"), ("abc", 0)),
            ("a<!-- wp:jetpack/paywall /-->SECRET".to_owned(), ("a", 1)),
            ("a<!-- wp:loginout /-->b<!--more-->c<!-- /wp:x -->d".to_owned(), ("abcd", 0)),
            ("<pre>&lt;!-- wp:paragraph {\"metadata\":{\"blockVisibility\":false}} --&gt;</pre>".to_owned(), 
             ("<pre>&lt;!-- wp:paragraph {\"metadata\":{\"blockVisibility\":false}} --&gt;</pre>", 0)),
        ] {
            let (text, held_back) = visible(&source);
            assert_eq!((text.as_str(), held_back), expected, "{source}");
        }
    }

    #[test]
    fn many_blocks_take_linear_time() {
        visible(&"<!-- wp:group {\"metadata\":{\"blockVisibility\":false}} -->".repeat(20_000));
        visible(&"<!--".repeat(50_000));
    }
}
