//! The articles that keys in another file are for: Hugo's `target`, Jekyll's `scope`.

use std::fmt;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use super::file_list::FileList;
use super::value::Value;
use crate::article::language;

/// The articles that a part of a file is for.
#[derive(Debug, Default)]
pub enum ArticleTarget {
    /// Every article beneath.
    #[default]
    All,
    /// One of these.
    Hugo(Vec<HugoTarget>),
    /// The files of a list.
    Listed(FileList),
    /// By path and type.
    Jekyll { path: String, kind: Option<String> },
}

/// A target of Hugo's `cascade`. What is absent matches everything.
#[derive(Debug, Default)]
pub struct HugoTarget {
    paths: Vec<ArticlePattern>,
    kind: Option<ArticlePattern>,
    language: Option<ArticlePattern>,
    environment: Option<ArticlePattern>,
}

/// A pattern in any case, compiled once for all articles.
struct ArticlePattern {
    text: String,
    /// `None` if it cannot be understood: it matches then, since it may keep something from the public.
    matcher: Option<GlobMatcher>,
}

impl ArticlePattern {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), matcher: matcher(&text.to_lowercase()) }
    }

    /// Whether it matches a text in lower case.
    fn matches(&self, text: &str) -> bool {
        self.matcher.as_ref().is_none_or(|matcher| matcher.is_match(text))
    }
}

/// As its text: a hash of what a file says is recorded.
impl fmt::Debug for ArticlePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl ArticleTarget {
    /// Reads the values of `target` or `_target`.
    pub fn of_hugo(targets: impl Iterator<Item = Value>) -> Self {
        let tables = targets.flat_map(|target| match target {
            Value::List(list) => list,
            other => vec![other],
        });
        let targets: Vec<HugoTarget> = tables.filter_map(HugoTarget::of).collect();
        if targets.is_empty() { Self::All } else { Self::Hugo(targets) }
    }

    pub fn of_jekyll(scope: &[(String, Value)]) -> Self {
        let text = |wanted: &str| {
            let field = scope.iter().find(|(name, _)| name == wanted);
            field.and_then(|(_, value)| value.text()).map(|text| text.trim_matches('/').to_owned())
        };
        Self::Jekyll { path: text("path").unwrap_or_default(), kind: text("type").filter(|kind| !kind.is_empty()) }
    }

    /// Order of precedence; the higher one wins.
    pub fn specificity(&self) -> (usize, bool) {
        match self {
            Self::Jekyll { path, kind } => (path.len(), kind.is_some()),
            _ => (0, false),
        }
    }

    /// Whether an article is among those. `folder` is that of the file with the target, and `root` the watched one; all
    /// paths are absolute.
    pub fn covers(&self, root: &Path, folder: &Path, article: &Path) -> bool {
        match self {
            Self::All => true,
            Self::Hugo(targets) => targets.iter().any(|target| target.covers(root, folder, article)),
            Self::Listed(files) => files.names(folder, article),
            Self::Jekyll { path, kind } => {
                let Ok(below) = article.strip_prefix(folder) else { return false };
                let is_kind = kind.as_deref().is_none_or(|kind| is_of_jekyll_type(kind, article));
                is_kind && is_in_scope(path, &below.to_string_lossy())
            }
        }
    }
}

fn is_in_scope(scope: &str, below: &str) -> bool {
    let is_below = |path: &str| {
        let rest = path.strip_prefix(scope);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || scope.is_empty())
    };
    if scope.contains('*') {
        return matches(scope, below) || matches(&format!("{scope}/**"), below);
    }
    // A scope can name the page that is made of an article, too.
    is_below(below) || is_below(&Path::new(below).with_extension("html").to_string_lossy())
}

/// Whether an article is of a type: `posts`, `drafts`, `pages`, or a collection.
fn is_of_jekyll_type(kind: &str, article: &Path) -> bool {
    let has_folder = |wanted: &str| article.iter().any(|part| part == wanted);
    match kind {
        "pages" => !article.iter().any(|part| part.to_string_lossy().starts_with('_')),
        kind => has_folder(&format!("_{kind}")),
    }
}

impl HugoTarget {
    fn of(value: Value) -> Option<Self> {
        let Value::Table(fields) = value else { return None };
        let mut target = Self::default();
        for (name, value) in fields {
            let pattern = || value.text().map(ArticlePattern::new);
            match name.to_ascii_lowercase().as_str() {
                // Commas belong to a pattern.
                "path" => target.paths.extend(pattern()),
                "kind" => target.kind = pattern(),
                "lang" | "language" => target.language = pattern(),
                "environment" => target.environment = pattern(),
                _ => {}
            }
        }
        Some(target)
    }

    fn covers(&self, root: &Path, folder: &Path, article: &Path) -> bool {
        let allows =
            |pattern: &Option<ArticlePattern>, text: &str| pattern.as_ref().is_none_or(|pattern| pattern.matches(text));
        let is_language = || {
            let language = article.strip_prefix(root).ok().and_then(language::of_path);
            language.is_none_or(|language| allows(&self.language, &language.to_lowercase()))
        };
        let is_any_path = || {
            let paths = logical_paths(root, folder, article);
            self.paths.iter().any(|pattern| paths.iter().any(|path| pattern.matches(path)))
        };
        allows(&self.kind, "page")
            && allows(&self.environment, "production")
            && (self.language.is_none() || is_language())
            && (self.paths.is_empty() || is_any_path())
    }
}

