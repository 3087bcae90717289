//! Symbolic links in the folder: those that stay in it are followed, those that leave it only if the configuration allows it, and a
//! folder that is replaced by a link at any moment exposes nothing.

use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::command_line::gazetted;
use crate::site::Site;
use crate::tools::{AtEnd, Program, ask, logged_address};
use crate::waiting::PATIENCE;

/// Text that must never be served.
const OUTSIDE: &str = "what lies outside";

/// A daemon on a folder, which is beside a folder that it must not read.
struct Place {
    home: tempfile::TempDir,
    program: Program,
}

impl Place {
    fn start(prepare: impl FnOnce(&Path, &Path)) -> Self {
        let home = tempfile::Builder::new().prefix("gazetted-").tempdir().unwrap();
        let (articles, outside) = (home.path().join("articles"), home.path().join("outside"));
        for folder in [&articles, &outside] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(outside.join("secret.txt"), format!("Secret\n\n{OUTSIDE}")).unwrap();
        prepare(&articles, &outside);
        let config = home.path().join("g.toml");
        let text = format!("[articles]\ndirectory = \"{}\"\n[admin]\nlisten = \"127.0.0.1:0\"\n", articles.display());
        std::fs::write(&config, text).unwrap();
        let mut command = gazetted();
        command.arg("serve").arg("--config").arg(&config).arg("--state").arg(home.path().join("state"));
        let program = Program::start(command.args(["--listen", "127.0.0.1:0"]));
        Self { home, program }
    }

    fn articles(&self, name: &str) -> PathBuf {
        self.home.path().join("articles").join(name)
    }

    fn shows(&self, text: &str) -> bool {
        self.program.get("/feed.json").contains(text)
    }

    fn lines(&self, text: &str) -> Vec<String> {
        self.program.log.lock().iter().filter(|line| line.contains(text)).cloned().collect()
    }

    fn status(&self) -> String {
        let admin = self.program.log.lock().iter().find_map(|line| logged_address(line, "admin")).unwrap();
        ask(&admin, "/status", "Accept: application/json\r\n")
    }

