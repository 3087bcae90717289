//! Messages of the program against docs/troubleshooting.md: each warning, error and problem of a file is explained there, and each
//! message that is explained exists. Only the fixed parts of a message are compared.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Calls whose text reaches users as a warning, an error or a problem of a file, up to the parenthesis.
const MESSAGES: [&str; 9] = [
    "tracing::error!(",
    "tracing::warn!(",
    "bail!(",
    "ensure!(",
    "anyhow!(",
    "#[error(",
    "Problem::of_file(",
    "Problem::of_folder(",
    "Problem::at(",
];
/// Shorter fixed parts of a message say nothing.
const LEAST_PART: usize = 10;

/// String literals in a text of Rust, one after the other, as the program has them.
fn literals(code: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find(['"', '\'']) {
        let inside = &rest[start + 1..];
        if rest[start..].starts_with('\'') {
            // A character such as '"', or a lifetime.
            let character = inside.char_indices().nth(1).filter(|(at, c)| *c == '\'' && *at > 0);
            rest = character.map_or(inside, |(at, _)| &inside[at + 1..]);
            continue;
        }
        let mut text = String::new();
        let mut characters = inside.char_indices();
        let end = loop {
            match characters.next() {
                Some((at, '"')) => break at + 1,
                Some((_, '\\')) => match characters.next().map(|(_, c)| c) {
                    // A backslash at the end of a line joins it with the next word.
                    Some('\n') => {
                        let skipped = characters.as_str().len() - characters.as_str().trim_start().len();
                        for _ in 0..skipped {
                            characters.next();
                        }
                    }
                    Some('n') => text.push(' '),
                    Some(c) => text.push(c),
                    None => break inside.len(),
                },
                Some((_, c)) => text.push(c),
                None => break inside.len(),
            }
        };
        literals.push(text);
        rest = &inside[end..];
    }
    literals
}

/// What follows an opening parenthesis, up to the one that closes it.
fn call(code: &str) -> &str {
    let mut depth = 1;
    let mut in_text = false;
    let mut escaped = false;
    for (at, c) in code.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &code[..at];
        }
    }
    code
}

/// The parts of a message that are always the same.
fn fixed_parts(message: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for part in message.split('{') {
        let part = part.split_once('}').map_or(part, |(_, after)| after);
        parts.push(part.trim_matches(|c: char| !c.is_alphanumeric()).to_owned());
    }
    parts.retain(|part| part.len() >= LEAST_PART);
    parts
}

/// The program's sources without their tests, each with its path.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, sources: &mut Vec<(PathBuf, String)>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                walk(&path, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
                let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
                sources.push((path.strip_prefix(root()).unwrap().to_path_buf(), code.join("\n")));
            }
        }
    }
    let mut sources = Vec::new();
    walk(&root().join("src"), &mut sources);
    sources
}

fn troubleshooting() -> String {
    fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap()
}

#[test]
fn every_message_is_explained() {
    let paper = troubleshooting().replace("\\|", "|");
    let mut unexplained = Vec::new();
    let mut checked = 0;
    for (path, code) in sources() {
        for start in MESSAGES {
            for rest in code.split(start).skip(1) {
                let messages = literals(call(rest));
                for part in messages.iter().flat_map(|message| fixed_parts(message)) {
                    checked += 1;
                    let is_fault = messages.iter().any(|message| message.contains("please report"));
                    if !is_fault && !paper.contains(&part) {
                        unexplained.push(format!("{}: {part}", path.display()));
                    }
                }
            }
        }
    }
    assert!(checked > 50, "only {checked} messages were found");
    assert!(unexplained.is_empty(), "not in docs/troubleshooting.md:\n{}", unexplained.join("\n"));
}

#[test]
fn every_explained_message_exists() {
    let literals: Vec<String> = sources().iter().flat_map(|(_, code)| literals(code)).collect();
    let paper = troubleshooting();
    let mut is_table = false;
    let mut missing = Vec::new();
    for line in paper.lines() {
        is_table = line.starts_with("| message ") || (is_table && line.starts_with('|'));
        let Some(cell) = line.strip_prefix("| ").and_then(|line| line.split(" | ").next()).filter(|_| is_table) else {
            continue;
        };
        for part in cell.split(['…', ';']).flat_map(fixed_parts) {
            if !literals.iter().any(|literal| literal.contains(&part)) {
                missing.push(part);
            }
        }
    }
    assert!(missing.is_empty(), "in docs/troubleshooting.md, but not in the program:\n{}", missing.join("\n"));
}
