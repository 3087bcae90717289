//! Unresolved merge conflicts, by the markers that version control systems leave in a file.

use std::collections::HashMap;

use crate::folder::SourceFormat;

/// Least number of signs in a marker.
const LEAST: usize = 7;
/// Markers of Perforce: the first, the one in between, and the last.
const PERFORCE: [&str; 3] = [">>>> ORIGINAL ", "==== THEIRS ", "<<<<"];
/// Elements that show or hold code.
const ELEMENTS: [(&str, &str); 5] =
    [("<pre", "</pre"), ("<textarea", "</textarea"), ("<script", "</script"), ("<style", "</style"), ("<xmp", "</xmp")];
/// Tags of Jekyll, Hugo and their kin that hold code.
const TAGS: [&str; 5] = ["highlight", "raw", "code", "codeblock", "verbatim"];
/// Beginnings of tags, what ends them, and what stands before the name in the tag that ends a block.
const DELIMITERS: [(&str, &str, &str); 3] = [("{%", "%}", "end"), ("{{<", ">}}", "/"), ("{{%", "%}}", "/")];
/// Blocks of org mode that hold code.
const ORG: [(&str, &str); 2] = [("#+begin_src", "#+end_src"), ("#+begin_example", "#+end_example")];
const COMMENT: (&str, &str) = ("<!--", "-->");

/// A part of a text in which signs have no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Region {
    /// Code up to a line of as many of these signs.
    Fence(u8, usize),
    /// Code up to a line with this text.
    Until(String),
    /// A comment, in which no code begins.
    Comment,
}

/// The places in a text where regions may end, so that a beginning without an end is none.
#[derive(Debug)]
struct Ends<'a> {
    text: &'a str,
    /// Of each sign, the lines that may end a fence, and the greatest length from that line on.
    fences: [Option<Vec<(usize, usize)>>; 2],
    /// The last line with a text.
    last: HashMap<String, Option<usize>>,
}

impl<'a> Ends<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, fences: [None, None], last: HashMap::new() }
    }

    /// Whether a region that begins in a line ends in a later one.
    fn follows(&mut self, region: &Region, index: usize) -> bool {
        match region {
            Region::Fence(sign, length) => {
                let text = self.text;
                let ends = self.fences[usize::from(*sign == b'~')].get_or_insert_with(|| fence_ends(text, *sign));
                let next = ends.partition_point(|(line, _)| *line <= index);
                ends.get(next).is_some_and(|(_, longest)| longest >= length)
            }
            Region::Until(end) => self.is_after(end, index),
            Region::Comment => self.is_after(COMMENT.1, index),
        }
    }

    fn is_after(&mut self, end: &str, index: usize) -> bool {
        if !self.last.contains_key(end) {
            let last = self.text.lines().enumerate().filter(|(_, line)| folded(line).contains(end)).last();
            self.last.insert(end.to_owned(), last.map(|(index, _)| index));
        }
        self.last.get(end).copied().flatten().is_some_and(|last| last > index)
    }
}

/// The lines that may end a fence of a sign, each with the greatest length from it on.
fn fence_ends(text: &str, sign: u8) -> Vec<(usize, usize)> {
    let length = |line: &str| {
        let line = unindented(line.trim_end())?;
        (line.len() >= 3 && line.bytes().all(|byte| byte == sign)).then_some(line.len())
    };
    let mut ends: Vec<(usize, usize)> =
        text.lines().enumerate().filter_map(|(index, line)| Some((index, length(line)?))).collect();
    let mut longest = 0;
    for (_, length) in ends.iter_mut().rev() {
        longest = longest.max(*length);
        *length = longest;
    }
    ends
}

/// A line without the blanks that do not make it code.
fn unindented(line: &str) -> Option<&str> {
    let start = line.trim_start_matches(' ');
    (line.len() - start.len() <= 3 && !start.starts_with('\t')).then_some(start)
}

/// The beginning of a conflict.
#[derive(Debug, Clone, Copy)]
struct Conflict<'a> {
    line: usize,
    marker: &'a str,
    /// Number of signs in its markers.
    length: usize,
    /// Whether the marker between its versions has been seen.
    is_divided: bool,
}

