//! A call in the template language of a site generator, and its replacement without the generator.

use std::ops::Range;

use crate::article::address::note_link;

/// Whether a text starts with a comment of Hugo's templates.
pub fn is_comment(text: &str) -> bool {
    ["{{/*", "{{ /*", "{{- /*", "{{-/*"].iter().any(|open| text.starts_with(open))
}

/// Beginnings of words in the names of calls whose body is not for the public.
const PRIVATE_STEMS: [&str; 14] = [
    "encrypt",
    "password",
    "passwd",
    "private",
    "protect",
    "secret",
    "draft",
    "hide",
    "hidden",
    "member",
    "paywall",
    "premium",
    "subscriber",
    "confidential",
];

/// Names of Hexo's themes for a text that readers unfold.
const UNFOLDED: [&str; 3] = ["hidetoggle", "hideinline", "hideblock"];

/// Whether a name, such as `hugo-encryptor` or `membersOnly`, says that a text is not for the public.
pub fn is_private_name(name: &str) -> bool {
    if UNFOLDED.contains(&name.to_lowercase().trim_start_matches("end")) {
        return false;
    }
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    let is_private = |word: &str| {
        matches!(word, "lock" | "locked" | "pwd") || PRIVATE_STEMS.iter().any(|stem| word.starts_with(stem))
    };
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && (words.split(|c: char| !c.is_alphanumeric()).any(is_private) || is_private(&name.to_lowercase()))
}

/// A call, by the text between its delimiters.
#[derive(Debug)]
pub struct Call<'a> {
    /// `youtube`, `highlight`, `/notice`, `endraw`; empty for a value that is printed.
    pub name: &'a str,
    /// Length with the delimiters, in bytes.
    pub length: usize,
    /// The text between the delimiters.
    inside: &'a str,
    /// The text after the name. It is read when an argument is asked for.
    arguments: &'a str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `{{< … >}}`, `{{% … %}}`
    Hugo,
    /// `{{ … }}`
    Value,
    /// `{% … %}`
    Tag,
}

/// The replacement of a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This text.
    Text(String),
    /// A link to what the generator would show.
    Link(String),
    /// A picture.
    Picture {
        /// Its address.
        source: String,
        /// Alternative text.
        words: String,
        /// Text below the picture.
        caption: String,
    },
    /// Nothing: the call shows nothing or only formats its body.
    Nothing,
    /// Nothing: only the generator knows what the call shows.
    Unknown,
    /// The address of another page, by the path or name of its file.
    Page(String),
    /// A link with these words.
    Reference {
        /// As for [`note_link`], or that of a file.
        address: String,
        words: String,
    },
    /// Nothing; its body is private.
    Private,
    /// Nothing; by its name, its body, if it has one, is locked or not for the public.
    Locked,
    /// Nothing; its body, if it has one, is no text.
    Apart,
    /// Nothing; its body, if it has one, is shown where the generator uses it.
    Captured,
    /// Its body, unchanged.
    Verbatim,
    /// Its body as code.
    Code {
        language: String,
        /// The text above it.
        title: String,
    },
    /// Its body below a title.
    Titled(String),
    /// Its body as a quotation from this source, which may be empty.
    Quotation(String),
}

/// Maximum length of a call, in bytes. Without a limit, the text between two distant braces would be lost.
const LONGEST: usize = 2_000;

impl<'a> Call<'a> {
    /// Reads the call that a text starts with. `before` is the text before it, from which TeX is recognised.
    pub fn parse(text: &'a str, before: &str) -> Option<Self> {
        let (open, close, kind) = [
            ("{{<", ">}}", Kind::Hugo),
            ("{{%", "%}}", Kind::Hugo),
            ("{{", "}}", Kind::Value),
            ("{%", "%}", Kind::Tag),
        ]
        .into_iter()
        .find(|(open, _, _)| text.starts_with(open))
        .map(|(open, close, kind)| (open.len(), close, kind))?;
        let is_tex = before.ends_with(['}', '{', '^', '_'])
            || before.trim_end_matches(|c: char| c.is_ascii_alphabetic()).ends_with('\\');
        if kind == Kind::Value && is_tex {
            return None;
        }
        let near = &text[..text.floor_char_boundary(LONGEST)];
        let end = open + near.get(open..)?.find(close)?;
        let inside = text[open..end].trim().trim_matches('-').trim();
        let paragraph_ends = text[..end].contains("\n\n") && !inside.starts_with("/*");
        if paragraph_ends && kind != Kind::Hugo {
            return None;
        }
        let length = end + close.len();
        let name_end = inside.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(inside.len());
        let (name, rest) = match inside.split_at(name_end) {
            ("/", rest) => (rest.trim(), ""),
            (name, rest) => (name.trim_start_matches('/'), rest),
        };
        Some(Self { name, length, inside, arguments: rest, kind })
    }

