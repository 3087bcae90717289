//! Rules of the source tree that the compiler does not check: permitted uses between modules, and owners of words.

// A test fails by a panic.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Each source file with its path below `src`, without comments and without its tests.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    assert!(files.len() > 20, "the sources were not found");
    let code = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let text = text.split("#[cfg(test)]\npub(crate) mod tests").next().unwrap();
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    };
    files.iter().map(|path| (path.strip_prefix(&root).unwrap().to_path_buf(), code(path))).collect()
}

/// The modules in the order of `lib.rs`.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect()
}

/// The top-level module of a file: `article` for `article/text.rs` and for `article.rs`.
fn module_of(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules of this crate that some code uses.
fn uses(code: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let single = code.split("crate::").skip(1).filter(|rest| !rest.starts_with('{')).map(name);
    let grouped = code.split("crate::{").skip(1).flat_map(|rest| {
        let inside = rest.split("};").next().unwrap_or_default().to_owned();
        inside.split(',').map(|part| name(part.trim())).collect::<Vec<_>>()
    });
    single.chain(grouped).filter(|name| !name.is_empty()).collect()
}

#[test]
fn a_module_uses_only_what_stands_above_it() {
    let modules = modules();
    let place = |name: &str| modules.iter().position(|module| module == name);
    let mut checked = 0;
    for (path, code) in sources() {
        let module = module_of(&path);
        let Some(own) = place(&module) else { continue };
        for used in uses(&code) {
            let above = place(&used).unwrap_or_else(|| panic!("{}: `crate::{used}` is no module", path.display()));
            assert!(above <= own, "{}: {module} uses {used}, which stands below it in lib.rs", path.display());
            checked += 1;
        }
    }
    assert!(checked > 30, "only {checked} uses were found: is the test blind?");
}

#[test]
fn the_waist_uses_no_other_module() {
    for (path, code) in sources() {
        if ["model", "change", "config"].contains(&module_of(&path).as_str()) {
            assert_eq!(
                uses(&code).into_iter().filter(|used| *used != module_of(&path)).collect::<Vec<_>>(),
                Vec::<String>::new(),
                "{} must not use other modules",
                path.display()
            );
        }
    }
}

/// Words, and the only folders or files below `src` that may contain them.
const OWNERS: [(&str, &[&str]); 19] = [
    ("use notify", &["folder/watch"]),
    ("rusqlite", &["catalog"]),
    ("hyper::server", &["serve"]),
    ("use rss::", &["render/feed"]),
    ("atom_syndication", &["render/feed"]),
    ("pulldown_cmark", &["article"]),
    ("ammonia", &["article"]),
    ("minijinja", &["render/page"]),
    ("sd_notify", &["system/systemd.rs"]),
    ("std::process::exit", &[]),
    ("ExitCode", &["main.rs"]),
    ("Utc::now()", &["publish", "daemon", "cli"]),
    ("SystemTime::now()", &["serve", "folder/watch", "observe/log.rs"]),
    ("std::fs", &["config", "folder", "article", "daemon", "cli", "system/sockets.rs", "observe/metrics.rs"]),
    ("socket2", &["system/sockets.rs"]),
    ("listenfd", &["system/sockets.rs"]),
    ("openat", &["folder/media.rs"]),
    // Only the sanitiser says that HTML is safe.
    ("from_sanitiser", &["model/entry.rs", "article/html/safe.rs"]),
    ("unsafe ", &[]),
];

#[test]
fn words_stay_in_the_modules_that_own_them() {
    let sources = sources();
    for (word, owners) in OWNERS {
        for (path, code) in &sources {
            let allowed = owners.iter().any(|owner| path.starts_with(owner));
            assert!(allowed || !code.contains(word), "{} says `{word}`, which belongs to {owners:?}", path.display());
        }
        let found = owners.is_empty() || sources.iter().any(|(_, code)| code.contains(word));
        assert!(found, "`{word}` occurs nowhere: is the rule out of date?");
    }
}

#[test]
fn serve_uses_no_file_and_no_catalog() {
    for (path, code) in sources().iter().filter(|(path, _)| module_of(path) == "serve") {
        // A file beside articles arrives opened: `serve` knows only its type.
        let code = code.replace("crate::folder::media", "");
        for word in ["std::fs", "tokio::fs", "crate::catalog", "crate::article", "crate::publish", "crate::folder"] {
            assert!(!code.contains(word), "{} says `{word}`", path.display());
        }
    }
}

/// Rendering reads recorded articles through `model::library`.
#[test]
fn render_uses_no_catalog() {
    let sources = sources();
    let rendering: Vec<_> = sources.iter().filter(|(path, _)| module_of(path) == "render").collect();
    assert!(rendering.len() > 15, "the sources of render were not found");
    for (path, code) in rendering {
        for word in ["crate::catalog", "crate::publish"] {
            assert!(!code.contains(word), "{} says `{word}`", path.display());
        }
    }
}

/// Commands read the recorded state through `daemon::SiteState`.
#[test]
fn cli_uses_no_catalog() {
    let sources = sources();
    let commands: Vec<_> = sources.iter().filter(|(path, _)| module_of(path) == "cli").collect();
    assert!(commands.len() > 6, "the sources of cli were not found");
    for (path, code) in commands {
        for word in ["crate::catalog", "crate::publish", "crate::serve"] {
            assert!(!code.contains(word), "{} says `{word}`", path.display());
        }
    }
}

/// Opens files, and knows neither how they are sent nor which articles exist.
#[test]
fn media_uses_no_network_and_no_catalog() {
    let (_, code) = sources().into_iter().find(|(path, _)| path.ends_with("folder/media.rs")).unwrap();
    for word in ["std::net", "tokio", "hyper", "crate::catalog", "crate::render::snapshot", "crate::serve"] {
        assert!(!code.contains(word), "media says `{word}`");
    }
}

/// Rows of the table with a column of tests: each promise, and the tests that prove it.
fn promises(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let is_head =
        |line: &&str| line.starts_with("| ") && line.split(" | ").any(|cell| cell.trim_end_matches(" |") == "test");
    let head = text.lines().find(is_head).unwrap();
    let column = head.split(" | ").position(|cell| cell.trim_end_matches(" |") == "test").unwrap();
    let rows = text.lines().skip_while(|line| *line != head).skip(2);
    let rows = rows.map_while(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    let proved = rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), head.matches('|').count() - 1, "{row}");
        let names = cells[column].split(", ").map(|name| {
            let place = name.trim_matches('`').split_once("::");
            let (file, function) = place.unwrap_or_else(|| panic!("{name}: not as in `file::test`"));
            (file.to_owned(), function.to_owned())
        });
        (cells[0].to_owned(), names.collect())
    });
    proved.collect()
}

