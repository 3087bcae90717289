//! Recordings with pictures and chapters, made here.

use std::io::Write;

use super::*;

/// The start of a PNG with its header chunk.
fn png(pixels: u32) -> Vec<u8> {
    let length = pixels.to_be_bytes();
    [&b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"[..], &length, &length, &[8, 2, 0, 0, 0, 0xFF, 0, 0xFF, 0xE0]].concat()
}

/// A JPEG whose bytes have to be stuffed in unsynchronised tags.
fn jpeg() -> Vec<u8> {
    [&b"\xFF\xD8\xFF\xE0\0\x02\xFF\xC0\0\x0B\x08\x05\x78\x05\x78\x01\x01\x11\0"[..], &[0xFF; 30], &[0, 0xFF, 0]]
        .concat()
}

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn packed(size: usize) -> [u8; 4] {
    let size = u32::try_from(size).unwrap();
    [21, 14, 7, 0].map(|shift| (size >> shift & 0x7F) as u8)
}

fn plain(size: usize) -> [u8; 4] {
    u32::try_from(size).unwrap().to_be_bytes()
}

fn frame(version: u8, id: &str, flags: u8, content: &[u8]) -> Vec<u8> {
    match version {
        2 => [id.as_bytes(), &plain(content.len())[1..], content].concat(),
        3 => [id.as_bytes(), &plain(content.len()), &[0, flags], content].concat(),
        _ => [id.as_bytes(), &packed(content.len()), &[0, flags], content].concat(),
    }
}

fn tag(version: u8, flags: u8, body: &[u8]) -> Vec<u8> {
    [&b"ID3"[..], &[version, 0, flags], &packed(body.len()), body, &[0xFF, 0xFB, 0x90, 0xC0], &[0; 413]].concat()
}

fn stuffed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| if *byte == 0xFF { vec![0xFF, 0] } else { vec![*byte] }).collect()
}

/// The content of an APIC frame.
fn apic(kind: u8, picture: &[u8]) -> Vec<u8> {
    [&b"\0image/jpg\0"[..], &[kind], b"A cover\0", picture].concat()
}

fn flac_block(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind][..], &plain(content.len())[1..], content].concat()
}

fn picture_block(kind: u32, picture: &[u8]) -> Vec<u8> {
    let size = plain(picture.len());
    [&kind.to_be_bytes()[..], &plain(9), b"image/png", &plain(3), b"Sea", &[0; 16], &size, picture].concat()
}

fn comments(comments: &[&str]) -> Vec<u8> {
    let length = |text: &str| u32::try_from(text.len()).unwrap().to_le_bytes();
    let count = u32::try_from(comments.len()).unwrap().to_le_bytes();
    let each = comments.iter().flat_map(|text| [&length(text)[..], text.as_bytes()].concat());
    [&length("enc")[..], b"enc", &count, &each.collect::<Vec<u8>>()].concat()
}

fn flac(blocks: &[Vec<u8>]) -> Vec<u8> {
    [b"fLaC".to_vec(), flac_block(0, &[0; 34]), blocks.concat(), flac_block(0x81, &[0; 9]), vec![0xFF; 40]].concat()
}

