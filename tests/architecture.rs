//! Rules of the source tree that the compiler does not check: permitted uses between modules, and owners of words.

// A test fails by a panic.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
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
        let text = text.split("#[cfg(test)]\npub(super) mod tests").next().unwrap();
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

/// The path of a module from its file: `["article", "text"]` for `article/text.rs`, `["article"]` for `article/mod.rs`.
fn module_path(file: &Path) -> Vec<String> {
    let stem = file.with_extension("");
    let parts = stem.iter().map(|part| part.to_string_lossy().into_owned());
    parts.filter(|part| !["mod", "lib", "main"].contains(&part.as_str())).collect()
}

/// Expands the tree of a `use` declaration: `a::{b, c::D as E}` becomes `a::b` and `a::c::D`.
fn expand(prefix: &[String], tree: &str, paths: &mut Vec<Vec<String>>) {
    let mut depth = 0;
    let is_comma = |c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    };
    for part in tree.split(is_comma).map(str::trim).filter(|part| !part.is_empty()) {
        let (head, group) = part.split_once('{').map_or((part, None), |(head, group)| (head, Some(group)));
        let head = head.split(" as ").next().unwrap_or_default();
        let names = head.split("::").map(str::trim).filter(|name| !name.is_empty() && *name != "self");
        // `self` stands for the module at the start of a path, and for the prefix in a group.
        let own = (prefix.is_empty() && head.trim_start().starts_with("self")).then(|| "self".to_owned());
        let path: Vec<String> = prefix.iter().cloned().chain(own).chain(names.map(str::to_owned)).collect();
        match group {
            Some(group) => expand(&path, group.rsplit_once('}').unwrap().0, paths),
            None => paths.push(path),
        }
    }
}

/// The paths that the code of a module names; those that it only re-exports are left out.
fn named_paths(code: &str) -> Vec<Vec<String>> {
    let (mut paths, mut rest) = (Vec::new(), String::new());
    for statement in code.split_inclusive(';') {
        let lines: Vec<&str> = statement.lines().collect();
        let start = lines.iter().rposition(|line| {
            let line = line.trim_start();
            line.starts_with("use ") || (line.starts_with("pub") && line.contains(" use "))
        });
        let (before, declaration) = lines.split_at(start.unwrap_or(lines.len()));
        rest.push_str(&before.join("\n"));
        rest.push('\n');
        let declaration = declaration.join(" ");
        if let Some(tree) = declaration.trim_start().strip_prefix("use ") {
            expand(&[], tree.trim_end_matches(';'), &mut paths);
        }
    }
    let words = rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let in_code = words.map(|word| word.trim_matches(':')).filter(|word| word.contains("::"));
    paths.extend(in_code.map(|word| word.split("::").map(str::to_owned).collect()));
    paths
}

#[test]
fn declarations_and_paths_are_found() {
    let code = "use super::{a, b::{self, C as D}};\npub use e::F;\nfn f() {\n    crate::g::h(i::j());\n}\nuse k;\n";
    let paths: Vec<String> = named_paths(code).iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["super::a", "super::b", "super::b::C", "k", "crate::g::h", "i::j"]);
}

/// Uses between the files of a folder: the folder, the using file, the used file. A subfolder counts as one file, `mod.rs` as
/// another.
fn uses_inside_folders() -> Vec<(String, String, String)> {
    let sources: Vec<_> = sources().into_iter().map(|(path, code)| (module_path(&path), code)).collect();
    let is_module = |path: &[String]| sources.iter().any(|(module, _)| module.starts_with(path));
    let mut arrows = Vec::new();
    for (module, code) in &sources {
        for path in named_paths(code) {
            let supers = path.iter().take_while(|name| *name == "super").count();
            let submodule = [&module[..], &path[..1]].concat();
            let target = match path[0].as_str() {
                "crate" => path[1..].to_vec(),
                "super" => [&module[..module.len().saturating_sub(supers)], &path[supers..]].concat(),
                "self" => [&module[..], &path[1..]].concat(),
                _ if is_module(&submodule) => [&module[..], &path[..]].concat(),
                _ => continue,
            };
            let common = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
            let folder = &module[..common];
            let file = |path: &[String]| {
                let child = path.get(..=common).filter(|child| is_module(child));
                child.map_or("mod.rs".to_owned(), |child| child[common].clone())
            };
            let (from, to) = (file(module), file(&target));
            if common > 0 && from != to {
                arrows.push((folder.join("/"), from, to));
            }
        }
    }
    arrows.sort();
    arrows.dedup();
    arrows
}