    /// Output of a command on the folder.
    fn output(&self, command: &mut Command) -> String {
        let output = command.arg("--config").arg(self.home.path().join("g.toml")).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn a_link_that_leaves_the_folder_is_not_published() {
    let place = Place::start(|articles, outside| {
        std::fs::write(articles.join("own.md"), "# Own\n\nText.").unwrap();
        symlink("../outside/secret.txt", articles.join("relative.txt")).unwrap();
        symlink("relative.txt", articles.join("chain.md")).unwrap();
        symlink("/etc/passwd", articles.join("passwd.txt")).unwrap();
        symlink(outside, articles.join("folder")).unwrap();
        std::fs::create_dir(articles.join(".store")).unwrap();
        std::fs::write(articles.join(".store/linked.md"), "# Linked\n\nMore text.").unwrap();
        symlink(".store/linked.md", articles.join("linked.md")).unwrap();
    });
    // One that appears while the daemon runs.
    symlink("../outside/secret.txt", place.articles("late.md")).unwrap();
    place.program.wait_until("the late link is reported", |_| !place.lines("late.md").is_empty());
    place.program.wait_until("others are served", |_| place.shows("\"Own\"") && place.shows("\"Linked\""));
    let target = place.home.path().canonicalize().unwrap().join("outside");
    let secret = target.join("secret.txt").display().to_string();
    let targets = [
        ("relative.txt", secret.as_str()),
        ("chain.md", &secret),
        ("late.md", &secret),
        ("passwd.txt", "/etc/passwd"),
        ("folder", target.to_str().unwrap()),
    ];
    // Files that change while the folder is listed are looked at later.
    place.program.wait_until("all links are reported", |_| {
        let status = place.status();
        let is_reported = |name: &str| !place.lines(&format!("path={name}")).is_empty() && status.contains(name);
        targets.iter().all(|(name, _)| is_reported(name))
    });
    let status = place.status();
    let check = place.output(gazetted().arg("check"));
    for (name, target) in targets {
        let lines = place.lines(&format!("path={name}"));
        let advice = if name == "folder" { "mount it here" } else { "articles.follow_links = \"anywhere\"" };
        assert!(matches!(&lines[..], [line] if line.contains(" WARN ") && line.contains(target)), "{name}: {lines:?}");
        assert!(lines[0].contains(advice), "{lines:?}");
        let explanation = place.output(gazetted().arg("explain").arg(place.articles(name)));
        for (what, text) in [("check", &check), ("explain", &explanation)] {
            let line = text.lines().find(|line| line.contains(target) && line.contains(advice));
            assert!(line.is_some(), "{what} of {name}: {text}");
        }
        let place = if name == "folder" { name.to_owned() } else { format!("{name}:1") };
        assert!(status.contains(&format!("\"{place}: a link to ")), "{name} in {status}");
    }
    for _ in 0..3 {
        place.program.signal(Signal::HUP);
        let title = format!("Barrier {:?}", Instant::now());
        std::fs::write(place.articles("barrier.md"), format!("---\ntitle: '{title}'\n---\nText")).unwrap();
        place.program.wait_until("it is served", |_| place.shows(&title));
    }
    assert_eq!(place.lines("late.md").len(), 1, "it is reported once");
    assert!(!place.shows(OUTSIDE) && !place.shows("root:"), "{}", place.program.get("/feed.json"));
    // A file takes the place of the link.
    std::fs::remove_file(place.articles("late.md")).unwrap();
    std::fs::write(place.articles("late.md"), "# Late\n\nText of its own.").unwrap();
    place.program.wait_until("it is served", |_| place.shows("\"Late\""));
    assert!(!place.status().contains("late.md:1: a link"));
}

#[test]
fn an_article_behind_a_refused_link_returns_with_its_id() {
    const ANYWHERE: &str = "[articles]\nfollow_links = \"anywhere\"\n";
    let mut site = Site::configured(ANYWHERE);
    let elsewhere = site.root().with_file_name("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("a.md"), "# Linked\n\nText.").unwrap();
    std::fs::write(elsewhere.join("a.png"), "picture").unwrap();
    symlink(elsewhere.join("a.md"), site.path("a.md")).unwrap();
    symlink(elsewhere.join("a.png"), site.path("a.png")).unwrap();
    site.write("b.md", "# Own\n\nText of its own.");
    site.start();
    site.wait_for(&["Linked", "Own"]);
    assert_eq!(site.get("/media/a.png").body, b"picture");
    let before = site.entry("Linked");
    for _ in 0..2 {
        // Links that leave the folder are refused by default.
        site.stop();
        site.reconfigure("");
        site.start();
        site.wait_for(&["Own"]);
        assert_eq!(site.get("/media/a.png").status, 404);
        site.stop();
        site.reconfigure(ANYWHERE);
        site.start();
        site.wait_for(&["Linked", "Own"]);
        let after = site.entry("Linked");
        assert_eq!((&after["id"], &after["url"]), (&before["id"], &before["url"]));
        assert_eq!(after["date_published"], before["date_published"]);
    }
}

/// Replaces a folder by a link and restores it, again and again, while files in it and behind the link change and the folder is
/// compared with the catalog. Returns how often each has happened.
fn swap(place: &Place, stop: &AtomicBool, swaps: &AtomicUsize) {
    let (folder, away) = (place.articles("deep"), place.articles(".away"));
    // Some stay long enough for a whole comparison, others change between two system calls.
    let mut pauses = [0, 5, 0, 50, 1, 200, 0, 2].into_iter().cycle().map(Duration::from_millis);
    let mut pause = || pauses.next().into_iter().for_each(std::thread::sleep);
    while !stop.load(Ordering::Relaxed) {
        std::fs::rename(&folder, &away).unwrap();
        symlink("../outside", &folder).unwrap();
        pause();
        std::fs::remove_file(&folder).unwrap();
        std::fs::rename(&away, &folder).unwrap();
        if swaps.fetch_add(1, Ordering::Relaxed).is_multiple_of(8) {
            pause();
        }
    }
}

#[test]
fn a_folder_that_is_replaced_by_a_link_publishes_nothing_foreign() {
    // A foreign article would be seen in one of the versions, which are a second apart.
    const EDITS: usize = 600;
    const SWAPS: usize = 200;
    let own = |number: usize| format!("# Own\n\nVersion {number}.");
    let place = Place::start(|articles, outside| {
        std::fs::create_dir(articles.join("deep")).unwrap();
        std::fs::write(articles.join("deep/a.md"), own(0)).unwrap();
        for name in ["a.md", "b.md", "c.html"] {
            std::fs::write(outside.join(name), format!("# Foreign {name}\n\n{OUTSIDE} {name}")).unwrap();
        }
    });
    place.program.wait_until("it is served", |_| place.shows("\"Own\""));
    // Writes by these never follow the link.
    let inside = std::fs::File::open(place.articles("deep")).unwrap();
    let inside = PathBuf::from(format!("/proc/self/fd/{}", inside.as_raw_fd()));
    let outside = place.home.path().join("outside");
    let (stop, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut edits = 0;
    std::thread::scope(|scope| {
        let _at_end = AtEnd(&stop);
        scope.spawn(|| swap(&place, &stop, &swaps));
        let deadline = Instant::now() + PATIENCE;
        while (edits < EDITS || swaps.load(Ordering::Relaxed) < SWAPS) && Instant::now() < deadline {
            edits += 1;
            let _ = std::fs::write(inside.join("a.md"), own(edits));
            std::fs::write(outside.join("d.md"), format!("# Foreign d\n\n{OUTSIDE} {edits}")).unwrap();
            if edits % 10 == 0 {
                place.program.signal(Signal::HUP);
            }
            std::thread::sleep(Duration::from_millis(10));
            assert!(!place.shows(OUTSIDE), "after {edits} edits: {}", place.program.get("/feed.json"));
        }
    });
    assert!(edits >= EDITS && swaps.load(Ordering::Relaxed) >= SWAPS, "{edits} edits, {swaps:?} swaps");
    std::fs::write(place.articles("deep/a.md"), own(edits + 1)).unwrap();
    place.program.wait_until("the article is back", |_| place.shows(&format!("Version {}.", edits + 1)));
    // The folder is watched again; what the link led to is not.
    std::fs::write(outside.join("e.md"), format!("# Foreign e\n\n{OUTSIDE}")).unwrap();
    std::fs::write(place.articles("deep/new.md"), "# New\n\nText.").unwrap();
    place.program.wait_until("it is watched", |_| place.shows("\"New\""));
    assert!(!place.shows(OUTSIDE));
}
