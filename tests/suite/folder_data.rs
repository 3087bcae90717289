//! Files that say something of the articles beneath or beside them, as site generators read them: what they keep from the public, and the keys
//! that articles have from them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::command_line::gazetted;
use crate::site::Site;
use crate::waiting::PATIENCE;
use crate::withheld::{assert_shown_nowhere, explain, run};

/// Reads the documents of a site all the time, and notes whether one of them ever contained a text.
struct Witness {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<(usize, bool)>,
}

impl Witness {
    fn of(address: SocketAddr, secret: &'static str) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let is_ended = Arc::clone(&ended);
        let watch = move || {
            let (mut count, mut has_seen) = (0, false);
            while !is_ended.load(Ordering::Relaxed) {
                for path in ["/feed.json", "/", "/rss.xml"] {
                    let Ok(mut stream) = TcpStream::connect(address) else { continue };
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    let request = format!("GET {path} HTTP/1.1\r\nHost: gazette.example\r\nConnection: close\r\n\r\n");
                    let mut answer = Vec::new();
                    if stream.write_all(request.as_bytes()).is_ok() && stream.read_to_end(&mut answer).is_ok() {
                        count += 1;
                        has_seen |= answer.windows(secret.len()).any(|part| part == secret.as_bytes());
                    }
                }
            }
            (count, has_seen)
        };
        Self { ended, thread: std::thread::spawn(watch) }
    }

    /// Ends it. Returns whether it has seen the text.
    fn has_seen(self) -> bool {
        self.ended.store(true, Ordering::Relaxed);
        let (count, has_seen) = self.thread.join().unwrap();
        assert!(count > 0, "the witness is blind");
        has_seen
    }
}

/// A file with data, its text, an article that it holds, and what `explain` says: the place and the key.
type Hold = (&'static str, &'static str, &'static str, &'static str);

