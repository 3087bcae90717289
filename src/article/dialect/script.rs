//! Scripts and the marks beside them. Most scripts separate words by blanks, so that a mark glued to a letter is often part of a
//! program's code. Others write words without blanks, or add endings to names, and marks stand directly between their letters.

/// Whether a mark that touches this character is part of a word or a number.
pub(super) fn is_glue(c: char) -> bool {
    c.is_alphanumeric() && !is_unspaced(c)
}

/// Whether a character belongs to a script that needs no blanks around marks: Thai, Lao, Tibetan, Burmese, Khmer, Chinese, Japanese, Korean.
fn is_unspaced(c: char) -> bool {
    matches!(
        u32::from(c),
        0x0E00..=0x0FFF
            | 0x1000..=0x109F
            | 0x1100..=0x11FF
            | 0x1780..=0x17FF
            | 0x2E80..=0x2FDF
            | 0x3005..=0x303B
            | 0x3040..=0x318F
            | 0x31A0..=0x31FF
            | 0x3400..=0x4DBF
            | 0x4E00..=0x9FFF
            | 0xA000..=0xA4CF
            | 0xAC00..=0xD7FF
            | 0xF900..=0xFAFF
            | 0xFF10..=0xFFDC
            | 0x20000..=0x3FFFF
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_some_scripts_glue_nothing() {
        for c in ['a', 'ß', 'я', 'ω', 'א', 'ع', '7', 'क'] {
            assert!(is_glue(c), "{c}");
        }
        for c in ['中', 'か', 'カ', '々', '글', 'ไ', 'ក', 'Ａ', '。', ' ', '-', '_'] {
            assert!(!is_glue(c), "{c}");
        }
    }
}
