//! More changes in a second than can be followed one by one. Queues are bounded: the hints are dropped, and the folder is compared with
//! the catalog.

use std::collections::BTreeMap;
use std::path::Path;

use crate::command_line::gazetted;
use crate::security::peak;
use crate::tools::Program;

/// Articles in each of two folders.
const ARTICLES: usize = 30;
/// Renames of folders in each storm.
const RENAMES: usize = 60_000;
/// Most memory that a storm may take in addition, in kilobytes.
const MOST_KILOBYTES: u64 = 40_000;

fn start(home: &Path) -> Program {
    for folder in ["one", "two"] {
        let folder = home.join("articles").join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        for number in 0..ARTICLES {
            let name = format!("{} {number}", folder.file_name().unwrap().display());
            std::fs::write(folder.join(format!("{number}.md")), format!("# {name}\n\nThe text of {name}.")).unwrap();
        }
    }
    std::fs::write(home.join("g.toml"), "[feed]\nentries = 1000\n").unwrap();
    let mut command = gazetted();
    command.arg("serve").arg(home.join("articles")).arg("--state").arg(home.join("state"));
    Program::start(command.args(["--listen", "127.0.0.1:0", "--config"]).arg(home.join("g.toml")))
}

/// Ids of the published articles by title.
fn ids(program: &Program) -> BTreeMap<String, String> {
    let answer = program.get("/feed.json");
    let feed: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    feed["items"].as_array().unwrap().iter().map(|item| (text(&item["title"]), text(&item["id"]))).collect()
}

/// Runs a storm. Then an article is published, no id has changed, and little memory was used.
fn storm(rename: impl Fn(&Path, usize)) {
    let home = tempfile::Builder::new().prefix("gazetted-").tempdir().unwrap();
    let program = start(home.path());
    program.wait_until("all are served", |program| ids(program).len() == 2 * ARTICLES);
    let (before, memory) = (ids(&program), peak(&program));
    let articles = home.path().join("articles");
    for number in 0..RENAMES {
        rename(&articles, number);
    }
    std::fs::write(articles.join("after.md"), "# After\n\nText.").unwrap();
    program.wait_until("the next article is served", |program| ids(program).contains_key("After"));
    program.wait_until("all articles are served with their ids", |program| {
        let now = ids(program);
        now.len() == before.len() + 1 && before.iter().all(|(title, id)| now.get(title) == Some(id))
    });
    let more = peak(&program) - memory;
    assert!(more < MOST_KILOBYTES, "{more} kilobytes more than before");
    // The folders are watched where they are now.
    let folder = std::fs::read_dir(&articles).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        path.is_dir().then_some(path)
    });
    std::fs::write(folder.unwrap().join("new.md"), "# New\n\nMore text.").unwrap();
    program.wait_until("a new article is served", |program| ids(program).contains_key("New"));
    let log = program.log.lock();
    let lines = log.iter().filter(|line| line.contains("comparing the whole folder")).count();
    assert!((1..=4).contains(&lines), "it is reported, but not each time: {log:?}");
    assert!(!log.iter().any(|line| line.contains(" WARN ") || line.contains("deleted")), "{log:?}");
}

#[test]
fn a_folder_that_is_renamed_back_and_forth_delays_no_article() {
    storm(|articles, number| {
        let (from, to) = if number.is_multiple_of(2) { ("one", "three") } else { ("three", "one") };
        std::fs::rename(articles.join(from), articles.join(to)).unwrap();
    });
}

#[test]
fn folders_that_change_places_again_and_again_delay_no_article() {
    storm(|articles, number| {
        let (from, to) = [("one", "three"), ("two", "one"), ("three", "two")][number % 3];
        std::fs::rename(articles.join(from), articles.join(to)).unwrap();
    });
}

#[test]
fn a_folder_that_gets_ever_new_names_delays_no_article() {
    storm(|articles, number| {
        let name = |number: usize| if number == 0 { "one".to_owned() } else { format!("new-{number}") };
        std::fs::rename(articles.join(name(number)), articles.join(name(number + 1))).unwrap();
    });
}
