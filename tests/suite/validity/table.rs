//! The table of rules in `tests/standards.md` against the tests that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// First and last rule of each section of the table.
const SECTIONS: [(u32, u32); 12] = [
    (1, 25),
    (26, 44),
    (45, 59),
    (60, 69),
    (70, 74),
    (75, 83),
    (84, 99),
    (100, 109),
    (110, 116),
    (117, 121),
    (122, 129),
    (141, 147),
];

/// Each test function of the project, and the rules that it cites. Names are not unique: functions of one name share
/// their rules.
fn tests() -> BTreeMap<String, BTreeSet<u32>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for folder in ["src", "tests"] {
        let files = walkdir::WalkDir::new(root.join(folder)).into_iter().map(Result::unwrap);
        for file in files.filter(|file| file.path().extension().is_some_and(|extension| extension == "rs")) {
            let text = std::fs::read_to_string(file.path()).unwrap();
            for (name, body) in functions(&text) {
                found.entry(name.to_owned()).or_default().extend(rules(body));
            }
        }
    }
    found
}

/// Name and text of each test function.
fn functions(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("#[test]\n") {
        let rest = &text[at..];
        let Some((_, named)) = rest.split_once("fn ") else { continue };
        let Some((name, _)) = named.split_once('(') else { continue };
        let indent = text[..at].len() - text[..at].trim_end_matches(' ').len();
        let end = format!("\n{}}}\n", " ".repeat(indent));
        found.push((name, rest.find(&end).map_or(rest, |end| &rest[..end])));
    }
    found
}

/// Numbers after the word, as in "standards 8" and "standards 8, 9".
fn rules(text: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    for (at, word) in text.match_indices("standards ") {
        let mut rest = &text[at + word.len()..];
        loop {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let Ok(number) = rest[..digits].parse() else { break };
            found.insert(number);
            let Some(next) = rest[digits..].strip_prefix(", ") else { break };
            rest = next;
        }
    }
    found
}

/// Rows of the table: number, level, last column.
fn rows(table: &str) -> Vec<(u32, &str, &str)> {
    let mut found = Vec::new();
    for line in table.lines() {
        let Some(line) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else { continue };
        let cells: Vec<&str> = line.split(" | ").collect();
        let Some(number) = cells[0].parse().ok() else { continue };
        assert_eq!(cells.len(), 4, "{line}");
        assert!(cells[2].len() > 10, "{line}: what the rule is");
        found.push((number, cells[1], cells[3]));
    }
    found
}

#[test]
fn every_rule_has_a_test_that_names_it() {
    let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standards.md")).unwrap();
    let rows = rows(&table);
    let listed: Vec<u32> = rows.iter().map(|(number, ..)| *number).collect();
    let expected: Vec<u32> = SECTIONS.iter().flat_map(|(first, last)| *first..=*last).collect();
    assert_eq!(listed, expected, "each rule once, in order");
    let tests = tests();
    for (number, level, cell) in rows {
        assert!(["M", "S", "O"].contains(&level), "{number}: {level}");
        if let Some(why) = cell.strip_prefix("none: ") {
            assert!(why.len() > 10, "{number}: why there is none");
            continue;
        }
        for name in cell.split(", ") {
            let name = name
                .strip_prefix('`')
                .and_then(|name| name.strip_suffix('`'))
                .unwrap_or_else(|| panic!("{number}: {name}"));
            let said = tests.get(name).unwrap_or_else(|| panic!("{number}: there is no test {name}"));
            assert!(said.contains(&number), "{name} does not say that it checks rule {number}");
        }
    }
}

#[test]
fn rule_numbers_are_found_in_a_test() {
    let text = "#[test]\n#[ignore = \"why\"]\nfn one() {\n    assert!(x, \"{path}: standards 8, 91\");\n}\n\nfn two() {\n    // standards 7\n}\n";
    assert_eq!(functions(text).iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["one"]);
    assert_eq!(rules(functions(text)[0].1), BTreeSet::from([8, 91]));
}
