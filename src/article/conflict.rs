//! Unresolved merge conflicts, by the markers that version control systems leave in a file.

use crate::folder::SourceFormat;

/// Least number of signs in a marker.
const LEAST: usize = 7;
/// Markers of Perforce: the first, the one in between, and the last.
const PERFORCE: [&str; 3] = [">>>> ORIGINAL ", "==== THEIRS ", "<<<<"];
/// Elements that show or hold code.
const ELEMENTS: [(&str, &str); 5] =
    [("<pre", "</pre"), ("<textarea", "</textarea"), ("<script", "</script"), ("<style", "</style"), ("<xmp", "</xmp")];
/// Beginnings and ends of blocks of code in Jekyll, Hugo and org mode, in lower case and without blanks.
const BLOCKS: [(&str, &str); 9] = [
    ("{%highlight", "{%endhighlight"),
    ("{%-highlight", "{%-endhighlight"),
    ("{%raw", "{%endraw"),
    ("{%code", "{%endcode"),
    ("{{<highlight", "{{</highlight"),
    ("{{<code", "{{</code"),
    ("{{%highlight", "{{%/highlight"),
    ("#+begin_src", "#+end_src"),
    ("#+begin_example", "#+end_example"),
];

/// Code that the current line is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    /// Up to a line of as many of these signs.
    Fence(u8, usize),
    /// Up to a line with this text.
    Until(&'static str),
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
    let (mut code, mut open, mut is_quoted) = (None::<Code>, None::<Conflict<'_>>, false);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        let is_in_code = code.is_some();
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
        code = code_after(line, code, format);
        is_quoted &= code.is_some();
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

/// Returns the code that the next line is in.
fn code_after(line: &str, code: Option<Code>, format: SourceFormat) -> Option<Code> {
    let start = line.trim_start();
    match code {
        Some(Code::Fence(sign, length)) => {
            let is_end = start.len() >= length && start.bytes().all(|byte| byte == sign);
            (!is_end).then_some(Code::Fence(sign, length))
        }
        Some(Code::Until(end)) => (!folded(line).contains(end)).then_some(Code::Until(end)),
        None => {
            let fence = if format == SourceFormat::Html { None } else { fence(start) };
            fence.or_else(|| block(line, format))
        }
    }
}

/// Reads the beginning of a fence: three or more backticks or tildes. Those of a fence of backticks are not followed by another.
fn fence(start: &str) -> Option<Code> {
    let sign = *start.as_bytes().first().filter(|sign| b"`~".contains(sign))?;
    let length = start.bytes().take_while(|byte| *byte == sign).count();
    let is_fence = length >= 3 && !(sign == b'`' && start[length..].contains('`'));
    is_fence.then_some(Code::Fence(sign, length))
}

/// Reads the beginning of another block of code that does not end in its line. In a text that is not HTML, it starts the line.
fn block(line: &str, format: SourceFormat) -> Option<Code> {
    // Few lines have any of these signs.
    if !line.contains(['<', '{', '#']) {
        return None;
    }
    let line = line.trim_start().to_ascii_lowercase();
    let element = ELEMENTS.iter().find_map(|(begin, end)| {
        let at =
            if format == SourceFormat::Html { line.rfind(begin)? } else { line.starts_with(begin).then_some(0)? };
        let is_whole = !line[at + begin.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '-');
        (is_whole && !line[at..].contains(end)).then_some(Code::Until(end))
    });
    let line = folded(&line);
    let shortcode = || BLOCKS.iter().find(|(begin, end)| line.starts_with(begin) && !line.contains(end));
    element.or_else(|| shortcode().map(|(_, end)| Code::Until(end)))
}

/// A line in lower case and without blanks.
fn folded(line: &str) -> String {
    line.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
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
    fn blocks_of_code_are_known_by_format() {
        for (begin, end) in [
            ("<pre>", "</pre>"),
            ("<PRE class='a'><code>", "</code></PRE>"),
            ("{% highlight diff %}", "{% endhighlight %}"),
            ("{{< highlight diff >}}", "{{< /highlight >}}"),
            ("#+BEGIN_SRC", "#+END_SRC"),
        ] {
            let code = format!("{begin}\n{CONFLICT}{end}\n");
            assert_eq!(line_of(&code, SourceFormat::Markdown), None, "{begin}");
            assert_eq!(line_of(&format!("{code}{CONFLICT}"), SourceFormat::Markdown), Some(8), "{begin}");
        }
        let page = format!("<p>a</p><pre>\n{CONFLICT}</pre><prelude>\n");
        assert_eq!(line_of(&page, SourceFormat::Html), None);
        assert_eq!(line_of(&format!("{page}{CONFLICT}"), SourceFormat::Html), Some(8));
        assert_eq!(line_of(&format!("Of `<pre>`:\n{CONFLICT}"), SourceFormat::Markdown), Some(2));
    }
}
