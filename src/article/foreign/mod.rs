//! Texts in other markup -> Markdown: org, gemtext and notebooks.

mod gemtext;
mod markup;
mod notebook;
mod org;

use std::borrow::Cow;
use std::path::Path;

use super::problem::Problem;

/// Converts the text of a file in another markup, which its extension tells. Other texts are returned unchanged.
///
/// # Errors
/// The file is not what its extension says.
pub fn as_markdown<'a>(text: &'a str, path: &Path) -> Result<Cow<'a, str>, Problem> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "org" => Ok(org::as_markdown(text).into()),
        "gmi" | "gemini" => Ok(gemtext::as_markdown(text).into()),
        "ipynb" => notebook::as_markdown(text).map(Cow::Owned),
        _ => Ok(Cow::Borrowed(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides() {
        let markdown = |text: &str, path: &str| as_markdown(text, Path::new(path)).map(Cow::into_owned);
        assert_eq!(markdown("* A\n", "a.md").as_deref(), Ok("* A\n"));
        assert_eq!(markdown("* A\n", "a.ORG").as_deref(), Ok("# A\n"));
        assert_eq!(markdown("=> https://a.example/ A\n", "a.gmi").as_deref(), Ok("[A](<https://a.example/>)\n\n"));
        assert!(markdown("{", "a.ipynb").is_err());
    }
}