/// Whether a configuration is one of Hugo or Zola: by its name, or by a key that sites have.
pub fn is_of_hugo(file: &Path, fields: &[(String, Value)]) -> bool {
    const KEYS: [&str; 5] = ["baseurl", "base_url", "languagecode", "defaultcontentlanguage", "cascade"];
    let is_named = file.file_stem().is_some_and(|stem| stem == "hugo" || stem == "zola");
    is_named || fields.iter().any(|(name, _)| KEYS.contains(&name.to_ascii_lowercase().as_str()))
}

/// The paths that a pattern of Hugo may mean: below `content` with and without the extension. Without such a folder above, where the path
/// begins is not known: with the name of the watched folder, below it, or further down to that of the file.
fn logical_paths(root: &Path, folder: &Path, article: &Path) -> Vec<String> {
    let parts: Vec<String> = article.iter().skip(1).map(|part| part.to_string_lossy().to_lowercase()).collect();
    let content = parts.iter().rposition(|part| part == "content").map(|at| at + 1);
    let count = |path: &Path| path.iter().skip(1).count();
    let starts = content.map_or(count(root).saturating_sub(1)..=count(folder), |start| start..=start);
    let mut paths = Vec::new();
    for start in starts {
        let path = format!("/{}", parts[start.min(parts.len() - 1)..].join("/"));
        let without_ending = path.rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem).to_owned();
        let bundle = without_ending.strip_suffix("/index").map(str::to_owned);
        paths.extend([path, without_ending].into_iter().chain(bundle));
    }
    paths
}

/// `None` for a pattern that cannot be understood.
fn matcher(pattern: &str) -> Option<GlobMatcher> {
    GlobBuilder::new(pattern).literal_separator(true).build().ok().map(|glob| glob.compile_matcher())
}

/// Whether a pattern matches; one that cannot be understood does, since it may keep something from the public.
fn matches(pattern: &str, path: &str) -> bool {
    matcher(pattern).is_none_or(|matcher| matcher.is_match(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(fields: &[(&str, &str)]) -> Value {
        Value::Table(
            fields.iter().map(|(name, value)| ((*name).to_owned(), Value::Text((*value).to_owned()))).collect(),
        )
    }

    #[test]
    fn targets_of_hugo() {
        for (fields, article, is_covered) in [
            (&[("path", "/posts/**")][..], "/site/content/posts/a.md", true),
            (&[("path", "/Posts/**")], "/site/content/posts/A.md", true),
            (&[("path", "/posts/*")], "/site/content/posts/2024/a.md", false),
            (&[("path", "/posts/a")], "/site/content/posts/a.md", true),
            (&[("path", "/posts/a.md")], "/site/content/posts/a.md", true),
            (&[("path", "/posts/a")], "/site/content/posts/a/index.md", true),
            (&[("path", "{/posts/**,/notes/**}")], "/site/content/notes/a.md", true),
            (&[("path", "/notes/**")], "/site/content/posts/a.md", false),
            (&[("path", "/posts/**")], "/srv/posts/a.md", true),
            (&[("path", "/posts/{a")], "/site/content/notes/a.md", true),
            (&[("kind", "page")], "/site/content/a.md", true),
            (&[("kind", "{page,section}")], "/site/content/a.md", true),
            (&[("kind", "section")], "/site/content/a.md", false),
            (&[("lang", "fr")], "/site/content/a.fr.md", true),
            (&[("lang", "fr")], "/site/content/a.de.md", false),
            (&[("lang", "fr")], "/site/content/a.md", true),
            (&[("environment", "production")], "/site/content/a.md", true),
            (&[("environment", "staging")], "/site/content/a.md", false),
            (&[("path", "/posts/**"), ("kind", "section")], "/site/content/posts/a.md", false),
        ] {
            let target = ArticleTarget::of_hugo([table(fields)].into_iter());
            let article = Path::new(article);
            let folder = article.parent().unwrap();
            assert_eq!(target.covers(folder, folder, article), is_covered, "{fields:?} {}", article.display());
        }
        assert!(ArticleTarget::of_hugo(std::iter::empty()).covers(
            Path::new("/a"),
            Path::new("/a"),
            Path::new("/a/b.md")
        ));
    }

    #[test]
    fn scopes_of_jekyll() {
        for (fields, article, is_covered) in [
            (&[("path", "")][..], "/site/_posts/a.md", true),
            (&[("path", ""), ("type", "posts")], "/site/blog/_posts/a.md", true),
            (&[("path", ""), ("type", "posts")], "/site/a.md", false),
            (&[("path", ""), ("type", "pages")], "/site/a.md", true),
            (&[("path", ""), ("type", "pages")], "/site/_posts/a.md", false),
            (&[("path", "projects")], "/site/projects/a.md", true),
            (&[("path", "/projects/")], "/site/projects/a.md", true),
            (&[("path", "projects")], "/site/projects-of-mine/a.md", false),
            (&[("path", "projects/a.html")], "/site/projects/a.md", true),
            (&[("path", "projects/*/a.md")], "/site/projects/x/a.md", true),
            (&[("path", "projects/*")], "/site/projects/x/a.md", true),
            (&[("path", "projects/*")], "/site/b.md", false),
        ] {
            let Value::Table(scope) = table(fields) else { unreachable!() };
            let target = ArticleTarget::of_jekyll(&scope);
            assert_eq!(
                target.covers(Path::new("/site"), Path::new("/site"), Path::new(article)),
                is_covered,
                "{fields:?} {article}"
            );
        }
    }
}
