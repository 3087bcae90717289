//! What site generators and note programs add to Markdown, turned into plain Markdown, or left out: shortcodes of Hugo and
//! Zola, tags of Jekyll, links and private comments of Obsidian. None of it is ever printed as it stands, and none is
//! touched within code.

mod shortcode;

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use super::Problem;
use shortcode::{Call, Meaning};

/// Which additions a text can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Shortcodes, links and comments in Markdown.
    Markdown,
    /// Shortcodes in a page.
    Html,
}

/// Turns the additions into plain Markdown or HTML. `first_line` is the number of the text's first line.
pub fn plain(text: &str, dialect: Dialect, first_line: usize) -> (Cow<'_, str>, Option<Problem>) {
    const MARKS: [&str; 8] = ["{{", "{%", "{:", "%%", "[[", "[!", "[TOC]", " ^"];
    if !MARKS.iter().any(|mark| text.contains(mark)) {
        return (Cow::Borrowed(text), None);
    }
    let code = if dialect == Dialect::Markdown { code(text) } else { Vec::new() };
    let mut scanner =
        Scanner { text, at: 0, out: String::with_capacity(text.len()), code, dialect, left_out: Vec::new() };
    scanner.run();
    let Scanner { out, left_out, .. } = scanner;
    let problem = left_out.first().map(|(at, name)| {
        let line = first_line + text[..*at].matches('\n').count();
        let count = left_out.len();
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        let message = format!(
            "`{name}`{more}: a site generator would put something here; it is left out, with what stands around it kept"
        );
        Problem::at(line, message)
    });
    (Cow::Owned(out), problem)
}

/// Where a Markdown text is code.
fn code(text: &str) -> Vec<Range<usize>> {
    let events = Parser::new_ext(text, super::markdown::OPTIONS).into_offset_iter();
    let code = events.filter(|(event, _)| matches!(event, Event::Code(_) | Event::Start(Tag::CodeBlock(_))));
    code.map(|(_, range)| range).collect()
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    out: String,
    /// In the order of the text.
    code: Vec<Range<usize>>,
    dialect: Dialect,
    /// What nobody here can show: where it stands, and its name.
    left_out: Vec<(usize, String)>,
}

