//! The address of a feed as a QR code, which a phone reads with its camera.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules around the code, which readers need (ISO/IEC 18004 section 9.1 requires four).
const MARGIN: i32 = 4;

/// The code as a path to be stroked in an SVG image with one unit a module, and the width of the image; `None` for an address that is too long.
pub fn code(address: &str) -> Option<(String, i32)> {
    let code = QrCode::encode_text(address, QrCodeEcc::Low).ok()?;
    let mut path = String::new();
    for row in 0..code.size() {
        let mut column = 0;
        while column < code.size() {
            let length = (column..code.size()).take_while(|at| code.get_module(*at, row)).count();
            let length = i32::try_from(length).unwrap_or_default();
            if length > 0 {
                // A run of dark modules is one line through their middle.
                let _ = write!(path, "M{} {}.5h{length}", column + MARGIN, row + MARGIN);
            }
            column += length.max(1);
        }
    }
    Some((path, code.size() + 2 * MARGIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the point in the middle of a module is dark, by the lines of a path.
    fn is_dark(path: &str, column: i32, row: i32) -> bool {
        path.split('M').skip(1).any(|line| {
            let numbers: Vec<i32> = line.split([' ', '.', 'h']).filter_map(|number| number.parse().ok()).collect();
            // Column, row, the half of a module, length.
            numbers[1] == row && (numbers[0]..numbers[0] + numbers[3]).contains(&column)
        })
    }

    #[test]
    fn the_picture_is_the_code() {
        let address = "https://a.example/b/atom.xml";
        let (path, size) = code(address).unwrap();
        let expected = QrCode::encode_text(address, QrCodeEcc::Low).unwrap();
        assert_eq!(size, expected.size() + 8);
        for row in 0..size {
            for column in 0..size {
                let is_module = expected.get_module(column - MARGIN, row - MARGIN);
                assert_eq!(is_dark(&path, column, row), is_module, "{column} {row}");
            }
        }
        assert!(code(&"x".repeat(5_000)).is_none());
    }
}
