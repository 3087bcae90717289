//! Which files are pages that are no articles, and what the menu says of them.

use std::path::Path;

use super::front_matter::{Field, PageKeys};
use super::problem::Problem;
use super::reading::Article;
use crate::folder::SourceFormat;
use crate::model::entry::SitePage;
use crate::model::site_page::is_own_part;

/// Folders of pages: of Nikola, Pelican and Blot; of Hugo; of Jekyll.
const FOLDERS: [&str; 3] = ["pages", "page", "_pages"];
/// Folders of a generator that hold all texts.
const ROOTS: [&str; 3] = ["content", "source", "src"];
/// Names of files whose pages no menu has.
const UNLISTED: [&str; 1] = ["404"];

/// The page that a file is; `None` if it is an article. The article's own keys take precedence, then those of other files, then its
/// folder. Only texts become pages by it: a recording is an episode wherever it lies.
pub fn page_of(own: PageKeys, of_folder: &PageKeys, path: &Path, format: SourceFormat) -> Option<SitePage> {
    let is_post = path.iter().any(|folder| folder == "_posts");
    let stated = own.is_page(is_post).or_else(|| of_folder.is_page(is_post));
    let by_place =
        matches!(format, SourceFormat::Text | SourceFormat::Markdown | SourceFormat::Html) && is_in_pages(path);
    if !stated.unwrap_or(by_place) {
        return None;
    }
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let in_menu = own.in_menu.or(of_folder.in_menu).unwrap_or(!UNLISTED.contains(&stem));
    Some(SitePage { is_unlisted: !in_menu, name: own.name, order: own.order, ..SitePage::default() })
}

/// Whether a file lies in the top folder of pages, which may be below that of all texts.
pub fn is_in_pages(path: &Path) -> bool {
    folders_of_site(path).next().is_some_and(|folder| is_one_of(&FOLDERS, folder))
}

/// The names of the folders above a file, the outermost first, without that of all texts.
pub fn folders_of_site(path: &Path) -> impl Iterator<Item = &str> {
    let folders = path.parent().unwrap_or(Path::new("")).iter();
    let mut folders = folders.map(|folder| folder.to_str().unwrap_or_default()).peekable();
    folders.next_if(|folder| is_one_of(&ROOTS, folder));
    folders
}

fn is_one_of(names: &[&str], folder: &str) -> bool {
    names.iter().any(|name| folder.eq_ignore_ascii_case(name))
}

/// The problem of a page that asks for an address of the program.
pub fn address_problem(article: &Article) -> Option<Problem> {
    article.page.as_ref()?;
    let slug = article.wished_slug();
    if !is_own_part(&slug) {
        return None;
    }
    let problem = Problem::of_file(format!(
        "no page can be at /{slug}, which is an address of gazetted itself; this one is at another, such as /{slug}-2: state another `slug`"
    ));
    Some(Problem { line: article.sources.get(&Field::Slug).and_then(|source| source.line), ..problem })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::{Rules, Verdict, read};
    use crate::config::Config;

    /// The page that a file with this text is, and its problems.
    fn page(path: &str, text: &str) -> (Option<SitePage>, Vec<String>) {
        let config = Config::default();
        let rules = Rules::new(&config.articles, &config.site);
        let reading = read(text.as_bytes(), Path::new(path), SourceFormat::Markdown, &rules);
        let problems = reading.problems.into_iter().map(|problem| problem.message).collect();
        let Verdict::Publish(article) = reading.verdict else { panic!("{path}: not published") };
        (article.page, problems)
    }

    #[test]
    fn the_folder_of_pages_makes_pages() {
        for path in [
            "pages/about.md",
            "Pages/a/b.md",
            "content/pages/about.md",
            "content/page/about/index.md",
            "source/pages/a.md",
        ] {
            assert!(page(path, "# About\n\nWords").0.is_some(), "{path}");
        }
        for path in ["about.md", "notes/pages/about.md", "pages.md", "news/page/a.md", "content/about.md"] {
            assert_eq!(page(path, "# About\n\nWords").0, None, "{path}");
        }
        assert_eq!(page("pages/a.md", "---\npage: false\n---\n# A\n\nWords").0, None);
        assert_eq!(page("pages/a.md", "---\nlayout: post\n---\n# A\n\nWords").0, None);
        assert!(page("source/about/index.md", "---\nlayout: page\n---\n# A\n\nWords").0.is_some());
        assert_eq!(page("_posts/2024-05-01-a.md", "---\nlayout: page\n---\n# A\n\nWords").0, None);
    }

    #[test]
    fn a_page_without_a_title_is_in_no_menu() {
        let is_unlisted = |path: &str, text: &str| page(path, text).0.unwrap().is_unlisted;
        assert!(!is_unlisted("pages/about.md", "Words"), "its file has a name");
        assert!(is_unlisted("pages/20240501.md", "Words of a note"));
        assert!(is_unlisted("pages/404.md", "# Lost\n\nWords"));
        assert!(!is_unlisted("pages/404.md", "---\nmenu: true\n---\n# Lost\n\nWords"));
        assert!(is_unlisted("pages/about.md", "---\nmenu: false\n---\nWords"));
    }

    #[test]
    fn a_page_at_an_own_address_is_reported() {
        let (_, problems) = page("pages/tags.md", "# Tags\n\nWords");
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("/tags-2"), "{problems:?}");
        let (_, problems) = page("pages/a.md", "---\nslug: Feed\n---\n# Tags\n\nWords");
        assert!(problems[0].starts_with("no page can be at /feed"), "{problems:?}");
        assert_eq!(page("tags.md", "# Tags\n\nWords").1, Vec::<String>::new(), "an article can");
    }

    /// The cells of the table in the section on pages whose first heading is `head`.
    fn documented(head: &str) -> Vec<(String, String)> {
        let paper = include_str!("../../docs/writing.md");
        let section = paper.split("\n## Pages\n").nth(1).unwrap().split("\n## ").next().unwrap();
        let table = section.split(&format!("| {head} |")).nth(1).unwrap().lines().skip(2);
        let rows = table.map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
        rows.map(|(example, effect)| (example.trim_matches('`').to_owned(), effect.to_owned())).collect()
    }

    #[test]
    fn the_documented_examples_do_what_is_said_of_them() {
        let (files, keys) = (documented("file"), documented("key"));
        assert!(files.len() > 3 && keys.len() > 14, "the tables were not found");
        for (file, address) in files {
            let name = file.rsplit('/').find(|part| !part.starts_with("index")).unwrap();
            let name = name.split('.').next().unwrap();
            assert!(page(&file, "# A\n\nWords").0.is_some(), "{file}");
            assert_eq!(address, format!("`/{name}`"), "{file}");
        }
        for (key, effects) in keys {
            let text = format!("---\n{key}\n---\n# A\n\nWords");
            let (elsewhere, in_pages) = (page("a.md", &text).0, page("pages/a.md", &text).0);
            for effect in effects.split(", ") {
                match effect {
                    "a page" => assert!(elsewhere.is_some(), "{key}"),
                    "an article" => assert!(in_pages.is_none(), "{key}"),
                    "not in the menu" => assert!(in_pages.as_ref().unwrap().is_unlisted, "{key}"),
                    "`Us` in the menu" => assert_eq!(in_pages.as_ref().unwrap().name.as_deref(), Some("Us"), "{key}"),
                    "place 3 in the menu" => assert_eq!(in_pages.as_ref().unwrap().order, Some(3_000), "{key}"),
                    other => panic!("{key}: {other}"),
                }
            }
        }
    }
}