/// Whether a text may have a conflict, without looking for lines.
pub fn may_have_conflict(text: &str) -> bool {
    text.contains("<<<<<<<") || text.contains(PERFORCE[0])
}

/// Finds the first conflict of a text that is not in code. Returns the line of its first marker, from 1, and the marker.
pub fn find(text: &str, format: SourceFormat) -> Option<(usize, &str)> {
    if !may_have_conflict(text) {
        return None;
    }
    let (mut region, mut open, mut is_quoted) = (None::<Region>, None::<Conflict<'_>>, false);
    let mut ends = Ends::new(text);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        let is_in_code = region.as_ref().is_some_and(|region| *region != Region::Comment);
        match marker(line) {
            // A conflict that code shows: its other markers are in the code, too.
            Some((b'<', _)) if is_in_code => is_quoted = true,
            Some((b'<', length)) if open.is_none() => {
                open = Some(Conflict { line: index + 1, marker: line, length, is_divided: false });
            }
            Some((b'>', _)) if is_in_code && is_quoted => is_quoted = false,
            _ if is_in_code && is_quoted => {}
            Some((b'>', length)) => {
                if let Some(conflict) = open.filter(|conflict| conflict.is_divided && conflict.length == length) {
                    return Some((conflict.line, conflict.marker));
                }
            }
            Some((b'=' | b'%' | b'+' | b'-', length)) => {
                if let Some(conflict) = open.as_mut().filter(|conflict| conflict.length == length) {
                    conflict.is_divided = true;
                }
            }
            _ => {}
        }
        region = match region {
            Some(region) => (!region.ends_in(line)).then_some(region),
            None => region_from(line, format).filter(|region| ends.follows(region, index)),
        };
        is_quoted &= region.is_some();
    }
    perforce(text)
}

/// Reads a marker: seven or more of one sign at the start of a line, followed by nothing or a blank.
fn marker(line: &str) -> Option<(u8, usize)> {
    let sign = *line.as_bytes().first().filter(|sign| b"<=>%+-".contains(sign))?;
    let length = line.bytes().take_while(|byte| *byte == sign).count();
    let is_alone = matches!(line.as_bytes().get(length), None | Some(b' ' | b'\t'));
    (length >= LEAST && is_alone).then_some((sign, length))
}

/// Finds Perforce's markers.
fn perforce(text: &str) -> Option<(usize, &str)> {
    let [first, between, last] = PERFORCE;
    let mut lines = text.lines().enumerate();
    let (index, marker) = lines.find(|(_, line)| line.starts_with(first))?;
    lines.find(|(_, line)| line.starts_with(between))?;
    lines.find(|(_, line)| line.trim_end() == last)?;
    Some((index + 1, marker.trim_end()))
}

impl Region {
    fn ends_in(&self, line: &str) -> bool {
        match self {
            Self::Fence(sign, length) => {
                unindented(line).is_some_and(|start| start.len() >= *length && start.bytes().all(|byte| byte == *sign))
            }
            Self::Until(end) => folded(line).contains(end),
            Self::Comment => line.contains(COMMENT.1),
        }
    }
}

/// Returns the region that the next line is in, if one begins in this line.
fn region_from(line: &str, format: SourceFormat) -> Option<Region> {
    let fence = || unindented(line).filter(|_| format == SourceFormat::Markdown).and_then(fence);
    fence().or_else(|| block(line, format))
}

/// Reads the beginning of a fence: three or more backticks or tildes. Those of a fence of backticks are not followed by another.
fn fence(start: &str) -> Option<Region> {
    let sign = *start.as_bytes().first().filter(|sign| b"`~".contains(sign))?;
    let length = start.bytes().take_while(|byte| *byte == sign).count();
    let is_fence = length >= 3 && !(sign == b'`' && start[length..].contains('`'));
    is_fence.then_some(Region::Fence(sign, length))
}