/// The files of a folder do not use each other in a circle. `mod.rs` counts as one of them: either it uses the others, and is the
/// way into the folder, or the others use it. What `mod.rs` and its submodules both need is declared in a submodule. `mod.rs` may
/// re-export such an item (`pub use`) for modules outside of the folder; inside, it is used where it is declared.
///
/// The test sees paths (`super::x`, `crate::folder::x`, `x::y`), not calls of methods: a method that a submodule adds to a type of
/// another one is no use of the submodule.
#[test]
fn files_of_a_folder_form_no_circle() {
    let arrows = uses_inside_folders();
    assert!(arrows.len() > 100, "only {} uses were found: is the test blind?", arrows.len());
    let mut folders: Vec<&str> = arrows.iter().map(|(folder, ..)| folder.as_str()).collect();
    folders.dedup();
    for folder in folders {
        let inside: Vec<(&str, &str)> =
            arrows.iter().filter(|arrow| arrow.0 == folder).map(|(_, from, to)| (from.as_str(), to.as_str())).collect();
        let used_from = |start: &str| {
            let mut reached: Vec<&str> = Vec::new();
            let mut next = vec![start];
            while let Some(file) = next.pop() {
                for (_, to) in inside.iter().filter(|(from, _)| *from == file) {
                    if !reached.contains(to) {
                        reached.push(to);
                        next.push(to);
                    }
                }
            }
            reached
        };
        let is_in_circle = |file: &str| used_from(file).contains(&file);
        let circle: Vec<_> =
            inside.iter().filter(|(from, to)| is_in_circle(from) && used_from(to).contains(from)).collect();
        assert!(circle.is_empty(), "src/{folder}: files use each other in a circle: {circle:?}");
    }
}

#[test]
fn paths_are_written_in_one_way() {
    for (path, code) in sources() {
        for word in ["super::super", "use crate as", "crate::{self"] {
            assert!(!code.contains(word), "{} says `{word}`: write `crate::…`", path.display());
        }
    }
}

/// Type names that more than one file declares, each with its reason. The list only shrinks.
const SHARED_NAMES: [(&str, &str); 1] = [("Result", "the customary alias with the error of its module")];

#[test]
fn a_type_name_means_one_thing() {
    let mut declared: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    for (path, code) in sources() {
        for line in code.lines() {
            let words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with("pub")).collect();
            // An indented `type` belongs to a trait.
            let is_declaration =
                |word: &str| ["struct", "enum", "trait"].contains(&word) || (word == "type" && !line.starts_with(' '));
            if let [word, name, ..] = words[..]
                && is_declaration(word)
            {
                let name = name.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap();
                declared.entry(name.to_owned()).or_default().insert(path.clone());
            }
        }
    }
    assert!(declared.len() > 150, "only {} types were found: is the test blind?", declared.len());
    let shared: Vec<_> = declared.iter().filter(|(_, files)| files.len() > 1).collect();
    for (name, files) in &shared {
        assert!(SHARED_NAMES.iter().any(|(listed, _)| listed == name), "`{name}` is declared in {files:?}");
    }
    for (listed, _) in SHARED_NAMES {
        assert!(shared.iter().any(|(name, _)| *name == listed), "`{listed}` is declared once: take it out of the list");
    }
}

