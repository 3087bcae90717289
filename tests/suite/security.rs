//! Attacks through files, names and requests. `SECURITY.md` lists each attack with its test.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crate::command_line::gazetted;
use crate::site::Site;
use crate::tools::Program;
use crate::waiting::PATIENCE;

/// Text that must never be served.
const OUTSIDE: &str = "what lies outside";

/// Requests a file while it, or its folder, is replaced by a symlink and restored, again and again.
fn race(swap: impl Fn(&Site, &Path) + Sync) {
    let site = Site::started();
    let outside = site.root().with_file_name("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("a.png"), OUTSIDE).unwrap();
    site.write("deep/a.png", "inside");
    let (stop, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (mut shown, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                swap(&site, &outside);
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        });
        let enough = |shown, refused| shown > 20 && refused > 20 && swaps.load(Ordering::Relaxed) > 1_000;
        let deadline = Instant::now() + PATIENCE;
        while !enough(shown, refused) && Instant::now() < deadline {
            let answer = site.get("/media/deep/a.png");
            let text = answer.text();
            // Stops the thread, so that the failure does not wait for it.
            if text.contains(OUTSIDE) || (answer.status == 200 && text != "inside") {
                stop.store(true, Ordering::Relaxed);
                panic!("{}: {text}", answer.status);
            }
            shown += usize::from(answer.status == 200);
            refused += usize::from(answer.status == 404);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(shown > 20 && refused > 20, "both must have been met: {shown} shown, {refused} refused, {swaps:?} swaps");
}

#[test]
fn a_file_replaced_by_a_symlink_exposes_nothing_outside() {
    race(|site, outside| {
        let (file, link) = (site.path("deep/.file"), site.path("deep/.link"));
        std::fs::write(&file, "inside").unwrap();
        symlink(outside.join("a.png"), &link).unwrap();
        std::fs::rename(&link, site.path("deep/a.png")).unwrap();
        std::fs::rename(&file, site.path("deep/a.png")).unwrap();
    });
}

#[test]
fn a_folder_replaced_by_a_symlink_exposes_nothing_outside() {
    race(|site, outside| {
        let (folder, away) = (site.path("deep"), site.path(".away"));
        std::fs::rename(&folder, &away).unwrap();
        symlink(outside, &folder).unwrap();
        std::fs::remove_file(&folder).unwrap();
        std::fs::rename(&away, &folder).unwrap();
    });
}

/// Files that once took minutes or gigabytes each.
fn hostile() -> Vec<(&'static str, String)> {
    let page = |part: &str, bytes: usize| format!("<title>t</title><p>x</p>{}", part.repeat(bytes / part.len()));
    let attributes: Vec<String> = (0..100_000).map(|number| format!(" a{number}")).collect();
    let marks: Vec<String> = (0..200).map(|number| format!("<b title={number}>")).collect();
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in ('b'..='p').zip('a'..) {
        bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", ")));
    }
    vec![
        ("deep.html", page("<div>", 250_000)),
        ("crosswise.html", page("<b><div></b>", 1_000_000)),
        ("links.html", page("<a><b></a>", 1_000_000)),
        ("attributes.html", format!("<title>t</title><p{}>x</p>", attributes.concat())),
        ("reconstructed.html", format!("<title>t</title><p>{}{}", marks.concat(), "<p>x".repeat(100_000))),
        ("foster.html", page("<br>", 400_000).replacen("<br>", "<table><br>", 1)),
        ("foster.md", format!("x\n\n<table>{}", "<br>".repeat(100_000))),
        ("rows.html", page("x<tr>", 400_000).replacen("x<tr>", "<table><tr>", 1)),
        (
            "root.html",
            format!(
                "<title>t</title>{}<p>x</p>",
                attributes.iter().map(|name| format!("<html{name}>")).collect::<Vec<_>>().concat()
            ),
        ),
        ("copies.html", format!("<title>t</title><p><b{}>{}", attributes[..4_000].concat(), "<p>x".repeat(50_000))),
        ("comments.html", format!("{}<h1>T</h1><p>x</p>", "<!---->".repeat(200_000))),
        ("templates.md", "{{/**/}}x".repeat(100_000)),
        ("contents.md", "{:toc}\n".repeat(150_000)),
        ("raw.md", "{% raw %}x{% endraw %}\n".repeat(50_000)),
        ("escaped.html", page("&amp;", 500_000)),
        ("escaped.txt", format!("Title\n\n{}", "&".repeat(200_000))),
        ("blocks.md", page("<div>\n", 1_000_000)),
        ("quotes.md", "> ".repeat(1_000_000)),
        ("lists.md", "1. ".repeat(1_000_000)),
        ("tables.md", "|a|b|\n|-|-|\n".repeat(200_000)),
        ("brackets.md", "[".repeat(4_000_000)),
        ("aliases.md", format!("---\ntitle: x\n{bomb}---\nText")),
        ("flow.md", format!("---\ntitle: {}\n---\nText", "[".repeat(1_000_000))),
        ("toml.md", format!("+++\na = {}\n+++\nText", "[".repeat(500_000))),
        ("json.md", format!("{{\"a\": {}\n}}\nText", "[".repeat(500_000))),
    ]
}

