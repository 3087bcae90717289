//! Kills the daemon at random moments while files change. Once it runs again and the files are
//! at rest, the feed equals the folder, and every article has the id that it had in every earlier feed.
//!
//! `GAZETTED_KILLS=200 cargo test --test suite kill` kills more often, and `GAZETTED_KILLS_SEED` chooses another
//! sequence.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::random::Random;
use crate::tools::{self, AtEnd};
use crate::waiting::PATIENCE;

/// Kills before each comparison.
const KILLS: usize = 7;
/// Deletions before each comparison. The daemon delays a deletion of very many files by a minute.
const DELETIONS: usize = 15;
/// Maximum number of articles.
const ARTICLES: usize = 150;

/// A running daemon, which ends with the test at the latest.
struct Program {
    child: Child,
    lines: Receiver<String>,
    address: SocketAddr,
    serves: bool,
}

impl Program {
    fn start(home: &Path, address: SocketAddr) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        command.env_remove("STATE_DIRECTORY").env_remove("NOTIFY_SOCKET").stdin(Stdio::null());
        command.arg("serve").arg(home.join("articles")).arg("--config").arg(home.join("gazetted.toml"));
        command.arg("--state").arg(home.join("state")).args(["--listen", &address.to_string()]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        // Read to the end, so that the pipe never fills.
        std::thread::spawn(move || errors.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        Self { child, lines, address, serves: false }
    }

    /// Waits until it serves, or until the deadline, and returns whether it serves. The process must not end.
    fn serves_before(&mut self, deadline: Instant) -> bool {
        let mut said = Vec::new();
        while !self.serves {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.serves = line.contains(" INFO serving ");
                    said.push(line);
                }
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => panic!("the program ended: {said:#?}"),
            }
        }
        true
    }

    /// Number and edition of each served entry, and its id. A file that was read half written has neither.
    fn entries(&self) -> Vec<(Option<(usize, usize)>, String)> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET /feed.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let feed: serde_json::Value = serde_json::from_str(body).unwrap();
        let entry = |item: &serde_json::Value| {
            let html = item["content_html"].as_str().unwrap();
            (article(html), item["id"].as_str().unwrap().to_owned())
        };
        feed["items"].as_array().unwrap().iter().map(entry).collect()
    }

    /// Sends SIGKILL, as the kernel does when memory is short.
    fn kill(&mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "it still runs");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(number: usize, edition: usize) -> String {
    format!("# Article {number}\n\nEdition {edition} of article {number}.\n\nMore text.\n")
}

/// Number and edition of the article with this text, if the text is complete.
fn article(html: &str) -> Option<(usize, usize)> {
    let (edition, rest) = html.split_once("<p>Edition ")?.1.split_once(" of article ")?;
    let number = rest.split_once(".</p>")?.0;
    html.contains("<p>More text.</p>").then_some((number.parse().ok()?, edition.parse().ok()?))
}

/// Expected content of the folder: number and edition of each article, by path.
///
/// If a file is replaced *and* renamed while no daemon runs, nothing shows which article it was. Therefore
/// articles with an odd number are renamed, and edited in place; the others are edited in place or through another file.
struct Work {
    root: PathBuf,
    random: Random,
    files: BTreeMap<String, (usize, usize)>,
    next: usize,
    deletable: usize,
}

impl Work {
    fn new_name(&mut self) -> String {
        self.next += 1;
        let folder = ["", "", "deep/", "deep/er/"][self.random.below(4)];
        format!("{folder}file{}.md", self.next)
    }

