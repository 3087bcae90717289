//! Reads the files of a ZIP archive (APPNOTE 6.3.10): of an export in memory, or of a document on the disk. What is unpacked has limits, whatever
//! the archive says.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;

use flate2::read::DeflateDecoder;

/// Maximum size of a file, unpacked, in bytes.
const MAX_FILE: u64 = 64 << 20;
/// Maximum size of all files together, unpacked, in bytes.
const MAX_ALL: u64 = 1 << 30;
/// Maximum number of files.
const MAX_FILES: usize = 100_000;
/// Maximum size of the directory of an archive on the disk, in bytes.
const MAX_DIRECTORY: u64 = 8 << 20;
/// The end of the directory is this near to the end of the archive, in bytes.
const END_REACH: u64 = 65_557;

const END: &[u8] = b"PK\x05\x06";
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
const FILE_HEADER: &[u8] = b"PK\x03\x04";
const DAMAGED: &str = "its directory is damaged";

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipFile {
    /// As the archive has it. It never names a file to be written.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// An archive, and what its directory says of its files.
#[derive(Debug)]
pub struct ZipArchive<'a> {
    source: ZipSource<'a>,
    pub entries: Vec<ZipEntry>,
}

/// A file of an archive as the directory describes it, which may be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipEntry {
    /// As the archive has it. It never names a file to be written.
    pub name: String,
    /// The checksum and the size of its bytes.
    pub checksum: u32,
    pub size: u32,
    flags: u16,
    method: u16,
    packed: u32,
    header: u32,
}

#[derive(Debug, Clone, Copy)]
enum ZipSource<'a> {
    Bytes(&'a [u8]),
    File(&'a File),
}

/// Whether bytes are a ZIP archive.
pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(FILE_HEADER) || bytes.starts_with(END)
}

/// Unpacks the files for which `is_wanted` holds by their names.
///
/// # Errors
/// The archive is damaged, or exceeds a limit. The error says why in one line.
pub fn read(bytes: &[u8], is_wanted: impl Fn(&str) -> bool) -> Result<Vec<ZipFile>, String> {
    let archive = ZipArchive::of_bytes(bytes)?;
    let (mut files, mut left) = (Vec::new(), MAX_ALL);
    for entry in archive.entries.iter().filter(|entry| is_wanted(&entry.name)) {
        let unpacked =
            archive.unpack(entry, left.min(MAX_FILE)).map_err(|reason| format!("{}: {reason}", entry.name))?;
        left -= unpacked.len() as u64;
        files.push(ZipFile { name: entry.name.clone(), bytes: unpacked });
    }
    Ok(files)
}

impl<'a> ZipArchive<'a> {
    /// Reads the directory of an archive in memory.
    ///
    /// # Errors
    /// It is damaged, or no archive.
    pub fn of_bytes(bytes: &'a [u8]) -> Result<Self, String> {
        Self::new(ZipSource::Bytes(bytes), bytes.len() as u64, u64::MAX)
    }

    /// Reads the directory of an archive on the disk.
    ///
    /// # Errors
    /// It is damaged, or no archive, or cannot be read.
    pub fn of_file(file: &'a File) -> Result<Self, String> {
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        Self::new(ZipSource::File(file), length, MAX_DIRECTORY)
    }

    fn new(source: ZipSource<'a>, length: u64, most: u64) -> Result<Self, String> {
        let start = length.saturating_sub(END_REACH);
        let tail = source.bytes(start, length - start)?;
        let end =
            tail.windows(END.len()).rposition(|window| window == END).ok_or("the end of the archive is missing")?;
        let count = usize::from(u16_at(&tail, end + 10)?);
        let directory = u64::from(u32_at(&tail, end + 16)?);
        let size = (start + end as u64).checked_sub(directory).filter(|size| *size <= most).ok_or(DAMAGED)?;
        let directory = source.bytes(directory, size)?;
        let (mut entries, mut at) = (Vec::new(), 0);
        for _ in 0..count.min(MAX_FILES) {
            if !directory.get(at..).is_some_and(|rest| rest.starts_with(DIRECTORY_ENTRY)) {
                return Err(DAMAGED.into());
            }
            let (short, long) =
                (|offset: usize| u16_at(&directory, at + offset), |offset: usize| u32_at(&directory, at + offset));
            let length = usize::from(short(28)?);
            let name = directory.get(at + 46..at + 46 + length).ok_or(DAMAGED)?;
            let name = String::from_utf8_lossy(name).into_owned();
            if !name.ends_with('/') {
                let (flags, method, header) = (short(8)?, short(10)?, long(42)?);
                let (checksum, packed, size) = (long(16)?, long(20)?, long(24)?);
                entries.push(ZipEntry { name, checksum, size, flags, method, packed, header });
            }
            at += 46 + length + usize::from(short(30)?) + usize::from(short(32)?);
        }
        Ok(Self { source, entries })
    }

    /// The file of this name.
    pub fn entry(&self, name: &str) -> Option<&ZipEntry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Unpacks a file of at most `limit` bytes.
    ///
    /// # Errors
    /// It is damaged, encrypted, packed in another way, or larger.
    pub fn unpack(&self, entry: &ZipEntry, limit: u64) -> Result<Vec<u8>, String> {
        let unpacked = self.start_of(entry, limit + 1)?;
        if unpacked.len() as u64 > limit { Err(format!("it is larger than {limit} bytes")) } else { Ok(unpacked) }
    }

