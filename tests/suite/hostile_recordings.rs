//! Recordings of a few kilobytes that once took gigabytes, minutes or the whole process while their tags were read.

// Names of chunks are byte strings, which are references.
#![allow(clippy::trivially_copy_pass_by_ref)]

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::command_line::gazetted;
use crate::tools::{self, Program};

/// Address space of a process that explains one file, in bytes.
const MOST_BYTES: u64 = 400 << 20;

/// What a bomb unpacks to, in MiB.
const UNPACKED: usize = 600;

/// A text of hundreds of megabytes in UTF-8, packed by zlib into half a megabyte.
fn bomb() -> Vec<u8> {
    let piece = |text: &[u8]| {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        // Ends at a whole byte.
        encoder.flush().unwrap();
        encoder.get_ref().clone()
    };
    let mut packed = vec![0x78, 0x9C];
    packed.extend(piece(b"\x03"));
    packed.extend(piece(&vec![b'a'; 1 << 20]).repeat(UNPACKED));
    packed
}

fn synchsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| u8::try_from(size >> shift & 0x7F).unwrap())
}

/// A frame of ID3v2.4.
fn frame4(id: &str, flags: u8, content: &[u8]) -> Vec<u8> {
    [id.as_bytes(), &synchsafe(content.len()), &[0, flags], content].concat()
}

/// A frame of ID3v2.3.
fn frame3(id: &str, flags: u8, content: &[u8]) -> Vec<u8> {
    [id.as_bytes(), &u32::try_from(content.len()).unwrap().to_be_bytes(), &[0, flags], content].concat()
}

fn id3(version: u8, flags: u8, frames: &[Vec<u8>]) -> Vec<u8> {
    let frames = frames.concat();
    [b"ID3", &[version, 0, flags][..], &synchsafe(frames.len()), &frames].concat()
}

/// The tag of a recording with the title "Good", and a comment that must not be unpacked.
fn packed() -> Vec<u8> {
    let comment = [&synchsafe(UNPACKED << 20)[..], &bomb()].concat();
    id3(4, 0, &[frame4("COMM", 0x09, &comment), frame4("TIT2", 0, b"\x03Good")])
}

/// Some frames of silence.
fn silence() -> Vec<u8> {
    [&[0xFF, 0xFB, 0x90, 0xC0][..], &[0; 413]].concat().repeat(8)
}

/// A list of comments as FLAC and Ogg have it.
fn comments(first: &str, others: &[&[u8]], times: usize) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let item = |text: &[u8]| [&number(text.len())[..], text].concat();
    let count = number(1 + others.len() * times);
    let others: Vec<u8> = others.iter().flat_map(|text| item(text).repeat(times)).collect();
    [&number(0)[..], &count, &item(first.as_bytes()), &others].concat()
}

fn flac(comments: &[u8]) -> Vec<u8> {
    let size = u32::try_from(comments.len()).unwrap().to_be_bytes();
    [b"fLaC", &[0, 0, 0, 34][..], &[0; 34], &[0x84], &size[1..], comments].concat()
}

/// Packets in pages of an Ogg file.
fn ogg(packets: &[&[u8]]) -> Vec<u8> {
    let mut pages = Vec::new();
    for packet in packets {
        let mut sizes = vec![255; packet.len() / 255];
        sizes.push(u8::try_from(packet.len() % 255).unwrap());
        let mut rest = *packet;
        for sizes in sizes.chunks(255) {
            pages.extend(b"OggS\0\0");
            pages.extend([0; 20]);
            pages.push(u8::try_from(sizes.len()).unwrap());
            pages.extend(sizes);
            let (content, after) = rest.split_at(sizes.iter().map(|size| usize::from(*size)).sum());
            pages.extend(content);
            rest = after;
        }
    }
    pages
}

fn ape(items: &[(String, &str)]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let item = |(key, value): &(String, &str)| {
        [&number(value.len())[..], &[0; 4], key.as_bytes(), b"\0", value.as_bytes()].concat()
    };
    let items: Vec<Vec<u8>> = items.iter().map(item).collect();
    let (count, bytes) = (items.len(), items.concat());
    [&bytes[..], b"APETAGEX", &number(2_000), &number(bytes.len() + 32), &number(count), &[0; 12]].concat()
}

fn atom(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&u32::try_from(content.len() + 8).unwrap().to_be_bytes()[..], name, content].concat()
}