/// Reads the beginning of another block of code, or of a comment, that does not end in its line. In a text that is not HTML, it starts
/// the line.
fn block(line: &str, format: SourceFormat) -> Option<Region> {
    // Few lines have any of these signs.
    if !line.contains(['<', '{', '#']) {
        return None;
    }
    let line = line.trim_start().to_ascii_lowercase();
    let is_html = format == SourceFormat::Html;
    let begins = |begin: &str| if is_html { line.rfind(begin) } else { line.starts_with(begin).then_some(0) };
    if begins(COMMENT.0).is_some_and(|at| !line[at..].contains(COMMENT.1)) {
        return Some(Region::Comment);
    }
    let is_in_comment = |at: usize| line[..at].rfind(COMMENT.0) > line[..at].rfind(COMMENT.1);
    let element = ELEMENTS.iter().find_map(|(begin, end)| {
        let at = begins(begin).filter(|at| !is_in_comment(*at))?;
        let is_whole = !line[at + begin.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '-');
        (is_whole && !line[at..].contains(end)).then(|| (*end).to_owned())
    });
    let org = || {
        let is_whole = |begin: &str| line.strip_prefix(begin).is_some_and(|rest| !rest.starts_with(is_of_name));
        ORG.iter().find(|(begin, _)| is_whole(begin)).map(|(_, end)| (*end).to_owned())
    };
    let end = element.or_else(|| tag_end(&line)).or_else(org)?;
    Some(Region::Until(end))
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '-' | '_')
}

/// Reads a tag at the start of a line that holds code. Returns the tag that ends it, as [`folded`] has it.
fn tag_end(line: &str) -> Option<String> {
    let (begin, close, before) = DELIMITERS.iter().find(|(begin, ..)| line.starts_with(begin))?;
    let inside = line[begin.len()..].trim_start_matches('-').trim_start();
    let name =
        TAGS.iter().find(|name| inside.strip_prefix(**name).is_some_and(|rest| !rest.starts_with(is_of_name)))?;
    let end = format!("{begin}{before}{name}{close}");
    (!folded(line).contains(&end)).then_some(end)
}

