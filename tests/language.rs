//! Plain English: words that the project avoids, in papers, comments and messages. CONTRIBUTING.md says why.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Vague pronouns, and private words for things that have an established term.
const AVOIDED: [&str; 24] = [
    "whoever",
    "nobody",
    "somebody",
    "anybody",
    "what came of",
    "is told",
    "are told",
    "tell of",
    "tells of",
    "told of",
    "goes on",
    "go on",
    "gives out",
    "give out",
    "put away",
    "puts away",
    "anew",
    "at work",
    "by itself",
    "coded",
    "mend",
    "mends",
    "mended",
    "mending",
];

/// Folders and files whose words are checked, below the project's root, and the endings of their names.
const PAPERS: [(&str, &[&str]); 7] = [
    ("", &["md", "toml"]),
    ("docs", &["md"]),
    ("benches", &["md"]),
    ("tests", &["md"]),
    ("config", &["toml"]),
    ("systemd", &["service", "socket", "conf"]),
    (".ci", &["toml"]),
];

/// Lines in `src` that need one of the words, each with its reason.
const ALLOWED: [(&str, &str); 2] = [
    ("src/render/feed/feed.css", "its text is in the hash that every feed names: a change would change all feeds"),
    ("src/catalog/store/schema/", "a released migration never changes, and SQLite stores its comments"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lines of `text` that contain one of the avoided words, each with its number from 1.
fn findings(text: &str) -> Vec<(usize, &'static str)> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.to_lowercase();
        for word in AVOIDED {
            let mut places = line.match_indices(word);
            let stands_alone = places.any(|(start, _)| {
                let (before, after) = (&line[..start], &line[start + word.len()..]);
                !before.ends_with(is_letter) && !after.starts_with(is_letter)
            });
            if stands_alone {
                findings.push((index + 1, word));
            }
        }
    }
    findings
}

fn report(path: &Path, findings: &[(usize, &'static str)]) -> Vec<String> {
    let place = path.strip_prefix(root()).unwrap().display().to_string();
    findings.iter().map(|(line, word)| format!("{place}:{line}: `{word}`")).collect()
}

#[test]
fn whole_words_are_found_in_any_case() {
    assert_eq!(findings("Fine.\nNobody decoded it, and it goes on.\n"), [(2, "nobody"), (2, "goes on")]);
    assert_eq!(findings("encoded; a vacancy; amended; workplace; at workers"), []);
}

fn assert_plain(files: &[PathBuf]) {
    let findings: Vec<String> = files
        .iter()
        .flat_map(|path| report(path, &findings(&fs::read_to_string(path).unwrap())))
        .filter(|finding| !ALLOWED.iter().any(|(allowed, _)| finding.contains(allowed)))
        .collect();
    assert!(findings.is_empty(), "words to avoid:\n{}", findings.join("\n"));
}

#[test]
fn papers_are_in_plain_english() {
    let mut files: Vec<PathBuf> = Vec::new();
    for (folder, endings) in PAPERS {
        let found = fs::read_dir(root().join(folder)).unwrap().map(|file| file.unwrap().path());
        let ends = |path: &PathBuf| path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known));
        files.extend(found.filter(ends));
    }
    assert!(files.len() > 20, "only {} files were found", files.len());
    assert_plain(&files);
}

#[test]
fn sources_are_in_plain_english() {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let is_text = path
                .extension()
                .is_some_and(|ending| ["rs", "html", "css", "sql"].iter().any(|known| ending == *known));
            if path.is_dir() {
                walk(&path, files);
            } else if is_text {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(&root().join("src"), &mut files);
    assert!(files.len() > 50, "only {} files were found", files.len());
    assert_plain(&files);
}
