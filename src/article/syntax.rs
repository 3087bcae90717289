//! Code -> the classes of its parts, by grammars of programming languages. Pure, and bounded in time and memory.

use std::ops::Range;
use std::sync::{LazyLock, Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::Duration;

use syntect::parsing::{BasicScopeStackOp, ParseState, Scope, ScopeStack, SyntaxSet};

use super::problem::panic_as_problem;

/// Maximum length of a line in bytes. A block with a longer one stays plain.
const LONGEST_LINE: usize = 500;
/// Maximum work for the code of an article, in squares of bytes. Patterns that fail at each letter of a line take the square of its
/// length. Blocks above it stay plain.
const MOST_WORK: usize = 750_000;
/// Work for each line, in addition to the square of its length.
const LINE_WORK: usize = 128;
/// Maximum number of grammars in memory, and of languages that are coloured in an article. With its compiled patterns, a grammar
/// takes up to 80 MiB.
const MOST_GRAMMARS: usize = 4;

/// Pause between two attempts to get the grammars, and the number of attempts: ten seconds, after which the code stays plain.
const WAIT: Duration = Duration::from_millis(5);
const MOST_WAITS: usize = 2_000;

/// The kind of a part of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeClass {
    Comment,
    Keyword,
    Text,
    /// A number, another constant, or an escape in a text.
    Number,
    Function,
    /// A type, an element or a key.
    Type,
    /// An attribute, an annotation or an option.
    Attribute,
    Inserted,
    Deleted,
}

impl CodeClass {
    /// Its name on pages, of which `docs/writing.md` has a list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Comment => "c",
            Self::Keyword => "k",
            Self::Text => "s",
            Self::Number => "n",
            Self::Function => "f",
            Self::Type => "t",
            Self::Attribute => "a",
            Self::Inserted => "i",
            Self::Deleted => "d",
        }
    }
}

/// A part of code with a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodePart {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    pub class: CodeClass,
}

/// Scopes of grammars, each with its class; the first that is a prefix of a scope counts. `None`: no class, also inside of a part that
/// has one, as code within a text.
const SCOPES: [(&str, Option<CodeClass>); 49] = {
    use CodeClass::{Attribute, Comment, Deleted, Function, Inserted, Keyword, Number, Text, Type};
    [
        ("comment", Some(Comment)),
        ("keyword.operator.word", Some(Keyword)),
        ("keyword.operator.expression", Some(Keyword)),
        ("keyword.operator.new", Some(Keyword)),
        ("keyword.operator.logical.python", Some(Keyword)),
        ("keyword.operator.logical.continue", None),
        ("keyword.operator", None),
        ("keyword.other.unit", Some(Number)),
        ("keyword", Some(Keyword)),
        ("storage.type.function.arrow", None),
        ("storage.modifier.lifetime", Some(Type)),
        ("storage", Some(Keyword)),
        ("variable.language.star", None),
        ("variable.language", Some(Keyword)),
        ("constant", Some(Number)),
        ("support.constant", Some(Number)),
        ("string", Some(Text)),
        ("markup.raw", Some(Text)),
        ("markup.underline.link", Some(Text)),
        ("markup.heading", Some(Keyword)),
        ("markup.inserted", Some(Inserted)),
        ("markup.deleted", Some(Deleted)),
        ("meta.diff.header", Some(Keyword)),
        ("meta.diff.range", Some(Function)),
        ("entity.name.section", Some(Keyword)),
        ("entity.name.function", Some(Function)),
        ("entity.name.macro", Some(Function)),
        ("support.function", Some(Function)),
        ("support.macro", Some(Function)),
        ("variable.function", Some(Function)),
        ("meta.annotation", Some(Attribute)),
        ("variable.annotation", Some(Attribute)),
        ("variable.parameter.option", Some(Attribute)),
        ("entity.other.attribute-name", Some(Attribute)),
        ("entity.other.pseudo-class", Some(Attribute)),
        ("entity.other.pseudo-element", Some(Attribute)),
        ("support.type.property-name", Some(Attribute)),
        ("support.type.custom-property", Some(Attribute)),
        ("entity.other.inherited-class", Some(Type)),
        ("entity.name", Some(Type)),
        ("support.type", Some(Type)),
        ("support.class", Some(Type)),
        ("variable.type", Some(Type)),
        ("meta.interpolation", None),
        ("meta.embedded", None),
        ("meta.template.expression", None),
        ("meta.group.expansion.command", None),
        ("source", None),
        ("text", None),
    ]
};

