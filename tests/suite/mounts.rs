//! Disks and bind mounts, in the place of the folder or below it, that come and go. What is published from one that is away stays.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::tools::{self, Program, ask, logged_address};

/// Longer than the grace period of a deletion.
const LONGER_THAN_THE_GRACE: Duration = Duration::from_millis(3_500);

/// A folder of articles, a store beside it that is mounted in it, and a state.
struct Place {
    home: tempfile::TempDir,
}

/// Whether this user may mount and enter a mount namespace; reports a skipped test if not.
fn may_mount() -> bool {
    let mut command = Command::new("unshare");
    command.args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).stderr(Stdio::null()).stdout(Stdio::null());
    let may = tools::has("unshare") && tools::has("nsenter") && command.status().is_ok_and(|status| status.success());
    if !may {
        tools::skip("leave to mount a disk (unshare -rm)");
    }
    may
}

impl Place {
    fn new() -> Self {
        let home = tempfile::Builder::new().prefix("gazetted-").tempdir().unwrap();
        for folder in ["articles/disk", "store/deep", "state"] {
            std::fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        std::fs::write(home.path().join("g.toml"), "[admin]\nlisten = \"127.0.0.1:0\"\n").unwrap();
        let place = Self { home };
        for (name, title) in [
            ("articles/own.md", "Own"),
            ("store/one.md", "One"),
            ("store/two.md", "Two"),
            ("store/deep/three.md", "Three"),
        ] {
            place.write(name, title);
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, title: &str) {
        std::fs::write(self.path(name), format!("# {title}\n\nThe text of {title}.")).unwrap();
    }

    /// Starts a daemon in a mount namespace of its own, after a command there.
    fn start(&self, prepare: &str) -> Program {
        let script = format!(
            "cd \"$1\" && {prepare} && exec \"$2\" serve articles --listen 127.0.0.1:0 --state state --config g.toml"
        );
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &script, "sh"]).arg(self.home.path()).arg(env!("CARGO_BIN_EXE_gazetted"));
        Program::start(&mut command)
    }

    /// Runs a command in the mount namespace of a daemon.
    fn run(&self, program: &Program, command: &str) {
        let target = format!("--target={}", program.child.id());
        let script = format!("cd \"$1\" && {command}");
        let mut nsenter = Command::new("nsenter");
        nsenter.args([&target, "--user", "--mount", "--preserve-credentials", "sh", "-c", &script, "sh"]);
        tools::run(nsenter.arg(self.home.path()));
    }
}

const MOUNT: &str = "mount --bind store articles/disk";

fn ids(program: &Program) -> Vec<(String, String)> {
    let answer = program.get("/feed.json");
    let feed: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let mut ids: Vec<_> =
        feed["items"].as_array().unwrap().iter().map(|item| (text(&item["title"]), text(&item["id"]))).collect();
    ids.sort();
    ids
}

fn lines(program: &Program, text: &str) -> usize {
    program.log.lock().iter().filter(|line| line.contains(text)).count()
}

fn status(program: &Program) -> String {
    let admin = program.log.lock().iter().find_map(|line| logged_address(line, "admin")).unwrap();
    ask(&admin, "/status", "Accept: application/json\r\n")
}

/// Lets comparisons and deletions happen that would.
fn pass_time(program: &Program) {
    for _ in 0..2 {
        program.signal(Signal::HUP);
        std::thread::sleep(LONGER_THAN_THE_GRACE);
    }
}

const AWAY: &str = "nothing is mounted here";

#[test]
fn a_mount_that_is_away_keeps_its_articles() {
    if !may_mount() {
        return;
    }
    let place = Place::new();
    let program = place.start(MOUNT);
    program.wait_until("all are served", |program| ids(program).len() == 4);
    let before = ids(&program);
    for round in 1..=2 {
        // A bind mount has the device of the folder around it. The second time, its folder is removed as well, as by udisks.
        let unmount = ["umount -l articles/disk", "umount -l articles/disk && rmdir articles/disk"][round - 1];
        place.run(&program, unmount);
        // Without a reload, it would be noticed within a minute.
        program.signal(Signal::HUP);
        program.wait_until("it is reported", |program| lines(program, AWAY) == round);
        let is_listed = |program: &Program| status(program).contains("disk: nothing is mounted here");
        program.wait_until("the status page lists it", is_listed);
        pass_time(&program);
        assert_eq!(ids(&program), before);
        place.run(&program, &format!("mkdir -p articles/disk && {MOUNT}"));
        program.signal(Signal::HUP);
        program.wait_until("it is back", |program| lines(program, "the folder is there again") == round);
        program.wait_until("the status page lists it no more", |program| !is_listed(program));
    }
    assert_eq!(lines(&program, AWAY), 2, "once each time");
    place.write("store/deep/four.md", "Four");
    program.wait_until("it is watched again", |program| ids(program).len() == 5);
    assert!(before.iter().all(|entry| ids(&program).contains(entry)));
    // While it is mounted, a deletion is one.
    std::fs::remove_file(place.path("store/two.md")).unwrap();
    program.signal(Signal::HUP);
    program.wait_until("it is deleted", |program| ids(program).len() == 4);
}

