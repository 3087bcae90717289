//! README, docs and the other papers: links resolve, tables are whole, samples are valid, and every command runs.
//!
//! A block ```` ```sh ```` runs line by line in a copy of the project's sample folder, as a reader would type it; its daemon listens on a
//! free port. A block ```` ```sh no-run ```` needs root, systemd or the network, and is only parsed.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;

use gazetted::config::Config;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::tools;
use crate::waiting::PATIENCE;

/// Where a daemon of the papers listens, in whose place a free port is taken.
const DOCUMENTED: &str = "127.0.0.1:8080";
/// What a code block may be, by its info string.
const KINDS: [&str; 9] = ["sh", "sh no-run", "toml", "yaml", "ini", "text", "caddy", "nginx", "json"];

/// One Markdown file of the project.
struct Paper {
    /// Below the project's root.
    path: PathBuf,
    text: String,
}

/// A fenced code block.
struct Block {
    info: String,
    text: String,
    /// Line of the paper that the block starts on, from 1.
    line: usize,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn papers() -> Vec<Paper> {
    let folders = ["", "docs", "benches", "tests"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let mut papers: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    papers.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    papers.sort();
    let paper = |path: PathBuf| Paper {
        text: fs::read_to_string(&path).unwrap(),
        path: path.strip_prefix(root()).unwrap().to_path_buf(),
    };
    let papers: Vec<Paper> = papers.into_iter().map(paper).collect();
    assert!(papers.len() > 10, "only {} papers were found", papers.len());
    papers
}

impl Paper {
    fn events(&self) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES).into_offset_iter()
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text[..offset].matches('\n').count()
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut inside = false;
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info = match kind {
                        CodeBlockKind::Fenced(info) => info.to_string(),
                        CodeBlockKind::Indented => "an indented block".to_owned(),
                    };
                    blocks.push(Block { info, text: String::new(), line: self.line(range.start) });
                    inside = true;
                }
                Event::Text(text) if inside => blocks.last_mut().unwrap().text.push_str(&text),
                Event::End(TagEnd::CodeBlock) => inside = false,
                _ => {}
            }
        }
        blocks
    }

    /// Anchors of its headings, by GitHub's rule.
    fn anchors(&self) -> HashSet<String> {
        let mut anchors = HashSet::new();
        let mut counts: HashMap<String, usize> = HashMap::new();
        let mut heading: Option<String> = None;
        for (event, _) in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let text = heading.take().unwrap().to_lowercase();
                    let letters = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
                    let slug: String = letters.map(|c| if c == ' ' { '-' } else { c }).collect();
                    let count = counts.entry(slug.clone()).or_default();
                    anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
                    *count += 1;
                }
                _ => {}
            }
        }
        anchors
    }
}

