//! The fragments that inputs are made of: elements, Markdown, marks of dialects, front matter, frames and atoms of recordings.

use super::shape::{Container, Kind};

/// Stands for a number that is different in each repetition.
pub const NUMBER: &str = "\u{E000}";

/// Elements of HTML that parsers treat differently.
const ELEMENTS: &[&str] = &[
    "a",
    "article",
    "audio",
    "b",
    "big",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "center",
    "code",
    "col",
    "colgroup",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "figure",
    "font",
    "form",
    "frameset",
    "h1",
    "h2",
    "head",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "li",
    "link",
    "main",
    "marquee",
    "math",
    "meta",
    "mi",
    "annotation-xml",
    "nobr",
    "noscript",
    "object",
    "ol",
    "option",
    "optgroup",
    "p",
    "picture",
    "plaintext",
    "pre",
    "rp",
    "rt",
    "ruby",
    "s",
    "script",
    "section",
    "select",
    "small",
    "source",
    "span",
    "style",
    "svg",
    "foreignObject",
    "desc",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "video",
];

const ATTRIBUTES: &[&str] = &[
    " id=#",
    " id=a",
    " href=\"#\"",
    " href=\"##\"",
    " href=\"#a\"",
    " href=\"https://example.org/a\"",
    " href=\"data:text/html,a\"",
    " class=a",
    " class=\"linenos lnt anchor\"",
    " class=related",
    " class=\"share byline author\"",
    " itemprop=articleBody",
    " itemprop=author",
    " rel=author",
    " src=blank.gif",
    " src=\"data:x\"",
    " srcset=\"a 1x, b 2x\"",
    " style=\"display:none\"",
    " lang=en",
    " a#=b",
    " content=\"2024-05-01\" name=date",
];

const HTML: &[&str] = &[
    "<!--",
    "-->",
    "<!---->",
    "<!-- more -->",
    "<!",
    "<?",
    "</",
    "<",
    ">",
    "&",
    "&amp;",
    "&#65;",
    "&#x41",
    "&notit;",
    "&CounterClockwiseContourIntegral;",
    "<![CDATA[",
    "]]>",
    "\"",
    "'",
    "=",
    "/",
    "<p ",
    "<a href=",
    "<picture><source srcset=\"data:a 1w, data:b 2w, data:c 3w\">",
    "<img srcset=\"data:x 1w\">",
    "<img src=blank.gif>",
    "<noscript><img src=a></noscript>",
    "<script type=\"application/ld+json\">",
    "{\"@type\":\"Article\",\"a\":[",
    "[",
    "{\"a\":",
    "<table><tr><td>",
    "</td></tr></table>",
    "</p>",
    "<b><i>",
    "</b></i>",
    "<a><b>",
    "<svg><desc>",
    "<math><mi>",
    "<meta name=author content=a>",
    "<h1>a</h1>",
    "<li>a",
    "<td class=lnt>1",
    "<div class=comments>",
    "<div>Related</div>",
    "<li><h3><a href=a>b</a></h3>",
    "<time pubdate datetime=2015-04-16>",
    "<span class=lnt>1</span>",
    "<a href=#>#</a>",
    "<span>[<a>edit</a>]</span>",
    "<time datetime=2024-05-01>",
    "<p>a",
];

