//! Configuration of nginx: what belongs in the `server` block of the site, and the tables of addresses, which belong beside it.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use percent_encoding::percent_decode_str;

use super::site::{DRAWINGS, SampleKind, ServerSite, list_roots, server_fields};
use crate::export::rules::{AddressRule, Leads};
use crate::folder::media;
use crate::render::page;
use crate::render::plain;
use crate::render::sitemap;

/// Longest key of a map that fits nginx's default.
const DEFAULT_KEY: usize = 40;

/// The tables of addresses.
pub fn maps(site: &ServerSite<'_>) -> String {
    let mut text = "# The addresses that have moved or are gone. Include this file in `http`, beside the `server` block of the site.\n"
        .to_owned();
    let longest = site.rules.iter().map(|rule| key(rule).len()).max().unwrap_or(0);
    if longest > DEFAULT_KEY {
        let _ = writeln!(text, "map_hash_bucket_size {};", (longest + 32).next_power_of_two());
    }
    if site.rules.len() > 1_000 {
        let _ = writeln!(text, "map_hash_max_size {};", (site.rules.len() * 2).next_power_of_two());
    }
    let tables = [("$uri$is_args$args", "$gazetted_moved_by_query", true), ("$uri", "$gazetted_moved", false)];
    for (source, name, has_query) in tables {
        let rules = site.rules.iter().filter(|rule| rule.query.is_some() == has_query);
        table(&mut text, source, name, rules.filter_map(|rule| Some((key(rule), moved(rule)?))), &HashSet::new());
    }
    let temporary = |rule: &AddressRule| match &rule.leads {
        Leads::Temporary(to) => Some(quoted(to)),
        _ => None,
    };
    let rows = site.rules.iter().filter_map(|rule| Some((key(rule), temporary(rule)?)));
    table(&mut text, "$uri", "$gazetted_temporary", rows, &parts(site));
    let gone = site.rules.iter().filter(|rule| rule.leads == Leads::Gone);
    let rows = gone.map(|rule| (key(rule), "1".to_owned()));
    table(&mut text, "$uri$is_args$args", "$gazetted_gone", rows, &HashSet::new());
    text
}

fn moved(rule: &AddressRule) -> Option<String> {
    match &rule.leads {
        Leads::Moved(to) => Some(quoted(to)),
        _ => None,
    }
}

/// The paths of files within files, without case.
fn parts(site: &ServerSite<'_>) -> HashSet<String> {
    let path = |part: &String| format!("{}{}", site.base_path, percent_decode_str(part).decode_utf8_lossy());
    site.samples.parts.iter().map(|part| path(part).to_ascii_lowercase()).collect()
}

/// Writes a table. `files` are the paths of files, without case, that may differ from a key only by case.
fn table(
    text: &mut String,
    source: &str,
    name: &str,
    rows: impl Iterator<Item = (String, String)>,
    files: &HashSet<String>,
) {
    // The page of an error is another address, for which the table is read again.
    let _ = writeln!(text, "map {source} {name} {{\n  volatile;\n  default \"\";");
    let mut seen = HashSet::new();
    let rows: Vec<(String, String)> = rows.filter(|(key, _)| seen.insert(key.clone())).collect();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (key, _) in &rows {
        *counts.entry(key.to_ascii_lowercase()).or_default() += 1;
    }
    for (key, value) in &rows {
        // nginx refuses a table whose keys differ only by case; its regular expressions tell them apart.
        let folded = key.to_ascii_lowercase();
        let has_rival = counts.get(&folded).is_some_and(|count| *count > 1) || files.contains(&folded);
        let key = if has_rival { format!("~^{}$", escaped(key)) } else { key.clone() };
        let _ = writeln!(text, "  {} {value};", quoted(&key));
    }
    text.push_str("}\n");
}

