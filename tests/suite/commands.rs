//! The commands for writers, and for moving an existing site.

use std::path::Path;
use std::process::{Command, Output};

use crate::command_line::gazetted;
use crate::sections::png;
use crate::site::Site;
use crate::tools::Program;

fn run(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.code(), text)
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}

fn check(directory: &Path, paths: &[&str]) -> (Option<i32>, String) {
    run(gazetted().current_dir(directory).arg("check").args(paths))
}

#[test]
fn check_names_file_line_and_reason() {
    let home = folder(&[
        ("seeds/good.md", "# Good\n\nText."),
        ("seeds/draft.md", "---\ndraft: true\n---\nText"),
        ("seeds/date.md", "---\ntitle: T\ndate: soon\n---\nText of it"),
        ("seeds/broken.md", "---\ntitle: a: b\ndraft: true\n---\nText"),
        ("seeds/sub/empty.txt", ""),
        ("seeds/one.md", "---\nid: same\n---\nOne"),
        ("seeds/two.md", "---\nid: same\n---\nTwo"),
        ("seeds/copy.md", "# Good\n\nText."),
        ("seeds/old.txt", ""),
        ("seeds/authors/Ann.md", "One who writes."),
        ("seeds/authors/ann.txt", "Another who writes."),
    ]);
    std::fs::write(home.path().join("seeds/old.txt"), b"Caf\xe9\n\nText of the caf\xe9.").unwrap();
    let (code, text) = check(home.path(), &[]);
    assert_eq!(code, Some(1), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    for start in [
        "seeds/date.md:3: date: `soon` is not a date",
        "seeds/broken.md:2: the front matter is not YAML",
        "seeds/two.md:2: the same id as seeds/one.md, which is published",
        "seeds/good.md:1: the same text as seeds/copy.md, which is published",
        "seeds/old.txt:1: not UTF-8: guessed windows-1252",
        "seeds/authors/ann.txt:1: seeds/authors/Ann.md describes the same author",
        "articles without a date: ",
        "files read: 11, drafts: 1, empty: 1, problems: 6",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start} in {text}");
    }
    assert_eq!(lines.len(), 8, "{text}");
    // As a commit hook runs it.
    assert_eq!(check(home.path(), &["seeds/good.md", "seeds/draft.md"]).0, Some(0));
    let (code, text) = check(home.path(), &["seeds/date.md", "seeds/nowhere.md"]);
    assert!(code == Some(1) && text.contains("seeds/nowhere.md: no such file"), "{text}");
    // From a subfolder, where a hook may run.
    std::fs::create_dir(home.path().join("work")).unwrap();
    let (code, text) = check(&home.path().join("work"), &["../seeds/date.md"]);
    assert!(code == Some(1) && text.starts_with("../seeds/date.md:3: date: "), "{text}");
    let (code, text) = check(&home.path().join("work"), &["../seeds"]);
    assert!(code == Some(1) && text.contains("../seeds/date.md:3: date: "), "{text}");
    std::fs::write(home.path().join("g.toml"), "[site]\ntitel = 1").unwrap();
    let (code, text) = check(home.path(), &["--config", "g.toml"]);
    assert!(code == Some(1) && text.starts_with("gazetted: g.toml:2: "), "{text}");
}