    /// The replacement of the call.
    pub fn meaning(&self) -> Meaning {
        // Hugo shows such a call as it is written.
        let escaped = self.inside.strip_prefix("/*").and_then(|inside| inside.strip_suffix("*/"));
        match (self.kind, escaped) {
            (Kind::Hugo, Some(inside)) => return Meaning::Text(format!("{{{{< {} >}}}}", inside.trim())),
            (_, Some(_)) => return Meaning::Nothing,
            _ => {}
        }
        if self.inside.starts_with('/') || self.name.starts_with("end") {
            return Meaning::Nothing;
        }
        if self.kind == Kind::Value && !self.inside.contains('(') {
            return self.value();
        }
        let id = || self.argument(&["id"]).or_else(|| self.positional(0));
        let is_safe = |address: &String| !address.contains(|c: char| c.is_whitespace() || "<>".contains(c));
        let link = |address: Option<String>| address.filter(is_safe).map_or(Meaning::Unknown, Meaning::Link);
        match self.name {
            "raw" | "verbatim" => Meaning::Verbatim,
            "comment" => Meaning::Private,
            "ref" | "relref" | "post_url" | "link" => match self.positional(0) {
                Some(page) => Meaning::Page(page.trim_start_matches('/').to_owned()),
                None => Meaning::Nothing,
            },
            "set" if self.arguments.contains('=') => Meaning::Nothing,
            "set" | "capture" | "macro" | "doc" => Meaning::Captured,
            "css" | "js" | "style" | "stylesheet" | "javascript" | "schema" => Meaning::Apart,
            "post_link" | "asset_link" | "asset_img" | "asset_path" => self.hexo(),
            "highlight" | "code" => Meaning::Code { language: self.language(), title: String::new() },
            "codeblock" => self.titled_code(),
            "figure" | "image" | "img" | "picture" => self.figure(),
            "youtube" => link(id().map(|id| format!("https://www.youtube.com/watch?v={id}"))),
            "vimeo" => link(id().map(|id| format!("https://vimeo.com/{id}"))),
            "gist" => {
                let path = [self.positional(0), self.positional(1)].into_iter().flatten().collect::<Vec<_>>().join("/");
                link(Some(format!("https://gist.github.com/{path}")).filter(|_| !path.is_empty()))
            }
            "tweet" | "x" | "twitter" => {
                let user = self.argument(&["user"]);
                link(
                    user.zip(self.argument(&["id"]))
                        .map(|(user, id)| format!("https://twitter.com/{user}/status/{id}")),
                )
            }
            "details" => {
                Meaning::Titled(self.argument(&["summary", "title"]).or_else(|| self.positional(0)).unwrap_or_default())
            }
            "quote" | "blockquote" => Meaning::Quotation(self.source()),
            "toc" | "if" | "unless" | "else" | "elsif" | "for" | "assign" | "br" => Meaning::Nothing,
            name if is_private_name(name) => Meaning::Locked,
            _ => Meaning::Unknown,
        }
    }

    /// `{{ "/a.png" | relative_url }}` shows its text. The variables of a site are not known here.
    fn value(&self) -> Meaning {
        let quote = self.inside.chars().next().filter(|c| matches!(c, '"' | '\''));
        if let Some(quote) = quote
            && let Some((text, filters)) = self.inside[1..].split_once(quote)
        {
            // Only the generator knows the time.
            if matches!(text, "now" | "today") && filters.contains("date") {
                return Meaning::Unknown;
            }
            return Meaning::Text(text.to_owned());
        }
        let is_variable =
            ["site.", "page.", ".Site", ".Page", "config."].iter().any(|start| self.inside.starts_with(start));
        if is_variable || self.inside.is_empty() { Meaning::Nothing } else { Meaning::Unknown }
    }

    fn language(&self) -> String {
        let language = self.argument(&["lang", "language"]).or_else(|| self.positional(0)).unwrap_or_default();
        plain_language(&language)
    }

    /// Hexo's tags for articles and for the files of an article: `{% post_link storm "The storm" %}`,
    /// `{% asset_img left boat.png 300 "A boat" %}`.
    fn hexo(&self) -> Meaning {
        let words: Vec<String> = arguments(self.arguments).into_iter().map(|(_, value)| value).collect();
        // Class names may stand before the file.
        let place = words.iter().position(|word| word.contains('.')).filter(|_| self.name != "post_link").unwrap_or(0);
        let Some(target) = words.get(place) else { return Meaning::Unknown };
        let is_option =
            |word: &String| word.bytes().all(|byte| byte.is_ascii_digit()) || matches!(word.as_str(), "true" | "false");
        let text = words[place + 1..].iter().filter(|word| !is_option(word)).cloned().collect::<Vec<_>>().join(" ");
        let text_or = |other: &str| if text.is_empty() { other.to_owned() } else { text.clone() };
        match self.name {
            "post_link" => Meaning::Reference { address: note_link(target), words: text_or(target) },
            "asset_link" => Meaning::Reference { address: target.clone(), words: text_or(target) },
            "asset_img" => Meaning::Picture { source: target.clone(), words: text, caption: String::new() },
            _ => Meaning::Text(target.clone()),
        }
    }

