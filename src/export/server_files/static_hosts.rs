//! `_redirects` and `_headers`, which Netlify and Cloudflare Pages read.

use std::fmt::Write;

use super::site::{DRAWINGS, POLICY, SampleKind, ServerSite, list_roots};
use crate::export::rules::Leads;
use crate::folder::media;
use crate::render::feed::opml;
use crate::render::plain;

/// The addresses that have no document of their own.
pub fn redirects(site: &ServerSite<'_>) -> String {
    let base = site.base_path;
    let mut lines = Vec::new();
    // Some hosts read only the first lines.
    for rule in site.rules.iter().filter(|rule| rule.query.is_none()) {
        let path = &rule.path;
        lines.push(match &rule.leads {
            Leads::Same(to) => (0, format!("{path} {base}{to} 200")),
            Leads::Moved(to) => (1, format!("{path} {to} 301")),
            Leads::Temporary(to) => (2, format!("{path} {to} 307")),
            Leads::Gone => (4, format!("{path} {base}410.html 410")),
        });
    }
    for part in &site.samples.parts {
        if let Some((folder, name)) = part.rsplit_once('/') {
            lines.push((3, format!("{base}{part} {base}{folder}~/{name} 200")));
        }
    }
    lines.sort_by_key(|(order, _)| *order);
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

/// The types and header fields of documents.
pub fn headers(site: &ServerSite<'_>) -> String {
    let (base, samples) = (site.base_path, site.samples);
    let common = ["X-Content-Type-Options", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"];
    let (of_all, of_pages): (Vec<_>, Vec<_>) =
        samples.of(SampleKind::Page).iter().cloned().partition(|(name, _)| common.contains(&name.as_str()));
    let mut text = String::new();
    block(&mut text, &format!("{base}*"), &of_all);
    let lists = list_roots().map(|list| format!("{list}/*"));
    for path in ["", "articles/*"].into_iter().map(str::to_owned).chain(lists) {
        block(&mut text, &format!("{base}{path}"), &of_pages);
    }
    let own = |kind| -> Vec<_> {
        samples.of(kind).iter().filter(|(name, _)| !common.contains(&name.as_str())).cloned().collect()
    };
    block(&mut text, &format!("{base}media/*"), &own(SampleKind::Media));
    // A response with two policies has to keep both.
    let policy: Vec<_> = own(SampleKind::Drawing).into_iter().filter(|(name, _)| name == POLICY).collect();
    // Hosts read only so many blocks: those of endings that no exported file has are left out.
    let has_files = |ending: &&str| media::TYPES.iter().any(|(endings, _)| endings.contains(ending));
    for ending in DRAWINGS.into_iter().filter(|ending| !policy.is_empty() && has_files(ending)) {
        for ending in [ending.to_owned(), ending.to_uppercase()] {
            block(&mut text, &format!("{base}media/*.{ending}"), &policy);
        }
    }
    let mut typed = |path: String, media_type: &str| {
        block(&mut text, &path, &[("Content-Type".to_owned(), media_type.to_owned())]);
    };
    for served in site.served {
        typed(format!("{base}{}", served.path), served.media_type());
    }
    for format in site.formats.iter() {
        typed(format!("{base}*/{}", format.file), format.media_type);
    }
    typed(format!("{base}{}", opml::PATH), opml::MEDIA_TYPE);
    typed(format!("{base}articles/*.md"), plain::MEDIA_TYPE);
    for rule in site.rules {
        if let Leads::Same(to) = &rule.leads
            && let Some(served) = site.served.iter().find(|served| served.path == *to)
        {
            typed(rule.path.clone(), served.media_type());
        }
    }
    text
}

fn block(text: &mut String, path: &str, fields: &[(String, String)]) {
    let _ = writeln!(text, "{path}");
    for (name, value) in fields {
        let _ = writeln!(text, "  {name}: {value}");
    }
}