    fn any_file(&mut self) -> (String, (usize, usize)) {
        let place = self.random.below(self.files.len());
        let (name, article) = self.files.iter().nth(place).unwrap();
        (name.clone(), *article)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root.join(name), text).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.root.join(from), self.root.join(to)).unwrap();
    }

    fn step(&mut self) {
        match self.random.below(10) {
            _ if self.files.is_empty() => self.create(),
            0..=2 if self.files.len() < ARTICLES => self.create(),
            3 | 4 => self.move_one(),
            5 if self.deletable > 0 => self.delete(),
            _ => self.edit(),
        }
    }

    fn create(&mut self) {
        let name = self.new_name();
        self.write(&name, &text(self.next, 0));
        self.files.insert(name, (self.next, 0));
    }

    fn edit(&mut self) {
        let (name, (number, edition)) = self.any_file();
        let text = text(number, edition + 1);
        match self.random.below(if number % 2 == 1 { 2 } else { 4 }) {
            // At once, in parts, through a temporary file, by removing the old file first.
            0 => self.write(&name, &text),
            1 => {
                let mut file = std::fs::File::create(self.root.join(&name)).unwrap();
                let (start, end) = text.split_at(text.find("More").unwrap());
                file.write_all(start.as_bytes()).unwrap();
                std::thread::sleep(Duration::from_millis(2));
                file.write_all(end.as_bytes()).unwrap();
            }
            2 => {
                let temporary = format!("{name}.tmp");
                self.write(&temporary, &text);
                self.rename(&temporary, &name);
            }
            _ => {
                std::fs::remove_file(self.root.join(&name)).unwrap();
                self.write(&name, &text);
            }
        }
        self.files.insert(name, (number, edition + 1));
    }

    fn move_one(&mut self) {
        let (from, (number, edition)) = self.any_file();
        if number % 2 == 1 {
            let to = self.new_name();
            self.rename(&from, &to);
            self.files.remove(&from);
            self.files.insert(to, (number, edition));
        }
    }

    fn delete(&mut self) {
        self.deletable -= 1;
        let (name, _) = self.any_file();
        std::fs::remove_file(self.root.join(&name)).unwrap();
        self.files.remove(&name);
    }

    /// Changes files until the flag is set.
    fn run(&mut self, stop: &AtomicBool) {
        self.deletable = DELETIONS;
        while !stop.load(Ordering::Relaxed) {
            self.step();
            std::thread::sleep(Duration::from_millis(3));
        }
    }
}

/// The daemon, and everything that its runs have served.
struct Trial {
    home: tempfile::TempDir,
    random: Random,
    program: Program,
    /// The id of each article.
    known: BTreeMap<usize, String>,
    seed: u64,
}

impl Trial {
    /// Checks that each article has the id that it had in every earlier feed.
    fn recognise(&mut self) -> Vec<Option<(usize, usize)>> {
        let entries = self.program.entries();
        for (article, id) in &entries {
            let Some((number, _)) = article else { continue };
            let before = self.known.entry(*number).or_insert_with(|| id.clone());
            assert_eq!(before, id, "article {number} keeps its id (seed {})", self.seed);
        }
        entries.into_iter().map(|(article, _)| article).collect()
    }

    /// Lets the daemon run for a while after its start, or after it serves, and kills it.
    fn kill(&mut self) {
        if self.random.below(2) == 1 {
            assert!(self.program.serves_before(Instant::now() + PATIENCE), "it serves (seed {})", self.seed);
        }
        let end = Instant::now() + Duration::from_millis(5 + self.random.below(396) as u64);
        while Instant::now() < end {
            if self.program.serves_before(end) {
                self.recognise();
                std::thread::sleep(Duration::from_millis(10).min(end.saturating_duration_since(Instant::now())));
            }
        }
        self.program.kill();
        self.program = Program::start(self.home.path(), self.program.address);
    }

    /// Waits until the feed equals the folder.
    fn rest(&mut self, work: &Work) {
        let mut expected: Vec<_> = work.files.values().copied().map(Some).collect();
        expected.sort_unstable();
        let deadline = Instant::now() + PATIENCE;
        assert!(self.program.serves_before(deadline), "it serves (seed {})", self.seed);
        loop {
            let mut served = self.recognise();
            served.sort_unstable();
            if served == expected {
                break;
            }
            let missing: Vec<_> = expected.iter().filter(|article| !served.contains(article)).collect();
            let left_over: Vec<_> = served.iter().filter(|article| !expected.contains(article)).collect();
            let seed = self.seed;
            assert!(Instant::now() < deadline, "seed {seed}: missing {missing:?}, left over {left_over:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut ids: Vec<_> = self.known.values().collect();
        ids.sort();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "two articles have one id (seed {})", self.seed);
    }
}

#[test]
fn no_kill_loses_an_article_or_its_id() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (mut kills, seed) = (number("GAZETTED_KILLS", 20), number("GAZETTED_KILLS_SEED", 1));
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("articles");
    std::fs::create_dir_all(root.join("deep/er")).unwrap();
    let configuration = "[site]\nbase_url = 'https://gazette.example/'\n[feed]\nentries = 1000\nmax_bytes = '64 MiB'\n";
    std::fs::write(home.path().join("gazetted.toml"), configuration).unwrap();
    let random = |salt: usize| Random::new((seed + salt).wrapping_mul(7919));
    let mut work = Work { root, random: random(1), files: BTreeMap::new(), next: 0, deletable: 0 };
    let address = SocketAddr::from(([127, 0, 0, 1], tools::free_port()));
    let program = Program::start(home.path(), address);
    let mut trial = Trial { home, random: random(2), program, known: BTreeMap::new(), seed: seed as u64 };
    while kills > 0 {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| work.run(&stop));
            let _stop = AtEnd(&stop);
            for _ in 0..KILLS.min(kills) {
                trial.kill();
            }
        });
        kills -= KILLS.min(kills);
        trial.rest(&work);
    }
}
