//! What other publishers hand over: the bytes of a feed -> its entries. Pure.

pub mod entry;
mod feed;
mod json_feed;
mod source;
mod xml;

use entry::ForeignFeed;

/// Reads an RSS, Atom or JSON Feed document of any version and in any encoding. Faults cost at most the part that they are in.
///
/// # Errors
/// The bytes are none of them. The error says why in one line.
pub fn read_feed(bytes: &[u8]) -> Result<ForeignFeed, String> {
    let source::SourceText { text, problem } = source::decode(bytes);
    let start = text.trim_start();
    let mut feed = if start.starts_with('{') { json_feed::read(start) } else { feed::read(&text) }?;
    feed.remarks.splice(0..0, problem);
    Ok(feed)
}

#[cfg(test)]
mod tests;