/// nginx compares a decoded path, and a query as it was sent.
fn key(rule: &AddressRule) -> String {
    let path = rule.decoded();
    rule.query.as_ref().map_or_else(|| path.clone(), |query| format!("{path}?{query}"))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What belongs in the `server` block.
pub fn server(site: &ServerSite<'_>) -> String {
    let base = site.base_path;
    let mut text = format!(
        "# The types, header fields and addresses of the site. Include this file in its `server` block, whose `root` is the folder of the\n\
        # export, and `nginx-map.conf` beside that block. With the modules of Brotli and zstd, add `brotli_static on; zstd_static on;`.\n\
        charset off;\ngzip_static on;\ngzip_vary on;\n\
        error_page 404 {base}404.html;\nerror_page 410 {base}410.html;\n\
        if ($gazetted_moved_by_query) {{ return 301 $gazetted_moved_by_query; }}\n\
        if ($gazetted_moved) {{ return 301 $gazetted_moved; }}\n\
        if ($gazetted_temporary) {{ return 307 $gazetted_temporary; }}\n\
        if ($gazetted_gone) {{ return 410; }}\n"
    );
    for own in ["= /_redirects", "= /_headers", "~ /\\.(?:gazetted|htaccess)"] {
        location(&mut text, own, &["return 404;".to_owned()]);
    }
    let page = typed(page::MEDIA_TYPE, site.samples.of(SampleKind::Page));
    for name in ["404.html", "410.html"] {
        location(&mut text, &format!("= {base}{name}"), &[vec!["internal;".to_owned()], page.clone()].concat());
    }
    single(&mut text, site);
    feeds(&mut text, site);
    pages(&mut text, site, &page);
    files(&mut text, site);
    text
}

fn location(text: &mut String, pattern: &str, lines: &[String]) {
    let _ = writeln!(text, "location {pattern} {{");
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str("}\n");
}

/// The lines that set a type, whatever the name of the file, and header fields.
fn typed(media_type: &str, fields: &[(String, String)]) -> Vec<String> {
    let mut lines = vec!["types { }".to_owned(), format!("default_type {};", quoted(media_type))];
    lines.extend(with_fields(fields));
    lines
}

fn with_fields(fields: &[(String, String)]) -> Vec<String> {
    fields.iter().map(|(name, value)| format!("add_header {name} {} always;", quoted(value))).collect()
}

/// Documents with addresses of their own, and the addresses that lead to them.
fn single(text: &mut String, site: &ServerSite<'_>) {
    let base = site.base_path;
    for served in site.served {
        location(
            text,
            &format!("= {base}{}", served.path),
            &typed(served.media_type(), &server_fields(&served.headers)),
        );
    }
    for rule in site.rules {
        if let Leads::Same(path) = &rule.leads {
            location(text, &format!("= {}", rule.path), &[format!("rewrite ^ {base}{path} last;")]);
        }
    }
}

fn feeds(text: &mut String, site: &ServerSite<'_>) {
    let base = escaped(site.base_path);
    let lasting = site.samples.of(SampleKind::LastingFeed);
    for format in site.formats.iter() {
        let (file, media_type) = (escaped(format.file), format.media_type);
        location(text, &format!("~ ^{base}archive/[0-9]+/{file}$"), &typed(media_type, lasting));
        let fields = site.samples.of(SampleKind::Feed);
        location(text, &format!("~ ^{base}(?:.*/)?{file}$"), &typed(media_type, fields));
    }
    let other = site.samples.of(SampleKind::Other);
    location(text, &format!("~ ^{base}sitemap(?:-[0-9]+)?\\.xml$"), &typed(sitemap::MEDIA_TYPE, other));
    let opml = crate::render::feed::opml::MEDIA_TYPE;
    location(text, &format!("= {}{}", site.base_path, crate::render::feed::opml::PATH), &typed(opml, other));
    location(text, &format!("~ ^{base}articles/[^/]+\\.md$"), &typed(plain::MEDIA_TYPE, other));
}

fn pages(text: &mut String, site: &ServerSite<'_>, page: &[String]) {
    let (plain, base) = (site.base_path, escaped(site.base_path));
    let found = |file: &str| vec![format!("try_files {file} =404;")];
    let moved = |from: &str, to: &str| {
        let exists = "if (!-f $request_filename/index.html) { return 404; }".to_owned();
        vec![exists, format!("rewrite {from} {}{to} permanent;", site.base_url)]
    };
    location(text, &format!("= {plain}"), &[found(&format!("{plain}index.html")), page.to_vec()].concat());
    let lasting = typed(page::MEDIA_TYPE, site.samples.of(SampleKind::LastingPage));
    location(text, &format!("~ ^{base}archive/[0-9]+/$"), &[found("${uri}index.html"), lasting].concat());
    let digests = "digest/(?:daily|weekly|monthly)";
    let lists = list_roots().collect::<Vec<_>>().join("|");
    // Lists end with a slash; other pages do not.
    let page_of_list = format!("~ ^{base}(?:(?:{lists})/(?:.*/)?|{digests}/)$");
    location(text, &page_of_list, &[found("${uri}index.html"), page.to_vec()].concat());
    let list = format!("~ ^{base}(?:(?:{lists})(?:/.*[^/])?|{digests})$");
    location(text, &list, &moved(&format!("^{base}(.*)$"), "$1/"));
    let own = format!("(?:articles/[^/]+|{digests}/[^/]+|[^/.]+)");
    location(text, &format!("~ ^{base}{own}/$"), &moved(&format!("^{base}(.*)/$"), "$1"));
    location(text, &format!("~ ^{base}{own}$"), &[found("$uri/index.html"), page.to_vec()].concat());
    location(text, "~ /index\\.html$", &["return 404;".to_owned()]);
}

/// Files beside articles, and what is within them.
fn files(text: &mut String, site: &ServerSite<'_>) {
    let base = site.base_path;
    let mut types = vec!["types {".to_owned()];
    for (endings, media_type) in media::TYPES {
        types.push(format!("  {} {};", quoted(media_type), endings.join(" ")));
    }
    types.extend(["}".to_owned(), "default_type application/octet-stream;".to_owned()]);
    let media = with_fields(site.samples.of(SampleKind::Media));
    let drawing = with_fields(site.samples.of(SampleKind::Drawing));
    let chapters = typed("application/json+chapters", site.samples.of(SampleKind::Media));
    let indented = |lines: Vec<String>| lines.into_iter().map(|line| format!("  {line}")).collect::<Vec<_>>();
    let mut lines = [types.clone(), media.clone(), vec![format!("try_files $uri @gazetted_part;")]].concat();
    let drawings = format!("\\.(?:{})$", DRAWINGS.join("|"));
    for (pattern, fields) in [(drawings.as_str(), drawing), ("chapters\\.json$", chapters)] {
        lines.push(format!("location ~* {pattern} {{"));
        lines.extend(indented([fields, vec!["try_files $uri @gazetted_part;".to_owned()]].concat()));
        lines.push("}".to_owned());
    }
    location(text, &format!("^~ {base}media/"), &lines);
    let part = vec!["rewrite ^(.+)/([^/]+)$ $1~/$2 break;".to_owned()];
    location(text, "@gazetted_part", &[types, media, part].concat());
}

/// Escapes the characters of a path that mean something in a regular expression.
fn escaped(path: &str) -> String {
    let mut text = String::new();
    for c in path.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::server_files::HeaderSamples;
    use crate::render::feed::FORMATS;

    #[test]
    fn keys_that_differ_only_by_case_are_told_apart() {
        let rule = |path: &str| AddressRule::new(path.to_owned(), None, Leads::Temporary("/x".to_owned())).unwrap();
        let rules = ["/media/A.jpg/480.webp", "/media/a.jpg/480.webp", "/media/%61.jpg/480.webp", "/media/B.jpg", "/c"]
            .map(rule);
        let mut samples = HeaderSamples::default();
        samples.parts.push("media/b.jpg".to_owned());
        let text = maps(&ServerSite {
            base_url: "https://x.example/",
            base_path: "/",
            formats: FORMATS,
            rules: &rules,
            served: &[],
            samples: &samples,
        });
        let keys: Vec<&str> = text.lines().filter_map(|line| line.strip_suffix(" \"/x\";")).map(str::trim).collect();
        let expected = [
            "\"~^/media/A\\\\.jpg/480\\\\.webp$\"",
            "\"~^/media/a\\\\.jpg/480\\\\.webp$\"",
            "\"~^/media/B\\\\.jpg$\"",
            "\"/c\"",
        ];
        assert_eq!(keys, expected, "{text}");
    }
}
