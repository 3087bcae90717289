use std::io::Write;

use super::*;

/// Stands for a position in the files below, in the tags that hold one.
const PLACE: &[u8] = b"51.5N 0.1W here";

/// A TIFF structure: turned by a quarter, with a position, and the name of a camera.
fn exif(is_big_endian: bool) -> Vec<u8> {
    let short = |number: u16| if is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    let long = |number: u32| if is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    let tag = |number: u16, kind: u16, count: u32, value: [u8; 4]| {
        [&short(number)[..], &short(kind), &long(count), &value].concat()
    };
    let mut turn = [0; 4];
    turn[..2].copy_from_slice(&short(6));
    let length = u32::try_from(PLACE.len()).unwrap();
    // The first directory has three tags and ends at 50, the second has two and ends at 80.
    let mut bytes = if is_big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
    bytes.extend(long(8));
    bytes.extend(short(3));
    bytes.extend(tag(0x0110, 2, 4, *b"Cam\0"));
    bytes.extend(tag(0x0112, 3, 1, turn));
    bytes.extend(tag(0x8825, 4, 1, long(50)));
    bytes.extend(long(0));
    bytes.extend(short(2));
    bytes.extend(tag(1, 2, 2, *b"N\0\0\0"));
    bytes.extend(tag(2, 2, length, long(80)));
    bytes.extend(long(0));
    bytes.extend(PLACE);
    bytes
}

fn xmp() -> Vec<u8> {
    let place = String::from_utf8_lossy(PLACE);
    format!(
        "<x:xmpmeta><rdf:Description exif:GPSLatitude=\"{place}\" drone-dji:GpsLongitude = '{place}' dc:format=\"image/jpeg\">\
         <exif:GPSAltitude>{place}</exif:GPSAltitude><exif:GPSDest rdf:resource=\"x\"/><dc:title>Kept</dc:title></rdf:Description></x:xmpmeta>"
    )
    .into_bytes()
}

fn segment(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, kind][..], &length, content].concat()
}

fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    [&b"\xFF\xD8"[..], &segments.concat(), b"\xFF\xDA\0\x02pixels\xFF\xD9"].concat()
}

fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(content);
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length[..], kind, content, &sum.sum().to_be_bytes()].concat()
}

fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", b"0123456789abc"), &chunks.concat(), &chunk(b"IEND", b"")].concat()
}

fn webp(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WEBP".to_vec();
    for (kind, content) in chunks {
        bytes.extend(*kind);
        bytes.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        bytes.extend(content);
        bytes.extend(vec![0; content.len() % 2]);
    }
    bytes
}

fn atom(kind: &[u8], content: &[u8]) -> Vec<u8> {
    [&u32::try_from(content.len() + 8).unwrap().to_be_bytes()[..], kind, content].concat()
}

/// HEIF with its Exif and XMP at the end, as item 1 and item 2.
fn heif() -> Vec<u8> {
    let (exif, xmp) = ([&[0, 0, 0, 0][..], &exif(true)].concat(), xmp());
    let info = |id: u8, kind: &[u8]| atom(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0][..], kind, b"\0"].concat());
    let infos = atom(b"iinf", &[&[0, 0, 0, 0, 0, 2][..], &info(1, b"Exif"), &info(2, b"mime")].concat());
    let start = atom(b"ftyp", b"heic\0\0\0\0");
    let places = |first: u32| {
        let item = |id: u8, at: u32, length: usize| {
            let length = u32::try_from(length).unwrap().to_be_bytes();
            [&[0, id, 0, 0, 0, 1][..], &at.to_be_bytes(), &length].concat()
        };
        let items =
            [item(1, first, exif.len()), item(2, first + u32::try_from(exif.len()).unwrap(), xmp.len())].concat();
        atom(b"iloc", &[&[0, 0, 0, 0, 0x44, 0, 0, 2][..], &items].concat())
    };
    let meta = |first: u32| atom(b"meta", &[&[0; 4][..], &infos, &places(first)].concat());
    let first = u32::try_from(start.len() + meta(0).len() + 8).unwrap();
    [start, meta(first), atom(b"mdat", &[exif, xmp].concat())].concat()
}

fn film() -> Vec<u8> {
    let key = |name: &[u8]| atom(b"mdta", name);
    let keys =
        [&[0; 4][..], &[0, 0, 0, 2], &key(b"com.apple.quicktime.make"), &key(b"com.apple.quicktime.location.ISO6709")];
    let value = |index: u8, text: &[u8]| {
        atom(&[0, 0, 0, index], &atom(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0][..], text].concat()))
    };
    let meta = [atom(b"keys", &keys.concat()), atom(b"ilst", &[value(1, b"Cam"), value(2, PLACE)].concat())].concat();
    let data = [atom(b"\xA9xyz", &[b"\0\x0f\x15\xc7", PLACE].concat()), atom(b"\xA9nam", b"Kept")].concat();
    [atom(b"ftyp", b"qt  \0\0\0\0"), atom(b"moov", &[atom(b"udta", &data), atom(b"meta", &meta)].concat())].concat()
}

fn tags_of(bytes: &[u8]) -> CameraTags {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    read(&file)
}