const HOLDS: [Hold; 58] = [
    // Hugo.
    ("_index.md", "---\ntitle: S\ncascade:\n  draft: true\n---\n", "a.md", "_index.md, line 4"),
    ("_index.md", "---\ncascade:\n- _target:\n    kind: page\n  draft: true\n---\n", "a.md", "_index.md, line 5"),
    (
        "_index.md",
        "---\ncascade:\n- target: {path: '/x/**'}\n  draft: true\n- build:\n    list: never\n---\n",
        "a.md",
        "_index.md, line 5",
    ),
    (
        "_index.md",
        "+++\n[[cascade]]\n  draft = true\n  [cascade._target]\n  path = '/**'\n+++\n",
        "deep/a.md",
        "_index.md, line 3",
    ),
    ("_index.md", "+++\n[cascade._build]\nrender = 'never'\n+++\n", "a.md", "_index.md, line 2"),
    ("_index.md", "---\ncascade:\n  params:\n    private: true\n---\n", "a.txt", "_index.md, line 3"),
    ("_index.html", "---\ncascade: {draft: true}\n---\n<p>x</p>", "a.md", "_index.html, line 2"),
    ("_index.md", "---\ncascade:\n  expiryDate: 2001-01-01\n  password: x\n---\n", "a.html", "_index.md, line 4"),
    ("hugo.toml", "title = 'x'\n[[cascade]]\ndraft = true\n", "content/a.md", "hugo.toml, line 3"),
    ("config.yaml", "cascade:\n  private: true\n", "content/posts/a.md", "config.yaml, line 2"),
    // Zola.
    ("_index.md", "+++\ntitle = 'S'\ndraft = true\n+++\n", "deep/er/a.md", "_index.md, line 3"),
    ("_index.md", "---\nprivate: true\n---\n", "a.md", "_index.md, line 2"),
    ("_index.md", "---\npassword: x\n---\n", "a.md", "_index.md, line 2"),
    ("_index.md", "---\nstatus: draft\n---\n", "a.mp3", "_index.md, line 2"),
    // Eleventy.
    ("posts/posts.json", "{\n  \"draft\": true\n}", "posts/a.md", "posts.json, line 2"),
    ("posts/posts.json", "{\"tags\": \"x\", \"permalink\": false}", "posts/deep/a.md", "posts.json, line 1"),
    ("posts/posts.json", "{\n\"eleventyExcludeFromCollections\": true}", "posts/a.html", "posts.json, line 2"),
    ("posts/posts.11tydata.json", "{\n\n  \"draft\": true\n}", "posts/a.md", "posts.11tydata.json, line 3"),
    ("posts/posts.11tydata.yaml", "draft: yes\n", "posts/a.md", "posts.11tydata.yaml, line 1"),
    ("posts/posts.json", "{\"private\": true}", "posts/a/index.md", "posts.json, line 1"),
    ("a.11tydata.json", "{\"draft\": true}", "a.md", "a.11tydata.json, line 1"),
    ("a.json", "{\n\"permalink\": false\n}", "a.md", "a.json, line 2"),
    ("a.json", "{\"eleventyExcludeFromCollections\": true}", "a.html", "a.json, line 1"),
    // Lume.
    ("_data.yml", "draft: true\n", "a.md", "_data.yml, line 1"),
    ("_data.yaml", "x: y\nunlisted: true\n", "deep/a.md", "_data.yaml, line 2"),
    ("_data.json", "{\"url\": false}", "a.md", "_data.json, line 1"),
    // Bridgetown and Statiq.
    ("_defaults.yml", "published: false\n", "a.md", "_defaults.yml, line 1"),
    ("_directory.yml", "draft: true\n", "a.md", "_directory.yml, line 1"),
    // Material for MkDocs.
    (".meta.yml", "draft: true\n", "a.md", ".meta.yml, line 1"),
    (".meta.yml", "tags: [x]\n\ndraft: true\n", "deep/a.md", ".meta.yml, line 3"),
    // Nikola.
    ("a.meta", ".. title: T\n.. status: draft\n", "a.md", "a.meta, line 2"),
    ("a.meta", ".. status: private\n", "a.html", "a.meta, line 1"),
    ("a.meta", "---\ntitle: T\nstatus: draft\n---\n", "a.md", "a.meta, line 3"),
    ("a.meta", "+++\ntitle = 'T'\nstatus = 'draft'\n+++\n", "a.txt", "a.meta, line 3"),
    ("a.fr.meta", ".. status: draft\n", "a.fr.md", "a.fr.meta, line 1"),
    ("a.meta", ".. password: x\n", "a.fr.md", "a.meta, line 1"),
    ("a.meta", ".. title: T\n.. tags: a, draft\n", "a.md", "a.meta, line 2"),
    ("a.meta", "T\na\n2024-05-01\na, private\n", "a.md", "a.meta, line 4"),
    ("_index.md", "---\ntitle: S\ndarft: true\n---\n", "a.md", "_index.md, line 3"),
    // Jekyll.
    (
        "_config.yml",
        "title: x\ndefaults:\n- scope:\n    path: ''\n  values:\n    published: false\n",
        "_posts/2024-05-01-a.md",
        "_config.yml, line 6",
    ),
    (
        "_config.yml",
        "defaults:\n- scope: {path: '', type: posts}\n  values: {published: false}\n",
        "_posts/2024-05-01-a.md",
        "_config.yml, line",
    ),
    (
        "_config.yml",
        "defaults:\n- scope: {path: secret}\n  values:\n    draft: true\n",
        "secret/a.md",
        "_config.yml, line 4",
    ),
    (
        "_config.yml",
        "defaults:\n- scope: {path: ''}\n  values:\n    draft: false\n- scope: {path: secret}\n  values:\n    draft: true\n",
        "secret/a.md",
        "_config.yml, line 7",
    ),
    (
        "_config.yml",
        "defaults:\n- scope: {path: 'a*/b'}\n  values:\n    published: false\n",
        "ax/b/a.md",
        "_config.yml, line 4",
    ),
    ("_config.yml", "title: x\nexclude:\n  - vendor/\n  - private\n", "private/a.md", "_config.yml, line 2"),
    // Eleventy, Quarto, MkDocs, Hugo, Zola: lists of files.
    (".eleventyignore", "# mine\nposts/private\n", "posts/private/a.md", ".eleventyignore, line 1"),
    ("_metadata.yml", "author: Ann\ndraft: true\n", "deep/a.md", "_metadata.yml, line 2"),
    ("_quarto.yml", "project:\n  type: website\nwebsite:\n  drafts: [a.md, b.md]\n", "a.md", "_quarto.yml, line 4"),
    ("_quarto.yml", "project:\n  render:\n    - '*.md'\n    - '!private/'\n", "private/a.md", "_quarto.yml, line 2"),
    (
        "mkdocs.yml",
        "x: !!python/name:y\nstatus: hidden\nexclude_docs: |\n  *.png\n  private.md\n",
        "docs/deep/private.md",
        "mkdocs.yml, line 3",
    ),
    ("mkdocs.yml", "docs_dir: texts\ndraft_docs: |\n  _b/\n  /a*.md\n", "texts/a.md", "mkdocs.yml, line 2"),
    (
        "hugo.toml",
        "title = 'x'\nignoreFiles = ['\\.Rmd$', '/priv[a-z]+/']\n",
        "content/private/a.md",
        "hugo.toml, line 2",
    ),
    ("config.toml", "ignored_content = ['*.xlsx', 'private/*']\n", "content/private/a.md", "config.toml, line 1"),
    ("config.toml", "base_url = 'https://a.example'\n", "archetypes/a.md", "`archetypes`"),
    ("config.yaml", "baseURL: https://a.example\n", "themes/x/exampleSite/content/a.md", "`themes`"),
    // Other kinds of articles.
    ("posts/posts.json", "{\"draft\": true}", "posts/2024/a.org", "posts.json, line 1"),
    ("_index.md", "---\ncascade: {draft: true}\n---\n", "_posts/2024-05-01-a.md", "_index.md, line 2"),
    ("_data.yml", "draft: true\n", "a.ipynb", "_data.yml, line 1"),
];

