//! The order of names in lists for people.

use std::cmp::Ordering;

use super::taxonomy::fold;

/// Compares two names without case and accents, and numbers in them by value: `Part 2` precedes `Part 10`. Names that are equal so
/// are compared as they are.
pub fn compare(one: &str, other: &str) -> Ordering {
    compare_folded(&fold(one), &fold(other)).then_with(|| one.cmp(other))
}

fn compare_folded(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let (Some(first), Some(second)) = (one.chars().next(), other.chars().next()) else {
            return one.len().cmp(&other.len());
        };
        let (length, order) = if first.is_ascii_digit() && second.is_ascii_digit() {
            let ((number, same), (other_number, _)) = (number_of(one), number_of(other));
            // Without zeros in front, the longer number is the larger one.
            (Some(same), number.len().cmp(&other_number.len()).then_with(|| number.cmp(other_number)))
        } else {
            (None, first.cmp(&second))
        };
        if order != Ordering::Equal {
            return order;
        }
        one = &one[length.unwrap_or(first.len_utf8())..];
        other = &other[length.map_or(second.len_utf8(), |_| number_of(other).1)..];
    }
}

/// The number at the start of a text, without zeros in front, and the length of its digits.
fn number_of(text: &str) -> (&str, usize) {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    (text[..length].trim_start_matches('0'), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_natural_order() {
        let expected =
            ["2 boats", "10 boats", "Ärger", "apple", "Art", "Part 2", "part 02", "Part 10", "Zoë", "北京", "東京"];
        let mut names = expected.to_vec();
        names.reverse();
        names.sort_by(|one, other| compare(one, other));
        let position = |name: &str| names.iter().position(|other| *other == name).unwrap();
        for (before, after) in [
            ("2 boats", "10 boats"),
            ("10 boats", "apple"),
            ("apple", "Ärger"),
            ("Ärger", "Art"),
            ("Part 2", "Part 10"),
            ("part 02", "Part 10"),
            ("Part 10", "Zoë"),
            ("Zoë", "北京"),
            ("北京", "東京"),
        ] {
            assert!(position(before) < position(after), "{before} {after}: {names:?}");
        }
        assert_eq!(compare("a1b", "a01b"), "a1b".cmp("a01b"), "equal numbers");
        assert_eq!(compare("a", "a"), Ordering::Equal);
    }
}
