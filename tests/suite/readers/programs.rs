//! Command-line readers that store what they have read.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use super::{Habits, Reader, Shown, follow_all, hermetic, shows_notes};
use crate::tools::{self, Running};

struct Newsboat {
    home: TempDir,
}

impl Newsboat {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

impl Reader for Newsboat {
    fn subscribe(&mut self, addresses: &[String]) {
        std::fs::write(self.file("urls"), addresses.join("\n") + "\n").unwrap();
        std::fs::write(self.file("config"), "").unwrap();
    }

    fn update(&mut self) {
        let mut command = hermetic("newsboat", self.home.path());
        command
            .arg("-u")
            .arg(self.file("urls"))
            .arg("-c")
            .arg(self.file("cache.db"))
            .arg("-C")
            .arg(self.file("config"));
        tools::run(command.args(["-x", "reload"]));
    }

    fn shown(&self) -> Vec<Shown> {
        let cache = rusqlite::Connection::open(self.file("cache.db")).unwrap();
        let sql = "SELECT title, author, pubDate, content FROM rss_item WHERE deleted = 0";
        let mut statement = cache.prepare(sql).unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            Ok(Shown { title: row.get(0)?, author: row.get(1)?, date: row.get(2)?, text: row.get(3)? })
        };
        statement.query_map([], row).unwrap().map(Result::unwrap).collect()
    }
}

#[test]
fn newsboat_shows_each_article_once() {
    if tools::has("newsboat") {
        follow_all(Newsboat::new, &["rss.xml", "atom.xml"], Habits { shows_edits: true });
    }
}

#[test]
fn newsboat_and_sfeed_show_notes_without_a_title() {
    for document in ["rss.xml", "atom.xml"] {
        if tools::has("newsboat") {
            shows_notes(&mut Newsboat::new(), document);
        }
        if tools::has("sfeed_update") && tools::has("curl") {
            shows_notes(&mut Sfeed::new(), document);
        }
    }
}

struct Sfeed {
    home: TempDir,
}

impl Sfeed {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }
}

impl Reader for Sfeed {
    fn subscribe(&mut self, addresses: &[String]) {
        let feeds: Vec<String> =
            (0..).zip(addresses).map(|(number, address)| format!("feed 'f{number}' '{address}'\n")).collect();
        let feeds = feeds.concat();
        let home = self.home.path().display();
        std::fs::write(self.home.path().join("rc"), format!("sfeedpath='{home}/feeds'\nfeeds() {{\n{feeds}}}\n"))
            .unwrap();
    }

    fn update(&mut self) {
        tools::run(hermetic("sfeed_update", self.home.path()).arg(self.home.path().join("rc")));
    }

    fn shown(&self) -> Vec<Shown> {
        let files = std::fs::read_dir(self.home.path().join("feeds")).unwrap();
        let text: String = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
        let shown = |line: &str| {
            let fields: Vec<&str> = line.split('\t').collect();
            assert!(
                fields[2].starts_with("https://gazette.example/articles/") && fields[5].starts_with("urn:uuid:"),
                "{line}"
            );
            Shown {
                title: fields[1].into(),
                author: fields[6].into(),
                date: fields[0].parse().unwrap(),
                text: fields[3].into(),
            }
        };
        text.lines().map(shown).collect()
    }
}

#[test]
fn sfeed_shows_each_article_once() {
    if tools::has("sfeed_update") && tools::has("curl") {
        follow_all(Sfeed::new, &["rss.xml", "atom.xml"], Habits { shows_edits: false });
    }
}

/// Sends each article as a mail; here into a folder.
struct Rss2email {
    home: TempDir,
}

impl Rss2email {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(home.path().join("mail/in").join(folder)).unwrap();
        }
        Self { home }
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = hermetic("r2e", self.home.path());
        command.arg("-c").arg(self.home.path().join("config")).arg("-d").arg(self.home.path().join("data"));
        tools::run(command.args(arguments));
    }
}

/// Mails of a folder as JSON.
const MAILS: &str = "
import email.policy, email.utils, json, mailbox, sys
make = lambda file: email.message_from_binary_file(file, policy=email.policy.default)
def shown(mail):
    date = int(mail['Date'].datetime.timestamp())
    return {'title': str(mail['Subject']), 'author': mail['From'].addresses[0].display_name, 'date': date, 'text': mail.get_content()}
print(json.dumps([shown(mail) for mail in mailbox.Maildir(sys.argv[1], factory=make)]))
";

impl Reader for Rss2email {
    fn subscribe(&mut self, addresses: &[String]) {
        self.run(&["new", "reader@localhost.localdomain"]);
        let file = self.home.path().join("config");
        let text = std::fs::read_to_string(&file).unwrap();
        let mail = self.home.path().join("mail").display().to_string();
        let settings = [
            ("email-protocol", "maildir"),
            ("maildir-path", &mail),
            ("maildir-mailbox", "in"),
            ("date-header", "True"),
            ("name-format", "{author}"),
        ];
        let set = |line: &str| {
            let key = line.split(" = ").next().unwrap_or_default();
            let value = settings.iter().find(|(setting, _)| *setting == key);
            value.map_or(line.to_owned(), |(_, value)| format!("{key} = {value}"))
        };
        std::fs::write(&file, text.lines().map(set).collect::<Vec<_>>().join("\n")).unwrap();
        for (number, address) in (0..).zip(addresses) {
            self.run(&["add", &format!("f{number}"), address]);
        }
    }