#[test]
fn check_says_once_what_a_podcast_lacks() {
    let home =
        folder(&[("seeds/cast/ep1.mp3", "one"), ("seeds/cast/ep2.mp3", "two"), ("seeds/blog/a.md", "# A\n\nText.")]);
    let remark = |expected: &str| {
        let (code, text) = check(home.path(), &[]);
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("Apple's directory")).collect();
        assert_eq!(lines.len(), usize::from(!expected.is_empty()), "{text}");
        assert!(lines.iter().all(|line| line.contains(expected)), "{expected} is not in {text}");
        assert_eq!(code, Some(0), "it is a remark: {text}");
        lines.first().map(|line| (*line).to_owned()).unwrap_or_default()
    };
    let write = |name: &str, bytes: &[u8]| std::fs::write(home.path().join("seeds/cast").join(name), bytes).unwrap();
    let first = remark(
        "a category, as in `category: Arts > Books`; a cover: a square JPEG or PNG with sides of 1,400 to 3,000 pixels",
    );
    assert!(first.starts_with("seeds/cast: this podcast lacks") && first.contains("`explicit: false`"), "{first}");
    assert!(first.ends_with("write it in the front matter of seeds/cast/_index.md"), "{first}");
    write("cover.png", &png(500, 500));
    write("_index.md", b"---\ntitle: Cast\ncategory: Arts\n---\n");
    let second = remark("another cover than cast/cover.png, which has 500 × 500 pixels");
    assert!(second.starts_with("seeds/cast/_index.md:1: ") && !second.contains("a category"), "{second}");
    write("cover.png", &png(1400, 1500));
    remark("1400 × 1500");
    write("cover.png", &png(1400, 1400));
    let third = remark("lacks what Apple's directory requires: `explicit: false`");
    assert!(!third.contains("cover"), "{third}");
    write("_index.md", b"---\ntitle: Cast\ncategory: Arts\nexplicit: no\n---\n");
    remark("");
    // An episode with a text, and one without a recording.
    write("ep2.md", b"# Two\n\nText");
    write("ep3.md", b"---\naudio: https://b.example/c.mp3\n---\n# Three\n\nText");
    remark("");
    write("_index.md", b"---\ntitle: Cast\ncategory: Arts\nexplicit: no\ntype: serial\n---\n");
    write("news.md", b"# News\n\nText");
    remark("requires: a recording for seeds/cast/news.md; write");
    // The problems of the description itself.
    write("_index.md", b"---\ntitle: Cast\npassword: x\n---\n");
    let (_, text) = check(home.path(), &[]);
    assert!(text.contains("seeds/cast/_index.md:3: `password` keeps the articles"), "{text}");
}

#[test]
fn check_names_the_copy_that_the_daemon_has_published() {
    let home = folder(&[("seeds/z.md", "# A\n\nText."), ("seeds/y.md", "---\nid: same\n---\nOne text.")]);
    let command = || {
        let mut command = gazetted();
        command.current_dir(home.path()).env("XDG_STATE_HOME", home.path().join("state"));
        command
    };
    let root = home.path().canonicalize().unwrap().join("seeds");
    let running = Program::start(command().args(["serve", "--listen", "127.0.0.1:0"]).arg(&root));
    let is_served = |path: &str| running.get(path).starts_with("HTTP/1.1 200");
    running.wait_until("they are published", |_| is_served("/articles/z") && is_served("/articles/y"));
    std::fs::write(root.join("a.md"), "# A\n\nText.").unwrap();
    std::fs::write(root.join("b.md"), "---\ntitle: B\nid: same\n---\nAnother text.").unwrap();
    let reasons =
        ["a.md:1: the same text as z.md, which is published", "b.md:3: the same id as y.md, which is published"];
    running.wait_until("both are refused", |running| {
        let log = running.log.lock();
        reasons.iter().all(|reason| log.iter().any(|line| line.contains(reason)))
    });
    let (code, text) = run(command().arg("check").arg("seeds"));
    assert_eq!(code, Some(1), "{text}");
    let expected = [
        "seeds/a.md:1: the same text as seeds/z.md, which is published",
        "seeds/b.md:3: the same id as seeds/y.md, which is published",
    ];
    let copies: Vec<&str> = text.lines().filter(|line| line.contains("the same ")).collect();
    assert_eq!(copies.len(), 2, "{text}");
    for (copy, expected) in copies.iter().zip(expected) {
        assert!(copy.starts_with(expected), "{text}");
    }
}

