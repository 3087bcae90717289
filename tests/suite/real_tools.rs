//! Real programs that save, move or transfer articles in a watched folder. Each article is one entry, with
//! the whole new text and its old identity, and no temporary file is ever published.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::site::Site;
use crate::tools::{self, Running};
use crate::waiting::{wait_or_explain, wait_until};

/// An article and its edition: programs edit it by replacing `first` with `second`.
#[derive(Clone)]
struct Story {
    file: String,
    title: String,
    edition: String,
    paragraphs: usize,
}

fn story(file: &str, title: &str, edition: &str) -> Story {
    Story { file: file.to_owned(), title: title.to_owned(), edition: edition.to_owned(), paragraphs: 12 }
}

impl Story {
    fn text(&self) -> String {
        let heading = if self.file.contains(".md") { "# " } else { "" };
        let mut text = format!("{heading}{}\n", self.title);
        for number in 1..=self.paragraphs {
            text.push_str(&format!("\nParagraph {number} of {}, in its {} edition.\n", self.title, self.edition));
        }
        text
    }

    /// Every word below the headline.
    fn words(&self) -> Vec<String> {
        self.text().lines().skip(1).flat_map(str::split_whitespace).map(str::to_owned).collect()
    }
}

fn write_below(folder: &Path, stories: &[Story]) {
    for story in stories {
        let path = folder.join(&story.file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, story.text()).unwrap();
    }
}