/// The file as it is served, in parts of a length.
fn served(bytes: &[u8], part: usize) -> Vec<u8> {
    let tags = tags_of(bytes);
    let mut served = bytes.to_vec();
    for (index, part) in served.chunks_mut(part).enumerate() {
        let offset = (index * part.len()) as u64;
        let offset = if part.is_empty() { 0 } else { offset };
        tags.positions.iter().for_each(|erasure| erasure.apply(offset, part));
    }
    served
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

fn with_position() -> Vec<(&'static str, Vec<u8>)> {
    let app1 = |content: &[u8]| segment(0xE1, content);
    let with_head = |head: &[u8], content: &[u8]| app1(&[head, content].concat());
    let xmp_head = b"http://ns.adobe.com/xap/1.0/\0";
    let extended = [&b"http://ns.adobe.com/xmp/extension/\0"[..], &[b'0'; 40], &xmp()].concat();
    // A second picture behind the first, which the list of the first one names.
    let second = jpeg(&[with_head(b"Exif\0\0", &exif(true))]);
    let list = |offset: u32| {
        let entries = [&[0; 16][..], &[0; 8], &offset.to_be_bytes(), &[0; 4]].concat();
        let tag = b"\0\x01\xB0\x02\0\x07\0\0\0\x20\0\0\0\x1a\0\0\0\0";
        segment(0xE2, &[&b"MPF\0MM\0*\0\0\0\x08"[..], tag, &entries].concat())
    };
    // The list is counted from its own structure, 10 bytes into the file.
    let first = jpeg(&[list(0)]).len();
    let several = [jpeg(&[list(u32::try_from(first - 10).unwrap())]), second].concat();
    let text = |kind: &[u8], head: &[u8]| chunk(kind, &[head, &xmp()].concat());
    vec![
        ("jpeg", jpeg(&[segment(0xE0, b"JFIF\0"), with_head(b"Exif\0\0", &exif(true))])),
        ("jpeg, little-endian", jpeg(&[with_head(b"Exif\0\0", &exif(false)), with_head(xmp_head, &xmp())])),
        ("extended xmp", jpeg(&[app1(&extended)])),
        ("several pictures", several),
        ("png", png(&[chunk(b"eXIf", &exif(true)), chunk(b"IDAT", b"pixels")])),
        ("png xmp", png(&[text(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0")])),
        ("png packed xmp", png(&[text(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0")])),
        ("png profile", png(&[text(b"zTXt", b"Raw profile type exif\0\0")])),
        ("webp", webp(&[(b"VP8 ", b"odd".to_vec()), (b"EXIF", exif(false)), (b"XMP ", xmp())])),
        ("webp with prefix", webp(&[(b"EXIF", [&b"Exif\0\0"[..], &exif(true)].concat())])),
        ("tiff", exif(false)),
        ("heif", heif()),
        ("film", film()),
    ]
}

#[test]
fn no_position_is_served() {
    for (name, bytes) in with_position() {
        assert!(holds(&bytes, PLACE), "{name}");
        for part in [bytes.len(), 7] {
            let served = served(&bytes, part);
            assert!(!holds(&served, PLACE), "{name}");
            assert_eq!(served.len(), bytes.len());
            // The rest is as it was.
            for kept in [&b"Cam"[..], b"pixels", b"Kept", b"image/jpeg", b"ftyp"] {
                let is_packed = name.starts_with("png p");
                assert!(is_packed || holds(&served, kept) == holds(&bytes, kept), "{name}");
            }
        }
        assert_eq!(tags_of(&served(&bytes, bytes.len())).turn, tags_of(&bytes).turn, "{name}: it is turned as before");
    }
}

#[test]
fn the_checksums_of_chunks_are_right() {
    for (name, bytes) in with_position().into_iter().filter(|(name, _)| name.starts_with("png")) {
        let served = served(&bytes, bytes.len());
        let mut rest = &served[8..];
        while let Some((length, _)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            assert_eq!(&rest[..12 + length], chunk(&rest[4..8], &rest[8..8 + length]), "{name}");
            rest = &rest[12 + length..];
        }
    }
}

#[test]
fn the_turn_of_a_picture_is_known() {
    for (name, turned) in [
        ("jpeg", true),
        ("jpeg, little-endian", true),
        ("png", true),
        ("webp", true),
        ("several pictures", false),
        ("heif", false),
    ] {
        let bytes = with_position().into_iter().find(|(other, _)| *other == name).unwrap().1;
        assert_eq!(tags_of(&bytes).turn.swaps_sides(), turned, "{name}");
    }
}

#[test]
fn damaged_files_have_fewer_tags_and_no_panic() {
    for (name, bytes) in with_position() {
        for end in 0..bytes.len() {
            tags_of(&bytes[..end]);
        }
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] = [0, 0x7F, 0xFF][at % 3];
            let tags = tags_of(&broken);
            let size = broken.len() as u64;
            let is_within = |erasure: &Erasure| erasure.at + erasure.bytes.len() as u64 <= size;
            assert!(tags.positions.iter().all(is_within), "{name}, byte {at}");
        }
    }
}

#[test]
fn a_file_without_tags_stays_as_it_is() {
    for bytes in [&b""[..], b"GIF89a", b"\xFF\xD8\xFF\xE1\0\x02\xFF\xDA", b"<svg></svg>"] {
        assert_eq!(tags_of(bytes), CameraTags::default());
    }
}
