//! Files that must not be public: how they are recognised, and that no feed, page or address shows them.

use std::path::Path;
use std::process::{Command, Output};

use crate::command_line::gazetted;
use crate::site::Site;

/// Exit code, standard output and standard error of a command.
pub fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

pub fn explain(site: &Site, name: &str) -> String {
    let mut command = gazetted();
    command.arg("explain").arg(site.path(name)).arg("--state").arg(site.state());
    let (code, text, errors) = run(command.arg("--config").arg(site.config_file()));
    assert_eq!(code, Some(1), "{name}: {text}{errors}");
    text
}

/// Runs `check` on a folder below `home`.
fn check(home: &Path, folder: &str) -> (Option<i32>, String, String) {
    run(gazetted().current_dir(home).args(["check", folder]))
}

fn write(home: &Path, name: &str, text: &str) {
    let path = home.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Asserts that nothing that is served contains a text.
pub fn assert_shown_nowhere(site: &Site, secret: &str) {
    for path in ["/", "/atom.xml", "/rss.xml", "/feed.json", "/feeds.opml"] {
        assert!(!site.get(path).text().contains(secret), "{secret} in {path}");
    }
}

// --- system folders -------------------------------------------------------------------------------------------------

/// Folders into which systems move deleted files, or in which they keep snapshots and metadata.
const SYSTEM_FOLDERS: [&str; 26] = [
    "@Recycle",
    "#recycle",
    "$RECYCLE.BIN/S-1-5-21-1004",
    "$Recycle.Bin",
    "RECYCLER/S-1-5-21-1004",
    ".Trash-1000/files",
    ".Trashes/501",
    ".trash",
    "Network Trash Folder",
    "Recycle Bin",
    ".recycle/ann",
    "@eaDir/a.md",
    "@tmp",
    "#snapshot/2026-11-01",
    ".snapshot/hourly.0",
    "~snapshot/hourly.0",
    "@GMT-2026.11.01-10.00.00",
    ".zfs/snapshot/daily",
    "System Volume Information",
    ".stversions",
    ".dropbox.cache/2026-11-01",
    ".TemporaryItems/folders.501",
    "FOUND.000",
    "LOST.DIR",
    "lost+found",
    "__MACOSX",
];

#[test]
fn a_move_into_a_system_folder_deletes_an_article() {
    let mut site = Site::started();
    site.write("stays.md", "# Stays\n\nText.");
    let folders: Vec<(usize, &str)> = SYSTEM_FOLDERS.iter().copied().enumerate().collect();
    for (number, _) in &folders {
        site.write(&format!("a{number}.md"), format!("# Binned {number}\n\nText of it."));
        site.write(&format!("p{number}.png"), "picture");
    }
    let title = |number: &usize| format!("Binned {number}");
    let wait_for_titles = |site: &mut Site, from: usize| {
        let titles: Vec<String> = (from..folders.len()).map(|number| title(&number)).chain(["Stays".into()]).collect();
        site.wait_for(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    };
    wait_for_titles(&mut site, 0);
    let entries: Vec<serde_json::Value> = folders.iter().map(|(number, _)| site.entry(&title(number))).collect();
    // Fewer at a time than the deletions that are taken for an accident.
    for chunk in folders.chunks(10) {
        for (number, folder) in chunk {
            assert_eq!(site.get(&format!("/media/p{number}.png")).status, 200, "control");
            let folder = format!("deep/{number}/{folder}");
            std::fs::create_dir_all(site.path(&folder)).unwrap();
            site.rename(&format!("a{number}.md"), &format!("{folder}/a{number}.md"));
            site.rename(&format!("p{number}.png"), &format!("{folder}/p{number}.png"));
        }
        wait_for_titles(&mut site, chunk.last().unwrap().0 + 1);
    }
    let atom = site.get("/atom.xml").text();
    for (number, folder) in &folders {
        let id = entries[*number]["id"].as_str().unwrap();
        assert!(atom.contains(&format!("<at:deleted-entry ref=\"{id}\"")), "{folder}: a tombstone");
        assert_eq!(site.get(&format!("/articles/a{number}")).status, 410, "{folder}");
        let media = format!("/media/deep/{number}/{folder}/p{number}.png").replace('#', "%23").replace(' ', "%20");
        assert_eq!(site.get(&media).status, 404, "{media}");
        let reason = explain(&site, &format!("deep/{number}/{folder}/a{number}.md"));
        assert!(reason.contains("is a folder of the system, for deleted files"), "{reason}");
    }
    assert_shown_nowhere(&site, "Binned");
    site.restart();
    assert_eq!(site.titles(), ["Stays"], "a start does not find them either");
    // An article that is put back is the same one.
    site.rename("deep/0/@Recycle/a0.md", "a0.md");
    site.wait_for(&["Binned 0", "Stays"]);
    assert_eq!(site.entry("Binned 0")["id"], entries[0]["id"]);
}

#[test]
fn nothing_in_a_system_folder_is_an_article() {
    for folder in SYSTEM_FOLDERS {
        for folder in [folder.to_owned(), folder.to_ascii_uppercase(), folder.to_ascii_lowercase()] {
            let home = tempfile::tempdir().unwrap();
            write(home.path(), "seeds/a.md", "# Public\n\nText.");
            for below in ["", "posts/2026/"] {
                write(home.path(), &format!("seeds/{below}{folder}/b.md"), "# Deleted\n\nText of it.");
                write(home.path(), &format!("seeds/{below}{folder}/deep/c.txt"), "Deleted too\n\nText of this.");
                write(home.path(), &format!("seeds/{below}{folder}/d.mp3"), "ID3");
            }
            let (code, text, errors) = check(home.path(), "seeds");
            let summary = errors.lines().last().unwrap();
            assert_eq!(
                (code, text.as_str(), summary),
                (Some(0), "", "files read: 1, drafts: 0, problems: 0"),
                "{folder}"
            );
        }
    }
}

#[test]
fn a_link_into_a_system_folder_publishes_nothing() {
    let mut site = Site::started();
    site.write("@Recycle/old/a.md", "# Deleted\n\nText.");
    site.write("..2026/new/b.md", "# Mounted\n\nText.");
    std::os::unix::fs::symlink("@Recycle/old", site.path("old")).unwrap();
    std::os::unix::fs::symlink("..2026/new", site.path("new")).unwrap();
    site.wait_for(&["Mounted"]);
    site.settle();
    assert_shown_nowhere(&site, "Deleted");
}

// --- folders of drafts ----------------------------------------------------------------------------------------------

const DRAFT_FOLDERS: [&str; 8] =
    ["drafts", "Drafts", "DRAFTS", "draft", "_drafts", "_Draft", "posts/drafts", "a/Draft/b"];

#[test]
fn files_in_a_folder_of_drafts_are_not_public() {
    let mut site = Site::new();
    for folder in DRAFT_FOLDERS {
        site.write(&format!("{folder}/one.md"), "# Secret\n\nText.");
        site.write(&format!("{folder}/sub/two.txt"), "Secret too\n\nText.");
        site.write(&format!("{folder}/three/index.html"), "<h1>Secret page</h1><p>Text.</p>");
        site.write(&format!("{folder}/four.mp3"), "ID3 Secret recording");
        site.write(&format!("{folder}/five.png"), "Secret picture");
    }
    // Names that only contain the word.
    site.write("drafts-of-laws/a.md", "# Laws\n\nText.");
    site.write("draft.md", "# On draft\n\n![Five](drafts/five.png)\n\n[One](drafts/one.md)");
    site.start();
    site.settle();
    let titles = ["Barrier", "Laws", "On draft"];
    site.wait_for(&titles);
    assert_shown_nowhere(&site, "Secret");
    assert!(!site.get("/feeds.opml").text().to_lowercase().contains("/drafts/"), "such a folder has no feed");
    for folder in DRAFT_FOLDERS {
        for name in ["five.png", "four.mp3"] {
            assert_eq!(site.get(&format!("/media/{folder}/{name}")).status, 404, "{folder}/{name}");
        }
        for name in ["one.md", "sub/two.txt", "three/index.html", "four.mp3"] {
            let reason = explain(&site, &format!("{folder}/{name}"));
            let expected = folder.split('/').find(|part| part.to_lowercase().contains("draft")).unwrap();
            let expected =
                format!("a draft: it is in the folder `{expected}`; move it out, or name that folder in articles");
            assert!(reason.contains(&expected), "{reason}");
        }
    }
    assert_eq!(site.entry("On draft")["image"], serde_json::Value::Null, "a picture there is no cover");
    let count = DRAFT_FOLDERS.len() * 4;
    let (code, text, errors) = run(gazetted().arg("check").arg(site.root()));
    assert_eq!(code, Some(0), "{text}");
    assert!(
        errors.ends_with(&format!("files read: {}, drafts: {count}, problems: 0, remarks: 1\n", count + 3)),
        "{errors}"
    );
    assert!(text.contains("there is no file "), "the picture in a folder of drafts: {text}");
    site.restart();
    site.wait_for(&titles);
}

#[test]
fn a_move_into_a_folder_of_drafts_withdraws_an_article_until_it_moves_back() {
    let mut site = Site::started();
    site.write("stays.md", "# Stays\n\nText.");
    site.write("posts/a.md", "# First\n\nText.");
    site.write("posts/deep/b.md", "# Second\n\nText.");
    let all = ["First", "Second", "Stays"];
    site.wait_for(&all);
    let identities = |site: &Site| {
        ["First", "Second"].map(|title| ["id", "url", "date_published"].map(|field| site.entry(title)[field].clone()))
    };
    let before = identities(&site);
    let assert_withdrawn = |site: &Site| {
        assert_eq!((site.get("/articles/a").status, site.get("/articles/b").status), (404, 404));
        assert_shown_nowhere(site, "First");
        assert_shown_nowhere(site, "Second");
    };
    // One at a time.
    std::fs::create_dir_all(site.path("posts/Drafts")).unwrap();
    site.rename("posts/a.md", "posts/Drafts/a.md");
    site.rename("posts/deep/b.md", "posts/Drafts/b.md");
    site.wait_for(&["Stays"]);
    assert_withdrawn(&site);
    site.rename("posts/Drafts/a.md", "posts/a.md");
    site.rename("posts/Drafts/b.md", "posts/deep/b.md");
    site.wait_for(&all);
    assert_eq!(identities(&site), before);
    // As a folder, with an edit in between.
    site.rename("posts", "drafts");
    site.wait_for(&["Stays"]);
    assert_withdrawn(&site);
    site.write("drafts/a.md", "# First\n\nText, corrected.");
    site.settle();
    site.rename("drafts", "posts");
    site.wait_for(&["Barrier", "First", "Second", "Stays"]);
    assert_eq!(identities(&site), before);
    // While no daemon runs.
    site.stop();
    site.rename("posts", "_drafts");
    site.start();
    site.wait_for(&["Barrier", "Stays"]);
    assert_withdrawn(&site);
    site.stop();
    site.rename("_drafts", "posts");
    site.start();
    site.wait_for(&["Barrier", "First", "Second", "Stays"]);
    assert_eq!(identities(&site), before);
}

#[test]
fn articles_include_makes_a_folder_of_drafts_public() {
    let mut site = Site::configured("[articles]\ninclude = ['**', 'beer/Draft/**']");
    site.write("a.md", "# Plain\n\nText.");
    site.write("beer/Draft/b.md", "# Stout\n\n![c](c.png)");
    site.write("beer/Draft/c.png", "picture");
    site.write("drafts/d.md", "# Secret\n\nText.");
    site.start();
    site.wait_for(&["Plain", "Stout"]);
    assert_eq!(site.get("/media/beer/Draft/c.png").status, 200);
    assert!(site.get("/articles/b").text().contains("/media/beer/Draft/c.png"));
    // The setting applies to what is there already.
    site.stop();
    site.reconfigure("[articles]\ninclude = ['**', '**/drafts/**']");
    site.start();
    site.wait_for(&["Plain", "Secret"]);
    assert_eq!((site.get("/articles/b").status, site.get("/media/beer/Draft/c.png").status), (404, 404));
    site.stop();
    site.reconfigure("");
    site.start();
    site.wait_for(&["Plain"]);
    assert_eq!(site.get("/articles/d").status, 404);
}

// --- keys -----------------------------------------------------------------------------------------------------------

/// Lines of YAML that keep an article from the public where it comes from, the key that does so, and its line.
const HOLDING_KEYS: [(&str, &str, usize); 87] = [
    // Passwords and encryption: Hexo, VuePress, WordPress, Hugo's themes.
    ("password: secret123", "password", 3),
    ("password: 123456", "password", 3),
    ("Password: 'x y'", "Password", 3),
    ("passwords: [one, two]", "passwords", 3),
    ("date: 2024-01-01\npost_password: x", "post_password", 4),
    ("post-pwd: x", "post-pwd", 3),
    ("encrypt: true", "encrypt", 3),
    ("encrypted: yes", "encrypted", 3),
    ("isEncrypted: true", "isEncrypted", 3),
    ("encrypt: {enable: true, hint: a}", "encrypt", 3),
    ("protected: true", "protected", 3),
    ("locked: 1", "locked", 3),
    ("restricted: on", "restricted", 3),
    // Members: Ghost, Substack, Medium.
    ("members_only: true", "members_only", 3),
    ("subscribersOnly: true", "subscribersOnly", 3),
    ("email_only: true", "email_only", 3),
    ("access: members", "access", 3),
    ("audience: only_paid", "audience", 3),
    ("paywall: true", "paywall", 3),
    // Not made, or not listed: Hugo.
    ("build: {list: never, render: always}", "build", 3),
    ("build: {render: never}", "build", 3),
    ("build: {render: link}", "build", 3),
    ("build: {list: local}", "build", 3),
    ("_build:\n  list: never", "_build", 3),
    ("_build: {list: false, render: false}", "_build", 3),
    ("Build: {List: Never}", "Build", 3),
    // Zola, Eleventy, Lume.
    ("render: false", "render", 3),
    ("render: never", "render", 3),
    ("permalink: false", "permalink", 3),
    ("url: false", "url", 3),
    ("routable: false", "routable", 3),
    // Pointers to other pages.
    ("redirect_to: https://x.example/y", "redirect_to", 3),
    ("redirect_to:\n  - https://x.example/y", "redirect_to", 3),
    ("redirectTo: /y", "redirectTo", 3),
    ("redirect: /y", "redirect", 3),
    ("redirect: {to: /y}", "redirect", 3),
    ("redirect_url: https://x.example/y", "redirect_url", 3),
    ("layout: redirect", "layout", 3),
    ("layout: redirected.html", "layout", 3),
    // Opt-outs from feeds and lists.
    ("hiddenInRss: true", "hiddenInRss", 3),
    ("hiddenFromRss: true", "hiddenFromRss", 3),
    ("hide_in_rss: true", "hide_in_rss", 3),
    ("hide-from-feed: true", "hide-from-feed", 3),
    ("HIDDENINFEED: true", "HIDDENINFEED", 3),
    ("disable_feed: true", "disable_feed", 3),
    ("disableRSS: true", "disableRSS", 3),
    ("feed_exclude: true", "feed_exclude", 3),
    ("excludeFromFeed: true", "excludeFromFeed", 3),
    ("exclude_from_rss: true", "exclude_from_rss", 3),
    ("rss_ignore: true", "rss_ignore", 3),
    ("rss: {exclude: true}", "rss", 3),
    ("rss:\n  ignore: true", "rss", 3),
    ("rss: false", "rss", 3),
    ("atom: off", "atom", 3),
    ("feed: false", "feed", 3),
    ("feed: {enable: false}", "feed", 3),
    ("feed: {hidden: true}", "feed", 3),
    ("noRSS: true", "noRSS", 3),
    ("nofeed: true", "nofeed", 3),
    ("no-feed: yes", "no-feed", 3),
    ("skip_feed: true", "skip_feed", 3),
    ("in_feed: false", "in_feed", 3),
    ("in_rss: no", "in_rss", 3),
    ("include_in_feed: false", "include_in_feed", 3),
    ("showInRss: false", "showInRss", 3),
    ("syndicate: false", "syndicate", 3),
    ("exclude: true", "exclude", 3),
    ("exclude: [search, rss]", "exclude", 3),
    ("hide: [feed]", "hide", 3),
    ("ignored: true", "ignored", 3),
    // Other words for it.
    ("unpublished: true", "unpublished", 3),
    ("do_not_publish: true", "do_not_publish", 3),
    ("noPublish: true", "noPublish", 3),
    ("isPublic: false", "isPublic", 3),
    ("public: false", "public", 3),
    ("listed: false", "listed", 3),
    ("visible: false", "visible", 3),
    ("dg-publish: false", "dg-publish", 3),
    ("dg-hide: true", "dg-hide", 3),
    ("secret: true", "secret", 3),
    ("trashed: true", "trashed", 3),
    // In tables.
    ("extra: {password: x}", "password", 3),
    ("state: draft", "state", 3),
    ("publicationStatus: Unpublished", "publicationStatus", 3),
    ("meta: {rss: {exclude: true}}", "rss", 3),
    ("params:\n  hiddenInRss: true", "hiddenInRss", 4),
    ("custom:\n  extra:\n    no_feed: true", "no_feed", 3),
];

/// Whole files with such keys in other notations.
const HOLDING_FILES: [(&str, &str, &str); 14] = [
    ("toml.md", "+++\ntitle = \"Secret\"\nrender = false\n+++\nSecret text.", "3: held: `render`"),
    ("table.md", "+++\ntitle = \"Secret\"\n[build]\nlist = \"never\"\n+++\nSecret text.", "3: held: `build`"),
    ("extra.md", "+++\ntitle = \"Secret\"\n[extra]\na = 1\npassword = \"x\"\n+++\nSecret text.", "5: held: `password`"),
    ("json.md", "{\n\"title\": \"Secret\",\n\"encrypted\": true\n}\n\nSecret text.", "3: held: `encrypted`"),
    ("org.md", "#+TITLE: Secret\n#+PASSWORD: x\n\nSecret text.", "2: held: `PASSWORD`"),
    ("colons.md", "Title: Secret\nPassword: x\n\nSecret text.", "2: held: `Password`"),
    ("broken.md", "---\ntitle: Secret: a\npassword: x\n---\nSecret text.", "2: the front matter is not YAML"),
    ("broken-too.md", "---\ntitle: Secret: a\nnoRSS: true\n---\nSecret text.", "2: the front matter is not YAML"),
    ("plain.txt", "---\npassword: x\n---\nSecret text.", "2: held: `password`"),
    ("page.html", "---\npassword: x\n---\n<p>Secret text.</p>", "2: held: `password`"),
    (
        "alias.html",
        "<html><head><title>Secret</title><meta http-equiv=\"refresh\" content=\"0; url=https://x.example/y\"></head></html>",
        "1: held: this page only leads to `https://x.example/y`",
    ),
    (
        "moved.html",
        "<title>Secret</title><META HTTP-EQUIV=Refresh CONTENT=\"5;URL='/y'\"><h1>Secret&hellip;</h1><a href=/y>Click here.</a>",
        "1: held: this page only leads to `/y`",
    ),
    ("nikola.txt", ".. title: Secret\n.. password: x\n.. date: 2024-01-01\n\nSecret text.", "2: held: `password`"),
    ("nikola.md", "<!--\n.. title: Secret\n.. rss: no\n-->\n\nSecret text.", "3: held: `rss`"),
];

/// Lines that deny it, or are about something else.
const PUBLIC_KEYS: [&str; 57] = [
    "password: \"\"",
    "password:",
    "password: false",
    "passwords: []",
    "encrypted: false",
    "encrypt: {enable: false, password: x}",
    "hidden: false",
    "private: no",
    "protected: 'false'",
    "build: {list: always, render: always}",
    "build: {publishResources: false}",
    "render: true",
    "permalink: /a/",
    "redirect_from: /old",
    "redirect_to:",
    "redirect_to: false",
    "layout: post",
    "rss: true",
    "rss: https://x.example/feed.xml",
    "feed: summary",
    "feed: {excerpt_only: true}",
    "rss: {exclude: false}",
    "rss_only: true",
    "noRSS: false",
    "in_feed: true",
    "exclude: [toc]",
    "hide: [navigation, toc]",
    "exclude: false",
    "sitemap: {exclude: true}",
    "sitemap: false",
    "robots: noindex",
    "search: {exclude: true}",
    "searchHidden: true",
    "hideMeta: true",
    "hide_title: true",
    "ShowToc: false",
    "showReadingTime: false",
    "share: false",
    "comments: false",
    "index: false",
    "toc: false",
    "access: open",
    "audience: everyone",
    "publisher: O'Reilly",
    "published_in: Nature",
    "dg-publish: true",
    "dg-hide-in-graph: true",
    "public: true",
    "visible: true",
    "status: featured",
    "extra: {draft: false, password: ''}",
    "params: {images: [a.png], toc: true}",
    "featured: false",
    "state: Ohio",
    "extra: {status: evergreen, type: note, hidden: 3 trees}",
    "metadata: {state: done, published: 2024-05-01}",
    "active: true",
];

#[test]
fn a_key_that_locks_or_unlists_an_article_holds_it() {
    let mut site = Site::new();
    let name = |number: usize| format!("secret-{number}.md");
    for (number, (line, ..)) in HOLDING_KEYS.iter().enumerate() {
        site.write(&name(number), format!("---\ntitle: Secret {number}\n{line}\n---\nSecret text {number}."));
    }
    for (name, text, _) in HOLDING_FILES {
        site.write(name, text);
    }
    for (number, line) in PUBLIC_KEYS.iter().enumerate() {
        site.write(&format!("open-{number}.md"), format!("---\ntitle: Open {number}\n{line}\n---\nText {number}."));
    }
    site.start();
    let titles = site.titles();
    let all = site.get("/archive/1/feed.json").text() + &site.feed().to_string();
    for (number, line) in PUBLIC_KEYS.iter().enumerate() {
        let title = format!("\"Open {number}\"");
        assert!(all.contains(&title) || titles.contains(&title), "{line} is held");
    }
    assert_shown_nowhere(&site, "Secret");
    let (code, text, errors) = run(gazetted().current_dir(site.root()).args(["check", "."]));
    for (number, (line, key, at)) in HOLDING_KEYS.iter().enumerate() {
        assert_eq!(site.get(&format!("/articles/secret-{number}")).status, 404, "{line}");
        let start = format!("{}:{at}: held: `{key}` ", name(number));
        assert!(
            text.lines().any(|line| line.trim_start_matches("./").starts_with(&start)),
            "{start} of {line} in {text}"
        );
    }
    for (name, _, reason) in HOLDING_FILES {
        let start = format!("{name}:{reason}");
        assert!(text.lines().any(|line| line.trim_start_matches("./").starts_with(&start)), "{start} in {text}");
        let reason = reason.split_once(": ").unwrap().1;
        assert!(explain(&site, name).contains(reason), "{name}");
    }
    let broken = HOLDING_FILES.iter().filter(|(.., reason)| !reason.contains("held: ")).count();
    let held = HOLDING_KEYS.len() + HOLDING_FILES.len() - broken;
    assert!(errors.contains(&format!("drafts: 0, held: {held}, problems: {broken}\n")), "{errors}{text}");
    assert_eq!(code, Some(1), "only the broken ones are problems");
    // A page that is loaded again, or has a text of its own, is an article.
    let words = "This page has moved, and here is all of its text. ".repeat(10);
    for (number, content) in ["300", "0; url=/y", "60; url=/y"].iter().enumerate() {
        let text = if number == 1 { words.as_str() } else { "Little text." };
        let page =
            format!("<title>P{number}</title><meta http-equiv=refresh content=\"{content}\"><p>{text} {number}</p>");
        site.write(&format!("page-{number}.html"), page);
    }
    site.wait_until("the pages are published", |site| {
        ["P0", "P1", "P2"].iter().all(|title| site.titles().iter().any(|other| other == title))
    });
    // An article that gets such a key is withdrawn, and is the same once it is removed.
    let before = site.entry("Open 0")["id"].clone();
    site.write("open-0.md", "---\ntitle: Open 0\npassword: x\n---\nText 0.");
    site.wait_until("it is withdrawn", |site| site.get("/articles/open-0").status == 404);
    site.write("open-0.md", "---\ntitle: Open 0\n---\nText 0.");
    site.wait_until("it is back", |site| site.get("/articles/open-0").status == 200);
    assert_eq!(site.entry("Open 0")["id"], before);
}

#[test]
fn check_names_unknown_keys_that_may_say_no() {
    let home = tempfile::tempdir().unwrap();
    let doubtful = [
        "hiddenFromHomePage: true",
        "hidden_until_launch: yes",
        "private_post_x: true",
        "x-exclude: true",
        "draftOnly: true",
        "publishToWeb2: false",
        "secretSanta: true",
        "excludeFromIndex: always",
    ];
    for (number, line) in doubtful.iter().enumerate() {
        write(home.path(), &format!("seeds/a{number}.md"), &format!("---\ntitle: A\n{line}\n---\nText {number}."));
    }
    let harmless = ["hidden_comments: false", "draft_note: no draft", "publisher: Ann", "datePublished: 2024-05-01"];
    for (number, line) in harmless.iter().enumerate() {
        write(home.path(), &format!("seeds/b{number}.md"), &format!("---\ntitle: B\n{line}\n---\nText {number}."));
    }
    let (code, text, errors) = check(home.path(), "seeds");
    assert_eq!(code, Some(1), "{text}");
    for (number, line) in doubtful.iter().enumerate() {
        let key = line.split_once(':').unwrap().0;
        let message = format!("seeds/a{number}.md:3: `{key}` may say that this is not for the public");
        assert!(text.contains(&message), "{message} in {text}");
    }
    assert!(errors.contains(&format!("drafts: 0, problems: {}\n", doubtful.len())), "{errors}{text}");
}

// --- keys that are written wrongly ----------------------------------------------------------------------------------

#[test]
fn a_slip_in_a_key_that_decides_about_publication_holds_the_file() {
    let slips = [
        ("darft: true", "draft"),
        ("extra: {x: 1, darft: true}", "draft"),
        ("drfat: yes", "draft"),
        ("Drafts: true", "draft"),
        ("draf: 'true'", "draft"),
        ("pubished: false", "published"),
        ("publised: no", "published"),
        ("pirvate: true", "private"),
        ("privat: true", "private"),
        ("hiden: true", "hidden"),
        ("unlsited: true", "unlisted"),
        ("staus: draft", "status"),
        ("statsu: private", "status"),
        ("visiblity: hidden", "visibility"),
        ("pasword: x", "password"),
        ("passwrod: x", "password"),
        ("encypted: true", "encrypted"),
        ("redirct_to: https://x.example/y", "redirect_to"),
        ("publishDtae: 2999-01-01", "publishdate"),
        ("expiryDat: 2020-01-01", "expirydate"),
    ];
    let mut site = Site::new();
    for (number, (line, _)) in slips.iter().enumerate() {
        site.write(&format!("a{number}.md"), format!("---\ntitle: Secret\nlayout: post\n{line}\n---\nText {number}."));
    }
    let open = ["darft: false", "pubished: true", "hiden: no", "publisher: no", "stats: draft", "craft: true"];
    for (number, line) in open.iter().enumerate() {
        site.write(&format!("b{number}.md"), format!("---\ntitle: Open {number}\n{line}\n---\nPublic {number}."));
    }
    site.start();
    let titles: Vec<String> = (0..open.len()).map(|number| format!("Open {number}")).collect();
    site.wait_for(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    assert_shown_nowhere(&site, "Secret");
    let (_, text, _) = run(gazetted().current_dir(site.root()).args(["check", "."]));
    for (number, (line, meant)) in slips.iter().enumerate() {
        let key = line.rsplit([' ', '{']).nth(1).unwrap().trim_end_matches(':');
        let message = format!("`{key}` is not a key that is read: did you mean `{meant}`? (held until then)");
        assert!(text.contains(&format!("a{number}.md:4: {message}\n")), "{message} in {text}");
        let reason = explain(&site, &format!("a{number}.md"));
        assert!(reason.contains(&format!("not in the feed: line 4: {message}")), "{reason}");
    }
    // A slip that says nothing of the kind is only reported.
    assert!(text.contains("b0.md:3: `darft` is not a key that is read: did you mean `draft`?\n"), "{text}");
    assert!(!text.contains("`publisher`") && !text.contains("`craft`"), "{text}");
}

#[test]
fn keys_that_are_not_read_are_listed_and_slips_are_reported() {
    let mut site = Site::started();
    site.write(
        "a.md",
        "---\ntilte: Boats\nlayout: post\nauhtor: Ann\nweight: 3\ndates: [1]\nlang: en\n---\n# Harbour\n\nText.",
    );
    site.wait_for(&["Harbour"]);
    let mut command = gazetted();
    command.arg("explain").arg(site.path("a.md")).arg("--state").arg(site.state());
    let (_, text, errors) = run(command.arg("--config").arg(site.config_file()));
    assert!(
        text.contains("unused     tilte, layout, auhtor, weight, dates  (keys that are not read)"),
        "{text}{errors}"
    );
    let (code, text, _) = run(gazetted().current_dir(site.root()).args(["check", "a.md"]));
    let expected = "a.md:2: `tilte` is not a key that is read: did you mean `title`?\n\
                    a.md:4: `auhtor` is not a key that is read: did you mean `author`?\n";
    assert_eq!((code, text.as_str()), (Some(1), expected));
}

// --- merge conflicts ------------------------------------------------------------------------------------------------

/// Conflicts as version control systems leave them, each with the line of its first marker.
const CONFLICTS: [(&str, &str, usize); 13] = [
    ("git.md", "# Boats\n\n<<<<<<< HEAD\nOurs.\n=======\nTheirs.\n>>>>>>> topic\n", 3),
    ("crlf.md", "# Boats\r\n\r\n<<<<<<< HEAD\r\nOurs.\r\n=======\r\nTheirs.\r\n>>>>>>> topic\r\n", 3),
    ("diff3.md", "# Boats\n\n<<<<<<< HEAD\nOurs.\n||||||| 1a2b3c4\nOld.\n=======\nTheirs.\n>>>>>>> topic\n", 3),
    ("title.md", "<<<<<<< HEAD\n# Boats\n=======\n# Ships\n>>>>>>> topic\n\nText.\n", 1),
    ("matter.md", "---\n<<<<<<< HEAD\ntitle: Boats\n=======\ntitle: Ships\n>>>>>>> topic\n---\nText.\n", 2),
    ("list.md", "---\ntitle: Boats\ntags:\n<<<<<<< HEAD\n- a\n=======\n- b\n>>>>>>> topic\n---\nText.\n", 4),
    ("toml.md", "+++\ntitle = \"Boats\"\n<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> topic\n+++\nText.\n", 3),
    (
        "nested.md",
        "# Boats\n\n<<<<<<< HEAD\nOurs.\n||||||| merged\n<<<<<<<<< one\na\n=========\nb\n>>>>>>>>> two\n=======\nTheirs.\n\
         >>>>>>> topic\n",
        3,
    ),
    ("fence.md", "# Boats\n\n<<<<<<< HEAD\n```js\n=======\n```ts\n>>>>>>> topic\nlet a = 1;\n```\n", 3),
    ("git.txt", "Boats\n\nText.\n\n<<<<<<< Updated upstream\nOurs.\n=======\nTheirs.\n>>>>>>> Stashed changes\n", 5),
    ("git.html", "<h1>Boats</h1>\n<<<<<<< HEAD\n<p>Ours.</p>\n=======\n<p>Theirs.</p>\n>>>>>>> topic\n", 2),
    ("svn.md", "# Boats\n\n<<<<<<< .mine\nOurs.\n||||||| .r1\nOld.\n=======\nTheirs.\n>>>>>>> .r2\n", 3),
    ("hg.md", "# Boats\n\n<<<<<<< working copy: 1a2b\nOurs.\n=======\nTheirs.\n>>>>>>> merge rev: 3c4d\n", 3),
];

/// Articles about git.
const ABOUT_GIT: [(&str, &str); 6] = [
    ("fenced.md", "# About 0\n\n```diff\n<<<<<<< HEAD\nOurs.\n=======\nTheirs.\n>>>>>>> topic\n```\n"),
    ("tildes.md", "# About 1\n\n~~~\n<<<<<<< HEAD\nOurs.\n=======\nTheirs.\n>>>>>>> topic\n~~~\n"),
    ("indented.md", "# About 2\n\n    <<<<<<< HEAD\n    Ours.\n    =======\n    Theirs.\n    >>>>>>> topic\n"),
    ("pre.md", "# About 3\n\n<pre>\n<<<<<<< HEAD\nOurs.\n=======\nTheirs.\n>>>>>>> topic\n</pre>\n"),
    ("pre.html", "<h1>About 4</h1><p>So:</p><pre>\n<<<<<<< HEAD\nOurs.\n=======\nTheirs.\n>>>>>>> topic\n</pre>\n"),
    (
        "prose.md",
        "# About 5\n\nGit writes `<<<<<<<`, `=======` and `>>>>>>>`.\n\nA heading\n=======\n\n>>>>>>> a deep quote\n",
    ),
];

#[test]
fn an_unresolved_merge_keeps_the_last_good_version() {
    let mut site = Site::started();
    let good = |name: &str, number: usize| match name.rsplit_once('.').unwrap().1 {
        "html" => format!("<h1>Good {number}</h1><p>The text {number} of it.</p>"),
        "txt" => format!("Good {number}\n\nThe text {number} of it."),
        _ => format!("# Good {number}\n\nThe text {number} of it."),
    };
    let mut titles = Vec::new();
    for (number, (name, ..)) in CONFLICTS.iter().enumerate() {
        site.write(name, good(name, number));
        titles.push(format!("Good {number}"));
    }
    for (number, (name, text)) in ABOUT_GIT.iter().enumerate() {
        site.write(name, text);
        titles.push(format!("About {number}"));
    }
    titles.push("Barrier".to_owned());
    site.settle();
    site.wait_for(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    let before = site.feed();
    for (name, text, _) in CONFLICTS {
        site.write(name, text);
        // A file that was never published.
        site.write(&format!("new/{name}"), text);
    }
    site.write("yy-second.txt", "Second barrier");
    site.wait_until("the second barrier is seen", |site| site.titles().contains(&"Second barrier".to_owned()));
    let items = |feed: serde_json::Value| {
        let items = feed["items"].as_array().unwrap().clone();
        items.into_iter().filter(|item| item["title"] != "Second barrier").collect::<Vec<_>>()
    };
    assert_eq!(items(site.feed()), items(before.clone()), "nothing has changed");
    for number in 0..CONFLICTS.len() {
        let url = before["items"].as_array().unwrap().iter().find(|item| item["title"] == format!("Good {number}"));
        let path = url.unwrap()["url"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
        assert!(site.get(&format!("/articles/{path}")).text().contains(&format!("The text {number} of it.")), "{path}");
    }
    let (code, text, _) = run(gazetted().current_dir(site.root()).args(["check", "."]));
    assert_eq!(code, Some(1));
    for (name, _, line) in CONFLICTS {
        for name in [name.to_owned(), format!("new/{name}")] {
            let start = format!("{name}:{line}: `<<<<<<< ");
            let is_named = text.lines().any(|line| {
                line.trim_start_matches("./").starts_with(&start) && line.contains("a merge conflict is not resolved")
            });
            assert!(is_named, "{start} in {text}");
        }
        assert!(explain(&site, &format!("new/{name}")).contains(&format!("line {line}: `<<<<<<< ")), "{name}");
    }
    // Once it is resolved, it is the same article.
    site.write("git.md", "# Merged\n\nOurs and theirs.");
    site.wait_until("the merged text is shown", |site| site.titles().contains(&"Merged".to_owned()));
    let id = before["items"].as_array().unwrap().iter().find(|item| item["title"] == "Good 0").unwrap()["id"].clone();
    assert_eq!(site.entry("Merged")["id"], id);
}

/// In a large folder, the front matter is read first, and the text later.
#[test]
fn the_first_reading_of_a_large_folder_shows_nothing_that_is_held() {
    let mut site = Site::new();
    let header = "date: 2020-01-01\n---\n";
    for number in 0..250 {
        site.write(&format!("a{number}.md"), format!("---\ntitle: Article {number}\n{header}The text {number}."));
    }
    let conflict = "<<<<<<< HEAD\nOurs.\n=======\nTheirs.\n>>>>>>> topic\n";
    site.write("conflict.md", format!("---\ntitle: Secret conflict\ndate: 2026-01-01\n---\n{conflict}"));
    site.write("drafts/a.md", format!("---\ntitle: Secret draft\n{header}Text."));
    site.write("lock.md", format!("---\ntitle: Secret lock\npassword: x\n{header}Text."));
    site.write("slip.md", format!("---\ntitle: Secret slip\ndarft: true\n{header}Text."));
    site.write("@Recycle/b.md", format!("---\ntitle: Secret bin\n{header}Text."));
    site.start_serving();
    site.wait_until("the articles are served", |site| !site.titles().is_empty());
    site.settle();
    let pages = ["conflict", "a", "lock", "slip", "b"];
    site.wait_until("all have been read", |site| site.get("/articles/a249").text().contains("The text 249"));
    assert_shown_nowhere(&site, "Secret");
    for page in pages {
        assert_eq!(site.get(&format!("/articles/{page}")).status, 404, "{page}");
    }
}