    fn update(&mut self) {
        self.run(&["run"]);
    }

    fn shown(&self) -> Vec<Shown> {
        let mails = tools::run(Command::new("python3").args(["-c", MAILS]).arg(self.home.path().join("mail/in")));
        serde_json::from_str(&mails).unwrap()
    }
}

#[test]
fn rss2email_sends_each_article_once() {
    if tools::has("r2e") && tools::has("python3") {
        follow_all(Rss2email::new, &["rss.xml", "atom.xml"], Habits { shows_edits: false });
    }
}

struct Elfeed {
    home: TempDir,
    library: PathBuf,
    addresses: Vec<String>,
}

/// Updates the feeds if requested, and prints one article a line.
const ELFEED: &str = r#"
(setq elfeed-db-directory (expand-file-name "db" (getenv "HOME")) elfeed-log-level 'error)
(require 'elfeed)
(require 'json)
(setq elfeed-feeds (split-string (getenv "FEEDS")) elfeed-use-curl (executable-find "curl"))
(when (getenv "UPDATE")
  (elfeed-update)
  (while (> (elfeed-queue-count-total) 0) (accept-process-output nil 0.05))
  (elfeed-db-save))
(defun names (entry) (mapconcat (lambda (author) (plist-get author :name)) (elfeed-meta entry :authors) ", "))
(with-elfeed-db-visit (entry _)
  (princ (concat (json-encode `((title . ,(elfeed-entry-title entry)) (author . ,(names entry))
                                (date . ,(floor (elfeed-entry-date entry)))
                                (text . ,(elfeed-deref (elfeed-entry-content entry))))) "\n")))
"#;

impl Elfeed {
    fn new(library: PathBuf) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("run.el"), ELFEED).unwrap();
        Self { home, library, addresses: Vec::new() }
    }

    fn emacs(&self) -> Command {
        let mut command = hermetic("emacs", self.home.path());
        command.args(["-Q", "--batch", "-L"]).arg(&self.library).arg("-l").arg(self.home.path().join("run.el"));
        command.env("FEEDS", self.addresses.join(" "));
        command
    }
}

impl Reader for Elfeed {
    fn subscribe(&mut self, addresses: &[String]) {
        self.addresses = addresses.to_vec();
    }

    fn update(&mut self) {
        tools::run(self.emacs().env("UPDATE", "yes"));
    }

    fn shown(&self) -> Vec<Shown> {
        let printed = tools::run(&mut self.emacs());
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn elfeed_shows_each_article_once() {
    let Some(library) = tools::elfeed() else { return };
    if tools::has("emacs") && tools::has("curl") {
        follow_all(|| Elfeed::new(library.clone()), &["rss.xml", "atom.xml"], Habits { shows_edits: true });
    }
}

/// The library called reader, for Python. One process answers all requests: to start it takes longer than they do.
struct PythonReader {
    home: TempDir,
    process: Option<(Running, RefCell<Pipes>)>,
}

/// Lines to a process and from it.
struct Pipes {
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// For each line of input, updates the feeds if it says so, and prints all articles.
const PYTHON_READER: &str = "
import json, reader, sys
library = reader.make_reader(sys.argv[1] + '/db.sqlite')
for address in sys.argv[2:]:
    library.add_feed(address, exist_ok=True)
def shown(entry):
    date = int((entry.published or entry.updated).timestamp())
    return {'title': entry.title, 'author': entry.author, 'date': date, 'text': entry.get_content().value}
for request in sys.stdin:
    if request == 'update\\n':
        for result in library.update_feeds_iter(scheduled=False):
            assert not isinstance(result.value, Exception), result
    print(json.dumps([shown(entry) for entry in library.get_entries()]), flush=True)
";

impl PythonReader {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), process: None }
    }

    fn request(&self, what: &str) -> String {
        let (_, pipes) = self.process.as_ref().unwrap();
        let mut pipes = pipes.borrow_mut();
        writeln!(pipes.requests, "{what}").unwrap();
        pipes.answers.next().expect("the process answers").unwrap()
    }
}

impl Reader for PythonReader {
    fn subscribe(&mut self, addresses: &[String]) {
        let mut command = Command::new("python3");
        command.args(["-c", PYTHON_READER]).arg(self.home.path()).args(addresses);
        command.env("HOME", self.home.path()).env_remove("http_proxy");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let requests = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        self.process = Some((Running(child), RefCell::new(Pipes { requests, answers })));
    }

    fn update(&mut self) {
        self.request("update");
    }

    fn shown(&self) -> Vec<Shown> {
        serde_json::from_str(&self.request("show")).unwrap()
    }
}

#[test]
fn reader_for_python_shows_each_article_once() {
    if tools::has_python("reader") && tools::has_python("sgmllib") {
        follow_all(PythonReader::new, &["rss.xml", "atom.xml", "feed.json"], Habits { shows_edits: true });
    }
}