pub fn peak(program: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_hostile_article_delays_no_other() {
    const MOST_KILOBYTES: u64 = 1_000_000;
    let home = tempfile::Builder::new().prefix("gazetted-").tempdir().unwrap();
    let articles = home.path().join("articles");
    std::fs::create_dir(&articles).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.env_remove("STATE_DIRECTORY").env_remove("NOTIFY_SOCKET");
    command.arg("serve").arg(&articles).arg("--state").arg(home.path().join("state"));
    let program = Program::start(command.args(["--listen", "127.0.0.1:0"]));
    for (name, text) in hostile() {
        std::fs::write(articles.join(name), text).unwrap();
    }
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, articles.join("fifo.md"), mode).unwrap();
    for (target, name) in
        [("/dev/zero", "device.md"), ("circle.md", "circle.md"), (".", "folder"), ("/proc/self/mem", "memory.txt")]
    {
        symlink(target, articles.join(name)).unwrap();
    }
    if std::fs::File::create(articles.join("sparse.md")).and_then(|file| file.set_len(1 << 40)).is_err() {
        eprintln!("this file system holds no file of a terabyte");
    }
    std::fs::write(articles.join("good.md"), "# Good\n\nText.").unwrap();
    program.wait_until("the good article is published", |program| program.get("/feed.json").contains("\"Good\""));
    let peak = peak(&program);
    assert!(peak < MOST_KILOBYTES, "{peak} kilobytes of memory");
}

