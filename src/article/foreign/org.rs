//! Org, the markup of Emacs. Its `#+KEY:` lines are read as front matter elsewhere.

use super::markup::{escaped, fenced};

/// Keywords of tasks at the start of a heading.
const TASKS: [&str; 6] = ["TODO", "DONE", "NEXT", "WAITING", "CANCELLED", "CANCELED"];
/// Lines about a heading that are not shown.
const PLANNING: [&str; 4] = ["SCHEDULED:", "DEADLINE:", "CLOSED:", "CLOCK:"];
/// Endings of pictures.
const PICTURES: [&str; 7] = [".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif"];

/// Converts a text. Sections that are tagged `noexport` or commented out are private.
pub(super) fn as_markdown(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len() * 5 / 4);
    let mut lines = text.lines().peekable();
    // Depth of the private section that the lines are in.
    let mut private: Option<usize> = None;
    let mut has_text = false;
    while let Some(line) = lines.next() {
        if let Some((depth, title)) = heading(line) {
            private = private.filter(|outer| depth > *outer);
            if private.is_none() {
                match public_title(title) {
                    Some(title) => markdown.push_str(&format!("{} {}\n", "#".repeat(depth.min(6)), inline(&title))),
                    None => private = Some(depth),
                }
            }
            has_text = true;
            continue;
        }
        let trimmed = line.trim_start();
        let block = block_name(trimmed);
        if let Some((name, arguments)) = &block {
            let end = format!("#+end_{name}");
            let body = lines.by_ref().take_while(|line| !line.trim().to_ascii_lowercase().starts_with(&end));
            let body: Vec<&str> = body.collect();
            if private.is_none() {
                markdown.push_str(&of_block(name, arguments, &body));
            }
            has_text = true;
            continue;
        }
        if is_drawer(trimmed) {
            lines.by_ref().take_while(|line| !line.trim().eq_ignore_ascii_case(":END:")).for_each(drop);
            continue;
        }
        if private.is_none()
            && let Some(caption) = caption(trimmed)
        {
            // Below a picture, and above anything else.
            let picture = lines.next_if(|next| next.trim_start().starts_with("[["));
            let picture = picture.map(|line| format!("{}\n\n", of_line(line))).unwrap_or_default();
            markdown.push_str(&format!("\n{picture}*{}*\n\n", inline(caption)));
            has_text = true;
            continue;
        }
        if private.is_some() || is_unseen(trimmed, has_text) {
            continue;
        }
        if is_fixed(trimmed) {
            let next = std::iter::from_fn(|| lines.next_if(|next| is_fixed(next.trim_start())));
            let code = [line].into_iter().chain(next).map(|line| &line.trim_start()[1..]);
            let code: Vec<&str> = code.map(|code| code.strip_prefix(' ').unwrap_or(code)).collect();
            markdown.push_str(&fenced("", &code.join("\n")));
            has_text = true;
            continue;
        }
        has_text |= !trimmed.is_empty() && !trimmed.starts_with("#+");
        if trimmed.starts_with("#+") && !has_text {
            markdown.push_str(line);
        } else {
            markdown.push_str(&of_line(line));
        }
        markdown.push('\n');
    }
    markdown
}

/// The depth and the rest of a heading.
fn heading(line: &str) -> Option<(usize, &str)> {
    let depth = line.bytes().take_while(|byte| *byte == b'*').count();
    let rest = line.get(depth..)?.strip_prefix(' ')?;
    (depth > 0).then(|| (depth, rest.trim()))
}

/// The words of a heading, without task, priority and tags; `None` if its section is private.
fn public_title(title: &str) -> Option<String> {
    let (words, tags) = match title.rsplit_once(char::is_whitespace) {
        Some((words, tags)) if tags.len() > 2 && tags.starts_with(':') && tags.ends_with(':') => {
            (words.trim_end(), tags)
        }
        _ => (title, ""),
    };
    let mut words = words;
    if let Some((_, rest)) = words.split_once(' ').filter(|(first, _)| TASKS.contains(first)) {
        words = rest.trim_start();
    }
    if words.starts_with("[#") && words.get(3..4) == Some("]") {
        words = words[4..].trim_start();
    }
    let is_private =
        tags.split(':').any(|tag| tag == "noexport") || words == "COMMENT" || words.starts_with("COMMENT ");
    (!is_private).then(|| words.to_owned())
}