#[test]
fn check_of_many_files_fits_a_screen_and_says_what_to_do_first() {
    let home = folder(&[("seeds/one.md", "---\ntitle: T\ndate: soon\n---\nText of it")]);
    for number in 0..200 {
        let text = format!("---\ntitle: Shortcode {number}\n---\nText {number}.\n\n{{{{< gallery >}}}}\n");
        std::fs::write(home.path().join(format!("seeds/a{number}.md")), text).unwrap();
        let text = format!("---\ntitle: Typo {number}\nautor: x\n---\nTypo text {number}.\n");
        std::fs::write(home.path().join(format!("seeds/b{number}.md")), text).unwrap();
    }
    let (code, text) = check(home.path(), &[]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(code == Some(1) && lines.len() < 30, "{text}");
    for part in [
        "seeds/one.md:3: date: `soon` is not a date",
        "and 197 more like the last one: `--all` prints them",
        "files read: 401, drafts: 0, problems: 201, remarks: 200",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(part)), "{part} in {text}");
    }
    let remark = lines.iter().position(|line| line.contains("a site generator would put something here")).unwrap();
    let problem = lines.iter().position(|line| line.starts_with("seeds/one.md:3")).unwrap();
    assert!(problem < remark, "problems come first: {text}");
    let (_, text) = check(home.path(), &["--all"]);
    assert_eq!(text.matches("a site generator would put something here").count(), 200);
    // Remarks fail no hook.
    assert_eq!(check(home.path(), &["seeds/a1.md"]).0, Some(0));
}