/// Characters that end a line, move a cursor, or reverse the reading direction.
fn acts(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Escape sequences of YAML, JSON and TOML, which a search in the bytes of a file does not find.
const YAML: &str = "\\e[31m\\x9b31m\\u202e\\r\\nFORGED \\u2028\\x85\\a";
const JSON: &str = "\\u001b[31m\\u009b31m\\u202e\\r\\nFORGED \\u2028\\u0085\\u0007";

fn forgery() -> Site {
    let site = Site::new();
    let fields = [
        "title",
        "author",
        "link",
        "slug",
        "id",
        "lang",
        "date",
        "updated",
        "expires",
        "summary",
        "image",
        "enclosure",
    ];
    let yaml: Vec<String> = fields.iter().map(|field| format!("{field}: \"x{YAML}\"\n")).collect();
    site.write(
        "yaml.md",
        format!("---\n{}tags: [\"x{YAML}\"]\naliases: [\"/x{YAML}\"]\n\"k{YAML}\": v\n---\nText", yaml.concat()),
    );
    site.write("json.md", format!("{{\"title\": \"{JSON}\", \"date\": \"{JSON}\", \"tags\": [\"{JSON}\"]}}\n\nJSON"));
    site.write("toml.md", format!("+++\ntitle = \"{JSON}\"\ndate = \"{JSON}\"\nlang = \"{JSON}\"\n+++\nTOML"));
    site.write(
        "page.html",
        "<title>&#27;[31m&#155;&#x202e;</title><meta name=date content='&#27;&#155;&#10;FORGED'><p>Page",
    );
    site.write("a\u{1b}[31m\nFORGED \u{9b}\u{202e}\u{2028}.txt", "Title\n\nText of a name");
    site.write("b\u{1b}[31m\nFORGED \u{9b}\u{202e}\u{2028}.md", "---\ntitle: [\n---\nText");
    site
}

#[test]
fn file_content_cannot_forge_log_lines() {
    let site = forgery();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.env_remove("STATE_DIRECTORY").env_remove("NOTIFY_SOCKET");
    command.arg("serve").arg(site.root()).arg("--state").arg(site.state()).args(["--listen", "127.0.0.1:0"]);
    let program = Program::start(&mut command);
    for path in ["/%1b%5b31m%0d%0aFORGED", "/media/%1b%0aFORGED.png", "/articles/%0aFORGED", "/tags/%0d%0aFORGED/"] {
        program.get(path);
    }
    let log = program.log.lock().clone();
    assert!(log.iter().any(|line| line.contains("FORGED")), "nothing was tried: {log:#?}");
    for line in &log {
        assert!(!line.contains(acts) && !line.starts_with("FORGED"), "{line:?}");
    }
}

#[test]
fn file_content_cannot_control_a_terminal() {
    let mut site = forgery();
    site.start();
    site.settle();
    let config = site.config_file();
    let text = |command: &mut Command| {
        let output = command.arg("--config").arg(&config).arg("--state").arg(site.state()).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    let check = gazetted().arg("check").arg("--config").arg(&config).output().unwrap();
    let mut said = vec![String::from_utf8(check.stdout).unwrap() + &String::from_utf8(check.stderr).unwrap()];
    for file in std::fs::read_dir(site.root()).unwrap() {
        said.push(text(gazetted().arg("explain").arg(file.unwrap().path())));
    }
    assert!(said.concat().contains("FORGED"), "nothing was tried: {said:#?}");
    for line in said.iter().flat_map(|said| said.split('\n')) {
        assert!(!line.contains(acts) && !line.starts_with("FORGED"), "{line:?}");
    }
}

#[test]
fn only_its_owner_can_read_the_catalog() {
    let mut site = Site::started();
    site.write("a.md", "---\ndate: 2999-01-01\n---\nNot to be seen before its day");
    site.settle();
    let files: Vec<_> = std::fs::read_dir(site.state()).unwrap().map(|file| file.unwrap().path()).collect();
    let catalogs = files.iter().filter(|file| file.to_string_lossy().contains("catalog"));
    let modes: Vec<u32> = catalogs.map(|file| std::fs::metadata(file).unwrap().permissions().mode() & 0o777).collect();
    assert!(modes.len() >= 2 && modes.iter().all(|mode| *mode == 0o600), "{files:?}: {modes:?}");
}

#[test]
fn names_cannot_inject_response_headers() {
    let mut site = Site::started();
    let evil = "\\r\\nX-Evil: 1\\r\\n\\r\\n<b>";
    let article = |slug: &str| {
        format!("---\ntitle: \"T{evil}\"\nslug: \"{slug}{evil}\"\ntags: [\"t{evil}\"]\nauthor: \"A{evil}\"\n---\nText")
    };
    site.write("a.md", article("one"));
    site.write("b\r\nX-Evil: 1.md", "Text of another");
    site.write("c\r\nX-Evil: 1.png", "picture");
    site.settle();
    let url = |site: &Site| {
        let feed = site.feed();
        let items = feed["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["content_html"].as_str().unwrap().contains("<p>Text</p>")).unwrap();
        item["url"].as_str().unwrap().strip_prefix("https://gazette.example").unwrap().to_owned()
    };
    let old = url(&site);
    site.write("a.md", article("two"));
    site.wait_until("it has another address", |site| url(site) != old);
    let new = url(&site);
    let moved = site.get(&old);
    assert!((300..400).contains(&moved.status) && moved.field("location").ends_with(&new), "{moved:?}");
    let paths = [
        new.as_str(),
        "/media/c%0d%0aX-Evil:%201.png",
        "/tags/T%0d%0aX-Evil:%201/",
        "/authors/%0d%0aX-Evil:%201",
        "/articles/%0d%0aX-Evil:%201/",
        "/%0d%0aX-Evil:%201",
        "/?%0d%0aX-Evil:%201",
        "/feeds.opml",
        &old,
    ];
    for path in paths {
        let answer = site.get(path);
        assert!(answer.field("x-evil").is_empty(), "{path}: {answer:?}");
    }
    assert_eq!(site.get("/media/c%0d%0aX-Evil:%201.png").body, b"picture", "the name is a name");
}

#[test]
fn no_document_contains_a_script_url() {
    let mut site = Site::started();
    let mut head = String::new();
    for field in ["link", "image", "enclosure", "transcript", "chapters", "canonical", "url", "audio", "author_url"] {
        head.push_str(&format!("{field}: \"JaVaScript:alert(1)//{field}\"\n"));
    }
    head.push_str("author: {name: A, url: \"javascript:alert(1)\"}\naliases: [\"javascript:alert(1)\"]\n");
    let body = "[a](javascript:alert(1)) ![b](vbscript:alert(1)) <a href=\" java&#10;script:alert(1)\">c</a> \
                <a href=\"data:text/html,<script>alert(1)</script>\">d</a> <javascript:alert(1)> \
                <video poster=\"javascript:alert(1)\" src=\"javascript:alert(1)\"></video> <q cite=\"javascript:alert(1)\">e</q>";
    site.write("a.md", format!("---\ntitle: Addresses\n{head}---\n{body}"));
    site.settle();
    let page = site.entry("Addresses")["url"].as_str().unwrap().replace("https://gazette.example", "");
    for path in ["/atom.xml", "/rss.xml", "/feed.json", "/feeds.opml", "/", "/authors/a/", &page] {
        let text = site.get(path).text().to_ascii_lowercase().replace("&quot;", "\"").replace("\\\"", "\"");
        for start in ["=\"", "=\"\u{20}", "\": \"", "\":\"", "<link>", "<id>", "<uri>", "<guid>"] {
            for scheme in ["javascript:", "vbscript:", "data:text"] {
                assert!(!text.contains(&format!("{start}{scheme}")), "{start}{scheme} in {path}: {text}");
            }
        }
    }
}
