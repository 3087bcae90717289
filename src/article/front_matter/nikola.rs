//! Nikola's tags with a meaning of their own.

use super::key::Key;
use super::value::Value;

/// Tags that keep an article from the public.
const STATES: [&str; 2] = ["draft", "private"];
/// Tags for the program.
const FEATURES: [&str; 2] = ["mathjax", "no_shortcodes"];

/// Takes the tags that are none out of the fields. One that keeps the article from the public becomes its status.
pub fn read_tags(fields: &mut Vec<(String, Value)>) {
    let mut state = None;
    for (_, value) in fields.iter_mut().filter(|(name, _)| Key::of(name) == Some(Key::Tags)) {
        let mut tags = value.texts();
        let is_one_of = |tag: &String, names: &[&str]| names.iter().any(|name| tag.eq_ignore_ascii_case(name));
        state = state.or_else(|| tags.iter().find(|tag| is_one_of(tag, &STATES)).map(|tag| tag.to_ascii_lowercase()));
        let count = tags.len();
        tags.retain(|tag| !is_one_of(tag, &STATES) && !is_one_of(tag, &FEATURES));
        if tags.len() < count {
            *value = Value::List(tags.into_iter().map(Value::Text).collect());
        }
    }
    fields.extend(state.map(|state| ("status".to_owned(), Value::Text(state))));
}
