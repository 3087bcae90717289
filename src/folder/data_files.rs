//! Files that hold data of the articles beneath or beside them, as site generators read them. Only names: nothing is opened.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::names::{ENDINGS, is_section_file};
use super::{Folder, Stat};

/// The meaning of the keys in such a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataFileKind {
    /// `_index.md`: Hugo's `cascade`, Zola's drafts. The other keys describe the folder.
    Section,
    /// Each key holds for every article beneath: Eleventy's `posts/posts.json`, Lume's `_data.yml`, the `.meta.yml` of Material for `MkDocs`.
    Folder,
    /// Each key holds for the article of this name: Eleventy's `post.11tydata.json`, Nikola's `post.meta`.
    Article,
    /// Jekyll's `_config.yml`: `defaults`, `exclude`.
    JekyllConfig,
    /// Hugo's `hugo.toml`: `cascade`, `ignoreFiles`; and Zola's `config.toml`: `ignored_content`.
    HugoConfig,
    /// `mkdocs.yml`: `exclude_docs`, `draft_docs`.
    MkDocsConfig,
    /// Quarto's `_quarto.yml`: `drafts`, `render`.
    QuartoConfig,
    /// A list of files that a program leaves out: `.eleventyignore`.
    IgnoreList,
    /// A script of Eleventy or Lume, which only these can run.
    Script,
}

/// Names of files for a whole folder, the one that takes precedence first.
const OF_FOLDERS: [(DataFileKind, &str); 33] = [
    (DataFileKind::Script, "_data.js"),
    (DataFileKind::Script, "_data.ts"),
    (DataFileKind::Folder, "_data.yml"),
    (DataFileKind::Folder, "_data.yaml"),
    (DataFileKind::Folder, "_data.json"),
    (DataFileKind::Folder, ".meta.yml"),
    (DataFileKind::Folder, ".meta.yaml"),
    (DataFileKind::Folder, "_defaults.yml"),
    (DataFileKind::Folder, "_defaults.yaml"),
    (DataFileKind::Folder, "_defaults.json"),
    (DataFileKind::Folder, "_directory.yml"),
    (DataFileKind::Folder, "_directory.yaml"),
    (DataFileKind::Folder, "_directory.json"),
    (DataFileKind::Folder, "_metadata.yml"),
    (DataFileKind::Folder, "_metadata.yaml"),
    (DataFileKind::IgnoreList, ".eleventyignore"),
    (DataFileKind::MkDocsConfig, "mkdocs.yml"),
    (DataFileKind::MkDocsConfig, "mkdocs.yaml"),
    (DataFileKind::QuartoConfig, "_quarto.yml"),
    (DataFileKind::QuartoConfig, "_quarto.yaml"),
    (DataFileKind::JekyllConfig, "_config.yml"),
    (DataFileKind::JekyllConfig, "_config.yaml"),
    (DataFileKind::JekyllConfig, "_config.toml"),
    (DataFileKind::HugoConfig, "hugo.toml"),
    (DataFileKind::HugoConfig, "hugo.yaml"),
    (DataFileKind::HugoConfig, "hugo.yml"),
    (DataFileKind::HugoConfig, "hugo.json"),
    (DataFileKind::HugoConfig, "zola.toml"),
    (DataFileKind::HugoConfig, "config.toml"),
    (DataFileKind::HugoConfig, "config.yaml"),
    (DataFileKind::HugoConfig, "config.yml"),
    (DataFileKind::HugoConfig, "config.json"),
    (DataFileKind::Script, "_defaults.rb"),
];
/// Endings behind the name of a folder or of an article, the one that takes precedence first.
const ELEVENTY: [(DataFileKind, &str); 8] = [
    (DataFileKind::Script, ".11tydata.js"),
    (DataFileKind::Script, ".11tydata.cjs"),
    (DataFileKind::Script, ".11tydata.mjs"),
    (DataFileKind::Article, ".11tydata.json"),
    (DataFileKind::Article, ".11tydata.yaml"),
    (DataFileKind::Article, ".11tydata.yml"),
    (DataFileKind::Article, ".11tydata.toml"),
    (DataFileKind::Article, ".json"),
];
/// The folder above the watched one, as paths below that one name it.
pub const ABOVE: &str = "..";
/// Ending of Nikola's files.
const NIKOLA: &str = ".meta";

impl Folder {
    /// The kind of a file of data, by its path below the watched folder. `None` for any other file, and where no article can be.
    pub fn data_file_kind(&self, below: &Path) -> Option<DataFileKind> {
        if below.starts_with(ABOVE) {
            return self.data_files_above().into_iter().find(|(_, path)| path == below).map(|(kind, _)| kind);
        }
        let (name, parent) = (below.file_name()?.to_str()?, below.parent()?);
        let kind = kind_of(self.name_of_folder(parent), name)?;
        self.enters(&self.root().join(parent)).then_some(kind)
    }

