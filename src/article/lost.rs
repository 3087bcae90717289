//! Links and pictures of an article that lead nowhere on this site, for its writer. Readers see a picture that does not load, or a page that
//! does not exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use url::Url;

use super::address::Addresses;
use super::front_matter::{self, Field};
use super::html;
use super::problem::Problem;
use super::reading::Article;
use crate::folder::media::media_type;
use crate::folder::{SourceFormat, hides_media};
use crate::model::entry::Media;
use crate::model::text::path_line;

/// Maximum number of problems of one article; the last one says how many there are. `check --all` has no such limit.
pub const MAX_LOST: usize = 5;

/// A link or a picture that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lost {
    /// The file at a path below the watched folder.
    File(PathBuf),
    /// An address of this site, as the article writes it.
    Page(String),
}

/// All that is lost of an article: of the links that mean no article, and the files that are not there. In a page that was saved from another
/// site, such links lead to that site.
pub fn of_article(
    pages: BTreeSet<Lost>,
    unsafe_html: &str,
    safe_html: &str,
    addresses: &Addresses<'_>,
) -> BTreeSet<Lost> {
    let pages = pages.into_iter().filter(|_| !html::has_base(unsafe_html));
    pages.chain(files(safe_html, addresses)).collect()
}

/// Finds the files of the watched folder that safe HTML names and that are not there, each once.
pub fn files(safe_html: &str, addresses: &Addresses<'_>) -> Vec<Lost> {
    let mut lost: Vec<Lost> = Vec::new();
    // Most articles name nothing of their own site.
    if !safe_html.contains(addresses.base_url) {
        return lost;
    }
    for address in html::addresses(safe_html) {
        let Some(below) = address.strip_prefix(addresses.base_url) else { continue };
        let path = if let Some(path) = addresses.media_path(&address) {
            Some(path).filter(|path| !(addresses.is_there)(path))
        } else {
            // A slash at the start means the root of the site, where no such file is.
            let path = below.split(['?', '#']).next().unwrap_or_default();
            media_type(Path::new(path)).filter(|_| !OWN_FILES.contains(&path)).map(|_| PathBuf::from(path))
        };
        let file = path.map(Lost::File).filter(|file| !lost.contains(file));
        lost.extend(file);
    }
    lost
}

/// Files that the site itself has at its root.
const OWN_FILES: [&str; 2] = ["icon.svg", "feed.json"];

/// The problem of an article whose front matter names a file of the folder that is not there.
pub fn missing(article: &Article, field: Field, path: &Path) -> Problem {
    article.problem_with(field, &format!("there is no {}; it is shown once the file is there", path_line(path)))
}

/// The problem of an article whose front matter names a transcript or chapters that are not served. `text` is its file.
pub fn unserved(name: &str, text: &str) -> Problem {
    let advice = "name a .vtt, a .srt or a .chapters.json that is there, or a whole address";
    Problem::new(line_of(text, name), format!("`{name}` is no file that is served; {advice}"))
}

/// The problems of an article with files that its front matter names and that are not there. `text` is its file.
pub fn named_files(article: &Article, text: &str, addresses: &Addresses<'_>) -> Vec<Problem> {
    let is_missing = |media: &Media| addresses.file(&media.url).filter(|path| !(addresses.is_there)(path));
    let stated = article.image.iter().map(|image| (Field::Image, image));
    let stated = stated.chain(article.enclosures.iter().map(|media| (Field::Enclosures, media)));
    let mut problems: Vec<Problem> =
        stated.filter_map(|(field, media)| Some(missing(article, field, &is_missing(media)?))).collect();
    let documents = article.episode.iter().flat_map(|episode| episode.transcripts.iter().chain(&episode.chapters));
    let is_unserved = |media: &&Media| {
        let is_own = Url::parse(media.url.trim()).is_err();
        is_own && addresses.file(&media.url).is_none_or(|path| !(addresses.is_there)(&path))
    };
    problems.extend(documents.filter(is_unserved).map(|media| unserved(&media.url, text)));
    problems
}