/// An Ogg stream with these packets, and pages of another stream in between.
fn ogg(packets: &[&[u8]]) -> Vec<u8> {
    let page = |serial: u8, segments: &[u8], content: &[u8]| {
        let head = [&b"OggS"[..], &[0; 10], &[serial, 0, 0, 0], &[0; 8], &[u8::try_from(segments.len()).unwrap()]];
        [&head.concat()[..], segments, content].concat()
    };
    let mut bytes = Vec::new();
    for packet in packets {
        let mut segments = vec![255; packet.len() / 255];
        segments.push(u8::try_from(packet.len() % 255).unwrap());
        let mut rest = *packet;
        for segments in segments.chunks(2) {
            let size = segments.iter().map(|size| usize::from(*size)).sum();
            bytes.extend(page(1, segments, &rest[..size]));
            bytes.extend(page(2, &[5], b"video"));
            rest = &rest[size..];
        }
    }
    bytes
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

fn atom(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    [&plain(content.len() + 8)[..], &kind, content].concat()
}

/// An MP4 with the content of `moov`, after its sound.
fn mp4(movie: &[u8]) -> Vec<u8> {
    let sound = [&plain(1)[..], b"mdat", &(16_u64 + 20).to_be_bytes(), &[7; 20]].concat();
    [atom(*b"ftyp", b"M4A \0\0\0\0"), sound, atom(*b"moov", &[atom(*b"mvhd", &[0; 100]), movie.to_vec()].concat())]
        .concat()
}

fn covr(picture: &[u8]) -> Vec<u8> {
    let data = atom(*b"data", &[&[0, 0, 0, 14, 0, 0, 0, 0], picture].concat());
    let list = atom(*b"ilst", &[atom(*b"\xA9nam", &atom(*b"data", &[0; 12])), atom(*b"covr", &data)].concat());
    atom(*b"udta", &atom(*b"meta", &[vec![0; 4], atom(*b"hdlr", &[0; 25]), list].concat()))
}

/// A text track of chapters in units of 100 a second, named by the sound track. Its texts follow the movie.
fn with_track(texts: &[(u32, &str)]) -> Vec<u8> {
    let full =
        |numbers: &[u32]| [vec![0; 4], numbers.iter().flat_map(|number| number.to_be_bytes()).collect()].concat();
    let sample = |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
    let sizes: Vec<u32> = texts.iter().map(|(_, text)| u32::try_from(sample(text).len()).unwrap()).collect();
    let make = |offset: u32| {
        let stts = texts.iter().flat_map(|(duration, _)| [1, *duration]);
        let count = u32::try_from(texts.len()).unwrap();
        let stbl = [
            atom(*b"stts", &full(&[vec![count], stts.collect()].concat())),
            atom(*b"stsz", &full(&[vec![0, count], sizes.clone()].concat())),
            atom(*b"stsc", &full(&[2, 1, 1, 1, 2, count - 1, 1])),
            atom(*b"stco", &full(&[2, offset, offset + sizes[0]])),
        ];
        let track = |number: u32, more: &[u8]| {
            atom(*b"trak", &[atom(*b"tkhd", &full(&[0, 0, number, 0])), more.to_vec()].concat())
        };
        let media = [atom(*b"mdhd", &full(&[0, 0, 100, 0])), atom(*b"minf", &atom(*b"stbl", &stbl.concat()))].concat();
        let named = atom(*b"tref", &atom(*b"chap", &2_u32.to_be_bytes()));
        mp4(&[track(1, &named), track(2, &atom(*b"mdia", &media))].concat())
    };
    let offset = u32::try_from(make(0).len()).unwrap();
    [make(offset), texts.iter().flat_map(|(_, text)| sample(text)).collect()].concat()
}

/// A chapter of ID3, with a title and an address.
fn chap(version: u8, name: &str, start: u32, title: &str) -> Vec<u8> {
    let url = [&b"\0\0"[..], format!("https://b.example/{name}").as_bytes()].concat();
    let inner = [frame(version, "TIT2", 0, &[b"\x03", title.as_bytes()].concat()), frame(version, "WXXX", 0, &url)];
    let content = [name.as_bytes(), b"\0", &start.to_be_bytes(), &[0xFF; 12], &inner.concat()].concat();
    frame(version, "CHAP", 0, &content)
}

/// Recordings of each kind, with a cover or chapters.
fn recordings() -> Vec<(&'static str, Vec<u8>)> {
    let jpeg = jpeg();
    let wide = [&b"\x01image/jpeg\0\x03\xFF\xFEA\0\0\0"[..], &jpeg].concat();
    let riff = |chunk: &[u8]| {
        [
            b"RIFF\0\0\0\0WAVEfmt \x03\0\0\0abc\0id3 ",
            &plain(chunk.len()).map(|_| 0)[..0],
            &u32::try_from(chunk.len()).unwrap().to_le_bytes(),
            chunk,
        ]
        .concat()
    };
    let aiff = |chunk: &[u8]| [b"FORM\0\0\0\0AIFFCOMM\0\0\0\x02abID3 ", &plain(chunk.len())[..], chunk].concat();
    let block = base64(&picture_block(3, &jpeg));
    let vorbis =
        |texts: &[&str]| ogg(&[b"\x01vorbis", &[&b"\x03vorbis"[..], &comments(texts)].concat(), b"\x05vorbis"]);
    let group = frame(4, "APIC", 0x41, &[&b"g"[..], &packed(9), &apic(3, &jpeg)].concat());
    let wrong_size = [&b"APIC"[..], &plain(apic(3, &jpeg).len() + 200), &[0, 0], &apic(3, &jpeg), &[0; 200]].concat();
    vec![
        ("2.2", tag(2, 0, &frame(2, "PIC", 0, &[&b"\0JPG\x03\0"[..], &jpeg].concat()))),
        ("2.2 unsynchronised", tag(2, 0x80, &stuffed(&frame(2, "PIC", 0, &[&b"\0JPG\x03\0"[..], &jpeg].concat())))),
        ("2.3", tag(3, 0, &[frame(3, "TIT2", 0, b"\0T"), frame(3, "APIC", 0, &wide)].concat())),
        ("2.3 unsynchronised", tag(3, 0x80, &stuffed(&frame(3, "APIC", 0, &apic(3, &jpeg))))),
        ("2.3 extended", tag(3, 0x40, &[&plain(6)[..], &[0; 6], &frame(3, "APIC", 0, &apic(3, &jpeg))].concat())),
        ("2.4", tag(4, 0, &frame(4, "APIC", 0, &apic(3, &jpeg)))),
        ("2.4 unsynchronised", tag(4, 0x80, &frame(4, "APIC", 0x02, &stuffed(&apic(3, &jpeg))))),
        ("2.4 grouped", tag(4, 0, &group)),
        ("2.4 with sizes of 2.3", tag(4, 0, &[wrong_size, frame(4, "TIT2", 0, b"\0T")].concat())),
        ("wav", riff(&tag(3, 0, &frame(3, "APIC", 0, &apic(3, &jpeg))))),
        ("aiff", aiff(&tag(4, 0, &frame(4, "APIC", 0, &apic(3, &jpeg))))),
        ("flac", flac(&[flac_block(6, &picture_block(3, &jpeg))])),
        ("flac after id3", {
            let tag = [&b"ID3\x04\0\0"[..], &packed(6), &[0; 6]].concat();
            [tag, flac(&[flac_block(6, &picture_block(3, &jpeg))])].concat()
        }),
        ("flac comment", flac(&[flac_block(4, &comments(&[&format!("METADATA_BLOCK_PICTURE={block}")]))])),
        ("vorbis", vorbis(&["TITLE=A", &format!("metadata_block_picture={block}")])),
        (
            "opus",
            ogg(&[b"OpusHead", &[&b"OpusTags"[..], &comments(&[&format!("METADATA_BLOCK_PICTURE={block}")])].concat()]),
        ),
        ("old vorbis", vorbis(&[&format!("COVERART={}", base64(&jpeg))])),
        ("mp4", mp4(&covr(&jpeg))),
    ]
}

#[test]
fn the_cover_of_every_kind_of_recording_is_found() {
    let expected = format!("{}.jpg", &blake3::hash(&jpeg()).to_hex()[..DIGITS]);
    for (kind, bytes) in recordings() {
        let file = file(&bytes);
        let cover = find(&file, InsideKind::Cover).unwrap_or_else(|| panic!("{kind}"));
        let length = usize::try_from(cover.size()).unwrap();
        let stored = cover.read(&file, 0, length).unwrap();
        if kind == "2.4 with sizes of 2.3" {
            assert!(stored.starts_with(&jpeg()), "{kind}");
            continue;
        }
        assert_eq!((cover.name.as_str(), cover.media_type), (expected.as_str(), "image/jpeg"), "{kind}");
        assert_eq!(stored, jpeg(), "{kind}");
        assert_eq!(cover.read(&file, 3, 4).unwrap(), jpeg()[3..7], "{kind}");
        assert!(cover.read(&file, 3, length).is_err(), "{kind}");
        let size = imagesize::reader_size(io::BufReader::new(cover.reader(&file))).unwrap();
        assert_eq!((size.width, size.height), (1400, 1400), "{kind}");
        assert_eq!(kind_of_name(&cover.name), Some(InsideKind::Cover));
    }
}

#[test]
fn the_front_cover_comes_first_and_only_pictures_count() {
    let found = |bytes: &[u8]| find(&file(bytes), InsideKind::Cover).map(|cover| (cover.size(), cover.media_type));
    let (icon, front) = (apic(1, &png(32)), apic(3, &jpeg()));
    let both = |one: &[u8], other: &[u8]| tag(4, 0, &[frame(4, "APIC", 0, one), frame(4, "APIC", 0, other)].concat());
    let front_size = jpeg().len() as u64;
    assert_eq!(found(&both(&icon, &front)), Some((front_size, "image/jpeg")));
    assert_eq!(found(&both(&icon, &apic(1, &jpeg()))), Some((png(32).len() as u64, "image/png")));
    // A front cover that is none.
    assert_eq!(found(&both(&apic(3, b"<svg onload='alert(1)'>"), &icon)), Some((png(32).len() as u64, "image/png")));
    for (start, expected) in [
        (&b"GIF89a......"[..], Some("image/gif")),
        (b"RIFF\x04\0\0\0WEBPVP8 ", Some("image/webp")),
        (b"<html><script>alert(1)</script>", None),
        (b"RIFF\x04\0\0\0WAVEfmt ", None),
        (b"https://b.example/a.jpg", None),
        (b"\xFF\xD8\xFF", None),
        (b"", None),
    ] {
        let bytes = tag(3, 0, &frame(3, "APIC", 0, &apic(3, start)));
        assert_eq!(found(&bytes).map(|(_, kind)| kind), expected, "{start:?}");
    }
    let packed = tag(4, 0, &frame(4, "APIC", 0x08, &front));
    assert_eq!(found(&packed), None, "compressed frames are not read");
    assert_eq!(found(b"fLaC"), None);
    assert_eq!(found(b""), None);
}

#[test]
fn chapters_of_every_kind_of_recording_are_found() {
    let text = |bytes: &[u8]| {
        let file = file(bytes);
        let chapters = find(&file, InsideKind::Chapters)?;
        assert_eq!(kind_of_name(&chapters.name), Some(InsideKind::Chapters));
        let bytes = chapters.read(&file, 0, usize::try_from(chapters.size()).unwrap()).unwrap();
        Some(serde_json::from_slice::<serde_json::Value>(&bytes).unwrap())
    };
    let expected = |with_urls: bool| {
        let mut chapters =
            serde_json::json!([{"startTime": 0, "title": "Start"}, {"startTime": 62.5, "title": "Boats & \"nets\""}]);
        if with_urls {
            chapters[0]["url"] = "https://b.example/a".into();
            chapters[1]["url"] = "https://b.example/b".into();
        }
        Some(serde_json::json!({"version": "1.2.0", "chapters": chapters}))
    };
    let titles = ["Start", "Boats & \"nets\""];
    for version in [3, 4] {
        let body = [
            chap(version, "b", 62_500, titles[1]),
            frame(version, "CTOC", 0, b"t\0\x03\x02a\0b\0"),
            chap(version, "a", 0, titles[0]),
        ]
        .concat();
        assert_eq!(text(&tag(version, 0, &body)), expected(true), "2.{version}");
    }
    let stated = [
        "chapter001=00:00:00.000",
        "CHAPTER001NAME=Start",
        "CHAPTER002=00:01:02.5",
        "CHAPTER002NAME=Boats & \"nets\"",
        "CHAPTER003NAME=No time",
    ];
    assert_eq!(text(&flac(&[flac_block(4, &comments(&stated))])), expected(false));
    assert_eq!(text(&ogg(&[b"OpusHead", &[&b"OpusTags"[..], &comments(&stated)].concat()])), expected(false));
    let list = |version: u8| {
        let head: &[u8] = if version == 1 { &[1, 0, 0, 0, 0, 0, 0, 0, 2] } else { &[0, 0, 0, 0, 2] };
        let each = [(0_u64, titles[0]), (625_000_000, titles[1])].into_iter().flat_map(|(start, title)| {
            [&start.to_be_bytes()[..], &[u8::try_from(title.len()).unwrap()], title.as_bytes()].concat()
        });
        mp4(&atom(*b"udta", &atom(*b"chpl", &[head.to_vec(), each.collect()].concat())))
    };
    assert_eq!(text(&list(0)), expected(false));
    assert_eq!(text(&list(1)), expected(false));
    assert_eq!(text(&with_track(&[(6_250, titles[0]), (100, titles[1])])), expected(false));
    // Without a title there is nothing to show.
    assert_eq!(text(&tag(4, 0, &chap(4, "a", 0, " "))), None);
    assert_eq!(text(&tag(4, 0, &frame(4, "TIT2", 0, b"\0T"))), None);
    // A chapter leads to the web only, and has no control characters.
    let odd = frame(
        4,
        "CHAP",
        0,
        &[b"a\0", &[0; 16][..], &frame(4, "TIT2", 0, b"\0A\x07 \nB"), &frame(4, "WXXX", 0, b"\0\0javascript:alert(1)")]
            .concat(),
    );
    assert_eq!(text(&tag(4, 0, &odd)).unwrap()["chapters"], serde_json::json!([{"startTime": 0, "title": "A B"}]));
}

#[test]
fn names_of_other_files_are_no_parts_of_recordings() {
    let hash = "0123456789abcdef0123456789abcdef";
    for (name, expected) in [
        (format!("{hash}.jpg"), Some(InsideKind::Cover)),
        (format!("{hash}.webp"), Some(InsideKind::Cover)),
        (format!("{hash}.chapters.json"), Some(InsideKind::Chapters)),
        (format!("{hash}.svg"), None),
        (format!("{hash}.json"), None),
        (hash.to_uppercase() + ".jpg", None),
        (hash[1..].to_owned() + ".jpg", None),
        ("é".repeat(20) + ".jpg", None),
        ("cover.jpg".to_owned(), None),
        (String::new(), None),
    ] {
        assert_eq!(kind_of_name(&name), expected, "{name}");
    }
}

/// Each byte of each recording is replaced by several others, and each recording is cut off everywhere.
#[test]
fn damaged_recordings_are_read_without_trust_in_their_sizes() {
    let chapters = [
        ("id3 chapters", tag(4, 0, &[chap(4, "a", 0, "A"), chap(4, "b", 9, "B")].concat())),
        ("track", with_track(&[(5, "A"), (6, "B")])),
        ("comments", flac(&[flac_block(4, &comments(&["CHAPTER1=1:2", "CHAPTER1NAME=A"]))])),
    ];
    for (kind, bytes) in recordings().into_iter().chain(chapters) {
        let look = |bytes: &[u8]| {
            let file = file(bytes);
            for kind in [InsideKind::Cover, InsideKind::Chapters] {
                if let Some(inside) = find(&file, kind) {
                    assert!(inside.size() <= MAX_PICTURE);
                    let _ = imagesize::reader_size(io::BufReader::new(inside.reader(&file)));
                }
            }
        };
        for at in 0..bytes.len().min(900) {
            look(&bytes[..at]);
            for wrong in [0x00, 0x7F, 0xFF] {
                let mut damaged = bytes.clone();
                damaged[at] = wrong;
                look(&damaged);
            }
        }
        assert!(!kind.is_empty());
    }
}

#[test]
fn enormous_sizes_cost_nothing() {
    // Sparse files: the sizes are true, and far too large.
    let sparse = |bytes: &[u8], length: u64| {
        let file = file(bytes);
        file.set_len(length).unwrap();
        file
    };
    let picture = [&b"APIC"[..], &packed(200 << 20), &[0, 0], b"\0image/png\0\x03\0", &png(9)].concat();
    let head = [&b"ID3\x04\0\0"[..], &packed(240 << 20), &picture].concat();
    assert!(find(&sparse(&head, 1 << 30), InsideKind::Cover).is_none(), "too large a picture");
    // Endless frames, atoms, pages and blocks of no length.
    let pages = [&b"OggS"[..], &[0; 22], &[1, 255], &[0; 255]].concat().repeat(40_000);
    let frames = frame(4, "TIT2", 0, b"").repeat(300_000);
    for bytes in [
        pages,
        [&b"ID3\x04\0\0"[..], &packed(frames.len()), &frames].concat(),
        [&b"fLaC"[..], &flac_block(1, b"").repeat(300_000)].concat(),
        [atom(*b"ftyp", b""), atom(*b"free", b"").repeat(300_000)].concat(),
        [&b"RIFF\0\0\0\0WAVE"[..], &b"junk\0\0\0\0".repeat(300_000)].concat(),
    ] {
        let file = file(&bytes);
        assert!(find(&file, InsideKind::Cover).is_none() && find(&file, InsideKind::Chapters).is_none());
    }
    // A picture of millions of segments.
    let segments = [&b"\xFF\xD8"[..], &b"\xFF\xE0\0\x02".repeat(2_000_000)].concat();
    let file = file(&mp4(&covr(&segments)));
    let cover = find(&file, InsideKind::Cover).unwrap();
    assert!(imagesize::reader_size(io::BufReader::new(cover.reader(&file))).is_err());
}