/// A line in lower case, without blanks and without the signs by which a tag takes those around it away.
fn folded(line: &str) -> String {
    let folded: String = line.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    if folded.contains("{%") { folded.replace("{%-", "{%").replace("-%}", "%}") } else { folded }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFLICT: &str = "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> branch\n";

    fn prefixed(prefix: &str) -> String {
        CONFLICT.lines().flat_map(|line| [prefix, line, "\n"]).collect()
    }

    fn line_of(text: &str, format: SourceFormat) -> Option<usize> {
        find(text, format).map(|(line, _)| line)
    }

    #[test]
    fn the_first_conflict_outside_of_code_is_found() {
        let code = format!("```\n{CONFLICT}```\n");
        for (text, line) in [
            (CONFLICT.to_owned(), Some(1)),
            (format!("---\ntitle: T\n{CONFLICT}---\nText"), Some(3)),
            (format!("{code}\n{CONFLICT}"), Some(9)),
            (code.clone(), None),
            (format!("<<<<<<< HEAD\n{code}"), None),
            (format!("~~~~ text\n```\n{CONFLICT}~~~~\n"), None),
            (format!("```\ncode\n```\n{CONFLICT}```\ncode\n```"), Some(4)),
            ("<<<<<<< HEAD\n```js\n=======\n```ts\n>>>>>>> b\ncode\n```".to_owned(), Some(1)),
            (CONFLICT.replace("=======", "||||||| base\nold\n======="), Some(1)),
            (CONFLICT.replace('=', "").replace("ours", "%%%%%%% diff"), Some(1)),
            (
                CONFLICT
                    .replace("<<<<<<<", "<<<<<<<<<")
                    .replace("=======", "=========")
                    .replace(">>>>>>>", ">>>>>>>>>"),
                Some(1),
            ),
            (prefixed("    "), None),
            (prefixed("> "), None),
            (CONFLICT.replace("<<<<<<<", "<<<<<<"), None),
            (CONFLICT.replace(">>>>>>>", ">>>>>>"), None),
            (CONFLICT.replace("=======", "======"), None),
            (CONFLICT.replace("<<<<<<< ", "<<<<<<<"), None),
            (">>>>>>> a\n=======\n<<<<<<< b\n".to_owned(), None),
            (">>>> ORIGINAL //depot/a#1\na\n==== THEIRS //depot/a#2\nb\n==== YOURS //a\nc\n<<<<\n".to_owned(), Some(1)),
        ] {
            assert_eq!(line_of(&text, SourceFormat::Markdown), line, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_the_beginning_of_code_hides_no_conflict() {
        for before in [
            "{% codepen https://codepen.io/a/pen/b %}",
            "{{< codepen id=\"a\" >}}",
            "{{< codeimporter url=\"a\" >}}",
            "{{% codefile a.rs %}}",
            "{% highlighter x %}",
            "{% rawhtml %}\n<p>\n{% endrawhtml %}",
            "{% highlight x %}",
            "{% raw %}{{ a }}{% endraw %}",
            "{%- raw -%}{{ a }}{%- endraw -%}",
            "{{< highlight a.rs >}}",
            "#+begin_srcs",
            "#+begin_src",
            "```\nwithout an end",
            "````\ncode\n```",
            "    indented\n    ```\n    code",
            "\t```\n\tcode",
            "<!--\n```\nhidden\n-->",
            "<!-- a --> b\n\n    ~~~",
            "<!--\n<pre>\n-->",
            "<pre>\nwithout an end",
            "<prelude>",
        ] {
            let text = format!("{before}\n\n{CONFLICT}");
            let line = before.lines().count() + 2;
            assert_eq!(line_of(&text, SourceFormat::Markdown), Some(line), "{before}");
            // A second line of the same signs is an end.
            if before.starts_with("```") {
                continue;
            }
            assert_eq!(line_of(&format!("{text}\n{before}"), SourceFormat::Markdown), Some(line), "{before}");
        }
        for before in ["A title\n~~~~~~~~", "```", "``` a", "~~~\nb"] {
            for after in ["", "~~~~~~~~\n```\n"] {
                let text = format!("{before}\n\n{CONFLICT}{after}");
                assert_eq!(line_of(&text, SourceFormat::Text), Some(before.lines().count() + 2), "{before}");
            }
        }
        for before in ["<!-- <pre> -->", "<!--\n<pre>\n-->", "<p>```", "<!--\n-->"] {
            let text = format!("{before}\n{CONFLICT}<pre>a</pre>\n");
            assert_eq!(line_of(&text, SourceFormat::Html), Some(before.lines().count() + 1), "{before}");
        }
    }

    #[test]
    fn blocks_of_code_are_known_by_format() {
        for (begin, end) in [
            ("<pre>", "</pre>"),
            ("<PRE class='a'><code>", "</code></PRE>"),
            ("{% highlight diff %}", "{% endhighlight %}"),
            ("{%- highlight diff linenos -%}", "{%- endhighlight -%}"),
            ("{% codeblock lang:diff %}", "{% endcodeblock %}"),
            ("{% raw %}", "{%endraw%}"),
            ("{% verbatim %}", "{% endverbatim %}"),
            ("{{< highlight diff >}}", "{{< /highlight >}}"),
            ("{{<code>}}", "{{</code>}}"),
            ("{{% highlight diff %}}", "{{% /highlight %}}"),
            ("   ~~~ diff", "  ~~~~"),
            ("<!-- a -->\n```", "```"),
            ("<pre>\n<!--", "</pre>"),
            ("```\n<!--", "```"),
            ("#+BEGIN_SRC", "#+END_SRC"),
        ] {
            let code = format!("{begin}\n{CONFLICT}{end}\n");
            assert_eq!(line_of(&code, SourceFormat::Markdown), None, "{begin}");
            let line = code.lines().count() + 1;
            assert_eq!(line_of(&format!("{code}{CONFLICT}"), SourceFormat::Markdown), Some(line), "{begin}");
        }
        let page = format!("<p>a</p><pre>\n{CONFLICT}</pre><prelude>\n");
        assert_eq!(line_of(&page, SourceFormat::Html), None);
        assert_eq!(line_of(&format!("{page}{CONFLICT}"), SourceFormat::Html), Some(8));
        assert_eq!(line_of(&format!("Of `<pre>`:\n{CONFLICT}"), SourceFormat::Markdown), Some(2));
    }
}
