//! The package and its units under a real systemd: installed, activated, reloaded, restarted and killed under load, upgraded and
//! removed. Each check prints a line with what it measured, and each that could be true by accident is tried where it must fail.

// A test fails by a panic.
#![allow(clippy::unwrap_used)]

mod check;
mod load;
mod machine;
mod package;
mod probe;
mod sites;

use std::time::{Duration, Instant};

use check::Check;
use load::Load;
use machine::{Machine, Needs, PATIENCE};

/// The configuration of the package.
const SERVICE: &str = "[articles]\ndirectory = '/srv/gazetted/articles'\n[state]\ndirectory = '/var/lib/gazetted'\n";
/// A service without socket activation.
const ALONE: &str = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=notify\nExecStart=/usr/bin/gazetted serve --listen 127.0.0.1:8080 --state /root/alone\n";
/// Connections per second, each with one request.
const RATE: u32 = 300;
/// Most requests in progress at a kill.
const CLIENTS: u32 = 16;

/// Number of repetitions in the short and in the long form.
fn times(short: u32, long: u32) -> u32 {
    if std::env::var_os("GAZETTED_LONG").is_some() { long } else { short }
}

/// A machine with the package installed and running.
fn installed(needs: &Needs) -> Machine {
    let machine = Machine::boot(&needs.root);
    machine.copy(&needs.package, "/root/gazetted.deb");
    machine.succeed("dpkg -i /root/gazetted.deb");
    machine.succeed("systemctl enable --now gazetted.socket gazetted.service");
    machine.wait_until("the service is up", |machine| machine.property("ActiveState") == "active");
    machine
}

/// Body of a response of the service.
fn get(machine: &Machine, path: &str) -> String {
    let mut command = machine.beside("curl".as_ref());
    command.args(["-sS", "--max-time", "180", &format!("http://127.0.0.1:8080{path}")]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), machine.journal());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn drop_in(machine: &Machine, unit: &str, text: &str) {
    machine.write(&format!("/etc/systemd/system/{unit}.d/test.conf"), text);
    machine.succeed("systemctl daemon-reload");
}

/// The id of the article with a title; `None` if it is not in the feed.
fn id(machine: &Machine, title: &str) -> Option<String> {
    let feed: serde_json::Value = serde_json::from_str(&get(machine, "/feed.json")).unwrap();
    let found = feed["items"].as_array().unwrap().iter().find(|item| item["title"] == title).cloned();
    found.map(|item| item["id"].as_str().unwrap().to_owned())
}

fn publish(machine: &Machine, name: &str, title: &str) -> Duration {
    let begun = Instant::now();
    machine.write(&format!("/srv/gazetted/articles/{name}"), &format!("# {title}\n\nText"));
    machine.wait_until("the article is published", |machine| id(machine, title).is_some());
    begun.elapsed()
}

#[test]
fn from_package_to_feed() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("from package to feed");
    let machine = Machine::boot(&needs.root);
    machine.copy(&needs.package, "/root/gazetted.deb");
    let begun = Instant::now();
    machine.succeed("dpkg -i /root/gazetted.deb");
    machine.succeed("systemctl enable --now gazetted.socket");
    // The first client starts the service.
    machine.succeed("systemctl stop gazetted.service");
    let feed = get(&machine, "/rss.xml");
    assert!(roxmltree::Document::parse(&feed).is_ok() && !feed.contains("<item>"), "an empty feed is a feed: {feed}");
    let first = begun.elapsed();
    assert_eq!(machine.property("ActiveState"), "active", "READY was said");
    assert!(machine.property("StatusText").starts_with("serving http://"), "{}", machine.property("StatusText"));
    let front = get(&machine, "/");
    let says_what_to_do = front.contains("Nothing is published yet") && front.contains("/srv/gazetted/articles");
    assert!(says_what_to_do, "the front page says what to do: {front}");
    // The admin socket.
    machine.succeed("systemctl stop gazetted.service && systemctl start gazetted-admin.socket gazetted.service");
    let admin = machine
        .beside("curl".as_ref())
        .args(["-sS", "--max-time", "180", "http://127.0.0.1:8081/readyz"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&admin.stdout), "ready\n", "{}", machine.journal());
    let published = publish(&machine, "one.md", "One");
    for page in ["man1/gazetted.1.gz", "man1/gazetted-serve.1.gz", "man5/gazetted.toml.5.gz"] {
        assert!(machine.file(&format!("/usr/share/man/{page}")).exists(), "{page} is installed");
    }
    assert!(machine.file("/usr/share/bash-completion/completions/gazetted").exists());
    check.passed(&format!("{} ms, an article {} ms", first.as_millis(), published.as_millis()));
}

