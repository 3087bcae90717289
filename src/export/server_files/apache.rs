//! `.htaccess`, which Apache reads.

use std::fmt::Write;

use super::site::{SampleKind, ServerSite};
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
    for (name, value) in site.samples.of(SampleKind::Page).iter().filter(|(name, _)| name != "Content-Security-Policy")
    {
        let _ = writeln!(text, "  Header set {name} \"{value}\"");
    }
    text.push_str("</IfModule>\nRewriteEngine On\nRewriteRule ^\\.gazetted(/|$) - [R=404,L]\n");
    for rule in site.rules {
        let path = rule.decoded();
        let path = escaped(path.strip_prefix('/').unwrap_or(&path));
        if let Some(query) = &rule.query {
            let _ = writeln!(text, "RewriteCond %{{QUERY_STRING}} ^{}$", escaped(query));
        }
        let _ = match &rule.leads {
            Leads::Moved(to) => writeln!(text, "RewriteRule \"^{path}$\" \"{to}\" [R=301,L,NC,NE,QSD]"),
            Leads::Temporary(to) => writeln!(text, "RewriteRule \"^{path}$\" \"{to}\" [R=307,L,NE]"),
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

fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        if "\\.+*?()|[]{}^$\" ".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
