//! The atoms (boxes) of ISO base media files: MP4, QuickTime, HEIF and AVIF (ISO 14496-12 section 4.2).

use super::media_bytes::MediaBytes;

/// Maximum number of atoms on one level.
const MAX_ATOMS: usize = 2_000;

/// The content of an atom.
#[derive(Debug, Clone, Copy)]
pub struct Atom {
    pub kind: [u8; 4],
    pub start: u64,
    pub end: u64,
}

/// The atoms between two positions.
pub fn atoms(source: &MediaBytes<'_>, start: u64, end: u64) -> Vec<Atom> {
    let (mut at, mut atoms) = (start, Vec::new());
    while atoms.len() < MAX_ATOMS && at + 8 <= end {
        let Some([a, b, c, d, kind @ ..]) = source.array::<8>(at) else { break };
        let (size, header) = match u64::from(u32::from_be_bytes([a, b, c, d])) {
            0 => (end - at, 8),
            1 => (source.array::<8>(at + 8).map_or(0, u64::from_be_bytes), 16),
            size => (size, 8),
        };
        let Some(after) = at.checked_add(size).filter(|after| size >= header && *after <= end) else { break };
        atoms.push(Atom { kind, start: at + header, end: after });
        at = after;
    }
    atoms
}

/// The first atom of a kind within another one.
pub fn child(source: &MediaBytes<'_>, parent: Atom, kind: [u8; 4]) -> Option<Atom> {
    atoms(source, parent.start, parent.end).into_iter().find(|atom| atom.kind == kind)
}

/// The atom at the end of a path.
pub fn at_path(source: &MediaBytes<'_>, top: Atom, path: &[[u8; 4]]) -> Option<Atom> {
    path.iter().try_fold(top, |atom, kind| child(source, atom, *kind))
}