#[test]
fn every_link_leads_somewhere() {
    let papers = papers();
    let anchors: HashMap<PathBuf, HashSet<String>> =
        papers.iter().map(|paper| (paper.path.clone(), paper.anchors())).collect();
    let mut checked = 0;
    for paper in &papers {
        for (event, range) in paper.events() {
            let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else {
                continue;
            };
            if dest_url.contains("://") || dest_url.starts_with("mailto:") {
                continue;
            }
            let place = paper.place(paper.line(range.start));
            let (file, anchor) = dest_url.split_once('#').unwrap_or((&dest_url, ""));
            let folder = root().join(paper.path.parent().unwrap());
            let target = if file.is_empty() { root().join(&paper.path) } else { folder.join(file) };
            let target = target.canonicalize().unwrap_or_else(|_| panic!("{place}: there is no {file}"));
            if !anchor.is_empty() {
                let target = target.strip_prefix(root().canonicalize().unwrap()).unwrap();
                let known = anchors.get(target).unwrap_or_else(|| panic!("{place}: {file} has no headings"));
                assert!(known.contains(anchor), "{place}: there is no heading #{anchor}");
            }
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} links were found");
}

/// Cells of a line of a table: what stands between its unescaped bars.
fn cells(line: &str) -> usize {
    let line = line.trim();
    let inside = line.strip_prefix('|').unwrap_or(line);
    let inside = inside.strip_suffix('|').filter(|rest| !rest.ends_with('\\')).unwrap_or(inside);
    1 + inside.replace("\\|", "").matches('|').count()
}

#[test]
fn tables_are_whole() {
    let mut checked = 0;
    for paper in papers() {
        let mut inside: Vec<Range<usize>> = Vec::new();
        for (event, range) in paper.events() {
            match event {
                Event::Start(Tag::Table(columns)) => {
                    for (index, line) in paper.text[range.clone()].lines().enumerate() {
                        let place = paper.place(paper.line(range.start) + index);
                        assert_eq!(cells(line), columns.len(), "{place}: cells of this row, and columns of its table");
                    }
                    inside.push(range);
                    checked += 1;
                }
                Event::Start(Tag::CodeBlock(_)) => inside.push(range),
                _ => {}
            }
        }
        let mut offset = 0;
        for line in paper.text.split_inclusive('\n') {
            let is_inside = inside.iter().any(|range| range.contains(&offset));
            let place = paper.place(paper.line(offset));
            assert!(is_inside || !line.trim_start().starts_with('|'), "{place}: a row of no table");
            offset += line.len();
        }
    }
    assert!(checked > 20, "only {checked} tables were found");
}

#[test]
fn samples_are_valid() {
    for paper in papers() {
        for Block { info, text, line } in paper.blocks() {
            let place = paper.place(line);
            assert!(KINDS.contains(&info.as_str()), "{place}: `{info}` is not one of {KINDS:?}");
            if info == "toml" {
                Config::parse(&text, &place).unwrap();
            }
            if info.starts_with("sh") {
                let parsed = Command::new("bash").args(["-n", "-c", &text]).output().unwrap();
                assert!(parsed.status.success(), "{place}: {}", String::from_utf8_lossy(&parsed.stderr));
            }
        }
    }
}

/// A daemon that a paper starts; killed if a test fails.
struct Server {
    child: Child,
    /// As in `127.0.0.1:40123`.
    address: String,
}

impl Server {
    /// Runs a command line that serves, and waits until it does.
    fn start(workplace: &Workplace, line: &str, place: &str) -> Self {
        let line = line.split(" #").next().unwrap().trim();
        let listen = if line.contains("--listen") { "" } else { " --listen 127.0.0.1:0" };
        let mut command = workplace.bash(&format!("exec {line}{listen}"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        // It reads to the end, so that the daemon never writes to a closed pipe.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut log = String::new();
        let address = loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let port = line.split("127.0.0.1:").nth(1).unwrap_or_default();
                    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
                    if !port.is_empty() {
                        break format!("127.0.0.1:{port}");
                    }
                    log.push_str(&line);
                }
                Err(error) => {
                    let _ = child.kill();
                    panic!("{place}: `{line}` does not serve: {error}: {log}");
                }
            }
        };
        Self { child, address }
    }

    /// Stops it as Ctrl-C and systemd do.
    fn stop(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A copy of what a reader has after cloning the project, with an old site's feeds beside it.
struct Workplace {
    directory: TempDir,
    server: Option<Server>,
}

impl Workplace {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for folder in ["seeds", "config"] {
            fs::create_dir(directory.path().join(folder)).unwrap();
            let files = fs::read_dir(root().join(folder)).unwrap().map(|file| file.unwrap().path());
            for file in files.filter(|file| file.is_file()) {
                fs::copy(&file, directory.path().join(folder).join(file.file_name().unwrap())).unwrap();
            }
        }
        for (golden, name) in [("atom.xml", "old-atom.xml"), ("rss.xml", "old-rss.xml")] {
            fs::copy(root().join("tests/golden").join(golden), directory.path().join(name)).unwrap();
        }
        let workplace = Self { directory, server: None };
        if tools::has("git") {
            assert!(workplace.bash("git init -q && git add seeds").status().unwrap().success());
        }
        workplace
    }

    /// A command line, with `gazetted` in the search path and a home of its own.
    fn bash(&self, line: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_gazetted")).parent().unwrap().to_path_buf();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(program).chain(std::env::split_paths(&path))).unwrap();
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", line]).current_dir(self.directory.path()).stdin(Stdio::null());
        command.env("PATH", path).env("HOME", self.directory.path());
        for name in ["XDG_STATE_HOME", "STATE_DIRECTORY", "RUST_LOG", "NOTIFY_SOCKET", "LISTEN_FDS"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs one line of a block.
    fn run(&mut self, line: &str, place: &str) {
        let line = line.replace("cargo run --release -- ", "gazetted ");
        if line.starts_with("gazetted serve") {
            self.stop();
            self.server = Some(Server::start(self, &line, place));
            return;
        }
        let address = self.server.as_ref().map_or(DOCUMENTED, |server| &server.address);
        let output = self.bash(&line.replace(DOCUMENTED, address)).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{place}: `{line}` ends with {}\n{}{}",
            output.status,
            text(&output.stdout),
            text(&output.stderr)
        );
    }

    fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            let status = server.stop();
            assert!(status.success(), "the daemon ends with {status}");
        }
    }
}

