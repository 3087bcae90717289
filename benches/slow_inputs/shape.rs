//! An input of any size: a list of segments, each a few fragments that are repeated or nested.

use super::random::Random;
use super::words::{NUMBER, words};

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Html,
    Markdown,
    Text,
    /// The lines around the front matter of a Markdown file.
    FrontMatter(&'static str),
    Recording(Container),
}

/// The format of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    Id3,
    Flac,
    Ogg,
    Mp4,
    Wav,
}

impl Kind {
    pub const ALL: [Self; 14] = [
        Self::Html,
        Self::Markdown,
        Self::Text,
        Self::FrontMatter("---\n"),
        Self::FrontMatter("+++\n"),
        Self::FrontMatter("{"),
        Self::FrontMatter("#+TITLE: a\n"),
        Self::FrontMatter("Title: a\n"),
        Self::FrontMatter("\"title\": \"a\",\n"),
        Self::Recording(Container::Id3),
        Self::Recording(Container::Flac),
        Self::Recording(Container::Ogg),
        Self::Recording(Container::Mp4),
        Self::Recording(Container::Wav),
    ];

    /// The name of a file of this kind.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Html => "a.html",
            Self::Markdown | Self::FrontMatter(_) => "a.md",
            Self::Text => "a.txt",
            Self::Recording(Container::Id3) => "a.mp3",
            Self::Recording(Container::Flac) => "a.flac",
            Self::Recording(Container::Ogg) => "a.ogg",
            Self::Recording(Container::Mp4) => "a.m4a",
            Self::Recording(Container::Wav) => "a.wav",
        }
    }

    fn wrapped(self, content: Vec<u8>, count: usize) -> Vec<u8> {
        let big = |size: usize| u32::try_from(size).expect("a small file").to_be_bytes();
        let little = |size: usize| u32::try_from(size).expect("a small file").to_le_bytes();
        let atom = |name: &[u8], content: &[u8]| [&big(content.len() + 8)[..], name, content].concat();
        let comments = || [&little(0)[..], &little(count), &content].concat();
        match self {
            Self::Html | Self::Markdown | Self::Text => content,
            Self::FrontMatter(open) => {
                let close = match open {
                    "{" => "}\n",
                    "\"title\": \"a\",\n" => ";;;\n",
                    "---\n" | "+++\n" => open,
                    _ => "\n",
                };
                [open.as_bytes(), &content, b"\n", close.as_bytes(), b"\nText.\n"].concat()
            }
            Self::Recording(Container::Id3) => {
                let size = [21, 14, 7, 0].map(|shift| u8::try_from(content.len() >> shift & 0x7F).expect("seven bits"));
                [b"ID3\x04\0\0", &size[..], &content, &[&[0xFF, 0xFB, 0x90, 0xC0][..], &[0; 413]].concat().repeat(8)]
                    .concat()
            }
            Self::Recording(Container::Flac) => {
                let comments = comments();
                [b"fLaC", &[0, 0, 0, 34][..], &[0; 34], &[0x84], &big(comments.len())[1..], &comments].concat()
            }
            Self::Recording(Container::Ogg) => {
                let identification = b"\x01vorbis\0\0\0\0\x01\x44\xAC\0\0\0\0\0\0\0\xF4\x01\0\0\0\0\0\xB8\x01".to_vec();
                ogg(&[identification, [&b"\x03vorbis"[..], &comments(), b"\x01"].concat(), b"\x05vorbis".to_vec()])
            }
            Self::Recording(Container::Mp4) => {
                let meta = [&[0; 4][..], &atom(b"hdlr", &[0; 25]), &atom(b"ilst", &content)].concat();
                [atom(b"ftyp", b"M4A \0\0\0\0"), atom(b"moov", &atom(b"udta", &atom(b"meta", &meta)))].concat()
            }
            Self::Recording(Container::Wav) => {
                let list = [&b"INFO"[..], &content].concat();
                [b"RIFF", &little(list.len() + 12)[..], b"WAVELIST", &little(list.len()), &list].concat()
            }
        }
    }
}

/// Packets in pages of an Ogg file.
fn ogg(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut pages = Vec::new();
    for packet in packets {
        let mut sizes = vec![255; packet.len() / 255];
        sizes.push(u8::try_from(packet.len() % 255).expect("a byte"));
        let mut rest = &packet[..];
        for sizes in sizes.chunks(255) {
            pages.extend(b"OggS\0\0");
            pages.extend([0; 20]);
            pages.push(u8::try_from(sizes.len()).expect("a byte"));
            pages.extend(sizes);
            let (content, after) = rest.split_at(sizes.iter().map(|size| usize::from(*size)).sum());
            pages.extend(content);
            rest = after;
        }
    }
    pages
}

/// Fragments that are repeated. With closing fragments, they are nested in each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub open: Vec<Vec<u8>>,
    pub close: Vec<Vec<u8>>,
    /// Share of the file's size; 0 for a segment that occurs once.
    pub share: usize,
}

/// A recipe for inputs of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    pub kind: Kind,
    pub segments: Vec<Segment>,
}

impl Shape {
    /// Fragments that fill the file.
    pub fn of(kind: Kind, open: Vec<Vec<u8>>, close: Vec<Vec<u8>>) -> Self {
        Self { kind, segments: vec![Segment { open, close, share: 1 }] }
    }