const MARKDOWN: &[&str] = &[
    "*",
    "**",
    "_",
    "__",
    "~~",
    "`",
    "``",
    "```\n",
    "~~~\n",
    "a`",
    "*a ",
    "*a_ ",
    "**a *",
    "a*",
    "a**b",
    "[",
    "]",
    "![",
    "](",
    ")",
    "](a)",
    "[a](",
    "[a](<b",
    "[a](b",
    "[a][",
    "[a]: b\n",
    "[#]: a\n",
    "[#]",
    "[#][#]",
    "[^",
    "[^#]",
    "[^#]: a\n",
    "[^a]: ",
    "[^a]",
    "> ",
    ">",
    "- ",
    "* ",
    "1. ",
    "1) ",
    "+ ",
    "  ",
    "    ",
    "\t",
    "\n",
    "\n\n",
    "# ",
    "## a {#a}\n",
    "# a {",
    "===\n",
    "---\n",
    "***\n",
    "|",
    "a|b\n",
    "-|-\n",
    "|a|b|\n",
    "|-|-|\n",
    "<",
    "<a",
    "<!--",
    "<!-- more -->",
    "<div>\n",
    "</div>\n",
    "<a@b.c>",
    "<https://a>",
    "&",
    "&amp;",
    "&#",
    "\\",
    "\\\n",
    "- [ ] a\n",
    "{{",
    "}}",
    "{{<",
    ">}}",
    "{{% a %}}",
    "{%",
    "%}",
    "{% raw %}",
    "{% endraw %}",
    "{% comment %}",
    "{% highlight a %}",
    "{{/*",
    "*/",
    "{:",
    "}",
    "{: .a}",
    "%%",
    "%%`%%",
    "[[",
    "]]",
    "[[a|b]]",
    "![[a.png]]",
    "> [!note] a\n",
    "[TOC]\n",
    " ^a1b2c3\n",
    "$",
    "$$",
    "(",
];

const TEXT: &[&str] = &[
    "a",
    "a ",
    " ",
    "\n",
    "\n\n",
    ".",
    ". ",
    ")",
    "\"",
    "”",
    "。",
    "字",
    "é",
    "e\u{301}",
    "\u{301}",
    "\u{316}",
    "\u{327}\u{301}",
    "\u{200B}",
    "\u{200D}",
    "\u{202E}",
    "\u{2066}",
    "\u{FEFF}",
    "\u{AD}",
    "\u{2028}",
    "\r",
    "\u{0B}",
    "\u{0C}",
    "\0",
    "\u{85}",
    "\u{FDFA}",
    "\u{1F468}\u{200D}\u{1F469}",
    "\u{AC00}",
    "\u{1100}\u{1161}\u{11A8}",
    "0",
    "1\n",
    "2024-05-01",
    "May 5, 2024\n",
    "By Ann Lee\n",
    "Leave a reply\n",
    "Name *\n",
    "Share\nFacebook\nTwitter\n",
    "12 comments\n",
    "http://a.b",
    "https://a.b/(",
    "www.",
    "@",
    "a@b.c ",
    "- a\n",
    "1. a\n",
    "* ",
    "\t",
    "    a\n",
    "A headline\n",
    "Storm hits the coast, and the bridge stays closed until the evening. ",
    "if (a == b) {\n",
    "ß",
    "İ",
    "://",
];

const KEYS: &[&str] = &[
    "title: a\n",
    "date: 2024-05-01\n",
    "tags: ",
    "tags: [a]\n",
    "a#: b\n",
    "- a\n",
    "- ",
    "  - ",
    "? ",
    ": ",
    "&a ",
    "*a ",
    "a: &a [",
    "[",
    "]",
    "{",
    "}",
    ",",
    "a: ",
    "- &a# a\n",
    "- *a#\n",
    "\"",
    "'",
    "|\n",
    ">\n",
    "  a\n",
    "# a\n",
    "<<: *a\n",
    "!!map ",
    "!a ",
    "[a#]\na = 1\n",
    "[[a]]\n",
    "[a.b.c#]\n",
    "a = ",
    "a# = 1\n",
    "a.b# = 1\n",
    "{ a = ",
    "\"\"\"\n",
    "'''\n",
    "\"a#\": 1,",
    "\"a\": {",
    "\"a\": [",
    "\"a",
    "#+A: b\n",
    "#+TITLE: a\n",
    "#+TAGS: :a:b:\n",
    "a: b\n",
    "summary: a\n",
    "image: a\n",
    "authors: [a]\n",
    "aliases: [a]\n",
    "audio: a.mp3\n",
    "enclosure: a\n",
    "extra:\n",
    " ",
    "\n",
    "draft: a\n",
    "0x1_",
];

/// Frames of ID3v2.4 without their sizes: identifier and content.
const FRAMES: &[(&str, &str)] = &[
    ("TXXX", "\u{3}#\0a"),
    ("TIT2", "\u{3}a"),
    ("COMM", "\u{3}enga\0b"),
    ("APIC", "\u{3}image/png\0\u{3}a\0b"),
    ("CHAP", "a#\0aaaabbbbccccdddd"),
    ("CTOC", "a\0\0\u{1}b\0"),
    ("USLT", "\u{3}enga\0b"),
    ("PRIV", "a\0b"),
    ("TCON", "\u{3}(1)(2)(3)"),
    ("TDRC", "\u{3}2024-05-01"),
    ("WXXX", "\u{3}a\0b"),
    ("UFID", "a\0b"),
];

