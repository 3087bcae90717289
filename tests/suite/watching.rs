//! Events that come from file systems and operators: the folder moves, is a symlink, cannot be read, the
//! system runs out of watches. The feed must equal the folder all the same.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::command_line::gazetted;
use crate::site::Site;
use crate::tools::{Program, skip};

/// Longer than the grace period of a deletion.
const LONGER_THAN_THE_GRACE: Duration = Duration::from_millis(3_500);

fn text(title: &str) -> String {
    format!("# {title}\n\nThe text of {title}.\n")
}

#[test]
fn a_folder_that_does_not_exist_yet_is_awaited() {
    let mut site = Site::new();
    std::fs::remove_dir(site.root()).unwrap();
    site.start();
    assert_eq!((site.get("/atom.xml").status, site.titles().len()), (200, 0));
    let elsewhere = site.root().with_extension("new");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("a.md"), text("First")).unwrap();
    std::fs::rename(&elsewhere, site.root()).unwrap();
    site.wait_for(&["First"]);
    site.wait_until_written("b.md", &text("Second"), "Second");
    assert_eq!(site.titles().len(), 2);
}

#[test]
fn a_symlink_to_the_folder_can_be_retargeted() {
    let mut site = Site::new();
    let (one, two) = (site.root().with_extension("1"), site.root().with_extension("2"));
    std::fs::rename(site.root(), &one).unwrap();
    std::fs::create_dir(&two).unwrap();
    for folder in [&one, &two] {
        std::fs::write(folder.join("a.md"), text("First")).unwrap();
    }
    std::fs::write(two.join("b.md"), text("Second")).unwrap();
    symlink(&one, site.root()).unwrap();
    site.start();
    site.wait_for(&["First"]);
    let before = site.entry("First");
    // As git-sync and Capistrano do.
    let next = site.root().with_extension("next");
    symlink(&two, &next).unwrap();
    std::fs::rename(&next, site.root()).unwrap();
    site.wait_for(&["First", "Second"]);
    std::fs::remove_dir_all(&one).unwrap();
    std::thread::sleep(LONGER_THAN_THE_GRACE);
    assert_eq!(site.entry("First"), before);
    site.write("c.md", text("Third"));
    site.wait_for(&["First", "Second", "Third"]);
}

#[test]
fn a_mounted_config_map_is_replaced_atomically() {
    let mut site = Site::new();
    let generation = |site: &Site, name: &str, text_of_a: &str| {
        std::fs::create_dir_all(site.path(name).join("sub")).unwrap();
        std::fs::write(site.path(name).join("a.md"), text(text_of_a)).unwrap();
        std::fs::write(site.path(name).join("sub/b.md"), text("Below")).unwrap();
    };
    generation(&site, "..2026_1", "First");
    symlink("..2026_1", site.path("..data")).unwrap();
    symlink("..data/a.md", site.path("a.md")).unwrap();
    symlink("..data/sub", site.path("sub")).unwrap();
    site.start();
    site.wait_for(&["First", "Below"]);
    let id = site.entry("First")["id"].clone();
    generation(&site, "..2026_2", "First, edited");
    std::fs::write(site.path("..2026_2/sub/b.md"), text("Below, edited")).unwrap();
    symlink("..2026_2", site.path("..data_tmp")).unwrap();
    site.rename("..data_tmp", "..data");
    std::fs::remove_dir_all(site.path("..2026_1")).unwrap();
    site.wait_for(&["First, edited", "Below, edited"]);
    assert_eq!(site.entry("First, edited")["id"], id);
}

#[test]
fn a_symlink_shows_edits_of_its_target() {
    let mut site = Site::configured("[articles]\nfollow_links = \"anywhere\"\n");
    site.start();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("notes.md");
    std::fs::write(&target, text("Linked")).unwrap();
    symlink(&target, site.path("a.md")).unwrap();
    site.wait_for(&["Linked"]);
    let id = site.entry("Linked")["id"].clone();
    std::fs::write(&target, text("Linked, edited")).unwrap();
    site.wait_for(&["Linked, edited"]);
    std::fs::write(target.with_extension("tmp"), text("Linked, replaced")).unwrap();
    std::fs::rename(target.with_extension("tmp"), &target).unwrap();
    site.wait_for(&["Linked, replaced"]);
    assert_eq!(site.entry("Linked, replaced")["id"], id);
    // Neither out of the folder nor in a loop.
    std::fs::write(elsewhere.path().join("more.md"), text("More")).unwrap();
    symlink(elsewhere.path(), site.path("outside")).unwrap();
    symlink(".", site.path("loop")).unwrap();
    site.settle();
    assert!(!site.titles().contains(&"More".to_owned()));
}