/// An MP4 file with lists of items.
fn mp4(lists: &[Vec<u8>]) -> Vec<u8> {
    let list = |list: &Vec<u8>| {
        let meta = [&[0; 4][..], &atom(b"hdlr", &[0; 25]), &atom(b"ilst", list)].concat();
        atom(b"udta", &atom(b"meta", &meta))
    };
    let lists: Vec<u8> = lists.iter().flat_map(list).collect();
    [atom(b"ftyp", b"M4A \0\0\0\0"), atom(b"moov", &lists)].concat()
}

fn text_atom(name: &[u8; 4], text: &[u8]) -> Vec<u8> {
    atom(name, &atom(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0][..], text].concat()))
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let padding = &[0][..content.len() % 2];
    [name, &u32::try_from(content.len()).unwrap().to_le_bytes()[..], content, padding].concat()
}

fn wav(chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"RIFF", &[&b"WAVE"[..], &chunks.concat()].concat())
}

fn aiff(name: &[u8; 4], content: &[u8], times: usize) -> Vec<u8> {
    let size = |content: &[u8]| u32::try_from(content.len()).unwrap().to_be_bytes();
    let padding = &[0][..content.len() % 2];
    let chunks = [name, &size(content)[..], content, padding].concat().repeat(times);
    [b"FORM", &size(&[&b"AIFF"[..], &chunks].concat())[..], b"AIFF", &chunks].concat()
}

/// Frames that the parser compares with each other.
fn many_frames() -> Vec<u8> {
    let names = (0..80_000).map(|number| format!("\x03{number:x}\0x"));
    let mut frames: Vec<Vec<u8>> = vec![frame4("TIT2", 0, b"\x03Good")];
    frames.extend(names.map(|name| frame4("TXXX", 0, name.as_bytes())));
    id3(4, 0, &frames)
}

/// Chapters in chapters, deeper than any stack.
fn nested_chapters() -> Vec<u8> {
    const EACH: usize = 10 + 2 + 16;
    const DEPTH: usize = 50_000;
    let chapter = |rest: usize| [b"CHAP", &synchsafe(rest * EACH - 10)[..], &[0, 0], b"a\0", &[0; 16]].concat();
    let chapters: Vec<u8> = (1..=DEPTH).rev().flat_map(chapter).collect();
    id3(4, 0, &[frame4("TIT2", 0, b"\x03Good"), chapters])
}

/// Files whose tags hold packed frames.
fn with_packed_frames() -> Vec<(&'static str, Vec<u8>)> {
    let bomb = bomb();
    let size = u32::try_from(UNPACKED << 20).unwrap().to_be_bytes();
    let title = frame4("TIT2", 0, b"\x03Good");
    let sized = [&synchsafe(UNPACKED << 20)[..], &bomb].concat();
    let old = id3(3, 0, &[frame3("COMM", 0x80, &[&size[..], &bomb].concat()), frame3("TIT2", 0, b"\x00Good")]);
    let unstuffed = id3(4, 0x80, &[frame4("COMM", 0x0B, &sized), title.clone()]);
    let encrypted = id3(4, 0, &[frame4("COMM", 0x05, &[&[1][..], &sized].concat()), title.clone()]);
    let junk = [&b"junk".repeat(20), &packed()[..]].concat();
    let second = [id3(4, 0, &[title]), packed()].concat();
    let adts = [&[0xFF, 0xF1, 0x50, 0x80, 0x04, 0x1F, 0xFC][..], &[0; 25]].concat().repeat(8);
    vec![
        ("2.4.mp3", [packed(), silence()].concat()),
        ("2.3.mp3", [old, silence()].concat()),
        ("unsynchronised.mp3", [unstuffed, silence()].concat()),
        ("encrypted.mp3", [encrypted, silence()].concat()),
        ("junk.mp3", [junk, silence()].concat()),
        ("second.mp3", [second, silence()].concat()),
        ("flac.flac", [packed(), flac(&comments("A=", &[], 0))].concat()),
        ("aac.aac", [packed(), adts].concat()),
        ("ape.mp3", [&packed()[..], b"MAC ", &[0; 200]].concat()),
        ("musepack.mp3", [&packed()[..], b"MPCK", &[0; 200]].concat()),
        ("wav.wav", wav(&[chunk(b"ID3 ", &packed())])),
        ("aiff.wav", aiff(b"ID3 ", &packed(), 1)),
    ]
}