fn secret_article(name: &str) -> String {
    match name.rsplit('.').next().unwrap() {
        "ipynb" => "{\"cells\": [{\"cell_type\": \"markdown\", \"source\": [\"# Secret\\n\", \"\\n\", \"Secret text\"]}], \"nbformat\": 4, \"metadata\": {}}".to_owned(),
        "html" => "<title>Secret</title><h1>Secret</h1><p>Secret text</p>".to_owned(),
        "org" => "#+TITLE: Secret\n\nSecret text".to_owned(),
        "mp3" => "ID3 Secret".to_owned(),
        "txt" => "Secret\n\nSecret text".to_owned(),
        _ => "---\ntitle: Secret\ndate: 2024-05-01\n---\nSecret text".to_owned(),
    }
}

/// Every case in a folder of its own.
fn write_holds(site: &Site, top: &str) -> Vec<(String, &'static str)> {
    let mut articles = Vec::new();
    for (number, (data, text, article, place)) in HOLDS.into_iter().enumerate() {
        site.write(&format!("{top}/c{number}/{data}"), text);
        let article = format!("{top}/c{number}/{article}");
        site.write(&article, format!("{}\n", secret_article(&article)));
        articles.push((article, place));
    }
    articles
}

#[test]
fn what_data_keeps_from_the_public_is_never_shown() {
    for (number, (data, _, article, _)) in HOLDS.into_iter().enumerate() {
        // Without the data, each is an article.
        let site = tempfile::tempdir().unwrap();
        let path = site.path().join("seeds").join(article);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, secret_article(article)).unwrap();
        let (_, text, errors) = run(gazetted().current_dir(site.path()).args(["check", "seeds"]));
        assert!(errors.contains("files read: 1, drafts: 0, problems: 0"), "{number} {data} {article}: {text}{errors}");
    }
    let mut site = Site::new();
    let mut articles = write_holds(&site, "first");
    // So many that the heads are read first.
    for number in 0..220 {
        site.write(
            &format!("plain/p{number}.md"),
            format!("---\ntitle: Plain {number}\ndate: 2020-01-01\n---\nText {number}"),
        );
    }
    site.start_serving();
    let witness = Witness::of(site.address(), "Secret");
    site.wait_until("the articles are served", |site| !site.titles().is_empty());
    site.settle();
    articles.extend(write_holds(&site, "second"));
    site.write("after.md", "# After\n\nText");
    site.wait_until("what came while running is served", |site| site.titles().contains(&"After".to_owned()));
    site.settle();
    assert!(!witness.has_seen(), "a document had the text");
    for (article, place) in &articles {
        let text = explain(&site, article);
        assert!(text.contains(place), "{article}: {text}");
    }
    assert_shown_nowhere(&site, "Secret");
    site.stop();
    site.start_serving();
    let witness = Witness::of(site.address(), "Secret");
    site.write("again.md", "# Again\n\nText");
    site.wait_until("the start is over", |site| site.titles().contains(&"Again".to_owned()));
    assert!(!witness.has_seen(), "a document had the text after a restart");
}

