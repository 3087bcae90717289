//! `.htaccess`, which Apache reads.

use std::fmt::Write;

use super::site::{DRAWINGS, POLICY, SampleKind, ServerSite};
use crate::export::rules::Leads;
use crate::render::feed::opml;
use crate::render::plain;

/// The types and addresses of the site.
pub fn htaccess(site: &ServerSite<'_>) -> String {
    let base = site.base_path;
    let mut text = format!(
        "Options -Indexes\nDirectorySlash Off\nDirectoryIndex index.html\n\
        ErrorDocument 404 {base}404.html\nErrorDocument 410 {base}410.html\n"
    );
    for format in site.formats.iter() {
        let _ = writeln!(text, "<Files \"{}\">\n  ForceType \"{}\"\n</Files>", format.file, format.media_type);
    }
    for (ending, media_type) in [(".md", plain::MEDIA_TYPE), (".opml", opml::MEDIA_TYPE)] {
        let _ = writeln!(text, "AddType \"{media_type}\" {ending}");
    }
    text.push_str("<IfModule mod_headers.c>\n");
    for (name, value) in site.samples.of(SampleKind::Page).iter().filter(|(name, _)| name != POLICY) {
        let _ = writeln!(text, "  Header set {name} \"{value}\"");
    }
    for (_, value) in site.samples.of(SampleKind::Drawing).iter().filter(|(name, _)| name == POLICY) {
        let (media, endings) = (escaped(&format!("{base}media/")), DRAWINGS.join("|"));
        let _ = writeln!(text, "  <If \"%{{REQUEST_URI}} =~ m#^{media}.*\\.(?:{endings})$#i\">");
        let _ = writeln!(text, "    Header set {POLICY} \"{value}\"\n  </If>");
    }
    text.push_str("</IfModule>\nRewriteEngine On\nRewriteRule ^\\.gazetted(/|$) - [R=404,L]\n");
    for rule in site.rules {
        let path = rule.decoded();
        let path = escaped(path.strip_prefix('/').unwrap_or(&path));
        if let Some(query) = &rule.query {
            let _ = writeln!(text, "RewriteCond %{{QUERY_STRING}} \"^{}$\"", escaped(query));
        }
        let _ = match &rule.leads {
            Leads::Moved(to) => writeln!(text, "RewriteRule \"^{path}$\" \"{}\" [R=301,L,NC,NE,QSD]", literal(to)),
            Leads::Temporary(to) => writeln!(text, "RewriteRule \"^{path}$\" \"{}\" [R=307,L,NE]", literal(to)),
            Leads::Gone => writeln!(text, "RewriteRule \"^{path}$\" - [G,NC]"),
            Leads::Same(to) => writeln!(text, "RewriteRule \"^{path}$\" \"{base}{to}\" [L]"),
        };
    }
    // A page is a folder; what is within a file is beside it.
    text.push_str(
        "RewriteCond %{REQUEST_FILENAME}/index.html -f\nRewriteRule ^(.*[^/])$ $1/index.html [L]\n\
        RewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^(.*media/.+)/([^/]+)$ $1~/$2 [L]\n",
    );
    text
}

/// A target without references to what a pattern has matched.
fn literal(target: &str) -> String {
    target.replace('%', "\\%")
}

/// The pattern of a text.
fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        match c {
            // mod_rewrite ends an argument at these, and keeps the backslash before others.
            '"' | '\'' | '\\' | ' ' | '\0'..='\x1f' | '\x7f' => {
                let _ = write!(pattern, "\\x{:02x}", u32::from(c));
            }
            '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                pattern.push('\\');
                pattern.push(c);
            }
            _ => pattern.push(c),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_argument_is_one_text() {
        assert_eq!(escaped("a.b \"c\"\t\\d\n$1"), "a\\.b\\x20\\x22c\\x22\\x09\\x5cd\\x0a\\$1");
        assert_eq!(literal("https://x.example/%201"), "https://x.example/\\%201");
    }
}