/// Every word of a served text.
fn words(html: &str) -> Vec<String> {
    let texts = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    texts.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// What no edit changes: id, date, address.
type Identity = [String; 3];

/// A site that a program edits. Each version is checked while the test waits.
struct Desk {
    site: Site,
    /// Every entry that was ever served, by title.
    known: BTreeMap<String, Identity>,
}

impl Desk {
    /// A site with articles, all served.
    fn with(stories: &[Story]) -> Self {
        let mut site =
            Site::configured("[articles]\nfollow_links = 'anywhere'\n[feed]\nentries = 1000\nmax_bytes = '64 MiB'");
        site.start();
        let mut desk = Self { site, known: BTreeMap::new() };
        write_below(desk.site.root(), stories);
        desk.serves(stories);
        desk
    }

    fn with_one(story: Story) -> Self {
        let mut desk = Self::with(std::slice::from_ref(&story));
        desk.serves_only(story);
        desk
    }

    /// A folder on the same file system that is not watched.
    fn outside(&self) -> PathBuf {
        let folder = self.site.root().with_file_name("outside");
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// A program that runs in the folder, without the user's settings.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.site.root()).env("HOME", self.outside());
        command
    }

    /// Runs a program in the folder, which must succeed.
    fn run(&self, program: &str, arguments: &[&str]) {
        tools::run(self.command(program).args(arguments));
    }

    fn wait(&mut self, what: &str, holds: impl Fn(&[Value]) -> bool) {
        let known = RefCell::new(&mut self.known);
        self.site.wait_until(what, |site| {
            let feed = site.feed();
            let entries: Vec<Value> = feed["items"].as_array().unwrap().clone();
            recognise(&mut known.borrow_mut(), &entries);
            holds(&entries)
        });
    }

    /// Waits until the feed has exactly these articles, each with its whole text.
    fn serves(&mut self, stories: &[Story]) {
        for story in stories {
            let written = std::fs::read_to_string(self.site.path(&story.file)).unwrap();
            assert_eq!(written, story.text(), "{}: what the program wrote", story.file);
        }
        let expected: BTreeMap<String, Vec<String>> =
            stories.iter().map(|story| (story.title.clone(), story.words())).collect();
        self.wait("each article is served as its file is", |entries| {
            let served = entries.iter().filter(|entry| entry["title"] != "Barrier");
            let served: BTreeMap<String, Vec<String>> = served.map(|entry| (title(entry), text_of(entry))).collect();
            for (title, words) in &served {
                assert_eq!(words.last().map(String::as_str), Some("edition."), "{title} is half written: {words:?}");
            }
            let other = |title: &&String| served.get(*title) != expected.get(*title);
            let other: Vec<&String> = expected.keys().chain(served.keys()).filter(other).collect();
            // Shown when the test fails.
            println!("not yet as its file: {other:?}");
            other.is_empty()
        });
    }

    /// As `serves`, for the only article; then waits until the next version may follow at once, so that each step of a program
    /// would be a version of its own.
    fn serves_only(&mut self, story: Story) {
        self.serves(&[story]);
        let next = self.site.version() + chrono::TimeDelta::seconds(1);
        std::thread::sleep((next - chrono::Utc::now()).to_std().unwrap_or_default());
    }

    /// Checks that the feed has exactly these articles, and that no other file was ever recorded as one.
    fn ends_with(mut self, stories: &[Story]) {
        self.site.settle();
        self.serves(stories);
        let file = self.site.root().with_file_name("state").join(gazetted::catalog::FILE);
        let catalog = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut statement = catalog.prepare("SELECT id, CAST(path AS TEXT) FROM article").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let recorded: BTreeMap<String, String> = rows.map(Result::unwrap).collect();
        let known: Vec<&String> = self.known.values().map(|[id, ..]| id).collect();
        let others: Vec<_> = recorded.iter().filter(|(id, _)| !known.contains(id)).collect();
        assert!(others.is_empty(), "taken for articles for a while: {others:?}");
    }
}

fn title(entry: &Value) -> String {
    entry["title"].as_str().unwrap().to_owned()
}

fn text_of(entry: &Value) -> Vec<String> {
    words(entry["content_html"].as_str().unwrap())
}

/// Checks that each article is in the feed once, with the identity that it had in every earlier feed.
fn recognise(known: &mut BTreeMap<String, Identity>, entries: &[Value]) {
    let mut titles: Vec<String> = entries.iter().map(title).collect();
    titles.sort();
    assert!(titles.windows(2).all(|pair| pair[0] != pair[1]), "served twice: {titles:?}");
    for entry in entries {
        let identity = ["id", "date_published", "url"].map(|key| entry[key].as_str().unwrap().to_owned());
        let before = known.entry(title(entry)).or_insert_with(|| identity.clone());
        assert_eq!(*before, identity, "{} keeps its identity", title(entry));
    }
}

#[test]
fn vim_saves() {
    if !tools::has("vim") {
        return;
    }
    let mut desk = Desk::with_one(story("a.md", "Harbour", "first"));
    // By default vim makes no backups below /tmp, where this folder is.
    let usual = "set nocompatible backup writebackup swapfile directory=. backupdir=. backupskip=";
    for (from, to, way) in [("first", "second", "auto"), ("second", "third", "no"), ("third", "fourth", "yes")] {
        let set = format!("{usual} backupcopy={way}");
        let half = format!("%s/{from}/half done/");
        let whole = format!("%s/half done/{to}/");
        let swap = "if !filereadable('.a.md.swp') | cquit | endif";
        let arguments = ["-u", "NONE", "-i", "NONE", "-es", "--cmd", &set, "-c", &half, "-c", swap, "-c", "sleep 300m"];
        let mut command = desk.command("vim");
        command.args(arguments).args(["-c", "w", "-c", &whole, "-c", "w", "-c", "q", "a.md"]);
        tools::run(&mut command);
        assert!(desk.site.path("a.md~").exists(), "vim made a backup");
        desk.serves_only(story("a.md", "Harbour", to));
    }
    desk.ends_with(&[story("a.md", "Harbour", "fourth")]);
}

/// Types into a program on a terminal. Its first argument pairs a text on the screen with the keys to type when it appears.
const TYPIST: &str = r#"
import os, pty, select, sys, time
script = [pair.split("=") for pair in sys.argv[1].split("|")]
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[2], sys.argv[2:])
for word, keys in script:
    screen, deadline = "", time.time() + 150
    while word not in screen:
        if not select.select([terminal], [], [], max(0, deadline - time.time()))[0]:
            sys.exit(f"no {word!r} on the screen: {screen!r}")
        screen += os.read(terminal, 65536).decode(errors="replace")
    os.write(terminal, keys.encode().decode("unicode_escape").encode())
try:
    while os.read(terminal, 65536):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

