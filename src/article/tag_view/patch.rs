//! Replacements for bytes of a recording, and the limits on its tags.

use crate::article::problem::Problem;

/// Maximum number of items (frames, comments, atoms) in the tags of one recording.
pub const MAX_ITEMS: u32 = 2_000;
/// Maximum total size of the texts in the ID3 tags of one recording, in bytes.
const MAX_TEXT: u64 = 8 << 20;
/// Maximum number of compressed or encrypted frames named in a message.
const MAX_NAMES: usize = 5;

/// The remaining limits on all tags of one recording, and a record of what was skipped because of them.
#[derive(Debug)]
pub struct Budget {
    items: u32,
    text: u64,
    is_exceeded: bool,
    /// Names of compressed or encrypted frames.
    opaque: Vec<String>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { items: MAX_ITEMS, text: MAX_TEXT, is_exceeded: false, opaque: Vec::new() }
    }
}

impl Budget {
    /// Counts an item with a text of `bytes` bytes. Returns whether all items so far are within the limits.
    pub fn take(&mut self, bytes: u64) -> bool {
        match (self.items.checked_sub(1), self.text.checked_sub(bytes)) {
            (Some(items), Some(text)) => (self.items, self.text) = (items, text),
            _ => self.exceed(),
        }
        !self.is_exceeded
    }

    /// Records that a limit was exceeded.
    pub fn exceed(&mut self) {
        self.is_exceeded = true;
    }

    /// Records a compressed or encrypted frame, which is skipped.
    pub fn skip_opaque(&mut self, name: String) {
        if self.opaque.len() < MAX_NAMES && !self.opaque.contains(&name) {
            self.opaque.push(name);
        }
    }

    /// Returns a problem for each kind of item that was skipped.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.opaque.is_empty() {
            let names = self.opaque.join(", ");
            problems.push(Problem::of_file(format!(
                "compressed or encrypted tag frames are not read ({names}): save the tags without compression"
            )));
        }
        if self.is_exceeded {
            problems.push(Problem::of_file("its tags are too large: not all of them are read"));
        }
        problems
    }
}

/// A replacement for the bytes of a file from `start` to `end`: `bytes`, padded with zeros.
#[derive(Debug)]
pub struct Patch {
    pub start: u64,
    pub bytes: Vec<u8>,
    pub end: u64,
}

impl Patch {
    /// Makes a patch of the same length as `bytes`.
    pub fn of(start: u64, bytes: &[u8]) -> Self {
        Self { start, bytes: bytes.to_vec(), end: start + bytes.len() as u64 }
    }

    /// Fills the buffer from the position `at`, which must be inside; returns the number of bytes.
    pub fn read(&self, at: u64, buffer: &mut [u8]) -> usize {
        let most = usize::try_from(self.end - at).unwrap_or(usize::MAX).min(buffer.len());
        let offset = usize::try_from(at - self.start).unwrap_or(usize::MAX);
        let bytes = self.bytes.get(offset..).unwrap_or_default();
        let count = bytes.len().min(most);
        buffer[..count].copy_from_slice(&bytes[..count]);
        buffer[count..most].fill(0);
        most
    }
}
