//! Finds the media files that documents refer to, by their addresses in the bytes of the documents. That finds what feeds and pages
//! offer in whichever way: pictures, their smaller forms, recordings, covers, chapters.

/// Calls `found` with each address below `prefix` in a text, without the prefix.
pub fn find<'a>(text: &'a [u8], prefix: &[u8], mut found: impl FnMut(&'a str)) {
    let mut rest = text;
    while let Some(at) = position(rest, prefix) {
        rest = &rest[at + prefix.len()..];
        let length = rest.iter().position(|byte| !is_of_address(*byte)).unwrap_or(rest.len());
        if let Ok(address) = str::from_utf8(&rest[..length])
            && !address.is_empty()
        {
            found(address);
        }
    }
}

/// The characters that addresses of media files consist of, percent-encoded.
fn is_of_address(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte)
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    let (first, others) = part.split_first()?;
    let mut from = 0;
    loop {
        let at = from + memchr(*first, &text[from..])?;
        if text[at + 1..].starts_with(others) {
            return Some(at);
        }
        from = at + 1;
    }
}

fn memchr(byte: u8, text: &[u8]) -> Option<usize> {
    text.iter().position(|other| *other == byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_each_kind_of_document() {
        let text = "<img src=\"https://x.example/media/a%20b.png\" srcset=\"https://x.example/media/c.jpg/480.webp 480w, \
            https://x.example/media/c.jpg 800w\"> &lt;a href=&quot;https://x.example/media/d.pdf&quot;&gt; [e](https://x.example/media/e.mp3) \
            {\"url\":\"https://x.example/media/f.mp3\"} https://y.example/media/g.png https://x.example/media/ https://x.example/med";
        let mut all = Vec::new();
        find(text.as_bytes(), b"https://x.example/media/", |address| all.push(address));
        assert_eq!(all, ["a%20b.png", "c.jpg/480.webp", "c.jpg", "d.pdf", "e.mp3", "f.mp3"]);
    }
}