#[test]
fn nano_saves() {
    if !tools::has("nano") || !tools::has("python3") {
        return;
    }
    let mut desk = Desk::with_one(story("a.md", "Harbour", "first"));
    for (from, to, options) in [("first", "second", "-IGL"), ("second", "third", "-IGLB")] {
        let keys = format!(
            "a.md=\\x1br|to replace={from}\\r|Replace with={to}\\r|this instance=a|occurrences=\\x0f|to Write=\\r|Wrote=\\x18"
        );
        desk.run("python3", &["-c", TYPIST, &keys, "nano", options, "a.md"]);
        desk.serves_only(story("a.md", "Harbour", to));
    }
    assert!(desk.site.path("a.md~").exists(), "nano -B made a backup");
    desk.ends_with(&[story("a.md", "Harbour", "third")]);
}

/// Edits in two steps, each saved, with every additional file that emacs makes.
const EMACS: &str = r#"
(progn
  (setq make-backup-files t backup-enable-predicate (lambda (_) t) file-precious-flag PRECIOUS)
  (find-file "a.md")
  (auto-save-mode 1)
  (while (search-forward "FROM" nil t) (replace-match "half done" t t))
  (do-auto-save t)
  (unless (and (file-symlink-p ".\#a.md") (file-exists-p "\#a.md\#")) (error "no lock, or no automatic save"))
  (sleep-for 0.3)
  (save-buffer)
  (goto-char (point-min))
  (while (search-forward "half done" nil t) (replace-match "TO" t t))
  (save-buffer))
"#;

#[test]
fn emacs_saves() {
    if !tools::has("emacs") {
        return;
    }
    let mut desk = Desk::with_one(story("a.md", "Harbour", "first"));
    for (from, to, precious) in [("first", "second", "nil"), ("second", "third", "t")] {
        let script = EMACS.replace("FROM", from).replace("TO", to).replace("PRECIOUS", precious);
        desk.run("emacs", &["-Q", "--batch", "--eval", &script]);
        desk.serves_only(story("a.md", "Harbour", to));
    }
    assert!(desk.site.path("a.md~").exists(), "emacs made a backup");
    desk.ends_with(&[story("a.md", "Harbour", "third")]);
}

#[test]
fn sed_and_perl_edit_in_place() {
    if !tools::has("sed") || !tools::has("perl") {
        return;
    }
    let mut desk = Desk::with_one(story("a.md", "Harbour", "first"));
    for (program, options, from, to) in [
        ("sed", &["-i"][..], "first", "second"),
        ("sed", &["-i.bak"], "second", "third"),
        ("perl", &["-pi", "-e"], "third", "fourth"),
        ("perl", &["-pi.orig", "-e"], "fourth", "fifth"),
    ] {
        let change = format!("s/{from}/{to}/");
        desk.run(program, &[options, &[&change, "a.md"]].concat());
        desk.serves_only(story("a.md", "Harbour", to));
    }
    assert!(desk.site.path("a.md.bak").exists() && desk.site.path("a.md.orig").exists());
    desk.ends_with(&[story("a.md", "Harbour", "fifth")]);
}

/// Saves as VS Code does: empties the old file, then writes it in pieces.
const NODE: &str = r#"
const fs = require("fs/promises");
(async () => {
  const text = (await fs.readFile("a.md", "utf8")).replaceAll("first", "second");
  const file = await fs.open("a.md", "w");
  const middle = text.length / 2;
  await file.write(text.slice(0, middle));
  await new Promise(resolve => setTimeout(resolve, 30));
  await file.write(text.slice(middle));
  await file.datasync();
  await file.close();
})();
"#;

#[test]
fn an_editor_on_node_saves() {
    if !tools::has("node") {
        return;
    }
    let mut desk = Desk::with_one(story("a.md", "Harbour", "first"));
    desk.run("node", &["-e", NODE]);
    desk.serves_only(story("a.md", "Harbour", "second"));
    let whole = "const fs = require('fs'); fs.writeFile('a.md', fs.readFileSync('a.md', 'utf8').replaceAll('second', 'third'), () => {})";
    desk.run("node", &["-e", whole]);
    desk.serves_only(story("a.md", "Harbour", "third"));
    desk.ends_with(&[story("a.md", "Harbour", "third")]);
}