#[test]
fn reloads_apply_changes_and_lose_no_request() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("reload");
    let machine = installed(&needs);
    let process = machine.property("MainPID");
    let rounds = times(6, 100);
    let load = Load::start(&machine, RATE, Duration::from_secs(u64::from(rounds)));
    for round in 0..rounds {
        let (title, is_wrong) = (format!("Site {round}"), round % 2 == 1);
        let text =
            if is_wrong { "[site]\ntitel = 'Wrong'\n".to_owned() } else { format!("[site]\ntitle = '{title}'\n") };
        machine.write("/etc/gazetted/gazetted.toml", &format!("{SERVICE}{text}"));
        let output = machine.run("systemctl reload gazetted.service");
        assert_eq!(output.status.success(), !is_wrong, "round {round}: {}", machine.journal());
        let expected = if is_wrong { format!("Site {}", round - 1) } else { title };
        assert!(get(&machine, "/feed.json").contains(&format!("\"{expected}\"")), "round {round}");
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(machine.journal().contains("unknown key `titel`"), "{}", machine.journal());
    let outcome = load.end();
    assert_eq!((outcome.failed, machine.property("MainPID")), (0, process));
    check.passed(&format!("{rounds} reloads, {} requests, 0 failed", outcome.asked));
}

#[test]
fn restarts_lose_no_request() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("restart");
    let machine = installed(&needs);
    let rounds = times(8, 30);
    let restart = |machine: &Machine, unit: &str| {
        let load = Load::start(machine, RATE, Duration::from_secs(u64::from(rounds)));
        for _ in 0..rounds {
            machine.succeed(&format!("systemctl restart {unit}"));
            std::thread::sleep(Duration::from_millis(600));
        }
        load.end()
    };
    let outcome = restart(&machine, "gazetted.service");
    assert_eq!(outcome.failed, 0, "{outcome:?}");
    // Control: without socket activation, the port is closed during a restart.
    machine.succeed("systemctl disable --now gazetted.socket gazetted.service");
    machine.write("/etc/systemd/system/alone.service", ALONE);
    machine.succeed("systemctl daemon-reload && systemctl start alone.service");
    let control = restart(&machine, "alone.service");
    assert!(control.refused > 0, "without the socket some requests must be refused: {control:?}");
    let measured = format!(
        "{rounds} restarts, {} requests, 0 failed, slowest {} ms (without the socket {} failed)",
        outcome.asked,
        outcome.slowest.as_millis(),
        control.failed
    );
    check.passed(&measured);
}

#[test]
fn kills_refuse_no_connection_and_keep_every_id() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("kill -9");
    let machine = installed(&needs);
    publish(&machine, "one.md", "One");
    let before = id(&machine, "One");
    let rounds = times(10, 200);
    let load = Load::limited(&machine, CLIENTS, RATE, Duration::from_secs(u64::from(rounds)));
    for _ in 0..rounds {
        let process = machine.property("MainPID");
        machine.succeed(&format!("kill -KILL {process}"));
        machine.wait_until("another takes its place", |machine| {
            machine.property("MainPID") != process && machine.property("ActiveState") == "active"
        });
        // The connections that waited for it come first.
        assert!(id(&machine, "One").is_some());
        std::thread::sleep(Duration::from_millis(200));
    }
    let outcome = load.end();
    assert_eq!(outcome.refused, 0, "{outcome:?}");
    // A kill cuts off the requests in progress. Later ones wait for the next process.
    assert!(outcome.failed <= usize::try_from(rounds * CLIENTS).unwrap(), "{outcome:?}");
    assert_eq!(id(&machine, "One"), before);
    let measured = format!(
        "{rounds} kills, {} requests, 0 refused, {} cut off, slowest {} ms",
        outcome.asked,
        outcome.failed,
        outcome.slowest.as_millis()
    );
    check.passed(&measured);
}

