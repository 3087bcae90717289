//! `gazetted preview`: one article as the site will show it, for its writer alone.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::command_line::gazetted;

/// A preview that runs. It ends with the test.
struct Preview {
    child: Child,
    /// As printed.
    address: String,
}

impl Drop for Preview {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Preview {
    fn start(home: &Path, arguments: &[&str]) -> Self {
        let mut command = gazetted();
        command.current_dir(home).env("XDG_STATE_HOME", home.join("state")).arg("preview").args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("http://127.0.0.1:"), "{address}");
        Self { child, address: address.trim().to_owned() }
    }

    fn host(&self) -> &str {
        self.address.trim_start_matches("http://").split('/').next().unwrap()
    }

    fn path(&self) -> &str {
        &self.address["http://".len() + self.host().len()..]
    }

    fn get_as(&self, host: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(&self, path: &str) -> String {
        self.get_as(self.host(), path)
    }
}

/// All files below a folder with their bytes, and all folders.
fn files(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let paths = entries.map(|entry| entry.unwrap().into_path());
    paths.map(|path| (path.clone(), std::fs::read(path).ok())).collect()
}

#[test]
fn a_draft_is_shown_as_the_site_will_show_it_and_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
    std::fs::create_dir_all(home.path().join("seeds/drafts")).unwrap();
    write("seeds/drafts/boat.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    write("seeds/boat.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    let text =
        "---\ntitle: The storm\ndraft: true\ndate: 2999-11-20\npassword: x\n---\nIt came.\n\n![A boat](boat.svg)\n";
    write("seeds/storm.md", text);
    write("seeds/drafts/calm.md", "---\ntitle: The calm\ndate: nonsense\n---\nIt left.");
    write("gazetted.toml", "[site]\ntitle = 'The Gazette'\nbase_url = 'https://gazette.example/blog/'\n");
    let before = files(home.path());
    let preview = Preview::start(home.path(), &["seeds/storm.md", "--config", "gazetted.toml"]);
    assert_eq!(preview.path(), "/blog/articles/storm");
    let page = preview.get(preview.path());
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("Cache-Control: no-store"), "{page}");
    for part in [
        "<h1",
        ">The storm</h1>",
        "<p>It came.</p>",
        "<img src=\"/blog/media/boat.svg\" alt=\"A boat\">",
        "The Gazette",
        "2999",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let style = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(preview.get(style).contains("text/css") && preview.get("/blog/media/boat.svg").contains("<svg"));
    for (path, status) in [
        ("/blog/articles/other", "404"),
        ("/blog/media/storm.md", "404"),
        ("/blog/media/../storm.md", "404"),
        ("/", "404"),
    ] {
        assert!(preview.get(path).starts_with(&format!("HTTP/1.1 {status}")), "{path}");
    }
    // A page of another site that has its name lead here reads nothing.
    let foreign = preview.get_as("evil.example", preview.path());
    assert!(foreign.starts_with("HTTP/1.1 421") && !foreign.contains("storm"), "{foreign}");
    // A change is there at the next request, and so is a mistake.
    write("seeds/storm.md", &text.replace("It came.", "It is over."));
    assert!(preview.get(preview.path()).contains("<p>It is over.</p>"));
    write("seeds/storm.md", "---\ntitle: The storm\n");
    assert!(preview.get(preview.path()).starts_with("HTTP/1.1 503"));
    write("seeds/storm.md", text);
    assert!(preview.get(preview.path()).contains("It came."));
    let mut calm = Preview::start(home.path(), &["seeds/drafts/calm.md", "--base-url", "https://other.example/"]);
    assert_eq!(calm.path(), "/articles/calm");
    assert!(calm.get(calm.path()).contains("<link rel=\"canonical\" href=\"https://other.example/articles/calm\">"));
    let mut problem = String::new();
    BufReader::new(calm.child.stderr.as_mut().unwrap()).read_line(&mut problem).unwrap();
    assert!(problem.contains("calm.md:3: "), "{problem}");
    assert_eq!(files(home.path()), before, "nothing is written");
    let missing = gazetted().current_dir(home.path()).args(["preview", "seeds/nowhere.md"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
}
