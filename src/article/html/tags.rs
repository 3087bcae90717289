//! How much work the attributes of a text are: a parser compares each with all others of its tag.

/// Most comparisons that are made: those of one tag with four thousand attributes, or of many with hundreds.
pub const MOST_COMPARISONS: usize = 20_000_000;

/// Where in a tag a byte stands (WHATWG HTML section 13.2.5).
#[derive(Clone, Copy)]
enum Place {
    Name,
    BeforeAttribute,
    Attribute,
    AfterAttribute,
    BeforeValue,
    InDouble,
    InSingle,
    Plain,
}

const PLACES: [Place; 8] = [
    Place::Name,
    Place::BeforeAttribute,
    Place::Attribute,
    Place::AfterAttribute,
    Place::BeforeValue,
    Place::InDouble,
    Place::InSingle,
    Place::Plain,
];

/// At most how many comparisons of attributes it takes to read a text. Whether something that looks like a tag is one depends on
/// what stands before it, and that on what is a comment or a script. So all that may be tags are followed, side by side: of
/// those that stand at the same place, the one with the most attributes.
pub fn comparisons(html: &str) -> usize {
    let mut sum: usize = 0;
    let mut most: [Option<usize>; PLACES.len()] = Default::default();
    let mut before = [0, 0];
    for byte in html.bytes() {
        let starts = byte.is_ascii_alphabetic() && (before[1] == b'<' || before == *b"</");
        if starts || most.iter().any(Option::is_some) {
            let mut next: [Option<usize>; PLACES.len()] = Default::default();
            for (count, place) in most.iter().zip(PLACES).filter_map(|(count, place)| Some(((*count)?, place))) {
                match step(place, byte) {
                    Some((place, more)) => {
                        let known = &mut next[place as usize];
                        *known = (*known).max(Some(count + usize::from(more)));
                    }
                    None => sum = sum.saturating_add(count.saturating_mul(count)),
                }
            }
            if starts {
                next[Place::Name as usize] = next[Place::Name as usize].max(Some(0));
            }
            most = next;
        }
        before = [before[1], byte];
    }
    let last = most.iter().flatten().max().copied().unwrap_or(0);
    sum.saturating_add(last.saturating_mul(last))
}

/// Where the next byte stands, and whether an attribute starts with this one; `None` where the tag ends.
fn step(place: Place, byte: u8) -> Option<(Place, bool)> {
    let is_space = byte.is_ascii_whitespace();
    Some(match (place, byte) {
        (Place::InDouble, b'"') | (Place::InSingle, b'\'') => (Place::BeforeAttribute, false),
        (Place::InDouble | Place::InSingle, _) => (place, false),
        (_, b'>') => return None,
        (Place::BeforeValue, b'"') => (Place::InDouble, false),
        (Place::BeforeValue, b'\'') => (Place::InSingle, false),
        (Place::BeforeValue, _) => (if is_space { place } else { Place::Plain }, false),
        (Place::Plain, _) => (if is_space { Place::BeforeAttribute } else { place }, false),
        (_, b'/') => (Place::BeforeAttribute, false),
        (Place::Name, _) => (if is_space { Place::BeforeAttribute } else { place }, false),
        (Place::Attribute, _) if is_space => (Place::AfterAttribute, false),
        (Place::Attribute | Place::AfterAttribute, b'=') => (Place::BeforeValue, false),
        (Place::Attribute, _) => (place, false),
        (Place::BeforeAttribute | Place::AfterAttribute, _) if is_space => (place, false),
        (Place::BeforeAttribute | Place::AfterAttribute, _) => (Place::Attribute, true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_counted_wherever_they_stand() {
        for (html, expected) in [
            ("", 0),
            ("a < b", 0),
            ("<p>a b c</p>", 0),
            ("<p a b=c d='e f g>' h=\"i j\"k/l>", 36),
            ("</p a b>", 4),
            ("<p a b><p c>", 5),
            ("<p a = b c", 4),
            ("<!-- <p a=' --><p b c d>", 10),
            ("<p x' a b>", 9),
        ] {
            assert_eq!(comparisons(html), expected, "{html}");
        }
        let crowd = (0..5000).map(|number| format!(" a{number}")).collect::<Vec<_>>().concat();
        assert!(comparisons(&format!("<p{crowd}>")) > MOST_COMPARISONS);
        assert!(comparisons(&format!("<i x=\"'>'\"></i><!-- \" <b a=' --><p{crowd}>")) > MOST_COMPARISONS);
        assert!(comparisons(&format!("<p a=\"{crowd}\">").repeat(100)) <= MOST_COMPARISONS, "a long value is one");
    }
}