    /// An input of about `size` bytes.
    pub fn input(&self, size: usize) -> Vec<u8> {
        let shares = self.segments.iter().map(|segment| segment.share).sum::<usize>().max(1);
        let (mut content, mut count) = (Vec::with_capacity(size + 1024), 0);
        for Segment { open, close, share } in &self.segments {
            let (open, close) = (open.concat(), close.concat());
            let times = (size * share / shares / (open.len() + close.len()).max(1)).max(1);
            count += times;
            for (part, is_closing) in [(&open, false), (&close, true)] {
                let parts = split(part, NUMBER.as_bytes());
                for number in 0..times {
                    let number = if is_closing { times - number } else { number };
                    push_numbered(&mut content, &parts, number);
                }
            }
        }
        self.kind.wrapped(content, count)
    }

    /// A shape that differs a little from this one.
    pub fn mutated(&self, other: &Self, random: &mut Random, vocabulary: &[Vec<u8>]) -> Self {
        let mut shape = self.clone();
        for _ in 0..=random.below(3) {
            shape.mutate(other, random, vocabulary);
        }
        shape
    }

    fn mutate(&mut self, other: &Self, random: &mut Random, vocabulary: &[Vec<u8>]) {
        let word = |random: &mut Random| vocabulary[random.below(vocabulary.len())].clone();
        let at = random.below(self.segments.len());
        let count = self.segments.len();
        match random.below(10) {
            0 if count < 5 => {
                let segment = Segment { open: vec![word(random)], close: Vec::new(), share: random.below(3) };
                self.segments.insert(random.below(count + 1), segment);
            }
            1 if count > 1 => drop(self.segments.remove(at)),
            2 => self.segments.swap(at, random.below(count)),
            3 => self.segments[at].share = [0, 1, 1, 2, 8][random.below(5)],
            4 if count < 5 => self.segments.push(other.segments[random.below(other.segments.len())].clone()),
            5 => {
                let close = &mut self.segments[at].close;
                if close.is_empty() || random.below(2) == 0 { close.push(word(random)) } else { close.clear() }
            }
            6 if self.segments[at].open.len() > 1 => {
                let open = &mut self.segments[at].open;
                open.remove(random.below(open.len()));
            }
            7 => {
                // A fragment that repeats is a longer word.
                let open = &mut self.segments[at].open;
                let long = open[random.below(open.len())].repeat(1 << random.below(10));
                if long.len() < 4096 && open.iter().map(Vec::len).sum::<usize>() < 4096 {
                    open.insert(random.below(open.len() + 1), long);
                }
            }
            8 => {
                let open = &mut self.segments[at].open;
                let place = random.below(open.len());
                open[place] = word(random);
            }
            _ => {
                let open = &mut self.segments[at].open;
                open.insert(random.below(open.len() + 1), word(random));
            }
        }
        if self.segments.iter().all(|segment| segment.share == 0) {
            self.segments[0].share = 1;
        }
    }

    /// The shapes that lack one fragment or one segment of this one.
    pub fn simpler(&self) -> Vec<Self> {
        let mut shapes = Vec::new();
        for at in 0..self.segments.len() {
            let mut change = |edit: &dyn Fn(&mut Vec<Segment>)| {
                let mut segments = self.segments.clone();
                edit(&mut segments);
                if segments.iter().any(|segment| segment.share > 0 && !segment.open.is_empty()) {
                    shapes.push(Self { kind: self.kind, segments });
                }
            };
            change(&|segments| drop(segments.remove(at)));
            for part in 0..self.segments[at].open.len() {
                change(&|segments| drop(segments[at].open.remove(part)));
            }
            for part in 0..self.segments[at].close.len() {
                change(&|segments| drop(segments[at].close.remove(part)));
            }
        }
        shapes
    }

    /// The shape in one line.
    pub fn line(&self) -> String {
        let words = |parts: &[Vec<u8>]| {
            let text: String =
                String::from_utf8_lossy(&parts.concat()).replace(NUMBER, "#").chars().take(120).collect();
            format!("{text:?}")
        };
        let segment = |segment: &Segment| {
            let close =
                if segment.close.is_empty() { String::new() } else { format!(" … {}", words(&segment.close)) };
            format!("{}×{}{close}", words(&segment.open), segment.share)
        };
        format!("{:?} {}", self.kind, self.segments.iter().map(segment).collect::<Vec<_>>().join(" + "))
    }

    /// Its fragments in alphabetical order: shapes of the same fragments are alike.
    pub fn family(&self) -> Vec<Vec<u8>> {
        let largest = self.segments.iter().max_by_key(|segment| segment.share).expect("a segment");
        let mut family = largest.open.clone();
        family.sort();
        family.dedup();
        family.truncate(2);
        family
    }

    /// A random shape of up to four fragments.
    pub fn random(kind: Kind, random: &mut Random) -> Self {
        let vocabulary = words(kind);
        let mut some = |most: usize| {
            (0..random.below(most + 1)).map(|_| vocabulary[random.below(vocabulary.len())].clone()).collect::<Vec<_>>()
        };
        let (open, more, close) = (some(0), some(3), some(1));
        let first = vec![vocabulary[random.below(vocabulary.len())].clone()];
        Self::of(kind, [open, first, more].concat(), close)
    }
}

fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let (mut parts, mut from) = (Vec::new(), 0);
    while let Some(at) = bytes[from..].windows(separator.len()).position(|window| window == separator) {
        parts.push(&bytes[from..from + at]);
        from += at + separator.len();
    }
    parts.push(&bytes[from..]);
    parts
}

/// Numbers have as many bytes as their placeholder, so that sizes in a frame stay right.
fn push_numbered(content: &mut Vec<u8>, parts: &[&[u8]], number: usize) {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let text = [number / 1296 % 36, number / 36 % 36, number % 36].map(|digit| DIGITS[digit]);
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            content.extend(text);
        }
        content.extend(*part);
    }
}
