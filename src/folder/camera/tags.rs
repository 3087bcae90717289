//! The types of what cameras write.

/// Maximum number of places that are erased in one file.
const MAX_ERASURES: usize = 10_000;

/// The tags of a picture or a film.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CameraTags {
    pub turn: Turn,
    /// What has to be overwritten, so that the file does not say where it was taken.
    pub positions: Vec<Erasure>,
}

/// How a stored picture has to be turned to be upright: the values 1 to 8 of the Exif tag `Orientation` (Exif 3.0 section 4.6.5.1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn(u8);

impl Turn {
    /// `None` for a number that means nothing.
    pub fn new(number: u16) -> Option<Self> {
        u8::try_from(number).ok().filter(|number| (1..=8).contains(number)).map(Self)
    }

    /// Whether width and height change places.
    pub fn swaps_sides(self) -> bool {
        self.0 > 4
    }
}

impl Default for Turn {
    fn default() -> Self {
        Self(1)
    }
}

/// Bytes of a file, and what is served in their place. The length stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub at: u64,
    pub bytes: Vec<u8>,
}

impl Erasure {
    /// Overwrites what a part of the file, which starts at `offset`, has of these bytes.
    pub fn apply(&self, offset: u64, part: &mut [u8]) {
        let end = offset + part.len() as u64;
        let from = self.at.max(offset);
        let until = (self.at + self.bytes.len() as u64).min(end);
        if from >= until {
            return;
        }
        let within = |start: u64| usize::try_from(from - start).ok().zip(usize::try_from(until - start).ok());
        if let (Some((first, last)), Some((start, stop))) = (within(self.at), within(offset)) {
            part[start..stop].copy_from_slice(&self.bytes[first..last]);
        }
    }
}

impl CameraTags {
    /// Erases bytes, unless there is nothing to erase.
    pub fn erase(&mut self, at: u64, bytes: Vec<u8>) {
        if !bytes.is_empty() && self.positions.len() < MAX_ERASURES {
            self.positions.push(Erasure { at, bytes });
        }
    }
}