const COMMENTS: &[&str] =
    &["TITLE=a", "A#=b", "=", "A=", "ARTIST=a", "METADATA_BLOCK_PICTURE=AAAA", "TRACKNUMBER=1/2", "DATE=2024"];

/// The fragments of inputs of a kind, as tokens with [`NUMBER`] in place of `#`.
pub fn words(kind: Kind) -> Vec<Vec<u8>> {
    let numbered = |texts: &[&str]| texts.iter().map(|text| text.replace('#', NUMBER).into_bytes()).collect::<Vec<_>>();
    let plain = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
    // A reference and a heading have a real `#`.
    let references = |texts: &[&str]| {
        let number =
            |text: &&str| text.replace("[#", &format!("[{NUMBER}")).replace("^#", &format!("^{NUMBER}")).into_bytes();
        texts.iter().map(number).collect::<Vec<_>>()
    };
    match kind {
        Kind::Html => [elements(), plain(HTML), plain(TEXT), plain(&["{{", "}}", "{%", "%}", "{:"])].concat(),
        Kind::Markdown => [references(MARKDOWN), elements(), plain(HTML), plain(TEXT)].concat(),
        Kind::Text => [plain(TEXT), plain(HTML)].concat(),
        Kind::FrontMatter(_) => [keys(), plain(TEXT)].concat(),
        Kind::Recording(Container::Id3) => FRAMES.iter().map(|(id, content)| frame(id, content)).collect(),
        Kind::Recording(Container::Mp4) => {
            (["\u{A9}nam", "\u{A9}ART", "aART", "covr", "trkn", "----", "desc"].iter().map(|name| item(name))).collect()
        }
        Kind::Recording(Container::Flac | Container::Ogg) => {
            numbered(COMMENTS).iter().map(|text| comment(text)).collect()
        }
        Kind::Recording(Container::Wav) => {
            ["INAM", "ICMT", "IART"].iter().map(|name| [name.as_bytes(), &[2, 0, 0, 0], b"a\0"].concat()).collect()
        }
    }
}

fn keys() -> Vec<Vec<u8>> {
    let number = |text: &&str| {
        ["a#", "c#", "b#"]
            .iter()
            .fold((*text).to_owned(), |text, name| text.replace(name, &name.replace('#', NUMBER)))
            .into_bytes()
    };
    KEYS.iter().map(number).collect()
}

fn elements() -> Vec<Vec<u8>> {
    let mut tags: Vec<Vec<u8>> = Vec::new();
    for name in ELEMENTS {
        tags.push(format!("<{name}>").into_bytes());
        tags.push(format!("</{name}>").into_bytes());
    }
    let value = |attribute: &str| {
        attribute
            .replace("##", &format!("#{NUMBER}"))
            .replace("=#", &format!("={NUMBER}"))
            .replace("a#", &format!("a{NUMBER}"))
    };
    for name in ["a", "b", "p", "td", "img", "source", "svg", "body", "html", "span"] {
        tags.extend(ATTRIBUTES.iter().map(|attribute| format!("<{name}{}>", value(attribute)).into_bytes()));
    }
    tags.extend(ATTRIBUTES.iter().map(|attribute| value(attribute).into_bytes()));
    tags
}

fn frame(id: &str, content: &str) -> Vec<u8> {
    let content = content.replace('#', NUMBER);
    let size = u8::try_from(content.len()).expect("a short frame");
    [id.as_bytes(), &[0, 0, 0, size, 0, 0], content.as_bytes()].concat()
}

fn item(name: &str) -> Vec<u8> {
    let name: Vec<u8> = name.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    [&[0, 0, 0, 25][..], &name, &[0, 0, 0, 17], b"data", &[0, 0, 0, 1, 0, 0, 0, 0, b'a']].concat()
}

fn comment(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).expect("a short comment").to_le_bytes()[..], text].concat()
}