/// Files with more of something than anybody writes.
fn with_too_many_items() -> Vec<(&'static str, Vec<u8>)> {
    let identification = b"\x01vorbis\0\0\0\0\x01\x44\xAC\0\0\0\0\0\0\0\xF4\x01\0\0\0\0\0\xB8\x01";
    let ogg_comments = [&b"\x03vorbis"[..], &comments("TITLE=Good", &[b"A="], 4_000_000), b"\x01"].concat();
    let named = (0..60_000).map(|number| (format!("a{number:x}"), ""));
    let items: Vec<(String, &str)> = std::iter::once(("Title".to_owned(), "Good")).chain(named).collect();
    let digit = |number: u32| b'0' + u8::try_from(number % 64).unwrap();
    let unknown = |number: u32| text_atom(&[b'x', digit(number), digit(number / 64), digit(number / 4096)], b"a");
    let atoms: Vec<u8> = (0..60_000).flat_map(unknown).collect();
    vec![
        ("frames.mp3", [many_frames(), silence()].concat()),
        ("comments.flac", flac(&comments("TITLE=Good", &[b"A=", b"TRACKNUMBER=1"], 50_000))),
        ("comments.ogg", ogg(&[identification, &ogg_comments, b"\x05vorbis"])),
        // Of these, the name is the title: the parser gives up.
        ("Good.mp3", [silence(), ape(&items)].concat()),
        ("atoms.m4a", mp4(&[text_atom(b"\xA9nam", b"Good"), atoms.clone(), atoms])),
        ("Good.wav", wav(&[chunk(b"LIST", &[&b"INFO"[..], &chunk(b"INAM", b"").repeat(3_000_000)].concat())])),
        ("Good.aac", aiff(b"ANNO", b"", 3_000_000)),
    ]
}

/// What `explain` says of a file, in little memory and little time.
fn explained(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (file, state) = (folder.path().join(name), folder.path().join(".state"));
    std::fs::write(&file, bytes).unwrap();
    let explain = gazetted();
    let mut command = Command::new("prlimit");
    command.env_remove("STATE_DIRECTORY").arg(format!("--as={MOST_BYTES}")).args(["--core=0", "--", "timeout", "170"]);
    let output =
        command.arg(explain.get_program()).arg("explain").arg(&file).arg("--state").arg(&state).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.code().is_some_and(|code| code < 2), "{name}: {}: {printed}\n{errors}", output.status);
    printed
}

#[test]
fn packed_frames_are_never_unpacked() {
    if !tools::has("prlimit") {
        return;
    }
    for (name, bytes) in with_packed_frames() {
        let said = explained(name, &bytes);
        assert!(said.contains("title      Good"), "{name}: the rest of the tag is used: {said}");
        assert!(said.contains("compressed or encrypted tag frames are not read (COMM)"), "{name}: {said}");
        assert_eq!(said.matches("problem").count(), 1, "{name}: {said}");
    }
}

/// Nothing of a chapter is shown, so nothing of it is read.
#[test]
fn chapters_in_chapters_do_not_end_the_process() {
    if !tools::has("prlimit") {
        return;
    }
    let said = explained("chapters.mp3", &[nested_chapters(), silence()].concat());
    assert!(said.contains("title      Good") && !said.contains("problem"), "{said}");
}

#[test]
fn the_number_of_tag_items_is_limited() {
    if !tools::has("prlimit") {
        return;
    }
    for (name, bytes) in with_too_many_items() {
        let said = explained(name, &bytes);
        assert!(said.contains("title      Good"), "{name}: {said}");
        assert!(said.contains("its tags are too large"), "{name}: {said}");
        assert_eq!(said.matches("problem").count(), 1, "{name}: {said}");
    }
}

#[test]
fn a_hostile_recording_delays_no_article() {
    let home = tempfile::Builder::new().prefix("gazetted-").tempdir().unwrap();
    let articles = home.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let mut command = gazetted();
    command.arg("serve").arg(&articles).arg("--state").arg(home.path().join("state"));
    let program = Program::start(command.args(["--listen", "127.0.0.1:0"]));
    let mut files = with_packed_frames();
    files.extend(with_too_many_items());
    files.push(("chapters.mp3", [nested_chapters(), silence()].concat()));
    let recordings = files.len();
    for (name, bytes) in files {
        std::fs::write(articles.join(name), bytes).unwrap();
    }
    std::fs::write(articles.join("good.md"), "# An article\n\nText.").unwrap();
    let deadline = Instant::now() + Duration::from_mins(2);
    let waiting = |feed: &str| !feed.contains("\"An article\"") || feed.matches("\"Good\"").count() < recordings;
    while waiting(&program.get("/feed.json")) {
        assert!(Instant::now() < deadline, "something waits: {:?}", program.log.lock());
        std::thread::sleep(Duration::from_millis(50));
    }
    let peak = crate::security::peak(&program) << 10;
    assert!(peak < MOST_BYTES, "{peak} bytes of memory");
}
