//! Files that must not be public: how they are recognised, and that no feed, page or address shows them.

use std::path::Path;
use std::process::{Command, Output};

use crate::command_line::gazetted;
use crate::site::Site;

/// Exit code, standard output and standard error of a command.
fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn explain(site: &Site, name: &str) -> String {
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
fn assert_shown_nowhere(site: &Site, secret: &str) {
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
            let summary = "files read: 1, drafts: 0, problems: 0\n";
            assert_eq!((code, text.as_str(), errors.as_str()), (Some(0), "", summary), "{folder}");
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
    assert_eq!(errors, format!("files read: {}, drafts: {count}, problems: 0\n", count + 3));
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