#[test]
fn polling_finds_every_change_without_events() {
    let mut site = Site::configured("[articles]\nwatch = \"poll\"\npoll_interval = \"1s\"\n");
    site.write("old/a.md", text("First"));
    site.start();
    site.wait_for(&["First"]);
    let id = site.entry("First")["id"].clone();
    site.write("b.md", text("Second"));
    site.write("new/deep/c.md", text("Third"));
    site.write("old/a.md", text("First, edited"));
    site.wait_for(&["First, edited", "Second", "Third"]);
    site.rename("old/a.md", "new/renamed.md");
    site.remove("b.md");
    site.wait_for(&["First, edited", "Third"]);
    assert_eq!(site.entry("First, edited")["id"], id);
    // Length and date of a file may stay the same; its change time does not.
    let old = std::fs::metadata(site.path("new/renamed.md")).unwrap().modified().unwrap();
    site.write("new/renamed.md", text("First, Edited"));
    let file = std::fs::File::options().write(true).open(site.path("new/renamed.md")).unwrap();
    file.set_modified(old).unwrap();
    site.wait_for(&["First, Edited", "Third"]);
}

#[test]
fn unusual_file_names_are_accepted() {
    let mut site = Site::started();
    let odd = [OsStr::from_bytes(b"caf\xe9.txt"), OsStr::new("a\nb\u{1b}[31m.md"), OsStr::new("%2e%2e.md")];
    for (number, name) in odd.iter().enumerate() {
        std::fs::write(site.root().join(name), format!("Odd {number}\n\nThe text of number {number}.")).unwrap();
    }
    site.wait_until("all are published", |site| site.titles().len() == 3);
    for item in site.feed()["items"].as_array().unwrap() {
        let path = item["url"].as_str().unwrap().strip_prefix("https://gazette.example").unwrap();
        assert!(path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-".contains(&byte)), "{path}");
        assert_eq!(site.get(path).status, 200, "{path}");
    }
}

#[test]
fn special_files_do_not_block() {
    let mut site = Site::started();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, site.path("fifo.md"), mode).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(site.path("socket.md")).unwrap();
    symlink("/dev/zero", site.path("device.md")).unwrap();
    std::fs::File::create(site.path("sparse.md")).unwrap().set_len(1 << 34).unwrap();
    site.write("a.md", text("First"));
    site.wait_for(&["First"]);
    site.restart();
    site.wait_for(&["First"]);
}

#[test]
fn an_unnamed_file_is_published_once_it_is_linked() {
    use rustix::fs::{AtFlags, CWD, Mode, OFlags};
    let mut site = Site::started();
    let Ok(file) = rustix::fs::open(site.root(), OFlags::TMPFILE | OFlags::WRONLY, Mode::RUSR | Mode::WUSR) else {
        return skip("a file system with O_TMPFILE");
    };
    rustix::io::write(&file, text("Nameless").as_bytes()).unwrap();
    let descriptor = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    rustix::fs::linkat(CWD, descriptor, CWD, site.path("a.md"), AtFlags::SYMLINK_FOLLOW).unwrap();
    site.wait_for(&["Nameless"]);
}

#[test]
fn a_conflict_copy_is_not_published() {
    let mut site = Site::started();
    site.write("a.md", text("First"));
    site.write("a.sync-conflict-20260501-101010-ABCDEFG.md", text("First, otherwise"));
    site.write("b (Ann's conflicted copy 2026-05-01).md", text("Second, otherwise"));
    site.settle();
    site.wait_for(&["Barrier", "First"]);
    site.restart();
    assert_eq!(site.titles().len(), 2);
}

/// A command that runs as an ordinary user: root could read everything.
fn as_nobody(home: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new("env");
    }
    let id = Some(65_534);
    for path in [home.to_path_buf(), home.join("state")] {
        std::fs::create_dir_all(&path).unwrap();
        std::os::unix::fs::chown(&path, id, id).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command
}