impl<'a> Scanner<'a> {
    fn run(&mut self) {
        while self.at < self.text.len() {
            let Some(next) = self.next_mark() else { break };
            self.out.push_str(&self.text[self.at..next]);
            self.at = next;
            if let Some(code) = self.code.iter().find(|code| code.contains(&next)) {
                let end = code.end;
                self.out.push_str(&self.text[next..end]);
                self.at = end;
            } else if !self.addition() {
                let length = self.rest().chars().next().map_or(1, char::len_utf8);
                self.out.push_str(&self.text[next..next + length]);
                self.at += length;
            }
        }
        self.out.push_str(&self.text[self.at..]);
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next_mark(&self) -> Option<usize> {
        let signs: &[char] = if self.dialect == Dialect::Markdown { &['{', '%', '[', '!', '^'] } else { &['{'] };
        let mark = self.rest().find(signs).map(|found| self.at + found)?;
        // Code is passed over as a whole, so it counts from where it begins.
        Some(
            self.code
                .iter()
                .map(|code| code.start)
                .find(|start| *start >= self.at)
                .map_or(mark, |start| start.min(mark)),
        )
    }

    /// Deals with what stands here, if it is an addition; says whether it was.
    fn addition(&mut self) -> bool {
        let rest = self.rest();
        let markdown = self.dialect == Dialect::Markdown;
        match () {
            () if rest.starts_with("{{") || rest.starts_with("{%") => self.call(),
            () if rest.starts_with("{:") => self.attributes(),
            () if markdown && rest.starts_with("%%") => self.comment(),
            () if markdown && (rest.starts_with("[[") || rest.starts_with("![[")) => self.wiki_link(),
            () if markdown && rest.starts_with("[!") => self.callout(),
            () if markdown && rest.starts_with("[TOC]") => self.alone("[TOC]"),
            () if markdown && rest.starts_with('^') => self.block_id(),
            () => false,
        }
    }

    fn starts_line(&self) -> bool {
        self.out.rsplit('\n').next().is_some_and(|line| line.trim().is_empty())
    }

    fn alone(&mut self, mark: &str) -> bool {
        let ends_line = self.rest()[mark.len()..].lines().next().is_none_or(|rest| rest.trim().is_empty());
        let alone = ends_line && self.starts_line();
        self.at += if alone { mark.len() } else { 0 };
        alone
    }

    /// kramdown's `{: .class}` and `{:toc}`, on a line of its own or right behind what it is about.
    fn attributes(&mut self) -> bool {
        let Some(end) = self.rest().find('}').filter(|end| !self.rest()[..*end].contains('\n')) else { return false };
        let about = self.out.ends_with([')', '*', '_', '`', ']']);
        if !about && !self.starts_line() {
            return false;
        }
        // The list that kramdown would fill with a table of contents.
        if self.rest()[..end].contains("toc") {
            let list = self.out.trim_end().rfind('\n').map_or(0, |line_feed| line_feed + 1);
            if self.out[list..].trim_start().starts_with(['*', '-', '1']) {
                self.out.truncate(list);
            }
        }
        self.at += end + 1;
        true
    }

    /// Obsidian's `%%private%%`. Where the end is missing, everything to the end of the text is private, as it is there.
    fn comment(&mut self) -> bool {
        let inside = &self.rest()[2..];
        let end = inside.find("%%");
        let glued = self.out.chars().next_back().is_some_and(char::is_alphanumeric);
        match end {
            // "5%%" is no comment.
            None if glued => return false,
            None => {
                self.left_out.push((self.at, "%%".into()));
                self.at = self.text.len();
            }
            Some(end) => self.at += 2 + end + 2,
        }
        true
    }

    /// `[[note|words]]` becomes its words, `![[picture.png]]` a picture; another note is not at hand.
    fn wiki_link(&mut self) -> bool {
        let embeds = self.rest().starts_with('!');
        let open = if embeds { 3 } else { 2 };
        let inside = &self.rest()[open..];
        let Some(end) = inside.find("]]") else { return false };
        let (inside, after) = (&inside[..end], &inside[end + 2..]);
        if inside.is_empty()
            || inside.starts_with(' ')
            || inside.contains(['[', ']', '\n'])
            || after.starts_with(['(', ':'])
        {
            return false;
        }
        let (target, words) = inside.split_once('|').map_or((inside, None), |(target, words)| (target, Some(words)));
        let target = target.trim_end_matches('\\');
        if embeds {
            self.embed(target, words.unwrap_or_default());
        } else if !inside.eq_ignore_ascii_case("toc") && inside != "_TOC_" {
            let note = target.split('#').find(|part| !part.is_empty()).unwrap_or(target);
            self.out.push_str(words.unwrap_or(note).trim());
        }
        self.at += open + end + 2;
        true
    }

    fn embed(&mut self, target: &str, words: &str) {
        const PICTURES: [&str; 7] = ["png", "jpg", "jpeg", "gif", "webp", "avif", "svg"];
        let extension = target.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        if PICTURES.contains(&extension.as_str()) {
            // A number is the width that it is shown at.
            let words = if words.bytes().all(|byte| byte.is_ascii_digit() || byte == b'x') { "" } else { words };
            self.out.push_str(&format!("![{words}](<{target}>)"));
        } else {
            self.left_out.push((self.at, format!("![[{target}]]")));
        }
    }

    /// `> [!warning] Mind the gap`: a quotation with a heading.
    fn callout(&mut self) -> bool {
        let quoted = self
            .out
            .rsplit('\n')
            .next()
            .is_some_and(|line| line.trim_end().ends_with('>') && !line.contains(char::is_alphanumeric));
        let Some(end) = self.rest().find(']').filter(|_| quoted) else { return false };
        let kind = &self.rest()[2..end];
        if kind.is_empty() || !kind.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') {
            return false;
        }
        let line = self.rest()[end + 1..].lines().next().unwrap_or_default();
        let title = line.trim_start_matches(['+', '-']).trim();
        let (first, others) = kind.split_at(1);
        let title = if title.is_empty() { first.to_uppercase() + &others.to_lowercase() } else { title.to_owned() };
        let quote = self.out.rsplit('\n').next().unwrap_or("> ").trim_end().to_owned();
        self.out.push_str(&format!("**{title}**\n{quote}"));
        self.at += end + 1 + line.len();
        true
    }