/// The name of the block that a line begins, in lower case, and what follows it.
fn block_name(line: &str) -> Option<(String, String)> {
    let start = line.get(.."#+begin_".len()).filter(|start| start.eq_ignore_ascii_case("#+begin_"))?;
    let rest = &line[start.len()..];
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    Some((name.to_ascii_lowercase(), arguments.trim().to_owned()))
}

fn of_block(name: &str, arguments: &str, body: &[&str]) -> String {
    // Org puts a comma before lines that it would read otherwise.
    let code = || {
        body.iter()
            .map(|line| {
                line.strip_prefix(",*").map_or_else(
                    || line.strip_prefix(",#").map_or((*line).to_owned(), |rest| format!("#{rest}")),
                    |rest| format!("*{rest}"),
                )
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    match name {
        "src" => {
            let language = arguments.split_whitespace().next().unwrap_or_default();
            let language: String =
                language.chars().filter(|c| c.is_ascii_alphanumeric() || "+-#".contains(*c)).collect();
            if arguments.contains(":exports none") || arguments.contains(":exports results") {
                return String::new();
            }
            fenced(&language, &code())
        }
        "example" => fenced("", &code()),
        "export" if arguments.eq_ignore_ascii_case("html") => {
            let lines: Vec<&str> = body.iter().copied().filter(|line| !line.trim().is_empty()).collect();
            format!("\n<div>\n{}\n</div>\n\n", lines.join("\n"))
        }
        "export" | "comment" => String::new(),
        "quote" | "verse" => {
            let end = if name == "verse" { "\\" } else { "" };
            let lines: Vec<String> = body.iter().map(|line| format!("> {}{end}", of_line(line).trim_end())).collect();
            format!("\n{}\n\n", lines.join("\n").trim_end_matches('\\'))
        }
        _ => format!("\n{}\n\n", body.iter().map(|line| of_line(line)).collect::<Vec<_>>().join("\n")),
    }
}

/// The words below a picture or above a table, `#+CAPTION: words`.
fn caption(line: &str) -> Option<&str> {
    let name = line.get(.."#+caption".len()).filter(|name| name.eq_ignore_ascii_case("#+caption"))?;
    // A short form for lists may precede them: `#+CAPTION[short]: words`.
    let (_, words) = line[name.len()..].split_once(':')?;
    Some(words.trim()).filter(|words| !words.is_empty())
}

/// Whether a line is shown as it is: `: words`.
fn is_fixed(line: &str) -> bool {
    line == ":" || line.starts_with(": ")
}

/// Whether a line begins properties or a log of a heading.
fn is_drawer(line: &str) -> bool {
    let name = line.trim_end().strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
    name.is_some_and(|name| matches!(name.to_ascii_uppercase().as_str(), "PROPERTIES" | "LOGBOOK" | "RESULTS"))
}

/// Whether a line is a comment or says something to Emacs. At the top of the file, keys are front matter.
fn is_unseen(line: &str, has_text: bool) -> bool {
    let is_comment = line == "#" || line.starts_with("# ");
    let is_key = line.starts_with("#+") && has_text;
    is_comment || is_key || PLANNING.iter().any(|word| line.starts_with(word))
}

/// Converts a line of a paragraph, a list or a table.
fn of_line(line: &str) -> String {
    let trimmed = line.trim_start();
    let indent = &line[..line.len() - trimmed.len()];
    if trimmed.starts_with('|') {
        let is_rule = trimmed.starts_with("|-");
        return if is_rule { trimmed.replace('+', "|") } else { inline_cells(trimmed) };
    }
    if let Some((mark, note)) =
        trimmed.strip_prefix("[fn:").and_then(|rest| rest.split_once(']')).filter(|_| indent.is_empty())
    {
        return format!("[^{mark}]: {}", inline(note.trim()));
    }
    let item = ["- ", "+ "].iter().find_map(|mark| trimmed.strip_prefix(mark));
    if let Some(item) = item {
        // `- term :: meaning`
        let item = item
            .split_once(" :: ")
            .map_or_else(|| inline(item), |(term, meaning)| format!("**{}**: {}", inline(term), inline(meaning)));
        let item = ["[ ]", "[-]", "[X]"]
            .iter()
            .find_map(|mark| Some((mark, item.strip_prefix(&escaped(mark))?)))
            .map_or(item.clone(), |(mark, rest)| format!("[{}]{rest}", if *mark == "[X]" { "x" } else { " " }));
        return format!("{indent}- {item}");
    }
    if trimmed.len() >= 5 && trimmed.bytes().all(|byte| byte == b'-') {
        return "---".to_owned();
    }
    format!("{}{}", if indent.len() > 3 { "  " } else { indent }, inline(trimmed))
}

fn inline_cells(line: &str) -> String {
    line.split('|').map(inline).collect::<Vec<_>>().join("|")
}

/// Converts links, notes and emphasis in a text.
fn inline(text: &str) -> String {
    let mut output = String::with_capacity(text.len() * 5 / 4);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let before = text[..text.len() - rest.len()].chars().next_back();
        if let Some((converted, length)) =
            link(rest).or_else(|| note(rest)).or_else(|| formula(rest)).or_else(|| emphasis(rest, before))
        {
            output.push_str(&converted);
            rest = &rest[length..];
        } else {
            output.push_str(&escaped(c.encode_utf8(&mut [0; 4])));
            rest = &rest[c.len_utf8()..];
        }
    }
    output
}

/// `[[address][words]]` and `[[address]]`.
fn link(text: &str) -> Option<(String, usize)> {
    let inside = text.strip_prefix("[[")?;
    let end = inside.find("]]")?;
    let (address, words) =
        inside[..end].split_once("][").map_or((&inside[..end], None), |(address, words)| (address, Some(words)));
    let address = address.strip_prefix("file:").unwrap_or(address).replace(['<', '>', '\n'], "");
    let is_picture = PICTURES.iter().any(|ending| address.to_ascii_lowercase().ends_with(ending));
    let converted = match words {
        None if is_picture => format!("![](<{address}>)"),
        Some(words) if PICTURES.iter().any(|ending| words.to_ascii_lowercase().ends_with(ending)) => {
            format!("[![](<{}>)](<{address}>)", words.strip_prefix("file:").unwrap_or(words))
        }
        words => format!("[{}](<{address}>)", escaped(words.unwrap_or(&address))),
    };
    Some((converted, "[[".len() + end + "]]".len()))
}

/// `[fn:name]`
fn note(text: &str) -> Option<(String, usize)> {
    let inside = text.strip_prefix("[fn:")?;
    let end = inside.find(']')?;
    let name = &inside[..end];
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    is_name.then(|| (format!("[^{name}]"), "[fn:".len() + end + 1))
}

/// A formula in TeX stays as it is.
fn formula(text: &str) -> Option<(String, usize)> {
    let (open, close) = [("\\(", "\\)"), ("\\[", "\\]")].into_iter().find(|(open, _)| text.starts_with(open))?;
    let end = open.len() + text[open.len()..].find(close)? + close.len();
    Some((text[..end].to_owned(), end))
}

/// `*bold*`, `/italic/`, `_underlined_`, `+struck+`, `=verbatim=` and `~code~`: after a blank or a sign, and before one.
fn emphasis(text: &str, before: Option<char>) -> Option<(String, usize)> {
    let mark = text.chars().next().filter(|c| "*/_+=~".contains(*c))?;
    let may_begin = before.is_none_or(|c| c.is_whitespace() || "-('\"{".contains(c));
    let inside = &text[1..];
    if !may_begin || inside.starts_with(char::is_whitespace) {
        return None;
    }
    let is_end = |at: usize| {
        let behind = inside[at + 1..].chars().next();
        at > 0
            && !inside[..at].ends_with(char::is_whitespace)
            && behind.is_none_or(|c| c.is_whitespace() || "-.,:!?;'\")}[\\".contains(c))
    };
    let end = inside.match_indices(mark).map(|(at, _)| at).take(20).find(|at| is_end(*at))?;
    let words = &inside[..end];
    let converted = match mark {
        '*' => format!("**{}**", inline(words)),
        '/' => format!("*{}*", inline(words)),
        '_' => format!("<u>{}</u>", inline(words)),
        '+' => format!("~~{}~~", inline(words)),
        _ => {
            let fence = if words.contains('`') { "``" } else { "`" };
            let space = if words.starts_with('`') || words.ends_with('`') { " " } else { "" };
            format!("{fence}{space}{words}{space}{fence}")
        }
    };
    Some((converted, 1 + end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_converted() {
        for (org, expected) in [
            ("* A heading\n** Second :tag:\nText", "# A heading\n## Second\nText\n"),
            ("* TODO [#A] Task", "# Task\n"),
            ("*bold* /italic/ =code= ~more~ +gone+ _under_", "**bold** *italic* `code` `more` ~~gone~~ <u>under</u>\n"),
            ("a/b and 2*3*4 and snake_case", "a/b and 2\\*3\\*4 and snake\\_case\n"),
            (
                "[[https://a.example/][A page]] [[file:b.org][b]] [[./c.png]]",
                "[A page](<https://a.example/>) [b](<b.org>) ![](<./c.png>)\n",
            ),
            ("Note[fn:1].\n\n[fn:1] The note.", "Note[^1].\n\n[^1]: The note.\n"),
            ("- [X] done\n- term :: meaning\n  - inner", "- [x] done\n- **term**: meaning\n  - inner\n"),
            ("| a | b |\n|---+---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |\n"),
            ("A \\(x_1\\) b", "A \\(x_1\\) b\n"),
            (": a *b*\n:   c\nText", "\n```\na *b*\n  c\n```\n\nText\n"),
            ("#+CAPTION: The *sea*\n[[file:a.png]]\nText", "\n![](<a.png>)\n\n*The **sea***\n\nText\n"),
            ("#+caption[Short]: A table\n| a |", "\n*A table*\n\n| a |\n"),
            (
                "#+TITLE: T\n#+DATE: 2024-05-01\n\nText\n#+ATTR_HTML: :width 3\nMore",
                "#+TITLE: T\n#+DATE: 2024-05-01\n\nText\nMore\n",
            ),
        ] {
            assert_eq!(as_markdown(org), expected, "{org}");
        }
    }

    #[test]
    fn blocks_are_converted() {
        let markdown = as_markdown(
            "#+begin_src rust :results none\nfn a() {}\n,* b\n#+end_src\n#+BEGIN_QUOTE\nWords.\n#+END_QUOTE",
        );
        assert_eq!(markdown, "\n```rust\nfn a() {}\n* b\n```\n\n\n> Words.\n\n");
        assert_eq!(
            as_markdown("#+begin_export latex\nx\n#+end_export\n#+begin_comment\nprivate\n#+end_comment\na"),
            "a\n"
        );
    }

    #[test]
    fn private_parts_are_left_out() {
        let org = "* Public\n:PROPERTIES:\n:ID: 1\n:END:\nSCHEDULED: <2024-05-01>\n# a comment\nText\n* Secret :noexport:\nHidden\n** Inner\nHidden too\n* COMMENT Draft\nHidden\n* Last\nMore";
        assert_eq!(as_markdown(org), "# Public\nText\n# Last\nMore\n");
    }
}