#[test]
fn data_that_comes_later_withdraws_articles_and_gives_them_back() {
    let mut site = Site::configured("[feed]\nentries = 100");
    for (number, (_, _, article, _)) in HOLDS.into_iter().enumerate() {
        if !article.contains(".mp3") {
            site.write(
                &format!("c{number}/{article}"),
                secret_article(article).replace("Secret", &format!("Case {number}")),
            );
        }
    }
    site.write("stays.md", "# Stays\n\nText");
    site.start();
    let all: Vec<String> = site.titles();
    let is_case = |title: &str| title.starts_with("Case ");
    let cases = all.iter().filter(|title| is_case(title)).count();
    assert_eq!(cases, HOLDS.len() - 1, "{all:?}");
    let identity = |site: &Site, title: &str| ["id", "url"].map(|field| site.entry(title)[field].clone());
    let before = identity(&site, "Case 0");
    for (number, (data, text, ..)) in HOLDS.into_iter().enumerate() {
        site.write(&format!("c{number}/{data}"), text);
    }
    site.wait_until("all are withdrawn", |site| !site.titles().iter().any(|title| is_case(title)));
    assert_shown_nowhere(&site, "Case ");
    assert!(site.titles().contains(&"Stays".to_owned()));
    site.restart();
    site.settle();
    assert_shown_nowhere(&site, "Case ");
    for (number, (data, ..)) in HOLDS.into_iter().enumerate() {
        // One way or the other: it is gone, or says nothing any more.
        if number % 2 == 0 {
            site.remove(&format!("c{number}/{data}"));
        } else {
            site.write(&format!("c{number}/{data}"), if data.ends_with("json") { "{}" } else { "" });
        }
    }
    site.wait_until("all are back", |site| {
        site.titles().iter().filter(|title| is_case(title)).count() == HOLDS.len() - 1
    });
    assert_eq!(identity(&site, "Case 0"), before);
}

#[test]
fn a_change_of_data_while_the_daemon_is_down_counts_at_the_next_start() {
    let mut site = Site::new();
    for number in 0..250 {
        site.write(&format!("posts/p{number}.md"), format!("# Post {number}\n\nText {number}"));
    }
    site.write("stays.md", "# Stays\n\nText");
    site.start();
    assert!(site.get("/articles/p7").status == 200);
    site.stop();
    site.write("posts/posts.json", "{\"draft\": true}");
    site.write("posts/new.md", "# Post that is new\n\nText");
    site.start_serving();
    let witness = Witness::of(site.address(), "Post that is new");
    site.wait_until("they are withdrawn", |site| !site.titles().iter().any(|title| title.starts_with("Post ")));
    assert_eq!(site.get("/articles/p7").status, 404);
    assert!(!witness.has_seen());
    site.stop();
    site.remove("posts/posts.json");
    site.start();
    site.wait_until("they are back", |site| site.titles().iter().any(|title| title.starts_with("Post ")));
    site.wait_until("all of them", |site| {
        (0..250).all(|number| site.get(&format!("/articles/p{number}")).status == 200)
    });
    // While it runs, in one step for all.
    site.write("posts/_index.md", "---\ncascade:\n  draft: true\n---\n");
    site.wait_until("they are withdrawn", |site| {
        (0..250).all(|number| site.get(&format!("/articles/p{number}")).status == 404)
    });
    assert!(site.titles().contains(&"Stays".to_owned()));
}