    /// Hexo's `{% codeblock A title lang:rust line_number:false %}`.
    fn titled_code(&self) -> Meaning {
        let is_option = |word: &&str| {
            let (name, value) = word.split_once(':').unwrap_or_default();
            !name.is_empty() && !value.starts_with("//")
        };
        let words: Vec<&str> = self.arguments.split_whitespace().collect();
        let language = words.iter().find_map(|word| word.strip_prefix("lang:"));
        let title: Vec<&str> = words.iter().copied().filter(|word| !is_option(word)).collect();
        match (language, title.as_slice()) {
            // A single word is a language.
            (None, [] | [_]) => Meaning::Code { language: self.language(), title: String::new() },
            _ => Meaning::Code { language: plain_language(language.unwrap_or_default()), title: title.join(" ") },
        }
    }

    /// The author and the source of a quotation: named arguments, or all words.
    fn source(&self) -> String {
        let named: Vec<String> =
            ["author", "by", "cite", "source"].iter().filter_map(|name| self.argument(&[*name])).collect();
        if !named.is_empty() || self.arguments.contains('=') {
            return named.join(", ");
        }
        self.arguments.trim_matches(|c: char| c.is_whitespace() || "()\"'".contains(c)).to_owned()
    }

    fn figure(&self) -> Meaning {
        let Some(source) = self.argument(&["src", "link", "path"]).or_else(|| self.positional(0)) else {
            return Meaning::Unknown;
        };
        let text = |name: &str| self.argument(&[name]);
        let parts = [text("title"), text("caption")].into_iter().flatten();
        let mut caption = parts.collect::<Vec<_>>().join(": ");
        if let Some(source) = text("attr") {
            caption = if caption.is_empty() { source } else { format!("{caption} ({source})") };
        }
        Meaning::Picture { source, words: text("alt").unwrap_or_default(), caption }
    }

    fn argument(&self, names: &[&str]) -> Option<String> {
        let mut arguments = arguments(self.arguments).into_iter();
        let argument = arguments.find(|(name, _)| name.is_some_and(|name| names.contains(&name)));
        argument.map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    fn positional(&self, index: usize) -> Option<String> {
        let positional = arguments(self.arguments).into_iter().filter(|(name, _)| name.is_none());
        positional.map(|(_, value)| value).nth(index)
    }

    /// The range of the call that ends the body of this one, at or after `from`.
    pub fn end_of_body(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let mut at = from;
        // One search for both delimiters: a search for one that is far away would be repeated for each call.
        let is_sign = |at: usize| matches!(text.as_bytes().get(at + 1), Some(b'{' | b'%'));
        loop {
            at += text[at..].find('{')?;
            if !is_sign(at) {
                at += 1;
                continue;
            }
            if may_end_body(&text[at..])
                && let Some(call) = Call::parse(&text[at..], "")
            {
                let ends = call.kind == self.kind
                    && (call.name == format!("end{}", self.name)
                        || call.name == "end"
                        || (call.inside.starts_with('/') && call.name == self.name));
                if ends {
                    return Some(at..at + call.length);
                }
            }
            at += 2;
        }
    }
}

/// Whether a call that starts here may end the body of another. To read each call would take up to [`LONGEST`] steps for two bytes.
pub fn may_end_body(text: &str) -> bool {
    let inside = ["{{<", "{{%", "{{", "{%"].iter().find_map(|open| text.strip_prefix(open));
    let inside = inside.map(|inside| inside.trim_start().trim_start_matches('-').trim_start());
    inside.is_some_and(|inside| inside.starts_with('/') || inside.starts_with("end"))
}

fn plain_language(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || "+-#_".contains(*c)).collect()
}

/// Arguments `key="value"`, `key=value` or `value`, separated by spaces or commas.
fn arguments(text: &str) -> Vec<(Option<&str>, String)> {
    let mut arguments = Vec::new();
    let mut rest = text.trim_start_matches('(').trim_end_matches(')');
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() {
            return arguments;
        }
        let name_end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c))).unwrap_or(rest.len());
        let name = rest[name_end..].starts_with('=').then(|| &rest[..name_end]).filter(|name| !name.is_empty());
        if name.is_some() {
            rest = &rest[name_end + 1..];
        }
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
        let (value, after) = if let Some(quote) = quote {
            rest[1..].split_once(quote).unwrap_or((&rest[1..], ""))
        } else {
            rest.split_at(rest.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(rest.len()))
        };
        arguments.push((name, value.to_owned()));
        rest = after;
    }
}
