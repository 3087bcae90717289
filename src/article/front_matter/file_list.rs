//! Lists of files in the configuration of a site generator: those that it leaves out of the site, or takes for drafts.

use std::fmt;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};
use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use super::block::FrontMatter;
use super::value::Value;
use crate::folder::DataFileKind;

/// Maximum number of patterns in a list. A longer one may name any file.
const MAX_PATTERNS: usize = 2_000;
/// Maximum size of a compiled expression, in bytes.
const MAX_EXPRESSION: usize = 1 << 20;

/// How a program compares its patterns with paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListSyntax {
    /// Jekyll: the beginning of a path, or a pattern whose `*` matches `/`, too.
    Prefixes,
    /// Eleventy and Quarto: patterns for the whole path below the configuration, where `!` takes a file back.
    Paths,
    /// `MkDocs`: as in `.gitignore`.
    Ignore,
    /// Zola: patterns for the path below `content`, or for the name.
    Names,
    /// Hugo: regular expressions, for a part of the absolute path.
    Expressions,
}

/// A list, its key and its line.
#[derive(Debug)]
pub struct NamedList {
    pub name: String,
    pub line: usize,
    /// Its files are drafts.
    pub is_of_drafts: bool,
    pub files: FileList,
}

/// The files that a list names.
#[derive(Debug)]
pub struct FileList {
    syntax: ListSyntax,
    patterns: Vec<FilePattern>,
    /// The folder, below that of the configuration, in which the paths begin; empty if they begin beside it.
    base: String,
}

/// A pattern of a list.
struct FilePattern {
    text: String,
    /// It takes files back that earlier patterns have named.
    is_negated: bool,
    matchers: Vec<PathMatcher>,
}

enum PathMatcher {
    Prefix(String),
    Glob(GlobMatcher),
    Expression(Box<Regex>),
    /// It cannot be understood, and may keep something from the public.
    Any,
}

/// As its text: a hash of what a file says is recorded.
impl fmt::Debug for FilePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.is_negated, &self.text).fmt(f)
    }
}

/// The lists in a configuration.
pub fn lists(kind: DataFileKind, block: &FrontMatter<'_>, fields: &[(String, Value)]) -> Vec<NamedList> {
    let find = |fields: &'_ [(String, Value)], wanted: &str| -> Option<(String, Value)> {
        fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).cloned()
    };
    let list = |(name, value): (String, Value), syntax, base: &str, is_of_drafts| {
        let files = FileList::new(syntax, &texts(&value), base);
        NamedList { line: block.line_of(&name), name, is_of_drafts, files }
    };
    let mut lists = Vec::new();
    match kind {
        DataFileKind::JekyllConfig => {
            let excluded = find(fields, "exclude").map(|field| list(field, ListSyntax::Prefixes, "", false));
            lists.extend(excluded);
        }
        DataFileKind::HugoConfig => {
            let ignored = find(fields, "ignoreFiles").map(|field| list(field, ListSyntax::Expressions, "", false));
            let zola = find(fields, "ignored_content").map(|field| list(field, ListSyntax::Names, "content", false));
            lists.extend(ignored.into_iter().chain(zola));
        }
        DataFileKind::MkDocsConfig => {
            let base = find(fields, "docs_dir").and_then(|(_, value)| value.text().map(str::to_owned));
            let base = base.unwrap_or_else(|| "docs".to_owned());
            for (key, is_of_drafts) in [("exclude_docs", false), ("draft_docs", true)] {
                lists.extend(find(fields, key).map(|field| list(field, ListSyntax::Ignore, &base, is_of_drafts)));
            }
        }
        DataFileKind::QuartoConfig => {
            for (outer, inner, is_of_drafts) in [("website", "drafts", true), ("project", "render", false)] {
                let Some((_, Value::Table(inside))) = find(fields, outer) else { continue };
                let found = find(&inside, inner).map(|(name, value)| (format!("{outer}.{name}"), value));
                let mut found = found.map(|field| list(field, ListSyntax::Paths, "", is_of_drafts));
                // What is rendered is the rest.
                if let Some(render) = found.as_mut().filter(|_| !is_of_drafts) {
                    render.files.patterns.retain(|pattern| pattern.is_negated);
                    render.files.patterns.iter_mut().for_each(|pattern| pattern.is_negated = false);
                }
                lists.extend(found);
            }
        }
        _ => {}
    }
    lists.retain(|list| !list.files.patterns.is_empty());
    lists
}