    /// Whether a file holds data of articles by its name. Of a file beside no article, only the name of a tool says so.
    pub fn is_data_file(&self, below: &Path) -> bool {
        let is_plain = |name: &str| {
            let is_json = Path::new(name).extension().is_some_and(|ending| ending == "json");
            is_json && !name.contains(".11tydata.")
        };
        match self.data_file_kind(below) {
            Some(DataFileKind::Article) if below.file_name().and_then(OsStr::to_str).is_some_and(is_plain) => {
                self.articles_of_data_file(below).iter().any(|article| self.stat(article).is_some())
            }
            Some(_) if below.starts_with(ABOVE) => self.data_stat(below).is_some(),
            kind => kind.is_some(),
        }
    }

    /// The configurations of a site of which only the articles are watched: Jekyll's above `_posts`, Hugo's above `content`, that of `MkDocs` above
    /// `docs`, Hexo's above `source`. They lie outside of the watched folder, so no hint tells that they have changed.
    pub fn data_files_above(&self) -> Vec<(DataFileKind, PathBuf)> {
        let wanted = match self.root().file_name().and_then(OsStr::to_str) {
            Some("_posts" | "source") => DataFileKind::JekyllConfig,
            Some("docs") => DataFileKind::MkDocsConfig,
            Some("content") => DataFileKind::HugoConfig,
            _ => return Vec::new(),
        };
        let files = OF_FOLDERS.iter().filter(|(kind, _)| *kind == wanted);
        files.map(|(kind, name)| (*kind, Path::new(ABOVE).join(name))).collect()
    }

    /// Returns the `stat` of a file with data.
    pub fn data_stat(&self, below: &Path) -> Option<Stat> {
        if !below.starts_with(ABOVE) {
            return self.stat(below);
        }
        let metadata = std::fs::symlink_metadata(self.root().join(below)).ok()?;
        metadata.is_file().then(|| Stat::of(&metadata))
    }

    /// Files that may hold data of all articles in a folder, the one that takes precedence first.
    pub fn data_files_of_folder(&self, below: &Path) -> Vec<(DataFileKind, PathBuf)> {
        if below.starts_with(ABOVE) {
            return self.data_files_above();
        }
        let eleventy = self.name_of_folder(below).into_iter().flat_map(|name| {
            let of_folder = |kind| if kind == DataFileKind::Article { DataFileKind::Folder } else { kind };
            ELEVENTY.iter().map(move |(kind, ending)| (of_folder(*kind), format!("{name}{ending}")))
        });
        let (own, configurations): (Vec<_>, Vec<_>) = OF_FOLDERS
            .iter()
            .partition(|(kind, _)| !matches!(kind, DataFileKind::JekyllConfig | DataFileKind::HugoConfig));
        let named = |list: Vec<&(DataFileKind, &str)>| -> Vec<(DataFileKind, String)> {
            list.into_iter().map(|(kind, name)| (*kind, (*name).to_owned())).collect()
        };
        let sections = ENDINGS.iter().map(|ending| (DataFileKind::Section, format!("_index.{ending}")));
        let all = eleventy.chain(named(own)).chain(sections).chain(named(configurations));
        all.filter(|(kind, _)| *kind != DataFileKind::Script).map(|(kind, name)| (kind, below.join(name))).collect()
    }

    /// Files that may hold data of one article, the one that takes precedence first. Those of `post.fr.md` are Nikola's for all languages, too.
    pub fn data_files_of_article(&self, below: &Path) -> Vec<PathBuf> {
        let Some(stem) = below.file_stem().and_then(OsStr::to_str) else { return Vec::new() };
        let all_languages = stem.rsplit_once('.').map(|(stem, _)| stem);
        let eleventy = ELEVENTY.iter().filter(|(kind, _)| *kind == DataFileKind::Article);
        let of_stem = eleventy.map(|(_, ending)| format!("{stem}{ending}")).chain([format!("{stem}{NIKOLA}")]);
        let names = of_stem.chain(all_languages.map(|stem| format!("{stem}{NIKOLA}")));
        names.map(|name| below.with_file_name(name)).filter(|path| !self.is_of_folder(path)).collect()
    }

    /// Whether a file is for the whole folder: `posts.json` in `posts` is not that of `posts/posts.md`.
    fn is_of_folder(&self, below: &Path) -> bool {
        below.parent().and_then(|parent| self.name_of_folder(parent)).is_some_and(|folder| {
            let name = below.file_name().and_then(OsStr::to_str).unwrap_or_default();
            name.strip_prefix(folder).is_some_and(|rest| ELEVENTY.iter().any(|(_, ending)| rest == *ending))
        })
    }