#[test]
fn a_stalled_daemon_is_restarted() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("watchdog");
    let machine = installed(&needs);
    let is_replaced = |watchdog: &str, within: Duration| {
        drop_in(&machine, "gazetted.service", &format!("[Service]\nWatchdogSec={watchdog}\n"));
        machine.succeed("systemctl restart gazetted.service");
        let process = machine.property("MainPID");
        machine.succeed(&format!("kill -STOP {process}"));
        let begun = Instant::now();
        while begun.elapsed() < within {
            if machine.property("MainPID") != process && machine.property("ActiveState") == "active" {
                return Some(begun.elapsed());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        machine.run(&format!("kill -CONT {process}"));
        None
    };
    let took = is_replaced("2s", PATIENCE).expect("a daemon that is stuck is replaced");
    assert!(get(&machine, "/rss.xml").contains("<rss"));
    assert!(is_replaced("0", Duration::from_secs(5)).is_none(), "without the watchdog it stays, or the test is blind");
    check.passed(&format!("replaced after {} ms where it has 2 s", took.as_millis()));
}

/// Articles that once took minutes or gigabytes each.
fn hostile() -> Vec<(&'static str, String)> {
    let marks: Vec<String> = (0..200).map(|number| format!("<b title={number}>")).collect();
    vec![
        ("foster.md", format!("x\n\n<table>{}", "<br>".repeat(100_000))),
        ("foster.html", format!("<title>t</title><p>x</p><table>{}", "<br>".repeat(400_000))),
        ("deep.html", format!("<title>t</title><p>x</p>{}", "<div>".repeat(50_000))),
        ("crosswise.html", format!("<title>t</title><p>x</p>{}", "<b><div></b>".repeat(80_000))),
        ("reconstructed.html", format!("<title>t</title><p>{}{}", marks.concat(), "<p>x".repeat(100_000))),
        ("quotes.md", "> ".repeat(1_000_000)),
        ("brackets.md", "[".repeat(4_000_000)),
        ("flow.md", format!("---\ntitle: {}\n---\nText", "[".repeat(1_000_000))),
    ]
}

#[test]
fn hostile_files_stop_neither_serving_nor_publishing() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("hostile files");
    let machine = installed(&needs);
    drop_in(&machine, "gazetted.service", "[Service]\nWatchdogSec=10s\n");
    machine.succeed("systemctl restart gazetted.service");
    publish(&machine, "one.md", "One");
    let before = (machine.property("MainPID"), id(&machine, "One"));
    let limited = machine.enforce_limits();
    let load = Load::start(&machine, RATE, Duration::from_secs(8));
    let mut slowest = Duration::ZERO;
    for (number, (name, text)) in hostile().into_iter().enumerate() {
        machine.write(&format!("/srv/gazetted/articles/{name}"), &text);
        slowest = slowest.max(publish(&machine, &format!("beside-{number}.md"), &format!("Beside {number}")));
    }
    let outcome = load.end();
    assert_eq!((outcome.refused, outcome.failed), (0, 0), "{outcome:?}");
    assert_eq!(
        (machine.property("MainPID"), id(&machine, "One")),
        before,
        "it was not restarted: {}",
        machine.journal()
    );
    let memory = limited.map_or_else(|| "unlimited".to_owned(), |limited| format!("at most {} MB", limited.peak()));
    // With all of them in the folder, a start serves at once.
    let begun = Instant::now();
    machine.succeed("systemctl restart gazetted.service");
    assert!(id(&machine, "Beside 0").is_some());
    let restarted = begun.elapsed();
    machine.enforce_limits();
    publish(&machine, "last.md", "Last");
    assert_eq!(machine.property("NRestarts"), "0", "{}", machine.journal());
    let measured = format!(
        "{} requests, 0 failed, slowest {} ms; slowest article beside them {} ms; restart {} ms; memory {memory}",
        outcome.asked,
        outcome.slowest.as_millis(),
        slowest.as_millis(),
        restarted.as_millis()
    );
    check.passed(&measured);
}

#[test]
fn a_stop_takes_no_longer_than_its_limit() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("stop");
    let machine = installed(&needs);
    // Clients that never finish their requests.
    let mut slow = machine.beside("sh".as_ref());
    let script = "for i in $(seq 200); do (printf 'GET / HTTP/1.1\\r\\n'; sleep 40) | timeout 40 curl -s telnet://127.0.0.1:8080 & done; wait";
    let mut slow = slow.args(["-c", script]).stdout(std::process::Stdio::null()).spawn().unwrap();
    machine.wait_until("they are connected", |machine| {
        machine.succeed("ss -Htn state established 'sport = :8080' | wc -l").trim().parse::<u32>().unwrap() >= 100
    });
    let begun = Instant::now();
    machine.succeed("systemctl stop gazetted.service gazetted.socket");
    let took = begun.elapsed();
    let _ = slow.kill();
    let _ = slow.wait();
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(machine.property("Result"), "success", "it was not killed: {}", machine.journal());
    assert_eq!(machine.succeed("ss -Hltn 'sport = :8080'"), "", "the port is closed");
    assert!(!machine.run("pgrep gazetted").status.success(), "nothing is left of it");
    check.passed(&format!("{} ms with 200 half requests", took.as_millis()));
}