static CLASSES: LazyLock<Vec<(Scope, Option<CodeClass>)>> =
    LazyLock::new(|| SCOPES.iter().filter_map(|(scope, class)| Some((Scope::new(scope).ok()?, *class))).collect());

/// Each grammar with the names that writers use for it. Grammars that take long for odd texts, or that contain most others, are left
/// out.
#[rustfmt::skip]
const LANGUAGES: [(&str, &[&str]); 72] = [
    ("AWK", &["awk"]),
    ("Ada", &["ada"]),
    ("Apache Conf", &["apache", "apacheconf", "htaccess"]),
    ("Batch File", &["bat", "batch", "cmd"]),
    ("Bourne Again Shell (bash)", &["bash", "sh", "shell", "shellscript", "zsh", "ksh", "ash", "dash"]),
    ("C", &["c"]),
    ("C#", &["c#", "cs", "csharp"]),
    ("C++", &["c++", "cpp", "cc", "cxx", "hpp", "h"]),
    ("CMake", &["cmake"]),
    ("CSS", &["css"]),
    ("Clojure", &["clojure", "clj", "cljs", "edn"]),
    ("Crystal", &["crystal", "cr"]),
    ("Dart", &["dart"]),
    ("Diff", &["diff", "patch"]),
    ("Dockerfile", &["dockerfile", "docker", "containerfile"]),
    ("DotENV", &["dotenv", "env"]),
    ("Elixir", &["elixir", "ex", "exs"]),
    ("Elm", &["elm"]),
    ("Erlang", &["erlang", "erl"]),
    ("F#", &["f#", "fs", "fsharp"]),
    ("Fish", &["fish"]),
    ("Fortran (Modern)", &["fortran", "f90", "f95"]),
    ("GLSL", &["glsl"]),
    ("Git Config", &["gitconfig"]),
    ("Go", &["go", "golang"]),
    ("GraphQL", &["graphql", "gql"]),
    ("Graphviz (DOT)", &["dot", "graphviz", "gv"]),
    ("Groovy", &["groovy", "gradle"]),
    ("HTML", &["html", "htm", "xhtml"]),
    ("HTTP Request and Response", &["http"]),
    ("Haskell", &["haskell", "hs"]),
    ("INI", &["ini", "cfg", "desktop", "editorconfig", "systemd"]),
    ("JQ", &["jq"]),
    ("JSON", &["json", "json5", "jsonc", "jsonl"]),
    ("Java", &["java"]),
    ("Java Properties", &["properties"]),
    ("JavaScript", &["javascript", "js", "mjs", "cjs", "node"]),
    ("Julia", &["julia", "jl"]),
    ("Kotlin", &["kotlin", "kt", "kts"]),
    ("LaTeX", &["latex", "tex"]),
    ("Less", &["less"]),
    ("Lua", &["lua"]),
    ("Makefile", &["makefile", "make", "mk"]),
    ("Markdown", &["markdown", "md"]),
    ("Nim", &["nim"]),
    ("Nix", &["nix"]),
    ("OCaml", &["ocaml", "ml"]),
    ("Objective-C", &["objective-c", "objectivec", "objc"]),
    ("PHP", &["php"]),
    ("Pascal", &["pascal", "delphi"]),
    ("Perl", &["perl", "pl"]),
    ("Protocol Buffer", &["protobuf", "proto"]),
    ("Python", &["python", "py", "python3", "ipython", "ipython3", "starlark", "bazel"]),
    ("R", &["r"]),
    ("Racket", &["racket", "rkt"]),
    ("Ruby", &["ruby", "rb"]),
    ("Rust", &["rust", "rs"]),
    ("SCSS", &["scss"]),
    ("SQL", &["sql", "mysql", "sqlite", "postgresql", "plpgsql"]),
    ("Scala", &["scala", "sbt"]),
    ("Solidity", &["solidity", "sol"]),
    ("Swift", &["swift"]),
    ("TOML", &["toml"]),
    ("Tcl", &["tcl"]),
    ("Terraform", &["terraform", "tf", "hcl"]),
    ("TypeScriptReact", &["typescript", "ts", "tsx", "jsx", "mts", "cts"]),
    ("VimL", &["vim", "viml", "vimscript"]),
    ("WGSL", &["wgsl"]),
    ("XML", &["xml", "svg", "xsl", "xslt", "rss", "atom", "opml", "plist"]),
    ("YAML", &["yaml", "yml"]),
    ("Zig", &["zig"]),
    ("nginx", &["nginx"]),
];

