//! Pictures and chapters of MP4: the item `covr`, the list `chpl` of Nero, and text tracks of chapters as QuickTime has them.

use super::parts::{Chapter, EmbeddedPicture, MAX_CHAPTERS};
use super::view::ByteView;
use crate::folder::atoms::{Atom, at_path, atoms, child};
use crate::folder::media_bytes::MediaBytes;

/// Maximum length of the text of a chapter, in bytes.
const MAX_TEXT: u64 = 4_000;

/// The content of an atom.
fn view<'a>(source: &'a MediaBytes<'a>, atom: Atom) -> ByteView<'a> {
    ByteView::InFile { source, start: atom.start, end: atom.end }
}

fn movie(source: &MediaBytes<'_>) -> Option<Atom> {
    atoms(source, 0, source.length).into_iter().find(|atom| atom.kind == *b"moov")
}

pub fn pictures(source: &MediaBytes<'_>) -> Vec<EmbeddedPicture> {
    let Some(meta) = movie(source).and_then(|movie| at_path(source, movie, &[*b"udta", *b"meta"])) else {
        return Vec::new();
    };
    // A version and flags precede the atoms, but not in QuickTime.
    let is_plain = source.array::<8>(meta.start).is_some_and(|head| head.ends_with(b"hdlr"));
    let meta = if is_plain { meta } else { Atom { start: meta.start + 4, ..meta } };
    let Some(cover) = at_path(source, meta, &[*b"ilst", *b"covr"]) else { return Vec::new() };
    let values = atoms(source, cover.start, cover.end).into_iter().filter(|atom| atom.kind == *b"data");
    // A type and a language precede the bytes.
    let pictures = values.filter_map(|atom| view(source, atom).data(8, atom.end - atom.start));
    pictures.map(|data| EmbeddedPicture { is_front: true, data }).collect()
}

pub fn chapters(source: &MediaBytes<'_>) -> Vec<Chapter> {
    let Some(movie) = movie(source) else { return Vec::new() };
    let list = at_path(source, movie, &[*b"udta", *b"chpl"]).and_then(|list| of_list(&view(source, list)));
    list.filter(|chapters| !chapters.is_empty()).or_else(|| of_track(source, movie)).unwrap_or_default()
}

/// The chapters of a list: for each, its start in units of 100 nanoseconds, and a text of at most 255 bytes.
fn of_list(list: &ByteView<'_>) -> Option<Vec<Chapter>> {
    let is_long = list.number(0, 1)? > 0;
    let mut at = if is_long { 8 } else { 4 };
    let count = list.number(at, 1)?;
    at += 1;
    let mut chapters = Vec::new();
    for _ in 0..count {
        let Some((start, length)) = list.number(at, 8).zip(list.number(at + 8, 1)) else { break };
        let Some(text) = list.bytes(at + 9, length) else { break };
        chapters.push(Chapter { start: start / 10_000, title: utf(&text), url: None });
        at += 9 + length;
    }
    Some(chapters)
}

/// The chapters of the text track that another track names.
fn of_track(source: &MediaBytes<'_>, movie: Atom) -> Option<Vec<Chapter>> {
    let tracks: Vec<Atom> =
        atoms(source, movie.start, movie.end).into_iter().filter(|atom| atom.kind == *b"trak").collect();
    let named = tracks.iter().find_map(|track| {
        at_path(source, *track, &[*b"tref", *b"chap"]).and_then(|list| view(source, list).number(0, 4))
    })?;
    let is_named = |track: &&Atom| number_of_track(source, **track) == Some(named);
    let media = child(source, *tracks.iter().find(is_named)?, *b"mdia")?;
    let header = view(source, child(source, media, *b"mdhd")?);
    let scale = header.number(if header.number(0, 1)? == 1 { 20 } else { 12 }, 4).filter(|scale| *scale > 0)?;
    let samples = at_path(source, media, &[*b"minf", *b"stbl"])?;
    let table = |kind: [u8; 4]| child(source, samples, kind).map(|atom| view(source, atom));
    let starts = starts(&table(*b"stts")?)?;
    let sizes = sizes(&table(*b"stsz")?, starts.len())?;
    let (offsets, width) = match table(*b"co64") {
        Some(table) => (table, 8),
        None => (table(*b"stco")?, 4),
    };
    let places = places(&offsets, width, &table(*b"stsc")?, &sizes)?;
    let chapter = |(start, (place, size)): (&u64, (u64, u64))| {
        let sample = ByteView::InFile { source, start: place, end: place.saturating_add(size).min(source.length) };
        let length = sample.number(0, 2)?.min(MAX_TEXT);
        let start = start.checked_mul(1_000)? / scale;
        Some(Chapter { start, title: utf(&sample.head(2, length)?), url: None })
    };
    Some(starts.iter().zip(places.into_iter().zip(sizes)).filter_map(chapter).collect())
}

fn number_of_track(source: &MediaBytes<'_>, track: Atom) -> Option<u64> {
    let header = view(source, child(source, track, *b"tkhd")?);
    header.number(if header.number(0, 1)? == 1 { 20 } else { 12 }, 4)
}

/// When each sample starts, in units of the track.
fn starts(table: &ByteView<'_>) -> Option<Vec<u64>> {
    let (mut starts, mut time) = (Vec::new(), 0_u64);
    for entry in 0..table.number(4, 4)?.min(MAX_CHAPTERS as u64) {
        let (count, duration) = (table.number(8 + 8 * entry, 4)?, table.number(12 + 8 * entry, 4)?);
        for _ in 0..count.min((MAX_CHAPTERS - starts.len()) as u64) {
            starts.push(time);
            time = time.checked_add(duration)?;
        }
    }
    Some(starts)
}

/// The sizes of the first samples.
fn sizes(table: &ByteView<'_>, most: usize) -> Option<Vec<u64>> {
    let (same, count) = (table.number(4, 4)?, table.number(8, 4)?.min(most as u64));
    (0..count).map(|sample| if same > 0 { Some(same) } else { table.number(12 + 4 * sample, 4) }).collect()
}

/// Where each sample is: chunks of samples lie anywhere.
fn places(offsets: &ByteView<'_>, width: u64, chunks: &ByteView<'_>, sizes: &[u64]) -> Option<Vec<u64>> {
    let (count, runs) = (offsets.number(4, 4)?, chunks.number(4, 4)?.min(MAX_CHAPTERS as u64));
    let mut places = Vec::new();
    for run in 0..runs {
        let (first, samples) = (chunks.number(8 + 12 * run, 4)?, chunks.number(12 + 12 * run, 4)?);
        let next = if run + 1 < runs { chunks.number(20 + 12 * run, 4)? } else { count.checked_add(1)? };
        for chunk in first..next {
            let mut place = offsets.number(8 + width * chunk.checked_sub(1)?, width)?;
            for _ in 0..samples.min(MAX_CHAPTERS as u64) {
                let Some(size) = sizes.get(places.len()) else { return Some(places) };
                places.push(place);
                place = place.checked_add(*size)?;
            }
        }
    }
    Some(places)
}

/// Decodes UTF-8, or UTF-16 with a byte order mark.
fn utf(bytes: &[u8]) -> String {
    encoding_rs::UTF_8.decode(bytes).0.trim_matches('\0').to_owned()
}