#[test]
fn rsync_adds_and_removes_articles() {
    if !tools::has("rsync") {
        return;
    }
    let mut desk = Desk::with(&[]);
    let (source, other) = (desk.outside().join("source"), desk.outside().join("other"));
    std::fs::create_dir(&other).unwrap();
    let (from, other) = (format!("{}/", source.display()), format!("--temp-dir={}", other.display()));
    for (edition, option) in
        [("first", "--times"), ("second", "--inplace"), ("third", "--delay-updates"), ("fourth", &other)]
    {
        let stories = [story("a.md", "Harbour", edition), story("deep/b.txt", "Weather", edition)];
        write_below(&source, &stories);
        desk.run("rsync", &["--recursive", "--times", "--checksum", option, &from, "."]);
        desk.serves(&stories);
    }
    std::fs::remove_file(source.join("deep/b.txt")).unwrap();
    desk.run("rsync", &["--recursive", "--times", "--delete", &from, "."]);
    let left = [story("a.md", "Harbour", "fourth")];
    desk.serves(&left);
    desk.ends_with(&left);
}

/// An SSH server on this machine, for this user only.
struct Shells {
    folder: tempfile::TempDir,
    port: u16,
    _server: Running,
}

impl Shells {
    const SERVER: &str = "/usr/sbin/sshd";

    /// Returns `None`, and reports a skipped test, if something is missing.
    fn start() -> Option<Self> {
        if !Path::new(Self::SERVER).exists() {
            tools::skip("sshd");
            return None;
        }
        if !tools::has("scp") || !tools::has("sftp") || !tools::has("ssh-keygen") {
            return None;
        }
        // The server requires it when root starts it.
        let _ = std::fs::create_dir_all("/run/sshd");
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for key in ["host", "user"] {
            let mut keygen = Command::new("ssh-keygen");
            tools::run(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file(key)));
        }
        let (port, path) = (tools::free_port(), folder.path().display());
        let lines = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {path}/host\nAuthorizedKeysFile {path}/user.pub\nPidFile none\n\
             UsePAM no\nStrictModes no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
        );
        std::fs::write(file("config"), lines).unwrap();
        let server = Running::start(Command::new(Self::SERVER).args(["-D", "-e", "-f"]).arg(file("config")));
        wait_until("sshd listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(Self { folder, port, _server: server })
    }

    /// `scp` or `sftp`, with its key and options.
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-q", "-F", "none", "-P", &self.port.to_string()]);
        let key = format!("IdentityFile={}", self.folder.path().join("user").display());
        for option in
            ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", &key]
        {
            command.args(["-o", option]);
        }
        command
    }
}

#[test]
fn scp_and_sftp_upload() {
    let Some(shells) = Shells::start() else { return };
    let mut desk = Desk::with(&[]);
    let source = desk.outside();
    let to = |name: &str| format!("127.0.0.1:{}", desk.site.path(name).display());
    let (there, hidden, file) = (to("a.md"), desk.site.path(".a.md.upload"), desk.site.path("a.md"));
    let (hidden, file) = (hidden.display(), file.display());
    for (edition, protocol) in [("first", "-s"), ("second", "-s"), ("third", "-O")] {
        write_below(&source, &[story("a.md", "Harbour", edition)]);
        tools::run(shells.client("scp").args([protocol, "-p"]).arg(source.join("a.md")).arg(&there));
        desk.serves_only(story("a.md", "Harbour", edition));
    }
    for (edition, commands) in [
        ("fourth", format!("put a.md {file}\n")),
        // The recommended way: under a name that is not published, then renamed.
        ("fifth", format!("put a.md {hidden}\nrename {hidden} {file}\n")),
    ] {
        write_below(&source, &[story("a.md", "Harbour", edition)]);
        std::fs::write(source.join("commands"), commands).unwrap();
        let mut client = shells.client("sftp");
        tools::run(client.current_dir(&source).args(["-b", "commands", "127.0.0.1"]));
        desk.serves_only(story("a.md", "Harbour", edition));
    }
    desk.ends_with(&[story("a.md", "Harbour", "fifth")]);
}