#[test]
fn a_mount_that_is_missing_at_the_start_keeps_its_articles() {
    if !may_mount() {
        return;
    }
    let place = Place::new();
    // With an article of its own, the folder would not be taken for an unmounted one.
    std::fs::remove_file(place.path("store/deep/three.md")).unwrap();
    let nested = format!(
        "{MOUNT} && mount -t tmpfs none articles/disk/deep && cp store/one.md articles/disk/deep/five.md && \
                          sed -i s/One/Five/ articles/disk/deep/five.md"
    );
    let program = place.start(&nested);
    program.wait_until("all are served", |program| ids(program).len() == 4);
    let before = ids(&program);
    drop(program);
    for prepare in ["true", MOUNT, "rmdir articles/disk"] {
        let program = place.start(prepare);
        program.wait_until("all are served", |program| ids(program) == before);
        pass_time(&program);
        assert_eq!(ids(&program), before, "{prepare}");
        assert!(lines(&program, AWAY) > 0, "{prepare}");
    }
}

#[test]
fn a_mount_that_was_given_up_loses_its_articles() {
    if !may_mount() {
        return;
    }
    for is_excluded in [false, true] {
        let place = Place::new();
        let program = place.start(MOUNT);
        program.wait_until("all are served", |program| ids(program).len() == 4);
        drop(program);
        if is_excluded {
            let config = "[admin]\nlisten = \"127.0.0.1:0\"\n[articles]\nexclude = [\"disk/**\"]\n";
            std::fs::write(place.path("g.toml"), config).unwrap();
        } else {
            place.write("articles/disk/other.md", "Other");
        }
        let program = place.start("true");
        let remaining = |program: &Program| ids(program).into_iter().map(|(title, _)| title).collect::<Vec<_>>();
        let expected: &[&str] = if is_excluded { &["Own"] } else { &["Other", "Own"] };
        program.wait_until("its articles are deleted", |program| remaining(program) == expected);
    }
}

const ROOT_MOUNT: &str = "mount --bind store articles";
const FOLDER_AWAY: &str = "the folder of articles is away; the feeds stay as they are until it is back";
const FOLDER_BACK: &str = "the folder of articles is back";
const MANY_VANISHED: &str = "many articles have vanished";

/// A place whose folder of articles is empty unless the store is mounted there, and the ids of what was published from the store.
fn mounted_once() -> (Place, Vec<(String, String)>) {
    let place = Place::new();
    std::fs::remove_file(place.path("articles/own.md")).unwrap();
    std::fs::remove_dir(place.path("articles/disk")).unwrap();
    let program = place.start(ROOT_MOUNT);
    program.wait_until("all are served", |program| ids(program).len() == 3);
    let before = ids(&program);
    (place, before)
}

#[test]
fn a_folder_that_is_not_mounted_at_the_start_keeps_its_articles() {
    if !may_mount() {
        return;
    }
    let (place, before) = mounted_once();
    let is_listed = |program: &Program| status(program).contains(&format!("articles: {FOLDER_AWAY}"));
    // It is remembered over any number of starts. Some programs remove the folder when they unmount the disk.
    for prepare in ["true", "rmdir articles"] {
        let program = place.start(prepare);
        program.wait_until("it is reported", |program| lines(program, FOLDER_AWAY) == 1);
        program.wait_until("the status page lists it", is_listed);
        // An empty folder does not bring it back.
        std::fs::create_dir_all(place.path("articles")).unwrap();
        program.signal(Signal::HUP);
        std::thread::sleep(LONGER_THAN_THE_GRACE);
        assert_eq!(ids(&program), before, "{prepare}");
        for (text, expected) in [(FOLDER_AWAY, 1), (FOLDER_BACK, 0), (MANY_VANISHED, 0)] {
            assert_eq!(lines(&program, text), expected, "{prepare}: {text}");
        }
        assert!(is_listed(&program), "{prepare}");
    }
    let program = place.start("true");
    program.wait_until("it is reported again", |program| lines(program, FOLDER_AWAY) == 1);
    place.run(&program, ROOT_MOUNT);
    program.wait_until("it is back", |program| lines(program, FOLDER_BACK) == 1);
    program.wait_until("the status page lists it no more", |program| !is_listed(program));
    assert_eq!(ids(&program), before);
    place.write("store/deep/four.md", "Four");
    program.wait_until("it is watched again", |program| ids(program).len() == 4);
    assert!(before.iter().all(|entry| ids(&program).contains(entry)));
    // While it is mounted, a deletion is one.
    std::fs::remove_file(place.path("store/two.md")).unwrap();
    program.wait_until("it is deleted", |program| ids(program).len() == 3);
}

#[test]
fn a_folder_with_other_articles_in_the_place_of_its_mount_is_no_mount_any_more() {
    if !may_mount() {
        return;
    }
    let (place, _) = mounted_once();
    place.write("articles/other.md", "Other");
    let program = place.start("true");
    let titles = |program: &Program| ids(program).into_iter().map(|(title, _)| title).collect::<Vec<_>>();
    program.wait_until("the articles of the mount are deleted", |program| titles(program) == ["Other"]);
    assert_eq!(lines(&program, FOLDER_AWAY), 0);
    drop(program);
    // An empty folder that is no mount is one whose articles were deleted.
    std::fs::remove_file(place.path("articles/other.md")).unwrap();
    let program = place.start("true");
    program.wait_until("its article is deleted", |program| ids(program).is_empty());
    assert_eq!(lines(&program, FOLDER_AWAY), 0);
}
