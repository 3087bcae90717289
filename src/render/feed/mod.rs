//! Entries -> feed documents. Pure: the same channel and entries always give the same bytes.

pub mod atom;
pub mod blogroll;
mod channel;
mod document;
mod extension;
pub mod format;
pub mod fragment;
mod item;
pub mod json;
pub mod opml;
pub mod rss;
mod statements;
#[cfg(test)]
pub mod twtxt;

pub use channel::{Channel, STYLE, STYLE_PATH, limits};
pub use document::{Feed, History, archive_path};
pub use item::Item;
pub use statements::LicenseLink;

use format::{FeedFormat, Formats};

/// Rows of the formats that the program serves, the one that most feed readers request first.
static TABLE: [FeedFormat; 3] = [rss::FORMAT, atom::FORMAT, json::FORMAT];

/// The formats that the program serves.
pub const FORMATS: Formats = Formats::new(&TABLE);

#[cfg(test)]
pub(crate) mod tests;