/// Words, and the only folders or files below `src` that may contain them.
const OWNERS: [(&str, &[&str]); 30] = [
    ("use notify", &["folder/watch"]),
    ("rusqlite", &["catalog/store"]),
    ("hyper::server", &["serve"]),
    ("use rss::", &["render/feed"]),
    ("atom_syndication", &["render/feed"]),
    ("pulldown_cmark", &["article"]),
    ("ammonia", &["article"]),
    ("syntect", &["article/syntax.rs"]),
    ("two_face", &["article/syntax.rs"]),
    ("minijinja", &["render/page"]),
    ("tokio_postgres", &["replicas/postgres"]),
    ("object_store", &["system/object_storage.rs", "observe/log.rs"]),
    ("hyper_rustls", &["system/object_storage.rs"]),
    ("rustls_native_certs", &["system/tls.rs"]),
    ("sd_notify", &["system/systemd.rs"]),
    ("std::process::exit", &[]),
    ("ExitCode", &["main.rs"]),
    ("Utc::now()", &["publish", "daemon", "cli"]),
    ("SystemTime::now()", &["serve", "folder/watch", "observe/log.rs"]),
    (
        "std::fs",
        &[
            "config",
            "folder",
            "article",
            "catalog/identity_log.rs",
            "catalog/store/replication/base.rs",
            "replicas",
            "daemon",
            "cli",
            "export/exporter.rs",
            "export/bucket_target.rs",
            "export/folder_target.rs",
            "site/named_file.rs",
            "system/file_identity.rs",
            "system/platform/linux.rs",
            "system/object_storage.rs",
            "system/reading_journal.rs",
            "system/sockets.rs",
            "system/threads.rs",
            "observe/metrics.rs",
        ],
    ),
    ("socket2", &["system/sockets.rs", "system/platform"]),
    ("listenfd", &["system/sockets.rs"]),
    ("openat", &["folder/beneath.rs", "system/platform/linux.rs"]),
    // The only file that names an operating system, and what only Linux has.
    ("target_os", &["system/platform/mod.rs"]),
    ("statx", &["system/platform/linux.rs"]),
    ("\"/proc", &["system/platform/linux.rs", "observe/metrics.rs"]),
    // Only the sanitiser says that HTML is safe.
    ("from_sanitiser", &["model/entry.rs", "article/html/safe.rs"]),
    // Both panic where the system refuses a thread.
    ("spawn_blocking", &[]),
    ("thread::spawn", &[]),
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

/// Rules of identity and of adoption decide from values: they read no row and no file.
#[test]
fn rules_of_the_catalog_are_pure() {
    let sources = sources();
    for file in ["catalog/identity.rs", "catalog/imports.rs", "catalog/ownership.rs"] {
        let (_, code) = sources.iter().find(|(path, _)| path == Path::new(file)).unwrap();
        for word in ["rusqlite", "SELECT", "Catalog {", "std::fs", "Utc::now"] {
            assert!(!code.contains(word), "{file} says `{word}`");
        }
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

/// Asserts that no file of a module contains one of the words. The module has more files than `count`.
fn assert_avoids(module: &str, count: usize, words: &[&str]) {
    let sources = sources();
    let files: Vec<_> = sources.iter().filter(|(path, _)| module_of(path) == module).collect();
    assert!(files.len() > count, "the sources of {module} were not found");
    for (path, code) in files {
        for word in words {
            assert!(!code.contains(word), "{} says `{word}`", path.display());
        }
    }
}

/// Rendering reads recorded articles through `model::library`.
#[test]
fn render_uses_no_catalog() {
    assert_avoids("render", 15, &["crate::catalog", "crate::publish"]);
}

/// Commands read the recorded state through `daemon::SiteState`.
#[test]
fn cli_uses_no_catalog() {
    assert_avoids("cli", 6, &["crate::catalog", "crate::publish", "crate::serve"]);
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

/// Which articles are visible is decided in one file: no other statement compares the columns that say it.
#[test]
fn visibility_is_decided_in_one_place() {
    const COMPARISONS: [&str; 14] = [
        "AND shown = ",
        "OR shown = ",
        "(shown = ",
        "shown = 1 AND",
        "due <= ?",
        "due > ?",
        "expires IS",
        "expires <= ?",
        "expires > ?",
        "expires < ?",
        "page < 2",
        "page > 1",
        "page = 3",
        "page = 0",
    ];
    let sources = sources();
    let owner = Path::new("catalog/visibility.rs");
    assert!(sources.iter().any(|(path, code)| path == owner && code.contains("due <= {at} OR shown = 1")));
    for (path, code) in sources.iter().filter(|(path, _)| module_of(path) == "catalog" && path != owner) {
        for comparison in COMPARISONS {
            assert!(!code.contains(comparison), "{} says `{comparison}`; use visibility.rs", path.display());
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