/// Runs the commands of one paper, one after the other. Returns how many there were.
fn run(paper: &Paper) -> usize {
    let blocks: Vec<Block> = paper.blocks().into_iter().filter(|block| block.info == "sh").collect();
    if blocks.is_empty() {
        return 0;
    }
    let mut workplace = Workplace::new();
    let mut commands = 0;
    for Block { text, line, .. } in blocks {
        for (index, command) in text.lines().enumerate() {
            workplace.run(command, &paper.place(line + 1 + index));
            commands += 1;
        }
    }
    workplace.stop();
    commands
}

#[test]
fn every_command_runs() {
    let papers = papers();
    let commands: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = papers.iter().map(|paper| scope.spawn(|| run(paper))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(commands > 10, "only {commands} commands were found");
}

/// A number with its unit, reduced to bytes, milliseconds or a count: `16 KiB`, `10s`, `1 min`, `1,024`.
fn quantity(text: &str) -> u64 {
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
    let factor = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "s" => 1_000,
        "min" | "m" => 60_000,
        unit => panic!("{text}: `{unit}` is no unit"),
    };
    digits.replace(',', "").parse::<u64>().unwrap_or_else(|_| panic!("{text}: no number")) * factor
}

/// The value of a constant expression, in the units of [`quantity`].
fn evaluate(expression: &str) -> u64 {
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().unwrap_or_else(|_| panic!("{expression}"));
    if let Some((unit, rest)) = expression.strip_prefix("Duration::from_").and_then(|rest| rest.split_once('(')) {
        let factor = match unit {
            "millis" => 1,
            "secs" => 1_000,
            "mins" => 60_000,
            _ => panic!("{expression}"),
        };
        return number(rest.trim_end_matches(')')) * factor;
    }
    match expression.split_once("<<") {
        Some((value, shift)) => number(value) << number(shift),
        None => number(expression),
    }
}

#[test]
fn every_bound_of_the_table_is_that_of_the_program() {
    let paper = fs::read_to_string(root().join("docs/operating.md")).unwrap();
    let rows = paper.lines().skip_while(|line| *line != "| bound | value | at the bound | where |").skip(2);
    let rows: Vec<Vec<&str>> =
        rows.map_while(|line| Some(line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect())).collect();
    assert!(rows.len() > 30, "only {} rows were found", rows.len());
    let defaults = serde_json::to_value(Config::default()).unwrap();
    for row in rows {
        let [bound, value, _, place] = row[..] else { panic!("{row:?}") };
        let place = place.trim_matches('`');
        let actual = if let Some((file, name)) = place.split_once(": ") {
            let source = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{place}: {error}"));
            let (_, rest) = source.split_once(&format!("const {name}: ")).unwrap_or_else(|| panic!("no {place}"));
            let (_, expression) = rest.split(';').next().unwrap().split_once(" = ").unwrap();
            evaluate(expression)
        } else {
            let (section, key) = place.split_once('.').unwrap();
            match &defaults[section][key] {
                serde_json::Value::String(text) => quantity(text),
                number => number.as_u64().unwrap_or_else(|| panic!("{place}: no key")),
            }
        };
        assert_eq!(quantity(value), actual, "{bound}: {place}");
    }
}
