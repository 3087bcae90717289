//! What cameras write into pictures and films: how a picture is turned, and where it was taken.
//!
//! Only headers are read. No length that a file states is trusted.

mod containers;
mod tags;
mod tiff;
mod xmp;

use std::fs::File;

pub use tags::{CameraTags, Erasure, Turn};

use super::media_bytes::MediaBytes;

/// Reads the tags of a picture or a film. A file without any, or of another kind, has none.
pub fn read(file: &File) -> CameraTags {
    let mut tags = CameraTags::default();
    if let Ok(source) = MediaBytes::new(file) {
        // What is found before an error counts.
        let _ = containers::read(&source, &mut tags);
    }
    tags
}

#[cfg(test)]
mod tests;