    /// Obsidian's name for a paragraph, ` ^37066d` at the end of its line.
    fn block_id(&mut self) -> bool {
        let id: &str = self.rest()[1..].lines().next().unwrap_or_default();
        let is_id = id.trim_end().len() == 6 && id.trim_end().bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id || !self.out.ends_with([' ', '\n']) {
            return false;
        }
        self.at += 1 + id.len();
        true
    }

    fn call(&mut self) -> bool {
        let Some(call) = Call::parse(self.rest(), &self.out) else { return false };
        let (start, after) = (self.at, self.at + call.length);
        match call.meaning() {
            Meaning::Text(text) => {
                self.out.push_str(&text);
                self.at = after;
            }
            Meaning::Nothing => {
                self.at = after;
                self.unlink();
            }
            Meaning::Unknown => {
                self.left_out.push((start, call.name.to_owned()));
                self.at = after;
                self.unlink();
            }
            Meaning::Private => self.at = call.end_of_body(self.text, after).map_or(self.text.len(), |body| body.end),
            Meaning::Verbatim => {
                let body = call.end_of_body(self.text, after);
                let (inside, end) =
                    body.map_or((after..self.text.len(), self.text.len()), |body| (after..body.start, body.end));
                self.out.push_str(&self.text[inside]);
                self.at = end;
            }
            Meaning::Code(language) => {
                let body = call.end_of_body(self.text, after);
                let (inside, end) =
                    body.map_or((after..self.text.len(), self.text.len()), |body| (after..body.start, body.end));
                self.fence(&language, &self.text[inside]);
                self.at = end;
            }
        }
        true
    }

    fn fence(&mut self, language: &str, code: &str) {
        let code = code.trim_matches('\n');
        if self.dialect == Dialect::Html {
            let code = crate::entry::escape(code);
            self.out.push_str(&format!("<pre><code class=\"language-{language}\">{code}\n</code></pre>"));
            return;
        }
        let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        self.out.push_str(&format!("\n{fence}{language}\n{code}\n{fence}\n"));
    }