    /// Unpacks the first bytes of a file, at most so many.
    ///
    /// # Errors
    /// As for [`ZipArchive::unpack`].
    pub fn start_of(&self, entry: &ZipEntry, most: u64) -> Result<Vec<u8>, String> {
        if entry.flags & 1 != 0 {
            return Err("it is encrypted".into());
        }
        let (start, packed) = (self.data_start(entry)?, u64::from(entry.packed));
        // Nothing that is packed takes more room than it has, but for a few bytes.
        let length = if entry.method == 0 { packed.min(most) } else { packed.min(most + most / 1_000 + 1_024) };
        let data = self.source.bytes(start, if self.source.is_in_memory() { packed } else { length })?;
        let mut unpacked = Vec::new();
        let read = match entry.method {
            0 => (&*data).take(most).read_to_end(&mut unpacked),
            8 => DeflateDecoder::new(&*data).take(most).read_to_end(&mut unpacked),
            method => return Err(format!("it is packed by method {method}; pack it with deflate")),
        };
        read.map_err(|error| format!("it is damaged: {error}"))?;
        Ok(unpacked)
    }

    /// Where the bytes of a file that is not packed are in the archive.
    pub fn stored_at(&self, entry: &ZipEntry) -> Option<u64> {
        let is_stored = entry.method == 0 && entry.flags & 1 == 0 && entry.packed == entry.size;
        self.data_start(entry).ok().filter(|_| is_stored)
    }

    fn data_start(&self, entry: &ZipEntry) -> Result<u64, String> {
        let header = self.source.bytes(u64::from(entry.header), 30)?;
        Ok(u64::from(entry.header) + 30 + u64::from(u16_at(&header, 26)?) + u64::from(u16_at(&header, 28)?))
    }
}

impl<'a> ZipSource<'a> {
    fn is_in_memory(self) -> bool {
        matches!(self, Self::Bytes(_))
    }

    fn bytes(self, at: u64, length: u64) -> Result<Cow<'a, [u8]>, String> {
        let cut_off = || "it is cut off".to_owned();
        let (start, length) = (usize::try_from(at).ok(), usize::try_from(length).ok());
        let (start, length) = start.zip(length).ok_or_else(cut_off)?;
        match self {
            Self::Bytes(bytes) => {
                let end = start.checked_add(length);
                end.and_then(|end| bytes.get(start..end)).map(Cow::Borrowed).ok_or_else(cut_off)
            }
            Self::File(file) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, at).map_err(|_| cut_off())?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, String> {
    let pair = bytes.get(at..at + 2).and_then(|pair| pair.try_into().ok());
    pair.map(u16::from_le_bytes).ok_or_else(|| "it is cut off".to_owned())
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, String> {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map(u32::from_le_bytes).ok_or_else(|| "it is cut off".to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    /// Packs files.
    pub fn pack(files: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut archive, mut directory) = (Vec::new(), Vec::new());
        for (number, (name, content)) in files.iter().enumerate() {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(content).unwrap();
            // Every other file is only stored.
            let (method, data) =
                if number % 2 == 0 { (8_u16, encoder.finish().unwrap()) } else { (0, content.to_vec()) };
            let offset = u32::try_from(archive.len()).unwrap();
            let sizes = [u32::try_from(data.len()).unwrap(), u32::try_from(content.len()).unwrap()];
            let mut common = vec![20, 0, 0, 0];
            common.extend(method.to_le_bytes());
            let mut checksum = flate2::Crc::new();
            checksum.update(content);
            common.extend([0; 4]);
            common.extend(checksum.sum().to_le_bytes());
            common.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
            common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
            common.extend([0; 2]);
            archive.extend([FILE_HEADER, &common, name.as_bytes(), &data].concat());
            directory.extend(
                [DIRECTORY_ENTRY, &[20, 0], &common, &[0; 10], &offset.to_le_bytes(), name.as_bytes()].concat(),
            );
        }
        let count = u16::try_from(files.len()).unwrap().to_le_bytes();
        let (size, start) = (u32::try_from(directory.len()).unwrap(), u32::try_from(archive.len()).unwrap());
        let end = [END, &[0; 4], &count, &count, &size.to_le_bytes(), &start.to_le_bytes(), &[0; 2]].concat();
        [archive, directory, end].concat()
    }

    #[test]
    fn files_are_unpacked() {
        let archive = pack(&[("a/b.html", b"one"), ("../../c.txt", b"two"), ("d.png", b"three")]);
        let files = read(&archive, |name| name != "d.png").unwrap();
        let names: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.bytes.as_slice())).collect();
        assert_eq!(names, [("a/b.html", b"one".as_slice()), ("../../c.txt", b"two")]);
        assert!(is_zip(&archive) && !is_zip(b"<rss>"));
    }

    #[test]
    fn damaged_and_huge_archives_are_refused() {
        let archive = pack(&[("a", b"one"), ("b", b"two")]);
        // The last two bytes only say that there is no comment.
        for cut in 0..archive.len() - 2 {
            assert!(read(&archive[..cut], |_| true).is_err(), "{cut}");
        }
        for at in 0..archive.len() {
            let mut damaged = archive.clone();
            damaged[at] ^= 0xFF;
            // Any result, but no panic.
            let _ = read(&damaged, |_| true);
        }
        let bomb = pack(&[("bomb", &vec![0; usize::try_from(MAX_FILE).unwrap() + 1])]);
        assert!(bomb.len() < 1 << 20);
        assert!(read(&bomb, |_| true).unwrap_err().contains("bomb: it is larger than"));
    }
}
