use std::fs;

use super::*;

const SVG: &str =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\"><rect width=\"8\" height=\"8\"/></svg>";

/// A configuration file beside a folder of articles.
struct Setting {
    directory: tempfile::TempDir,
}

impl Setting {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("articles/images")).unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        Self { directory }
    }

    fn load(&self, configuration: &str) -> anyhow::Result<Site> {
        let name = self.directory.path().join("gazetted.toml");
        let mut config = Config::parse(configuration, &name.display().to_string()).unwrap();
        config.articles.directory = self.directory.path().join("articles");
        let folder = Folder::open(&config.articles).unwrap();
        Site::load(&config, &folder, "https://example.org/")
    }

    fn error(&self, configuration: &str) -> String {
        format!("{:#}", self.load(configuration).expect_err("must be refused"))
    }
}

#[test]
fn the_configuration_takes_precedence_key_by_key() {
    let settings =
        "title = \"Of the writer\"\nlanguage = \"de\"\nicon = \"images/i.svg\"\nfooter = \"[About](about)\"\n";
    let setting = Setting::new(&[("articles/_site.toml", settings), ("articles/images/i.svg", SVG), ("own.svg", SVG)]);
    let site = setting.load("").unwrap();
    assert_eq!((site.config.title.as_str(), site.config.language.as_str()), ("Of the writer", "de"));
    assert!(site.look.icon.is_some() && site.problems.is_empty(), "{:?}", site.problems);
    assert_eq!(site.look.footer.replace(" rel=\"nofollow\"", ""), "<a href=\"https://example.org/about\">About</a>");
    // A key that states the default counts as well.
    let site = setting.load("[site]\nlanguage = \"en\"\nicon = \"own.svg\"\n").unwrap();
    assert_eq!((site.config.title.as_str(), site.config.language.as_str()), ("Of the writer", "en"));
    assert_eq!(site.overruled, ["icon", "language"]);
    assert!(!site.stats.iter().any(|(path, _)| path.ends_with("i.svg")), "it is not read");
}

#[test]
fn an_unusable_file_of_the_configuration_is_an_error_with_its_line() {
    let setting =
        Setting::new(&[("text.svg", "no picture"), ("import.css", "a {}\n@import 'b.css';\n"), ("i.svg", SVG)]);
    for (configuration, expected) in [
        ("[site]\nicon = \"none.svg\"", "gazetted.toml:2: site.icon: "),
        ("[site]\n\nlogo = \"text.svg\"", "gazetted.toml:3: site.logo: text.svg: not a picture of a form"),
        ("[site]\nstyle = \"import.css\"", "gazetted.toml:2: site.style: import.css:2: `@import` loads nothing"),
        ("[site]\nstyle = \"articles\"", "not a regular file"),
        ("[site]\nicon = [\"i.svg\", \"i.svg\"]", "two pictures of one form"),
    ] {
        let error = setting.error(configuration);
        assert!(error.contains(expected), "{configuration}: {error}");
    }
    let missing = setting.error("[site]\nicon = \"none.svg\"");
    assert!(missing.contains("none.svg: cannot read it: No such file"), "{missing}");
}

#[test]
fn paths_of_a_writer_stay_in_the_folder() {
    for name in ["../out.svg", "/etc/passwd", "images/../../out.svg", "link.svg", "none.svg", "images"] {
        let setting =
            Setting::new(&[("articles/_site.toml", &format!("title = \"T\"\nicon = \"{name}\"\n")), ("out.svg", SVG)]);
        std::os::unix::fs::symlink("../out.svg", setting.directory.path().join("articles/link.svg")).unwrap();
        let site = setting.load("").unwrap();
        assert!(site.look.icon.is_none(), "{name}");
        assert_eq!(site.config.title, "T", "the other keys count");
        let problems: Vec<String> = site.problems.iter().map(ToString::to_string).collect();
        assert!(problems.len() == 1 && problems[0].starts_with("2: icon: "), "{name}: {problems:?}");
    }
}

#[test]
fn large_files_are_refused() {
    let setting = Setting::new(&[("large.css", &" ".repeat((256 << 10) + 1))]);
    assert!(setting.error("[site]\nstyle = \"large.css\"").contains("262145 bytes are too many"));
}
