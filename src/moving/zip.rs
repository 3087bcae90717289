//! Reads the files of a ZIP archive in memory (APPNOTE 6.3.10). What is unpacked has limits, whatever the archive says.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// Maximum size of a file, unpacked, in bytes.
const MAX_FILE: u64 = 64 << 20;
/// Maximum size of all files together, unpacked, in bytes.
const MAX_ALL: u64 = 1 << 30;
/// Maximum number of files.
const MAX_FILES: usize = 100_000;
/// The end of the directory is this near to the end of the archive, in bytes.
const END_REACH: usize = 65_557;

const END: &[u8] = b"PK\x05\x06";
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
const FILE_HEADER: &[u8] = b"PK\x03\x04";

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipFile {
    /// As the archive has it. It never names a file to be written.
    pub name: String,
    pub bytes: Vec<u8>,
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
    let tail = bytes.len().saturating_sub(END_REACH);
    let end = bytes[tail..]
        .windows(END.len())
        .rposition(|window| window == END)
        .ok_or("the end of the archive is missing")?;
    let (mut files, mut left) = (Vec::new(), MAX_ALL);
    let count = usize::from(u16_at(bytes, tail + end + 10)?);
    let mut at = u32_at(bytes, tail + end + 16)? as usize;
    for _ in 0..count.min(MAX_FILES) {
        if !bytes.get(at..).is_some_and(|rest| rest.starts_with(DIRECTORY_ENTRY)) {
            return Err("its directory is damaged".into());
        }
        let length = |offset: usize| u16_at(bytes, at + offset).map(usize::from);
        let (name_length, extra, comment) = (length(28)?, length(30)?, length(32)?);
        let name = bytes.get(at + 46..at + 46 + name_length).ok_or("its directory is damaged")?;
        let name = String::from_utf8_lossy(name).into_owned();
        if !name.ends_with('/') && is_wanted(&name) {
            let unpacked = unpack(bytes, at, left.min(MAX_FILE)).map_err(|reason| format!("{name}: {reason}"))?;
            left -= unpacked.len() as u64;
            files.push(ZipFile { name, bytes: unpacked });
        }
        at += 46 + name_length + extra + comment;
    }
    Ok(files)
}

/// Unpacks the file whose entry in the directory is at this place.
fn unpack(bytes: &[u8], entry: usize, limit: u64) -> Result<Vec<u8>, String> {
    let flags = u16_at(bytes, entry + 8)?;
    let method = u16_at(bytes, entry + 10)?;
    let (packed, header) = (u32_at(bytes, entry + 20)? as usize, u32_at(bytes, entry + 42)? as usize);
    if flags & 1 != 0 {
        return Err("it is encrypted".into());
    }
    let start = header + 30 + usize::from(u16_at(bytes, header + 26)?) + usize::from(u16_at(bytes, header + 28)?);
    let data = start.checked_add(packed).and_then(|end| bytes.get(start..end)).ok_or("it is cut off")?;
    let mut unpacked = Vec::new();
    let read = match method {
        0 => data.take(limit + 1).read_to_end(&mut unpacked),
        8 => DeflateDecoder::new(data).take(limit + 1).read_to_end(&mut unpacked),
        _ => return Err(format!("it is packed by method {method}; pack it with deflate")),
    };
    read.map_err(|error| format!("it is damaged: {error}"))?;
    if unpacked.len() as u64 > limit {
        return Err(format!("it is larger than {limit} bytes"));
    }
    Ok(unpacked)
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
pub(super) mod tests {
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
            common.extend([0; 8]);
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