#[test]
fn a_file_without_read_permission_keeps_its_article() {
    use std::os::unix::fs::PermissionsExt;
    let allow = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let home = tempfile::tempdir().unwrap();
    let articles = home.path().join("articles");
    std::fs::create_dir_all(articles.join("sub")).unwrap();
    std::fs::write(articles.join("sub/a.md"), text("First")).unwrap();
    let mut command = as_nobody(home.path());
    command.arg(gazetted().get_program()).arg("serve").arg(&articles);
    let program = Program::start(command.args(["--listen", "127.0.0.1:0", "--state"]).arg(home.path().join("state")));
    let served = |program: &Program, title: &str| program.get("/feed.json").contains(&format!("\"{title}\""));
    program.wait_until("it is served", |program| served(program, "First"));
    for (path, mode) in [(articles.join("sub/a.md"), 0o644), (articles.join("sub"), 0o755)] {
        allow(&path, 0o000);
        program.signal(rustix::process::Signal::HUP);
        std::thread::sleep(LONGER_THAN_THE_GRACE);
        assert!(served(&program, "First"), "{}", path.display());
        allow(&path, mode);
    }
    std::fs::write(articles.join("sub/a.md"), text("First, edited")).unwrap();
    program.wait_until("it is read again", |program| served(program, "First, edited"));
    // A folder that was unreadable at first is watched once it can be read.
    std::fs::create_dir(articles.join("locked")).unwrap();
    allow(&articles.join("locked"), 0o000);
    allow(&articles.join("locked"), 0o755);
    std::fs::write(articles.join("locked/b.md"), text("Second")).unwrap();
    program.wait_until("it is watched", |program| served(program, "Second"));
}

/// A daemon with a limited number of inotify watches and instances.
fn limited(articles: &Path, state: &Path, limits: &str) -> Option<Program> {
    let script = format!("{limits} && exec \"$0\" \"$@\"");
    let probe = Command::new("unshare").args(["--user", "--map-root-user", "sh", "-c", limits]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        skip("a user namespace with its own inotify limits");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c", &script]).arg(gazetted().get_program());
    command.arg("serve").arg(articles).arg("--state").arg(state).args(["--listen", "127.0.0.1:0"]);
    Some(Program::start(&mut command))
}

#[test]
fn too_few_inotify_watches_lose_no_article() {
    for (limits, said) in [
        ("echo 5 > /proc/sys/user/max_inotify_watches", "max_user_watches"),
        ("echo 0 > /proc/sys/user/max_inotify_instances", "max_user_instances"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let articles = home.path().join("articles");
        for folder in 0..8 {
            std::fs::create_dir_all(articles.join(folder.to_string())).unwrap();
        }
        let Some(program) = limited(&articles, &home.path().join("state"), limits) else { return };
        let served = |program: &Program, title: &str| program.get("/feed.json").contains(&format!("\"{title}\""));
        for folder in 0..8 {
            std::fs::write(articles.join(format!("{folder}/a.md")), text(&format!("In {folder}"))).unwrap();
        }
        program.wait_until("all are served", |program| (0..8).all(|folder| served(program, &format!("In {folder}"))));
        std::fs::create_dir(articles.join("new")).unwrap();
        std::fs::write(articles.join("new/b.md"), text("Later")).unwrap();
        std::fs::rename(articles.join("7/a.md"), articles.join("6/c.md")).unwrap();
        std::fs::remove_file(articles.join("5/a.md")).unwrap();
        program.wait_until("it is as the folder", |program| {
            served(program, "Later") && served(program, "In 7") && !served(program, "In 5")
        });
        let log = program.log.lock();
        let count = log.iter().filter(|line| line.contains(said)).count();
        assert_eq!(count, 1, "said once: {log:?}");
    }
}

#[test]
fn an_event_overflow_loses_no_article() {
    use rustix::process::Signal;
    // The system queues 16,384 events; each write makes at least two. Few files keep the reading short.
    const FILES: usize = 40;
    const ROUNDS: usize = 300;
    let home = tempfile::tempdir().unwrap();
    let (articles, file) = (home.path().join("articles"), home.path().join("g.toml"));
    std::fs::create_dir(&articles).unwrap();
    std::fs::write(&file, "[feed]\nentries = 10\n").unwrap();
    let mut command = gazetted();
    command.arg("serve").arg(&articles).arg("--state").arg(home.path().join("state")).arg("--config").arg(&file);
    let program = Program::start(command.args(["--listen", "127.0.0.1:0"]));
    program.signal(Signal::STOP);
    let write =
        |number: usize, title: &str| std::fs::write(articles.join(format!("{number}.md")), text(title)).unwrap();
    for round in 0..ROUNDS {
        for number in 0..FILES {
            write(number, &format!("Number {number}, round {round}"));
        }
    }
    // Their events are all lost.
    for number in FILES..2 * FILES {
        write(number, &format!("Number {number}, late"));
    }
    program.signal(Signal::CONT);
    let is_current = |program: &Program, number: usize| {
        let page = program.get(&format!("/articles/{number}"));
        page.contains(&format!("Number {number}, round {}", ROUNDS - 1))
            || page.contains(&format!("Number {number}, late"))
    };
    program.wait_until("all are served", |program| (0..2 * FILES).all(|number| is_current(program, number)));
    let log = program.log.lock();
    assert!(log.iter().any(|line| line.contains("events were lost")), "the queue did not overflow: {log:?}");
}
