//! What the tag parser sees in place of other bytes, and how much of a recording it may see at all.

use crate::article::Problem;

/// Maximum number of items (frames, comments, atoms) in the tags of one recording.
pub const MAX_ITEMS: u32 = 2_000;
/// Maximum size of all texts in the ID3 tags of one recording, in bytes.
const MAX_TEXT: u64 = 8 << 20;
/// Number of packed frames that a problem names.
const NAMED: usize = 5;

/// The limits on all tags of one recording, and what was left out because of them.
#[derive(Debug)]
pub struct Budget {
    items: u32,
    text: u64,
    is_exceeded: bool,
    packed: Vec<String>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { items: MAX_ITEMS, text: MAX_TEXT, is_exceeded: false, packed: Vec::new() }
    }
}

impl Budget {
    /// Counts an item with a text of so many bytes; `false` if it is one too many.
    pub fn take(&mut self, bytes: u64) -> bool {
        match (self.items.checked_sub(1), self.text.checked_sub(bytes)) {
            (Some(items), Some(text)) => (self.items, self.text) = (items, text),
            _ => self.exceed(),
        }
        !self.is_exceeded
    }

    /// Remembers that something was left out.
    pub fn exceed(&mut self) {
        self.is_exceeded = true;
    }

    /// Remembers a compressed or encrypted frame.
    pub fn skip_packed(&mut self, name: String) {
        if self.packed.len() < NAMED && !self.packed.contains(&name) {
            self.packed.push(name);
        }
    }

    /// What the writer should know about what was left out.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.packed.is_empty() {
            let names = self.packed.join(", ");
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

/// Bytes that the parser sees in the place of others: `bytes`, then zeros up to `end`.
#[derive(Debug)]
pub struct Patch {
    pub start: u64,
    pub bytes: Vec<u8>,
    pub end: u64,
}

impl Patch {
    /// Replaces as many bytes as are given.
    pub fn of(start: u64, bytes: &[u8]) -> Self {
        Self { start, bytes: bytes.to_vec(), end: start + bytes.len() as u64 }
    }

    /// Fills the buffer from the place `at`, which must be inside; returns the number of bytes.
    pub fn read(&self, at: u64, buffer: &mut [u8]) -> usize {
        let most = usize::try_from(self.end - at).unwrap_or(usize::MAX).min(buffer.len());
        let offset = usize::try_from(at - self.start).unwrap_or(usize::MAX);
        let bytes = self.bytes.get(offset..).unwrap_or_default();
        let known = bytes.len().min(most);
        buffer[..known].copy_from_slice(&bytes[..known]);
        buffer[known..most].fill(0);
        most
    }
}