/// The name of the grammar for a language as writers name it, such as `rs`, `Rust` or `rust,ignore`.
pub fn grammar(language: &str) -> Option<&'static str> {
    let is_end = |c: char| matches!(c, ',' | ':' | ';' | '{' | '}' | '.' | ' ');
    let name = language.trim_matches(is_end).split(is_end).next()?.to_ascii_lowercase();
    let (grammar, _) = LANGUAGES.iter().find(|(_, names)| names.contains(&name.as_str()))?;
    Some(grammar)
}

/// The licences of the grammars, in Markdown, for packages to carry.
pub fn notices() -> String {
    two_face::acknowledgement::listing().to_md()
}

/// Grammars with their compiled patterns, those that were used last at the end. Each has a set of its own, so that it can be dropped
/// alone: patterns are compiled when they are first used, and stay in their set.
type Grammars = Vec<(&'static str, SyntaxSet)>;

/// One article is read at a time, so that memory is bounded.
static GRAMMARS: Mutex<Grammars> = Mutex::new(Vec::new());

/// Waits for the grammars, but not for an article that takes very long.
fn grammars() -> Option<MutexGuard<'static, Grammars>> {
    for _ in 0..MOST_WAITS {
        match GRAMMARS.try_lock() {
            Ok(grammars) => return Some(grammars),
            Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => thread::sleep(WAIT),
        }
    }
    None
}