#[test]
fn a_folder_that_comes_with_its_data_is_never_shown() {
    let mut site = Site::started();
    site.write("stays.md", "# Stays\n\nText");
    site.wait_for(&["Stays"]);
    let outside = tempfile::tempdir_in(site.root().parent().unwrap()).unwrap();
    let witness = Witness::of(site.address(), "Secret");
    for round in 0..4 {
        let folder = outside.path().join("posts");
        std::fs::create_dir_all(folder.join("deep")).unwrap();
        std::fs::write(folder.join("deep/a.md"), "# Secret\n\nText").unwrap();
        std::fs::write(folder.join("b.md"), "# Secret too\n\nText").unwrap();
        std::fs::write(folder.join("zz.md"), "# Secret as well\n\nText").unwrap();
        std::fs::write(folder.join("posts.json"), "{\"draft\": true}").unwrap();
        std::fs::create_dir_all(site.path(&format!("r{round}"))).unwrap();
        std::fs::rename(&folder, site.path(&format!("r{round}/posts"))).unwrap();
        site.settle();
        // By hand, the data first.
        site.write(&format!("w{round}/_data.yml"), "draft: true");
        site.write(&format!("w{round}/a.md"), "# Secret by hand\n\nText");
        // By a program that replaces each file.
        site.write(&format!("w{round}/.next"), "draft: true\ntags: [x]");
        site.rename(&format!("w{round}/.next"), &format!("w{round}/_data.yml"));
        site.write(&format!("w{round}/b.md"), "# Secret by hand, too\n\nText");
    }
    site.write("last.md", "# Last\n\nText");
    site.wait_for(&["Barrier", "Last", "Stays"]);
    assert!(!witness.has_seen());
}

#[test]
fn a_move_into_a_folder_with_data_withdraws_an_article() {
    let mut site = Site::new();
    site.write("secret/_index.md", "---\ncascade: {draft: true}\n---\n");
    site.write("open/a.md", "# First\n\nText");
    site.write("other/b.md", "# Second\n\nText");
    site.write("y/y.txt", "Third\n\nText");
    site.start();
    site.wait_for(&["First", "Second", "Third"]);
    let id = site.entry("First")["id"].clone();
    site.rename("open/a.md", "secret/a.md");
    site.rename("other", "secret/other");
    site.wait_for(&["Third"]);
    assert_eq!((site.get("/articles/a").status, site.get("/articles/b").status), (404, 404));
    site.rename("secret/a.md", "open/a.md");
    site.wait_for(&["First", "Third"]);
    assert_eq!(site.entry("First")["id"], id);
    // The name of a folder decides whose data a file is.
    site.write("y/z.json", "{\"draft\": true}");
    site.settle();
    site.wait_for(&["Barrier", "First", "Third"]);
    site.rename("y", "z");
    site.wait_for(&["Barrier", "First"]);
    site.rename("z", "y");
    site.wait_for(&["Barrier", "First", "Third"]);
}