/// Whether most links of an article lead to the site that it was saved from: it is a page without front matter.
pub fn is_saved_page(text: &str, format: SourceFormat) -> bool {
    format == SourceFormat::Html && !front_matter::has_any(text, format)
}

/// The problems of an article with lost links. `text` is its file, `near` returns the path of the nearest file that may have been meant.
/// Of more than `most`, the last one says how many there are.
pub fn problems(lost: &[Lost], text: &str, most: usize, near: impl Fn(&Path) -> Option<PathBuf>) -> Vec<Problem> {
    let one = |lost: &Lost| match lost {
        Lost::File(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let hint = || near(path).map(|near| format!("; did you mean {}?", path_line(&near))).unwrap_or_default();
            let hidden = path.iter().find(|name| hides_media(name)).map(|name| path_line(Path::new(name)));
            let message = match hidden {
                Some(hidden) => format!(
                    "{name} is not served: `{hidden}` is a name for hidden, temporary or generated files; move the file, or rename that"
                ),
                None => format!("there is no file {}{}", path_line(path), hint()),
            };
            (name, message)
        }
        Lost::Page(link) => (link.clone(), format!("`{link}`: nothing on this site has this address")),
    };
    let found = lost.iter().take(most).map(|lost| {
        let (needle, message) = one(lost);
        Problem::intended(line_of(text, &needle), message)
    });
    let mut problems: Vec<Problem> = found.collect();
    problems.sort_by_key(|problem| problem.line);
    if let Some(last) = problems.last_mut().filter(|_| lost.len() > most) {
        last.message.push_str(&format!("; and {} more in this article", lost.len() - most));
    }
    problems
}

/// The first line of a text with a name, which may be percent-encoded there.
pub fn line_of(text: &str, name: &str) -> Option<usize> {
    let at = text.find(name).or_else(|| text.find(&super::address::encoded(Path::new(name))))?;
    Some(1 + text[..at].matches('\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_link_is_named_with_its_line() {
        let hidden = Lost::File("articles/_private/c.png".into());
        let message = "1: c.png is not served: `_private` is a name for hidden, temporary or generated files; move the file, or rename that";
        assert_eq!(super::problems(&[hidden], "![](_private/c.png)", MAX_LOST, |_| None)[0].to_string(), message);
        let lost = [Lost::File("pics/a b.png".into()), Lost::Page("/old/".into())];
        let near = |path: &Path| Some(path.with_file_name("a-b.png"));
        let problems = problems(&lost, "# A\n\n![](pics/a%20b.png)\n[x](/old/)", MAX_LOST, near);
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "3: there is no file pics/a b.png; did you mean pics/a-b.png?",
                "4: `/old/`: nothing on this site has this address"
            ]
        );
        assert!(problems.iter().all(|problem| problem.is_remark));
    }

    #[test]
    fn links_of_a_saved_page_lead_to_its_site() {
        let permalink = url::Url::parse("https://site.example/articles/a").unwrap();
        let addresses = Addresses { base_url: "https://site.example/", ..Addresses::of_page(&permalink) };
        let pages = BTreeSet::from([Lost::Page("/old/".into())]);
        let safe = "<p><img src=\"https://site.example/media/a.png\"></p>";
        let lost = |html: &str| of_article(pages.clone(), html, safe, &addresses).into_iter().collect::<Vec<_>>();
        let file = Lost::File("a.png".into());
        assert_eq!(lost("<p>"), [file.clone(), Lost::Page("/old/".into())]);
        assert_eq!(lost("<base href=\"https://tide.example/\"><p>"), [file]);
    }

    #[test]
    fn many_lost_links_are_counted() {
        let lost: Vec<Lost> = (0..9).map(|number| Lost::Page(format!("/{number}/"))).collect();
        assert_eq!(super::problems(&lost, "", usize::MAX, |_| None).len(), 9);
        let problems = problems(&lost, "", MAX_LOST, |_| None);
        assert_eq!(problems.len(), MAX_LOST);
        assert!(problems[4].message.ends_with("; and 4 more in this article"), "{problems:?}");
    }
}