#[test]
fn check_names_what_is_missing_and_refuses_what_serve_refuses() {
    let links = (0..8).map(|number| format!("<p><a href=\"/old/{number}/\">x</a></p>")).collect::<Vec<_>>().concat();
    let home = folder(&[
        (
            "seeds/a.md",
            "---\nimage: gone.png\naudio: gone.mp3\ntranscript: gone.vtt\n---\n# A\n\nText ![](_private/p.png)",
        ),
        ("seeds/imported.html", &format!("---\ntitle: Imported\n---\n{links}")),
        ("seeds/saved.html", &format!("<title>Saved</title><h1>Saved</h1><p>Text</p>{links}")),
        ("seeds/_private/p.png", ""),
        ("seeds/cloudy_LOCAL_4711.md", "# Cloudy\n\nTheirs"),
        ("seeds/cloudy.md", "# Cloudy\n\nText"),
        ("seeds/site/mkdocs.yml", "exclude_docs: secret.md\n"),
        ("seeds/site/docs/secret.md", "# Secret\n\nText"),
    ]);
    std::os::unix::fs::symlink("nothere.md", home.path().join("seeds/dangling.md")).unwrap();
    let (_, text) = check(home.path(), &[]);
    for part in [
        "seeds/a.md:2: front matter, line 2: `image`: there is no gone.png; it is shown once the file is there",
        "seeds/a.md:3: front matter, line 3: `audio`: there is no gone.mp3",
        "seeds/a.md:4: `gone.vtt` is no file that is served",
        "seeds/a.md:8: p.png is not served: `_private` is a name for hidden",
        "seeds/imported.html:4: `/old/0/`: nothing on this site has this address",
        "and 3 more in this article",
        "seeds/dangling.md: a link to nothere.md, where nothing is",
        "1 file: held: `exclude_docs` in site/mkdocs.yml, line 1 leaves it out of the site",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("saved.html"), "{text}");
    assert!(text.contains("files read: 5, "), "{text}");
    let (_, text) = check(home.path(), &["--all"]);
    assert!(text.contains("`/old/7/`: nothing") && !text.contains("more in this article"), "{text}");
    let (_, text) = check(home.path(), &["seeds/dangling.md"]);
    assert!(text.contains("seeds/dangling.md: a link to nothere.md"), "{text}");
    for (config, part) in [
        ("[articles]\ninclude = [\"pots/**\"]", "g.toml: articles.include: `pots/**` matches no file"),
        ("[articles]\ndirectory = \"seeds/a.md\"", "seeds/a.md: cannot read the folder of articles"),
        ("[state]\ndirectory = \"seeds/state\"", "the state directory lies in the watched folder"),
        ("[replicas]\nlog = \"rel\"", "replicas.log: "),
        ("[export]\nto = \"ftp://x\"", "export.to: "),
    ] {
        std::fs::write(home.path().join("g.toml"), config).unwrap();
        let (code, text) = check(home.path(), &["--config", "g.toml"]);
        assert!(code == Some(1) && text.contains(part), "{config}: {text}");
    }
    // Where the state is may be known to the daemon alone, as in a container.
    std::fs::write(home.path().join("g.toml"), "[site]\ntitle = \"T\"").unwrap();
    let mut command = gazetted();
    for variable in ["HOME", "XDG_STATE_HOME", "STATE_DIRECTORY"] {
        command.env_remove(variable);
    }
    let output = command.current_dir(home.path()).args(["check", "seeds/a.md", "--config", "g.toml"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("files read: 1"), "{output:?}");
}

#[test]
fn output_that_is_not_read_to_its_end_is_no_fault() {
    let home = folder(&[("seeds/a.md", "# A\n\nText.")]);
    let files = vec!["seeds/a.md"; 3_000];
    let mut child = gazetted()
        .current_dir(home.path())
        .arg("explain")
        .args(files)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((String::from_utf8_lossy(&output.stderr).as_ref(), output.status.code()), ("", Some(141)));
}

#[test]
fn explain_finds_the_site_of_a_file_in_a_sub_folder() {
    let home = folder(&[("seeds/sub/deep/a.md", "# A\n\nText."), ("work/x.md", "# X\n\nText.")]);
    let command = || {
        let mut command = gazetted();
        command.current_dir(home.path()).env("XDG_STATE_HOME", home.path().join("state"));
        command
    };
    let root = home.path().canonicalize().unwrap().join("seeds");
    let mut serve = command();
    serve.args(["serve", "--listen", "127.0.0.1:0"]).arg(&root);
    let running = Program::start(&mut serve);
    running.wait_until("it is published", |running| running.get("/articles/a").starts_with("HTTP/1.1 200"));
    let seen = |arguments: &[&str], folder: &str| {
        let (_, text) = run(command().current_dir(home.path().join(folder)).arg("explain").args(arguments));
        text
    };
    for (file, folder) in [("seeds/sub/deep/a.md", ""), ("deep/a.md", "seeds/sub"), ("a.md", "seeds/sub/deep")] {
        let text = seen(&[file], folder);
        assert!(text.contains("articles/a") && text.contains("sections/sub/deep/"), "{file}: {text}");
    }
    drop(running);
}

#[test]
fn check_explains_why_a_file_is_not_an_article() {
    let home =
        folder(&[("seeds/_draft.md", "x"), ("seeds/a.png", "x"), ("seeds/a.md~", "x"), ("seeds/README.md", "x")]);
    for (name, message) in [
        ("seeds/_draft.md", "`_draft.md` is a name for hidden"),
        ("seeds/a.png", "not a file type that gazetted publishes"),
        ("seeds/a.md~", "`a.md~` is a name for hidden"),
        ("seeds/README.md", "a file of this name describes a project"),
    ] {
        let (code, text) = check(home.path(), &[name]);
        assert!(code == Some(0) && text.starts_with("skipped: ") && text.contains(message), "{text}");
    }
    let copy = "seeds/a.sync-conflict-20260501-101010-ABCDEFG.md";
    std::fs::write(home.path().join(copy), "x").unwrap();
    let (code, text) = check(home.path(), &[copy]);
    assert!(code == Some(1) && text.contains("conflict copy"), "{text}");
}

pub fn explain(site: &Site, name: &str) -> (Option<i32>, String) {
    let mut command = gazetted();
    command.arg("explain").arg(site.path(name)).arg("--state").arg(site.state());
    run(command.args(["--base-url", crate::site::BASE_URL, "--config"]).arg(site.config_file()))
}

#[test]
fn explain_shows_the_source_of_each_value() {
    let mut site = Site::new();
    site.write(
        "2026-05-01-storm.txt",
        "Storm closes the bridge\n\n0\n\nBy Ann Lee\n\nThe coastal bridge stayed closed on Wednesday as winds of more than \
         70 miles an hour kept lorries away, the council said.\n\nIt may open again on Friday if the wind falls as is expected.\n\n\
         Leave a reply\nPlease enter your comment!\nPlease enter your name here\n",
    );
    site.write("draft.md", "---\ntitle: Draft\ndraft: true\n---\nText");
    site.write("later.md", "---\ntitle: Later\ndate: 2999-01-01\n---\nText of later");
    site.write("copy.txt", std::fs::read(site.path("2026-05-01-storm.txt")).unwrap());
    site.write("spoiled.md", b"\x89PNG\r\n\x1a\n\0\0");
    let (code, text) = explain(&site, "2026-05-01-storm.txt");
    assert!(code == Some(0) && text.contains("no daemon has run on this folder yet"), "{text}");
    site.remove("copy.txt");
    site.start();
    site.write("copy.txt", std::fs::read(site.path("2026-05-01-storm.txt")).unwrap());
    site.settle();
    let id = site.entry("Storm closes the bridge")["id"].as_str().unwrap().to_owned();
    let (code, text) = explain(&site, "2026-05-01-storm.txt");
    assert_eq!(code, Some(0), "{text}");
    for line in [
        "  title      Storm closes the bridge  (first line)",
        "  published  2026-05-01T00:00:00+00:00  (file name)",
        "  authors    Ann Lee  (byline in the text)",
        "  cleaned    0  (line 3, removed by rule H1: a counter above the text)",
        "  cleaned    Leave a reply  (line 11, removed by rule T1: a comment form at the end)",
        &format!("  id         {id}  (permanent)"),
        "  page       https://gazette.example/articles/storm-closes-the-bridge",
        "  feeds      https://gazette.example/rss.xml https://gazette.example/atom.xml",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    for (name, message) in [
        ("draft.md", "not in the feed: line 3: a draft"),
        ("later.md", "not in the feed: scheduled: it appears on 2999-01-01"),
        ("copy.txt", "not in the feed: the same text or id as 2026-05-01-storm.txt"),
        ("spoiled.md", "not in the feed: line 3: NUL byte"),
        ("nowhere.md", "not in the feed: no such file"),
        ("_x.md", "not in the feed: no such file"),
    ] {
        let (code, text) = explain(&site, name);
        assert!(code == Some(1) && text.contains(message), "{name}: {text}");
    }
}

const OLD_RSS: &str = "<rss version='2.0'><channel><title>Old</title><link>https://old.example/</link><description>d</description>\
    <item><title>By address</title><link>https://old.example/2020/05/by-address/</link><guid isPermaLink='false'>123 at old.example</guid>\
      <pubDate>Fri, 01 May 2020 10:00:00 GMT</pubDate></item>\
    <item><title>By name</title><link>https://old.example/2020/06/by-its-name.html</link><guid>https://old.example/?p=2</guid>\
      <pubDate>Mon, 01 Jun 2020 10:00:00 GMT</pubDate></item>\
    <item><title>By title!</title><link>https://old.example/?p=3</link><guid>https://old.example/?p=3</guid>\
      <pubDate>Wed, 01 Jul 2020 10:00:00 GMT</pubDate></item>\
    <item><title>Not here yet</title><link>https://old.example/?p=4</link><guid>https://old.example/?p=4</guid>\
      <pubDate>Sat, 01 Aug 2020 10:00:00 GMT</pubDate></item></channel></rss>";

fn adopt(site: &Site, feeds: &[&str]) -> (Option<i32>, String) {
    let mut command = gazetted();
    command.arg("adopt-ids").args(feeds).arg("--state").arg(site.state());
    run(command.args(["--base-url", crate::site::BASE_URL, "--config"]).arg(site.config_file()))
}

#[test]
fn adopted_articles_are_not_announced_again() {
    for known_before in [false, true] {
        let mut site = Site::new();
        site.write("a.md", "---\ntitle: Another title now\nurl: /2020/05/by-address/\n---\nText of a.");
        site.write("2020-06-01-by-its-name.md", "# Some title\n\nText of b.");
        site.write("c.txt", "By title\n\nText of c, which is as long as it is.");
        site.write("own.md", "---\nid: urn:uuid:11111111-2222-3333-4444-555555555555\n---\n# Own id\n\nText of d.");
        let feed = site.root().with_extension("rss");
        std::fs::write(&feed, OLD_RSS).unwrap();
        if known_before {
            site.start();
            let (code, text) = adopt(&site, &[feed.to_str().unwrap()]);
            assert!(code == Some(1) && text.contains("another gazetted uses"), "{text}");
            site.stop();
        }
        let (code, text) = adopt(&site, &[feed.to_str().unwrap()]);
        assert!(code == Some(0) && text.contains("3 articles have the id"), "{text}");
        assert!(text.contains("no article yet: not here yet"), "{text}");
        site.start();
        let entry = |title: &str, site: &Site| {
            let entry = site.entry(title);
            (entry["id"].as_str().unwrap().to_owned(), entry["date_published"].as_str().unwrap()[..10].to_owned())
        };
        assert_eq!(entry("Another title now", &site), ("123 at old.example".into(), "2020-05-01".into()));
        assert_eq!(entry("Some title", &site), ("https://old.example/?p=2".into(), "2020-06-01".into()));
        assert_eq!(entry("By title", &site), ("https://old.example/?p=3".into(), "2020-07-01".into()));
        assert_eq!(entry("Own id", &site).0, "urn:uuid:11111111-2222-3333-4444-555555555555");
        assert!(site.get("/rss.xml").text().contains("<guid isPermaLink=\"false\">123 at old.example</guid>"));
        assert!(!site.get("/atom.xml").text().contains("123 at"), "an id in Atom is an IRI");
        // The file of the last one comes later.
        site.write("other.txt", "Not here yet\n\nAnother article that happens to have the same title.");
        site.wait_until("it is published", |site| site.titles().contains(&"Not here yet".to_owned()));
        assert!(entry("Not here yet", &site).0.starts_with("urn:uuid:"), "a title alone says little");
        site.remove("other.txt");
        site.wait_until("it is gone", |site| !site.titles().contains(&"Not here yet".to_owned()));
        site.write("2020-08-01-d.txt", "Not here yet\n\nNow it is, after all, and it is the one that readers know.");
        site.wait_until("it is published", |site| site.titles().contains(&"Not here yet".to_owned()));
        assert_eq!(entry("Not here yet", &site).0, "https://old.example/?p=4");
        let before = site.feed();
        site.stop();
        let (_, text) = adopt(&site, &[feed.to_str().unwrap()]);
        assert!(text.contains("4 of them known from before") && text.contains("4 articles have"), "{text}");
        site.start();
        assert_eq!(site.feed(), before);
    }
}

#[test]
fn the_strongest_match_wins_in_every_format() {
    let mut site = Site::new();
    for number in 0..4 {
        site.write(&format!("another-{number}.md"), format!("# Storm\n\nText number {number}."));
    }
    site.write("storm.md", "# Another title\n\nText of the one that is meant.");
    site.write("own.md", "---\nid: \"tag:old.example,2020:own\"\n---\n# Own\n\nText with an id of its own.");
    let old = |name: &str, text: &str| {
        let file = site.root().with_extension(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let atom = old(
        "atom",
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><id>f</id><updated>2024-01-01T00:00:00Z</updated>\
         <entry><id>tag:old.example,2020:storm</id><title>Storm</title><updated>2024-01-02T00:00:00Z</updated><link href='https://old.example/storm'/></entry>\
         <entry><id>tag:old.example,2020:own</id><title>Own</title><updated>2024-01-02T00:00:00Z</updated><link href='https://old.example/x'/></entry></feed>",
    );
    let rss = old(
        "rss",
        "<rss version='2.0'><channel><title>Old</title><link>https://old.example/</link><description>d</description>\
         <item><title>Storm</title><link>https://old.example/storm</link><guid>https://old.example/storm</guid></item></channel></rss>",
    );
    let (code, text) = adopt(&site, &[&rss, &atom]);
    assert!(code == Some(0) && text.contains("2 articles have the id"), "{text}");
    site.start();
    assert_eq!(
        site.entry("Another title")["id"],
        "https://old.example/storm",
        "as its readers in JSON and RSS know it"
    );
    assert!(site.get("/atom.xml").text().contains("<id>tag:old.example,2020:storm</id>"));
    assert_eq!(site.entry("Own")["id"], "tag:old.example,2020:own");
    // An id once used is never given to another article.
    let ids: Vec<_> = site.feed()["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
    site.write("another-1.md", "---\nid: my-own\n---\n# Storm\n\nText number 1.");
    site.wait_until("it has its own id", |site| {
        site.feed()["items"].as_array().unwrap().iter().any(|item| !ids.contains(&item["id"]))
    });
    site.remove("another-1.md");
    site.wait_until("it is gone", |site| site.titles().len() == 5);
    site.write("another-1.md", "# New\n\nAnother article at an old path.");
    site.wait_until("it is new", |site| site.titles().contains(&"New".to_owned()));
    assert!(!ids.contains(&site.entry("New")["id"]));
}

#[test]
fn a_file_that_is_not_a_feed_is_not_adopted() {
    let site = Site::new();
    site.write("a.html", "<html><body>No feed</body></html>");
    let (code, text) = adopt(&site, &[site.path("a.html").to_str().unwrap()]);
    assert!(code == Some(1) && text.contains("a.html: not a feed: the first element is <html>"), "{text}");
}

#[test]
fn render_prints_what_is_served() {
    let mut site = Site::configured(
        "[site]\nbase_url = 'https://gazette.example/'\n[feed]\nentries = 3\narchive_entries = 4\nwindow = '1h'",
    );
    for day in 1..=9 {
        let text = format!("---\ndate: 2024-01-0{day}\ntags: [Rust]\n---\n# Day {day}\n\nText.");
        site.write(&format!("news/{day}.md"), text);
    }
    site.start();
    site.remove("news/9.md");
    site.wait_until("it is gone", |site| site.get("/articles/9").status == 410);
    let config = site.config_file();
    let render = |arguments: &[&str]| {
        let state = ["--state", site.state().to_str().unwrap()];
        run(gazetted().arg("render").arg("--config").arg(&config).args(arguments).args(state))
    };
    for (arguments, path) in [
        (&[][..], "/atom.xml"),
        (&["--format", "rss"], "/rss.xml"),
        (&["--format", "json"], "/feed.json"),
        (&["tags/Rust"], "/tags/rust/atom.xml"),
        (&["--format", "json", "sections/news/"], "/sections/news/feed.json"),
        (&["--format", "rss", "archive/1"], "/archive/1/rss.xml"),
    ] {
        assert_eq!(render(arguments), (Some(0), site.get(path).text()), "{arguments:?}");
    }
    let (code, text) = render(&["tags/none"]);
    assert_eq!((code, text.trim()), (Some(1), "gazetted: tags/none: there is no such feed"));
    assert_eq!(render(&["nonsense"]).0, Some(1));
    let elsewhere = folder(&[("seeds/a.md", "# A\n\nText.")]);
    let state = elsewhere.path().join("state");
    let (code, text) = run(gazetted().current_dir(elsewhere.path()).args(["render", "--state"]).arg(state));
    assert_eq!(code, Some(1));
    assert!(text.contains("no daemon has run on this folder yet"), "{text}");
}
