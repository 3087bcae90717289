//! Several sites on one machine, each with its own configuration, socket and catalog.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::check::Check;
use crate::machine::{Machine, Needs, PATIENCE};

/// A response through a Unix socket of the machine.
fn ask(machine: &Machine, socket: &str, path: &str) -> String {
    let mut stream = UnixStream::connect(machine.inside(socket)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn configure(machine: &Machine, site: &str) {
    let text = format!("[site]\ntitle = 'Site {site}'\n[articles]\ndirectory = '/srv/{site}'\n");
    machine.write(&format!("/etc/gazetted/{site}.toml"), &text);
}

fn process(machine: &Machine, site: &str) -> String {
    machine.succeed(&format!("systemctl show --value -p MainPID gazetted@{site}.service")).trim().to_owned()
}

#[test]
fn sites_are_isolated_from_each_other() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("several sites");
    let machine = Machine::boot(&needs.root);
    machine.copy(&needs.package, "/root/gazetted.deb");
    machine.succeed("dpkg -i /root/gazetted.deb");
    for site in ["one", "two"] {
        configure(&machine, site);
        machine.write(&format!("/srv/{site}/a.md"), &format!("# From {site}\n\nText"));
    }
    machine.succeed("systemctl enable --now gazetted-admin@one.socket gazetted@one.socket gazetted@two.socket");
    for (site, other) in [("one", "two"), ("two", "one")] {
        let feed = ask(&machine, &format!("/run/gazetted-{site}.sock"), "/feed.json");
        assert!(feed.contains(&format!("Site {site}")) && feed.contains(&format!("From {site}")), "{feed}");
        assert!(!feed.contains(&format!("From {other}")), "{feed}");
        assert!(machine.file(&format!("/var/lib/private/gazetted-{site}/catalog.sqlite")).exists());
    }
    let ready = ask(&machine, "/run/gazetted-admin-one.sock", "/readyz");
    assert!(ready.ends_with("ready\n"), "{ready}");
    assert!(!machine.inside("/run/gazetted-admin-two.sock").exists(), "its socket is not enabled");

    // A fault of one site does not affect the other.
    let (one, two) = (process(&machine, "one"), process(&machine, "two"));
    machine.write("/etc/gazetted/two.toml", "[site]\ntitel = 'Wrong'\n");
    assert!(!machine.run("systemctl reload gazetted@two.service").status.success());
    assert_eq!(process(&machine, "two"), two, "it keeps its configuration");
    machine.run("systemctl restart gazetted@two.service");
    let journal = machine.succeed("journalctl --no-pager -o cat -u gazetted@two.service");
    assert!(journal.contains("/etc/gazetted/two.toml:2: unknown key `titel`"), "{journal}");
    assert!(ask(&machine, "/run/gazetted-one.sock", "/rss.xml").contains("From one"));
    assert_eq!(process(&machine, "one"), one);
    assert_eq!(machine.succeed("systemctl is-active gazetted@two.socket").trim(), "active");
    configure(&machine, "two");
    machine.succeed("systemctl restart gazetted@two.service && systemctl reload gazetted@two.service");
    assert!(ask(&machine, "/run/gazetted-two.sock", "/rss.xml").contains("From two"));

    machine.succeed("dpkg -P gazetted");
    let left = machine.succeed(
        "ls -d /var/lib/gazetted* /var/lib/private/gazetted* /run/gazetted* /etc/gazetted /usr/share/gazetted \
         /etc/systemd/system/*.wants/gazetted* /usr/lib/systemd/system/gazetted* 2>/dev/null; pgrep -x gazetted; true",
    );
    assert_eq!(left, "", "nothing is left of any site");
    assert!(machine.file("/srv/one/a.md").exists(), "articles are their writers'");
    check.passed("two, one of them broken and repaired, and nothing left of either after a purge");
}