/// The list in a file of its own: `.eleventyignore`.
pub fn of_lines(file: &Path, text: &str) -> Option<NamedList> {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let files = FileList::new(ListSyntax::Paths, &lines, "");
    let name = file.file_name()?.to_string_lossy().into_owned();
    (!files.patterns.is_empty()).then_some(NamedList { name, line: 1, is_of_drafts: false, files })
}

/// Each text of a list, or each line of a text.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::List(list) => list.iter().filter_map(Value::text).map(str::to_owned).collect(),
        Value::Text(text) => text.lines().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

impl FileList {
    fn new(syntax: ListSyntax, texts: &[String], base: &str) -> Self {
        let mut patterns: Vec<FilePattern> =
            texts.iter().filter_map(|text| FilePattern::new(syntax, text.trim())).take(MAX_PATTERNS).collect();
        if patterns.len() == MAX_PATTERNS {
            patterns.push(FilePattern { text: String::new(), is_negated: false, matchers: vec![PathMatcher::Any] });
        }
        Self { syntax, patterns, base: base.trim_matches(['.', '/']).to_owned() }
    }

    /// Whether a file is among those. `folder` is that of the list; both paths are absolute.
    pub fn names(&self, folder: &Path, file: &Path) -> bool {
        let Ok(below) = file.strip_prefix(folder) else { return false };
        let in_base = below.strip_prefix(&self.base).ok();
        let paths: Vec<String> = match self.syntax {
            // Hexo's paths begin in `source`.
            ListSyntax::Prefixes => vec![below, below.strip_prefix("source").unwrap_or(below)],
            ListSyntax::Paths => vec![below],
            ListSyntax::Ignore => in_base.into_iter().collect(),
            ListSyntax::Names => in_base.into_iter().chain([below]).chain(below.file_name().map(Path::new)).collect(),
            ListSyntax::Expressions => vec![file, below],
        }
        .into_iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
        let mut is_named = false;
        for pattern in &self.patterns {
            if pattern.is_negated == is_named && paths.iter().any(|path| pattern.matches(path)) {
                is_named = !pattern.is_negated;
            }
        }
        is_named
    }
}

impl FilePattern {
    /// `None` for a comment or nothing.
    fn new(syntax: ListSyntax, text: &str) -> Option<Self> {
        let has_signs = matches!(syntax, ListSyntax::Paths | ListSyntax::Ignore);
        if text.is_empty() || has_signs && text.starts_with('#') {
            return None;
        }
        let positive = text.strip_prefix('!').filter(|_| has_signs);
        let pattern = positive.unwrap_or(text);
        let matchers = match syntax {
            ListSyntax::Expressions => vec![expression(pattern)],
            _ => matchers(syntax, pattern.strip_prefix("./").unwrap_or(pattern))?,
        };
        Some(Self { text: text.to_owned(), is_negated: positive.is_some(), matchers })
    }

    fn matches(&self, path: &str) -> bool {
        self.matchers.iter().any(|matcher| match matcher {
            PathMatcher::Prefix(prefix) => path.starts_with(prefix),
            PathMatcher::Glob(glob) => glob.is_match(path),
            PathMatcher::Expression(expression) => expression.is_match(path),
            PathMatcher::Any => true,
        })
    }
}

/// What matches a pattern, and everything in a folder that it names. `None` if it names the whole folder, as no program reads it.
fn matchers(syntax: ListSyntax, pattern: &str) -> Option<Vec<PathMatcher>> {
    let is_folder = pattern.ends_with('/');
    let rooted = pattern.trim_start_matches('/');
    let path = rooted.trim_end_matches('/');
    if path.is_empty() || path == "." {
        return None;
    }
    if syntax == ListSyntax::Prefixes && !path.contains(['*', '?', '[']) {
        return Some(vec![PathMatcher::Prefix(rooted.to_owned())]);
    }
    let is_anywhere = syntax == ListSyntax::Ignore && rooted.len() == pattern.len() && !path.contains('/');
    let path = if is_anywhere { format!("**/{path}") } else { path.to_owned() };
    let is_literal = matches!(syntax, ListSyntax::Paths | ListSyntax::Ignore);
    let beneath = glob(&format!("{path}/**"), is_literal);
    Some(if is_folder { vec![beneath] } else { vec![glob(&path, is_literal), beneath] })
}

fn glob(pattern: &str, is_literal: bool) -> PathMatcher {
    let glob = GlobBuilder::new(pattern).literal_separator(is_literal).build();
    glob.map_or(PathMatcher::Any, |glob| PathMatcher::Glob(glob.compile_matcher()))
}