    /// `[words]({{< ref "a" >}})` leads nowhere any more: its words stay.
    fn unlink(&mut self) {
        let Some(close) = self.rest().find(')').filter(|close| {
            let tail = &self.rest()[..*close];
            tail.is_empty() || (tail.starts_with('#') && !tail.contains(char::is_whitespace))
        }) else {
            return;
        };
        let Some(before) = self.out.strip_suffix("](") else { return };
        let Some(open) = before.rfind('[').filter(|open| !before[..*open].ends_with('!')) else { return };
        let words = before[open + 1..].to_owned();
        self.out.truncate(open);
        self.out.push_str(&words);
        self.at += close + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markdown(text: &str) -> String {
        plain(text, Dialect::Markdown, 1).0.into_owned()
    }

    #[test]
    fn notes_of_obsidian() {
        for (given, expected) in [
            ("See [[Harbour]] and [[Harbour|the port]].", "See Harbour and the port."),
            ("[[Harbour#History]] [[#Here]]", "Harbour Here"),
            ("![[map.png]] ![[a b.jpg|300]] ![[c.webp|A map]]", "![](<map.png>) ![](<a b.jpg>) ![A map](<c.webp>)"),
            ("A ![[Other note]] here", "A  here"),
            ("Public %%private%% text", "Public  text"),
            ("One\n\n%%\nprivate\n\nmore\n%%\n\nTwo", "One\n\n\n\nTwo"),
            ("One\n\n%% never closed\n\nTwo", "One\n\n"),
            ("It rose by 5%% in a year.", "It rose by 5%% in a year."),
            ("> [!warning] Mind the gap\n> Text", "> **Mind the gap**\n>\n> Text"),
            ("> [!NOTE]\n> Text", "> **Note**\n>\n> Text"),
            ("> [!tip]- Folded\n> Text", "> **Folded**\n>\n> Text"),
            ("A paragraph. ^37066d\nMore ^2", "A paragraph. \nMore ^2"),
            ("[[1]](https://a.example) [[ -f x ]] [[1,2],[3,4]]", "[[1]](https://a.example) [[ -f x ]] [[1,2],[3,4]]"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
    }

    #[test]
    fn code_is_left_alone() {
        for text in [
            "```\n%%private%% [[x]] {{< y >}}\n```\n",
            "Use `{{ name }}` and `[[x]]` and `%%`.",
            "    {% indented %}\n",
            "~~~ liquid\n{% if a %}\n~~~\n",
        ] {
            assert_eq!(markdown(text), text);
        }
        assert_eq!(markdown("`a %%` and %%b%% and `c %%`"), "`a %%` and  and `c %%`");
    }

    #[test]
    fn shortcodes_of_hugo_and_zola() {
        for (given, expected) in [
            ("{{< figure src=\"/a.png\" alt=\"A\" caption=\"By the sea\" >}}", "![A](</a.png>)\n\n*By the sea*\n"),
            ("{{< youtube w7Ft2ymGmfc >}}", "<https://www.youtube.com/watch?v=w7Ft2ymGmfc>"),
            ("{{ youtube(id=\"w7Ft2ymGmfc\") }}", "<https://www.youtube.com/watch?v=w7Ft2ymGmfc>"),
            ("{{< vimeo id=\"146022717\" >}}", "<https://vimeo.com/146022717>"),
            ("{{% notice tip %}}\nText *here*\n{{% /notice %}}", "\nText *here*\n"),
            ("{% quote(author=\"Ann\") %}\nText\n{% end %}", "\nText\n"),
            ("See [the page]({{< ref \"a.md\" >}}) and [it]({{< relref \"a.md\" >}}#b).", "See the page and it."),
            ("{{</* figure */>}} is how", "{{< figure >}} is how"),
            ("a {{/* private */}} b", "a  b"),
            ("a {{< comment >}}private{{< /comment >}} b", "a  b"),
            ("{{< highlight go \"linenos=1\" >}}\na := `b`\n{{< /highlight >}}", "\n```go\na := `b`\n```\n"),
            ("{{< gallery\n  match=\"*\"\n>}}", ""),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
    }

    #[test]
    fn tags_of_jekyll() {
        for (given, expected) in [
            ("![a]({{ site.baseurl }}/a.png)", "![a](/a.png)"),
            ("![a]({{ \"/a.png\" | relative_url }})", "![a](/a.png)"),
            ("[a]({% post_url 2024-05-01-a %}) [b]({% link _posts/b.md %})", "a b"),
            ("{% highlight ruby linenos %}\nputs '{{ x }}'\n{% endhighlight %}", "\n```ruby\nputs '{{ x }}'\n```\n"),
            ("{% raw %}{{ shown }}{% endraw %}", "{{ shown }}"),
            ("a{% comment %} private {% endcomment %}b", "ab"),
            ("{% include toc.html %}Text{{ page.title }}", "Text"),
            ("{% if a %}Yes{% endif %}", "Yes"),
            ("* TOC\n{:toc}\n\nText\n{: .lead}", "\n\nText\n"),
            ("![a](b.png){: width=\"3\"} c", "![a](b.png) c"),
            ("[TOC]\n\nText [TOC] here", "\n\nText [TOC] here"),
        ] {
            assert_eq!(markdown(given), expected, "{given}");
        }
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        for text in
            ["$\\frac{{a}}{{b}}$", "{ {", "100 % %", "a {:x} b", "open {{ brace", "{%", "]] [[", "x^{{2}}", "^abc"]
        {
            assert_eq!(markdown(text), text);
        }
    }

    #[test]
    fn the_writer_is_told_what_is_left_out() {
        let (_, problem) = plain("One\n\n{{< gallery >}} {% include x %}\n", Dialect::Markdown, 10);
        let problem = problem.unwrap();
        assert_eq!(problem.line, Some(12));
        assert!(problem.message.starts_with("`gallery` and 1 more: "), "{problem}");
        assert_eq!(
            plain("{{< notice >}}a{{< /notice >}} {{ site.url }}", Dialect::Markdown, 1).1.map(|p| p.line),
            Some(Some(1))
        );
        assert_eq!(
            plain("{% highlight c %}x{% endhighlight %}", Dialect::Html, 1).0,
            "<pre><code class=\"language-c\">x\n</code></pre>"
        );
    }
}