#[test]
fn the_next_upload_completes_an_interrupted_one() {
    let Some(shells) = Shells::start() else { return };
    let mut desk = Desk::with(&[]);
    let long = Story { paragraphs: 40_000, ..story("a.txt", "Harbour", "first") };
    write_below(&desk.outside(), std::slice::from_ref(&long));
    let (source, file) = (desk.outside().join("a.txt"), desk.site.path("a.txt"));
    let there = format!("127.0.0.1:{}", file.display());
    let half = long.text().len() as u64 / 2;
    let size = || std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
    // 2.5 MB a second.
    let mut client = shells.client("scp");
    let mut client = Running::start(client.args(["-l", "20000"]).arg(&source).arg(&there));
    wait_until("half of it has arrived", || size() >= half);
    client.0.kill().unwrap();
    client.0.wait().unwrap();
    // A closed file counts as finished.
    desk.wait("what arrived is served", |entries| entries.len() == 1);
    assert!(size() < 2 * half, "the upload was interrupted");
    tools::run(shells.client("scp").arg(&source).arg(&there));
    desk.wait("all of it is served", |entries| text_of(&entries[0]) == long.words());
    desk.ends_with(&[long]);
}

/// Runs git without the user's settings.
fn git(desk: &Desk, folder: &Path, arguments: &[&str]) {
    let mut command = desk.command("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command.env("GIT_CONFIG_NOSYSTEM", "1").current_dir(folder);
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always"]);
    tools::run(command.args(arguments));
}

#[test]
fn git_switches_between_branches() {
    if !tools::has("git") {
        return;
    }
    let same = story("deep/c.md", "Letters", "first");
    let main = [story("a.md", "Harbour", "first"), same.clone(), story("deep/d.md", "Tides", "first")];
    let other = [story("a.md", "Harbour", "second"), same, story("new/e.txt", "Weather", "first")];
    let mut desk = Desk::with(&main);
    let root = desk.site.root().to_path_buf();
    let commit = |branch: &str| {
        git(&desk, &root, &["checkout", "-q", "-b", branch]);
        git(&desk, &root, &["add", "--all"]);
        git(&desk, &root, &["commit", "-q", "-m", branch]);
    };
    git(&desk, &root, &["init", "-q", "-b", "none"]);
    commit("main");
    desk.site.remove("deep/d.md");
    write_below(&root, &other);
    // Git keeps this branch in files of this name.
    commit("other.md");
    for round in 1..=20 {
        let (branch, stories) = if round % 2 == 1 { ("main", &main) } else { ("other.md", &other) };
        git(&desk, &root, &["checkout", "-q", branch]);
        if round % 7 == 0 {
            desk.serves(stories);
        }
    }
    desk.ends_with(&other);
}

#[test]
fn git_pulls_many_articles_at_once() {
    if !tools::has("git") {
        return;
    }
    let first = story("a.md", "Harbour", "first");
    let mut desk = Desk::with(std::slice::from_ref(&first));
    let (root, source) = (desk.site.root().to_path_buf(), desk.outside().join("source"));
    for arguments in [&["init", "-q", "-b", "main"][..], &["add", "--all"], &["commit", "-q", "-m", "one"]] {
        git(&desk, &root, arguments);
    }
    git(&desk, &desk.outside(), &["clone", "-q", root.to_str().unwrap(), "source"]);
    let mut stories = vec![story("a.md", "Harbour", "second")];
    let number = |number: u32| story(&format!("year{}/n{number}.md", number % 7), &format!("Number {number}"), "first");
    stories.extend((0..300).map(number));
    write_below(&source, &stories);
    git(&desk, &source, &["add", "--all"]);
    git(&desk, &source, &["commit", "-q", "-m", "many"]);
    git(&desk, &root, &["pull", "-q", "--ff-only", source.to_str().unwrap(), "main"]);
    desk.serves(&stories);
    desk.ends_with(&stories);
}

#[test]
fn archives_are_unpacked_into_new_folders() {
    if !tools::has("tar") || !tools::has("unzip") || !tools::has("python3") {
        return;
    }
    let mut desk = Desk::with(&[]);
    let outside = desk.outside();
    let mut stories = Vec::new();
    for (archive, edition) in [("tar", "first"), ("zip", "first"), ("tar", "second"), ("zip", "second")] {
        let number = |number: usize| {
            let folder = ["", "deep/", "deep/er/", "other/"][number % 4];
            story(&format!("{archive}/{folder}n{number}.md"), &format!("{archive} {number}"), edition)
        };
        let packed: Vec<Story> = (0..20).map(number).collect();
        let made_from = outside.join(archive);
        write_below(&outside, &packed);
        let file = outside.join(format!("a.{archive}"));
        let file = file.to_str().unwrap();
        if archive == "tar" {
            tools::run(desk.command("tar").current_dir(&outside).args(["--create", "--file", file, archive]));
            desk.run("tar", &["--extract", "--file", file]);
        } else {
            let mut pack = desk.command("python3");
            tools::run(pack.args(["-m", "zipfile", "--create", file]).arg(made_from));
            desk.run("unzip", &["-q", "-o", file]);
        }
        stories.retain(|story: &Story| !story.file.starts_with(archive));
        stories.extend(packed);
        desk.serves(&stories);
    }
    desk.ends_with(&stories);
}

#[test]
fn mv_moves_an_article_in_out_and_in_again() {
    let (one, two) = (story("a.md", "Harbour", "first"), story("b.md", "Weather", "first"));
    let mut desk = Desk::with(std::slice::from_ref(&one));
    let outside = desk.outside();
    let away = outside.join("b.md");
    let both = [one.clone(), two];
    write_below(&outside, &both[1..]);
    for _ in 0..2 {
        desk.run("mv", &[away.to_str().unwrap(), "."]);
        desk.serves(&both);
        desk.run("mv", &["b.md", away.to_str().unwrap()]);
        // After the grace period of a deletion.
        desk.serves(std::slice::from_ref(&one));
    }
    // Within the folder: into a new folder, which is then renamed.
    desk.run("mv", &[away.to_str().unwrap(), "."]);
    desk.run("mkdir", &["new"]);
    desk.run("mv", &["a.md", "b.md", "new"]);
    desk.run("mv", &["new", "old"]);
    let moved = [story("old/a.md", "Harbour", "first"), story("old/b.md", "Weather", "first")];
    desk.serves(&moved);
    desk.ends_with(&moved);
}

#[test]
fn cp_restores_an_older_file() {
    let mut desk = Desk::with_one(story("a.md", "Harbour", "second"));
    let outside = desk.outside();
    write_below(&outside, &[story("a.md", "Harbour", "first")]);
    let old = outside.join("a.md");
    desk.run("touch", &["--date", "2001-02-03", old.to_str().unwrap()]);
    desk.run("cp", &["--preserve", old.to_str().unwrap(), "a.md"]);
    desk.serves_only(story("a.md", "Harbour", "first"));
    desk.ends_with(&[story("a.md", "Harbour", "first")]);
}

#[test]
fn ln_adds_an_outside_article_but_no_duplicate() {
    let mut desk = Desk::with_one(story("a.md", "Harbour", "first"));
    let outside = desk.outside();
    let all = [story("a.md", "Harbour", "first"), story("b.md", "Weather", "first"), story("c.md", "Tides", "first")];
    write_below(&outside, &all);
    desk.run("ln", &["--symbolic", outside.join("b.md").to_str().unwrap(), "b.md"]);
    desk.run("ln", &[outside.join("c.md").to_str().unwrap(), "c.md"]);
    desk.serves(&all);
    // A second name of an article is a copy of it.
    desk.run("ln", &["a.md", "second name.md"]);
    desk.run("ln", &["--symbolic", "b.md", "third name.md"]);
    desk.ends_with(&all);
}

/// Two instances of Syncthing that synchronise two folders.
struct Syncthing {
    _both: [Running; 2],
    logs: [PathBuf; 2],
}

impl Syncthing {
    /// The second connects to the first, and never the other way: if both connect at once, each may close the connection that the
    /// other keeps, and after three such attempts they pause for five minutes.
    fn start(homes: &Path, folders: [&Path; 2]) -> Self {
        let ports = [tools::free_port(), tools::free_port()];
        let home = |number: usize| homes.join(format!("home{number}"));
        let ids = [0, 1].map(|number| {
            let at = format!("--home={}", home(number).display());
            tools::run(Command::new("syncthing").args(["generate", &at, "--no-default-folder"]).env("HOME", homes));
            let id = tools::run(Command::new("syncthing").args([&at, "--device-id"]).env("HOME", homes));
            id.trim().to_owned()
        });
        let logs = [0, 1].map(|number| home(number).join("log"));
        let both = [0, 1].map(|number| {
            let configuration = Self::configuration(&ids, ports, number, folders[number]);
            std::fs::write(home(number).join("config.xml"), configuration).unwrap();
            let mut command = Command::new("syncthing");
            // As one process, without the monitor that restarts it.
            command.args(["serve", &format!("--home={}", home(number).display())]).env("STMONITORED", "yes");
            let log = std::fs::File::create(&logs[number]).unwrap();
            let running = Running::with_output(command.env("STNOUPGRADE", "1").env("HOME", homes), log);
            wait_until("Syncthing listens", || TcpStream::connect(("127.0.0.1", ports[number])).is_ok());
            running
        });
        Self { _both: both, logs }
    }

    /// What both wrote, for a test that fails.
    fn log(&self) -> String {
        let [one, two] = self.logs.each_ref().map(|log| std::fs::read_to_string(log).unwrap_or_default());
        format!("{one}\n---\n{two}")
    }

    /// Without discovery, relays and reports; the folder is scanned once a second.
    fn configuration(ids: &[String; 2], ports: [u16; 2], number: usize, folder: &Path) -> String {
        let ([one, two], port) = (ids, ports[number]);
        let first = if number == 0 { "dynamic".to_owned() } else { format!("tcp://127.0.0.1:{}", ports[0]) };
        let folder = folder.display();
        format!(
            r#"<configuration version="36">
<folder id="articles" path="{folder}" type="sendreceive" rescanIntervalS="1" fsWatcherEnabled="false">
<device id="{one}"/><device id="{two}"/></folder>
<device id="{one}"><address>{first}</address></device>
<device id="{two}"><address>dynamic</address></device>
<gui enabled="false"/>
<options><listenAddress>tcp://127.0.0.1:{port}</listenAddress><globalAnnounceEnabled>false</globalAnnounceEnabled>
<localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled>
<stunServer></stunServer><reconnectionIntervalS>1</reconnectionIntervalS><urAccepted>-1</urAccepted>
<crashReportingEnabled>false</crashReportingEnabled><autoUpgradeIntervalH>0</autoUpgradeIntervalH>
<startBrowser>false</startBrowser></options></configuration>"#
        )
    }
}

#[test]
fn syncthing_mirrors_another_folder() {
    if !tools::has("syncthing") {
        return;
    }
    let mut desk = Desk::with(&[]);
    let remote = desk.outside().join("remote");
    let stories =
        |file: &str, edition: &str| [story(file, "Harbour", edition), story("deep/b.txt", "Weather", edition)];
    write_below(&remote, &stories("a.md", "first"));
    let syncthing = Syncthing::start(&desk.outside(), [desk.site.root(), &remote]);
    let arrives = |desk: &mut Desk, stories: &[Story]| {
        let has_arrived =
            |story: &Story| std::fs::read_to_string(desk.site.path(&story.file)).is_ok_and(|text| text == story.text());
        let all = || stories.iter().all(has_arrived).then_some(());
        wait_or_explain("it has arrived", all, || syncthing.log());
        desk.serves(stories);
    };
    arrives(&mut desk, &stories("a.md", "first"));
    write_below(&remote, &stories("a.md", "second"));
    arrives(&mut desk, &stories("a.md", "second"));
    std::fs::rename(remote.join("a.md"), remote.join("renamed.md")).unwrap();
    arrives(&mut desk, &stories("renamed.md", "second"));
    // An edit under the new name is an edit of the same article.
    write_below(&remote, &stories("renamed.md", "third"));
    arrives(&mut desk, &stories("renamed.md", "third"));
    desk.ends_with(&stories("renamed.md", "third"));
}