    /// Articles that a file of this path may hold data of.
    pub fn articles_of_data_file(&self, below: &Path) -> Vec<PathBuf> {
        let Some(name) = below.file_name().and_then(OsStr::to_str) else { return Vec::new() };
        let endings = ELEVENTY.iter().map(|(_, ending)| *ending).chain([NIKOLA]);
        let stem = endings.into_iter().find_map(|ending| name.strip_suffix(ending));
        let paths = stem
            .into_iter()
            .flat_map(|stem| ENDINGS.iter().map(move |ending| below.with_file_name(format!("{stem}.{ending}"))));
        paths.collect()
    }

    fn name_of_folder<'a>(&'a self, below: &'a Path) -> Option<&'a str> {
        let path = if below.as_os_str().is_empty() { self.root() } else { below };
        path.file_name().and_then(OsStr::to_str)
    }
}

/// The kind of a file by its name and that of its folder.
fn kind_of(folder: Option<&str>, name: &str) -> Option<DataFileKind> {
    if is_section_file(OsStr::new(name)) {
        return Some(DataFileKind::Section);
    }
    if let Some((kind, _)) = OF_FOLDERS.iter().find(|(_, listed)| *listed == name) {
        return Some(*kind);
    }
    if name.ends_with(NIKOLA) && name.len() > NIKOLA.len() {
        return Some(DataFileKind::Article);
    }
    let (kind, ending) = ELEVENTY.iter().find(|(_, ending)| name.ends_with(ending) && name.len() > ending.len())?;
    // Chapters of a recording, and descriptions of packages.
    if *ending == ".json" && (name.ends_with(".chapters.json") || name.starts_with("package")) {
        return None;
    }
    let is_of_folder = *kind == DataFileKind::Article && folder == name.strip_suffix(ending);
    Some(if is_of_folder { DataFileKind::Folder } else { *kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_above_the_articles_counts() {
        let directory = tempfile::tempdir().unwrap();
        for (name, file) in
            [("_posts", "_config.yml"), ("content", "hugo.toml"), ("docs", "mkdocs.yml"), ("source", "_config.yml")]
        {
            let above = directory.path().join(format!("above {name}"));
            let root = above.join(name);
            std::fs::create_dir_all(&root).unwrap();
            let folder = Folder::of(&root);
            let path = Path::new(ABOVE).join(file);
            assert!(folder.data_file_kind(&path).is_some() && folder.data_stat(&path).is_none(), "{name}");
            std::fs::write(above.join(file), "").unwrap();
            assert!(folder.data_stat(&path).is_some(), "{name}");
            assert_eq!(folder.data_file_kind(Path::new("../other.yml")), None);
            assert_eq!(folder.data_file_kind(Path::new("../../_config.yml")), None);
        }
        assert!(Folder::of(directory.path()).data_files_above().is_empty());
    }

    #[test]
    fn files_of_folders_and_articles_by_their_names() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("blog");
        std::fs::create_dir(&root).unwrap();
        let folder = Folder::of(&root);
        for (path, kind) in [
            ("_index.md", DataFileKind::Section),
            ("blog.json", DataFileKind::Folder),
            ("posts/posts.json", DataFileKind::Folder),
            ("posts/posts.11tydata.json", DataFileKind::Folder),
            ("posts/blog.json", DataFileKind::Article),
            ("posts/one.11tydata.json", DataFileKind::Article),
            ("posts/one.meta", DataFileKind::Article),
            ("posts/posts.11tydata.js", DataFileKind::Script),
            ("posts/_data.yml", DataFileKind::Folder),
            ("posts/.meta.yml", DataFileKind::Folder),
            ("_config.yml", DataFileKind::JekyllConfig),
            ("site/hugo.toml", DataFileKind::HugoConfig),
        ] {
            assert_eq!(folder.data_file_kind(Path::new(path)), Some(kind), "{path}");
        }
        for path in [
            "a.md",
            "a.mp3",
            "one.chapters.json",
            "package.json",
            ".git/config.toml",
            "node_modules/a/a.json",
            ".meta",
            "a.png",
            ".json",
        ] {
            assert_eq!(folder.data_file_kind(Path::new(path)), None, "{path}");
        }
        let of_folder = folder.data_files_of_folder(Path::new("posts"));
        for (kind, path) in &of_folder {
            assert_eq!(folder.data_file_kind(path), Some(*kind), "{}", path.display());
        }
        assert_eq!(of_folder[0].1, Path::new("posts/posts.11tydata.json"));
        let of_article = folder.data_files_of_article(Path::new("posts/one.fr.md"));
        for path in &of_article {
            assert_eq!(folder.data_file_kind(path), Some(DataFileKind::Article), "{}", path.display());
        }
        assert!(of_article.contains(&PathBuf::from("posts/one.meta")));
        assert!(folder.articles_of_data_file(Path::new("posts/one.11tydata.json")).contains(&"posts/one.md".into()));
        assert!(!folder.data_files_of_article(Path::new("posts/posts.md")).contains(&"posts/posts.json".into()));
    }
}