#[test]
fn every_promise_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of = |file| promises(&fs::read_to_string(root.join(file)).unwrap());
    let (security, service) = (of("SECURITY.md"), of("tests/promises.md"));
    let found = (security.len(), service.len());
    assert!(found.0 > 20 && found.1 > 15, "only {found:?} rows were found: is the test blind?");
    let promises = security.into_iter().chain(service);
    for (threat, tests) in promises {
        for (file, test) in tests {
            let text = fs::read_to_string(root.join(&file)).unwrap_or_else(|error| panic!("{threat}: {file}: {error}"));
            let (before, _) =
                text.split_once(&format!("fn {test}(")).unwrap_or_else(|| panic!("{threat}: no {test} in {file}"));
            // A test, not just a function of that name.
            let last = before.trim_end().lines().rev().find(|line| !line.trim_start().starts_with("//"));
            assert_eq!(last.map(str::trim), Some("#[test]"), "{threat}: {test} in {file} is no test");
        }
    }
}

/// Each function with its parameters, as `name: type`.
fn signatures(code: &str) -> Vec<(String, Vec<String>)> {
    let mut signatures = Vec::new();
    let code = code.replace("->", "=");
    for rest in code.split("fn ").skip(1) {
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        // Bounds of a type parameter may have parentheses of their own, but no name and colon before them.
        let Some((_, list)) = rest.split_once('(').filter(|_| !name.is_empty()) else { continue };
        let (mut depth, mut parameters) = (0, vec![String::new()]);
        for letter in list.chars() {
            match letter {
                '(' | '<' | '[' => depth += 1,
                ')' if depth == 0 => break,
                ')' | '>' | ']' => depth -= 1,
                _ => {}
            }
            if letter == ',' && depth == 0 {
                parameters.push(String::new());
            } else {
                parameters.last_mut().unwrap().push(letter);
            }
        }
        signatures.push((name, parameters.iter().map(|parameter| parameter.trim().to_owned()).collect()));
    }
    signatures
}

/// Two dates of one type are exchanged by mistake: a function takes a `Version`, a `Moment` or another struct that names them.
#[test]
fn no_function_takes_two_bare_dates() {
    const DATES: [&str; 4] = ["DateTime<Utc>", "Option<DateTime<Utc>>", "&DateTime<Utc>", "Option<&DateTime<Utc>>"];
    let is_date = |parameter: &String| {
        parameter.split_once(": ").is_some_and(|(_, of)| DATES.contains(&of.replace("mut ", "").as_str()))
    };
    let mut with_one = 0;
    for (path, code) in sources() {
        for (name, parameters) in signatures(&code) {
            let dates: Vec<&String> = parameters.iter().filter(|parameter| is_date(parameter)).collect();
            assert!(dates.len() < 2, "{}: {name} takes {dates:?}", path.display());
            with_one += dates.len();
        }
    }
    assert!(with_one > 20, "only {with_one} dates were found: is the test blind?");
}

#[test]
fn parameters_of_functions_are_found() {
    let code = "pub fn one<T: Ord>(&self, a: DateTime<Utc>, b: impl Fn(u8, u8) -> u8) -> T {}\nfn two(\n    c: &[(u8, u8)],\n) {}";
    let expected =
        [("one", vec!["&self", "a: DateTime<Utc>", "b: impl Fn(u8, u8) = u8"]), ("two", vec!["c: &[(u8, u8)]", ""])];
    let expected =
        expected.map(|(name, list)| (name.to_owned(), list.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    assert_eq!(signatures(code), expected);
}

#[test]
fn functions_fit_70_lines() {
    for (path, code) in sources() {
        let mut start: Option<(usize, usize, &str)> = None;
        for (number, line) in code.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let is_function =
                line.trim_start().trim_start_matches("pub ").trim_start_matches("async ").starts_with("fn ")
                    || line.trim_start().starts_with("pub(super) fn ");
            if is_function && start.is_none() {
                start = Some((number, indent, line));
            }
            if let Some((first, depth, name)) = start
                && indent == depth
                && line.trim() == "}"
            {
                let length = number - first;
                assert!(length <= 70, "{}: {} has {length} lines", path.display(), name.trim());
                start = None;
            } else if start.is_some_and(|(first, _, _)| first == number) && (line.ends_with('}') || line.ends_with(';'))
            {
                start = None;
            }
        }
    }
}
