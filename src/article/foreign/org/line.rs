//! The kinds of lines in org that hold settings.

/// The depth and the rest of a heading.
pub(super) fn heading(line: &str) -> Option<(usize, &str)> {
    let depth = line.bytes().take_while(|byte| *byte == b'*').count();
    let rest = line.get(depth..)?.strip_prefix(' ')?;
    (depth > 0).then(|| (depth, rest.trim()))
}

/// The name in lower case and the value of a line `#+KEY: value`.
pub(super) fn key(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.strip_prefix("#+")?.split_once(':')?;
    let name = name.split('[').next().unwrap_or(name);
    (!name.contains(char::is_whitespace)).then(|| (name.to_ascii_lowercase(), value.trim()))
}

/// The language, or nothing, and the arguments of a property `:header-args: …` or `:header-args:python: …`.
pub(super) fn header_arguments(line: &str) -> Option<(String, String)> {
    let rest = line.get(..":header-args".len()).filter(|name| name.eq_ignore_ascii_case(":header-args"))?;
    let (name, arguments) = line[rest.len()..].split_once(' ')?;
    Some((name.trim_matches([':', '+']).to_owned(), arguments.to_owned()))
}