#[test]
fn the_sandbox_holds() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("sandbox");
    let machine = installed(&needs);
    machine.succeed("systemctl stop gazetted.service && systemctl start gazetted-admin.socket gazetted.service");
    machine.write("/home/ann/secret", "x");
    machine.write("/root/secret", "x");
    machine.copy(&std::env::current_exe().unwrap(), "/usr/bin/gazetted-probe");
    let said = |unit: &str| {
        let journal = machine.succeed(&format!("journalctl --no-pager -o cat -u {unit}"));
        let lines = journal.lines().filter_map(|line| line.split_once("PROBE "));
        lines.map(|(_, said)| said.to_owned()).collect::<Vec<_>>()
    };
    let start = "/usr/bin/gazetted-probe --exact probe::probe --nocapture --test-threads=1";
    let environment = format!("Environment={}=1", probe::ORDER);
    let unit = format!("[Service]\nExecPaths=/usr/bin/gazetted-probe\n{environment}\nExecStartPre={start}\n");
    drop_in(&machine, "gazetted.service", &unit);
    machine.succeed("systemctl restart gazetted.service");
    let inside = said("gazetted.service");
    let denied: Vec<&String> = inside.iter().filter(|line| line.ends_with(" denied")).collect();
    assert_eq!(denied.len(), probe::ATTEMPTS.len(), "{inside:#?}");
    assert!(inside.contains(&"keep-state done".to_owned()) && inside.contains(&"read-articles done".to_owned()));

    // Control: as root, outside of the sandbox, each attempt succeeds.
    let run = format!("systemd-run --wait --unit=probe-outside -p {environment} {start}");
    machine.succeed(&run);
    let outside = said("probe-outside.service");
    for (attempt, _) in probe::ATTEMPTS {
        let done = outside.contains(&format!("{attempt} done"));
        assert!(done, "outside {attempt} is not denied, or the test is blind: {outside:#?}");
    }
    check.passed(&format!("{} attempts denied, and each of them done outside", denied.len()));
}

#[test]
fn an_invalid_configuration_closes_no_port() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("wrong configuration");
    let machine = installed(&needs);
    machine.write("/etc/gazetted/gazetted.toml", &format!("{SERVICE}[site]\ntitel = 'Wrong'\n"));
    machine.run("systemctl restart gazetted.service");
    let waiting = Load::start(&machine, 2, Duration::from_millis(400));
    std::thread::sleep(Duration::from_secs(4));
    let starts: u32 = machine.property("NRestarts").parse().unwrap();
    assert!((1..=24).contains(&starts), "{starts} starts in four seconds");
    assert_eq!(machine.succeed("systemctl is-active gazetted.socket").trim(), "active");
    assert!(machine.journal().contains("gazetted.toml:6: unknown key `titel`"), "{}", machine.journal());
    machine.write("/etc/gazetted/gazetted.toml", SERVICE);
    let outcome = waiting.end();
    assert_eq!(outcome.failed, 0, "waiting clients are served: {outcome:?}");
    check.passed(&format!("{starts} starts in 4 s, the port open, {} clients served then", outcome.asked));
}

#[test]
fn upgrades_lose_no_request_and_a_purge_leaves_nothing() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("upgrade");
    let machine = installed(&needs);
    publish(&machine, "one.md", "One");
    let before = id(&machine, "One");
    machine.copy(&needs.next, "/root/next.deb");
    let rounds = times(2, 5);
    let process = machine.property("MainPID");
    let load = Load::start(&machine, RATE, Duration::from_secs(u64::from(4 * rounds)));
    for _ in 0..rounds {
        machine.succeed("dpkg -i /root/next.deb");
        machine.succeed("dpkg -i --force-downgrade /root/gazetted.deb");
    }
    let outcome = load.end();
    assert_eq!(outcome.failed, 0, "{outcome:?}");
    assert_ne!(machine.property("MainPID"), process, "the new program runs");
    assert_eq!(id(&machine, "One"), before);

    machine.succeed("dpkg -r gazetted");
    assert!(machine.file("/var/lib/private/gazetted/catalog.sqlite").exists(), "what was removed can come back");
    assert_eq!(machine.succeed("ss -Hltn 'sport = :8080'"), "", "the port is closed");
    machine.succeed("dpkg -i /root/gazetted.deb && systemctl enable --now gazetted.socket gazetted.service");
    assert_eq!(id(&machine, "One"), before, "ids come back with it");
    machine.succeed("dpkg -P gazetted");
    let left = machine.succeed(
        "ls -d /var/lib/gazetted /var/lib/private/gazetted /etc/gazetted /usr/bin/gazetted 2>/dev/null || true",
    );
    assert_eq!(left, "", "nothing is left");
    let failed = machine.succeed("systemctl --failed --no-legend --plain | grep gazetted || true");
    assert_eq!(failed, "");
    assert!(machine.file("/srv/gazetted/articles/one.md").exists(), "articles are their writers'");
    check.passed(&format!("{} upgrades, {} requests, 0 failed", 2 * rounds, outcome.asked));
}