fn expression(pattern: &str) -> PathMatcher {
    let limits = Regex::config().nfa_size_limit(Some(MAX_EXPRESSION)).hybrid_cache_capacity(MAX_EXPRESSION);
    // Paths are compared as bytes: without the tables of Unicode, which the crate is built without.
    let bytes = syntax::Config::new().unicode(false).utf8(false);
    let compiled = Regex::builder().configure(limits).syntax(bytes).build(pattern);
    compiled.map_or(PathMatcher::Any, |expression| PathMatcher::Expression(Box::new(expression)))
}

/// A configuration without all but some of its keys, on the same lines: the rest may be in a dialect of YAML.
pub fn only_keys(text: &str, keys: &[&str]) -> String {
    let mut is_wanted = false;
    let mut kept = String::new();
    for line in text.lines() {
        let is_key = line.starts_with(|first: char| !first.is_whitespace() && first != '#' && first != '-');
        if is_key {
            is_wanted = line.split_once(':').is_some_and(|(key, _)| keys.contains(&key.trim()));
        }
        if is_wanted {
            kept.push_str(line);
        }
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_compares_in_its_own_way() {
        let site = Path::new("/site");
        for (syntax, base, patterns, file, is_named) in [
            (ListSyntax::Prefixes, "", "private", "private/a.md", true),
            (ListSyntax::Prefixes, "", "private/", "private/a.md", true),
            (ListSyntax::Prefixes, "", "/private", "private.md", true),
            (ListSyntax::Prefixes, "", "private/", "private.md", false),
            (ListSyntax::Prefixes, "", "private", "posts/private/a.md", false),
            (ListSyntax::Prefixes, "", "*.md", "posts/a.md", true),
            (ListSyntax::Prefixes, "", "*/private", "posts/private/a.md", true),
            (ListSyntax::Prefixes, "", "_posts/a*.md", "source/_posts/ab.md", true),
            (ListSyntax::Prefixes, "", "vendor\nGemfile", "a.md", false),
            (ListSyntax::Paths, "", "private/", "private/deep/a.md", true),
            (ListSyntax::Paths, "", "./private", "private/a.md", true),
            (ListSyntax::Paths, "", "private", "posts/private/a.md", false),
            (ListSyntax::Paths, "", "**/private", "posts/private/a.md", true),
            (ListSyntax::Paths, "", "posts/*.md", "posts/deep/a.md", false),
            (ListSyntax::Paths, "", "# posts\n\na.md", "posts/a.md", false),
            (ListSyntax::Paths, "", "posts/*\n!posts/a.md", "posts/a.md", false),
            (ListSyntax::Paths, "", "posts/*\n!posts/a.md", "posts/b.md", true),
            (ListSyntax::Ignore, "docs", "private.md", "docs/deep/private.md", true),
            (ListSyntax::Ignore, "docs", "/private.md", "docs/deep/private.md", false),
            (ListSyntax::Ignore, "docs", "drafts-of/", "docs/a/drafts-of/b.md", true),
            (ListSyntax::Ignore, "docs", "*.md\n!a.md", "docs/a.md", false),
            (ListSyntax::Ignore, "docs", "*.md", "a.md", false),
            (ListSyntax::Ignore, ".", "*.md", "a.md", true),
            (ListSyntax::Names, "content", "private/*", "content/private/a.md", true),
            (ListSyntax::Names, "content", "temp.*", "content/deep/temp.md", true),
            (ListSyntax::Names, "content", "**/build", "content/deep/build/a.md", true),
            (ListSyntax::Names, "content", "*.{xlsx,graphml}", "content/a.md", false),
            (ListSyntax::Expressions, "", "\\.private\\.md$", "content/a.private.md", true),
            (ListSyntax::Expressions, "", "/private/", "content/private/a.md", true),
            (ListSyntax::Expressions, "", "^content/pri[a-z]+", "content/private/a.md", true),
            (ListSyntax::Expressions, "", "\\.Rmd$\n_cache$", "content/a.md", false),
            (ListSyntax::Expressions, "", "a(", "content/b.md", true),
        ] {
            let patterns: Vec<String> = patterns.lines().map(str::to_owned).collect();
            let list = FileList::new(syntax, &patterns, base);
            assert_eq!(list.names(site, &site.join(file)), is_named, "{syntax:?} {patterns:?} {file}");
        }
    }

    #[test]
    fn a_dialect_of_yaml_around_the_wanted_keys_is_left_out() {
        let text = "site_name: x\nmarkdown_extensions:\n  - a:\n      b: !!python/name:c\nexclude_docs: |\n  # private\n\n  a.md\nnav:\n- a\n";
        let lines = "\n\n\n\nexclude_docs: |\n  # private\n\n  a.md\n\n\n";
        assert_eq!(only_keys(text, &["exclude_docs"]), lines);
    }
}
