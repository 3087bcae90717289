//! The package: lintian, changes of the operator, and the units for each version of systemd.

use std::path::Path;
use std::process::{Command, Output};

use crate::check::Check;
use crate::machine::{Machine, Needs, skip};
use crate::{get, installed};

fn lintian(package: &Path) -> Output {
    Command::new("lintian").args(["--fail-on", "error", "--allow-root"]).arg(package).output().unwrap()
}

#[test]
fn lintian_finds_no_error() {
    let Some(needs) = Needs::find() else { return };
    if Command::new("lintian").arg("--version").output().is_err() {
        return skip("lintian");
    }
    let check = Check::begin("lintian");
    let output = lintian(&needs.package);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    // Control: the package with a file in a forbidden place.
    let folder = tempfile::tempdir().unwrap();
    let (files, wrong) = (folder.path().join("files"), folder.path().join("wrong_0.1.0-1_amd64.deb"));
    let deb = |arguments: [&std::ffi::OsStr; 3]| {
        let output = Command::new("dpkg-deb").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    deb(["-R".as_ref(), needs.package.as_ref(), files.as_ref()]);
    std::fs::create_dir_all(files.join("usr/local/bin")).unwrap();
    std::fs::write(files.join("usr/local/bin/gazetted"), "x").unwrap();
    deb(["-b".as_ref(), files.as_ref(), wrong.as_ref()]);
    let control = lintian(&wrong);
    assert!(!control.status.success(), "a wrong package is found, or the test is blind");
    let warnings = said.lines().filter(|line| line.starts_with("W:")).count();
    check.passed(&format!("0 errors, {warnings} warnings"));
}

/// Names of the program's commands.
fn commands(machine: &Machine) -> Vec<String> {
    let help = machine.succeed("gazetted --help");
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(str::to_owned).collect()
}

#[test]
fn an_upgrade_keeps_the_operators_settings() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("what the operator set");
    let machine = installed(&needs);
    let commands = commands(&machine);
    assert!(commands.len() >= 6, "{commands:?}");
    for command in &commands {
        let page = machine.file(&format!("/usr/share/man/man1/gazetted-{command}.1.gz"));
        assert!(page.exists(), "{command} has no manual page");
    }
    for completion in ["bash-completion/completions/gazetted", "zsh/vendor-completions/_gazetted"] {
        assert!(machine.file(&format!("/usr/share/{completion}")).exists(), "{completion}");
    }
    assert!(machine.file("/usr/share/fish/vendor_completions.d/gazetted.fish").exists());

    let file = "/etc/gazetted/gazetted.toml";
    let was = machine.succeed(&format!("cat {file}"));
    assert!(was.contains("#title = \"Articles\""), "each key is explained: {was}");
    machine.write(file, &was.replace("#title = \"Articles\"", "title = \"Mine\""));
    machine.copy(&needs.next, "/root/next.deb");
    machine.succeed("dpkg -i --force-confdef --force-confold /root/next.deb");
    assert!(machine.succeed(&format!("cat {file}")).contains("title = \"Mine\""));
    assert!(get(&machine, "/feed.json").contains("\"Mine\""), "the new program uses it");
    // An existing folder of articles stays unchanged.
    machine.succeed("chmod 0700 /srv/gazetted/articles && dpkg -i /root/gazetted.deb");
    assert_eq!(machine.succeed("stat -c %a /srv/gazetted/articles").trim(), "700");
    machine.succeed("dpkg -r gazetted");
    assert!(machine.file(file).exists(), "the configuration stays for a later installation");
    check.passed(&format!("kept over upgrade and removal; {} manual pages", commands.len() + 2));
}

#[test]
fn each_systemd_knows_every_directive_of_the_units() {
    let Some(needs) = Needs::find() else { return };
    let check = Check::begin("each systemd");
    let machine = installed(&needs);
    let version = machine.succeed("systemctl --version");
    let version: u32 = version.split_whitespace().nth(1).unwrap().parse().unwrap();
    machine.succeed("systemctl daemon-reload");
    let units =
        "systemctl show -p DropInPaths -p RestartSteps -p RestartMaxDelayUSec gazetted.service gazetted@a.service";
    let shown = machine.succeed(units);
    if version >= 254 {
        for line in ["RestartSteps=5", "RestartMaxDelayUSec=2s"] {
            let count = shown.lines().filter(|shown| *shown == line).count();
            assert_eq!(count, 2, "a service that keeps failing is restarted less and less often: {shown}");
        }
    } else {
        assert!(!shown.contains("restart.conf"), "{shown}");
    }
    // The journal must have no needless lines.
    let complaints = "journalctl --no-pager -o cat -b _PID=1 | grep -E 'gazetted.*(Unknown|Failed|ignoring)' || true";
    assert_eq!(machine.succeed(complaints), "");
    machine.write("/etc/systemd/system/gazetted.service.d/wrong.conf", "[Service]\nRestartStops=5\n");
    machine.succeed("systemctl daemon-reload");
    assert!(machine.succeed(complaints).contains("RestartStops"), "a complaint is seen, or the test is blind");

    let is_shut_off = || {
        let output = machine.run("systemd-analyze security --no-pager --threshold=3 gazetted.service");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let score = said.lines().rev().find_map(|line| line.split_once("gazetted.service: ")).map(|(_, score)| score);
        (output.status.success(), score.unwrap_or_default().split(' ').next().unwrap_or_default().to_owned())
    };
    let (is_well, score) = is_shut_off();
    assert!(is_well, "exposed by {score}");
    machine.write("/etc/systemd/system/gazetted.service.d/wrong.conf", "[Service]\nPrivateNetwork=no\n");
    machine.succeed("systemctl daemon-reload");
    assert!(!is_shut_off().0, "with the network it is exposed, or the test is blind");
    check.passed(&format!("version {version}: exposure {score}, no complaint in the journal"));
}
