//! What other publishers hand over: the bytes of a feed -> its entries; the bytes of an export -> posts and their files. Pure.

mod archive;
pub mod attributes;
mod blocks;
mod csv;
pub mod entry;
pub mod export;
mod feed;
mod ghost;
mod json_feed;
mod lexical;
mod library;
pub mod media;
mod mobiledoc;
mod old_links;
pub mod opml;
pub mod post;
mod shortcode;
mod source;
mod wordpress;
mod wordpress_text;
mod xml;

use entry::ForeignFeed;
use export::Export;

/// Reads an RSS, Atom or JSON Feed document of any version and in any encoding. Faults cost at most the part that they are in.
///
/// # Errors
/// The bytes are none of them. The error says why in one line.
pub fn read_feed(bytes: &[u8]) -> Result<ForeignFeed, String> {
    let source::SourceText { text, problem } = source::decode(&source::unpacked(bytes));
    let start = text.trim_start();
    let mut feed = if start.starts_with('{') { json_feed::read(start) } else { feed::read(&text) }?;
    feed.remarks.splice(0..0, problem);
    Ok(feed)
}

/// Reads an export of WordPress, Ghost, Blogger, Substack or Medium, or any feed.
///
/// # Errors
/// The bytes are none of them. The error says why in one line.
pub fn read_export(bytes: &[u8]) -> Result<Export, String> {
    let mut export = read_part(bytes)?;
    complete(&mut export);
    Ok(export)
}

/// Reads one file of an export. Once all have been added to one, [`complete`] it.
///
/// # Errors
/// As [`read_export`].
pub fn read_part(bytes: &[u8]) -> Result<Export, String> {
    let mut export =
        if crate::folder::zip::is_zip(bytes) { archive::read(bytes, &read_document) } else { read_document(bytes) }?;
    export.separate_ids();
    Ok(export)
}

/// Completes the posts of an export whose files have all been read: a post may show what is in another file.
pub fn complete(export: &mut Export) {
    wordpress::complete(export);
    old_links::complete(&mut export.posts);
}

/// Reads an export that is one document.
fn read_document(bytes: &[u8]) -> Result<Export, String> {
    let source::SourceText { text, problem } = source::decode(&source::unpacked(bytes));
    let start = text.trim_start();
    let known = if start.starts_with('{') {
        serde_json::from_str(start).ok().and_then(|document| ghost::read(&document))
    } else {
        wordpress::read(&text)
    };
    match known {
        Some(mut export) => {
            export.remarks.splice(0..0, problem);
            Ok(export)
        }
        None => read_feed(bytes).map(Export::from),
    }
}

#[cfg(test)]
mod tests;