/// The parts with classes of each block of an article: its grammar and its text. A block that takes too much work has none.
pub fn parts(blocks: &[(&'static str, &str)]) -> Vec<Vec<CodePart>> {
    let Some(mut grammars) = grammars() else { return vec![Vec::new(); blocks.len()] };
    let mut own: Vec<&'static str> = Vec::new();
    let mut work = 0_usize;
    let mut parts_of = |(grammar, code): &(&'static str, &str)| {
        let needed = work_of(code)?;
        let is_new = !own.contains(grammar);
        if work + needed > MOST_WORK || (is_new && own.len() == MOST_GRAMMARS) || contains_others(grammar, code) {
            return None;
        }
        work += needed;
        if is_new {
            own.push(grammar);
        }
        let set = take(&mut grammars, grammar);
        // After a panic, it is loaded again.
        let parts = panic_as_problem(|| parse(&set, grammar, code)).ok()?;
        grammars.push((grammar, set));
        parts
    };
    blocks.iter().map(|block| parts_of(block).unwrap_or_default()).collect()
}

/// Takes a grammar out of those that are loaded, or loads it in place of the one that has not been used for longest.
fn take(grammars: &mut Grammars, grammar: &'static str) -> SyntaxSet {
    if let Some(place) = grammars.iter().position(|(known, _)| *known == grammar) {
        return grammars.remove(place).1;
    }
    if grammars.len() >= MOST_GRAMMARS {
        grammars.remove(0);
    }
    two_face::syntax::extra_newlines()
}

/// The work of a block; `None` if a line is too long.
fn work_of(code: &str) -> Option<usize> {
    let work = |line: &str| (line.len() <= LONGEST_LINE).then(|| line.len() * line.len() + LINE_WORK);
    code.split('\n').map(work).sum()
}

/// Whether a text contains blocks in other languages, each of which would need its grammar.
fn contains_others(grammar: &str, code: &str) -> bool {
    match grammar {
        "Markdown" => code.contains("```") || code.contains("~~~"),
        "LaTeX" => code.contains("lstlisting") || code.contains("minted"),
        _ => false,
    }
}

/// Reads a text line by line. `None` if the grammar has a fault.
fn parse(set: &SyntaxSet, grammar: &str, code: &str) -> Option<Vec<CodePart>> {
    let grammar = if grammar == "PHP" && !code.contains("<?") { "PHP Source" } else { grammar };
    let mut state = ParseState::new(set.find_syntax_by_name(grammar)?);
    let (mut scopes, mut classes) = (ScopeStack::new(), Vec::new());
    let mut parts = Vec::new();
    let mut start = 0;
    // Grammars expect each line to end.
    for line in format!("{code}\n").split_inclusive('\n') {
        let mut at = 0;
        for (index, change) in state.parse_line(line, set).ok()? {
            if index > at {
                add(&mut parts, start + at..start + index, classes.last().copied().flatten());
                at = index;
            }
            let follow = |change: BasicScopeStackOp, _: &[Scope]| match change {
                BasicScopeStackOp::Push(scope) => {
                    let outer = classes.last().copied().flatten();
                    let own = CLASSES.iter().find(|(prefix, _)| prefix.is_prefix_of(scope));
                    classes.push(own.map_or(outer, |(_, class)| *class));
                }
                BasicScopeStackOp::Pop => {
                    classes.pop();
                }
            };
            scopes.apply_with_hook(&change, follow).ok()?;
        }
        add(&mut parts, start + at..start + line.len(), classes.last().copied().flatten());
        start += line.len();
    }
    Some(parts)
}

/// Adds a part to those before it.
fn add(parts: &mut Vec<CodePart>, range: Range<usize>, class: Option<CodeClass>) {
    let Some(class) = class.filter(|_| !range.is_empty()) else { return };
    match parts.last_mut() {
        Some(last) if last.class == class && last.range.end == range.start => last.range.end = range.end,
        _ => parts.push(CodePart { range, class }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of a text, each as `class text`.
    fn parts_in(language: &str, code: &str) -> Vec<String> {
        let parts = parts(&[(grammar(language).unwrap(), code)]).remove(0);
        let text = |part: &CodePart| code[part.range.start..part.range.end.min(code.len())].trim_end();
        parts.iter().map(|part| format!("{} {}", part.class.name(), text(part))).collect()
    }

    #[test]
    fn parts_of_code_have_classes() {
        for (language, code, expected) in [
            (
                "rust,ignore",
                "pub fn a() -> u8 { f(\"b\\n\", 1) } // c",
                "k pub|k fn|f a|k u8|f f|s \"b|n \\n|s \"|n 1|c // c",
            ),
            ("TOML", "[a]\nb = \"c\" # d\ne = 1", "t a|t b|s \"c\"|c # d|t e|n 1"),
            ("diff", "--- a\n@@ -1 @@\n-a\n+b\n c", "k --- a|f @@ -1 @@|d -a|i +b"),
            ("html", "<!-- a --><p id=\"b\">c</p>", "c <!-- a -->|t p|a id|s \"b\"|t p"),
            ("js", "`a ${b + 1}` // c", "s `a|n 1|s `|c // c"),
            ("php", "if ($a) { echo 1; }", "k if|f echo|n 1"),
            ("{py}", "@a\ndef b(): return not 1", "a @a|k def|f b|k return|k not|n 1"),
        ] {
            assert_eq!(parts_in(language, code).join("|"), expected, "{language}");
        }
    }

    #[test]
    fn each_language_has_its_grammar() {
        let set = two_face::syntax::extra_newlines();
        let mut names: Vec<&str> = LANGUAGES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "no name stands for two grammars");
        for (grammar, _) in LANGUAGES {
            assert!(set.find_syntax_by_name(grammar).is_some(), "{grammar}");
        }
        assert!(set.find_syntax_by_name("PHP Source").is_some());
        assert_eq!(CLASSES.len(), SCOPES.len());
        let writing = include_str!("../../docs/writing.md");
        let (_, known) = writing.split_once("usual other names: ").unwrap();
        let known = known.split_once(". Any other").unwrap().0.replace('\n', " ");
        let known: Vec<&str> = known.split(", ").collect();
        assert!(known.iter().all(|language| grammar(language).is_some()), "{known:?}");
        for (name, _) in LANGUAGES {
            assert!(known.iter().any(|language| grammar(language) == Some(name)), "{name} is in docs/writing.md");
        }
        for language in ["", "text", "mermaid", ",", "{}"] {
            assert_eq!(grammar(language), None, "{language}");
        }
    }

    #[test]
    fn work_is_bounded() {
        let line = format!("{}\n", "1".repeat(LONGEST_LINE));
        let fit = MOST_WORK / (LONGEST_LINE * LONGEST_LINE + LINE_WORK);
        let (short, long, many) = ("1", format!("1{line}"), line.repeat(fit + 1));
        let empty = format!("1{}", "\n".repeat(MOST_WORK / LINE_WORK));
        let blocks = [short, &long, &many, &empty, short].map(|code| ("JSON", code));
        let counts: Vec<usize> = parts(&blocks).iter().map(Vec::len).collect();
        assert_eq!(counts, [1, 0, 0, 0, 1], "a block that does not fit takes no work from others");
        let fences = parts(&[("Markdown", "# a"), ("Markdown", "# a\n```rust\n```")]);
        assert_eq!(fences.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn memory_is_bounded() {
        let grammars = ["TOML", "JSON", "YAML", "INI", "XML", "TOML"];
        let blocks = grammars.map(|grammar| (grammar, "# a\n-a\n<!-- a -->\n1"));
        let is_coloured: Vec<bool> = parts(&blocks).iter().map(|parts| !parts.is_empty()).collect();
        assert_eq!(is_coloured, [true, true, true, true, false, true]);
        assert!(!parts(&[("XML", "<!-- a -->")])[0].is_empty(), "the next article has others");
        assert!(super::grammars().unwrap().len() <= MOST_GRAMMARS);
    }
}