#[test]
fn the_own_key_of_an_article_wins_and_then_the_nearest_file() {
    let mut site = Site::new();
    site.write("_index.md", "---\nlanguage: de\ncascade:\n  author: Root\n  tags: [root]\n  draft: true\n---\n");
    site.write("posts/posts.json", "{\n  \"draft\": false,\n  \"author\": \"Near\",\n  \"date\": \"2024-05-01\",\n  \"title\": \"All the same\"\n}");
    site.write("posts/a.md", "# One\n\nText");
    site.write("posts/2023-01-02-b.md", "---\nauthor: Own\ntags: [own]\nlang: fr\n---\n# Two\n\nText");
    site.write("posts/c.md", "---\ndraft: false\n---\n# Three\n\nText");
    site.write("posts/c.meta", ".. title: From beside\n.. slug: beside\n.. tags: beside\n.. date: 2022-02-02\n");
    site.write("d.md", "---\ndraft: false\n---\n# Four\n\nText");
    site.write("e.md", "# Five\n\nText");
    site.start();
    site.wait_for(&["One", "Two", "From beside", "Four"]);
    let facts = |title: &str| {
        let entry = site.entry(title);
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let date = text(&entry["date_published"]);
        (text(&entry["authors"][0]["name"]), entry["tags"].to_string(), date[..10].to_owned(), text(&entry["language"]))
    };
    let expected = |author: &str, tags: &str, date: &str, language: &str| {
        (author.to_owned(), tags.to_owned(), date.to_owned(), language.to_owned())
    };
    assert_eq!(facts("One"), expected("Near", "[\"root\"]", "2024-05-01", "de"));
    assert_eq!(facts("Two"), expected("Own", "[\"own\"]", "2023-01-02", "fr"));
    assert_eq!(facts("From beside"), expected("Near", "[\"beside\"]", "2022-02-02", "de"));
    assert_eq!(site.get("/articles/beside").status, 200);
    let (_, text, _) = run(&mut explain_command(&site, "posts/a.md"));
    for line in [
        "Near  (posts/posts.json, line 3: `author`)",
        "root  (_index.md, line 5: `tags`)",
        "de  (_index.md, line 2: `language`)",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // A change reaches the articles, which do not count as updated.
    let modified = site.entry("One")["date_modified"].clone();
    site.write("posts/posts.json", "{\"draft\": false, \"author\": \"Nearer\", \"date\": \"2024-05-01\"}");
    site.wait_until("the author has changed", |site| site.entry("One")["authors"][0]["name"] == "Nearer");
    assert_eq!(site.entry("One")["date_modified"], modified);
}

fn explain_command(site: &Site, name: &str) -> Command {
    let mut command = gazetted();
    command
        .arg("explain")
        .arg(site.path(name))
        .arg("--state")
        .arg(site.state())
        .arg("--config")
        .arg(site.config_file());
    command
}

#[test]
fn what_concerns_only_the_folder_itself_holds_no_article() {
    let mut site = Site::new();
    for (number, (name, text)) in [
        ("_index.md", "---\nhidden: true\nbuild: {render: never, list: never}\n---\n"),
        ("_index.md", "+++\nrender = false\nredirect_to = '/x'\n+++\n"),
        ("_index.md", "---\ncascade:\n  _target: {kind: section}\n  draft: true\n---\n"),
        ("_index.md", "---\ncascade:\n  _target: {lang: fr}\n  draft: true\n---\n"),
        ("_index.md", "---\ncascade:\n  _target: {environment: staging}\n  draft: true\n---\n"),
        ("_index.md", "---\nstatus: published\ndraft: false\n---\n"),
        ("_data.yml", "status: green\nposts: [draft]\nperson: {draft: no}\n"),
        ("other.json", "{\"draft\": true}"),
        ("a.en.json", "[{\"draft\": true}]"),
        ("other.meta", ".. status: draft\n"),
        ("_config.yml", "published: false\ndefaults:\n- scope: {path: other}\n  values: {published: false}\n"),
        ("config.toml", "draft = true\n"),
        ("posts/posts.json", "{\"draft\": true}"),
    ]
    .into_iter()
    .enumerate()
    {
        site.write(&format!("c{number}/{name}"), text);
        site.write(&format!("c{number}/a.en.md"), format!("# Public {number}\n\nText"));
    }
    site.start();
    let titles: Vec<String> = (0..13).map(|number| format!("Public {number}")).collect();
    site.wait_for(&titles.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn data_that_cannot_be_read_holds_new_articles_and_withdraws_none() {
    let mut site = Site::started();
    site.write("posts/a.md", "# Public\n\nText");
    site.wait_for(&["Public"]);
    site.write("posts/posts.json", "{\"draft\": true,,}");
    site.write("posts/b.md", "# Secret\n\nText");
    site.settle();
    site.wait_for(&["Barrier", "Public"]);
    let text = explain(&site, "posts/b.md");
    assert!(text.contains("posts/posts.json cannot be read and may say that this is not public"), "{text}");
    let (code, text, _) = run(gazetted().arg("check").arg(site.root()));
    assert_eq!(code, Some(1));
    assert!(text.contains("posts/posts.json:1: data of articles that cannot be read: not JSON"), "{text}");
    site.write("posts/posts.json", "{\"draft\": false}");
    site.wait_for(&["Barrier", "Public", "Secret"]);
    // A text in Hugo's content is a part of the page beside it as soon as there is one.
    site.write("hugo/hugo.toml", "title = 'x'");
    site.write("hugo/content/one/notes.md", "# Notes\n\nText");
    site.wait_for(&["Barrier", "Notes", "Public", "Secret"]);
    site.write("hugo/content/one/index.md", "# One\n\nText of one");
    site.wait_for(&["Barrier", "One", "Public", "Secret"]);
}

#[test]
fn scripts_and_holds_are_told_once() {
    let mut site = Site::new();
    for number in 0..5 {
        site.write(&format!("posts/a{number}.md"), format!("# Secret {number}\n\nText"));
        site.write(&format!("open/a{number}.md"), format!("# Open {number}\n\nText"));
    }
    site.write("posts/posts.json", "{\n\"draft\": true}");
    site.write("open/open.11tydata.js", "module.exports = {}");
    site.write("open/_data.ts", "export default {}");
    site.write("open/a0.11tydata.mjs", "export default {}");
    let (_, text, errors) = run(gazetted().arg("check").arg(site.root()));
    for name in ["open/open.11tydata.js", "open/_data.ts", "open/a0.11tydata.mjs"] {
        assert_eq!(text.matches(&format!("{name}:1: a script cannot be read")).count(), 1, "{text}");
    }
    assert_eq!(
        text.matches("posts/posts.json:2: `draft` keeps the articles that this file is for from the public").count(),
        1,
        "{text}"
    );
    assert!(errors.contains("drafts: 5, problems: 3, remarks: 1"), "{errors}");
    let status = site.start_serving();
    site.wait_until("the folder is read", |site| site.titles().len() == 5);
    site.settle();
    let files: Vec<String> = status.get().files.iter().map(|file| file.path.clone()).collect();
    assert_eq!(files, ["open/_data.ts", "open/a0.11tydata.mjs", "open/open.11tydata.js"]);
    let held = status.get().groups.drafts_and_scheduled;
    assert!(held.files.iter().any(|file| file.path == "posts/posts.json"), "{held:?}");
}

#[test]
fn the_configuration_above_the_watched_folder_counts() {
    let home = tempfile::tempdir().unwrap();
    for (top, folder, file, text, name) in [
        (
            "j",
            "_posts",
            "_config.yml",
            "defaults:\n- scope: {path: '', type: posts}\n  values:\n    published: false\n",
            "2024-05-01-a.md",
        ),
        (
            "h",
            "content",
            "hugo.toml",
            "[[cascade]]\ndraft = true\n[cascade.target]\npath = '/posts/**'\n",
            "posts/a.md",
        ),
    ] {
        let site = home.path().join(top);
        let article = site.join(folder).join(name);
        std::fs::create_dir_all(article.parent().unwrap()).unwrap();
        std::fs::write(&article, "# Secret\n\nText").unwrap();
        let count = || run(gazetted().arg("check").arg(site.join(folder))).2;
        assert!(count().contains("drafts: 0"), "control");
        std::fs::write(site.join(file), text).unwrap();
        assert!(count().contains("drafts: 1"), "{file}: {}", count());
    }
}
